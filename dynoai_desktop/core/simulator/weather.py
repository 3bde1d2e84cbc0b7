"""The weather in the dyno cell: where a simulated engine gets its air from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dynoai_desktop.core.power.standards import Air

_ALTITUDES_M = (-1000.0, 5500.0)  # where the pressure is one that Weather takes
_RANGES = {
    "baro_kpa": (50.0, 115.0),
    "temperature_c": (-40.0, 60.0),
    "humidity_pct": (0.0, 100.0),
}


@dataclass(frozen=True, slots=True)
class Weather:
    """Station pressure, room temperature and relative humidity.

    Raises ValueError with the field's name when a value cannot be weather.
    """

    baro_kpa: float = 99.0
    temperature_c: float = 25.0
    humidity_pct: float = 40.0

    def __post_init__(self) -> None:
        """Refuse what cannot be weather."""
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not math.isfinite(value) or not low <= value <= high:
                raise ValueError(f"{name} is {value:g}; weather lies between {low:g} and {high:g}.")

    @classmethod
    def at_altitude(
        cls, altitude_m: float, temperature_c: float = 25.0, humidity_pct: float = 40.0
    ) -> Weather:
        """Return the weather of a room at this altitude in the standard atmosphere.

        Raises ValueError naming *altitude_m* when nobody could stand there.

        >>> round(Weather.at_altitude(1524.0).baro_kpa, 2)  # 5000 ft
        84.31
        """
        low, high = _ALTITUDES_M
        if not low <= altitude_m <= high:
            raise ValueError(
                f"altitude_m is {altitude_m:g}; it must lie between {low:g} and {high:g}."
            )
        baro = 101.325 * (1.0 - 2.25577e-5 * altitude_m) ** 5.25588
        return cls(baro, temperature_c, humidity_pct)

    @property
    def air(self) -> Air:
        """Return the same air as the correction standards take it."""
        return Air(self.baro_kpa, self.temperature_c, self.humidity_pct)

    @property
    def dry_fraction(self) -> float:
        """Return the share of the air's pressure that is dry air, and so can burn fuel."""
        air = self.air
        return air.dry_pressure_kpa / air.pressure_kpa


STD_WEATHER = Weather(101.325, (60.0 - 32.0) / 1.8, 0.0)
"""The reference air of SAE J607 ("STD"), in which profiles state their peaks."""
