"""A planned step as something the simulated operator can drive, so rehearsals follow a plan."""

from __future__ import annotations

from collections.abc import Callable

from dynoai_desktop.core.planning.drafts import LIFT_OFFS, ROLL_ONS
from dynoai_desktop.core.planning.paths import CLIMB_KPA_PER_S, LONGEST_SWEEP_S, ROLL_ON_S
from dynoai_desktop.core.planning.steps import Step, TestType
from dynoai_desktop.core.simulator.absorber import LoadControl, LoadMode
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.programmes import (
    LAUNCH,
    SHUT,
    Grip,
    Phase,
    Programme,
    Throttle,
    idle_hold,
    run_down,
    run_up,
)

_LONGEST_PULL_S = 30.0
_LIFT_S = 1.5
_LONGEST_LAUNCH_S = 15.0
_BRAKE_UP_S = 2.0  # until the load brake has the speed
_AT_THE_TOP_S = 1.0


def programmes_of(step: Step, profile: Profile) -> tuple[Programme, ...]:
    """Return what to drive for a step, one programme a pull.

    Street steps are driven on the drum: the simulator has no street. Raises ValueError for a gear
    the vehicle does not have.
    """
    gears = len(profile.gear_ratios)
    if step.gear is not None and not 1 <= step.gear <= gears:
        raise ValueError(f"{step.name}: the vehicle has {gears} gears. Plan with one of them.")
    return (_PROGRAMMES[step.test_type](step, profile),) * step.pulls


def _opened(step: Step, profile: Profile) -> Programme:
    start, end = step.rpm_range
    tps = 100.0 if step.tps_pct is None else step.tps_pct
    full = tps >= 100.0
    run = Phase(
        "pull" if full else "sweep",
        Throttle(Grip.FIXED, tps),
        rpm_above=end,
        after_s=_LONGEST_PULL_S if full else LONGEST_SWEEP_S,
    )
    key = "wot_pull" if full else "sweep"
    return Programme(key, step.name, (*run_up(start), run, *run_down(profile)), step.gear)


def _climb(step: Step, profile: Profile) -> Programme:
    rpm, (low, high) = step.rpm_range[0], step.load_range
    from_tps, to_tps = step.tps_range
    seconds = max(2.0, (high - low) / CLIMB_KPA_PER_S)
    load = LoadControl(LoadMode.RPM, rpm)
    climb = Throttle(Grip.CLIMB, to_tps, start=from_tps, seconds=seconds)
    phases = (
        Phase("launch", LAUNCH, rpm_above=rpm, after_s=_LONGEST_LAUNCH_S),
        Phase("steady", Throttle(Grip.FIXED, from_tps), load=load, after_s=_BRAKE_UP_S),
        Phase("climb", climb, load=load, after_s=seconds + _AT_THE_TOP_S),
        *run_down(profile),
    )
    return Programme("hold_climb", step.name, phases, step.gear)


def _roll_ons(step: Step, profile: Profile) -> Programme:
    start, end = step.rpm_range
    tps = 100.0 if step.tps_pct is None else step.tps_pct
    once = (
        *run_up(start),
        Phase("roll_on", Throttle(Grip.FIXED, tps), rpm_above=end, after_s=ROLL_ON_S),
        Phase("lift_off", SHUT, rpm_below=start, after_s=_LIFT_S),
    )
    return Programme("roll_on", step.name, (*once * ROLL_ONS, *run_down(profile)), step.gear)


def _lift_offs(step: Step, profile: Profile) -> Programme:
    start = step.rpm_range[0]
    once = (*run_up(start), Phase("lift_off", SHUT, after_s=_LIFT_S))
    return Programme("chop", step.name, (*once * LIFT_OFFS, *run_down(profile)), step.gear)


def _idle(step: Step, profile: Profile) -> Programme:
    return idle_hold(profile, step.drive_s)


_PROGRAMMES: dict[TestType, Callable[[Step, Profile], Programme]] = {
    TestType.WOT_PULL: _opened,
    TestType.PART_THROTTLE: _opened,
    TestType.STREET: _opened,
    TestType.HOLD_CLIMB: _climb,
    TestType.ROLL_ON: _roll_ons,
    TestType.LIFT_OFF: _lift_offs,
    TestType.IDLE: _idle,
    TestType.SOAK: _idle,
}
