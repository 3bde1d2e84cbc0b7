"""From packed samples to columns, and the order of things around a change of the channels.

What was read before a change has to be decoded and handed out before the channel table changes;
samples whose channel is not announced yet wait until it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from dynoai_desktop.capture.roster import Roster, Sender
from dynoai_desktop.capture.values import IDS, UNLISTED, Columns, SampleBatch, Values


class Intake:
    """Samples on their way from the session's loop to its caller."""

    def __init__(self, roster: Roster) -> None:
        """Start empty; *roster* has the channel table and counts samples."""
        self.batch = SampleBatch()
        self.ready: list[Values] = []
        self.change: Callable[[], object] | None = None
        self._roster = roster
        self._losses: list[tuple[int, int]] = []

    @property
    def is_pressing(self) -> bool:
        """Return True when something has to be handed out before reading on."""
        return bool(self.ready) or self.change is not None

    def hand_out(self) -> Iterator[Values]:
        """Give what is ready, then make the change of the channels that waits for that."""
        yield from self.take_ready()
        if self.change is not None:
            change, self.change = self.change, None
            change()
            yield from self.take_ready()

    def take_ready(self) -> list[Values]:
        """Return, once, what is ready."""
        ready, self.ready = self.ready, []
        return ready

    def change_channels(self, change: Callable[[], object]) -> None:
        """Put off a change of the channel table until all that was read before is handed out."""
        self.cut()
        self.change = change

    def note_loss(self, arrival_us: int, count: int) -> None:
        """Remember that so many datagrams were found missing."""
        self._losses.append((arrival_us, count))

    def cut(self) -> None:
        """Decode what was read so far, with the channel table as it is now."""
        decoded = list(map(self._listed, self.batch.columns(self._roster.table)))
        self.batch.clear()
        if self._losses:
            values = decoded.pop() if decoded else Values.join([])
            decoded.append(values.with_losses(tuple(self._losses)))
            self._losses = []
        self.ready.extend(decoded)

    def _listed(self, columns: Columns) -> Values:
        """Count the samples and return them; those of unannounced channels are held."""
        values = columns.values
        counts = np.bincount(columns.rows, weights=columns.counts)
        unlisted = values.channel < 0
        if unlisted.any():
            row_of = np.repeat(columns.rows, columns.counts)
            for row in np.unique(row_of[unlisted]).tolist():
                here = unlisted & (row_of == row)
                self._owner(row).held.add(columns.ids[here], values.where(here))
                counts[row] -= np.count_nonzero(here)
            values = values.where(~unlisted)
        for row in np.flatnonzero(counts).tolist():
            self._owner(row).tally.samples += int(counts[row])
        return values

    def _owner(self, row: int) -> Sender:
        owner = self._roster.by_row[row]
        assert owner is not None  # rows change hands only after a cut
        return owner

    def release(self, sender: Sender) -> None:
        """Give out the samples that were waiting for the announcement that has just come."""
        if sender.held.count:
            values = sender.held.release(self._roster.table[sender.row])
            sender.tally.samples += len(values)
            if len(values):
                self.ready.append(values)

    def read_late(
        self, sender: Sender, packed: bytes, arrival_us: int, shift_us: int, synced: bool
    ) -> None:
        """Decode samples that were overtaken by the end of the list they belong to."""
        self.cut()
        ids = sender.ids if sender.is_replaced and sender.ids else sender.earlier
        table = np.full((1, IDS), UNLISTED, np.int32)
        table[0, list(ids)] = list(ids.values())
        self.batch.add(packed, arrival_us, shift_us, synced, 0)
        (columns,) = self.batch.columns(table)
        self.batch.clear()
        known = columns.values.channel != UNLISTED
        sender.held.add(columns.ids[~known], columns.values.where(~known))
        sender.tally.samples += int(np.count_nonzero(known))
        self.ready.append(columns.values.where(known))
