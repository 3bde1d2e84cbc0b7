"""The pane beside a table: a title, a live value, paragraphs of reasons, and buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

_COLUMNS = 2


class MappingDetail(QWidget):
    """What is known about the chosen row, and what can be done with it."""

    def __init__(self, name: str, buttons: Sequence[QPushButton]) -> None:
        """Start empty. *name* is for screen readers."""
        super().__init__()
        self.setAccessibleName(name)
        self.title = _label("title")
        self.value = _label("heading")
        self.words = _label("")
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setMargin(8)
        self.scroll = QScrollArea()
        self.scroll.setWidgetResizable(True)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setWidget(self.words)
        grid = QGridLayout()
        grid.setSpacing(8)
        for i, button in enumerate(buttons):
            grid.addWidget(button, i // _COLUMNS, i % _COLUMNS)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.value)
        column.addWidget(self.scroll, 1)
        column.addLayout(grid)

    def say(self, title: str, value: str, paragraphs: Sequence[str]) -> None:
        """Change what is shown; the reasons keep their place while only the value changes."""
        self.title.setText(title)
        self.value.setText(value)
        text = "\n".join(paragraphs)
        if text != self.words.text():
            self.words.setText(text)
            self.scroll.verticalScrollBar().setValue(0)


def _label(role: str) -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setProperty("role", role)
    return label
