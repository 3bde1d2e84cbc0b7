"""Front against rear: the difference of two cylinders breathing at the same moment.

Pairs cancel what both share (weather, delay, the operator's foot). The difference is estimated
like any table, so it has an interval in every cell. A difference that is the same everywhere may
be a sensor; a difference with a shape is an engine or a tune. Swapping the cylinders changes every
sign and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.fuel import VE_OPTIONS, CylinderFit, Place
from dynoai_desktop.core.analysis.surface import Surface, fit_surface

MOST_ROWS = 40_000


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """Rear minus front, in ln of the factor the fuel table is short by; + is a leaner rear."""

    surface: Surface
    offset: float  # the part that is the same in every cell
    offset_se: float
    shape_chi2: float  # what is left beside the offset, and its degrees of freedom
    shape_cells: int
    pairs: int

    @property
    def significant(self) -> bool:
        """Return whether the offset is more than two standard errors from none."""
        return abs(self.offset) > 2.0 * self.offset_se

    @property
    def could_be_sensor(self) -> bool:
        """Return whether the difference is the same everywhere, as a sensor's bias would be."""
        spread = (2.0 * max(self.shape_cells, 1)) ** 0.5
        return self.significant and self.shape_chi2 < self.shape_cells + 2.0 * spread


def compare(front: CylinderFit, rear: CylinderFit, where: Place, time_s: F64) -> Balance | None:
    """Return the balance from rows both cylinders may speak in; None without any."""
    basis, both = where.of(front.samples.accepted & rear.samples.accepted)
    step = max(1, both.size // MOST_ROWS)
    basis, rows = basis.take(np.arange(0, both.size, step)), both[::step]
    if rows.size < 20:
        return None
    difference = rear.samples.y[rows] - front.samples.y[rows]
    surface = fit_surface(basis, difference, time_s[rows], VE_OPTIONS)
    known = np.flatnonzero(surface.measured(3.0).ravel()[surface.nodes])
    if not known.size:
        return None
    value = surface.value.ravel()[surface.nodes][known]
    covariance = surface.covariance[np.ix_(known, known)]
    covariance = covariance + np.eye(known.size) * VE_OPTIONS.least_se**2
    precision = np.linalg.inv(covariance)
    weight = precision.sum(axis=1)
    total = float(weight.sum())
    offset = float(weight @ value) / total
    left = value - offset
    return Balance(
        surface,
        offset,
        # What no interval is narrower than is shared by all cells of a sensor: it averages out of
        # none of them.
        (1.0 / total + VE_OPTIONS.least_se**2) ** 0.5,
        float(left @ precision @ left),
        int(known.size) - 1,
        int(both.size),
    )
