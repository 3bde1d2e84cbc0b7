"""What every page is: it draws what it is shown and reports wishes as signals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import QWidget

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.ui.live_model import Figure
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.preferences import Preferences


class Panel(QWidget):
    """A page of the window. Only the page in front is shown anything."""

    page_wanted = Signal(str)  # key of another page

    def __init__(self, look: Look, title: str) -> None:
        """Start empty, dressed in *look*."""
        super().__init__()
        self.look = look
        self.setProperty("role", "ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(title)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw curves and maps, up to 20 times a second."""

    def show_figures(self, figures: Mapping[Channel, Figure]) -> None:
        """Print digits, four times a second."""

    def show_health(self, health: BusHealth) -> None:
        """Print the state of the bus, up to four times a second."""

    def show_state(self, state: FrameState) -> None:
        """Follow source, recording and session list."""

    def clear(self) -> None:
        """Forget the readings: another source begins."""

    def set_look(self, look: Look) -> None:
        """Change palette, scale or units."""
        self.look = look

    def show_preferences(self, preferences: Preferences) -> None:
        """Follow the settings, whoever changed them."""

    def set_saddle(self, on: bool) -> None:
        """Switch the view for somebody sitting on the vehicle, where the page has one."""

    def take_file(self, path: Path) -> None:
        """Take a file that was dropped on the window, where the page has a use for it."""

    def act(self, action: str) -> bool:
        """Carry out the action of a key; return False when it means nothing here."""
        return False

    def save_state(self, store: QSettings) -> None:
        """Store the page's own layout."""

    def restore_state(self, store: QSettings) -> None:
        """Take the stored layout back; one that does not fit is ignored."""
