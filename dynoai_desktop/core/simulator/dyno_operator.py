"""The person at the dyno: throttle hand, clutch hand, load knob, one phase after another.

The operator acts every 10 ms and sees what a person sees: engine speed, drum speed, the clock.
Abort wins over everything and shuts the throttle within a tenth of a second.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from dynoai_desktop.core.simulator.absorber import NO_LOAD, LoadControl
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.programmes import ABORT, IDLE, Grip, Phase, Programme, Throttle

_OPENING_PCT_PER_S = 250.0
_CLOSING_PCT_PER_S = 1200.0
_HOLD_START_PCT = 6.0
_LEAST_PCT = 2.5  # a hand that holds a speed does not let the fuel cut in
_HOLD_PCT = 60.0  # throttle percent per relative error of engine speed
_HOLD_PCT_PER_S = 15.0
_REST_RAD = math.radians(12.0)


@dataclass(slots=True)
class Controls:
    """What the operator's hands do now."""

    tps_pct: float = 0.0
    clutch: float = 0.0  # 0 open to 1 closed
    gear: int = 1
    drum_brake: float = 0.0
    load: LoadControl = NO_LOAD
    kill: bool = False  # the kill switch


@dataclass(slots=True)
class Hand:
    """Manual control: what the person at the screen set."""

    tps_pct: float = 0.0
    engaged: bool = False
    drum_brake: float = 0.0
    load: LoadControl = NO_LOAD


class Operator:
    """State machine over programmes. *state* is the name of the phase."""

    __slots__ = (
        "_hold_pct",
        "_index",
        "_phase_s",
        "_profile",
        "_queue",
        "_round",
        "controls",
        "hand",
        "programme",
        "pulls",
    )

    def __init__(self, profile: Profile) -> None:
        """Start at idle."""
        self._profile = profile
        self.controls = Controls(gear=profile.dyno_gear)
        self.hand = Hand()
        self.programme: Programme | None = IDLE  # None: by hand
        self.pulls = 0  # full-throttle pulls begun
        self._queue: deque[Programme] = deque()
        self._round: tuple[Programme, ...] = ()
        self._index = 0
        self._phase_s = 0.0
        self._hold_pct = _HOLD_START_PCT

    @property
    def state(self) -> str:
        """Return the name of the phase, or "manual"."""
        return "manual" if self.programme is None else self._phase.name

    @property
    def busy(self) -> bool:
        """Return True until everything asked for is done."""
        return bool(self._queue) or not (self.programme is None or self.programme is IDLE)

    @property
    def _phase(self) -> Phase:
        assert self.programme is not None
        return self.programme.phases[self._index]

    def start(self, programmes: Iterable[Programme], repeat: bool = False) -> None:
        """Drive these one after the other, once or for ever, after what runs now is dropped."""
        wanted = tuple(programmes)
        self._queue = deque(wanted)
        self._round = wanted if repeat else ()
        self._next()

    def take_over(self) -> None:
        """Give throttle, clutch and load to the person at the screen, as they are now."""
        controls = self.controls
        engaged = self.programme is not None and self._phase.engaged
        self.hand = Hand(controls.tps_pct, engaged, controls.drum_brake, controls.load)
        self._queue.clear()
        self._round = ()
        self.programme = None

    def abort(self) -> None:
        """Shut the throttle, open the clutch, release the load, stop the drum."""
        self._queue.clear()
        self._round = ()
        self.hand = Hand()
        self._begin(ABORT)

    def step(self, rpm: float, drum_rpm: float, speed: float, dt: float) -> Controls:
        """Advance by *dt* seeing engine rpm, drum speed as engine rpm, and drum speed in m/s."""
        self._phase_s += dt
        if self.programme is not None and self._over(self._phase, drum_rpm, speed):
            self._index += 1
            self._phase_s = 0.0
            if self._index >= len(self.programme.phases):
                self._next()
            elif self.state == "pull":
                self.pulls += 1
        controls = self.controls
        if self.programme is None:
            hand = self.hand
            wanted, engaged = hand.tps_pct, hand.engaged
            controls.load, controls.drum_brake = hand.load, hand.drum_brake
        else:
            phase = self._phase
            wanted, engaged = self._throttle(phase.throttle, rpm, dt), phase.engaged
            controls.load, controls.drum_brake = phase.load, phase.drum_brake
        # The kill switch stays pressed until the engine is slow enough to idle.
        controls.kill = self.programme is ABORT and rpm > 1.15 * self._profile.idle_rpm
        up, down = _OPENING_PCT_PER_S * dt, _CLOSING_PCT_PER_S * dt
        controls.tps_pct += max(-down, min(up, wanted - controls.tps_pct))
        controls.clutch = self._clutch(rpm) if engaged else 0.0
        return controls

    def _over(self, phase: Phase, drum_rpm: float, speed: float) -> bool:
        return (
            (phase.after_s is not None and self._phase_s >= phase.after_s)
            or (phase.rpm_above is not None and drum_rpm >= phase.rpm_above)
            or (phase.rpm_below is not None and drum_rpm <= phase.rpm_below)
            or (phase.speed_below_m_s is not None and speed <= phase.speed_below_m_s)
        )

    def _next(self) -> None:
        if not self._queue and self._round:
            self._queue = deque(self._round)
        self._begin(self._queue.popleft() if self._queue else IDLE)

    def _begin(self, programme: Programme) -> None:
        self.programme = programme
        self._index = 0
        self._phase_s = 0.0
        self._hold_pct = _HOLD_START_PCT
        gear = programme.gear or self._profile.dyno_gear
        self.controls.gear = max(1, min(gear, len(self._profile.gear_ratios)))

    def _throttle(self, throttle: Throttle, rpm: float, dt: float) -> float:
        """Return the throttle wanted now, percent."""
        if throttle.grip is Grip.FIXED:
            return throttle.target
        if throttle.grip is Grip.CLIMB:
            share = min(1.0, self._phase_s / throttle.seconds) if throttle.seconds else 1.0
            return throttle.start + (throttle.target - throttle.start) * share**2
        error = (throttle.target - rpm) / throttle.target
        wanted = self._hold_pct + _HOLD_PCT * error
        if _LEAST_PCT < wanted < 60.0:
            self._hold_pct += _HOLD_PCT_PER_S * error * dt
        return max(_LEAST_PCT, min(60.0, wanted))

    def _clutch(self, rpm: float) -> float:
        """Return how far a careful hand closes the clutch: never enough to stall the engine."""
        idle = self._profile.idle_rpm
        share = max(0.0, min(1.0, (rpm - 1.08 * idle) / (0.8 * idle)))
        return share * share


def throttle_area(tps_pct: float) -> float:
    """Return the open share of a round throttle whose plate rests at 12 degrees, 0 to 1.

    >>> round(throttle_area(50.0), 3)
    0.357
    """
    share = max(0.0, min(100.0, tps_pct)) / 100.0
    return 1.0 - math.cos(_REST_RAD + (math.pi / 2.0 - _REST_RAD) * share) / math.cos(_REST_RAD)
