"""Two widebands and two cylinders: is each sensor in the pipe that its name says?

Front and rear look alike, so a swap shows only against something that is known per cylinder: the
voltage input the sensor is wired to, what the ECU commands or injects into each cylinder, how the
two stood to each other before, or a test in which one cylinder is made to misfire.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dynoai_desktop.core.trust.signals import (
    Array,
    Signal,
    correlation,
    fit_line,
    median,
    span,
)


class Order(StrEnum):
    """What a comparison says about which sensor is which."""

    AS_NAMED = "as named"
    SWAPPED = "swapped"
    UNKNOWN = "unknown"


def identical(front: Array, rear: Array) -> bool:
    """Return True when both columns carry one signal; two sensors never agree to their noise.

    Lambda or AFR on a common grid. False while nothing moves.
    """
    both = np.isfinite(front) & np.isfinite(rear)
    if np.count_nonzero(both) < 40:
        return False
    level = abs(median(front[both]))
    if not span(front[both]) > 0.005 * level:
        return False
    gap = float(np.median(np.abs(front[both] - rear[both])))
    return gap < 0.0008 * level and correlation(front, rear) > 0.999


def order_by_wiring(front: Array, rear: Array, volts_1: Array, volts_2: Array) -> Order:
    """Compare the widebands with the voltage inputs 1 (front) and 2 (rear) they are read from."""
    straight = _misfit(volts_1, front) + _misfit(volts_2, rear)
    crossed = _misfit(volts_2, front) + _misfit(volts_1, rear)
    if crossed < 0.3 * straight:
        return Order.SWAPPED
    return Order.AS_NAMED if straight < 0.3 * crossed else Order.UNKNOWN


def _misfit(volts: Array, mixture: Array) -> float:
    line = fit_line(volts, mixture)
    return line.residual if line is not None else float("nan")


def order_by_command(front: Array, rear: Array, target_front: Array, target_rear: Array) -> Order:
    """Compare measured lambda with what the ECU commands for each cylinder, where that differs."""
    known = np.isfinite(front + rear + target_front + target_rear)
    if np.count_nonzero(known) < 100 or _rms((target_front - target_rear)[known]) < 0.01:
        return Order.UNKNOWN
    straight = _rms((front - target_front)[known]) + _rms((rear - target_rear)[known])
    crossed = _rms((front - target_rear)[known]) + _rms((rear - target_front)[known])
    if crossed < 0.6 * straight:
        return Order.SWAPPED
    return Order.AS_NAMED if straight < 0.6 * crossed else Order.UNKNOWN


def order_by_fuel(front: Array, rear: Array, fuel_front: Array, fuel_rear: Array) -> Order:
    """Compare how mixtures differ with how the fuel differs: more fuel in one makes it richer.

    Fuel is injector time or table VE per cylinder, both in the same unit. Needs the ratio of the
    two to change by a few per cent over the signal.
    """
    known = np.isfinite(front + rear + fuel_front + fuel_rear)
    known[known] &= (front > 0)[known] & (rear > 0)[known]
    known[known] &= (fuel_front > 0)[known] & (fuel_rear > 0)[known]
    if np.count_nonzero(known) < 100:
        return Order.UNKNOWN
    mixture = np.log(front[known] / rear[known])
    fuel = np.log(fuel_front[known] / fuel_rear[known])
    if span(fuel) < 0.02:
        return Order.UNKNOWN
    together = correlation(mixture, fuel)
    if together > 0.5:
        return Order.SWAPPED
    return Order.AS_NAMED if together < -0.5 else Order.UNKNOWN


def order_by_baseline(front: Array, rear: Array, offset: float, scatter: float) -> Order:
    """Compare front − rear with *offset*, its value (±*scatter*) when the sensors were right.

    Unknown when the two cylinders have always run too much alike to tell.
    """
    known = np.isfinite(front) & np.isfinite(rear)
    if np.count_nonzero(known) < 100 or abs(offset) < max(0.01, 3 * scatter):
        return Order.UNKNOWN
    now = float(np.median(front[known] - rear[known]))
    if abs(now + offset) < 0.4 * abs(offset):
        return Order.SWAPPED
    return Order.AS_NAMED if abs(now - offset) < 0.4 * abs(offset) else Order.UNKNOWN


@dataclass(frozen=True, slots=True)
class PlugLeadResult:
    """How far each wideband rose while one cylinder did not fire, in units of its own noise."""

    order: Order
    front_rise: float
    rear_rise: float


def plug_lead_test(
    front: Signal, rear: Signal, off_s: float, on_s: float, *, front_off: bool = True
) -> PlugLeadResult:
    """Tell which sensor is which from a cylinder that misfires between *off_s* and *on_s*.

    A cylinder without spark breathes out its air, so the wideband in its pipe goes lean. Times
    are those of the signals; leave the lead off for at least five seconds. The first second and
    a half is not used: gas and sensor need it.
    """
    front_rise, rear_rise = (_rise(signal, off_s, on_s) for signal in (front, rear))
    right, wrong = (front_rise, rear_rise) if front_off else (rear_rise, front_rise)
    order = Order.UNKNOWN
    if right > 5.0 and right > 3 * abs(wrong):
        order = Order.AS_NAMED
    elif wrong > 5.0 and wrong > 3 * abs(right):
        order = Order.SWAPPED
    return PlugLeadResult(order, front_rise, rear_rise)


def _rise(signal: Signal, off_s: float, on_s: float) -> float:
    finite = np.isfinite(signal.value)
    before = signal.value[finite & (signal.time_s < off_s)]
    during = signal.value[finite & (signal.time_s > off_s + 1.5) & (signal.time_s < on_s)]
    if len(before) < 10 or len(during) < 10:
        return 0.0
    noise = max(float(np.std(before)), 0.005 * abs(float(np.median(before))), 1e-9)
    return (float(np.median(during)) - float(np.median(before))) / noise


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))
