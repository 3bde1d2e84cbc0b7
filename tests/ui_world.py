"""A V-twin on a dyno as the window sees it: three WOT pulls in a minute, two providers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.snapshot import History, Reading, Snapshot, TrailPoint
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import ChannelMap
from dynoai_desktop.core.trust.health import BusHealth, ChannelHealth, ChannelState, ProviderHealth
from dynoai_desktop.core.trust.mapping import resolve
from dynoai_desktop.core.trust.preflight import CheckResult, PreflightReport, Status
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.messages import MappingState, SessionRow, TemplateRow
from tests.trust_world import cell, named

NOW_S = 1_700_000_000.0
RATE_HZ = 20
_CYCLE_S, _IDLE_S, _PULL_S = 20.0, 6.0, 10.0


def pulls(windows: int) -> dict[Channel, NDArray[np.float32]]:
    """Return *windows* of idle, pull and overrun in turns, 20 a second."""
    phase = (np.arange(windows) / RATE_HZ) % _CYCLE_S
    idle, pull = phase < _IDLE_S, (phase >= _IDLE_S) & (phase < _IDLE_S + _PULL_S)
    rising = 2000 + (phase - _IDLE_S) / _PULL_S * 3800
    falling = 5800 - (phase - _IDLE_S - _PULL_S) / 4 * 4600
    rpm = np.select([idle, pull], [1000 + 30 * np.sin(7 * phase), rising], falling)
    torque = np.select([idle, pull], [5.0, 142 - 6 * (rpm / 1000 - 3.9) ** 2], -20.0)
    values = {
        Channel.RPM: rpm,
        Channel.TPS: np.select([idle, pull], [3.0, 100.0], 0.0),
        Channel.MAP: np.select([idle, pull], [38 + np.sin(phase), 96 + np.sin(phase)], 28.0),
        Channel.LAMBDA_FRONT: np.select([idle, pull], [0.98, 0.87], 1.25),
        Channel.LAMBDA_REAR: np.select([idle, pull], [1.00, 0.91], 1.28),
        Channel.TORQUE: torque,
        Channel.POWER: torque * rpm / 9549,
    }
    return {channel: array.astype(np.float32) for channel, array in values.items()}


def snapshot(
    windows: int = 1040,
    missing: Collection[Channel] = (),
    silent_s: dict[Channel, float] | None = None,
) -> Snapshot:
    """Return the picture after *windows*; *silent_s* are channels that fell silent so long ago."""
    time_s = NOW_S + np.arange(windows) / RATE_HZ
    values = {c: v for c, v in pulls(windows).items() if c not in missing}
    now_s = float(time_s[-1]) + 1 / RATE_HZ
    hits, active = CellGrid.zeros(default_rpm_axis(), default_map_axis()), None
    trail: tuple[TrailPoint, ...] = ()
    if Channel.RPM in values and Channel.MAP in values:
        path = list(zip(values[Channel.RPM].tolist(), values[Channel.MAP].tolist(), strict=True))
        for rpm, load in path:
            i, j = hits.rpm.locate(rpm), hits.load.locate(load)
            active = None if i is None or j is None else (i, j)
            if active is not None:
                hits.values[active] += 1
        ages = (np.arange(len(path), 0, -1) - 1) / RATE_HZ
        trail = tuple(
            TrailPoint(rpm, load, float(age))
            for (rpm, load), age in list(zip(path, ages, strict=True))[-60:]
        )
    silent = silent_s or {}
    readings = {
        channel: Reading(float(array[-1]), now_s - 1 / RATE_HZ - silent.get(channel, 0.0))
        for channel, array in values.items()
    }
    shown = {channel: array[-1200:] for channel, array in values.items()}
    history = History(time_s[-1200:], shown)
    return Snapshot(now_s, windows, readings, history, hits, active, trail)


def readings(values: dict[Channel, float], now_s: float = NOW_S) -> Snapshot:
    """Return a picture with these readings, all fresh, and no past."""
    empty = CellGrid.zeros(default_rpm_axis(), default_map_axis())
    fresh = {channel: Reading(value, now_s) for channel, value in values.items()}
    return Snapshot(now_s, 1, fresh, History(np.empty(0), {}), empty, None)


CHANNELS: tuple[tuple[str, Unit, Channel | None, float | None], ...] = (
    ("Engine RPM", Unit.RPM, Channel.RPM, 4820.3),
    ("Torque Drum 1", Unit.NEWTON_METRE, Channel.TORQUE, 137.2),
    ("Power Drum 1", Unit.KILOWATT, Channel.POWER, 74.57),
    ("Air/Fuel Ratio 1", Unit.AFR, Channel.AFR_FRONT, 12.83),
    ("MAP kPa", Unit.KILOPASCAL, Channel.MAP, 97.4),
    ("Intake Air Temp", Unit.CELSIUS, Channel.IAT, 31.5),
    ("Sampling", Unit.NONE, None, 50.0),
    ("Link 0 Status", Unit.NONE, None, None),
)


def channel(
    name: str = "Engine RPM",
    number: int = 0,
    value: float | None = 4820.3,
    unit: Unit = Unit.RPM,
    canonical: Channel | None = None,
    state: ChannelState = ChannelState.HEALTHY,
) -> ChannelHealth:
    """Return one channel's health."""
    age_s = None if value is None else 7.4 if state is ChannelState.STALE else 0.03
    return ChannelHealth(
        "Power Core", number, name, unit, canonical, value, age_s, 20.0, 100, 0, 0, 0, state
    )


