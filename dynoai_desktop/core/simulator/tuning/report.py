"""From the analysis of a round to the figures of an iteration, with the truth beside them."""

from __future__ import annotations

import math

import numpy as np

from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.analysis.ve import Verdict
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.tables import EcuTables
from dynoai_desktop.core.simulator.tuning.convergence import cylinder_report, measured_everywhere
from dynoai_desktop.core.simulator.tuning.outcome import F64, CylinderReport, Iteration
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings

# The tables a cylinder group's wideband speaks for.
TABLES_OF: dict[Cylinder, tuple[Cylinder, ...]] = {
    Cylinder.FRONT: (Cylinder.FRONT,),
    Cylinder.REAR: (Cylinder.REAR,),
    Cylinder.BOTH: (Cylinder.FRONT, Cylinder.REAR),
}


def report(
    number: int,
    payload: Payload,
    tables: EcuTables,
    needed_pct: tuple[F64, F64],
    settings: TuningSettings,
) -> Iteration:
    """Return what a round driven with *tables* showed, *needed_pct* being the right VE."""
    truth = {
        Cylinder.FRONT: 100.0 * (tables.ve_front_pct.values / needed_pct[0] - 1.0),
        Cylinder.REAR: 100.0 * (tables.ve_rear_pct.values / needed_pct[1] - 1.0),
    }
    target = tables.target_lambda.values
    corrections = [fit.correction for fit in payload.evidence.fits.values()]
    cylinders = {
        c.cylinder: cylinder_report(
            c,
            target,
            np.mean([truth[table] for table in TABLES_OF[c.cylinder]], axis=0),
            settings.tolerance_afr,
        )
        for c in corrections
    }
    errors = _measured([c.error_afr for c in cylinders.values()])
    true = _true_errors(cylinders, truth)
    pulls = [run for run in payload.evidence.runs if run.kind is RunKind.PULL]
    steps = [np.abs(c.multiplier - 1.0) for c in corrections]
    return Iteration(
        number=number,
        max_afr_error=_largest(errors),
        mean_afr_error=float(np.mean(np.abs(errors))) if errors.size else math.nan,
        rms_afr_error=_rms(errors),
        measured_cells=measured_everywhere(cylinders),
        corrected_cells=sum(int(np.count_nonzero(step)) for step in steps),
        limited_cells=sum(int(np.sum(c.verdict >= Verdict.LIMITED)) for c in corrections),
        largest_step_pct=100.0 * max((float(step.max()) for step in steps), default=0.0),
        applied=False,
        true_ve_rmse_pct=_rms(true),
        true_ve_max_pct=_largest(true),
        peak_power_kw=max((p for r in pulls if (p := r.peak_power_kw) is not None), default=None),
        peak_torque_nm=max((t for r in pulls if (t := r.peak_torque_nm) is not None), default=None),
        delay_ms=1000.0 * payload.evidence.alignment.delay_s,
        tables=tables,
        cylinders=cylinders,
    )


def _true_errors(cylinders: dict[Cylinder, CylinderReport], truth: dict[Cylinder, F64]) -> F64:
    """Return the true error, in percent, of every cell measured."""
    return _measured(
        [
            np.where(np.isfinite(found.error_afr), truth[table], np.nan)
            for cylinder, found in cylinders.items()
            for table in TABLES_OF[cylinder]
        ]
    )


def _measured(grids: list[F64]) -> F64:
    values = np.concatenate([grid.ravel() for grid in grids]) if grids else np.empty(0)
    kept: F64 = values[np.isfinite(values)]
    return kept


def _largest(values: F64) -> float:
    return float(np.max(np.abs(values))) if values.size else math.nan


def _rms(values: F64) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else math.nan
