"""Many datagrams of samples into columns, at array speed.

The session's loop appends one entry per datagram; `SampleBatch.columns` joins the payloads and
decodes, places in time and indexes all samples at once. Channel ids become dense indices through
one table of 65,536 entries per provider, so that equal ids of two providers never meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.protocol import SAMPLE

IDS = 1 << 16  # channel ids of one provider
UNLISTED = -1  # dense index of an id that its provider has not announced

_AT_ONCE = 12_000  # samples: longer arrays come from the system, page by page, each time anew
_DAMAGED_US = 1_000_000  # a stamp this far beyond its arrival cannot be true


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Samples in arrival order: arrays of equal length (n,)."""

    time_us: NDArray[np.int64]  # when it was measured, our clock, never after its arrival
    arrival_us: NDArray[np.int64]
    channel: NDArray[np.int32]  # index into Session.channels
    value: NDArray[np.float32]  # in the channel's unit; may be NaN or infinite
    synced: NDArray[np.bool_]  # False: placed by arrival times, no pong from its provider yet
    losses: tuple[tuple[int, int], ...] = ()  # (arrival_us, datagrams found missing just before)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.value)

    @classmethod
    def join(cls, parts: Sequence[Values]) -> Values:
        """Return the parts one after another."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            times = np.empty(0, np.int64)
            channel, value = np.empty(0, np.int32), np.empty(0, np.float32)
            return cls(times, times, channel, value, np.empty(0, np.bool_))
        return cls(
            np.concatenate([part.time_us for part in parts]),
            np.concatenate([part.arrival_us for part in parts]),
            np.concatenate([part.channel for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.synced for part in parts]),
            tuple(loss for part in parts for loss in part.losses),
        )

    def with_losses(self, losses: tuple[tuple[int, int], ...]) -> Values:
        """Return the same samples with these losses."""
        return replace(self, losses=losses)

    def where(self, selected: NDArray[np.bool_]) -> Values:
        """Return the selected samples, with all losses."""
        return Values(
            self.time_us[selected],
            self.arrival_us[selected],
            self.channel[selected],
            self.value[selected],
            self.synced[selected],
            self.losses,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A decoded batch: the samples, and of which datagram each is."""

    values: Values
    ids: NDArray[np.uint16]  # (n,) channel id on the wire
    counts: NDArray[np.int64]  # (datagrams,) samples in each datagram
    rows: NDArray[np.int64]  # (datagrams,) row of the table each datagram was read with


class SampleBatch:
    """Datagrams of samples waiting to be decoded together. Payloads are never empty."""

    __slots__ = ("arrivals", "payloads", "rows", "shifts", "synced")

    def __init__(self) -> None:
        """Start empty."""
        self.payloads: list[bytes] = []  # whole numbers of records
        self.arrivals: list[int] = []
        self.shifts: list[int] = []  # add to the last record's stamp (in us) for our time
        self.rows: list[int] = []
        self.synced: list[bool] = []

    def __len__(self) -> int:
        """Return the number of datagrams."""
        return len(self.payloads)

    def add(self, packed: bytes, arrival_us: int, shift_us: int, synced: bool, row: int) -> None:
        """Add one datagram. The session's loop does the same, column by column."""
        self.payloads.append(packed)
        self.arrivals.append(arrival_us)
        self.shifts.append(shift_us)
        self.synced.append(synced)
        self.rows.append(row)

    def clear(self) -> None:
        """Empty the batch."""
        for column in (self.payloads, self.arrivals, self.shifts, self.rows, self.synced):
            column.clear()

    def columns(self, table: NDArray[np.int32]) -> Iterator[Columns]:
        """Decode everything. *table* maps (row, channel id) to a dense index or UNLISTED."""
        counts = np.array(list(map(len, self.payloads)), np.int64) // SAMPLE.itemsize
        ends = np.cumsum(counts)
        start = 0
        while start < len(counts):
            done = ends[start] - counts[start]
            stop = max(start + 1, int(np.searchsorted(ends, done + _AT_ONCE, "right")))
            yield self._decode(table, slice(start, stop), counts[start:stop])
            start = stop

    def _decode(self, table: NDArray[np.int32], part: slice, counts: NDArray[np.int64]) -> Columns:
        records = np.frombuffer(b"".join(self.payloads[part]), SAMPLE)
        last = np.cumsum(counts) - 1
        arrival_us = np.repeat(np.array(self.arrivals[part], np.int64), counts)
        stamps, ids = records["stamp_ms"], records["id"]
        rows = np.array(self.rows[part], np.int64)
        time_us = _times(stamps, stamps[last], np.array(self.shifts[part], np.int64), counts)
        _hold_back(time_us, arrival_us, last - counts + 1, counts)
        values = Values(
            time_us,
            arrival_us,
            table.ravel().take(np.repeat(rows * IDS, counts) + ids),
            records["value"].copy(),
            np.repeat(np.array(self.synced[part], np.bool_), counts),
        )
        return Columns(values, ids, counts, rows)


