"""Connect: which network interface, who speaks there, and every channel they send."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dynoai_desktop.core.trust.health import BusHealth, ChannelHealth
from dynoai_desktop.ui.advice import worst_notice
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState, SourceKind
from dynoai_desktop.ui.panels.connect_columns import CHANNEL_COLUMNS
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.preferences import load_bytes
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.interface_list import InterfaceList
from dynoai_desktop.ui.widgets.provider_list import ProviderList
from dynoai_desktop.ui.widgets.row_model import RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.wording import count

_CHANNEL_ROW_PX = 30
_SPLIT = "connect/split"


class ConnectPanel(Panel):
    """Draws bus health; reports the interface chosen."""

    interface_chosen = Signal(str)

    def __init__(self, look: Look) -> None:
        """Start with nothing heard."""
        super().__init__(look, "Connect")
        self._state = FrameState()
        self._health = BusHealth(now_us=0)
        self.interfaces = InterfaceList()
        self.interfaces.chosen.connect(self.interface_chosen)
        self.simulated = glove_button(
            "Simulated dyno", "F5", lambda: self.page_wanted.emit("simulator")
        )
        self.providers = ProviderList(look)
        self.channels: RowModel[ChannelHealth] = RowModel(
            CHANNEL_COLUMNS, lambda row: (row.provider, row.id), look, self
        )
        self.channel_table = RowTable(self.channels, "Channels", _CHANNEL_ROW_PX, look)
        self.channel_table.allow_sorting()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a channel  [Ctrl+F]")
        self.search.setAccessibleName("Find a channel, key Ctrl+F")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.channels.set_needle)
        self.search.returnPressed.connect(self.channel_table.setFocus)
        self.heading = QLabel()
        self.note = EmptyNote()
        self.note.pressed.connect(self.interfaces.setFocus)
        self._lay_out()
        self.show_state(self._state)

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(8)
        left.addWidget(_heading("Network interface  [Enter]"))
        left.addWidget(self.interfaces, 3)
        left.addWidget(self.simulated)
        left.addWidget(_heading("Providers"))
        left.addWidget(self.providers, 2)
        top = QHBoxLayout()
        self.heading.setProperty("role", "heading")
        top.addWidget(self.heading, 1)
        top.addWidget(self.search, 1)
        listing = QVBoxLayout()
        listing.setContentsMargins(0, 0, 0, 0)
        listing.setSpacing(8)
        listing.addLayout(top)
        listing.addWidget(self.channel_table, 1)
        self.right = QStackedWidget()
        self.right.addWidget(_holder(listing))
        self.right.addWidget(self.note)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(12)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(_holder(left))
        self.split.addWidget(self.right)
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 7)
        self.split.setSizes([300, 700])
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 12, 12, 12)
        row.addWidget(self.split)
        self.setFocusProxy(self.interfaces)

    def show_state(self, state: FrameState) -> None:
        """Follow interfaces and source."""
        self._state = state
        self.interfaces.show_interfaces(state.interfaces, state.source)
        self._say_what_is_missing()

    def show_health(self, health: BusHealth) -> None:
        """Print providers and channels."""
        self._health = health
        self.providers.show_providers(health.providers, self._state.mapping.pinned)
        self.channels.set_rows(health.channels)
        used = sum(1 for channel in health.channels if channel.canonical is not None)
        self.heading.setText(f"{count(len(health.channels), 'channel')}, {used} used")
        self._say_what_is_missing()

    def clear(self) -> None:
        """Forget the bus: another source begins."""
        self.show_health(BusHealth(now_us=0))

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.providers.set_look(look)
        self.channel_table.set_look(look)

    def act(self, action: str) -> bool:
        """Go to the search field."""
        if action == "find":
            self.search.setFocus()
            self.search.selectAll()
            return True
        if action == "back" and (self.search.hasFocus() or self.search.text()):
            self.search.clear()
            self.channel_table.setFocus()
            return True
        return False

    def save_state(self, store: QSettings) -> None:
        """Store where the splitter stands."""
        store.setValue(_SPLIT, self.split.saveState())

    def restore_state(self, store: QSettings) -> None:
        """Put the splitter back."""
        self.split.restoreState(load_bytes(store, _SPLIT))

    def _say_what_is_missing(self) -> None:
        source = self._state.source
        if self._health.channels:
            self.right.setCurrentIndex(0)
            return
        if source.kind is SourceKind.NONE:
            self.note.say(
                "Channels will be listed here",
                "Every value the dyno sends, with its rate, its age and what it is used as. "
                "Choose the interface that leads to the dyno on the left.",
                "Choose an interface",
            )
        else:
            failed = source.kind is SourceKind.FAILED
            notice = worst_notice(self._state, self._health)
            self.note.say(
                "× Not connected" if failed else "Listening",
                notice.text if notice is not None else "No channel has been announced yet.",
                "Choose another interface",
                "danger" if failed else "",
            )
        self.right.setCurrentIndex(1)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def _holder(layout: QHBoxLayout | QVBoxLayout) -> QWidget:
    holder = QWidget()
    holder.setLayout(layout)
    return holder
