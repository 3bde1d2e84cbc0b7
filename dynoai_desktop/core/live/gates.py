"""Why a wideband reading may not speak about the fuel table: every reason is a row of GATES.

Three kinds, asked in this order. What the *engine* does spoils the readings of the exhaust that is
still on its way, so those gates stay shut for the delay and the sensor's settling after the cause
has gone. The *sensor* gates look at the reading itself. The *place* gates look at where the charge
was burnt. The first reason counts; accepted and rejected readings add up to all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.limits import GateLimits
from dynoai_desktop.core.live.moment import Moment
from dynoai_desktop.core.samples import WINDOWS_PER_S

Subject = TypeVar("Subject")

_INJECTOR_TIMES = (Channel.INJ_PW_FRONT, Channel.INJ_PW_REAR)
_SHORT_TRIMS = (Channel.STFT, Channel.STFT_FRONT, Channel.STFT_REAR)
_AWAY_S = 2.5  # a sensor silent for longer begins anew
MOST_TRIM = 60.0  # %; beyond this it is no fuel trim
TRIM_IS_FACTOR_ABOVE = 50.0  # ECUs that say 100 for no trim; no engine runs on a trim of 50 %


@dataclass(frozen=True, slots=True)
class Gate(Generic[Subject]):
    """One reason to reject a reading."""

    key: str
    title: str
    refuses: Callable[[Subject, GateLimits], bool]
    limits: tuple[str, ...] = ()  # fields of GateLimits it goes by


class Sensor:
    """What one wideband has been doing."""

    def __init__(self, channel: Channel) -> None:
        """Start with nothing heard."""
        self.channel = channel
        self.value = math.nan
        self.index = 0  # window of the last reading
        self._low = self._high = math.nan  # since it was first heard, or was away
        self._changed_index = 0
        self._rail_index: int | None = None  # since when it has been at a stop
        self._rail_left_index = -math.inf
        self._silent = 0  # windows since the last reading
        self._anew = True
        self.heard = False

    def hear(self, value: float, index: int, limits: GateLimits) -> None:
        """Take in a reading of window *index*."""
        away_s = (index - self.index) / WINDOWS_PER_S
        if self._anew or away_s > _AWAY_S:
            self._low = self._high = value
            self._changed_index = index
            self._rail_index = None
            self._rail_left_index = -math.inf
        self._anew, self.heard = False, True
        if value != self.value:
            self._changed_index = index
        self._low, self._high = min(self._low, value), max(self._high, value)
        if limits.rail_low < value < limits.rail_high:
            if self._rail_index is not None:
                self._rail_left_index = index
            self._rail_index = None
        elif self._rail_index is None:
            self._rail_index = index
        self.value, self.index, self._silent = value, index, 0

    def jump(self) -> None:
        """Let the next reading begin anew, as when time jumps."""
        self._anew = True

    def miss(self, index: int) -> None:
        """Note that window *index* brought no reading."""
        self._silent = index - self.index

    def silent_s(self) -> float:
        """Return for how long nothing has come."""
        return self._silent / WINDOWS_PER_S

    def alive(self, limits: GateLimits) -> bool:
        """Return whether it has moved since it was first heard."""
        return self._high - self._low >= limits.alive_span

    def held_s(self) -> float:
        """Return for how long every reading has been the same to the last digit."""
        return (self.index - self._changed_index) / WINDOWS_PER_S

    def railed_s(self) -> float:
        """Return for how long it has been at one of its stops."""
        return 0.0 if self._rail_index is None else (self.index - self._rail_index) / WINDOWS_PER_S

    def is_railed(self, limits: GateLimits) -> bool:
        """Return whether it is at a stop, or was until just now."""
        if self._rail_index is not None:
            return True
        return (self.index - self._rail_left_index) / WINDOWS_PER_S < limits.settle_s


@dataclass(slots=True)
class Place:
    """Where the charge of a reading was burnt, as far as it is known."""

    known: bool
    inside: bool = True
    cells_per_s: float = 0.0


def _stopped(now: Moment, limits: GateLimits) -> bool:
    return now.running is False


def _just_started(now: Moment, limits: GateLimits) -> bool:
    started = now.started_index
    return started is not None and (now.index - started) < limits.after_start_s * WINDOWS_PER_S


def _cold(now: Moment, limits: GateLimits) -> bool:
    ect = now.get(Channel.ECT)
    return ect is not None and ect < limits.warm_ect_c


def _fuel_cut(now: Moment, limits: GateLimits) -> bool:
    return any(
        width is not None and width < limits.fuel_cut_ms
        for width in (now.heard.get(channel) for channel in _INJECTOR_TIMES)
    )


def _overrun(now: Moment, limits: GateLimits) -> bool:
    return bool(now.closed) and now.rpm is not None and now.rpm > limits.overrun_rpm


def _tip_in(now: Moment, limits: GateLimits) -> bool:
    throttle, pressure = now.tps_rate, now.map_rate
    rate = throttle.per_s
    if rate is not None and rate > limits.tip_in_tps and rate > throttle.doubt:
        return True
    rate = pressure.per_s
    return rate is not None and rate > limits.tip_in_kpa and rate > pressure.doubt


def _tip_out(now: Moment, limits: GateLimits) -> bool:
    throttle, pressure = now.tps_rate, now.map_rate
    rate = throttle.per_s
    if rate is not None and -rate > limits.tip_out_tps and -rate > throttle.doubt:
        return True
    rate = pressure.per_s
    return rate is not None and -rate > limits.tip_out_kpa and -rate > pressure.doubt


def _heat_soak(now: Moment, limits: GateLimits) -> bool:
    iat = now.get(Channel.IAT)
    if iat is None or iat <= limits.soak_iat_c:
        return False
    slow = now.rpm is None or now.rpm < limits.soak_rpm
    return slow and (now.tps is None or now.tps < limits.soak_tps)


def trim_change(trim: float) -> float:
    """Return a fuel trim as change in percent, whichever way its ECU writes it.

    >>> trim_change(104.0), trim_change(4.0)
    (4.0, 4.0)
    """
    return trim - 100.0 if trim > TRIM_IS_FACTOR_ABOVE else trim


def _closed_loop(now: Moment, limits: GateLimits) -> bool:
    for channel in _SHORT_TRIMS:
        trim = now.heard.get(channel)
        if trim is not None and abs(trim_change(trim)) > limits.trim_pct:
            return True
    return False


def _silent(sensor: Sensor, limits: GateLimits) -> bool:
    return sensor.silent_s() > limits.silent_s


def _warming(sensor: Sensor, limits: GateLimits) -> bool:
    return not sensor.alive(limits)


def _free_air(sensor: Sensor, limits: GateLimits) -> bool:
    return sensor.value >= limits.rail_high and sensor.railed_s() >= limits.free_air_s


def _railed(sensor: Sensor, limits: GateLimits) -> bool:
    return sensor.is_railed(limits)


def _implausible(sensor: Sensor, limits: GateLimits) -> bool:
    return not limits.least_lambda <= sensor.value <= limits.most_lambda


def _held(sensor: Sensor, limits: GateLimits) -> bool:
    return sensor.held_s() >= limits.held_s


def _unknown(place: Place, limits: GateLimits) -> bool:
    return not place.known


def _off_axes(place: Place, limits: GateLimits) -> bool:
    return not place.inside


def _too_brief(place: Place, limits: GateLimits) -> bool:
    return place.cells_per_s * limits.dwell_s > 1.0


_TIP_IN_LIMITS = ("tip_in_tps", "tip_in_kpa", "settle_s")
_TIP_OUT_LIMITS = ("tip_out_tps", "tip_out_kpa", "settle_s")
_OVERRUN_LIMITS = ("closed_tps", "closed_kpa", "open_kpa", "overrun_rpm", "settle_s")
_SOAK_LIMITS = ("soak_iat_c", "soak_rpm", "soak_tps")

ENGINE_GATES: tuple[Gate[Moment], ...] = (
    Gate("engine_stopped", "Engine stopped", _stopped, ("running_rpm",)),
    Gate("after_start", "Just started", _just_started, ("after_start_s",)),
    Gate("warm_up", "Warm-up", _cold, ("warm_ect_c",)),
    Gate("fuel_cut", "Fuel cut", _fuel_cut, ("fuel_cut_ms", "settle_s")),
    Gate("overrun", "Overrun", _overrun, _OVERRUN_LIMITS),
    Gate("tip_in", "Tip-in", _tip_in, _TIP_IN_LIMITS),
    Gate("tip_out", "Tip-out", _tip_out, _TIP_OUT_LIMITS),
    Gate("heat_soak", "Heat soak", _heat_soak, _SOAK_LIMITS),
    Gate("closed_loop", "Closed loop", _closed_loop, ("trim_pct", "settle_s")),
)
SENSOR_GATES: tuple[Gate[Sensor], ...] = (
    Gate("lambda_silent", "Wideband silent or in error", _silent, ("silent_s",)),
    Gate("lambda_free_air", "Wideband in free air", _free_air, ("rail_high", "free_air_s")),
    Gate("lambda_warming", "Wideband warming up", _warming, ("alive_span",)),
    Gate("lambda_railed", "Wideband at its stop", _railed, ("rail_low", "rail_high", "settle_s")),
    Gate("lambda_implausible", "Implausible", _implausible, ("least_lambda", "most_lambda")),
    Gate("lambda_held", "Held value", _held, ("held_s",)),
)
PLACE_GATES: tuple[Gate[Place], ...] = (
    Gate("place_unknown", "Rpm or load stale", _unknown),
    Gate("off_axes", "Off the map", _off_axes),
    Gate("too_brief", "Passed too fast", _too_brief, ("dwell_s",)),
)
GATES: tuple[Gate[Moment] | Gate[Sensor] | Gate[Place], ...] = (
    *ENGINE_GATES,
    *SENSOR_GATES,
    *PLACE_GATES,
)
GATE_TITLES: Mapping[str, str] = MappingProxyType({gate.key: gate.title for gate in GATES})


class Gatekeeper:
    """Asks the gates and keeps count."""

    def __init__(self, limits: GateLimits) -> None:
        """Start with nothing counted."""
        self._limits = limits
        self._shut_until = [-1] * len(ENGINE_GATES)
        self._engine_reason = ""
        self.accepted = 0
        self.rejected: dict[str, int] = {}
        self._sorted: Mapping[str, int] | None = None

    def look(self, now: Moment, hold_windows: int) -> None:
        """Ask what the engine does; a cause spoils readings *hold_windows* longer."""
        index, limits, until = now.index, self._limits, self._shut_until
        reason = ""
        for i, gate in enumerate(ENGINE_GATES):
            if gate.refuses(now, limits):
                until[i] = index + hold_windows
            if not reason and until[i] >= index:
                reason = gate.key
        self._engine_reason = reason

    def forget_causes(self) -> None:
        """Let no cause from before a jump of time spoil what comes after."""
        self._shut_until = [-1] * len(ENGINE_GATES)

    def refuse(self, sensor: Sensor) -> str:
        """Return the key of the gate that rejects the newest reading, counted; "" for none."""
        reason = self._engine_reason or _first(SENSOR_GATES, sensor, self._limits)
        if reason:
            self._count(reason, 1)
        return reason

    def settle(self, place: Place, readings: int) -> bool:
        """Return whether readings burnt at *place* are rejected; count them either way."""
        reason = _first(PLACE_GATES, place, self._limits)
        if reason:
            self._count(reason, readings)
        else:
            self.accepted += readings
        return bool(reason)

    def _count(self, reason: str, readings: int) -> None:
        self.rejected[reason] = self.rejected.get(reason, 0) + readings
        self._sorted = None

    def by_frequency(self) -> Mapping[str, int]:
        """Return the counts, most frequent first; equal counts in the order of the table."""
        if self._sorted is None:
            self._sorted = self._sort()
        return self._sorted

    def _sort(self) -> Mapping[str, int]:
        order = {key: i for i, key in enumerate(GATE_TITLES)}
        items = sorted(self.rejected.items(), key=lambda item: (-item[1], order[item[0]]))
        return MappingProxyType(dict(items))


def _first(gates: Sequence[Gate[Subject]], subject: Subject, limits: GateLimits) -> str:
    for gate in gates:
        if gate.refuses(subject, limits):
            return gate.key
    return ""
