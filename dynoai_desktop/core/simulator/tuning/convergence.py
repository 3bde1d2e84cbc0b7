"""Is the tune right, is it getting better, and on how many cells does that rest?

A cell is *measured* when the engine was in it for a while and its 95 % interval is no wider than
the tolerance: a cell that was brushed by a handful of samples proves nothing, neither for the tune
nor against it. Cells without data never count as right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dynoai_desktop.core.analysis.ve import VeCorrection
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.tuning.outcome import F64, CylinderReport, Iteration
from dynoai_desktop.core.units import STOICH_AFR

LEAST_HITS = 8.0  # windows of 50 ms
_Z95 = 1.96
_WORSE_AFR = 0.1  # growth of the error of the same cells that is no noise
_LOOKED_AT_FROM = 3  # iterations: the first correction may well be held back by its limits


def cylinder_report(
    correction: VeCorrection, target_lambda: F64, true_error_pct: F64, tolerance_afr: float
) -> CylinderReport:
    """Return the errors of the measured cells of one cylinder group, in AFR."""
    afr = target_lambda * STOICH_AFR["gasoline"]
    half = _Z95 * correction.se * afr
    with np.errstate(invalid="ignore"):
        measured = (2.0 * half <= tolerance_afr) & (correction.hits >= LEAST_HITS)
    error = np.where(measured, (correction.estimate - 1.0) * afr, np.nan)
    return CylinderReport(
        error, np.where(measured, half, np.nan), correction.multiplier, true_error_pct
    )


def measured_everywhere(cylinders: Mapping[Cylinder, CylinderReport]) -> int:
    """Return the number of cells measured in every cylinder group that has a sensor."""
    if not cylinders:
        return 0
    return int(np.logical_and.reduce([np.isfinite(c.error_afr) for c in cylinders.values()]).sum())


def has_converged(iteration: Iteration, tolerance_afr: float, cells_wanted: int) -> bool:
    """Return whether every measured cell is within the tolerance, and enough are measured."""
    return iteration.measured_cells >= cells_wanted and iteration.max_afr_error < tolerance_afr


def is_oscillating(iterations: Sequence[Iteration]) -> bool:
    """Return whether the cells measured in both of the last two rounds have become worse.

    Comparing the same cells keeps newly measured ones from looking like a step back.
    """
    if len(iterations) < _LOOKED_AT_FROM:
        return False
    before, now = (_errors(i) for i in iterations[-2:])
    both = np.isfinite(before) & np.isfinite(now)
    return bool(both.any()) and _rms(now[both]) - _rms(before[both]) > _WORSE_AFR


def _errors(iteration: Iteration) -> F64:
    return np.stack([c.error_afr for c in iteration.cylinders.values()])


def _rms(values: F64) -> float:
    return float(np.sqrt(np.mean(values**2)))
