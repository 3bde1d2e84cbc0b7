"""The tables of a virtual tuning session: one at a time, or before, now and true side by side."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.tuning.outcome import Outcome
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.tuning_tables import SIDES, TABLE_VIEWS, TableView, layer_of
from dynoai_desktop.ui.widgets.table_map import TableMap

_BESIDE = ("before", "after", "true")  # of TABLE_VIEWS
_BESIDE_TITLE = "Side by side"


class TuningMaps(QStackedWidget):
    """Draws the outcome it was shown last."""

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__()
        self._outcome: Outcome | None = None
        self._view, self._side = 0, 0
        self.one = TableMap(look)
        self.beside = {view.key: TableMap(look) for view in TABLE_VIEWS if view.key in _BESIDE}
        for table in self.beside.values():
            table.setMinimumSize(160, 150)
        self.addWidget(self.one)
        self.addWidget(self._lay_out())

    def _lay_out(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for view in TABLE_VIEWS:
            if view.key in self.beside:
                part = QVBoxLayout()
                part.setSpacing(4)
                title = QLabel(view.title)
                title.setProperty("role", "heading")
                part.addWidget(title)
                part.addWidget(self.beside[view.key], 1)
                row.addLayout(part, 1)
        return holder

    @property
    def title(self) -> str:
        """Return what is shown."""
        view = self._chosen
        return _BESIDE_TITLE if view is None else view.title

    @property
    def side(self) -> Cylinder:
        """Return whose tables are shown."""
        return SIDES[self._side]

    @property
    def _chosen(self) -> TableView | None:
        return TABLE_VIEWS[self._view] if self._view < len(TABLE_VIEWS) else None

    def next_view(self) -> None:
        """Go on to the next table; the last of them is three side by side."""
        self._view = (self._view + 1) % (len(TABLE_VIEWS) + 1)
        self._draw()

    def next_side(self) -> None:
        """Show the other cylinder group."""
        self._side = (self._side + 1) % len(SIDES)
        self._draw()

    def show_outcome(self, outcome: Outcome) -> None:
        """Draw the tables of a session."""
        self._outcome = outcome
        self._draw()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        for table in (self.one, *self.beside.values()):
            table.set_look(look)

    def _draw(self) -> None:
        outcome, view = self._outcome, self._chosen
        self.setCurrentIndex(view is None)
        if outcome is None:
            return
        if view is not None:
            self.one.show_layer(layer_of(view, outcome, self.side), view.style)
            return
        for row in TABLE_VIEWS:
            if row.key in self.beside:
                self.beside[row.key].show_layer(layer_of(row, outcome, self.side), row.style)
