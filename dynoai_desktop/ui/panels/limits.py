"""Gates and alerts: every threshold of the live analysis beside its default."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout

from dynoai_desktop.core.live.limits import LiveSettings, Threshold, thresholds
from dynoai_desktop.core.units import Display, Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.scales import parse_number
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.card import plain_label
from dynoai_desktop.ui.widgets.elided import set_state
from dynoai_desktop.ui.widgets.row_model import Column, RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable

_ROW_PX = 34
_NOT_SET = "not set"
GROUPS = (("gates", "Gate"), ("alerts", "Alert"))
_MAY_BE_NEGATIVE = ("lean_margin",)  # below zero it warns earlier
_NOTE = (
    "Gates decide which wideband readings count, alerts when you are told. A change starts cells, "
    "pulls and alerts anew, because they went by the old values; the recording goes on."
)


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One threshold with the field of LiveSettings it belongs to."""

    group: str
    title: str  # of the group
    threshold: Threshold

    @property
    def is_changed(self) -> bool:
        """Return whether it is not at its default."""
        return self.threshold.value != self.threshold.default


def limit_rows(settings: LiveSettings, redline_rpm: float | None = None) -> list[LimitRow]:
    """Return every threshold of *settings*, gates first.

    *redline_rpm* is what the vehicle states: the default of the alert for over-rev.
    """
    own = {"redline_rpm": redline_rpm}
    return [
        LimitRow(group, title, replace(t, default=own.get(t.key, t.default)))
        for group, title in GROUPS
        for t in thresholds(getattr(settings, group))
    ]


def with_limit(settings: LiveSettings, row: LimitRow, value: float | None) -> LiveSettings:
    """Return *settings* with another value, in the unit it is held in; None: not set.

    Raises ValueError with one sentence when the value cannot be used.
    """
    if value is not None and value < 0.0 and row.threshold.key not in _MAY_BE_NEGATIVE:
        raise ValueError("This threshold cannot be below zero.")
    limits = replace(getattr(settings, row.group), **{row.threshold.key: value})
    return replace(settings, **{row.group: limits})


def shown(value: float | None, unit: Unit, display: Display) -> str:
    """Return a threshold as it is printed and typed; temperatures in the tuner's unit."""
    if value is None:
        return _NOT_SET
    return f"{_into(value, unit, display):.4g}".replace("-", "−")


def _into(value: float, unit: Unit, display: Display) -> float:
    return value if unit is Unit.LAMBDA else display.value(value, unit)


def _shown_unit(unit: Unit, display: Display) -> str:
    return (unit if unit is Unit.LAMBDA else display.unit(unit)).value


COLUMNS: tuple[Column[LimitRow], ...] = (
    Column("Kind", lambda r, _: r.title, lambda r: r.title, width=7),
    Column(
        "Threshold", lambda r, _: r.threshold.title, lambda r: r.threshold.title, stretches=True
    ),
    Column(
        "Value",
        lambda r, look: shown(r.threshold.value, r.threshold.unit, look.display),
        lambda r: r.threshold.value or 0.0,
        is_number=True,
        tint=lambda r, look: look.palette.accent if r.is_changed else None,
        width=10,
    ),
    Column(
        "Unit",
        lambda r, look: _shown_unit(r.threshold.unit, look.display),
        lambda r: r.threshold.unit.value,
        width=6,
    ),
    Column(
        "Default",
        lambda r, look: shown(r.threshold.default, r.threshold.unit, look.display),
        lambda r: r.threshold.default or 0.0,
        is_number=True,
        width=10,
    ),
    Column(
        "",
        lambda r, _: "• changed" if r.is_changed else "",
        lambda r: r.is_changed,
        width=10,
    ),
)


