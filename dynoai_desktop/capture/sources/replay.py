"""A recording as a source: at life's pace, faster, as fast as possible, paused, or sought.

The source's clock is the recording's own time. Seeking backwards starts over from the first
datagram, and seeking forwards runs through everything on the way, so what is on the screen at any
position is exactly what had been measured up to it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from dynoai_desktop.capture.pcap import PcapReader
from dynoai_desktop.capture.sources.contract import CaptureError, Datagram

RAW_NAME = "raw.pcap"
AS_FAST_AS_POSSIBLE = 0.0
_CHUNK = 512
_PAUSE_STEP_S = 0.005


def recording_file(path: Path) -> Path:
    """Return the pcap behind *path*, which may be a session folder or the file itself."""
    return path / RAW_NAME if path.is_dir() else path


class ReplaySource:
    """Hands out the datagrams of a pcap file when their time has come."""

    def __init__(
        self, path: Path, speed: float = AS_FAST_AS_POSSIBLE, simulated: bool = False
    ) -> None:
        """Prepare to replay *path* at *speed* times life; 0 is as fast as possible."""
        self.path = recording_file(path)
        self.simulated = simulated
        self._speed = speed
        self._paused = False
        self._reader: PcapReader | None = None
        self._records: Iterator[Datagram] = iter(())
        self._next: Datagram | None = None
        self._first_us = 0
        self._clock_us = 0  # the recording's time at the moment of _anchor
        self._anchor = time.monotonic()
        self._skip_to_us = 0  # run through everything before this without waiting

    def open(self) -> None:
        """Open the file. Raises CaptureError when it cannot be read or holds no datagram."""
        self._reader = PcapReader(self.path)
        self._start_over()
        if self._next is None:
            self.close()
            raise CaptureError(
                f"{self.path.name} holds no UDP datagram, so there is nothing to replay."
            )

    def _start_over(self) -> None:
        assert self._reader is not None
        self._reader.rewind()
        self._records = iter(self._reader)
        self._next = next(self._records, None)
        if self._next is not None:
            self._first_us = self._next.arrival_us
        self._set_clock(self._first_us)

    def _set_clock(self, clock_us: int) -> None:
        self._clock_us = clock_us
        self._anchor = time.monotonic()

    def receive(self, timeout_s: float) -> list[Datagram]:
        """Return the datagrams whose time has come, at most 512 at once."""
        deadline = time.monotonic() + timeout_s
        while not (batch := self._due()):
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self.finished:
                break
            time.sleep(min(remaining, _PAUSE_STEP_S))
        return batch

    def _due(self) -> list[Datagram]:
        limit_us = self._limit_us()
        batch: list[Datagram] = []
        following = self._next
        while following is not None and len(batch) < _CHUNK and following.arrival_us <= limit_us:
            batch.append(following)
            following = next(self._records, None)
        self._next = following
        if batch and batch[-1].arrival_us > self._clock_us and self._catching_up:
            self._set_clock(batch[-1].arrival_us)
        return batch

    def _limit_us(self) -> int:
        if self._clock_us < self._skip_to_us:
            return self._skip_to_us
        if self._paused:
            return self._clock_us
        if self._speed == AS_FAST_AS_POSSIBLE:
            return 1 << 62
        return self._live_us()

    @property
    def _catching_up(self) -> bool:
        return self._clock_us < self._skip_to_us or self._speed == AS_FAST_AS_POSSIBLE

    def _live_us(self) -> int:
        elapsed = 0.0 if self._paused else time.monotonic() - self._anchor
        return self._clock_us + int(elapsed * self._speed * 1e6)

    def now_us(self) -> int:
        """Return the recording's time; it stands still while paused and between fast chunks."""
        if self._catching_up:
            reached = self._next is None or self._next.arrival_us > self._skip_to_us
            if self._clock_us < self._skip_to_us and reached:
                self._set_clock(self._skip_to_us)
            return self._clock_us
        if self._next is None:
            return self._live_us()
        # A datagram that is due but not yet handed out must not lie in the past.
        return min(self._live_us(), self._next.arrival_us)

    @property
    def finished(self) -> bool:
        """Return True when every datagram has been handed out."""
        return self._next is None

    @property
    def elapsed_s(self) -> float:
        """Return how far into the recording we are."""
        return (self.now_us() - self._first_us) / 1e6

    @property
    def byte_fraction(self) -> float:
        """Return the share of the file already read, 0 to 1."""
        if self._reader is None or not self._reader.facts.byte_size:
            return 0.0
        return min(1.0, self._reader.position / self._reader.facts.byte_size)

    def set_speed(self, speed: float) -> None:
        """Change pace from here on; 0 is as fast as possible. Raises ValueError below 0."""
        if not speed >= 0:
            raise ValueError("a replay cannot run backwards")
        self._set_clock(self.now_us())
        self._speed = speed

    def set_paused(self, paused: bool) -> None:
        """Hold the recording's clock, or let it go on."""
        self._set_clock(self.now_us())
        self._paused = paused

    def seek(self, elapsed_s: float) -> bool:
        """Go to *elapsed_s* seconds after the first datagram.

        Returns True when that meant starting over, so whoever accumulated must forget.
        """
        target_us = self._first_us + int(max(0.0, elapsed_s) * 1e6)
        backwards = target_us < self.now_us()
        if backwards:
            self._start_over()
        self._skip_to_us = target_us
        return backwards

    def send(self, data: bytes) -> None:
        """Ignore it: a recording cannot be asked."""

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        if self._reader is not None:
            self._reader.close()


def recording_span(path: Path) -> tuple[int, int, int]:
    """Return ``(first_us, last_us, datagrams)`` of a recording by reading it once.

    Raises CaptureError when it is not a readable recording.
    """
    first = last = count = 0
    with PcapReader(recording_file(path)) as reader:
        for datagram in reader:
            first = first or datagram.arrival_us
            last = datagram.arrival_us
            count += 1
    return first, last, count
