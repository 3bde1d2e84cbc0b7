"""A listener's books on one bus: who speaks, what was lost, when each sample was measured.

Pure: datagrams with arrival times go in, samples on our clock come out. Nothing depends on how
the datagrams are cut into batches, nor on any other clock, so a recording replays bit for bit.

The loop in `parts` is the hot path. It handles the ordinary datagram, samples from a known sender
with the expected number and an unremarkable stamp, with a handful of comparisons; everything
remarkable goes to `_look_at`. Samples are decoded together, by numpy, at the end of a batch or
just before the channel table changes.
"""

from __future__ import annotations

import logging
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.capture.clock import ClockEvent
from dynoai_desktop.capture.intake import Intake
from dynoai_desktop.capture.preamble import preamble
from dynoai_desktop.capture.protocol import (
    ALL_HOSTS,
    COMPATIBLE_VERSIONS,
    HEADER,
    NO_HOST,
    SAMPLE,
    ChannelInfoPage,
    ChannelRecord,
    ChannelValues,
    ClearChannelInfo,
    Frame,
    Key,
    Ping,
    Pong,
    ProtocolError,
    decode,
)
from dynoai_desktop.capture.roster import BusChannel, Roster, Sender, health_of
from dynoai_desktop.capture.sequence import Verdict
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.capture.values import Values
from dynoai_desktop.core.trust.health import ProviderHealth

log = logging.getLogger(__name__)

_STAMP = struct.Struct("<I")
_STAMP_FROM_END = 8  # of a datagram, where its last record has its stamp
_SILENCE_US = 10_000_000  # after this a sender's numbers start anew
_MAX_SENDERS = 1024
_MAX_FOR_NODE = 256
_A_FEW = 3  # frames, or samples: fewer are more likely damage than a sender, or a channel

# What the hot loop compares with, as plain numbers.
_VALUES = int(Key.CHANNEL_VALUES)
_ONE_SAMPLE = HEADER.size + SAMPLE.itemsize


@dataclass(frozen=True, slots=True)
class Peer:
    """What a node has to know of another host to be polite to it."""

    host: int
    is_provider: bool
    is_alive: bool  # heard within 10 s and no good-bye
    list_complete: bool
    is_compatible: bool


