"""What every source of datagrams promises, whether it is a socket, a file or a simulator.

Time is integer microseconds of Unix time, as a pcap file stores it: a replayed session has the
same windows, to the bit, as the live one. `now_us` never runs backwards and is never behind a
datagram already handed out.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class CaptureError(Exception):
    """A source cannot go on. The message says what happened and what to do."""


class Datagram(NamedTuple):
    """One UDP payload with its arrival time and its sender."""

    arrival_us: int
    data: bytes
    sender: tuple[str, int] = ("0.0.0.0", 0)


class Source(Protocol):
    """A stream of datagrams with a clock. Opened, read and closed on one thread."""

    simulated: bool  # True when no hardware is behind it

    def open(self) -> None:
        """Start. Raises CaptureError with one clear sentence when that is impossible."""

    def receive(self, timeout_s: float) -> list[Datagram]:
        """Return what has arrived, oldest first; wait at most *timeout_s* for the first.

        An empty list means silence. Raises CaptureError when nothing more can ever arrive
        because of a fault; a file that has been read to its end sets `finished` instead.
        """

    def now_us(self) -> int:
        """Return the source's time, at or after the arrival of everything received so far."""

    @property
    def finished(self) -> bool:
        """Return True when nothing more will come: the file is at its end."""

    def send(self, data: bytes) -> None:
        """Send a frame to the group. Sources without a wire ignore it."""

    def close(self) -> None:
        """Release everything. Safe to call twice."""
