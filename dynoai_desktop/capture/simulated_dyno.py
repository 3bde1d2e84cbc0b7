"""The simulated machine on the simulated bus: which readings go out under which names.

The dyno's channels come from the simulator's own table; the system channels that a real dyno CPU
sends besides (and that must never be mistaken for measurements) are added here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dynoai_desktop.capture.bus_faults import BUS_FAULTS
from dynoai_desktop.capture.simulated_bus import (
    PublishedChannel,
    PublishedProvider,
    SimulatedBus,
)
from dynoai_desktop.capture.simulated_console import Console
from dynoai_desktop.capture.simulator_files import profile_of, scenario_of
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.core.simulator.commands import Drive
from dynoai_desktop.core.simulator.dynos import DYNOS
from dynoai_desktop.core.simulator.faults import FAULTS
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.programmes import demonstration
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenario import Scenario
from dynoai_desktop.core.simulator.sim_channels import SIM_CHANNELS, SimChannel, SimProvider
from dynoai_desktop.core.simulator.weather import Weather
from dynoai_desktop.core.units import WIRE_UNITS, Unit

_CODES = {unit: code for code, unit in WIRE_UNITS.items()} | {Unit.NONE: 255}

# What the dyno's electronics say of themselves: name, unit code, value.
_SYSTEM = (
    ("Sampling", 255, 1.0),
    ("Sampling Duration", 0, 0.0),
    ("TCP TX kB/s", 255, 3.1),
    ("TCP RX kB/s", 255, 1.2),
    ("UDP RX kB/s", 255, 0.4),
    ("Link 0 Status", 255, 1.0),
    ("Link 1 Status", 255, 0.0),
    ("Internal Temp 1", 6, 38.1),
    ("Internal Temp 2", 6, 40.9),
    ("Inductive 1 Signal Strength", 16, 78.0),
)
# What the dyno next door says while nobody works there.
_STRANGER = {
    SimChannel.PRESSURE: 98.7,
    SimChannel.VBATT: 12.6,
    SimChannel.IAT: 22.4,
    SimChannel.MAP: 98.6,
    SimChannel.CORRECTION_FACTOR: 1.01,
}
_STRANGER_READINGS = dict.fromkeys(map(str, SimChannel), 0.0) | {
    str(channel): value for channel, value in _STRANGER.items()
}
_PULL = "pull"  # the phase of a programme that is full throttle through the range
_HALF_TICK_S = 0.005
_SYSTEM_READINGS = {f"system {name}": value for name, _, value in _SYSTEM}


def _channels(provider: SimProvider) -> tuple[PublishedChannel, ...]:
    return tuple(
        PublishedChannel(row.channel, row.name, _CODES[row.unit], 1 / row.period_s)
        for row in SIM_CHANNELS
        if row.provider is provider
    )


PROVIDERS = (
    PublishedProvider(
        "Power Core SIMULATED",
        ("127.0.0.1", 22344),
        (
            *(PublishedChannel(f"system {name}", name, code) for name, code, _ in _SYSTEM),
            *_channels(SimProvider.DYNO),
        ),
    ),
    PublishedProvider(
        "Atmospheric Probe SIMULATED",
        ("127.0.0.1", 22344),
        _channels(SimProvider.PROBE),
        starts_after_us=250_000,
    ),
)

# The dyno next door: the same software, so the same name, on another computer.
STRANGER = replace(PROVIDERS[0], sender=("127.0.0.2", 22344))


class RigSignals:
    """A rig as the bus reads it; counts its pulls on the way."""

    def __init__(self, rig: Rig) -> None:
        """Begin where the rig stands."""
        self.rig = rig
        self.pulls_done = 0
        self._pulling = False

    def run_to(self, elapsed_s: float) -> None:
        """Step the rig up to *elapsed_s* seconds after its start."""
        while self.rig.time_s < elapsed_s - _HALF_TICK_S:
            self.rig.tick()
            pulling = self.rig.state == _PULL
            self.pulls_done += self._pulling and not pulling
            self._pulling = pulling

    @property
    def readings(self) -> Mapping[str, float]:
        """Return what the sensors show, and what the electronics say of themselves."""
        return _SYSTEM_READINGS | {str(k): value for k, value in self.rig.readings().items()}


def simulated_bus(
    start_us: int,
    profile: str | Profile = "m8-114",
    scenario: str | Scenario = "lean",
    seed: int = 1,
    *,
    faults: Iterable[str] = (),
    weather: Weather | None = None,
    dyno: str | None = None,
    gear: int | None = None,
) -> SimulatedBus:
    """Return a bus with a dyno, a probe and a vehicle that does pull after pull.

    *profile* and *scenario* are keys of PROFILES and SCENARIOS, or of one's own.
    *faults* are keys of FAULTS (of the machine) or BUS_FAULTS (of the wire), *dyno* is one of
    DYNOS instead of the profile's, *gear* the one to pull in, 1 is first. Raises ValueError for
    a name or a gear that is not there.
    """
    faults = tuple(faults)
    chosen: list[tuple[str, str, Mapping[str, object]]]
    chosen = [("fault", key, {**FAULTS, **BUS_FAULTS}) for key in faults]
    chosen += [("dyno", dyno, DYNOS)] if dyno is not None else []
    for kind, name, table in chosen:
        if name not in table:
            raise ValueError(f"there is no {kind} '{name}'; choose {', '.join(table)}")
    vehicle = profile_of(profile) if isinstance(profile, str) else profile
    if gear is not None and not 1 <= gear <= len(vehicle.gear_ratios):
        raise ValueError(f"there is no gear {gear}; the vehicle has {len(vehicle.gear_ratios)}")
    rig = Rig(
        vehicle,
        scenario_of(scenario) if isinstance(scenario, str) else scenario,
        weather,
        seed=seed,
        faults=[key for key in faults if key in FAULTS],
        dyno=None if dyno is None else DYNOS[dyno],
    )
    programmes = tuple(replace(programme, gear=gear) for programme in demonstration(vehicle))
    drive = Drive(programmes, repeat=True)
    rig.command(drive)
    return SimulatedBus(
        RigSignals(rig),
        PROVIDERS,
        seed,
        start_us,
        faults=[key for key in faults if key in BUS_FAULTS],
        console=Console(rig, drive),
        stranger=STRANGER,
        stranger_readings=_STRANGER_READINGS,
    )


def simulated_minute(seed: int = 1) -> list[Datagram]:
    """Return one minute of traffic, announcements first, for measurements that need a long one."""
    bus = simulated_bus(1_700_000_000_000_000, seed=seed)
    return bus.advance(bus.now_us + 60_000_000)
