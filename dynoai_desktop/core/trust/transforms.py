"""Linear changes of unit between a source and its canonical channel, by name."""

from __future__ import annotations

from dataclasses import dataclass

from dynoai_desktop.core.units import Unit, base_unit, linear


@dataclass(frozen=True, slots=True)
class Transform:
    """A linear change of unit: ``canonical = source * gain + offset``."""

    name: str = "identity"
    gain: float = 1.0
    offset: float = 0.0

    def apply(self, value: float) -> float:
        """Return a source value in the canonical unit.

        >>> Transform("volts", gain=3.0, offset=7.5).apply(2.0)
        13.5
        """
        return value * self.gain + self.offset


IDENTITY = Transform()

_SHORT: dict[Unit, str] = {
    Unit.NEWTON_METRE: "nm",
    Unit.POUND_FOOT: "ftlb",
    Unit.KILOWATT: "kw",
    Unit.HORSEPOWER: "hp",
    Unit.CELSIUS: "c",
    Unit.FAHRENHEIT: "f",
    Unit.NEWTON: "n",
    Unit.LBF: "lbf",
    Unit.KMH: "kmh",
    Unit.MPH: "mph",
    Unit.METRE: "m",
    Unit.FOOT: "ft",
    Unit.KMH_PER_S: "kmh_s",
    Unit.MPH_PER_S: "mph_s",
    Unit.GRAVITY: "g",
    Unit.KILOPASCAL: "kpa",
    Unit.PSI: "psi",
    Unit.INCH_MERCURY: "inhg",
    Unit.RPM: "rpm",
    Unit.KILO_RPM: "krpm",
    Unit.RPM_PER_KMH: "rpm_per_kmh",
    Unit.RPM_PER_MPH: "rpm_per_mph",
    Unit.SECOND: "s",
    Unit.MILLISECOND: "ms",
}


def between(source: Unit, target: Unit) -> Transform:
    """Return the transform from *source* to *target*; identity when no source unit is known.

    Raises ValueError when the two do not measure the same quantity.

    >>> between(Unit.HORSEPOWER, Unit.KILOWATT).name
    'hp_to_kw'
    """
    if source is target or source is Unit.NONE or target is Unit.NONE:
        return IDENTITY
    gain, offset = linear(source, target)
    return Transform(f"{_SHORT[source]}_to_{_SHORT[target]}", gain, offset)


_PAIRS: dict[str, tuple[Unit, Unit]] = {
    between(source, target).name: (source, target)
    for source in _SHORT
    for target in _SHORT
    if source is not target and base_unit(source) is base_unit(target)
}
NAMED: dict[str, Transform] = {
    "identity": IDENTITY,
    **{name: between(*pair) for name, pair in _PAIRS.items()},
}
"""Every transform that a mapping document may name."""


def source_unit(name: str) -> Unit:
    """Return the unit that a named transform starts from. Raises KeyError for other names.

    >>> source_unit("hp_to_kw")
    <Unit.HORSEPOWER: 'hp'>
    """
    return _PAIRS[name][0]
