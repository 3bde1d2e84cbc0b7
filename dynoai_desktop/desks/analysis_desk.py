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
from dynoai_desktop.core.store.json_store import StoreError, json_text
from dynoai_desktop.core.tune.files import replace_all
from dynoai_desktop.core.tune.tables import Tune, TuneError
from dynoai_desktop.desks.tune_bench import TuneBench, axes_for
from dynoai_desktop.ui.messages import AnalysisState, Severity

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.frame import Frame
    from dynoai_desktop.core.analysis.payload import Payload
    from dynoai_desktop.core.analysis.settings import AnalysisSettings
    from dynoai_desktop.ui.main_window import MainWindow

log = logging.getLogger(__name__)

FOLDER, NAME = "analysis", "NextGenAnalysis.json"
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


class _Job(QRunnable):
    """Reads and analyses one log on a pool thread."""

    def __init__(
        self, desk: AnalysisDesk, number: int, path: Path, frame: Frame | None, tune: Tune | None
    ) -> None:
        """*frame* is the log where it has been read already."""
        super().__init__()
        self._desk, self._number = desk, number
        self._path, self._frame, self._tune = path, frame, tune
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

        frame = self._frame
        try:
            if frame is None:
                frame = files.read_frame(self._path, self._reading, self._stopped.is_set)
            payload = core.analyse(
                frame, self._settings(frame), self._analysing, self._stopped.is_set
            )
        except (files.AnalysisCancelledError, core.AnalysisCancelledError):
            return _Answer(self._number, cancelled=True)
        except (CaptureError, FrameError, core.AnalysisError) as error:
            return _Answer(self._number, frame, message=str(error))
        try:
            saved = keep(payload, self._path)
        except StoreError as error:
            return _Answer(self._number, frame, payload, message=str(error))
        return _Answer(self._number, frame, payload, saved)

    def _settings(self, frame: Frame) -> AnalysisSettings:
        from dynoai_desktop.core.analysis.settings import AnalysisSettings

        if self._tune is None:
            return AnalysisSettings()
        try:
            return AnalysisSettings(axes=axes_for(self._tune, frame))
        except TuneError:  # a log of another vehicle is read all the same; the preview says no
            return AnalysisSettings()

    def _reading(self, share: float) -> None:
        self._tell(_READING_SHARE * share, "Reading the log")

    def _analysing(self, share: float, words: str) -> None:
        before = 0.0 if self._frame is not None else _READING_SHARE
        self._tell(before + (1.0 - before) * share, words)

    def _tell(self, share: float, words: str) -> None:
        if share - self._shown >= _LEAST_STEP:
            self._shown = share
            self._desk.progressed.emit(self._number, share, words)


def keep(payload: Payload, path: Path) -> Path | None:
    """Write the payload to the session that *path* belongs to; None for a log of elsewhere.

    Raises StoreError when the disk refuses.
    """
    from dynoai_desktop.core.analysis.document import to_document

    folder = path if path.is_dir() else path.parent
    if not (folder / "session.json").is_file():
        return None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    document = to_document(payload, run_id=folder.name, generated_at=now)
    target = folder / FOLDER / NAME
    try:
        target.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"Cannot keep the analysis: {error.strerror or error}.") from error
    replace_all({target: json_text(document).encode()})
    return target


class AnalysisDesk(QObject):
    """Lives on the GUI thread, beside the station."""

    progressed = Signal(int, float, str)  # number of the job, share done, what is being done
    answered = Signal(object)  # _Answer

    def __init__(self, window: MainWindow, vehicle_folder: Path, vehicle: str) -> None:
        """Connect the window's wishes. *vehicle_folder* keeps the tune history."""
        super().__init__()
        self._window = window
        self._state = AnalysisState()
        self._frame: Frame | None = None
        self._job: _Job | None = None
        self._number = 0
        self._bench = TuneBench(window, vehicle_folder / "tune", vehicle)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setThreadPriority(QThread.Priority.LowPriority)
        self.progressed.connect(self._progress)
        self.answered.connect(self._take)
        self._bench.tune_changed.connect(self._again)
        window.analyse_requested.connect(self.analyse)
        window.analysis_cancelled.connect(self.cancel)

    def close(self) -> None:
        """Stop what runs."""
        self.cancel()
        self._pool.waitForDone()

    def analyse(self, path: Path) -> None:
        """Read and analyse a log; the one before stays until this one is done."""
        if self._window.state.recording.active:
            self._window.show_notice("Stop the recording before an analysis.", Severity.ATTENTION)
            return
        self._frame = None
        self._state = replace(self._state, path=path, saved=None)
        self._start(path)

    def cancel(self) -> None:
        """Stop the analysis under way; what was found before stays."""
        if self._job is not None:
            self._job.stop()

    def _again(self) -> None:
        """Analyse the log in hand on the axes of another tune."""
        if self._state.path is not None and (self._frame is not None or self._job is not None):
            self._start(self._state.path)

    def _start(self, path: Path) -> None:
        self.cancel()
        self._number += 1
        self._job = _Job(self, self._number, path, self._frame, self._bench.tune)
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

    def _show(self) -> None:
        self._window.set_analysis(self._state)
