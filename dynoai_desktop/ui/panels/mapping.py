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
from dynoai_desktop.core.trust.transforms import IDENTITY
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.foreign import foreign_words
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState, MappingState, SourceKind
from dynoai_desktop.ui.panels.channel_cells import value_with_unit
from dynoai_desktop.ui.panels.mapping_rows import (
    CONFIDENCE,
    IN_NEED,
    MAPPING_COLUMNS,
    MappingRow,
    confidence_bar,
    mapping_rows,
    row_value,
)
from dynoai_desktop.ui.panels.mapping_wishes import (
    Wish,
    automatic,
    choose,
    leave_empty,
    needs_scale,
    row_filled,
)
from dynoai_desktop.ui.panels.mapping_words import (
    offer_words,
    point_words,
    row_words,
    summary_words,
)
from dynoai_desktop.ui.panels.offers import OfferList
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.pins import pin_rows, toggled
from dynoai_desktop.ui.preferences import load_text
from dynoai_desktop.ui.scales import Scale, scale_of, transform_of, units_for
from dynoai_desktop.ui.trends import Trace, Trends
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.mapping_detail import MappingDetail
from dynoai_desktop.ui.widgets.pick_list import PickList
from dynoai_desktop.ui.widgets.row_model import RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.widgets.scale_form import ScaleForm
from dynoai_desktop.ui.wording import plain

