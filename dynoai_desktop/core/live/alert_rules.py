"""What the person at the dyno must be told: one row of ALERT_RULES for each.

A rule looks at one channel and returns how far it is beyond its limit, or None. It is told whether
it was so before, so it can use the lower limit for ending an alert. The board (alerts.py) does
the rest: how long it must last, rate limits, acknowledging, keeping.

Missing is never good: where a rule cannot see what it watches, `unwatched` says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.watch import Watch, lean_limit
from dynoai_desktop.core.samples import WINDOWS_PER_S


class Severity(StrEnum):
    """How much an alert matters, worst first."""

    CRITICAL = "critical"  # the engine is in danger: act now
    WARNING = "warning"  # this run or its data are in doubt
    INFO = "info"


SEVERITIES: tuple[Severity, ...] = tuple(Severity)

Check = Callable[[Watch, Channel | None, bool], float | None]


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One thing to tell."""

    key: str
    severity: Severity
    title: str
    channels: tuple[Channel | None, ...]  # each is judged for itself; None: the whole bus
    check: Check
    message: str  # a template for alert_words.compose
    lasts_s: float = 0.0  # the condition must hold this long
    at_once: float = math.inf  # unless it is this far beyond the limit
    every: int = 1  # windows between two looks, for what lasts longer than that
    needs: tuple[frozenset[Channel], ...] = ()  # one of each, or it sees nothing
    limits: tuple[str, ...] = ()  # fields of AlertLimits it goes by


