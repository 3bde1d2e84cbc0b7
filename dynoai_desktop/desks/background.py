"""Work off the GUI thread, one piece after the other, with the answer on the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

T = TypeVar("T")
_BROKE_OFF = "That broke off. The log of the program says why."


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What a piece of work came to, and who is told."""

    task: _Task
    tell: Callable[[], None]


class _Task(QRunnable):
    """One piece of work; what it returns is called on the GUI thread."""

    def __init__(
        self,
        owner: Background,
        work: Callable[[], Callable[[], None]],
        broke_off: Callable[[], None],
    ) -> None:
        super().__init__()
        self._owner, self._work, self._tell = owner, work, broke_off

    def run(self) -> None:
        """Answer in every case, so that nobody waits for ever."""
        try:
            self._tell = self._work()
        finally:
            self._owner.answered.emit(_Answer(self, self._tell))


class Background(QObject):
    """A queue with one thread. Lives on the GUI thread."""

    answered = Signal(object)  # _Answer

    def __init__(self, *refusals: type[Exception]) -> None:
        """*refusals* are the errors whose message is an answer."""
        super().__init__()
        self._refusals = refusals
        self._tasks: set[_Task] = set()  # Qt does not keep them alive
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._closed = False
        self.answered.connect(self._take)

    def start(
        self, work: Callable[[], T], take: Callable[[T], Any], refuse: Callable[[str], Any]
    ) -> None:
        """Do *work* on the thread, then *take* its result, or *refuse* with a sentence."""

        def done() -> Callable[[], None]:
            try:
                result = work()
            except self._refusals as error:
                message = str(error)
                return lambda: refuse(message)
            return lambda: take(result)

        task = _Task(self, done, lambda: refuse(_BROKE_OFF))
        self._tasks.add(task)
        self._pool.start(task)

    def close(self) -> None:
        """Wait for what runs; nothing is told any more."""
        self._closed = True  # an answer that is on its way already would still arrive
        self._pool.waitForDone()

    def _take(self, answer: _Answer) -> None:
        self._tasks.discard(answer.task)
        if not self._closed:
            answer.tell()
