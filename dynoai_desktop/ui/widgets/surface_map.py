"""A surface as a map with a cursor: every cell with its value, hits and doubt.

Arrow keys move the cursor, a click puts it there. Colour says how much, fading how unsure; a cell
without data is a thin cross.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import SMALLEST_TEXT_PX, font, readable_on
from dynoai_desktop.ui.widgets.surface_colours import colour_of, colours
from dynoai_desktop.ui.widgets.surface_sheet import (
    Z_95,
    Sheet,
    Shown,
    axis_texts,
    axis_title,
    place_text,
    scale_of,
    shown,
)
from dynoai_desktop.ui.wording import number

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
_EM = 0.64  # width of a digit of the typeface
_TALLEST = 0.72  # of a cell
_AIR_PX = 5
_PITCH = 1.08  # from line to line within a cell, in text sizes: digits have no descenders


class SurfaceMap(QWidget):
    """Draws one Sheet; columns run with rpm to the right, rows with load upwards."""

    cursor_moved = Signal()

    def __init__(self, look: Look) -> None:
        """Start with nothing."""
        super().__init__()
        self._look = look
        self._sheet: Sheet | None = None
        self._shown: Shown | None = None
        self._whole = False
        self.at = (0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Map")

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(800, 420)

    def minimumSizeHint(self) -> QSize:
        """Return the size below which cells cannot be told apart."""
        return QSize(320, 160)

    @property
    def sheet(self) -> Sheet | None:
        """Return what is drawn."""
        return self._sheet

    @property
    def whole(self) -> bool:
        """Return whether the whole table is drawn, not only where the data are."""
        return self._whole

    def show_sheet(self, sheet: Sheet | None) -> None:
        """Draw another surface; the cursor keeps its cell where the axes are the same."""
        before = self._sheet
        self._sheet = sheet
        self._shown = None if sheet is None else shown(sheet, self._look)
        if sheet is not None:
            same = before is not None and (before.rpm, before.load) == (sheet.rpm, sheet.load)
            if not same:
                self.at = _strongest(sheet)
            self._into_view()
            self.setAccessibleName(f"Map: {sheet.title}")
        self.update()
        self.cursor_moved.emit()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self.show_sheet(self._sheet)

    def set_whole(self, on: bool) -> None:
        """Draw the whole table, or only the part that holds data."""
        self._whole = on
        self._into_view()
        self.update()
        self.cursor_moved.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or self._sheet is None:
            super().keyPressEvent(event)
            return
        self._put(self.at[0] + step[0], self.at[1] + step[1])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor on the cell."""
        self.setFocus()
        cell = self._cell_at(event.position().toPoint())
        if cell is not None:
            self._put(*cell)

    def look_at(self, cell: tuple[int, int]) -> None:
        """Put the cursor on a cell; one outside the data brings the whole table."""
        rows, columns = self._box()
        inside = rows.start <= cell[0] < rows.stop and columns.start <= cell[1] < columns.stop
        self._whole = self._whole or not inside
        self._put(*cell)

    def _put(self, i: int, j: int) -> None:
        rows, columns = self._box()
        self.at = (
            min(max(i, rows.start), rows.stop - 1),
            min(max(j, columns.start), columns.stop - 1),
        )
        if self._sheet is not None:
            self.setAccessibleDescription(place_text(self._sheet, self.at, self._look))
        self.update()
        self.cursor_moved.emit()

    def _into_view(self) -> None:
        rows, columns = self._box()
        self.at = (
            min(max(self.at[0], rows.start), max(rows.stop - 1, 0)),
            min(max(self.at[1], columns.start), max(columns.stop - 1, 0)),
        )

    def _box(self) -> tuple[slice, slice]:
        sheet = self._sheet
        if sheet is None:
            return slice(0, 1), slice(0, 1)
        if self._whole:
            return slice(0, len(sheet.rpm)), slice(0, len(sheet.load))
        return sheet.box()

    # Geometry

    def _grid(self) -> QRect:
        em = self._look.sizes.small
        bar = round(em * 7.2)
        left, bottom, top = round(em * 4.2), round(em * 2.9), round(em * 0.6)
        return QRect(left, top, self.width() - left - bar, self.height() - top - bottom)

    def _cell(self, i: int, j: int) -> QRect:
        rows, columns = self._box()
        grid = self._grid()
        across, up = rows.stop - rows.start, columns.stop - columns.start
        a, b = i - rows.start, j - columns.start
        x0, x1 = (grid.left() + round(grid.width() * k / across) for k in (a, a + 1))
        y0, y1 = (grid.bottom() + 1 - round(grid.height() * k / up) for k in (b + 1, b))
        return QRect(x0 + 1, y0 + 1, x1 - x0 - 1, y1 - y0 - 1)

    def _cell_at(self, spot: QPoint) -> tuple[int, int] | None:
        rows, columns = self._box()
        for i in range(rows.start, rows.stop):
            for j in range(columns.start, columns.stop):
                if self._cell(i, j).adjusted(-1, -1, 1, 1).contains(spot):
                    return i, j
        return None

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint cells, labels, scale and cursor."""
        sheet, view = self._sheet, self._shown
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._look.palette.panel))
        if sheet is None or view is None:
            painter.end()
            return
        painter.fillRect(self._grid(), QColor(self._look.palette.line))
        low, high = scale_of(sheet, view)
        rows, columns = self._box()
        px = self._text_px(view)
        for i in range(rows.start, rows.stop):
            for j in range(columns.start, columns.stop):
                self._paint_cell(painter, sheet, view, (i, j), (low, high), px)
        self._paint_labels(painter, sheet)
        self._paint_scale(painter, sheet, view, (low, high))
        self._paint_cursor(painter)
        if not np.isfinite(view.values).any():
            painter.setPen(QColor(self._look.palette.text))
            painter.setFont(font(self._look.sizes.body))
            painter.drawText(self._grid(), Qt.AlignmentFlag.AlignCenter, sheet.nothing)
        painter.end()

    def _text_px(self, view: Shown) -> float:
        """Return the size at which the longest value fits its cell, one size for all."""
        rows, columns = self._box()
        part = view.values[rows, columns]
        known = part[np.isfinite(part)].tolist()
        texts = [view.text(v, view.cell_decimals) for v in known]
        cell, marks = self._cell(rows.start, columns.start), self._mark_px(self._sheet)
        px = (cell.width() - 6 - marks) / (_EM * max(map(len, texts), default=1))
        least = QFontMetricsF(font(SMALLEST_TEXT_PX))
        widest = max((least.horizontalAdvance(text) for text in texts), default=0.0)
        if widest <= cell.width() - 2 - marks:
            px = max(px, SMALLEST_TEXT_PX)
        return float(min(cell.height() * _TALLEST, px))

    def _lowest(self) -> int:
        """Return the height of the lowest cell, so that all have the same lines."""
        _, columns = self._box()
        return int(self._grid().height() // (columns.stop - columns.start)) - 1

    @staticmethod
    def _mark_px(sheet: Sheet | None) -> int:
        """Return the room that marks take from the figures."""
        return 9 if sheet is not None and sheet.marks is not None else 0

    def _paint_cell(
        self,
        painter: QPainter,
        sheet: Sheet,
        view: Shown,
        at: tuple[int, int],
        scale: tuple[float, float],
        px: float,
    ) -> None:
        palette, cell = self._look.palette, self._cell(*at)
        value = float(view.values[at])
        if not np.isfinite(value):
            painter.fillRect(cell, QColor(palette.ground))
            painter.setPen(QPen(QColor(palette.line), 1))
            centre, arm = cell.center(), max(2, min(cell.width(), cell.height()) // 8)
            painter.drawLine(centre.x() - arm, centre.y(), centre.x() + arm, centre.y())
            painter.drawLine(centre.x(), centre.y() - arm, centre.x(), centre.y() + arm)
            return
        low, high = scale
        se = 0.0 if view.se is None else float(np.nan_to_num(view.se[at]))
        fill = colour_of(
            (value - low) / (high - low), 2.0 * se / (high - low), palette, sheet.shade
        )
        painter.fillRect(cell, QColor(fill))
        ink = QColor(readable_on(fill))
        self._paint_figures(painter, cell, view, sheet, at, ink, px)

    def _paint_figures(
        self,
        painter: QPainter,
        cell: QRect,
        view: Shown,
        sheet: Sheet,
        at: tuple[int, int],
        ink: QColor,
        px: float,
    ) -> None:
        painter.setPen(ink)
        small = SMALLEST_TEXT_PX * _PITCH
        lines = self._more_lines(view, sheet, at, cell.width() - 4)
        lines = lines[: self._more_that_fit(small)]
        room = cell.height() - small * len(lines)
        if px >= SMALLEST_TEXT_PX:
            face = font(min(px, self._look.sizes.body, max(room / _PITCH, SMALLEST_TEXT_PX)))
            painter.setFont(face)
            box = QRectF(cell.left(), cell.top(), cell.width() - self._mark_px(sheet), room)
            text = view.text(float(view.values[at]), view.cell_decimals)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            painter.setFont(font(SMALLEST_TEXT_PX))
            for k, line in enumerate(lines):
                top = cell.top() + room + k * small - 0.12 * SMALLEST_TEXT_PX
                foot = QRectF(cell.left(), top, cell.width(), small)
                painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, line)
        mark = "" if sheet.marks is None else str(sheet.marks[at])
        if mark:
            painter.setFont(font(SMALLEST_TEXT_PX, bold=True))
            corner = QRectF(cell.adjusted(3, 0, -2, -1))
            painter.drawText(corner, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, mark)

    def _more_that_fit(self, small: float) -> int:
        """Return how many lines may stand below the value; the second needs some air."""
        height = self._lowest()
        return 2 if height >= 3 * small + _AIR_PX else int(height >= 2 * small)

    def _more_lines(self, view: Shown, sheet: Sheet, at: tuple[int, int], room: float) -> list[str]:
        """Return half the 95 % interval and the hits of a cell, so far as they are as narrow."""
        lines: list[str] = []
        if view.se is not None and np.isfinite(view.se[at]):
            half = Z_95 * float(view.se[at])
            lines.append(f"±{number(half, view.decimals)}")
        if sheet.hits is not None:
            lines.append(f"n{number(float(sheet.hits[at]), 0)}")
        face = QFontMetricsF(font(SMALLEST_TEXT_PX))
        return [line for line in lines if face.horizontalAdvance(line) <= room]

    def _paint_cursor(self, painter: QPainter) -> None:
        palette, frame = self._look.palette, self._cell(*self.at)
        inner = palette.text if self.hasFocus() else palette.quiet
        for outset, colour in ((3, palette.ground), (1, inner)):
            pen = QPen(QColor(colour), 3)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(frame.adjusted(-outset, -outset, outset - 1, outset - 1))

    def _paint_labels(self, painter: QPainter, sheet: Sheet) -> None:
        look, grid = self._look, self._grid()
        face = font(look.sizes.small)
        metrics = QFontMetricsF(face)
        line = metrics.height()
        centre = Qt.AlignmentFlag.AlignCenter
        rows, columns = self._box()
        painter.setFont(face)
        painter.setPen(QColor(look.palette.quiet))
        texts = axis_texts(sheet.rpm, look)
        widest = max(metrics.horizontalAdvance(text) for text in texts) + 6
        step = max(1, -(-round(widest) // max(self._cell(rows.start, columns.start).width(), 1)))
        for i in range(rows.start, rows.stop, step):
            middle = self._cell(i, columns.start).center().x()
            spot = QRectF(middle - widest / 2, grid.bottom() + 3, widest, line)
            painter.drawText(spot, centre, texts[i])
        texts = axis_texts(sheet.load, look)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        tall = max(self._cell(rows.start, columns.start).height(), 1)
        step = max(1, -(-round(line * 0.9) // tall))
        for j in range(columns.start, columns.stop, step):
            middle = self._cell(rows.start, j).center().y()
            painter.drawText(QRectF(0, middle - line / 2, grid.left() - 6, line), right, texts[j])
        painter.setPen(QColor(look.palette.text))
        foot = QRectF(grid.left(), grid.bottom() + 3 + line, grid.width(), line)
        painter.drawText(foot, centre, axis_title(sheet.rpm, look))
        painter.save()
        painter.translate(0, grid.center().y())
        painter.rotate(-90)
        side = QRectF(-grid.height() / 2, 0, grid.height(), line)
        painter.drawText(side, centre, axis_title(sheet.load, look))
        painter.restore()

    def _paint_scale(
        self, painter: QPainter, sheet: Sheet, view: Shown, scale: tuple[float, float]
    ) -> None:
        look, grid = self._look, self._grid()
        face = font(look.sizes.small)
        line = QFontMetricsF(face).height()
        left = grid.right() + round(look.sizes.small * 1.0)
        top = grid.top() + round(line * (2.2 if sheet.high else 1.2))
        bottom = grid.bottom() - round(line * (1.2 if sheet.low else 0.0))
        bar = QRect(left, top, look.sizes.small, max(bottom - top, 1))
        steps = colours(look.palette, sheet.shade)
        for k, colour in enumerate(steps):
            high = bar.bottom() + 1 - bar.height() * (k + 1) // len(steps)
            low = bar.bottom() + 1 - bar.height() * k // len(steps)
            painter.fillRect(bar.left(), high, bar.width(), low - high, QColor(colour))
        painter.setFont(face)
        painter.setPen(QColor(look.palette.text))
        room = self.width() - left
        painter.drawText(QRectF(left, grid.top(), room, line), view.unit)
        painter.setPen(QColor(look.palette.quiet))
        painter.drawText(QRectF(left, grid.top() + line, room, line), sheet.high)
        painter.drawText(QRectF(left, bar.bottom() + 2, room, line), sheet.low)
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            value = scale[0] + share * (scale[1] - scale[0])
            y = bar.bottom() - share * bar.height()
            y = min(max(y, bar.top() + line / 2), bar.bottom() - line / 2)
            spot = QRectF(bar.right() + 5, y - line / 2, room, line)
            decimals = view.decimals if scale[1] - scale[0] < 1 else view.cell_decimals
            painter.drawText(spot, Qt.AlignmentFlag.AlignVCenter, view.text(value, decimals))


def _strongest(sheet: Sheet) -> tuple[int, int]:
    """Return the cell to look at first: the best measured one, else the first with a value."""
    weight = np.where(np.isfinite(sheet.values), 1.0, 0.0)
    if sheet.hits is not None:
        weight = weight * (1.0 + np.nan_to_num(sheet.hits))
    i, j = np.unravel_index(int(np.argmax(weight)), weight.shape)
    return int(i), int(j)
