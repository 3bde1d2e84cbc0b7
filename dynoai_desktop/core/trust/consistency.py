"""Power, torque, engine speed, force and road speed belong together by physics.

Two identities hold whatever the engine: power is torque times engine speed, and power is drum
force times drum speed. A constant factor other than one is therefore a unit that is not the
announced one, and the factor says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from dynoai_desktop.core.trust.signals import FEWEST_POINTS, Array
from dynoai_desktop.core.units import Unit, linear

CLOSE = 0.1  # the two sides may differ by this much: clocks, rounding, correction
STEADY = 0.1  # a ratio that scatters more is not a matter of units
_TELLING = 0.04  # how near a ratio has to be to the one that a mistake gives


@dataclass(frozen=True, slots=True)
class Ratio:
    """How two sides of an identity compare over time."""

    middle: float  # median
    scatter: float  # half the range of the middle half, relative to the median

    @property
    def steady(self) -> bool:
        """Return True when the factor is constant."""
        return self.scatter < STEADY

    @property
    def agrees(self) -> bool:
        """Return True when the identity holds."""
        return self.steady and abs(self.middle - 1) <= CLOSE


def shaft_ratio(power_kw: Array, torque_nm: Array, rpm: Array) -> Ratio | None:
    """Return power / (torque × rpm / 9549.3), taken where torque is above 27 N·m (20 lb·ft).

    P[kW] = T[N·m] · 2π · n[1/min] / 60000, hence 60000 / 2π = 9549.3. None with less than a
    second of such data.

    >>> ones = np.ones(40)
    >>> round(shaft_ratio(50.0 * ones, 119.3662 * ones, 4000.0 * ones).middle, 4)
    1.0
    """
    loaded = (torque_nm > 27.0) & (rpm > 500.0)
    return _ratio(power_kw, torque_nm * rpm / 9549.3, loaded)


def drum_ratio(power_kw: Array, force_n: Array, speed_kmh: Array) -> Ratio | None:
    """Return power / (force × speed / 3600), taken where the drum is driven.

    P[kW] = F[N] · v[km/h] / 3600. None with less than a second of such data.

    >>> ones = np.ones(40)
    >>> round(drum_ratio(60.0 * ones, 2160.0 * ones, 100.0 * ones).middle, 4)
    1.0
    """
    known = force_n[np.isfinite(force_n)]
    most = float(np.max(known)) if len(known) else 0.0
    return _ratio(power_kw, force_n * speed_kmh / 3600.0, (force_n > 0.2 * most) & (speed_kmh > 15))


def _ratio(left: Array, right: Array, use: np.ndarray) -> Ratio | None:
    use = use & np.isfinite(left) & np.isfinite(right)
    if np.count_nonzero(use) < FEWEST_POINTS:
        return None
    low, middle, high = np.percentile(left[use] / right[use], (25, 50, 75))
    if not middle > 0:
        return Ratio(float(middle), float("inf"))
    return Ratio(float(middle), float(high - low) / 2 / float(middle))


@dataclass(frozen=True, slots=True)
class Units:
    """The units that the two sides of an identity would have to be in for one ratio."""

    ratio: float
    power: Unit
    others: tuple[Unit, ...]  # torque; or force and speed

    def words(self, names: tuple[str, ...]) -> str:
        """Return the units in words: "power is in hp, torque in lb·ft"."""
        units = (self.power, *self.others)
        parts = [f"{name} in {unit.value}" for name, unit in zip(names, units, strict=True)]
        return "the values fit " + ", ".join(parts)


def _ways(*others: tuple[Unit, Unit]) -> tuple[Units, ...]:
    ways = []
    for power, *rest in product((Unit.KILOWATT, Unit.HORSEPOWER), *others):
        ratio = linear(Unit.KILOWATT, power)[0]
        for unit, (base, _) in zip(rest, others, strict=True):
            ratio /= linear(base, unit)[0]
        ways.append(Units(ratio, power, tuple(rest)))
    return tuple(ways)


SHAFT_UNITS = _ways((Unit.NEWTON_METRE, Unit.POUND_FOOT))
DRUM_UNITS = _ways((Unit.NEWTON, Unit.LBF), (Unit.KMH, Unit.MPH))


def units_of(ratio: Ratio, ways: tuple[Units, ...]) -> tuple[Units, ...]:
    """Return the unit combinations that explain *ratio*, nearest first; none when unsteady.

    hp with N·m and kW with lb·ft differ by one part in a hundred: both are returned.

    >>> [u.words(("power", "torque")) for u in units_of(Ratio(1.82, 0.01), SHAFT_UNITS)]
    ['the values fit power in hp, torque in lb·ft']
    """
    if not ratio.steady:
        return ()
    near = [u for u in ways if abs(ratio.middle / u.ratio - 1) < _TELLING]
    return tuple(sorted(near, key=lambda u: abs(ratio.middle / u.ratio - 1)))
