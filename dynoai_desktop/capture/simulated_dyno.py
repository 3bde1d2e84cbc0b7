"""The simulated machine on the simulated bus: which readings go out under which names.

The dyno's channels come from the simulator's own table; the system channels that a real dyno CPU
sends besides (and that must never be mistaken for measurements) are added here.
"""

from __future__ import annotations

from collections.abc import Mapping

from dynoai_desktop.capture.simulated_bus import (
    PublishedChannel,
    PublishedProvider,
    SimulatedBus,
)
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.core.simulator.commands import Drive
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.programmes import demonstration
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.sim_channels import SIM_CHANNELS, SimProvider
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
    start_us: int, profile: str = "m8-114", scenario: str = "lean", seed: int = 1
) -> SimulatedBus:
    """Return a bus with a dyno, a probe and a vehicle that does pull after pull.

    Raises ValueError for a profile or scenario that does not exist.
    """
    for kind, name, table in (("profile", profile, PROFILES), ("scenario", scenario, SCENARIOS)):
        if name not in table:
            raise ValueError(f"there is no {kind} '{name}'; choose {', '.join(table)}")
    rig = Rig(PROFILES[profile], SCENARIOS[scenario], seed=seed)
    rig.command(Drive(demonstration(rig.profile), repeat=True))
    return SimulatedBus(RigSignals(rig), PROVIDERS, seed, start_us)


def simulated_minute(seed: int = 1) -> list[Datagram]:
    """Return one minute of traffic, announcements first, for measurements that need a long one."""
    bus = simulated_bus(1_700_000_000_000_000, seed=seed)
    return bus.advance(bus.now_us + 60_000_000)
