"""What can go wrong between the dyno and this computer, as one table, and who ought to notice.

What breaks in the machine (engine, sensors, drum) stands in the simulator's own table. A fault
here changes named numbers of the wire; several may be active at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dynoai_desktop.core.simulator.faults import ALERT, PREFLIGHT

COUNTER = "counter"  # a field of ProviderHealth or BusHealth, by its name
NOBODY = "nobody"  # part of life: every number must come out as if nothing had been

EVENT_EVERY_US = 30_000_000  # what happens in moments comes back after this time


@dataclass(frozen=True, slots=True)
class Wire:
    """Everything a bus fault can change. The defaults are a healthy wire."""

    loss: float = 0.0  # chance that a datagram never arrives
    duplicates: float = 0.0  # chance that it arrives twice
    overtaken: float = 0.0  # chance that the next one of its sender arrives before it
    cut_short: float = 0.0  # chance that only its first bytes arrive
    jitter_us: int = 0  # most it is late on its way, order kept
    outage_us: int = 0  # nothing passes for so long, again and again
    clock_ppm: int = 0  # how much too fast the dyno's clock runs
    clock_start_ms: int = 0  # of the dyno's clock, when it starts
    first_seq: int | None = None  # of the dyno's frames, when it starts; None: any
    held_us: int = 0  # the dyno reads its sensors this seldom and sends the same again between
    on_change: bool = False  # what stands still is sent every 0.5 s, at zero not at all
    restarts: bool = False  # the dyno's electronics start anew, again and again
    deaf: bool = False  # nobody answers anything
    second_dyno: bool = False


@dataclass(frozen=True, slots=True)
class BusFault:
    """One row of the table. *noticed_by* holds (who, what) pairs as the simulator's faults do."""

    key: str
    title: str
    noticed_by: tuple[tuple[str, str], ...]
    changes: Mapping[str, Any] = field(default_factory=dict)


BUS_FAULTS: dict[str, BusFault] = {
    row.key: row
    for row in (
        BusFault(
            "packet_loss",
            "One datagram in twenty is lost",
            ((COUNTER, "lost"), (PREFLIGHT, "loss"), (ALERT, "loss")),
            {"loss": 0.05},
        ),
        BusFault(
            "duplicates",
            "Datagrams arrive twice",
            ((COUNTER, "duplicates"),),
            {"duplicates": 0.05},
        ),
        BusFault(
            "reordering",
            "Datagrams overtake each other",
            ((COUNTER, "out_of_order"),),
            {"overtaken": 0.05},
        ),
        BusFault(
            "cut_datagrams",
            "Datagrams arrive cut short",
            ((COUNTER, "malformed"),),
            {"cut_short": 0.03},
        ),
        BusFault("jitter", "Datagrams up to 15 ms late", ((NOBODY, ""),), {"jitter_us": 15_000}),
        BusFault(
            "slow_network",
            "Datagrams up to a fifth of a second late",
            ((COUNTER, "late_samples"),),
            {"jitter_us": 200_000},
        ),
        BusFault(
            "network_loss",
            "Network gone for four seconds at a time",
            ((COUNTER, "lost"), (ALERT, "silence")),
            {"outage_us": 4_000_000},
        ),
        BusFault(
            "provider_restart",
            "Dyno electronics restart with another host id",
            ((COUNTER, "restarts"), (PREFLIGHT, "clock_sync")),
            {"restarts": True},
        ),
        BusFault(
            "deaf_providers",
            "Providers answer no ping and no request",
            ((PREFLIGHT, "clock_sync"),),
            {"deaf": True},
        ),
        BusFault(
            "clock_skew",
            "Dyno clock 300 ppm fast",
            ((COUNTER, "clock_offset_ms"),),
            {"clock_ppm": 300},
        ),
        BusFault(
            "clock_wrap",
            "Dyno clock passes 49.7 days after a few seconds",
            ((NOBODY, ""),),
            {"clock_start_ms": (1 << 32) - 6_000},
        ),
        BusFault(
            "sequence_wrap",
            "Frame numbers start again at zero after a few frames",
            ((NOBODY, ""),),
            {"first_seq": 250},
        ),
        BusFault(
            "send_on_change",
            "Channels are sent when they change, standing at zero never",
            ((NOBODY, ""),),
            {"on_change": True},
        ),
        BusFault(
            "held_values",
            "Values are measured twice a second and repeated in between",
            ((PREFLIGHT, "held_values"),),
            {"held_us": 500_000},
        ),
        BusFault(
            "second_dyno",
            "A second dyno on the same network",
            ((PREFLIGHT, "one_dyno"),),
            {"second_dyno": True},
        ),
    )
}


def wire_of(faults: Iterable[str]) -> Wire:
    """Return the sum of the named faults. Raises ValueError naming one that is not in the table.

    >>> wire_of(["held_values"]).held_us
    500000
    """
    wire = Wire()
    for key in faults:
        if key not in BUS_FAULTS:
            raise ValueError(f"{key!r} is not a bus fault; choose from {', '.join(BUS_FAULTS)}.")
        wire = dataclasses.replace(wire, **BUS_FAULTS[key].changes)
    return wire