def provider(
    name: str = "Power Core", lost: int = 0, simulated: bool = False, channels: int = 35
) -> ProviderHealth:
    """Return one provider's health."""
    return ProviderHealth(
        name=name,
        host_id=0x43FD,
        frames=10_000,
        lost=lost,
        duplicates=0,
        out_of_order=0,
        malformed=0,
        samples=120_000,
        age_s=0.02,
        channel_count=channels,
        list_complete=True,
        clock_synced=True,
        clock_offset_ms=-13.2,
        latency_ms=0.4,
        restarts=0,
        simulated=simulated,
    )


def bus(count: int = 8, lost: int = 0, simulated: bool = False, step: int = 0) -> BusHealth:
    """Return a bus with *count* channels; *step* moves every value a little."""
    channels = []
    for i in range(count):
        name, unit, canonical, value = CHANNELS[i % len(CHANNELS)]
        if i >= len(CHANNELS):
            name, canonical = f"{name} {i // len(CHANNELS) + 1}", None
        moved = None if value is None else value + step
        channels.append(channel(name, i, moved, unit, canonical))
    one = provider(lost=lost, simulated=simulated, channels=count)
    return BusHealth(round(NOW_S * 1e6), (one,), tuple(channels), one.frames)


def with_notice(health: BusHealth, text: str) -> BusHealth:
    """Return *health* with something for the user to read."""
    return replace(health, notices=(*health.notices, text))


def session(number: int, note: str = "", simulated: bool = False) -> SessionRow:
    """Return a recorded session."""
    return SessionRow(
        name=f"2024051{number}T101500Z_fxdl-103",
        start_s=1_715_500_000.0 + number * 86_400,
        duration_s=80.0 + number,
        vehicle="FXDL 103",
        simulated=simulated,
        size_bytes=3_000_000,
        path=Path(f"/data/sessions/2024051{number}T101500Z_fxdl-103"),
        note=note,
    )


def heard(signal: Any) -> list[Any]:
    """Return a list that grows with everything *signal* carries."""
    values: list[Any] = []
    signal.connect(lambda *args: values.append(args[0] if args else None))
    return values


# A whole cell: two providers, 42 channels, as the mapping and the channel page see them


def cell_without(*names: str) -> list[ChannelInfo]:
    """Return the channels of the reference cell without those of the given names."""
    return named(cell(), *names)


def mapping(*missing: str, **more: Any) -> MappingState:
    """Return the mapping of the reference cell without the channels named *missing*."""
    infos = cell_without(*missing)
    known = {key: more.pop(key) for key in ("choices", "pinned") if key in more}
    found = resolve(infos, choices=known.get("choices"), pinned=known.get("pinned") or None)
    templates = (TemplateRow("rt150", "Dynojet RT-150", "inductive pick-up"),)
    return MappingState(channel_map=found, templates=templates, **known, **more)


def cell_bus(
    state: MappingState | None = None,
    values: dict[str, float] | None = None,
    now_s: float = NOW_S,
    infos: Collection[ChannelInfo] = (),
    frames: int = 1000,
) -> BusHealth:
    """Return the health of the reference cell, or of *infos*; *values* by channel name, else 1."""
    channels = []
    bound = (state.channel_map if state is not None else ChannelMap()).by_source
    infos = infos or cell()
    for info in infos:
        binding = bound.get((info.provider, info.id))
        one = channel(info.name, info.id, (values or {}).get(info.name, 1.0), info.unit)
        canonical = binding.channel if binding is not None else None
        channels.append(replace(one, provider=info.provider, canonical=canonical))
    providers = tuple(
        replace(
            provider(name, channels=sum(c.provider == name for c in channels)),
            frames=frames + i,
        )
        for i, name in enumerate(dict.fromkeys(i.provider for i in infos))
    )
    return BusHealth(round(now_s * 1e6), providers, tuple(channels), 100)


def check(
    id: str = "rpm",
    status: Status = Status.PASS,
    message: str = "Engine speed is fine.",
    fix: str = "",
    blocking: bool = False,
) -> CheckResult:
    """Return one row of a preflight report."""
    return CheckResult(id, id.replace("_", " ").capitalize(), status, message, fix, blocking)


def report(*checks: CheckResult) -> PreflightReport:
    """Return a preflight report."""
    return PreflightReport(all(c.status is not Status.FAIL for c in checks), checks)
