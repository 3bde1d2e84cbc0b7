"""What stands beside the mapping table, one at a time: reasons, a form, or a list to pick from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import MappingState
from dynoai_desktop.ui.panels.channel_cells import value_with_unit
from dynoai_desktop.ui.panels.mapping_rows import MappingRow, row_value
from dynoai_desktop.ui.panels.mapping_words import offer_words, row_words
from dynoai_desktop.ui.panels.offer_rows import OfferRow
from dynoai_desktop.ui.panels.pins import pin_rows
from dynoai_desktop.ui.panels.scaling import Scaling
from dynoai_desktop.ui.widgets.mapping_detail import MappingDetail
from dynoai_desktop.ui.widgets.pick_list import PickList
from dynoai_desktop.ui.wording import plain

_WIDTH, _LEAST_WIDTH = 430, 284  # at scale 1, and for buttons with gloves


class MappingSide(QStackedWidget):
    """Of fixed width, so that the table does not jump when something else is shown."""

    def __init__(
        self, look: Look, row_buttons: Sequence[QPushButton], offer_buttons: Sequence[QPushButton]
    ) -> None:
        """Start with the reasons of a row in front."""
        super().__init__()
        self._look = look
        self.row = MappingDetail("About this quantity", row_buttons)
        self.offer = MappingDetail("About this channel", offer_buttons)
        self.scaling = Scaling(look)
        self.pins = PickList(
            "Providers",
            "Enter pins a provider, or lets go of it. Channels of the others are heard, counted "
            "and not used, before a run and during it.",
        )
        self.templates = PickList(
            "Templates", "What channels are called on dynos like yours: hints, no more."
        )
        for page in (self.row, self.offer, self.scaling, self.pins, self.templates):
            self.addWidget(page)
        self.set_look(look)

    @property
    def is_open(self) -> bool:
        """Return True while something asks for a decision."""
        return self.currentWidget() is not self.row

    def open(self, page: QWidget) -> None:
        """Bring a page to the front and give it the keyboard."""
        self.setCurrentWidget(page)
        page.setFocus()

    def show_row(self, row: MappingRow | None) -> None:
        """Say what is known about a quantity."""
        if row is None:
            self.row.say("", "", ())
        else:
            self.row.say(row.title, row_value(row, self._look), row_words(row, self._look))

    def show_offer(self, row: OfferRow | None, slot: Channel) -> None:
        """Say what speaks for a channel as the source of *slot*."""
        if row is None:
            self.offer.say("", "", ())
        else:
            value = value_with_unit(row.health, self._look)
            self.offer.say(plain(row.health.name), value, offer_words(row, slot))

    def show_bus(self, mapping: MappingState, health: BusHealth) -> None:
        """Follow providers, templates and the live value of the form."""
        self.pins.show_rows(pin_rows(health.providers, mapping.pinned))
        self.templates.show_rows(
            [(t.key, f"{plain(t.title)}\n{plain(t.description)}") for t in mapping.templates]
        )
        self.scaling.show_health(health)

    def set_look(self, look: Look) -> None:
        """Change scale and units."""
        self._look = look
        self.scaling.look = look
        self.setFixedWidth(max(_LEAST_WIDTH, round(_WIDTH * look.scale)))
