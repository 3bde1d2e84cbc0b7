"""The label at the active cell: its error with interval and its hits, legible from afar."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from dynoai_desktop.ui.cell_words import CellFacts
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import font
from dynoai_desktop.ui.widgets.map_layout import MapLayout

_ERROR_PX = 34  # at scale 1
_GAP = 10
_PAD = 8


def callout_rect(layout: MapLayout, facts: CellFacts, look: Look) -> QRect:
    """Return where the label stands: over its cell, or under it where there is no room.

    A pull runs along the map, so above and below its trail stays in view.
    """
    large, small = _faces(look)
    upper, lower = QFontMetricsF(large), QFontMetricsF(small)
    width = max(
        upper.horizontalAdvance(facts.error_words), lower.horizontalAdvance(facts.hit_words)
    )
    above = upper.height() if facts.error_words else 0.0
    width, height = round(width + 2 * _PAD), round(above + lower.height() + _PAD)
    cell, grid = layout.cell(facts.rpm, facts.load), layout.grid()
    top = cell.top() - _GAP - height
    if top < 0:
        top = cell.bottom() + _GAP
    left = cell.center().x() - width // 2
    left = max(min(left, grid.right() - width), grid.left())
    return QRect(left, top, width, height)


def paint_callout(painter: QPainter, layout: MapLayout, facts: CellFacts, look: Look) -> None:
    """Paint the label of the active cell."""
    palette = look.palette
    large, small = _faces(look)
    box = callout_rect(layout, facts, look)
    painter.setPen(QPen(QColor(palette.quiet), 1))
    painter.setBrush(QColor(palette.panel))
    painter.drawRoundedRect(box, 5, 5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = QRectF(box).adjusted(_PAD, _PAD / 2, -_PAD, -_PAD / 2)
    painter.setFont(large if facts.error is not None else small)
    painter.setPen(QColor(palette.text if facts.error is not None else palette.quiet))
    painter.drawText(inner, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop,
                     facts.error_words)  # fmt: skip
    painter.setFont(small)
    painter.setPen(QColor(palette.quiet))
    painter.drawText(inner, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom,
                     facts.hit_words)  # fmt: skip


def _faces(look: Look) -> tuple[QFont, QFont]:
    return font(_ERROR_PX * look.scale, bold=True), font(look.sizes.small)
