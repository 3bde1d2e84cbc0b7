"""What the keys that work from every page do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dynoai_desktop.ui.messages import Severity, SourceKind
from dynoai_desktop.ui.panels import SADDLE_PAGE
from dynoai_desktop.ui.preferences import VoiceMode
from dynoai_desktop.ui.rehearsal import Running

if TYPE_CHECKING:
    from dynoai_desktop.ui.main_window import MainWindow


class Actions:
    """One method each, by the names that the table of keys gives them."""

    def __init__(self, window: MainWindow) -> None:
        """Act on *window*."""
        self._window = window
        self._table: dict[str, Callable[[], object]] = {
            "record": self._record,
            "saddle": lambda: window.set_saddle(not window.in_saddle),
            "go_live": self._go_live,
            "acknowledge": window.acknowledge,
            "preflight": self._preflight,
            "pin": self._pin,
            "abort": self._abort,
            "voice": self._toggle_voice,
            "alerts": self._open_alerts,
            "targets": lambda: window.show_page("targets"),
            "back": self._back,
        }

    def act(self, action: str) -> None:
        """Carry out an action; one that belongs to a page alone means nothing here."""
        if action in self._table:
            self._table[action]()

    def _record(self) -> None:
        window, state = self._window, self._window.state
        source = state.source
        if source.is_replay:
            if source.finished:
                window.replay_seeked.emit(0.0)
            window.replay_paused.emit(not (source.paused or source.finished))
        elif state.recording.active:
            window.stop_requested.emit()
        elif source.kind is SourceKind.LIVE:
            window.record_requested.emit()
        else:
            window.show_notice(
                "There is nothing to record yet. Choose the interface of the dyno on Connect.",
                Severity.ATTENTION,
            )

    def _preflight(self) -> None:
        window = self._window
        window.show_page("preflight")
        if window.state.source.kind not in (SourceKind.NONE, SourceKind.FAILED):
            window.panel().act("preflight")

    def _pin(self) -> None:
        self._window.show_page("mapping")
        self._window.panel().act("pin")

    def _abort(self) -> None:
        if self._window.state.rehearsal.running is Running.ON:
            from dynoai_desktop.core.simulator.commands import Abort

            self._window.simulator_ordered.emit(Abort())

    def _toggle_voice(self) -> None:
        window = self._window
        on = window.preferences.voice is VoiceMode.OFF
        if on and not window.voice.output.can_speak:
            window.show_notice(window.voice.words, Severity.ATTENTION)
            return
        voice = VoiceMode.WORDS if on else VoiceMode.OFF
        window.settings_changed.emit(replace(window.preferences, voice=voice))

    def _open_alerts(self) -> None:
        self._window.show_page(SADDLE_PAGE)
        self._window.panel().act("open_alerts")

    def _go_live(self) -> None:
        if self._window.state.source.is_replay:
            self._window.live_requested.emit()

    def _back(self) -> None:
        if self._window.in_saddle:
            self._window.set_saddle(False)
        else:
            self._window.show_page(self._window.pages.workflow_page)
