"""Who speaks on the bus: one provider each three lines, updated in place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from dynoai_desktop.core.trust.health import ProviderHealth
from dynoai_desktop.ui.advice import LOSS_ATTENTION
from dynoai_desktop.ui.foreign import is_foreign
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.wording import age, count, number, plain


class ProviderList(QListWidget):
    """Only shows; there is nothing to choose."""

    def __init__(self, look: Look) -> None:
        """Start with nobody."""
        super().__init__()
        self._look = look
        self._shown: tuple[ProviderHealth, ...] = ()
        self._pinned: tuple[str, ...] = ()
        self.setAccessibleName("Providers")
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def set_look(self, look: Look) -> None:
        """Change palette."""
        self._look = look
        self.show_providers(self._shown, self._pinned)

    def show_providers(
        self, providers: Sequence[ProviderHealth], pinned: Sequence[str] = ()
    ) -> None:
        """List *providers* in the order given; with some *pinned*, the others are not used."""
        self._shown, self._pinned = tuple(providers), tuple(pinned)
        while self.count() > len(providers):
            self.takeItem(self.count() - 1)
        while self.count() < len(providers):
            QListWidgetItem(self)
        for i, provider in enumerate(providers):
            item = self.item(i)
            item.setText(provider_words(provider, is_foreign(provider, self._pinned)))
            lossy = provider.loss > LOSS_ATTENTION
            palette = self._look.palette
            item.setForeground(QColor(palette.attention if lossy else palette.text))


def provider_words(row: ProviderHealth, foreign: bool = False) -> str:
    """Return name, channels, datagrams, losses and clock of a provider in three lines."""
    already_said = "SIMULATED" in row.name.upper()
    simulated = "   SIMULATED" if row.simulated and not already_said else ""
    listed = "" if row.list_complete else " so far"
    clock = "clock estimated" if not row.clock_synced else "clock ok"
    if row.clock_synced and row.latency_ms is not None:
        clock += f", {number(row.latency_ms, 1)} ms away"
    sign = "! " if row.loss > LOSS_ATTENTION else ""
    share = f" ({row.loss:.1%})" if row.loss >= 0.0005 else ""
    not_used = "   – not used" if foreign else ""
    return (
        f"{plain(row.name)}{simulated}   {row.channel_count} ch{listed}{not_used}\n"
        f"{count(row.frames, 'frame')} · {sign}lost {number(row.lost, 0)}{share}\n"
        f"{clock} · heard {age(row.age_s)} ago"
    )
