"""A table on the clipboard, the way the program it is pasted into wants it.

Power Core pastes rows of rpm from low to high; TunerStudio shows load in the rows, the highest on
top. A tuning program that multiplies what is there by a percentage gets the change in percent:
+5 for a multiplier of 1.05. "Half of %" goes half the way, the habit where a wideband is not
trusted yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.tune.matrix_csv import cell_text
from dynoai_desktop.core.tune.tables import TuneError, number

F64 = NDArray[np.float64]


class Paste(StrEnum):
    """What the receiving program does with the numbers."""

    REPLACE = "replace"  # the values themselves
    MULTIPLY = "multiply"  # multipliers, 1.05
    MULTIPLY_PERCENT = "multiply_percent"  # change in percent, 5


@dataclass(frozen=True, slots=True)
class Layout:
    """Which way round a table is laid out."""

    rpm_rows: bool = True
    falling_rows: bool = False  # the highest row label on top
    axes: bool = False  # with labels in the first row and column


POWER_CORE = Layout(rpm_rows=True)
TUNERSTUDIO = Layout(rpm_rows=False, falling_rows=True)
SPREADSHEET = Layout(rpm_rows=True, axes=True)


def to_text(
    grid: CellGrid, layout: Layout, *, decimals: int = 4, paste: Paste = Paste.REPLACE
) -> str:
    """Return a grid as tab-separated text, NaN as an empty cell.

    For MULTIPLY and MULTIPLY_PERCENT the grid holds multipliers.
    """
    values = percent(grid.values) if paste is Paste.MULTIPLY_PERCENT else grid.values
    rows, columns = (grid.rpm, grid.load) if layout.rpm_rows else (grid.load, grid.rpm)
    values = values if layout.rpm_rows else values.T
    labels = [f"{node:g}" for node in rows.nodes]
    lines = [[cell_text(v, decimals) for v in row] for row in values]
    if layout.falling_rows:
        labels.reverse()
        lines.reverse()
    if layout.axes:
        lines = [[label, *line] for label, line in zip(labels, lines, strict=True)]
        lines.insert(0, ["", *(f"{node:g}" for node in columns.nodes)])
    return "\n".join("\t".join(line) for line in lines) + "\n"


def from_text(text: str, like: CellGrid, layout: Layout) -> F64:
    """Return the values of a pasted text on the axes of *like*, ``[rpm][load]``; blank is NaN.

    Raises TuneError when the text has another shape, other axes, or a cell that is no number.
    """
    rows, columns = (like.rpm, like.load) if layout.rpm_rows else (like.load, like.rpm)
    lines = [line.split("\t") for line in text.replace("\r\n", "\n").strip("\n").split("\n")]
    if layout.axes:
        expected = [f"{node:g}" for node in rows.nodes]
        head, lines = lines[0][1:], lines[1:]
        labels = [line[0] for line in lines]
        lines = [line[1:] for line in lines]
        wanted = expected[::-1] if layout.falling_rows else expected
        if not _same(head, [f"{x:g}" for x in columns.nodes]) or not _same(labels, wanted):
            raise TuneError("The axes of the pasted table are not those of this table.")
    if len(lines) != len(rows) or any(len(line) != len(columns) for line in lines):
        width = max(map(len, lines), default=0)
        raise TuneError(
            f"The pasted table is {len(lines)} × {width}, this one {len(rows)} × {len(columns)}."
        )
    if layout.falling_rows:
        lines.reverse()
    values = np.array([[_cell(cell) for cell in line] for line in lines])
    return values if layout.rpm_rows else np.ascontiguousarray(values.T)


def percent(multipliers: F64) -> F64:
    """Return multipliers as change in percent.

    >>> percent(np.array([1.05, 0.9])).round(6).tolist()
    [5.0, -10.0]
    """
    change: F64 = (multipliers - 1.0) * 100.0
    return change


def multiplied_by_percent(values: F64, change_pct: F64, *, half: bool = False) -> F64:
    """Return *values* changed by a percentage, or by half of it; NaN changes nothing.

    >>> multiplied_by_percent(np.array([80.0, 80.0]), np.array([5.0, np.nan]), half=True).tolist()
    [82.0, 80.0]
    """
    share = np.where(np.isfinite(change_pct), change_pct, 0.0) / (200.0 if half else 100.0)
    changed: F64 = values * (1.0 + share)
    return changed


def _same(texts: list[str], expected: list[str]) -> bool:
    found = [number(text) for text in texts]
    return len(found) == len(expected) and bool(
        np.allclose(found, [number(text) for text in expected])
    )


def _cell(text: str) -> float:
    if not text.strip():
        return np.nan
    value = number(text)
    if np.isnan(value):
        raise TuneError(f"“{text[:30]}” in the pasted table is not a number.")
    return value
