"""What a channel could be, from its name and unit alone, and how strongly each speaks for it.

Unit agrees: 0.5. Name agrees: 0.3. The remaining 0.2, "nothing else fits as well", can only be
given when all channels are seen together (mapping.py). "No unit stated" is worth nothing, so a
name alone reaches 0.5 and a unit alone 0.7. Kilopascal, degrees, per cent and volts say too
little by themselves: a unit-only guess among those stays below what is ever accepted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from dynoai_desktop.core.channels import CHANNELS, Channel, Cylinder
from dynoai_desktop.core.trust.names import SIDES, ChannelName, key_of, parse_name, words_of
from dynoai_desktop.core.units import Unit, base_unit

UNIT_POINTS = 0.5
NAME_POINTS = 0.3
LOOSE_NAME_POINTS = 0.25  # the name, among words that add nothing
NO_RIVAL_POINTS = 0.2
GUESS_CAP = 0.45  # unit only, where the unit is shared by many quantities

# Units that name one quantity on a dyno; the others are shared by many.
_TELLING_UNITS: dict[Unit, Channel] = {
    Unit.RPM: Channel.RPM,
    Unit.AFR: Channel.AFR_COMBINED,
    Unit.LAMBDA: Channel.LAMBDA,
    Unit.NEWTON_METRE: Channel.TORQUE,
    Unit.KILOWATT: Channel.POWER,
    Unit.NEWTON: Channel.FORCE,
    Unit.KMH: Channel.SPEED,
    Unit.METRE: Channel.DISTANCE,
    Unit.KMH_PER_S: Channel.ACCEL,
    Unit.RPM_PER_KMH: Channel.GEAR_RATIO,
}
_SHARED_UNITS: dict[Unit, tuple[Channel, ...]] = {
    Unit.CELSIUS: (Channel.IAT, Channel.ECT, Channel.AMBIENT),
    Unit.KILOPASCAL: (Channel.MAP, Channel.BARO),
    Unit.PERCENT: (Channel.TPS, Channel.HUMIDITY),
    Unit.VOLT: (Channel.VBATT,),
}

# Words that leave the meaning of a name as it is.
_HARMLESS = frozenset(
    words_of(
        "sensor sens signal ecu ecm can obd dyno engine eng cyl cylinder bank measured meas actual "
        "current value input channel wideband wb lc1 lc2 kpa rpm nm deg pct percent"
    )
)
_COMMAND = frozenset(
    words_of("target tgt desired commanded command cmd requested request req set setpoint")
)
# Words that make it another quantity: a target, a limit, a part of the car not asked for.
_OTHER = _COMMAND | frozenset(
    words_of(
        "limit max min peak error err trim correction adaptive integrator learn offset factor duty "
        "turbo fuel oil trans transmission idle volt volts voltage drum wheel roller fan shaft cam "
        "status enrichment enleanment delta rate raw temp temperature warm warmup pump brake pedal "
        "twistgrip new"
    )
)
# Too general to be recognised inside a longer name: "Vapor Pressure" is not the barometer.
_WHOLE_NAME_ONLY = frozenset(
    {
        "pressure", "temperature 1", "temperature 2", "voltage 2", "correction", "advance",
        "timing", "spark", "ignition", "knock", "accel", "force", "power", "speed", "battery",
    }
)  # fmt: skip

# Channels with a row for each cylinder: (both, front, rear).
_GROUPS: tuple[tuple[Channel | None, Channel, Channel], ...] = (
    (Channel.LAMBDA, Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR),
    (Channel.AFR_COMBINED, Channel.AFR_FRONT, Channel.AFR_REAR),
    (Channel.LAMBDA_CMD, Channel.LAMBDA_CMD_FRONT, Channel.LAMBDA_CMD_REAR),
    (Channel.AFR_CMD, Channel.AFR_CMD_FRONT, Channel.AFR_CMD_REAR),
    (Channel.SPARK, Channel.SPARK_FRONT, Channel.SPARK_REAR),
    (Channel.KNOCK, Channel.KNOCK_FRONT, Channel.KNOCK_REAR),
    (None, Channel.VE_FRONT, Channel.VE_REAR),
    (None, Channel.INJ_PW_FRONT, Channel.INJ_PW_REAR),
)
_SIDED: dict[Channel, dict[Cylinder, Channel]] = {
    both: {Cylinder.FRONT: front, Cylinder.REAR: rear} for both, front, rear in _GROUPS if both
}
_COMMANDED: dict[Channel, Channel] = {
    Channel.LAMBDA: Channel.LAMBDA_CMD,
    Channel.AFR_COMBINED: Channel.AFR_CMD,
}
_AS_LAMBDA: dict[Channel, Channel] = {
    row.channel: row.carried_as for row in CHANNELS.values() if row.carried_as is not None
}
_AS_AFR: dict[Channel, Channel] = {target: source for source, target in _AS_LAMBDA.items()}


_SHORTEST_PHRASE = 3  # letters; "et" and "hp" are matched as whole names only
_Hit = tuple[Channel, int, str]  # channel, place of the alias in its row, alias


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing a channel could be. *points* are for unit and name together, 0 to 0.8."""

    channel: Channel
    points: float
    rank: int  # place of the name in the table's aliases; a lower one is preferred
    cap: float  # highest confidence this reading can reach
    reasons: tuple[str, ...]


