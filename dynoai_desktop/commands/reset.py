"""`reset --vehicle V`: forget what was learned of a vehicle, or bring it back."""

from __future__ import annotations

import argparse

from dynoai_desktop.commands import EXIT_DONE, UsageError, known_vehicle
from dynoai_desktop.core.planning.coverage_file import reset_coverage, restore_last_reset
from dynoai_desktop.core.store.json_store import StoreError, json_text
from dynoai_desktop.core.store.vehicle_folders import vehicles_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--vehicle", required=True, metavar="V", help="which vehicle")
    parser.add_argument(
        "--restore", action="store_true", help="bring back what the last reset took away"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Forget or bring back; say where what was known is kept."""
    record = known_vehicle(arguments.data_dir, arguments.vehicle)
    folder = vehicles_folder(arguments.data_dir) / record.slug
    change = restore_last_reset if arguments.restore else reset_coverage
    try:
        remembered = change(folder, record)
    except StoreError as error:
        raise UsageError(str(error)) from error
    document = {
        "vehicle": record.name,
        "runs": sorted(remembered.coverage.runs),
        "folder": str(folder),
        "notes": list(remembered.notes),
    }
    if arguments.json:
        print(json_text(document))
    else:
        print("\n".join(_lines(document)))
    return EXIT_DONE


def _lines(document: dict[str, object]) -> list[str]:
    runs = document["runs"]
    known = len(runs) if isinstance(runs, list) else 0
    lines = [f"{document['vehicle']}: runs remembered in {document['folder']}: {known}."]
    notes = document["notes"]
    return lines + ([str(note) for note in notes] if isinstance(notes, list) else [])
