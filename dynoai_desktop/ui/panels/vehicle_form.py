"""The facts of one vehicle, to be read or typed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from dynoai_desktop.core.store.vehicles import (
    LONGEST_NAME,
    LONGEST_NOTE,
    NO_VEHICLE,
    TITLES,
    VehicleRecord,
)
from dynoai_desktop.core.units import STOICH_AFR
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.vehicle_entries import ENTRIES, LEFT, NOTE, RIGHT, Entry
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.stepper import Stepper

_LONGEST = {"name": LONGEST_NAME, "note": LONGEST_NOTE}
_LONGEST_OTHER = 400  # characters; a path or a table of dead times


class VehicleForm(QWidget):
    """Two columns of fields; holds what is typed until somebody asks for the record."""

    def __init__(self, look: Look) -> None:
        """Start empty, to be read only."""
        super().__init__()
        self._look = look
        self._record = NO_VEHICLE
        self.fields = {entry.key: _field(entry) for entry in ENTRIES}
        self.labels = {key: ElidedLabel("small", "") for key in (*self.fields, "fuel")}
        self.fuel = Stepper(TITLES["fuel"])
        self.fuel.show_rows([(name, f"{name}  {afr:g}") for name, afr in STOICH_AFR.items()])
        self._lay_out()
        self.set_editable(False)
        self.show_record(NO_VEHICLE)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(8)
        left: list[tuple[str, QWidget]] = [(e.key, self.fields[e.key]) for e in LEFT]
        left.append(("fuel", self.fuel))
        right: list[tuple[str, QWidget]] = [(e.key, self.fields[e.key]) for e in (*RIGHT, NOTE)]
        for column, cells in enumerate((left, right)):
            self._fill(grid, column, cells)
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        order = [widget for _, widget in (*left, *right)]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _fill(self, grid: QGridLayout, column: int, cells: Sequence[tuple[str, QWidget]]) -> None:
        for row, (key, widget) in enumerate(cells):
            cell = QVBoxLayout()
            cell.setSpacing(2)
            cell.addWidget(self.labels[key])
            cell.addWidget(widget)
            cell.addStretch(1)
            grid.addLayout(cell, row, column)

    def show_record(self, record: VehicleRecord) -> None:
        """Show what *record* states."""
        self._record = record
        for entry in ENTRIES:
            field = self.fields[entry.key]
            field.setText(entry.text(record, self._look.display))
            field.setCursorPosition(0)
        self.fuel.choose(record.fuel)
        self.show_error("", "")

    def record(self) -> VehicleRecord:
        """Return what is typed. Raises VehicleError naming the first field that is wrong."""
        display = self._look.display
        facts: dict[str, Any] = {
            entry.key: entry.value(self.fields[entry.key].text(), self._record, display)
            for entry in ENTRIES
        }
        return VehicleRecord(fuel=self.fuel.key, **facts)

    def show_error(self, key: str, message: str) -> None:
        """Say over a field what is wrong with it, and go there; "" takes every error away."""
        for entry in ENTRIES:
            self.labels[entry.key].setText(entry.label(self._look.display))
        self.labels["fuel"].setText(f"{TITLES['fuel']}, with its stoichiometric AFR")
        for name, label in self.labels.items():
            set_state(label, "danger" if name == key else "")
            widget = self.fields.get(name)
            if widget is not None:
                set_state(widget, "danger" if name == key else "")
                widget.setAccessibleName(self.labels[name].text())
                widget.setAccessibleDescription(message if name == key else "")
        if key in self.labels:
            self.labels[key].setText(f"! {TITLES[key]}: {message}")
            target = self.fields.get(key, self.fuel)
            target.setFocus()

    def set_editable(self, on: bool) -> None:
        """Let the facts be typed, or be read only."""
        self.setEnabled(on)

    def set_look(self, look: Look) -> None:
        """Change units; what was typed means the same afterwards."""
        before, self._look = self._look, look
        for entry in ENTRIES:
            field = self.fields[entry.key]
            if before.display.unit(entry.unit) is not look.display.unit(entry.unit):
                field.setText(_converted(entry, field.text(), self._record, before, look))
        self.show_error("", "")


def _field(entry: Entry) -> QLineEdit:
    field = QLineEdit()
    field.setMaxLength(_LONGEST.get(entry.key, _LONGEST_OTHER))
    field.setPlaceholderText(entry.hint)
    field.setMinimumWidth(80)
    return field


def _converted(entry: Entry, text: str, record: VehicleRecord, before: Look, now: Look) -> str:
    """Return what was typed in the units before in those of now; what is no figure stays."""
    try:
        value = entry.value(text, record, before.display)
    except ValueError:
        return text
    return "" if value is None else entry.write(value, now.display)
