"""Who is on the bus: senders, the providers they stand for, and the channels these announce.

A *sender* is a host id, chosen at random at every start. A *provider* is a name: it outlives its
host id. Every channel a provider has ever announced has a dense index, which it keeps for the
whole session; `table` leads from (row of the sender, channel id) to that index.

Two living senders of one name are two providers, the second shown as "Name #2". A sender whose
name's last holder is silent or has said good-bye is that provider again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.clock import ProviderClock
from dynoai_desktop.capture.protocol import ChannelInfoPage, ChannelRecord
from dynoai_desktop.capture.sequence import SequenceTracker, Tally
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.capture.values import IDS, UNLISTED, HeldSamples
from dynoai_desktop.core.trust.health import ProviderHealth
from dynoai_desktop.core.units import WIRE_UNITS, Unit

LIST_QUIET_US = 2_000_000  # a list is complete when nothing was added for this long
_SURELY_GONE_US = 10_000_000
_GONE_AFTER_US = 1_000_000  # negotiating a new host id alone takes a restarted provider this long
_HELD_SAMPLES = 1_000_000  # 30 s, the longest wait for an announcement, at 33,000 samples/s
_MAX_CHANNELS = 100_000
_MAX_NOTICES = 100
_MAX_PAGES = 2048
_MAX_PROVIDERS = 48
_MAX_ROWS = 64  # more than providers: senders that have not announced themselves need one too
_SIMULATED_MARK = "SIMULATED"


@dataclass(frozen=True, slots=True)
class BusChannel:
    """A channel as one provider announces it."""

    provider: str  # the provider's name, made unique on this bus
    id: int
    name: str
    unit: Unit
    unit_code: int
    vendor: int
    host: int  # who announced it last
    listed: bool = True  # False once its provider has sent a list without it


class Sender:
    """Everything known of one host id."""

    __slots__ = (
        "announced",
        "clear",
        "clock",
        "departed",
        "earlier",
        "held",
        "host",
        "ids",
        "last_us",
        "list_us",
        "name",
        "other_name",
        "pages",
        "provider",
        "row",
        "sent_values",
        "tracker",
    )

    def __init__(self, host: int, arrival_us: int) -> None:
        """Meet a sender."""
        self.host = host
        self.last_us = arrival_us
        self.tracker = SequenceTracker(Tally())
        self.clock = ProviderClock()
        self.held = HeldSamples(_HELD_SAMPLES)
        self.provider: Provider | None = None
        self.name = ""
        self.other_name = ""  # announced once instead of `name`; believed the second time
        self.row = 0  # of the table; 0: none, the sender's samples cannot be read
        self.ids: dict[int, int] = {}  # channel id to dense index, as announced
        self.earlier: dict[int, int] = {}  # the list before the last ClearChannelInfo
        self.announced: dict[int, ChannelRecord] = {}
        self.pages: dict[frozenset[int], Datagram] = {}
        self.list_us = 0
        self.clear: tuple[int, bytes] = (0, b"")  # number and bytes of the last ClearChannelInfo
        self.departed = False  # that was the last thing heard
        self.sent_values = False

    @property
    def tally(self) -> Tally:
        """Return the counts, its provider's as soon as it has one."""
        return self.tracker.tally

    @property
    def is_replaced(self) -> bool:
        """Return True when another sender has taken over its provider."""
        return self.provider is not None and self.provider.sender is not self

    def say_good_bye(self, seq: int, data: bytes) -> None:
        """Note a ClearChannelInfo; any later frame shows that it was none for ever."""
        self.departed = True
        self.clear = seq, data
        self.clock.stop_passing()

    def was_before_clear(self, seq: int) -> bool:
        """Return True when a frame that comes late was sent before the last ClearChannelInfo."""
        clear_seq, data = self.clear
        next_seq = self.tracker.next_seq
        is_recent = self.tracker.slots[clear_seq] is data
        return is_recent and (next_seq - seq) % 256 > (next_seq - clear_seq) % 256

    def is_gone(self, now_us: int, after_us: int) -> bool:
        """Return True when it has said good-bye or has been silent for so long."""
        return self.departed or now_us - self.last_us >= after_us

    def has_complete_list(self, now_us: int) -> bool:
        """Return True when its channel list is known and has not grown for a while."""
        return bool(self.ids or self.departed) and now_us - self.list_us >= LIST_QUIET_US


@dataclass(slots=True, eq=False)
class Provider:
    """A provider and whoever speaks for it now."""

    key: str  # its name, made unique
    name: str  # as announced
    sender: Sender
    tally: Tally = field(default_factory=Tally)
    indices: dict[tuple[int, str], int] = field(default_factory=dict)  # (id, name) to dense index
    listed: set[int] = field(default_factory=set)
    stale: set[int] = field(default_factory=set)  # listed, but not in the list now coming in
    was_complete: bool = False


