"""Everything but the widebands that turns truth into readings, 100 times a second.

The dyno measures its drum: force is effective mass × acceleration plus what the load cell of the
brake feels, power is force × surface speed, torque is power over engine speed. Each carries the
noise of its sensor; a rig without noise publishes the filtered truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dynoai_desktop.core.simulator.noise import Noise

_ACCELERATION_LAG_S = 0.015
_COUNTED_FROM_RPM = 60.0  # slower turning is not counted
_TPS_BACKLASH_PCT = 0.15

# One standard deviation: a constant part and a part of the reading.
_RPM_NOISE = (1.5, 0.0004)
_PICKUP_NOISE = (2.5, 0.0008)
_FORCE_NOISE = (2.0, 0.0015)
_MAP_NOISE_KPA = 0.12
_PULSATION = 0.016  # amplitude of the intake wave × cylinders, of the mean pressure
_TPS_NOISE_PCT = 0.04
_VOLT_NOISE = 0.012


class DrumSensor:
    """Engine speed, drum speed and its acceleration as the dyno counts them."""

    __slots__ = ("_last_speed", "acceleration", "force_n", "omega", "speed")

    def __init__(self) -> None:
        """Start at rest."""
        self._last_speed = 0.0
        self.acceleration = 0.0
        self.speed = 0.0
        self.omega = 0.0
        self.force_n = 0.0

    def step(
        self, omega: float, speed: float, absorber_n: float, setting_kg: float, dt: float
    ) -> None:
        """Advance by *dt* from the true crank speed (rad/s) and drum speed (m/s).

        *absorber_n* is the force at the load cell, *setting_kg* the drum the dyno is set for.
        """
        raw = (speed - self._last_speed) / dt
        self._last_speed = speed
        self.acceleration += (raw - self.acceleration) * dt / (_ACCELERATION_LAG_S + dt)
        # The same lag on both speeds keeps force, power and torque of one moment together.
        self.speed += (speed - self.speed) * dt / (_ACCELERATION_LAG_S + dt)
        self.omega += (omega - self.omega) * dt / (_ACCELERATION_LAG_S + dt)
        self.force_n = setting_kg * self.acceleration + absorber_n


@dataclass(slots=True)
class ThrottleSensor:
    """A potentiometer with backlash: small movements do not show. Its end stops are learnt."""

    reading: float = 0.0

    def step(self, tps_pct: float) -> float:
        """Return the reading for a true throttle position."""
        if tps_pct <= 0.0 or tps_pct >= 100.0:
            self.reading = tps_pct
        low, high = tps_pct - _TPS_BACKLASH_PCT, tps_pct + _TPS_BACKLASH_PCT
        self.reading = max(low, min(high, self.reading))
        return max(0.0, min(100.0, self.reading))


class Noisy:
    """Adds sensor noise, or nothing."""

    __slots__ = ("_noise", "active")

    def __init__(self, noise: Noise, active: bool) -> None:
        """Draw from *noise* while *active*."""
        self._noise = noise
        self.active = active

    def _add(self, value: float, sigma: float) -> float:
        return value + sigma * self._noise.normal() if self.active else value

    def rpm(self, value: float) -> float:
        """Return an engine speed as the control unit counts it."""
        if value < _COUNTED_FROM_RPM:
            return 0.0
        return self._add(value, _RPM_NOISE[0] + _RPM_NOISE[1] * value)

    def pickup(self, value: float) -> float:
        """Return an engine speed from an inductive pickup."""
        if value < _COUNTED_FROM_RPM:
            return 0.0
        return self._add(value, _PICKUP_NOISE[0] + _PICKUP_NOISE[1] * value)

    def force(self, value: float) -> float:
        """Return a drum force, signed."""
        return self._add(value, _FORCE_NOISE[0] + _FORCE_NOISE[1] * abs(value)) if value else 0.0

    def pressure(self, value: float, cylinders: int) -> float:
        """Return a manifold pressure, caught somewhere in the wave of single intake strokes.

        The logger's clock knows nothing of the crank, so the place in the wave is at random.
        The fewer the cylinders, the larger the wave.
        """
        if not self.active:
            return value
        wave = _PULSATION / cylinders * value * math.sin(math.tau * self._noise.uniform())
        return value + wave + _MAP_NOISE_KPA * self._noise.normal()

    def throttle(self, value: float) -> float:
        """Return a throttle position, 0 to 100."""
        return max(0.0, min(100.0, self._add(value, _TPS_NOISE_PCT)))

    def volts(self, value: float) -> float:
        """Return a voltage."""
        return self._add(value, _VOLT_NOISE)

    def slow(self, value: float, sigma: float) -> float:
        """Return a slow reading with noise of *sigma*."""
        return self._add(value, sigma)

    def chance(self, probability: float) -> bool:
        """Return True with a probability; never asks for a number when it is zero."""
        return probability > 0.0 and self._noise.uniform() < probability


class Charging:
    """Battery voltage: charged by the running engine, drained otherwise."""

    __slots__ = ("volts",)

    def __init__(self) -> None:
        """Start with the engine running and the battery charged."""
        self.volts = 13.9

    def step(self, rpm: float, charging: bool, dt: float) -> float:
        """Return the voltage after *dt*."""
        aim, seconds = (12.3, 60.0) if rpm < 300.0 else (14.1 - 400.0 / max(rpm, 800.0), 3.0)
        if not charging:
            aim, seconds = 10.6, 25.0
        self.volts += (aim - self.volts) * dt / seconds
        return self.volts
