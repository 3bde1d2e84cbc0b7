"""Where everything of the rpm × load map lies, in widget pixels. Pure geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect

from dynoai_desktop.core.axis import Axis

_LEFT, _SCALE = 4.4, 5.9  # beside the columns: labels and colour scale, in type sizes


@dataclass(frozen=True, slots=True)
class MapLayout:
    """Pixel edges of the cells. Columns run with rpm to the right, rows with load upwards."""

    rpm: Axis
    load: Axis
    columns: tuple[int, ...]  # x of each rpm edge, increasing
    rows: tuple[int, ...]  # y of each load edge, decreasing
    scale_bar: QRect

    @classmethod
    def fit(cls, rpm: Axis, load: Axis, width: int, height: int, text_px: int) -> MapLayout:
        """Lay the map into *width* × *height*, leaving room for labels of *text_px*."""
        left, bottom = round(text_px * _LEFT), round(text_px * 2.9)
        scale_width = round(text_px * _SCALE)
        top = round(text_px * 0.8)
        columns = _edges(left, max(width - scale_width, left + len(rpm)), len(rpm))
        rows = _edges(max(height - bottom, top + len(load)), top, len(load))
        bar_top = top + round(text_px * 2.2)
        bar_x = columns[-1] + round(text_px * 1.1)
        bar = QRect(bar_x, bar_top, round(text_px * 1.5), max(rows[0] - bar_top, 1))
        return cls(rpm, load, columns, rows, bar)

    @staticmethod
    def room(width: int, text_px: int) -> int:
        """Return how many pixels the columns share in a map *width* wide."""
        return width - round(text_px * _LEFT) - round(text_px * _SCALE)

    def cell(self, i: int, j: int) -> QRect:
        """Return the pixels of cell ``[rpm i][load j]``, without the grid line around it."""
        x, y = self.columns[i], self.rows[j + 1]
        return QRect(x + 1, y + 1, self.columns[i + 1] - x - 1, self.rows[j] - y - 1)

    def grid(self) -> QRect:
        """Return the pixels of all cells."""
        x, y = self.columns[0], self.rows[-1]
        return QRect(x, y, self.columns[-1] - x + 1, self.rows[0] - y + 1)

    def point(self, rpm: float, load: float) -> QPointF | None:
        """Return where (*rpm*, *load*) lies, None off the map or for NaN."""
        x = _along(self.rpm, rpm, self.columns)
        y = _along(self.load, load, self.rows)
        return None if x is None or y is None else QPointF(x, y)


def _edges(first: int, last: int, cells: int) -> tuple[int, ...]:
    """Return ``cells + 1`` whole pixels from *first* to *last*, evenly spread."""
    return tuple(round(first + (last - first) * i / cells) for i in range(cells + 1))


def _along(axis: Axis, value: float, pixels: Sequence[int]) -> float | None:
    if not math.isfinite(value):
        return None
    i = axis.locate(value)
    if i is None:
        return None
    share = (value - axis.edges[i]) / (axis.edges[i + 1] - axis.edges[i])
    return pixels[i] + share * (pixels[i + 1] - pixels[i])
