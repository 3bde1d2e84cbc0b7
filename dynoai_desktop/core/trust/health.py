"""Health of the bus: who speaks, how well, and when last. Frozen snapshots for any thread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit


class ChannelState(StrEnum):
    """How a channel is doing, worst first."""

    INVALID = "invalid"
    STALE = "stale"
    WARNING = "warning"
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """One (provider, channel) at one moment."""

    provider: str
    id: int
    name: str
    unit: Unit
    canonical: Channel | None  # None: not used by any canonical channel
    value: float | None  # last finite value, in *unit*; None: never heard
    age_s: float | None
    rate_hz: float  # samples per second over the last 2 s
    samples: int
    non_finite: int
    out_of_range: int
    reordered: int  # samples whose provider stamp went back
    state: ChannelState


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """One provider at one moment. Loss counts datagrams."""

    name: str
    host_id: int
    frames: int
    lost: int
    duplicates: int
    out_of_order: int
    malformed: int
    samples: int
    age_s: float
    channel_count: int
    list_complete: bool  # no new channel id for 2 s
    clock_synced: bool
    clock_offset_ms: float | None  # our clock minus the provider's
    latency_ms: float | None  # one way, half the smallest round trip
    restarts: int
    simulated: bool

    @property
    def loss(self) -> float:
        """Return the share of this provider's datagrams that never arrived, 0 to 1."""
        total = self.frames + self.lost
        return self.lost / total if total else 0.0


@dataclass(frozen=True, slots=True)
class BusHealth:
    """The whole bus at one moment."""

    now_us: int
    providers: tuple[ProviderHealth, ...] = ()
    channels: tuple[ChannelHealth, ...] = ()
    datagrams: int = 0
    malformed: int = 0  # datagrams no known provider could be blamed for
    unknown_hosts: int = 0  # senders that never announced a channel list
    overwritten: int = 0  # ring-buffer samples lost before they were read
    late_samples: int = 0  # samples that arrived after their window had closed
    notices: tuple[str, ...] = ()  # things to tell the user, newest last
