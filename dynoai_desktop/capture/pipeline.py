"""From datagrams to windows: decode, keep the books, map, ring, window. Pure, no thread, no clock.

`feed` is the whole of it. Batches may be of any size: everything that depends on the order of
events is decided by arrival times, so the same datagrams give the same aggregates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dynoai_desktop.capture.node import Node
from dynoai_desktop.capture.session import Session
from dynoai_desktop.capture.session_folder import plan_document
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.capture.values import Values
from dynoai_desktop.core.aggregate import UNMAPPED, Batch, WindowStage
from dynoai_desktop.core.channels import CARRIED_INDEX, CHANNELS
from dynoai_desktop.core.ring_buffer import DEFAULT_CAPACITY, SampleRing, Samples
from dynoai_desktop.core.samples import Aggregate, ChannelInfo
from dynoai_desktop.core.trust.health import BusHealth, ProviderHealth
from dynoai_desktop.core.trust.mapping import Binding, ChannelMap
from dynoai_desktop.core.trust.signals import signals_from
from dynoai_desktop.core.trust.tracker import ChannelTracker, TrackedChannel
from dynoai_desktop.core.trust.trial import MappingPlan, Scan
from dynoai_desktop.core.units import STOICH_AFR


class Pipeline:
    """Everything between a source and the aggregates. One thread uses it."""

    def __init__(
        self,
        node: Node | None = None,
        stoich: float = STOICH_AFR["gasoline"],
        ring_capacity: int = DEFAULT_CAPACITY,
        host_id: int | None = None,
    ) -> None:
        """Start with nothing heard. Without a *node* the pipeline only listens.

        *host_id* is the id under which a recording was made.
        """
        self._host_id = host_id
        self._node = node
        self._stoich = stoich
        self._ring_capacity = ring_capacity
        self._plan = MappingPlan()
        self._held_to: frozenset[str] | None = None
        self._outbox: list[bytes] = []
        self.reset()

    def reset(self) -> None:
        """Forget everything heard, as before the first datagram."""
        self._session = Session(self._host_id)
        self._windows = WindowStage()
        self._tracker = ChannelTracker()
        self._ring = SampleRing(self._ring_capacity)
        self._read = 0
        self._overwritten = 0
        self._revision = -1
        self._held_to = None
        self._map = ChannelMap()
        self._remap()

    @property
    def channel_map(self) -> ChannelMap:
        """Return the mapping in force."""
        return self._map

    @property
    def plan(self) -> MappingPlan:
        """Return what was decided about the mapping."""
        return self._plan

    def set_plan(self, plan: MappingPlan) -> None:
        """Map by *plan* from the next datagram on."""
        self._plan = plan
        self._remap()

    def _plan_in_force(self) -> MappingPlan:
        if self._held_to is None or self._plan.pinned is not None:
            return self._plan
        return replace(self._plan, pinned=self._held_to)

    def scan(self, now_us: int, seconds: float) -> Scan:
        """Return the last *seconds* of raw signals with all that is known about the bus."""
        recent = self._ring.latest(self._ring.capacity).since(now_us - int(seconds * 1e6))
        return Scan(
            tuple(i for i, listed in zip(self._infos, self._listed, strict=True) if listed),
            signals_from(recent, self._infos),
            self.health(now_us),
            self._plan,
            self._stoich,
        )

    def feed(self, datagrams: Sequence[Datagram], now_us: int) -> list[Aggregate]:
        """Take in what arrived up to *now_us* and return the windows that are complete.

        Bad datagrams are counted, never raised.
        """
        if datagrams:
            self._windows.begin(datagrams[0].arrival_us)
        batches: list[Batch] = []
        losses: list[tuple[int, int]] = []
        for values in self._session.parts(datagrams):
            self._remap_if_changed()
            losses += values.losses
            if (batch := self._store(values)) is not None:
                batches.append(batch)
        self._session.tick(now_us)
        self._remap_if_changed()
        if self._node is not None:
            self._outbox += self._node.step(self._session, now_us)
        return self._windows.feed(Batch.join(batches) if batches else None, losses, now_us)

    def end(self) -> None:
        """Say that nothing more will come: senders without a name are settled."""
        values = self._session.flush_unknown()
        self._remap_if_changed()
        self._store(values)

    def _store(self, values: Values) -> Batch | None:
        """Write to the ring and to the counters; return what the windows need."""
        if not len(values):
            return None
        samples = Samples(values.time_us, values.arrival_us, values.channel, values.value)
        self._ring.write(samples)
        read, self._read, missed = self._ring.since(self._read)
        self._overwritten += missed
        self._tracker.update(samples)
        value = read.value * self._gain[read.channel] + self._offset[read.channel]
        usable = (value >= self._low[read.channel]) & (value <= self._high[read.channel])
        return Batch(
            np.where(usable, self._slot[read.channel], UNMAPPED),
            self._provider[read.channel],
            read.time_us,
            read.arrival_us,
            value,
            values.synced[missed:],
        )

    def _remap_if_changed(self) -> None:
        if self._session.revision != self._revision:
            self._remap()

    def _remap(self) -> None:
        self._revision = self._session.revision
        entries = self._session.channels
        self._infos = [ChannelInfo(e.provider, e.id, e.name, e.unit, e.unit_code) for e in entries]
        self._listed = [e.listed for e in entries]
        self._map = self._plan_in_force().resolve(
            [i for i, e in zip(self._infos, entries, strict=True) if e.listed]
        )
        bound = [self._map.by_source.get((i.provider, i.id)) for i in self._infos]
        count = len(entries)
        self._slot = np.full(count, UNMAPPED, np.int64)
        self._gain, self._offset = np.ones(count), np.zeros(count)
        self._low, self._high = np.full(count, -np.inf), np.full(count, np.inf)
        names = {name: n for n, name in enumerate(dict.fromkeys(i.provider for i in self._infos))}
        self._provider = np.array([names[i.provider] for i in self._infos], np.int64)
        for index, binding in enumerate(bound):
            if binding is not None:
                self._bind(index, binding)
        self._tracker.describe(
            [
                TrackedChannel(info, b.channel if b else None, self._hard_range(b))
                for info, b in zip(self._infos, bound, strict=True)
            ]
        )

    def _bind(self, index: int, binding: Binding) -> None:
        spec = CHANNELS[binding.channel]
        scale = 1 / self._stoich if spec.carried_as else 1.0
        self._slot[index] = CARRIED_INDEX[spec.carried_as or spec.channel]
        self._gain[index] = binding.transform.gain * scale
        self._offset[index] = binding.transform.offset * scale
        # What lambda can be does not depend on the fuel; what AFR can be does.
        hard = CHANNELS[spec.carried_as or spec.channel].hard
        if hard:
            self._low[index], self._high[index] = hard

    def _hard_range(self, binding: Binding | None) -> tuple[float, float] | None:
        """Return what a bound source can be, in its own unit."""
        if binding is None:
            return None
        spec, transform = CHANNELS[binding.channel], binding.transform
        hard = CHANNELS[spec.carried_as or spec.channel].hard
        if hard is None:
            return None
        scale = self._stoich if spec.carried_as else 1.0
        low, high = ((limit * scale - transform.offset) / transform.gain for limit in hard)
        return min(low, high), max(low, high)

    def outbox(self) -> list[bytes]:
        """Return, once, the frames to send."""
        frames, self._outbox = self._outbox, []
        return frames

    def preamble(self) -> list[Datagram]:
        """Return the announcements that make a recording begun now explain itself."""
        return self._session.preamble()

    def begin_recording(self) -> None:
        """Start clocks afresh, so that the recording alone reproduces what follows.

        Until `end_recording`, providers that appear later change no number: a second dyno on the
        network must not take over a channel in the middle of a run.
        """
        self._session.forget_clocks()
        self._windows.forget_regularity()
        names = frozenset(p.name for p in self._session.providers(0) if p.channel_count)
        self._held_to = names or None

    def end_recording(self) -> None:
        """Let providers that have appeared meanwhile take part."""
        self._held_to = None
        self._remap()

    def health(self, now_us: int) -> BusHealth:
        """Return how everybody on the bus is doing at *now_us*."""
        session = self._session
        return BusHealth(
            now_us=now_us,
            providers=session.providers(now_us),
            channels=self._tracker.health(now_us),
            datagrams=session.datagrams,
            malformed=session.malformed,
            unknown_hosts=session.unknown_hosts,
            overwritten=self._overwritten,
            late_samples=self._windows.late_samples,
            notices=tuple(session.notices),
        )

    def facts(self) -> dict[str, Any]:
        """Return what session.json says about providers, mapping and units."""
        return {
            "simulated": any(p.simulated for p in self._session.providers(0)),
            "host_id": self._node.host_id if self._node is not None else None,
            "stoich": self._stoich,
            "providers": [_provider_fact(p, self._infos) for p in self._session.providers(0)],
            "mapping": {c.value: _binding_fact(b) for c, b in self._map.bindings.items()},
            **plan_document(self._plan_in_force()),
        }


def _provider_fact(provider: ProviderHealth, infos: Sequence[ChannelInfo]) -> Mapping[str, Any]:
    return {
        "name": provider.name,
        "host_id": provider.host_id,
        "channels": [
            {"id": i.id, "name": i.name, "unit": i.unit.value, "unit_code": i.unit_code}
            for i in infos
            if i.provider == provider.name
        ],
    }


def _binding_fact(binding: Binding) -> Mapping[str, Any]:
    return {
        "provider": binding.source.provider,
        "id": binding.source.id,
        "name": binding.source.name,
        "unit": binding.source.unit.value,
        "transform": binding.transform.name,
        "confidence": round(binding.confidence, 3),
    }
