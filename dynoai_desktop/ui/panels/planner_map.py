"""Behind the card: the cells of the goal on a map, and every test in the order of its worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.plan_state import GoalCells, PlanState
from dynoai_desktop.ui.plan_words import PRIORITY_SIGNS, load_words, rpm_span, short_name
from dynoai_desktop.ui.widgets.card import Card, FactList, plain_label
from dynoai_desktop.ui.widgets.map_views import SIDE_TITLES
from dynoai_desktop.ui.widgets.plan_map import Cell, PlanMap
from dynoai_desktop.ui.widgets.row_model import Column, RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.wording import ABSENT, number

if TYPE_CHECKING:
    from dynoai_desktop.core.planning.steps import Plan, Step

_ROW_PX = 40
_EFFICIENCY = "Efficiency"
_TESTS_NAMED = 3  # that reach a cell


@dataclass(frozen=True, slots=True)
class StepRow:
    """One test of the list."""

    rank: int
    step: Step
    load: Axis | None
    reaches: bool  # the cell under the cursor


def _mark(row: StepRow) -> str:
    return "●" if row.reaches else "○"


STEP_COLUMNS: tuple[Column[StepRow], ...] = (
    Column(
        "Test", lambda row, _look: f"{row.rank} {_mark(row)} {short_name(row.step)}",
        lambda row: row.rank,
        stretches=True,
    ),
    Column(
        "rpm", lambda row, _look: rpm_span(*row.step.rpm_range), lambda row: row.step.rpm_range,
        width=13, yields=True,
    ),
    Column(
        "Load", lambda row, look: load_words(row.step, row.load, look.display),
        lambda row: row.step.load_range, width=14, yields=True,
    ),
    Column(
        "", lambda row, _look: PRIORITY_SIGNS.get(row.step.priority, f"P{row.step.priority}"),
        lambda row: row.step.priority, width=4,
    ),
    Column(
        "Adds, %", lambda row, _look: number(row.step.expected_coverage_gain, 1),
        lambda row: row.step.expected_coverage_gain, is_number=True, width=8,
    ),
    Column(
        _EFFICIENCY, lambda row, _look: number(row.step.efficiency_score, 2),
        lambda row: row.step.efficiency_score, is_number=True, width=10,
    ),
    Column(
        "min", lambda row, _look: number(row.step.minutes, 1), lambda row: row.step.minutes,
        is_number=True, width=6,
    ),
)  # fmt: skip


class PlanBehind(QWidget):
    """Map on the left; list, and the figures of the cell under the cursor, on the right."""

    step_chosen = Signal(str)  # key: show it on the card

    def __init__(self, look: Look) -> None:
        """Start without a plan."""
        super().__init__()
        self._look = look
        self._state = PlanState()
        self._cylinder: Cylinder | None = None
        self.map = PlanMap(look)
        self.map.cursor_moved.connect(self._show_cursor)
        self.side_title = plain_label("small", wraps=False)
        self.model: RowModel[StepRow] = RowModel(STEP_COLUMNS, lambda row: row.step.key, look, self)
        self.table = RowTable(self.model, "Tests, the most worth first", _ROW_PX, look)
        self.table.draw_bars(
            _EFFICIENCY, lambda row, look: (row.step.efficiency_score, look.palette.accent)
        )
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._mark())
        self.table.chosen.connect(self._choose)
        self.place = plain_label("heading")
        self.facts = FactList("The cell under the cursor")
        self._lay_out()
        self.setFocusProxy(self.map)

    def _lay_out(self) -> None:
        legend = plain_label("small", wraps=False)
        legend.setText("✓ known   ● reached by the chosen test")
        heads = QHBoxLayout()
        heads.addWidget(self.side_title)
        heads.addStretch(1)
        heads.addWidget(legend)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addLayout(heads)
        left.addWidget(self.map, 1)
        cell = Card("")
        cell.add(self.place, self.facts)
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self.table, 1)
        right.addWidget(cell)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addLayout(left, 5)
        row.addLayout(right, 5)

    def show_plan(self, state: PlanState) -> None:
        """Draw another plan."""
        self._state = state
        self.map.show_cells(state.cells, self._side)
        if self.table.selected() is None and self.model.rowCount():
            self.table.selectRow(0)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self.map.set_look(look)
        self.table.set_look(look)
        self._show_cursor()

    def act(self, action: str) -> bool:
        """Carry out the keys of the map."""
        if action != "plan_cylinder":
            return False
        sides = self._sides()
        self._cylinder = sides[(sides.index(self._side) + 1) % len(sides)]
        self.map.show_cells(self._state.cells, self._side)
        return True

    def _sides(self) -> list[Cylinder | None]:
        cells = self._state.cells
        known = [] if cells is None else list(cells.half_interval)
        return [None, *known] if len(known) > 1 else [None]

    @property
    def _side(self) -> Cylinder | None:
        return self._cylinder if self._cylinder in self._sides() else None

    def _show_cursor(self) -> None:
        """Print what is known of the cell, and mark the tests that reach it."""
        cells, plan = self._state.cells, self._state.plan
        self.side_title.setText(f"{SIDE_TITLES[self._side]}  [C]" if len(self._sides()) > 1 else "")
        steps = () if plan is None else plan.steps
        load = None if cells is None else cells.load
        reaching = () if plan is None else plan.reach.get(self.map.at, ())
        self.model.set_rows(
            [StepRow(k, step, load, step.key in reaching) for k, step in enumerate(steps, 1)]
        )
        if cells is None or plan is None:
            self.place.setText("")
            self.facts.show_lines(())
            return
        self.place.setText(_place(cells, self.map.at, self._look))
        self.facts.show_lines(_facts(cells, plan, self.map.at))
        self._mark()

    def _mark(self) -> None:
        row, plan = self.table.selected(), self._state.plan
        if row is None or plan is None:
            self.map.mark_reached(())
            return
        key = row.step.key
        self.map.mark_reached([cell for cell, keys in plan.reach.items() if key in keys])

    def _choose(self) -> None:
        row = self.table.selected()
        if row is not None:
            self.step_chosen.emit(row.step.key)


def _place(cells: GoalCells, at: Cell, look: Look) -> str:
    display = look.display
    load = display.value(cells.load.nodes[at[1]], cells.load.unit)
    return (
        f"{number(cells.rpm.nodes[at[0]], 0)} rpm × "
        f"{number(load, 0)} {display.unit(cells.load.unit).value}"
    )


def _facts(cells: GoalCells, plan: Plan, at: Cell) -> list[tuple[str, str]]:
    """Return priority, what is known for every cylinder, and the tests that reach the cell."""
    priority = int(cells.priority[at])
    lines = [("Priority", PRIORITY_SIGNS.get(priority, "no goal of the plan"))]
    for cylinder, half in cells.half_interval.items():
        title = SIDE_TITLES[cylinder].capitalize()
        lines.append((title, _known(float(half[at]), cells.wanted)))
    lines.append(("Reached by", _reached_by(plan, at)))
    return lines


def _reached_by(plan: Plan, at: Cell) -> str:
    """Return the tests that reach a cell, those of the plan first and marked."""
    planned = {step.key: k for k, step in enumerate(plan.steps, 1)}
    keys = plan.reach.get(at, ())
    named = [
        f"{planned[key]}  {plan.names.get(key, key)}" if key in planned
        else f"–  {plan.names.get(key, key)}"
        for key in keys[:_TESTS_NAMED]
    ]  # fmt: skip
    more = len(keys) - len(named)
    return "\n".join([*named, *([f"and {more} more"] if more > 0 else [])]) or "no test"


def _known(half: float, wanted: float) -> str:
    if half != half:
        return f"{ABSENT}  nothing driven"
    word = "known" if half <= wanted else "open"
    return f"{word}, ±{number(100 * half, 1)} % of ±{number(100 * wanted, 1)} % wanted"
