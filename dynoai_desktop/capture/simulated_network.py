"""The network between simulated providers and whoever listens: it loses, repeats and delays.

A healthy network hands on what it is given. Everything it does is drawn from its own seeded
generator, so the same faults at the same moments give the same bytes.
"""

from __future__ import annotations

import heapq
import random

from dynoai_desktop.capture.bus_faults import EVENT_EVERY_US, Wire
from dynoai_desktop.capture.sources.contract import Datagram

_AGAIN_US = 300  # after which a duplicate follows its original
_PATIENCE_US = 100_000  # to be overtaken
_HOST = slice(3, 5)  # of a frame: who sent it


class Network:
    """Carries datagrams as well as the wire's faults let it."""

    def __init__(self, rng: random.Random) -> None:
        """Start empty and healthy."""
        self._rng = rng
        self._wire = Wire()
        self._broken = False
        self._down_from_us = 0
        self._last_us = 0  # newest arrival: delays keep the order
        self._held: dict[bytes, Datagram] = {}  # to be overtaken, by host id
        self._due: list[tuple[int, int, Datagram]] = []  # heap by arrival, then by number
        self._count = 0

    def set_wire(self, wire: Wire, events_from_us: int) -> None:
        """Carry by *wire* from now on; outages begin at Unix time *events_from_us*."""
        if wire.outage_us and not self._wire.outage_us:
            self._down_from_us = events_from_us
        self._wire = wire
        self._broken = wire != Wire()

    def is_down(self, time_us: int) -> bool:
        """Return whether nothing passes at this Unix time."""
        since = time_us - self._down_from_us
        return self._wire.outage_us > 0 <= since and since % EVENT_EVERY_US < self._wire.outage_us

    def carry(self, sent: list[Datagram], until_us: int) -> list[Datagram]:
        """Take what was sent and return what has arrived by *until_us*, oldest first."""
        if not self._broken and not self._due and not self._held:
            return sent
        for datagram in sent:
            self._let_pass(datagram.arrival_us)
            self._send(datagram)
        self._let_pass(until_us)
        return self._arrived(until_us)

    def empty(self) -> list[Datagram]:
        """Return everything still on its way."""
        self._let_pass(None)
        return self._arrived(None)

    def _send(self, datagram: Datagram) -> None:
        wire, chance = self._wire, self._rng.random
        if self.is_down(datagram.arrival_us) or chance() < wire.loss:
            return
        if chance() < wire.cut_short:
            data = datagram.data
            datagram = datagram._replace(data=data[: self._rng.randrange(1, len(data))])
        if wire.jitter_us:
            late_us = datagram.arrival_us + self._rng.randrange(wire.jitter_us)
            datagram = datagram._replace(arrival_us=max(late_us, self._last_us + 1))
            self._last_us = datagram.arrival_us
        host = datagram.data[_HOST]
        overtaken = self._held.pop(host, None)
        if overtaken is None and chance() < wire.overtaken:
            self._held[host] = datagram
            return
        copies = 2 if chance() < wire.duplicates else 1
        for copy in range(copies):
            self._put(datagram._replace(arrival_us=datagram.arrival_us + copy * _AGAIN_US))
        if overtaken is not None:
            self._put(overtaken._replace(arrival_us=datagram.arrival_us + 1))

    def _let_pass(self, until_us: int | None) -> None:
        """Hand on what waited in vain to be overtaken."""
        for host, datagram in list(self._held.items()):
            late_us = datagram.arrival_us + _PATIENCE_US
            if until_us is None or late_us <= until_us:
                del self._held[host]
                self._put(datagram._replace(arrival_us=late_us))

    def _put(self, datagram: Datagram) -> None:
        self._count += 1
        heapq.heappush(self._due, (datagram.arrival_us, self._count, datagram))

    def _arrived(self, until_us: int | None) -> list[Datagram]:
        arrived = []
        while self._due and (until_us is None or self._due[0][0] <= until_us):
            arrived.append(heapq.heappop(self._due)[2])
        return arrived
