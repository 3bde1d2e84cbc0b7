"""`analyze FILE`: everything a recording or a log says, with its doubt."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynoai_desktop.capture.files import read_frame
from dynoai_desktop.capture.sources.contract import CaptureError
from dynoai_desktop.commands import EXIT_DONE, UsageError
from dynoai_desktop.core.analysis.analyse import AnalysisError, analyse
from dynoai_desktop.core.analysis.document import to_document
from dynoai_desktop.core.analysis.frame import FrameError
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.store.json_store import json_text
from dynoai_desktop.core.tune.corrections import Corrections, to_csv
from dynoai_desktop.core.tune.files import read_bytes, replace_all
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.tables import TuneError

PAYLOAD_NAME = "NextGenAnalysis.json"
CORRECTIONS_NAME = "corrections.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, help="a session folder, a .pcap or a log")
    parser.add_argument("--tune", type=Path, metavar="T.pvv", help="correct this tune's own cells")
    parser.add_argument("--vehicle", default="", metavar="V", help="whose corrections these are")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write payload and tables here")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the payload; with `--out` write it, and the corrections, to files."""
    try:
        settings = _settings(arguments.tune)
        payload = analyse(read_frame(arguments.file), settings)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        document = to_document(payload, run_id=arguments.file.stem, generated_at=now)
        if arguments.out is not None:
            _write(arguments.out, document, arguments.vehicle, now)
    except (AnalysisError, CaptureError, FrameError, TuneError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"Cannot write to {arguments.out}: {error.strerror or error}.") from error
    print(json_text(document) if arguments.json else "\n".join(_lines(document)))
    return EXIT_DONE


def _settings(tune: Path | None) -> AnalysisSettings:
    """Return settings with the axes of the tune's own VE table. Raises TuneError."""
    settings = AnalysisSettings()
    if tune is None:
        return settings
    for table in read_tune(read_bytes(tune)).ve_tables().values():
        if table.axes is not None:
            return replace(settings, axes=table.axes)
    raise TuneError(f"{tune.name} holds no VE table. Choose the tune the vehicle runs on.")


def _write(folder: Path, document: Mapping[str, Any], vehicle: str, now: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / PAYLOAD_NAME: json_text(document).encode()}
    if document["ve_correction"]:
        corrections = Corrections.from_tables(
            document["ve_correction"], vehicle=vehicle, created=now
        )
        files[folder / CORRECTIONS_NAME] = corrections.encoded()
        for cylinder in corrections.factors:
            files[folder / f"ve_correction_{cylinder.value}.csv"] = to_csv(corrections, cylinder)
    replace_all(files)


def _lines(document: Mapping[str, Any]) -> list[str]:
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
