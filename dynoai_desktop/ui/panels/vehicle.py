"""Vehicles: which one is on the dyno, and what is stated about each."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dynoai_desktop.core.store.vehicles import NO_VEHICLE, VehicleError, VehicleRecord
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState, VehiclesState
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.vehicle_form import VehicleForm
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.card import plain_label
from dynoai_desktop.ui.widgets.elided import set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.row_model import Column, RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.wording import ABSENT, plain

_ROW_PX = 64
_RECORDING = "A session is being recorded. Stop it before the vehicle is changed."
_NOTE = (
    "Sessions, mappings, targets, limits, plan and tune history belong to the vehicle in use. "
    "What you leave empty is taken as not known, and nothing is assumed for it."
)


def engine_words(record: VehicleRecord) -> str:
    """Return the engine in a few words.

    >>> engine_words(VehicleRecord("Twin", displacement_cc=1868.0, cylinders=2, boost_kpa=60.0))
    '1868 cc, 2 cyl, boost'
    """
    parts = []
    if record.displacement_cc is not None:
        parts.append(f"{record.displacement_cc:.0f} cc")
    if record.cylinders is not None:
        parts.append(f"{record.cylinders} cyl")
    if record.boost_kpa:
        parts.append("boost")
    return ", ".join(parts) or ABSENT


class VehiclePanel(Panel):
    """Lists the tuner's vehicles beside what is stated about the selected one."""

    vehicle_chosen = Signal(str)  # name
    vehicle_saved = Signal(object, str)  # VehicleRecord; name of the one it replaces

    def __init__(self, look: Look) -> None:
        """Start with an empty list."""
        super().__init__(look, "Vehicle")
        self._state = VehiclesState()
        self._recording = False
        self._replaces: str | None = None  # name of the one being changed, "" for a new one
        self._seen = False
        self.rows: RowModel[VehicleRecord] = RowModel(self._columns(), lambda r: r.name, look, self)
        self.table = RowTable(self.rows, "Vehicles", _ROW_PX, look)
        self.table.chosen.connect(self._choose)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_selected())
        self.form = VehicleForm(look)
        self.title, self.in_use = plain_label("title"), plain_label("")
        self.message = plain_label("")
        self.use = glove_button("Use", "Enter", self._choose)
        self.edit = glove_button("Change", "E", self._begin_change)
        self.new = glove_button("New", "N", self._begin_new)
        self.save = glove_button("Save", "Ctrl+S", self._save)
        self.discard = glove_button("Discard", "Esc", self._leave)
        self.tune = glove_button("Tune file", "Ctrl+O", self._ask_for_tune)
        self.empty = EmptyNote()
        self.empty.pressed.connect(self._begin_new)
        self.empty.say("No vehicle yet", _NOTE, "New vehicle  [N]")
        self._lay_out()
        self.setFocusProxy(self.table)
        self._show()

    def _columns(self) -> tuple[Column[VehicleRecord], ...]:
        return (
            Column("Vehicle", lambda r, _: plain(r.name), lambda r: r.name, stretches=True),
            Column("Engine", lambda r, _: engine_words(r), engine_words, width=17, yields=True),
            Column(
                "",
                lambda r, _: "● in use" if r.name == self._state.record.name else "",
                lambda r: r.name == self._state.record.name,
                width=7,
            ),
        )

    def _lay_out(self) -> None:
        note = plain_label("small")
        note.setText(_NOTE)
        left, right = QVBoxLayout(), QVBoxLayout()
        for widget in (self.title, self.in_use, note):
            left.addWidget(widget)
        left.addWidget(self.table, 1)
        right.addWidget(self.form, 1)
        right.addWidget(self.message)
        buttons = QHBoxLayout()
        for button in (self.use, self.edit, self.new, self.save, self.discard, self.tune):
            buttons.addWidget(button, 1)
        right.addLayout(buttons)
        work = QWidget()
        row = QHBoxLayout(work)
        row.setContentsMargins(12, 12, 12, 12)
        row.setSpacing(16)
        for column, share in ((left, 2), (right, 3)):
            column.setSpacing(8)
            row.addLayout(column, share)
        self.stack = QStackedWidget()
        self.stack.addWidget(work)
        self.stack.addWidget(self.empty)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.stack)

    @property
    def is_editing(self) -> bool:
        """Return whether something is being typed."""
        return self._replaces is not None

    def show_state(self, state: FrameState) -> None:
        """Follow the vehicles, and what became of the last wish."""
        before, self._state = self._state, state.vehicles
        was_recording, self._recording = self._recording, state.recording.active
        if self._state == before and self._recording == was_recording and self._seen:
            return
        if self._state.saved != before.saved:
            self._replaces = None
            self.table.setEnabled(True)
        self._show(follow_use=not self._seen or self._state.record != before.record)
        self._seen = True

    def _show(self, follow_use: bool = False) -> None:
        self.rows.set_rows(self._state.rows)
        names = [record.name for record in self._state.rows]
        if follow_use and not self.is_editing and self._state.record.name in names:
            self.table.selectRow(names.index(self._state.record.name))
        elif self.table.selected() is None and names:
            self.table.selectRow(0)
        self.stack.setCurrentIndex(0 if names or self.is_editing else 1)
        self.title.setText("Vehicles")
        self.in_use.setText(_in_use_words(self._state))
        self._say(_RECORDING if self._recording else self._state.message, self._state.failed)
        self._show_buttons()
        self._show_selected()

    def _show_buttons(self) -> None:
        editing, free = self.is_editing, not self._recording
        for button in (self.use, self.edit, self.new):
            button.setVisible(not editing)
            button.setEnabled(free and (button is self.new or self.table.selected() is not None))
        for button in (self.save, self.discard, self.tune):
            button.setVisible(editing)
        self.save.setEnabled(free)
        self.table.setEnabled(not editing)
        self.form.set_editable(editing)

    def _show_selected(self) -> None:
        if not self.is_editing:
            self.form.show_record(self.table.selected() or NO_VEHICLE)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.table.set_look(look)
        self.form.set_look(look)
        self._show_selected()

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if action == "back" and self.is_editing:
            self._leave()
        elif action == "edit_vehicle" and not self.is_editing:
            self._begin_change()
        elif action == "new_vehicle" and not self.is_editing:
            self._begin_new()
        elif action == "save_vehicle" and self.is_editing:
            self._save()
        elif action == "vehicle_tune" and self.is_editing:
            self._ask_for_tune()
        else:
            return False
        return True

    def _choose(self) -> None:
        record = self.table.selected()
        if record is not None and not self.is_editing:
            self.vehicle_chosen.emit(record.name)

    def _begin_change(self) -> None:
        record = self.table.selected()
        if record is not None:
            self._begin(record, record.name)

    def _begin_new(self) -> None:
        self._begin(NO_VEHICLE, "")

    def _begin(self, record: VehicleRecord, replaces: str) -> None:
        if self._recording:
            return
        self._replaces = replaces
        self._show()
        self.form.show_record(record)
        self._say("What is left empty is taken as not known.")
        self.form.fields["name"].setFocus()

    def _save(self) -> None:
        if self._replaces is None:
            return
        try:
            record = self.form.record()
        except VehicleError as error:
            self.form.show_error(error.field, error.reason)
            self._say(str(error), failed=True)
            return
        self.form.show_error("", "")
        self._say("")
        self.vehicle_saved.emit(record, self._replaces)
        if self.is_editing and self._state.failed:  # an answer like the last one changes no state
            self.form.show_error(self._state.field, self._state.message)
            self._say(self._state.message, failed=True)

    def _leave(self) -> None:
        """Let go of what was typed."""
        self._replaces = None
        self._show()
        self._say("")
        self.table.setFocus()

    def _ask_for_tune(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "The tune of the vehicle", "", "Tunes (*.pvv *.table *.csv *.msq);;All files (*)"
        )
        if path:
            self.form.fields["tune_path"].setText(path)

    def _say(self, message: str, failed: bool = False) -> None:
        self.message.setText(f"! {message}" if failed and message else message)
        set_state(self.message, "attention" if failed else "")


def _in_use_words(state: VehiclesState) -> str:
    """Return which vehicle is in use, and which one when it is left."""
    name = state.record.name
    if not name:
        return "No vehicle is in use: what is recorded now belongs to none."
    if name == state.chosen:
        return f"In use: {plain(name)}"
    back = plain(state.chosen) or "no vehicle"
    return f"In use: {plain(name)}. When it is left: {back}."
