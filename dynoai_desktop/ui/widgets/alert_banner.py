"""The worst alert and the next pull, for somebody in the saddle."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.alerts import SIGNS, AlertGroup
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import CAP_HEIGHT, font
from dynoai_desktop.ui.widgets.alert_list import severity_colour
from dynoai_desktop.ui.widgets.text_column import Piece, TextColumn

_TITLE_PX, _LINE_PX = 52, 24  # digit heights at scale 1
_MARGIN = 14.0


class AlertBanner(QWidget):
    """Two lines: what is wrong, giant, and what to do; or what comes next."""

    def __init__(self, look: Look) -> None:
        """Start with nothing to say."""
        super().__init__()
        self._look = look
        self.alert: AlertGroup | None = None
        self.next_step = ""
        self.setAccessibleName("Worst alert and next pull")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a height for both lines."""
        return QSize(400, round((_TITLE_PX + _LINE_PX) * 1.9 * self._look.scale) + 16)

    def set_look(self, look: Look) -> None:
        """Change palette and scale."""
        self._look = look
        self.updateGeometry()
        self.update()

    def show_words(self, alert: AlertGroup | None, next_step: str) -> None:
        """Say something else; with nothing to say there is no banner."""
        if (alert, next_step) != (self.alert, self.next_step):
            self.alert, self.next_step = alert, next_step
            self.setAccessibleDescription(alert.heading if alert is not None else next_step)
            self.update()
        self.setVisible(alert is not None or bool(next_step))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lines; an alarm fills the banner, which needs no blinking to be seen."""
        palette, alert = self._look.palette, self.alert
        filled = alert is not None and alert.is_alarm
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(palette.danger if filled else palette.panel))
        column = TextColumn(painter, QRectF(self.rect()).adjusted(_MARGIN, 6, -_MARGIN, -6))
        large, small = self._face(_TITLE_PX), self._face(_LINE_PX)
        plain = palette.on_state if filled else palette.text
        if alert is not None:
            colour = plain if filled else severity_colour(alert.shown_as, palette)
            column.row(Piece(f"{SIGNS[alert.shown_as]} {alert.heading}", large, colour))
            column.row(Piece(alert.message, small, plain))
        else:
            column.row(Piece(self.next_step, large, plain))
        painter.end()

    def _face(self, digit_px: float) -> QFont:
        return font(digit_px * self._look.scale / CAP_HEIGHT, bold=True)