class LimitsPanel(Panel):
    """A table, a field for the chosen row, and the way back to the defaults."""

    limits_changed = Signal(object)  # LiveSettings

    def __init__(self, look: Look) -> None:
        """Start with the defaults."""
        super().__init__(look, "Gates and alerts")
        self._settings = LiveSettings()
        self._redline_rpm: float | None = None  # of the vehicle
        self.rows: RowModel[LimitRow] = RowModel(
            COLUMNS, lambda row: (row.group, row.threshold.key), look, self
        )
        self.table = RowTable(self.rows, "Thresholds", _ROW_PX, look)
        self.table.chosen.connect(self._begin)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._fill())
        self.field = QLineEdit()
        self.field.setMaxLength(12)
        self.field.setAccessibleName("New value of the chosen threshold")
        self.field.returnPressed.connect(self._apply)
        self.name, self.unit, self.message = (
            plain_label("heading"),
            plain_label(""),
            plain_label(""),
        )
        self._lay_out()
        self._show()
        self.table.selectRow(0)
        self.setFocusProxy(self.table)

    def _lay_out(self) -> None:
        title, note = plain_label("title"), plain_label("small")
        title.setText("Gates and alerts")
        note.setText(_NOTE)
        entry = QHBoxLayout()
        entry.setSpacing(8)
        entry.addWidget(self.name, 3)
        entry.addWidget(self.field, 1)
        entry.addWidget(self.unit)
        entry.addWidget(glove_button("Set", "Enter", self._apply))
        entry.addWidget(glove_button("Default", "D", self._default))
        entry.addWidget(glove_button("All defaults", "Shift+D", self._all_defaults))
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        for widget in (title, note):
            column.addWidget(widget)
        column.addWidget(self.table, 1)
        column.addWidget(self.message)
        column.addLayout(entry)

    def show_state(self, state: FrameState) -> None:
        """Follow the settings in force."""
        redline_rpm = state.vehicles.record.redline_rpm
        if (state.live, redline_rpm) != (self._settings, self._redline_rpm):
            self._settings, self._redline_rpm = state.live, redline_rpm
            self._show()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.table.set_look(look)
        self._fill()

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if action == "default":
            self._default()
        elif action == "all_defaults":
            self._all_defaults()
        elif action == "back" and self.field.hasFocus():
            self._fill()
            self.table.setFocus()
        else:
            return False
        return True

    def _show(self) -> None:
        self.rows.set_rows(limit_rows(self._settings, self._redline_rpm))
        self._fill()

    def _begin(self) -> None:
        self.field.setFocus()
        self.field.selectAll()

    def _fill(self) -> None:
        """Put the chosen row into the field."""
        row = self.table.selected()
        if row is None:
            return
        threshold, display = row.threshold, self.look.display
        self.name.setText(f"{row.title}: {threshold.title}")
        self.field.setText("" if threshold.value is None
                           else shown(threshold.value, threshold.unit, display))  # fmt: skip
        self.unit.setText(_shown_unit(threshold.unit, display))

    def _apply(self) -> None:
        row = self.table.selected()
        if row is None:
            return
        text = self.field.text().strip()
        if not text and row.threshold.default is None:
            self._change(row, None)
            return
        value = parse_number(text)
        if math.isnan(value):
            self._say(f"“{text}” is no number. Type the threshold in the unit shown.")
            return
        self._change(row, _held(value, row.threshold.unit, self.look.display))

    def _default(self) -> None:
        row = self.table.selected()
        if row is not None:
            self._change(row, row.threshold.default)

    def _all_defaults(self) -> None:
        fresh = LiveSettings()
        self._take(replace(self._settings, gates=fresh.gates, alerts=fresh.alerts))

    def _change(self, row: LimitRow, value: float | None) -> None:
        try:
            settings = with_limit(self._settings, row, value)
        except ValueError as error:
            self._say(str(error))
            return
        self._take(settings)

    def _take(self, settings: LiveSettings) -> None:
        self._say("")
        self.table.setFocus()
        if settings != self._settings:
            self._settings = settings
            self._show()
            self.limits_changed.emit(settings)

    def _say(self, message: str) -> None:
        self.message.setText(f"! {message}" if message else "")
        set_state(self.message, "attention" if message else "")


def _held(value: float, unit: Unit, display: Display) -> float:
    """Return a number typed in the tuner's unit in the unit it is held in."""
    if unit is Unit.LAMBDA:
        return value
    offset = display.value(0.0, unit)
    return (value - offset) / (display.value(1.0, unit) - offset)
