"""One of a few, chosen with two buttons or the arrow keys, in the height of a button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state


class Stepper(QFrame):
    """Shows the choice; reports another one."""

    changed = Signal(str)  # key

    def __init__(self, name: str) -> None:
        """Start without choices."""
        super().__init__()
        self._name = name
        self._rows: tuple[tuple[str, str], ...] = ()
        self._at = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("role", "check")
        self.text = ElidedLabel("", name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self.buttons = (self._button("◂", "before", -1), self._button("▸", "next", 1))
        row.addWidget(self.buttons[0])
        row.addWidget(self.text, 1)
        row.addWidget(self.buttons[1])

    def _button(self, sign: str, word: str, step: int) -> QPushButton:
        button = QPushButton(sign)
        button.setAccessibleName(f"{self._name}: {word}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrow keys do the same
        button.clicked.connect(lambda: self._step(step))
        return button

    @property
    def key(self) -> str:
        """Return what is chosen, "" before there are choices."""
        return self._rows[self._at][0] if self._rows else ""

    def show_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Offer pairs of key and text; what is chosen stays chosen."""
        kept = self.key
        self._rows = tuple(rows)
        self._at = 0
        self.choose(kept)

    def choose(self, key: str) -> None:
        """Show a choice without reporting it; one that is not there changes nothing."""
        keys = [row[0] for row in self._rows]
        if key in keys:
            self._at = keys.index(key)
        text = self._rows[self._at][1] if self._rows else ""
        self.text.setText(text)
        self.setAccessibleName(f"{self._name}: {text}")

    def next(self) -> None:
        """Go on to the next choice, as a key of the page may."""
        self._step(1)

    def _step(self, step: int) -> None:
        if self._rows:
            self._at = (self._at + step) % len(self._rows)
            self.choose(self.key)
            self.changed.emit(self.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with the arrows."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if (key := Qt.Key(event.key())) in steps:
            self._step(steps[key])
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Frame what the arrows change."""
        super().focusInEvent(event)
        set_state(self, "chosen")

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the frame away."""
        super().focusOutEvent(event)
        set_state(self, "")
