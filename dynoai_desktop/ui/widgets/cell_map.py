"""The rpm × load map: cells, active cell with its figure, trail of the last seconds, colour scale.

What stands still is kept as a picture, into which only changed cells are painted again. A frame
then costs one copy of that picture, a frame line, a label and the trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.core.axis import default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.cell_words import CellFacts, active_cell
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.widgets.map_callout import callout_rect, paint_callout
from dynoai_desktop.ui.widgets.map_crop import cropped, shown_columns
from dynoai_desktop.ui.widgets.map_layout import MapLayout
from dynoai_desktop.ui.widgets.map_picture import MapPicture, column_px
from dynoai_desktop.ui.widgets.map_trail import TrailPath, trail_path
from dynoai_desktop.ui.widgets.map_views import MAP_VIEWS, Layer, MapView, side_shown, sides_of


class CellMap(QWidget):
    """Draws the newest snapshot it was shown."""

    def __init__(self, look: Look, views: Sequence[MapView] = MAP_VIEWS) -> None:
        """Start with an empty map on the default axes."""
        super().__init__()
        self._look = look
        self._views = tuple(views)
        self._view = 0
        self._wanted: Cylinder | None = None  # None: the worse of both
        self._snapshot: Snapshot | None = None
        self._columns = slice(None)
        self._layer = self._make_layer()
        self._picture: MapPicture | None = None
        self._trail = TrailPath()
        self.facts: CellFacts | None = None  # of the active cell
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

    @property
    def side(self) -> Cylinder | None:
        """Return whose cells are shown; None is the worse of both."""
        return self._wanted if self._snapshot is None else side_shown(self._snapshot, self._wanted)

    @property
    def sides(self) -> tuple[Cylinder | None, ...]:
        """Return what key C turns through on this vehicle."""
        return (None,) if self._snapshot is None else sides_of(self._snapshot)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(900, 480)

    def minimumSizeHint(self) -> QSize:
        """Return the size below which cells cannot be told apart."""
        return QSize(320, 180)

    def next_view(self) -> None:
        """Turn to the next view, after the last to the first."""
        self.set_view((self._view + 1) % len(self._views))

    def set_view(self, number: int) -> None:
        """Turn to a view by its place in the table."""
        self._view = number
        self._change_layer()

    def next_side(self) -> None:
        """Turn to the next side: the worse of both, front, rear."""
        sides = self.sides
        self._wanted = sides[(sides.index(self.side) + 1) % len(sides)]
        self._change_layer()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self.update()

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Draw *snapshot*; None empties the map."""
        before, self._snapshot = self._snapshot, snapshot
        if not _shows_the_same(before, snapshot) or self._columns != self._wanted_columns():
            self._layer = self._make_layer()
        self.facts = None if snapshot is None else active_cell(snapshot, self._wanted)
        picture = self._picture
        if picture is None or not self._suits(picture):
            self.update()
            return
        dirty = picture.follow(self._layer)
        self._trace(picture.layout)
        moving = self._moving_rect(picture.layout)
        self.update(dirty.united(moving).united(self._moving))
        self._moving = moving

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many columns as can be read."""
        if self._columns != self._wanted_columns():
            self._layer = self._make_layer()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the kept picture, then paint what moves."""
        picture = self._picture
        if picture is None or not self._suits(picture):
            ratio = self.devicePixelRatioF()
            picture = MapPicture(self._layer, self.view.style, self._look, self.size(), ratio)
            self._picture = picture
            self._trace(picture.layout)
            self._moving = self._moving_rect(picture.layout)
        painter = QPainter(self)
        painter.setClipRect(event.rect())
        painter.drawPixmap(0, 0, picture.pixmap)
        self._trail.paint(painter, self._look.palette)
        facts = self._facts_shown()
        if facts is not None:
            self._paint_active(painter, picture.layout.cell(facts.rpm, facts.load))
            paint_callout(painter, picture.layout, facts, self._look)
        painter.end()

    def _make_layer(self) -> Layer:
        self._columns = self._wanted_columns()
        if self._snapshot is not None:
            return cropped(self.view.layer(self._snapshot, self._wanted), self._columns)
        rpm, load = default_rpm_axis(), default_map_axis()
        return Layer(rpm, load, np.full((len(rpm), len(load)), np.nan))

    def _wanted_columns(self) -> slice:
        room = MapLayout.room(self.width(), self._look.sizes.small)
        return shown_columns(self._snapshot, room, column_px(self.view.style))

    def _facts_shown(self) -> CellFacts | None:
        """Return the facts of the active cell, its column counted from the first one shown."""
        facts = self.facts
        return None if facts is None else replace(facts, rpm=facts.rpm - (self._columns.start or 0))

    def _change_layer(self) -> None:
        self._layer = self._make_layer()
        if self._snapshot is not None:
            self.facts = active_cell(self._snapshot, self._wanted)
        self._picture = None
        self.update()

    def _suits(self, picture: MapPicture) -> bool:
        ratio = self.devicePixelRatioF()
        return picture.suits(self._layer, self.view.style, self._look, self.size(), ratio)

    def _trace(self, layout: MapLayout) -> None:
        self._trail = trail_path(layout, self._snapshot.trail if self._snapshot else ())

    def _moving_rect(self, layout: MapLayout) -> QRect:
        rect = self._trail.bounds
        facts = self._facts_shown()
        if facts is not None:
            rect = rect.united(layout.cell(facts.rpm, facts.load))
            rect = rect.united(callout_rect(layout, facts, self._look))
        return rect.adjusted(-8, -8, 8, 8)

    def _paint_active(self, painter: QPainter, cell: QRect) -> None:
        palette = self._look.palette
        for outset, colour in ((4, palette.ground), (2, palette.text)):
            pen = QPen(QColor(colour), 3)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(cell.adjusted(-outset, -outset, outset - 1, outset - 1))


def _shows_the_same(before: Snapshot | None, now: Snapshot | None) -> bool:
    """Return True when nothing was added to the cells in between."""
    if before is None or now is None or not now.cylinders:
        return False
    return before.cylinders is now.cylinders
