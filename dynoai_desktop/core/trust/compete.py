"""How the readings of one quantity compete for its place in the mapping."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Binding
from dynoai_desktop.core.trust.names import parse_name
from dynoai_desktop.core.trust.scoring import NO_RIVAL_POINTS, Reading, slot_of
from dynoai_desktop.core.trust.signals import SourceKey
from dynoai_desktop.core.trust.transforms import between
from dynoai_desktop.core.units import Unit

ACCEPT = 0.5  # below this nothing is mapped
_MARGIN = 0.1  # a rival closer than this makes a channel ambiguous

_WEATHER = frozenset({Channel.BARO, Channel.HUMIDITY, Channel.AMBIENT})
_DRUM = frozenset({Channel.TORQUE, Channel.POWER, Channel.FORCE})
# Slots of measured mixture. Two sources of one are two sensors, whatever their names.
MIXTURE_SLOTS = frozenset({Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR, Channel.LAMBDA})


@dataclass(frozen=True, slots=True)
class Candidate:
    """One source in the running for one slot."""

    source: ChannelInfo
    reading: Reading
    strength: float  # points plus evidence
    reasons: tuple[str, ...]
    against: str  # the weightiest contrary evidence; "" for none
    corrected: bool | None
    copy_of: SourceKey | None
    unit: Unit

    @property
    def key(self) -> SourceKey:
        """Return (provider, channel id)."""
        return self.source.provider, self.source.id


class Corrections:
    """Which torque and power channels are weather-corrected, from all the names together."""

    def __init__(self, channels: Iterable[ChannelInfo]) -> None:
        """Note the names announced as "(uncorrected)"."""
        self._uncorrected = {self._pair_of(c) for c in channels if parse_name(c.name).uncorrected}

    def of(self, info: ChannelInfo, channel: Channel) -> bool | None:
        """Return True for corrected, False for uncorrected, None where nothing says so.

        A channel is known to be corrected by its own name, or because the same name is
        announced a second time as "(uncorrected)".
        """
        if channel not in (Channel.TORQUE, Channel.POWER):
            return None
        name = parse_name(info.name)
        if name.uncorrected:
            return False
        return True if name.corrected or self._pair_of(info) in self._uncorrected else None

    @staticmethod
    def _pair_of(info: ChannelInfo) -> tuple[str, str, str]:
        name = parse_name(info.name)
        words = (w for w in name.words if not w.startswith("uncorr") and w != "corrected")
        return info.provider, name.device, "".join(words)


def correction_words(channel: Channel, corrected: bool | None) -> tuple[str, ...]:
    """Return the reason that names the correction of torque or power; none for others."""
    if channel not in (Channel.TORQUE, Channel.POWER):
        return ()
    if corrected is None:
        return ("whether it is corrected for weather is not stated",)
    return ("corrected for weather" if corrected else "uncorrected",)


def hides_behind_sides(
    slot: Channel, pool: Sequence[Candidate], pools: Mapping[Channel, list[Candidate]]
) -> bool:
    """Return True for a nameless mixture channel beside widebands that are named per cylinder."""
    if slot is not Channel.LAMBDA:
        return False
    sided = any(pools.get(s) for s in (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR))
    return sided and all(c.reading.rank >= len(CHANNELS[c.reading.channel].aliases) for c in pool)


class Families:
    """Which providers are the dyno and which the weather station, by what they announce."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        """Sort the providers; their names do not count."""
        offers: dict[str, set[Channel]] = defaultdict(set)
        for candidate in candidates:
            if candidate.reading.cap == 1.0:
                offers[candidate.source.provider].add(slot_of(candidate.reading.channel))
        self.dynos = frozenset(
            p for p, has in offers.items() if Channel.RPM in has and len(has & _DRUM) >= 2
        )
        self.weather = frozenset(
            p
            for p, has in offers.items()
            if {Channel.HUMIDITY, Channel.BARO} <= has and Channel.RPM not in has
        )

    def preferred(self, slot: Channel) -> tuple[frozenset[str], str]:
        """Return the providers that go first for *slot*, and what they are called."""
        if slot in _WEATHER and self.weather:
            return self.weather, "weather provider"
        return self.dynos, "provider that has the drum"

    def notices(self) -> tuple[str, ...]:
        """Return what the user should know about the providers."""
        if len(self.dynos) < 2:
            return ()
        names = " and ".join(f"“{name}”" for name in sorted(self.dynos))
        return (f"Two dynos answer: {names}. Pin the one in front of you in Preflight.",)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who got a slot, and who else might have."""

    channel: Channel
    binding: Binding | None
    rivals: tuple[ChannelInfo, ...] = ()  # not empty: the user has to choose among these


