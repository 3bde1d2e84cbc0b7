"""The virtual sessions of this program: how many may run, how long they are kept.

At most four run at a time and a hundred are kept. A finished one is forgotten after an hour, one
that has made no progress for ten minutes is ended. Old sessions are swept out whenever somebody
asks for something and five minutes have passed. Any thread may call any method.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from dynoai_desktop.core.simulator.tuning.outcome import Outcome, Progress
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings

MOST_RUNNING = 4
MOST_KEPT = 100
EXPIRES_S = 3600.0
SWEEP_EVERY_S = 300.0
STALLED_S = 600.0

Background = Callable[[Callable[[], None]], object]
"""Runs a function on another thread: a pool's `submit`, a thread's start."""


class TooManySessionsError(RuntimeError):
    """As many sessions run as may; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One session in the list."""

    key: str
    title: str
    progress: Progress
    started_s: float
    ended_s: float | None


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge or a sweep has let go."""

    sessions: int = 0
    iterations: int = 0
    array_bytes: int = 0
    stalled: int = 0  # sessions ended because they made no progress


@dataclass(frozen=True, slots=True)
class Figures:
    """How full the registry is."""

    running: int
    finished: int
    array_bytes: int


@dataclass(slots=True, eq=False)
class _Entry:
    key: str
    session: VirtualSession
    started_s: float
    ended_s: float | None = None
    seen: Progress | None = None  # and since when it has not changed
    seen_s: float = 0.0


class SessionRegistry:
    """Starts, lists, stops and forgets sessions."""

    def __init__(
        self,
        background: Background,
        now_s: Callable[[], float],
        make: Callable[[TuningSettings], VirtualSession] = VirtualSession,
    ) -> None:
        """Start empty. *background* runs the sessions, *now_s* is a clock in seconds."""
        self._background = background
        self._now_s = now_s
        self._make = make
        self._lock = threading.RLock()
        self._entries: dict[str, _Entry] = {}  # oldest first
        self._count = 0
        self._swept_s = now_s()

    def start(self, settings: TuningSettings) -> str:
        """Start a session and return its key.

        Raises TooManySessionsError while as many run as may.
        """
        with self._lock:
            self._sweep_if_due()
            if len(self._running()) >= MOST_RUNNING:
                raise TooManySessionsError(
                    f"{MOST_RUNNING} sessions are running. Stop one, or wait for one to end."
                )
            self._count += 1
            now = self._now_s()
            entry = _Entry(f"session-{self._count}", self._make(settings), now, seen_s=now)
            self._entries[entry.key] = entry
            self._make_room()
        started = False
        try:
            self._background(lambda: self._run(entry))
            started = True
        finally:
            if not started:
                with self._lock:
                    self._entries.pop(entry.key, None)
        return entry.key

    def progress(self, key: str) -> Progress:
        """Return how far a session is. Raises KeyError for one that is not kept (any more)."""
        return self._entry(key).session.progress

    def outcome(self, key: str) -> Outcome:
        """Return what a session has found so far. Raises KeyError for one that is not kept."""
        return self._entry(key).session.outcome

    def stop(self, key: str) -> None:
        """Ask a session to end. Raises KeyError for one that is not kept."""
        self._entry(key).session.stop()

    def stop_all(self) -> None:
        """Ask every session to end, as when the program closes."""
        for entry in self._all_running():
            entry.session.stop()

    def fail_all(self, message: str) -> None:
        """End every session that does not heed `stop_all`."""
        for entry in self._all_running():
            entry.session.fail(message)

    def _all_running(self) -> list[_Entry]:
        with self._lock:
            return self._running()

    def listing(self) -> tuple[Listing, ...]:
        """Return the sessions kept, newest first."""
        with self._lock:
            self._sweep_if_due()
            return tuple(
                Listing(
                    e.key, _title(e.session.settings), e.session.progress, e.started_s, e.ended_s
                )
                for e in reversed(self._entries.values())
            )

    def figures(self) -> Figures:
        """Return how many sessions there are and what their tables weigh."""
        with self._lock:
            running = len(self._running())
            weight = sum(e.session.outcome.array_bytes for e in self._entries.values())
            return Figures(running, len(self._entries) - running, weight)

    def purge(self) -> Purge:
        """Forget every finished session now."""
        with self._lock:
            return self._forget([e for e in self._entries.values() if _has_ended(e)])

    def sweep(self) -> Purge:
        """Forget what has expired and end what has stalled."""
        with self._lock:
            now = self._swept_s = self._now_s()
            stalled = [e for e in self._running() if _stalls(e, now)]
            for entry in stalled:
                entry.session.fail(f"No progress for {STALLED_S / 60:.0f} minutes.")
                entry.ended_s = now
            expired = [
                e
                for e in self._entries.values()
                if e.ended_s is not None and now - e.ended_s >= EXPIRES_S
            ]
            gone = self._forget(expired)
            return Purge(gone.sessions, gone.iterations, gone.array_bytes, len(stalled))

    def _entry(self, key: str) -> _Entry:
        with self._lock:
            self._sweep_if_due()
            return self._entries[key]

    def _sweep_if_due(self) -> None:
        if self._now_s() - self._swept_s >= SWEEP_EVERY_S:
            self.sweep()

    def _running(self) -> list[_Entry]:
        return [e for e in self._entries.values() if not _has_ended(e)]

    def _make_room(self) -> None:
        """Let the oldest finished sessions go when more are kept than may be."""
        surplus = len(self._entries) - MOST_KEPT
        if surplus > 0:
            self._forget([e for e in self._entries.values() if _has_ended(e)][:surplus])

    def _forget(self, entries: list[_Entry]) -> Purge:
        iterations = weight = 0
        for entry in entries:
            outcome = entry.session.outcome
            iterations += len(outcome.iterations)
            weight += outcome.array_bytes
            entry.session.release()
            del self._entries[entry.key]
        return Purge(len(entries), iterations, weight)

    def _run(self, entry: _Entry) -> None:
        """Do a session on a background thread; whatever happens, it has an end."""
        try:
            entry.session.run()
        finally:
            # No effect on a session with a final status; an unforeseen error goes on to the
            # thread's own handler, and its words to the person who looks at the session.
            entry.session.fail(f"The session broke off: {sys.exception()!r}.")
            with self._lock:
                if entry.ended_s is None:
                    entry.ended_s = self._now_s()


def _has_ended(entry: _Entry) -> bool:
    return entry.session.progress.status.is_final


def _stalls(entry: _Entry, now_s: float) -> bool:
    """Return whether a session has stood still for too long; remembers when it last moved."""
    progress = entry.session.progress
    if progress != entry.seen:
        entry.seen, entry.seen_s = progress, now_s
    return now_s - entry.seen_s >= STALLED_S


def _title(settings: TuningSettings) -> str:
    return f"{settings.profile.title}: {settings.scenario.title}"
