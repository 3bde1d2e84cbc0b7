"""The left of the simulator page: which vehicle, which tune, which weather, which seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QWidget

from dynoai_desktop.core.units import Unit, convert
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.rehearsal import Choice, RehearsalState, SimulatorPlan
from dynoai_desktop.ui.scales import parse_number
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.stepper import Stepper

_FILE = "file"  # key of the choice that stands for a vehicle of one's own
_LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Figure:
    """A number of the plan that is typed: field, label, unit it is held in, least, most."""

    field: str
    label: str
    unit: Unit
    low: float
    high: float


_FIGURES = (
    _Figure("altitude_m", "Altitude", Unit.METRE, -400.0, 5000.0),
    _Figure("temperature_c", "Temperature", Unit.CELSIUS, -40.0, 60.0),
    _Figure("humidity_pct", "Humidity", Unit.PERCENT, 0.0, 100.0),
    _Figure("seed", "Seed", Unit.NONE, 0.0, _LARGEST_SEED),
)


class SimulatorSetup(QWidget):
    """Holds what is chosen and typed until somebody asks for the plan."""

    def __init__(self, look: Look) -> None:
        """Start with the usual day."""
        super().__init__()
        self._look = look
        self._file: Path | None = None
        self._offered: tuple[Choice, ...] = ()
        self.vehicle, self.scenario = Stepper("Vehicle"), Stepper("Tune")
        self.file = glove_button("A vehicle file", "Ctrl+O", self.choose_file)
        self.fields = {figure.field: QLineEdit() for figure in _FIGURES}
        self.labels = {figure.field: QLabel() for figure in _FIGURES}
        self._lay_out()
        self.show_plan(SimulatorPlan())

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        for row, widget in enumerate((self.vehicle, self.file, self.scenario)):
            grid.addWidget(widget, row, 0, 1, 2)
        for row, figure in enumerate(_FIGURES, start=3):
            field = self.fields[figure.field]
            field.setMaxLength(12)
            field.setMinimumWidth(60)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(self.labels[figure.field], row, 0)
            grid.addWidget(field, row, 1)
        grid.setColumnStretch(1, 1)

    def show_state(self, state: RehearsalState) -> None:
        """Offer what there is."""
        if state.vehicles != self._offered:
            self._offered = state.vehicles
            self._offer_vehicles()
            self.scenario.show_rows(state.scenarios)
            self.vehicle.choose(state.plan.profile)
            self.scenario.choose(state.plan.scenario)

    def _offer_vehicles(self) -> None:
        own = () if self._file is None else (Choice(_FILE, self._file.name),)
        self.vehicle.show_rows((*self._offered, *own))

    def show_plan(self, plan: SimulatorPlan) -> None:
        """Show another plan."""
        if plan.profile_file is not None:
            self.use_file(plan.profile_file)
        else:
            self.vehicle.choose(plan.profile)
        self.scenario.choose(plan.scenario)
        for figure in _FIGURES:
            value = float(getattr(plan, figure.field))
            shown = self._look.display.value(value, figure.unit)
            self.fields[figure.field].setText(f"{shown:.0f}")
        self._name_fields()

    def _name_fields(self) -> None:
        for figure in _FIGURES:
            unit = self._look.display.unit(figure.unit).value
            label = f"{figure.label}, {unit}" if unit else figure.label
            self.labels[figure.field].setText(label)
            self.fields[figure.field].setAccessibleName(label)

    def set_look(self, look: Look) -> None:
        """Change units; what was typed means the same afterwards."""
        before, self._look = self._look, look
        for figure in _FIGURES:
            old, new = before.display.unit(figure.unit), look.display.unit(figure.unit)
            if old is not new:
                typed = parse_number(self.fields[figure.field].text())
                text = f"{convert(typed, old, new):.0f}" if math.isfinite(typed) else ""
                self.fields[figure.field].setText(text)
        self._name_fields()

    def plan(self) -> SimulatorPlan:
        """Return what is chosen and typed. Raises ValueError naming the field that is wrong."""
        values = {figure.field: self._read(figure) for figure in _FIGURES}
        own = self.vehicle.key == _FILE
        return SimulatorPlan(
            profile=SimulatorPlan().profile if own else self.vehicle.key,
            profile_file=self._file if own else None,
            scenario=self.scenario.key,
            seed=int(values["seed"]),
            altitude_m=values["altitude_m"],
            temperature_c=values["temperature_c"],
            humidity_pct=values["humidity_pct"],
        )

    def _read(self, figure: _Figure) -> float:
        shown_in = self._look.display.unit(figure.unit)
        value = convert(parse_number(self.fields[figure.field].text()), shown_in, figure.unit)
        if not figure.low - 1e-6 <= value <= figure.high + 1e-6:
            low, high = (convert(x, figure.unit, shown_in) for x in (figure.low, figure.high))
            unit = f" {shown_in.value}" if shown_in.value else ""
            raise ValueError(f"{figure.label} must be between {low:.0f} and {high:.0f}{unit}.")
        if figure.field == "seed" and value != int(value):
            raise ValueError(f"{figure.label} must be a whole number.")
        return min(max(value, figure.low), figure.high)

    def choose_file(self) -> None:
        """Ask for a vehicle of one's own."""
        name, _ = QFileDialog.getOpenFileName(
            self, "A vehicle for the simulator", "", "Vehicles (*.json)"
        )
        if name:
            self.use_file(Path(name))

    def use_file(self, path: Path) -> None:
        """Choose the vehicle described in a file."""
        self._file = path
        self._offer_vehicles()
        self.vehicle.choose(_FILE)
