"""The lists of the tune section: cells that will not change, the history, one step's cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import TuneStep
from dynoai_desktop.ui.panels.analyse_words import signed
from dynoai_desktop.ui.widgets.row_model import Column, name_column
from dynoai_desktop.ui.wording import ABSENT, number, plain

if TYPE_CHECKING:
    from dynoai_desktop.core.tune.difference import CellDifference
    from dynoai_desktop.core.tune.plan import CellPlan, Plan


class BlockedRow(NamedTuple):
    """A cell that was to change and will not."""

    cell: CellPlan
    rpm: float
    load: float
    why: str


# The whole sentence stands beside the map, for the cell under the cursor.
_SHORT = {"locked": "locked", "blank": "empty in tune", "zero": "0 in tune"}


def blocked_rows(plans: Iterable[Plan]) -> list[BlockedRow]:
    """Return the cells that stay, with the reason."""
    rows = []
    for plan in plans:
        for cell, _ in plan.blocked():
            axes = plan.tables[cell.cylinder].axes
            if axes is not None:
                i, j = cell.node
                rows.append(
                    BlockedRow(cell, axes[0].nodes[i], axes[1].nodes[j], _SHORT[cell.fate.value])
                )
    return rows


BLOCKED_COLUMNS: tuple[Column[BlockedRow], ...] = (
    Column(
        "Cell that stays",
        lambda row, _look: f"{row.cell.cylinder.value} {number(row.rpm, 0)} · {row.load:g}",
        lambda row: (row.cell.cylinder, row.cell.node),
        width=15,
    ),
    Column("Why", lambda row, _look: row.why, lambda row: row.why, stretches=True),
)


def _when(step: TuneStep, _look: Look) -> str:
    return step.at.replace("T", " ").replace("+00:00", " UTC")


def _what(step: TuneStep, _look: Look) -> str:
    word = "taken back" if step.operation == "rollback" else "applied"
    extra = ["half"] if step.half else []
    extra += [f"{step.alone} only"] if step.alone else []
    word = f"{word} ({', '.join(extra)})" if extra else word
    return f"{word}, undone since" if step.taken_back else word


def _size(step: TuneStep, _look: Look) -> str:
    if step.difference is None:
        return ABSENT
    summary = step.difference.summary()
    if "max" not in summary:
        return f"{summary['count']} cells"
    low, high = signed(float(summary["min"]), 2), signed(float(summary["max"]), 2)
    return f"{summary['count']} cells, {low} … {high}"


STEP_COLUMNS: tuple[Column[TuneStep], ...] = (
    Column(
        "Step",
        lambda step, _look: str(step.sequence),
        lambda step: step.sequence,
        is_number=True,
        width=6,
    ),
    Column("When", _when, lambda step: step.at, width=24),
    Column("What", _what, lambda step: step.operation, width=22),
    Column("Change", _size, lambda step: step.sequence, width=30),
    Column(
        "File",
        lambda step, _look: ", ".join(plain(name) for name in step.files),
        lambda step: step.files,
        stretches=True,
    ),
)

CELL_COLUMNS: tuple[Column[CellDifference], ...] = (
    name_column("Table", lambda cell: cell.table, stretches=True),
    Column(
        "Row",
        lambda cell, _look: plain(cell.row_label),
        lambda cell: cell.row,
        is_number=True,
        width=10,
    ),
    Column(
        "Column",
        lambda cell, _look: plain(cell.column_label),
        lambda cell: cell.column,
        is_number=True,
        width=10,
    ),
    name_column("Before", lambda cell: cell.before, is_number=True, width=12),
    name_column("After", lambda cell: cell.after, is_number=True, width=12),
    Column(
        "Change",
        lambda cell, _look: signed(cell.delta, 2),
        lambda cell: abs(cell.delta),
        is_number=True,
        width=12,
    ),
)
