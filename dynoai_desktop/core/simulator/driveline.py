"""Crank to drum: clutch, gear, tyre, drum, and the book that shows where the work went.

Two bodies, engine (ω) and wheel with drum (v at the surface), joined by a clutch that either
holds them together or slips with the torque it can carry. A slipping tyre is the same joint with
a limit of force. Work is booked with the mean speed of each step, which is exact for constant
force, so the book closes to rounding whatever the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dynoai_desktop.core.simulator.calibration import GEAR_EFFICIENCY
from dynoai_desktop.core.simulator.dynos import Dyno
from dynoai_desktop.core.simulator.profile import Profile

_CLUTCH_RESERVE = 2.0  # torque the clutch carries over the engine's peak
_TYRE_RESERVE = 3.0  # force the strapped tyre carries over the peak in the dyno gear


@dataclass(frozen=True, slots=True)
class EnergyBook:
    """Work in joules since the start. What the crank gave is stored or lost, never gone."""

    crank_j: float
    kinetic_j: float  # engine, wheel and drum now
    gears_j: float
    drag_j: float
    absorber_j: float
    drum_brake_j: float
    slip_j: float

    @property
    def lost_j(self) -> float:
        """Return the sum of all losses."""
        return self.gears_j + self.drag_j + self.absorber_j + self.drum_brake_j + self.slip_j


class Driveline:
    """State and step of everything that turns."""

    __slots__ = (
        "_absorber_j",
        "_brake_j",
        "_capacity_nm",
        "_clutch_nm",
        "_crank_j",
        "_drag_j",
        "_dyno",
        "_engine_inertia",
        "_gears_j",
        "_outer_kg",
        "_slip_j",
        "_slips_forward",
        "_tyre_n",
        "absorber_n",
        "acceleration",
        "distance_m",
        "drum_brake_n",
        "k",
        "locked",
        "omega",
        "speed",
    )

    def __init__(self, profile: Profile, dyno: Dyno) -> None:
        """Start at rest with the clutch open, in the dyno gear."""
        self._dyno = dyno
        self._engine_inertia = profile.engine_inertia_kgm2
        wheel_kg = profile.wheel_inertia_kgm2 / (profile.tyre_circumference_m / math.tau) ** 2
        self._outer_kg = dyno.effective_mass_kg + wheel_kg
        self._clutch_nm = _CLUTCH_RESERVE * profile.peak_torque_nm
        peak_n = profile.peak_torque_nm * profile.radians_per_metre(profile.dyno_gear)
        self._tyre_n = _TYRE_RESERVE * peak_n
        self._capacity_nm = 0.0
        # Inputs.
        self.k = profile.radians_per_metre(profile.dyno_gear)
        self.absorber_n = 0.0
        self.drum_brake_n = 0.0
        # State.
        self.omega = 0.0
        self.speed = 0.0
        self.acceleration = 0.0
        self.distance_m = 0.0
        self.locked = False
        self._slips_forward = True
        self._crank_j = self._gears_j = self._drag_j = 0.0
        self._absorber_j = self._brake_j = self._slip_j = 0.0

    def grip(self, clutch: float, tyre: float) -> None:
        """Set how much of its full torque the clutch carries, and of its force the tyre."""
        self._capacity_nm = min(clutch * self._clutch_nm, tyre * self._tyre_n / self.k)

    def step(self, torque_nm: float, dt: float) -> None:
        """Advance by *dt* seconds with crank torque *torque_nm*."""
        capacity = self._capacity_nm
        self.locked = self.locked and self._together(torque_nm, capacity, dt)
        if not self.locked:
            self._apart(torque_nm, capacity, dt)

    def _together(self, torque: float, capacity: float, dt: float) -> bool:
        """Move engine and drum as one body. Returns False, unmoved, when the joint must slip."""
        k, inertia, v = self.k, self._engine_inertia, self.speed
        drag = self._drag_n(v)
        brakes = self.absorber_n + self.drum_brake_n if v > 0.0 else 0.0
        gear = GEAR_EFFICIENCY
        a = (gear * torque * k - drag - brakes) / (self._outer_kg + gear * inertia * k * k)
        passed = torque - inertia * k * a
        if passed < 0.0:  # the wheel drives the engine and pays for the gears
            gear = 1.0 / GEAR_EFFICIENCY
            a = (gear * torque * k - drag - brakes) / (self._outer_kg + gear * inertia * k * k)
            passed = torque - inertia * k * a
        if abs(passed) > capacity:
            self._slips_forward = passed > 0.0
            return False
        end = v + a * dt
        if end < 0.0:
            end = 0.0
        mean = 0.5 * (v + end)
        self._book(torque * k * mean * dt, drag, mean, dt)
        self._gears_j += (1.0 - gear) * passed * k * mean * dt
        self._move(end, mean, dt)
        self.omega = k * end
        return True

    def _apart(self, torque: float, capacity: float, dt: float) -> None:
        """Move engine and drum with the slipping joint between them."""
        k, v, omega = self.k, self.speed, self.omega
        slip = omega - k * v
        forward = slip > 0.0 if slip else self._slips_forward
        passed = capacity if forward else -capacity
        gear = GEAR_EFFICIENCY if passed > 0.0 else 1.0 / GEAR_EFFICIENCY
        drag = self._drag_n(v)
        brakes = self.absorber_n + self.drum_brake_n if v > 0.0 else 0.0
        end_omega = max(0.0, omega + (torque - passed) / self._engine_inertia * dt)
        end = max(0.0, v + (gear * passed * k - drag - brakes) / self._outer_kg * dt)
        mean, mean_omega = 0.5 * (v + end), 0.5 * (omega + end_omega)
        self._book(torque * mean_omega * dt, drag, mean, dt)
        self._gears_j += (1.0 - gear) * passed * k * mean * dt
        self._slip_j += passed * (mean_omega - k * mean) * dt
        self._move(end, mean, dt)
        self.omega = end_omega
        left = end_omega - k * end
        if capacity > 0.0 and (left > 0.0) != forward:
            self._lock()

    def _lock(self) -> None:
        """Join both bodies at the speed that keeps their momentum; the rest is slip heat."""
        before = self._kinetic_j()
        inertia, k = self._engine_inertia, self.k
        momentum = self._outer_kg * self.speed + inertia * k * self.omega
        self.speed = momentum / (self._outer_kg + inertia * k * k)
        self.omega = k * self.speed
        self.locked = True
        self._slip_j += before - self._kinetic_j()

    def _drag_n(self, v: float) -> float:
        return self._dyno.loss_constant_n + self._dyno.loss_slope_ns_per_m * v if v > 0.0 else 0.0

    def _book(self, crank_j: float, drag: float, mean: float, dt: float) -> None:
        path = mean * dt
        self._crank_j += crank_j
        if self.speed > 0.0:  # a drum at rest is held by nothing
            self._drag_j += drag * path
            self._absorber_j += self.absorber_n * path
            self._brake_j += self.drum_brake_n * path

    def _move(self, end: float, mean: float, dt: float) -> None:
        self.acceleration = (end - self.speed) / dt
        self.speed = end
        self.distance_m += mean * dt

    def _kinetic_j(self) -> float:
        return 0.5 * (self._outer_kg * self.speed**2 + self._engine_inertia * self.omega**2)

    def book(self) -> EnergyBook:
        """Return the energy book so far."""
        return EnergyBook(
            self._crank_j,
            self._kinetic_j(),
            self._gears_j,
            self._drag_j,
            self._absorber_j,
            self._brake_j,
            self._slip_j,
        )
