"""Samples into 50 ms windows.

A window may close when everything measured in it has arrived. Providers collect samples and send
them in flushes, so a sample can be up to a flush (50 ms) older than its datagram. Waiting a fixed
time for the slowest flush would put every number on the screen late; closing too early would lose
samples. So a window closes

* a short settling time after every *regular* provider (one heard in nearly all recent windows)
  has delivered a sample from beyond the window's end, or
* at the latest `GRACE_US` after its end, whoever is silent.

A sample that comes after its window has closed is late. It moves nothing that is known better: it
speaks for its channel in the window being closed when it arrived, and only if no sample of that
window does. So a probe that sends twice a second, half a second late, is still read.

Both moments depend on arrival times alone, never on how datagrams were batched or when a timer
fired. The same datagrams therefore give the same windows, to the bit, live and in replay. For the
same reason a window is summed once, when it closes, in arrival order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import CARRIED, CHANNELS, Rule
from dynoai_desktop.core.samples import WINDOW_US, Aggregate

GRACE_US = 70_000  # a 50 ms flush, its time on the network and a late scheduler
SETTLE_US = 10_000  # the rest of a flush that was cut into several datagrams
LONGEST_SILENCE_US = 24 * 3600 * 1_000_000  # a longer gap is a jumping clock: windows skip it
UNMAPPED = len(CARRIED)  # the slot of samples that no canonical channel uses

_PIECE_US = 4 * WINDOW_US
_HISTORY_MASK = (1 << 20) - 1
_REGULAR_IN_20 = 18
_LAST_RULE = np.array([CHANNELS[channel].rule is Rule.LAST for channel in CARRIED])


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples ready for windows, in arrival order, arrays of equal length (n,)."""

    slot: NDArray[np.int64]  # index into CARRIED, or UNMAPPED
    provider: NDArray[np.int64]
    time_us: NDArray[np.int64]
    arrival_us: NDArray[np.int64]
    value: NDArray[np.float64]  # in the unit of the slot's channel
    synced: NDArray[np.bool_]

    @classmethod
    def join(cls, batches: Sequence[Batch]) -> Batch:
        """Return the batches one after another."""
        if len(batches) == 1:
            return batches[0]
        return cls(
            *(np.concatenate([getattr(batch, name) for batch in batches]) for name in cls.__slots__)
        )

    def part(self, start: int, end: int) -> Batch:
        """Return the samples from *start* up to *end*."""
        return Batch(*(getattr(self, name)[start:end] for name in self.__slots__))

    def where(self, mask: NDArray[np.bool_]) -> Batch:
        """Return the samples selected by *mask*."""
        return Batch(*(getattr(self, name)[mask] for name in self.__slots__))