def _times(
    stamps: NDArray[np.uint32],
    references: NDArray[np.uint32],
    shifts_us: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return every stamp on our clock; a stamp is within 24.8 days of its datagram's last one."""
    after_ms = (stamps - np.repeat(references, counts)).view(np.int32)  # modulo 2**32, signed
    times = np.repeat(references * np.int64(1000) + shifts_us, counts)
    times += after_ms * np.int64(1000)
    return times


def _hold_back(
    time_us: NDArray[np.int64],
    arrival_us: NDArray[np.int64],
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """See that nothing was measured after it arrived.

    A datagram is moved as a whole, so that the spacing of its samples is kept. A sample that is
    more than a second out has a damaged stamp and is moved alone.
    """
    beyond = time_us - arrival_us
    if beyond.max() > 0:
        beyond[beyond > _DAMAGED_US] = 0
        time_us -= np.repeat(np.maximum(np.maximum.reduceat(beyond, starts), 0), counts)
        np.minimum(time_us, arrival_us, out=time_us)


class HeldSamples:
    """Samples of one sender whose channel it has not announced yet, kept until it does."""

    __slots__ = ("_limit", "_pieces", "count", "overflow")

    def __init__(self, limit: int) -> None:
        """Keep at most *limit* samples, the first ones, and count the others."""
        self._limit = limit
        self._pieces: list[tuple[NDArray[np.uint16], Values]] = []
        self.count = 0
        self.overflow = 0

    def add(self, ids: NDArray[np.uint16], values: Values) -> None:
        """Keep samples; *ids* are their channel ids on the wire."""
        room = self._limit - self.count
        self.overflow += max(0, len(ids) - room)
        if room > 0:
            first = np.arange(len(ids)) < room
            self._pieces.append((ids[first], values.where(first)))
            self.count += int(np.count_nonzero(first))

    def release(self, row: NDArray[np.int32]) -> Values:
        """Return the samples whose channel is known in *row*, oldest first, and keep the rest."""
        released: list[Values] = []
        kept: list[tuple[NDArray[np.uint16], Values]] = []
        for ids, values in self._pieces:
            channel = row.take(ids)
            known = channel != UNLISTED
            if known.any():
                released.append(replace(values, channel=channel).where(known))
            if not known.all():
                kept.append((ids[~known], values.where(~known)))
        self._pieces = kept
        values = Values.join(released)
        self.count -= len(values)
        return values

    def ids(self, more_than: int) -> list[int]:
        """Return the ids of which more than so many samples are held, in order."""
        if not self._pieces:
            return []
        ids, counts = np.unique(np.concatenate([p[0] for p in self._pieces]), return_counts=True)
        wanted: list[int] = ids[counts > more_than].tolist()
        return wanted
