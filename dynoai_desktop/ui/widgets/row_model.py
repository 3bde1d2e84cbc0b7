"""A table over a tuple of frozen rows that is replaced as a whole, several times a second.

Rows keep their place and their selection while only values change. The order is made when the
user asks for it or when rows come and go, not on every reading, so nothing jumps about under the
eye; and only cells on screen are ever turned into text, so thousands of rows cost little.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.wording import plain

Row = TypeVar("Row")
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: how a row is printed, sorted and tinted in it."""

    title: str
    text: Callable[[Row, Look], str]
    order: Callable[[Row], Any]  # sorts; comparable within the column
    is_number: bool = False  # flush right
    tint: Callable[[Row, Look], str | None] = lambda _row, _look: None
    width: int = 10  # in letters
    stretches: bool = False
    yields: bool = False  # hidden where the stretching columns would become too narrow


def name_column(title: str, name: Callable[[Row], str], **layout: Any) -> Column[Row]:
    """Return a column of names from elsewhere: shown as plain text, sorted as they are."""
    return Column(title, lambda row, _look: plain(name(row)), name, **layout)


class RowModel(QAbstractTableModel, Generic[Row]):
    """Rows, in the order and with the filter that the user chose."""

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], Hashable],
        look: Look,
        parent: QObject | None = None,
    ) -> None:
        """Start empty. *key* tells rows apart for good."""
        super().__init__(parent)
        self.columns = tuple(columns)
        self._key = key
        self._look = look
        self._rows: tuple[Row, ...] = ()
        self._keys: list[Hashable] = []
        self._shown: list[int] = []
        self._needle = ""
        self._sort: tuple[int, Qt.SortOrder] = (-1, Qt.SortOrder.AscendingOrder)

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Replace all rows; where the same rows stand in the same order, nothing moves."""
        keys = [self._key(row) for row in rows]
        if keys == self._keys:
            self._rows = tuple(rows)
            self._touch()
            return
        self.beginResetModel()
        self._rows, self._keys = tuple(rows), keys
        self._arrange()
        self.endResetModel()

    def set_needle(self, text: str) -> None:
        """Show only rows in which some column holds *text*, in any case."""
        self._needle = text.casefold().strip()
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    def set_look(self, look: Look) -> None:
        """Change palette and units."""
        self._look = look
        self._touch()

    def row(self, index: int) -> Row:
        """Return the row shown at *index*."""
        return self._rows[self._shown[index]]

    def key(self, index: int) -> Hashable:
        """Return what tells the row shown at *index* from the others."""
        return self._keys[self._shown[index]]

    def find(self, key: Hashable) -> int | None:
        """Return where the row of *key* is shown, None when it is not."""
        return next((at for at, i in enumerate(self._shown) if self._keys[i] == key), None)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; −1 restores the order in which the rows came."""
        self._sort = (column, order)
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        shown = [i for i, row in enumerate(self._rows) if self._matches(row)]
        column, order = self._sort
        if 0 <= column < len(self.columns):
            rank = self.columns[column].order
            backwards = order is Qt.SortOrder.DescendingOrder
            shown.sort(key=lambda i: rank(self._rows[i]), reverse=backwards)
        self._shown = shown

    def _matches(self, row: Row) -> bool:
        if not self._needle:
            return True
        texts = (column.text(row, self._look) for column in self.columns if not column.is_number)
        return any(self._needle in text.casefold() for text in texts)

    def _touch(self) -> None:
        if self._shown:
            last = self.index(len(self._shown) - 1, len(self.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    # What Qt asks for

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Return the number of rows shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return text, alignment or colour of a cell."""
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(self.row(index.row()), self._look)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column.is_number)
        if role == Qt.ItemDataRole.ForegroundRole:
            colour = column.tint(self.row(index.row()), self._look)
            return QColor(colour) if colour else None
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return title and alignment of a column."""
        if orientation is not Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(self.columns[section].is_number)
        return None


def _alignment(is_number: bool) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if is_number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