def slot_of(channel: Channel) -> Channel:
    """Return the channel whose value this one fills: AFR fills lambda, others themselves.

    >>> slot_of(Channel.AFR_FRONT).value
    'lambda_front'
    """
    return _AS_LAMBDA.get(channel, channel)


def stated_unit(name: ChannelName, unit: Unit) -> Unit:
    """Return the unit a value is in: the announced one, else the one in the name, else NONE."""
    return unit if unit is not Unit.NONE else name.unit


@lru_cache(maxsize=16384)
def read_channel(name_text: str, unit: Unit) -> tuple[Reading, ...]:
    """Return what a channel of this name and unit could be, best first.

    Empty for channels that are never mapped by themselves, and for names whose unit contradicts
    them: a "Throttle Position Sensor" in volts is not a throttle position.
    """
    name = parse_name(name_text)
    if name.system:
        return ()
    whole = _EXACT.get(name.key) or _cut_name(name)
    hits = whole or _loose_name(name)
    if not hits:
        return _by_unit(name, unit)
    return _by_name(hits, NAME_POINTS if whole else LOOSE_NAME_POINTS, name, unit)


def _by_name(
    hits: tuple[_Hit, ...], own_points: float, name: ChannelName, unit: Unit
) -> tuple[Reading, ...]:
    readings = []
    known = stated_unit(name, unit)
    for channel, rank, alias in hits:
        channel = with_unit_of_mixture(channel, known)
        spec = CHANNELS[channel]
        if known is not Unit.NONE and base_unit(known) is not base_unit(spec.unit):
            continue
        agrees = unit is not Unit.NONE and known is not Unit.NONE
        points = own_points + (UNIT_POINTS if agrees else 0.0)
        reasons = [f"name reads “{alias}”"]
        if agrees:
            reasons.append(f"unit is {known.value}")
        elif known is not Unit.NONE:
            reasons.append(f"its name states {known.value}, its announcement no unit")
        else:
            reasons.append("no unit is stated")
        readings.append(Reading(channel, points, rank, 1.0, tuple(reasons)))
    return tuple(sorted(readings, key=lambda r: (-r.points, r.rank, r.channel.value)))


def with_unit_of_mixture(channel: Channel, unit: Unit) -> Channel:
    """Return the AFR or the lambda row of the same sensor: the unit decides, not the name."""
    if unit is Unit.LAMBDA:
        return _AS_LAMBDA.get(channel, channel)
    if unit is Unit.AFR:
        return _AS_AFR.get(channel, channel)
    return channel


