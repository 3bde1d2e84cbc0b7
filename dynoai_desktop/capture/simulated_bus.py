"""A simulated dyno on the wire: true JETDRIVE frames from several providers. No socket.

The providers use channel ids from zero, so their ids collide, as on real cells, and their names
carry the word SIMULATED. What goes wrong on the wire on demand stands in bus_faults.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from dynoai_desktop.capture.bus_faults import BUS_FAULTS, Wire, wire_of
from dynoai_desktop.capture.protocol import Frame, Key, ProtocolError, decode
from dynoai_desktop.capture.simulated_network import Network
from dynoai_desktop.capture.simulated_provider import (
    ANNOUNCE_US,
    FLUSH_US,
    TICK_US,
    Console,
    ProviderNode,
    PublishedChannel,
    PublishedProvider,
)
from dynoai_desktop.capture.sources.contract import Datagram

__all__ = [
    "ANNOUNCE_US",
    "FLUSH_US",
    "TICK_US",
    "PublishedChannel",
    "PublishedProvider",
    "Signals",
    "SimulatedBus",
]

_LARGEST_JITTER_US = 1500
_SETTLED_US = 5_000_000  # everybody has announced itself: what happens in moments begins here
_HEEDED = frozenset(
    bytes((key,))
    for key in (
        Key.PING,
        Key.REQUEST_CHANNEL_INFO,
        Key.REQUEST_LOGGING,
        Key.REQUEST_LOAD_CONTROL,
        Key.REQUEST_BRAKE,
    )
)


class Signals(Protocol):
    """What the bus publishes: a machine that can be run forward and read."""

    def run_to(self, elapsed_s: float) -> None:
        """Advance to *elapsed_s* seconds after the start."""

    @property
    def readings(self) -> Mapping[str, float]:
        """Return what every sensor shows now; an absent key is a sensor that says nothing."""


class SimulatedBus:
    """Several providers fed by one machine, on a virtual clock.

    The first provider is the dyno: it has the *console*, and the faults of clock, numbers and
    sampling are its. *stranger* is the dyno next door, on the bus while that fault is active;
    *stranger_readings* are what it says.
    """

    def __init__(
        self,
        signals: Signals,
        providers: Sequence[PublishedProvider],
        seed: int,
        start_us: int,
        *,
        faults: Iterable[str] = (),
        console: Console | None = None,
        stranger: PublishedProvider | None = None,
        stranger_readings: Mapping[str, float] | None = None,
    ) -> None:
        """Prepare; *start_us* is the Unix time at which the bus begins.

        Raises ValueError naming a fault that is not in the table.
        """
        self.signals = signals
        self._faults = dict.fromkeys(faults)
        self._wire = wire_of(self._faults)
        self._rng = random.Random(seed)
        self._start_us = start_us
        self._now_us = 0  # µs since the start
        self._nodes = [
            ProviderNode(
                provider,
                random.Random(self._rng.random()),
                console if number == 0 else None,
                self._wire if number == 0 else None,
            )
            for number, provider in enumerate(providers)
        ]
        # Generators of their own: a fault must not change which ids the providers choose.
        self._network = Network(random.Random(f"network {seed}"))
        self._stranger = stranger
        self._stranger_rng = random.Random(f"stranger {seed}")
        self._stranger_readings = stranger_readings or {}
        self._visitor: ProviderNode | None = None
        self._heed_wire()

    @property
    def now_us(self) -> int:
        """Return the bus's Unix time."""
        return self._start_us + self._now_us

    @property
    def faults(self) -> tuple[str, ...]:
        """Return the active faults of the wire, in the order they were set."""
        return tuple(self._faults)

    def set_fault(self, key: str, active: bool = True) -> None:
        """Break or mend one thing of BUS_FAULTS from now on.

        How clock and numbers begin shows when the dyno starts. Raises ValueError for a fault
        that is not there.
        """
        if key not in BUS_FAULTS:
            raise ValueError(f"{key!r} is not a bus fault; choose from {', '.join(BUS_FAULTS)}.")
        if active:
            self._faults[key] = None
        else:
            self._faults.pop(key, None)
        self._wire = wire_of(self._faults)
        self._heed_wire()

    def _heed_wire(self) -> None:
        events_us = max(self._now_us, _SETTLED_US)
        self._network.set_wire(self._wire, self._start_us + events_us)
        others = Wire(deaf=self._wire.deaf)
        for number, node in enumerate(self._nodes):
            node.set_wire(others if number else self._wire, self._now_us, events_us)

    def advance(self, to_us: int) -> list[Datagram]:
        """Run to Unix time *to_us* and return what has arrived by then, in order."""
        sent: list[Datagram] = []
        while self._start_us + self._now_us + TICK_US <= to_us:
            self.signals.run_to(self._now_us / 1e6)
            readings = self.signals.readings
            for node in self._nodes:
                sent += self._post(node, node.advance(self._now_us, readings))
            sent += self._visit()
            self._now_us += TICK_US
        sent.sort(key=lambda datagram: datagram.arrival_us)
        return self._network.carry(sent, self.now_us)

    def hear(self, data: bytes) -> list[Datagram]:
        """Take in a frame from somebody else and return the answers that have arrived."""
        if data[:1] not in _HEEDED and all(node.on_air for node in self._nodes):
            return []  # nearly always our own samples, looped back
        try:
            frame = decode(data)
        except ProtocolError:
            return []
        if frame.host in {node.host for node in self._everybody if node.on_air}:
            return []
        if self._network.is_down(self.now_us):
            return []
        return self._network.carry(self._answers(frame), self.now_us)

    def _answers(self, frame: Frame) -> list[Datagram]:
        return [
            datagram
            for node in self._everybody
            for datagram in self._post(node, node.hear(frame, self._now_us))
        ]

    def stop(self) -> list[Datagram]:
        """Return the good-byes, after everything that is still on its way."""
        good_byes = [d for node in self._everybody for d in self._post(node, node.stop())]
        return [*self._network.carry(good_byes, self.now_us), *self._network.empty()]

    @property
    def _everybody(self) -> list[ProviderNode]:
        return self._nodes if self._visitor is None else [*self._nodes, self._visitor]

    def _visit(self) -> list[Datagram]:
        """Let the dyno next door come, speak and go."""
        if self._wire.second_dyno and self._visitor is None and self._stranger is not None:
            rng = random.Random(self._stranger_rng.random())
            stranger = replace(self._stranger, starts_after_us=self._now_us)
            self._visitor = ProviderNode(stranger, rng)
        if self._visitor is None:
            return []
        if not self._wire.second_dyno:
            leaving, self._visitor = self._visitor, None
            return self._post(leaving, leaving.stop())
        return self._post(
            self._visitor, self._visitor.advance(self._now_us, self._stranger_readings)
        )

    def _post(self, node: ProviderNode, frames: Iterator[bytes]) -> list[Datagram]:
        base = max(self.now_us, node.posted_us)
        posted: list[Datagram] = []
        for data in frames:
            base += self._rng.randrange(50, _LARGEST_JITTER_US)
            posted.append(Datagram(base, data, node.provider.sender))
            node.posted_us = base
        return posted
