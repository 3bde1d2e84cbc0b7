"""Simulator: a dyno without hardware. Choose it, start it, drive it, break it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from dynoai_desktop.core.simulator.commands import Abort, SetFault
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.simulator_hands import SimulatorHands
from dynoai_desktop.ui.panels.simulator_setup import SimulatorSetup
from dynoai_desktop.ui.rehearsal import RehearsalState, Running
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.fault_list import FaultList
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
        self.word = ElidedLabel("title", "What the simulated dyno does")
        self.detail = ElidedLabel("", "Detail")
        self.badge = QLabel("SIMULATED")
        self.badge.setProperty("role", "badge")
        self.button = glove_button("", "G", self._press)
        self.button.setProperty("role", "start")
        self.setup = SimulatorSetup(look)
        self.hands = SimulatorHands(look)
        self.hands.ordered.connect(self.simulator_ordered)
        self.faults = FaultList(look)
        self.faults.wanted.connect(self._break)
        self._second_press = QTimer(self, interval=_TWICE_MS, singleShot=True)
        self._second_press.timeout.connect(self._say)
        self._lay_out()
        self.show_state(FrameState())

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.word)
        words.addWidget(self.detail)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignVCenter)
        top.addLayout(words, 1)
        top.addWidget(self.button)
        setup = _column("Vehicle and day", self.setup)
        hands = _column("Operator", self.hands, fills=True)
        faults = _column("Faults: Enter switches one on or off", self.faults, fills=True)
        body = QHBoxLayout()
        body.setSpacing(16)
        for width, part in zip(_WIDTHS, (setup, hands, faults), strict=True):
            body.addWidget(part, width)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(10)
        column.addLayout(top)
        column.addLayout(body, 1)
        self.setFocusProxy(self.faults)

    def show_state(self, state: FrameState) -> None:
        """Follow the simulated dyno."""
        self._state = rehearsal = state.rehearsal
        running = rehearsal.running
        self.setup.show_state(rehearsal)
        self.setup.setEnabled(running is Running.OFF)
        self.badge.setVisible(running is not Running.OFF)
        self.hands.show_report(rehearsal.report)
        self.faults.show_rows(rehearsal.faults)
        self.faults.show_active(rehearsal.report.faults if rehearsal.report is not None else ())
        name_button(self.button, "Start" if running is Running.OFF else "Stop", "G")
        self.button.setEnabled(running in (Running.OFF, Running.ON))
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
        self.faults.set_look(look)

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if action == "rig_start":
            self._press()
        elif action == "vehicle_file":
            if self.setup.isEnabled():
                self.setup.choose_file()
        elif action == "back":
            return self._escape()
        else:
            return self.hands.act(action)
        return True

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
    own = plan.profile_file.name if plan.profile_file is not None else ""
    vehicle = own or names.get(plan.profile, plan.profile)
    tune = dict(state.scenarios).get(plan.scenario, plan.scenario)
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
