"""Checks of the bus: who is there, what is announced, how often it comes and what is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.trust.check import Verdict, View, failed, passed, skipped, warning
from dynoai_desktop.core.trust.compete import MIXTURE_SLOTS
from dynoai_desktop.core.trust.mapping import READY, REQUIRED
from dynoai_desktop.core.trust.names import display_name, parse_name
from dynoai_desktop.core.trust.scoring import slot_of
from dynoai_desktop.core.trust.signals import GRID_HZ, true_rate

FRESH_S = 2.0
GONE_S = 10.0  # a provider silent for longer is not there
SLOWEST_HZ = 5.0
USELESS_HZ = 1.0
LOSS_WARNING, LOSS_FAIL = 0.01, 0.10
NON_FINITE_FAIL = 0.10
RANGE_WARNING = 0.01

# What a run cannot do without, as far as it is mapped; and what it should have.
NEEDED_SLOTS = (Channel.RPM, *sorted(MIXTURE_SLOTS), Channel.MAP)
WATCHED_SLOTS = (*NEEDED_SLOTS, Channel.TPS, Channel.TORQUE, Channel.POWER)

_MISSING_WORDS: dict[str, tuple[str, str]] = {
    "rpm": ("engine speed", "“Engine RPM” or “Digital RPM 1”"),
    "afr_or_lambda": ("air-fuel ratio or lambda", "the wideband channels"),
    "map_kpa": ("MAP, and no throttle position that could stand in for it", "“MAP kPa” or “TPS”"),
}


def names(items: Iterable[str]) -> str:
    """Return names in quotes, as a list for a sentence."""
    return ", ".join(f"“{display_name(item)}”" for item in items)


def connectivity(view: View) -> Verdict:
    """Somebody speaks, and everybody who was asked for."""
    providers = view.health.providers
    if not providers:
        error = view.inputs.machine.socket_error
        heard = "No dyno answers."
        if view.health.unknown_hosts:
            heard = f"{view.health.unknown_hosts} senders are heard, none announces its channels."
        return failed(
            f"{heard} {error}".strip(),
            "Check power and network cable, that JetDrive is on in Power Core, that the network "
            "adapter chosen here is the dyno's, and that the firewall lets UDP 22344 in.",
        )
    here = {p.name for p in providers if p.age_s <= GONE_S}
    absent = sorted((view.inputs.pinned or {p.name for p in providers}) - here)
    if absent:
        present = f"Heard are {names(sorted(here))}." if here else "Nobody else is heard either."
        return failed(
            f"{names(absent)} is silent. {present}",
            "Start it, or choose another provider.",
        )
    listening = [p for p in providers if not p.list_complete]
    if listening:
        return warning(
            f"The channel list of {names(p.name for p in listening)} is still arriving.",
            "Check again in a few seconds.",
        )
    return passed(f"{names(sorted(here))} with {sum(p.channel_count for p in providers)} channels.")


def one_dyno(view: View) -> Verdict:
    """Only one dyno can be the one with the engine on it."""
    pinned = view.inputs.pinned
    talking = [p for p in view.health.providers if p.age_s <= FRESH_S and p.channel_count]
    twins = [
        name
        for name, count in Counter(p.name for p in talking).items()
        if count > 1 and (pinned is None or name in pinned)
    ]
    if twins:
        hosts = ", ".join(f"0x{p.host_id:04X}" for p in talking if p.name == twins[0])
        return failed(
            f"Two providers call themselves {names(twins[:1])} ({hosts}).",
            "Switch off JetDrive on the dyno that is not yours, or give it another name.",
        )
    if len(view.map.dynos) > 1:
        return failed(f"Two dynos answer: {names(view.map.dynos)}.", "Pin the one in front of you.")
    foreign = [p.name for p in talking if pinned is not None and p.name not in pinned]
    if foreign:
        return passed(f"{names(foreign)} is heard, counted and not used.")
    return passed("No other dyno is heard.")


def required_channels(view: View) -> Verdict:
    """Engine speed, mixture and load are mapped."""
    missing = view.map.unmapped_required
    if missing:
        what = "; ".join(_MISSING_WORDS[name][0] for name in missing)
        enable = ", ".join(_MISSING_WORDS[name][1] for name in missing)
        left_out = [
            f"“{parse_name(r.source.name).text}” is left out, it {r.reason}"
            for r in view.map.rejected
            if any(slot_of(r.channel) in REQUIRED[name] for name in missing)
        ]
        return failed(
            ". ".join([f"Missing: {what}", *left_out]) + ".",
            f"Enable {enable} in Power Core's JetDrive settings, or choose a source in Mapping.",
        )
    return passed(f"rpm from {view.name(Channel.RPM)}, load from {view.name(_load_slot(view))}.")


def _load_slot(view: View) -> Channel:
    return Channel.MAP if view.binding(Channel.MAP) else Channel.TPS


def recommended_channels(view: View) -> Verdict:
    """MAP, throttle, torque and power are mapped."""
    missing = [CHANNELS[c].title for c in view.map.unmapped_recommended]
    if missing:
        return warning(
            f"Not available: {', '.join(missing)}.",
            "Enable them in Power Core's JetDrive settings; without them some results stay empty.",
        )
    return passed("MAP, throttle, torque and power are there.")


def mapping_sure(view: View) -> Verdict:
    """Every needed channel has one source and the mapping is sure of it."""
    needed = [c for c in view.map.ambiguous if slot_of(c) in WATCHED_SLOTS]
    if needed and len(view.map.dynos) < 2:
        channel = needed[0]
        rivals = names(parse_name(i.name).text for i in view.map.ambiguous[channel])
        return failed(
            f"{CHANNELS[channel].title} could be any of {rivals}.", "Choose one in Mapping."
        )
    doubtful = [
        b
        for b in view.map.bindings.values()
        if slot_of(b.channel) in WATCHED_SLOTS and b.confidence < READY
    ]
    if doubtful:
        worst = min(doubtful, key=lambda b: b.confidence)
        return warning(
            f"{CHANNELS[worst.channel].title} from {names([worst.source.name])} is only "
            f"{worst.confidence:.0%} sure: {'; '.join(worst.reasons)}.",
            "Compare its live value with a gauge and choose it in Mapping.",
        )
    if view.map.notices:
        return warning(f"{view.map.notices[0]}.", "Look at Mapping.")
    return passed(f"Sure of the channels by {view.map.overall_confidence:.0%}.")


def freshness(view: View) -> Verdict:
    """The channels in use were heard within the last two seconds."""
    old, never = {}, []
    for slot in WATCHED_SLOTS:
        health = view.channel_health(slot)
        if health is None or _rests(view, slot):
            continue
        if health.age_s is None:
            never.append(slot)
        elif health.age_s > FRESH_S:
            old[slot] = health.age_s
    if not old and not never:
        return passed("All channels in use are fresh.")
    parts = [f"{view.name(slot)} is {age:.0f} s old" for slot, age in old.items()]
    parts += [f"{view.name(slot)} was never heard" for slot in never]
    fix = "Is the dyno sampling and the engine running? Check the sensor and its cable."
    serious = any(slot in NEEDED_SLOTS for slot in (*old, *never))
    return (failed if serious else warning)("; ".join(parts) + ".", fix)


def _rests(view: View, slot: Channel) -> bool:
    """Return True for a channel that is silent because there is nothing to say.

    Power Core stops sending values that are zero: engine speed and throttle at rest, and torque
    and power while the drum stands still.
    """
    health = view.channel_health(slot)
    if health is None or slot in MIXTURE_SLOTS or slot is Channel.MAP:
        return False
    if slot in (Channel.TORQUE, Channel.POWER):
        recent = view.column(Channel.SPEED)[-2 * int(GRID_HZ) :]
        return not bool(np.any(recent > 5.0))
    return health.value == 0.0


def rate(view: View) -> Verdict:
    """The channels in use come at least five times a second."""
    slow = {}
    for slot in WATCHED_SLOTS:
        health = view.channel_health(slot)
        if health is None or health.age_s is None or health.age_s > FRESH_S or _rests(view, slot):
            continue
        if health.rate_hz < SLOWEST_HZ:
            slow[slot] = health.rate_hz
    if not slow:
        return passed(f"Every channel in use comes at {SLOWEST_HZ:.0f} Hz or more.")
    worst = min(slow, key=lambda slot: slow[slot])
    message = f"{view.name(worst)} comes {slow[worst]:.1f} times a second."
    fix = "Raise its rate in Power Core, and send fewer channels if the network is full."
    serious = worst in NEEDED_SLOTS and slow[worst] < USELESS_HZ
    return (failed if serious else warning)(message, fix)


def held_values(view: View) -> Verdict:
    """Samples are measurements, not the last measurement sent again."""
    sources = {view.name(slot): view.signal(slot) for slot in NEEDED_SLOTS}
    spare = {f"“{n}”": view.inputs.signals.get(k) for n, k in view.engine_speeds().items()}
    for name, signal in {**spare, **sources}.items():
        rates = true_rate(signal) if signal is not None else None
        if rates is not None and rates.held and rates.true_hz < SLOWEST_HZ:
            return (failed if name in sources else warning)(
                f"{name} is sent {rates.sent_hz:.1f} times a second but measured only "
                f"{rates.true_hz:.2g} times: the same value is repeated.",
                "Raise the rate at which the device reads this channel, or use another source.",
            )
    return passed("Every sample is a new measurement.")


def loss(view: View) -> Verdict:
    """Datagrams arrive."""
    if not view.health.providers:
        return skipped("Nobody is heard.")
    worst = max(view.health.providers, key=lambda p: p.loss)
    message = f"{worst.loss:.1%} of the messages of {names([worst.name])} are lost."
    fix = "Use a cable instead of wireless, an own switch, and close programs that use the network."
    if worst.loss > LOSS_FAIL:
        return failed(message, fix)
    if worst.loss > LOSS_WARNING:
        return warning(message, fix)
    return passed(message if worst.loss else "No message is lost.")


def finite_values(view: View) -> Verdict:
    """Values are numbers."""
    worst, share = None, 0.0
    for slot in WATCHED_SLOTS:
        signal = view.signal(slot)
        if signal is not None and len(signal.value):
            bad = 1.0 - len(signal.finite) / len(signal.value)
            if bad > share:
                worst, share = slot, bad
    if worst is None:
        return passed("All values are numbers.")
    message = f"{share:.0%} of the values of {view.name(worst)} are not numbers."
    fix = "Check the sensor and its scaling in Power Core."
    return (failed if share > NON_FINITE_FAIL else warning)(message, fix)


def plausible_range(view: View) -> Verdict:
    """Values lie where the quantity can lie at all; mixture and throttle have their own checks."""
    for slot, binding in ((slot_of(b.channel), b) for b in view.map.bindings.values()):
        hard = CHANNELS[binding.channel].hard
        if hard is None or slot in MIXTURE_SLOTS or slot in (Channel.TPS, Channel.RPM):
            continue
        column = view.column(slot)
        known = column[np.isfinite(column)]
        if not len(known):
            continue
        outside = float(np.mean((known < hard[0]) | (known > hard[1])))
        if outside > RANGE_WARNING:
            spec = CHANNELS[binding.channel]
            return warning(
                f"{view.name(slot)} lies outside {hard[0]:g} to {hard[1]:g} {spec.unit.value} "
                f"{outside:.0%} of the time and is not used then.",
                f"Check that it is {spec.title.lower()}, its unit and its sensor.",
            )
    return passed("All values are physically possible.")


def clock_sync(view: View) -> Verdict:
    """The clocks of the providers are known, so their samples can be put side by side."""
    if not view.health.providers:
        return skipped("Nobody is heard.")
    restarted = [p.name for p in view.health.providers if p.restarts]
    if restarted:
        return warning(
            f"{names(restarted)} restarted while it was listened to.",
            "Check its power supply and network cable; then check again.",
        )
    loose = [p.name for p in view.health.providers if not p.clock_synced]
    if loose:
        return warning(
            f"No answer to a ping was heard from {names(loose)}: clocks are estimated from arrival "
            "times.",
            "Values are right; their times may be off by a few milliseconds.",
        )
    slowest = max((p.latency_ms or 0.0) for p in view.health.providers)
    return passed(f"Clocks are synchronised to {slowest:.1f} ms.")
