"""Candidates of every kind for one vehicle: which ranges, gears and throttles, within the limits.

One function a kind. Speeds, pressures and throttles are cut to what is allowed before a path is
predicted; what is left too short to tell anything is dropped. Keys name a test before it is cut,
so the same test has the same key whatever the limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.planning.limits import Environment, PlanningLimits, allowed_gears
from dynoai_desktop.core.planning.paths import Driver, Predicted
from dynoai_desktop.core.planning.ways import Ways

STREET_MOST_TPS = 60.0
ROLL_ONS, LIFT_OFFS = 3, 3  # in one run of the drum
_THROTTLES = (4, 6, 8, 10, 12, 14, 17, 20, 24, 28, 33, 39, 46, 55, 70)
_STREET_THROTTLES = (10, 15, 20, 30, 40, 50)
_PULL_START, _PULL_END, _SWEEP_END = 0.345, 0.98, 0.92  # of the redline
_RANGES = (  # of pulls, shares of the redline: the whole, then the regions with room on both sides
    (_PULL_START, _PULL_END),
    (0.335, 0.835),
    (0.585, 0.98),
    (0.25, 0.585),
)
_SWEEP_STARTS = (_PULL_START, 0.6)
_CLIMB_FROM, _CLIMB_TO, _MOST_CLIMBS = 1.6, 0.92, 16  # times idle, of the redline
_CLIMB_SHUT = 8.0  # percent of throttle a climb begins with
_ROLL_ON_AT, _ROLL_ON_TPS = (0.345, 0.43, 0.52, 0.6), (25, 45, 80)
_LIFT_AT, _LIFT_TPS = (0.5, 0.65, 0.8), 20.0
_STREET_FROM, _STREET_TO = 0.345, 0.7
_IDLE_S, _SOAK_S = 20.0, 90.0
_ROUND_RPM = 10.0
_LEAST_SAMPLES = 10
_LEAST_SPAN = 0.06  # of the redline: a shorter pull tells nothing about a curve
_LEAST_CLIMB_KPA = 8.0
_MOST_GEARS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What candidates are made from."""

    driver: Driver
    limits: PlanningLimits
    rpm: Axis
    on_street: bool = False

    @property
    def ways(self) -> Ways:
        """Return how the vehicle moves."""
        return self.driver.ways

    @property
    def elsewhere(self) -> bool:
        """Return whether this is the street and the dyno offers the same standing still."""
        return self.on_street and self.limits.environment is Environment.BOTH

    def gears(self) -> tuple[int, ...]:
        """Return the gears to plan with, those nearest to the usual one."""
        usual = self.ways.gear
        allowed = allowed_gears(self.limits, usual)
        return tuple(sorted(sorted(allowed, key=lambda g: (abs(g - usual), g))[:_MOST_GEARS]))

    def at(self, share: float) -> float:
        """Return a speed as share of the redline."""
        return round(share * self.ways.redline_rpm / _ROUND_RPM) * _ROUND_RPM

    def allows_tps(self, tps_pct: float) -> bool:
        """Return whether a throttle is allowed here."""
        most = min(self.limits.max_tps_pct, STREET_MOST_TPS if self.on_street else 100.0)
        return self.limits.min_tps_pct <= tps_pct <= most

    def window(self, tps_pct: float, start: float, end: float) -> tuple[float, float] | None:
        """Return the part of a speed range in which a throttle keeps to the limits, or None."""
        limits = self.limits
        low, high = max(start, limits.min_rpm), min(end, limits.max_rpm)
        if not self.allows_tps(tps_pct) or high - low < self.least_span:
            return None
        rpm = np.linspace(low, high, 241)
        kpa = self.pressure(tps_pct, rpm)
        inside = (kpa >= limits.min_map_kpa) & (kpa <= limits.max_map_kpa)
        found = _longest(rpm, inside)
        if found is None:
            return None
        first = math.ceil(found[0] / _ROUND_RPM) * _ROUND_RPM
        last = math.floor(found[1] / _ROUND_RPM) * _ROUND_RPM
        return (first, last) if last - first >= self.least_span else None

    @property
    def least_span(self) -> float:
        """Return the shortest range of speeds worth driving through, rpm."""
        return _LEAST_SPAN * self.ways.redline_rpm

    def pressure(self, tps_pct: float, rpm: F64) -> F64:
        """Return MAP at a throttle."""
        throttle = self.driver.throttle
        return throttle.full_kpa(rpm) if tps_pct >= 100.0 else throttle.map_kpa(tps_pct, rpm)

    def words(self, wanted: tuple[float, float], got: tuple[float, float]) -> tuple[str, ...]:
        """Return which limits cut a speed range, in words."""
        limits, out = self.limits, []
        for edge, (asked, left) in enumerate(zip(wanted, got, strict=True)):
            if abs(asked - left) < _ROUND_RPM:
                continue
            rpm_limit = (limits.min_rpm, limits.max_rpm)[edge]
            if abs(left - rpm_limit) < _ROUND_RPM:
                name = ("min_rpm", "max_rpm")[edge]
            else:  # MAP falls with speed: too high at the start, too low at the end
                name = ("max_map_kpa", "min_map_kpa")[edge]
            verb = ("starts", "ends")[edge]
            out.append(f"{verb} at {left:,.0f} rpm instead of {asked:,.0f} ({name})")
        return tuple(out)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A candidate before it is weighed."""

    key: str
    name: str
    gear: int | None
    tps_pct: float | None
    driven: Predicted
    constraints: tuple[str, ...] = ()


def _longest(x: F64, inside: np.typing.NDArray[np.bool_]) -> tuple[float, float] | None:
    """Return the ends of the longest stretch of *x* that is inside."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], inside.astype(np.int8), [0]))))
    if not edges.size:
        return None
    first, after = edges[::2], edges[1::2]
    best = int(np.argmax(after - first))
    return float(x[first[best]]), float(x[after[best] - 1])


