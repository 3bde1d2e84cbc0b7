"""A vehicle or a tune of one's own for the simulator: a form, checked as a whole, kept in a file.

Whatever cannot be is refused with the field's name, and the field gets the focus.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.rig_fields import (
    REGION_FIELDS,
    TUNE_FIELDS,
    VEHICLE_FIELDS,
    Field,
    Fields,
    put,
)
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.stepper import Stepper

_COLUMNS = 3
_NEW_REGION = {"error": -0.08, "rpm_low": 2000, "rpm_high": 3500, "map_low_kpa": 40,
               "map_high_kpa": 80, "cylinder": "both"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Start:
    """Something to start the form from; *assumed* are the fields that nobody has stated."""

    key: str
    title: str
    load: Callable[[], tuple[Fields, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Document:
    """What the form makes: a vehicle or a tune."""

    noun: str
    fields: tuple[Field, ...]
    check: Callable[[str], None]  # the whole document; raises ValueError with `field`
    has_regions: bool = False


def _check_vehicle(text: str) -> None:
    from dynoai_desktop.core.simulator.calibration import calibrate
    from dynoai_desktop.core.simulator.profile_json import profile_from_json

    calibrate(profile_from_json(text))


def _check_tune(text: str) -> None:
    from dynoai_desktop.core.simulator.scenario_json import scenario_from_json

    scenario_from_json(text)


VEHICLE = Document("vehicle", VEHICLE_FIELDS, _check_vehicle)
TUNE = Document("tune", TUNE_FIELDS, _check_tune, has_regions=True)


class _TypedTable(QTableWidget):
    """A table in which a letter or a digit is typed, whatever it means to the page."""

    def event(self, event: QEvent) -> bool:
        """Keep what can be typed from the keys of the window."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() in (
                Qt.KeyboardModifier.NoModifier,
                Qt.KeyboardModifier.ShiftModifier,
                Qt.KeyboardModifier.KeypadModifier,
            )
            if plain and event.text().isprintable() and event.text():
                event.accept()
                return True
        return super().event(event)


