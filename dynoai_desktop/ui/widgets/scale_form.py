"""The form for what a source means: its unit, or two points of a straight line."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.scales import Scale, parse_number
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.elided import set_state
from dynoai_desktop.ui.wording import plain


class ScaleForm(QWidget):
    """Reports a scale; whoever listens may answer with `refuse`."""

    applied = Signal(object)  # Scale
    cancelled = Signal()
    changed = Signal()

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.setAccessibleName("Scale and unit")
        self.title = _label("title")
        self.live = _label("heading")
        self.units: dict[Unit, QPushButton] = {}
        self._group = QButtonGroup(self)
        self._unit_row = QHBoxLayout()
        self._unit_row.setSpacing(8)
        self.line = glove_button("Straight line through two points", "", self._toggled)
        self.line.setCheckable(True)
        self.fields = [_field(name) for name in ("First reading", "First meaning",
                                                 "Second reading", "Second meaning")]  # fmt: skip
        self._sent_unit, self._meant_unit = [QLabel(), QLabel()], [QLabel(), QLabel()]
        self.error = _label("")
        set_state(self.error, "danger")
        self._lay_out()

    def _lay_out(self) -> None:
        self.points = QWidget()
        grid = QGridLayout(self.points)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(8)
        for i in range(2):
            cells = (self.fields[2 * i], self._sent_unit[i], QLabel("→"),
                     self.fields[2 * i + 1], self._meant_unit[i])  # fmt: skip
            for column, cell in enumerate(cells):
                grid.addWidget(cell, i, column)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(glove_button("Use it", "Enter", self._apply))
        buttons.addWidget(glove_button("Cancel", "Esc", self.cancelled.emit))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.live)
        column.addWidget(_label("", "The values mean"))
        column.addLayout(self._unit_row)
        column.addWidget(self.line)
        column.addWidget(self.points)
        column.addWidget(self.error)
        column.addStretch(1)
        column.addLayout(buttons)
        for field in self.fields:
            field.returnPressed.connect(self._apply)
            field.textChanged.connect(self._edited)

    def open(self, title: str, sent: Unit, scale: Scale, units: Sequence[Unit]) -> None:
        """Show the scale in force of a source that sends *sent*."""
        self.title.setText(title)
        for button in self.units.values():
            self._group.removeButton(button)
            button.hide()
            button.deleteLater()
        self.units = {unit: self._unit_button(unit) for unit in units}
        self.units.get(scale.unit, self.units[units[0]]).setChecked(True)
        self.line.setChecked(scale.points is not None)
        numbers = [n for point in scale.points or () for n in point]
        for i, field in enumerate(self.fields):
            known = i < len(numbers) and math.isfinite(numbers[i])
            field.setText(f"{numbers[i]:.6g}" if known else "")
        for label in self._sent_unit:
            label.setText(sent.value or "sent")
        self._edited()
        self._toggled()
        (self.fields[1] if self.line.isChecked() else self.units[self.unit]).setFocus()

    def _unit_button(self, unit: Unit) -> QPushButton:
        button = glove_button(unit.value or "no unit", "", self._edited)
        button.setCheckable(True)
        self._group.addButton(button)
        self._unit_row.addWidget(button)
        return button

    @property
    def unit(self) -> Unit:
        """Return the unit chosen."""
        return next(unit for unit, button in self.units.items() if button.isChecked())

    @property
    def scale(self) -> Scale:
        """Return what is entered; numbers that are none are NaN."""
        if not self.line.isChecked():
            return Scale(self.unit)
        x1, y1, x2, y2 = (parse_number(field.text()) for field in self.fields)
        return Scale(self.unit, ((x1, y1), (x2, y2)))

    def show_live(self, text: str) -> None:
        """Say what the present reading would mean."""
        self.live.setText(plain(text))

    def refuse(self, sentence: str) -> None:
        """Say why the scale cannot be used."""
        self.error.setText(sentence)

    def _edited(self) -> None:
        self.error.setText("")
        if self.units:
            for label in self._meant_unit:
                label.setText(self.unit.value)
        self.changed.emit()

    def _toggled(self) -> None:
        self.points.setVisible(self.line.isChecked())
        self._edited()

    def _apply(self) -> None:
        self.applied.emit(self.scale)


def _field(name: str) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setMaxLength(20)
    field.setMinimumWidth(60)
    return field


def _label(role: str, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setProperty("role", role)
    return label
