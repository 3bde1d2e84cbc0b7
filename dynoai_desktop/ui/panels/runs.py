"""Runs: every recorded session; open one and it plays on the same pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
)

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState, SessionRow
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.row_model import Column, RowModel, name_column
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.wording import ABSENT, clock, count, file_size, local_time, plain

_ROW_PX = 48

SESSION_COLUMNS: tuple[Column[SessionRow], ...] = (
    Column(
        "Started", lambda row, _look: local_time(row.start_s), lambda row: row.start_s, width=18
    ),
    Column(
        "Vehicle",
        lambda row, _look: plain(row.vehicle) or ABSENT,
        lambda row: row.vehicle.casefold(),
        width=22,
    ),
    Column(
        "Duration",
        lambda row, _look: clock(row.duration_s),
        lambda row: row.duration_s,
        is_number=True,
        width=10,
    ),
    Column(
        "Size",
        lambda row, _look: file_size(row.size_bytes),
        lambda row: row.size_bytes,
        is_number=True,
        width=10,
    ),
    Column(
        "Data",
        lambda row, _look: "SIMULATED" if row.simulated else "dyno",
        lambda row: row.simulated,
        tint=lambda row, look: look.palette.attention if row.simulated else None,
        width=13,
    ),
    Column(
        "Note",
        lambda row, _look: f"! {plain(row.note)}" if row.note else "",
        lambda row: row.note,
        tint=lambda _row, look: look.palette.attention,
        stretches=True,
    ),
    name_column("Name", lambda row: row.name, stretches=True),
)


class RunsPanel(Panel):
    """Lists sessions; reports which one to replay or to show in the file manager."""

    replay_requested = Signal(Path)
    open_folder_requested = Signal(Path)
    analyse_requested = Signal(Path)

    def __init__(self, look: Look) -> None:
        """Start with an empty list."""
        super().__init__(look, "Runs")
        self._recording = False
        self.model: RowModel[SessionRow] = RowModel(
            SESSION_COLUMNS, lambda row: row.path, look, self
        )
        self.table = RowTable(self.model, "Recorded runs", _ROW_PX, look)
        self.table.allow_sorting()
        self.table.chosen.connect(self._replay)
        self.heading = QLabel()
        self.heading.setProperty("role", "heading")
        self.replay = self._button("Replay", "Enter", self._replay)
        self.analyse = self._button("Analyse", "E", self._analyse)
        self.folder = self._button("Show folder", "O", self._open_folder)
        self.file = self._button("Open a recording", "Ctrl+O", self._open_file)
        self.note = EmptyNote()
        self.note.pressed.connect(lambda: self.page_wanted.emit("live"))
        self.note.say(
            "Recorded runs will be listed here",
            "Go to Live and press Space: every datagram is kept, and the run can be replayed on "
            "the same pages.",
            "Go to Live",
        )
        self._lay_out()
        self.show_state(FrameState())

    def _button(self, word: str, key: str, pressed: Callable[[], None]) -> QPushButton:
        button = QPushButton(f"{word}  [{key}]")
        button.setAccessibleName(f"{word}, key {key}")
        button.clicked.connect(pressed)
        return button

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        for button in (self.replay, self.analyse, self.folder, self.file):
            top.addWidget(button)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.note)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.stack, 1)
        self.setFocusProxy(self.table)

    def show_state(self, state: FrameState) -> None:
        """List the sessions; a recording in progress is not left for a replay."""
        self._recording = state.recording.active
        self.model.set_rows(state.sessions)
        if self.table.selected() is None and state.sessions:
            self.table.selectRow(0)
        runs = count(len(state.sessions), "run") if state.sessions else ""
        self.heading.setText("Recording: stop it before a replay" if self._recording else runs)
        self.stack.setCurrentIndex(0 if state.sessions else 1)
        self.replay.setEnabled(bool(state.sessions) and not self._recording)
        self.analyse.setEnabled(bool(state.sessions) and not self._recording)
        self.file.setEnabled(not self._recording)
        self.folder.setEnabled(bool(state.sessions))

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.table.set_look(look)

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if action == "open_folder":
            self._open_folder()
        elif action == "analyse_run":
            self._analyse()
        elif action == "open_file" and not self._recording:
            self._open_file()
        else:
            return False
        return True

    def _replay(self) -> None:
        row = self.table.selected()
        if row is not None and not self._recording:
            self.replay_requested.emit(row.path)

    def _analyse(self) -> None:
        row = self.table.selected()
        if row is not None and not self._recording:
            self.page_wanted.emit("analyse")
            self.analyse_requested.emit(row.path)

    def _open_folder(self) -> None:
        row = self.table.selected()
        if row is not None:
            self.open_folder_requested.emit(row.path)

    def _open_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Open a recording", "", "Recordings (*.pcap);;All files (*)"
        )
        if name:
            self.replay_requested.emit(Path(name))
