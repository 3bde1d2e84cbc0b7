"""The rows of the list from which a source is chosen: every live value on the bus."""

from __future__ import annotations

from dataclasses import dataclass

from dynoai_desktop.core.channels import CHANNELS
from dynoai_desktop.core.trust.health import ChannelHealth
from dynoai_desktop.core.trust.offers import Offer
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.channel_cells import grey_when_old, number_key, value_with_unit
from dynoai_desktop.ui.panels.mapping_rows import (
    Standing,
    confidence_standing,
    standing_colour,
    standing_words,
)
from dynoai_desktop.ui.trends import Trends
from dynoai_desktop.ui.widgets.row_model import Column
from dynoai_desktop.ui.widgets.row_table import TREND
from dynoai_desktop.ui.wording import in_units, measured, plain

FITS = "Fits"


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One announced channel as a possible source, with what it says now."""

    offer: Offer
    health: ChannelHealth
    moved: float  # in the last half minute, in the unit sent; NaN when it was silent


def offer_rows(
    offered: tuple[Offer, ...], health: tuple[ChannelHealth, ...], trends: Trends
) -> tuple[OfferRow, ...]:
    """Return the offers with their live values, in the order of the offers."""
    known = {(c.provider, c.id): c for c in health}
    rows = []
    for offer in offered:
        channel = known.get((offer.source.provider, offer.source.id))
        if channel is not None:
            moved = trends.trace(channel.provider, channel.id).moved
            rows.append(OfferRow(offer, channel, moved))
    return tuple(rows)


def _standing(row: OfferRow) -> Standing:
    if row.offer.asked:
        return Standing.AMBIGUOUS
    return confidence_standing(row.offer.confidence) if row.offer.confidence else Standing.NONE


def _fits(row: OfferRow, _look: Look) -> str:
    standing = _standing(row)
    if standing is not Standing.NONE:
        return standing_words(standing, row.offer.confidence or None)
    used_as = row.offer.used_as
    return f"– is {CHANNELS[used_as].title}" if used_as is not None else "–"


def fit_bar(row: OfferRow, look: Look) -> tuple[float, str] | None:
    """Return length and colour of the bar under how well a channel fits."""
    if not row.offer.confidence:
        return None
    return row.offer.confidence, standing_colour(_standing(row), look)


def _moved(row: OfferRow, look: Look) -> str:
    """Return how far the value went: a difference, so the zero of the unit does not count."""
    display, unit = look.display, row.health.unit
    step = in_units(row.moved, unit, display)[0] - in_units(0.0, unit, display)[0]
    return measured(step)


OFFER_COLUMNS: tuple[Column[OfferRow], ...] = (
    Column(
        "Channel",
        lambda row, _look: plain(row.health.name),
        lambda row: row.health.name.casefold(),
        stretches=True,
    ),
    Column(
        "Now",
        lambda row, look: value_with_unit(row.health, look),
        lambda row: number_key(row.health.value),
        is_number=True,
        tint=lambda row, look: grey_when_old(row.health, look),
        width=11,
    ),
    Column("Moved", _moved, lambda row: number_key(row.moved), is_number=True, width=7),
    Column(TREND, lambda _row, _look: "", lambda row: number_key(row.moved), width=14),
    Column(
        FITS,
        _fits,
        lambda row: row.offer.confidence,
        tint=lambda row, look: standing_colour(_standing(row), look),
        width=15,
    ),
    Column(
        "Provider",
        lambda row, _look: plain(row.health.provider),
        lambda row: row.health.provider.casefold(),
        width=10,
        yields=True,
    ),
)
