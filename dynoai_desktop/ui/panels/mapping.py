"""Mapping: which channel is what, how sure, why; and choosing another source by its live value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
)

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Binding
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.core.trust.transforms import IDENTITY, Transform
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState, MappingState
from dynoai_desktop.ui.panels.mapping_rows import (
    CONFIDENCE,
    IN_NEED,
    MAPPING_COLUMNS,
    MappingRow,
    confidence_bar,
    mapping_rows,
)
from dynoai_desktop.ui.panels.mapping_side import MappingSide
from dynoai_desktop.ui.panels.mapping_wishes import (
    Wish,
    automatic,
    choose,
    leave_empty,
    needs_scale,
    row_filled,
)
from dynoai_desktop.ui.panels.mapping_words import (
    EMPTY_WORDS,
    news_words,
    summary_words,
)
from dynoai_desktop.ui.panels.offers import OfferList
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.pins import toggled
from dynoai_desktop.ui.preferences import load_text
from dynoai_desktop.ui.trends import Trace, Trends
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.row_model import RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable

_ROW_PX = 34
_FILES = "Mappings (*.json);;All files (*)"
_ALL = "mapping/show_all"
_TABLE, _OFFERS, _NOTE = range(3)


class MappingPanel(Panel):
    """Draws the mapping; reports every decision about it."""

    mapping_chosen = Signal(object, object)  # Channel; Choice, or None for automatic
    mapping_save_requested = Signal()
    mapping_export_requested = Signal(Path)
    mapping_import_requested = Signal(Path)
    mapping_template_requested = Signal(str)  # key of a TemplateRow
    providers_pinned = Signal(object)  # tuple of provider names; empty: all

    def __init__(self, look: Look, trends: Trends) -> None:
        """Start with nothing announced."""
        super().__init__(look, "Mapping")
        self._state = FrameState()
        self._health = BusHealth(now_us=0)
        self.word, self.line = QLabel(), ElidedLabel("", "State of the mapping")
        self.word.setProperty("role", "title")
        self.news = ElidedLabel("small", "News")
        self.rows: RowModel[MappingRow] = RowModel(
            MAPPING_COLUMNS, lambda row: row.slot, look, self
        )
        self.table = RowTable(self.rows, "Quantities and their sources", _ROW_PX, look)
        self.table.draw_trends(lambda row: _trace(row, trends))
        self.table.draw_bars(CONFIDENCE, confidence_bar)
        self.table.chosen.connect(self.open_offers)
        self.table.selectionModel().currentChanged.connect(self._show_detail)
        self.offers = OfferList(look, trends)
        self.offers.taken.connect(self._take)
        self.offers.current_changed.connect(self._show_offer)
        self.note = EmptyNote()
        self.note.say(*EMPTY_WORDS)
        self.note.pressed.connect(lambda: self.page_wanted.emit("connect"))
        self.choose_button = glove_button("Choose", "Enter", self.open_offers)
        self.scale_button = glove_button("Scale", "S", self.open_scale)
        self.automatic_button = glove_button("Automatic", "B", self._automatic)
        self.empty_button = glove_button("Empty", "Del", self._leave_empty)
        self.side = MappingSide(
            look,
            (self.choose_button, self.scale_button, self.automatic_button, self.empty_button),
            (
                glove_button("Take it", "Enter", self.offers.take),
                glove_button("Back", "Esc", self._close_offers),
            ),
        )
        self.side.scaling.decided.connect(self._rescale)
        self.side.scaling.cancelled.connect(self._close_side)
        self.side.pins.picked.connect(self._toggle_pin)
        self.side.templates.picked.connect(self._use_template)
        for picker in (self.side.pins, self.side.templates):
            picker.left.connect(self._close_side)
        self._make_tools()
        self._lay_out()
        self.show_state(self._state)

    def _make_tools(self) -> None:
        self.all_button = glove_button("Show all", "H", self._refill)
        self.all_button.setCheckable(True)
        self.save_button = glove_button("Save", "Ctrl+S", self.mapping_save_requested.emit)
        self._tools = {
            "show_all": self.all_button,
            "save": self.save_button,
            "export": glove_button("Export", "Ctrl+E", self._export),
            "import": glove_button("Import", "Ctrl+I", self._import),
            "templates": glove_button("Templates", "Ctrl+T", self._open_templates),
            "pin": glove_button("Providers", "Ctrl+P", self._open_pins),
        }

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(self.word)
        top.addWidget(self.line, 1)
        tools = QHBoxLayout()
        tools.setSpacing(8)
        for button in self._tools.values():
            tools.addWidget(button, 1)
        self.left = QStackedWidget()
        for page in (self.table, self.offers, self.note):  # _TABLE, _OFFERS, _NOTE
            self.left.addWidget(page)
        beside = QHBoxLayout()
        beside.setSpacing(8)
        beside.addWidget(self.left, 1)
        beside.addWidget(self.side)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.news)
        column.addLayout(tools)
        column.addLayout(beside, 1)
        self.setFocusProxy(self.table)

    # What is shown

    @property
    def mapping(self) -> MappingState:
        """Return the mapping shown."""
        return self._state.mapping

    def show_state(self, state: FrameState) -> None:
        """Follow the mapping."""
        self._state = state
        self._refill()

    def show_health(self, health: BusHealth) -> None:
        """Print live values."""
        self._health = health
        self._refill()

    def clear(self) -> None:
        """Forget the bus: another source begins."""
        self._close_side()
        self._close_offers()
        self.show_health(BusHealth(now_us=0))

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.table.set_look(look)
        self.offers.set_look(look)
        self.side.set_look(look)

    def _refill(self) -> None:
        mapping = self.mapping
        is_known = bool(mapping.channel_map.signature)  # before, everything would seem missing
        rows = mapping_rows(mapping, self._health.channels, self.all_button.isChecked())
        self.rows.set_rows(rows if is_known else ())
        if self.table.selected() is None and self.rows.rowCount():
            self.table.selectRow(self._first_in_need())
        word, line, state = summary_words(mapping)
        self.word.setText(word)
        self.line.setText(line)
        set_state(self.word, state)
        self.news.setText(news_words(mapping, self._health.providers))
        self.news.setVisible(bool(self.news.text()))
        name_button(self.save_button, "Saved" if mapping.saved else "Save", "Ctrl+S")
        for key in ("save", "export"):
            self._tools[key].setEnabled(bool(mapping.channel_map.bindings))
        self.side.show_bus(mapping, self._health)
        if not is_known:
            self.left.setCurrentIndex(_NOTE)
        elif self.left.currentIndex() == _NOTE:
            self.left.setCurrentIndex(_TABLE)
            if self.isVisible() and not self.side.is_open:
                self.table.setFocus()
        if self.left.currentIndex() == _OFFERS:
            self.offers.show_bus(mapping, self._health)
            self._show_offer()
        self._show_detail()

    def _first_in_need(self) -> int:
        """Return the first row where something is to be decided, else the first."""
        rows = range(self.rows.rowCount())
        return next((at for at in rows if self.rows.row(at).standing in IN_NEED), 0)

    def _show_detail(self) -> None:
        row: MappingRow | None = self.table.selected()
        self.side.show_row(row)
        decided = row is not None and row.choice is not None
        self.choose_button.setEnabled(row is not None)
        self.scale_button.setEnabled(row is not None and row.binding is not None)
        self.automatic_button.setEnabled(decided)
        self.empty_button.setEnabled(
            row is not None and not (row.choice and not row.choice.enabled)
        )

    def _show_offer(self) -> None:
        self.side.show_offer(self.offers.selected(), self.offers.slot)

    # Wishes

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        acts: dict[str, Callable[[], object]] = {
            "scale": self.open_scale,
            "automatic": self._automatic,
            "leave_empty": self._leave_empty,
            "find": self._find,
        }
        if action in self._tools:
            self._tools[action].click()
        elif action in acts:
            acts[action]()
        elif action == "back":
            return self._back()
        else:
            return False
        return True

    def _back(self) -> bool:
        """Leave the innermost thing that is open; False when nothing is."""
        if self.left.currentIndex() == _OFFERS:
            if not self.offers.clear_search():
                self._close_offers()
        elif self.side.is_open:
            self._close_side()
        else:
            return False
        return True

    def _wish(self, wishes: Iterable[Wish]) -> None:
        for channel, choice in wishes:
            self.mapping_chosen.emit(channel, choice)

    def _find(self) -> None:
        if self.left.currentIndex() == _TABLE:
            self.open_offers()
        self.offers.find()

    def open_offers(self) -> None:
        """List every live value that the chosen quantity could be read from."""
        row: MappingRow | None = self.table.selected()
        if row is not None and self.left.currentIndex() == _TABLE:
            self.left.setCurrentIndex(_OFFERS)
            self.side.setCurrentWidget(self.side.offer)
            self.offers.open(row.slot, row.title, self.mapping, self._health)

    def _close_offers(self) -> None:
        if self.left.currentIndex() == _OFFERS:
            self.left.setCurrentIndex(_TABLE)
            self.side.setCurrentWidget(self.side.row)
            self.table.setFocus()

    def _take(self, source: ChannelInfo) -> None:
        slot = self.offers.slot
        channel = row_filled(slot, source, self.look.display)
        self._close_offers()
        if needs_scale(channel, source):
            self._open_scaling(Binding(channel, source, IDENTITY, 1.0))
        else:
            self._wish(choose(self.mapping, channel, source))

    def _decidable(self) -> MappingRow | None:
        """Return the chosen row, unless something else is being decided."""
        if self.left.currentIndex() != _TABLE or self.side.is_open:
            return None
        return self.table.selected()

    def open_scale(self) -> None:
        """Ask what the values of the chosen quantity's source mean."""
        row = self._decidable()
        if row is not None and row.binding is not None:
            self._open_scaling(row.binding)

    def _open_scaling(self, binding: Binding) -> None:
        self.side.setCurrentWidget(self.side.scaling)
        self.side.scaling.begin(binding, self._health)

    def _rescale(self, channel: Channel, source: ChannelInfo, transform: Transform) -> None:
        self._close_side()
        self._wish(choose(self.mapping, channel, source, transform))

    def _automatic(self) -> None:
        row = self._decidable()
        if row is not None:
            self._wish(automatic(self.mapping, row.slot))

    def _leave_empty(self) -> None:
        row = self._decidable()
        if row is not None:
            self._wish(leave_empty(self.mapping, row.slot))

    def _close_side(self) -> None:
        if self.side.is_open:
            self.side.setCurrentWidget(self.side.row)
            self.table.setFocus()

    def _open_pins(self) -> None:
        self._close_offers()
        self.side.pins.list.setCurrentRow(0)
        self.side.open(self.side.pins)

    def _toggle_pin(self, name: str) -> None:
        self.providers_pinned.emit(toggled(name, self.mapping.pinned))

    def _open_templates(self) -> None:
        self._close_offers()
        self.side.open(self.side.templates)

    def _use_template(self, key: str) -> None:
        self._close_side()
        self.mapping_template_requested.emit(key)

    def _export(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Export the mapping", "mapping.json", _FILES)
        if name:
            self.mapping_export_requested.emit(Path(name))

    def _import(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Import a mapping", "", _FILES)
        if name:
            self.mapping_import_requested.emit(Path(name))

    def save_state(self, store: QSettings) -> None:
        """Store whether all quantities are listed."""
        store.setValue(_ALL, "yes" if self.all_button.isChecked() else "no")

    def restore_state(self, store: QSettings) -> None:
        """Take it back."""
        self.all_button.setChecked(load_text(store, _ALL) == "yes")


def _trace(row: MappingRow, trends: Trends) -> tuple[Trace, Unit] | None:
    if row.binding is None:
        return None
    source = row.binding.source
    return trends.trace(source.provider, source.id), source.unit
