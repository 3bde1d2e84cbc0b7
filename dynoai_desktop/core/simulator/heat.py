"""Heat: two heads, oil, intake air. Coefficients follow the size of the engine.

A share of the fuel's power goes into the heads; a fan cools them. Heads warm the intake air when
little of it flows, and the oil when much work is done. The figures give the picture of a real
series: a few degrees of head temperature a pull, and power that wanders by well under one
percent because thinner oil gives back what warmer air takes.
"""

from __future__ import annotations

import math

from dynoai_desktop.core.simulator.calibration import WARM_OIL_C
from dynoai_desktop.core.simulator.profile import Cooling, Profile
from dynoai_desktop.core.simulator.weather import Weather

_FUEL_J_PER_KG_AIR = 2.95e6
_THERMOSTAT_C = 88.0
_WARM_RISE_C = 70.0  # of a front head over the room at idle with the fan on


class Heat:
    """State and step of the warm parts, °C."""

    __slots__ = (
        "_fan",
        "_head_j",
        "_idle_flow",
        "_liquid",
        "_oil_j",
        "_peak_flow",
        "_rear_fan",
        "head_front_c",
        "head_rear_c",
        "intake_c",
        "oil_c",
        "room_c",
    )

    def __init__(self, profile: Profile, weather: Weather, warm: bool) -> None:
        """Start at working temperature, or at the room's."""
        litres = profile.displacement_cc / 1000.0
        self._liquid = profile.cooling is Cooling.LIQUID
        self._head_j = 4500.0 * litres  # J/K each, metal and fins
        self._oil_j = 5500.0 * litres
        self._fan = 12.0 * litres  # W/K each
        self._rear_fan = self._fan * _WARM_RISE_C / (_WARM_RISE_C + profile.rear.head_rise_c)
        self._idle_flow = 2.2e-6 * profile.displacement_cc * profile.idle_rpm / 900.0  # kg/s
        self._peak_flow = 5.5e-7 / 60.0 * profile.displacement_cc * profile.peak_power_rpm
        self.room_c = weather.temperature_c
        rise = _WARM_RISE_C if warm else 0.0
        self.head_front_c = max(_THERMOSTAT_C, self.room_c + rise) if warm else self.room_c
        self.head_rear_c = self.head_front_c + (profile.rear.head_rise_c if warm else 0.0)
        self.oil_c = self.head_front_c - 5.0 if warm else self.room_c
        self.intake_c = self.room_c + (5.0 if warm else 0.0)

    @property
    def head_c(self) -> float:
        """Return the mean head temperature."""
        return 0.5 * (self.head_front_c + self.head_rear_c)

    def step(
        self, air_front: float, air_rear: float, friction_w: float, blow: float, dt: float
    ) -> None:
        """Advance by *dt* with air burnt in each group (kg/s), friction power, and the fan.

        *blow* is the fan's share of full: 0.2 is the draught of a room without one.
        """
        flow = air_front + air_rear
        share = (0.055 + 0.5 * math.exp(-flow / self._idle_flow)) * _FUEL_J_PER_KG_AIR
        fan, rear_fan = self._fan * blow, self._rear_fan * blow
        self.head_front_c += self._head_rate(share * air_front, self.head_front_c, fan) * dt
        self.head_rear_c += self._head_rate(share * air_rear, self.head_rear_c, rear_fan) * dt
        to_oil = 0.8 * self._fan * (self.head_c - self.oil_c)
        from_oil = 0.35 * fan * (self.oil_c - self.room_c)
        self.oil_c += (0.5 * friction_w + to_oil - from_oil) / self._oil_j * dt
        self._intake(flow, blow, dt)

    def _head_rate(self, heat_w: float, head_c: float, fan: float) -> float:
        lost = fan * (head_c - self.room_c)
        if self._liquid and head_c > _THERMOSTAT_C:
            lost += 60.0 * fan * (head_c - _THERMOSTAT_C)
        return (heat_w - lost) / self._head_j

    def _intake(self, flow: float, blow: float, dt: float) -> None:
        strength = flow / self._peak_flow
        soak = (
            (2.0 - blow) * (0.05 + 0.06 * math.exp(-12.0 * strength)) * (self.head_c - self.room_c)
        )
        seconds = 4.0 + 15.0 * math.exp(-8.0 * strength)
        aim = self.room_c + max(0.0, soak)
        self.intake_c += (aim - self.intake_c) * dt / (seconds + dt)


def oil_factor(oil_c: float) -> float:
    """Return rubbing friction over that with warm oil, at 86 °C.

    >>> oil_factor(86.0), oil_factor(20.0)
    (1.0, 1.792)
    """
    if oil_c >= WARM_OIL_C:
        return max(0.9, 1.0 - 0.0025 * (oil_c - WARM_OIL_C))
    return min(2.2, 1.0 + 0.012 * (WARM_OIL_C - oil_c))


def film(head_c: float) -> tuple[float, float]:
    """Return the wall film: share of the fuel that lands on the port, intake strokes it stays.

    >>> film(95.0)
    (0.18, 3.5)
    """
    cold = max(0.0, 85.0 - head_c)
    return min(0.6, 0.18 + 0.004 * cold), 3.5 + 0.06 * cold
