"""Analyse: open a log, and read what it says, how sure that is, and what to do with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dynoai_desktop.core.tune.clipboard import POWER_CORE, SPREADSHEET, TUNERSTUDIO, Layout
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import AnalysisState, FrameState
from dynoai_desktop.ui.panels.analyse_causes import CausesSection
from dynoai_desktop.ui.panels.analyse_maps import MapsSection
from dynoai_desktop.ui.panels.analyse_overview import Overview
from dynoai_desktop.ui.panels.analyse_runs import RunsSection
from dynoai_desktop.ui.panels.analyse_section import Section
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.tune import TuneSection
from dynoai_desktop.ui.preferences import load_text
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.card import plain_label
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.section_strip import SectionStrip, simulated_badge
from dynoai_desktop.ui.wording import plain

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.payload import Payload

_FILES = "Recordings and logs (*.pcap *.csv *.txt *.log *.mlg);;All files (*)"
_SECTION = "analyse/section"
_TUNE_SUFFIXES = (".pvv", ".table")
_TUNE_ACTIONS = frozenset(
    {"choose_tune", "lock_cell", "less_step", "more_step", "half_step", "one_cylinder"}
    | {"apply_tune", "undo_tune", "tune_history"}
)
_COPIES = {
    "copy_table": SPREADSHEET,
    "copy_bare": POWER_CORE,
    "copy_tunerstudio": TUNERSTUDIO,
}
_MAP_ACTIONS = frozenset({"next_surface", "next_cylinder", "turn_cut", "whole_table"})


class AnalysePanel(Panel):
    """A strip of sections over the one in front; progress while a log is read."""

    analyse_requested = Signal(Path)
    analysis_cancelled = Signal()
    tune_chosen = Signal(Path)
    tune_preview_requested = Signal(object)
    tune_apply_requested = Signal(Path, object)
    tune_undo_requested = Signal()

    def __init__(self, look: Look) -> None:
        """Start without a log."""
        super().__init__(look, "Analyse")
        self._state = FrameState()
        self._payload: Payload | None = None
        self.tune = TuneSection(look)
        self.maps = MapsSection(look)
        self.sections: dict[str, tuple[str, Section]] = {
            "overview": ("Overview", Overview(look)),
            "maps": ("Maps", self.maps),
            "causes": ("Causes", CausesSection(look)),
            "runs": ("Runs and spark", RunsSection(look)),
            "tune": ("Tune", self.tune),
        }
        for wish in (
            "tune_chosen",
            "tune_preview_requested",
            "tune_apply_requested",
            "tune_undo_requested",
        ):
            getattr(self.tune, wish).connect(getattr(self, wish))
        self.section = "overview"
        self.file = ElidedLabel("small", "The log in hand")
        self.file.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.simulated = simulated_badge("The log is simulated, no dyno behind it")
        self.open_button = glove_button("Open a log", "Ctrl+O", self.open)
        self.copy_button = glove_button("Copy", "Ctrl+C", lambda: self.copy(SPREADSHEET))
        self.cancel_button = glove_button("Cancel", "Esc", self.analysis_cancelled.emit)
        self.step = ElidedLabel("", "What is being done")
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the analysis")
        self.news = plain_label()
        self.note = EmptyNote()
        self.note.pressed.connect(self.open)
        self._lay_out()
        self.show_state(self._state)

    def _lay_out(self) -> None:
        titles = {key: title for key, (title, _) in self.sections.items()}
        self.strip = SectionStrip(
            titles, self.file, self.simulated, (self.copy_button, self.open_button)
        )
        self.strip.chosen.connect(self.show_section)
        self.tabs = self.strip.tabs
        self.progress = QWidget()
        row = QHBoxLayout(self.progress)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.step, 1)
        row.addWidget(self.bar, 2)
        row.addWidget(self.cancel_button)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.note)
        for _, section in self.sections.values():
            self.stack.addWidget(section)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(self.strip)
        column.addWidget(self.progress)
        column.addWidget(self.news)
        column.addWidget(self.stack, 1)

    def show_state(self, state: FrameState) -> None:
        """Follow the analysis and the tune."""
        self._state = state
        analysis = state.analysis
        self.progress.setVisible(analysis.running)
        self.bar.setValue(round(100 * analysis.share))
        self.step.setText(analysis.step)
        name = "" if analysis.path is None else plain(analysis.path.name)
        self.file.setText(name)
        self.simulated.setVisible(_is_simulated(analysis.payload))
        self.open_button.setEnabled(not analysis.running and not state.recording.active)
        self.copy_button.setEnabled(analysis.payload is not None)
        self.news.setText(_news(analysis))
        self.news.setVisible(analysis.payload is not None and bool(self.news.text()))
        set_state(self.news, "danger" if analysis.failed else "quiet")
        if analysis.payload is not self._payload:
            self._payload = analysis.payload
            if analysis.payload is not None:
                for _, section in self.sections.values():
                    section.show_payload(analysis.payload)
        for _, section in self.sections.values():
            section.show_frame(state)
        self._turn()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        for _, section in self.sections.values():
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
        _, section = self.sections[key]
        self.setFocusProxy(section)
        if self.isVisible():
            section.setFocus()

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if self.strip.act(action):
            return True
        if action == "open_log":
            self.open()
        elif action in _COPIES:
            self.copy(_COPIES[action])
        elif action == "back" and self._state.analysis.running:
            self.analysis_cancelled.emit()
        elif action in _TUNE_ACTIONS:
            self._act_on_tune(action)
        elif action in _MAP_ACTIONS:
            self._act_on_map(action)
        else:
            return False
        return True

    def take_file(self, path: Path) -> None:
        """Take a file that was dropped: a tune where one is meant, else a log."""
        if path.suffix.lower() in _TUNE_SUFFIXES or self._wants_table(path):
            self.show_section("tune")
            self.tune_chosen.emit(path)
        else:
            self.analyse_requested.emit(path)

    def open(self) -> None:
        """Ask for a recording or a log."""
        if self.open_button.isEnabled():
            name, _ = QFileDialog.getOpenFileName(self, "Open a recording or a log", "", _FILES)
            if name:
                self.analyse_requested.emit(Path(name))

    def copy(self, layout: Layout) -> None:
        """Put the table in front on the clipboard."""
        text = self.sections[self.section][1].copy_text(layout)
        if text:
            QGuiApplication.clipboard().setText(text)

    def _wants_table(self, path: Path) -> bool:
        return self.section == "tune" and path.suffix.lower() == ".csv" and bool(self._payload)

    def _act_on_tune(self, action: str) -> None:
        if self.section == "tune":
            self.tune.act(action)
            return
        # What a key would do is looked at before it does it.
        self.show_section("tune")
        if action == "choose_tune":
            self.tune.act(action)

    def _act_on_map(self, action: str) -> None:
        if self.section not in ("maps", "tune"):
            self.show_section("maps")
        elif self.section == "tune":
            self.tune.act(action)
        else:
            self.maps.act(action)

    def _turn(self) -> None:
        self.strip.show_chosen(self.section)
        analysis = self._state.analysis
        if analysis.payload is None and self.section != "tune":
            self._say_empty(analysis)
            self.stack.setCurrentWidget(self.note)
        else:
            self.stack.setCurrentWidget(self.sections[self.section][1])

    def _say_empty(self, analysis: AnalysisState) -> None:
        name = "" if analysis.path is None else plain(analysis.path.name)
        if analysis.running:
            self.note.say(f"{name} is being analysed", "Esc stops it.")
        elif analysis.failed:
            self.note.say(
                f"{name} could not be analysed", analysis.message, "Open a log  [Ctrl+O]", "danger"
            )
        else:
            self.note.say(
                "What a log says will be here",
                (f"{analysis.message} " if analysis.message else "")
                + "Drop a recording or a log on the window: a session, a JETDRIVE capture, a "
                "WinPEP or Power Core export, a Power Vision log or any CSV. Within seconds it "
                "says what the data allow, where the fuel table is off and by how much, and what "
                "to test next.",
                "Open a log  [Ctrl+O]",
            )


def _is_simulated(payload: Payload | None) -> bool:
    return payload is not None and payload.evidence.frame.simulated


def _news(analysis: AnalysisState) -> str:
    if analysis.message:
        return analysis.message
    if analysis.saved is not None and not analysis.running:
        return f"Kept with the session as {analysis.saved.parent.name}/{analysis.saved.name}."
    return ""
