"""Targets: the lambda meant for every cell, edited by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from dynoai_desktop.core.axis import CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.live.engine import DEFAULT_TARGETS
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.live.targets import TARGET_PRESETS, TargetError, preset_targets
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.target_editor import TargetEditor
from dynoai_desktop.ui.theme import BUTTON_PX
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.card import plain_label
from dynoai_desktop.ui.widgets.elided import set_state
from dynoai_desktop.ui.widgets.target_grid import TargetGrid
from dynoai_desktop.ui.wording import glance, in_units, number

_HELP = (
    "Arrows move, Shift with arrows chooses several. Type a target, lambda or AFR, and press "
    "Enter; + and − make the chosen cells leaner and richer. The dot is where the engine is. A "
    "pasted table has engine speed in rows and load in columns."
)
_WORD_LINES = 8  # title, chosen cell, message, and the gaps between
_COLUMN_PX, _LEAST_COLUMN_PX = 360, 260  # width of the buttons at scale 1, and the least


class TargetsPanel(Panel):
    """Edits take effect at once; every one can be undone."""

    targets_changed = Signal(object)  # CellGrid of lambda
    targets_import_requested = Signal(Path)

    def __init__(self, look: Look) -> None:
        """Start with the preset the live analysis starts with."""
        super().__init__(look, "Targets")
        fresh = preset_targets(DEFAULT_TARGETS, default_rpm_axis(), default_map_axis())
        self._editor = TargetEditor(fresh, look.display)
        self._state = FrameState()
        self._to_engine = False  # go to the engine's cell as soon as it is known
        self.grid = TargetGrid(look, fresh)
        self.grid.typed.connect(lambda text: self._try(lambda: self._enter(text)))
        self.grid.nudged.connect(
            lambda steps: self._try(lambda: self._editor.nudge(self.grid.cells, steps))
        )
        self.grid.pasted.connect(self._paste)
        self.grid.copied.connect(self._copy)
        self.grid.moved.connect(self._say_cell)
        self.cell = plain_label("heading")
        self.message = plain_label("")
        self.help = plain_label("small")
        self.help.setText(_HELP)
        self._lay_out()
        self.setFocusProxy(self.grid)
        self._say_cell()

    def _lay_out(self) -> None:
        title = plain_label("title")
        title.setText("Targets")
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(title)
        column.addWidget(self.cell)
        column.addWidget(self.message)
        column.addWidget(self.help)
        column.addStretch(1)
        for at, preset in enumerate(TARGET_PRESETS, start=1):
            column.addWidget(
                glove_button(preset.title, f"Ctrl+{at}", self._action(f"preset_{preset.key}"))
            )
        self.paste = glove_button("Paste", "Ctrl+V", self._paste)
        self.tune = glove_button("From a tune", "Ctrl+U", self._ask_for_tune)
        self.undo = glove_button("Undo", "Z", self._undo)
        for button in (self.paste, self.tune, self.undo):
            column.addWidget(button)
        self._side = QWidget()
        self._side.setLayout(column)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 12, 12, 12)
        row.setSpacing(12)
        row.addWidget(self.grid, 1)
        row.addWidget(self._side)
        self._fit()

    def _fit(self) -> None:
        width = min(max(_LEAST_COLUMN_PX, round(_COLUMN_PX * self.look.scale)), _COLUMN_PX)
        self._side.setFixedWidth(width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the explanation out where the buttons need its room."""
        super().resizeEvent(event)
        buttons = 6 * (BUTTON_PX * max(self.look.scale, 1.0) + 8)
        room = self.height() - buttons - _WORD_LINES * self.look.sizes.body
        self.help.setVisible(self.help.heightForWidth(self._side.width()) <= room)

    def _action(self, action: str) -> Callable[[], bool]:
        return lambda: self.act(action)

    def showEvent(self, event: QShowEvent) -> None:
        """Go to the cell under the engine."""
        super().showEvent(event)
        self._to_engine = True

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Follow the engine, and the targets the live analysis goes by."""
        if self._state.targets.grid is None and snapshot.targets is not None:
            self._adopt(snapshot.targets)
        hits, grid = snapshot.hits, self._editor.grid
        same_axes = (hits.rpm, hits.load) == (grid.rpm, grid.load)
        cell = snapshot.active_cell if same_axes else None
        self.grid.show_engine(cell)
        if self._to_engine and cell is not None:
            self._to_engine = False
            self.grid.choose(cell)

    def show_state(self, state: FrameState) -> None:
        """Follow the vehicle's targets, and what became of an import."""
        before, self._state = self._state.targets, state
        targets = state.targets
        if targets is before:
            return
        if targets.vehicle != before.vehicle and targets.grid is not None:
            # Nothing of another vehicle can be undone into this one's targets.
            self._editor = TargetEditor(targets.grid, self.look.display)
            self.grid.show_grid(targets.grid)
            self._say("", "")
            self._say_cell()
        if targets.grid is not None:
            self._adopt(targets.grid)
        if targets.message:
            self._say(targets.message)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self._editor.display = look.display
        self.grid.set_look(look)
        self._fit()
        self._say_cell()

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        presets = {f"preset_{p.key}": p.key for p in TARGET_PRESETS}
        acts = {"undo": self._undo, "tune": self._ask_for_tune}
        if action in presets:
            self._try(lambda: self._editor.preset(presets[action]))
        elif action in acts:
            acts[action]()
        else:
            return False
        return True

    def take(self, text: str) -> None:
        """Paste *text* as if it came from the clipboard."""
        self._try(lambda: self._editor.paste(text, self.grid.first_cell))

    def _paste(self) -> None:
        self.take(QGuiApplication.clipboard().text())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._editor.copy())
        self._say("The table with its labels is on the clipboard.", "")

    def _ask_for_tune(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Take the targets of a tune", "", "Tunes (*.pvv *.table *.csv);;All files (*)"
        )
        if path:
            self.targets_import_requested.emit(Path(path))

    def _undo(self) -> None:
        if self._editor.undo():
            self._changed("Undone.")
        else:
            self._say("There is nothing to undo.", "")

    def _enter(self, text: str) -> None:
        self._editor.enter(self.grid.cells, text)

    def _try(self, change: Callable[[], None]) -> None:
        """Make a change and tell of it, or say why it cannot be made."""
        before = self._editor.grid
        try:
            change()
        except TargetError as error:
            self._say(str(error))
            return
        if self._editor.grid is not before:
            self._changed("")

    def _changed(self, message: str) -> None:
        self.grid.show_grid(self._editor.grid)
        self._say(message, "")
        self._say_cell()
        self.targets_changed.emit(self._editor.grid)

    def _adopt(self, grid: CellGrid) -> None:
        if self._editor.adopt(grid):
            self.grid.show_grid(self._editor.grid)
            self._say_cell()

    def _say(self, message: str, state: str = "attention") -> None:
        self.message.setText(f"! {message}" if state and message else message)
        set_state(self.message, state)

    def _say_cell(self) -> None:
        """Print the chosen cell, how many there are, and what is being typed."""
        grid, (i, j) = self._editor.grid, self.grid.cursor_cell
        display = self.look.display
        places = [
            f"{number(display.value(axis.nodes[k], axis.unit), 0)} {display.unit(axis.unit).value}"
            for axis, k in ((grid.rpm, i), (grid.load, j))
        ]
        value, unit = in_units(float(grid.values[i, j]), Unit.LAMBDA, display)
        chosen = len(self.grid.cells)
        several = f", {chosen} cells chosen" if chosen > 1 else ""
        typed = f" → {self.grid.text}" if self.grid.text else ""
        self.cell.setText(
            f"{' × '.join(places)}: {glance(value, unit)}{typed} {unit.value}{several}"
        )
        self.undo.setEnabled(self._editor.can_undo)
