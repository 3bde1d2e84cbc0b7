"""One provider of a simulated dyno as a state machine over time. Pure, seeded, no socket.

It behaves as the reference implementation does: it pings with host 0 to learn which ids are
taken, chooses one, clears and announces its channels in pages, repeats the announcement every
30 s and when asked, answers pings, collects samples and sends them every 50 ms, and says good-bye
with ClearChannelInfo.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from dynoai_desktop.capture.bus_faults import EVENT_EVERY_US, Wire
from dynoai_desktop.capture.protocol import (
    ALL_HOSTS,
    NO_HOST,
    PROTOCOL_VERSION,
    ChannelRecord,
    ChannelValues,
    ClearChannelInfo,
    Frame,
    Message,
    Ping,
    Pong,
    RequestChannelInfo,
    channel_info_pages,
    encode,
)

TICK_US = 10_000  # the fastest channel is sampled at 100 Hz
FLUSH_US = 50_000
ANNOUNCE_US = 30_000_000
_NEGOTIATE_US = 1_000_000
_BOOT_US = 500_000  # electronics that start anew say nothing for so long
_REMIND_US = 500_000  # who sends on change repeats what stands still this often
_VALUES_PER_DATAGRAM = 130  # 1,300 bytes: with headers below any Ethernet MTU
_CLOCK_MASK = 0xFFFFFFFF
_MILLION = 1_000_000


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


class Console(Protocol):
    """The part of a provider that drives machinery on request."""

    def answer(self, message: Message, clock_ms: Callable[[], int]) -> Message | None:
        """Obey a message and return the answer; None: it is not about machinery."""


class ProviderNode:
    """One provider; every method returns frames to send. Times are µs since the bus started."""

    def __init__(
        self,
        provider: PublishedProvider,
        rng: random.Random,
        console: Console | None = None,
        wire: Wire | None = None,
    ) -> None:
        """Prepare; nothing is sent before `advance`."""
        self.provider = provider
        self.host = NO_HOST
        self.posted_us = 0  # arrival of the last frame: a sender's frames keep their order
        self._rng = rng
        self._console = console
        self._wire = wire or Wire()
        self._seq = rng.randrange(256)
        self._taken: set[int] = set()
        self._announce_us = 0
        self._events_from_us = 0
        self._waiting: list[tuple[int, int, float]] = []  # id, stamp in ms, value
        self._sent: dict[int, tuple[float, int]] = {}  # last value and its time, by id
        self._held: dict[str, float] = {}
        self._start_at(provider.starts_after_us)

    @property
    def on_air(self) -> bool:
        """Return True once an id is chosen and the channels are announced."""
        return self.host != NO_HOST

    def set_wire(self, wire: Wire, now_us: int, events_from_us: int) -> None:
        """Behave by *wire* from now on; what happens in moments happens first at the latter."""
        self._clock_us, self._clock_at_us = self._clock(now_us), now_us
        self._events_from_us = events_from_us
        self._wire = wire

    def advance(self, now_us: int, readings: Mapping[str, float]) -> Iterator[bytes]:
        """Do what is due at *now_us*; called once every tick."""
        if self._is_restarting(now_us):
            self._start_at(now_us + _BOOT_US)
        since_us = now_us - self._started_us
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
        if frame.dest not in (ALL_HOSTS, self.host) or self._wire.deaf:
            return
        message = frame.message
        if isinstance(message, RequestChannelInfo):
            yield from self.announce(now_us, frame.host)
        elif isinstance(message, Ping):
            pong = Pong(message.clock_ms, self._stamp(now_us), message.echo, PROTOCOL_VERSION)
            yield self._frame(pong, frame.host)
        elif self._console is not None:
            answer = self._console.answer(message, lambda: self._stamp(now_us))
            if answer is not None:
                yield self._frame(answer, frame.host)

    def stop(self) -> Iterator[bytes]:
        """Say good-bye."""
        if self.on_air:
            yield from self._flush()
            yield self._frame(ClearChannelInfo())
            self.host = NO_HOST

    def _is_restarting(self, now_us: int) -> bool:
        since_us = now_us - self._events_from_us
        return self._wire.restarts and self.on_air and since_us % EVENT_EVERY_US < TICK_US

    def _start_at(self, start_us: int) -> None:
        """Switch on: no id, a clock of its own, nothing of what was before."""
        if self.on_air:
            self._seq = self._rng.randrange(256)
        if self._wire.first_seq is not None:
            self._seq = self._wire.first_seq
        self.host = NO_HOST
        self._started_us = self._clock_at_us = start_us
        self._clock_us = self._wire.clock_start_ms * 1000
        self._waiting.clear()
        self._sent.clear()
        self._held.clear()

    def _choose_id(self) -> int:
        while (host := self._rng.randrange(1, ALL_HOSTS)) in self._taken:
            pass
        return host

    def _clock(self, now_us: int) -> int:
        return (
            self._clock_us
            + (now_us - self._clock_at_us) * (_MILLION + self._wire.clock_ppm) // _MILLION
        )

    def _stamp(self, now_us: int) -> int:
        return self._clock(now_us) // 1000 & _CLOCK_MASK

    def _sample(self, now_us: int, readings: Mapping[str, float]) -> None:
        stamp = self._stamp(now_us)
        if self._wire.held_us:
            readings = self._hold(now_us, readings)
        for number, channel in enumerate(self.provider.channels):
            if now_us % channel.period_us == 0 and channel.reading in readings:
                value = readings[channel.reading]
                if not self._wire.on_change or self._is_news(number, value, now_us):
                    self._waiting.append((number, stamp, value))

    def _hold(self, now_us: int, readings: Mapping[str, float]) -> Mapping[str, float]:
        if not self._held or now_us % self._wire.held_us == 0:
            self._held = dict(readings)
        return self._held

    def _is_news(self, number: int, value: float, now_us: int) -> bool:
        """Return whether a value has changed, or has not been said for long and is not zero."""
        last, said_us = self._sent.get(number, (0.0, 0))
        if value == last and (value == 0.0 or now_us - said_us < _REMIND_US):
            return False
        self._sent[number] = value, now_us
        return True

    def _flush(self) -> Iterator[bytes]:
        for start in range(0, len(self._waiting), _VALUES_PER_DATAGRAM):
            part = self._waiting[start : start + _VALUES_PER_DATAGRAM]
            ids, stamps, values = zip(*part, strict=True)
            yield self._frame(ChannelValues.of(ids, stamps, values))
        self._waiting.clear()

    def _frame(self, message: Message, dest: int = ALL_HOSTS) -> bytes:
        self._seq = (self._seq + 1) % 256
        return encode(Frame(message, self.host, self._seq, dest))
