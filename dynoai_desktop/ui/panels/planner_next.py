"""The next pull: its card, the cool-down ring, how far the goal is, and what comes after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.plan_state import PlanState, StepWish, Verdict
from dynoai_desktop.ui.plan_words import SKIP_REASONS, progress_words, short_name
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.card import Card, plain_label
from dynoai_desktop.ui.widgets.cool_down import CoolDownRing
from dynoai_desktop.ui.widgets.elided import ElidedLabel
from dynoai_desktop.ui.widgets.pick_list import PickList
from dynoai_desktop.ui.widgets.plan_card import PlanCard
from dynoai_desktop.ui.wording import number

if TYPE_CHECKING:
    from dynoai_desktop.core.planning.steps import Step

_AFTER = 3  # steps named below the ring


class NextPull(QWidget):
    """Draws the chosen step of a PlanState; reports what the tuner says about it."""

    said = Signal(object)  # StepWish

    def __init__(self, look: Look) -> None:
        """Start without a plan."""
        super().__init__()
        self._state = PlanState()
        self.card = PlanCard(look)
        self.reasons = PickList(
            "Skipped, because", "Enter picks, Esc goes back to the card.", "Back to the card"
        )
        self.reasons.show_rows(SKIP_REASONS)
        self.reasons.picked.connect(lambda reason: self._say(Verdict.SKIPPED, reason))
        self.reasons.left.connect(self.close_reasons)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.card)
        self.stack.addWidget(self.reasons)
        self.done_button = glove_button("Done", "D", lambda: self.act("step_done"))
        self.skip_button = glove_button("Skipped, because …", "S", lambda: self.act("step_skip"))
        self.never_button = glove_button(
            "Not possible here", "N", lambda: self.act("step_impossible")
        )
        self.ring = CoolDownRing(look)
        self.coverage = plain_label("verdict", wraps=False)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 100)
        self.bar.setAccessibleName("Progress to the goal")
        self.open_cells = plain_label("small")
        self.after = [ElidedLabel("", "A later test") for _ in range(_AFTER)]
        self._lay_out()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.done_button, self.skip_button, self.never_button):
            buttons.addWidget(button, 1)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.stack, 1)
        left.addLayout(buttons)
        cooling = Card("Cool down")
        cooling.add(self.ring, stretch=1)
        goal = Card("")
        goal.add(self.coverage, self.bar, self.open_cells)
        self.later = Card("After that")
        self.later.add(*self.after)
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(cooling, 1)
        right.addWidget(goal)
        right.addWidget(self.later)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addLayout(left, 7)
        row.addLayout(right, 3)

    @property
    def step(self) -> Step | None:
        """Return the step on the card."""
        return self.card.step

    @property
    def asks_why(self) -> bool:
        """Return whether the list of reasons is open."""
        return self.stack.currentWidget() is self.reasons

    def show_plan(self, state: PlanState, chosen: str) -> None:
        """Draw the step whose key is *chosen*, else the first."""
        self._state = state
        plan = state.plan
        if plan is None or not plan.steps:
            return
        step = next((step for step in plan.steps if step.key == chosen), plan.steps[0])
        if self.card.step is not None and step.key != self.card.step.key:
            self.close_reasons()
        self.card.show_step(step, None if state.cells is None else state.cells.load)
        self.coverage.setText(f"{number(plan.coverage_pct, 0)} %")
        self.bar.setValue(round(plan.coverage_pct))
        self.open_cells.setText("\n".join(filter(None, (progress_words(plan), state.way))))
        after = [other for other in plan.steps if other is not step][:_AFTER]
        for k, label in enumerate(self.after):
            label.setText(short_name(after[k]) if k < len(after) else "")
            label.setVisible(k < len(after))
        self.later.setVisible(bool(after))

    def show_cooling(self, state: PlanState) -> None:
        """Draw the ring alone: temperatures come several times a second."""
        self.ring.show_cooling(state.cooling)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self.card.set_look(look)
        self.ring.set_look(look)

    def close_reasons(self) -> None:
        """Go back to the card."""
        if self.asks_why:
            self.stack.setCurrentWidget(self.card)
            self.done_button.setFocus()

    def act(self, action: str) -> bool:
        """Carry out what the tuner says about the step on the card."""
        if self.step is None:
            return False
        if action == "step_done":
            self._say(Verdict.DONE)
        elif action == "step_impossible":
            self._say(Verdict.NOT_POSSIBLE)
        elif action == "step_skip":
            self.stack.setCurrentWidget(self.reasons)
            self.reasons.setFocus()
        elif action == "back" and self.asks_why:
            self.close_reasons()
        else:
            return False
        return True

    def _say(self, verdict: Verdict, reason: str = "") -> None:
        self.close_reasons()
        if self.step is not None:
            self.said.emit(StepWish(self.step.key, verdict, reason))
