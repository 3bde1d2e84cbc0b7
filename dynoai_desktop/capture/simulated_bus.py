"""A simulated dyno on the wire: true JETDRIVE frames from two providers. Pure, seeded, no socket.

Each provider behaves as the reference implementation does: it pings with host 0 to learn which
ids are taken, chooses one, clears and announces its channels in pages, repeats the announcement
every 30 s and when asked, answers pings, collects samples and sends them every 50 ms, and says
good-bye with ClearChannelInfo. Both use channel ids from zero, so their ids collide, as on real
cells. Provider names carry the word SIMULATED.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dynoai_desktop.capture.protocol import (
    ALL_HOSTS,
    NO_HOST,
    PROTOCOL_VERSION,
    ChannelRecord,
    ChannelValues,
    ClearChannelInfo,
    Frame,
    Key,
    Message,
    Ping,
    Pong,
    ProtocolError,
    RequestChannelInfo,
    channel_info_pages,
    decode,
    encode,
)
from dynoai_desktop.capture.sources.contract import Datagram

TICK_US = 10_000  # the fastest channel is sampled at 100 Hz
FLUSH_US = 50_000
ANNOUNCE_US = 30_000_000
_NEGOTIATE_US = 1_000_000
_VALUES_PER_DATAGRAM = 130  # 1,300 bytes: with headers below any Ethernet MTU
_LARGEST_JITTER_US = 1500
_CLOCK_MASK = 0xFFFFFFFF
_HEEDED = (bytes((Key.PING,)), bytes((Key.REQUEST_CHANNEL_INFO,)))


class Signals(Protocol):
    """What the bus publishes: a machine that can be run forward and read."""

    def run_to(self, elapsed_s: float) -> None:
        """Advance to *elapsed_s* seconds after the start."""

    @property
    def readings(self) -> Mapping[str, float]:
        """Return what every sensor shows now; an absent key is a sensor that says nothing."""


@dataclass(frozen=True, slots=True)
class PublishedChannel:
    """One channel of a provider: which reading it carries, under which name, how often."""

    reading: str
    name: str
    unit_code: int = 255
    rate_hz: float = 2.0

    @property
    def period_us(self) -> int:
        """Return the sampling period, a whole number of ticks."""
        return max(TICK_US, round(1e6 / self.rate_hz / TICK_US) * TICK_US)


@dataclass(frozen=True, slots=True)
class PublishedProvider:
    """A provider: its name, where its packets come from, its channels in order of their ids."""

    name: str
    sender: tuple[str, int]
    channels: tuple[PublishedChannel, ...]
    starts_after_us: int = 0


class ProviderNode:
    """One provider as a state machine over time; every method returns frames to send."""

    def __init__(self, provider: PublishedProvider, rng: random.Random) -> None:
        """Prepare; nothing is sent before `advance`."""
        self.provider = provider
        self.host = NO_HOST
        self._rng = rng
        self._seq = rng.randrange(256)
        self._taken: set[int] = set()
        self._announce_us = 0
        self._clock_zero_us = provider.starts_after_us
        self._waiting: list[tuple[int, int, float]] = []  # id, stamp in ms, value

    @property
    def on_air(self) -> bool:
        """Return True once an id is chosen and the channels are announced."""
        return self.host != NO_HOST

    def advance(self, now_us: int, readings: Mapping[str, float]) -> Iterator[bytes]:
        """Do what is due at *now_us*, µs since the bus started; called once every tick."""
        since_us = now_us - self.provider.starts_after_us
        if since_us < 0:
            return
        if since_us == 0:
            yield self._frame(Ping(0))
        elif not self.on_air and since_us >= _NEGOTIATE_US:
            self.host = self._choose_id()
            yield self._frame(ClearChannelInfo())
            yield from self.announce(now_us)
        elif self.on_air and now_us >= self._announce_us:
            yield from self.announce(now_us)
        if self.on_air:
            self._sample(now_us, readings)
            if now_us % FLUSH_US == 0:
                yield from self._flush()

    def announce(self, now_us: int, dest: int = ALL_HOSTS) -> Iterator[bytes]:
        """Say which channels there are."""
        self._announce_us = now_us + ANNOUNCE_US
        records = [
            ChannelRecord(number, channel.name, channel.unit_code)
            for number, channel in enumerate(self.provider.channels)
        ]
        for page in channel_info_pages(self.provider.name, records):
            yield self._frame(page, dest)

    def hear(self, frame: Frame, now_us: int) -> Iterator[bytes]:
        """Answer what somebody else sent."""
        if not self.on_air:
            self._taken.add(frame.host)
            return
        if frame.dest not in (ALL_HOSTS, self.host):
            return
        message = frame.message
        if isinstance(message, RequestChannelInfo):
            yield from self.announce(now_us, frame.host)
        elif isinstance(message, Ping):
            pong = Pong(message.clock_ms, self._stamp(now_us), message.echo, PROTOCOL_VERSION)
            yield self._frame(pong, frame.host)

    def stop(self) -> Iterator[bytes]:
        """Say good-bye."""
        if self.on_air:
            yield from self._flush()
            yield self._frame(ClearChannelInfo())
            self.host = NO_HOST

    def _choose_id(self) -> int:
        while (host := self._rng.randrange(1, ALL_HOSTS)) in self._taken:
            pass
        return host

    def _stamp(self, now_us: int) -> int:
        return (now_us - self._clock_zero_us) // 1000 & _CLOCK_MASK

    def _sample(self, now_us: int, readings: Mapping[str, float]) -> None:
        stamp = self._stamp(now_us)
        for number, channel in enumerate(self.provider.channels):
            if now_us % channel.period_us == 0 and channel.reading in readings:
                self._waiting.append((number, stamp, readings[channel.reading]))

    def _flush(self) -> Iterator[bytes]:
        for start in range(0, len(self._waiting), _VALUES_PER_DATAGRAM):
            part = self._waiting[start : start + _VALUES_PER_DATAGRAM]
            ids, stamps, values = zip(*part, strict=True)
            yield self._frame(ChannelValues.of(ids, stamps, values))
        self._waiting.clear()

    def _frame(self, message: Message, dest: int = ALL_HOSTS) -> bytes:
        self._seq = (self._seq + 1) % 256
        return encode(Frame(message, self.host, self._seq, dest))


class SimulatedBus:
    """Several providers fed by one machine, on a virtual clock."""

    def __init__(
        self,
        signals: Signals,
        providers: Sequence[PublishedProvider],
        seed: int,
        start_us: int,
    ) -> None:
        """Prepare; *start_us* is the Unix time at which the bus begins."""
        self.signals = signals
        self._rng = random.Random(seed)
        self._start_us = start_us
        self._now_us = 0  # µs since the start
        self._nodes = [ProviderNode(p, random.Random(self._rng.random())) for p in providers]

    @property
    def now_us(self) -> int:
        """Return the bus's Unix time."""
        return self._start_us + self._now_us

    def advance(self, to_us: int) -> list[Datagram]:
        """Run to Unix time *to_us* and return what was sent on the way, in order."""
        sent: list[Datagram] = []
        while self._start_us + self._now_us + TICK_US <= to_us:
            self.signals.run_to(self._now_us / 1e6)
            readings = self.signals.readings
            for node in self._nodes:
                sent += self._post(node, node.advance(self._now_us, readings))
            self._now_us += TICK_US
        sent.sort(key=lambda datagram: datagram.arrival_us)
        return sent

    def hear(self, data: bytes) -> list[Datagram]:
        """Take in a frame from somebody else and return the answers."""
        if data[:1] not in _HEEDED and all(node.on_air for node in self._nodes):
            return []  # nearly always our own samples, looped back
        try:
            frame = decode(data)
        except ProtocolError:
            return []
        if frame.host in {node.host for node in self._nodes if node.on_air}:
            return []
        return [d for n in self._nodes for d in self._post(n, n.hear(frame, self._now_us))]

    def stop(self) -> list[Datagram]:
        """Return the good-byes."""
        return [d for node in self._nodes for d in self._post(node, node.stop())]

    def _post(self, node: ProviderNode, frames: Iterator[bytes]) -> list[Datagram]:
        base = self._start_us + self._now_us
        posted: list[Datagram] = []
        for data in frames:
            base += self._rng.randrange(50, _LARGEST_JITTER_US)
            posted.append(Datagram(base, data, node.provider.sender))
        return posted
