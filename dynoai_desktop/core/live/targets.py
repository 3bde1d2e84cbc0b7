"""Target lambda of every cell: presets, edits, and tables pasted from elsewhere.

Targets are a CellGrid of lambda at the nodes of the map. Whatever cannot be understood is refused
with one sentence that says what to do, and the targets in force stay as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.tune.knowledge import LEAST_TARGET, MOST_TARGET, in_lambda
from dynoai_desktop.core.units import STOICH_AFR

_MOST_TEXT = 200_000  # characters; the largest table of any tune has a tenth of that
_LABEL_AGREES = 0.02  # of the axis' span


class TargetError(ValueError):
    """Targets cannot be used. The message is one sentence for the tuner."""


@dataclass(frozen=True, slots=True)
class TargetPreset:
    """Target lambda by manifold pressure, straight between the points and level beyond."""

    key: str
    title: str
    points: tuple[tuple[float, float], ...]  # kPa, lambda


TARGET_PRESETS: tuple[TargetPreset, ...] = (
    TargetPreset("street", "Street", ((60.0, 1.00), (75.0, 0.96), (90.0, 0.90), (100.0, 0.88))),
    TargetPreset("performance", "Performance", ((45.0, 1.00), (70.0, 0.92), (95.0, 0.86))),
    TargetPreset(
        "boost", "Boost", ((60.0, 1.00), (100.0, 0.87), (150.0, 0.82), (200.0, 0.79), (300.0, 0.76))
    ),
)


def preset_targets(key: str, rpm: Axis, load: Axis) -> CellGrid:
    """Return the targets of a preset on these axes. Raises KeyError for an unknown preset.

    On a throttle axis 80 % throttle stands for 100 kPa: beyond that a butterfly lets no more past.
    """
    preset = next((p for p in TARGET_PRESETS if p.key == key), None)
    if preset is None:
        raise KeyError(key)
    pressures = np.array(load.nodes)
    if load.channel is Channel.TPS:
        pressures = np.minimum(pressures / 80.0, 1.0) * 100.0
    kpa, targets = zip(*preset.points, strict=True)
    return CellGrid(rpm, load, np.tile(np.interp(pressures, kpa, targets), (len(rpm), 1)))


def with_target(targets: CellGrid, cells: Iterable[tuple[int, int]], value: float) -> CellGrid:
    """Return the targets with *value* (lambda) in *cells*. Raises TargetError for a bad value."""
    _require_plausible(np.array([value]))
    values = targets.values.copy()
    for cell in cells:
        values[cell] = value
    return CellGrid(targets.rpm, targets.load, values)


def paste_targets(
    targets: CellGrid,
    text: str,
    *,
    at: tuple[int, int] | None = None,
    stoich: float = STOICH_AFR["gasoline"],
) -> CellGrid:
    """Return the targets with a block of spreadsheet text pasted in.

    Rows are rpm, columns load, separated by tabs, semicolons or blanks, or by commas where the
    decimal sign is a dot; decimal commas are understood. Lambda and AFR are told apart by size;
    AFR is divided by *stoich*. The block is the whole table, with or without the labels of its
    axes, or, with *at*, a part of it from that cell (rpm index, load index) on. Raises TargetError.
    """
    block, corner = _numbers(text)
    rows, columns = targets.values.shape
    if at is None and block.shape == (rows + 1, columns + 1):
        _require_labels(block, targets)
        block = block[1:, 1:]
    elif corner:
        raise _no_number(corner, 0, 0)
    if at is None:
        if block.shape != (rows, columns):
            raise TargetError(
                f"The pasted table has {_shape(block.shape)}, the map {_shape((rows, columns))}. "
                "Copy the whole table, or choose the cell where a part of it begins."
            )
        at = (0, 0)
    end = (at[0] + block.shape[0], at[1] + block.shape[1])
    if min(at) < 0 or end[0] > rows or end[1] > columns:
        raise TargetError(
            f"The pasted table has {_shape(block.shape)} and does not fit from row {at[0] + 1}, "
            f"column {at[1] + 1} of a map with {_shape((rows, columns))}."
        )
    if not np.isfinite(block).all():
        raise TargetError("The pasted table has empty cells. Fill them or copy a smaller part.")
    values = targets.values.copy()
    values[at[0] : end[0], at[1] : end[1]] = _as_lambda(block, stoich)
    return CellGrid(targets.rpm, targets.load, values)


def targets_from(table: CellGrid, rpm: Axis, load: Axis) -> CellGrid:
    """Return a tune's lambda table read off at the nodes of these axes, level beyond its ends.

    Raises TargetError when the loads are of different kinds or a value is no target.
    """
    if table.load.channel is not load.channel:
        raise TargetError(
            f"The tune's target table goes by {table.load.channel.value}, the map by "
            f"{load.channel.value}. Choose a map with the tune's axes."
        )
    _require_plausible(table.values)
    across = np.array([np.interp(load.nodes, table.load.nodes, row) for row in table.values])
    values = np.array([np.interp(rpm.nodes, table.rpm.nodes, column) for column in across.T]).T
    return CellGrid(rpm, load, values)


def require_targets(targets: CellGrid, rpm: Axis, load: Axis) -> None:
    """Raise TargetError unless *targets* are plausible and on these axes."""
    if targets.rpm != rpm or targets.load != load:
        raise TargetError("The targets belong to other axes than the map. Read them off anew.")
    _require_plausible(targets.values)


def _numbers(text: str) -> tuple[NDArray[np.float64], str]:
    """Return the numbers of a table, and its first cell where that is a text such as RPM\\MAP."""
    if len(text) > _MOST_TEXT:
        raise TargetError("The pasted text is too long to be a target table.")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise TargetError("There is nothing to paste. Copy the cells of the table first.")
    split = _splitter(lines)
    rows = [split(line) for line in lines]
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise TargetError(
            f"The rows of the pasted table are not equally long ({min(widths)} to {max(widths)} "
            "cells). Copy a rectangle."
        )
    corner = rows[0][0] if _value(rows[0][0]) is None else ""
    if corner:
        rows[0][0] = ""
    numbers = [[_number(cell, i, j) for j, cell in enumerate(row)] for i, row in enumerate(rows)]
    return np.array(numbers), corner


class _Splitter:
    """Cuts lines into cells."""

    def __init__(self, pattern: str, keep_empty: bool) -> None:
        self._pattern = re.compile(pattern)
        self._keep_empty = keep_empty

    def __call__(self, line: str) -> list[str]:
        cells = [
            cell.strip() for cell in self._pattern.split(line if self._keep_empty else line.strip())
        ]
        # Excel ends no row with a separator, other programs do.
        return cells[:-1] if self._keep_empty and len(cells) > 1 and not cells[-1] else cells


def _splitter(lines: Sequence[str]) -> _Splitter:
    text = "\n".join(lines)
    if "\t" in text:
        return _Splitter(r"\t", keep_empty=True)
    if ";" in text:
        return _Splitter(";", keep_empty=True)
    if re.search(r"\S\s+\S", lines[-1].strip()):
        return _Splitter(r",?\s+", keep_empty=False)
    # 0.88,0.90 is two numbers; 0,88 alone on every line is one with a decimal comma.
    if "." not in text and all(line.count(",") <= 1 for line in lines):
        return _Splitter(r"\s+", keep_empty=False)
    return _Splitter(",", keep_empty=True)


def _number(cell: str, row: int, column: int) -> float:
    value = _value(cell)
    if value is None:
        raise _no_number(cell, row, column)
    return value


def _value(cell: str) -> float | None:
    """Return the number in a cell, NaN for an empty one, None for anything else."""
    text = cell.strip().strip("\"'").replace("λ", "").replace("\u00a0", "").strip()
    if not text:
        return math.nan
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _no_number(cell: str, row: int, column: int) -> TargetError:
    return TargetError(
        f"Row {row + 1}, column {column + 1} of the pasted table reads “{cell[:20]}”, which is "
        "no number. Copy the numbers alone."
    )


def _as_lambda(block: NDArray[np.float64], stoich: float) -> NDArray[np.float64]:
    found = in_lambda(block, stoich)
    if found is None:
        raise TargetError(
            f"The pasted values run from {block.min():g} to {block.max():g}. Targets are lambda, "
            f"{LEAST_TARGET:g} to {MOST_TARGET:g}, or AFR, {LEAST_TARGET * stoich:.1f} to "
            f"{MOST_TARGET * stoich:.1f}."
        )
    return found


def _require_labels(block: NDArray[np.float64], targets: CellGrid) -> None:
    for axis, labels in ((targets.rpm, block[1:, 0]), (targets.load, block[0, 1:])):
        nodes = np.array(axis.nodes)
        allowed = _LABEL_AGREES * (nodes[-1] - nodes[0])
        if not np.all(np.diff(labels) > 0.0):
            raise TargetError(
                f"The {axis.channel.value} labels of the pasted table do not increase. "
                "Sort the table or copy it without labels."
            )
        # Tables label rpm in thousands, too.
        if not any(np.allclose(labels * scale, nodes, atol=allowed) for scale in (1.0, 1000.0)):
            raise TargetError(
                f"The pasted table is for {axis.channel.value} {labels[0]:g} to {labels[-1]:g}, "
                f"the map has {nodes[0]:g} to {nodes[-1]:g}. Copy it without labels."
            )


def _require_plausible(values: NDArray[np.float64]) -> None:
    if not np.isfinite(values).all():
        raise TargetError("A target is not a number.")
    if values.min() < LEAST_TARGET or values.max() > MOST_TARGET:
        raise TargetError(
            f"A target of lambda {values.min() if values.min() < LEAST_TARGET else values.max():g} "
            f"is outside {LEAST_TARGET:g} to {MOST_TARGET:g}."
        )


def _shape(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} rows × {shape[1]} columns"
