"""What the user's decisions about one quantity come to: choices to set or to take back.

A quantity is a slot: the AFR and the lambda row of a wideband fill the same one, and only one of
them may be chosen. A source serves one quantity: choosing it for another moves it.
"""

from __future__ import annotations

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Choice
from dynoai_desktop.core.trust.offers import choice_of, chosen_channel
from dynoai_desktop.core.trust.scoring import slot_of
from dynoai_desktop.core.trust.transforms import Transform
from dynoai_desktop.core.units import Display, MixtureScale, Unit
from dynoai_desktop.ui.messages import MappingState

Wish = tuple[Channel, Choice | None]  # None: back to automatic


def automatic(state: MappingState, slot: Channel) -> list[Wish]:
    """Return what leaves a quantity to the program again."""
    return [(channel, None) for channel in state.choices if slot_of(channel) is slot]


def leave_empty(state: MappingState, slot: Channel) -> list[Wish]:
    """Return what leaves a quantity without a source."""
    bound = {slot_of(b.channel): b.source.name for b in state.channel_map.bindings.values()}
    others = [wish for wish in automatic(state, slot) if wish[0] is not slot]
    return [*others, (slot, Choice(name=bound.get(slot, ""), enabled=False))]


def choose(
    state: MappingState, channel: Channel, source: ChannelInfo, transform: Transform | None = None
) -> list[Wish]:
    """Return what makes *source* the source of *channel*. Without a transform its unit decides."""
    slot = slot_of(channel)
    others = [wish for wish in automatic(state, slot) if wish[0] is not channel]
    binding = state.channel_map.by_source.get((source.provider, source.id))
    if binding is not None and binding.chosen and slot_of(binding.channel) is not slot:
        others.append((binding.channel, None))
    return [*others, (channel, choice_of(source, transform))]


def row_filled(slot: Channel, source: ChannelInfo, display: Display) -> Channel:
    """Return the canonical channel that *source* fills in *slot*."""
    unknown = Unit.AFR if display.mixture is MixtureScale.AFR else Unit.LAMBDA
    return chosen_channel(slot, source, unknown)


def needs_scale(channel: Channel, source: ChannelInfo) -> bool:
    """Return True for a voltage whose meaning only the user knows."""
    return source.unit is Unit.VOLT and CHANNELS[channel].unit is not Unit.VOLT
