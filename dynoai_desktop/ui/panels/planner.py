"""Plan: the next pull on one card, and behind it why, what else, and what it will come to."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels import PLAN_LIMITS_PAGE, VEHICLE_PAGE
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.planner_map import PlanBehind
from dynoai_desktop.ui.panels.planner_next import NextPull
from dynoai_desktop.ui.panels.planner_outlook import PlanOutlook
from dynoai_desktop.ui.plan_state import PlanState
from dynoai_desktop.ui.plan_words import checklist_text, excluded_words
from dynoai_desktop.ui.preferences import load_text
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.card import plain_label
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.section_strip import SectionStrip, simulated_badge
from dynoai_desktop.ui.wording import count

_SECTION = "plan/section"
_EXCLUDED_SHOWN = 3
_STEP_ACTIONS = frozenset({"step_done", "step_skip", "step_impossible"})
_LEARNED_ACTIONS = frozenset({"plan_reset", "plan_restore"})


class PlannerPanel(Panel):
    """A strip of sections over the one in front; a note where there is nothing to drive."""

    plan_said = Signal(object)  # StepWish
    plan_step_chosen = Signal(str)
    plan_take_back_requested = Signal()
    plan_export_requested = Signal()
    plan_requested = Signal()
    plan_reset_requested = Signal()
    plan_restore_requested = Signal()

    def __init__(self, look: Look, keys: Mapping[str, str]) -> None:
        """Start without a plan. *keys* are those that open the other pages."""
        super().__init__(look, "Plan")
        self._state = PlanState()
        self._drawn: PlanState | None = None
        self._keys = keys
        self._chosen = ""  # key of the step on the card, where it is not the first
        self.next = NextPull(look)
        self.behind = PlanBehind(look)
        self.outlook = PlanOutlook(look)
        self.next.said.connect(self.plan_said)
        self.behind.step_chosen.connect(self._choose)
        self.outlook.reset_requested.connect(self.plan_reset_requested)
        self.outlook.restore_requested.connect(self.plan_restore_requested)
        self.sections: dict[str, tuple[str, QWidget]] = {
            "next": ("Next pull", self.next),
            "map": ("Map and tests", self.behind),
            "outlook": ("Outlook", self.outlook),
        }
        self.section = "next"
        self.about = ElidedLabel("small", "What the plan goes by")
        self.about.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.simulated = simulated_badge("The vehicle is simulated, nothing real was learned")
        self.limits_button = glove_button(
            "Limits", keys[PLAN_LIMITS_PAGE], lambda: self.page_wanted.emit(PLAN_LIMITS_PAGE)
        )
        self.copy_button = glove_button("Copy", "Ctrl+C", self.copy)
        self.export_button = glove_button("Checklist", "Ctrl+E", self.plan_export_requested.emit)
        self.news = plain_label()
        self.note = EmptyNote()
        self.note.pressed.connect(self._press_note)
        self._note_page = ""
        self._lay_out()
        self.show_state(FrameState())

    def _lay_out(self) -> None:
        titles = {key: title for key, (title, _) in self.sections.items()}
        self.strip = SectionStrip(
            titles,
            self.about,
            self.simulated,
            (self.copy_button, self.export_button, self.limits_button),
        )
        self.strip.chosen.connect(self.show_section)
        self.tabs = self.strip.tabs
        self.stack = QStackedWidget()
        self.stack.addWidget(self.note)
        for _, section in self.sections.values():
            self.stack.addWidget(section)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(self.strip)
        column.addWidget(self.news)
        column.addWidget(self.stack, 1)

    def show_state(self, state: FrameState) -> None:
        """Follow the plan and the temperatures."""
        plan = state.plan
        self.next.show_cooling(plan)
        # Temperatures come several times a second; everything else is drawn when it has changed.
        if plan.with_cooling(None) == self._drawn:
            return
        self._state = self._drawn = plan.with_cooling(None)
        steps = () if plan.plan is None else plan.plan.steps
        if self._chosen not in {step.key for step in steps}:
            self._chosen = ""
        self.next.show_plan(plan, self._chosen)
        self.behind.show_plan(plan)
        self.outlook.show_plan(plan)
        self.about.setText(_about(plan))
        self.simulated.setVisible(plan.simulated)
        for button in (self.copy_button, self.export_button):
            button.setEnabled(bool(steps))
        self.limits_button.setEnabled(bool(plan.vehicle))
        self.news.setText(plan.message)
        self.news.setVisible(bool(plan.message) and not plan.failed)  # which the note says
        set_state(self.news, "quiet")
        self._turn()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        for section in (self.next, self.behind, self.outlook):
            section.set_look(look)

    def save_state(self, store: QSettings) -> None:
        """Keep which section was open."""
        store.setValue(_SECTION, self.section)

    def restore_state(self, store: QSettings) -> None:
        """Open the section that was open."""
        key = load_text(store, _SECTION)
        if key in self.sections:
            self.show_section(key)

    def show_section(self, key: str) -> None:
        """Bring a section to the front."""
        self.section = key
        self._turn()
        section = self.stack.currentWidget()
        self.setFocusProxy(section)
        if self.isVisible():
            section.setFocus()

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if self.strip.act(action):
            return True
        if action in _STEP_ACTIONS:
            self._act_on_step(action)
        elif action in _LEARNED_ACTIONS:
            # What is to be forgotten is looked at first.
            if self.section == "outlook":
                self.outlook.act(action)
            else:
                self.show_section("outlook")
        elif action == "plan_cylinder":
            self.show_section("map")
            self.behind.act(action)
        elif action == "plan_take_back":
            self.plan_take_back_requested.emit()
        elif action == "copy_checklist":
            self.copy()
        elif action == "export_checklist":
            if self.export_button.isEnabled():
                self.plan_export_requested.emit()
        else:
            return self.next.act(action) or self.outlook.act(action)
        return True

    def copy(self) -> None:
        """Put the checklist on the clipboard."""
        if self.copy_button.isEnabled():
            QGuiApplication.clipboard().setText(checklist_text(self._state, self.look.display))

    def _act_on_step(self, action: str) -> None:
        """Say something about the step on the card, which has to be in sight for it."""
        if self.section == "next" and self.stack.currentWidget() is self.next:
            self.next.act(action)
        else:
            self.show_section("next")

    def _choose(self, key: str) -> None:
        self._chosen = key
        self.next.show_plan(self._state, key)
        self.plan_step_chosen.emit(key)
        self.show_section("next")

    def _turn(self) -> None:
        self.strip.show_chosen(self.section)
        plan = self._state.plan
        empty = plan is None or (not plan.steps and self.section == "next")
        if empty:
            self._say_empty()
            self.stack.setCurrentWidget(self.note)
        else:
            self.stack.setCurrentWidget(self.sections[self.section][1])

    def _say_empty(self) -> None:
        state = self._state
        if state.plan is not None and state.plan.excluded:
            self._say(
                "Your limits leave nothing to drive",
                "\n".join(excluded_words(state.plan.excluded)[:_EXCLUDED_SHOWN]),
                "Change the limits",
                PLAN_LIMITS_PAGE,
                "attention",
            )
        elif state.plan is not None:
            self._say("✓ Nothing left that is worth a pull", state.plan.message, state="good")
        elif state.thinking:
            self._say("The plan is being made", "It takes less than a second.")
        elif not state.vehicle:
            self._say(
                "The next best pull will be here",
                "Choose the vehicle first: what to drive next depends on what is known of it. "
                "After every recorded pull, and every log that is analysed, this page says what "
                "to drive next, in which gear, for how long, what it adds and why.",
                "Choose a vehicle",
                VEHICLE_PAGE,
            )
        else:
            self._say("There is no plan", state.message, "Try again", state="danger")

    def _say(
        self, title: str, text: str, button: str = "", page: str = "", state: str = ""
    ) -> None:
        self._note_page = page
        word = f"{button}  [{self._keys[page]}]" if page else button
        self.note.say(title, text, word, state)

    def _press_note(self) -> None:
        if self._note_page:
            self.page_wanted.emit(self._note_page)
        else:
            self.plan_requested.emit()


def _about(state: PlanState) -> str:
    """Return what the plan goes by; whose it is stands at the top of the window."""
    if not state.vehicle:
        return ""
    if state.thinking:
        return "planning …"
    if state.assumed:
        return "nothing driven yet: by what is usual"
    return f"learned from {count(state.runs, 'run')}"
