"""The network interfaces a dyno could be on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from dynoai_desktop.ui.messages import InterfaceRow, SourceKind, SourceState
from dynoai_desktop.ui.wording import plain

_ADDRESS = Qt.ItemDataRole.UserRole


class InterfaceList(QListWidget):
    """One row each; Enter or a click chooses it."""

    chosen = Signal(str)

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._listening_on = ""
        self.setAccessibleName("Network interfaces")
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._choose)

    def show_interfaces(self, rows: Sequence[InterfaceRow], source: SourceState) -> None:
        """List *rows*; the highlight follows the address listened on."""
        addresses = [row.address for row in rows]
        if source.interface != self._listening_on:
            self._listening_on = source.interface
            self.clear()
        if addresses != [self.item(i).data(_ADDRESS) for i in range(self.count())]:
            self._relist(addresses)
        for i, (address, description, is_up) in enumerate(rows):
            item = self.item(i)
            item.setText(_words(address, description, is_up, source))
            enabled = item.flags() | Qt.ItemFlag.ItemIsEnabled
            item.setFlags(enabled if is_up else enabled & ~Qt.ItemFlag.ItemIsEnabled)

    def _relist(self, addresses: Sequence[str]) -> None:
        item = self.currentItem()
        kept = item.data(_ADDRESS) if item is not None else self._listening_on
        self.clear()
        for address in addresses:
            made = QListWidgetItem(self)
            made.setData(_ADDRESS, address)
        self.setCurrentRow(addresses.index(kept) if kept in addresses else 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose on Enter."""
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self._choose(item)
        else:
            super().keyPressEvent(event)

    def _choose(self, item: QListWidgetItem) -> None:
        if item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.chosen.emit(item.data(_ADDRESS))


def _words(address: str, description: str, is_up: bool, source: SourceState) -> str:
    state = "" if is_up else "× down"
    if source.interface == address:
        state = {SourceKind.LIVE: "✓ listening", SourceKind.FAILED: "× failed"}.get(
            source.kind, state
        )
    return f"{address}   {state}\n{plain(description)}"
