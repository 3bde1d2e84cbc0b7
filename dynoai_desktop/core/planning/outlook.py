"""What a session will come to: 10,000 sessions of every strategy, driven in thought.

Each rollout draws what the planner cannot know: how much every pull tells against what was
predicted, how long it takes, how fast the engine cools, whether it fails. A pull that fails is
driven again, as anyone would, and costs its minutes and one of the pulls that are left.

*Heat.* Every pull leaves one unit of heat, which decays while the engine cools: to a tenth in the
cooling time of the vehicle, as that was drawn. What is left when the next pull begins spoils it:
a share of its samples is refused as soaked, and beyond two units the pull is broken off.

*Gain.* The orders are fixed, so what every pull adds to the precision (one over the variance) of
every cell is worked out once from the covariance, in the order of the strategy, and a rollout adds
up shares of it. A pull that tells half of what was predicted brings a cell more than half of the
way, because its neighbours hold it too: how much more is worked out once for each pull. That is
exact where every pull tells what was predicted; else it takes what a pull tells for independent of
how well those before it went. Against sessions worked out in full, coverage comes out within about
a point and the chance of the goal up to a quarter too low: the side to err on. A real session is
planned anew after each pull besides, so its chances are rather better than said here.

*Cells.* A cell that needs less of every pull than another cannot be the last one home, so only the
others are followed. That is exact, and leaves a handful of some hundred.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.planning.candidates import KINDS, counted_pulls
from dynoai_desktop.core.planning.knowledge import Z95, Knowledge
from dynoai_desktop.core.planning.limits import PlanningLimits
from dynoai_desktop.core.planning.planner import FAILED_SHARE, Facts, Tests, make_plan
from dynoai_desktop.core.planning.regions import PlacedRegion
from dynoai_desktop.core.planning.score import efficiency
from dynoai_desktop.core.planning.standing import Standing, goal_of
from dynoai_desktop.core.planning.steps import Plan, Step, TestType
from dynoai_desktop.core.planning.ways import Ratio, Ways

ROLLOUTS = 10_000
_SPOILT = 0.4  # of the samples by every unit of heat left
_BROKEN_OFF = 2.0  # units of heat
_COOL = 0.1  # of the heat of a pull is left after the cooling time
_FIXED_SWEEPS = (100.0, 20.0, 33.0, 46.0, 70.0, 14.0, 24.0, 55.0)  # throttles, in this order
_HOME = 1.0 - 1e-5  # of the precision a cell is short of, to rounding
_MOST_PULLS = 30  # followed; more would not be driven in a day


@dataclass(frozen=True, slots=True)
class Strategy:
    """A row of the table: an order of tests, and how patiently the engine is left to cool."""

    key: str
    title: str
    order: Callable[[Session], tuple[int, ...]]
    patience: float = 1.0  # times the cooling time


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a strategy comes to within the pulls that are left."""

    key: str
    title: str
    probability: float  # that every cell of priority 1 is within the goal
    expected_minutes: float  # until then, or until the pulls are used up
    worst_tenth_minutes: float  # one session in ten takes longer
    expected_pulls: float
    expected_coverage_pct: float  # when it ends


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """What strategies choose from."""

    standing: Standing
    tests: Tests
    plan: Plan
    allowed: tuple[int, ...]
    pulls: int

    def of_kind(self, *kinds: TestType) -> tuple[int, ...]:
        """Return the allowed tests of some kinds, in the order of the table."""
        return tuple(i for i in self.allowed if self.tests.steps[i].test_type in kinds)


def session_outlook(
    knowledge: Knowledge,
    ways: Ways,
    limits: PlanningLimits,
    regions: tuple[PlacedRegion, ...],
    rng: np.random.Generator,
    facts: Facts | None = None,
    *,
    tests: Tests | None = None,
    plan: Plan | None = None,
    rollouts: int = ROLLOUTS,
) -> tuple[Outlook, ...]:
    """Return what every strategy comes to within the pulls that are left, planner first.

    *plan* is the present plan where it is at hand. The same generator gives the same outlook.
    """
    facts = facts or Facts()
    tests = tests or Tests.of(knowledge, ways, limits)
    plan = plan or make_plan(knowledge, ways, limits, regions, facts, tests=tests)
    allowed = tuple(i for i, step in enumerate(tests.steps) if facts.allows(step))
    pulls = min(_MOST_PULLS, max(0, limits.max_pulls_per_session - facts.pulls_driven))
    standing = Standing.of(knowledge, goal_of(knowledge, regions, up_to=1), tests.touched)
    session = Session(standing, tests, plan, allowed, pulls)
    return tuple(_outlook(row, session, rng, rollouts) for row in STRATEGIES)