def _by_unit(name: ChannelName, unit: Unit) -> tuple[Reading, ...]:
    """Return readings for a name that says nothing; *unit* must have been announced."""
    if unit is Unit.NONE or not _OTHER.isdisjoint(name.words) or name.analogue:
        return ()
    base = base_unit(unit)
    reason = f"unit is {unit.value}; the name says nothing"
    if base in _TELLING_UNITS:
        channel = _for_side(_TELLING_UNITS[base], name.words)
        if channel is None:
            return ()
        rank = len(CHANNELS[channel].aliases)
        return (Reading(channel, UNIT_POINTS, rank, 1.0, (reason,)),)
    return tuple(
        Reading(
            channel,
            GUESS_CAP - NO_RIVAL_POINTS,
            len(CHANNELS[channel].aliases),
            GUESS_CAP,
            (f"unit is {unit.value}, which many channels share; the name says nothing",),
        )
        for channel in _SHARED_UNITS.get(base, ())
    )


def _for_side(channel: Channel, words: Iterable[str]) -> Channel | None:
    """Return the row for the cylinder that *words* point at; None when they point elsewhere.

    Channels without cylinders accept the index 1 only: "Speed 2" is another speed.
    """
    sides = {SIDES[word] for word in words if word in SIDES}
    numbers = {word for word in words if word.isdigit()}
    if len(sides) > 1 or numbers - {"1", "2"}:
        return None
    if not sides:
        return channel
    (side,) = sides
    if channel in _SIDED:
        return _SIDED[channel][side]
    cylinder = CHANNELS[channel].cylinder
    if cylinder in (Cylinder.FRONT, Cylinder.REAR):
        return channel if cylinder is side else None
    return channel if numbers == {"1"} else None


def _cut_name(name: ChannelName) -> tuple[_Hit, ...]:
    """Match a name that lost its end on the wire, if only one alias begins with it."""
    if not name.cut or len(name.key) < 8:
        return ()
    hits = [hits for key, hits in _EXACT.items() if key.startswith(name.key)]
    return hits[0] if len(hits) == 1 else ()


def _loose_name(name: ChannelName) -> tuple[_Hit, ...]:
    """Match the longest phrase of the table whose surroundings do not change its meaning."""
    words = name.words
    for length in range(min(_LONGEST_PHRASE, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            hit = _PHRASES.get(words[start : start + length])
            if hit:
                found = _in_company(hit, words[:start] + words[start + length :])
                return (found,) if found else ()
    return ()


def _in_company(hit: _Hit, rest: tuple[str, ...]) -> _Hit | None:
    channel, rank, alias = hit
    if channel in _COMMANDED and not _COMMAND.isdisjoint(rest):
        channel = _COMMANDED[channel]
        rest = tuple(word for word in rest if word not in _COMMAND)
    if not all(word in _HARMLESS or word in SIDES for word in rest):
        return None
    sided = _for_side(channel, rest)
    return (sided, rank, alias) if sided is not None else None


def _exact_table() -> dict[str, tuple[_Hit, ...]]:
    table: dict[str, tuple[_Hit, ...]] = {}
    for spec in CHANNELS.values():
        for rank, alias in enumerate(spec.aliases):
            table.setdefault(key_of(alias), ((spec.channel, rank, alias),))
    return table


def _phrase_table() -> dict[tuple[str, ...], _Hit]:
    return {
        words_of(alias): (spec.channel, rank, alias)
        for spec in CHANNELS.values()
        for rank, alias in enumerate(spec.aliases)
        if len(key_of(alias)) >= _SHORTEST_PHRASE and alias not in _WHOLE_NAME_ONLY
    }


_EXACT = _exact_table()
_PHRASES = _phrase_table()
_LONGEST_PHRASE = max(len(words) for words in _PHRASES)
