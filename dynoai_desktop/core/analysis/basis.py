"""Bilinear basis of a table on its own axes: which nodes a sample speaks for, and how loudly.

A sample inside the grid is shared by the four nodes around it, with weights in [0, 1] that sum
to 1, exactly as the ECU interpolates its table. A sample up to half a bin outside belongs to the
border, because the ECU reads the border there; farther out it is dropped, never moved.

All sums over samples go through the cell a sample lies in, so a million rows cost ten passes of
`bincount` and no matrix with a row per sample is ever built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.axis import Axis

_CHUNK = 1 << 15
_LONGEST_RULER = 4096
_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Where m samples lie on a grid of R × L nodes. Nodes are numbered ``r * L + l``."""

    rpm: Axis
    load: Axis
    kept: NDArray[np.intp]  # (m,) which of the samples offered lie on the grid
    cell: NDArray[np.intp]  # (m,) cell number, ``r * (L - 1) + l`` of its lower corner
    along_rpm: F64  # (m,) place inside the cell, 0 to 1
    along_load: F64

    @property
    def nodes(self) -> int:
        """Return the number of nodes of the grid."""
        return len(self.rpm) * len(self.load)

    def _weights(self, rows: slice) -> tuple[F64, F64, F64, F64]:
        """Return the weight of each sample on its four corners, summing to 1."""
        u, v = self.along_rpm[rows], self.along_load[rows]
        below, left = 1.0 - u, 1.0 - v
        return below * left, below * v, u * left, u * v

    def weights(self) -> F64:
        """Return the weight of each sample on its four corners, (m, 4), each row summing to 1."""
        return np.stack(self._weights(slice(None)), axis=1)

    def corner_nodes(self) -> list[NDArray[np.intp]]:
        """Return, per corner, the node number of every cell, each (cells,)."""
        columns = len(self.load)
        r, c = np.divmod(np.arange((len(self.rpm) - 1) * (columns - 1)), columns - 1)
        return [(r + dr) * columns + c + dc for dr, dc in _CORNERS]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Basis:
        """Return the basis of a part of the samples."""
        return Basis(
            self.rpm,
            self.load,
            self.kept[rows],
            self.cell[rows],
            self.along_rpm[rows],
            self.along_load[rows],
        )

    def sums(self, values: F64 | None = None) -> F64:
        """Return B'values, (nodes,); without values the hit mass, the column sums of B."""
        per_cell = np.zeros((4, self._cells))
        for rows in self._chunks():
            add = self._adder(rows)
            for corner, weight in enumerate(self._weights(rows)):
                add(per_cell[corner], weight if values is None else weight * values[rows])
        return self._to_nodes(per_cell)

    def normal_equations(self, y: F64, weight: F64 | None = None) -> tuple[F64, F64]:
        """Return B'WB (nodes, nodes) and B'Wy (nodes,), for weights (m,) or weight 1."""
        products = np.zeros((4, 4, self._cells))
        moments = np.zeros((4, self._cells))
        for rows in self._chunks():
            add = self._adder(rows)
            shares = self._weights(rows)
            for i in range(4):
                left = shares[i] if weight is None else shares[i] * weight[rows]
                add(moments[i], left * y[rows])
                for j in range(i, 4):
                    add(products[i, j], left * shares[j])
        gram = np.zeros((self.nodes, self.nodes))
        nodes = self.corner_nodes()
        for i in range(4):
            for j in range(4):
                gram[nodes[i], nodes[j]] += products[min(i, j), max(i, j)]
        return gram, self._to_nodes(moments)

    @property
    def _cells(self) -> int:
        return (len(self.rpm) - 1) * (len(self.load) - 1)

    def _chunks(self) -> Iterator[slice]:
        """Yield slices of samples that fit the processor's cache."""
        for start in range(0, self.cell.size, _CHUNK):
            yield slice(start, start + _CHUNK)

    def _adder(self, rows: slice) -> Callable[[F64, F64], None]:
        """Return the function that adds values of these samples to the numbers of their cells."""
        cell = self.cell[rows]
        # Samples that follow each other mostly share a cell: whole stretches are summed at once.
        start = np.concatenate(([0], np.flatnonzero(cell[1:] != cell[:-1]) + 1))
        owner = cell[start]

        def add(per_cell: F64, values: F64) -> None:
            per_cell += np.bincount(owner, np.add.reduceat(values, start), per_cell.size)

        return add

    def _to_nodes(self, per_corner: F64) -> F64:
        out = np.zeros(self.nodes)
        for node, total in zip(self.corner_nodes(), per_corner, strict=True):
            out[node] += total
        return out

    def at(self, node_values: F64) -> F64:
        """Return B·values: the table read at every sample, (m,)."""
        corners = [node_values[node] for node in self.corner_nodes()]
        out = np.empty(self.cell.size)
        for rows in self._chunks():
            cell = self.cell[rows]
            shares = self._weights(rows)
            out[rows] = sum(w * value[cell] for w, value in zip(shares, corners, strict=True))
        return out


