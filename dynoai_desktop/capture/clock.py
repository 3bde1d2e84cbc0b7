"""From a provider's clock to ours.

A provider stamps samples with milliseconds since its own start, 32 bits wide. Our time is Unix
time in integer microseconds, so ``our time = stamp + offset`` and the whole question is the
offset. Two answers:

*Synced.* A ping goes out, a pong comes back with the provider's clock. Whatever the network adds,
the offset is uncertain by half the round trip at most, so the pong with the smallest round trip
among the last eight gives offset and latency, both from the same pong (Cristian, 1989).

*Unsynced.* ``arrival - stamp`` is the offset plus the delay of that datagram. Delays are never
negative, so the smallest such difference of the last ten seconds is the offset plus the smallest
delay. It is the same for every sample while it stands, so the spacing of the samples is kept.

A stamp that runs back by more than a second means that the provider restarted; one that is more
than a second ahead of what is possible means that its clock was set. Either is believed when a
second sign agrees: a break in the sequence numbers or the next datagram. A single damaged stamp
changes nothing but its own datagram, which is placed at its arrival.

Everything depends on arrival times and bytes alone, so a recording replays bit for bit.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WRAP = 1 << 32
_SECOND_US = 1_000_000
_TOLERANCE_US = _SECOND_US
_MEMORY_S = 10
_PONGS = 8
_PONG_LIFE_US = 120 * _SECOND_US  # 100 ppm of drift make 12 ms in this time
_NEVER_US = -(1 << 62)

LONGEST_ROUND_TRIP_MS: Final = 10_000


class ClockEvent(Enum):
    """What a stamp tells about the provider's clock."""

    IN_LINE = "in line"
    DOUBTFUL = "doubtful"  # to be confirmed by the next datagram
    RESTARTED = "restarted"
    SET = "set"


def wire_clock_ms(time_us: int) -> int:
    """Return our own clock as pings carry it: Unix time in ms, the low 32 bits.

    >>> wire_clock_ms(1_795_293_823_851_686)
    4292461419
    """
    return time_us // 1000 % _WRAP


def nearest(raw_ms: int, reference_ms: int) -> int:
    """Return the time nearest to the reference whose low 32 bits are *raw_ms*.

    >>> nearest(5, reference_ms=2**32 - 10) - 2**32
    5
    """
    half = _WRAP // 2
    return reference_ms + (raw_ms - reference_ms + half) % _WRAP - half


