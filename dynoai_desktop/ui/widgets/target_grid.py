"""The table of targets as a map: chosen cells, typing, and where the engine is."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.units import Display, MixtureScale, Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import diverging, font
from dynoai_desktop.ui.widgets.map_picture import MapPicture
from dynoai_desktop.ui.widgets.map_views import F64, Layer, MapStyle, Scale
from dynoai_desktop.ui.wording import glance, in_units

Cell = tuple[int, int]

_SPAN = 0.25  # lambda from the middle of the colour scale to its ends
_TYPED = frozenset("0123456789.,")
_LONGEST = 6
_MOVES = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
_NUDGES = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


@lru_cache(maxsize=8)
def target_style(display: Display) -> MapStyle:
    """Return how targets are shown in the tuner's units: blue is rich, as everywhere."""
    one, unit = in_units(1.0, Unit.LAMBDA, display)
    decimals = 1 if display.mixture is MixtureScale.AFR else 2

    def share(values: F64, _top: float) -> F64:
        return 0.5 + 0.5 * (values / one - 1.0) / _SPAN

    ticks = tuple(one * (1.0 + _SPAN * k / 2.0) for k in range(-2, 3))
    scale = Scale(
        top=lambda _layer: _SPAN,
        share=share,
        ticks=lambda _top: ticks,
        text=lambda value: glance(value, unit),
        decimals=decimals,
        widest=glance(one, unit),
    )
    return MapStyle(unit.value, diverging, scale, turns=True)


def target_layer(grid: CellGrid, display: Display) -> Layer:
    """Return targets as they are printed."""
    one = in_units(1.0, Unit.LAMBDA, display)[0]
    return Layer(grid.rpm, grid.load, one * grid.values)


