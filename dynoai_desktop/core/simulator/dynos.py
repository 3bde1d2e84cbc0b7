"""Dynos the simulator can be: what the drum weighs and what it can do.

A drum of effective surface mass m pushed by a force F speeds up by F/m; the dyno computes force
from its drum's acceleration, so the *setting* of m is what every number of an inertia dyno rests
on. 14.121 slug of effective mass, a circumference of 4.673 ft and one tab per turn are the
values of a motorcycle drum of the RT-150 kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_SLUG_KG = 14.59390293720636
_FOOT_M = 0.3048


@dataclass(frozen=True, slots=True)
class Dyno:
    """A drum, its losses and its brakes."""

    key: str
    title: str
    effective_mass_kg: float  # of the drum at its surface
    circumference_m: float
    loss_constant_n: float  # tyre and bearing drag at the surface: c0 + c1 v
    loss_slope_ns_per_m: float
    absorber_n: float  # most force the load brake can hold; 0: inertia only
    absorber_kw: float  # power it can take for long
    drum_brake_n: float  # friction brake that stops the drum; not seen by the load cell

    @property
    def radius_m(self) -> float:
        """Return the drum's radius."""
        return self.circumference_m / (2.0 * math.pi)

    def loss_n(self, speed_m_s: float) -> float:
        """Return the parasitic drag at the drum's surface while it turns."""
        return self.loss_constant_n + self.loss_slope_ns_per_m * speed_m_s


DYNOS: dict[str, Dyno] = {
    row.key: row
    for row in (
        Dyno(
            key="drum",
            title="Motorcycle drum with load brake",
            effective_mass_kg=14.121 * _SLUG_KG,
            circumference_m=4.673 * _FOOT_M,
            loss_constant_n=30.0,
            loss_slope_ns_per_m=0.6,
            absorber_n=4500.0,
            absorber_kw=120.0,
            drum_brake_n=1400.0,
        ),
        Dyno(
            key="drum-inertia",
            title="Motorcycle drum, inertia only",
            effective_mass_kg=14.121 * _SLUG_KG,
            circumference_m=4.673 * _FOOT_M,
            loss_constant_n=30.0,
            loss_slope_ns_per_m=0.6,
            absorber_n=0.0,
            absorber_kw=0.0,
            drum_brake_n=1400.0,
        ),
        Dyno(
            key="car-drum",
            title="Car drums with load brake",
            effective_mass_kg=850.0,
            circumference_m=3.83,
            loss_constant_n=120.0,
            loss_slope_ns_per_m=1.6,
            absorber_n=9000.0,
            absorber_kw=300.0,
            drum_brake_n=6000.0,
        ),
    )
}
