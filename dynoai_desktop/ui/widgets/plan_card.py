"""The card of the next pull, to be read from the saddle: what to do, what it adds, why, the risk.

The figures are what the hands need; they are as large as the card allows. Reasons and risk stand
below, for whoever walks up to the screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.plan_words import (
    PRIORITY_SIGNS,
    gain_words,
    gear_words,
    in_units,
    load_figure,
    rpm_span,
    seconds_words,
    short_name,
    without_names,
)
from dynoai_desktop.ui.widgets.card import plain_label
from dynoai_desktop.ui.widgets.elided import ElidedLabel
from dynoai_desktop.ui.widgets.plan_figure import PlanFigure
from dynoai_desktop.ui.wording import number

if TYPE_CHECKING:
    from dynoai_desktop.core.planning.steps import Step

REASONS_SHOWN = 3
_RPM_PX, _FIGURE_PX = 104, 72  # digit heights at scale 1: 3 m want 64


class PlanCard(QFrame):
    """Draws one Step."""

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__()
        self._look = look
        self._step: Step | None = None
        self._load: Axis | None = None
        self.setProperty("role", "card")
        self.setAccessibleName("The next pull")
        self.badge = plain_label("badge", wraps=False)
        self.badge.setProperty("state", "plain")
        self.name = ElidedLabel("verdict", "Next pull")
        self.goal = ElidedLabel("", "What it is for")
        self.rpm = PlanFigure("Engine speed", _RPM_PX, look)
        self.gear = PlanFigure("Gear", _FIGURE_PX, look)
        self.throttle = PlanFigure("Throttle", _FIGURE_PX, look)
        self.lasts = PlanFigure("Each lasts", _FIGURE_PX, look)
        self.pulls = PlanFigure("Pulls", _FIGURE_PX, look)
        self.adds = PlanFigure("Adds to the goal", _FIGURE_PX, look)
        self.score = plain_label("small")
        self.why = plain_label()
        self.risk = plain_label()
        self.abort = plain_label()
        self.limits = plain_label("small")
        self._heads = [plain_label("heading", wraps=False) for _ in range(3)]
        for head, text in zip(self._heads, ("Why", "Risk", "Close the throttle when"), strict=True):
            head.setText(text)
        self._lay_out()

    @property
    def figures(self) -> tuple[PlanFigure, ...]:
        """Return the large figures."""
        return self.rpm, self.gear, self.throttle, self.lasts, self.pulls, self.adds

    @property
    def step(self) -> Step | None:
        """Return what is drawn."""
        return self._step

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self.name, 1)
        self._second = second = QHBoxLayout()
        second.setSpacing(18)
        for figure, stretch in zip(self.figures[1:], (5, 6, 5, 3, 7), strict=True):
            second.addWidget(figure, stretch)
        words = QHBoxLayout()
        words.setSpacing(20)
        why, risk, abort = self._heads
        for labels, stretch in (((why, self.why), 6), ((risk, self.risk, abort, self.abort), 5)):
            lines = QVBoxLayout()
            lines.setSpacing(2)
            for label in labels:
                lines.addWidget(label)
            lines.addStretch(1)
            words.addLayout(lines, stretch)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 10, 18, 10)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.goal)
        column.addWidget(self.rpm, 9)
        column.addLayout(second, 7)
        column.addWidget(self.score)
        column.addSpacing(4)
        column.addLayout(words)
        column.addWidget(self.limits)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        for figure in self.figures:
            figure.set_look(look)
        if self._step is not None:
            self.show_step(self._step, self._load)

    def show_step(self, step: Step, load: Axis | None) -> None:
        """Draw another step; *load* is the load axis of the plan."""
        self._step, self._load = step, load
        self.badge.setText(PRIORITY_SIGNS.get(step.priority, f"P{step.priority}"))
        self.name.setText(short_name(step))
        self.goal.setText(step.goal)
        self.rpm.show_figure("Engine speed", rpm_span(*step.rpm_range), "rpm")
        self.gear.show_figure("Gear", gear_words(step.gear))
        self.throttle.show_figure(*load_figure(step, load, self._look.display))
        # A range of load is as long as two figures.
        self._second.setStretchFactor(self.throttle, 10 if "→" in self.throttle.text else 6)
        self.lasts.show_figure("Each lasts", *seconds_words(step.drive_s))
        self.pulls.show_figure("Pulls", number(step.pulls, 0), "×")
        self.adds.show_figure(*gain_words(step))
        self.score.setText(
            f"{number(step.minutes, 1)} min with cooling · efficiency "
            f"{number(step.efficiency_score, 2)}"
        )
        reasons = [evidence.text for evidence in step.evidence[:REASONS_SHOWN]]
        self.why.setText("\n".join(f"{k}  {text}" for k, text in enumerate(reasons, 1)) or "–")
        self.risk.setText(step.risk or "–")
        aborts = [f"× {in_units(text, self._look.display)}" for text in step.abort]
        self.abort.setText("\n".join(aborts) or "–")
        clipped = "; ".join(without_names(words) for words in step.constraints)
        self.limits.setText(f"Clipped: {clipped}" if clipped else "")
        self.limits.setVisible(bool(step.constraints))
