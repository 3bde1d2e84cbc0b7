"""The list from which a source is chosen, in the place of the mapping table."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.core.trust.offers import Offer, offers
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import MappingState
from dynoai_desktop.ui.panels.offer_rows import FITS, OFFER_COLUMNS, OfferRow, fit_bar, offer_rows
from dynoai_desktop.ui.trends import Trends
from dynoai_desktop.ui.widgets.elided import ElidedLabel
from dynoai_desktop.ui.widgets.row_model import RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable

_ROW_PX = 38


class OfferList(QWidget):
    """Every live value, the likely ones first; Enter takes one."""

    taken = Signal(object)  # ChannelInfo
    current_changed = Signal()

    def __init__(self, look: Look, trends: Trends) -> None:
        """Start closed."""
        super().__init__()
        self._trends = trends
        self._known: tuple[object, ...] = ()
        self._offers: tuple[Offer, ...] = ()
        self.slot = Channel.RPM
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.hint = ElidedLabel("small", "What to do")
        self.hint.setText("Blip the throttle and watch which value moves as it should.")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a channel  [Ctrl+F]")
        self.search.setAccessibleName("Find a channel, key Ctrl+F")
        self.search.setClearButtonEnabled(True)
        self.rows: RowModel[OfferRow] = RowModel(
            OFFER_COLUMNS, lambda row: (row.health.provider, row.health.id), look, self
        )
        self.table = RowTable(self.rows, "Live values to choose from", _ROW_PX, look)
        self.table.allow_sorting()
        self.table.draw_trends(
            lambda row: (trends.trace(row.health.provider, row.health.id), row.health.unit)
        )
        self.table.draw_bars(FITS, fit_bar)
        self.table.chosen.connect(self.take)
        self.table.selectionModel().currentChanged.connect(self._tell_current)
        self.search.textChanged.connect(self._find)
        self.search.returnPressed.connect(self.table.setFocus)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.search, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.hint)
        column.addWidget(self.table, 1)
        self.setFocusProxy(self.table)

    def open(self, slot: Channel, title: str, mapping: MappingState, health: BusHealth) -> None:
        """List the channels that *slot* could be read from; the present source is chosen."""
        self.slot = slot
        self.title.setText(f"Source of {title}")
        self.search.clear()
        self._known = ()
        self.show_bus(mapping, health)
        self.table.selectRow(0)
        self.table.scrollToTop()
        self.table.setFocus()

    def show_bus(self, mapping: MappingState, health: BusHealth) -> None:
        """Follow live values; who is offered is worked out when the list or the mapping changes."""
        infos = [ChannelInfo(c.provider, c.id, c.name, c.unit) for c in health.channels]
        known = (self.slot, tuple(infos), mapping)
        if known != self._known:
            self._known = known
            self._offers = offers(self.slot, infos, mapping.channel_map, mapping.evidence)
        self.rows.set_rows(offer_rows(self._offers, health.channels, self._trends))

    def take(self) -> None:
        """Choose the channel in front."""
        row = self.selected()
        if row is not None:
            self.taken.emit(row.offer.source)

    def selected(self) -> OfferRow | None:
        """Return the channel in front."""
        return self.table.selected()

    def find(self) -> None:
        """Go to the search field."""
        self.search.setFocus()
        self.search.selectAll()

    def clear_search(self) -> bool:
        """Leave the search; False when nothing was searched for."""
        if not (self.search.text() or self.search.hasFocus()):
            return False
        self.search.clear()
        self.table.setFocus()
        return True

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self.table.set_look(look)

    def _tell_current(self) -> None:
        self.current_changed.emit()

    def _find(self, text: str) -> None:
        self.rows.set_needle(text)
        if self.selected() is None and self.rows.rowCount():
            self.table.selectRow(0)
