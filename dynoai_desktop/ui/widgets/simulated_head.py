"""The head of a page that rehearses: the badge, what goes on, and one sentence about it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout

from dynoai_desktop.ui.widgets.elided import ElidedLabel


class SimulatedHead(QHBoxLayout):
    """Badge and words; the page adds its buttons to the right."""

    def __init__(self, word: str, detail: str) -> None:
        """Name the two lines for those who hear the screen."""
        super().__init__()
        self.badge = QLabel("SIMULATED")
        self.badge.setProperty("role", "badge")
        self.word = ElidedLabel("title", word)
        self.detail = ElidedLabel("", detail)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.word)
        words.addWidget(self.detail)
        self.setSpacing(16)
        self.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignVCenter)
        self.addLayout(words, 1)
