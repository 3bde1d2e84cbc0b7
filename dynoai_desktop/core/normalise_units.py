"""The unit of a column that does not state one, judged from its values.

A unit is accepted without doubt where the values can hardly be in any other (an engine does not
turn at 5 rpm); where two fit, the likelier is returned with `sure=False` and the reader tells the
tuner. Quantities whose values tell nothing (speed, force, distance) get no unit at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.units import Unit, convert

Values = NDArray[np.float64] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Guess:
    """A unit for a column: ``value_in_unit = value * gain``; *sure* False when another fits."""

    unit: Unit
    sure: bool = True
    gain: float = 1.0


_RPM = frozenset({Channel.RPM, Channel.RPM_2, Channel.RPM_DRUM})
_FIXED = frozenset({Unit.DEGREE, Unit.VOLT, Unit.PERCENT, Unit.NONE})

# Warm engine, intake air and workshop: centre and spread in °C. Wide enough for an air-cooled
# twin in summer and a water-cooled car in winter.
_TEMPERATURES: dict[Channel, tuple[float, float]] = {
    Channel.ECT: (95.0, 20.0),
    Channel.IAT: (35.0, 15.0),
    Channel.AMBIENT: (23.0, 8.0),
}
TEMPERATURES = frozenset(_TEMPERATURES)
_CLEARLY = 4.0  # difference of two squared distances beyond which one unit is out of question

MIXTURES = frozenset(c for c, spec in CHANNELS.items() if spec.unit in (Unit.AFR, Unit.LAMBDA))

# torque × rpm / power for each pair of units: 2π/60 between N·m and W, 5252.1 by the definitions
# of the horsepower and the pound-foot.
_TORQUE_POWER: dict[tuple[Unit, Unit], float] = {
    (Unit.POUND_FOOT, Unit.HORSEPOWER): 5252.11,
    (Unit.NEWTON_METRE, Unit.KILOWATT): 9549.30,
    (Unit.NEWTON_METRE, Unit.HORSEPOWER): 7120.91,
}
_SAME_RATIO = 0.05


def guess_unit(channel: Channel, values: Values) -> Guess | None:
    """Return the unit of *values*, known to be *channel*, or None when they do not tell.

    >>> guess_unit(Channel.RPM, np.array([0.9, 5.348]))
    Guess(unit=<Unit.KILO_RPM: 'rpm×1000'>, sure=True, gain=1.0)
    """
    finite = values[np.isfinite(values)]
    spec = CHANNELS[channel]
    if channel is Channel.TPS:
        return _throttle(finite)
    if spec.unit in _FIXED:
        return Guess(spec.unit)
    if finite.size == 0:
        return None
    top = float(finite.max())
    if channel in _RPM:
        return Guess(Unit.KILO_RPM if 0 < top < 30 else Unit.RPM)
    if channel is Channel.MAP:
        return _manifold(top)
    if channel is Channel.BARO:
        return _barometer(float(np.median(finite)))
    if channel in MIXTURES:
        return _mixture(finite)
    if spec.unit is Unit.MILLISECOND:
        return _injector(top)
    return None


def _throttle(finite: Values) -> Guess:
    """Return per cent, or a fraction where the throttle reaches 1.0 and stops there."""
    fraction = finite.size > 0 and 0.9 <= finite.max() <= 1.0 and finite.min() >= 0
    if fraction and np.unique(finite).size >= 20:
        return Guess(Unit.PERCENT, sure=False, gain=100.0)
    return Guess(Unit.PERCENT)


def _manifold(top: float) -> Guess | None:
    if top <= 0:
        return None
    if top <= 4:
        return Guess(Unit.KILOPASCAL, gain=100.0)  # bar
    if top <= 22:
        return Guess(Unit.PSI, sure=False)
    if top <= 33:
        return Guess(Unit.INCH_MERCURY, sure=False)
    return Guess(Unit.KILOPASCAL)


def _barometer(middle: float) -> Guess | None:
    for low, high, unit, gain in (
        (60, 119, Unit.KILOPASCAL, 1.0),
        (20, 33, Unit.INCH_MERCURY, 1.0),
        (9, 17, Unit.PSI, 1.0),
        (600, 1190, Unit.KILOPASCAL, 0.1),  # hPa
        (0.6, 1.19, Unit.KILOPASCAL, 100.0),  # bar
    ):
        if low <= middle <= high:
            return Guess(unit, gain=gain)
    return None


def _mixture(finite: Values) -> Guess | None:
    """Return AFR or lambda by the middle of the values; zeros are "no reading" and left aside."""
    alive = finite[finite > 0]
    if alive.size == 0:
        return None
    middle = float(np.median(alive))
    if 5 <= middle <= 35:
        return Guess(Unit.AFR)
    if 0.4 <= middle <= 2.4:
        return Guess(Unit.LAMBDA)
    return None


def _injector(top: float) -> Guess | None:
    if top <= 0:
        return None
    if top < 0.2:
        return Guess(Unit.SECOND)
    if top > 200:
        return Guess(Unit.MILLISECOND, gain=1e-3)  # microseconds
    return Guess(Unit.MILLISECOND)


def guess_temperatures(columns: Mapping[Channel, Values]) -> Guess | None:
    """Return °C or °F for all temperatures of a file together, or None without any.

    One program writes all its temperatures in one unit, so a warm engine decides for the air.

    >>> guess_temperatures({Channel.ECT: np.array([180.0, 200.0]), Channel.IAT: np.array([50.0])})
    Guess(unit=<Unit.FAHRENHEIT: '°F'>, sure=True, gain=1.0)
    """
    distance = dict.fromkeys((Unit.CELSIUS, Unit.FAHRENHEIT), 0.0)
    seen = False
    for channel, values in columns.items():
        finite = values[np.isfinite(values)]
        if channel not in _TEMPERATURES or not finite.size:
            continue
        seen = True
        centre, spread = _TEMPERATURES[channel]
        for unit in distance:
            middle_c = convert(float(np.median(finite)), unit, Unit.CELSIUS)
            distance[unit] += ((middle_c - centre) / spread) ** 2
    if not seen:
        return None
    celsius, fahrenheit = distance[Unit.CELSIUS], distance[Unit.FAHRENHEIT]
    unit = Unit.CELSIUS if celsius <= fahrenheit else Unit.FAHRENHEIT
    return Guess(unit, sure=abs(celsius - fahrenheit) > _CLEARLY)


def guess_torque_power(rpm: Values, torque: Values, power: Values) -> tuple[Unit, Unit] | None:
    """Return the units of torque and power that make them agree with *rpm* (in rpm), or None.

    >>> guess_torque_power(np.array([5252.0]), np.array([100.0]), np.array([100.0]))
    (<Unit.POUND_FOOT: 'lb·ft'>, <Unit.HORSEPOWER: 'hp'>)
    """
    use = np.isfinite(rpm) & np.isfinite(torque) & np.isfinite(power)
    use &= (rpm > 100) & (torque > 0) & (power > 0)
    if not use.any():
        return None
    ratio = float(np.median(torque[use].astype(float) * rpm[use] / power[use]))
    for units, expected in _TORQUE_POWER.items():
        if abs(ratio / expected - 1) <= _SAME_RATIO:
            return units
    return None


def guess_time(step: float) -> Guess:
    """Return seconds or milliseconds for a time column by its median step.

    Loggers write 1 to 1000 rows a second: a step of 5 and more is milliseconds, one below 0.5
    seconds; between them both are possible and seconds are the more common.

    >>> guess_time(0.05).unit, guess_time(50.0).unit, guess_time(1.0).sure
    (<Unit.SECOND: 's'>, <Unit.MILLISECOND: 'ms'>, False)
    """
    if step >= 5:
        return Guess(Unit.MILLISECOND)
    return Guess(Unit.SECOND, sure=step < 0.5)
