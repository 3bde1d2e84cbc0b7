"""A plan for a V-twin at half of its goal, as the window shows it; every value is written down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynoai_desktop.core.axis import default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.limits import PlanningLimits
from dynoai_desktop.core.planning.steps import (
    Evidence,
    Excluded,
    Gap,
    Plan,
    SamplePath,
    Step,
    TestType,
)
from dynoai_desktop.ui.plan_state import (
    Cooling,
    GoalCells,
    HeatLine,
    OutlookState,
    PlanState,
    StrategyRow,
    TrackRow,
)

RPM, LOAD = default_rpm_axis(), default_map_axis()
PULL, SWEEP, ROLL_ON, IDLE = "wot_4", "part_4_40", "roll_on_4", "idle"


def step(key: str, name: str, kind: TestType, **more: object) -> Step:
    """Return a test that is like a full pull where *more* does not say otherwise."""
    at = np.linspace(0.0, 7.0, 140)
    values: dict[str, object] = {
        "goal": "Cover the midrange at high load, where the engine works hardest.",
        "rpm_range": (2000.0, 5600.0),
        "load_range": (92.0, 98.0),
        "gear": 4,
        "tps_pct": 100.0,
        "path": SamplePath(at, 2000.0 + 514.0 * at, np.full(140, 96.0)),
        "pulls": 2,
        "drive_s": 23.0,
        "cooling_s": 45.0,
        "priority": 1,
        "expected_coverage_gain": 11.4,
        "expected_coverage_doubt": 3.2,
        "efficiency_score": 0.31,
        "worth_per_minute": 4.2,
        "risk": "Full throttle for 7 s: heat and knock show late in the pull.",
        "abort": ("knock is heard or shown", "lambda is above 0.95 in any cylinder",
                  "intake air is above 54 °C"),
        "evidence": (
            Evidence("9 of 16 midrange cells are not known to ±3 % yet.", 0.6),
            Evidence("Rear cylinder at 3 500 rpm is known to ±7 % only.", 0.3),
            Evidence("It brings 3.8 cells a minute, twice the next test.", 0.1),
        ),
    } | more  # fmt: skip
    return Step(key=key, name=name, test_type=kind, **values)  # type: ignore[arg-type]


STEPS = (
    step(PULL, "Full pull, 2,000 to 5,600 rpm in 4th", TestType.WOT_PULL),
    step(
        SWEEP, "Sweep at 40 % throttle", TestType.PART_THROTTLE, tps_pct=40.0, pulls=1,
        load_range=(55.0, 80.0), expected_coverage_gain=6.1, expected_coverage_doubt=2.0,
        efficiency_score=0.22, worth_per_minute=2.6,
    ),
    step(
        ROLL_ON, "Roll-ons from 2 500 rpm", TestType.ROLL_ON, tps_pct=60.0, priority=2,
        rpm_range=(2500.0, 3600.0), efficiency_score=0.12, expected_coverage_gain=3.0,
    ),
    step(
        IDLE, "Idle", TestType.IDLE, gear=None, tps_pct=None, priority=3, pulls=1,
        rpm_range=(900.0, 1000.0), load_range=(30.0, 38.0), efficiency_score=0.05,
        expected_coverage_gain=1.0, drive_s=180.0, cooling_s=0.0, risk="", abort=(), evidence=(),
        constraints=("starts at 1,000 rpm instead of 900 (min_rpm)",),
    ),
)  # fmt: skip

GAPS = (
    Gap("midrange", "high_map_midrange", "high", (2500, 4500), (80, 100), 5, 10, 50.0, 0,
        "Midrange at high load"),
    Gap("tip_in", "tip_in", "high", (2000, 4500), (50, 85), 8, 20, 60.0, 3, "Tip-in"),
    Gap("idle", "idle_low_map", "medium", (500, 1500), (20, 40), 2, 4, 50.0, 0, "Idle"),
)  # fmt: skip


def reach() -> dict[tuple[int, int], tuple[str, ...]]:
    """Return the cells that the pull and the sweep come through."""
    out = {(i, 7): (PULL,) for i in range(4, 11)}
    out |= {(i, j): (SWEEP,) for i in range(4, 10) for j in (3, 4, 5)}
    out[5, 7] = (PULL, ROLL_ON)
    return out


def plan(**more: object) -> Plan:
    """Return the plan of the V-twin."""
    names = {one.key: one.name for one in STEPS}
    usual = Plan(STEPS, GAPS, 54.0, 13, 28, reach=reach(), names=names)
    return replace(usual, **more)  # type: ignore[arg-type]


def cells() -> GoalCells:
    """Return the goal on the usual axes; the front is known better than the rear."""
    priority = np.zeros((len(RPM), len(LOAD)), dtype=np.int8)
    priority[1:3, 0:2] = 3
    priority[4:9, 3:6] = 2
    priority[5:9, 6:8] = 1
    rng = np.random.default_rng(3)
    front = np.where(priority > 0, rng.uniform(0.01, 0.06, priority.shape), np.nan)
    return GoalCells(
        RPM, LOAD, priority, {Cylinder.FRONT: front, Cylinder.REAR: 1.3 * front}, wanted=0.03
    )


OUTLOOK = OutlookState(
    (
        StrategyRow("As planned", 0.78, 14.0, 21.0, 98.0, is_planned=True),
        StrategyRow("By plain efficiency", 0.55, 19.0, 30.0, 92.0),
        StrategyRow("Full throttle only", 0.12, 31.0, 31.0, 71.0),
        StrategyRow("As planned, twice the cooling", 0.81, 22.0, 29.0, 98.0),
    ),
    pulls_left=5,
    note="10,000 sessions drawn with the scatter this vehicle has shown.",
)
TRACK = (
    TrackRow("Full-throttle pull", 11.4, 9.8, 0.83, 6),
    TrackRow("Sweep at part throttle", 6.1, 6.9, 1.0, 2),
)
COOLING = Cooling(
    7, False, 25.0, 45.0, (HeatLine(Channel.IAT, 31.0, 44.0, 38.0),
                           HeatLine(Channel.ECT, 88.0, 97.0, 90.0)),
)  # fmt: skip

NOTHING_LEFT = "Every cell of the goal is known to ±3 %: another pull would not narrow any of them."
EXCLUDED = (
    Excluded(
        TestType.WOT_PULL, "max_rpm",
        "max_rpm 2,200 rpm leaves too little of 2,000-5,600 rpm for a wot pull.",
        "Raise max_rpm to 2,800 rpm.",
    ),
    Excluded(
        TestType.HOLD_CLIMB, "environment",
        "A hold climb cannot be driven on: inertia dyno.", "Set environment to load dyno or both.",
    ),
)  # fmt: skip


def state(**more: object) -> PlanState:
    """Return everything the page shows."""
    full = PlanState(
        vehicle="FXDL 103",
        plan=plan(),
        cells=cells(),
        outlook=OUTLOOK,
        track=TRACK,
        limits=PlanningLimits(),
        runs=8,
        cooling=COOLING,
        way="Five pulls and about 9 minutes with cooling bring every cell within the goal.",
    )
    return replace(full, **more)  # type: ignore[arg-type]


def nothing_left() -> PlanState:
    """Return a vehicle of which everything is known."""
    return state(
        plan=plan(
            steps=(), gaps=(), coverage_pct=100.0, cells_open=0, message=NOTHING_LEFT, reach={}
        ),
    )


def limits_exclude_all() -> PlanState:
    """Return limits that leave nothing to drive."""
    return state(
        plan=plan(steps=(), excluded=EXCLUDED, message="The limits leave nothing.", reach={})
    )
