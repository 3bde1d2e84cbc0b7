"""The causes worth a look, likeliest first, with evidence and the test that tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from dynoai_desktop.core.tune.clipboard import Layout
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.analyse_section import Section, tsv
from dynoai_desktop.ui.panels.analyse_words import signed
from dynoai_desktop.ui.widgets.card import Card, plain_label
from dynoai_desktop.ui.widgets.row_model import Column, RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.wording import number

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.cause_tree import Cause
    from dynoai_desktop.core.analysis.payload import Payload

_ROW_PX = 44
_LIKELY = "Likely"


def _effect(cause: Cause) -> str:
    if not cause.effect and not cause.se:
        return ""
    doubt = f" ± {number(cause.se, 1)}" if cause.se else ""
    return f"{number(cause.effect, 1)}{doubt} {cause.unit}".strip()


CAUSE_COLUMNS: tuple[Column[Cause], ...] = (
    Column(
        _LIKELY,
        lambda cause, _look: f"{100 * cause.confidence:.0f} %",
        lambda cause: cause.confidence,
        is_number=True,
        width=8,
    ),
    Column("Cause", lambda cause, _look: cause.title, lambda cause: cause.title, stretches=True),
    Column(
        "Size",
        lambda cause, _look: _effect(cause),
        lambda cause: cause.effect,
        is_number=True,
        width=18,
    ),
)


class CausesSection(Section):
    """A ranked list; beside it what speaks for and against the chosen row."""

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__(look)
        self.summary = plain_label("title")
        self.rows: RowModel[Cause] = RowModel(
            CAUSE_COLUMNS, lambda cause: cause.hypothesis_id, look, self
        )
        self.table = RowTable(self.rows, "Causes, likeliest first", _ROW_PX, look)
        self.table.draw_bars(_LIKELY, lambda cause, look: (cause.confidence, look.palette.accent))
        self.table.selectionModel().currentChanged.connect(self._show_chosen)
        self.note = plain_label("small")
        self.title, self.supports = plain_label("heading"), plain_label()
        self.opposes, self.checks = plain_label(), plain_label()
        self._lay_out()

    def _lay_out(self) -> None:
        detail = Card("")
        detail.add(self.title)
        for heading, label in (
            ("Speaks for it", self.supports),
            ("Speaks against it", self.opposes),
            ("What would tell", self.checks),
        ):
            head = plain_label("small")
            head.setText(heading)
            detail.add(head, label)
        detail.close_up()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.table, 3)
        row.addWidget(detail, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.summary)
        column.addLayout(row, 1)
        column.addWidget(self.note)
        self.setFocusProxy(self.table)

    def show_payload(self, payload: Payload) -> None:
        """List the causes of another analysis."""
        causes = payload.causes
        self.summary.setText(causes.summary)
        self.note.setText(" ".join((*causes.notes, *_balance(payload))))
        self.rows.set_rows(causes.causes)
        if causes.causes:
            self.table.selectRow(0)
        self._show_chosen()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.table.set_look(look)

    def copy_text(self, layout: Layout) -> str:
        """Return all causes with their evidence."""
        lines = [["Likely", "Cause", "Size", "For", "Against", "Test"]] if layout.axes else []
        for k in range(self.rows.rowCount()):
            cause = self.rows.row(k)
            said = (cause.supports, cause.opposes, cause.checks)
            head = [f"{100 * cause.confidence:.0f} %", cause.title, _effect(cause)]
            lines.append([*head, *("; ".join(part) for part in said)])
        return tsv(lines)

    def _show_chosen(self) -> None:
        cause = self.table.selected()
        self.title.setText("" if cause is None else cause.title)
        parts = ((), (), ()) if cause is None else (cause.supports, cause.opposes, cause.checks)
        signs = ("+ ", "− ", "→ ")
        for label, part, sign in zip(
            (self.supports, self.opposes, self.checks), parts, signs, strict=True
        ):
            label.setText("\n".join(sign + text for text in part) or "nothing")


def _balance(payload: Payload) -> tuple[str, ...]:
    balance = payload.balance
    if balance is None:
        return ()
    offset, se = signed(100 * balance.offset, 1), number(100 * balance.offset_se, 1)
    size = f"Rear minus front: {offset} ± {se} %"
    if not balance.significant:
        return (f"{size}, no difference beyond doubt.",)
    if balance.could_be_sensor:
        return (f"{size}, the same everywhere: it may be a sensor. Exchange the widebands.",)
    return (f"{size}, with a shape over the table.",)
