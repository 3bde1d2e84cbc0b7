"""Which curves the strip charts show: one row of LANES each, and how their axes are ruled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit


@dataclass(frozen=True, slots=True)
class Lane:
    """One chart: up to three channels of one unit, and the least range of its axis."""

    title: str
    unit: Unit
    channels: tuple[Channel, ...]
    least: tuple[float, float]  # always in view, in *unit*
    most: tuple[float, float] = (-math.inf, math.inf)  # never beyond: the rest is cut off


LANES = (
    Lane("rpm", Unit.RPM, (Channel.RPM,), (0.0, 6000.0)),
    Lane(
        "mixture",
        Unit.LAMBDA,
        (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR, Channel.LAMBDA),
        (0.75, 1.15),
        # Overrun and free air read far beyond and would flatten what matters.
        most=(0.6, 1.4),
    ),
    Lane("MAP", Unit.KILOPASCAL, (Channel.MAP,), (20.0, 105.0)),
    Lane("power", Unit.KILOWATT, (Channel.POWER,), (0.0, 40.0)),
)


@dataclass(frozen=True, slots=True)
class Ruler:
    """A range, and the round numbers inside it that are written on its axis."""

    low: float
    high: float
    ticks: tuple[float, ...]
    decimals: int  # that the ticks need


def ruler(low: float, high: float, most_ticks: int) -> Ruler:
    """Return a ruler that holds *low* to *high*, in steps of 1, 2 or 5 times a power of ten.

    The range ends on quarter steps, so that it stays put while a curve moves a little.

    >>> ruler(0.0, 5630.0, 3)
    Ruler(low=0.0, high=6000.0, ticks=(0.0, 2000.0, 4000.0, 6000.0), decimals=0)
    """
    rough = max(high - low, 1e-9) / most_ticks
    exponent = math.floor(math.log10(rough))
    step = next(k * 10.0**exponent for k in (1, 2, 5, 10) if k * 10.0**exponent >= rough * 0.8)
    quarter = step / 4
    start, end = (
        math.floor(low / quarter + 1e-9) * quarter,
        math.ceil(high / quarter - 1e-9) * quarter,
    )
    first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
    ticks = tuple(round(i * step, 10) for i in range(first, last + 1))
    return Ruler(round(start, 10), round(end, 10), ticks, max(0, -math.floor(math.log10(step))))


def lane_range(curves: Sequence[NDArray[np.float32]], lane: Lane) -> tuple[float, float]:
    """Return the lane's least range widened to every finite value of *curves*, up to its most."""
    low, high = lane.least
    for values in curves:
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return max(low, lane.most[0]), min(high, lane.most[1])