def _lean(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    pressure, sensor = w.load_pressure(), w.working(channel)
    if sensor is None or pressure is None:
        return None
    limit = lean_limit(pressure, w.settings)
    if pressure >= w.limits.load_kpa and (target := w.target(sensor.channel)) is not None:
        limit = min(limit, target * (1.0 + w.limits.lean_over_target))
    return _beyond(sensor.value, limit, w.limits.lean_hysteresis if begun else 0.0)


def _rich(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    pressure, sensor = w.load_pressure(), w.working(channel)
    if sensor is None or pressure is None or pressure < w.limits.load_kpa:
        return None
    return _beyond(-sensor.value, -w.limits.rich_under_load, 0.02 if begun else 0.0)


def _implausible(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    sensor, now = w.working(channel), w.now
    if sensor is None or not now.running or now.closed is not False or now.least_pressure is None:
        return None
    if now.least_pressure <= w.gates.closed_kpa:
        return None  # the throttle was shut a moment ago, the exhaust may still be air
    low, high = w.gates.least_lambda, w.gates.most_lambda
    return _beyond(max(low - sensor.value, sensor.value - high), 0.0)


def _dead(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    sensor, now = w.sensor(channel), w.now
    if sensor is None or not now.running or now.closed is not False:
        return None
    if now.index - sensor.index > WINDOWS_PER_S:
        return None
    return _beyond(max(sensor.held_s(), sensor.railed_s()), w.limits.dead_s)


def _disagree(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    front, rear = w.sensor(Channel.LAMBDA_FRONT), w.sensor(Channel.LAMBDA_REAR)
    now = w.now
    if front is None or rear is None or not now.running or now.closed is not False:
        return None
    if now.index - min(front.index, rear.index) > WINDOWS_PER_S // 2:
        return None
    return _beyond(abs(front.value - rear.value), w.limits.disagree, 0.03 if begun else 0.0)


def _knock(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    limit = w.limits.knock_deg
    return _beyond(w.heard(channel), limit, 0.5 * limit if begun else 0.0)


def _over_rev(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    redline = w.limits.redline_rpm
    return None if redline is None else _beyond(w.now.rpm, redline, 100.0 if begun else 0.0)


def _hot(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    limit = w.limits.iat_c if channel is Channel.IAT else w.limits.ect_c
    return _beyond(w.held(channel), limit, 3.0 if begun else 0.0)


def _battery(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    volts = w.held(channel)
    if volts is None or not w.now.running:
        return None
    return _beyond(-volts, -w.limits.battery_v, 0.3 if begun else 0.0)


def _rpm_frozen(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    now = w.now
    if now.tps is None or now.tps <= w.limits.frozen_tps or not now.running:
        return None
    return _beyond(now.rpm_unchanged_s, w.limits.frozen_s)


def _stale(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    if channel is None or w.silent_s > 1.0:
        return None
    if channel is not Channel.RPM and w.now.running is False:
        return None  # an idle dyno sends no zeros
    # A channel sent now and then, or only on change, is stale after missing three of its turns.
    limit = w.limits.stale_s
    if channel in _MIXTURES and (w.load_pressure() or 0.0) >= w.limits.load_kpa:
        limit = min(limit, w.gates.silent_s)
    return _beyond(w.now.age_s(channel), max(limit, 3.0 * w.usual_gap_s(channel)))


def _silence(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    return None if w.heard_since_s is None else _beyond(w.silent_s, w.limits.stale_s)


def _missing(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    since = w.heard_since_s
    if since is None or w.silent_s > 1.0:
        return None
    # MAP stands for the load axis, lambda for any wideband.
    wanted: tuple[Channel, ...] = (Channel.RPM,)
    if channel is Channel.MAP:
        wanted = (w.load_channel,)
    elif channel is Channel.LAMBDA:
        wanted = _MIXTURES
    if any(w.now.age_s(c) is not None for c in wanted):
        return None
    return _beyond(w.now.start_s - since, w.limits.missing_s)


def _out_of_range(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    value, usual = w.heard(channel), CHANNELS[channel].warn if channel is not None else None
    if value is None or usual is None or not w.now.running or w.now.closed:
        return None
    return _beyond(max(usual[0] - value, value - usual[1]), 0.0)


def _loss(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    limit = w.limits.loss_pct
    return _beyond(100.0 * w.lossy_share, limit, 0.8 * limit if begun else 0.0)


def _power_fell(w: Watch, channel: Channel | None, begun: bool) -> float | None:
    fall = w.power_fall
    return None if fall is None else _beyond(100.0 * fall, w.limits.power_fall_pct)


def _beyond(value: float | None, limit: float, band: float = 0.0) -> float | None:
    """Return how far *value* is above *limit* lowered by *band*, None when it is not."""
    if value is None:
        return None
    beyond = value - limit + band
    return beyond if beyond > 0.0 else None


_C = Channel
_MIXTURES = (_C.LAMBDA, _C.LAMBDA_FRONT, _C.LAMBDA_REAR)
_KNOCKS = (_C.KNOCK_FRONT, _C.KNOCK_REAR, _C.KNOCK)
_STALE = (_C.RPM, *_MIXTURES, _C.MAP, _C.TPS, _C.TORQUE, _C.POWER, *_KNOCKS)
_RANGED = (_C.MAP, _C.BARO, _C.AMBIENT, _C.VBATT, _C.TORQUE, _C.POWER, _C.CORR_FACTOR)
_LAMBDA, _LOAD = frozenset(_MIXTURES), frozenset({_C.MAP, _C.TPS})
_RPM, _TPS, _ECT, _IAT = (frozenset({c}) for c in (_C.RPM, _C.TPS, _C.ECT, _C.IAT))
_TENTH, _HALF = 2, 10  # windows
_CRITICAL, _WARNING = Severity.CRITICAL, Severity.WARNING

# fmt: off
ALERT_RULES: tuple[AlertRule, ...] = (
    AlertRule("lean_under_load", _CRITICAL, "Lean under load", _MIXTURES, _lean,
              "{title} {value2} ({afr} AFR) at {kpa} kPa. Close the throttle.",
              lasts_s=0.05, at_once=0.03, needs=(_LAMBDA, _LOAD, _RPM),
              limits=("lean_margin", "lean_over_target", "lean_hysteresis", "load_kpa",
                      "load_rpm")),
    AlertRule("knock", _CRITICAL, "Knock", _KNOCKS, _knock,
              "{title} {value1}°. Close the throttle; check fuel and spark.",
              needs=(frozenset(_KNOCKS),), limits=("knock_deg",)),
    AlertRule("over_rev", _CRITICAL, "Over-rev", (_C.RPM,), _over_rev,
              "{value} rpm, the redline is {redline}. Close the throttle.",
              needs=(_RPM,), limits=("redline_rpm",)),
    AlertRule("over_temperature", _CRITICAL, "Engine too hot", (_C.ECT,), _hot,
              "{title} {value} °C. Let it cool before the next pull.",
              lasts_s=1.0, every=_HALF, needs=(_ECT,), limits=("ect_c",)),
    AlertRule("intake_hot", _WARNING, "Intake air hot", (_C.IAT,), _hot,
              "{title} {value} °C. Let it cool before the next pull.",
              lasts_s=1.0, every=_HALF, needs=(_IAT,), limits=("iat_c",)),
    AlertRule("rich_under_load", _WARNING, "Rich under load", _MIXTURES, _rich,
              "{title} {value2} ({afr} AFR) at {kpa} kPa. End the run and check the fuelling.",
              lasts_s=0.5, every=_TENTH, needs=(_LAMBDA, _LOAD, _RPM),
              limits=("rich_under_load", "load_kpa", "load_rpm")),
    AlertRule("lambda_implausible", _WARNING, "Implausible lambda", _MIXTURES, _implausible,
              "{title} {value2}: no engine runs there. Check sensor, plug and exhaust leaks.",
              lasts_s=1.0, every=_HALF, needs=(_LAMBDA, _LOAD)),
    AlertRule("wideband_dead", _WARNING, "Wideband does not move", _MIXTURES, _dead,
              "{title} stands at {value2}. Check the sensor and its controller.",
              lasts_s=1.0, every=_HALF, needs=(_LAMBDA,), limits=("dead_s",)),
    AlertRule("wideband_disagreement", _WARNING, "Front and rear disagree",
              (_C.LAMBDA_REAR,), _disagree,
              "Front λ {front}, rear λ {rear}. Check both sensors before correcting a cylinder.",
              lasts_s=3.0, every=_HALF, limits=("disagree",)),
    AlertRule("rpm_frozen", _WARNING, "Engine speed frozen", (_C.RPM,), _rpm_frozen,
              "{title} stays at {value} rpm with the throttle open. Check the pickup.",
              every=_HALF, needs=(_RPM, _TPS), limits=("frozen_s", "frozen_tps")),
    AlertRule("low_battery", _WARNING, "Battery low", (_C.VBATT,), _battery,
              "{title} {value1} V with the engine running. Check the charging system.",
              lasts_s=2.0, every=_HALF, needs=(frozenset({_C.VBATT}),), limits=("battery_v",)),
    AlertRule("silence", _WARNING, "Silence", (None,), _silence,
              "Nothing is heard any more. Check the dyno and the network cable.",
              every=_HALF, limits=("stale_s",)),
    AlertRule("stale_channel", _WARNING, "Channel stale", _STALE, _stale,
              "{title} is not heard any more. Check its sensor and the channel list.",
              every=_HALF, limits=("stale_s",)),
    AlertRule("missing_channel", _WARNING, "Channel missing", (_C.RPM, _C.LAMBDA, _C.MAP),
              _missing, "{title} has not been heard. Choose its channel in Mapping.",
              every=_HALF, limits=("missing_s",)),
    AlertRule("out_of_range", _WARNING, "Out of range", _RANGED, _out_of_range,
              "{title} reads {value1}, usual are {usual}. Check the sensor and its mapping.",
              lasts_s=1.0, every=_HALF),
    AlertRule("loss", _WARNING, "Datagrams lost", (None,), _loss,
              "Datagrams were lost in {lossy} % of the windows. Check the network.",
              every=_HALF, limits=("loss_pct",)),
    AlertRule("power_falling", _WARNING, "Power falls run by run", (_C.POWER,), _power_fell,
              "Power fell by {fall} % over three pulls{heat}. Let the engine cool.",
              every=_HALF, needs=(frozenset({_C.POWER, _C.TORQUE}),),
              limits=("power_fall_pct",)),
)
# fmt: on


def unwatched(heard: Iterable[Channel], settings: LiveSettings) -> Mapping[str, str]:
    """Return the rules that see nothing, each with what they would need."""
    known = frozenset(heard)
    out: dict[str, str] = {}
    for rule in ALERT_RULES:
        missing = [_name(group) for group in rule.needs if not group & known]
        if missing:
            what = " and ".join(missing)
            out[rule.key] = f"{rule.title}: not watched, because {what} was not heard."
    if settings.alerts.redline_rpm is None:
        out.setdefault("over_rev", "Over-rev: not watched, because no redline is set.")
    return out


def _name(group: frozenset[Channel]) -> str:
    if group == _LAMBDA:
        return "lambda"
    return " or ".join(CHANNELS[c].title.lower() for c in sorted(group, key=tuple(CHANNELS).index))
