"""Predicted sample paths: where the engine will be, 20 times a second, while samples count.

A path is driven in thought by the vehicle's `Ways`. Only samples that an analysis would accept are
kept: after the throttle has moved, what is still on its way to the wideband belongs to the
movement, so about a second goes (the manifold settles, the exhaust travels, the sensor lags, the
port walls dry or wet); overrun tells nothing about fuel at all, but a movement counts as an event.

Engine speed: wide open, rpm per second as the vehicle showed it in that gear. At part throttle the
same pull is weaker by what is left of the torque, which is nearly straight in MAP from none at
p0 = baro (0.18 + 0.07 rpm / redline), where an engine just turns itself and the drum, to all of it
wide open. A drum holds no speed: where nothing is left the engine stays and the test ends by time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.planning.regions import Transient
from dynoai_desktop.core.planning.steps import Movement, SamplePath
from dynoai_desktop.core.planning.throttle import Throttle, idle_kpa
from dynoai_desktop.core.planning.ways import Ways
from dynoai_desktop.core.samples import WINDOWS_PER_S

SETTLE_S = (0.9, 0.2)  # after a sudden opening, and more the wider the throttle goes
LAUNCH_S = 11.0  # from idle to the redline, clutch and all, at two fifths of the throttle
STEADY_S = 1.2  # at the first speed before the test begins
RUN_DOWN_S = (2.0, 9.8)  # at idle, and from the redline with the throttle shut and the drum braked
LONGEST_SWEEP_S = 15.0
CLIMB_KPA_PER_S = 5.0  # slow enough that the pressure never counts as moving
ROLL_ON_S = 2.0  # open before the throttle is shut again
LIFT_S = 1.5
_TICK_S = 1.0 / WINDOWS_PER_S
_NO_TORQUE = (0.18, 0.07)  # of the barometer, at rest and more at the redline
_CRUISE, _CRUISE_TPS = 0.4, 8.0  # MAP over the barometer, and throttle, before an opening
_WIDE_OPEN_KPA = 0.5  # so near to full load the throttle is wide open
_LEAST_RATE = 1.0  # rpm per second


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """A test driven in thought. Ranges hold everything between first opening and last closing."""

    path: SamplePath
    rpm_range: tuple[float, float]
    map_range: tuple[float, float]
    drive_s: float  # from idle to idle
    movements: tuple[Movement, ...] = ()
    tps_range: tuple[float, float] = (0.0, 100.0)  # first and last


@dataclass(frozen=True, slots=True, eq=False)
class Driver:
    """Drives in thought. *load_is_tps*: the load axis is throttle, else MAP."""

    ways: Ways
    throttle: Throttle
    load_is_tps: bool = False

    @classmethod
    def of(cls, ways: Ways, load_is_tps: bool = False) -> Driver:
        """Return a driver of the vehicle that moves so."""
        return cls(ways, Throttle.of(ways), load_is_tps)

    def pull(self, tps_pct: float, start_rpm: float, end_rpm: float, gear: int) -> Predicted:
        """Open the throttle suddenly at *start_rpm* and hold it to *end_rpm*.

        At 100 % this is a full-throttle pull, below it a sweep at part throttle.

        >>> ways = Ways(900.0, 5800.0, pull_rpm_per_s={5: ((2000.0, 600.0), (5700.0, 600.0))})
        >>> pull = Driver.of(ways).pull(100.0, 2000.0, 5600.0, 5)
        >>> round(pull.path.time_s.size / 20, 2), pull.path.rpm[0].round()
        (4.9, np.float64(2660.0))
        """
        rpm = self._run_up(tps_pct, start_rpm, end_rpm, gear)
        kpa = self._map(tps_pct, rpm)
        moves = self._moves(tps_pct, rpm, kpa)
        return self._predicted(rpm, kpa, np.full(rpm.size, tps_pct), _settled(tps_pct), moves)

    def climb(
        self,
        rpm: float,
        low_kpa: float,
        high_kpa: float,
        allowed_tps: tuple[float, float] = (0.0, 100.0),
    ) -> Predicted:
        """Hold *rpm* against the load brake and let MAP climb evenly between two pressures."""
        seconds = max(_TICK_S, (high_kpa - low_kpa) / CLIMB_KPA_PER_S)
        kpa = np.linspace(low_kpa, high_kpa, max(2, round(seconds / _TICK_S)))
        tps = self.throttle.tps_for(kpa, rpm)
        if high_kpa >= float(self.throttle.full_kpa(np.array([rpm]))[0]) - _WIDE_OPEN_KPA:
            tps[-1] = 100.0
        tps = np.clip(tps, *allowed_tps)
        return self._predicted(np.full(kpa.size, rpm), kpa, tps, 0, (), extra_s=2.0 + STEADY_S)

    def roll_ons(self, tps_pct: float, rpm: float, gear: int, times: int) -> Predicted:
        """Open suddenly from a cruise at *rpm*, and shut again soon after, *times* over.

        Events only: what settles between two movements is too little to promise.
        """
        most = min(self.ways.redline_rpm * 0.95, 1.6 * rpm)
        speeds = self._run_up(tps_pct, rpm, most, gear, ROLL_ON_S)
        kpa = self._map(tps_pct, speeds)
        moves = self._moves(tps_pct, speeds, kpa)
        return self._predicted(
            speeds,
            kpa,
            np.full(speeds.size, tps_pct),
            speeds.size,
            moves,
            extra_s=LIFT_S + STEADY_S,
            times=times,
        )

    def lift_offs(self, rpm: float, tps_pct: float, times: int) -> Predicted:
        """Shut the throttle suddenly from a cruise at *rpm*, *times* over: events, no samples."""
        speeds = np.full(2, rpm)
        kpa = self._map(tps_pct, speeds)
        return self._predicted(
            speeds,
            kpa,
            np.full(2, tps_pct),
            2,
            self._moves(tps_pct, speeds, kpa)[1:],
            extra_s=2.0 * LIFT_S + STEADY_S,
            times=times,
        )

    def idle(self, seconds: float) -> Predicted:
        """Let the warm engine idle."""
        count = max(2, round(seconds / _TICK_S))
        kpa = np.full(count, idle_kpa(self.ways))
        speeds = np.full(count, self.ways.idle_rpm)
        found = self._predicted(speeds, kpa, np.zeros(count), 0, ())
        return replace(found, drive_s=seconds)

    def soak(self, seconds: float) -> Predicted:
        """Let the hot engine idle without a fan: soaked air tells nothing about the table."""
        idle = self.idle(seconds)
        none = np.empty(0)
        return replace(idle, path=SamplePath(none, none, none))

    def part_throttle_rate(self, tps_pct: float, rpm: F64, gear: int) -> F64:
        """Return rpm per second at a throttle, shape of *rpm*; none below what turns the engine."""
        full = self.throttle.full_kpa(rpm)
        none = self.ways.baro_kpa * (_NO_TORQUE[0] + _NO_TORQUE[1] * rpm / self.ways.redline_rpm)
        left = (self._map(tps_pct, rpm) - none) / np.maximum(full - none, 1.0)
        rate: F64 = self._full_rate(rpm, gear) * np.clip(left, 0.0, 1.0)
        return rate

    def _full_rate(self, rpm: F64, gear: int) -> F64:
        curves = self.ways.pull_rpm_per_s
        if not curves:
            return np.full(rpm.shape, 0.1 * self.ways.redline_rpm)
        nearest = gear if gear in curves else min(curves, key=lambda g: (abs(g - gear), g))
        x, y = np.array(curves[nearest], dtype=np.float64).T
        rate: F64 = np.interp(rpm, x, y)
        return rate

    def _map(self, tps_pct: float, rpm: F64) -> F64:
        if tps_pct >= 100.0:
            return self.throttle.full_kpa(rpm)
        return self.throttle.map_kpa(tps_pct, rpm)

    def _moves(self, tps_pct: float, rpm: F64, kpa: F64) -> tuple[Movement, Movement]:
        """Return the opening at the first speed and the closing at the last."""
        shut, cruise = idle_kpa(self.ways), _CRUISE * self.ways.baro_kpa
        before, after = (_CRUISE_TPS, 0.0) if self.load_is_tps else (cruise, shut)
        first, last = (tps_pct, tps_pct) if self.load_is_tps else (float(kpa[0]), float(kpa[-1]))
        return (
            Movement(Transient.TIP_IN, float(rpm[0]), (before, first)),
            Movement(Transient.LIFT_OFF, float(rpm[-1]), (last, after)),
        )

    def _run_up(
        self,
        tps_pct: float,
        start_rpm: float,
        end_rpm: float,
        gear: int,
        longest_s: float = LONGEST_SWEEP_S,
    ) -> F64:
        """Return engine speed at every 50 ms from opening to *end_rpm* or for *longest_s*.

        The time to every speed is the integral of one over the rate, so a pull has no steps.
        """
        grid = np.linspace(start_rpm, max(end_rpm, start_rpm + 1.0), 200)
        rate = np.maximum(self.part_throttle_rate(tps_pct, grid, gear), _LEAST_RATE)
        slow = 1.0 / rate
        spent = np.concatenate(([0.0], np.cumsum((slow[1:] + slow[:-1]) / 2.0 * np.diff(grid))))
        count = max(2, math.ceil(min(spent[-1], longest_s) / _TICK_S))
        return np.interp(np.arange(count) * _TICK_S, spent, grid)

    def _predicted(
        self,
        rpm: F64,
        kpa: F64,
        tps: F64,
        first: int,
        movements: tuple[Movement, ...],
        *,
        extra_s: float = 0.0,
        times: int = 1,
    ) -> Predicted:
        """Return what counts of a test driven *times* over, from sample *first* of each."""
        load, redline = tps if self.load_is_tps else kpa, self.ways.redline_rpm
        seconds = rpm.size * _TICK_S + extra_s
        clock = np.arange(rpm.size) * _TICK_S
        path = SamplePath(
            np.concatenate([clock[first:] + i * seconds for i in range(times)]),
            np.tile(rpm[first:], times),
            np.tile(load[first:], times),
        )
        return Predicted(
            path,
            (float(rpm.min()), float(rpm.max())),
            (float(kpa.min()), float(kpa.max())),
            LAUNCH_S * float(rpm[0]) / redline
            + STEADY_S
            + seconds * times
            + RUN_DOWN_S[0]
            + RUN_DOWN_S[1] * float(rpm[-1]) / redline,
            movements * times,
            (float(tps[0]), float(tps[-1])),
        )


def _settled(tps_pct: float) -> int:
    """Return the first sample that counts after a sudden opening."""
    return math.ceil((SETTLE_S[0] + SETTLE_S[1] * tps_pct / 100.0) / _TICK_S)
