"""For every announced channel: what it is used for, or what it could be. Text for support."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import ChannelMap, Evidence
from dynoai_desktop.core.trust.names import display_name, parse_name
from dynoai_desktop.core.trust.scoring import NO_RIVAL_POINTS, read_channel


class Use(StrEnum):
    """What becomes of an announced channel."""

    MAPPED = "mapped"
    RECOGNISED = "recognised"  # known, and not needed: a voltage or a copy of a mapped channel
    SYSTEM = "system"  # the dyno about itself
    POSSIBLE = "possible"  # could be something; the user may choose it
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One channel of the discovery list."""

    source: ChannelInfo
    use: Use
    channel: Channel | None  # what it is or could be
    confidence: float  # 0 to 1; 0 where nothing is suggested
    reason: str


def suggest(
    channels: Sequence[ChannelInfo], channel_map: ChannelMap, evidence: Iterable[Evidence] = ()
) -> tuple[Suggestion, ...]:
    """Return one suggestion for each announced channel, in the order given."""
    heard: dict[tuple[str, int], list[Evidence]] = {}
    for item in evidence:
        heard.setdefault(item.source, []).append(item)
    return tuple(
        _suggest(info, channel_map, heard.get((info.provider, info.id), ())) for info in channels
    )


def _suggest(info: ChannelInfo, channel_map: ChannelMap, heard: Sequence[Evidence]) -> Suggestion:
    key = (info.provider, info.id)
    binding = channel_map.by_source.get(key)
    if binding is not None:
        reason = "; ".join(binding.reasons)
        return Suggestion(info, Use.MAPPED, binding.channel, binding.confidence, reason)
    if key in channel_map.recognised:
        return Suggestion(info, Use.RECOGNISED, None, 0.0, channel_map.recognised[key])
    name = parse_name(info.name)
    if name.analogue:
        reason = "a voltage input: set what it means in Mapping"
        return Suggestion(info, Use.POSSIBLE, None, 0.0, reason)
    if name.system:
        return Suggestion(info, Use.SYSTEM, None, 0.0, "the dyno about itself")
    best = Suggestion(info, Use.UNKNOWN, None, 0.0, "neither name nor unit says what it is")
    for reading in read_channel(info.name, info.unit):
        said = [e for e in heard if e.channel is reading.channel]
        score = reading.points + NO_RIVAL_POINTS + sum(e.delta for e in said)
        score = round(max(0.0, min(score, reading.cap)), 3)
        if score > best.confidence:
            reasons = (*reading.reasons, *(e.reason for e in said))
            best = Suggestion(info, Use.POSSIBLE, reading.channel, score, "; ".join(reasons))
    return best


def as_text(suggestions: Iterable[Suggestion]) -> str:
    """Return the discovery list as plain text to paste into a message, one channel a line."""
    rows = [("provider", "id", "name", "unit", "use", "reason")]
    for item in suggestions:
        use = item.use.value
        if item.channel is not None:
            use += f" {CHANNELS[item.channel].channel.value} {item.confidence:.0%}"
        rows.append(
            (
                display_name(item.source.provider),
                str(item.source.id),
                display_name(item.source.name),
                item.source.unit.value or "-",
                use,
                item.reason,
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]])
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines) + "\n"
