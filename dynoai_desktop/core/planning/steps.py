"""What a plan is made of: predicted paths, steps, and the plan as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.planning.regions import Transient


class TestType(StrEnum):
    """Kinds of tests; each has a row in the table of candidates."""

    __test__ = False  # not a test of pytest

    WOT_PULL = "wot_pull"
    PART_THROTTLE = "part_throttle_sweep"
    HOLD_CLIMB = "hold_climb"  # hold rpm, climb load; needs a load brake
    ROLL_ON = "roll_on"
    LIFT_OFF = "lift_off"
    IDLE = "idle_hold"
    SOAK = "soak"
    STREET = "street"


@dataclass(frozen=True, slots=True, eq=False)
class SamplePath:
    """Where the engine is predicted to be, (n,) each at 20 Hz; samples that count only."""

    time_s: F64
    rpm: F64
    load: F64  # kPa or percent, by the load axis


@dataclass(frozen=True, slots=True)
class Movement:
    """A sudden movement of the throttle, counted as an event of the regions it crosses."""

    kind: Transient
    rpm: float
    load: tuple[float, float]  # kPa or percent, before and after


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a step, in words with its number."""

    text: str
    weight: float  # share of the step's worth, 0 to 1


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One test to drive, as predicted."""

    key: str  # stable: the same test has the same key in every plan
    name: str
    goal: str
    test_type: TestType
    rpm_range: tuple[float, float]
    load_range: tuple[float, float]
    gear: int | None
    tps_pct: float | None  # throttle to hold; None where load is the target
    path: SamplePath
    pulls: int
    drive_s: float
    cooling_s: float
    priority: int  # 1 first
    expected_coverage_gain: float  # percentage points of the goal's cells
    expected_coverage_doubt: float  # one standard deviation of that
    efficiency_score: float  # the plain formula, 0 to 1
    worth_per_minute: float  # what steps are ranked by: see `score`
    required_channels: tuple[Channel, ...] = ()
    constraints: tuple[str, ...] = ()  # limits that clipped it, in words
    success_criteria: tuple[str, ...] = ()
    risk: str = ""
    abort: tuple[str, ...] = ()  # when to close the throttle
    evidence: tuple[Evidence, ...] = ()
    movements: tuple[Movement, ...] = ()  # of one pull
    on_street: bool = False
    tps_range: tuple[float, float] = (0.0, 100.0)  # throttle on the way, first and last

    @property
    def minutes(self) -> float:
        """Return how long the step takes with its cooling."""
        return self.pulls * (self.drive_s + self.cooling_s) / 60.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A region that is not known well enough yet."""

    key: str
    region_type: str
    impact: str
    rpm_range: tuple[float, float]
    load_range: tuple[float, float]
    open_cells: int
    total_cells: int
    coverage_pct: float
    events_wanted: int  # transients still to be driven; 0 for steady regions
    description: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A test that the limits rule out, which limit does, and the smallest change that helps."""

    test_type: TestType
    limit: str  # field of PlanningLimits
    reason: str
    smallest_change: str
    change: float = 0.0  # how large it is against the limit; the smallest is named first


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What to drive next, in order, and why; *message* speaks where there is nothing to drive."""

    steps: tuple[Step, ...]
    gaps: tuple[Gap, ...]
    coverage_pct: float  # of the goal's cells, all cylinders
    cells_open: int
    cells_total: int
    message: str = ""
    excluded: tuple[Excluded, ...] = ()
    reach: Mapping[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    """Which tests reach a cell (r, l), by key: those of the plan first, then others."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of all tests, planned or not, by key."""


@dataclass(frozen=True, slots=True)
class WayToGoal:
    """What it would take to know every cell of priority 1."""

    pulls: int
    minutes: float  # cooling counted
    coverage_pct: float  # then; below 100 where no test reaches the rest
    tests: tuple[str, ...]  # names, in order