class ProviderClock:
    """The clock of one sender.

    The session's loop handles the ordinary stamp by itself. It is ordinary while
    ``least_us <= arrival - raw stamp < high_us`` and the arrival is before `until_us`: then only
    `raw_ms` has to be noted and, below `low_us`, `improve` to be called; `shift_us` leads to our
    time. Every other stamp comes to `observe`.
    """

    __slots__ = (
        "_buckets",
        "_epoch_ms",
        "_pongs",
        "_suspect_us",
        "high_us",
        "latency_us",
        "least_us",
        "low_us",
        "raw_ms",
        "shift_us",
        "synced",
        "until_us",
    )

    def __init__(self) -> None:
        """Start knowing nothing."""
        self.forget()

    def forget(self) -> None:
        """Know nothing, as before the first datagram."""
        self.raw_ms = -1  # the newest stamp as the wire had it; -1: none yet
        self._epoch_ms = 0  # what to add to raw_ms to have it count on after a wrap
        self._buckets: deque[list[int]] = deque()  # [second of arrival, smallest difference in us]
        self._pongs: deque[tuple[int, int, int]] = deque(maxlen=_PONGS)  # rtt, offset, arrival
        self._suspect_us: int | None = None
        self.shift_us = 0  # add to a raw stamp in us to have it on our clock
        self.synced = False
        self.latency_us = 0
        self.least_us, self.low_us, self.high_us, self.until_us = 0, 0, 0, _NEVER_US

    @property
    def offset_us(self) -> int | None:
        """Return our clock minus the provider's, in us, or None while nothing was heard."""
        return None if self.raw_ms < 0 else self.shift_us - self._epoch_ms * 1000

    def stop_passing(self) -> None:
        """Make the next datagram come to `observe`, however ordinary it looks."""
        self.until_us = _NEVER_US

    def shift_for(self, raw_ms: int) -> int:
        """Return what to add to this stamp (in us), learning nothing from it."""
        now_ms = self.raw_ms + self._epoch_ms
        return self.shift_us + (nearest(raw_ms, now_ms) - raw_ms - self._epoch_ms) * 1000

    def observe(
        self, stamps_ms: NDArray[np.uint32], arrival_us: int, jumped: bool
    ) -> tuple[int, ClockEvent]:
        """Learn from the stamps of a datagram, shape (n,), n > 0.

        Return what to add to its last stamp (in us) to have it on our clock, and what the stamps
        tell of the provider. *jumped* says that frames are missing before this one.
        """
        last_ms = int(stamps_ms[-1])
        if self.raw_ms < 0:
            self.raw_ms = last_ms
        time_ms = self._newest(stamps_ms, arrival_us)
        difference_us = arrival_us - time_ms * 1000
        event = self._judge(time_ms, difference_us, jumped)
        if event is ClockEvent.DOUBTFUL:
            self._suspect_us = difference_us
            self.stop_passing()
            return (nearest(last_ms, time_ms) - last_ms) * 1000 + difference_us, event
        self._suspect_us = None
        if event is not ClockEvent.IN_LINE:
            self._buckets.clear()
            self._pongs.clear()
        self.raw_ms = time_ms % _WRAP
        self._epoch_ms = time_ms - self.raw_ms
        self._note(difference_us, arrival_us)
        self._decide(arrival_us)
        return self.shift_for(last_ms), event

    def _newest(self, stamps_ms: NDArray[np.uint32], arrival_us: int) -> int:
        """Return the newest stamp that can be true, or the newest if none can, in 64-bit ms."""
        now_ms = self.raw_ms + self._epoch_ms
        after_ms = (stamps_ms - np.uint32(self.raw_ms)).view(np.int32)
        floor_us = self._floor()
        if floor_us is not None:
            latest_ms = (arrival_us - floor_us + _TOLERANCE_US) // 1000 - now_ms
            possible = (after_ms >= -_TOLERANCE_US // 1000) & (after_ms <= latest_ms)
            if possible.any():
                after_ms = after_ms[possible]
        return now_ms + int(after_ms.max())

    def _judge(self, time_ms: int, difference_us: int, jumped: bool) -> ClockEvent:
        behind_us = (self.raw_ms + self._epoch_ms - time_ms) * 1000
        # A pong may have set raw_ms; only a sample's own stamp is a mark to fall behind of.
        backwards = bool(self._buckets) and behind_us > _TOLERANCE_US
        floor_us = self._floor()
        ahead = floor_us is not None and floor_us - difference_us > _TOLERANCE_US
        if not backwards and not ahead:
            return ClockEvent.IN_LINE
        agreed = (
            self._suspect_us is not None and abs(difference_us - self._suspect_us) <= _TOLERANCE_US
        )
        if agreed or (backwards and jumped):
            return ClockEvent.RESTARTED if backwards else ClockEvent.SET
        return ClockEvent.DOUBTFUL

    def pong(self, raw_ms: int, ping_clock_ms: int, arrival_us: int) -> None:
        """Learn from the answer to one of our pings.

        A round trip of more than ten seconds is no answer to anything recent and is ignored.
        """
        round_trip_us = (wire_clock_ms(arrival_us) - ping_clock_ms) % _WRAP * 1000
        round_trip_us += arrival_us % 1000
        if round_trip_us > LONGEST_ROUND_TRIP_MS * 1000:
            return
        if self.raw_ms < 0:
            self.raw_ms = raw_ms
        time_ms = nearest(raw_ms, self.raw_ms + self._epoch_ms)
        self._pongs.append((round_trip_us, arrival_us - time_ms * 1000, arrival_us))
        self._decide(arrival_us)

    def _floor(self) -> int | None:
        return min((smallest for _, smallest in self._buckets), default=None)

    def _note(self, difference_us: int, arrival_us: int) -> None:
        second = arrival_us // _SECOND_US
        if self._buckets and second <= self._buckets[-1][0]:
            self._buckets[-1][1] = min(self._buckets[-1][1], difference_us)
        else:
            self._buckets.append([second, difference_us])
            while self._buckets[0][0] <= second - _MEMORY_S:
                self._buckets.popleft()
        self.low_us = self._buckets[-1][1] + self._epoch_ms * 1000
        self._set_limits(min(smallest for _, smallest in self._buckets) + self._epoch_ms * 1000)
        self.until_us = (self._buckets[-1][0] + 1) * _SECOND_US

    def _set_limits(self, floor_us: int) -> None:
        self.least_us, self.high_us = floor_us - _TOLERANCE_US, floor_us + _TOLERANCE_US

    def improve(self, difference_us: int) -> None:
        """Take in the smallest ``arrival - raw stamp`` of this second so far."""
        self.low_us = difference_us
        self._buckets[-1][1] = difference_us - self._epoch_ms * 1000
        if difference_us < self.high_us - _TOLERANCE_US:
            self._set_limits(difference_us)
            if not self.synced:
                self.shift_us = difference_us

    def _decide(self, arrival_us: int) -> None:
        """Choose the offset: the best pong if there is one, else the smallest difference."""
        floor_us = self._floor()
        best = min(
            (p for p in self._pongs if arrival_us - p[2] <= _PONG_LIFE_US),
            key=lambda pong: (pong[0], -pong[2]),
            default=None,
        )
        if best is not None:
            offset_us = best[1] - best[0] // 2
            # A provider whose pongs run on another clock than its samples cannot be synced so.
            if floor_us is None or abs(offset_us - floor_us) <= _TOLERANCE_US:
                self.synced, self.latency_us = True, best[0] // 2
                self.shift_us = offset_us + self._epoch_ms * 1000
                return
        self.synced, self.latency_us = False, 0
        if floor_us is not None:
            self.shift_us = floor_us + self._epoch_ms * 1000
