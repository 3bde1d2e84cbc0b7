"""Analysis between the window and the disk: reads a log, analyses it, keeps what it found.

Reading and analysis run on one pool thread, report how far they are and stop when asked; the
answer is a signal. The tune that is to be corrected is looked after by the tune bench, which is
asked for the axes before an analysis and given the corrections after it.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRunnable, QThread, QThreadPool, Signal

from dynoai_desktop.capture.sources.contract import CaptureError
from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.tune.store import TuneStore
from dynoai_desktop.core.tune.tables import TuneError
from dynoai_desktop.desks.tune_bench import TuneBench, TuneFile
from dynoai_desktop.ui.messages import AnalysisState, Severity

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.frame import Frame
    from dynoai_desktop.core.analysis.payload import Payload
    from dynoai_desktop.core.analysis.settings import AnalysisSettings
    from dynoai_desktop.core.analysis.tune_settings import TunePart
    from dynoai_desktop.ui.main_window import MainWindow

log = logging.getLogger(__name__)

KEPT_AS = ("analysis", "NextGenAnalysis.json")  # folder and name, as `archive` has them
TUNE_FOLDER = "tune"  # of a vehicle
_READING_SHARE = 0.6  # of the progress bar: reading a long log takes longer than thinking about it
_LEAST_STEP = 0.01
_BROKE_OFF = "The analysis broke off. The log of the program says why."


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What a job came to: a payload, or a message why not."""

    number: int
    frame: Frame | None = None
    payload: Payload | None = None
    saved: Path | None = None
    message: str = ""
    cancelled: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """What is to be analysed, and what is known beside it."""

    path: Path
    frame: Frame | None  # the log where it has been read already
    files: tuple[TuneFile, ...]
    store: TuneStore
    record: VehicleRecord
    folder: Path  # of the vehicle


class _Job(QRunnable):
    """Reads and analyses one log on a pool thread."""

    def __init__(self, desk: AnalysisDesk, number: int, order: _Order) -> None:
        """*number* tells the answer of this job from those of others."""
        super().__init__()
        self._desk, self._number, self._order = desk, number, order
        self._stopped = threading.Event()
        self._shown = -1.0

    def stop(self) -> None:
        """Ask the job to end; it answers that it was cancelled."""
        self._stopped.set()

    def run(self) -> None:
        """Answer in every case, so that the window never waits for ever."""
        answer = _Answer(self._number, message=_BROKE_OFF)
        try:
            answer = self._answer()
        finally:
            self._desk.answered.emit(answer)

    def _answer(self) -> _Answer:
        from dynoai_desktop.capture import files
        from dynoai_desktop.core.analysis import analyse as core
        from dynoai_desktop.core.analysis.frame import FrameError

        order, frame = self._order, self._order.frame
        try:
            if frame is None:
                frame = files.read_frame(order.path, self._reading, self._stopped.is_set)
            parts, settings = self._told(frame)
            payload = core.analyse(frame, settings, self._analysing, self._stopped.is_set)
        except (files.AnalysisCancelledError, core.AnalysisCancelledError):
            return _Answer(self._number, cancelled=True)
        except (CaptureError, FrameError, core.AnalysisError) as error:
            return _Answer(self._number, frame, message=str(error))
        try:
            saved = self._keep(payload, parts)
        except StoreError as error:
            return _Answer(self._number, frame, payload, message=str(error))
        return _Answer(self._number, frame, payload, saved)

    def _told(self, frame: Frame) -> tuple[tuple[TunePart, ...], AnalysisSettings]:
        """Return the tune with its history, and all that it and the vehicle say about the log."""
        from dynoai_desktop.core.analysis.settings import AnalysisSettings
        from dynoai_desktop.core.analysis.tune_settings import (
            TunePart,
            settings_for,
            since_session_began,
        )

        order = self._order
        chosen = tuple(TunePart(file.tune, file.cylinder) for file in order.files)
        parts, notes = since_session_began(chosen, order.store, _now())
        try:
            return parts, settings_for(parts, frame, order.record, AnalysisSettings(notes=notes))
        except TuneError as error:  # the log is read all the same; the preview says no
            alone = AnalysisSettings(notes=(str(error),))
            return (), settings_for((), frame, order.record, alone)

    def _keep(self, payload: Payload, parts: tuple[TunePart, ...]) -> Path | None:
        """Write the payload to the session; None for a log of elsewhere. Raises StoreError."""
        from dynoai_desktop.core.analysis import archive
        from dynoai_desktop.desks import plan_making, planning_work

        order, now = self._order, _now()
        session = archive.session_of(order.path)
        if session is None:
            return None
        request = archive.request_key(session, parts, order.record)
        origin, tune = planning_work.origin_of(session), planning_work.tune_in_force(parts)
        tests = plan_making.tests_after(payload, origin, order.record, order.folder, now, tune)
        stamp = now.isoformat(timespec="seconds")
        return archive.keep(payload, session, request, stamp, tests)

    def _reading(self, share: float) -> None:
        self._tell(_READING_SHARE * share, "Reading the log")

    def _analysing(self, share: float, words: str) -> None:
        before = 0.0 if self._order.frame is not None else _READING_SHARE
        self._tell(before + (1.0 - before) * share, words)

    def _tell(self, share: float, words: str) -> None:
        if share - self._shown >= _LEAST_STEP:
            self._shown = share
            self._desk.progressed.emit(self._number, share, words)


