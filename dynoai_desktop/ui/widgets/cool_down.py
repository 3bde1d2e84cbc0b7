"""The cool-down ring: closed when the engine is back where the last pull began."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.plan_state import Cooling
from dynoai_desktop.ui.plan_words import cooling_figure, cooling_words, heat_words
from dynoai_desktop.ui.theme import CAP_HEIGHT, font

_TOP = 90 * 16  # twelve o'clock, in sixteenths of a degree
_TURN = 360 * 16
_THICK = 0.11  # of the diameter
_FIGURE = 0.23  # height of the digits, of the diameter
_LARGEST_PX = 400
_CENTRE = Qt.AlignmentFlag.AlignHCenter
_WRAPPED = _CENTRE | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap


class CoolDownRing(QWidget):
    """Draws how far the engine has cooled; grey and dashed where only the time tells."""

    def __init__(self, look: Look) -> None:
        """Start before the first pull."""
        super().__init__()
        self._look = look
        self._cooling: Cooling | None = None
        self._shown: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Cooling down")
        self.show_cooling(None)

    @property
    def figure(self) -> str:
        """Return what stands in the ring."""
        return self._shown[0]

    @property
    def words(self) -> str:
        """Return the sentence under the ring."""
        return self._shown[1]

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the temperatures, one line each."""
        return self._shown[2:]

    def show_cooling(self, cooling: Cooling | None) -> None:
        """Draw another state; nothing is painted when nothing changed."""
        self._cooling = cooling
        display = self._look.display
        lines = () if cooling is None else cooling.lines
        shown = (
            cooling_figure(cooling, display),
            cooling_words(cooling),
            *(heat_words(line, display) for line in lines),
        )
        if shown != self._shown:
            self._shown = shown
            self.setAccessibleDescription(" ".join(shown))
        self.update()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self.show_cooling(self._cooling)

    def sizeHint(self) -> QSize:
        """Return a size to be read from the saddle."""
        side = round(300 * self._look.scale)
        return QSize(side, side + round(5 * self._line()))

    def minimumSizeHint(self) -> QSize:
        """Return the size below which the ring says nothing."""
        return QSize(150, 150)

    def _line(self) -> float:
        return QFontMetricsF(font(self._look.sizes.small)).height()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint ring, figure and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        words = (3 + len(self.lines)) * self._line()
        side = min(self.width(), self.height() - words, _LARGEST_PX * self._look.scale) - 8
        ring = QRectF((self.width() - side) / 2, 4, side, side)
        self._paint_ring(painter, ring)
        self._paint_figure(painter, ring)
        self._paint_words(painter, ring.bottom() + self._line() * 0.5)
        painter.end()

    def _paint_ring(self, painter: QPainter, ring: QRectF) -> None:
        palette, cooling = self._look.palette, self._cooling
        thick = max(ring.width() * _THICK, 6.0)
        inner = ring.adjusted(thick / 2, thick / 2, -thick / 2, -thick / 2)
        pen = QPen(QColor(palette.line), thick)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawArc(inner, 0, _TURN)
        if cooling is None or cooling.share <= 0.0:
            return
        colour = palette.good if cooling.is_ready else palette.accent
        if cooling.by_time:
            colour = palette.quiet
            pen.setDashPattern([0.25, 0.15])
        pen.setColor(QColor(colour))
        painter.setPen(pen)
        painter.drawArc(inner, _TOP, -round(_TURN * cooling.share))

    def _paint_figure(self, painter: QPainter, ring: QRectF) -> None:
        palette, cooling = self._look.palette, self._cooling
        ready = cooling is not None and cooling.is_ready and not cooling.by_time
        faint = cooling is None or cooling.by_time or cooling.driving
        face = font(ring.width() * _FIGURE / CAP_HEIGHT, bold=True)
        room = ring.width() * (1.0 - 3.0 * _THICK)
        width = QFontMetricsF(face).horizontalAdvance(self.figure)
        if width > room:
            face = font(face.pixelSize() * room / width, bold=True)
        painter.setFont(face)
        painter.setPen(QColor(palette.good if ready else palette.quiet if faint else palette.text))
        baseline = ring.center().y() + face.pixelSize() * CAP_HEIGHT / 2
        left = ring.center().x() - QFontMetricsF(face).horizontalAdvance(self.figure) / 2
        painter.drawText(round(left), round(baseline), self.figure)

    def _paint_words(self, painter: QPainter, top: float) -> None:
        palette, line = self._look.palette, self._line()
        painter.setFont(font(self._look.sizes.small))
        painter.setPen(QColor(palette.text))
        for k, text in enumerate(self.lines):
            box = QRectF(0, top + k * line, self.width(), line)
            painter.drawText(box, _CENTRE, text)
        painter.setPen(QColor(palette.quiet))
        top += len(self.lines) * line
        painter.drawText(QRectF(4, top, self.width() - 8, 2.2 * line), _WRAPPED, self.words)
