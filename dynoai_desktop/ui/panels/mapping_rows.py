"""The rows of the mapping: one for each quantity, whatever is known of its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from dynoai_desktop.core.channels import CARRIED, CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Binding, ChannelMap, Choice, Rejection
from dynoai_desktop.core.trust.health import ChannelHealth, ChannelState
from dynoai_desktop.core.trust.mapping import RECOMMENDED, REQUIRED
from dynoai_desktop.core.trust.scoring import slot_of
from dynoai_desktop.core.trust.signals import SourceKey
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import MappingState
from dynoai_desktop.ui.widgets.row_model import Column
from dynoai_desktop.ui.widgets.row_table import TREND
from dynoai_desktop.ui.wording import ABSENT, in_units, measured, plain

CONFIDENCE = "Confidence"
_SURE, _LIKELY = 0.8, 0.5

# One slot takes AFR or lambda, whichever the controller sends.
_MIXTURE_TITLES: dict[Channel, str] = {
    Channel.LAMBDA_FRONT: "AFR or λ front",
    Channel.LAMBDA_REAR: "AFR or λ rear",
    Channel.LAMBDA: "AFR or λ, one for both",
}
_GROUP_OF = {slot: name for name, group in REQUIRED.items() for slot in group}


class Standing(Enum):
    """How the source of a quantity is known: sign, word, colour of the palette."""

    CHOSEN = ("✓", "chosen", "good")
    SURE = ("✓", "sure", "good")
    LIKELY = ("!", "likely", "attention")
    DOUBTFUL = ("×", "doubtful", "danger")
    AMBIGUOUS = ("?", "ambiguous", "attention")
    MISSING = ("×", "missing", "danger")
    RECOMMENDED = ("!", "missing", "attention")
    EMPTY = ("–", "left empty", "quiet")
    NONE = ("–", "not mapped", "quiet")


IN_NEED = frozenset({Standing.MISSING, Standing.AMBIGUOUS, Standing.DOUBTFUL})
"""Standings that keep a run from being ready."""


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One quantity, its source if there is one, and what is wrong with it."""

    slot: Channel
    standing: Standing
    binding: Binding | None = None
    health: ChannelHealth | None = None  # of the source
    rivals: tuple[ChannelInfo, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    choice: Choice | None = None

    @property
    def title(self) -> str:
        """Return what the quantity is called."""
        if self.binding is not None:
            return CHANNELS[self.binding.channel].title
        return _MIXTURE_TITLES.get(self.slot, CHANNELS[self.slot].title)

    @property
    def channel(self) -> Channel:
        """Return the canonical channel, the AFR row where the source sends AFR."""
        return self.binding.channel if self.binding is not None else self.slot

    @property
    def value(self) -> float | None:
        """Return the last value in the unit of the canonical channel."""
        if self.binding is None or self.health is None or self.health.value is None:
            return None
        return self.binding.transform.apply(self.health.value)

    @property
    def is_stale(self) -> bool:
        """Return True when the source is not heard any more."""
        return self.health is None or self.health.state is ChannelState.STALE


def mapping_rows(
    state: MappingState, health: Iterable[ChannelHealth], show_all: bool
) -> tuple[MappingRow, ...]:
    """Return one row for every quantity that is mapped, needed or decided about, in table order."""
    known = {(c.provider, c.id): c for c in health}
    bindings = {slot_of(b.channel): b for b in state.channel_map.bindings.values()}
    choices = {slot_of(channel): choice for channel, choice in state.choices.items()}
    rivals = {slot_of(c): infos for c, infos in state.channel_map.ambiguous.items()}
    needed = _needed(state.channel_map, bindings)
    rows = [
        _row(slot, state.channel_map, bindings.get(slot), choices.get(slot), rivals, known)
        for slot in CARRIED
    ]
    return tuple(
        row
        for row in rows
        if show_all or row.slot in needed or row.choice or row.standing is not Standing.NONE
    )


def _needed(channel_map: ChannelMap, bound: Iterable[Channel]) -> frozenset[Channel]:
    """Return the quantities listed even without a source: what a run needs or should have.

    Widebands come as one for each cylinder group or as one for both.
    """
    slots = frozenset(_GROUP_OF).union(RECOMMENDED)
    if "afr_or_lambda" in channel_map.unmapped_required:
        return slots
    one_for_both = Channel.LAMBDA in bound
    sided = {Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR}
    return slots - (sided if one_for_both else {Channel.LAMBDA})


def _row(
    slot: Channel,
    channel_map: ChannelMap,
    binding: Binding | None,
    choice: Choice | None,
    rivals: Mapping[Channel, tuple[ChannelInfo, ...]],
    known: Mapping[SourceKey, ChannelHealth],
) -> MappingRow:
    missing = _GROUP_OF.get(slot, "") in channel_map.unmapped_required
    recommended = slot in RECOMMENDED
    source = (binding.source.provider, binding.source.id) if binding is not None else None
    return MappingRow(
        slot=slot,
        standing=_standing(binding, choice, slot in rivals, missing, recommended),
        binding=binding,
        health=known.get(source) if source is not None else None,
        rivals=rivals.get(slot, ()),
        rejected=tuple(r for r in channel_map.rejected if slot_of(r.channel) is slot),
        choice=choice,
    )


def _standing(
    binding: Binding | None,
    choice: Choice | None,
    is_ambiguous: bool,
    is_missing: bool,
    is_recommended: bool,
) -> Standing:
    if binding is not None and binding.chosen:
        return Standing.CHOSEN
    if is_ambiguous:
        return Standing.AMBIGUOUS
    if binding is not None:
        return confidence_standing(binding.confidence)
    if is_missing:
        return Standing.MISSING
    if choice is not None and not choice.enabled:
        return Standing.EMPTY
    return Standing.RECOMMENDED if is_recommended else Standing.NONE


def confidence_standing(confidence: float) -> Standing:
    """Return the word for a confidence, 0 to 1."""
    if confidence >= _SURE:
        return Standing.SURE
    return Standing.LIKELY if confidence >= _LIKELY else Standing.DOUBTFUL


def standing_colour(standing: Standing, look: Look) -> str:
    """Return the colour of a standing."""
    return getattr(look.palette, standing.value[2])


def standing_words(standing: Standing, confidence: float | None) -> str:
    """Return sign, number and word; the number only where there is a source."""
    sign, word, _ = standing.value
    return f"{sign} {word}" if confidence is None else f"{sign} {confidence:.0%} {word}"


def _source(row: MappingRow, _look: Look) -> str:
    if row.binding is not None:
        return plain(row.binding.source.name)
    if row.rivals:
        return " or ".join(f"“{plain(i.name)}”" for i in row.rivals)
    return ABSENT


def _provider(row: MappingRow, _look: Look) -> str:
    return plain(row.binding.source.provider) if row.binding is not None else ""


def row_value(row: MappingRow, look: Look) -> str:
    """Return the live value with its unit, as the tuner reads it."""
    value = row.value
    if value is None:
        return ABSENT
    shown, unit = in_units(value, CHANNELS[row.channel].unit, look.display)
    return f"{measured(shown)} {unit.value}".rstrip()


def _confidence(row: MappingRow, _look: Look) -> str:
    return standing_words(row.standing, row.binding.confidence if row.binding else None)


def confidence_bar(row: MappingRow, look: Look) -> tuple[float, str] | None:
    """Return length and colour of the confidence bar; none without a source."""
    if row.binding is None:
        return None
    return row.binding.confidence, standing_colour(row.standing, look)


def _quiet_without_source(row: MappingRow, look: Look) -> str | None:
    return look.palette.quiet if row.binding is None and not row.rivals else None


MAPPING_COLUMNS: tuple[Column[MappingRow], ...] = (
    Column(
        "Quantity",
        lambda row, _look: row.title,
        lambda row: row.title,
        tint=_quiet_without_source,
        width=19,
    ),
    Column("Source", _source, lambda row: row.slot, tint=_quiet_without_source, stretches=True),
    Column(
        "Value",
        row_value,
        lambda row: row.slot,
        is_number=True,
        tint=lambda row, look: look.palette.quiet if row.is_stale else None,
        width=12,
    ),
    Column(TREND, lambda _row, _look: "", lambda row: row.slot, width=12, yields=True),
    Column(
        CONFIDENCE,
        _confidence,
        lambda row: row.slot,
        tint=lambda row, look: standing_colour(row.standing, look),
        width=13,
    ),
    Column("Provider", _provider, lambda row: row.slot, width=10, yields=True),
)
