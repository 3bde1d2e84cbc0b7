"""A virtual tuning session in a process of its own, and both ends of the pipe to it.

Four sessions on threads of the window would share its interpreter: nothing would be lost, but the
picture would come a second late. A process shares nothing but the processor, and yields that.

Down the pipe goes one message, the settings; closing it asks the session to end. Up come pairs of
progress and outcome, the outcome only where it is another than before. Both ends are the same
program of the same version, so the messages are Python's own.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import threading
import time
from typing import IO, Any

from dynoai_desktop.core.simulator.tuning.outcome import Outcome, Progress
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings
from dynoai_desktop.desks.own_program import own_command

CHILD_OPTION = "--child"  # of the command `virtual-tune`
_LENGTH = struct.Struct("<I")
_TELL_EVERY_S = 0.1
_NICE = 10
# Windows: no console window, and the processor only where the window leaves it.
_FLAGS = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
    subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0
)


class ProcessSession(VirtualSession):
    """A session that happens elsewhere. `run` waits for it; any thread may call the rest."""

    def __init__(self, settings: TuningSettings) -> None:
        """Prepare; the process begins with `run`."""
        super().__init__(settings)
        self._pipe_lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> Outcome:
        """Do the whole session and return its outcome."""
        try:
            code = self._run_process()
        except OSError as error:
            self.fail(f"The session's process cannot be reached: {error.strerror or error}.")
        else:
            self.fail(f"The session's process ended with {code}.")
        return self.outcome

    def _run_process(self) -> int:
        """Listen to the process until it ends and return its exit code."""
        with self._pipe_lock:
            if self._stop.is_set():
                return 0
            self._process = process = subprocess.Popen(
                own_command("virtual-tune", CHILD_OPTION),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                creationflags=_FLAGS,
                # One thread each: four processes are enough for any desk.
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            )
        assert process.stdin is not None and process.stdout is not None
        with process:
            with self._pipe_lock:
                _send(process.stdin, self.settings)
            while (message := _receive(process.stdout)) is not None:
                self._hear(*message)
            self._hang_up()
        return process.returncode

    def stop(self) -> None:
        """Ask the session to end; it does so within one step."""
        super().stop()
        self._hang_up()

    def fail(self, message: str) -> None:
        """End the session, and its process by force; no effect once it has ended."""
        super().fail(message)
        with self._pipe_lock:
            if self._process is not None:
                self._process.kill()

    def _hang_up(self) -> None:
        with self._pipe_lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()

    def _hear(self, progress: Progress, outcome: Outcome | None) -> None:
        """Take over what the process says; what comes after the end counts no more."""
        with self._lock:
            if self._progress.status.is_final:
                return
            self._progress = progress
            if outcome is not None:
                self._iterations, self._tables = outcome.iterations, outcome.tables
                self._needed = outcome.true_ve_pct


def serve(orders: IO[bytes], answers: IO[bytes]) -> Outcome | None:
    """Do the session that *orders* asks for and report on *answers*; None: nothing was asked.

    Ends when *orders* closes, or when nobody listens any more.
    """
    settings = _receive(orders)
    if settings is None:
        return None
    if hasattr(os, "nice"):
        os.nice(_NICE)
    session = VirtualSession(settings)

    def wait_for_the_end() -> None:
        # Straight from the descriptor: a buffered reader would hold its lock for ever.
        while os.read(orders.fileno(), 1):
            pass
        session.stop()

    threading.Thread(target=wait_for_the_end, name="orders", daemon=True).start()
    try:
        _report(session, answers)
    except BrokenPipeError:
        session.stop()
    return session.outcome


def _report(session: VirtualSession, answers: IO[bytes]) -> None:
    known: object = None
    due_s = 0.0
    for progress in session.steps():
        outcome = session.outcome
        found = (len(outcome.iterations), id(outcome.tables))
        if found != known or progress.status.is_final or time.monotonic() >= due_s:
            _send(answers, (progress, outcome if found != known else None))
            known, due_s = found, time.monotonic() + _TELL_EVERY_S


def _send(pipe: IO[bytes], message: object) -> None:
    data = pickle.dumps(message)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    """Return the next message, None when there will be none."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    return pickle.loads(data) if len(data) == length else None
