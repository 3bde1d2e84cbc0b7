"""The simulated dyno as a bus for the truth table: real physics, real driving, real faults."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.simulator.commands import Drive
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.programmes import PROGRAMMES, Programme
from dynoai_desktop.core.simulator.rig import TICK_S, Rig
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.sim_channels import SIM_CHANNELS, SimChannel, SimProvider
from dynoai_desktop.core.simulator.weather import Weather
from dynoai_desktop.core.trust.check import PairBaseline
from dynoai_desktop.core.trust.signals import Signal, SourceKey, signal_pair_offset
from dynoai_desktop.core.trust.truth import Fault, TruthRow, count_row
from dynoai_desktop.core.trust.truth_bus import DYNO, PROBE, SECONDS, START_S, Bus
from dynoai_desktop.core.units import WIRE_UNITS

_PROVIDERS = {SimProvider.DYNO: DYNO, SimProvider.PROBE: PROBE}
_CODES = {unit: code for code, unit in WIRE_UNITS.items()}
_SETTLE_S = 3.0  # widebands fill, idle finds its speed
_DRIVEN = ("wot_pull", "sweep", "roll_on")


def _as_it_is(bus: Bus) -> Bus:
    return bus


def rig_bus(seed: int, *, moving: bool = False, faults: Iterable[str] = ()) -> Bus:
    """Return fifteen seconds of a simulated dyno; the same seed gives the same bus.

    *faults* are keys of the simulator's table. A twin's bus carries what front − rear was on the
    same drive without faults, as a vehicle's memory would.
    """
    faults = tuple(faults)
    bus = _record(seed, moving, faults)
    front, rear = "LC1 Volts Petrol AFR", "LC2 Volts Petrol AFR"
    if not bus.has(rear):
        return bus
    known = bus if not faults else _record(seed, moving, ())
    offset = signal_pair_offset(known.signals[known.key(front)], known.signals[known.key(rear)])
    return Bus(bus.channels, bus.signals, pair=PairBaseline(offset / 14.7, 0.004))


# The simulator's own faults that a preflight can see, and the check that has to say so.
RIG_FAULTS: tuple[Fault, ...] = (
    Fault("swapped_widebands", "cylinders", _as_it_is, moving=True, twin=True),
    Fault("frozen_rpm", "rpm_frozen", _as_it_is),
    Fault("rpm_dropouts", "rpm_dropouts", _as_it_is),
    Fault("rpm_carries_afr", "rpm", _as_it_is),
    Fault("map_carries_baro", "manifold_pressure", _as_it_is),
    Fault("cold_engine", "engine_temperature", _as_it_is),
    Fault("unplugged_wideband", "wideband", _as_it_is),
    Fault("free_air_wideband", "wideband", _as_it_is),
    Fault("frozen_wideband", "wideband", _as_it_is, twin=True),
    Fault("warming_widebands", "wideband", _as_it_is),
)


def rig_table(seeds: Iterable[int]) -> tuple[TruthRow, ...]:
    """Return the truth table of the simulated dyno, the healthy engine first.

    A swap of widebands shows only on engines whose cylinders differ; on the others it is a miss
    that no passive look at the signals can avoid.
    """
    seeds = tuple(seeds)
    return (
        count_row(Fault("healthy", "", _as_it_is), seeds, rig_bus),
        *(count_row(f, seeds, partial(rig_bus, faults=(f.name,))) for f in RIG_FAULTS),
    )


def _record(seed: int, moving: bool, faults: tuple[str, ...]) -> Bus:
    rng = np.random.default_rng(seed)
    profile = list(PROFILES.values())[int(rng.integers(len(PROFILES)))]
    scenario = list(SCENARIOS.values())[int(rng.integers(len(SCENARIOS)))]
    weather = Weather(
        float(rng.uniform(82.0, 103.0)), float(rng.uniform(8.0, 35.0)), float(rng.uniform(15, 80))
    )
    rig = Rig(profile, scenario, weather, seed, faults=faults)
    rig.run(_SETTLE_S)
    rig.command(Drive((_programme(rng, profile, moving),), repeat=True))
    signals = _listen(rig)
    channels = tuple(
        ChannelInfo(_PROVIDERS[row.provider], i, row.name, row.unit, _CODES.get(row.unit, 255))
        for i, row in enumerate(SIM_CHANNELS)
        if (_PROVIDERS[row.provider], i) in signals
    )
    return Bus(channels, signals)


def _programme(rng: np.random.Generator, profile: Profile, moving: bool) -> Programme:
    names = _DRIVEN if moving else tuple(PROGRAMMES)
    return PROGRAMMES[names[int(rng.integers(len(names)))]](profile)


def _listen(rig: Rig) -> dict[SourceKey, Signal]:
    """Return every channel at its own rate over fifteen seconds."""
    ticks = int(SECONDS / TICK_S)
    every = [max(1, round(row.period_s / TICK_S)) for row in SIM_CHANNELS]
    heard: dict[SimChannel, list[tuple[float, float]]] = {}
    for tick in range(ticks):
        rig.tick()
        readings = rig.readings()
        for row, step in zip(SIM_CHANNELS, every, strict=True):
            if tick % step == 0 and row.channel in readings:
                value = float(np.float32(readings[row.channel]))
                heard.setdefault(row.channel, []).append((START_S + tick * TICK_S, value))
    return {
        (_PROVIDERS[row.provider], i): Signal(*np.array(heard[row.channel], np.float64).T)
        for i, row in enumerate(SIM_CHANNELS)
        if row.channel in heard
    }
