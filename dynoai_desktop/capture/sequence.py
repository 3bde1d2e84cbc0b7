"""Sequence numbers: what was lost, what came twice, what came late.

Every sender numbers its frames 0 to 255 round and round, one counter for all keys and
destinations. The last frame of each number is kept (a reference, not a copy), so that a number
from the past is judged by what is known: the same bytes again are a duplicate, a number in the
gap of missing frames is a late one and the loss is taken back, and anything else means that the
stream jumped ahead by more than half a round.

Such a jump is counted at once but confirmed by the next frame: when that continues the old line,
the frame in between was a stray (a damaged number), and the loss is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dynoai_desktop.capture.protocol import HEADER

_ROUND = 256
_MISSING = b""  # what stands for a frame known to be missing; no frame is empty
_STARTUP_FRAMES = 16  # a stream this young may still be overtaken by frames from before its first


class Verdict(Enum):
    """How a frame stands in its sender's stream."""

    IN_ORDER = "in order"
    AHEAD = "ahead"  # frames before it are missing
    LATE = "late"
    DUPLICATE = "duplicate"


@dataclass(slots=True)
class Tally:
    """What has been counted of a provider. Everything but samples counts datagrams."""

    frames: int = 0
    lost: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    malformed: int = 0
    samples: int = 0
    restarts: int = 0

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class _Jump:
    """A jump that the next frame has to confirm: the stream as it was before."""

    next_seq: int
    gap: int
    slots: list[bytes | None]


class SequenceTracker:
    """The numbers of one sender. Counts into `tally`, which providers share and exchange.

    The session's loop handles the frame that is expected by itself: it puts it into its slot and
    moves `next_seq`. Everything else comes to `accept`.
    """

    __slots__ = ("_ahead", "_doubtful", "_jump", "next_seq", "slots", "tally")

    def __init__(self, tally: Tally) -> None:
        """Start before the first frame."""
        self.tally = tally
        self.reset()

    def reset(self) -> None:
        """Forget the line: the next frame starts a new one. Counts stay."""
        self.next_seq = -1  # no line yet
        self.slots: list[bytes | None] = [None] * _ROUND
        self._ahead = b""  # the last frame that came with a gap before it
        self._jump: _Jump | None = None
        self._doubtful = 0

    @property
    def is_settled(self) -> bool:
        """Return False while the next frame may still change the meaning of the last gap."""
        return self._jump is None and not self._doubtful

    def accept(self, seq: int, data: bytes) -> Verdict:
        """Take in one frame, count what it tells, and return how it stands."""
        if self.slots[seq] == data and self._is_old(seq, data):
            self.tally.duplicates += 1
            return Verdict.DUPLICATE
        if self._jump is not None:
            self._confirm(self._jump, seq)
        verdict = self._place(seq)
        self.slots[seq] = data
        if verdict is Verdict.AHEAD:
            self._ahead = data
        return verdict

    def _is_old(self, seq: int, data: bytes) -> bool:
        """Return True when these bytes, which were heard before, are not simply sent again.

        A frame without a value looks the same in every round; nothing else does.
        """
        behind = (self.next_seq - seq) % _ROUND
        return behind > 0 and (len(data) > HEADER.size or behind <= _ROUND // 2)

    def _place(self, seq: int) -> Verdict:
        if self.next_seq < 0:
            self.next_seq = (seq + 1) % _ROUND
            return Verdict.IN_ORDER
        ahead = (seq - self.next_seq) % _ROUND
        if ahead == 0:
            self.next_seq = (seq + 1) % _ROUND
            return Verdict.IN_ORDER
        if ahead >= _ROUND // 2:
            if self.slots[seq] == _MISSING:
                self.tally.lost -= 1
                self.tally.out_of_order += 1
                self._doubtful = max(0, self._doubtful - 1)
                return Verdict.LATE
            if self._is_from_before_the_start(seq, ahead) or self.slots[seq] is self._ahead:
                # In the second case that frame had a damaged number, which was this one's.
                self.tally.out_of_order += 1
                return Verdict.LATE
            self._jump = _Jump(self.next_seq, ahead, self.slots.copy())
        self._open_gap(ahead)
        return Verdict.AHEAD

    def _is_from_before_the_start(self, seq: int, ahead: int) -> bool:
        heard = _ROUND - self.slots.count(None)
        return (
            self.slots[seq] is None
            and heard <= _STARTUP_FRAMES
            and _ROUND - ahead <= _STARTUP_FRAMES
        )

    def _open_gap(self, count: int) -> None:
        for offset in range(count):
            self.slots[(self.next_seq + offset) % _ROUND] = _MISSING
        self.next_seq = (self.next_seq + count + 1) % _ROUND
        self.tally.lost += count
        self._doubtful += count

    def _confirm(self, jump: _Jump, seq: int) -> None:
        """Keep the jump if *seq* continues it better than it continues the line before."""
        self._jump = None
        on_new = (seq - self.next_seq) % _ROUND
        on_old = (seq - jump.next_seq) % _ROUND
        if on_new < on_old or on_new == on_old == 0:
            return
        self.tally.lost -= jump.gap
        self._doubtful = max(0, self._doubtful - jump.gap)
        self.tally.out_of_order += 1
        self.slots, self.next_seq = jump.slots, jump.next_seq

    def settle(self) -> None:
        """The sender's clock is in line: gaps up to now are losses and no restart."""
        self._doubtful = 0

    def restart(self, seq: int, data: bytes) -> None:
        """The sender started anew with this frame: its numbers owe nothing to the old line."""
        self.tally.lost -= self._doubtful
        self.reset()
        self.accept(seq, data)
