"""What an operator can be asked to do, phase by phase, as one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dynoai_desktop.core.simulator.absorber import NO_LOAD, LoadControl, LoadMode
from dynoai_desktop.core.simulator.profile import Profile

_PULL_END = 0.98  # of the redline
_IDLE_AGAIN = 1.2  # times idle speed: the run is over


class Grip(StrEnum):
    """What the throttle hand does."""

    FIXED = "fixed"  # holds a throttle
    HOLD_RPM = "hold_rpm"  # holds an engine speed
    CLIMB = "climb"  # opens slowly, then faster, so that pressure climbs evenly


@dataclass(frozen=True, slots=True)
class Throttle:
    """A grip with its target: percent, or rpm, or percent reached after *seconds*."""

    grip: Grip
    target: float
    start: float = 0.0
    seconds: float = 0.0


SHUT = Throttle(Grip.FIXED, 0.0)
LAUNCH = Throttle(Grip.FIXED, 40.0)
WIDE_OPEN = Throttle(Grip.FIXED, 100.0)


@dataclass(frozen=True, slots=True)
class Phase:
    """One thing the operator does, and when it is over. The first condition met ends it."""

    name: str
    throttle: Throttle
    engaged: bool = True
    load: LoadControl = NO_LOAD
    drum_brake: float = 0.0  # share of full force
    after_s: float | None = None
    rpm_above: float | None = None  # drum speed as engine rpm in this gear
    rpm_below: float | None = None
    speed_below_m_s: float | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """A named sequence of phases in one gear (1 is first; None: the dyno gear)."""

    key: str
    title: str
    phases: tuple[Phase, ...]
    gear: int | None = None


IDLE = Programme("idle", "Idle", (Phase("idle", SHUT, engaged=False),))
ABORT = Programme(
    "abort",
    "Abort",
    (
        Phase("abort", SHUT, engaged=False, drum_brake=1.0, after_s=1.0),
        Phase("abort", SHUT, engaged=False, drum_brake=1.0, speed_below_m_s=1.0),
    ),
)


def run_up(rpm: float) -> tuple[Phase, ...]:
    """Bring the drum up to an engine speed and hold it there for a moment."""
    return (
        Phase("launch", LAUNCH, rpm_above=rpm, after_s=12.0),
        Phase("settle", Throttle(Grip.HOLD_RPM, rpm), after_s=1.2),
    )


def run_down(profile: Profile) -> tuple[Phase, ...]:
    """Close the throttle, slow the drum in gear with its brake, then idle."""
    over = _IDLE_AGAIN * profile.idle_rpm
    return (
        Phase("decel", SHUT, drum_brake=0.6, rpm_below=over, after_s=20.0),
        Phase("cooldown", SHUT, engaged=False, after_s=2.0),
    )


def wot_pull(
    profile: Profile,
    start_rpm: float | None = None,
    end_rpm: float | None = None,
    gear: int | None = None,
) -> Programme:
    """Return a full-throttle pull from *start_rpm* to *end_rpm* (98 % of the redline)."""
    start = profile.pull_start_rpm if start_rpm is None else start_rpm
    end = _PULL_END * profile.redline_rpm if end_rpm is None else end_rpm
    pull = Phase("pull", WIDE_OPEN, rpm_above=end, after_s=30.0)
    return Programme(
        "wot_pull", "Full-throttle pull", (*run_up(start), pull, *run_down(profile)), gear
    )


def sweep(profile: Profile, tps_pct: float = 40.0) -> Programme:
    """Return a part-throttle sweep through the range at a fixed throttle."""
    end = 0.92 * profile.redline_rpm
    run = Phase("sweep", Throttle(Grip.FIXED, tps_pct), rpm_above=end, after_s=15.0)
    phases = (*run_up(profile.pull_start_rpm), run, *run_down(profile))
    return Programme("sweep", f"Sweep at {tps_pct:g} % throttle", phases)


def hold_climb(profile: Profile, rpm: float | None = None, seconds: float = 14.0) -> Programme:
    """Return a climb in manifold pressure at one engine speed, held by the load brake."""
    speed = 0.6 * profile.peak_torque_rpm + 0.4 * profile.peak_power_rpm if rpm is None else rpm
    load = LoadControl(LoadMode.RPM, speed)
    climb = Throttle(Grip.CLIMB, 100.0, start=8.0, seconds=seconds)
    phases = (
        Phase("launch", LAUNCH, rpm_above=speed, after_s=15.0),
        Phase("steady", Throttle(Grip.FIXED, 8.0), load=load, after_s=2.0),
        Phase("climb", climb, load=load, after_s=seconds + 1.0),
        *run_down(profile),
    )
    return Programme("hold_climb", f"Hold {speed:.0f} rpm and climb MAP", phases)


def steady_steps(
    profile: Profile,
    rpm: float,
    throttles_pct: tuple[float, ...] = (5.0, 9.0, 14.0, 20.0, 28.0, 40.0, 60.0, 100.0),
    dwell_s: float = 2.0,
) -> Programme:
    """Return steady points at one engine speed, held by the load brake, one per throttle."""
    load = LoadControl(LoadMode.RPM, rpm)
    points = tuple(
        Phase("steady", Throttle(Grip.FIXED, tps), load=load, after_s=dwell_s)
        for tps in throttles_pct
    )
    launch = Phase("launch", LAUNCH, rpm_above=rpm, after_s=15.0)
    phases = (launch, *points, *run_down(profile))
    return Programme("steady_steps", f"Steady points at {rpm:.0f} rpm", phases)


def tuning_round(
    profile: Profile, columns: int = 8, seconds: float = 9.0, highest: float = 0.9
) -> Programme:
    """Return climbs in manifold pressure at *columns* engine speeds, one above the other.

    From just above idle to *highest* (share of the redline), about 11 s each: the whole fuel
    table in one run of the drum.
    """
    low, high = 1.7 * profile.idle_rpm, highest * profile.redline_rpm
    climb = Throttle(Grip.CLIMB, 100.0, start=4.0, seconds=seconds)
    phases: list[Phase] = []
    for column in range(columns):
        rpm = low + (high - low) * column / max(1, columns - 1)
        load = LoadControl(LoadMode.RPM, rpm)
        phases += [
            Phase("launch", LAUNCH, rpm_above=rpm, after_s=12.0),
            Phase("steady", Throttle(Grip.FIXED, 4.0), load=load, after_s=1.0),
            Phase("climb", climb, load=load, after_s=seconds + 0.5),
        ]
    title = f"Climb MAP at {columns} speeds"
    return Programme("tuning_round", title, (*phases, *run_down(profile)))


def roll_on(profile: Profile, rpm: float | None = None, tps_pct: float = 80.0) -> Programme:
    """Return a steady cruise, a sudden opening, and a sudden closing."""
    start = profile.pull_start_rpm * 1.25 if rpm is None else rpm
    end = min(start * 1.5, 0.9 * profile.redline_rpm)
    phases = (
        *run_up(start),
        Phase("roll_on", Throttle(Grip.FIXED, tps_pct), rpm_above=end, after_s=5.0),
        Phase("lift_off", SHUT, after_s=1.5),
        *run_down(profile),
    )
    return Programme("roll_on", "Roll-on", phases)


def chop(profile: Profile) -> Programme:
    """Return full throttle to three quarters of the range, then overrun in gear, unbraked."""
    phases = (
        *run_up(profile.pull_start_rpm),
        Phase("pull", WIDE_OPEN, rpm_above=0.75 * profile.redline_rpm, after_s=30.0),
        Phase("overrun", SHUT, rpm_below=1.6 * profile.idle_rpm, after_s=12.0),
        *run_down(profile),
    )
    return Programme("chop", "Throttle chop and overrun", phases)


def coast_down(profile: Profile) -> Programme:
    """Return a coast with the clutch open: the drum slows by its own losses alone."""
    phases = (
        *run_up(profile.pull_start_rpm),
        Phase("pull", WIDE_OPEN, rpm_above=0.9 * profile.redline_rpm, after_s=30.0),
        Phase("coast", SHUT, engaged=False, speed_below_m_s=20.0, after_s=150.0),
        Phase("cooldown", SHUT, engaged=False, drum_brake=0.5, after_s=2.0),
    )
    return Programme("coast_down", "Coast-down, clutch open", phases)


def idle_hold(_profile: Profile, seconds: float = 20.0) -> Programme:
    """Return idling for a while."""
    return Programme("idle_hold", "Idle", (Phase("idle", SHUT, engaged=False, after_s=seconds),))


PROGRAMMES: dict[str, Callable[[Profile], Programme]] = {
    "wot_pull": wot_pull,
    "sweep": sweep,
    "hold_climb": hold_climb,
    "tuning_round": tuning_round,
    "roll_on": roll_on,
    "chop": chop,
    "coast_down": coast_down,
    "idle_hold": idle_hold,
}
"""What a person can choose by name; each makes a programme with its usual figures."""


def demonstration(profile: Profile) -> tuple[Programme, ...]:
    """Return the round the demo drives for ever: a bit of everything, with pulls in between."""
    low, high = profile.pull_start_rpm * 1.2, 0.8 * profile.peak_power_rpm
    return (
        idle_hold(profile, 6.0),
        wot_pull(profile),
        idle_hold(profile, 5.0),
        hold_climb(profile, low),
        sweep(profile, 25.0),
        idle_hold(profile, 5.0),
        wot_pull(profile),
        roll_on(profile),
        hold_climb(profile, high),
        sweep(profile, 45.0),
        chop(profile),
    )
