"""Runs studied in a process of their own, one after the other: the command `feedback`.

Reading and analysing a session takes a second of the interpreter; a process shares nothing with
the capture thread but the processor, and yields that.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

from dynoai_desktop.desks.own_program import own_command

log = logging.getLogger(__name__)

_GOOD_BYE_MS = 3000
_SEE_LOG = "The log of the program says why."


@dataclass(frozen=True, slots=True)
class StudyOrder:
    """A session to learn from. *step* is the key of the test it was driven for, "" for none."""

    session: Path
    vehicle: str
    data_dir: Path
    step: str = ""


@dataclass(frozen=True, slots=True)
class Studied:
    """What a study came to: *words*, or a *message* why there is nothing."""

    order: StudyOrder
    words: str = ""
    message: str = ""


class RunStudy(QObject):
    """A queue of sessions. Lives on the GUI thread."""

    done = Signal(object)  # Studied

    def __init__(self, parent: QObject) -> None:
        """Start with nothing to do."""
        super().__init__(parent)
        self._orders: list[StudyOrder] = []
        self._process: QProcess | None = None

    @property
    def is_busy(self) -> bool:
        """Return whether a session is being studied or waits for it."""
        return self._process is not None or bool(self._orders)

    def start(self, order: StudyOrder) -> None:
        """Study a session; one that waits for the same is not studied twice."""
        self._orders = [one for one in self._orders if one.session != order.session] + [order]
        self._go_on()

    def close(self) -> None:
        """Stop what runs."""
        self._orders.clear()
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect()
            process.errorOccurred.disconnect()
            process.kill()
            process.waitForFinished(_GOOD_BYE_MS)

    def _go_on(self) -> None:
        if self._process is not None or not self._orders:
            return
        order = self._orders.pop(0)
        self._process = process = QProcess(self)
        process.finished.connect(lambda code, _status: self._finished(order, code))
        process.errorOccurred.connect(lambda error: self._failed(order, error))
        program, *arguments = own_command(
            "feedback",
            str(order.session),
            "--vehicle",
            order.vehicle,
            "--data-dir",
            str(order.data_dir),
            *(("--step", order.step) if order.step else ()),
            "--child",
            "--json",
        )
        process.start(program, arguments)

    def _finished(self, order: StudyOrder, code: int) -> None:
        process = self._process
        if process is None:
            return
        out, err = (
            bytes(data.data()).decode("utf-8", "replace")
            for data in (process.readAllStandardOutput(), process.readAllStandardError())
        )
        if code == 0:
            self._tell(Studied(order, words=_words(out)))
        else:
            self._tell(Studied(order, message=_reason(err)))

    def _failed(self, order: StudyOrder, error: QProcess.ProcessError) -> None:
        # Any other error is followed by the end of the process.
        if self._process is not None and error is QProcess.ProcessError.FailedToStart:
            self._tell(Studied(order, message=f"{self._process.errorString()}."))

    def _tell(self, studied: Studied) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        self.done.emit(studied)
        self._go_on()


def _words(answer: str) -> str:
    """Return what a study brought, in a sentence."""
    try:
        found = json.loads(answer)
        name, gain_pct = str(found["run"]), float(found["gain_pct"])
    except (ValueError, KeyError, TypeError):
        log.warning("The study of a run answered %r", answer[:200])
        return ""
    return f"{name} was learned from: {gain_pct:+.1f} points of the goal."


def _reason(problem: str) -> str:
    """Return the sentence at the end of what a command complained of."""
    lines = problem.strip().splitlines()
    if not lines:
        return _SEE_LOG
    log.warning("The study of a run: %s", problem.strip())
    name, colon, sentence = lines[-1].partition(": ")
    return sentence if colon and " " not in name else lines[-1]