class Roster:
    """The providers of a bus. Changing it changes `table`: decode what was read before first."""

    def __init__(self) -> None:
        """Start with an empty bus."""
        self.channels: list[BusChannel] = []
        self.revision = 0
        self.notices: list[str] = []
        self.providers: dict[str, Provider] = {}
        self.readable: dict[int, Sender] = {}  # by host id: those that have a row
        self.by_row: list[Sender | None] = [None]
        self.table: NDArray[np.int32] = np.full((1, IDS), UNLISTED, np.int32)

    def give_notice(self, text: str) -> None:
        """Tell the user something, once."""
        if text not in self.notices and len(self.notices) < _MAX_NOTICES:
            self.notices.append(text)

    # Rows

    def give_row(self, sender: Sender) -> None:
        """Make the sender's samples readable; may take the row of an unannounced sender."""
        if sender.row:
            return
        row = next((n for n, owner in enumerate(self.by_row) if n and owner is None), 0)
        if not row and len(self.by_row) < _MAX_ROWS:
            row = len(self.by_row)
            self.by_row.append(None)
            if row >= len(self.table):
                more = np.full((len(self.table), IDS), UNLISTED, np.int32)
                self.table = np.concatenate((self.table, more))
        if not row:
            idle = min(self._unannounced(), key=lambda other: other.last_us)
            row = idle.row
            self.drop_row(idle)
        sender.row, self.by_row[row] = row, sender
        self.readable[sender.host] = sender
        for channel_id, index in sender.ids.items():
            self.table[row, channel_id] = index

    def drop_row(self, sender: Sender) -> None:
        """Make the sender's samples unreadable."""
        if sender.row:
            self.table[sender.row] = UNLISTED
            self.by_row[sender.row], sender.row = None, 0
            self.readable.pop(sender.host, None)

    def _unannounced(self) -> Iterator[Sender]:
        return (s for s in self.by_row if s and (s.provider is None or s.is_replaced))

    # Lists

    def is_news(self, sender: Sender, page: ChannelInfoPage) -> bool:
        """Return False for a page that only repeats what is known."""
        return (
            sender.provider is None
            or sender.is_replaced
            or sender.name != _name_of(page)
            or any(sender.announced.get(record.id) != record for record in page.records)
        )

    def announce(self, sender: Sender, page: ChannelInfoPage, arrival_us: int) -> bool:
        """Merge a page into its sender's list; False when it is not taken in."""
        name = _name_of(page)
        if sender.ids and sender.name != name and sender.other_name != name:
            sender.other_name = name  # one damaged page must not rename a provider
            return False
        if sender.provider is None or sender.is_replaced or sender.name != name:
            self.clear(sender)
            if sender.name != name:
                self._leave(sender)
            sender.name, sender.other_name = name, ""
            if not self._attach(sender, arrival_us):
                return False
        for record in page.records:
            self._list(sender, record)
        self._drop_superseded(sender, page)
        sender.list_us = arrival_us
        self.revision += 1
        return True

    def keep_page(self, sender: Sender, page: ChannelInfoPage, datagram: Datagram) -> None:
        """Remember the newest datagram of every page, for recordings that start later."""
        ids = frozenset(record.id for record in page.records)
        for older in [known for known in sender.pages if known <= ids]:
            del sender.pages[older]
        if len(sender.pages) < _MAX_PAGES:
            sender.pages[ids] = datagram

    def clear(self, sender: Sender) -> None:
        """Forget the sender's list: a good-bye, or a new list follows."""
        if sender.ids:
            sender.earlier = sender.ids
        sender.ids, sender.announced, sender.pages = {}, {}, {}
        if sender.row:
            self.table[sender.row] = UNLISTED
        if sender.provider is not None and not sender.is_replaced:
            sender.provider.stale = set(sender.provider.listed)

    def reinstate(self, sender: Sender, arrival_us: int) -> bool:
        """Find a place for a sender that was replaced and is heard again after all."""
        if not self._attach(sender, arrival_us):
            sender.ids = {}
            return False
        for record in list(sender.announced.values()):
            self._list(sender, record)
        self.revision += 1
        return True

    def settle_lists(self, now_us: int) -> None:
        """Notice which lists have become complete, and unlist what they no longer have."""
        for provider in self.providers.values():
            complete = provider.sender.has_complete_list(now_us)
            if complete and not provider.sender.departed:
                for index in list(provider.stale):
                    self._unlist(provider, index)
            if complete != provider.was_complete:
                provider.was_complete = complete
                self.revision += 1

    def _attach(self, sender: Sender, arrival_us: int) -> bool:
        provider = self._place_for(sender, arrival_us)
        if provider is None:
            self.give_notice(
                f"More than {_MAX_PROVIDERS} providers are on this network; the others are not "
                "shown. Choose the interface that leads to the dyno."
            )
            return False
        if provider.sender is not sender:
            self.drop_row(provider.sender)
            provider.tally.restarts += 1
            provider.stale = set(provider.listed)
        if sender.provider is None:
            provider.tally.add(sender.tally)
        sender.tracker.tally = provider.tally
        sender.provider, provider.sender = provider, sender
        sender.ids = {}
        self.give_row(sender)
        return True

    def _leave(self, sender: Sender) -> None:
        """Take the sender away from its provider, which stays as it was, without a voice."""
        provider = sender.provider
        if provider is not None and provider.sender is sender:
            ghost = Sender(sender.host, sender.last_us)
            ghost.provider, ghost.tracker.tally, ghost.departed = provider, provider.tally, True
            provider.sender = ghost

    def _place_for(self, sender: Sender, arrival_us: int) -> Provider | None:
        """Return the provider that this sender speaks for, a new one if need be."""
        # A sender that was wrongly taken for dead has shown that these names come slowly.
        patience_us = _SURELY_GONE_US if sender.is_replaced else _GONE_AFTER_US
        number = 1
        while True:
            key = sender.name if number == 1 else f"{sender.name} #{number}"
            provider = self.providers.get(key)
            if provider is None:
                break
            free = provider.sender is sender or provider.sender.is_gone(arrival_us, patience_us)
            if free and provider.name == sender.name:
                return provider
            number += 1
        if len(self.providers) >= _MAX_PROVIDERS:
            return None
        if number > 1:
            self.give_notice(
                f'Two providers on this network are called "{sender.name}"; one is shown as '
                f'"{key}". Check which dyno is yours.'
            )
        self.providers[key] = Provider(key, sender.name, sender)
        return self.providers[key]

    def _list(self, sender: Sender, record: ChannelRecord) -> None:
        provider = sender.provider
        assert provider is not None
        index = provider.indices.get((record.id, record.name))
        channel = BusChannel(
            provider.key,
            record.id,
            record.name,
            WIRE_UNITS.get(record.unit_code, Unit.NONE),
            record.unit_code,
            record.vendor,
            sender.host,
        )
        if index is not None:
            self.channels[index] = channel
        elif len(self.channels) < _MAX_CHANNELS:
            index = len(self.channels)
            self.channels.append(channel)
            provider.indices[record.id, record.name] = index
        else:
            self.give_notice(
                f"More than {_MAX_CHANNELS} channels were announced; the rest is not read. "
                "Deselect channels in the dyno software."
            )
            return
        before = sender.ids.get(record.id)
        if before is not None and before != index:
            self._unlist(provider, before)
        provider.listed.add(index)
        provider.stale.discard(index)
        sender.ids[record.id] = index
        sender.announced[record.id] = record
        self.table[sender.row, record.id] = index

    def _drop_superseded(self, sender: Sender, page: ChannelInfoPage) -> None:
        """Unlist channels of an earlier list whose id or name the new one has given away."""
        provider = sender.provider
        assert provider is not None
        names = {record.name for record in page.records}
        for index in list(provider.stale):
            old = self.channels[index]
            if old.id in sender.ids or old.name in names:
                self._unlist(provider, index)

    def _unlist(self, provider: Provider, index: int) -> None:
        self.channels[index] = replace(self.channels[index], listed=False)
        provider.listed.discard(index)
        provider.stale.discard(index)
        self.revision += 1


def _name_of(page: ChannelInfoPage) -> str:
    return page.provider.strip() or "Unnamed provider"


def health_of(provider: Provider, now_us: int) -> ProviderHealth:
    """Return the provider's figures as they stand at *now_us*."""
    sender, tally = provider.sender, provider.tally
    clock = sender.clock
    return ProviderHealth(
        name=provider.key,
        host_id=sender.host,
        frames=tally.frames,
        lost=max(0, tally.lost),
        duplicates=tally.duplicates,
        out_of_order=tally.out_of_order,
        malformed=tally.malformed,
        samples=tally.samples,
        age_s=max(0, now_us - sender.last_us) / 1e6,
        channel_count=len(provider.listed),
        list_complete=sender.has_complete_list(now_us),
        clock_synced=clock.synced,
        clock_offset_ms=None if clock.offset_us is None else clock.offset_us / 1000,
        latency_ms=clock.latency_us / 1000 if clock.synced else None,
        restarts=tally.restarts,
        simulated=_SIMULATED_MARK in provider.key.upper(),
    )
