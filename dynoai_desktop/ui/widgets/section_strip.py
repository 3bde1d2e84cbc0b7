"""The strip above a page in sections: a button for each, and room for what belongs to the page."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from dynoai_desktop.ui.widgets.card import plain_label
from dynoai_desktop.ui.widgets.elided import ElidedLabel


class SectionStrip(QWidget):
    """Knows which section is chosen; the page shows it."""

    chosen = Signal(str)

    def __init__(
        self,
        titles: Mapping[str, str],
        about: ElidedLabel,
        badge: QLabel,
        buttons: tuple[QPushButton, ...],
    ) -> None:
        """*titles* are by key, the first is chosen; *about* takes the room that is left."""
        super().__init__()
        self.tabs: dict[str, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for key, title in titles.items():
            tab = QPushButton(title)
            tab.setProperty("role", "compact")
            tab.setCheckable(True)
            tab.setAutoDefault(True)
            tab.clicked.connect(lambda _checked, key=key: self.chosen.emit(key))
            self.tabs[key] = tab
            row.addWidget(tab)
        hint = plain_label("small", wraps=False)
        hint.setText("[PgUp] [PgDn]")
        row.addWidget(hint)
        row.addWidget(about, 1)
        row.addWidget(badge)
        for button in buttons:
            button.setProperty("role", "compact")
            row.addWidget(button)
        self.show_chosen(next(iter(titles)))

    def show_chosen(self, section: str) -> None:
        """Mark the section in front."""
        self._section = section
        for key, tab in self.tabs.items():
            tab.setChecked(key == section)

    def act(self, action: str) -> bool:
        """Carry out the keys that turn through sections; return False for any other."""
        keys = list(self.tabs)
        step = {"next_section": 1, "section_before": -1}.get(action)
        if step is None:
            return False
        self.chosen.emit(keys[(keys.index(self._section) + step) % len(keys)])
        return True


def simulated_badge(why: str) -> QLabel:
    """Return the mark of what is not real; *why* is read to whoever cannot see it."""
    badge = QLabel("SIMULATED")
    badge.setProperty("role", "badge")
    badge.setAccessibleName(why)
    return badge
