"""Cells of a RowTable that are drawn: a little curve of the last half minute, and a bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.trends import SHOWN_S, Trace
from dynoai_desktop.ui.widgets.row_model import RowModel

_PAD = 4.0
_PEN_PX = 1.6
_GAP_S = 2.0  # a longer silence is a gap in the curve
_BAR_PX = 5.0

_Index = QModelIndex | QPersistentModelIndex


def curve_pieces(trace: Trace, unit: Unit, box: QRectF) -> list[QPolygonF]:
    """Return *trace* as lines within *box*, now at its right edge; a gap ends a line."""
    if not len(trace.values):
        return []
    x = box.right() - trace.age_s / SHOWN_S * box.width()
    y = box.bottom() - trace.heights(unit) * box.height()
    pieces: list[list[QPointF]] = [[]]
    ages = trace.age_s.tolist()
    last_s = ages[0]
    for at_x, at_y, age_s in zip(x.tolist(), y.tolist(), ages, strict=True):
        if np.isnan(at_y) or last_s - age_s > _GAP_S:
            pieces.append([])
        if not np.isnan(at_y):
            pieces[-1].append(QPointF(at_x, at_y))
        last_s = age_s
    return [QPolygonF(piece) for piece in pieces if piece]


def paint_trace(
    painter: QPainter, box: QRectF, trace: Trace, unit: Unit, colour: str, pen_px: float = _PEN_PX
) -> None:
    """Draw the last half minute into *box*; a lone reading is a dot."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), pen_px))
    for piece in curve_pieces(trace, unit, box.adjusted(_PAD, _PAD, -_PAD, -_PAD)):
        if piece.size() > 1:
            painter.drawPolyline(piece)
        else:
            painter.drawPoint(piece.at(0))
    painter.restore()


class TrendDelegate(QStyledItemDelegate):
    """A curve without axes: whether, when and how a value moves."""

    def __init__(
        self, rows: RowModel[Any], trace: Callable[[Any], tuple[Trace, Unit] | None], look: Look
    ) -> None:
        """*trace* returns what to draw for one of *rows*, and the unit it is in."""
        super().__init__(rows)
        self._rows, self._trace = rows, trace
        self.look = look

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint ground and curve."""
        super().paint(painter, option, index)
        found = self._trace(self._rows.row(index.row()))
        if found is not None:
            palette = self.look.palette
            colour = palette.on_state if _is_chosen(option) else palette.first
            paint_trace(painter, QRectF(option.rect), *found, colour)


class BarDelegate(QStyledItemDelegate):
    """The text of a cell over a bar as long as its share."""

    def __init__(
        self,
        rows: RowModel[Any],
        share: Callable[[Any, Look], tuple[float, str] | None],
        look: Look,
    ) -> None:
        """*share* returns 0 to 1 and a colour for one of *rows*."""
        super().__init__(rows)
        self._rows, self._share = rows, share
        self.look = look

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint ground and text, and the bar under it."""
        super().paint(painter, option, index)
        found = self._share(self._rows.row(index.row()), self.look)
        if found is None:
            return
        share, colour = found
        palette = self.look.palette
        box = QRectF(option.rect).adjusted(6, 0, -6, -3)
        bar = QRectF(box.left(), box.bottom() - _BAR_PX, box.width(), _BAR_PX)
        painter.fillRect(bar, QColor(palette.line))
        bar.setWidth(bar.width() * min(max(share, 0.0), 1.0))
        painter.fillRect(bar, QColor(palette.on_state if _is_chosen(option) else colour))


def _is_chosen(option: QStyleOptionViewItem) -> bool:
    return QStyle.StateFlag.State_Selected in option.state
