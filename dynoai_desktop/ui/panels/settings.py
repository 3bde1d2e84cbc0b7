"""Settings: units, mixture, fuel, theme, text size, voice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLabel, QPushButton, QVBoxLayout

from dynoai_desktop.core.units import STOICH_AFR, MixtureScale, UnitSystem
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.preferences import FONT_SCALES, THEMES, Preferences, VoiceMode
from dynoai_desktop.ui.voice_desk import VoiceDesk
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.wording import plain

_Choice = tuple[str, Any]
_BUTTON_WIDTH = 170
_FUEL = "The number beside a fuel is its stoichiometric AFR: AFR shown = λ × it."

# Label, field of Preferences, choices. A new setting is one row.
ROWS: tuple[tuple[str, str, Sequence[_Choice]], ...] = (
    (
        "Units",
        "system",
        (("hp, lb·ft, °F, mph", UnitSystem.US), ("kW, N·m, °C, km/h", UnitSystem.METRIC)),
    ),
    ("Mixture", "mixture", (("AFR", MixtureScale.AFR), ("λ", MixtureScale.LAMBDA))),
    ("Fuel", "fuel", tuple((f"{name}  {afr:g}", name) for name, afr in STOICH_AFR.items())),
    ("Theme", "theme", tuple((name.capitalize(), name) for name in THEMES)),
    ("Text size", "font_scale", tuple((f"{scale:.0%}", scale) for scale in FONT_SCALES)),
    (
        "Voice  [V]",
        "voice",
        (("Off", VoiceMode.OFF), ("Words", VoiceMode.WORDS), ("Error tone too", VoiceMode.TONE)),
    ),
)


class SettingsPanel(Panel):
    """One row of buttons each; a press takes effect at once."""

    settings_changed = Signal(object)  # Preferences

    def __init__(self, look: Look, preferences: Preferences, voice: VoiceDesk) -> None:
        """Show *preferences* as chosen, and what can be heard of the *voice* on this machine."""
        super().__init__(look, "Settings")
        self._preferences = preferences
        self.buttons: dict[tuple[str, Any], QPushButton] = {}
        title = QLabel("Settings")
        title.setProperty("role", "title")
        self.try_voice = QPushButton("Say something")
        self.try_voice.setAccessibleName("Say something: try the voice")
        self.try_voice.setEnabled(voice.output.can_speak)
        self.try_voice.clicked.connect(voice.try_out)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(12)
        for at, (label, field, choices) in enumerate(ROWS):
            grid.addWidget(QLabel(label), at, 0)
            if field == "voice":
                grid.addWidget(self.try_voice, at, len(choices) + 1)
            group = QButtonGroup(self)
            for column, (text, value) in enumerate(choices, start=1):
                button = self._button(label, text, field, value)
                group.addButton(button)
                grid.addWidget(button, at, column)
        columns = max(len(choices) for _, _, choices in ROWS)
        for column in range(1, columns + 1):
            grid.setColumnMinimumWidth(column, _BUTTON_WIDTH)
        grid.setColumnStretch(columns + 1, 1)
        self.hint = QLabel(_FUEL)
        self.hint.setProperty("role", "small")
        self.hint.setWordWrap(True)
        self.voice = QLabel(voice.words)
        voice.words_changed.connect(self.voice.setText)
        self.voice.setProperty("role", "small")
        self.voice.setWordWrap(True)
        limits = glove_button("Gates and alerts", "F4", lambda: self.page_wanted.emit("limits"))
        back = QLabel("Esc goes back. The recording goes on meanwhile.")
        back.setProperty("role", "small")
        page = QVBoxLayout(self)
        page.setContentsMargins(32, 24, 32, 24)
        page.setSpacing(16)
        for widget in (title, self.hint, self.voice, back):
            widget.setTextFormat(Qt.TextFormat.PlainText)
        page.addWidget(title)
        page.addLayout(grid)
        page.addWidget(self.hint)
        page.addWidget(self.voice)
        page.addWidget(limits, 0, Qt.AlignmentFlag.AlignLeft)
        page.addWidget(back)
        page.addStretch(1)

    def show_state(self, state: FrameState) -> None:
        """Say whose fuel counts: a vehicle in use brings its own."""
        record = state.vehicles.record
        own = f" {plain(record.name)} brings its own fuel, {record.fuel}: that counts now  [F9]."
        self.hint.setText(_FUEL + own if record.name else _FUEL)

    def show_preferences(self, preferences: Preferences) -> None:
        """Follow what a key changed."""
        self._preferences = preferences
        for (field, value), button in self.buttons.items():
            button.setChecked(getattr(preferences, field) == value)

    def _button(self, label: str, text: str, field: str, value: Any) -> QPushButton:
        button = QPushButton(text)
        button.setCheckable(True)
        button.setChecked(getattr(self._preferences, field) == value)
        button.setAccessibleName(f"{label}: {text}")
        button.clicked.connect(self._change(field, value))
        self.buttons[field, value] = button
        return button

    def _change(self, field: str, value: Any) -> Callable[[], None]:
        def change() -> None:
            self._preferences = replace(self._preferences, **{field: value})
            self.settings_changed.emit(self._preferences)

        return change
