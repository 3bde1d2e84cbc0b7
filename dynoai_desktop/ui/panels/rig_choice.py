"""Which simulated vehicle with which tune, for the two pages that rehearse."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QWidget

from dynoai_desktop.core.simulator.json_fields import text_of
from dynoai_desktop.ui.panels.rig_editor import TUNE, VEHICLE, Document
from dynoai_desktop.ui.preferences import load_text
from dynoai_desktop.ui.rehearsal import Choice, SimulatorPlan
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.stepper import Stepper

LARGEST_SEED = 2**31 - 1
FILE = "file"  # key of the choice that stands for one of one's own
_VEHICLE_ONLY = {"bore_mm", "displacement_cc", "cylinders"}  # fields no tune has


class RigChoice(QWidget):
    """Two steppers, each with the table's rows and perhaps a file of one's own."""

    refused = Signal(str)  # why a file cannot be used
    edit_wanted = Signal(object)  # Document

    def __init__(self, editable: bool = True) -> None:
        """Start without choices. Without *editable* there is no way to the form."""
        super().__init__()
        self.vehicle, self.scenario = Stepper("Vehicle"), Stepper("Tune")
        self._steppers = {VEHICLE: self.vehicle, TUNE: self.scenario}
        self._offered: dict[Document, tuple[Choice, ...]] = {VEHICLE: (), TUNE: ()}
        self.files: dict[Document, Path | None] = {VEHICLE: None, TUNE: None}
        self._wanted: dict[Document, str] = {
            VEHICLE: SimulatorPlan().profile,
            TUNE: SimulatorPlan().scenario,
        }
        self.file = glove_button("From a file", "Ctrl+O", self.choose_file)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        for row, stepper in enumerate(self._steppers.values()):
            grid.addWidget(stepper, row, 0, 1, 2)
        edits = (("Edit vehicle", "O", VEHICLE), ("Edit tune", "U", TUNE)) if editable else ()
        for column, (word, key, document) in enumerate(edits):
            wish = partial(self.edit_wanted.emit, document)
            grid.addWidget(glove_button(word, key, wish), 2, column)
        grid.addWidget(self.file, 3, 0, 1, 2)

    def show_choices(self, vehicles: tuple[Choice, ...], tunes: tuple[Choice, ...]) -> None:
        """Offer what there is."""
        for document, rows in ((VEHICLE, vehicles), (TUNE, tunes)):
            if rows != self._offered[document]:
                self._offered[document] = rows
                self._offer(document)
                self._steppers[document].choose(self._wanted[document])

    def _offer(self, document: Document) -> None:
        path = self.files[document]
        own = () if path is None else (Choice(FILE, path.name),)
        self._steppers[document].show_rows((*self._offered[document], *own))

    def choose(self, profile: str, scenario: str) -> None:
        """Choose rows of the tables, now or when they are offered."""
        self._wanted = {VEHICLE: profile, TUNE: scenario}
        self.vehicle.choose(profile)
        self.scenario.choose(scenario)

    def chosen(self, document: Document) -> tuple[str, Path | None]:
        """Return the chosen key and the file that stands in for it."""
        key = self._steppers[document].key
        if key == FILE:
            return getattr(SimulatorPlan(), _FIELD[document]), self.files[document]
        return key, None

    def choose_file(self) -> None:
        """Ask for a vehicle or a tune of one's own."""
        name, _ = QFileDialog.getOpenFileName(
            self, "A vehicle or a tune for the simulator", "", "Vehicles and tunes (*.json)"
        )
        if name:
            self.use_file(Path(name))

    def use_file(self, path: Path) -> None:
        """Choose what a file describes, or say what is wrong with it."""
        try:
            text = read_text(path)
            document = _kind_of(text)
            document.check(text)
        except ValueError as error:
            self.refused.emit(f"{path.name} cannot be used. {error}")
            return
        self.use(document, path)

    def use(self, document: Document, path: Path) -> None:
        """Choose a file that has been checked."""
        self.refused.emit("")
        self.files[document] = path
        self._offer(document)
        self._steppers[document].choose(FILE)

    def save_state(self, store: QSettings, page: str) -> None:
        """Remember what is chosen."""
        for document, stepper in self._steppers.items():
            if stepper.key:
                path = self.files[document] if stepper.key == FILE else None
                store.setValue(f"{page}/{document.noun}", stepper.key)
                store.setValue(f"{page}/{document.noun}_file", "" if path is None else str(path))

    def restore_state(self, store: QSettings, page: str) -> None:
        """Take the stored choice back; a file that has gone is not missed."""
        usual = SimulatorPlan()
        words = {d: load_text(store, f"{page}/{d.noun}") for d in self._steppers}
        self.choose(words[VEHICLE] or usual.profile, words[TUNE] or usual.scenario)
        for document, word in words.items():
            path = load_text(store, f"{page}/{document.noun}_file")
            if word == FILE and path and Path(path).is_file():
                self.files[document] = Path(path)
                self._offer(document)
                self._steppers[document].choose(FILE)


_FIELD = {VEHICLE: "profile", TUNE: "scenario"}


def read_text(path: Path) -> str:
    """Return the text of a document. Raises ValueError with one sentence."""
    try:
        return text_of(path)
    except ValueError as error:
        raise ValueError(f"It {error}.") from error


def _kind_of(text: str) -> Document:
    try:
        stated = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("It is not JSON.") from error
    return VEHICLE if isinstance(stated, dict) and _VEHICLE_ONLY & set(stated) else TUNE