class RigEditor(QWidget):
    """One form for both documents."""

    saved = Signal(object, object)  # Document, Path
    cancelled = Signal()

    def __init__(self, look: Look) -> None:
        """Start with nothing to edit."""
        super().__init__()
        self._look = look
        self.document = VEHICLE
        self._fields: Fields = {}
        self._assumed: frozenset[str] = frozenset()
        self._starts: dict[str, Start] = {}
        self.title = ElidedLabel("title", "What is edited")
        self.detail = ElidedLabel("", "What is wrong")
        self.start = Stepper("Start from")
        self.start.changed.connect(self._begin_with)
        self.inputs: dict[str, QLineEdit] = {}
        self._labels: dict[str, QLabel] = {}
        self.regions = _TypedTable(0, len(REGION_FIELDS))
        self.regions.setHorizontalHeaderLabels([f.label(look.display) for f in REGION_FIELDS])
        self.regions.setAccessibleName("Parts of the table that are wrong")
        self.regions.horizontalHeader().setStretchLastSection(True)
        self.regions.verticalHeader().setVisible(False)
        self.add = glove_button("Add a part", "", self._add_region)
        self.remove = glove_button("Remove it", "", self._remove_region)
        self.save = glove_button("Save and use", "Ctrl+S", self.ask_and_save)
        self.cancel = glove_button("Cancel", "Esc", self.cancelled.emit)
        self._form = QScrollArea()
        self._form.setWidgetResizable(True)
        self._form.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lay_out()

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.title)
        words.addWidget(self.detail)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addLayout(words, 3)
        top.addWidget(self.start, 2)
        ends = QHBoxLayout()
        ends.setSpacing(6)
        for button in (self.cancel, self.add, self.remove, self.save):
            ends.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(top)
        column.addWidget(self._form, 3)
        column.addWidget(self.regions, 2)
        column.addLayout(ends)

    def edit(self, document: Document, starts: Sequence[Start], chosen: str) -> None:
        """Show the form of a document, filled from one of *starts*."""
        self.document = document
        self._starts = {start.key: start for start in starts}
        self.title.setText(f"A {document.noun} of your own")
        for widget in (self.regions, self.add, self.remove):
            widget.setVisible(document.has_regions)
        self.start.show_rows([(start.key, f"From: {start.title}") for start in starts])
        self.start.choose(chosen)
        self._lay_out_form()
        self._begin_with(self.start.key)

    def _lay_out_form(self) -> None:
        holder = QWidget()
        holder.setProperty("role", "ground")
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 6, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        self.inputs, self._labels = {}, {}
        rows = -(-len(self.document.fields) // _COLUMNS)
        for at, field in enumerate(self.document.fields):
            label, line = QLabel(), QLineEdit()
            line.setMinimumWidth(90)
            grid.addWidget(label, at % rows, 2 * (at // rows))
            grid.addWidget(line, at % rows, 2 * (at // rows) + 1)
            self.inputs[field.path], self._labels[field.path] = line, label
        for column in range(_COLUMNS):
            grid.setColumnStretch(2 * column + 1, 1)
        grid.setRowStretch(rows, 1)
        self._form.setWidget(holder)

    def _begin_with(self, key: str) -> None:
        try:
            fields, self._assumed = self._starts[key].load()
        except (OSError, ValueError) as error:
            self._complain(str(error))
            return
        self._fields = copy.deepcopy(fields)
        self._show_fields()
        first = next(iter(self.inputs.values()))
        first.setFocus()

    def _show_fields(self) -> None:
        display = self._look.display
        for field in self.document.fields:
            assumed = field.path.partition(".")[0] in self._assumed
            label = field.label(display)
            self._labels[field.path].setText(f"~ {label}" if assumed else label)
            self.inputs[field.path].setText(field.text(self._fields, display))
            self.inputs[field.path].setAccessibleName(label)
            self.inputs[field.path].home(False)
        self.regions.setRowCount(0)
        for region in self._fields.get("regions", ()):
            self._show_region(region)
        self.detail.setText(
            "~ is not stated about your vehicle: taken over in proportion from one like it."
            if self._assumed
            else "What is left as it is stays as it is. Nothing starts before all of it fits."
        )
        set_state(self.detail, "attention" if self._assumed else "")

    def _show_region(self, region: Fields) -> None:
        row = self.regions.rowCount()
        self.regions.insertRow(row)
        for column, field in enumerate(REGION_FIELDS):
            text = field.text(region, self._look.display)
            self.regions.setItem(row, column, QTableWidgetItem(text))

    def _add_region(self) -> None:
        self._show_region(_NEW_REGION)
        self.regions.setCurrentCell(self.regions.rowCount() - 1, 0)
        self.regions.setFocus()

    def _remove_region(self) -> None:
        self.regions.removeRow(self.regions.currentRow())

    def set_look(self, look: Look) -> None:
        """Change units; what was typed means the same, and what makes no sense is put back."""
        before, self._look = self._look, look
        if not self.inputs:
            return
        with contextlib.suppress(ValueError):  # it would have been refused anyway
            self._fields = self._typed(before)
        self._show_fields()

    def text(self) -> str:
        """Return the document. Raises ValueError naming the field that is wrong."""
        fields = self._typed(self._look)
        text = json.dumps(fields, indent=2)
        try:
            self.document.check(text)
        except ValueError as error:
            name = getattr(error, "field", "")
            raise ValueError(self._named(name, str(error).removeprefix(f"{name}: "))) from error
        return text

    def _typed(self, look: Look) -> Fields:
        fields = copy.deepcopy(self._fields)
        for field in self.document.fields:
            put(fields, field.path, self._read(field, self.inputs[field.path].text(), look))
        if self.document.has_regions:
            rows = range(self.regions.rowCount())
            fields["regions"] = [self._region(row, look) for row in rows]
        return fields

    def _region(self, row: int, look: Look) -> Fields:
        cells = [self.regions.item(row, column) for column in range(len(REGION_FIELDS))]
        texts = ["" if cell is None else cell.text() for cell in cells]
        return {
            field.path: self._read(field, text, look, f"Part {row + 1}, ")
            for field, text in zip(REGION_FIELDS, texts, strict=True)
        }

    def _read(self, field: Field, text: str, look: Look, where: str = "") -> object:
        try:
            return field.value(text, look.display)
        except ValueError as error:
            raise ValueError(f"{where}{self._named(field.path, str(error))}") from error

    def _named(self, path: str, reason: str) -> str:
        """Return a reason under the field's title, and put the focus there."""
        fields = self.document.fields
        known = [f for f in fields if path in (f.path, f.path.rpartition(".")[2])]
        known += [f for f in REGION_FIELDS if self.document.has_regions and f.path == path]
        if not known:
            return f"{path}: {reason}" if path else reason
        if known[0].path in self.inputs:
            self.inputs[known[0].path].setFocus()
        at = fields.index(known[0]) if known[0] in fields else 0
        title = known[0].title
        return (
            f"{fields[at - 1].title} {title}: {reason}" if title == "at" else f"{title}: {reason}"
        )

    def ask_and_save(self) -> None:
        """Ask where to keep the document, and use it."""
        self.save.setFocus()  # what is being typed in a cell counts
        try:
            text = self.text()
        except ValueError as error:
            self._complain(str(error))
            return
        name, _ = QFileDialog.getSaveFileName(
            self, f"Keep the {self.document.noun}", f"{self.document.noun}.json", "JSON (*.json)"
        )
        if name:
            self.keep(Path(name).with_suffix(".json"), text)

    def keep(self, path: Path, text: str) -> None:
        """Write the document and report it."""
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self._complain(f"Cannot write {path.name}: {error.strerror}. Choose another folder.")
            return
        self.saved.emit(self.document, path)

    def _complain(self, words: str) -> None:
        self.detail.setText(words)
        set_state(self.detail, "danger")