_ROW_PX = 34
_SIDE_PX, _LEAST_SIDE_PX = 430, 284  # at scale 1, and for buttons with gloves
_FILES = "Mappings (*.json);;All files (*)"
_ALL = "mapping/show_all"
_TABLE, _OFFERS, _NOTE = range(3)
_DETAIL, _OFFER, _SCALE, _PINS, _TEMPLATES = range(5)


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
        self._scaled: tuple[Channel, ChannelInfo] | None = None  # what the form is open for
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
        self.note.pressed.connect(lambda: self.page_wanted.emit("connect"))
        self.choose_button = glove_button("Choose", "Enter", self.open_offers)
        self.scale_button = glove_button("Scale", "S", self.open_scale)
        self.automatic_button = glove_button("Automatic", "B", self._automatic)
        self.empty_button = glove_button("Empty", "Del", self._leave_empty)
        self.detail = MappingDetail(
            "About this quantity",
            (self.choose_button, self.scale_button, self.automatic_button, self.empty_button),
        )
        self.offer = MappingDetail(
            "About this channel",
            (
                glove_button("Take it", "Enter", self.offers.take),
                glove_button("Back", "Esc", self._close_offers),
            ),
        )
        self.form = ScaleForm()
        self.form.applied.connect(self._rescale)
        self.form.cancelled.connect(self._close_side)
        self.form.changed.connect(self._show_live_scale)
        self.pins = PickList(
            "Providers",
            "Enter pins a provider, or lets go of it. Channels of the others are heard, counted "
            "and not used, before a run and during it.",
        )
        self.pins.picked.connect(self._toggle_pin)
        self.templates = PickList(
            "Templates", "What channels are called on dynos like yours: hints, no more."
        )
        self.templates.picked.connect(self._use_template)
        for picker in (self.pins, self.templates):
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
        self.left, self.side = QStackedWidget(), QStackedWidget()
        for page in (self.table, self.offers, self.note):  # _TABLE, _OFFERS, _NOTE
            self.left.addWidget(page)
        for page in (self.detail, self.offer, self.form, self.pins, self.templates):
            self.side.addWidget(page)
        beside = QHBoxLayout()
        beside.setSpacing(8)
        beside.addWidget(self.left, 1)
        beside.addWidget(self.side)
        self._fit_side()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.news)
        column.addLayout(tools)
        column.addLayout(beside, 1)
        self.setFocusProxy(self.table)

    def _fit_side(self) -> None:
        # Of fixed width: what is beside the table changes, and the table must not jump with it.
        self.side.setFixedWidth(max(_LEAST_SIDE_PX, round(_SIDE_PX * self.look.scale)))

    # What is shown

    @property
    def mapping(self) -> MappingState:
        """Return the mapping shown."""
        return self._state.mapping

    def show_state(self, state: FrameState) -> None:
        """Follow the mapping."""
        if state.mapping is not self._state.mapping or state.source != self._state.source:
            self._state = state
            self._refill()
        self._state = state
        self._say_what_is_missing()

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
        self._fit_side()
        self.table.set_look(look)
        self.offers.set_look(look)

    def _refill(self) -> None:
        mapping = self.mapping
        self.rows.set_rows(
            mapping_rows(mapping, self._health.channels, self.all_button.isChecked())
        )
        if self.table.selected() is None and self.rows.rowCount():
            self.table.selectRow(self._first_in_need())
        word, line, state = summary_words(mapping)
        self.word.setText(word)
        self.line.setText(line)
        set_state(self.word, state)
        foreign = foreign_words(self._health.providers, mapping.pinned)
        news = (mapping.message, foreign, *(f"{n}." for n in mapping.channel_map.notices))
        self.news.setText("  ".join(plain(n) for n in news if n))
        self.news.setVisible(bool(self.news.text()))
        name_button(self.save_button, "Saved" if mapping.saved else "Save", "Ctrl+S")
        self.pins.show_rows(pin_rows(self._health.providers, mapping.pinned))
        self.templates.show_rows(
            [(t.key, f"{plain(t.title)}\n{plain(t.description)}") for t in mapping.templates]
        )
        if self.left.currentIndex() == _OFFERS:
            self.offers.show_bus(mapping, self._health)
            self._show_offer()
        self._show_detail()
        self._show_live_scale()

    def _first_in_need(self) -> int:
        """Return the first row where something is to be decided, else the first."""
        rows = range(self.rows.rowCount())
        return next((at for at in rows if self.rows.row(at).standing in IN_NEED), 0)

    def _show_detail(self) -> None:
        row: MappingRow | None = self.table.selected()
        if row is None:
            self.detail.say("", "", ())
        else:
            value = row_value(row, self.look)
            self.detail.say(row.title, value, row_words(row, self.look))
        decided = row is not None and row.choice is not None
        self.choose_button.setEnabled(row is not None)
        self.scale_button.setEnabled(row is not None and row.binding is not None)
        self.automatic_button.setEnabled(decided)
        self.empty_button.setEnabled(
            row is not None and not (row.choice and not row.choice.enabled)
        )

    def _show_offer(self) -> None:
        row = self.offers.selected()
        if row is None:
            self.offer.say("", "", ())
        else:
            value = value_with_unit(row.health, self.look)
            self.offer.say(plain(row.health.name), value, offer_words(row, self.offers.slot))

    def _say_what_is_missing(self) -> None:
        if self._health.channels or self.mapping.channel_map.signature:
            if self.left.currentIndex() == _NOTE:
                self.left.setCurrentIndex(_TABLE)
        else:
            source = self._state.source.kind
            self.left.setCurrentIndex(_NOTE)
            none = source in (SourceKind.NONE, SourceKind.FAILED)
            self.note.say(
                "The channels and what they are will be listed here",
                "For every quantity the program names its source, how sure it is, and why. "
                + ("Choose the interface of the dyno first." if none else "Nothing heard yet."),
                "Go to Connect  [1]",
            )

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
        elif self.side.currentIndex() != _DETAIL:
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
            self._scaled = None
            self.left.setCurrentIndex(_OFFERS)
            self.side.setCurrentIndex(_OFFER)
            self.offers.open(row.slot, row.title, self.mapping, self._health)

    def _close_offers(self) -> None:
        if self.left.currentIndex() == _OFFERS:
            self.left.setCurrentIndex(_TABLE)
            self.side.setCurrentIndex(_DETAIL)
            self.table.setFocus()

    def _take(self, source: ChannelInfo) -> None:
        slot = self.offers.slot
        channel = row_filled(slot, source, self.look.display)
        self._close_offers()
        if needs_scale(channel, source):
            self._open_form(Binding(channel, source, IDENTITY, 1.0))
        else:
            self._wish(choose(self.mapping, channel, source))

    def open_scale(self) -> None:
        """Ask what the values of the chosen quantity's source mean."""
        row: MappingRow | None = self.table.selected()
        if row is not None and row.binding is not None and self.left.currentIndex() == _TABLE:
            self._open_form(row.binding)

    def _open_form(self, binding: Binding) -> None:
        scale, _known = scale_of(binding, self.look.display)
        self._scaled = (binding.channel, binding.source)
        self.side.setCurrentIndex(_SCALE)
        title = f"What “{plain(binding.source.name)}” means"
        self.form.open(title, binding.source.unit, scale, units_for(binding.channel))

    def _rescale(self, scale: Scale) -> None:
        if self._scaled is None:
            return
        channel, source = self._scaled
        try:
            channel, transform = transform_of(channel, scale)
        except ValueError as error:
            self.form.refuse(str(error))
            return
        self._close_side()
        self._wish(choose(self.mapping, channel, source, transform))

    def _show_live_scale(self) -> None:
        if self._scaled is None or self.side.currentIndex() != _SCALE:
            return
        channel, source = self._scaled
        heard = next(
            (c.value for c in self._health.channels
             if (c.provider, c.id) == (source.provider, source.id)),
            None,
        )  # fmt: skip
        try:
            channel, transform = transform_of(channel, self.form.scale)
        except ValueError:
            transform = None
        if heard is None or transform is None:
            self.form.show_live("")
        else:
            meant = Binding(channel, source, transform, 1.0)
            self.form.show_live(f"now {point_words(meant, heard, self.look)}")

    def _automatic(self) -> None:
        row: MappingRow | None = self.table.selected()
        if row is not None and self.left.currentIndex() == _TABLE:
            self._wish(automatic(self.mapping, row.slot))

    def _leave_empty(self) -> None:
        row: MappingRow | None = self.table.selected()
        if row is not None and self.left.currentIndex() == _TABLE:
            self._wish(leave_empty(self.mapping, row.slot))

    def _close_side(self) -> None:
        self._scaled = None
        if self.side.currentIndex() != _DETAIL:
            self.side.setCurrentIndex(_DETAIL)
            self.table.setFocus()

    def _open_pins(self) -> None:
        self._close_offers()
        self.side.setCurrentIndex(_PINS)
        self.pins.list.setCurrentRow(0)
        self.pins.setFocus()

    def _toggle_pin(self, name: str) -> None:
        self.providers_pinned.emit(toggled(name, self.mapping.pinned))

    def _open_templates(self) -> None:
        self._close_offers()
        self.side.setCurrentIndex(_TEMPLATES)
        self.templates.setFocus()

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
