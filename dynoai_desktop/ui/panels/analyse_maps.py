"""The surfaces, one at a time, with the figures under the cursor and a cut through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dynoai_desktop.core.tune.clipboard import Layout
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.analyse_section import Section, sheet_text
from dynoai_desktop.ui.panels.analyse_sheets import groups, payload_sheets
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.card import Card, FactList, plain_label
from dynoai_desktop.ui.widgets.cross_section import CrossSection
from dynoai_desktop.ui.widgets.elided import ElidedLabel
from dynoai_desktop.ui.widgets.surface_map import SurfaceMap
from dynoai_desktop.ui.widgets.surface_sheet import Sheet, cell_facts, place_text

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.payload import Payload

_SIDE_PX, _LEAST_SIDE_PX = 400, 270


class SheetView(QWidget):
    """A map with its title, and beside it the figures under the cursor."""

    def __init__(self, look: Look) -> None:
        """Start without sheets."""
        super().__init__()
        self.look = look
        self._groups: list[list[Sheet]] = []
        self._group = 0
        self._cylinder = ""
        self.title = plain_label("title", wraps=False)
        self.about = ElidedLabel("small", "What the map shows")
        self.map = SurfaceMap(look)
        self.map.cursor_moved.connect(self._show_cursor)
        self.cut = CrossSection(look)
        self.place = plain_label("heading")
        self.facts = FactList("Figures under the cursor")
        self.side = Card("")
        self.side.add(self.place, self.facts)
        self.setFocusProxy(self.map)
        heads = QHBoxLayout()
        heads.addWidget(self.title)
        heads.addWidget(self.about, 1)
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addLayout(heads)
        left.addWidget(self.map, 3)
        left.addWidget(self.cut, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addLayout(left, 1)
        row.addWidget(self.side)
        self.set_look(look)

    @property
    def sheet(self) -> Sheet | None:
        """Return the map in front."""
        if not self._groups:
            return None
        group = self._groups[self._group]
        return next((s for s in group if s.cylinder == self._cylinder), group[0])

    @property
    def has_other_cylinder(self) -> bool:
        """Return whether the map in front is there for another cylinder too."""
        return bool(self._groups) and len(self._groups[self._group]) > 1

    @property
    def places(self) -> tuple[int, int]:
        """Return the number of the map in front, from 1, and how many there are."""
        return self._group + 1, len(self._groups)

    def show_sheets(self, sheets: Sequence[Sheet]) -> None:
        """Show other sheets; the kind of map in front stays in front where there is one."""
        before = self.sheet
        self._groups = groups(sheets)
        keys = [group[0].key for group in self._groups]
        self._group = keys.index(before.key) if before and before.key in keys else 0
        self._show()

    def next_map(self) -> None:
        """Turn to the next map."""
        if self._groups:
            self._group = (self._group + 1) % len(self._groups)
            self._show()

    def next_cylinder(self) -> None:
        """Turn to the other cylinder."""
        sheet = self.sheet
        if sheet is None:
            return
        names = [s.cylinder for s in self._groups[self._group]]
        self._cylinder = names[(names.index(sheet.cylinder) + 1) % len(names)]
        self._show()

    def look_at(self, cylinder: str, cell: tuple[int, int]) -> None:
        """Put the cursor on a cell of a cylinder."""
        self._cylinder = cylinder
        self._show()
        self.map.look_at(cell)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self.look = look
        self.side.setFixedWidth(max(_LEAST_SIDE_PX, round(_SIDE_PX * look.scale)))
        self.map.set_look(look)
        self.cut.set_look(look)
        self._show_cursor()

    def act(self, action: str) -> bool:
        """Carry out the keys of a map."""
        if action == "next_surface":
            self.next_map()
        elif action == "next_cylinder":
            self.next_cylinder()
        elif action == "turn_cut":
            self.cut.turn()
        elif action == "whole_table":
            self.map.set_whole(not self.map.whole)
        else:
            return False
        return True

    def copy_text(self, layout: Layout) -> str:
        """Return the map in front as text."""
        sheet = self.sheet
        return "" if sheet is None else sheet_text(sheet, self.look, layout)

    def _show(self) -> None:
        sheet = self.sheet
        self.title.setText("" if sheet is None else sheet.title)
        self.about.setText("" if sheet is None else sheet.about)
        self.map.show_sheet(sheet)

    def _show_cursor(self) -> None:
        sheet, cell = self.map.sheet, self.map.at
        self.cut.show_cut(sheet, cell)
        if sheet is None:
            self.place.setText("")
            self.facts.show_lines(())
        else:
            self.place.setText(place_text(sheet, cell, self.look))
            self.facts.show_lines(cell_facts(sheet, cell, self.look))


class MapsSection(Section):
    """The surfaces of the log."""

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__(look)
        self.view = SheetView(look)
        self.next_button = glove_button("Next map", "M", lambda: self.act("next_surface"))
        self.cylinder_button = glove_button(
            "Other cylinder", "C", lambda: self.act("next_cylinder")
        )
        self.turn_button = glove_button("Cut the other way", "D", lambda: self.act("turn_cut"))
        self.whole_button = glove_button("Whole table", "W", lambda: self.act("whole_table"))
        self.view.side.close_up()
        buttons = (self.next_button, self.cylinder_button, self.turn_button, self.whole_button)
        for button in buttons:
            button.setProperty("role", "compact")
        self.view.side.add(*buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self.setFocusProxy(self.view)

    def show_payload(self, payload: Payload) -> None:
        """Draw the surfaces of another analysis."""
        self.view.show_sheets(payload_sheets(payload))
        self._name_buttons()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.view.set_look(look)

    def act(self, action: str) -> bool:
        """Carry out the keys of a map."""
        done = self.view.act(action)
        self._name_buttons()
        return done

    def copy_text(self, layout: Layout) -> str:
        """Return the map in front as text."""
        return self.view.copy_text(layout)

    def _name_buttons(self) -> None:
        at, of = self.view.places
        name_button(self.next_button, f"Next map ({at} of {of})", "M")
        self.cylinder_button.setEnabled(self.view.has_other_cylinder)
        whole = "Where the data are" if self.view.map.whole else "Whole table"
        name_button(self.whole_button, whole, "W")
