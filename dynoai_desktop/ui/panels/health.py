"""Channels: how every channel of every provider is doing, and what the unused ones could be."""

from __future__ import annotations

import re

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QStackedWidget, QVBoxLayout

from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.core.trust.suggest import as_text
from dynoai_desktop.ui.advice import worst_notice
from dynoai_desktop.ui.discovery import Discovery
from dynoai_desktop.ui.foreign import foreign_words
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels.health_rows import (
    HEALTH_COLUMNS,
    HealthRow,
    health_rows,
    reason_text,
)
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.preferences import load_text
from dynoai_desktop.ui.trends import Trends
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.elided import ElidedLabel
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.row_model import RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.wording import count

_ROW_PX = 32
_SORTING = re.compile(r"([0-9]{1,3}) ([01])")  # column and direction
_SORT, _UNUSED = "health/sort", "health/unused_only"


class HealthPanel(Panel):
    """Draws channel health; the list for support goes to the clipboard."""

    def __init__(self, look: Look, trends: Trends) -> None:
        """Start with nothing heard."""
        super().__init__(look, "Channels")
        self._state = FrameState()
        self._health = BusHealth(now_us=0)
        self._discovery = Discovery()
        self.heading, self.foreign = QLabel(), ElidedLabel("small", "Foreign traffic")
        self.heading.setProperty("role", "heading")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a channel  [Ctrl+F]")
        self.search.setAccessibleName("Find a channel, key Ctrl+F")
        self.search.setClearButtonEnabled(True)
        self.unused = glove_button("Not used only", "N", self._refill)
        self.unused.setCheckable(True)
        self.copy = glove_button("Copy list for support", "Ctrl+C", self._copy)
        self.rows: RowModel[HealthRow] = RowModel(
            HEALTH_COLUMNS, lambda row: (row.channel.provider, row.channel.id), look, self
        )
        self.table = RowTable(self.rows, "Channels", _ROW_PX, look)
        self.table.allow_sorting()
        self.table.draw_trends(
            lambda row: (trends.trace(row.channel.provider, row.channel.id), row.channel.unit)
        )
        self.table.selectionModel().currentChanged.connect(self._show_reason)
        self.search.textChanged.connect(self.rows.set_needle)
        self.search.returnPressed.connect(self.table.setFocus)
        self.reason = QLabel()
        self.reason.setTextFormat(Qt.TextFormat.PlainText)
        self.reason.setWordWrap(True)
        self.note = EmptyNote()
        self.note.pressed.connect(lambda: self.page_wanted.emit("connect"))
        self._lay_out()
        self._refill()

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.heading)
        words.addWidget(self.foreign)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addLayout(words, 2)
        top.addWidget(self.search, 1)
        top.addWidget(self.unused)
        top.addWidget(self.copy)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.note)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.stack, 1)
        column.addWidget(self.reason)
        self.setFocusProxy(self.table)

    def show_state(self, state: FrameState) -> None:
        """Follow the mapping and the source."""
        self._state = state
        self._refill()

    def show_health(self, health: BusHealth) -> None:
        """Print every channel."""
        self._health = health
        self._refill()

    def clear(self) -> None:
        """Forget the bus: another source begins."""
        self.show_health(BusHealth(now_us=0))

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.table.set_look(look)

    def _refill(self) -> None:
        mapping, health = self._state.mapping, self._health
        suggestions = self._discovery.of(health.channels, mapping)
        every = health_rows(health, suggestions, mapping.pinned)
        unused_only = self.unused.isChecked()
        self.rows.set_rows([row for row in every if not (unused_only and row.is_used)])
        used = sum(row.is_used for row in every)
        open_ones = sum(row.could_be for row in every)
        self.heading.setText(
            f"{count(len(every), 'channel')}: {used} used, {open_ones} could be used, "
            f"{len(every) - used - open_ones} not needed"
            if every
            else "Channels"
        )
        foreign = foreign_words(health.providers, mapping.pinned)
        self.foreign.setText(foreign)
        self.foreign.setVisible(bool(foreign))
        for tool in (self.search, self.unused, self.copy):
            tool.setVisible(bool(every))
        self._say_what_is_missing()
        self._show_reason()

    def _say_what_is_missing(self) -> None:
        first = bool(self._health.channels) and self.stack.currentIndex() == 1
        self.stack.setCurrentIndex(0 if self._health.channels else 1)
        if first and self.isVisible():
            self.table.setFocus()
        notice = worst_notice(self._state, self._health)
        self.note.say(
            "Every channel will be listed here",
            "With its value, its last half minute, rate, age and losses, and what it is used for "
            f"or could be. {notice.text if notice is not None else ''}",
            "Go to Connect  [1]",
        )

    def _show_reason(self) -> None:
        row: HealthRow | None = self.table.selected()
        self.reason.setText(reason_text(row) if row is not None else "")
        self.reason.setVisible(row is not None)

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if action == "find":
            self.search.setFocus()
            self.search.selectAll()
        elif action == "copy_list":
            self.copy.click()
        elif action == "unused":
            self.unused.click()
        elif action == "back" and (self.search.hasFocus() or self.search.text()):
            self.search.clear()
            self.table.setFocus()
        else:
            return False
        return True

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(as_text(self._discovery.found))
        self.copy.setText("✓ Copied  [Ctrl+C]")

    def save_state(self, store: QSettings) -> None:
        """Store the order and the filter."""
        column, order = self.table.sorting
        store.setValue(_SORT, f"{column} {order}")
        store.setValue(_UNUSED, "yes" if self.unused.isChecked() else "no")

    def restore_state(self, store: QSettings) -> None:
        """Take both back; what makes no sense is ignored."""
        sorting = _SORTING.fullmatch(load_text(store, _SORT))
        if sorting is not None:
            self.table.restore_sorting(int(sorting[1]), int(sorting[2]))
        self.unused.setChecked(load_text(store, _UNUSED) == "yes")