class WindowStage:
    """Collects batches and closes windows; one Aggregate per 50 ms, heard or silent."""

    def __init__(self) -> None:
        """Start with no window; `begin`, or the first time seen, opens one."""
        self.late_samples = 0
        self._index: int | None = None
        self._pending: list[Batch] = []
        self._late: list[Batch] = []
        self._losses: list[tuple[int, int]] = []
        self._crossed: dict[int, int] = {}
        self._history: dict[int, int] = {}

    def forget_regularity(self) -> None:
        """Forget who spoke regularly, as at the start of a recording."""
        self._history.clear()
        self._crossed.clear()

    def begin(self, first_us: int) -> None:
        """Open the first window, where a sample in the datagram of *first_us* can be from."""
        if self._index is None:
            self._index = (first_us - GRACE_US) // WINDOW_US

    def feed(
        self, batch: Batch | None, losses: Sequence[tuple[int, int]], now_us: int
    ) -> list[Aggregate]:
        """Add samples and return the windows that are complete at *now_us*, oldest first.

        *losses* are ``(arrival_us, datagrams found missing)``. Every datagram that arrived at or
        before *now_us* must have been fed.
        """
        if self._index is None:
            self.begin(now_us)
        assert self._index is not None
        self._losses.extend(losses)
        if now_us - (self._index + 1) * WINDOW_US > LONGEST_SILENCE_US and not self._pending:
            self._index = now_us // WINDOW_US
        closed: list[Aggregate] = []
        for piece in () if batch is None else _pieces(batch):
            self._add(piece)
            closed += self._close_until(int(piece.arrival_us[-1]))
        return closed + self._close_until(now_us)

    def _close_until(self, now_us: int) -> list[Aggregate]:
        closed = []
        while (close_us := self._close_time()) <= now_us:
            closed.append(self._close(close_us))
        return closed

    def _add(self, batch: Batch) -> None:
        assert self._index is not None
        start = self._index * WINDOW_US
        on_time = batch.time_us >= start
        if not on_time.all():
            self._set_late(batch.where(~on_time))
            batch = batch.where(on_time)
        if len(batch.slot):
            self._pending.append(batch)
            self._note_crossings(batch)

    def _set_late(self, batch: Batch) -> None:
        if len(batch.slot):
            self.late_samples += len(batch.slot)
            self._late.append(batch)

    def _note_crossings(self, batch: Batch) -> None:
        assert self._index is not None
        beyond = batch.time_us >= (self._index + 1) * WINDOW_US
        if not beyond.any():
            return
        for provider in self._regular():
            if provider not in self._crossed:
                hits = beyond & (batch.provider == provider)
                first = int(hits.argmax())
                if hits[first]:
                    self._crossed[provider] = int(batch.arrival_us[first])

    def _regular(self) -> list[int]:
        return [p for p, bits in self._history.items() if bits.bit_count() >= _REGULAR_IN_20]

    def _close_time(self) -> int:
        assert self._index is not None
        deadline = (self._index + 1) * WINDOW_US + GRACE_US
        regular = self._regular()
        if not regular or any(p not in self._crossed for p in regular):
            return deadline
        return min(deadline, max(self._crossed[p] for p in regular) + SETTLE_US)

    def _close(self, close_us: int) -> Aggregate:
        assert self._index is not None
        index = self._index
        self._index = index + 1
        self._crossed.clear()
        lost = sum(count for arrival, count in self._losses if arrival < close_us)
        self._losses = [(arrival, n) for arrival, n in self._losses if arrival >= close_us]
        if not self._pending and not self._late:
            self._remember(())
            return Aggregate(index, MappingProxyType({}), 0, lost)
        pending = Batch.join([*self._pending, _NOTHING])
        inside = pending.time_us < (index + 1) * WINDOW_US
        in_time = pending.arrival_us < close_us
        window, rest = pending.where(inside & in_time), pending.where(~inside)
        late = Batch.join([*self._late, _NOTHING])
        speaking = late.arrival_us < close_us
        self._late = [late.where(~speaking)] if not speaking.all() else []
        self._set_late(pending.where(inside & ~in_time))
        self._pending = [rest] if len(rest.slot) else []
        self._remember(np.unique(window.provider).tolist())
        if self._pending:
            self._note_crossings(rest)
        return _summarise(index, window, late.where(speaking), lost)

    def _remember(self, present: Sequence[int]) -> None:
        for provider in set(self._history).union(present):
            bits = (self._history.get(provider, 0) << 1) | (provider in present)
            self._history[provider] = bits & _HISTORY_MASK
        self._history = {p: bits for p, bits in self._history.items() if bits}


def _pieces(batch: Batch) -> Iterator[Batch]:
    """Cut a batch that spans many windows, as a fast replay has them, so that few are pending."""
    arrival_us = batch.arrival_us
    first, last = int(arrival_us[0]), int(arrival_us[-1])
    if last - first <= _PIECE_US:
        yield batch
        return
    edges = np.searchsorted(np.maximum.accumulate(arrival_us), range(first, last, _PIECE_US))
    for start, end in pairwise((*edges.tolist(), len(arrival_us))):
        if start < end:
            yield batch.part(start, end)


def _summarise(index: int, window: Batch, late: Batch, lost: int) -> Aggregate:
    """Reduce one window: mean for analogue channels, last for states, absent stays absent."""
    counts = np.bincount(window.slot, minlength=UNMAPPED + 1)
    missing = counts[late.slot] == 0
    if missing.any():
        window = Batch.join([window, late.where(missing)])
        counts = np.bincount(window.slot, minlength=UNMAPPED + 1)
    sums = np.bincount(window.slot, weights=window.value, minlength=UNMAPPED + 1)
    last = np.empty(UNMAPPED + 1)
    last[window.slot] = window.value  # for a repeated index numpy keeps the last assignment
    means = {
        CARRIED[slot]: float(last[slot] if _LAST_RULE[slot] else sums[slot] / counts[slot])
        for slot in np.flatnonzero(counts[:UNMAPPED]).tolist()
    }
    synced = bool(window.synced[window.slot != UNMAPPED].all())
    arrival_us = int(window.arrival_us.max(initial=0))
    return Aggregate(index, MappingProxyType(means), len(window.slot), lost, synced, arrival_us)


def _empty() -> Batch:
    whole = np.empty(0, np.int64)
    return Batch(whole, whole, whole, whole, np.empty(0), np.empty(0, np.bool_))


_NOTHING = _empty()
