"""How far a table is from what shall be known of it, and what a test is worth on the way.

The aim is every cell's 95 % interval within a goal, in few pulls. So what counts of a cell is only
what it is short of the goal: one for not being there, and a little for every halving of its
interval that is still to go,

    short = weight · (1 + 0.14 · log2(interval / goal))   outside the goal, 0 within

and the worth of a test is by how much the sum over cells and cylinders falls. The sum never rises
with data and is zero when all is known. It is a covering problem: counting the cells a test brings
home needs half the pulls of taking variance away wherever most of it is (25 against 11 on a hard
table), because variance is largest where it is hardest to bring home. The price: a test can become
worth more once another has prepared the ground, so returns need not fall, as they do for the
halvings of one test repeated, and the bound of greedy covering (Wolsey, 1982) is a guide here and
no proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.planning.knowledge import Z95, Knowledge
from dynoai_desktop.core.planning.regions import PlacedRegion, weights
from dynoai_desktop.core.planning.score import PathInformation, covariance_after, variance_fall
from dynoai_desktop.core.planning.steps import Movement

_A_HALVING = 0.14  # of an interval on the way to the goal, against reaching it
_SHARE = {1: 1.0, 2: 0.1, 3: 0.03}  # of the weight, by priority: what is urgent comes first
_EVENTS_CELLS = 4.0  # all events of a region count as so many of its cells


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """What shall be known of a table, ``[rpm][load]``: how well, where, and how urgently."""

    weight: F64  # usage × risk of a node; 0: nobody asks
    priority: NDArray[np.intp]  # 1 first; 0: nobody asks
    half_interval: float = 0.03  # of fuel, half of the 95 % interval
    events: tuple[PlacedRegion, ...] = ()  # regions in which movements are counted


def goal_of(knowledge: Knowledge, regions: Sequence[PlacedRegion], up_to: int = 3) -> Goal:
    """Return the goal the regions up to a priority make on a table."""
    asked = [placed for placed in regions if placed.region.priority <= up_to]
    priority = np.zeros((len(knowledge.rpm), len(knowledge.load)), dtype=np.intp)
    for placed in sorted(asked, key=lambda p: -p.region.priority):
        priority[placed.cells(knowledge.rpm, knowledge.load)] = placed.region.priority
    events = tuple(placed for placed in asked if placed.region.events_wanted > 0)
    return Goal(weights(knowledge, asked), priority, events=events)


def events_short(wanted: int, seen: int) -> float:
    """Return what is still missing of a region's events, 1 to 0: the first tells most.

    >>> [round(events_short(4, n), 2) for n in range(6)]
    [1.0, 0.6, 0.3, 0.1, 0.0, 0.0]
    """
    left = max(0, wanted - seen)
    return left * (left + 1) / (wanted * (wanted + 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """The rows that are short of the goal in any table."""

    at: NDArray[np.intp]  # (rows,) their places among the nodes followed
    columns: F64  # (T, K, rows) covariances of all nodes with them
    variance: F64  # (T, rows)
    weight: F64  # (T, rows), times the cylinders that share the table
    short: float  # of the goal, all together


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What is known now, and how far that is from the goal.

    Cylinders with the same information share a table: *table_of* says whose is which.
    """

    goal: Goal
    cylinders: tuple[Cylinder, ...]
    tables: F64  # (T, K, K) covariances over the nodes followed
    table_of: tuple[int, ...]  # one a cylinder
    events: Mapping[str, int]
    least_variance: float  # what the wideband cannot know, added to every node
    nodes: NDArray[np.intp]  # (K,) flat numbers of the nodes followed, rising
    rows: NDArray[np.intp] = field(init=False)  # flat numbers of the nodes asked for
    weight: F64 = field(init=False)  # of these, urgency counted in
    priority: NDArray[np.intp] = field(init=False)  # of these
    _at: NDArray[np.intp] = field(init=False, repr=False)  # their places among those followed
    _open: _Open = field(init=False, repr=False)  # what is worth anything still

    def __post_init__(self) -> None:
        """Find the nodes asked for, and those of them that are short of the goal."""
        priority, weight = self.goal.priority.ravel(), self.goal.weight.ravel()
        rows = np.flatnonzero((priority > 0) & (weight > 0.0))
        share = np.array([_SHARE.get(p, 0.0) for p in priority[rows].tolist()])
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "weight", weight[rows] * share)
        object.__setattr__(self, "priority", priority[rows])
        object.__setattr__(self, "_at", np.searchsorted(self.nodes, rows))
        object.__setattr__(self, "_open", self._find_open())

    def _find_open(self) -> _Open:
        """Return the rows short of the goal, worked out once for all tests that are weighed."""
        cylinders = np.bincount(self.table_of, minlength=len(self.tables))
        variance = self.tables[:, self._at, self._at]
        short = self.short(variance)
        rows = np.flatnonzero(short.any(axis=0))
        return _Open(
            self._at[rows],
            np.ascontiguousarray(self.tables[:, :, self._at[rows]]),
            variance[:, rows],
            cylinders[:, None] * self.weight[rows],
            float(cylinders @ short.sum(axis=1)),
        )

    @property
    def first(self) -> NDArray[np.bool_]:
        """Return which rows are the goal proper, priority 1."""
        return np.equal(self.priority, 1)

    @classmethod
    def of(cls, knowledge: Knowledge, goal: Goal, also: NDArray[np.intp] | None = None) -> Standing:
        """Return the standing; cylinders with the same information share one covariance.

        Followed are the nodes asked for and those in *also*; without it all of the table. A path
        may touch no other node.
        """
        cylinders = tuple(sorted(knowledge.information))
        told = [knowledge.information[cylinder] for cylinder in cylinders]
        prior = knowledge.prior_precision()
        nodes = np.arange(len(prior))
        if also is not None:
            asked = (goal.priority.ravel() > 0) & (goal.weight.ravel() > 0.0)
            nodes = np.union1d(np.flatnonzero(asked), also)
        found: list[F64] = []
        table_of: list[int] = []
        for i, mine in enumerate(told):
            twin = next((j for j in range(i) if np.array_equal(told[j], mine)), None)
            table_of.append(len(found) if twin is None else table_of[twin])
            if twin is None:
                found.append(_inverse(prior + mine, nodes))
        return cls(
            goal,
            cylinders,
            np.stack(found),
            tuple(table_of),
            dict(knowledge.events),
            knowledge.belief.least_se**2,
            nodes,
        )

    def variances(self) -> tuple[F64, ...]:
        """Return the variance of every node asked for, (rows,) a cylinder."""
        variance = self.tables[:, self._at, self._at]
        return tuple(variance[table] for table in self.table_of)

    def short(self, variance: F64) -> F64:
        """Return how far every row is short of the goal, weighted; 0 within it."""
        return self.weight * self._far(variance)

    def _far(self, variance: F64) -> F64:
        """Return 0 within the goal, outside it 1 and a little for every halving to go."""
        wanted = (self.goal.half_interval / Z95) ** 2
        over = np.maximum((variance + self.least_variance) / wanted, 1.0)
        far: F64 = (over > 1.0) + 0.5 * _A_HALVING * np.log2(over)
        return far

    def covered(self, variance: F64) -> NDArray[np.bool_]:
        """Return which rows are within the goal."""
        half = Z95 * np.sqrt(np.maximum(variance, 0.0) + self.least_variance)
        return half <= self.goal.half_interval

    def coverage(self, variances: tuple[F64, ...] | None = None) -> tuple[int, int]:
        """Return how many cells of priority 1 are within the goal, and how many there are.

        Every cylinder counts its own. *variances* are those to ask for instead of the present.
        """
        variances = self.variances() if variances is None else variances
        known = sum(int(self.covered(v)[self.first].sum()) for v in variances)
        return known, int(self.first.sum()) * len(self.cylinders)

    def coverage_pct(self, variances: tuple[F64, ...] | None = None) -> float:
        """Return the share of priority 1 that is within the goal, percent."""
        known, total = self.coverage(variances)
        return 100.0 * known / total if total else 100.0

    def is_saturated(self) -> bool:
        """Return whether everything asked for is known and every event was seen."""
        return all(self.covered(v).all() for v in self.variances()) and all(
            self.events.get(p.key, 0) >= p.region.events_wanted for p in self.goal.events
        )

    def priority_of(self, after: Standing) -> int:
        """Return the priority that gains most on the way to *after*, events counted; 3 for none."""
        gained = dict.fromkeys(_SHARE, 0.0)
        for before, then in zip(self.variances(), after.variances(), strict=True):
            fall = self.short(before) - self.short(then)
            for priority in gained:
                gained[priority] += float(fall[self.priority == priority].sum())
        for placed in self.goal.events:
            seen, then_seen = self.events.get(placed.key, 0), after.events.get(placed.key, 0)
            gained[placed.region.priority] += self.event_worth(placed, seen, then_seen)
        best = max(gained, key=lambda p: (gained[p], -p))
        return best if gained[best] > 0.0 else max(gained)

    def worth(self, told: PathInformation, movements: Sequence[Movement] = ()) -> float:
        """Return by how much less short of the goal the table is once a test has been driven."""
        events = self.events_worth(movements)
        if not told.factor.size or not self._open.at.size:
            return events
        told = told.renumbered(self.nodes)
        fall = variance_fall(self.tables, told, self._open.at, self._open.columns)
        left = float(np.sum(self._open.weight * self._far(self._open.variance - fall)))
        return max(0.0, self._open.short - left) + events

    def variances_after(self, told: PathInformation) -> tuple[F64, ...]:
        """Return the variances, (rows,) a cylinder, once a test has been driven."""
        fall = variance_fall(self.tables, told.renumbered(self.nodes), self._at)
        variance = self.tables[:, self._at, self._at] - fall
        return tuple(variance[table] for table in self.table_of)

    def events_worth(self, movements: Sequence[Movement]) -> float:
        """Return what sudden movements are worth: a region's weight until it has its events."""
        total = 0.0
        for placed in self.goal.events if movements else ():
            seen = self.events.get(placed.key, 0)
            total += self.event_worth(placed, seen, seen + _counted(placed, movements))
        return total

    @staticmethod
    def event_worth(placed: PlacedRegion, seen: int, then: int) -> float:
        """Return what it is worth that a region has *then* events after *seen*."""
        region = placed.region
        fall = events_short(region.events_wanted, seen) - events_short(region.events_wanted, then)
        return _SHARE.get(region.priority, 0.0) * _EVENTS_CELLS * region.weight * fall

    def after(self, told: PathInformation, movements: Sequence[Movement] = ()) -> Standing:
        """Return the standing once a test has been driven."""
        counted = dict(self.events)
        for placed in self.goal.events:
            counted[placed.key] = counted.get(placed.key, 0) + _counted(placed, movements)
        return Standing(
            self.goal,
            self.cylinders,
            covariance_after(self.tables, told.renumbered(self.nodes)),
            self.table_of,
            counted,
            self.least_variance,
            self.nodes,
        )


def _counted(placed: PlacedRegion, movements: Sequence[Movement]) -> int:
    kind = placed.region.transient
    return sum(m.kind is kind and placed.holds(m.rpm, m.load) for m in movements)


def _inverse(precision: F64, nodes: NDArray[np.intp]) -> F64:
    """Return the covariance (K, K) of some nodes under a precision (N, N) of all.

    The others are averaged out first (Schur complement): half the work of inverting everything.
    """
    rest = np.setdiff1d(np.arange(len(precision)), nodes)
    mine: F64 = precision[nodes[:, None], nodes]
    if rest.size:
        across = precision[rest[:, None], nodes]
        mine = mine - across.T @ np.linalg.solve(precision[rest[:, None], rest], across)
    inverse = np.linalg.inv(mine)
    symmetric: F64 = (inverse + inverse.T) / 2.0
    return symmetric
