"""Units: what the wire carries, what we compute in, what the tuner reads.

Inside the program every quantity is in the unit of the JETDRIVE wire (rpm, kPa, °C, kW, N·m,
N, km/h): SI as a dyno speaks it. Other units exist at the screen and in files only. Every
conversion is linear, ``base = value * gain + offset``, so means and units commute.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """A unit by the symbol a tuner reads."""

    NONE = ""
    SECOND = "s"
    MILLISECOND = "ms"
    METRE = "m"
    FOOT = "ft"
    KMH = "km/h"
    MPH = "mph"
    NEWTON = "N"
    LBF = "lbf"
    KILOWATT = "kW"
    HORSEPOWER = "hp"
    NEWTON_METRE = "N·m"
    POUND_FOOT = "lb·ft"
    CELSIUS = "°C"
    FAHRENHEIT = "°F"
    KILOPASCAL = "kPa"
    PSI = "psi"
    INCH_MERCURY = "inHg"
    RPM = "rpm"
    KILO_RPM = "rpm×1000"
    RPM_PER_KMH = "rpm/(km/h)"
    RPM_PER_MPH = "rpm/mph"
    KMH_PER_S = "(km/h)/s"
    MPH_PER_S = "mph/s"
    GRAVITY = "g"
    AFR = "AFR"
    LAMBDA = "λ"
    KG_PER_H = "kg/h"
    VOLT = "V"
    AMPERE = "A"
    PERCENT = "%"
    DEGREE = "°"


# JETDRIVE unit codes (spec 2.1.1). Codes not listed here mean "no unit stated".
WIRE_UNITS: dict[int, Unit] = {
    0: Unit.SECOND,
    1: Unit.METRE,
    2: Unit.KMH,
    3: Unit.NEWTON,
    4: Unit.KILOWATT,
    5: Unit.NEWTON_METRE,
    6: Unit.CELSIUS,
    7: Unit.KILOPASCAL,
    8: Unit.RPM,
    9: Unit.RPM_PER_KMH,
    10: Unit.KMH_PER_S,
    11: Unit.AFR,
    12: Unit.KG_PER_H,
    13: Unit.LAMBDA,
    14: Unit.VOLT,
    15: Unit.AMPERE,
    16: Unit.PERCENT,
}


@dataclass(frozen=True, slots=True)
class _Scale:
    base: Unit
    gain: float
    offset: float = 0.0


# One row per unit that is not its own base. Exact by definition: mile 1.609344 km, pound-force
# 4.4482216152605 N, mechanical horsepower 550 ft·lbf/s, inch of mercury 3.386389 kPa (0 °C).
_SCALES: dict[Unit, _Scale] = {
    Unit.MILLISECOND: _Scale(Unit.SECOND, 1e-3),
    Unit.FOOT: _Scale(Unit.METRE, 0.3048),
    Unit.MPH: _Scale(Unit.KMH, 1.609344),
    Unit.LBF: _Scale(Unit.NEWTON, 4.4482216152605),
    Unit.HORSEPOWER: _Scale(Unit.KILOWATT, 0.745699871582270),
    Unit.POUND_FOOT: _Scale(Unit.NEWTON_METRE, 1.3558179483314),
    Unit.FAHRENHEIT: _Scale(Unit.CELSIUS, 5 / 9, -160 / 9),
    Unit.PSI: _Scale(Unit.KILOPASCAL, 6.894757293168),
    Unit.INCH_MERCURY: _Scale(Unit.KILOPASCAL, 3.386389),
    Unit.KILO_RPM: _Scale(Unit.RPM, 1000.0),
    Unit.RPM_PER_MPH: _Scale(Unit.RPM_PER_KMH, 1 / 1.609344),
    Unit.MPH_PER_S: _Scale(Unit.KMH_PER_S, 1.609344),
    Unit.GRAVITY: _Scale(Unit.KMH_PER_S, 35.30394),
}


def base_unit(unit: Unit) -> Unit:
    """Return the unit we compute in for the same quantity.

    >>> base_unit(Unit.HORSEPOWER)
    <Unit.KILOWATT: 'kW'>
    """
    scale = _SCALES.get(unit)
    return scale.base if scale else unit


def linear(source: Unit, target: Unit) -> tuple[float, float]:
    """Return ``(gain, offset)`` with ``target_value = source_value * gain + offset``.

    Raises ValueError when the two units do not measure the same quantity. AFR and lambda differ
    by the fuel, not by a unit, and are refused here.

    >>> gain, offset = linear(Unit.FAHRENHEIT, Unit.CELSIUS)
    >>> round(212 * gain + offset, 9)
    100.0
    """
    if source is target:
        return 1.0, 0.0
    if base_unit(source) is not base_unit(target):
        raise ValueError(f"{source.value or 'no unit'} cannot be shown in {target.value}")
    into = _SCALES.get(source, _Scale(source, 1.0))
    out_of = _SCALES.get(target, _Scale(target, 1.0))
    return into.gain / out_of.gain, (into.offset - out_of.offset) / out_of.gain


def convert(value: float, source: Unit, target: Unit) -> float:
    """Return *value* in another unit of the same quantity.

    >>> round(convert(100.0, Unit.HORSEPOWER, Unit.KILOWATT), 4)
    74.57
    """
    gain, offset = linear(source, target)
    return value * gain + offset


class UnitSystem(StrEnum):
    """The tuner's choice of units on the screen."""

    US = "us"
    METRIC = "metric"


class MixtureScale(StrEnum):
    """How mixture is shown. Lambda is computed, AFR is lambda times the fuel's stoich."""

    AFR = "afr"
    LAMBDA = "lambda"


STOICH_AFR: dict[str, float] = {
    "gasoline": 14.7,
    "E10": 14.13,
    "E85": 9.765,
    "methanol": 6.46,
}
"""Stoichiometric air-fuel ratio by mass of the usual fuels (Heywood, table D.4; blends by mass)."""

_US: dict[Unit, Unit] = {
    Unit.KILOWATT: Unit.HORSEPOWER,
    Unit.NEWTON_METRE: Unit.POUND_FOOT,
    Unit.CELSIUS: Unit.FAHRENHEIT,
    Unit.KMH: Unit.MPH,
    Unit.NEWTON: Unit.LBF,
    Unit.METRE: Unit.FOOT,
    Unit.KMH_PER_S: Unit.MPH_PER_S,
    Unit.RPM_PER_KMH: Unit.RPM_PER_MPH,
}


@dataclass(frozen=True, slots=True)
class Display:
    """How values are shown: one object handed to every widget that prints a number."""

    system: UnitSystem = UnitSystem.US
    mixture: MixtureScale = MixtureScale.AFR
    stoich: float = STOICH_AFR["gasoline"]

    def unit(self, base: Unit) -> Unit:
        """Return the unit in which a value held in *base* is shown."""
        if base is Unit.LAMBDA:
            return Unit.AFR if self.mixture is MixtureScale.AFR else Unit.LAMBDA
        return _US.get(base, base) if self.system is UnitSystem.US else base

    def value(self, value: float, base: Unit) -> float:
        """Return *value*, held in *base*, as it is shown.

        >>> round(Display(mixture=MixtureScale.AFR, stoich=14.7).value(0.88, Unit.LAMBDA), 2)
        12.94
        """
        if base is Unit.LAMBDA:
            return value * self.stoich if self.mixture is MixtureScale.AFR else value
        return convert(value, base, self.unit(base))
