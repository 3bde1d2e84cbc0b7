"""The simulated dyno as a source inside the process: the same frames, no socket.

At life's pace for a rehearsal without a network, or as fast as possible for tests, benchmarks and
statistics. What the program sends is heard and answered by the simulated providers.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable

from dynoai_desktop.capture.simulated_bus import FLUSH_US, TICK_US, SimulatedBus
from dynoai_desktop.capture.sources.contract import CaptureError, Datagram

_STEP_S = 0.005


class SimulatorSource:
    """Hands out what a SimulatedBus sends when its time has come."""

    simulated = True

    def __init__(
        self,
        make_bus: Callable[[int], SimulatedBus],
        start_us: int,
        speed: float = 0.0,
        duration_s: float | None = None,
    ) -> None:
        """Prepare a bus that begins at Unix time *start_us*.

        *speed* is a multiple of life's pace, 0 as fast as possible; *duration_s* ends it.
        """
        self._make_bus = make_bus
        self._start_us = start_us
        self._speed = speed
        self._end_us = None if duration_s is None else start_us + int(duration_s * 1e6)
        self._bus: SimulatedBus | None = None
        self._due: list[Datagram] = []  # sorted by arrival
        self._now_us = start_us
        self._anchor = 0.0

    def open(self) -> None:
        """Start the machine. Raises CaptureError when its description makes no sense."""
        try:
            self._bus = self._make_bus(self._start_us)
        except ValueError as error:
            reason = str(error).rstrip(".")
            raise CaptureError(f"The simulated dyno cannot start: {reason}.") from error
        self._anchor = time.monotonic()

    def receive(self, timeout_s: float) -> list[Datagram]:
        """Return what the simulated providers have sent by now."""
        deadline = time.monotonic() + timeout_s
        while not (batch := self._step()) and not self.finished:
            if self._speed == 0:
                break
            if time.monotonic() >= deadline:
                break
            time.sleep(_STEP_S)
        return batch

    def _step(self) -> list[Datagram]:
        if self._bus is None:
            return []
        if self._speed == 0:
            now_us = self._now_us + FLUSH_US
        else:
            now_us = self._start_us + int((time.monotonic() - self._anchor) * self._speed * 1e6)
        if self._end_us is not None:
            now_us = min(now_us, self._end_us)
        self._now_us = max(self._now_us, now_us)
        self._post(self._bus.advance(self._now_us + TICK_US))
        count = bisect_right(self._due, self._now_us, key=_arrival)
        batch, self._due = self._due[:count], self._due[count:]
        return batch

    def _post(self, datagrams: list[Datagram]) -> None:
        if datagrams:
            self._due = sorted([*self._due, *datagrams], key=_arrival)

    def now_us(self) -> int:
        """Return the bus's time."""
        return self._now_us

    @property
    def finished(self) -> bool:
        """Return True when the given duration is over."""
        return self._end_us is not None and self._now_us >= self._end_us

    def send(self, data: bytes) -> None:
        """Let the simulated providers hear a frame."""
        if self._bus is not None:
            self._post(self._bus.hear(data))

    def close(self) -> None:
        """Stop. Safe to call twice."""
        self._bus = None
        self._due.clear()


def _arrival(datagram: Datagram) -> int:
    return datagram.arrival_us
