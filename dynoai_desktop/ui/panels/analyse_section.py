"""What every section of the analysis page is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.tune.clipboard import Layout, to_text
from dynoai_desktop.core.tune.guard import guarded
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.widgets.row_model import RowModel
from dynoai_desktop.ui.widgets.surface_sheet import Sheet, shown
from dynoai_desktop.ui.wording import GROUP, MINUS

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.payload import Payload


_COPY_DECIMALS = 4


class Section(QWidget):
    """One part of the page; it draws what it is shown and carries out keys."""

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__()
        self.look = look

    def show_payload(self, payload: Payload) -> None:
        """Draw another analysis."""

    def show_frame(self, state: FrameState) -> None:
        """Follow what else the window knows."""

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self.look = look

    def act(self, action: str) -> bool:
        """Carry out the action of a key; return False when it means nothing here."""
        return False

    def copy_text(self, layout: Layout) -> str:
        """Return what is shown as text, tables with or without their labels; "" for nothing."""
        return ""


def sheet_text(sheet: Sheet, look: Look, layout: Layout) -> str:
    """Return a map as tab-separated text, NaN as an empty cell.

    Values are in the units of the screen; axes stay in those of the table, to be pasted there.
    """
    if sheet.copied is not None:
        sheet = replace(sheet, values=sheet.copied)
    grid = CellGrid(sheet.rpm, sheet.load, shown(sheet, look).values)
    return to_text(grid, layout, decimals=_COPY_DECIMALS)


def rows_text(model: RowModel[Any], look: Look, titles: bool) -> str:
    """Return a list as tab-separated text that no spreadsheet takes for formulas."""
    lines = [[column.title for column in model.columns]] if titles else []
    for k in range(model.rowCount()):
        row = model.row(k)
        lines.append([column.text(row, look) for column in model.columns])
    return tsv(lines)


def tsv(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells as text; numbers as a spreadsheet reads them, the rest guarded.

    >>> tsv([["lean", "−3.2", "=1+1"]])
    "lean\\t-3.2\\t'=1+1\\n"
    """
    return "".join("\t".join(_cell(text) for text in line) + "\n" for line in lines)


def _cell(text: str) -> str:
    number = text.replace(MINUS, "-").replace(GROUP, "")
    try:
        float(number)
    except ValueError:
        return guarded(" ".join(text.split()))
    return number
