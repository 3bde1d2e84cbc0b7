"""`virtual-tune`: a tuning session in closed loop on the simulator."""

from __future__ import annotations

import argparse
import math
import sys

from dynoai_desktop.capture.simulator_files import profile_of, scenario_of
from dynoai_desktop.commands import EXIT_DONE, EXIT_FAILED, UsageError
from dynoai_desktop.core.simulator.faults import FAULTS
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.tuning.outcome import Iteration, Outcome, Status
from dynoai_desktop.core.simulator.tuning.programme import ROUNDS
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings
from dynoai_desktop.core.store.json_store import json_text
from dynoai_desktop.desks.tuning_process import CHILD_OPTION, serve

_HEADING = "round  largest error AFR  cells  true VE error %  power kW"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    file = "or a JSON file that ends in .json"
    parser.add_argument(
        "--profile", default="m8-114", metavar="P", help=f"{', '.join(PROFILES)}, {file}"
    )
    parser.add_argument(
        "--scenario", default="lean", metavar="S", help=f"{', '.join(SCENARIOS)}, {file}"
    )
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
    # The window's sessions are processes of this command.
    parser.add_argument(CHILD_OPTION, action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Run the session; exit 0 when it converged, 1 when it ended any other way."""
    if arguments.child:
        found = serve(sys.stdin.buffer, sys.stdout.buffer)
        return EXIT_DONE if found is not None else EXIT_FAILED
    session = VirtualSession(_settings(arguments))
    outcome = _run(session)
    print(json_text(outcome.to_json()) if arguments.json else "\n".join(_lines(outcome)))
    return EXIT_DONE if outcome.status is Status.CONVERGED else EXIT_FAILED


def _settings(arguments: argparse.Namespace) -> TuningSettings:
    try:
        return TuningSettings(
            profile_of(arguments.profile),
            scenario_of(arguments.scenario),
            seed=arguments.seed,
            faults=tuple(arguments.faults),
            round=arguments.round,
            max_iterations=arguments.max_iterations,
            aligned=not arguments.ignore_delay,
        )
    except ValueError as error:
        raise UsageError(f"Cannot begin the session: {str(error).rstrip('.')}.") from error


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