def gear_words(gear: int) -> str:
    """Return a gear as a rider says it.

    >>> gear_words(1), gear_words(5)
    ('1st', '5th')
    """
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(gear, f"{gear}th")


def pulls(ground: Ground) -> Iterator[Draft]:
    """Yield full-throttle pulls over the whole range and over the regions that matter."""
    for gear in ground.gears():
        for from_share, to_share in _RANGES:
            wanted = ground.at(from_share), ground.at(to_share)
            yield from _opened(ground, 100.0, wanted, gear, f"wot/g{gear}/{wanted[0]:.0f}")


def sweeps(ground: Ground) -> Iterator[Draft]:
    """Yield sweeps at fixed throttles, from the start and from the middle of the range."""
    for gear in ground.gears():
        for tps in _THROTTLES:
            for share in _SWEEP_STARTS:
                wanted = ground.at(share), ground.at(_SWEEP_END)
                key = f"sweep/{tps}/g{gear}/{wanted[0]:.0f}"
                yield from _opened(ground, float(tps), wanted, gear, key)


def street_sweeps(ground: Ground) -> Iterator[Draft]:
    """Yield sweeps as far as they can be driven on the street."""
    if not ground.on_street:
        return
    wanted = ground.at(_STREET_FROM), ground.at(_STREET_TO)
    for gear in ground.gears():
        for tps in _STREET_THROTTLES:
            yield from _opened(ground, float(tps), wanted, gear, f"sweep/{tps}/g{gear}")


def _opened(
    ground: Ground, tps: float, wanted: tuple[float, float], gear: int, key: str
) -> Iterator[Draft]:
    window = ground.window(tps, *wanted)
    if window is None:
        return
    driven = ground.driver.pull(tps, *window, gear)
    if driven.path.rpm.size < _LEAST_SAMPLES:
        return
    if driven.rpm_range[1] - driven.rpm_range[0] < ground.least_span:  # the drum held it back
        return
    kind = "Full-throttle pull" if tps >= 100.0 else f"Sweep at {tps:.0f} % throttle"
    low, high = driven.rpm_range
    name = f"{kind}, {low:,.0f} to {high:,.0f} rpm in {gear_words(gear)}"
    yield Draft(key, name, gear, tps, driven, ground.words(wanted, window))


