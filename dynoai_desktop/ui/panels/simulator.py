"""Simulator: a dyno without hardware. Choose it, start it, drive it, break it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from dynoai_desktop.core.simulator.commands import Abort, SetFault
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.rig_editor import TUNE, VEHICLE, Document, RigEditor
from dynoai_desktop.ui.panels.rig_starts import starts_of
from dynoai_desktop.ui.panels.simulator_hands import SimulatorHands
from dynoai_desktop.ui.panels.simulator_load import SimulatorLoad
from dynoai_desktop.ui.panels.simulator_setup import SimulatorSetup
from dynoai_desktop.ui.rehearsal import RehearsalState, Running
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.elided import set_state
from dynoai_desktop.ui.widgets.fault_list import FaultList
from dynoai_desktop.ui.widgets.simulated_head import SimulatedHead
from dynoai_desktop.ui.wording import count

_TWICE_MS = 1000  # two presses of Esc within this time abort
_WIDTHS = (3, 4, 4)  # of the columns, one to another


class SimulatorPanel(Panel):
    """Draws the rehearsal state; reports start, stop and orders."""

    simulator_page_opened = Signal()
    simulator_start_requested = Signal(object)  # SimulatorPlan
    simulator_stop_requested = Signal()
    simulator_ordered = Signal(object)  # Order

    def __init__(self, look: Look) -> None:
        """Start without a simulated dyno."""
        super().__init__(look, "Simulator")
        self._state = RehearsalState()
        self._complaint = ""  # what is wrong with what was typed
        self._mine: tuple[VehicleRecord, ...] = ()
        self.head = SimulatedHead("What the simulated dyno does", "Detail")
        self.word, self.detail, self.badge = self.head.word, self.head.detail, self.head.badge
        self.button = glove_button("", "G", self._press)
        self.button.setProperty("role", "start")
        self.setup = SimulatorSetup(look)
        self.hands = SimulatorHands(look)
        self.hands.ordered.connect(self.simulator_ordered)
        self.load = SimulatorLoad(look)
        self.load.ordered.connect(self.simulator_ordered)
        self.load.refused.connect(self._refuse)
        self.faults = FaultList(look)
        self.faults.wanted.connect(self._break)
        self.editor = RigEditor(look)
        self.editor.saved.connect(self._use_saved)
        self.editor.cancelled.connect(self._close_editor)
        self.setup.choice.refused.connect(self._refuse)
        self.setup.choice.edit_wanted.connect(self._edit)
        self._second_press = QTimer(self, interval=_TWICE_MS, singleShot=True)
        self._second_press.timeout.connect(self._say)
        self._lay_out()
        self.show_state(FrameState())

    def _lay_out(self) -> None:
        self.head.addWidget(self.button)
        setup = _column("Vehicle and day", self.setup)
        hands = _column("Operator", self.hands, fills=True)
        faults = _column("Faults: Enter switches one on or off", self.faults, fills=True)
        load = _column("Load brake", self.load)
        right = QWidget()
        side = QVBoxLayout(right)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(10)
        side.addWidget(faults, 1)
        side.addWidget(load)
        columns = QWidget()
        body = QHBoxLayout(columns)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(16)
        for width, part in zip(_WIDTHS, (setup, hands, right), strict=True):
            body.addWidget(part, width)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(10)
        column.addLayout(self.head)
        self.pages = QStackedWidget()
        self.pages.addWidget(columns)
        self.pages.addWidget(self.editor)
        column.addWidget(self.pages, 1)
        self.setFocusProxy(self.faults)

    def show_state(self, state: FrameState) -> None:
        """Follow the simulated dyno."""
        self._state = rehearsal = state.rehearsal
        self._mine = state.vehicles.rows
        running = rehearsal.running
        self.setup.show_state(rehearsal)
        self.setup.setEnabled(running is Running.OFF)
        self.badge.setVisible(running is not Running.OFF)
        self.hands.show_report(rehearsal.report)
        self.load.show_report(rehearsal.report)
        self.faults.show_rows(rehearsal.faults)
        self.faults.show_active(rehearsal.report.faults if rehearsal.report is not None else ())
        name_button(self.button, "Start" if running is Running.OFF else "Stop", "G")
        self.button.setEnabled(running in (Running.OFF, Running.ON))
        if running is not Running.OFF and self.is_editing:
            self._close_editor()  # whoever drives needs the hands
        self.button.setHidden(self.is_editing)
        self._say()

    def _say(self) -> None:
        """Say in one line what happens, in a second what is wrong or what to do."""
        state, report = self._state, self._state.report
        self.word.setText(_word(state))
        problem = self._complaint or state.message or (report.refused if report is not None else "")
        if self._second_press.isActive():
            text, mood = "Esc once more aborts the run.", "attention"
        elif problem:
            text, mood = problem, "danger"
        elif state.running is Running.OFF:
            text, mood = (
                "Everything it shows is marked SIMULATED and kept apart from real runs.",
                "",
            )
        elif report is not None and report.faults:
            text, mood = f"! {count(len(report.faults), 'fault')} on", "attention"
        else:
            text, mood = _plan_words(state), ""
        self.detail.setText(text)
        set_state(self.detail, mood)

    def showEvent(self, event: QShowEvent) -> None:
        """Ask what there is to choose."""
        super().showEvent(event)
        self.simulator_page_opened.emit()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.setup.set_look(look)
        self.hands.set_look(look)
        self.load.set_look(look)
        self.faults.set_look(look)
        self.editor.set_look(look)

    def save_state(self, store: QSettings) -> None:
        """Remember what is simulated."""
        self.setup.save_state(store)

    def restore_state(self, store: QSettings) -> None:
        """Take up what was simulated last."""
        self.setup.restore_state(store)

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if self.is_editing:
            return self._act_in_editor(action)
        if action == "rig_start":
            self._press()
        elif action in ("vehicle_file", "edit_rig_vehicle", "edit_rig_tune"):
            if self.setup.isEnabled():
                self._choose_own(action)
        elif action == "back":
            return self._escape()
        else:
            return self.load.act(action) or self.hands.act(action)
        return True

    # A vehicle or a tune of one's own

    @property
    def is_editing(self) -> bool:
        """Return whether the form is open."""
        return self.pages.currentWidget() is self.editor

    def _choose_own(self, action: str) -> None:
        if action == "vehicle_file":
            self.setup.choice.choose_file()
        else:
            self._edit(VEHICLE if action == "edit_rig_vehicle" else TUNE)

    def _act_in_editor(self, action: str) -> bool:
        if action == "save_rig":
            self.editor.ask_and_save()
        elif action == "back":
            self._close_editor()
        return True  # the rest waits until the form is closed

    def _edit(self, document: Document) -> None:
        starts, chosen = starts_of(document, self.setup.choice, self._mine)
        self.editor.edit(document, starts, chosen)
        self.pages.setCurrentWidget(self.editor)
        self.button.hide()

    def _use_saved(self, document: Document, path: Path) -> None:
        self.setup.choice.use(document, path)
        self._close_editor()

    def _close_editor(self) -> None:
        self.pages.setCurrentIndex(0)
        self.button.show()
        self.button.setFocus()

    def _refuse(self, words: str) -> None:
        self._complaint = words
        self._say()

    def _escape(self) -> bool:
        """Take one press of Esc as a warning, two as an abort; at idle it only leads back."""
        report = self._state.report
        if report is None or not (report.busy or report.programme == ""):
            return False
        if self._second_press.isActive():
            self._second_press.stop()
            self.simulator_ordered.emit(Abort())
        else:
            self._second_press.start()
        self._say()
        return True

    def _press(self) -> None:
        self._complaint = ""
        if self._state.running is Running.ON:
            self.simulator_stop_requested.emit()
        elif self._state.running is Running.OFF:
            try:
                self.simulator_start_requested.emit(self.setup.plan())
            except ValueError as error:
                self._complaint = str(error)
        self._say()

    def _break(self, key: str, active: bool) -> None:
        if self._state.report is not None:
            self.simulator_ordered.emit(SetFault(key, active))


def _word(state: RehearsalState) -> str:
    if state.running is Running.OFF:
        return "No simulated dyno"
    if state.running is Running.STARTING:
        return "Starting"
    if state.running is Running.STOPPING or state.report is None:
        return "Stopping"
    report = state.report
    if not report.engine_on:
        return "Engine off"
    phase = report.phase.replace("_", " ")
    return report.title if phase in (report.title.lower(), "manual") else f"{report.title}: {phase}"


def _plan_words(state: RehearsalState) -> str:
    plan = state.plan
    names = dict(state.vehicles) | {"": ""}
    vehicle = names.get(plan.profile, plan.profile)
    if plan.profile_file is not None:
        vehicle = plan.profile_file.name
    tune = dict(state.scenarios).get(plan.scenario, plan.scenario)
    if plan.scenario_file is not None:
        tune = plan.scenario_file.name
    pulls = "" if state.report is None else f" · {count(state.report.pulls, 'pull')}"
    return f"{vehicle} · {tune} · seed {plan.seed}{pulls}"


def _column(title: str, content: QWidget, fills: bool = False) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    heading = QLabel(title)
    heading.setProperty("role", "heading")
    column.addWidget(heading)
    column.addWidget(content, 1 if fills else 0)
    if not fills:
        column.addStretch(1)
    return holder
