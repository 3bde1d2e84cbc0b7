"""The replay bar: play and pause, speed, position."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QWidget,
)

from dynoai_desktop.ui.messages import SourceState
from dynoai_desktop.ui.wording import clock

SPEEDS = (1.0, 4.0, 16.0, 0.0)  # 0: as fast as possible
SEEK_STEP_S = 5.0
_TICKS_PER_S = 10


class Transport(QWidget):
    """Follows the source's state and reports what the user wants of it."""

    paused = Signal(bool)
    speed_changed = Signal(float)
    seeked = Signal(float)
    live_wanted = Signal()

    def __init__(self) -> None:
        """Start with nothing to replay."""
        super().__init__()
        self._source = SourceState()
        self._position_s = 0.0
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.play = self._button("Play", "Space", self.toggle)
        self.speeds = {speed: self._speed_button(speed) for speed in SPEEDS}
        group = QButtonGroup(self)
        for button in self.speeds.values():
            group.addButton(button)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Left and Right are keys of the page
        self.slider.setAccessibleName("Position in the replay")
        self.slider.setPageStep(round(SEEK_STEP_S * _TICKS_PER_S))
        self.slider.actionTriggered.connect(self._slider_moved)
        self.slider.sliderReleased.connect(self._slider_released)
        self.position = QLabel()
        self.position.setAccessibleDescription("Position and duration")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self.play)
        for button in self.speeds.values():
            row.addWidget(button)
        row.addWidget(QLabel("←"))
        row.addWidget(self.slider, 1)
        row.addWidget(QLabel("→"))
        row.addWidget(self.position)
        self.live = self._button("Back to live", "L", self._want_live)
        row.addWidget(self.live)
        self.show_source(self._source)

    def _button(self, word: str, key: str, pressed: Callable[[], None]) -> QPushButton:
        button = QPushButton(f"{word}  [{key}]")
        button.setAccessibleName(f"{word}, key {key}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(pressed)
        return button

    def _speed_button(self, speed: float) -> QPushButton:
        button = QPushButton("max" if speed == 0 else f"{speed:g}×")
        button.setAccessibleName(
            "As fast as possible" if speed == 0 else f"{speed:g} times as fast as it was"
        )
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setCheckable(True)
        button.clicked.connect(lambda: self.speed_changed.emit(speed))
        return button

    def show_source(self, source: SourceState) -> None:
        """Follow the replay; the slider stays in the hand that holds it."""
        self._source = source
        self._position_s = source.position_s
        word = "Again" if source.finished else "Play" if source.paused else "Pause"
        self.play.setText(f"{word}  [Space]")
        self.play.setAccessibleName(f"{word}, key Space")
        self.speeds.get(source.speed, self.speeds[1.0]).setChecked(True)
        self.slider.setMaximum(max(math.ceil(source.duration_s * _TICKS_PER_S), 1))
        if not self.slider.isSliderDown():
            self.slider.setValue(round(source.position_s * _TICKS_PER_S))
        self._print_position(source.position_s)

    def toggle(self) -> None:
        """Pause, go on, or begin again at the end."""
        if self._source.finished:
            self.seek_to(0.0)
            self.paused.emit(False)
        else:
            self.paused.emit(not self._source.paused)

    def seek_by(self, seconds: float) -> None:
        """Seek from where the last wish led, so that quick presses add up."""
        self.seek_to(self._position_s + seconds)

    def seek_to(self, seconds: float) -> None:
        """Seek, within the recording."""
        self._position_s = min(max(seconds, 0.0), self._source.duration_s)
        self._print_position(self._position_s)
        self.seeked.emit(self._position_s)

    def change_speed(self, steps: int) -> None:
        """Go *steps* along SPEEDS; past its ends nothing happens."""
        now = SPEEDS.index(self._source.speed) if self._source.speed in SPEEDS else 0
        wanted = now + steps
        if 0 <= wanted < len(SPEEDS):
            self.speed_changed.emit(SPEEDS[wanted])

    def _want_live(self) -> None:
        self.live_wanted.emit()

    def _slider_moved(self, _action: int) -> None:
        if self.slider.isSliderDown():
            self._print_position(self.slider.sliderPosition() / _TICKS_PER_S)
        else:
            self.seek_to(self.slider.sliderPosition() / _TICKS_PER_S)

    def _slider_released(self) -> None:
        self.seek_to(self.slider.sliderPosition() / _TICKS_PER_S)

    def _print_position(self, seconds: float) -> None:
        self.position.setText(f"{clock(seconds)} / {clock(self._source.duration_s)}")
