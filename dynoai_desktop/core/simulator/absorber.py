"""The load brake and its controller: holds rpm, road speed, acceleration, torque or a setting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from dynoai_desktop.core.simulator.dynos import Dyno

_RESPONSE_S = 0.06  # time constant of the brake's force
_BANDWIDTH = 5.0  # rad/s of the speed loop
_FULL_FORCE_SPEED = 4.0  # m/s: an eddy-current brake has no force at standstill
_HOT_RISE_K = 350.0  # over the room, in lasting balance with the power the brake is rated for
_FADE_K = 50.0  # a brake hotter than that lets go within so much more
_HEATING_S = 60.0  # time constant of its temperature


class LoadMode(StrEnum):
    """What the load brake holds, in the words of the wire's load control."""

    OFF = "off"
    RPM = "rpm"  # engine rpm
    SPEED = "speed"  # km/h
    ACCELERATION = "acceleration"  # (km/h)/s
    TORQUE = "torque"  # N·m at the crank, what the dyno shows
    BRAKE = "brake"  # percent of full force


# What a dyno takes as a target, in the mode's unit; it would refuse the rest.
TARGETS: dict[LoadMode, tuple[float, float]] = {
    LoadMode.RPM: (300.0, 20_000.0),
    LoadMode.SPEED: (5.0, 400.0),
    LoadMode.ACCELERATION: (-50.0, 100.0),
    LoadMode.TORQUE: (0.0, 2_000.0),
    LoadMode.BRAKE: (0.0, 100.0),
}


@dataclass(frozen=True, slots=True)
class LoadControl:
    """A wish to the load brake. *target* is in the mode's unit."""

    mode: LoadMode = LoadMode.OFF
    target: float = 0.0


NO_LOAD = LoadControl()


class Absorber:
    """State and step of the load brake."""

    __slots__ = ("_integral", "_mass", "control", "dyno", "force_n", "heat_k")

    def __init__(self, dyno: Dyno, moving_mass_kg: float) -> None:
        """Take the dyno's limits; *moving_mass_kg* is what the speed loop has to hold."""
        self.dyno = dyno
        self._mass = moving_mass_kg
        self.control = LoadControl()
        self._integral = 0.0
        self.force_n = 0.0
        self.heat_k = 0.0  # over the room

    def set(self, control: LoadControl) -> None:
        """Take a new wish."""
        if control.mode is not self.control.mode:
            self._integral = self.force_n
        self.control = control

    def step(self, speed: float, acceleration: float, k: float, dt: float) -> None:
        """Advance by *dt*: drum speed m/s, its acceleration m/s², engine radians per metre."""
        limit = self.dyno.absorber_n * min(1.0, speed / _FULL_FORCE_SPEED)
        limit *= max(0.0, min(1.0, 1.0 - (self.heat_k - _HOT_RISE_K) / _FADE_K))
        wanted = max(0.0, min(limit, self._wanted(speed, acceleration, k, limit, dt)))
        self.force_n += (wanted - self.force_n) * dt / (_RESPONSE_S + dt)
        rated_w = 1000.0 * self.dyno.absorber_kw
        if rated_w > 0.0:
            rise = _HOT_RISE_K * self.force_n * speed / rated_w
            self.heat_k += (rise - self.heat_k) * dt / _HEATING_S

    def _wanted(
        self, speed: float, acceleration: float, k: float, limit: float, dt: float
    ) -> float:
        target = self.control.target
        if self.control is NO_LOAD:
            return 0.0
        match self.control.mode:
            case LoadMode.RPM:
                return self._hold(speed - target * math.pi / 30.0 / k, limit, dt)
            case LoadMode.SPEED:
                return self._hold(speed - target / 3.6, limit, dt)
            case LoadMode.ACCELERATION:
                too_fast = acceleration - target / 3.6
                self._integral += 3.0 * self._mass * too_fast * dt
                self._integral = max(0.0, min(limit, self._integral))
                return self._integral
            case LoadMode.TORQUE:
                return target * k
            case LoadMode.BRAKE:
                return self.dyno.absorber_n * target / 100.0
        return 0.0

    def _hold(self, too_fast: float, limit: float, dt: float) -> float:
        """Return the force of a speed loop; its memory stops where the brake does."""
        gain = self._mass * _BANDWIDTH
        wanted = self._integral + gain * too_fast
        if 0.0 < wanted < limit or (wanted >= limit) != (too_fast > 0.0):
            self._integral += gain * 1.5 * too_fast * dt
        return wanted
