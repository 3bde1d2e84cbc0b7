"""The rpm × load map: cells, active cell, trail of the last seconds, colour scale.

What stands still is kept as a picture, into which only changed cells are painted again. A frame
then costs one copy of that picture, a frame line and the trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.core.axis import CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.widgets.map_layout import MapLayout
from dynoai_desktop.ui.widgets.map_picture import MapPicture
from dynoai_desktop.ui.widgets.map_views import MAP_VIEWS, MapView

TRAIL_S = 3.0


class CellMap(QWidget):
    """Draws the newest snapshot it was shown."""

    def __init__(self, look: Look, views: Sequence[MapView] = MAP_VIEWS) -> None:
        """Start with an empty map on the default axes."""
        super().__init__()
        self._look = look
        self._views = tuple(views)
        self._view = 0
        self._snapshot: Snapshot | None = None
        self._picture: MapPicture | None = None
        self._moving = QRect()  # where active cell and trail are painted now
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Map of engine speed and load")

    @property
    def view(self) -> MapView:
        """Return the view in front."""
        return self._views[self._view]

    @property
    def views(self) -> tuple[MapView, ...]:
        """Return every view there is."""
        return self._views

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(900, 480)

    def minimumSizeHint(self) -> QSize:
        """Return the size below which cells cannot be told apart."""
        return QSize(320, 180)

    def next_view(self) -> None:
        """Turn to the next view, after the last to the first."""
        self._view = (self._view + 1) % len(self._views)
        self.update()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self.update()

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Draw *snapshot*; None empties the map."""
        self._snapshot = snapshot
        grid = self._grid()
        picture = self._picture
        if picture is None or not self._suits(picture, grid):
            self.update()
            return
        dirty = picture.follow(grid)
        moving = self._moving_rect(picture.layout)
        self.update(dirty.united(moving).united(self._moving))
        self._moving = moving

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the kept picture, then paint what moves."""
        grid = self._grid()
        picture = self._picture
        if picture is None or not self._suits(picture, grid):
            ratio = self.devicePixelRatioF()
            picture = MapPicture(grid, self.view, self._look, self.size(), ratio)
            self._picture = picture
            self._moving = self._moving_rect(picture.layout)
        painter = QPainter(self)
        painter.setClipRect(event.rect())
        painter.drawPixmap(0, 0, picture.pixmap)
        if self._snapshot is not None:
            self._paint_trail(painter, picture.layout, self._snapshot)
            self._paint_active(painter, picture.layout, self._snapshot)
        painter.end()

    def _grid(self) -> CellGrid:
        if self._snapshot is not None:
            return self.view.grid(self._snapshot)
        rpm, load = default_rpm_axis(), default_map_axis()
        return CellGrid(rpm, load, np.full((len(rpm), len(load)), np.nan))

    def _suits(self, picture: MapPicture, grid: CellGrid) -> bool:
        return picture.suits(grid, self.view, self._look, self.size(), self.devicePixelRatioF())

    def _moving_rect(self, layout: MapLayout) -> QRect:
        snapshot = self._snapshot
        if snapshot is None:
            return QRect()
        rect = _active_rect(layout, snapshot)
        for spot in _trail_points(layout, snapshot):
            if spot is not None:
                rect = rect.united(QRect(spot[0].toPoint(), QSize(1, 1)))
        return rect.adjusted(-8, -8, 8, 8)

    def _paint_trail(self, painter: QPainter, layout: MapLayout, snapshot: Snapshot) -> None:
        points = _trail_points(layout, snapshot)
        under, over = QColor(self._look.palette.ground), QColor(self._look.palette.text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((under, 5.0), (over, 2.0)):
            for a, b in pairwise(points):
                if a is None or b is None:
                    continue
                colour.setAlphaF(max(0.0, 1.0 - b[1] / TRAIL_S))
                painter.setPen(QPen(colour, width))
                painter.drawLine(QLineF(a[0], b[0]))
        last = points[-1] if points else None
        if last is not None:
            painter.setPen(QPen(under, 2))
            over.setAlphaF(1.0)
            painter.setBrush(over)
            painter.drawEllipse(last[0], 5.0, 5.0)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_active(self, painter: QPainter, layout: MapLayout, snapshot: Snapshot) -> None:
        frame = _active_rect(layout, snapshot)
        if frame.isEmpty():
            return
        palette = self._look.palette
        for outset, colour in ((4, palette.ground), (2, palette.text)):
            pen = QPen(QColor(colour), 3)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(frame.adjusted(-outset, -outset, outset - 1, outset - 1))


def _active_rect(layout: MapLayout, snapshot: Snapshot) -> QRect:
    """Return the pixels of the active cell, empty when there is none on these axes."""
    cell = snapshot.active_cell
    if cell is None or not (0 <= cell[0] < len(layout.rpm) and 0 <= cell[1] < len(layout.load)):
        return QRect()
    return layout.cell(*cell)


def _trail_points(layout: MapLayout, snapshot: Snapshot) -> list[tuple[QPointF, float] | None]:
    """Return the trail as (pixel, age); None breaks the line where it leaves the map."""
    return [
        None if (spot := layout.point(p.rpm, p.load)) is None else (spot, p.age_s)
        for p in snapshot.trail
        if p.age_s <= TRAIL_S
    ]
