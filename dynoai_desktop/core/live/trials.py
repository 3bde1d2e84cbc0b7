"""The cells of the live engine against known truth: error, intervals, and the delay.

Run by the tests with a few seeds and for the accuracy figures with many. Every trial is a whole
session in the small world of trial_world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean

import numpy as np

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.trial_world import (
    Drive,
    TableError,
    WidebandModel,
    World,
    pull,
    wander,
)

FULL_SEEDS = 100
# A wideband in the collector: 0.17 s from valve to reading in the middle of a pull.
COLLECTOR = WidebandModel(lag_s=0.08, dead_s=0.04, transport_s=0.10)


@dataclass(frozen=True, slots=True)
class CellTrial:
    """How far the cells of one session are from the truth. Shares of fuel."""

    cells: int  # occupied: visited, and with enough evidence to count as covered
    inside: int  # of them, those whose 95 % interval holds the truth
    mean_error: float
    mean_half_width: float


@dataclass(frozen=True, slots=True)
class CellAccuracy:
    """Cell trials over many sessions."""

    sessions: int
    cells: int
    coverage: float  # share of cells whose 95 % interval holds the truth
    mean_error: float
    mean_half_width: float
    unaligned_error: float | None = None  # of the same sessions with alignment off


def transient_pulls(_seed: int) -> Drive:
    """Return ten quick pulls, 1,500 rpm a second, and nothing steady but the cruise before each."""
    return pull(3.0).times(10)


def mixed_session(seed: int) -> Drive:
    """Return part throttle, four pulls, part throttle."""
    return wander(seed, 60.0) + pull(3.0).times(4) + wander(seed + 1000, 60.0)


def usual_wideband(seed: int) -> WidebandModel:
    """Return a wideband out of the whole range that is published.

    The sensor answers in 50 to 150 ms, a stroke or two after the charge was burnt; the gas is on
    its way for 40 ms at full flow in a short pipe to 250 ms at a cruise in a long one.
    """
    rng = np.random.default_rng((seed, 3))
    return WidebandModel(
        lag_s=rng.uniform(0.05, 0.15),
        dead_s=rng.uniform(0.0, 0.05),
        transport_s=rng.uniform(0.03, 0.13),
    )


def cell_trial(
    seed: int,
    drive: Drive,
    aligned: bool = True,
    wideband: WidebandModel | None = None,
    size: float = 0.04,
    reach: float = 2.5,
) -> CellTrial:
    """Drive over a random table error and compare every occupied cell with it."""
    error = TableError(seed, size, reach)
    world = World(error, wideband=wideband or usual_wideband(seed))
    engine = LiveEngine(settings=LiveSettings(aligned=aligned))
    for aggregate in world.drive(drive, seed):
        engine.observe(aggregate)
    snapshot = engine.snapshot()
    cells = snapshot.cylinders[Cylinder.FRONT]
    truth = np.expm1(error.at_nodes(cells.rpm, cells.load))
    enough = cells.mass >= engine.settings.enough_mass
    occupied = enough & (snapshot.hits.values > 0)
    away = np.abs(cells.error - truth)[occupied]
    half = cells.half_width[occupied]
    inside = int(np.count_nonzero(away <= half))
    return CellTrial(away.size, inside, float(away.mean()), float(half.mean()))


def alignment_accuracy(seeds: Iterable[int]) -> CellAccuracy:
    """Return how well transient pulls are placed, with alignment and without."""
    quick = partial(cell_trial, wideband=COLLECTOR, size=0.05, reach=2.0)
    drives = {seed: transient_pulls(seed) for seed in seeds}
    found = _accuracy([quick(seed, drive) for seed, drive in drives.items()])
    off = [quick(seed, drive, aligned=False).mean_error for seed, drive in drives.items()]
    return replace(found, unaligned_error=fmean(off))


def cell_accuracy(
    seeds: Iterable[int], session: Callable[[int], Drive] = mixed_session
) -> CellAccuracy:
    """Return errors and interval coverage over sessions of one kind."""
    return _accuracy([cell_trial(seed, session(seed)) for seed in seeds])


def _accuracy(trials: list[CellTrial]) -> CellAccuracy:
    cells = sum([trial.cells for trial in trials])
    return CellAccuracy(
        sessions=len(trials),
        cells=cells,
        coverage=sum([trial.inside for trial in trials]) / cells,
        mean_error=fmean([trial.mean_error for trial in trials]),
        mean_half_width=fmean([trial.mean_half_width for trial in trials]),
    )
