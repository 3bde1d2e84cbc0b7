"""One figure of the plan card: what it is, in small; how much, in digits for three metres."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import CAP_HEIGHT, font
from dynoai_desktop.ui.wording import ABSENT

_GAP = 8.0  # between figure and unit
_TITLE_GAP = 0.25  # between title and digits, of their height


class PlanFigure(QWidget):
    """Title above, figure and unit below, flush left; shrinks to its width, never wraps."""

    def __init__(self, title: str, digit_px: int, look: Look) -> None:
        """Start without a figure. *digit_px* is the digit height at scale 1."""
        super().__init__()
        self._title, self._text, self._unit = title, ABSENT, ""
        self._digit_px, self._look = digit_px, look
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def text(self) -> str:
        """Return the figure as it is printed."""
        return self._text

    @property
    def unit(self) -> str:
        """Return the unit beside it."""
        return self._unit

    @property
    def digit_px(self) -> float:
        """Return how high the digits are painted, in pixels."""
        return self._face().pixelSize() * CAP_HEIGHT

    def show_figure(self, title: str, text: str, unit: str = "") -> None:
        """Print another figure."""
        self._title, self._text, self._unit = title, text, unit
        self.setAccessibleName(f"{title}: {text} {unit}".strip())
        self.updateGeometry()
        self.update()

    def set_look(self, look: Look) -> None:
        """Change palette and scale."""
        self._look = look
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size at which the figure has its full height."""
        face = font(self._wanted_px() / CAP_HEIGHT, bold=True)
        width = QFontMetricsF(face).horizontalAdvance(self._text) + self._unit_px() + 6
        return QSize(round(width), round(self._wanted_px() * 1.3 + self._head_px()))

    def minimumSizeHint(self) -> QSize:
        """Return the size below which it is hard to read."""
        return QSize(60, round(32 + self._head_px()))

    def _wanted_px(self) -> float:
        return self._digit_px * max(self._look.scale, 0.6)

    def _head_px(self) -> float:
        return QFontMetricsF(font(self._look.sizes.small)).height() + 2.0

    def _unit_px(self) -> float:
        if not self._unit:
            return 0.0
        return QFontMetricsF(font(self._look.sizes.body)).horizontalAdvance(self._unit) + _GAP

    def _face(self) -> QFont:
        room = self.height() - self._head_px()
        face = font(min(self._wanted_px(), room * 0.86) / CAP_HEIGHT, bold=True)
        width = QFontMetricsF(face).horizontalAdvance(self._text)
        room = self.width() - self._unit_px()
        return font(face.pixelSize() * room / width, bold=True) if width > room > 0 else face

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint title, figure and unit."""
        palette, sizes = self._look.palette, self._look.sizes
        painter = QPainter(self)
        painter.setFont(font(sizes.small))
        painter.setPen(QColor(palette.quiet))
        box = QRectF(0, 0, self.width(), self._head_px())
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, self._title)
        face = self._face()
        painter.setFont(face)
        painter.setPen(QColor(palette.quiet if self._text == ABSENT else palette.text))
        digits = face.pixelSize() * CAP_HEIGHT
        spare = self.height() - self._head_px() - digits
        # Nearer to its title than to whatever stands below.
        baseline = self._head_px() + min(spare / 2, digits * _TITLE_GAP) + digits
        painter.drawText(0, round(baseline), self._text)
        if self._unit:
            left = QFontMetricsF(face).horizontalAdvance(self._text) + _GAP
            painter.setFont(font(sizes.body))
            painter.setPen(QColor(palette.quiet))
            painter.drawText(round(left), round(baseline), self._unit)
        painter.end()
