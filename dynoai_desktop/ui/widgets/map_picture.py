"""What of the map stands still: cells, labels and colour scale, kept as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPixmap, QPolygon

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import CHANNELS
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import SMALLEST_TEXT_PX, font
from dynoai_desktop.ui.widgets.map_colours import EMPTY, MapColours, fades_of, map_colours, steps_of
from dynoai_desktop.ui.widgets.map_layout import MapLayout
from dynoai_desktop.ui.widgets.map_scale import paint_scale
from dynoai_desktop.ui.widgets.map_views import FRONT, NOBODY, Layer, MapStyle
from dynoai_desktop.ui.wording import number

_DIGIT_EM = 0.65  # width of a digit of the typeface
_BESIDE_PX = 2  # left free beside a number


class MapPicture:
    """One painted layer. Other axes, another size, style, look or scale need another picture."""

    def __init__(
        self, layer: Layer, style: MapStyle, look: Look, size: QSize, pixel_ratio: float
    ) -> None:
        """Paint *layer*."""
        self._style, self._look, self._size = style, look, size
        self._axes = (layer.rpm, layer.load)
        self._layer = layer
        self._top = style.scale.top(layer)
        self._colours: MapColours = map_colours(style, look.palette.name)
        self._steps, self._fades = self._codes(layer)
        self.layout = MapLayout.fit(
            layer.rpm, layer.load, size.width(), size.height(), look.sizes.small
        )
        self.pixmap = QPixmap(size * pixel_ratio)
        self.pixmap.setDevicePixelRatio(pixel_ratio)
        self.pixmap.fill(QColor(look.palette.panel))
        painter = QPainter(self.pixmap)
        painter.fillRect(self.layout.grid(), QColor(look.palette.line))
        for i, j in np.ndindex(layer.values.shape):
            self._paint_cell(painter, i, j)
        self._paint_labels(painter)
        paint_scale(painter, self.layout.scale_bar, size.width(), style, self._top, look)
        painter.end()

    def suits(
        self, layer: Layer, style: MapStyle, look: Look, size: QSize, pixel_ratio: float
    ) -> bool:
        """Return True when `follow` is enough to show *layer* in this way."""
        return (
            (layer.rpm, layer.load) == self._axes
            and style is self._style
            and look == self._look
            and size == self._size
            and pixel_ratio == self.pixmap.devicePixelRatio()
            and (layer is self._layer or style.scale.top(layer) == self._top)
        )

    def follow(self, layer: Layer) -> QRect:
        """Paint the cells that look different now; return the pixels they cover."""
        dirty = QRect()
        if layer is self._layer:
            return dirty
        before, self._layer = self._layer, layer
        steps, fades = self._codes(layer)
        changed = (steps != self._steps) | (fades != self._fades)
        changed |= _printed(layer, self._style) != _printed(before, self._style)
        changed |= _whose(layer) != _whose(before)
        self._steps, self._fades = steps, fades
        if not changed.any():
            return dirty
        painter = QPainter(self.pixmap)
        for i, j in np.argwhere(changed).tolist():
            self._paint_cell(painter, i, j)
            dirty = dirty.united(self.layout.cell(i, j))
        painter.end()
        return dirty

    def _codes(self, layer: Layer) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        steps = steps_of(layer, self._style, self._top, self._colours.steps)
        return steps, fades_of(layer, self._style)

    def _paint_cell(self, painter: QPainter, i: int, j: int) -> None:
        palette = self._look.palette
        cell = self.layout.cell(i, j)
        step, fade = int(self._steps[i, j]), int(self._fades[i, j])
        if step == EMPTY:
            painter.fillRect(cell, QColor(palette.ground))
            painter.setPen(QPen(QColor(palette.line), 1))
            centre, arm = cell.center(), max(2, min(cell.width(), cell.height()) // 8)
            painter.drawLine(centre.x() - arm, centre.y(), centre.x() + arm, centre.y())
            painter.drawLine(centre.x(), centre.y() - arm, centre.x(), centre.y() + arm)
            return
        painter.fillRect(cell, QColor(self._colours.fills[fade][step]))
        ink = QColor(self._colours.inks[fade][step])
        self._paint_whose(painter, cell, int(_whose(self._layer)[i, j]), ink)
        text = self._style.scale.text(float(self._layer.values[i, j]))
        painter.setPen(ink)
        if not self._print(painter, QRectF(cell), text) and self._style.turns:
            painter.save()
            painter.translate(cell.center())
            painter.rotate(-90)
            upright = QRectF(-cell.height() / 2, -cell.width() / 2, cell.height(), cell.width())
            self._print(painter, upright, text)
            painter.restore()

    def _print(self, painter: QPainter, box: QRectF, text: str) -> bool:
        """Print a number where it can be read; return whether it fits."""
        letters = max(len(text), len(self._style.scale.widest))
        fitting_px = min(box.height() * 0.6, (box.width() - _BESIDE_PX) / (_DIGIT_EM * letters))
        if fitting_px < SMALLEST_TEXT_PX:
            return False
        painter.setFont(font(min(fitting_px, self._look.sizes.body)))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        return True

    def _paint_whose(self, painter: QPainter, cell: QRect, whose: int, ink: QColor) -> None:
        """Mark the cylinder that is the worse one: front in the upper left corner, rear lower."""
        if whose == NOBODY:
            return
        quiet = QColor(ink)
        quiet.setAlphaF(0.6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(quiet)
        painter.drawPolygon(corner_mark(cell, whose))
        painter.setBrush(Qt.BrushStyle.NoBrush)

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


def column_px(style: MapStyle) -> float:
    """Return the width of a column in which the usual number of *style* can just be read."""
    line = 1
    return len(style.scale.widest) * _DIGIT_EM * SMALLEST_TEXT_PX + _BESIDE_PX + line


def corner_mark(cell: QRect, whose: int) -> QPolygon:
    """Return a triangle in the upper left corner for the front, the lower right for the rear."""
    arm = max(4, min(cell.width(), cell.height()) // 4)
    if whose == FRONT:
        at, x, y = cell.topLeft(), arm, arm
    else:
        at, x, y = cell.bottomRight() + QPoint(1, 1), -arm, -arm
    return QPolygon([at, at + QPoint(x, 0), at + QPoint(0, y)])


def _printed(layer: Layer, style: MapStyle) -> NDArray[np.float64]:
    """Return the numbers as far as they are printed; NaN as a value of its own."""
    return np.round(np.where(np.isfinite(layer.values), layer.values, 1e9), style.scale.decimals)


def _whose(layer: Layer) -> NDArray[np.int8]:
    if layer.whose is None:
        return np.zeros(layer.values.shape, dtype=np.int8)
    return layer.whose


def _stride(pixels: Sequence[int], room: float) -> int:
    """Return how many edges to step from one label to the next so that each has *room*."""
    spacing = abs(pixels[-1] - pixels[0]) / (len(pixels) - 1)
    return next((k for k in (1, 2, 4, 5, 10) if k * spacing >= room), len(pixels) - 1)
