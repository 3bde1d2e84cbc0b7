"""One surface as the map, its cross-section and the clipboard take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import CHANNELS
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.wording import in_units, number

F64 = NDArray[np.float64]
Fact = tuple[str, str]  # what, figure
Z_95 = 1.96

# Decimals in a cell and beside the map; a wideband is good for a hundredth of lambda.
_DECIMALS: dict[str, tuple[int, int]] = {
    Unit.LAMBDA.value: (2, 3),
    Unit.AFR.value: (1, 2),
    Unit.PERCENT.value: (1, 1),
    Unit.DEGREE.value: (1, 1),
    Unit.KILOPASCAL.value: (0, 1),
    Unit.PSI.value: (1, 2),
    Unit.INCH_MERCURY.value: (1, 1),
}
# A scale that stretched over less would make noise look like a fault.
_LEAST_HALF: dict[str, float] = {Unit.LAMBDA.value: 0.05, Unit.AFR.value: 0.5, "%": 5.0}


class Shade(StrEnum):
    """How values become colours."""

    DIVERGING = "diverging"  # around zero: blue rich, orange lean
    RAMP = "ramp"  # from low to high, one hue


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A grid with its meaning. Arrays are ``[rpm][load]`` in *unit*; NaN is no data."""

    key: str
    title: str
    about: str
    cylinder: str  # front, rear, both; "" where it has none
    rpm: Axis
    load: Axis
    values: F64
    unit: Unit
    shade: Shade
    se: F64 | None = None  # one standard error of the value
    hits: F64 | None = None
    unit_text: str = ""  # instead of the unit
    high: str = ""  # what the upper and the lower end of a diverging scale mean
    low: str = ""
    signed: bool = False
    marks: NDArray[np.str_] | None = None  # one letter in the corner of a cell, "" for none
    facts: Callable[[int, int, Look], tuple[Fact, ...]] = lambda _i, _j, _look: ()
    nothing: str = "No cell has enough hits for a value"  # where no cell has one
    absent: str = "no data"  # of a single cell
    copied: F64 | None = None  # what goes to the clipboard where more is known than is drawn

    @property
    def grid(self) -> CellGrid:
        """Return the values with their axes, in the unit they are held in."""
        return CellGrid(self.rpm, self.load, self.values)

    def box(self) -> tuple[slice, slice]:
        """Return the smallest part of the table that holds all data; all of it without any."""
        known = np.isfinite(self.values)
        rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
        if not rows.size:
            return slice(0, len(self.rpm)), slice(0, len(self.load))
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A sheet in the tuner's units: values, one standard error, and how they are printed."""

    values: F64
    se: F64 | None
    unit: str
    cell_decimals: int
    decimals: int
    signed: bool

    def text(self, value: float, decimals: int | None = None) -> str:
        """Return a value, with its sign where a sign means something."""
        places = self.decimals if decimals is None else decimals
        said = number(value, places)
        plus = self.signed and np.isfinite(value) and round(float(value), places) > 0
        return f"+{said}" if plus else said

    def with_unit(self, text: str) -> str:
        """Return *text* with the unit behind it."""
        return f"{text} {self.unit}" if self.unit else text


def shown(sheet: Sheet, look: Look) -> Shown:
    """Return *sheet* as it is printed with these display units."""
    if sheet.unit_text:
        return Shown(sheet.values, sheet.se, sheet.unit_text, 1, 2, sheet.signed)
    _, unit = in_units(0.0, sheet.unit, look.display)
    zero, one = (in_units(x, sheet.unit, look.display)[0] for x in (0.0, 1.0))
    gain = one - zero
    cell, decimals = _DECIMALS.get(unit.value, (1, 2))
    se = None if sheet.se is None else sheet.se * abs(gain)
    return Shown(zero + sheet.values * gain, se, unit.value, cell, decimals, sheet.signed)


def scale_of(sheet: Sheet, view: Shown) -> tuple[float, float]:
    """Return the values at the lower and the upper end of the colour scale.

    A diverging scale is symmetric, so that the quiet middle is right.
    """
    known = view.values[np.isfinite(view.values)]
    if sheet.shade is Shade.DIVERGING:
        most = float(np.percentile(np.abs(known), 98)) if known.size else 0.0
        half = nice_above(max(most, _LEAST_HALF.get(view.unit, 0.0), 1e-9))
        return -half, half
    if not known.size:
        return 0.0, 1.0
    low, high = (float(x) for x in np.percentile(known, (1, 99)))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def nice_above(value: float) -> float:
    """Return the next of 1, 2, 3, 5 times a power of ten that is not below *value*.

    >>> nice_above(0.042), nice_above(2.0), nice_above(7.0)
    (0.05, 2.0, 10.0)
    """
    power = 10.0 ** np.floor(np.log10(value))
    steps = (1.0, 2.0, 3.0, 5.0, 10.0)
    step = next((s for s in steps if s * power >= value * (1 - 1e-9)), 10.0)
    return float(f"{step * power:.6g}")


def axis_texts(axis: Axis, look: Look) -> list[str]:
    """Return the nodes of an axis as labels in the tuner's units."""
    values = [look.display.value(node, axis.unit) for node in axis.nodes]
    decimals = 0 if all(abs(v - round(v)) < 0.05 for v in values) else 1
    return [number(value, decimals) for value in values]


def axis_title(axis: Axis, look: Look) -> str:
    """Return name and unit of an axis."""
    return f"{CHANNELS[axis.channel].title}, {look.display.unit(axis.unit).value}"


def place_text(sheet: Sheet, cell: tuple[int, int], look: Look) -> str:
    """Return where a cell is, in words."""
    i, j = cell
    rpm, load = axis_texts(sheet.rpm, look)[i], axis_texts(sheet.load, look)[j]
    return f"{rpm} rpm · {load} {look.display.unit(sheet.load.unit).value}"


def cell_facts(sheet: Sheet, cell: tuple[int, int], look: Look) -> tuple[Fact, ...]:
    """Return the figures of one cell: value, interval, hits, and what the sheet adds."""
    i, j = cell
    view = shown(sheet, look)
    value = float(view.values[i, j])
    facts: list[Fact] = []
    if np.isfinite(value):
        facts.append((sheet.title, view.with_unit(view.text(value))))
        if view.se is not None and np.isfinite(view.se[i, j]):
            half = Z_95 * float(view.se[i, j])
            low, high = view.text(value - half), view.text(value + half)
            facts.append(("95 % interval", f"{low} … {high}"))
    else:
        facts.append((sheet.title, sheet.absent))
    if sheet.hits is not None:
        facts.append(("Hits", number(float(sheet.hits[i, j]), 1)))
    return (*facts, *sheet.facts(i, j, look))
