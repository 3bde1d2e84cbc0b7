"""`apply`: corrections to a copy of a tune, with a preview and hashes."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynoai_desktop.commands import EXIT_DONE, UsageError, known_vehicle
from dynoai_desktop.core.analysis.archive import ArchiveError, require_version
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.store.json_store import StoreError, json_text, parse_object
from dynoai_desktop.core.store.vehicle_folders import vehicles_folder
from dynoai_desktop.core.tune.corrections import Corrections
from dynoai_desktop.core.tune.files import read_bytes
from dynoai_desktop.core.tune.plan import DEFAULT_STEP, MAX_STEP, REASONS, CellPlan, Fate, Terms
from dynoai_desktop.core.tune.store import Applied, Job, TuneStore
from dynoai_desktop.core.tune.tables import TuneError

_WRITTEN = (Fate.CHANGED, Fate.LIMITED)
_ROLES = {cylinder.value: cylinder for cylinder in Cylinder}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "corrections", type=Path, help="what `analyze` has written: its payload or corrections"
    )
    parser.add_argument(
        "--tune",
        action="append",
        required=True,
        metavar="[CYLINDER=]FILE",
        help="the tune; with one table a file, once for each cylinder: front=A.csv, rear=B.csv",
    )
    parser.add_argument(
        "--out", action="append", required=True, metavar="FILE", help="the corrected copy of each"
    )
    parser.add_argument("--vehicle", default="", metavar="V", help="whose history this goes into")
    parser.add_argument(
        "--limit",
        type=float,
        default=100 * DEFAULT_STEP,
        metavar="PCT",
        help=f"largest step of a cell in percent, at most {100 * MAX_STEP:g}",
    )
    parser.add_argument(
        "--half", action="store_true", help="apply half of each change (multiply by half of %%)"
    )
    alone = parser.add_mutually_exclusive_group()
    for cylinder in (Cylinder.FRONT, Cylinder.REAR):
        alone.add_argument(
            f"--only-{cylinder.value}",
            dest="alone",
            action="store_const",
            const=cylinder,
            help=f"correct the {cylinder.value} cylinder and leave the other as it is",
        )
    parser.add_argument("--dry-run", action="store_true", help="show the preview, write nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def tune_store(data_dir: Path, vehicle: str) -> TuneStore:
    """Return the tune history of a vehicle."""
    record = known_vehicle(data_dir, vehicle)
    return TuneStore(vehicles_folder(data_dir) / record.slug / "tune", record.name)


def run(arguments: argparse.Namespace) -> int:
    """Write the corrected copies, all or none."""
    try:
        applied = tune_store(arguments.data_dir, arguments.vehicle).apply(
            _jobs(arguments.tune, arguments.out),
            _corrections(arguments.corrections),
            Terms(arguments.limit / 100, half=arguments.half, alone=arguments.alone),
            now=datetime.now(UTC),
            dry_run=arguments.dry_run,
        )
    except (ArchiveError, TuneError, StoreError) as error:
        raise UsageError(str(error)) from error
    document = _document(applied, arguments)
    print(json_text(document) if arguments.json else "\n".join(_lines(document)))
    return EXIT_DONE


def named_tunes(tunes: list[str]) -> list[tuple[Path, Cylinder | None]]:
    """Return the files of `--tune [CYLINDER=]FILE`, each with the cylinder named."""
    found = []
    for text in tunes:
        role, equals, path = text.partition("=")
        named = equals and role in _ROLES
        found.append((Path(path if named else text), _ROLES[role] if named else None))
    return found


def _jobs(tunes: list[str], outputs: list[str]) -> list[Job]:
    if len(tunes) != len(outputs):
        raise UsageError("Give one --out for every --tune.")
    named = zip(named_tunes(tunes), outputs, strict=True)
    return [Job(base, Path(output), role) for (base, role), output in named]


def _corrections(path: Path) -> Corrections:
    """Return the corrections in a file of their own or in an analysis payload."""
    try:
        data = read_bytes(path)
        document = parse_object(data)
    except TuneError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        raise UsageError(f"{path.name} {error}.") from error
    if "ve_correction" in document:
        require_version(document, path.name)
        simulated = document.get("simulated") is True
        return Corrections.from_tables(document["ve_correction"], simulated=simulated)
    return Corrections.from_bytes(data)


def _document(applied: Applied, arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "dry_run": arguments.dry_run,
        "vehicle": arguments.vehicle,
        "half": arguments.half,
        "files": [
            {
                "base": base,
                "output": output,
                "base_sha256": plan.base_sha256,
                "output_sha256": plan.output_sha256,
                "unchanged_cylinders": [cylinder.value for cylinder in plan.untouched],
                "cells": {fate.value: count for fate, count in plan.counts().items()},
                "changes": [_change(cell) for cell in plan.cells if cell.fate in _WRITTEN],
                "blocked": [{**_change(cell), "reason": why} for cell, why in plan.blocked()],
            }
            for base, output, plan in zip(arguments.tune, arguments.out, applied.plans, strict=True)
        ],
        "event": None if applied.event is None else applied.event.document(),
    }


def _change(cell: CellPlan) -> dict[str, Any]:
    return {
        "cylinder": cell.cylinder.value,
        "row": cell.row,
        "column": cell.column,
        "multiplier": cell.multiplier,
        "before": cell.before,
        "after": cell.after,
        "fate": cell.fate.value,
        "note": REASONS.get(cell.fate, ""),
    }


def _lines(document: dict[str, Any]) -> list[str]:
    lines = []
    for file in document["files"]:
        cells = ", ".join(f"{count} {fate}" for fate, count in file["cells"].items())
        lines.append(f"{file['base']} → {file['output']}: {cells}")
        lines += [f"  the {name} cylinder stays as it is" for name in file["unchanged_cylinders"]]
        lines += [
            f"  {c['cylinder']:<6} row {c['row'] + 1:>2} column {c['column'] + 1:>2}  "
            f"{c['before']:g} → {c['after']:g}  {c['note']}"
            for c in file["changes"]
        ]
    lines.append(
        "Nothing was written." if document["dry_run"] else "Written; `rollback` undoes it."
    )
    return lines
