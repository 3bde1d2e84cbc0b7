"""Trials of the closed loop against the truth: many sessions, counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from dynoai_desktop.core.simulator.tuning.outcome import Outcome, Status
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings

MOST_ITERATIONS = 4  # a lean tune must be right after so many


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """What came of a number of sessions."""

    sessions: int
    converged: int  # within MOST_ITERATIONS
    most_iterations: int
    fewest_cells: int  # measured in the last round
    worst_afr_error: float  # as measured in the last round
    worst_true_ve_rmse_pct: float
    mean_true_ve_rmse_pct: float
    worst_true_ve_pct: float  # of a single measured cell

    @property
    def missed(self) -> int:
        """Return how many sessions did not finish in time."""
        return self.sessions - self.converged


def closed_loop(seeds: Iterable[int], settings: TuningSettings | None = None) -> ClosedLoop:
    """Return what sessions with these seeds came to.

    The acceptance run is ``closed_loop(range(1, 51))``, about five minutes of computing.
    """
    base = settings or TuningSettings()
    return summarise([VirtualSession(replace(base, seed=seed)).run() for seed in seeds])


def summarise(outcomes: list[Outcome]) -> ClosedLoop:
    """Return the figures of finished sessions. Raises ValueError for none, or one without data."""
    if not outcomes or not all(outcome.iterations for outcome in outcomes):
        raise ValueError("There is nothing to sum up: a session has no iterations.")
    last = [outcome.iterations[-1] for outcome in outcomes]
    rmse = [iteration.true_ve_rmse_pct for iteration in last]
    return ClosedLoop(
        sessions=len(outcomes),
        converged=sum(
            outcome.status is Status.CONVERGED and len(outcome.iterations) <= MOST_ITERATIONS
            for outcome in outcomes
        ),
        most_iterations=max(len(outcome.iterations) for outcome in outcomes),
        fewest_cells=min(iteration.measured_cells for iteration in last),
        worst_afr_error=max(iteration.max_afr_error for iteration in last),
        worst_true_ve_rmse_pct=max(rmse),
        mean_true_ve_rmse_pct=float(np.mean(rmse)),
        worst_true_ve_pct=max(iteration.true_ve_max_pct for iteration in last),
    )


@dataclass(frozen=True, slots=True)
class DelayMatters:
    """True error after the same transient rounds, with the wideband's delay and without."""

    compensated_pct: float
    ignored_pct: float

    @property
    def ratio(self) -> float:
        """Return how many times larger the error is without compensation."""
        return self.ignored_pct / self.compensated_pct


def delay_matters(
    seeds: Iterable[int], settings: TuningSettings | None = None, iterations: int = 4
) -> DelayMatters:
    """Return the mean true error after *iterations* rounds in which nothing ever holds still."""
    base = settings or TuningSettings()
    sessions = [
        replace(
            base,
            seed=seed,
            round="transients",
            max_iterations=iterations,
            least_cells=10_000,  # never enough: both ways get the same number of rounds
        )
        for seed in seeds
    ]
    means = [
        float(np.mean([_last_error(replace(one, aligned=aligned)) for one in sessions]))
        for aligned in (True, False)
    ]
    return DelayMatters(*means)


def _last_error(settings: TuningSettings) -> float:
    return VirtualSession(settings).run().iterations[-1].true_ve_rmse_pct
