"""The middle of the simulator page: what the operator does, and what can be asked of him."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from dynoai_desktop.core.simulator.commands import Abort, ByHand, EngineSwitch
from dynoai_desktop.core.simulator.orders import Order, Perform, Report
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.rehearsal import DRIVES
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.wording import ABSENT, number

_COLUMNS = 3
_THROTTLE_STEP = 5
# Figure of the report, unit it is held in.
_FIGURES = (
    ("rpm", Unit.RPM),
    ("tps_pct", Unit.PERCENT),
    ("map_kpa", Unit.KILOPASCAL),
    ("speed_kmh", Unit.KMH),
    ("head_c", Unit.CELSIUS),
)
_NAMES = {
    "rpm": "Speed",
    "tps_pct": "TPS",
    "map_kpa": "MAP",
    "speed_kmh": "Drum",
    "head_c": "Head",
}


class SimulatorHands(QWidget):
    """Reports orders; shows the last report."""

    ordered = Signal(object)  # Order

    def __init__(self, look: Look) -> None:
        """Start with nothing to steer."""
        super().__init__()
        self._look = look
        self._report: Report | None = None
        self.figures = {name: ElidedLabel("title", _NAMES[name]) for name, _ in _FIGURES}
        self._titles: dict[str, ElidedLabel] = {}
        self.drives = {
            row.programme: self._button(row.title, row.key, self._perform(row.programme))
            for row in DRIVES
        }
        self.throttle = QSlider(Qt.Orientation.Horizontal)
        self.throttle.setRange(0, 100)
        self.throttle.setPageStep(_THROTTLE_STEP)
        self.throttle.setAccessibleName("Throttle, percent")
        self.throttle.setMinimumHeight(48)
        self.throttle.valueChanged.connect(lambda value: self._order(ByHand(tps_pct=float(value))))
        self.throttle_word = QLabel()
        self.gear = QLabel()
        self.gear.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.down = self._button("−", "PgDn", lambda: self._shift(-1))
        self.up = self._button("+", "PgUp", lambda: self._shift(1))
        self.clutch = self._button("", "K", self._use_clutch)
        self.brake = self._button("", "B", self._use_brake)
        self.engine = self._button("", "E", self._switch_engine)
        self.abort = self._button("ABORT", "X  or  Esc Esc", lambda: self._order(Abort()))
        self.abort.setProperty("role", "record")
        self.abort.setProperty("state", "recording")
        self.abort.setMinimumHeight(80)
        self._acts: dict[str, Callable[[], None]] = {
            **{f"drive_{name}": self._perform(name) for name in self.drives},
            "throttle_up": lambda: self._turn(_THROTTLE_STEP),
            "throttle_down": lambda: self._turn(-_THROTTLE_STEP),
            "throttle_shut": lambda: self._turn(-100),
            "gear_up": lambda: self._shift(1),
            "gear_down": lambda: self._shift(-1),
            "clutch": self._use_clutch,
            "brake": self._use_brake,
            "engine": self._switch_engine,
        }
        self._lay_out()
        self.show_report(None)

    def _button(self, word: str, key: str, pressed: Callable[[], None]) -> QPushButton:
        button = glove_button(word, key, pressed)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        return button

    def _lay_out(self) -> None:
        figures = QGridLayout()
        figures.setHorizontalSpacing(12)
        figures.setVerticalSpacing(0)
        for column, (name, _) in enumerate(_FIGURES):
            title = ElidedLabel("small", "")
            self._titles[name] = title
            figures.addWidget(title, 0, column)
            figures.addWidget(self.figures[name], 1, column)
            figures.setColumnStretch(column, 1)
        drives = QGridLayout()
        drives.setSpacing(6)
        for at, button in enumerate(self.drives.values()):
            drives.addWidget(button, at // _COLUMNS, at % _COLUMNS)
        throttle = QHBoxLayout()
        throttle.addWidget(self.throttle_word)
        throttle.addWidget(self.throttle, 1)
        hands = QGridLayout()
        hands.setSpacing(6)
        for column, widget in enumerate((self.down, self.gear, self.up)):
            hands.addWidget(widget, 0, column)
        for column, widget in enumerate((self.clutch, self.brake, self.engine)):
            hands.addWidget(widget, 1, column)
        for column in range(3):
            hands.setColumnStretch(column, 1)
            drives.setColumnStretch(column, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(figures)
        column.addLayout(drives, 3)
        column.addLayout(throttle)
        column.addLayout(hands, 2)
        column.addWidget(self.abort)

    def show_report(self, report: Report | None) -> None:
        """Show what the simulated dyno does; None: there is none."""
        self._report = report
        for name, unit in _FIGURES:
            value = None if report is None else getattr(report, name)
            self.figures[name].setText(_printed(value, unit, self._look))
            self._titles[name].setText(f"{_NAMES[name]}, {self._look.display.unit(unit).value}")
        for name, button in self.drives.items():
            runs = report is not None and report.programme == name
            button.setText(f"{'● ' if runs else ''}{_title(name)}")
            button.setEnabled(report is not None)
        for button in (self.down, self.up, self.clutch, self.brake, self.engine, self.abort):
            button.setEnabled(report is not None)
        self.throttle.setEnabled(report is not None)
        set_state(self.abort, "recording" if report is not None else "")
        by_hand = report is not None and report.programme == ""
        if not by_hand:  # in the user's hand it stays where it was put
            with QSignalBlocker(self.throttle):
                self.throttle.setValue(0 if report is None else round(report.tps_pct))
        self.throttle_word.setText("Throttle, by hand  [− +]" if by_hand else "Throttle  [− +]")
        self.gear.setText(f"Gear {ABSENT}" if report is None else f"Gear {report.gear}")
        closed = report is not None and report.clutch_closed
        name_button(self.clutch, "Open clutch" if closed else "Close clutch", "K")
        braked = report is not None and report.brake > 0.0
        name_button(self.brake, "Brake off" if braked else "Brake on", "B")
        name_button(
            self.engine,
            "Kill engine" if report is None or report.engine_on else "Start engine",
            "E",
        )

    def set_look(self, look: Look) -> None:
        """Change units."""
        self._look = look
        self.show_report(self._report)

    def act(self, action: str) -> bool:
        """Carry out a key; False when it is none of these."""
        if action not in self._acts:
            return False
        self._acts[action]()
        return True

    def _order(self, order: Order) -> None:
        if self._report is not None:
            self.ordered.emit(order)

    def _perform(self, programme: str) -> Callable[[], None]:
        return lambda: self._order(Perform(programme))

    def _turn(self, step: int) -> None:
        self.throttle.setValue(self.throttle.value() + step)

    def _shift(self, step: int) -> None:
        if self._report is not None:
            gear = min(max(self._report.gear + step, 1), self._report.gears)
            self._order(ByHand(gear=gear))

    def _use_clutch(self) -> None:
        if self._report is not None:
            self._order(ByHand(engaged=not self._report.clutch_closed))

    def _use_brake(self) -> None:
        if self._report is not None:
            self._order(ByHand(drum_brake=0.0 if self._report.brake > 0.0 else 1.0))

    def _switch_engine(self) -> None:
        if self._report is not None:
            self._order(EngineSwitch(not self._report.engine_on))


def _title(programme: str) -> str:
    row = next(row for row in DRIVES if row.programme == programme)
    return f"{row.title}  [{row.key}]"


def _printed(value: float | None, unit: Unit, look: Look) -> str:
    if value is None:
        return ABSENT
    return number(look.display.value(value, unit), 0)
