"""The left of the simulator page: which vehicle, which tune, which weather, which seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from dynoai_desktop.core.units import Unit, convert
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.rig_choice import LARGEST_SEED, RigChoice
from dynoai_desktop.ui.panels.rig_editor import TUNE, VEHICLE
from dynoai_desktop.ui.preferences import load_text
from dynoai_desktop.ui.rehearsal import RehearsalState, SimulatorPlan
from dynoai_desktop.ui.scales import parse_number

_PAGE = "simulator"  # what is remembered stands under this name


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
    _Figure("seed", "Seed", Unit.NONE, 0.0, LARGEST_SEED),
)


class SimulatorSetup(QWidget):
    """Holds what is chosen and typed until somebody asks for the plan."""

    def __init__(self, look: Look) -> None:
        """Start with the usual day."""
        super().__init__()
        self._look = look
        self.choice = RigChoice()
        self.fields = {figure.field: QLineEdit() for figure in _FIGURES}
        self.labels = {figure.field: QLabel() for figure in _FIGURES}
        self._lay_out()
        self.show_plan(SimulatorPlan())

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        grid.addWidget(self.choice, 0, 0, 1, 2)
        for row, figure in enumerate(_FIGURES, start=1):
            field = self.fields[figure.field]
            field.setMaxLength(12)
            field.setMinimumWidth(60)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(self.labels[figure.field], row, 0)
            grid.addWidget(field, row, 1)
        grid.setColumnStretch(1, 1)

    def show_state(self, state: RehearsalState) -> None:
        """Offer what there is."""
        self.choice.show_choices(state.vehicles, state.scenarios)

    def show_plan(self, plan: SimulatorPlan) -> None:
        """Show another plan."""
        self.choice.choose(plan.profile, plan.scenario)
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
        profile, profile_file = self.choice.chosen(VEHICLE)
        scenario, scenario_file = self.choice.chosen(TUNE)
        return SimulatorPlan(
            profile=profile,
            profile_file=profile_file,
            scenario=scenario,
            scenario_file=scenario_file,
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

    def save_state(self, store: QSettings) -> None:
        """Remember vehicle, tune and day; faults begin mended."""
        self.choice.save_state(store, _PAGE)
        try:
            plan = self.plan()
        except ValueError:
            return  # a day that cannot be is not worth remembering
        for figure in _FIGURES:
            store.setValue(f"{_PAGE}/{figure.field}", f"{getattr(plan, figure.field):g}")

    def restore_state(self, store: QSettings) -> None:
        """Take vehicle, tune and day as they were; what makes no sense is as usual."""
        usual = SimulatorPlan()
        kept = {f.field: parse_number(load_text(store, f"{_PAGE}/{f.field}")) for f in _FIGURES}
        fits = {f.field: f.low <= kept[f.field] <= f.high for f in _FIGURES}
        day = {name: value for name, value in kept.items() if fits[name]}
        self.show_plan(replace(usual, **{**day, "seed": int(day.get("seed", usual.seed))}))
        self.choice.restore_state(store, _PAGE)
