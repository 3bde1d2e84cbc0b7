"""Faults on demand: what breaks, who ought to notice, on or off."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.rehearsal import FaultRow

_KEY = Qt.ItemDataRole.UserRole


class FaultList(QListWidget):
    """Enter or a click asks for the other state; the list shows what is reported."""

    wanted = Signal(str, bool)  # key, active

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__()
        self._look = look
        self._rows: tuple[FaultRow, ...] = ()
        self._active: frozenset[str] = frozenset()
        self.setAccessibleName("Faults")
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._toggle)

    def show_rows(self, rows: Sequence[FaultRow]) -> None:
        """List *rows*."""
        if tuple(rows) == self._rows:
            return
        self._rows = tuple(rows)
        self.clear()
        for row in self._rows:
            QListWidgetItem(self).setData(_KEY, row.key)
        self.setCurrentRow(0)
        self._paint()

    def show_active(self, active: Collection[str]) -> None:
        """Mark the faults that are on."""
        if frozenset(active) != self._active:
            self._active = frozenset(active)
            self._paint()

    def set_look(self, look: Look) -> None:
        """Change the palette."""
        self._look = look
        self._paint()

    def is_on(self, key: str) -> bool:
        """Return whether a fault is shown as on."""
        return key in self._active

    def _paint(self) -> None:
        palette = self._look.palette
        for i, row in enumerate(self._rows):
            on = row.key in self._active
            item = self.item(i)
            item.setText(f"{'! ON ' if on else '– '} {row.title}\n{row.noticed}")
            item.setForeground(QColor(palette.attention if on else palette.text))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Switch on Enter."""
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self._toggle(item)
        else:
            super().keyPressEvent(event)

    def _toggle(self, item: QListWidgetItem) -> None:
        key = item.data(_KEY)
        self.wanted.emit(key, key not in self._active)
