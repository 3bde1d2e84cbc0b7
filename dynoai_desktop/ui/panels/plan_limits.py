"""Plan limits: what the planner may ask for, with sliders and numbers, kept with the vehicle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from dynoai_desktop.core.units import Display, Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels import PLAN_PAGE, VEHICLE_PAGE
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.plan_state import PlanState
from dynoai_desktop.ui.plan_words import excluded_words, in_words
from dynoai_desktop.ui.scales import parse_number
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.card import plain_label
from dynoai_desktop.ui.widgets.elided import set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.wording import plain

if TYPE_CHECKING:
    from dynoai_desktop.core.planning.limits import PlanningLimits

_FIELD_PX = 110
_EXCLUDED_SHOWN = 4
_GEARS = 6
_NO_CEILING = "no ceiling"


@dataclass(frozen=True, slots=True)
class LimitField:
    """One number of PlanningLimits; the slider has a usual range, the number any that can be."""

    name: str
    title: str
    unit: Unit
    slider: tuple[float, float]
    step: float
    optional: bool = False  # empty, or the slider at its end, is no ceiling


FIELDS: tuple[LimitField, ...] = (
    LimitField("min_rpm", "Engine speed from", Unit.RPM, (0, 8000), 100),
    LimitField("max_rpm", "to", Unit.RPM, (1000, 14000), 100),
    LimitField("min_map_kpa", "MAP from", Unit.KILOPASCAL, (0, 150), 5),
    LimitField("max_map_kpa", "to", Unit.KILOPASCAL, (30, 300), 5),
    LimitField("min_tps_pct", "Throttle from", Unit.PERCENT, (0, 100), 5),
    LimitField("max_tps_pct", "to", Unit.PERCENT, (0, 100), 5),
    LimitField("max_iat_c", "Intake air up to", Unit.CELSIUS, (20, 80), 1, optional=True),
    LimitField("max_head_c", "Head up to", Unit.CELSIUS, (60, 200), 5, optional=True),
    LimitField("max_pulls_per_session", "Pulls in a session", Unit.NONE, (0, 30), 1),
)
ENVIRONMENTS = (
    ("inertia_dyno", "Inertia dyno"),
    ("load_dyno", "Load dyno"),
    ("street", "Street"),
    ("both", "Load dyno and street"),
)


class _Limit(QWidget):
    """Title, slider, number and unit of one limit."""

    changed = Signal(object)  # float in the unit it is held in, or None for no ceiling
    refused = Signal(str)

    def __init__(self, row: LimitField, look: Look) -> None:
        super().__init__()
        self._row, self._look = row, look
        self._value: float | None = None
        self.title = plain_label("", wraps=False)
        self.title.setText(row.title)
        # A ceiling that may be absent has one more step at its end for that.
        steps = round((row.slider[1] - row.slider[0]) / row.step) + (1 if row.optional else 0)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, steps)
        self.slider.setTracking(False)
        self.slider.setAccessibleName(row.title)
        self.slider.sliderMoved.connect(lambda at: self._print(self._at(at)))
        self.slider.valueChanged.connect(self._slid)
        self.number = QLineEdit()
        self.number.setAccessibleName(f"{row.title}, number")
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.number.setPlaceholderText(_NO_CEILING if row.optional else "")
        self.number.returnPressed.connect(self._typed)
        self.number.editingFinished.connect(self._typed)
        self.unit = QLabel()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(10)
        line.addWidget(self.title, 3)
        line.addWidget(self.slider, 5)
        line.addWidget(self.number)
        line.addWidget(self.unit)
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Change scale and units."""
        self._look = look
        self.number.setFixedWidth(max(_FIELD_PX, round(1.4 * _FIELD_PX * look.scale)))
        self.unit.setFixedWidth(round(look.sizes.body * 2.4))
        self.unit.setText(look.display.unit(self._row.unit).value)
        self._print(self._value)

    def show_value(self, value: float | None) -> None:
        """Show a limit without reporting it."""
        self._value = value
        low, _ = self._row.slider
        at = self.slider.maximum() if value is None else round((value - low) / self._row.step)
        self.slider.blockSignals(True)
        self.slider.setValue(at)
        self.slider.blockSignals(False)
        self._print(value)

    def _at(self, step: int) -> float | None:
        if self._row.optional and step == self.slider.maximum():
            return None
        return self._row.slider[0] + step * self._row.step

    def _slid(self, step: int) -> None:
        self._take(self._at(step))

    def _print(self, value: float | None) -> None:
        shown = "" if value is None else f"{self._look.display.value(value, self._row.unit):.0f}"
        self.number.setText(shown)

    def _typed(self) -> None:
        text = self.number.text().strip()
        if not self.number.isModified():
            return
        self.number.setModified(False)
        if not text and self._row.optional:
            self._take(None)
            return
        value = parse_number(text)
        if math.isnan(value):
            self._print(self._value)
            self.refused.emit(f"“{text}” is no number. Type it in the unit shown.")
            return
        self._take(_held(value, self._row.unit, self._look.display))

    def _take(self, value: float | None) -> None:
        if value != self._value:
            self.changed.emit(value)


