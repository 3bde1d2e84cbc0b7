"""The rows of channel health: one for each channel of each provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dynoai_desktop.core.channels import CHANNELS
from dynoai_desktop.core.trust.health import BusHealth, ChannelHealth
from dynoai_desktop.core.trust.scoring import slot_of
from dynoai_desktop.core.trust.signals import SourceKey
from dynoai_desktop.core.trust.suggest import Suggestion, Use
from dynoai_desktop.ui.advice import LOSS_ATTENTION, LOSS_DANGER
from dynoai_desktop.ui.foreign import is_foreign
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.channel_cells import (
    STATE_ORDER,
    STATE_WORDS,
    grey_when_old,
    number_key,
    state_colour,
    value_with_unit,
)
from dynoai_desktop.ui.widgets.row_model import Column
from dynoai_desktop.ui.widgets.row_table import TREND
from dynoai_desktop.ui.wording import age, in_sentence, number, plain


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One channel, the loss of its provider, and what it is used for or could be."""

    channel: ChannelHealth
    loss: float  # share of its provider's datagrams that never arrived, 0 to 1
    suggestion: Suggestion | None
    is_foreign: bool  # its provider is not pinned while others are
    is_spare: bool = False  # what it could be is read from another channel

    @property
    def is_used(self) -> bool:
        """Return True when a quantity is read from it."""
        return self.channel.canonical is not None

    @property
    def could_be(self) -> bool:
        """Return True for a channel that is not used and could be: it stands out."""
        use = self.suggestion.use if self.suggestion is not None else Use.UNKNOWN
        open_to = not (self.is_used or self.is_foreign or self.is_spare)
        return open_to and use in (Use.POSSIBLE, Use.UNKNOWN)


def health_rows(
    health: BusHealth,
    suggestions: Mapping[SourceKey, Suggestion],
    pinned: Sequence[str],
) -> tuple[HealthRow, ...]:
    """Return the channels that could be used, then those that are, then the others."""
    providers = {p.name: p for p in health.providers}
    filled = {slot_of(c.canonical) for c in health.channels if c.canonical is not None}
    rows = []
    for channel in health.channels:
        provider = providers.get(channel.provider)
        found = suggestions.get((channel.provider, channel.id))
        could_be = found.channel if found is not None else None
        rows.append(
            HealthRow(
                channel,
                provider.loss if provider is not None else 0.0,
                found,
                provider is not None and is_foreign(provider, pinned),
                could_be is not None and slot_of(could_be) in filled,
            )
        )
    return tuple(sorted(rows, key=lambda row: (not row.could_be, not row.is_used)))


def use_text(row: HealthRow) -> str:
    """Return what a channel is used as, or what it could be."""
    if row.channel.canonical is not None:
        return CHANNELS[row.channel.canonical].title
    if row.is_foreign:
        return "– provider not pinned"
    found = row.suggestion
    if found is None or found.use is Use.UNKNOWN:
        return "? unknown"
    if found.channel is not None and row.is_spare:
        return f"– another {CHANNELS[found.channel].title}"
    if found.channel is not None:
        return f"? {CHANNELS[found.channel].title}, {found.confidence:.0%}"
    return {
        Use.POSSIBLE: "? a voltage",
        Use.RECOGNISED: "– known, not needed",
        Use.SYSTEM: "– about the dyno",
    }.get(found.use, "– not used")


def reason_text(row: HealthRow) -> str:
    """Return what a channel is used for or could be, and why, in one paragraph."""
    used_as, found = row.channel.canonical, row.suggestion
    said = f"“{plain(row.channel.name)}”"
    if used_as is not None:
        said += f" is used as {in_sentence(CHANNELS[used_as].title)}"
    elif found is not None and found.channel is not None:
        said += f" could be {in_sentence(CHANNELS[found.channel].title)} ({found.confidence:.0%})"
    return f"{said}: {plain(found.reason)}." if found is not None else f"{said}."


def bad_samples(channel: ChannelHealth) -> int:
    """Return how many samples were no number or could not be: those are not used."""
    return channel.non_finite + channel.out_of_range


def _use_colour(row: HealthRow, look: Look) -> str | None:
    if row.could_be:
        return look.palette.attention
    return None if row.is_used else look.palette.quiet


def _loss_colour(row: HealthRow, look: Look) -> str | None:
    if row.loss > LOSS_DANGER:
        return look.palette.danger
    return look.palette.attention if row.loss > LOSS_ATTENTION else None


HEALTH_COLUMNS: tuple[Column[HealthRow], ...] = (
    Column(
        "Channel",
        lambda row, _look: plain(row.channel.name),
        lambda row: row.channel.name.casefold(),
        tint=_use_colour,
        stretches=True,
    ),
    Column(
        "Value",
        lambda row, look: value_with_unit(row.channel, look),
        lambda row: number_key(row.channel.value),
        is_number=True,
        tint=lambda row, look: grey_when_old(row.channel, look),
        width=13,
    ),
    Column(TREND, lambda _row, _look: "", lambda _row: 0, width=13, yields=True),
    Column(
        "Used as",
        lambda row, _look: use_text(row),
        lambda row: (not row.is_used, use_text(row)),
        tint=_use_colour,
        width=22,
    ),
    Column(
        "Rate",
        lambda row, _look: f"{number(row.channel.rate_hz, 1)} Hz",
        lambda row: row.channel.rate_hz,
        is_number=True,
        width=7,
    ),
    Column(
        "Age",
        lambda row, _look: age(row.channel.age_s),
        lambda row: number_key(row.channel.age_s),
        is_number=True,
        tint=lambda row, look: grey_when_old(row.channel, look),
        width=6,
    ),
    Column(
        "Lost",
        lambda row, _look: f"{number(row.loss * 100, 1)} %",
        lambda row: row.loss,
        is_number=True,
        tint=_loss_colour,
        width=6,
    ),
    Column(
        "Bad",
        lambda row, _look: number(bad_samples(row.channel), 0),
        lambda row: bad_samples(row.channel),
        is_number=True,
        tint=lambda row, look: look.palette.attention if bad_samples(row.channel) else None,
        width=5,
    ),
    Column(
        "State",
        lambda row, _look: STATE_WORDS[row.channel.state],
        lambda row: STATE_ORDER[row.channel.state],
        tint=lambda row, look: state_colour(row.channel, look),
        width=9,
    ),
    Column(
        "Provider",
        lambda row, _look: plain(row.channel.provider),
        lambda row: row.channel.provider.casefold(),
        width=12,
        yields=True,
    ),
)
