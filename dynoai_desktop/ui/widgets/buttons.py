"""Buttons for gloves that say their key and are pressed by Enter as well."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton


def glove_button(word: str, key: str, pressed: Callable[[], object]) -> QPushButton:
    """Return a button that says *word* and *key*; without a key it is reached by Tab."""
    button = QPushButton()
    name_button(button, word, key)
    # Space belongs to the recording, so Enter presses what has the focus.
    button.setAutoDefault(True)
    button.clicked.connect(lambda _checked: pressed())
    return button


def name_button(button: QPushButton, word: str, key: str = "") -> None:
    """Change what a button says."""
    button.setText(f"{word}  [{key}]" if key else word)
    button.setAccessibleName(f"{word}, key {key}" if key else word)