class PlanLimitsPanel(Panel):
    """Draws the limits in force; reports others that can be limits at all."""

    plan_limits_changed = Signal(object)  # PlanningLimits
    plan_limits_reset_requested = Signal()

    def __init__(self, look: Look) -> None:
        """Start without a vehicle."""
        super().__init__(look, "Plan limits")
        self._plan = PlanState()
        self._drawn: PlanState | None = None
        self.title = plain_label("title", wraps=False)
        self.rows = {row.name: _Limit(row, look) for row in FIELDS}
        for name, row in self.rows.items():
            row.changed.connect(lambda value, name=name: self._change(name, value))
            row.refused.connect(self._refuse)
        self.places = {
            key: self._toggle(word, lambda key=key: self._choose_place(key))
            for key, word in ENVIRONMENTS
        }
        self.gears = {
            gear: self._toggle(str(gear), lambda gear=gear: self._turn_gear(gear))
            for gear in range(1, _GEARS + 1)
        }
        for gear, button in self.gears.items():
            button.setAccessibleName(f"Gear {gear}")
        self.gear_note = plain_label("small")
        self.usual_button = glove_button(
            "Usual limits", "Ctrl+D", self.plan_limits_reset_requested.emit
        )
        self.back_button = glove_button("Back", "Esc", lambda: self.page_wanted.emit(PLAN_PAGE))
        self.message = plain_label()
        self.excluded = plain_label()
        self.note = EmptyNote()
        self.note.say(
            "The limits of a vehicle are set here",
            "Choose the vehicle first. Its limits are kept with it: engine speed, load, throttle, "
            "gears, pulls in a session, where it is driven and how hot it may get.",
            "Choose a vehicle",
        )
        self.note.pressed.connect(lambda: self.page_wanted.emit(VEHICLE_PAGE))
        self.form = QWidget()
        self._lay_out()
        self.show_state(FrameState())

    def _toggle(self, word: str, pressed: Callable[[], None]) -> QPushButton:
        button = QPushButton(word)
        button.setCheckable(True)
        button.setAutoDefault(True)
        button.clicked.connect(lambda _checked: pressed())
        return button

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(36)
        grid.setVerticalSpacing(8)
        for k, row in enumerate(self.rows.values()):
            grid.addWidget(row, k // 2, k % 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        grid.addLayout(self._strip("Gears", self.gears.values(), self.gear_note), 4, 1)
        places = self._strip("Driven on", self.places.values())
        foot = QHBoxLayout()
        foot.addWidget(self.usual_button)
        foot.addWidget(self.back_button)
        foot.addStretch(1)
        column = QVBoxLayout(self.form)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.title)
        column.addLayout(grid)
        column.addLayout(places)
        column.addWidget(self.message)
        column.addWidget(self.excluded)
        column.addStretch(1)
        column.addLayout(foot)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 16, 12)
        whole.addWidget(self.form)
        whole.addWidget(self.note)

    def _strip(
        self, title: str, buttons: Iterable[QPushButton], note: QLabel | None = None
    ) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(6)
        head = plain_label("", wraps=False)
        head.setText(title)
        line.addWidget(head)
        for button in buttons:
            line.addWidget(button, 1)
        if note is not None:
            line.addWidget(note, 2)
        return line

    def show_state(self, state: FrameState) -> None:
        """Follow the limits in force and what they leave."""
        if state.plan.with_cooling(None) == self._drawn:
            return
        self._plan = self._drawn = state.plan.with_cooling(None)
        limits = self._plan.limits
        self.form.setVisible(limits is not None)
        self.note.setVisible(limits is None)
        self._say("")
        if limits is not None:
            self._show(limits)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        for row in self.rows.values():
            row.set_look(look)

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if action == "usual_limits" and self._plan.limits is not None:
            self.plan_limits_reset_requested.emit()
            return True
        return False

    def _show(self, limits: PlanningLimits) -> None:
        self.title.setText(f"What {plain(self._plan.vehicle)} may be asked for")
        for name, row in self.rows.items():
            row.show_value(getattr(limits, name))
        for key, button in self.places.items():
            button.setChecked(key == limits.environment.value)
        for gear, button in self.gears.items():
            button.setChecked(gear in limits.gears)
        self.gear_note.setText("" if limits.gears else "none: the dyno gear")
        plan = self._plan.plan
        rows = () if plan is None else plan.excluded
        said = excluded_words(rows)
        nothing = plan is not None and not plan.steps and bool(rows)
        head = "× These limits leave nothing to drive.\n" if nothing else ""
        self.excluded.setText(head + "\n".join(f"– {text}" for text in said[:_EXCLUDED_SHOWN]))
        set_state(self.excluded, "attention" if nothing else "quiet")

    def _change(self, name: str, value: float | None) -> None:
        if name == "max_pulls_per_session" and value is not None:
            self._take({name: round(value)})
        else:
            self._take({name: value})

    def _choose_place(self, key: str) -> None:
        from dynoai_desktop.core.planning.limits import Environment

        self._take({"environment": Environment(key)})

    def _turn_gear(self, gear: int) -> None:
        limits = self._plan.limits
        if limits is not None:
            gears = set(limits.gears) ^ {gear}
            self._take({"gears": tuple(sorted(gears))})

    def _take(self, changes: Mapping[str, object]) -> None:
        from dynoai_desktop.core.planning.limits import LimitsError

        limits = self._plan.limits
        if limits is None:
            return
        try:
            changed = replace(limits, **changes)
        except LimitsError as error:
            self._refuse(in_words(str(error)))
            return
        self._say("")
        self.plan_limits_changed.emit(changed)

    def _refuse(self, text: str) -> None:
        """Say why a limit is not taken, and show those in force again."""
        if self._plan.limits is not None:
            self._show(self._plan.limits)
        self._say(text)

    def _say(self, text: str) -> None:
        self.message.setText(f"! {text}" if text else "")
        self.message.setVisible(bool(text))
        set_state(self.message, "attention" if text else "")


def _held(value: float, unit: Unit, display: Display) -> float:
    """Return a number typed in the tuner's unit in the unit it is held in."""
    offset = display.value(0.0, unit)
    return (value - offset) / (display.value(1.0, unit) - offset)
