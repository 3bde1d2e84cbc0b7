"""What of the map stands still: cells, labels and colour scale, kept as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPixmap

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import CHANNELS
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import RAMP_STEPS, SMALLEST_TEXT_PX, font, ramp, readable_on
from dynoai_desktop.ui.widgets.map_layout import MapLayout
from dynoai_desktop.ui.widgets.map_views import MapView
from dynoai_desktop.ui.wording import number

_DIGIT_EM = 0.65  # width of a digit of the typeface


class MapPicture:
    """One painted grid. Other axes, another size, view, look or scale need another picture."""

    def __init__(
        self, grid: CellGrid, view: MapView, look: Look, size: QSize, pixel_ratio: float
    ) -> None:
        """Paint *grid*."""
        self._view, self._look, self._size = view, look, size
        self._axes = (grid.rpm, grid.load)
        self._values = grid.values.copy()
        self._top = view.top(grid.values)
        self._ramp = ramp(look.palette.few, look.palette.many)
        self._ink = [readable_on(colour) for colour in self._ramp]
        self.layout = MapLayout.fit(
            grid.rpm, grid.load, size.width(), size.height(), look.sizes.small
        )
        self.pixmap = QPixmap(size * pixel_ratio)
        self.pixmap.setDevicePixelRatio(pixel_ratio)
        self.pixmap.fill(QColor(look.palette.panel))
        painter = QPainter(self.pixmap)
        painter.fillRect(self.layout.grid(), QColor(look.palette.line))
        for i, j in np.ndindex(grid.values.shape):
            self._paint_cell(painter, i, j)
        self._paint_labels(painter)
        self._paint_scale(painter)
        painter.end()

    def suits(
        self, grid: CellGrid, view: MapView, look: Look, size: QSize, pixel_ratio: float
    ) -> bool:
        """Return True when `follow` is enough to show *grid* in this way."""
        return (
            (grid.rpm, grid.load) == self._axes
            and view is self._view
            and look == self._look
            and size == self._size
            and pixel_ratio == self.pixmap.devicePixelRatio()
            and view.top(grid.values) == self._top
        )

    def follow(self, grid: CellGrid) -> QRect:
        """Paint the cells that changed; return the pixels they cover."""
        dirty = QRect()
        same = (grid.values == self._values) | (np.isnan(grid.values) & np.isnan(self._values))
        if same.all():
            return dirty
        self._values = grid.values.copy()
        painter = QPainter(self.pixmap)
        for i, j in np.argwhere(~same).tolist():
            self._paint_cell(painter, i, j)
            dirty = dirty.united(self.layout.cell(i, j))
        painter.end()
        return dirty

    def _paint_cell(self, painter: QPainter, i: int, j: int) -> None:
        palette = self._look.palette
        cell = self.layout.cell(i, j)
        value = float(self._values[i, j])
        if np.isnan(value):
            painter.fillRect(cell, QColor(palette.ground))
            painter.setPen(QPen(QColor(palette.line), 1))
            centre, arm = cell.center(), max(2, min(cell.width(), cell.height()) // 8)
            painter.drawLine(centre.x() - arm, centre.y(), centre.x() + arm, centre.y())
            painter.drawLine(centre.x(), centre.y() - arm, centre.x(), centre.y() + arm)
            return
        share = float(self._view.share(np.array([value]), self._top)[0])
        step = round(min(max(share, 0.0), 1.0) * (RAMP_STEPS - 1))
        painter.fillRect(cell, QColor(self._ramp[step]))
        text = self._view.text(value)
        fitting_px = min(cell.height() * 0.6, (cell.width() - 4) / (_DIGIT_EM * len(text)))
        if fitting_px >= SMALLEST_TEXT_PX:
            painter.setFont(font(min(fitting_px, self._look.sizes.body)))
            painter.setPen(QColor(self._ink[step]))
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_labels(self, painter: QPainter) -> None:
        palette, layout = self._look.palette, self.layout
        face = font(self._look.sizes.small)
        metrics = QFontMetricsF(face)
        grid, line = layout.grid(), round(metrics.height())
        centre = Qt.AlignmentFlag.AlignCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(face)
        painter.setPen(QColor(palette.quiet))
        texts = self._edge_texts(layout.rpm)
        widest = max(metrics.horizontalAdvance(text) for text in texts) + face.pixelSize()
        for k in range(0, len(texts), _stride(layout.columns, widest)):
            spot = QRectF(layout.columns[k] - widest / 2, grid.bottom() + 3, widest, line)
            painter.drawText(spot, centre, texts[k])
        texts = self._edge_texts(layout.load)
        for k in range(0, len(texts), _stride(layout.rows, line)):
            spot = QRectF(0, layout.rows[k] - line / 2, grid.left() - 7, line)
            painter.drawText(spot, right, texts[k])
        painter.setPen(QColor(palette.text))
        foot = QRectF(grid.left(), grid.bottom() + 3 + line, grid.width(), line)
        painter.drawText(foot, centre, self._axis_title(layout.rpm))
        painter.save()
        painter.translate(0, grid.center().y())
        painter.rotate(-90)
        side = QRectF(-grid.height() / 2, 2, grid.height(), line)
        painter.drawText(side, centre, self._axis_title(layout.load))
        painter.restore()

    def _edge_texts(self, axis: Axis) -> list[str]:
        shown = [self._look.display.value(edge, axis.unit) for edge in axis.edges]
        decimals = 0 if all(abs(edge - round(edge)) < 0.05 for edge in shown) else 1
        return [number(edge, decimals) for edge in shown]

    def _axis_title(self, axis: Axis) -> str:
        return f"{CHANNELS[axis.channel].title}, {self._look.display.unit(axis.unit).value}"

    def _paint_scale(self, painter: QPainter) -> None:
        palette, bar = self._look.palette, self.layout.scale_bar
        for step, colour in enumerate(self._ramp):
            low = bar.bottom() + 1 - bar.height() * step // RAMP_STEPS
            high = bar.bottom() + 1 - bar.height() * (step + 1) // RAMP_STEPS
            painter.fillRect(bar.left(), high, bar.width(), low - high, QColor(colour))
        face = font(self._look.sizes.small)
        line = QFontMetricsF(face).height()
        room = self._size.width() - bar.right() - 6
        painter.setFont(face)
        painter.setPen(QColor(palette.quiet))
        ticks = np.array(self._view.ticks(self._top))
        for tick, share in zip(ticks, self._view.share(ticks, self._top), strict=True):
            y = bar.bottom() - share * bar.height()
            y = min(max(y, bar.top() + line / 2), bar.bottom() - line / 2)
            spot = QRectF(bar.right() + 6, y - line / 2, room, line)
            painter.drawText(spot, Qt.AlignmentFlag.AlignVCenter, self._view.text(float(tick)))
        painter.setPen(QColor(palette.text))
        caption = QRectF(bar.left() - 6, 0, self._size.width() - bar.left() + 6, bar.top() - 4)
        painter.drawText(caption, Qt.AlignmentFlag.AlignBottom, self._view.unit)


def _stride(pixels: Sequence[int], room: float) -> int:
    """Return how many edges to step from one label to the next so that each has *room*."""
    spacing = abs(pixels[-1] - pixels[0]) / (len(pixels) - 1)
    return next((k for k in (1, 2, 4, 5, 10) if k * spacing >= room), len(pixels) - 1)
