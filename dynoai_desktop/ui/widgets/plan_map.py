"""The cells of the goal: how urgent each is, which are known, which a test reaches.

Arrow keys move the cursor, a click puts it there. One hue by lightness says how urgent a cell is
and its sign says so too; a known cell is calm with a tick; a dot marks the cells that the chosen
test reaches.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.plan_state import F64, GoalCells
from dynoai_desktop.ui.plan_words import KNOWN_SIGN, PRIORITY_SIGNS
from dynoai_desktop.ui.theme import Palette, ramp, readable_on
from dynoai_desktop.ui.widgets.map_picture import MapPicture
from dynoai_desktop.ui.widgets.map_views import Layer, MapStyle, Scale

Cell = tuple[int, int]

_KNOWN, _LAST = 0.0, 3.0  # what a known cell and the least urgent open one are drawn as
_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


def urgency(cells: GoalCells, cylinder: Cylinder | None = None) -> F64:
    """Return 3 for an open cell of the first priority, 1 for the third, 0 for a known one.

    NaN where the plan has no goal. Without a *cylinder* a cell is known when all are.
    """
    is_open = ~(cells.worst(cylinder) <= cells.wanted)  # NaN is open
    level = np.where(is_open, _LAST + 1.0 - np.clip(cells.priority, 1, 3), _KNOWN)
    grid: F64 = np.where(cells.priority > 0, level, np.nan)
    return grid


def _sign(value: float) -> str:
    level = round(value)
    return KNOWN_SIGN if level == _KNOWN else PRIORITY_SIGNS[round(_LAST) + 1 - level]


def _share(values: F64, _top: float) -> F64:
    return values / _LAST


def _colours(palette: Palette) -> list[str]:
    return [palette.calm, *ramp(palette.few, palette.many, 4)[1:]]


_STYLE = MapStyle(
    "priority",
    _colours,
    Scale(
        lambda _layer: _LAST,
        _share,
        lambda _top: (0.0, 1.0, 2.0, 3.0),
        _sign,
        widest="P1",
    ),
)


class PlanMap(QWidget):
    """Draws GoalCells; reports where the cursor is put."""

    cursor_moved = Signal()

    def __init__(self, look: Look) -> None:
        """Start with nothing."""
        super().__init__()
        self._look = look
        self._cells: GoalCells | None = None
        self._layer: Layer | None = None
        self._picture: MapPicture | None = None
        self._cylinder: Cylinder | None = None
        self._reached: frozenset[Cell] = frozenset()
        self.at: Cell = (0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Target cells by engine speed and load")

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(760, 460)

    def minimumSizeHint(self) -> QSize:
        """Return the size below which cells cannot be told apart."""
        return QSize(320, 180)

    @property
    def cells(self) -> GoalCells | None:
        """Return what is drawn."""
        return self._cells

    @property
    def reached(self) -> frozenset[Cell]:
        """Return the cells that carry a dot."""
        return self._reached

    def show_cells(self, cells: GoalCells | None, cylinder: Cylinder | None = None) -> None:
        """Draw other cells, of one cylinder or the worst of all; the cursor stays where it can."""
        before = self._cells
        self._cells, self._cylinder = cells, cylinder
        self._layer = None
        if cells is not None:
            self._layer = Layer(cells.rpm, cells.load, urgency(cells, cylinder))
            same = before is not None and (before.rpm, before.load) == (cells.rpm, cells.load)
            if not same:
                self.at = _most_urgent(self._layer.values)
        self.update()
        self.cursor_moved.emit()

    def mark_reached(self, reached: Collection[Cell]) -> None:
        """Put a dot into the cells that the chosen test reaches."""
        if frozenset(reached) != self._reached:
            self._reached = frozenset(reached)
            self.update()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self._picture = None
        self.update()

    def put(self, cell: Cell) -> None:
        """Put the cursor on a cell, or on the nearest one there is."""
        if self._cells is None:
            return
        self.at = (
            min(max(cell[0], 0), len(self._cells.rpm) - 1),
            min(max(cell[1], 0), len(self._cells.load) - 1),
        )
        self.update()
        self.cursor_moved.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or self._cells is None:
            super().keyPressEvent(event)
            return
        self.put((self.at[0] + step[0], self.at[1] + step[1]))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor on the cell."""
        self.setFocus()
        cell = self.cell_at(event.position().toPoint())
        if cell is not None:
            self.put(cell)

    def cell_at(self, spot: QPoint) -> Cell | None:
        """Return the cell under a point of the widget."""
        if self._picture is None:
            return None
        layout = self._picture.layout
        for i, j in np.ndindex(len(layout.rpm), len(layout.load)):
            if layout.cell(i, j).adjusted(-1, -1, 1, 1).contains(spot):
                return i, j
        return None

    def box_of(self, cell: Cell) -> QRect:
        """Return where a cell was painted; empty before the first time."""
        return QRect() if self._picture is None else self._picture.layout.cell(*cell)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Copy the kept picture, then dot the cells reached and frame the cursor's."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._look.palette.panel))
        layer = self._layer
        if layer is None:
            painter.end()
            return
        ratio, size = self.devicePixelRatioF(), self.size()
        picture = self._picture
        if picture is None or not picture.suits(layer, _STYLE, self._look, size, ratio):
            picture = self._picture = MapPicture(layer, _STYLE, self._look, size, ratio)
        else:
            picture.follow(layer)
        painter.drawPixmap(0, 0, picture.pixmap)
        self._paint_dots(painter, layer, picture)
        self._paint_cursor(painter, picture.layout.cell(*self.at))
        painter.end()

    def _paint_dots(self, painter: QPainter, layer: Layer, picture: MapPicture) -> None:
        palette = self._look.palette
        colours = _colours(palette)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for cell in self._reached:
            value = layer.values[cell]
            ground = palette.ground if np.isnan(value) else colours[round(float(value))]
            painter.setBrush(QColor(readable_on(ground)))
            box = picture.layout.cell(*cell)
            size = max(5, min(box.width(), box.height()) // 6)
            painter.drawEllipse(QRect(box.right() - size - 3, box.top() + 4, size, size))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_cursor(self, painter: QPainter, box: QRect) -> None:
        palette = self._look.palette
        inner = palette.text if self.hasFocus() else palette.quiet
        for outset, colour in ((3, palette.ground), (1, inner)):
            pen = QPen(QColor(colour), 3)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(box.adjusted(-outset, -outset, outset - 1, outset - 1))


def _most_urgent(values: F64) -> Cell:
    i, j = np.unravel_index(int(np.argmax(np.nan_to_num(values, nan=-1.0))), values.shape)
    return int(i), int(j)
