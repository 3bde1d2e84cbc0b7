"""What becomes of information when a table is edited or its axes change.

Information I about the values t of a table's nodes is the quadratic form of the likelihood,
``(t - t̂)' I (t - t̂)``: the inverse of a covariance, with zeros where nothing is known.

*Edited nodes.* What was measured about them is void, and what was measured about others together
with them is worth less. Both follow from leaving the edited values free again, within the reach r
of what a table may be off at all: the Schur complement ``I_kk - I_ke (I_ee + 1/r²)^-1 I_ek``.
Deleting rows instead would go on claiming what was known only because a neighbour was.

*Other axes.* A table t on new axes reads M t at the old nodes, M being its bilinear basis there.
Where an old node lies between new ones the engine need not lie on the new table's straight line,
but off it by d with variance D = doubt² (1 - Σ M²): 0 on a new node, most in the middle of a cell.
The old data then speak about M t + d, and

    I_new = M' (I^-1 + D)^-1 M = M' (I - I √D (1 + √D I √D)^-1 √D I) M

Old nodes up to half a bin outside read the border, off by more (its slope is not known); those
farther out are left free first. By the theorem of Gauss and Markov the variance this gives to any
functional g't of the new table is at least the least variance that the old data give to a
functional h of the old table that means the same, M'h = g; and with D it is more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.axis import Axis, CellGrid

Nodes = NDArray[np.intp]
_BORDER_OFF = 3.0  # times the doubt between nodes: half a bin of a slope nobody measured


def packed(matrix: F64) -> F64:
    """Return the upper triangle of a symmetric (k, k) row by row, (k (k + 1) / 2,)."""
    out: F64 = matrix[_triangle(len(matrix))]
    return out


def unpacked(triangle: F64, size: int) -> F64:
    """Return the symmetric (size, size) of an upper triangle; exact inverse of `packed`.

    >>> unpacked(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    out = np.zeros((size, size))
    rows, columns = _triangle(size)
    out[rows, columns] = triangle
    out[columns, rows] = triangle
    return out


@lru_cache(maxsize=64)
def _triangle(size: int) -> tuple[Nodes, Nodes]:
    return np.triu_indices(size)


def freed(information: F64, edited: NDArray[np.bool_], reach_sd: float) -> F64:
    """Return what remains of (k, k) when the values of the *edited* nodes (k,) are free again.

    *reach_sd* is how far a table may be off at all.

    >>> freed(np.array([[4.0, 2.0], [2.0, 3.0]]), np.array([True, False]), 0.5).tolist()
    [[0.0, 0.0], [0.0, 2.5]]
    """
    if not edited.any():
        return information
    out = np.zeros_like(information)
    kept = np.ix_(~edited, ~edited)
    across = information[np.ix_(~edited, edited)]
    own = information[np.ix_(edited, edited)] + np.eye(int(edited.sum())) / reach_sd**2
    left: F64 = np.asarray(information[kept] - across @ np.linalg.solve(own, across.T), np.float64)
    out[kept] = (left + left.T) / 2.0
    return out


def blurred(information: F64, sd: F64) -> F64:
    """Return what (k, k) is worth when each value carries an error of its own with *sd* (k,).

    >>> blurred(np.array([[4.0]]), np.array([0.5])).tolist()
    [[2.0]]
    """
    if not sd.any():
        return information
    seen: F64 = information * sd  # I √D
    inner = np.eye(sd.size) + sd[:, None] * seen
    left: F64 = np.asarray(information - seen @ np.linalg.solve(inner, seen.T), np.float64)
    out: F64 = (left + left.T) / 2.0
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """How a table on new axes reads at the nodes of old ones."""

    basis: F64  # (old, new) M: rows sum to 1; those of nodes outside the new axes are zero
    off: F64  # (old,) how far the engine may be off that, in units of a table's doubt


def reading(old: tuple[Axis, Axis], new: tuple[Axis, Axis]) -> Reading:
    """Return how a table on *new* axes reads at the nodes of *old*.

    As far as half a bin outside the border is held, as an ECU holds it.
    """
    (rpm, held_rpm), (load, held_load) = (
        _interpolation(o, n) for o, n in zip(old, new, strict=True)
    )
    basis: F64 = np.asarray(np.kron(rpm, load), np.float64)
    held = held_rpm[:, None].astype(np.float64) + held_load[None, :]
    there = basis.sum(axis=1)
    between = np.maximum(there - np.sum(basis**2, axis=1), 0.0)
    return Reading(basis, np.sqrt(between + there * _BORDER_OFF**2 * held.ravel()))


def resampled(
    information: F64, old_nodes: Nodes, read: Reading, *, doubt_sd: float, reach_sd: float
) -> tuple[Nodes, F64]:
    """Return nodes and information on new axes; *read* is from `reading`.

    *old_nodes* (k,) are those *information* (k, k) is over; *doubt_sd* is by how much a table may
    be off the straight line between its nodes, *reach_sd* by how much at all.
    """
    rows = read.basis[old_nodes]
    outside = rows.sum(axis=1) < 0.5
    own = blurred(freed(information, outside, reach_sd), doubt_sd * read.off[old_nodes])
    nodes = np.flatnonzero(np.any(rows > 0.0, axis=0))
    part = rows[:, nodes]
    out = part.T @ own @ part
    return nodes, (out + out.T) / 2.0


def edited_nodes(one: CellGrid, other: CellGrid, axes: tuple[Axis, Axis]) -> NDArray[np.bool_]:
    """Return which nodes of *axes* two states of a table differ at, (R · L,).

    On the axes of the table that is its own nodes. On other axes it is every node in whose cell,
    edges included, the tables differ anywhere: both are read at the nodes of all axes together.
    """
    rpm_at = np.unique(np.concatenate([a.nodes for a in (one.rpm, other.rpm, axes[0])]))
    load_at = np.unique(np.concatenate([a.nodes for a in (one.load, other.load, axes[1])]))
    left, right = (_read(table, rpm_at, load_at) for table in (one, other))
    differs = ~np.isclose(left, right, rtol=1e-9, atol=1e-12, equal_nan=True)
    rows, columns = _cells_of(axes[0], rpm_at), _cells_of(axes[1], load_at)
    touched: NDArray[np.bool_] = (rows.T @ differs @ columns) > 0
    return touched.ravel()


def _interpolation(old: Axis, new: Axis) -> tuple[F64, NDArray[np.bool_]]:
    """Return how values at the nodes of *new* read at those of *old*, and where a border is held.

    Rows of nodes farther out than the outermost cells are zero.
    """
    at, nodes = np.asarray(old.nodes), np.asarray(new.nodes)
    out, held = np.zeros((at.size, nodes.size)), np.zeros(at.size, dtype=bool)
    if nodes.size < 2:
        return out, held
    lower = np.searchsorted(nodes, at, side="right").clip(1, nodes.size - 1) - 1
    share = (at - nodes[lower]) / (nodes[lower + 1] - nodes[lower])
    inside = (at >= new.edges[0]) & (at <= new.edges[-1])
    held = inside & ((share < 0.0) | (share > 1.0))
    share = share.clip(0.0, 1.0)
    for row in np.flatnonzero(inside).tolist():
        out[row, lower[row]] = 1.0 - share[row]
        out[row, lower[row] + 1] = share[row]
    return out, held


def _read(table: CellGrid, rpm: F64, load: F64) -> F64:
    """Return a table read at every (rpm, load), borders held as an ECU holds them."""
    rows = np.stack([np.interp(load, table.load.nodes, row) for row in table.values])
    columns = [np.interp(rpm, table.rpm.nodes, column) for column in rows.T]
    out: F64 = np.stack(columns, axis=1)
    return out


def _cells_of(axis: Axis, at: F64) -> NDArray[np.int64]:
    """Return which cells of *axis* hold each of *at*, (at, cells), a place on an edge in both.

    Beyond the outermost edge a table reads as its border does, so the border's cell has it.
    """
    edges = np.asarray(axis.edges)
    low, high = np.array(edges[:-1]), np.array(edges[1:])
    low[0], high[-1] = -np.inf, np.inf
    return ((at[:, None] >= low) & (at[:, None] <= high)).astype(np.int64)
