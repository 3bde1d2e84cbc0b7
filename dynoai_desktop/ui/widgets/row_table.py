"""The view of a RowModel: plain rows of fixed height, chosen as a whole."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import font
from dynoai_desktop.ui.trends import Trace
from dynoai_desktop.ui.widgets.cell_delegates import BarDelegate, TrendDelegate
from dynoai_desktop.ui.widgets.row_model import Column, RowModel

TREND = "Last 30 s"
_LEAST_LETTERS = 18  # of a stretching column


class RowTable(QTableView):
    """Keeps the chosen row and the scroll position whatever happens to the rows."""

    chosen = Signal()  # Enter or a double click on the selected row

    def __init__(self, model: RowModel[Any], name: str, row_px: int, look: Look) -> None:
        """Show *model*. Rows are at least *row_px* high."""
        super().__init__()
        self._rows = model
        self._row_px, self._look = row_px, look
        self._kept: tuple[Hashable | None, int] = (None, 0)
        self._drawn: list[TrendDelegate | BarDelegate] = []
        model.modelAboutToBeReset.connect(self._keep)
        self.setModel(model)
        model.modelReset.connect(self._restore)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(30)
        for i, column in enumerate(model.columns):
            if column.stretches:
                header.setSectionResizeMode(i, QHeaderView.ResizeMode.Stretch)
        self.doubleClicked.connect(self._choose)
        self.set_look(look)

    def allow_sorting(self) -> None:
        """Sort by a click on a column; a third click restores the first order."""
        header = self.horizontalHeader()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        self.setSortingEnabled(True)

    def draw_trends(self, trace: Callable[[Any], tuple[Trace, Unit] | None]) -> None:
        """Draw a curve in the column titled TREND; *trace* returns it for a row."""
        self._draw(TREND, TrendDelegate(self._rows, trace, self._look))

    def draw_bars(self, title: str, share: Callable[[Any, Look], tuple[float, str] | None]) -> None:
        """Draw a bar under the text of a column; *share* returns length and colour for a row."""
        self._draw(title, BarDelegate(self._rows, share, self._look))

    def _draw(self, title: str, delegate: TrendDelegate | BarDelegate) -> None:
        titles = [column.title for column in self._rows.columns]
        self.setItemDelegateForColumn(titles.index(title), delegate)
        self._drawn.append(delegate)

    @property
    def sorting(self) -> tuple[int, int]:
        """Return the column sorted by, −1 for none, and the direction."""
        header = self.horizontalHeader()
        return header.sortIndicatorSection(), header.sortIndicatorOrder().value

    def restore_sorting(self, column: int, order: int) -> None:
        """Sort as the user left it; nonsense is ignored."""
        if 0 <= column < len(self._rows.columns) and order in (0, 1):
            self.sortByColumn(column, Qt.SortOrder(order))

    def selected(self) -> Any | None:
        """Return the chosen row, None when there is none."""
        index = self.currentIndex()
        return self._rows.row(index.row()) if index.isValid() else None

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        for delegate in self._drawn:
            delegate.look = look
        face = font(look.sizes.small)
        metrics = QFontMetrics(face)
        self.verticalHeader().setDefaultSectionSize(
            max(self._row_px, round(metrics.height() * 1.5))
        )
        self._letter_px = metrics.averageCharWidth()
        for i, column in enumerate(self._rows.columns):
            if not column.stretches:
                self.setColumnWidth(i, self._width_px(column))
        self._make_room()
        self._rows.set_look(look)

    def _width_px(self, column: Column[Any]) -> int:
        letters = _LEAST_LETTERS if column.stretches else column.width
        return self._letter_px * letters + 20

    def _make_room(self) -> None:
        """Hide columns that yield, the last first, until the stretching ones can be read."""
        columns = self._rows.columns
        missing_px = sum(map(self._width_px, columns)) - self.viewport().width()
        for i in reversed(range(len(columns))):
            if columns[i].yields:
                self.setColumnHidden(i, missing_px > 0)
                missing_px -= self._width_px(columns[i]) if missing_px > 0 else 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep names legible."""
        super().resizeEvent(event)
        self._make_room()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose the row on Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.selected() is not None:
            self.chosen.emit()
        else:
            super().keyPressEvent(event)

    def _choose(self) -> None:
        self.chosen.emit()

    def _keep(self) -> None:
        index = self.currentIndex()
        key = self._rows.key(index.row()) if index.isValid() else None
        self._kept = (key, self.verticalScrollBar().value())

    def _restore(self) -> None:
        key, scrolled = self._kept
        at = self._rows.find(key) if key is not None else None
        if at is not None:
            choose = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(
                self._rows.index(at, 0), choose | QItemSelectionModel.SelectionFlag.Rows
            )
        self.executeDelayedItemsLayout()
        self.verticalScrollBar().setValue(scrolled)
