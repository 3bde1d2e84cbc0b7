"""Power correction factors: what an engine would have made in a standard's reference air.

A factor multiplies measured brake power (and torque); raw power is always kept beside it and the
standard's name is printed with the result. Every formula takes the *station* pressure at the
dyno, never the sea-level pressure of a weather report. The formulas are those for naturally
aspirated spark-ignition engines.

The editions named here are the ones the formulas belong to; check the text before certified use.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_KELVIN = 273.15
_SIXTY_FAHRENHEIT_K = (60.0 - 32.0) / 1.8 + _KELVIN  # 288.706


def saturation_pressure_kpa(temperature_c: float) -> float:
    """Return the vapour pressure of saturated air over water (Buck 1996).

    >>> round(saturation_pressure_kpa(25.0), 3)
    3.169
    """
    t = temperature_c
    return 0.61121 * math.exp((18.678 - t / 234.5) * t / (257.14 + t))


@dataclass(frozen=True, slots=True)
class Air:
    """The air an engine breathes: station pressure, temperature and relative humidity."""

    pressure_kpa: float
    temperature_c: float
    humidity_pct: float = 0.0

    @property
    def vapour_pressure_kpa(self) -> float:
        """Return the partial pressure of the water in the air."""
        return self.humidity_pct / 100.0 * saturation_pressure_kpa(self.temperature_c)

    @property
    def dry_pressure_kpa(self) -> float:
        """Return the pressure of the air without its water: the part that burns fuel."""
        return self.pressure_kpa - self.vapour_pressure_kpa

    @property
    def kelvin(self) -> float:
        """Return the absolute temperature."""
        return self.temperature_c + _KELVIN


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a standard allows its factor to be used. None means the standard sets no bound."""

    temperature_c: tuple[float, float] | None = None
    dry_pressure_kpa: tuple[float, float] | None = None
    factor: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A factor with the standard it belongs to and whatever the standard objects to."""

    standard: str  # key of the row
    factor: float
    outside: tuple[str, ...] = ()  # limits of the standard that this air breaks

    @property
    def within_limits(self) -> bool:
        """Return True when the standard allows this factor to be published."""
        return not self.outside


@dataclass(frozen=True, slots=True)
class CorrectionStandard:
    """One row of the table."""

    key: str
    title: str
    edition: str
    reference: Air  # the factor is 1 here
    formula: Callable[[Air], float]
    limits: Limits = Limits()

    def correct(self, air: Air) -> Correction:
        """Return the factor for *air*, with the limits it breaks.

        Raises ValueError when the air is not air (not finite, no dry pressure left).
        """
        _require_air(air)
        factor = self.formula(air)
        return Correction(self.key, factor, tuple(_broken(self.limits, air, factor)))


def _require_air(air: Air) -> None:
    values = (air.pressure_kpa, air.temperature_c, air.humidity_pct)
    names = ("pressure_kpa", "temperature_c", "humidity_pct")
    for name, value in zip(names, values, strict=True):
        if not math.isfinite(value):
            raise ValueError(f"{name} is not a number, so there is no power correction.")
    if air.kelvin <= 0.0 or not 0.0 <= air.humidity_pct <= 100.0 or air.dry_pressure_kpa <= 0.0:
        raise ValueError(
            f"{air.pressure_kpa:g} kPa, {air.temperature_c:g} °C and {air.humidity_pct:g} % "
            "humidity cannot be the air at a dyno. Check the weather channels."
        )


def _broken(limits: Limits, air: Air, factor: float) -> list[str]:
    checks = (
        ("temperature", air.temperature_c, limits.temperature_c, "°C"),
        ("dry pressure", air.dry_pressure_kpa, limits.dry_pressure_kpa, "kPa"),
        ("factor", factor, limits.factor, ""),
    )
    return [
        f"{what} {value:.3g} {unit}".rstrip() + f" outside {bound[0]:g} to {bound[1]:g}"
        for what, value, bound, unit in checks
        if bound is not None and not bound[0] <= value <= bound[1]
    ]


def _uncorrected(_air: Air) -> float:
    return 1.0


def _sae_j1349(air: Air) -> float:
    # 0.85 mechanical efficiency: friction does not shrink with the air, so the indicated factor
    # is stretched by 1/0.85 = 1.176. Texts before 2004 round it to 1.180 and 0.180.
    indicated = 99.0 / air.dry_pressure_kpa * math.sqrt(air.kelvin / 298.15)
    return 1.176 * indicated - 0.176


def _sae_j607(air: Air) -> float:
    return 101.325 / air.dry_pressure_kpa * math.sqrt(air.kelvin / _SIXTY_FAHRENHEIT_K)


def _din_70020(air: Air) -> float:
    return 101.325 / air.pressure_kpa * math.sqrt(air.kelvin / 293.15)


def _iso_1585(air: Air) -> float:
    return float((99.0 / air.dry_pressure_kpa) ** 1.2 * (air.kelvin / 298.15) ** 0.6)


_AIR_25C_99KPA = Air(99.0, 25.0)
_ISO_LIMITS = Limits((15.0, 35.0), (80.0, 110.0), (0.93, 1.07))

CORRECTION_STANDARDS: dict[str, CorrectionStandard] = {
    row.key: row
    for row in (
        CorrectionStandard("none", "Uncorrected", "", _AIR_25C_99KPA, _uncorrected),
        CorrectionStandard(
            "sae_j1349",
            "SAE",
            "SAE J1349 (2004 and later), 25 °C, 99 kPa dry",
            _AIR_25C_99KPA,
            _sae_j1349,
            Limits((15.0, 35.0), (90.0, 105.0), (0.93, 1.07)),
        ),
        CorrectionStandard(
            "std_j607",
            "STD",
            "SAE J607, 60 °F, 29.92 inHg dry",
            Air(101.325, _SIXTY_FAHRENHEIT_K - _KELVIN),
            _sae_j607,
        ),
        CorrectionStandard(
            "din_70020", "DIN", "DIN 70020, 20 °C, 101.325 kPa", Air(101.325, 20.0), _din_70020
        ),
        CorrectionStandard(
            "iso_1585", "ISO", "ISO 1585, 25 °C, 99 kPa dry", _AIR_25C_99KPA, _iso_1585, _ISO_LIMITS
        ),
        CorrectionStandard(
            "eec_80_1269",
            "EEC",
            "80/1269/EEC as amended, and ECE R85, 25 °C, 99 kPa dry",
            _AIR_25C_99KPA,
            _iso_1585,
            _ISO_LIMITS,
        ),
        CorrectionStandard(
            "jis_d1001",
            "JIS",
            "JIS D 1001 (1993 and later, ISO 1585 form), 25 °C, 99 kPa dry",
            _AIR_25C_99KPA,
            _iso_1585,
            _ISO_LIMITS,
        ),
    )
}
"""Every standard a tuner can choose, by the key that is stored with a result."""
