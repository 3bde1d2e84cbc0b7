"""`plan --vehicle V`: what to drive next, in order, and why."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dynoai_desktop.commands import EXIT_DONE, UsageError, known_vehicle
from dynoai_desktop.core.planning.checklist import checklist
from dynoai_desktop.core.planning.learning import prediction_quality
from dynoai_desktop.core.planning.limits import PlanningLimits
from dynoai_desktop.core.planning.limits_file import limits_document, limits_from, load_limits
from dynoai_desktop.core.planning.outlook import Outlook
from dynoai_desktop.core.planning.plan_document import to_document
from dynoai_desktop.core.planning.ways import assumptions
from dynoai_desktop.core.store.json_store import StoreError, json_text
from dynoai_desktop.core.store.vehicle_folders import vehicles_folder
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.units import UnitSystem
from dynoai_desktop.desks.plan_making import Made, make


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--vehicle", required=True, metavar="V", help="the vehicle on the dyno")
    parser.add_argument(
        "--limits",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help=f"for this plan alone; the names are {', '.join(limits_document(PlanningLimits()))}",
    )
    parser.add_argument("--us", action="store_true", help="temperatures in °F; else in °C")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the plan as a checklist, or as JSON."""
    record = known_vehicle(arguments.data_dir, arguments.vehicle)
    folder = vehicles_folder(arguments.data_dir) / record.slug
    try:
        limits = _limits(load_limits(folder, record).limits, arguments.limits)
        made = make(folder, record, datetime.now(UTC), limits=limits)
    except StoreError as error:
        raise UsageError(str(error)) from error
    if arguments.json:
        print(json_text(_document(made, record)))
    else:
        units = UnitSystem.US if arguments.us else UnitSystem.METRIC
        print("\n".join(_lines(made, record, units)))
    return EXIT_DONE


def _limits(kept: PlanningLimits, changes: Sequence[str]) -> PlanningLimits:
    """Return the limits with those named on the command line. Raises UsageError."""
    document = limits_document(kept)
    for text in changes:
        name, equals, value = text.partition("=")
        if not equals or name not in document:
            names = ", ".join(document)
            raise UsageError(f"“{text}” sets no limit. Write NAME=VALUE; the names are {names}.")
        document[name] = _value(name, value)
    try:
        return limits_from(document)
    except ValueError as error:
        raise UsageError(f"{str(error).rstrip('.')}.") from error


def _value(name: str, text: str) -> object:
    """Return the value of a limit as JSON would hold it; ranges are checked with the others."""
    if name == "environment":
        return text
    if name == "gears":
        return [_number(gear) for gear in text.split(",") if gear]
    return None if text in ("", "none") else _number(text)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _document(made: Made, record: VehicleRecord) -> dict[str, Any]:
    return {
        "vehicle": record.name,
        "simulated": record.simulated,
        "runs": sorted(made.coverage.runs),
        **to_document(made.plan),
        "limits": limits_document(made.limits),
        "pulls_left": made.pulls_left,
        "way_to_goal": made.way(),
        "outlook": [_outlook(one) for one in made.outlook()],
        "predictions": [one.text for one in prediction_quality(made.coverage).values()],
        "assumed": list(assumptions(record)),
        "notes": [*made.notes, *made.coverage.notes()],
    }


def _outlook(one: Outlook) -> dict[str, Any]:
    return {
        "strategy": one.key,
        "title": one.title,
        "probability": one.probability,
        "expected_minutes": one.expected_minutes,
        "worst_tenth_minutes": one.worst_tenth_minutes,
        "expected_pulls": one.expected_pulls,
        "expected_coverage_pct": one.expected_coverage_pct,
    }


def _lines(made: Made, record: VehicleRecord, units: UnitSystem) -> list[str]:
    lines = [
        f"{record.name}{' SIMULATED' if record.simulated else ''}",
        checklist(made.plan, units).rstrip("\n"),
    ]
    if made.plan.steps:
        lines += ["", made.way()]
        lines += [
            f"  {one.title}: {one.probability:.0%} likely to reach the goal, "
            f"{one.expected_minutes:.0f} minutes, one in ten over {one.worst_tenth_minutes:.0f}"
            for one in made.outlook()
        ]
    said = [one.text for one in prediction_quality(made.coverage).values()]
    assumed = [f"Not stated of the vehicle, {words}." for words in assumptions(record)]
    return lines + said + assumed + [*made.notes, *made.coverage.notes()]