def _recording_of(path: Path) -> Path:
    """Return the session whose kept analysis this is; any other file as it is.

    The document has the figures, not the surfaces with their covariance that the pages and the
    next preview need, so they are worked out from the recording again.
    """
    session = path.parent.parent
    kept = path.suffix == ".json" and (session / "session.json").is_file()
    return session if kept and (path.parent.name, path.name) == KEPT_AS else path


def _now() -> datetime:
    return datetime.now(UTC)


class AnalysisDesk(QObject):
    """Lives on the GUI thread, beside the station."""

    progressed = Signal(int, float, str)  # number of the job, share done, what is being done
    answered = Signal(object)  # _Answer
    analysed = Signal(object, object, object)  # Path, Payload, and the TuneFiles it was made by
    tune_put_in_force = Signal(object)  # paths of the tune the vehicle runs on from now on

    def __init__(self, window: MainWindow, vehicle_folder: Path, vehicle: str) -> None:
        """Connect the window's wishes. *vehicle_folder* keeps the tune history."""
        super().__init__()
        self._window = window
        self._state = AnalysisState()
        self._frame: Frame | None = None
        self._job: _Job | None = None
        self._number = 0
        self._folder, self._record = vehicle_folder, VehicleRecord(vehicle)
        self._bench = TuneBench(window, vehicle_folder / TUNE_FOLDER, vehicle)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setThreadPriority(QThread.Priority.LowPriority)
        self.progressed.connect(self._progress)
        self.answered.connect(self._take)
        self._bench.tune_changed.connect(self._again)
        self._bench.put_in_force.connect(self.tune_put_in_force)
        window.analyse_requested.connect(self.analyse)
        window.analysis_cancelled.connect(self.cancel)

    def close(self) -> None:
        """Stop what runs."""
        self.cancel()
        self._pool.waitForDone()
        self._bench.close()

    def set_vehicle(self, folder: Path, record: VehicleRecord) -> None:
        """Work for another vehicle; what was found out about the one before is let go."""
        known, self._folder, self._record = self._record, folder, record
        if self._bench.set_vehicle(folder / TUNE_FOLDER, record.name):
            self.cancel()
            self._job, self._frame = None, None
            self._number += 1
            self._state = AnalysisState()
            self._show()
        elif record != known and not self._window.state.recording.active:
            self._again()

    def analyse(self, path: Path) -> None:
        """Read and analyse a log; the one before stays until this one is done."""
        if self._window.state.recording.active:
            self._window.show_notice("Stop the recording before an analysis.", Severity.ATTENTION)
            return
        path = _recording_of(path)
        self._frame = None
        self._state = replace(self._state, path=path, saved=None)
        self._start(path)

    def cancel(self) -> None:
        """Stop the analysis under way; what was found before stays."""
        if self._job is not None:
            self._job.stop()

    def _again(self) -> None:
        """Analyse the log in hand by another tune or vehicle."""
        if self._state.path is not None and (self._frame is not None or self._job is not None):
            self._start(self._state.path)

    def _start(self, path: Path) -> None:
        self.cancel()
        self._number += 1
        bench = self._bench
        order = _Order(path, self._frame, bench.files, bench.store, self._record, self._folder)
        self._job = _Job(self, self._number, order)
        self._state = replace(
            self._state, running=True, share=0.0, step="Opening the log", message="", failed=False
        )
        self._show()
        self._pool.start(self._job)

    def _progress(self, number: int, share: float, words: str) -> None:
        if number == self._number and self._job is not None:
            self._state = replace(self._state, share=share, step=words)
            self._show()

    def _take(self, answer: _Answer) -> None:
        if answer.number != self._number:
            return
        self._job = None
        self._frame = answer.frame if answer.frame is not None else self._frame
        state = replace(self._state, running=False, message=answer.message)
        if answer.payload is not None:
            state = replace(state, payload=answer.payload, saved=answer.saved)
        elif answer.cancelled:
            state = replace(state, message="The analysis was stopped.")
        else:  # what another log said must not be taken for this one's
            state = replace(state, payload=None, failed=True)
        self._state = state
        self._show()
        if not answer.cancelled:
            self._bench.take_payload(answer.payload)
        if answer.payload is not None:
            self.analysed.emit(state.path, answer.payload, self._bench.files)

    def _show(self) -> None:
        self._window.set_analysis(self._state)