class TargetGrid(QWidget):
    """Shows targets; reports what is typed for the chosen cells."""

    typed = Signal(str)  # for the chosen cells
    nudged = Signal(int)  # steps; positive is leaner
    pasted = Signal()
    copied = Signal()
    moved = Signal()

    def __init__(self, look: Look, grid: CellGrid) -> None:
        """Start in the first cell."""
        super().__init__()
        self._look = look
        self._layer = target_layer(grid, look.display)
        self._grid = grid
        self._picture: MapPicture | None = None
        self._anchor: Cell = (0, 0)
        self._cursor: Cell = (0, 0)
        self._engine: Cell | None = None
        self.text = ""  # typed so far
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Targets by engine speed and load")

    @property
    def cursor_cell(self) -> Cell:
        """Return the cell the keys act on."""
        return self._cursor

    @property
    def first_cell(self) -> Cell:
        """Return the chosen cell of least rpm and load, where a paste begins."""
        return (
            min(self._anchor[0], self._cursor[0]),
            min(self._anchor[1], self._cursor[1]),
        )

    @property
    def cells(self) -> list[Cell]:
        """Return the chosen cells."""
        i, j = self.first_cell
        m = max(self._anchor[0], self._cursor[0])
        n = max(self._anchor[1], self._cursor[1])
        return [(a, b) for a in range(i, m + 1) for b in range(j, n + 1)]

    def minimumSizeHint(self) -> QSize:
        """Return the size below which cells cannot be told apart."""
        return QSize(320, 200)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self.show_grid(self._grid)

    def show_grid(self, grid: CellGrid) -> None:
        """Show other targets."""
        if (grid.rpm, grid.load) != (self._grid.rpm, self._grid.load):
            self._anchor = self._cursor = (0, 0)
            self._engine = None
        self._grid = grid
        self._layer = target_layer(grid, self._look.display)
        self._picture = None
        self.update()

    def show_engine(self, cell: Cell | None) -> None:
        """Frame the cell the engine is in."""
        if cell != self._engine:
            self._engine = cell if cell is not None and self._has(cell) else None
            self.update()

    def choose(self, cell: Cell, extend: bool = False) -> None:
        """Choose a cell, or everything from where the choice began to it."""
        if not self._has(cell):
            return
        self._cursor = cell
        if not extend:
            self._anchor = cell
        self.text = ""
        self.update()
        self.moved.emit()

    def _has(self, cell: Cell) -> bool:
        return 0 <= cell[0] < len(self._grid.rpm) and 0 <= cell[1] < len(self._grid.load)

    # Keys

    def event(self, event: QEvent) -> bool:
        """Claim the keys of the table before the window takes them for pages."""
        overrides = event.type() == QEvent.Type.ShortcutOverride
        if overrides and isinstance(event, QKeyEvent) and self._wants(event):
            event.accept()
            return True
        return super().event(event)

    def _wants(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if event.matches(QKeySequence.StandardKey.Copy) or event.matches(
            QKeySequence.StandardKey.Paste
        ):
            return True
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        if key is Qt.Key.Key_Escape or key is Qt.Key.Key_Backspace:
            return bool(self.text)
        return key in _MOVES or key in _NUDGES or key in _ENTER or event.text() in _TYPED

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, type, nudge, copy and paste."""
        if not self._wants(event):
            super().keyPressEvent(event)
            return
        key = Qt.Key(event.key())
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.pasted.emit()
        elif key in _MOVES:
            self._move(*_MOVES[key], bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif key in _ENTER:
            self._enter()
        elif key is Qt.Key.Key_Escape:
            self._type("")
        elif key is Qt.Key.Key_Backspace:
            self._type(self.text[:-1])
        elif key in _NUDGES:
            self._type("")
            self.nudged.emit(_NUDGES[key])
        else:
            self._type(self.text + event.text())

    def _move(self, columns: int, rows: int, extend: bool) -> None:
        if self.text:
            self._enter()
        i, j = self._cursor
        self.choose((i + columns, j + rows), extend)

    def _enter(self) -> None:
        text, self.text = self.text, ""
        if text:
            self.typed.emit(text)
        self.update()

    def _type(self, text: str) -> None:
        self.text = text[:_LONGEST]
        self.update()
        self.moved.emit()

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a cell; with Shift everything up to it."""
        cell = self._cell_at(event.position().toPoint())
        if cell is not None:
            self.choose(cell, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Choose cells while the button is held."""
        cell = self._cell_at(event.position().toPoint())
        if cell is not None and cell != self._cursor:
            self.choose(cell, extend=True)

    def _cell_at(self, spot: QPoint) -> Cell | None:
        if self._picture is None:
            return None
        layout = self._picture.layout
        for cell in np.ndindex(len(layout.rpm), len(layout.load)):
            if layout.cell(*cell).contains(spot):
                return cell[0], cell[1]
        return None

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the kept picture, then frame the chosen cells and the engine's."""
        style, look = target_style(self._look.display), self._look
        ratio = self.devicePixelRatioF()
        if self._picture is None or not self._picture.suits(
            self._layer, style, look, self.size(), ratio
        ):
            self._picture = MapPicture(self._layer, style, look, self.size(), ratio)
        layout = self._picture.layout
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture.pixmap)
        if self._engine is not None:
            self._mark_engine(painter, layout.cell(*self._engine))
        cells = self.cells
        chosen = layout.cell(*cells[0]).united(layout.cell(*cells[-1]))
        self._frame(painter, chosen)
        if self.text:
            box = layout.cell(*self._cursor)
            painter.fillRect(box, QColor(look.palette.accent))
            painter.setPen(QColor(look.palette.on_state))
            painter.setFont(font(look.sizes.small, bold=True))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.text)
        painter.end()

    def _frame(self, painter: QPainter, box: QRect) -> None:
        palette = self._look.palette
        colour = palette.text if self.hasFocus() else palette.quiet
        for ink, width in ((palette.ground, 7), (colour, 3)):
            pen = QPen(QColor(ink), width)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(box.adjusted(-1, -1, 0, 0))

    def _mark_engine(self, painter: QPainter, box: QRect) -> None:
        """Paint the dot that the live map has at the head of its trail."""
        palette = self._look.palette
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(palette.ground), 2))
        painter.setBrush(QColor(palette.text))
        painter.drawEllipse(box.topLeft() + QPoint(11, 11), 5, 5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
