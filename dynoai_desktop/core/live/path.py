"""Where the engine was: the last seconds of operating points, in cells, window by window.

A reading of the wideband belongs to the past, so the map is looked up there. Coordinates are
counted in nodes of the axes, 2.5 being midway between nodes 2 and 3. A coordinate heard only now
and then is drawn straight between its ticks once the next one is there, up to the age limit.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.samples import WINDOWS_PER_S

F64 = NDArray[np.float64]

KEPT = 64  # windows
LONGEST_GAP = WINDOWS_PER_S // 2  # windows drawn straight
_COORDINATES = 2  # rows of the table that are coordinates, before the extras


class Coordinate:
    """An axis as a ruler: values to nodes and back."""

    def __init__(self, axis: Axis) -> None:
        """Take an axis of at least two nodes. Raises ValueError otherwise."""
        if len(axis) < 2:
            raise ValueError(f"The {axis.channel.value} axis needs at least two nodes.")
        self._nodes = axis.nodes
        self._last = len(axis) - 2
        self.low = self.of(axis.edges[0])
        self.high = self.of(axis.edges[-1])

    def of(self, value: float) -> float:
        """Return *value* in nodes; beyond the outer nodes the outer spacing goes on.

        >>> from dynoai_desktop.core.axis import default_rpm_axis
        >>> Coordinate(default_rpm_axis()).of(1000.0)  # nodes at 250, 750, 1250 …
        1.5
        """
        nodes = self._nodes
        i = min(max(bisect_right(nodes, value) - 1, 0), self._last)
        return i + (value - nodes[i]) / (nodes[i + 1] - nodes[i])

    def value(self, place: float) -> float:
        """Return the value at *place*, the inverse of `of`."""
        i = min(max(int(place), 0), self._last)
        return self._nodes[i] + (place - i) * (self._nodes[i + 1] - self._nodes[i])


class Path:
    """A ring of windows. Rows 0 and 1 are rpm and load in nodes, the others go with them."""

    def __init__(self, extras: int, candidates: int) -> None:
        """Keep *extras* more signals per window; *candidates* delays are looked up at once."""
        # Written twice, so that any stretch of the ring is one unbroken slice.
        self._table = np.full((_COORDINATES + extras, 2 * KEPT), np.nan)
        self._newest: int | None = None
        self._ticks: list[int | None] = [None] * _COORDINATES
        self._candidates = candidates

    def push(
        self, index: int, rpm: float | None, load: float | None, extras: tuple[float, ...]
    ) -> None:
        """Append window *index*. None: the coordinate was not heard in this window.

        *extras* count for the window before as well: they come a window late (see Credits).
        """
        if self._newest is not None and index != self._newest + 1:
            self._table.fill(np.nan)
            self._ticks = [None] * _COORDINATES
        self._newest = index
        at = index % KEPT
        nan = np.nan
        column = (nan if rpm is None else rpm, nan if load is None else load, *extras)
        self._table[:, at] = column
        self._table[:, at + KEPT] = column
        before = (index - 1) % KEPT
        self._table[_COORDINATES:, before] = extras
        self._table[_COORDINATES:, before + KEPT] = extras
        for row, value in enumerate((rpm, load)):
            if value is None:
                continue
            tick = self._ticks[row]
            if tick is not None and 1 < index - tick <= LONGEST_GAP:
                self._bridge(row, tick, index)
            self._ticks[row] = index

    def _bridge(self, row: int, first: int, last: int) -> None:
        start, end = self._table[row, first % KEPT], self._table[row, last % KEPT]
        for index in range(first + 1, last):
            at = index % KEPT
            value = start + (index - first) / (last - first) * (end - start)
            self._table[row, at] = self._table[row, at + KEPT] = value

    @property
    def known(self) -> int | None:
        """Return the newest window in which both coordinates are known."""
        rpm, load = self._ticks
        return None if rpm is None or load is None else min(rpm, load)

    @property
    def newest(self) -> int | None:
        """Return the newest window."""
        return self._newest

    def before(self, index: int, shift: float) -> F64:
        """Return the table *shift* windows before window *index* and one window earlier each.

        Shape (2 + extras, candidates); the last column is the latest. NaN where unknown or
        forgotten.
        """
        whole = int(shift)
        share = shift - whole
        last = index - whole
        count = self._candidates
        if self._newest is None or self._newest - (last - count) >= KEPT:
            return np.full((self._table.shape[0], count), np.nan)
        start = (last - count) % KEPT
        part = self._table[:, start : start + count + 1]
        if share == 0.0:
            return part[:, 1:]
        found: F64 = part[:, 1:] * (1.0 - share) + part[:, :-1] * share
        return found