def _outlook(
    strategy: Strategy, session: Session, rng: np.random.Generator, rollouts: int
) -> Outlook:
    order = strategy.order(session)
    done_before, total = session.standing.coverage()
    if not order or session.pulls == 0 or done_before == total:
        share = 100.0 * done_before / total if total else 100.0
        home = float(done_before == total)
        return Outlook(strategy.key, strategy.title, home, 0.0, 0.0, 0.0, share)
    route = _route(order, session)
    drawn = _draw(route, session, strategy.patience, rng, rollouts)
    reached, minutes, pulls = _drive(route, drawn, session.pulls)
    return Outlook(
        strategy.key,
        strategy.title,
        float(reached.mean()),
        float(minutes.mean()),
        float(np.quantile(minutes, 0.9)),
        float(pulls.mean()),
        _coverage_pct(route, drawn, pulls, done_before, total),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Route:
    """A strategy's tests one after the other, as often as there are pulls."""

    steps: tuple[Step, ...]
    share: F64  # (K, cells) of the precision a cell is short of, added by each test
    eases: F64  # (K,) c in g (1 + c) / (g + c), the share that a gain g leaves of it
    last_home: NDArray[np.intp]  # cells of which the last one home must be one


def _route(order: tuple[int, ...], session: Session) -> _Route:
    """Return the order, gone through again from its start until the pulls are used up."""
    tests, standing = session.tests, session.standing
    wanted = (standing.goal.half_interval / Z95) ** 2 - standing.least_variance
    first = standing.first
    before = _precision(standing.variances(), first)
    short = 1.0 / wanted - before
    open_cells = np.flatnonzero(short > 0.0)
    steps: list[Step] = []
    gains: list[F64] = []
    eases: list[float] = []
    used = place = 0
    while used < session.pulls and place < 4 * session.pulls:
        index = order[place % len(order)]
        step = tests.steps[index]
        place += 1
        told = tests.told[index]
        half = _precision(standing.variances_after(told.times(0.5)), first)
        standing = standing.after(told, step.movements)
        now = _precision(standing.variances(), first)
        gain = (now - before)[open_cells] / short[open_cells]
        steps.append(step)
        gains.append(gain)
        eases.append(_eases((half - before)[open_cells] / short[open_cells], gain))
        before = now
        used += counted_pulls(step)
    share = np.array(gains)
    return _Route(tuple(steps), share, np.array(eases), _last_home(share))


def _precision(variances: tuple[F64, ...], first: NDArray[np.bool_]) -> F64:
    return 1.0 / np.concatenate([v[first] for v in variances])


def _eases(half: F64, whole: F64) -> float:
    """Return c such that g (1 + c) / (g + c) is what half a pull leaves of a whole one.

    Half of it where cells are measured each for itself (c large), more where they hold each other:

    >>> round(_eases(np.array([0.75]), np.array([1.0])), 3)
    0.5
    """
    counts = np.minimum(whole, 1.0)  # beyond the goal nothing is gained
    total = float(counts.sum())
    left = float((half / np.maximum(whole, 1e-12) * counts).sum()) / total if total > 0.0 else 0.5
    left = min(max(left, 0.5 + 1e-6), 1.0 - 1e-6)
    return 0.5 * (1.0 - left) / (left - 0.5)


def _last_home(share: F64) -> NDArray[np.intp]:
    """Return the cells that no other cell needs at least as much of everything as.

    Columns of *share* (K, cells): a cell whose every share is at least that of another is home
    whenever the other is.
    """
    _, once = np.unique(np.round(share, 9), axis=1, return_index=True)
    columns = share[:, once].T
    kept = [
        i
        for i, mine in enumerate(columns)
        if not np.any(np.all(mine >= columns, axis=1) & (np.arange(len(columns)) != i))
    ]
    return np.sort(once[kept])


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """What chance made of a route, (rollouts, drives): one drive after the other."""

    test: NDArray[np.intp]  # which of the route's tests is driven
    gain: F64  # of what was predicted; 0 for a pull that failed
    minutes: F64
    counted: NDArray[np.intp]  # pulls of the allowance used


def _draw(
    route: _Route, session: Session, patience: float, rng: np.random.Generator, rollouts: int
) -> _Drawn:
    ways, drives = session.tests.ways, len(route.steps)
    told = [ways.gain.get(step.test_type, Ratio()) for step in route.steps]
    spent = [ways.minutes.get(step.test_type, Ratio()) for step in route.steps]
    drive_s = np.array([step.drive_s for step in route.steps])
    wait_s = patience * np.array([step.cooling_s for step in route.steps])
    heat_made = np.array([KINDS[step.test_type].cooling_share for step in route.steps])
    counts = np.array([counted_pulls(step) for step in route.steps])
    cools_s = np.maximum(_scattered(ways.cooling_s, rng, rollouts), 1.0)
    test = np.zeros((rollouts, drives), dtype=np.intp)
    gain, minutes = np.zeros((rollouts, drives)), np.zeros((rollouts, drives))
    counted = np.zeros((rollouts, drives), dtype=np.intp)
    at = np.zeros(rollouts, dtype=np.intp)
    heat = np.zeros(rollouts)
    # What is predicted already holds the mean ratio, so only the scatter around it is drawn.
    scatter = np.array([r.sd / max(r.mean, 0.1) for r in told])
    slower = np.array([r.sd / max(r.mean, 0.1) for r in spent])
    for drive in range(drives):
        fails = (rng.random(rollouts) < FAILED_SHARE) | (heat > _BROKEN_OFF)
        tells = _spread(scatter[at], rng) * np.clip(1.0 - _SPOILT * heat, 0.0, 1.0)
        test[:, drive] = at
        eases = route.eases[at]
        gain[:, drive] = np.where(fails, 0.0, tells * (1.0 + eases) / (tells + eases))
        takes = drive_s[at] * _spread(slower[at], rng)
        minutes[:, drive] = (takes + wait_s[at]) / 60.0
        counted[:, drive] = counts[at]
        heat = (heat + heat_made[at]) * _COOL ** (wait_s[at] / cools_s)
        at = np.minimum(at + ~fails, drives - 1)
    return _Drawn(test, gain, minutes, counted)


def _scattered(ratio: Ratio, rng: np.random.Generator, count: int) -> F64:
    return ratio.mean * _spread(np.full(count, ratio.sd / max(ratio.mean, 1e-9)), rng)


def _spread(relative_sd: F64, rng: np.random.Generator) -> F64:
    """Return factors of mean 1 with these standard deviations: lognormal, so never below 0."""
    sigma = np.sqrt(np.log1p(relative_sd**2))
    factor: F64 = np.exp(sigma * rng.standard_normal(relative_sd.shape) - sigma**2 / 2.0)
    return factor


def _drive(
    route: _Route, drawn: _Drawn, most_pulls: int
) -> tuple[NDArray[np.bool_], F64, NDArray[np.intp]]:
    """Return whether each rollout reaches the goal, and its minutes and pulls until it ends."""
    # Cells first, rollouts last: every operation runs along memory.
    share = np.ascontiguousarray(route.share[:, route.last_home].T, dtype=np.float32)
    test, gain = drawn.test.T, drawn.gain.T.astype(np.float32)
    have = np.zeros((len(share), test.shape[1]), dtype=np.float32)
    reached = np.zeros(test.shape[1], dtype=bool)
    minutes, pulls = np.zeros(test.shape[1]), np.zeros(test.shape[1], dtype=np.intp)
    going = np.ones(test.shape[1], dtype=bool)
    for drive in range(len(test)):
        going &= ~reached & (pulls + drawn.counted[:, drive] <= most_pulls)
        minutes += np.where(going, drawn.minutes[:, drive], 0.0)
        pulls += np.where(going, drawn.counted[:, drive], 0)
        have += np.where(going, gain[drive], np.float32(0.0)) * share[:, test[drive]]
        reached |= have.min(axis=0) >= _HOME
    return reached, minutes, pulls


def _coverage_pct(
    route: _Route, drawn: _Drawn, pulls: NDArray[np.intp], done_before: int, total: int
) -> float:
    """Return the mean share of cells within the goal once a rollout has ended, percent."""
    used = np.cumsum(drawn.counted, axis=1) <= pulls[:, None]
    weight = np.zeros((len(drawn.test), len(route.steps)))
    rows = np.arange(len(weight))
    for drive in range(drawn.test.shape[1]):
        weight[rows, drawn.test[:, drive]] += drawn.gain[:, drive] * used[:, drive]
    home = weight.astype(np.float32) @ route.share.astype(np.float32) >= _HOME
    return 100.0 * (done_before + float(home.sum(axis=1).mean())) / total


# The orders.


def _planned(session: Session) -> tuple[int, ...]:
    place = {step.key: i for i, step in enumerate(session.tests.steps)}
    return tuple(place[step.key] for step in session.plan.steps for _ in range(step.pulls))


def _by_efficiency(session: Session) -> tuple[int, ...]:
    """Rank by the plain formula, as if nothing else were known."""
    coverage_pct = session.standing.coverage_pct()

    def rank(index: int) -> tuple[float, int]:
        step = session.tests.steps[index]
        kind = KINDS[step.test_type]
        plain = efficiency(
            step.rpm_range, step.load_range, kind.multiplier, kind.minutes, coverage_pct, 2
        )
        return -plain.score, index

    return tuple(
        sorted(session.of_kind(*(t for t in TestType if t is not TestType.SOAK)), key=rank)
    )


def _wide_open(session: Session) -> tuple[int, ...]:
    return session.of_kind(TestType.WOT_PULL)[:1]


def _fixed_sweeps(session: Session) -> tuple[int, ...]:
    """Go through a fixed list of throttles, each over the whole range."""
    found: list[int] = []
    for tps in _FIXED_SWEEPS:
        same = [
            i
            for i in session.of_kind(TestType.WOT_PULL, TestType.PART_THROTTLE, TestType.STREET)
            if math.isclose(session.tests.steps[i].tps_pct or 0.0, tps)
        ]
        found += same[:1]
    return tuple(found)


STRATEGIES: tuple[Strategy, ...] = (
    Strategy("planner", "As planned", _planned),
    Strategy("efficiency", "By plain efficiency", _by_efficiency),
    Strategy("habit", "Full throttle only", _wide_open),
    Strategy("sweeps", "A fixed round of sweeps", _fixed_sweeps),
    Strategy("cool", "As planned, twice the cooling", _planned, 2.0),
)
