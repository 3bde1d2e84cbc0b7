"""Our side of the conversation: an id of our own, questions, and answers. Sans-IO.

`HostIdentity` is what every host that transmits needs: it negotiates a host id, numbers its
frames and answers pings. `Node` adds a listener's wishes: channel lists and clocks.

The reference implementation stalls on its own broadcast ping and on pings that carry data, so we
broadcast pings only while we have no id and never put data into one.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Collection
from typing import Final

from dynoai_desktop.capture.clock import wire_clock_ms
from dynoai_desktop.capture.protocol import (
    ALL_HOSTS,
    COMPATIBLE_VERSIONS,
    HEADER,
    MAX_VALUE_BYTES,
    NO_HOST,
    Frame,
    Message,
    Ping,
    Pong,
    ProtocolError,
    RequestChannelInfo,
    decode,
    encode,
)
from dynoai_desktop.capture.session import Peer, Session

NEGOTIATION_US: Final = 1_000_000
REQUEST_EVERY_US: Final = 2_000_000
GIVE_UP_US: Final = 32_000_000  # an announcement comes every 30 s by itself
PING_EVERY_US: Final = 10_000_000

_PONG_HEAD_BYTES = 9
_REMEMBERED_FRAMES = 64  # ours, to tell their echo from a host that has taken the same id


class HostIdentity:
    """A host id and what comes with it. Frames to send collect in an outbox."""

    def __init__(self, rng: random.Random) -> None:
        """Start without an id; *rng* chooses it."""
        self.host_id = NO_HOST
        self._rng = rng
        self._seq = 0
        self._outbox: list[bytes] = []
        self._sent: deque[bytes] = deque(maxlen=_REMEMBERED_FRAMES)
        self._asked_us: int | None = None
        self._seen: set[int] = set()

    def send(self, message: Message, dest: int = ALL_HOSTS) -> None:
        """Put a message into the outbox."""
        self._seq = (self._seq + 1) % 256  # the first frame is number 1, as the reference does it
        data = encode(Frame(message, self.host_id, self._seq, dest))
        self._sent.append(data)
        self._outbox.append(data)

    def take_outbox(self) -> list[bytes]:
        """Return, once, the frames to send."""
        frames, self._outbox = self._outbox, []
        return frames

    def tick(self, now_us: int, taken: Collection[int] = ()) -> bool:
        """Negotiate; True as soon as there is an id. *taken* are ids heard elsewhere."""
        if self.host_id != NO_HOST:
            return True
        if self._asked_us is None:
            self._asked_us = now_us
            self.send(Ping(wire_clock_ms(now_us)))
        elif now_us - self._asked_us >= NEGOTIATION_US:
            self._choose(self._seen.union(taken))
        return self.host_id != NO_HOST

    def _choose(self, taken: Collection[int]) -> None:
        host_id = NO_HOST
        while host_id == NO_HOST or host_id in taken:
            host_id = self._rng.randrange(1, ALL_HOSTS)
        self.host_id = host_id
        self._asked_us = None
        self._seen.clear()

    def hear(self, data: bytes, now_us: int) -> None:
        """React to a datagram: answer a ping, notice that another host has our id."""
        if len(data) < HEADER.size:
            return
        _, _, host, _, dest = HEADER.unpack_from(data)
        if self.host_id == NO_HOST:
            self._seen.add(host)
        elif host == self.host_id:
            if data not in self._sent:
                self.host_id = NO_HOST  # collision: negotiate anew
        elif dest in (ALL_HOSTS, self.host_id):
            self._answer(data, now_us)

    def _answer(self, data: bytes, now_us: int) -> None:
        try:
            frame = decode(data)
        except ProtocolError:
            return
        ping = frame.message
        if isinstance(ping, Ping) and ping.version in COMPATIBLE_VERSIONS:
            echo = ping.echo[: MAX_VALUE_BYTES - _PONG_HEAD_BYTES]
            self.send(Pong(ping.clock_ms, wire_clock_ms(now_us), echo), frame.host)


class Node:
    """A listener that speaks no more than it must."""

    def __init__(self, rng: random.Random) -> None:
        """Start without an id; *rng* chooses it."""
        self._identity = HostIdentity(rng)
        self._requested_us: int | None = None
        self._awaited: set[int] = set()
        self._revision = -1
        self._news_us = 0
        self._pinged_us: dict[int, int] = {}
        self._clock_generation = 0

    @property
    def host_id(self) -> int:
        """Return our id, 0 while it is being negotiated."""
        return self._identity.host_id

    def step(self, session: Session, now_us: int) -> list[bytes]:
        """React to what the session has heard and to the time; return the frames to send."""
        for datagram in session.take_for_node():
            self._identity.hear(datagram.data, now_us)
        peers = session.peers(now_us)
        if self._identity.tick(now_us, {peer.host for peer in peers}):
            self._request_lists(session, peers, now_us)
            self._ping(session, peers, now_us)
        session.host_id = self.host_id
        return self._identity.take_outbox()

    def _request_lists(self, session: Session, peers: list[Peer], now_us: int) -> None:
        """Ask everybody for channel lists until all are complete or nothing new comes."""
        missing = {peer.host for peer in peers if peer.is_alive and not peer.list_complete}
        self._awaited -= {peer.host for peer in peers if peer.list_complete}
        if (
            self._requested_us is None
            or not missing <= self._awaited
            or session.revision != self._revision
        ):
            self._news_us = now_us
        self._awaited |= missing
        self._revision = session.revision
        is_wanted = missing or not any(peer.list_complete for peer in peers)
        is_due = self._requested_us is None or now_us - self._requested_us >= REQUEST_EVERY_US
        if is_wanted and is_due and now_us - self._news_us < GIVE_UP_US:
            self._requested_us = now_us
            self._identity.send(RequestChannelInfo())

    def _ping(self, session: Session, peers: list[Peer], now_us: int) -> None:
        """Ask every provider for its clock, anew when clocks have been forgotten."""
        if session.clock_generation != self._clock_generation:
            self._clock_generation = session.clock_generation
            self._pinged_us.clear()
        for peer in peers:
            if not (peer.is_provider and peer.is_alive and peer.is_compatible):
                continue
            pinged_us = self._pinged_us.get(peer.host)
            if pinged_us is None or now_us - pinged_us >= PING_EVERY_US:
                self._pinged_us[peer.host] = now_us
                self._identity.send(Ping(wire_clock_ms(now_us)), peer.host)
