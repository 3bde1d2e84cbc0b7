"""What a recording begins with, so that it explains itself: the channel lists heard before it.

The announcements are the datagrams as they arrived, except for their sequence numbers. These are
moved to just before the sender's next frame: a reader of the recording would otherwise find a gap
between an announcement of half a minute ago and the first frame recorded.
"""

from __future__ import annotations

from collections.abc import Iterable

from dynoai_desktop.capture.roster import Sender
from dynoai_desktop.capture.sources.contract import Datagram

_SEQ_AT = 5  # of the sequence number in a frame


def preamble(senders: Iterable[Sender], now_us: int) -> list[Datagram]:
    """Return the newest page of every list that is in force, as if all had arrived now."""
    return [
        Datagram(now_us, _renumbered(page.data, seq), page.sender)
        for sender in senders
        for seq, page in enumerate(
            sender.pages.values(), start=sender.tracker.next_seq - len(sender.pages)
        )
    ]


def _renumbered(data: bytes, seq: int) -> bytes:
    return data[:_SEQ_AT] + bytes((seq % 256,)) + data[_SEQ_AT + 1 :]
