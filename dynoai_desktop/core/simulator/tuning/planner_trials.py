"""How many pulls until the table is known: the planner against two habits, on simulated vehicles.

A vehicle with a tune nobody knows is driven pull by pull; every pull is heard, analysed on its own
and added to what is known of the vehicle, exactly as after a real pull. The trial ends when every
cell of priority 1 has its 95 % interval within the goal, for each cylinder, or when patience ends.
All strategies choose among tests the same vehicle can drive on the same dyno, and all are measured
with the same belief about tables, so only the choice differs.

*fixed* drives throttle sweeps in the order a tuner without a plan does, from a nearly closed
throttle to wide open, and begins again. *efficiency* ranks the planner's own tests by the plain
formula (cells of the rectangle per minute), among those whose rectangle still has cells with
fewer than three hits, and falls back to all of them when none has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import mean, median

import numpy as np

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.fuel import CylinderFit
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.planning.candidates import KINDS, counted_pulls
from dynoai_desktop.core.planning.coverage import Coverage
from dynoai_desktop.core.planning.knowledge import Knowledge, TableBelief
from dynoai_desktop.core.planning.learning import learned, observe, ways_of
from dynoai_desktop.core.planning.limits import PlanningLimits, default_limits
from dynoai_desktop.core.planning.planner import Tests, make_plan
from dynoai_desktop.core.planning.regions import PlacedRegion, goal_cells, place_regions
from dynoai_desktop.core.planning.run_coverage import run_coverage
from dynoai_desktop.core.planning.score import efficiency
from dynoai_desktop.core.planning.standing import Standing, goal_of
from dynoai_desktop.core.planning.steps import Step
from dynoai_desktop.core.simulator.commands import Drive
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.programmes import Programme, sweep, wot_pull
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.tables import axes
from dynoai_desktop.core.simulator.tuning.needed import needed_ve_pct
from dynoai_desktop.core.simulator.tuning.planned import programmes_of
from dynoai_desktop.core.simulator.tuning.recording import Recording
from dynoai_desktop.core.simulator.tuning.report import TABLES_OF
from dynoai_desktop.core.simulator.vehicle import record_of_profile
from dynoai_desktop.core.store.vehicles import VehicleRecord

VEHICLES = ("m8-114", "four-600", "turbo-four")
MOST_PULLS = 40
_SCENARIO = "custom"
_FIXED_PCT = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0)
_FEW_HITS = 3.0
_SLICE_S = 1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One vehicle brought to the goal, or not, by one strategy."""

    vehicle: str
    strategy: str
    seed: int
    reached: bool
    pulls: int
    minutes: float  # driven, without cooling
    cells: int  # of priority 1, all cylinders
    open_cells: int
    worst_error_pct: float  # of these cells, estimate against truth, all runs analysed together
    held_pct: float  # share of these cells whose 95 % interval holds the truth


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a strategy needed over the seeds; a trial that never got there counts all its pulls."""

    vehicle: str
    strategy: str
    trials: int
    reached: int
    median_pulls: float
    mean_pulls: float
    median_minutes: float
    held_pct: float


class _World:
    """A simulated vehicle, everything heard from it, and what is known of it so far."""

    def __init__(self, profile: Profile, seed: int) -> None:
        self.profile = profile
        self.rig = Rig(profile, SCENARIOS[_SCENARIO], seed=seed)
        self.record: VehicleRecord = record_of_profile(profile)
        self.limits: PlanningLimits = default_limits(self.record)
        self.rpm, self.load = axes(profile)
        self.regions: tuple[PlacedRegion, ...] = place_regions(
            profile.redline_rpm, boost_kpa=profile.boost_kpa
        )
        self.coverage = Coverage(self.record.slug, simulated=True, rpm=self.rpm, load=self.load)
        self.recording = Recording(self.rig)  # everything, for the comparison with the truth
        self.driven: list[str] = []
        self.pulls = 0
        self.ways = ways_of(self.coverage, self.record)
        self.knowledge = self._known()

    def drive(
        self, programmes: Iterable[Programme], key: str, pulls: int = 1, step: Step | None = None
    ) -> None:
        """Drive, listen, analyse, remember; learn from it where it was a planned *step*."""
        self.rig.command(Drive(tuple(programmes)))
        begun = self.recording.windows
        while self.rig.busy:
            self.recording.drive(_SLICE_S)
        frame = self.recording.frame(begun)
        payload = analyse(frame, self._settings())
        run = run_coverage(
            payload,
            f"{len(self.driven):03d}",
            self.record.slug,
            observed=observe(payload, self.record),
        )
        if step is not None:
            run = learned(run, step, self.coverage, self.ways, self.regions)
        self.coverage = self.coverage.merge(run)
        self.ways = ways_of(self.coverage, self.record)
        self.driven.append(key)
        self.pulls += pulls
        self.knowledge = self._known()

    def standing(self) -> Standing:
        """Return how far the cells of priority 1 are from the goal."""
        return Standing.of(self.knowledge, goal_of(self.knowledge, self.regions, up_to=1))

    def truth(self, cells: np.typing.NDArray[np.bool_]) -> tuple[float, float]:
        """Return the worst error of *cells*, percent, and the share of their intervals that hold.

        Everything driven is analysed together, as one log.
        """
        fits = analyse(self.recording.frame(), self._settings()).evidence.fits
        errors, sigmas = [], []
        for cylinder, fit in fits.items():
            error = _error(self.rig, cylinder, fit)
            known = cells & np.isfinite(error)
            errors.append(error[known])
            sigmas.append(np.abs(error[known]) / fit.surface.se[known])
        every, sigma = np.concatenate(errors), np.concatenate(sigmas)
        if not every.size:
            return float("nan"), float("nan")
        return float(100.0 * np.abs(every).max()), float(100.0 * np.mean(sigma <= 1.96))

    def _settings(self) -> AnalysisSettings:
        return AnalysisSettings(axes=(self.rpm, self.load), redline_rpm=self.profile.redline_rpm)

    def _known(self) -> Knowledge:
        return self.coverage.knowledge(TableBelief(), self.regions)


def _error(rig: Rig, cylinder: Cylinder, fit: CylinderFit) -> np.typing.NDArray[np.float64]:
    """Return estimate minus truth of ln(needed / present VE), ``[rpm][load]``."""
    needed = dict(zip((Cylinder.FRONT, Cylinder.REAR), needed_ve_pct(rig), strict=True))
    present = {
        Cylinder.FRONT: rig.tables.ve_front_pct.values,
        Cylinder.REAR: rig.tables.ve_rear_pct.values,
    }
    parts = [np.log(needed[c] / present[c]) for c in TABLES_OF[cylinder]]
    error: np.typing.NDArray[np.float64] = fit.surface.value - np.mean(parts, axis=0)
    return error


# Strategies: each drives one test and goes on when asked again; it ends when it has nothing.


def _by_plan(world: _World) -> Iterator[None]:
    while True:
        plan = make_plan(world.knowledge, world.ways, world.limits, world.regions, most_steps=1)
        if not plan.steps:
            return
        _drive_step(world, plan.steps[0])
        yield


def _by_habit(world: _World) -> Iterator[None]:
    profile = world.profile
    while True:
        for tps in _FIXED_PCT:
            full = tps >= 100.0
            one = wot_pull(profile) if full else sweep(profile, tps)
            world.drive((one,), f"sweep {tps:g}")
            yield


def _by_efficiency(world: _World) -> Iterator[None]:
    steps = Tests.of(world.knowledge, world.ways, world.limits).steps
    while True:
        left = [s for s in steps if s.key not in world.driven] or list(steps)
        hits = np.min(list(world.knowledge.hits.values()), axis=0)
        wanting = [s for s in left if _has_gap(world, s, hits)] or left
        coverage_pct = 100.0 * float(np.mean(hits >= _FEW_HITS))
        _drive_step(world, max(wanting, key=lambda s: _plain(s, coverage_pct)))
        yield


def _has_gap(world: _World, step: Step, hits: np.typing.NDArray[np.float64]) -> bool:
    rpm, load = np.asarray(world.rpm.nodes), np.asarray(world.load.nodes)
    rows = (rpm >= step.rpm_range[0]) & (rpm <= step.rpm_range[1])
    columns = (load >= step.load_range[0]) & (load <= step.load_range[1])
    return bool((hits[np.ix_(rows, columns)] < _FEW_HITS).any())


def _plain(step: Step, coverage_pct: float) -> float:
    kind = KINDS[step.test_type]
    return efficiency(
        step.rpm_range, step.load_range, kind.multiplier, kind.minutes, coverage_pct, step.priority
    ).score


def _drive_step(world: _World, step: Step) -> None:
    pulls = max(1, counted_pulls(step))
    world.drive(programmes_of(step, world.profile), step.key, pulls, step)


STRATEGIES: dict[str, Callable[[_World], Iterator[None]]] = {
    "planner": _by_plan,
    "fixed": _by_habit,
    "efficiency": _by_efficiency,
}


def pulls_to_goal(vehicle: str, strategy: str, seed: int, most_pulls: int = MOST_PULLS) -> Trial:
    """Return what one strategy needed to know one vehicle's cells of priority 1."""
    world = _World(PROFILES[vehicle], seed)
    cells = goal_cells(world.knowledge, world.regions)
    drives = STRATEGIES[strategy](world)
    known, total = world.standing().coverage()
    while known < total and world.pulls < most_pulls:
        if next(drives, StopIteration) is StopIteration:
            break
        known, total = world.standing().coverage()
    error, held = world.truth(cells) if world.driven else (float("nan"), float("nan"))
    return Trial(
        vehicle,
        strategy,
        seed,
        known >= total,
        world.pulls,
        world.rig.time_s / 60.0,
        total,
        total - known,
        error,
        held,
    )


def compare(
    seeds: Iterable[int], vehicles: Iterable[str] = VEHICLES, most_pulls: int = MOST_PULLS
) -> list[Comparison]:
    """Return a row per vehicle and strategy over *seeds*."""
    seeds = list(seeds)
    return [
        _row([pulls_to_goal(vehicle, strategy, seed, most_pulls) for seed in seeds])
        for vehicle in vehicles
        for strategy in STRATEGIES
    ]


def _row(trials: list[Trial]) -> Comparison:
    return Comparison(
        trials[0].vehicle,
        trials[0].strategy,
        len(trials),
        sum(trial.reached for trial in trials),
        median(trial.pulls for trial in trials),
        mean(trial.pulls for trial in trials),
        median(trial.minutes for trial in trials),
        mean(trial.held_pct for trial in trials),
    )
