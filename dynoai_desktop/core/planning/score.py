"""What a test tells: the plain efficiency of a rectangle, and the information of a path.

A path of samples with bilinear weights B and variance s² of one sample adds the information
G = B'B / s² to the nodes k it touches. With the covariance S of the table before,

    S' = S - S_k L (I + L' S_kk L)^-1 L' S_k',      G = L L'

is the covariance after it (Woodbury), exact and never larger. L has few columns: a path is a line
through the table, and G has the rank of what that line can tell apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.basis import bilinear
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.planning.steps import SamplePath

_RPM_A_CELL, _KPA_A_CELL = 500.0, 10.0
_CELLS_A_MINUTE = 50.0  # that score 1
_FIRST = 1.3  # priority 1 counts so much more
_TELLS_NOTHING = 1e-6  # of the largest information on a path


@dataclass(frozen=True, slots=True)
class Efficiency:
    """The plain figure of a rectangle of the map."""

    cells: float
    gain_pct: float  # of the map
    score: float  # 0 to 1


def efficiency(
    rpm_range: tuple[float, float],
    map_range: tuple[float, float],
    test_multiplier: float,
    minutes: float,
    coverage_pct: float,
    priority: int,
) -> Efficiency:
    """Return cells per minute of a rectangle, with 1 for fifty a minute.

    Cells of 500 rpm by 10 kPa; priority 1 counts 1.3 times, up to 1. It knows nothing of what is
    measured already and is reported, not planned by.

    >>> efficiency((2500, 4500), (80, 100), 1.5, 2.0, 50.0, 1)
    Efficiency(cells=12.0, gain_pct=6.0, score=0.156)
    """
    wide = max(1.0, (rpm_range[1] - rpm_range[0]) // _RPM_A_CELL)
    high = max(1.0, (map_range[1] - map_range[0]) // _KPA_A_CELL)
    cells = wide * high * test_multiplier
    gain = max(0.0, min(cells / 2.0, 100.0 - coverage_pct))
    score = min(1.0, cells / minutes / _CELLS_A_MINUTE)
    return Efficiency(cells, gain, round(min(1.0, score * _FIRST) if priority == 1 else score, 9))


@dataclass(frozen=True, slots=True, eq=False)
class PathInformation:
    """What one drive of a path tells, per cylinder group that hears it."""

    nodes: NDArray[np.intp]  # (k,) flat numbers of the nodes touched
    factor: F64  # (k, q): G = factor · factor'
    hits: F64  # (k,) samples that speak for each node

    @property
    def information(self) -> F64:
        """Return G (k, k)."""
        out: F64 = self.factor @ self.factor.T
        return out

    def times(self, pulls: float) -> PathInformation:
        """Return what so many drives of the path tell, or a share of one."""
        return PathInformation(self.nodes, self.factor * pulls**0.5, self.hits * pulls)

    def renumbered(self, among: NDArray[np.intp]) -> PathInformation:
        """Return the same with its nodes numbered by their places in *among*, rising."""
        return PathInformation(np.searchsorted(among, self.nodes), self.factor, self.hits)


def path_information(path: SamplePath, rpm: Axis, load: Axis, variance: float) -> PathInformation:
    """Return what a path tells; *variance* is that of ln lambda of one sample at 20 Hz."""
    basis = bilinear(rpm, load, path.rpm, path.load)
    if not basis.cell.size:
        return PathInformation(np.empty(0, np.intp), np.empty((0, 0)), np.empty(0))
    cells, of_sample = np.unique(basis.cell, return_inverse=True)
    weights = basis.weights()
    blocks = np.empty((cells.size, 4, 4))
    for i in range(4):
        for j in range(4):
            product = weights[:, i] * weights[:, j]
            blocks[:, i, j] = np.bincount(of_sample, product, cells.size)
    values, vectors = np.linalg.eigh(blocks / variance)
    cell, mode = np.nonzero(values > _TELLS_NOTHING * values.max())
    corners = np.stack(basis.corner_nodes(), axis=1)[cells]  # (cells, 4)
    nodes, place = np.unique(corners, return_inverse=True)
    place = place.reshape(corners.shape)
    factor = np.zeros((nodes.size, cell.size))
    column = np.arange(cell.size)
    scaled = vectors[cell, :, mode] * np.sqrt(values[cell, mode])[:, None]
    for i in range(4):
        factor[place[cell, i], column] = scaled[:, i]
    return PathInformation(nodes, factor, basis.sums()[nodes])


def variance_fall(
    covariance: F64, told: PathInformation, rows: NDArray[np.intp], of_rows: F64 | None = None
) -> F64:
    """Return by how much the variance of *rows* falls when a path is driven, (…, rows), never < 0.

    *covariance* is one table (N, N) or several; *of_rows* is its columns *rows* where they are at
    hand. One measurement of a value known to ±1 with a noise of ±1 halves its variance:

    >>> told = PathInformation(np.array([0]), np.array([[1.0]]), np.array([1.0]))
    >>> variance_fall(np.array([[1.0]]), told, np.array([0])).round(6).tolist()
    [0.5]
    """
    if not told.factor.size:
        return np.zeros((*covariance.shape[:-2], rows.size))
    of_rows = covariance[..., rows] if of_rows is None else of_rows
    reached, inverse = _reached(covariance, of_rows, told)
    fall: F64 = np.einsum("...qr,...qr->...r", reached, inverse @ reached)
    return np.maximum(fall, 0.0)


def covariance_after(covariance: F64, told: PathInformation) -> F64:
    """Return the covariance, one table (N, N) or several, once a path has been driven."""
    if not told.factor.size:
        return covariance
    reached, inverse = _reached(covariance, covariance, told)
    inverse = (inverse + inverse.swapaxes(-1, -2)) / 2.0
    whitened = np.linalg.cholesky(inverse).swapaxes(-1, -2) @ reached
    after: F64 = covariance - whitened.swapaxes(-1, -2) @ whitened
    return after


def _reached(covariance: F64, of_rows: F64, told: PathInformation) -> tuple[F64, F64]:
    """Return L' S of some rows, (…, q, rows), and (I + L' S_kk L)^-1, (…, q, q)."""
    k, factor = told.nodes, told.factor
    inner: F64 = factor.T @ covariance[..., k[:, None], k] @ factor + np.eye(factor.shape[1])
    reached: F64 = factor.T @ of_rows[..., k, :]
    inverse: F64 = np.asarray(np.linalg.inv(inner), np.float64)
    return reached, inverse