def bilinear(rpm: Axis, load: Axis, rpm_values: F64, load_values: F64) -> Basis:
    """Place samples on the grid; those off the axes or NaN are left out of ``kept``.

    Raises ValueError for an axis with fewer than two nodes: there is nothing to interpolate.
    """
    if len(rpm) < 2 or len(load) < 2:
        raise ValueError("a surface needs at least two nodes on each axis")
    on = (rpm_values >= rpm.edges[0]) & (rpm_values < rpm.edges[-1])
    on &= (load_values >= load.edges[0]) & (load_values < load.edges[-1])
    kept = np.flatnonzero(on)
    if kept.size < on.size:
        rpm_values, load_values = rpm_values[kept], load_values[kept]
    cell = np.empty(kept.size, dtype=np.intp)
    along_rpm, along_load = np.empty(kept.size), np.empty(kept.size)
    place_rpm, place_load = _placer(rpm), _placer(load)
    for start in range(0, kept.size, _CHUNK):
        rows = slice(start, start + _CHUNK)
        r, along_rpm[rows] = place_rpm(rpm_values[rows])
        c, along_load[rows] = place_load(load_values[rows])
        cell[rows] = r * (len(load) - 1) + c
    return Basis(rpm, load, kept, cell, along_rpm, along_load)


_Placer = Callable[[F64], tuple[NDArray[np.intp], F64]]


def _placer(axis: Axis) -> _Placer:
    """Return the function that gives cell and place in it, 0 to 1, for values on the axis."""
    nodes = np.asarray(axis.nodes)
    width = np.diff(nodes)
    per_width, inner = 1.0 / width, nodes[1:-1]
    # A ruler finer than the narrowest cell holds at most one node a division, so one comparison
    # after one look-up finds the cell: five times as fast as a binary search per sample.
    divisions = int(np.ceil(2.0 * (nodes[-1] - nodes[0]) / width.min()))
    divisions = divisions if divisions <= _LONGEST_RULER else 0
    scale = divisions / (nodes[-1] - nodes[0])
    marks = nodes[0] + np.arange(divisions) / scale if divisions else nodes[:0]
    ruler = np.searchsorted(inner, marks, side="right")
    ends = np.append(inner, np.inf)

    def place(values: F64) -> tuple[NDArray[np.intp], F64]:
        if divisions:
            division = ((values - nodes[0]) * scale).astype(np.intp)
            lower = ruler[division.clip(0, divisions - 1)]
            lower += values >= ends[lower]
        else:
            lower = np.searchsorted(inner, values, side="right")
        share = (values - nodes[lower]) * per_width[lower]
        return lower, share.clip(0.0, 1.0, out=share)

    return place


@lru_cache(maxsize=8)
def roughness(rpm: tuple[float, ...], load: tuple[float, ...]) -> F64:
    """Return the penalty P of a grid: ``t' P t`` is the bending energy of the table t.

    The sum of squared second divided differences along both axes and twice the squared twist,
    each over the area it stands for (the thin-plate energy of Green and Silverman, 1994, on a
    grid). Lengths are counted in mean node distances, so a table that is rough from node to node
    is equally rough along both axes. Constants and planes have no energy. Read-only (N, N).
    """
    x, y = _scaled(rpm), _scaled(load)
    bend_x, bend_y = _second_differences(x), _second_differences(y)
    slope_x, slope_y = _first_differences(x), _first_differences(y)
    twist = np.kron(slope_x, slope_y)
    along_x = np.kron(bend_x, np.diag(np.sqrt(_lengths(y))))
    along_y = np.kron(np.diag(np.sqrt(_lengths(x))), bend_y)
    energy = along_x.T @ along_x + along_y.T @ along_y + 2.0 * twist.T @ twist
    out: F64 = np.asarray(energy, dtype=np.float64)
    out.flags.writeable = False
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """The shapes a table can take, from planes to zigzags: eigenvectors of its penalty."""

    energy: F64  # (N,) bending energy of a mode of length 1; 0 for planes
    vectors: F64  # (N, N), one mode a column


@lru_cache(maxsize=8)
def bending_modes(rpm: tuple[float, ...], load: tuple[float, ...]) -> Modes:
    """Return the eigenmodes of the penalty of a grid."""
    energy, vectors = np.linalg.eigh(roughness(rpm, load))
    return Modes(np.maximum(energy, 0.0), vectors)


def _scaled(nodes: tuple[float, ...]) -> F64:
    x = np.asarray(nodes, dtype=np.float64)
    scaled: F64 = (x - x[0]) / (x[-1] - x[0]) * (x.size - 1)
    return scaled


def _lengths(x: F64) -> F64:
    """Return the length each node stands for."""
    h = np.diff(x)
    out = np.zeros(x.size)
    out[:-1] += h / 2
    out[1:] += h / 2
    return out


def _first_differences(x: F64) -> F64:
    """Return rows of divided first differences, each times the root of its length."""
    out = np.zeros((x.size - 1, x.size))
    for i, (a, b) in enumerate(pairwise(x.tolist())):
        out[i, i : i + 2] = np.array([-1.0, 1.0]) / (b - a) ** 0.5
    return out


def _second_differences(x: F64) -> F64:
    """Return rows of divided second differences, each times the root of its length."""
    out = np.zeros((max(0, x.size - 2), x.size))
    for i in range(x.size - 2):
        h, k = x[i + 1] - x[i], x[i + 2] - x[i + 1]
        scale = (2.0 / (h + k)) ** 0.5
        out[i, i : i + 3] = np.array([1.0 / h, -1.0 / h - 1.0 / k, 1.0 / k]) * scale
    return out
