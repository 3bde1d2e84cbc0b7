"""The bar at the top: vehicle, what kind of data this is, the bus, the recording."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.ui.advice import LOSS_ATTENTION, bus_line
from dynoai_desktop.ui.messages import FrameState, SourceKind, SourceState
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.vehicle_button import VehicleButton
from dynoai_desktop.ui.wording import clock, plain


class Header(QWidget):
    """Draws the frame state and the bus health; the record button reports a press."""

    record_pressed = Signal()
    vehicle_pressed = Signal()

    def __init__(self) -> None:
        """Start with nothing connected."""
        super().__init__()
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.vehicle = VehicleButton()
        self.vehicle.clicked.connect(self.vehicle_pressed)
        self.simulated = QLabel("SIMULATED")
        self.simulated.setAccessibleName("Simulated data, no dyno behind it")
        self.replay = QLabel("REPLAY")
        self.replay.setAccessibleName("Replay of a recording")
        for badge, state in ((self.simulated, ""), (self.replay, "plain")):
            badge.setProperty("role", "badge")
            badge.setProperty("state", state)
        self.bus = ElidedLabel("", "Bus")
        self.bus.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.recording = QLabel()
        self.recording.setTextFormat(Qt.TextFormat.PlainText)
        self.recording.setProperty("role", "heading")
        self.recording.setAccessibleDescription("Recording")
        self.button = QPushButton()
        self.button.setProperty("role", "record")
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Space is its key from everywhere
        self.button.clicked.connect(self.record_pressed)
        self._lay_out()
        self.show_state(FrameState())
        self.show_health(BusHealth(now_us=0), FrameState())

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(16)
        row.addWidget(self.vehicle, 2)
        row.addWidget(self.simulated, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.replay, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.bus, 4)
        row.addWidget(self.recording)
        row.addWidget(self.button)
        self._stripe = QFrame()
        self._stripe.setProperty("role", "simulated")
        self._stripe.setFixedHeight(5)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._stripe)

    def show_state(self, state: FrameState) -> None:
        """Follow vehicle, source and recording."""
        vehicle = plain(state.vehicles.record.name) or "No vehicle"
        self.vehicle.show_names(vehicle, _session_words(state))
        self.replay.setVisible(state.source.is_replay)
        recording = state.recording
        self.recording.setText(_progress_words(state))
        set_state(self.recording, "danger" if recording.active or recording.alarm else "quiet")
        self.button.setText(f"{_button_word(state)}  [Space]")
        self.button.setAccessibleName(f"{_button_word(state)}, key Space")
        set_state(self.button, "recording" if recording.active else "")

    def show_health(self, health: BusHealth, state: FrameState) -> None:
        """Follow the bus: who speaks, what was lost, and whether any of it is simulated."""
        simulated = state.source.simulated or any(p.simulated for p in health.providers)
        self.simulated.setVisible(simulated)
        self._stripe.setVisible(simulated)
        self.bus.setText(_bus_words(state.source, health))
        lossy = any(p.loss > LOSS_ATTENTION for p in health.providers)
        failed = state.source.kind is SourceKind.FAILED
        set_state(self.bus, "danger" if failed else "attention" if lossy else "")


def _session_words(state: FrameState) -> str:
    if state.source.is_replay and state.source.path is not None:
        return plain(state.source.path.name)
    folder = state.recording.folder
    return plain(folder.name) if folder is not None else "no session yet"


def _bus_words(source: SourceState, health: BusHealth) -> str:
    if source.kind is SourceKind.NONE:
        return "not connected"
    if source.kind is SourceKind.FAILED:
        return "× not connected"
    return f"{'◉' if health.providers else '!'} {bus_line(health)}"


def _progress_words(state: FrameState) -> str:
    if state.source.is_replay:
        source = state.source
        pace = "max" if source.speed == 0 else f"{source.speed:g}×"
        word = "ended" if source.finished else "paused" if source.paused else pace
        return f"{clock(source.position_s)} / {clock(source.duration_s)}  {word}"
    if state.recording.active:
        return f"● REC {clock(state.recording.elapsed_s)}"
    return "× REC failed" if state.recording.alarm else "not recording"


def _button_word(state: FrameState) -> str:
    if state.source.is_replay:
        if state.source.finished:
            return "Again"
        return "Play" if state.source.paused else "Pause"
    return "Stop" if state.recording.active else "Record"
