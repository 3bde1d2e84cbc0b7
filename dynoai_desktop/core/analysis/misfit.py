"""What a table that is straight between its nodes cannot follow, and how much that matters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.basis import Basis
from dynoai_desktop.core.analysis.frame import F64

_SAMPLES = 100_000  # are enough to see the shape of what is left


def misfit_variance(basis: Basis, y: F64, values: F64, nodes: NDArray[np.intp]) -> F64:
    """Return the variance, per node of the box *nodes*, of what straight lines cannot follow.

    A least-squares table of hat functions lies c/12 beside the nodes of a curve whose second
    difference is c. Whether the truth is curved between nodes (an engine) or straight (another
    table) shows in the residuals: across a cell they follow c (1/6 − u (1 − u)) / 2, or not.
    """
    columns = len(basis.load)
    rows, cols = np.unique(nodes // columns), np.unique(nodes % columns)
    table = values[nodes].reshape(rows.size, cols.size)
    bend_rpm = np.zeros(basis.nodes)
    bend_load = np.zeros(basis.nodes)
    bend_rpm[nodes] = _second_difference(np.asarray(basis.rpm.nodes)[rows], table).ravel()
    bend_load[nodes] = _second_difference(np.asarray(basis.load.nodes)[cols], table.T).T.ravel()
    step = max(1, y.size // _SAMPLES)
    part = basis.take(np.arange(0, y.size, step))
    left = y[::step] - part.at(values)
    expected = part.at(bend_rpm) * _sag(part.along_rpm) + part.at(bend_load) * _sag(part.along_load)
    power = float(expected @ expected)
    share = float(np.clip(expected @ left / power, 0.0, 1.0)) if power > 0.0 else 0.0
    variance: F64 = (share / 12.0) ** 2 * (bend_rpm[nodes] ** 2 + bend_load[nodes] ** 2)
    return variance


def _sag(along: F64) -> F64:
    return (1.0 / 6.0 - along * (1.0 - along)) / 2.0


def _second_difference(x: F64, table: F64) -> F64:
    """Return the second difference along the first axis, for a cell of the local width."""
    out = np.zeros_like(table)
    if x.size < 3:
        return out
    h, k = np.diff(x)[:-1, None], np.diff(x)[1:, None]
    rise = np.diff(table, axis=0)
    bend = 2.0 * (rise[1:] / k - rise[:-1] / h) / (h + k)
    out[1:-1] = bend * (h**2 + k**2) / 2.0
    out[0], out[-1] = out[1], out[-2]
    return out
