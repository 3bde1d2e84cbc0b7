"""A few rows of label, figure and a bar as long as its share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import font

_LINE = 1.55  # height of a row, in lines of its text
_BAR_PX = 4


@dataclass(frozen=True, slots=True)
class BarRow:
    """One row; *share* is 0 to 1."""

    label: str
    figure: str
    share: float


class BarRows(QWidget):
    """Draws the rows one under another; as high as they need."""

    def __init__(self, look: Look, name: str) -> None:
        """Start without rows."""
        super().__init__()
        self._look = look
        self._name = name
        self._rows: tuple[BarRow, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    @property
    def rows(self) -> tuple[BarRow, ...]:
        """Return what is drawn."""
        return self._rows

    def show_rows(self, rows: Sequence[BarRow]) -> None:
        """Draw other rows."""
        self._rows = tuple(rows)
        self.setAccessibleDescription("; ".join(f"{r.label}: {r.figure}" for r in rows))
        self.updateGeometry()
        self.update()

    def set_look(self, look: Look) -> None:
        """Change palette and scale."""
        self._look = look
        self.updateGeometry()
        self.update()

    def _row_px(self) -> float:
        return QFontMetricsF(font(self._look.sizes.small)).height() * _LINE

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(240, round(self._row_px() * max(len(self._rows), 1)))

    def minimumSizeHint(self) -> QSize:
        """Return the same height on any width."""
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint every row."""
        palette = self._look.palette
        painter = QPainter(self)
        painter.setFont(font(self._look.sizes.small))
        height = self._row_px()
        for k, row in enumerate(self._rows):
            box = QRectF(0, k * height, self.width(), height - _BAR_PX - 4)
            painter.setPen(QColor(palette.text))
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, middle | Qt.AlignmentFlag.AlignLeft, row.label)
            painter.drawText(box, middle | Qt.AlignmentFlag.AlignRight, row.figure)
            bar = QRectF(0, box.bottom(), self.width(), _BAR_PX)
            painter.fillRect(bar, QColor(palette.line))
            bar.setWidth(bar.width() * min(max(row.share, 0.0), 1.0))
            painter.fillRect(bar, QColor(palette.accent))
        painter.end()
