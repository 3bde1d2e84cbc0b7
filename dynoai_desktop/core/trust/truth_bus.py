"""A dyno bus made up from a seed: fifteen seconds of signals whose meaning is known.

Used to count how often the mapping and the preflight are right. It is a sketch of an engine, not
a model of one: signals have the size, the noise, the rates and the dependence on each other that
the checks rely on, and vehicle, weather, sensors and driving change with the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.check import MachineFacts, PairBaseline
from dynoai_desktop.core.trust.health import (
    BusHealth,
    ChannelHealth,
    ChannelState,
    ProviderHealth,
)
from dynoai_desktop.core.trust.signals import Array, Mask, Signal, SourceKey
from dynoai_desktop.core.units import WIRE_UNITS, Unit

DYNO, PROBE = "Power Core", "Atmospheric Probe"
SECONDS = 15.0
START_S = 1.7e9
_HZ = 200
_GAUGE_STOICH = 14.7
_RNG = np.random.Generator


@dataclass(frozen=True, slots=True)
class Bus:
    """Everything a preflight would be given, before the mapping."""

    channels: tuple[ChannelInfo, ...]
    signals: Mapping[SourceKey, Signal]
    lost: Mapping[str, int] = field(default_factory=dict)  # datagrams, by provider
    machine: MachineFacts = field(
        default_factory=lambda: MachineFacts(50_000_000_000, 200_000.0, "", 2.0)
    )
    pair: PairBaseline | None = None
    pinned: frozenset[str] | None = None

    def key(self, name: str) -> SourceKey:
        """Return the key of the first channel of this name."""
        return next((c.provider, c.id) for c in self.channels if c.name == name)

    def has(self, name: str) -> bool:
        """Return True when a channel of this name is announced."""
        return any(c.name == name for c in self.channels)

    def health(self) -> BusHealth:
        """Return the health of the bus at the end of the signals."""
        end = max(float(s.time_s[-1]) for s in self.signals.values() if len(s.time_s))
        names = list(dict.fromkeys(c.provider for c in self.channels))
        return BusHealth(
            now_us=int(end * 1e6),
            providers=tuple(self._provider(name, 0x4C27 + i) for i, name in enumerate(names)),
            channels=tuple(self._channel(c, end) for c in self.channels),
        )

    def _provider(self, name: str, host: int) -> ProviderHealth:
        mine = [c for c in self.channels if c.provider == name]
        lost = self.lost.get(name, 0)
        return ProviderHealth(
            name=name,
            host_id=host,
            frames=750 - lost,
            lost=lost,
            duplicates=0,
            out_of_order=0,
            malformed=0,
            samples=sum(len(self.signals[name, c.id].value) for c in mine),
            age_s=0.05,
            channel_count=len(mine),
            list_complete=True,
            clock_synced=True,
            clock_offset_ms=12.0,
            latency_ms=0.4,
            restarts=0,
            simulated=True,
        )

    def _channel(self, info: ChannelInfo, end: float) -> ChannelHealth:
        signal = self.signals[info.provider, info.id]
        recent = int(np.count_nonzero(signal.time_s > end - 2.0))
        finite = signal.finite
        return ChannelHealth(
            provider=info.provider,
            id=info.id,
            name=info.name,
            unit=info.unit,
            canonical=None,
            value=float(finite[-1]) if len(finite) else None,
            age_s=end - float(signal.time_s[-1]) if len(signal.time_s) else None,
            rate_hz=recent / 2.0,
            samples=len(signal.value),
            non_finite=len(signal.value) - len(finite),
            out_of_range=0,
            reordered=0,
            state=ChannelState.HEALTHY,
        )


@dataclass(frozen=True, slots=True)
class _Engine:
    """The truth, on a grid of 200 Hz. Arrays (m,)."""

    time_s: Array
    tps: Array
    rpm: Array
    map_kpa: Array
    torque_nm: Array
    speed_kmh: Array
    lambdas: tuple[Array, ...]  # one per cylinder group, as the sensor shows it
    targets: Array
    fuel_ms: tuple[Array, ...]
    baro_kpa: float


def synthetic_bus(seed: int, *, moving: bool = False) -> Bus:
    """Return a healthy warm engine on a dyno; the same seed gives the same bus.

    With *moving* the engine is driven on the drum; otherwise the seed decides, and it may idle
    all the time.
    """
    rng = np.random.default_rng(seed)
    twin = bool(rng.random() < 0.7)
    engine = _engine(rng, 2 if twin else 1, moving)
    rows = _dyno_rows(rng, engine, twin)
    order = rng.permutation(len(rows))
    channels: list[ChannelInfo] = []
    signals: dict[SourceKey, Signal] = {}
    for provider, table, ids in (
        (DYNO, [rows[i] for i in order], rng.permutation(200)),
        (PROBE, _probe_rows(engine, rng), rng.permutation(20)),
    ):
        for (name, code, hz, values), number in zip(table, ids, strict=False):
            channel_id = int(number)
            unit = WIRE_UNITS.get(code, Unit.NONE)
            channels.append(ChannelInfo(provider, channel_id, name, unit, code))
            signals[provider, channel_id] = _sampled(rng, engine.time_s, values, hz)
    offset = 0.0
    if twin:
        offset = float(np.median(engine.lambdas[0] - engine.lambdas[1]))
    lost = {DYNO: int(rng.integers(0, 4))}
    return Bus(tuple(channels), signals, lost, pair=PairBaseline(offset, 0.004) if twin else None)


def _engine(rng: _RNG, groups: int, moving: bool) -> _Engine:
    time_s = np.arange(int(SECONDS * _HZ)) / _HZ
    style = rng.choice(["cruise", "pull"] if moving else ["idle", "blips", "cruise", "pull"])
    idle = float(rng.uniform(800, 1300))
    redline = float(rng.uniform(5500, 12000))
    tps, rpm, geared = _driving(rng, time_s, str(style), idle, redline)
    rpm = rpm + _noise(rng, len(time_s), 12.0, 0.05) + rng.normal(0, 3.0, len(time_s))
    baro = float(rng.uniform(80.0, 103.0))
    filling = 1 - np.exp(-(tps + 4.0) / rng.uniform(10.0, 22.0))
    boost = float(rng.choice([0.0, 0.0, 80.0])) * np.clip((rpm - 2500) / 2500, 0, 1)
    ratio = 0.25 + 0.73 * filling * (1 - 0.05 * rpm / redline)
    map_kpa = baro * ratio + boost * np.clip((tps - 40) / 60, 0, 1)
    map_kpa = map_kpa + rng.normal(0, 0.8, len(time_s))
    target = np.where(map_kpa > 0.75 * baro, float(rng.uniform(0.84, 0.9)), 1.0)
    target = _lag(target, 0.2)
    cut = (tps < 2.0) & (rpm > idle + 1200)
    per_group = [_cylinder(rng, i, rpm, map_kpa, target, cut, redline) for i in range(groups)]
    ve = 0.75 + 0.2 * np.sin(np.pi * np.clip(rpm / redline, 0, 1))
    torque = np.where(cut, -15.0, ve * map_kpa * float(rng.uniform(0.9, 1.6)) - 18.0)
    torque = np.where(geared, torque, 0.0)
    speed = np.where(geared, rpm / float(rng.uniform(45.0, 80.0)), 0.0)
    return _Engine(
        START_S + time_s,
        tps,
        rpm,
        map_kpa,
        torque,
        speed,
        tuple(c[0] for c in per_group),
        target,
        tuple(c[1] for c in per_group),
        baro,
    )


def _driving(
    rng: _RNG, time_s: Array, style: str, idle: float, redline: float
) -> tuple[Array, Array, Mask]:
    """Return throttle, engine speed, and whether the drum is driven."""
    tps = np.full(len(time_s), float(rng.uniform(0.0, 3.0)))
    if style == "idle":
        return tps, np.full(len(time_s), idle), np.zeros(len(time_s), bool)
    if style == "blips":
        for start in rng.uniform(1.0, 13.0, 4):
            tps[(time_s > start) & (time_s < start + 0.6)] = float(rng.uniform(25, 60))
        rpm = idle + _lag(_lag(tps, 0.1), 0.4) * 55.0
        return _lag(tps, 0.05), rpm, np.zeros(len(time_s), bool)
    steps = rng.uniform(8.0, 45.0, 4)
    tps = steps[np.minimum((time_s / SECONDS * 4).astype(int), 3)]
    base = float(rng.uniform(0.3, 0.4)) * redline
    rpm = base + _lag((tps - 8.0) / 40.0, 1.0) * 0.25 * redline
    if style == "pull":
        start, length = float(rng.uniform(3.0, 5.0)), float(rng.uniform(5.0, 7.0))
        ramp = np.clip((time_s - start) / length, 0, 1)
        inside = (time_s > start) & (time_s < start + length)
        after = time_s >= start + length
        tps = np.where(inside, 100.0, np.where(after, 1.0, 12.0))
        falling = np.exp(-np.clip(time_s - start - length, 0, None) / 3.0)
        rpm = base + ramp * (0.95 * redline - base) * np.where(after, falling, 1.0)
    return _lag(tps, 0.08), rpm, np.ones(len(time_s), bool)


def _cylinder(
    rng: _RNG, index: int, rpm: Array, map_kpa: Array, target: Array, cut: Mask, redline: float
) -> tuple[Array, Array]:
    """Return what the wideband shows and the injector time of one cylinder group."""
    sign = 1.0 if index == 0 else -1.0
    fuel_bend = sign * float(rng.uniform(0.03, 0.06)) * np.sin(2 * np.pi * rpm / redline)
    error = sign * float(rng.uniform(0.012, 0.03)) + 0.02 * np.sin(rpm / 900.0)
    shown = target * (1 + error) * (1 - fuel_bend)
    shown = np.where(cut, 1.52, shown)
    shown = _lag(np.roll(shown, int(0.08 * _HZ)), float(rng.uniform(0.06, 0.15)))
    shown = shown + _noise(rng, len(rpm), 0.008, 0.4) + rng.normal(0, 0.002, len(rpm))
    fuel = 1.0 + 0.11 * map_kpa * (1 + fuel_bend) / np.maximum(target, 0.5)
    return np.clip(shown, 0.5, 1.523), np.where(cut, 0.0, fuel)


_Row = tuple[str, int, float, Array]  # name, wire unit code, rate in Hz, values on the engine grid


def _dyno_rows(rng: _RNG, engine: _Engine, twin: bool) -> list[_Row]:
    count = len(engine.time_s)
    fast = float(rng.choice([10.0, 20.0, 50.0]))
    factor = 99.0 / (engine.baro_kpa - float(rng.uniform(0.5, 3.0)))
    power = engine.torque_nm * engine.rpm / 9549.3
    force = np.where(engine.speed_kmh > 1, power * 3600 / np.maximum(engine.speed_kmh, 1.0), 0.0)
    still = np.zeros(count)
    noisy = 1 + rng.normal(0, 0.01, count)
    rows: list[_Row] = [
        ("Sampling", 255, 2.0, still + 1),
        ("Sampling Duration", 0, 2.0, engine.time_s - engine.time_s[0]),
        ("TCP RX kB/s", 255, 2.0, still + rng.normal(20, 5, count)),
        ("Internal Temp 1", 6, 2.0, still + 38.2),
        ("Internal Temp 2", 6, 2.0, still + 41.0),
        ("Inductive 1 Signal Strength", 16, 2.0, still + 78.0),
        ("Engine RPM", 8, fast, engine.rpm),
        ("Digital RPM 1", 8, fast, engine.rpm * (1 + rng.normal(0, 0.001, count))),
        ("Force Drum 1", 3, fast, force * noisy),
        ("Power Drum 1", 4, fast, power * noisy * factor),
        ("Power Drum 1 (uncorrected)", 4, fast, power * noisy),
        ("Torque Drum 1", 5, fast, engine.torque_nm * noisy * factor),
        ("Torque Drum 1 (uncorrected)", 5, fast, engine.torque_nm * noisy),
        ("Correction Factor", 255, 2.0, still + factor),
        ("Speed 1", 2, fast, engine.speed_kmh),
        ("MAP kPa", 7, fast, engine.map_kpa),
        ("TPS", 16, fast, np.clip(engine.tps + rng.normal(0, 0.2, count), 0, 100)),
        ("Pressure", 7, 2.0, still + engine.baro_kpa),
        ("IAT", 6, 2.0, still + 33.0 + 0.1 * rng.normal(size=count)),
        ("VBatt", 14, 2.0, still + 13.9 + 0.05 * rng.normal(size=count)),
        ("Spark Advance Front", 255, fast, 18 + engine.rpm / 400.0),
    ]
    return rows + _mixture_rows(rng, engine, twin, fast)


def _mixture_rows(rng: _RNG, engine: _Engine, twin: bool, fast: float) -> list[_Row]:
    afr = [shown * _GAUGE_STOICH for shown in engine.lambdas]
    if not twin:
        if rng.random() < 0.3:
            return [("Lambda", 13, fast, engine.lambdas[0])]
        return [("Air/Fuel Ratio", 11, fast, afr[0])]
    names = [
        ("LC1 Volts Petrol AFR", "LC2 Volts Petrol AFR"),
        ("Air/Fuel Ratio 1", "Air/Fuel Ratio 2"),
        ("AFR Front", "AFR Rear"),
    ][int(rng.integers(3))]
    rows: list[_Row] = [(name, 11, fast, column) for name, column in zip(names, afr, strict=True)]
    for number, column in enumerate(afr, 1):
        rows.append((f"User Analog {number}", 14, fast, (column - 7.35) / 3.008))
    for name, fuel in zip(("INJ PW F", "INJ PW R"), engine.fuel_ms, strict=True):
        rows.append((name, 255, fast, fuel))
    return rows


def _probe_rows(engine: _Engine, rng: _RNG) -> list[_Row]:
    still = np.zeros(len(engine.time_s))
    celsius, humidity = float(rng.uniform(10, 35)), float(rng.uniform(15, 80))
    vapour = humidity / 100 * 0.6112 * float(np.exp(17.62 * celsius / (243.12 + celsius)))
    return [
        ("Temperature 1", 6, 2.0, still + celsius),
        ("Temperature 2", 6, 2.0, still + celsius + 0.2),
        ("Pressure", 7, 2.0, still + engine.baro_kpa),
        ("Humidity", 16, 2.0, still + humidity),
        ("Absolute Pressure", 7, 2.0, still + engine.baro_kpa + 0.1),
        ("Vapor Pressure", 7, 2.0, still + vapour),
        ("Humidity", 16, 2.0, still + humidity * 0.3),
    ]


def _sampled(rng: _RNG, time_s: Array, values: Array, hz: float) -> Signal:
    """Return a channel as its provider samples it: own rate, own phase, float32."""
    step = 1.0 / hz
    moments = np.arange(float(rng.uniform(0, step)), SECONDS - 0.02, step)
    moments = moments + rng.uniform(-0.1, 0.1, len(moments)) * step * 0.1
    at = np.clip((moments * _HZ).astype(int), 0, len(values) - 1)
    return Signal(time_s[0] + moments, values[at].astype(np.float32).astype(np.float64))


def _lag(values: Array, tau_s: float) -> Array:
    """Return a first-order lag of *values*."""
    share = 1.0 / (tau_s * _HZ + 1.0)
    # The impulse response is cut where it has faded; at 200 Hz that is short enough to convolve.
    length = int(6 * tau_s * _HZ) + 1
    kernel = share * (1 - share) ** np.arange(length)
    padded = np.concatenate((np.full(length, values[0]), values))
    return np.convolve(padded, kernel / kernel.sum())[length : length + len(values)]


def _noise(rng: _RNG, count: int, size: float, tau_s: float) -> Array:
    """Return coloured noise of standard deviation *size*: an engine wanders, it does not hiss."""
    rough = _lag(rng.normal(size=count), tau_s)
    return size * rough / max(float(np.std(rough)), 1e-9)
