"""A file as a scan: the same look at the signals that a live preflight takes."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from pathlib import Path

import numpy as np

from dynoai_desktop.capture.pcap import PcapReader
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.protocol import Key
from dynoai_desktop.capture.session_folder import recorded_as
from dynoai_desktop.capture.sources.replay import recording_file
from dynoai_desktop.core.logs import LogTable
from dynoai_desktop.core.ring_buffer import Samples
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.health import BusHealth, ProviderHealth
from dynoai_desktop.core.trust.signals import signals_from
from dynoai_desktop.core.trust.tracker import ChannelTracker, TrackedChannel
from dynoai_desktop.core.trust.trial import MappingPlan, Scan
from dynoai_desktop.core.units import base_unit, linear

SCAN_S = 60.0
_RING = 1 << 21
_CHUNK = 4096
_VALUES = bytes((Key.CHANNEL_VALUES,))


def scan_recording(path: Path, seconds: float = SCAN_S) -> Scan:
    """Return the last *seconds* in which the dyno of a recording was sending.

    Raises CaptureError when the file is no recording.
    """
    recorded = recorded_as(path)
    pipeline = Pipeline(ring_capacity=_RING, host_id=recorded.host_id)
    pipeline.set_plan(recorded.plan)
    last_us = 0
    with PcapReader(recording_file(path)) as reader:
        records = iter(reader)
        while batch := list(islice(records, _CHUNK)):
            pipeline.feed(batch, batch[-1].arrival_us)
            # A recording often ends long after the last value: the silence is nobody's fault.
            sending = [d.arrival_us for d in batch if d.data[:1] == _VALUES]
            last_us = max([last_us, *sending])
    pipeline.end()
    return pipeline.scan(last_us, seconds)


def scan_log(table: LogTable, name: str) -> Scan:
    """Return a log as if each of its devices had sent its columns just now."""
    infos = [
        ChannelInfo(c.device or name, number, c.name or c.header, base_unit(c.unit))
        for number, c in enumerate(table.columns)
    ]
    start_us = int((table.time.start_unix_s or 0.0) * 1e6)
    samples = _samples(table, start_us)
    tracker = ChannelTracker()
    tracker.describe([TrackedChannel(info, None, None) for info in infos])
    tracker.update(samples)
    now_us = int(samples.time_us[-1]) if len(samples) else start_us
    counts: dict[str, int] = defaultdict(int)
    for info in infos:
        counts[info.provider] += 1
    providers = tuple(_provider(p, n, table.simulated) for p, n in counts.items())
    health = BusHealth(now_us, providers, tracker.health(now_us), len(samples))
    return Scan(tuple(infos), signals_from(samples, infos), health, MappingPlan())


def _samples(table: LogTable, start_us: int) -> Samples:
    """Return every finite cell of a log in the base unit of its column, in time order."""
    times, channels, values = [], [], []
    known = np.isfinite(table.time_s)
    for number, column in enumerate(table.columns):
        rows = np.flatnonzero(known & np.isfinite(column.values))
        gain, offset = linear(column.unit, base_unit(column.unit))
        times.append(start_us + np.round(table.time_s[rows] * 1e6).astype(np.int64))
        channels.append(np.full(len(rows), number, np.int32))
        values.append((column.values[rows] * gain + offset).astype(np.float32))
    time_us = np.concatenate(times) if times else np.empty(0, np.int64)
    order = np.argsort(time_us, kind="stable")
    channel = np.concatenate(channels)[order] if times else np.empty(0, np.int32)
    value = np.concatenate(values)[order] if times else np.empty(0, np.float32)
    return Samples(time_us[order], time_us[order], channel, value)


def _provider(name: str, channels: int, simulated: bool) -> ProviderHealth:
    return ProviderHealth(
        name=name,
        host_id=0,
        frames=0,
        lost=0,
        duplicates=0,
        out_of_order=0,
        malformed=0,
        samples=0,
        age_s=0.0,
        channel_count=channels,
        list_complete=True,
        clock_synced=True,
        clock_offset_ms=None,
        latency_ms=None,
        restarts=0,
        simulated=simulated,
    )
