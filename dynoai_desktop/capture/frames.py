"""Recordings and logs as the frame that every analysis starts from."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from dynoai_desktop.capture.pcap import PcapReader
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.session_folder import recorded_as
from dynoai_desktop.capture.sources.replay import recording_file
from dynoai_desktop.core.aggregate import GRACE_US
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.logs import LogTable
from dynoai_desktop.core.samples import WINDOW_US, Aggregate
from dynoai_desktop.core.units import STOICH_AFR

LONGEST_FILL_S = 0.6  # a straight line longer than this was drawn by a program, not measured
_CHUNK = 4096

Progress = Callable[[float], None]
Cancelled = Callable[[], bool]


class AnalysisCancelledError(Exception):
    """The user has thought better of it."""


def frame_of_recording(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> Frame:
    """Return a recording as 20 Hz windows, mapped as the session was.

    Raises CaptureError when it cannot be read, AnalysisCancelledError when told to stop.
    """
    recorded = recorded_as(path)
    stoich = recorded.stoich or STOICH_AFR["gasoline"]
    pipeline = Pipeline(stoich=stoich, host_id=recorded.host_id)
    pipeline.set_plan(recorded.plan)
    windows: list[Aggregate] = []
    with PcapReader(recording_file(path)) as reader:
        records, last_us = iter(reader), 0
        while batch := list(islice(records, _CHUNK)):
            if cancelled is not None and cancelled():
                raise AnalysisCancelledError
            last_us = batch[-1].arrival_us
            windows += [a for a in pipeline.feed(batch, last_us) if a.means]
            if progress is not None and reader.facts.byte_size:
                progress(reader.position / reader.facts.byte_size)
    pipeline.end()
    windows += [a for a in pipeline.feed((), last_us + WINDOW_US + GRACE_US) if a.means]
    simulated = any(p.simulated for p in pipeline.health(last_us).providers)
    sources = {
        binding.channel: binding.source.name for binding in pipeline.channel_map.bindings.values()
    }
    return frame_of_aggregates(windows, sources, simulated)


def frame_of_aggregates(
    windows: list[Aggregate], sources: dict[Channel, str] | None = None, simulated: bool = False
) -> Frame:
    """Return windows that heard something as a frame; time starts at the first."""
    heard = dict.fromkeys(channel for window in windows for channel in window.means)
    columns = {
        channel: np.array([window.means.get(channel, np.nan) for window in windows])
        for channel in heard
    }
    first = windows[0].index if windows else 0
    time_s = np.array([(window.index - first) / 20 for window in windows], np.float64)
    return Frame.from_columns(time_s, columns, sources=sources, simulated=simulated)


def frame_of_log(table: LogTable, stoich: float = STOICH_AFR["gasoline"]) -> Frame:
    """Return a log's usable channels; what the exporting program drew between ticks is left out.

    Raises FrameError when its time cannot be used.
    """
    known = np.isfinite(table.time_s)
    columns, units, sources, read_in = {}, {}, {}, {}
    for channel, column in table.usable.items():
        values = column.values.astype(np.float64)
        if column.ticks is not None:
            values = np.where(table.fill_span_s(column) > LONGEST_FILL_S, np.nan, values)
            ticked = np.zeros(values.size, dtype=bool)
            ticked[column.ticks] = True
            read_in[channel] = ticked[known]
        for rail in column.rails:
            values = np.where(values == rail, np.nan, values)
        columns[channel] = values[known]
        units[channel] = column.unit
        sources[channel] = column.header
    return Frame.from_columns(
        table.time_s[known],
        columns,
        units,
        stoich=stoich,
        sources=sources,
        simulated=table.simulated,
        read_in=read_in,
    )