class Session:
    """See the module. One thread uses it."""

    def __init__(self, host_id: int | None = None) -> None:
        """Start on an empty bus; *host_id* is our own, if we have one."""
        self._roster = Roster()
        self._senders: dict[int, Sender] = {}
        self._crowd: set[int] = set()  # hosts beyond the number of senders we keep books on
        self._incompatible: set[int] = set()
        self._intake = Intake(self._roster)
        self._for_node: deque[Datagram] = deque(maxlen=_MAX_FOR_NODE)
        self._last_us = 0
        self._own_id = host_id
        self.datagrams = 0
        self.malformed = 0  # datagrams no known sender could be blamed for
        self.own = 0  # our own, looped back
        self.nameless = 0  # from hosts that have no id yet
        self.foreign = 0  # samples addressed to another host: datagrams
        self.clock_generation = 0  # how often clocks were forgotten

    @property
    def host_id(self) -> int | None:
        """Return our own host id; its frames are dropped and frames to it are ours."""
        return self._own_id

    @host_id.setter
    def host_id(self, host_id: int | None) -> None:
        self._own_id = host_id
        self._roster.readable.pop(host_id or NO_HOST, None)

    @property
    def channels(self) -> Sequence[BusChannel]:
        """Return the meaning of every dense channel index; entries change, indices never do."""
        return self._roster.channels

    @property
    def revision(self) -> int:
        """Return a number that grows when channels, names or providers change."""
        return self._roster.revision

    @property
    def notices(self) -> Sequence[str]:
        """Return what the user should be told, oldest first."""
        return self._roster.notices

    @property
    def unknown_hosts(self) -> int:
        """Return how many hosts sent samples without ever announcing channels."""
        silent = sum(s.sent_values and s.provider is None for s in self._senders.values())
        return silent + len(self._crowd)

    @property
    def overflow(self) -> int:
        """Return how many samples of unannounced channels could not be kept."""
        return sum(sender.held.overflow for sender in self._senders.values())

    @property
    def held(self) -> int:
        """Return how many samples wait for the announcement of their channel."""
        return sum(sender.held.count for sender in self._senders.values())

    def feed(self, datagrams: Sequence[Datagram]) -> Values:
        """Take in datagrams, oldest first, and return their samples. Never raises."""
        return Values.join(list(self.parts(datagrams)))

    def parts(self, datagrams: Sequence[Datagram]) -> Iterator[Values]:
        """Take in datagrams as `feed` does, but give samples before every change of the channels.

        At each step `channels` and `revision` are those that held for the samples given, and
        every channel index given is below ``len(channels)``. Must be consumed to the end.
        """
        intake, readable = self._intake, self._roster.readable
        batch = intake.batch
        unpack, stamp_at = HEADER.unpack_from, _STAMP.unpack_from
        destinations, values_key = (ALL_HOSTS, self._own_id), _VALUES
        add_payload, add_arrival = batch.payloads.append, batch.arrivals.append
        add_shift, add_row, add_synced = batch.shifts.append, batch.rows.append, batch.synced.append
        for datagram in datagrams:
            arrival_us, data, _ = datagram
            size = len(data)
            if size >= _ONE_SAMPLE:
                key, length, host, seq, dest = unpack(data)
                if (
                    host in readable
                    and key == values_key
                    and length == size - 8
                    and size % 10 == 8
                    and dest in destinations
                ):
                    sender = readable[host]
                    tracker, clock = sender.tracker, sender.clock
                    (stamp,) = stamp_at(data, size - 8)
                    difference_us = arrival_us - stamp * 1000
                    if (
                        seq == tracker.next_seq
                        and arrival_us < clock.until_us
                        and clock.least_us <= difference_us < clock.high_us
                    ):
                        if difference_us < clock.low_us:
                            clock.improve(difference_us)
                        tracker.next_seq = (seq + 1) & 255
                        tracker.slots[seq] = data
                        tracker.tally.frames += 1
                        clock.raw_ms = stamp
                        sender.last_us = arrival_us
                        add_payload(data[8:])
                        add_arrival(arrival_us)
                        add_shift(clock.shift_us)
                        add_row(sender.row)
                        add_synced(clock.synced)
                        continue
            self._look_at(datagram)
            if intake.is_pressing:
                yield from intake.hand_out()
        if datagrams:
            self.datagrams += len(datagrams)
            self._last_us = datagrams[-1].arrival_us
        intake.cut()
        yield from intake.hand_out()

    def tick(self, now_us: int) -> None:
        """Notice what only time tells: which channel lists are complete."""
        self._roster.settle_lists(now_us)

    # The remarkable

    def _look_at(self, datagram: Datagram) -> None:
        arrival_us, data, _ = datagram
        if len(data) < HEADER.size:
            self.malformed += 1
            return
        _, _, host, seq, _ = HEADER.unpack_from(data)
        if host == self._own_id and host != NO_HOST:
            self.own += 1
            self._for_node.append(datagram)
            return
        sender = self._senders.get(host)
        frame = _decoded(data)
        if sender is None:
            if frame is None:
                self.malformed += 1
                return
            if host == NO_HOST:
                self.nameless += 1
                self._hand_to_node(frame, datagram)
                return
            if len(self._senders) >= _MAX_SENDERS:
                self._crowd.add(host)
                return
            sender = self._senders[host] = Sender(host, arrival_us)
        if arrival_us - sender.last_us > _SILENCE_US:
            sender.tracker.reset()
        sender.last_us = arrival_us
        self._count(sender, frame, seq, datagram)
        if not sender.tracker.is_settled:
            sender.clock.stop_passing()

    def _count(self, sender: Sender, frame: Frame | None, seq: int, datagram: Datagram) -> None:
        tally = sender.tally
        tally.frames += 1
        lost, restarts = tally.lost, tally.restarts
        verdict = sender.tracker.accept(seq, datagram.data)
        gap = tally.lost - lost
        if verdict is Verdict.DUPLICATE:
            return
        if frame is None:
            tally.malformed += 1
        else:
            self._act_on(sender, frame, verdict, datagram)
        if gap > 0 and tally.restarts == restarts:
            self._intake.note_loss(datagram.arrival_us, gap)

    def _act_on(self, sender: Sender, frame: Frame, verdict: Verdict, datagram: Datagram) -> None:
        message = frame.message
        if isinstance(message, ChannelValues):
            if frame.dest in (ALL_HOSTS, self._own_id):
                self._take_samples(sender, frame.seq, message.packed, verdict, datagram)
            else:
                self.foreign += 1
        elif isinstance(message, ChannelInfoPage):
            if not (verdict is Verdict.LATE and sender.was_before_clear(frame.seq)):
                self._take_page(sender, message, datagram)
        elif isinstance(message, ClearChannelInfo):
            # One that comes late is outdated by whatever has overtaken it.
            if verdict is not Verdict.LATE:
                sender.say_good_bye(frame.seq, datagram.data)
                self._intake.change_channels(lambda: self._roster.clear(sender))
        elif isinstance(message, Ping | Pong):
            self._take_ping_or_pong(sender, message, frame, datagram)

    def _take_samples(
        self, sender: Sender, seq: int, packed: bytes, verdict: Verdict, datagram: Datagram
    ) -> None:
        if not packed:
            return
        arrival_us, clock = datagram.arrival_us, sender.clock
        late = verdict is Verdict.LATE
        sender.sent_values = True
        if late and clock.offset_us is not None:
            (stamp,) = _STAMP.unpack_from(packed, len(packed) - _STAMP_FROM_END)
            shift_us = clock.shift_for(stamp)
        else:
            stamps = np.frombuffer(packed, SAMPLE)["stamp_ms"]
            shift_us, event = clock.observe(stamps, arrival_us, verdict is Verdict.AHEAD)
            self._heed(sender, event, seq, datagram)
        entry = packed, arrival_us, shift_us, clock.synced
        if late and (sender.is_replaced or sender.was_before_clear(seq)):
            self._intake.read_late(sender, *entry)
            return
        sender.departed = False
        if sender.row:
            self._intake.batch.add(*entry, sender.row)
        else:
            self._intake.change_channels(lambda: self._make_readable(sender, *entry))

    def _make_readable(
        self, sender: Sender, packed: bytes, arrival_us: int, shift_us: int, synced: bool
    ) -> None:
        if sender.is_replaced:
            self._roster.reinstate(sender, arrival_us)
        self._roster.give_row(sender)
        self._intake.batch.add(packed, arrival_us, shift_us, synced, sender.row)

    def _heed(self, sender: Sender, event: ClockEvent, seq: int, datagram: Datagram) -> None:
        """Draw the conclusions from what a stamp told."""
        if event is ClockEvent.RESTARTED:
            sender.tracker.restart(seq, datagram.data)
            sender.tally.restarts += 1
        elif event is not ClockEvent.DOUBTFUL:
            sender.tracker.settle()

    def _take_page(self, sender: Sender, page: ChannelInfoPage, datagram: Datagram) -> None:
        sender.departed = False
        if self._roster.is_news(sender, page):
            self._intake.change_channels(lambda: self._announce(sender, page, datagram))
        else:
            self._roster.keep_page(sender, page, datagram)

    def _announce(self, sender: Sender, page: ChannelInfoPage, datagram: Datagram) -> None:
        if self._roster.announce(sender, page, datagram.arrival_us):
            self._roster.keep_page(sender, page, datagram)
            self._intake.release(sender)

    def _take_ping_or_pong(
        self, sender: Sender, message: Ping | Pong, frame: Frame, datagram: Datagram
    ) -> None:
        if message.version not in COMPATIBLE_VERSIONS:
            self._incompatible.add(sender.host)
            who = sender.name or f"Host 0x{sender.host:04X}"
            self._roster.give_notice(
                f"{who} speaks version {message.version} of the JETDRIVE protocol, which this "
                "program does not know. It is listened to but not spoken to; look for an update."
            )
        elif isinstance(message, Ping):
            self._hand_to_node(frame, datagram)
        elif frame.dest == self._own_id:
            sender.clock.pong(message.clock_ms, message.ping_clock_ms, datagram.arrival_us)

    def _hand_to_node(self, frame: Frame, datagram: Datagram) -> None:
        if isinstance(frame.message, Ping) and frame.dest in (ALL_HOSTS, self._own_id):
            self._for_node.append(datagram)

    def flush_unknown(self) -> Values:
        """Return what was held at the end of a file, under names made up and recognisable.

        A sender that never announced itself becomes "Unknown 0xABCD" with channels "channel N",
        unless it sent so little that damage is the likelier cause.
        """
        for sender in list(self._senders.values()):
            held, provider = sender.held, sender.provider
            if not held.count or sender.is_replaced:
                continue
            if provider is None and sender.tally.frames <= _A_FEW:
                continue
            name = provider.name if provider else f"Unknown 0x{sender.host:04X}"
            ids = held.ids(more_than=_A_FEW if provider else 0)
            if not ids:
                continue
            records = tuple(ChannelRecord(number, f"channel {number}") for number in ids)
            self._roster.announce(sender, ChannelInfoPage(name, records), self._last_us)
            self._intake.release(sender)
        return Values.join(self._intake.take_ready())

    # What others ask

    def providers(self, now_us: int) -> tuple[ProviderHealth, ...]:
        """Return every provider as it stands at *now_us*, in the order of their appearance."""
        return tuple(health_of(provider, now_us) for provider in self._roster.providers.values())

    def peers(self, now_us: int) -> list[Peer]:
        """Return the other hosts on the bus."""
        return [
            Peer(
                sender.host,
                sender.provider is not None,
                not sender.departed and now_us - sender.last_us <= _SILENCE_US,
                sender.has_complete_list(now_us),
                sender.host not in self._incompatible,
            )
            for sender in self._senders.values()
        ]

    def take_for_node(self) -> list[Datagram]:
        """Return, once, the datagrams a node has to react to: pings, and frames under our id."""
        waiting = list(self._for_node)
        self._for_node.clear()
        return waiting

    def preamble(self) -> list[Datagram]:
        """Return the announcements to begin a recording with; see the module of that name."""
        senders = (provider.sender for provider in self._roster.providers.values())
        return preamble(senders, self._last_us)

    def forget_clocks(self) -> None:
        """Start every clock afresh, as a replay of a recording that begins now will do."""
        self.clock_generation += 1
        for sender in self._senders.values():
            sender.clock.forget()


def _decoded(data: bytes) -> Frame | None:
    try:
        return decode(data)
    except ProtocolError:
        return None
