"""The two pages one reads: what every key does, and what this program is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from dynoai_desktop.ui.keys import KEYS, MORE_KEYS
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.panel import Panel

_COLUMNS = 2


class KeysPanel(Panel):
    """The keyboard on one page."""

    def __init__(self, look: Look, page_keys: tuple[tuple[str, str], ...]) -> None:
        """List *page_keys*, pairs of key and page, and every other key."""
        super().__init__(look, "Keys")
        rows = [(key, f"Go to {title}") for key, title in page_keys]
        rows += [("  ".join(row.keys), row.text) for row in KEYS]
        rows += MORE_KEYS
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(8)
        half = -(-len(rows) // _COLUMNS)
        for i, (key, text) in enumerate(rows):
            column = 2 * (i // half)
            grid.addWidget(_label(key, "heading"), i % half, column)
            grid.addWidget(_label(text), i % half, column + 1)
        grid.setColumnStretch(2 * _COLUMNS, 1)
        grid.setRowStretch(half, 1)
        holder = QWidget()
        holder.setProperty("role", "ground")
        holder.setLayout(grid)
        self.scroll = QScrollArea()
        self.scroll.setWidgetResizable(True)
        self.scroll.setWidget(holder)
        self.scroll.setAccessibleName("Keys")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(32, 24, 32, 24)
        layout.setSpacing(16)
        layout.addWidget(_label("Keys", "title"))
        layout.addWidget(self.scroll, 1)
        layout.addWidget(_label("A USB foot pedal that sends Space records and stops.", "small"))
        self.setFocusProxy(self.scroll)  # arrows and page keys scroll


class AboutPanel(Panel):
    """Version, licence and the notices of what the program is made with."""

    def __init__(self, look: Look, version: str, notices: str) -> None:
        """Show *version* and the third-party *notices*."""
        super().__init__(look, "About")
        self.notices = QPlainTextEdit(notices)
        self.notices.setReadOnly(True)
        self.notices.setAccessibleName("Third-party notices")
        self.version = _label(f"DynoAI Desktop {version}", "title")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(32, 24, 32, 24)
        layout.setSpacing(16)
        layout.addWidget(self.version)
        layout.addWidget(
            _label("Live measurement, diagnosis and planning beside the dyno. MIT licence.")
        )
        layout.addWidget(_label("Made with", "heading"))
        layout.addWidget(self.notices, 1)


def _label(text: str, role: str = "") -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    return label
