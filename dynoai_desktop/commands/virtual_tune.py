"""`virtual-tune`: a tuning session in closed loop on the simulator."""

from __future__ import annotations

import argparse
import math
import sys

from dynoai_desktop.commands import EXIT_DONE, EXIT_FAILED, UsageError
from dynoai_desktop.core.simulator.faults import FAULTS
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.tuning.outcome import Iteration, Outcome, Status
from dynoai_desktop.core.simulator.tuning.programme import ROUNDS
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings
from dynoai_desktop.core.store.json_store import json_text

_HEADING = "round  largest error AFR  cells  true VE error %  power kW"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--profile", default="m8-114", metavar="P", help=", ".join(PROFILES))
    parser.add_argument("--scenario", default="lean", metavar="S", help=", ".join(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same session")
    parser.add_argument("--round", default="whole_table", metavar="R", help=", ".join(ROUNDS))
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        dest="faults",
        metavar="F",
        help=f"break something, may be repeated: {', '.join(FAULTS)}",
    )
    parser.add_argument("--max-iterations", type=int, default=10, metavar="N", help="at most 50")
    parser.add_argument(
        "--ignore-delay",
        action="store_true",
        help="take lambda for the mixture of the moment it is read, to see what that costs",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Run the session; exit 0 when it converged, 1 when it ended any other way."""
    session = VirtualSession(_settings(arguments))
    outcome = _run(session)
    print(json_text(outcome.to_json()) if arguments.json else "\n".join(_lines(outcome)))
    return EXIT_DONE if outcome.status is Status.CONVERGED else EXIT_FAILED


def _settings(arguments: argparse.Namespace) -> TuningSettings:
    chosen = (
        ("profile", arguments.profile, PROFILES),
        ("scenario", arguments.scenario, SCENARIOS),
    )
    for kind, name, table in chosen:
        if name not in table:
            raise UsageError(f"There is no {kind} '{name}'; choose {', '.join(table)}.")
    try:
        return TuningSettings(
            PROFILES[arguments.profile],
            SCENARIOS[arguments.scenario],
            seed=arguments.seed,
            faults=tuple(arguments.faults),
            round=arguments.round,
            max_iterations=arguments.max_iterations,
            aligned=not arguments.ignore_delay,
        )
    except ValueError as error:
        raise UsageError(f"Cannot begin the session: {error}") from error


def _run(session: VirtualSession) -> Outcome:
    """Run a session, saying on stderr what it is at."""
    said = ""
    for progress in session.steps():
        text = f"{progress.iteration}: {progress.stage or progress.status}"
        if text != said:
            said = text
            print(text, file=sys.stderr, flush=True)
    return session.outcome


def _lines(outcome: Outcome) -> list[str]:
    rows = [_row(iteration) for iteration in outcome.iterations]
    table = [_HEADING, *rows] if rows else []
    return [*table, f"{outcome.status.value.replace('_', ' ')}: {outcome.message}"]


def _row(iteration: Iteration) -> str:
    error, true = (
        "–" if math.isnan(value) else f"{value:.2f}"
        for value in (iteration.max_afr_error, iteration.true_ve_rmse_pct)
    )
    power = "–" if iteration.peak_power_kw is None else f"{iteration.peak_power_kw:.1f}"
    return (
        f"{iteration.number:>5}  {error:>17}  {iteration.measured_cells:>5}  {true:>15}  {power:>8}"
    )
