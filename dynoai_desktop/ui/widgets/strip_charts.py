"""Strip charts of the last minute, one lane under another over one time axis.

Time runs from −60 s to now, so the axes stand still and only the curves are painted anew: the
ticks and labels of each lane are kept as a picture until its range changes. A gap in the data is
a gap in the curve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsItem, QSizePolicy

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import Palette, font
from dynoai_desktop.ui.widgets.lanes import LANES, Lane, Ruler, lane_range, ruler
from dynoai_desktop.ui.wording import in_units, number

SECONDS_SHOWN = 60
_PEN_PX = 2
_AXIS_EM = 5.0  # width of the value axes, in small text sizes
_GRID_ALPHA = 90
_ROW_HEIGHT = 100  # the same for all: they share the room there is
_LEGEND = {Channel.LAMBDA_FRONT: "F", Channel.LAMBDA_REAR: "R"}


class StripCharts(pg.GraphicsLayoutWidget):
    """Draws the history of the newest snapshot it was shown."""

    def __init__(self, look: Look, lanes: Sequence[Lane] = LANES) -> None:
        """Start with empty lanes."""
        super().__init__()
        self._look = look
        self._snapshot: Snapshot | None = None
        self.ci.layout.setContentsMargins(2, 6, 10, 2)
        self.ci.layout.setSpacing(4)
        self._strips = [
            _Strip(self.ci, row, lane, is_last=lane is lanes[-1]) for row, lane in enumerate(lanes)
        ]
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Strip charts of the last minute")
        self.set_look(look)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(900, 340)

    def minimumSizeHint(self) -> QSize:
        """Return the size below which the curves cannot be read."""
        return QSize(320, 120)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self.setBackground(QColor(look.palette.panel))
        for strip in self._strips:
            strip.set_look(look)
        self.show_snapshot(self._snapshot)

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Draw the last minute of *snapshot*; None empties the charts."""
        self._snapshot = snapshot
        seconds = np.empty(0)
        values: Mapping[Channel, NDArray[np.float32]] = {}
        if snapshot is not None:
            seconds = snapshot.history.time_s - snapshot.time_s
            values = snapshot.history.values
        for strip in self._strips:
            strip.draw(seconds, values)

    def curve(self, channel: Channel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what is drawn for *channel*: seconds before now, and values as displayed."""
        for strip in self._strips:
            if channel in strip.curves:
                x, y = strip.curves[channel].getData()
                return (np.empty(0), np.empty(0)) if x is None else (x, y)
        raise KeyError(channel)


class _Strip:
    """One lane on screen."""

    def __init__(self, grid: pg.GraphicsLayout, row: int, lane: Lane, is_last: bool) -> None:
        self._lane = lane
        self._ruler: Ruler | None = None
        self._look = Look()
        # A bare view and its axes: a whole PlotItem brings menus and a form that nobody opens.
        self._view = pg.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0)
        self._view.disableAutoRange()
        self._view.setXRange(-SECONDS_SHOWN, 0, padding=0)
        self._left = pg.AxisItem("left", linkView=self._view)
        self._bottom = pg.AxisItem("bottom", linkView=self._view) if is_last else None
        grid.addItem(self._left, row, 0)
        grid.addItem(self._view, row, 1)
        grid.layout.setRowPreferredHeight(row, _ROW_HEIGHT)
        if self._bottom is not None:
            grid.addItem(self._bottom, row + 1, 1)
        self.curves = {channel: pg.PlotCurveItem() for channel in lane.channels}
        self._legend: dict[Channel, pg.TextItem] = {}
        for channel, curve in self.curves.items():
            self._view.addItem(curve, ignoreBounds=True)
            if channel in _LEGEND:
                # Letters side by side at the upper left, one for each cylinder.
                text = pg.TextItem(_LEGEND[channel], anchor=(-1.4 * len(self._legend), 0))
                self._view.addItem(text, ignoreBounds=True)
                self._legend[channel] = text
        for axis in self._axes():
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)

    def _axes(self) -> list[pg.AxisItem]:
        return [self._left] if self._bottom is None else [self._left, self._bottom]

    def set_look(self, look: Look) -> None:
        self._look, self._ruler = look, None
        palette, small = look.palette, look.sizes.small
        face = font(small * 0.9)
        for axis in self._axes():
            axis.setPen(palette.line)
            axis.setTextPen(palette.quiet)
            axis.setTickFont(face)
        _, unit = in_units(0.0, self._lane.unit, look.display)
        self._left.setLabel(
            unit.value, color=palette.text, **{"font-size": f"{face.pixelSize()}px"}
        )
        self._left.setWidth(small * _AXIS_EM)
        self._left.setGrid(_GRID_ALPHA)
        if self._bottom is not None:
            marks = range(10 - SECONDS_SHOWN, 0, 10)
            self._bottom.setTicks([[(s, f"{number(s, 0)} s") for s in marks]])
            self._bottom.setHeight(small * 1.7)
        for channel, curve in self.curves.items():
            colour = _curve_colour(channel, palette)
            curve.setPen(pg.mkPen(colour, width=_PEN_PX))
            if channel in self._legend:
                self._legend[channel].setColor(colour)
                self._legend[channel].setFont(font(small * 0.9, bold=True))

    def draw(
        self,
        seconds: NDArray[np.float64],
        values: Mapping[Channel, NDArray[np.float32]],
    ) -> None:
        # A channel without a single reading has no curve, no letter and no say in the axis.
        heard = {
            channel: values[channel]
            for channel in self.curves
            if channel in values and np.isfinite(values[channel]).any()
        }
        offset, _ = in_units(0.0, self._lane.unit, self._look.display)
        gain = in_units(1.0, self._lane.unit, self._look.display)[0] - offset
        for channel, curve in self.curves.items():
            if channel in heard:
                curve.setData(seconds, heard[channel] * gain + offset, connect="finite")
            else:
                curve.setData(np.empty(0), np.empty(0))
            if channel in self._legend:
                self._legend[channel].setVisible(channel in heard)
        low, high = lane_range(list(heard.values()), self._lane)
        self._rule(low * gain + offset, high * gain + offset)

    def _rule(self, low: float, high: float) -> None:
        lines = self._view.height() / self._look.sizes.small
        ruled = ruler(low, high, most_ticks=min(max(int(lines / 1.2), 1), 4))
        if ruled == self._ruler:
            return
        self._ruler = ruled
        self._view.setYRange(ruled.low, ruled.high, padding=min(0.6 / max(lines, 1.0), 0.2))
        ticks = [(tick, number(tick, ruled.decimals)) for tick in ruled.ticks]
        self._left.setTicks([ticks])
        for text in self._legend.values():
            text.setPos(0.5 - SECONDS_SHOWN, ruled.high)


def _curve_colour(channel: Channel, palette: Palette) -> str:
    return palette.second if channel is Channel.LAMBDA_REAR else palette.first
