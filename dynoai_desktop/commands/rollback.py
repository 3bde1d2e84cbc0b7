"""`rollback --vehicle V`: take back the latest step, byte for byte."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from dynoai_desktop.commands import EXIT_DONE, UsageError
from dynoai_desktop.commands.apply import tune_store
from dynoai_desktop.core.store.json_store import StoreError, json_text
from dynoai_desktop.core.tune.tables import TuneError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--vehicle", default="", metavar="V", help="whose latest step to undo")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Restore the bytes that were there before."""
    try:
        event = tune_store(arguments.data_dir, arguments.vehicle).rollback(now=datetime.now(UTC))
    except (TuneError, StoreError) as error:
        raise UsageError(str(error)) from error
    if arguments.json:
        print(json_text(event.document()))
    else:
        for file in event.files:
            print(f"{file.output} is as it was before step {event.undoes}.")
    return EXIT_DONE