def climbs(ground: Ground) -> Iterator[Draft]:
    """Yield climbs in pressure at the speeds of the table."""
    ways, limits = ground.ways, ground.limits
    low = max(limits.min_rpm, _CLIMB_FROM * ways.idle_rpm)
    high = min(limits.max_rpm, _CLIMB_TO * ways.redline_rpm)
    speeds = [n for n in ground.rpm.nodes if low <= n <= high]
    for rpm in speeds[:: -(-len(speeds) // _MOST_CLIMBS) or 1]:
        at = np.array([rpm])
        open_to = min(100.0, limits.max_tps_pct)
        most = float(ground.pressure(open_to, at)[0])
        least = float(ground.pressure(max(_CLIMB_SHUT, limits.min_tps_pct), at)[0])
        bottom, top = max(least, limits.min_map_kpa), min(most, limits.max_map_kpa)
        if top - bottom < _LEAST_CLIMB_KPA:
            continue
        words = [f"starts at {bottom:.0f} kPa (min_map_kpa)"] if bottom > least + 0.5 else []
        if top < most - 0.5 or open_to < 100.0:
            name = "max_map_kpa" if top < most - 0.5 else "max_tps_pct"
            words.append(f"ends at {top:.0f} kPa ({name})")
        name = f"Hold {rpm:,.0f} rpm and climb from {bottom:.0f} to {top:.0f} kPa"
        allowed = limits.min_tps_pct, limits.max_tps_pct
        driven = ground.driver.climb(rpm, bottom, top, allowed)
        yield Draft(f"climb/{rpm:.0f}", name, ways.gear, None, driven, tuple(words))


def roll_ons(ground: Ground) -> Iterator[Draft]:
    """Yield sudden openings from a cruise."""
    gear = _usual(ground)
    for share in _ROLL_ON_AT:
        for tps in _ROLL_ON_TPS:
            rpm = ground.at(share)
            driven = ground.driver.roll_ons(float(tps), rpm, gear, ROLL_ONS)
            if _inside(ground, driven, float(tps)):
                name = f"{ROLL_ONS} roll-ons to {tps} % throttle from {rpm:,.0f} rpm"
                yield Draft(f"roll-on/{tps}/{rpm:.0f}", name, gear, float(tps), driven)


def lift_offs(ground: Ground) -> Iterator[Draft]:
    """Yield sudden closings from a cruise."""
    gear = _usual(ground)
    for share in _LIFT_AT:
        rpm = ground.at(share)
        driven = ground.driver.lift_offs(rpm, _LIFT_TPS, LIFT_OFFS)
        if _inside(ground, driven, _LIFT_TPS):
            name = f"{LIFT_OFFS} lift-offs from {rpm:,.0f} rpm"
            yield Draft(f"lift-off/{rpm:.0f}", name, gear, _LIFT_TPS, driven)


def idles(ground: Ground) -> Iterator[Draft]:
    """Yield a warm idle."""
    driven = ground.driver.idle(_IDLE_S)
    if not ground.elsewhere and _inside(ground, driven, 0.0):
        yield Draft("idle", f"Idle for {_IDLE_S:.0f} s, warm", None, 0.0, driven)


def soaks(ground: Ground) -> Iterator[Draft]:
    """Yield a hot idle without a fan."""
    driven = ground.driver.soak(_SOAK_S)
    if not ground.elsewhere and _inside(ground, driven, 0.0):
        name = f"Idle hot for {_SOAK_S:.0f} s without the fan"
        yield Draft("soak", name, None, 0.0, driven)


def _usual(ground: Ground) -> int:
    gears = ground.gears()
    return min(gears, key=lambda g: (abs(g - ground.ways.gear), g))


def _inside(ground: Ground, driven: Predicted, tps: float) -> bool:
    limits = ground.limits
    return (
        ground.allows_tps(tps)
        and limits.min_rpm <= driven.rpm_range[0]
        and driven.rpm_range[1] <= limits.max_rpm
        and limits.min_map_kpa <= driven.map_range[0]
        and driven.map_range[1] <= limits.max_map_kpa
    )
