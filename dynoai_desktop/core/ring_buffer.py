"""The ring buffer between decoding and everything that looks at recent samples.

One thread writes and reads it, so there are no locks. Writers never wait: the oldest samples are
overwritten, and a reader that fell behind is told how many it missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFAULT_CAPACITY = 1 << 18  # samples; about 15 s of a dyno that sends 17,000 values a second


@dataclass(frozen=True, slots=True)
class Samples:
    """Raw samples in arrival order, arrays of equal length (n,)."""

    time_us: NDArray[np.int64]  # when it was measured, our clock
    arrival_us: NDArray[np.int64]  # when its datagram arrived
    channel: NDArray[np.int32]  # dense channel index
    value: NDArray[np.float32]  # as sent, in the channel's wire unit

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.time_us)

    def since(self, time_us: int) -> Samples:
        """Return the samples measured at or after *time_us*."""
        keep = self.time_us >= time_us
        return Samples(
            self.time_us[keep], self.arrival_us[keep], self.channel[keep], self.value[keep]
        )


class SampleRing:
    """Preallocated columns; position 0 is the first sample ever written."""

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        """Allocate once. Raises ValueError for a capacity below one sample."""
        if capacity < 1:
            raise ValueError("a ring buffer needs room for at least one sample")
        self.capacity = capacity
        self.written = 0
        self._columns: tuple[NDArray[Any], ...] = (
            np.zeros(capacity, np.int64),
            np.zeros(capacity, np.int64),
            np.zeros(capacity, np.int32),
            np.zeros(capacity, np.float32),
        )

    @property
    def oldest(self) -> int:
        """Return the position of the oldest sample still held."""
        return max(0, self.written - self.capacity)

    def write(self, samples: Samples) -> None:
        """Append samples; of a batch longer than the ring only the newest stay."""
        n = len(samples)
        skip = max(0, n - self.capacity)
        start = (self.written + skip) % self.capacity
        first = min(n - skip, self.capacity - start)
        fields: tuple[NDArray[Any], ...] = (
            samples.time_us,
            samples.arrival_us,
            samples.channel,
            samples.value,
        )
        for column, field in zip(self._columns, fields, strict=True):
            column[start : start + first] = field[skip : skip + first]
            column[: n - skip - first] = field[skip + first :]
        self.written += n

    def since(self, position: int) -> tuple[Samples, int, int]:
        """Return ``(samples, next_position, missed)`` written since *position*, copied."""
        missed = max(0, self.oldest - position)
        start, count = (position + missed) % self.capacity, self.written - position - missed
        first = min(count, self.capacity - start)
        head, tail = slice(start, start + first), slice(0, count - first)
        time_us, arrival_us, channel, value = self._columns
        samples = Samples(
            np.concatenate((time_us[head], time_us[tail])),
            np.concatenate((arrival_us[head], arrival_us[tail])),
            np.concatenate((channel[head], channel[tail])),
            np.concatenate((value[head], value[tail])),
        )
        return samples, self.written, missed

    def latest(self, count: int) -> Samples:
        """Return the newest *count* samples, or all there are, oldest first, copied."""
        return self.since(max(self.oldest, self.written - count))[0]
