"""What a virtual tuning session reports while it runs and when it has ended."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.tables import EcuTables

F64 = NDArray[np.float64]


class Status(StrEnum):
    """How a session stands."""

    INITIALISING = "initialising"
    RUNNING = "running"
    CONVERGED = "converged"  # every measured cell within the tolerance, enough cells measured
    FAILED = "failed"  # the message says why
    STOPPED = "stopped"  # because somebody asked
    MAX_ITERATIONS = "max_iterations"

    @property
    def is_final(self) -> bool:
        """Return True once nothing more will happen."""
        return self not in (Status.INITIALISING, Status.RUNNING)


class Stage(StrEnum):
    """What an iteration is at."""

    PULL = "pull"
    ANALYSE = "analyse"
    CORRECT = "correct"
    CHECK = "check"
    APPLY = "apply"


@dataclass(frozen=True, slots=True)
class Progress:
    """One moment of a session, for a screen. *share* of the iteration is 0 to 1."""

    status: Status = Status.INITIALISING
    iteration: int = 0
    stage: Stage | None = None
    share: float = 0.0
    message: str = "Building the vehicle."


@dataclass(frozen=True, slots=True, eq=False)
class CylinderReport:
    """One cylinder group in one iteration, every array ``[rpm][map]``, NaN where not measured."""

    error_afr: F64  # measured minus commanded, gasoline scale; positive is lean
    half_width_afr: F64  # half of its 95 % interval
    multiplier: F64  # recommended; 1 where there is nothing to say
    true_error_pct: F64  # VE table against what the engine needs, everywhere; only we know

    @property
    def grids(self) -> tuple[F64, ...]:
        """Return the arrays."""
        return self.error_afr, self.half_width_afr, self.multiplier, self.true_error_pct


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """One round: what was measured with the tables of its beginning, and what was made of it."""

    number: int
    max_afr_error: float  # of the measured cells of all groups; NaN without any
    mean_afr_error: float  # of the sizes
    rms_afr_error: float
    measured_cells: int  # known well enough in every cylinder group
    corrected_cells: int  # of all groups, by the correction recommended
    limited_cells: int  # whose step was held back by a limit
    largest_step_pct: float
    applied: bool  # False: the session ended here, the tables stay as they were measured
    true_ve_rmse_pct: float  # over the measured cells
    true_ve_max_pct: float
    peak_power_kw: float | None
    peak_torque_nm: float | None
    delay_ms: float
    tables: EcuTables  # before the correction
    cylinders: Mapping[Cylinder, CylinderReport]
    driven_s: float = math.nan  # what the round took on the simulated drum

    def to_json(self) -> dict[str, Any]:
        """Return the figures as the command line prints them."""
        return {
            "number": self.number,
            "max_afr_error": round(self.max_afr_error, 4),
            "mean_afr_error": round(self.mean_afr_error, 4),
            "measured_cells": self.measured_cells,
            "corrected_cells": self.corrected_cells,
            "true_ve_rmse_pct": round(self.true_ve_rmse_pct, 4),
            "true_ve_max_pct": round(self.true_ve_max_pct, 4),
            "peak_power_kw": self.peak_power_kw,
            "driven_s": round(self.driven_s, 1),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A session as it stands."""

    status: Status
    message: str
    iterations: tuple[Iteration, ...]
    tables: EcuTables | None  # the tune as it is now; None before the vehicle is built
    true_ve_pct: tuple[F64, F64] | None  # what the engine needs, front and rear, ``[rpm][map]``

    @property
    def peak_power_kw(self) -> float | None:
        """Return the best power of the last round with a pull."""
        powers = [i.peak_power_kw for i in self.iterations if i.peak_power_kw is not None]
        return powers[-1] if powers else None

    @property
    def driven_s(self) -> float:
        """Return what all rounds took on the simulated drum: what a strategy costs."""
        return sum(i.driven_s for i in self.iterations)

    @property
    def array_bytes(self) -> int:
        """Return what the tables weigh in memory."""
        grids = [grid for report in self._reports for grid in report.grids]
        for tune in (self.tables, *(one.tables for one in self.iterations)):
            grids += [] if tune is None else [getattr(tune, f.name).values for f in fields(tune)]
        grids += self.true_ve_pct or ()
        return sum({id(grid): grid.nbytes for grid in grids}.values())

    @property
    def _reports(self) -> list[CylinderReport]:
        return [report for one in self.iterations for report in one.cylinders.values()]

    def to_json(self) -> dict[str, Any]:
        """Return the document of the command line."""
        return {
            "status": self.status.value,
            "message": self.message,
            "iterations": [iteration.to_json() for iteration in self.iterations],
            "peak_power_kw": self.peak_power_kw,
        }
