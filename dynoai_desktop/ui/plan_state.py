"""What the composition root tells the window about planning: small frozen values.

Temperatures are °C, intervals a share of fuel, grids ``[rpm][load]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel, Cylinder

if TYPE_CHECKING:  # the planner's arrays are not needed before there is a plan
    from dynoai_desktop.core.planning.limits import PlanningLimits
    from dynoai_desktop.core.planning.steps import Plan

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]

BACK_WITHIN_C = 1.0  # of where the last pull began counts as back there


class Verdict(StrEnum):
    """What the tuner says about a proposed test."""

    DONE = "done"
    SKIPPED = "skipped"
    NOT_POSSIBLE = "not_possible"


@dataclass(frozen=True, slots=True)
class StepWish:
    """One word of the tuner about one step; *reason* goes with skipped."""

    step: str  # key of a Step
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HeatLine:
    """One temperature since the last pull."""

    channel: Channel
    began_c: float  # when that pull began
    hottest_c: float  # since then
    now_c: float | None  # None: it has fallen silent

    @property
    def is_back(self) -> bool:
        """Return whether it is where the pull began."""
        return self.now_c is not None and self.now_c <= self.began_c + BACK_WITHIN_C

    @property
    def share(self) -> float:
        """Return how much of its rise has gone, 0 to 1; NaN while it is not heard.

        >>> HeatLine(Channel.IAT, began_c=30.0, hottest_c=50.0, now_c=35.0).share
        0.75
        """
        if self.now_c is None:
            return float("nan")
        rise = self.hottest_c - self.began_c
        if self.is_back or rise <= 0.0:
            return 1.0
        return min(max((self.hottest_c - self.now_c) / rise, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Cooling:
    """How far the engine is on its way back to where the last pull began."""

    number: int  # of that pull
    driving: bool  # it is still going on
    since_s: float  # its end
    usual_s: float  # how long cooling usually takes
    lines: tuple[HeatLine, ...] = ()  # temperatures known; none: it goes by time
    settled: bool = False  # it stays above where the pull began and falls no further

    @property
    def heard(self) -> tuple[HeatLine, ...]:
        """Return the temperatures that are still heard."""
        return tuple(line for line in self.lines if line.now_c is not None)

    @property
    def by_time(self) -> bool:
        """Return whether no temperature tells and only the clock does."""
        return not self.heard

    @property
    def share(self) -> float:
        """Return how far it has come, 0 to 1: the slowest temperature, else the time."""
        if self.driving:
            return 0.0
        if self.by_time:
            return min(self.since_s / self.usual_s, 1.0) if self.usual_s > 0.0 else 1.0
        return 1.0 if self.settled else min(line.share for line in self.heard)

    @property
    def is_ready(self) -> bool:
        """Return whether the next pull may begin."""
        return self.share >= 1.0


@dataclass(frozen=True, slots=True, eq=False)
class GoalCells:
    """The cells that matter, and how well each is known."""

    rpm: Axis
    load: Axis
    priority: I8  # 1 first; 0: no goal of the plan
    half_interval: Mapping[Cylinder, F64]  # half of the 95 % interval; NaN: nothing was driven
    wanted: float  # half an interval that is small enough

    def worst(self, cylinder: Cylinder | None = None) -> F64:
        """Return the half intervals of one cylinder, or the wider of all."""
        if cylinder is not None and cylinder in self.half_interval:
            return self.half_interval[cylinder]
        grids = list(self.half_interval.values())
        if not grids:
            return np.full((len(self.rpm), len(self.load)), np.nan)
        worst: F64 = np.max(grids, axis=0)  # NaN wins: one cylinder unknown is a cell unknown
        return worst


@dataclass(frozen=True, slots=True)
class StrategyRow:
    """What one way of going on comes to within the pulls that are left."""

    title: str
    probability: float  # of the goal
    minutes: float  # until then, or until the pulls are used up
    worst_minutes: float  # one session in ten takes longer
    coverage_pct: float  # of the goal, when it ends
    is_planned: bool = False  # the order that the list shows


@dataclass(frozen=True, slots=True)
class OutlookState:
    """What the rest of the session may bring."""

    strategies: tuple[StrategyRow, ...]
    pulls_left: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class TrackRow:
    """How well one kind of test was predicted; percentage points of the goal, means."""

    title: str
    promised_pct: float
    brought_pct: float
    inside: float  # share of runs within the interval given
    count: int


@dataclass(frozen=True, slots=True)
class PlanState:
    """Everything the plan page shows. Two are equal when they hold the very same plan."""

    vehicle: str = ""  # "" while none is chosen
    simulated: bool = False
    thinking: bool = False
    plan: Plan | None = None
    cells: GoalCells | None = None
    outlook: OutlookState | None = None
    track: tuple[TrackRow, ...] = ()
    limits: PlanningLimits | None = None  # None: no vehicle, or its limits cannot be read
    answers: tuple[StepWish, ...] = ()  # of this sitting, the latest last
    runs: int = 0  # that the plan has learned from
    notes: tuple[str, ...] = ()  # how they were counted, in sentences
    can_restore: bool = False  # what was forgotten can be brought back
    cooling: Cooling | None = None  # None: no pull yet
    way: str = ""  # what it would take to reach the goal, in a sentence
    assumed: bool = False  # nothing was driven yet: the tests go by what is usual
    message: str = ""  # one sentence: what became of the last wish, or what is wrong
    failed: bool = False

    def with_cooling(self, cooling: Cooling | None) -> PlanState:
        """Return the same plan at another temperature."""
        return replace(self, cooling=cooling)