def settle(slot: Channel, pool: Sequence[Candidate], families: Families) -> Outcome:
    """Return who gets *slot*: the clear winner, the one the rules prefer, or a question."""
    serious = [c for c in pool if c.reading.cap >= ACCEPT]
    if not serious:
        return Outcome(slot, None)
    serious.sort(key=lambda c: (-c.strength, c.reading.rank, c.source.name, c.source.id))
    if slot not in _WEATHER and len(families.dynos) > 1:
        return Outcome(serious[0].reading.channel, None, tuple(c.source for c in serious))
    contenders = [c for c in serious if c.strength > serious[0].strength - _MARGIN]
    contenders, why = _apply_rules(slot, contenders, families)
    first, settled = contenders[0], len(contenders) == 1
    channel = first.reading.channel
    if first.strength + NO_RIVAL_POINTS < ACCEPT - 1e-9:
        return Outcome(channel, None)
    rivals = () if settled else tuple(c.source for c in contenders)
    # Between providers, choosing would mean guessing whose engine this is: nothing is mapped.
    if len({c.source.provider for c in contenders}) > 1:
        return Outcome(channel, None, rivals)
    if settled and not why and len(serious) > 1:
        why = ("no other channel fits as well",)
    return Outcome(channel, _bind(first, why, settled), rivals)


_Ruling = tuple[list[Candidate], str]


def _apply_rules(
    slot: Channel, contenders: list[Candidate], families: Families
) -> tuple[list[Candidate], tuple[str, ...]]:
    """Return who is left when every rule has been asked in turn, and what decided."""
    rules: tuple[Callable[[list[Candidate]], _Ruling], ...] = (
        lambda some: _by_family(slot, some, families),
        _by_correction,
        _by_copy,
        lambda some: _by_name_order(slot, some),
    )
    why: tuple[str, ...] = ()
    for rule in rules:
        kept, reason = rule(contenders)
        if kept and len(kept) < len(contenders):
            contenders = kept
            why += (reason,)
    return contenders, why


def _by_family(slot: Channel, contenders: list[Candidate], families: Families) -> _Ruling:
    """Weather from the weather provider, everything else from the provider with the drum."""
    preferred, kind = families.preferred(slot)
    inside = [c for c in contenders if c.source.provider in preferred]
    return inside, f"from the {kind}"


def _by_copy(contenders: list[Candidate]) -> _Ruling:
    """Two channels that carry the same values are one; the better known name stands for both."""
    keys = {c.key for c in contenders}
    originals = [c for c in contenders if c.copy_of not in keys]
    return originals, "other channels carry the same values"


def _by_correction(contenders: list[Candidate]) -> _Ruling:
    """Corrected before uncorrected, where it is stated that it is corrected."""
    return [c for c in contenders if c.corrected], "preferred to the uncorrected channel"


def _by_name_order(slot: Channel, contenders: list[Candidate]) -> _Ruling:
    """The names of one quantity have an order of preference; two widebands have none."""
    if slot in MIXTURE_SLOTS:
        return contenders, ""
    rank = min(c.reading.rank for c in contenders)
    first = [c for c in contenders if c.reading.rank == rank]
    others = sorted({f"“{parse_name(c.source.name).text}”" for c in contenders if c not in first})
    return first, f"preferred to {', '.join(others)}"


def _bind(candidate: Candidate, why: tuple[str, ...], settled: bool) -> Binding:
    confidence = min(
        candidate.strength + (NO_RIVAL_POINTS if settled else 0.0), candidate.reading.cap
    )
    reasons = candidate.reasons + why
    if not settled:
        reasons += ("other channels fit as well: choose in Mapping",)
    channel = candidate.reading.channel
    reasons += correction_words(channel, candidate.corrected)
    return Binding(
        channel,
        candidate.source,
        between(candidate.unit, CHANNELS[channel].unit),
        round(max(0.0, min(1.0, confidence)), 3),
        reasons,
        candidate.corrected,
    )
