"""`feedback --vehicle V RUN`: learn from a run, or from what was said about a test."""

from __future__ import annotations

import argparse
import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynoai_desktop.commands import EXIT_DONE, UsageError, known_vehicle
from dynoai_desktop.core.planning.memory import Answer, Feedback
from dynoai_desktop.core.store.json_store import StoreError, json_text
from dynoai_desktop.core.store.vehicle_folders import vehicles_folder
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.desks import planning_work as work
from dynoai_desktop.desks.plan_making import Made, make

_NICE = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "run", type=Path, nargs="?", metavar="RUN", help="a session folder or a log to learn from"
    )
    parser.add_argument("--vehicle", required=True, metavar="V", help="whose run it is")
    parser.add_argument(
        "--step", metavar="KEY", help="the test it was driven for, as `plan --json` calls it"
    )
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--skipped", metavar="REASON", help="the test was skipped today, and why")
    said.add_argument(
        "--not-possible", action="store_true", help="tests of this kind are not possible here"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    # The window has runs studied by a process of this command, after what matters more.
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Learn, and print what it brought and what comes next."""
    if arguments.child and hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(_NICE)
    record = known_vehicle(arguments.data_dir, arguments.vehicle)
    folder = vehicles_folder(arguments.data_dir) / record.slug
    now = datetime.now(UTC)
    try:
        if arguments.skipped is not None or arguments.not_possible:
            document = _answered(arguments, folder, record, now)
        else:
            document = _learned(arguments, folder, record, now)
    except (work.PlanningError, StoreError) as error:
        raise UsageError(str(error)) from error
    print(json_text(document) if arguments.json else "\n".join(_lines(document)))
    return EXIT_DONE


def _learned(
    arguments: argparse.Namespace, folder: Path, record: VehicleRecord, now: datetime
) -> dict[str, Any]:
    if arguments.run is None:
        raise UsageError("Say which run to learn from: a session folder or a log.")
    origin = work.origin_of(arguments.run)
    before = make(folder, record, now, without=origin.run_id)
    driven = None
    if arguments.step is not None:
        if not arguments.child:  # the window learns from a run whatever has become of its plan
            _require_test(before, arguments.step)
        driven = before.driven(arguments.step)
    run = work.study(arguments.run, record, before.coverage)
    remembered = work.learn(folder, record, run, driven)
    after = make(folder, record, now)
    notes = [*before.notes, *remembered.notes]
    if arguments.step is not None and driven is None:
        name = before.plan.names.get(arguments.step, arguments.step)
        notes.append(
            f"“{name}” was not in the plan before this run, so "
            "nothing was promised that could be compared."
        )
    return {
        "run": origin.run_id,
        **_standing(after, record),
        "step": arguments.step,
        "promised_pct": None if driven is None else driven.step.expected_coverage_gain,
        "gain_pct": after.plan.coverage_pct - before.plan.coverage_pct,
        "accepted": run.achieved.accepted,
        "notes": notes,
    }


def _answered(
    arguments: argparse.Namespace, folder: Path, record: VehicleRecord, now: datetime
) -> dict[str, Any]:
    if arguments.step is None:
        raise UsageError("Say which test it was: --step KEY, as `plan --json` calls it.")
    made = make(folder, record, now)
    _require_test(made, arguments.step)
    step = next(step for step in made.tests.steps if step.key == arguments.step)
    feedback = Feedback(
        Answer.NOT_POSSIBLE if arguments.not_possible else Answer.SKIPPED,
        step.key,
        step.test_type,
        arguments.skipped or "",
        now.isoformat(timespec="seconds"),
    )
    remembered = work.answer(folder, record, feedback)
    after = make(folder, record, now)
    return {
        "run": None,
        **_standing(after, record),
        "step": step.key,
        "promised_pct": None,
        "gain_pct": 0.0,
        "accepted": 0,
        "notes": [*made.notes, *remembered.notes],
    }


def _require_test(made: Made, key: str) -> None:
    """Raise UsageError for a key that no test of this vehicle has."""
    if key not in made.plan.names:
        planned = ", ".join(step.key for step in made.plan.steps) or "none"
        raise UsageError(f"There is no test “{key}” for this vehicle. Those planned: {planned}.")


def _standing(made: Made, record: VehicleRecord) -> dict[str, Any]:
    steps = made.plan.steps
    return {
        "vehicle": record.name,
        "simulated": record.simulated,
        "runs": len(made.coverage.runs),
        "coverage_pct": made.plan.coverage_pct,
        "cells_open": made.plan.cells_open,
        "next": {"key": steps[0].key, "name": steps[0].name} if steps else None,
        "message": made.plan.message,
    }


def _lines(document: dict[str, Any]) -> list[str]:
    lines = []
    if document["run"] is not None:
        brought = f"{document['gain_pct']:+.1f} points of the goal"
        promised = document["promised_pct"]
        told = "" if promised is None else f", {promised:.1f} were promised"
        lines.append(f"{document['run']}: {brought}{told}; {document['accepted']} samples count.")
    lines.append(
        f"{document['vehicle']}: {document['coverage_pct']:.0f} % of the goal from "
        f"{_counted(document['runs'], 'run')}, {_counted(document['cells_open'], 'cell')} open."
    )
    following = document["next"]
    lines.append(document["message"] if following is None else f"Next: {following['name']}")
    return lines + [str(note) for note in document["notes"]]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
