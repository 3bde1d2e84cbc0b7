"""The way of the engine over the map in the last seconds, fading with age."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from dynoai_desktop.core.live.snapshot import TrailPoint
from dynoai_desktop.ui.theme import Palette
from dynoai_desktop.ui.widgets.map_layout import MapLayout

TRAIL_S = 3.0
_STRETCHES = 6  # degrees of fading; one line each is far cheaper than one line per window
_UNDER_PX, _OVER_PX, _HEAD_PX = 5.0, 2.0, 5.0


@dataclass(frozen=True, slots=True)
class TrailPath:
    """Unbroken lines with their opacity, oldest first, and where the engine is now."""

    lines: tuple[tuple[float, QPolygonF], ...] = ()
    head: QPointF | None = None
    bounds: QRect = field(default_factory=QRect)

    def paint(self, painter: QPainter, palette: Palette) -> None:
        """Paint the trail, light on a dark edge, so that it shows on every colour."""
        under, over = QColor(palette.ground), QColor(palette.text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((under, _UNDER_PX), (over, _OVER_PX)):
            for opacity, line in self.lines:
                colour.setAlphaF(opacity)
                pen = QPen(colour, width)
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                painter.setPen(pen)
                painter.drawPolyline(line)
        if self.head is not None:
            under.setAlphaF(1.0)
            over.setAlphaF(1.0)
            painter.setPen(QPen(under, 2))
            painter.setBrush(over)
            painter.drawEllipse(self.head, _HEAD_PX, _HEAD_PX)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def trail_path(layout: MapLayout, trail: Sequence[TrailPoint]) -> TrailPath:
    """Return the path of *trail* on a map; it breaks where it leaves the map."""
    spots = [(layout.point(p.rpm, p.load), p.age_s) for p in trail if p.age_s <= TRAIL_S]
    if not spots:
        return TrailPath()
    lines = []
    current: list[QPointF] = []
    stretch = -1
    for spot, age_s in spots:
        at = min(int(age_s / TRAIL_S * _STRETCHES), _STRETCHES - 1)
        if spot is None or at != stretch:
            if spot is not None and current:
                current.append(spot)
            lines.append((stretch, current))
            current = []
        if spot is not None:
            current.append(spot)
        stretch = at
    lines.append((stretch, current))
    drawn = tuple(
        (1.0 - at / _STRETCHES, QPolygonF(points)) for at, points in lines if len(points) > 1
    )
    return TrailPath(drawn, spots[-1][0], _bounds(spot for spot, _ in spots if spot is not None))


def _bounds(points: Iterable[QPointF]) -> QRect:
    return QPolygonF(list(points)).boundingRect().adjusted(-1, -1, 1, 1).toAlignedRect()
