"""What travels from the capture thread to everyone else.

Time is Unix time. Windows lie on a fixed grid of 50 ms since 1970, so the same datagrams fall
into the same windows live, in replay and offline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit

WINDOW_US = 50_000
WINDOWS_PER_S = 20


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A channel as its provider announces it. *provider* is the provider's name."""

    provider: str
    id: int
    name: str
    unit: Unit
    unit_code: int = 255
    vendor: int = 0


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Everything heard in one 50 ms window. Safe to hand to any thread."""

    index: int  # window number since 1970
    means: Mapping[Channel, float]  # canonical channels in their units; absent means not heard
    sample_count: int  # raw samples of the window, mapped or not
    lost: int = 0  # datagrams found missing while the window was open
    synced: bool = True  # False: a provider's clock was estimated from arrival times
    arrival_us: int = 0  # Unix time of the last datagram in it; 0: the window was silent

    @property
    def start_s(self) -> float:
        """Return the start of the window, Unix time in seconds."""
        return self.index / WINDOWS_PER_S
