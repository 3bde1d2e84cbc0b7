"""Which announced channels the user could choose as the source of one quantity, best first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import ChannelMap, Choice, Evidence
from dynoai_desktop.core.trust.names import parse_name
from dynoai_desktop.core.trust.scoring import (
    NO_RIVAL_POINTS,
    read_channel,
    slot_of,
    stated_unit,
    with_unit_of_mixture,
)
from dynoai_desktop.core.trust.transforms import Transform
from dynoai_desktop.core.units import Unit, base_unit

_MIXTURE_UNITS = frozenset({Unit.AFR, Unit.LAMBDA})


@dataclass(frozen=True, slots=True)
class Offer:
    """One announced channel, seen as a source of one quantity."""

    source: ChannelInfo
    confidence: float  # 0 to 1; 0 where neither name nor unit speaks for it
    reasons: tuple[str, ...]
    asked: bool  # one of those that the mapping cannot decide between
    used_as: Channel | None  # what it is the source of now


def offers(
    slot: Channel,
    channels: Sequence[ChannelInfo],
    channel_map: ChannelMap,
    evidence: Iterable[Evidence] = (),
) -> tuple[Offer, ...]:
    """Return every channel as a possible source of *slot*: first the ones asked about, then by fit.

    Those that nothing speaks for are in order of what they could still be: the same quantity, a
    voltage, without a unit, another quantity, the dyno about itself.
    """
    rivals = {
        (i.provider, i.id)
        for channel, infos in channel_map.ambiguous.items()
        if slot_of(channel) is slot
        for i in infos
    }
    heard: dict[tuple[str, int], list[Evidence]] = {}
    for item in evidence:
        if slot_of(item.channel) is slot:
            heard.setdefault(item.source, []).append(item)
    found = [_offer(slot, info, channel_map, rivals, heard) for info in channels]
    return tuple(sorted(found, key=lambda o: (not o.asked, -o.confidence, _distance(slot, o))))


def _offer(
    slot: Channel,
    info: ChannelInfo,
    channel_map: ChannelMap,
    rivals: set[tuple[str, int]],
    heard: dict[tuple[str, int], list[Evidence]],
) -> Offer:
    key = (info.provider, info.id)
    said = heard.get(key, [])
    confidence, reasons = 0.0, [e.reason for e in said]
    for reading in read_channel(info.name, info.unit):
        if slot_of(reading.channel) is slot:
            points = reading.points + NO_RIVAL_POINTS + sum(e.delta for e in said)
            confidence = max(0.0, min(points, reading.cap))
            reasons = [*reading.reasons, *reasons]
            break
    binding = channel_map.by_source.get(key)
    if key in channel_map.recognised:
        reasons.append(channel_map.recognised[key])
    if not reasons:
        reasons.append(_why_not(slot, info))
    used_as = binding.channel if binding is not None else None
    return Offer(info, round(confidence, 3), tuple(reasons), key in rivals, used_as)


def _why_not(slot: Channel, info: ChannelInfo) -> str:
    name = parse_name(info.name)
    if name.analogue or info.unit is Unit.VOLT:
        return "a voltage: set its scale after choosing it"
    if name.system:
        return "the dyno about itself"
    if info.unit is Unit.NONE:
        return "no unit is stated and the name says nothing"
    if _is_comparable(slot, info):
        return f"unit is {info.unit.value}; the name reads otherwise"
    return f"unit is {info.unit.value}, which {CHANNELS[slot].title.lower()} cannot be in"


def _is_comparable(slot: Channel, info: ChannelInfo) -> bool:
    unit, target = base_unit(info.unit), CHANNELS[slot].unit
    return unit is target or {unit, target} <= _MIXTURE_UNITS


def _distance(slot: Channel, offer: Offer) -> int:
    """Return how far a channel that nothing speaks for is from being the one."""
    info = offer.source
    name = parse_name(info.name)
    if name.analogue or info.unit is Unit.VOLT:
        kind = 1
    elif name.system:
        kind = 4
    elif _is_comparable(slot, info):
        kind = 0
    else:
        kind = 2 if info.unit is Unit.NONE else 3
    return 2 * kind + (offer.used_as is not None)


def choice_of(source: ChannelInfo, transform: Transform | None = None) -> Choice:
    """Return the choice of this very channel. Without a transform its unit decides."""
    return Choice(source.name, source.unit, source.provider, source.id, transform)


def chosen_channel(slot: Channel, source: ChannelInfo, unknown: Unit = Unit.AFR) -> Channel:
    """Return the row that *source* fills: the AFR or the lambda row of a wideband, by its unit.

    Where the source states neither, *unknown* decides.

    >>> chosen_channel(Channel.LAMBDA_FRONT, ChannelInfo("P", 1, "LC1", Unit.AFR)).value
    'afr_front'
    """
    unit = stated_unit(parse_name(source.name), source.unit)
    return with_unit_of_mixture(slot, unit if unit in _MIXTURE_UNITS else unknown)
