"""What the rest of the session may bring, what is still open, and how well the planner predicts."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.plan_state import OutlookState, PlanState, StrategyRow, TrackRow
from dynoai_desktop.ui.plan_words import answer_lines, gap_title, gap_words
from dynoai_desktop.ui.widgets.bar_rows import BarRow, BarRows
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.card import Card, plain_label
from dynoai_desktop.ui.widgets.row_model import Column, RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.wording import count, number

_ROW_PX = 48
_GOAL = "Goal reached"


STRATEGY_COLUMNS: tuple[Column[StrategyRow], ...] = (
    Column(
        "Going on with", lambda row, _look: f"{'▸ ' if row.is_planned else ''}{row.title}",
        lambda row: row.title, stretches=True,
    ),
    Column(
        _GOAL, lambda row, _look: f"{number(100 * row.probability, 0)} %",
        lambda row: row.probability, is_number=True, width=13,
    ),
    Column(
        "Minutes", lambda row, _look: number(row.minutes, 0), lambda row: row.minutes,
        is_number=True, width=9,
    ),
    Column(
        "1 in 10 over", lambda row, _look: number(row.worst_minutes, 0),
        lambda row: row.worst_minutes, is_number=True, width=12,
    ),
    Column(
        "Ends at", lambda row, _look: f"{number(row.coverage_pct, 0)} %",
        lambda row: row.coverage_pct, is_number=True, width=8,
    ),
)  # fmt: skip


class PlanOutlook(QWidget):
    """Three cards: the session, the regions, and what was learned."""

    reset_requested = Signal()
    restore_requested = Signal()

    def __init__(self, look: Look) -> None:
        """Start without a plan."""
        super().__init__()
        self._armed = False
        self.model: RowModel[StrategyRow] = RowModel(
            STRATEGY_COLUMNS, lambda row: row.title, look, self
        )
        self.table = RowTable(self.model, "Ways of going on", _ROW_PX, look)
        self.table.draw_bars(_GOAL, lambda row, look: (row.probability, look.palette.accent))
        self.pulls = plain_label("title")
        self.note = plain_label("small")
        self.gaps = BarRows(look, "Regions of the goal")
        self.track_words = plain_label()
        self.track = BarRows(look, "Promised and brought")
        self.learned = plain_label("small")
        self.reset_button = glove_button("", "Del", lambda: self.act("plan_reset"))
        self.restore_button = glove_button(
            "Bring it back", "Ctrl+Z", lambda: self.act("plan_restore")
        )
        self._name_reset()
        self._lay_out()
        self.setFocusProxy(self.table)

    def _lay_out(self) -> None:
        session = Card("How the session may go")
        session.add(self.pulls)
        session.add(self.table, stretch=1)
        session.add(self.note)
        regions = Card("Regions of the goal")
        regions.add(self.gaps)
        regions.close_up()
        track = Card("How well it was predicted")
        track.add(self.track_words, self.track)
        track.close_up()
        track.add(self.learned)
        buttons = QHBoxLayout()
        buttons.addWidget(self.reset_button)
        buttons.addWidget(self.restore_button)
        track.column.addLayout(buttons)
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(regions, 1)
        right.addWidget(track, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(session, 3)
        row.addLayout(right, 2)

    def show_plan(self, state: PlanState) -> None:
        """Draw another plan."""
        plan = state.plan
        self._show_outlook(state.outlook)
        gaps = () if plan is None else plan.gaps
        self.gaps.show_rows(
            [BarRow(gap_title(gap), gap_words(gap), gap.coverage_pct / 100.0) for gap in gaps]
        )
        self.track_words.setText(
            "Points of the goal that a test promised, and what it brought."
            if state.track
            else "Nothing has been predicted and driven yet. After the first recorded test of the "
            "plan this says how far it was from what was promised."
        )
        self.track.show_rows([_track_row(row) for row in state.track])
        runs = count(state.runs, "run")
        own = f"Learned from {runs} of this vehicle. Only recorded runs and logs are learned from."
        self.learned.setText("\n".join([own, *answer_lines(state), *state.notes]))
        self.reset_button.setEnabled(state.runs > 0)
        self.restore_button.setEnabled(state.can_restore)
        if not state.runs:
            self._arm(False)

    def _show_outlook(self, outlook: OutlookState | None) -> None:
        self.model.set_rows(() if outlook is None else outlook.strategies)
        self.table.setVisible(bool(outlook is not None and outlook.strategies))
        if outlook is None:
            self.pulls.setText("There is no session to look ahead to yet.")
            self.note.setText("")
            return
        self.pulls.setText(f"{count(outlook.pulls_left, 'pull')} left in this session")
        self.note.setText(outlook.note)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self.table.set_look(look)
        for bars in (self.gaps, self.track):
            bars.set_look(look)

    def act(self, action: str) -> bool:
        """Forget, asked twice, or bring back what was learned."""
        if action == "plan_reset" and self.reset_button.isEnabled():
            if self._armed:
                self.reset_requested.emit()
            self._arm(not self._armed)
        elif action == "plan_restore" and self.restore_button.isEnabled():
            self.restore_requested.emit()
        elif action == "back" and self._armed:
            self._arm(False)
        else:
            return False
        return True

    def _arm(self, armed: bool) -> None:
        self._armed = armed
        self._name_reset()

    def _name_reset(self) -> None:
        word = "Press again to forget, Esc keeps it" if self._armed else "Forget what was learned"
        name_button(self.reset_button, word, "Del")


def _track_row(row: TrackRow) -> BarRow:
    figure = (
        f"{number(row.promised_pct, 1)} → {number(row.brought_pct, 1)} · "
        f"{number(100 * row.inside, 0)} % within ± · {count(row.count, 'run')}"
    )
    share = row.brought_pct / row.promised_pct if row.promised_pct > 0.0 else 0.0
    return BarRow(row.title, figure, min(share, 1.0))
