"""Tune: what the correction would do to a tune, cell by cell, before a copy is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dynoai_desktop.core.tune.clipboard import Layout
from dynoai_desktop.core.tune.difference import CellDifference
from dynoai_desktop.core.tune.plan import MAX_STEP, CellPlan, Locked, Plan, Terms
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState, TuneState, TuneStep
from dynoai_desktop.ui.panels.analyse_maps import SheetView
from dynoai_desktop.ui.panels.analyse_section import Section, rows_text
from dynoai_desktop.ui.panels.analyse_sheets import plan_sheets
from dynoai_desktop.ui.panels.tune_lists import (
    BLOCKED_COLUMNS,
    CELL_COLUMNS,
    STEP_COLUMNS,
    BlockedRow,
    blocked_rows,
)
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.card import plain_label
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.row_model import RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.wording import plain

_FILES = "Tunes (*.pvv *.table *.csv);;All files (*)"
_ROW_PX = 30
_PREVIEW, _HISTORY, _NOTE = range(3)
_STEP = 0.01


class TuneSection(Section):
    """Preview and history; reports what is to be done."""

    tune_chosen = Signal(Path)
    tune_preview_requested = Signal(object)
    tune_apply_requested = Signal(Path, object)
    tune_undo_requested = Signal()

    def __init__(self, look: Look) -> None:
        """Start without a tune."""
        super().__init__(look)
        self._state = FrameState()
        self._plans: tuple[Plan, ...] = ()
        self._history = False
        self.line = ElidedLabel("heading", "Tune and what applying does")
        self.news = plain_label()
        self.choose_button = glove_button("Choose tune", "T", self.choose)
        self.less_button = glove_button("Less", "-", lambda: self._move_limit(-_STEP))
        self.more_button = glove_button("More", "+", lambda: self._move_limit(_STEP))
        self.half_button = glove_button("Half", "F", self.toggle_half)
        self.lone_button = glove_button("One cylinder", "R", self.toggle_lone)
        self.lock_button = glove_button("Lock", "K", self.toggle_lock)
        self.apply_button = glove_button("Write copy", "Ctrl+S", self.apply)
        self.undo_button = glove_button("Undo", "Z", self.undo)
        self.history_button = glove_button("History", "H", self.toggle_history)
        self.view = SheetView(look)
        self.view.map.cursor_moved.connect(self._name_lock)
        self.blocked: RowModel[BlockedRow] = RowModel(
            BLOCKED_COLUMNS, lambda row: (row.cell.table, row.cell.row, row.cell.column), look, self
        )
        self.blocked_table = RowTable(self.blocked, "Cells that stay", _ROW_PX, look)
        self.blocked_table.selectionModel().currentChanged.connect(self._look_at_blocked)
        self.steps: RowModel[TuneStep] = RowModel(
            STEP_COLUMNS, lambda step: step.sequence, look, self
        )
        self.steps_table = RowTable(self.steps, "Tune history", _ROW_PX, look)
        self.steps_table.selectionModel().currentChanged.connect(self._show_step)
        self.cells: RowModel[CellDifference] = RowModel(
            CELL_COLUMNS, lambda cell: (cell.table, cell.row, cell.column), look, self
        )
        self.cells_table = RowTable(self.cells, "Cells the step changed", _ROW_PX, look)
        self.note = EmptyNote()
        self.note.pressed.connect(self.choose)
        self._lay_out()

    def _lay_out(self) -> None:
        buttons = (
            self.choose_button,
            self.less_button,
            self.more_button,
            self.half_button,
            self.lone_button,
            self.lock_button,
            self.apply_button,
            self.undo_button,
            self.history_button,
        )
        top = QHBoxLayout()
        top.setSpacing(6)
        for button in buttons:
            button.setProperty("role", "compact")
            top.addWidget(button)
        top.addStretch(1)
        self.view.side.add(self.blocked_table, stretch=1)
        history = QWidget()
        lists = QVBoxLayout(history)
        lists.setContentsMargins(0, 0, 0, 0)
        lists.addWidget(self.steps_table, 1)
        lists.addWidget(self.cells_table, 2)
        self.stack = QStackedWidget()
        for page in (self.view, history, self.note):
            self.stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(top)
        column.addWidget(self.line)
        column.addWidget(self.news)
        column.addWidget(self.stack, 1)

    @property
    def _tune(self) -> TuneState:
        return self._state.tune

    @property
    def _terms(self) -> Terms:
        return self._state.tune.terms

    def show_frame(self, state: FrameState) -> None:
        """Follow the tune."""
        self._state = state
        tune = state.tune
        if tune.plans != self._plans:
            self._plans = tune.plans
            self.view.show_sheets(plan_sheets(tune.plans))
            self.blocked.set_rows(blocked_rows(tune.plans))
        self.steps.set_rows(tuple(reversed(tune.steps)))
        if tune.steps and self.steps_table.selected() is None:
            self.steps_table.selectRow(0)
        self._show_step()
        self._say(tune)
        self._enable(state)
        self._turn()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.view.set_look(look)
        for table in (self.blocked_table, self.steps_table, self.cells_table):
            table.set_look(look)

    def act(self, action: str) -> bool:
        """Carry out the keys of the tune."""
        done = {
            "choose_tune": self.choose,
            "lock_cell": self.toggle_lock,
            "less_step": lambda: self._move_limit(-_STEP),
            "more_step": lambda: self._move_limit(_STEP),
            "half_step": self.toggle_half,
            "one_cylinder": self.toggle_lone,
            "apply_tune": self.apply,
            "undo_tune": self.undo,
            "tune_history": self.toggle_history,
        }.get(action)
        if done is None:
            return self.view.act(action)
        done()
        return True

    def copy_text(self, layout: Layout) -> str:
        """Return the map in front, or the history, as text."""
        if self.stack.currentIndex() == _HISTORY:
            steps = rows_text(self.steps, self.look, titles=layout.axes)
            return steps + rows_text(self.cells, self.look, titles=layout.axes)
        return self.view.copy_text(layout)

    # Wishes

    def choose(self) -> None:
        """Ask for the file of the tune."""
        if not self._busy:
            name, _ = QFileDialog.getOpenFileName(self, "Choose the tune", "", _FILES)
            if name:
                self.tune_chosen.emit(Path(name))

    def toggle_lock(self) -> None:
        """Lock the cell under the cursor, or let it go."""
        cell = self._locked_cell()
        if cell is not None:
            self._preview(replace(self._terms, locked=self._terms.locked ^ {cell}))

    def toggle_half(self) -> None:
        """Apply half of each change, or all of it again."""
        self._preview(replace(self._terms, half=not self._terms.half))

    def toggle_lone(self) -> None:
        """Correct the one cylinder that was measured, by choice; or both or none again."""
        if self._can_choose_lone:
            alone = self._tune.lone if self._terms.alone is None else None
            self.tune_preview_requested.emit(replace(self._terms, alone=alone))

    def apply(self) -> None:
        """Ask for the name of the copy; the original is never written."""
        if not self._can_apply or self._tune.suggestion is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            self, "Write the corrected copy", str(self._tune.suggestion), _FILES
        )
        if name:
            self.apply_to(Path(name))

    def apply_to(self, path: Path) -> None:
        """Ask for the previewed copy at *path*."""
        if self._can_apply:
            self.tune_apply_requested.emit(path, self._terms)

    def undo(self) -> None:
        """Take the last step back."""
        if self._tune.can_undo and not self._busy:
            self.tune_undo_requested.emit()

    def toggle_history(self) -> None:
        """Show the history, or the preview again."""
        self._history = not self._history
        self._turn()

    def _move_limit(self, by: float) -> None:
        limit = round(min(max(self._terms.limit + by, _STEP), MAX_STEP), 4)
        if limit != self._terms.limit:
            self._preview(replace(self._terms, limit=limit))

    def _preview(self, terms: Terms) -> None:
        if self._can_change:
            self.tune_preview_requested.emit(terms)

    # What is possible

    @property
    def _busy(self) -> bool:
        state = self._state
        return state.analysis.running or state.recording.active or state.tune.busy

    @property
    def _can_change(self) -> bool:
        return bool(self._tune.plans) and not self._tune.written and not self._busy

    @property
    def _would_change(self) -> bool:
        return self._can_change and any(plan.changes_anything for plan in self._tune.plans)

    @property
    def _can_apply(self) -> bool:
        """Nothing is written without the preview in front."""
        shown = self.stack.currentIndex() == _PREVIEW and self.isVisible()
        return self._would_change and not self._tune.failed and shown

    @property
    def _can_choose_lone(self) -> bool:
        return self._tune.lone is not None and not self._tune.written and not self._busy

    def _locked_cell(self) -> Locked | None:
        cell = self._cell()
        return None if cell is None else (cell.cylinder, *cell.node)

    def _cell(self) -> CellPlan | None:
        sheet = self.view.sheet
        if sheet is None:
            return None
        cells = (cell for plan in self._tune.plans for cell in plan.cells)
        return next(
            (
                cell
                for cell in cells
                if cell.cylinder.value == sheet.cylinder and cell.node == self.view.map.at
            ),
            None,
        )

    def _enable(self, state: FrameState) -> None:
        self.choose_button.setEnabled(not self._busy)
        self.lock_button.setEnabled(self._can_change)
        limit, lone = state.tune.terms.limit, state.tune.lone
        self.less_button.setEnabled(self._can_change and limit > _STEP)
        self.more_button.setEnabled(self._can_change and limit < MAX_STEP)
        self.apply_button.setEnabled(self._would_change and not state.tune.failed)
        self.undo_button.setEnabled(state.tune.can_undo and not self._busy)
        self.half_button.setEnabled(self._can_change)
        name_button(self.half_button, "Whole" if self._terms.half else "Half", "F")
        self.lone_button.setVisible(lone is not None)
        self.lone_button.setEnabled(self._can_choose_lone)
        only = "" if lone is None else f"Only {lone.value}"
        name_button(self.lone_button, only if self._terms.alone is None else "Both", "R")
        name_button(self.less_button, f"Limit {100 * limit:.0f} %: less", "-")
        self._name_lock()

    def _name_lock(self) -> None:
        locked = self._locked_cell() in self._terms.locked
        name_button(self.lock_button, "Unlock cell" if locked else "Lock cell", "K")

    # What is said

    def _say(self, tune: TuneState) -> None:
        names = " and ".join(plain(path.name) for path in tune.paths)
        fates = Counter(cell.fate.value for plan in tune.plans for cell in plan.cells)
        parts = [f"{n} {word}" for word, n in sorted(fates.items())]
        counts = f": {', '.join(parts)} cells" if parts else ""
        busy = " · at work on it" if tune.busy else ""
        self.line.setText(f"{names}{counts}{busy}" if names else "")
        self.news.setText(tune.message)
        self.news.setVisible(bool(tune.message))
        set_state(self.news, "danger" if tune.failed else "info")
        if not tune.paths:
            log = self._state.analysis.payload is not None
            self.note.say(
                "The corrected tune will be previewed here",
                "Choose the tune the vehicle ran on: a Power Vision .pvv, a TunerStudio .table or "
                "a table as CSV. The log is then analysed on the tune's own axes, and nothing is "
                "written before you have seen every cell."
                + ("" if log else " Open a log first, or afterwards."),
                "Choose tune  [T]",
            )
        else:
            self.note.say(
                "The preview is being worked out" if tune.busy else "There is no preview yet",
                "" if tune.busy else _why_none(tune),
                "",
                "danger" if tune.failed and not tune.busy else "",
            )

    def _turn(self) -> None:
        has_history = bool(self._tune.steps)
        history = self._history and has_history
        page = _HISTORY if history else _PREVIEW if self._tune.plans else _NOTE
        self.stack.setCurrentIndex(page)
        self.news.setVisible(bool(self._tune.message) and page != _NOTE)
        self.apply_button.setEnabled(
            self._would_change and not self._tune.failed and page == _PREVIEW
        )
        self.history_button.setEnabled(has_history)
        steps = len(self._tune.steps)
        name_button(self.history_button, "Preview" if history else f"History ({steps})", "H")

    def _look_at_blocked(self) -> None:
        row = self.blocked_table.selected()
        if row is not None:
            self.view.look_at(row.cell.cylinder.value, row.cell.node)

    def _show_step(self) -> None:
        step = self.steps_table.selected()
        difference = None if step is None else step.difference
        self.cells.set_rows(() if difference is None else difference.largest)


def _why_none(tune: TuneState) -> str:
    """Return why there is no preview, and what can be done."""
    if tune.lone is not None and tune.failed:
        return (
            f"{tune.message} R corrects the {tune.lone.value} cylinder alone, by your choice, and "
            "leaves the other as it is."
        )
    return tune.message or "Open the log that was recorded with this tune."
