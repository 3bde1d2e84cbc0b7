"""Preflight: fifteen seconds of listening, then every check, worst first, with what to do."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dynoai_desktop.core.trust.health import BusHealth, ChannelHealth
from dynoai_desktop.ui.foreign import foreign_words
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState, SourceKind
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.watched import WATCHED_COLUMNS, watched_channels
from dynoai_desktop.ui.trends import Trends
from dynoai_desktop.ui.verdict import verdict
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.check_list import CheckList
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.row_model import RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable

_ROW_PX = 56
_NOTE, _RUNNING, _CHECKS = range(3)
_WHAT_TO_DO = (
    "Keep the engine idling and warm. Open the throttle twice, briefly: manifold pressure and "
    "throttle are told from their neighbours by how they move."
)


class PreflightPanel(Panel):
    """Draws the state of the preflight; reports start, cancel and override."""

    preflight_requested = Signal()
    preflight_cancelled = Signal()
    override_requested = Signal(str, str)  # check id and reason; "" takes the override back

    def __init__(self, look: Look, trends: Trends, pages: Mapping[str, tuple[str, str]]) -> None:
        """Start without a report. *pages*: title and key of the pages where things are mended."""
        super().__init__(look, "Preflight")
        self._state = FrameState()
        self._providers = BusHealth(now_us=0).providers
        self.word = ElidedLabel("verdict", "Verdict")
        self.detail = ElidedLabel("", "Counts")
        self.foreign = ElidedLabel("small", "Foreign traffic")
        self.button = glove_button("Start", "P", self._press)
        self.button.setProperty("role", "start")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress")
        self.what = QLabel(_WHAT_TO_DO)
        self.what.setWordWrap(True)
        self.watched: RowModel[ChannelHealth] = RowModel(
            WATCHED_COLUMNS, lambda row: (row.provider, row.id), look, self
        )
        self.watched_table = RowTable(self.watched, "What is being measured", _ROW_PX, look)
        self.watched_table.draw_trends(lambda row: (trends.trace(row.provider, row.id), row.unit))
        self.watched_table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.checks = CheckList(look, pages)
        self.checks.overridden.connect(self.override_requested)
        self.checks.page_wanted.connect(self.page_wanted)
        self.note = EmptyNote()
        self.note.pressed.connect(lambda: self.page_wanted.emit("connect"))
        self._lay_out()
        self.show_state(self._state)

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.word)
        words.addWidget(self.detail)
        words.addWidget(self.foreign)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addLayout(words, 1)
        top.addWidget(self.button)
        running = QVBoxLayout()
        running.setContentsMargins(0, 0, 0, 0)
        running.setSpacing(10)
        running.addWidget(self.progress)
        running.addWidget(self.what)
        running.addWidget(self.watched_table, 1)
        holder = QWidget()
        holder.setLayout(running)
        self.stack = QStackedWidget()
        for page in (self.note, holder, self.checks):  # in the order of _NOTE, _RUNNING, _CHECKS
            self.stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(10)
        column.addLayout(top)
        column.addWidget(self.stack, 1)
        self.setFocusProxy(self.checks)

    # What is shown

    def show_state(self, state: FrameState) -> None:
        """Follow the preflight."""
        self._state = state
        preflight = state.preflight
        said = verdict(preflight)
        self.word.setText(f"{said.sign} {said.word}")
        self.detail.setText(said.detail)
        set_state(self.word, said.state)
        word = "Stop" if preflight.running else "Run again" if preflight.report else "Start"
        name_button(self.button, word, "Esc" if preflight.running else "P")
        self.button.setVisible(self._can_listen or preflight.running)
        self.progress.setMaximum(max(round(preflight.duration_s * 10), 1))
        self.progress.setValue(round(min(preflight.elapsed_s, preflight.duration_s) * 10))
        self.checks.show_state(preflight)
        self._say_what_is_missing()
        ready = _CHECKS if preflight.report is not None else _NOTE
        self._bring(_RUNNING if preflight.running else ready)
        self._show_foreign()

    def _bring(self, page: int) -> None:
        """Bring a part of the page to the front; fresh checks take the keyboard."""
        if page != self.stack.currentIndex():
            self.stack.setCurrentIndex(page)
            if page == _CHECKS and self.isVisible():
                self.checks.setFocus()

    def show_health(self, health: BusHealth) -> None:
        """Print what is being measured, and what is heard and not used."""
        self._providers = health.providers
        self._show_foreign()
        if self._state.preflight.running:
            self.watched.set_rows(watched_channels(health))

    def clear(self) -> None:
        """Forget the bus: another source begins."""
        self.checks.close_form()
        self.show_health(BusHealth(now_us=0))
        self.watched.set_rows(())

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.watched_table.set_look(look)
        self.checks.set_look(look)

    def _show_foreign(self) -> None:
        words = foreign_words(self._providers, self._state.mapping.pinned)
        self.foreign.setText(words)
        self.foreign.setVisible(bool(words))

    @property
    def _can_listen(self) -> bool:
        return self._state.source.kind not in (SourceKind.NONE, SourceKind.FAILED)

    def _say_what_is_missing(self) -> None:
        if not self._can_listen:
            self.note.say(
                "Checks will be listed here",
                "Fifteen seconds of listening tell whether the data can be trusted, and what to "
                "change in Power Core where they cannot. Choose the interface of the dyno first.",
                "Go to Connect  [1]",
            )
        else:
            self.note.say(
                "Checks will be listed here",
                "Fifteen seconds of listening tell whether the data can be trusted: the right "
                "channels, fresh, often enough, and behaving like what they are called. "
                f"{_WHAT_TO_DO}",
            )

    # Wishes

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if action == "preflight":
            self._start()
        elif action == "back" and not self.checks.close_form():
            if not self._state.preflight.running:
                return False
            self.preflight_cancelled.emit()
        elif action != "back":
            return False
        return True

    def _start(self) -> None:
        if not self._state.preflight.running:
            self.preflight_requested.emit()

    def _press(self) -> None:
        if self._state.preflight.running:
            self.preflight_cancelled.emit()
        else:
            self.preflight_requested.emit()
