"""Axes and the grids that travel with them.

An Axis knows its nodes (where a table is defined) and its edges (where one cell ends and the
next begins), so a value is put into the same cell by every part of the program. A cell is
half-open: a value on an edge belongs to the cell above it; a value outside the outermost edges
belongs to no cell, it is never moved to the border.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a table: strictly increasing nodes, and the edges of their cells."""

    channel: Channel
    unit: Unit
    nodes: tuple[float, ...]
    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse an axis that cannot place a value: raises ValueError with the reason."""
        if len(self.nodes) < 1 or len(self.edges) != len(self.nodes) + 1:
            raise ValueError("an axis needs at least one node and one edge more than nodes")
        if not all(math.isfinite(x) for x in (*self.nodes, *self.edges)):
            raise ValueError(f"the {self.channel.value} axis holds a value that is not a number")
        for kind, values in (("nodes", self.nodes), ("edges", self.edges)):
            if any(b <= a for a, b in pairwise(values)):
                raise ValueError(f"the {self.channel.value} axis {kind} must increase")

    @classmethod
    def from_nodes(cls, channel: Channel, unit: Unit, nodes: Sequence[float]) -> Axis:
        """Build an axis from table labels; edges lie midway, the outermost mirror their inner."""
        values = tuple(float(x) for x in nodes)
        if len(values) < 2:
            raise ValueError("an axis from labels needs at least two of them")
        mid = [(a + b) / 2 for a, b in pairwise(values)]
        edges = (2 * values[0] - mid[0], *mid, 2 * values[-1] - mid[-1])
        return cls(channel, unit, values, edges)

    @classmethod
    def from_edges(cls, channel: Channel, unit: Unit, edges: Sequence[float]) -> Axis:
        """Build an axis from bin edges; nodes are the bin centres."""
        values = tuple(float(x) for x in edges)
        centres = tuple((a + b) / 2 for a, b in pairwise(values))
        return cls(channel, unit, centres, values)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.nodes)

    def locate(self, value: float) -> int | None:
        """Return the index of the cell that holds *value*, or None outside the axis or for NaN.

        >>> rpm = Axis.from_edges(Channel.RPM, Unit.RPM, [0, 500, 1000])
        >>> rpm.locate(499.9), rpm.locate(500.0), rpm.locate(1000.0)
        (0, 1, None)
        """
        if not self.edges[0] <= value < self.edges[-1]:
            return None
        return bisect_right(self.edges, value) - 1


@dataclass(frozen=True, slots=True)
class CellGrid:
    """Values on an rpm × load grid, shape ``[rpm][load]``, with the axes they belong to."""

    rpm: Axis
    load: Axis
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse values whose shape is not that of the axes: raises ValueError."""
        if self.values.shape != (len(self.rpm), len(self.load)):
            raise ValueError(
                f"values of shape {self.values.shape} do not fit axes "
                f"{len(self.rpm)} × {len(self.load)}"
            )

    @classmethod
    def zeros(cls, rpm: Axis, load: Axis) -> CellGrid:
        """Return a grid of zeros on these axes."""
        return cls(rpm, load, np.zeros((len(rpm), len(load))))


def default_rpm_axis() -> Axis:
    """Return 0–10,000 rpm in bins of 500, the live map before a vehicle brings its own axes."""
    return Axis.from_edges(Channel.RPM, Unit.RPM, [500.0 * i for i in range(21)])


def default_map_axis() -> Axis:
    """Return 20–120 kPa in bins of 10."""
    return Axis.from_edges(Channel.MAP, Unit.KILOPASCAL, [20.0 + 10.0 * i for i in range(11)])
