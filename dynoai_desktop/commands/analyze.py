"""`analyze FILE`: everything a recording or a log says, with its doubt."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynoai_desktop.capture.files import read_frame
from dynoai_desktop.capture.sources.contract import CaptureError
from dynoai_desktop.commands import EXIT_DONE, UsageError, known_vehicle
from dynoai_desktop.commands.apply import named_tunes, tune_store
from dynoai_desktop.core.analysis.analyse import AnalysisError, analyse
from dynoai_desktop.core.analysis.archive import (
    NAME,
    ArchiveError,
    keep_document,
    kept_answer,
    read_payload,
    request_key,
    session_of,
)
from dynoai_desktop.core.analysis.document import to_document
from dynoai_desktop.core.analysis.frame import FrameError
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.analysis.tune_settings import (
    TunePart,
    settings_for,
    since_session_began,
)
from dynoai_desktop.core.store.json_store import StoreError, json_text
from dynoai_desktop.core.store.sessions import summarise
from dynoai_desktop.core.store.vehicle_folders import vehicles_folder
from dynoai_desktop.core.store.vehicles import NO_VEHICLE, VehicleRecord
from dynoai_desktop.core.tune.corrections import Corrections, to_csv
from dynoai_desktop.core.tune.files import read_bytes, replace_all
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.tables import TuneError
from dynoai_desktop.desks.plan_making import tests_after
from dynoai_desktop.desks.planning_error import PlanningError
from dynoai_desktop.desks.planning_work import origin_of, tune_in_force

log = logging.getLogger(__name__)

CORRECTIONS_NAME = "corrections.json"
Document = Mapping[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "file", type=Path, help="a session folder, a .pcap, a log, or an analysis written before"
    )
    parser.add_argument(
        "--tune",
        action="append",
        default=[],
        metavar="[CYLINDER=]T.pvv",
        help="correct this tune's own cells; with one table a file: front=A.csv, rear=B.csv",
    )
    parser.add_argument("--vehicle", default="", metavar="V", help="whose log and tune these are")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write payload and tables here")
    parser.add_argument(
        "--fresh", action="store_true", help="analyse again, whatever is kept with the session"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the payload; with `--out` write it, and the corrections, to files."""
    now = datetime.now(UTC)
    try:
        document = _document(arguments, now)
        if arguments.out is not None:
            _write(arguments.out, document, arguments.vehicle, now.isoformat(timespec="seconds"))
    except (
        AnalysisError, ArchiveError, CaptureError, FrameError, PlanningError, TuneError
    ) as error:  # fmt: skip
        raise UsageError(str(error)) from error
    except StoreError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"Cannot write to {arguments.out}: {error.strerror or error}.") from error
    print(json_text(document) if arguments.json else "\n".join(_lines(document)))
    return EXIT_DONE


def _document(arguments: argparse.Namespace, now: datetime) -> Document:
    """Return what is kept for this very question, or analyse and keep that."""
    path: Path = arguments.file
    if path.suffix == ".json":
        return read_payload(path)
    session = session_of(path)
    record = _record(arguments, session)
    chosen = [
        TunePart(read_tune(read_bytes(file)), role) for file, role in named_tunes(arguments.tune)
    ]
    store = tune_store(arguments.data_dir, record.name)
    parts, notes = since_session_began(chosen, store, now)
    request = "" if session is None else request_key(session, parts, record)
    if session is not None and not arguments.fresh:
        kept = kept_answer(session, request)
        if kept is not None:
            print(
                f"This is the analysis of {kept['generated_at']} that is kept with the session; "
                "--fresh makes it anew.",
                file=sys.stderr,
            )
            return kept
    folder = vehicles_folder(arguments.data_dir) / record.slug
    document = _analysed(path, parts, record, notes, request, now, folder)
    if session is not None:
        _keep(document, session)
    return document


def _record(arguments: argparse.Namespace, session: Path | None) -> VehicleRecord:
    """Return the vehicle that is named, or else the one the session was recorded with."""
    if arguments.vehicle or session is None:
        return known_vehicle(arguments.data_dir, arguments.vehicle)
    try:
        return known_vehicle(arguments.data_dir, summarise(session).vehicle)
    except UsageError as error:
        log.warning("The vehicle of the session is not known. %s", error)
        return NO_VEHICLE


def _analysed(
    path: Path,
    parts: Sequence[TunePart],
    record: VehicleRecord,
    notes: tuple[str, ...],
    request: str,
    now: datetime,
    folder: Path,
) -> Document:
    frame = read_frame(path)
    payload = analyse(frame, settings_for(parts, frame, record, AnalysisSettings(notes=notes)))
    tune = tune_in_force(parts)
    return to_document(
        payload,
        run_id=path.stem,
        generated_at=now.isoformat(timespec="seconds"),
        request=request,
        next_tests=tests_after(payload, origin_of(path), record, folder, now, tune),
    )


def _keep(document: Document, session: Path) -> None:
    """Keep the analysis with its session; one that cannot be written is no reason to fail."""
    try:
        keep_document(document, session)
    except StoreError as error:
        log.warning("The analysis is not kept with the session. %s", error)


def _write(folder: Path, document: Document, vehicle: str, now: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / NAME: json_text(document).encode()}
    if document["ve_correction"]:
        corrections = Corrections.from_tables(
            document["ve_correction"],
            vehicle=vehicle,
            created=now,
            simulated=document["simulated"],
        )
        files[folder / CORRECTIONS_NAME] = corrections.encoded()
        for cylinder in corrections.factors:
            files[folder / f"ve_correction_{cylinder.value}.csv"] = to_csv(corrections, cylinder)
    replace_all(files)


def _lines(document: Document) -> list[str]:
    alignment = document["alignment"]
    how = "measured" if alignment["measured"] else "not measured, the usual one"
    lines = [
        f"{document['input']['rows']} rows, {document['input']['duration_s']:.1f} s",
        f"wideband delay {alignment['delay_ms']:.0f} ms "
        f"({alignment['low_ms']:.0f} to {alignment['high_ms']:.0f}), {how}",
    ]
    for run_ in document["runs"]:
        power = run_["peak_power_kw"]
        peak = "" if power is None else f", {power:.1f} kW"
        lines.append(f"{run_['kind']}: {run_['start_s']:.1f} to {run_['end_s']:.1f} s{peak}")
    for name, table in document["ve_correction"].items():
        cells = [
            (multiplier, hits)
            for row, counts in zip(table["multiplier"], table["hits"], strict=True)
            for multiplier, hits in zip(row, counts, strict=True)
            if multiplier != 1
        ]
        if cells:
            low, high = min(cells)[0], max(cells)[0]
            lines.append(f"{name}: {len(cells)} cells to change, × {low:.3f} to × {high:.3f}")
        else:
            lines.append(f"{name}: no cell to change")
    lines += [f"{count} samples left out: {why}" for why, count in document["rejected"].items()]
    lines += [
        f"{cause['confidence']:.0%} {cause['title']}"
        for cause in document["cause_tree"]["hypotheses"][:5]
    ]
    lines += [str(warning) for warning in document["notes_warnings"]]
    return lines
