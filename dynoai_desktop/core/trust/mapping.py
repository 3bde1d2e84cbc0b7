"""From what providers call their channels to what we call them, with confidence and reasons.

Every channel is read by name and unit (scoring.py), recent signals may raise or lower a reading
(evidence.py), and the readings of one quantity then compete (compete.py). A clear winner, 0.1
ahead of the next, takes it. Between closer ones only stated rules decide: weather comes from the
weather provider, the rest from the provider that has the drum, corrected torque goes before
uncorrected, and names of one quantity have an order of preference. What no rule decides is
ambiguous and the user is asked. Provider names, host ids, channel ids and list order decide
nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import (
    Binding,
    ChannelMap,
    Choice,
    Evidence,
    Rejection,
)
from dynoai_desktop.core.trust.compete import (
    ACCEPT,
    MIXTURE_SLOTS,
    Candidate,
    Corrections,
    Families,
    correction_words,
    hides_behind_sides,
    settle,
)
from dynoai_desktop.core.trust.names import parse_name
from dynoai_desktop.core.trust.scoring import (
    NO_RIVAL_POINTS,
    read_channel,
    slot_of,
    stated_unit,
    with_unit_of_mixture,
)
from dynoai_desktop.core.trust.signals import SourceKey
from dynoai_desktop.core.trust.signature import signature_of
from dynoai_desktop.core.trust.transforms import IDENTITY, Transform, between
from dynoai_desktop.core.units import Unit, base_unit

__all__ = [
    "READY",
    "RECOMMENDED",
    "REQUIRED",
    "Binding",
    "ChannelMap",
    "Choice",
    "Evidence",
    "SourceKey",
    "Transform",
    "resolve",
]

READY = 0.7  # mean confidence that a run should start with

# What a run needs: one of each group. The key is the name under which a missing group is reported.
REQUIRED: dict[str, frozenset[Channel]] = {
    "rpm": frozenset({Channel.RPM}),
    "afr_or_lambda": MIXTURE_SLOTS,
    "map_kpa": frozenset({Channel.MAP, Channel.TPS}),  # the load axis: either serves
}
RECOMMENDED = (Channel.MAP, Channel.TPS, Channel.TORQUE, Channel.POWER)
_NEEDED = frozenset().union(*REQUIRED.values())
_JUDGED = _NEEDED.union(RECOMMENDED)


def resolve(
    channels: Sequence[ChannelInfo],
    *,
    evidence: Iterable[Evidence] = (),
    choices: Mapping[Channel, Choice] | None = None,
    pinned: Collection[str] | None = None,
) -> ChannelMap:
    """Return the best mapping for the channels announced by all providers together.

    *evidence* comes from recent signals, *choices* from the user or a saved mapping and goes
    before everything else. With *pinned*, only the providers of these names are used.
    """
    used = [c for c in channels if pinned is None or c.provider in pinned]
    evidence = tuple(evidence)
    corrections = Corrections(used)
    bindings, notices = _bind_choices(used, choices or {}, corrections)
    taken = {(b.source.provider, b.source.id) for b in bindings.values()}
    closed = {slot_of(channel) for channel in choices or {} if channel not in notices}
    candidates = _candidates(used, evidence, corrections)
    families = Families(candidates)
    pools: dict[Channel, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.key not in taken:
            pools[slot_of(candidate.reading.channel)].append(candidate)
    ambiguous: dict[Channel, tuple[ChannelInfo, ...]] = {}
    for slot, pool in pools.items():
        if slot in closed or hides_behind_sides(slot, pool, pools):
            continue
        outcome = settle(slot, pool, families)
        if outcome.rivals:
            ambiguous[outcome.channel] = outcome.rivals
        if outcome.binding is not None:
            bindings[outcome.binding.channel] = outcome.binding
    return replace(
        _summary(used, bindings, ambiguous),
        notices=(*families.notices(), *notices.values()),
        rejected=_rejected(candidates, bindings.values()),
        recognised=_recognised(evidence, bindings.values()),
        dynos=tuple(sorted(families.dynos)),
    )


def _candidates(
    channels: Sequence[ChannelInfo], evidence: Iterable[Evidence], corrections: Corrections
) -> list[Candidate]:
    heard: dict[tuple[SourceKey, Channel], list[Evidence]] = defaultdict(list)
    for item in evidence:
        heard[item.source, item.channel].append(item)
    found = []
    for info in channels:
        for reading in read_channel(info.name, info.unit):
            said = heard.get(((info.provider, info.id), reading.channel), [])
            understood = next((e.unit for e in said if e.unit is not None), None)
            unit = understood or stated_unit(parse_name(info.name), info.unit)
            found.append(
                Candidate(
                    source=info,
                    reading=replace(reading, channel=with_unit_of_mixture(reading.channel, unit)),
                    strength=reading.points + sum(e.delta for e in said),
                    reasons=reading.reasons + tuple(e.reason for e in said),
                    against=min(said, key=lambda e: e.delta).reason if _condemned(said) else "",
                    corrected=corrections.of(info, reading.channel),
                    copy_of=next((e.copy_of for e in said if e.copy_of is not None), None),
                    unit=unit,
                )
            )
    return found


def _condemned(said: Sequence[Evidence]) -> bool:
    return any(e.delta < 0 for e in said) and sum(e.delta for e in said) < 0


def _rejected(
    candidates: Iterable[Candidate], bindings: Iterable[Binding]
) -> tuple[Rejection, ...]:
    """Return the well-named sources that were not taken, and what their signal says."""
    bound = {(b.source.provider, b.source.id) for b in bindings}
    return tuple(
        Rejection(c.reading.channel, c.source, c.against, c.corrected)
        for c in candidates
        if c.against and c.key not in bound and c.reading.points + NO_RIVAL_POINTS >= ACCEPT
    )


def _recognised(evidence: Iterable[Evidence], bindings: Iterable[Binding]) -> dict[SourceKey, str]:
    """Return the sources that carry what a bound one carries, in another form or once more."""
    bound = {(b.source.provider, b.source.id) for b in bindings}
    return {e.source: e.reason for e in evidence if e.copy_of in bound and e.source not in bound}


def _bind_choices(
    channels: Sequence[ChannelInfo], choices: Mapping[Channel, Choice], corrections: Corrections
) -> tuple[dict[Channel, Binding], dict[Channel, str]]:
    """Return the chosen bindings, and a notice for every choice whose source is not there."""
    bindings: dict[Channel, Binding] = {}
    notices: dict[Channel, str] = {}
    for channel, choice in choices.items():
        if not choice.enabled:
            continue
        source = _find(channels, choice)
        if source is None:
            notices[channel] = _missing(channels, channel, choice)
            continue
        unit = stated_unit(parse_name(source.name), source.unit)
        transform = choice.transform
        if transform is None:
            transform = _unit_change(unit, channel)
        corrected = corrections.of(source, channel)
        reasons = ("chosen by you", *correction_words(channel, corrected))
        bindings[channel] = Binding(channel, source, transform, 1.0, reasons, corrected, True)
    return bindings, notices


def _unit_change(unit: Unit, channel: Channel) -> Transform:
    """Return the transform to the channel's unit; identity where the units do not compare.

    The user may choose a voltage for a pressure before its transform is known.
    """
    target = CHANNELS[channel].unit
    return between(unit, target) if base_unit(unit) is base_unit(target) else IDENTITY


def _missing(channels: Sequence[ChannelInfo], channel: Channel, choice: Choice) -> str:
    what = f"“{parse_name(choice.name).text}”, chosen for {CHANNELS[channel].title}, is"
    units = {c.unit.value or "no unit" for c in channels if c.name == choice.name}
    if units and choice.unit is not None:
        now = " and ".join(sorted(units))
        return f"{what} announced in {now} now, not in {choice.unit.value or 'no unit'}"
    return f"{what} announced by several providers" if units else f"{what} not announced any more"


def _find(channels: Sequence[ChannelInfo], choice: Choice) -> ChannelInfo | None:
    """Return the announced channel of a choice: by name and unit; provider and id break ties."""
    matches = [c for c in channels if c.name == choice.name and choice.unit in (None, c.unit)]
    for hint in (
        [c for c in matches if c.provider == choice.provider],
        [c for c in matches if c.id == choice.id],
    ):
        if len(matches) > 1:
            matches = [c for c in matches if c in hint] or matches
    return min(matches, key=lambda c: c.id) if len({c.provider for c in matches}) == 1 else None


def _summary(
    channels: Sequence[ChannelInfo],
    bindings: Mapping[Channel, Binding],
    ambiguous: Mapping[Channel, tuple[ChannelInfo, ...]],
) -> ChannelMap:
    filled = {slot_of(channel) for channel in bindings}
    missing = tuple(name for name, group in REQUIRED.items() if filled.isdisjoint(group))
    judged = [b.confidence for b in bindings.values() if slot_of(b.channel) in _JUDGED]
    overall = sum(judged) / len(judged) if judged else 0.0
    asked = any(slot_of(channel) in _NEEDED for channel in ambiguous)
    sure = overall >= READY - 1e-9 and all(confidence >= ACCEPT for confidence in judged)
    return ChannelMap(
        bindings={c: bindings[c] for c in CHANNELS if c in bindings},
        unmapped_required=missing,
        ambiguous={c: ambiguous[c] for c in CHANNELS if c in ambiguous},
        overall_confidence=round(overall, 3),
        ready=sure and not missing and not asked,
        signature=signature_of(channels),
        unmapped_recommended=tuple(c for c in RECOMMENDED if c not in filled),
    )
