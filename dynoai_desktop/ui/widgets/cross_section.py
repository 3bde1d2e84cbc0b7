"""A cut through a surface along one axis, with the band in which the truth lies 95 times in 100."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import font
from dynoai_desktop.ui.widgets.surface_sheet import (
    F64,
    Z_95,
    Shade,
    Sheet,
    Shown,
    axis_texts,
    axis_title,
    nice_above,
    shown,
)

_BAND_ALPHA = 70
_INSET = 0.03  # of the width, so that the outermost labels have room


class CrossSection(QWidget):
    """Draws the cut through the cell under the cursor."""

    def __init__(self, look: Look) -> None:
        """Start with nothing."""
        super().__init__()
        self._look = look
        self._sheet: Sheet | None = None
        self._cell = (0, 0)
        self.along_rpm = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Cross-section through the cursor")

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(800, 190)

    def minimumSizeHint(self) -> QSize:
        """Return the size below which the curve cannot be read."""
        return QSize(300, 110)

    def show_cut(self, sheet: Sheet | None, cell: tuple[int, int]) -> None:
        """Cut *sheet* at *cell*."""
        self._sheet, self._cell = sheet, cell
        self.update()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self.update()

    def turn(self) -> None:
        """Cut along the other axis."""
        self.along_rpm = not self.along_rpm
        self.update()

    def caption(self) -> str:
        """Return what is cut where."""
        sheet = self._sheet
        if sheet is None:
            return ""
        i, j = self._cell
        if self.along_rpm:
            at = axis_texts(sheet.load, self._look)[j]
            unit = self._look.display.unit(sheet.load.unit).value
            return f"Along rpm at {at} {unit}"
        return f"Along load at {axis_texts(sheet.rpm, self._look)[i]} rpm"

    def _cut(self, view: Shown, sheet: Sheet) -> tuple[F64, F64, F64, int]:
        """Return place, value and half interval along the cut, and the index of the cursor."""
        i, j = self._cell
        axis = sheet.rpm if self.along_rpm else sheet.load
        part = (slice(None), j) if self.along_rpm else (i, slice(None))
        place = np.array([self._look.display.value(node, axis.unit) for node in axis.nodes])
        values = view.values[part]
        half = np.zeros(values.shape) if view.se is None else Z_95 * view.se[part]
        return place, values, np.nan_to_num(half), i if self.along_rpm else j

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint axes, band, line and cursor."""
        look, sheet = self._look, self._sheet
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(look.palette.panel))
        if sheet is not None:
            self._paint(painter, sheet)
        painter.end()

    def _paint(self, painter: QPainter, sheet: Sheet) -> None:
        look = self._look
        palette, view = look.palette, shown(sheet, look)
        face = font(look.sizes.small)
        line = QFontMetricsF(face).height()
        em = look.sizes.small
        box = QRectF(em * 4.2, line * 1.4, self.width() - em * 6.4, self.height() - line * 3.9)
        place, values, half, at = self._cut(view, sheet)
        known = np.isfinite(values)
        painter.setFont(face)
        painter.setPen(QColor(palette.text))
        painter.drawText(QRectF(box.left(), 0, box.width(), line * 1.3), self.caption())
        if not known.any():
            painter.setPen(QColor(palette.quiet))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "No data on this line")
            return
        plot = _Plot(box, place[known], values[known], half[known], sheet.shade is Shade.DIVERGING)
        self._paint_axes(painter, sheet, view, plot, line)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for piece in _pieces(known):
            self._paint_piece(painter, plot, place[piece], values[piece], half[piece])
        if known[at]:
            spot = plot.point(float(place[at]), float(values[at]))
            painter.setPen(QPen(QColor(palette.ground), 2))
            painter.setBrush(QColor(palette.text))
            painter.drawEllipse(spot, 6.0, 6.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_piece(
        self, painter: QPainter, plot: _Plot, place: F64, values: F64, half: F64
    ) -> None:
        palette = self._look.palette
        band = QColor(palette.first)
        band.setAlpha(_BAND_ALPHA)
        upper = [plot.point(x, y) for x, y in zip(place, values + half, strict=True)]
        lower = [plot.point(x, y) for x, y in zip(place, values - half, strict=True)]
        painter.setPen(QPen(band, 3))  # the doubt of a lone cell is a stroke
        painter.setBrush(band)
        if len(upper) > 1:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
        else:
            painter.drawLine(upper[0], lower[0])
        painter.setPen(QPen(QColor(palette.first), 2))
        middle = [plot.point(x, y) for x, y in zip(place, values, strict=True)]
        painter.drawPolyline(QPolygonF(middle))
        painter.setBrush(QColor(palette.first))
        for spot in middle:
            painter.drawEllipse(spot, 2.5, 2.5)

    def _paint_axes(
        self, painter: QPainter, sheet: Sheet, view: Shown, plot: _Plot, line: float
    ) -> None:
        palette, box = self._look.palette, plot.box
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        centre = Qt.AlignmentFlag.AlignCenter
        for value in plot.ticks():
            y = plot.point(plot.left, value).y()
            strong = value == 0.0 and sheet.shade is Shade.DIVERGING
            painter.setPen(QPen(QColor(palette.quiet if strong else palette.line), 1))
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
            painter.setPen(QColor(palette.quiet))
            spot = QRectF(0, y - line / 2, box.left() - 6, line)
            painter.drawText(spot, right, view.text(value, plot.decimals(view)))
        painter.drawText(
            QRectF(0, 0, box.left() - 6, line * 1.3), Qt.AlignmentFlag.AlignRight, view.unit
        )
        axis = sheet.rpm if self.along_rpm else sheet.load
        texts = axis_texts(axis, self._look)
        last = -1e9
        for node, text in zip(axis.nodes, texts, strict=True):
            value = self._look.display.value(node, axis.unit)
            if not plot.left <= value <= plot.right:
                continue
            x = plot.point(value, plot.low).x()
            width = painter.fontMetrics().horizontalAdvance(text) + 10.0
            if x - last < width:
                continue
            last = x
            spot = QRectF(x - width / 2, box.bottom() + 2, width, line)
            painter.drawText(spot, centre, text)
        painter.setPen(QColor(palette.text))
        foot = QRectF(box.left(), box.bottom() + 2 + line, box.width(), line)
        painter.drawText(foot, centre, axis_title(axis, self._look))


class _Plot:
    """From values to pixels."""

    def __init__(self, box: QRectF, place: F64, values: F64, half: F64, zero: bool) -> None:
        self.box = box
        self.left, self.right = float(place.min()), float(place.max())
        low, high = float((values - half).min()), float((values + half).max())
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        room = 0.08 * (high - low) or 1.0
        self.low, self.high = (low - room if low else 0.0), (high + room if high else 0.0)
        if self.high <= self.low:
            self.high = self.low + 1.0

    def ticks(self) -> list[float]:
        """Return two to four round values within the plot."""
        step = nice_above((self.high - self.low) / 3.0)
        first = int(np.ceil(self.low / step - 1e-9))
        last = int(np.floor(self.high / step + 1e-9))
        return [k * step for k in range(first, last + 1)]

    def decimals(self, view: Shown) -> int:
        """Return the decimals the ticks need."""
        step = nice_above((self.high - self.low) / 3.0)
        return 0 if step >= 1.0 else view.decimals

    def point(self, x: float, y: float) -> QPointF:
        """Return where a value lies."""
        across = (x - self.left) / (self.right - self.left) if self.right > self.left else 0.5
        across = _INSET + (1.0 - 2.0 * _INSET) * across
        up = (y - self.low) / (self.high - self.low)
        return QPointF(
            self.box.left() + across * self.box.width(), self.box.bottom() - up * self.box.height()
        )


def _pieces(known: np.ndarray) -> list[slice]:
    """Return the unbroken stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(int)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
