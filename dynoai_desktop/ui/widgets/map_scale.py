"""The colour scale beside a map: numbers, unit and, where uncertainty fades cells, by how much."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import font
from dynoai_desktop.ui.widgets.map_colours import FADES_AT, map_colours
from dynoai_desktop.ui.widgets.map_views import MapStyle
from dynoai_desktop.ui.wording import number


def paint_scale(
    painter: QPainter, bar: QRect, width: int, style: MapStyle, top: float, look: Look
) -> None:
    """Paint the scale of *style* into *bar*, its words up to the right edge at *width*."""
    colours = map_colours(style, look.palette.name)
    fades = len(colours.fills)
    for fade, fills in enumerate(colours.fills):
        left = bar.left() + bar.width() * fade // fades
        right = bar.left() + bar.width() * (fade + 1) // fades
        for step, colour in enumerate(fills):
            low = bar.bottom() + 1 - bar.height() * step // len(fills)
            high = bar.bottom() + 1 - bar.height() * (step + 1) // len(fills)
            painter.fillRect(left, high, right - left, low - high, QColor(colour))
    face = font(look.sizes.small)
    line = QFontMetricsF(face).height()
    painter.setFont(face)
    painter.setPen(QColor(look.palette.quiet))
    ticks = np.array(style.scale.ticks(top))
    for tick, share in zip(ticks, style.scale.share(ticks, top), strict=True):
        y = bar.bottom() - share * bar.height()
        y = min(max(y, bar.top() + line / 2), bar.bottom() - line / 2)
        spot = QRectF(bar.right() + 6, y - line / 2, width - bar.right() - 6, line)
        painter.drawText(spot, Qt.AlignmentFlag.AlignVCenter, style.scale.text(float(tick)))
    painter.setPen(QColor(look.palette.text))
    caption = QRectF(bar.left() - 6, 0, width - bar.left() + 6, bar.top() - 4)
    painter.drawText(caption, Qt.AlignmentFlag.AlignBottom, style.unit)
    if fades > 1:
        # Beside the title of the axis: the columns of the bar, from sure to unsure.
        painter.setPen(QColor(look.palette.quiet))
        foot = QRectF(bar.left() - 6, bar.bottom() + 3 + line, width - bar.left() + 6, line)
        limits = " ".join(number(limit, 0) for limit in FADES_AT)
        painter.drawText(foot, Qt.AlignmentFlag.AlignVCenter, f"±{limits} %")
