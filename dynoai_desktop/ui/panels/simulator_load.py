"""The load brake by hand: what it holds, how much of it, on or off."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from dynoai_desktop.core.simulator.absorber import NO_LOAD, TARGETS, LoadControl, LoadMode
from dynoai_desktop.core.simulator.commands import ByHand
from dynoai_desktop.core.simulator.orders import Report
from dynoai_desktop.core.units import Unit, convert
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.scales import parse_number
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.stepper import Stepper
from dynoai_desktop.ui.wording import number

# What it can be told to hold by hand, in words, and the unit that is held in.
_LOADS = {
    LoadMode.RPM: ("Holds speed", Unit.RPM),
    LoadMode.SPEED: ("Holds drum", Unit.KMH),
    LoadMode.TORQUE: ("Holds torque", Unit.NEWTON_METRE),
    LoadMode.BRAKE: ("Brakes with", Unit.PERCENT),
}


class SimulatorLoad(QWidget):
    """Reports orders to the load brake; shows what it holds."""

    ordered = Signal(object)  # Order
    refused = Signal(str)  # why it cannot hold that, "" when it can

    def __init__(self, look: Look) -> None:
        """Start with nothing to brake."""
        super().__init__()
        self._look = look
        self._report: Report | None = None
        self.mode = Stepper("Load brake")
        self.mode.changed.connect(lambda _key: self.target.clear())
        self.target = QLineEdit()
        self.target.setMaxLength(8)
        self.target.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.target.setAccessibleName("Target of the load brake")
        self.target.returnPressed.connect(self._set)
        self.button = glove_button("", "Q", self._press)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        grid.addWidget(self.mode, 0, 0, 1, 2)
        grid.addWidget(self.target, 1, 0)
        grid.addWidget(self.button, 1, 1)
        grid.setColumnStretch(1, 1)
        self.show_report(None)

    @property
    def is_on(self) -> bool:
        """Return whether the load brake holds something."""
        return self._report is not None and self._report.load != LoadMode.OFF

    def show_report(self, report: Report | None) -> None:
        """Show what the load brake does; None: there is no simulated dyno."""
        self._report = report
        display = self._look.display
        self.mode.show_rows(
            [(mode.value, f"{word}, {display.unit(u).value}") for mode, (word, u) in _LOADS.items()]
        )
        equipped = report is not None and report.has_load
        for widget in (self.mode, self.target, self.button):
            widget.setEnabled(equipped)
        word = "Load on"
        if report is not None and not report.has_load:
            word = "No load brake"
        elif report is not None and self.is_on:
            _, unit = _LOADS.get(LoadMode(report.load), ("", Unit.NONE))
            held = number(display.value(report.load_target, unit), 0)
            word = f"● Off: {held} {display.unit(unit).value}"
        name_button(self.button, word, "Q")

    def set_look(self, look: Look) -> None:
        """Change units; what was typed means the same afterwards."""
        _, unit = _LOADS[LoadMode(self.mode.key)]
        old, new = self._look.display.unit(unit), look.display.unit(unit)
        typed = parse_number(self.target.text())
        if typed == typed and old is not new:
            self.target.setText(f"{convert(typed, old, new):.0f}")
        self._look = look
        self.show_report(self._report)

    def act(self, action: str) -> bool:
        """Carry out a key; False when it is none of these."""
        if action == "load":
            self._press()
        elif action == "load_mode":
            self.mode.next()
        else:
            return False
        return True

    def _press(self) -> None:
        if self.is_on:
            self.ordered.emit(ByHand(load=NO_LOAD))
        else:
            self._set()

    def _set(self) -> None:
        """Order what is typed; what the dyno would not take is said instead."""
        if self._report is None or not self._report.has_load:
            return
        mode = LoadMode(self.mode.key)
        _, unit = _LOADS[mode]
        shown_in = self._look.display.unit(unit)
        target = convert(parse_number(self.target.text()), shown_in, unit)
        low, high = TARGETS[mode]
        if low <= target <= high:
            self.refused.emit("")
            self.ordered.emit(ByHand(load=LoadControl(mode, target)))
        else:
            ends = [convert(end, unit, shown_in) for end in (low, high)]
            self.refused.emit(
                f"Load must be between {ends[0]:.0f} and {ends[1]:.0f} {shown_in.value}."
            )
