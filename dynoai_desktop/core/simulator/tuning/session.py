"""A virtual tuning session: pull, analyse, correct, check, apply, until the tune is right.

The vehicle is driven as an operator would drive it, heard as the program hears a dyno, analysed
and corrected by the code that does it for real vehicles. Only the simulator can add the last
column: how far the tables are from the truth.

A session runs on one thread. Other threads may read `progress` and `outcome` and call `stop` at
any time; a final status is written once and never overwritten.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from dynoai_desktop.core.analysis.alignment import Alignment
from dynoai_desktop.core.analysis.analyse import AnalysisCancelledError, analyse
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.analysis.ve import VeCorrection
from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.commands import Drive, Flash
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.tables import EcuTables, axes
from dynoai_desktop.core.simulator.tuning.convergence import has_converged, is_oscillating
from dynoai_desktop.core.simulator.tuning.needed import needed_ve_pct
from dynoai_desktop.core.simulator.tuning.outcome import (
    F64,
    Iteration,
    Outcome,
    Progress,
    Stage,
    Status,
)
from dynoai_desktop.core.simulator.tuning.programme import ROUNDS
from dynoai_desktop.core.simulator.tuning.recording import Recording
from dynoai_desktop.core.simulator.tuning.report import TABLES_OF, report
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings

_SLICE_S = 1.0  # driven between two looks at the stop button
_USUAL_ROUND_S = 230.0
_LONGEST_ROUND_S = 1800.0
_PULLED, _ANALYSED = 0.65, 0.95  # shares of an iteration
# What somebody believes who does not know that exhaust takes time to reach the sensor.
_NO_DELAY = Alignment(0.0, 0.0, 1.0, 1e-3, False)


class TuningError(RuntimeError):
    """The session cannot go on; the message says why and what to do."""


class _StoppedError(Exception):
    """Somebody asked the session to end."""


class VirtualSession:
    """One session from its first pull to its final status."""

    def __init__(self, settings: TuningSettings) -> None:
        """Prepare; nothing happens before `run` or the first of `steps`."""
        self.settings = settings
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._progress = Progress()
        self._iterations: tuple[Iteration, ...] = ()
        self._tables: EcuTables | None = None
        self._needed: tuple[F64, F64] | None = None
        self._applied: dict[Cylinder, F64] = {}  # multipliers of all iterations together
        self._round_s = _USUAL_ROUND_S

    @property
    def progress(self) -> Progress:
        """Return how far the session is."""
        return self._progress

    @property
    def outcome(self) -> Outcome:
        """Return everything found so far."""
        with self._lock:
            now = self._progress
            return Outcome(now.status, now.message, self._iterations, self._tables, self._needed)

    def stop(self) -> None:
        """Ask the session to end; it does so within one step."""
        self._stop.set()
        if self._progress.status is Status.INITIALISING:
            self._end(Status.STOPPED, "Stopped before it began.")

    def fail(self, message: str) -> None:
        """End the session because something went wrong around it; no effect once it has ended."""
        self._stop.set()
        self._end(Status.FAILED, message)

    def release(self) -> None:
        """Let go of all tables; the status stays."""
        with self._lock:
            self._iterations, self._tables, self._needed = (), None, None

    def run(self) -> Outcome:
        """Do the whole session and return its outcome."""
        for _ in self.steps():
            pass
        return self.outcome

    def steps(self) -> Iterator[Progress]:
        """Do the session step by step, each a fraction of a second; one thread, once."""
        try:
            for _ in self._rounds():
                yield self._progress
        except (_StoppedError, AnalysisCancelledError):
            self._end(Status.STOPPED, f"Stopped in iteration {self._progress.iteration}.")
        except (ValueError, ArithmeticError, RuntimeError) as error:
            self._end(Status.FAILED, str(error))
        yield self._progress

    # One after the other

    def _rounds(self) -> Iterator[None]:
        rig = self._build()
        yield
        for number in range(1, self.settings.max_iterations + 1):
            recording = Recording(rig)
            yield from self._pull(rig, recording, number)
            payload = self._analyse(recording.frame(), rig.tables, number)
            yield
            corrections = {c: fit.correction for c, fit in payload.evidence.fits.items()}
            self._tell(number, Stage.CORRECT, _ANALYSED, "Comparing with the last round.")
            needed = needed_ve_pct(rig)
            found = report(number, payload, rig.tables, needed, self.settings)
            found = replace(found, driven_s=self._round_s)
            self._keep(rig.tables, needed, (*self._iterations, found))
            yield
            if self._is_over(found, payload):
                return
            self._tell(number, Stage.CHECK, 0.97, "Checking the correction against its limits.")
            self._check(corrections)
            yield
            self._tell(number, Stage.APPLY, 0.99, "Flashing the corrected tables.")
            self._apply(rig, corrections, found)
            yield
        self._end(
            Status.MAX_ITERATIONS,
            f"Not finished after {self.settings.max_iterations} iterations.",
        )

    def _build(self) -> Rig:
        settings = self.settings
        self._tell(0, None, 0.0, "Building the vehicle.")
        rig = Rig(
            settings.profile,
            settings.scenario,
            settings.weather,
            settings.seed,
            faults=settings.faults,
            tables=settings.tables,
            noise=settings.noise,
        )
        self._keep(rig.tables, needed_ve_pct(rig), ())
        return rig

    def _pull(self, rig: Rig, recording: Recording, number: int) -> Iterator[None]:
        driven = ROUNDS[self.settings.round].programmes(rig.profile, rig.machine.setup.dyno)
        rig.command(Drive(driven))
        started_s = rig.time_s
        while rig.busy:
            passed_s = rig.time_s - started_s
            if passed_s > _LONGEST_ROUND_S:
                raise TuningError(
                    f"The round has not ended after {passed_s:.0f} s. Choose another gear or dyno."
                )
            share = _PULLED * min(0.99, passed_s / self._round_s)
            self._tell(number, Stage.PULL, share, f"Driving: {rig.state.replace('_', ' ')}.")
            recording.drive(_SLICE_S)
            yield
        self._round_s = rig.time_s - started_s

    def _analyse(self, frame: Frame, tables: EcuTables, number: int) -> Payload:
        profile = self.settings.profile

        def progress(share: float, words: str) -> None:
            at = _PULLED + share * (_ANALYSED - _PULLED)
            self._tell(number, Stage.ANALYSE, at, f"{words}.")

        rpm, load = axes(profile)
        applied = {c: CellGrid(rpm, load, values) for c, values in self._applied.items()}
        both = (tables.ve_front_pct.values + tables.ve_rear_pct.values) / 2.0
        present = {
            Cylinder.FRONT: tables.ve_front_pct,
            Cylinder.REAR: tables.ve_rear_pct,
            Cylinder.BOTH: CellGrid(rpm, load, both),
        }
        settings = AnalysisSettings(
            axes=(rpm, load),
            alignment=None if self.settings.aligned else _NO_DELAY,
            redline_rpm=profile.redline_rpm,
            ve=replace(self.settings.limits, tables=present, applied=applied),
        )
        return analyse(frame, settings, progress, self._stop.is_set)

    def _is_over(self, found: Iteration, payload: Payload) -> bool:
        """End the session if this round was the last one; raises TuningError for a hopeless one."""
        settings = self.settings
        if has_converged(found, settings.tolerance_afr, settings.cells_wanted):
            self._end(
                Status.CONVERGED,
                f"{found.measured_cells} cells measured, the largest error is "
                f"{found.max_afr_error:.2f} AFR.",
            )
            return True
        for cylinder, fit in payload.evidence.fits.items():
            if not np.isfinite(fit.correction.estimate).any():
                refused = fit.samples.rejected()
                reason = max(refused, key=lambda key: refused[key], default="too few of them")
                raise TuningError(
                    f"No cell of the {cylinder.value} cylinder could be measured: its samples "
                    f"were refused, most of them for “{reason.replace('_', ' ')}”. Check sensors "
                    "and mapping with a preflight."
                )
        if not found.cylinders:
            raise TuningError("No wideband was heard. Check the sensors.")
        if is_oscillating(self._iterations):
            raise TuningError(
                "The errors grow although they are corrected. Check whether the widebands are on "
                "their own cylinders and whether the delay is right."
            )
        return False

    def _check(self, corrections: Mapping[Cylinder, VeCorrection]) -> None:
        """Refuse a correction that is no number or beyond a limit. Raises TuningError."""
        limits = self.settings.limits
        for cylinder, correction in corrections.items():
            step = correction.multiplier
            total = step * self._applied.get(cylinder, np.ones_like(step))
            slack = 1e-9
            within = (step <= 1.0 + limits.richer_pct / 100.0 + slack) & (
                step >= 1.0 - limits.leaner_pct / 100.0 - slack
            )
            within &= np.abs(total - 1.0) <= limits.session_pct / 100.0 + slack
            if not within.all():
                raise TuningError(
                    f"The correction of the {cylinder.value} cylinder is beyond its limits; "
                    "nothing was applied."
                )

    def _apply(
        self, rig: Rig, corrections: Mapping[Cylinder, VeCorrection], found: Iteration
    ) -> None:
        ve = {
            Cylinder.FRONT: rig.tables.ve_front_pct.values,
            Cylinder.REAR: rig.tables.ve_rear_pct.values,
        }
        for cylinder, correction in corrections.items():
            before = self._applied.get(cylinder, np.ones_like(correction.multiplier))
            self._applied[cylinder] = before * correction.multiplier
            for table in TABLES_OF[cylinder]:
                ve[table] = ve[table] * correction.multiplier
        tables = rig.tables.with_ve(ve[Cylinder.FRONT], ve[Cylinder.REAR])
        rig.command(Flash(tables))
        kept = (*self._iterations[:-1], replace(found, applied=True))
        self._keep(tables, self._needed, kept)

    # Telling

    def _tell(self, iteration: int, stage: Stage | None, share: float, message: str) -> None:
        """Publish where the session is, unless it has been asked to stop."""
        status = Status.RUNNING if stage else Status.INITIALISING
        with self._lock:
            self._require_going()
            self._progress = Progress(status, iteration, stage, share, message)

    def _keep(
        self, tables: EcuTables, needed: tuple[F64, F64] | None, iterations: tuple[Iteration, ...]
    ) -> None:
        """Publish results, unless the session has been asked to stop: late ones count no more."""
        with self._lock:
            self._require_going()
            self._tables, self._needed, self._iterations = tables, needed, iterations

    def _require_going(self) -> None:
        if self._stop.is_set() or self._progress.status.is_final:
            raise _StoppedError

    def _end(self, status: Status, message: str) -> None:
        """Write the final status, once."""
        with self._lock:
            if not self._progress.status.is_final:
                self._progress = replace(self._progress, status=status, share=1.0, message=message)
