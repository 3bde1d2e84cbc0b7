"""A framed part of a page with a heading, and lines of label and figure for it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget


def plain_label(role: str = "", wraps: bool = True) -> QLabel:
    """Return a label that prints its text as it is."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wraps)
    if role:
        label.setProperty("role", role)
    return label


class Card(QFrame):
    """A heading over whatever is added."""

    def __init__(self, heading: str) -> None:
        """Start with the heading alone; without one there is none."""
        super().__init__()
        self.setProperty("role", "card")
        self.heading = plain_label("heading", wraps=False)
        self.heading.setText(heading)
        self.heading.setVisible(bool(heading))
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(14, 10, 14, 10)
        self.column.setSpacing(6)
        self.column.addWidget(self.heading)

    def add(self, *widgets: QWidget, stretch: int = 0) -> None:
        """Put widgets under what is there."""
        for widget in widgets:
            self.column.addWidget(widget, stretch)

    def close_up(self) -> None:
        """Leave the rest of the height empty."""
        self.column.addStretch(1)


class FactList(QWidget):
    """Lines of label and figure; the labels of one kind stand in one column."""

    def __init__(self, name: str) -> None:
        """Start without lines."""
        super().__init__()
        self.setAccessibleName(name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._lines: list[tuple[QLabel, QLabel]] = []
        self._said: tuple[tuple[str, str], ...] = ()

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """Return what is printed."""
        return self._said

    def show_lines(self, lines: Sequence[tuple[str, str]]) -> None:
        """Print other lines."""
        self._said = tuple(lines)
        while len(self._lines) < len(lines):
            self._add_line()
        for k, (label, figure) in enumerate(self._lines):
            used = k < len(lines)
            label.setText(lines[k][0] if used else "")
            figure.setText(lines[k][1] if used else "")
            label.setVisible(used)
            figure.setVisible(used)

    def _add_line(self) -> None:
        label, figure = plain_label("small"), plain_label()
        top = Qt.AlignmentFlag.AlignTop
        row = len(self._lines)
        self._grid.addWidget(label, row, 0, top)
        self._grid.addWidget(figure, row, 1, top)
        self._lines.append((label, figure))
