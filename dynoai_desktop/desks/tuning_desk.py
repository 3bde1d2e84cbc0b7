"""Virtual tuning sessions between the window and the processes they run in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThreadPool, QTimer

from dynoai_desktop.ui.rehearsal import TuningRow, TuningState, TuningWish
from dynoai_desktop.ui.wording import count

if TYPE_CHECKING:
    from dynoai_desktop.core.simulator.tuning.registry import Purge, SessionRegistry
    from dynoai_desktop.ui.main_window import MainWindow

_TICK_MS = 250  # digits move four times a second
_GOOD_BYE_MS = 5_000  # a stopped session ends within one step
_MEGABYTE = 1e6


class TuningDesk(QObject):
    """Lives on the GUI thread, beside the station."""

    def __init__(self, window: MainWindow) -> None:
        """Connect the window's wishes; the simulator is loaded with the first of them."""
        super().__init__()
        self._window = window
        self._registry: SessionRegistry | None = None
        self._wishes: dict[str, TuningWish] = {}  # by key of the session
        self._state = TuningState()
        self._pool = QThreadPool(self)
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._look)
        window.tuning_page_opened.connect(self.offer_choices)
        window.tuning_start_requested.connect(self.start)
        window.tuning_stop_requested.connect(self.stop)
        window.tuning_purge_requested.connect(self.purge)

    def offer_choices(self) -> None:
        """Tell the page what there is. Reads the simulator's tables, so only when it is opened."""
        if not self._state.vehicles:
            from dynoai_desktop.desks import rehearsal_words as words

            self._state = replace(
                self._state,
                vehicles=words.vehicles(),
                scenarios=words.scenarios(),
                rounds=words.rounds(),
            )
        self._show(self._state.message)

    def start(self, wish: TuningWish) -> None:
        """Begin a session, or say why not."""
        from dynoai_desktop.capture.simulator_files import profile_of, scenario_of
        from dynoai_desktop.core.simulator.tuning.registry import (
            MOST_RUNNING,
            SessionRegistry,
            TooManySessionsError,
        )
        from dynoai_desktop.core.simulator.tuning.settings import TuningSettings
        from dynoai_desktop.desks.tuning_process import ProcessSession

        if self._registry is None:
            self._pool.setMaxThreadCount(MOST_RUNNING)
            self._registry = SessionRegistry(self._pool.start, time.monotonic, ProcessSession)
        try:
            settings = TuningSettings(
                profile=profile_of(str(wish.profile_file or wish.profile)),
                scenario=scenario_of(str(wish.scenario_file or wish.scenario)),
                seed=wish.seed,
                round=wish.round,
            )
            key = self._registry.start(settings)
        except (ValueError, TooManySessionsError) as error:
            self._show(str(error))
            return
        self._wishes[key] = wish
        self._timer.start()
        self._show()

    def stop(self, key: str) -> None:
        """Ask one session to end; it does so within one step."""
        if self._registry is not None and any(row.id == key for row in self._state.sessions):
            self._registry.stop(key)
            self._show()

    def purge(self) -> None:
        """Forget the sessions that have ended, and say what that freed."""
        if self._registry is not None:
            self._show(_freed(self._registry.purge()))

    def close(self) -> None:
        """Stop what runs and wait for its end."""
        self._timer.stop()
        if self._registry is not None:
            self._registry.stop_all()
            if not self._pool.waitForDone(_GOOD_BYE_MS):
                self._registry.fail_all("The program was closed.")
                self._pool.waitForDone(_GOOD_BYE_MS)

    def _look(self) -> None:
        self._show(self._state.message)
        if all(row.progress.status.is_final for row in self._state.sessions):
            self._timer.stop()

    def _show(self, message: str = "") -> None:
        rows = () if self._registry is None else _rows(self._registry, self._wishes)
        self._state = replace(self._state, sessions=rows, message=message)
        self._window.set_tuning(self._state)


def _rows(registry: SessionRegistry, wishes: Mapping[str, TuningWish]) -> tuple[TuningRow, ...]:
    return tuple(
        TuningRow(one.key, _title(wishes[one.key]), one.progress, registry.outcome(one.key))
        for one in registry.listing()
    )


def _title(wish: TuningWish) -> str:
    """Return what a session is about.

    >>> _title(TuningWish("m8-114", "lean", 3, "transients"))
    'm8-114 · lean · seed 3 · transients'
    """
    vehicle = wish.profile if wish.profile_file is None else wish.profile_file.stem
    tune = wish.scenario if wish.scenario_file is None else wish.scenario_file.stem
    usual = TuningWish("", "", 0).round
    driven = "" if wish.round == usual else f" · {wish.round.replace('_', ' ')}"
    return f"{vehicle} · {tune} · seed {wish.seed}{driven}"


def _freed(purge: Purge) -> str:
    """Return what a purge let go, in words."""
    if not purge.sessions:
        return "No session has ended yet."
    sessions, rounds = count(purge.sessions, "session"), count(purge.iterations, "iteration")
    megabytes = purge.array_bytes / _MEGABYTE
    return f"{sessions} with {rounds} forgotten, {megabytes:.1f} MB freed."
