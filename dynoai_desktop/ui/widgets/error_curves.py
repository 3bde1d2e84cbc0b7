"""How an error falls from iteration to iteration, with the line it has to get under."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import font
from dynoai_desktop.ui.wording import number

_LEAST_SHOWN = 4  # iterations, so that the first ones do not fill the width


class ErrorCurve(QWidget):
    """One error against the iterations, from zero up."""

    def __init__(self, title: str, wanted: float, look: Look) -> None:
        """Start without points; *wanted* is what a finished tune stays under."""
        super().__init__()
        self._title, self._wanted, self._look = title, wanted, look
        self.points: tuple[tuple[int, float], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(title)

    def minimumSizeHint(self) -> QSize:
        """Return the size below which nothing can be read."""
        return QSize(180, 90)

    def show_points(self, points: Sequence[tuple[int, float]]) -> None:
        """Draw pairs of iteration and error; what is no number is left out."""
        self.points = tuple((n, value) for n, value in points if math.isfinite(value))
        last = f"{self.points[-1][1]:.2f}" if self.points else "nothing yet"
        self.setAccessibleDescription(last)
        self.update()

    def set_look(self, look: Look) -> None:
        """Change palette and scale."""
        self._look = look
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title, limit, scale and curve."""
        palette, small = self._look.palette, self._look.sizes.small
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(palette.panel))
        face = font(small)
        line = QFontMetricsF(face).height()
        box = QRectF(self.rect()).adjusted(small * 3.2, line * 1.6 + 6, -small * 1.5, -line - 6)
        top = max([self._wanted * 2.0, *(value for _, value in self.points)]) * 1.1
        most = max([_LEAST_SHOWN, *(n for n, _ in self.points)])

        def place(n: float, value: float) -> QPointF:
            share = (n - 1) / (most - 1)
            return QPointF(
                box.left() + share * box.width(), box.bottom() - value / top * box.height()
            )

        painter.setFont(face)
        painter.setPen(QColor(palette.text))
        painter.drawText(QPointF(8, line), self._title)
        if self.points:
            last = QRectF(0, 2, self.width() - 8, line)
            painter.drawText(last, Qt.AlignmentFlag.AlignRight, number(self.points[-1][1], 2))
        painter.setPen(QColor(palette.line))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        limit = place(1, self._wanted)
        painter.setPen(QPen(QColor(palette.good), 1, Qt.PenStyle.DashLine))
        painter.drawLine(limit, place(most, self._wanted))
        painter.setPen(QColor(palette.quiet))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        # The scale: its end, the limit, and zero where there is room for it.
        apart = limit.y() - box.top() > 1.5 * line, box.bottom() - limit.y() > line
        for value in (self._wanted, *((top / 1.1,) * apart[0]), *((0.0,) * apart[1])):
            spot = QRectF(0, place(1, value).y() - line / 2, box.left() - 6, line)
            painter.drawText(spot, right, f"{value:.2g}")
        for n in range(1, most + 1, max(1, most // 10)):
            spot = QRectF(place(n, 0).x() - 20, box.bottom() + 2, 40, line)
            painter.drawText(spot, Qt.AlignmentFlag.AlignHCenter, str(n))
        self._paint_curve(painter, [place(n, value) for n, value in self.points])
        painter.end()

    def _paint_curve(self, painter: QPainter, spots: list[QPointF]) -> None:
        palette = self._look.palette
        painter.setPen(QPen(QColor(palette.first), 2))
        for a, b in pairwise(spots):
            painter.drawLine(a, b)
        painter.setBrush(QColor(palette.first))
        for spot in spots:
            painter.drawEllipse(spot, 4.0, 4.0)
