"""A short list to pick from, in the place of whatever it is picked for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from dynoai_desktop.ui.widgets.buttons import glove_button

_KEY = Qt.ItemDataRole.UserRole


class PickList(QWidget):
    """Enter or a click picks a row; Esc leaves."""

    picked = Signal(str)  # key of the row
    left = Signal()

    def __init__(self, title: str, hint: str, leave: str = "Done") -> None:
        """Start with no rows. *leave* is what the button says that ends it."""
        super().__init__()
        self.title, self.hint = QLabel(title), QLabel(hint)
        self.title.setProperty("role", "title")
        for label in (self.title, self.hint):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self.list = _List(title)
        self.list.picked.connect(self.picked)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.hint)
        column.addWidget(self.list, 1)
        column.addWidget(glove_button(leave, "Esc", self.left.emit))
        self.setFocusProxy(self.list)

    def show_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """List pairs of key and text; the chosen key stays chosen."""
        self.list.show_rows(rows)


class _List(QListWidget):
    picked = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._pick)

    def show_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        if [key for key, _ in rows] != [self.item(i).data(_KEY) for i in range(self.count())]:
            kept = self.currentItem().data(_KEY) if self.currentItem() is not None else ""
            self.clear()
            for key, _ in rows:
                QListWidgetItem(self).setData(_KEY, key)
            keys = [key for key, _ in rows]
            self.setCurrentRow(keys.index(kept) if kept in keys else 0)
        for i, (_, text) in enumerate(rows):
            self.item(i).setText(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pick on Enter."""
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self._pick(item)
        else:
            super().keyPressEvent(event)

    def _pick(self, item: QListWidgetItem) -> None:
        self.picked.emit(item.data(_KEY))
