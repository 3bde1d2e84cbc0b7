"""What is in a recording: providers, channels, figures, losses. Reads in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from dynoai_desktop.capture.pcap import PcapFacts, PcapReader
from dynoai_desktop.capture.session import Session
from dynoai_desktop.capture.sources.replay import recording_file
from dynoai_desktop.capture.values import Values
from dynoai_desktop.core.trust.health import ProviderHealth

_CHUNK = 4096

_ROW = np.dtype(
    [
        ("samples", np.int64),
        ("finite", np.int64),
        ("low", np.float64),
        ("high", np.float64),
        ("first_us", np.int64),
        ("last_us", np.int64),
    ]
)


class ChannelFigures:
    """Count, extremes and span of every dense channel index."""

    def __init__(self) -> None:
        """Start with no channel."""
        self.rows = np.zeros(0, _ROW)

    def update(self, values: Values, channel_count: int) -> None:
        """Take in a batch."""
        fresh = np.zeros(max(0, channel_count - len(self.rows)), _ROW)
        fresh["low"], fresh["high"] = np.inf, -np.inf
        fresh["first_us"], fresh["last_us"] = np.iinfo(np.int64).max, np.iinfo(np.int64).min
        self.rows = rows = np.concatenate((self.rows, fresh))
        channel, value = values.channel, values.value.astype(np.float64)
        finite = np.isfinite(value)
        rows["samples"] += np.bincount(channel, minlength=len(rows))
        rows["finite"] += np.bincount(channel[finite], minlength=len(rows))
        np.minimum.at(rows["low"], channel[finite], value[finite])
        np.maximum.at(rows["high"], channel[finite], value[finite])
        np.minimum.at(rows["first_us"], channel, values.time_us)
        np.maximum.at(rows["last_us"], channel, values.time_us)

    def describe(self, index: int) -> dict[str, Any]:
        """Return one channel's figures as they stand in the JSON."""
        row = self.rows[index]
        samples, span_us = int(row["samples"]), int(row["last_us"]) - int(row["first_us"])
        heard = bool(row["finite"])
        return {
            "samples": samples,
            "min": float(row["low"]) if heard else None,
            "max": float(row["high"]) if heard else None,
            "rate_hz": round((samples - 1) * 1e6 / span_us, 3) if samples > 1 and span_us else None,
        }


def inspect_recording(path: Path) -> dict[str, Any]:
    """Return the `inspect` document of a pcap file or a session folder.

    Raises CaptureError when the file is no recording.
    """
    session, figures = Session(), ChannelFigures()
    first_us = last_us = 0
    with PcapReader(recording_file(path)) as reader:
        records = iter(reader)
        while batch := list(islice(records, _CHUNK)):
            first_us = first_us or batch[0].arrival_us
            last_us = batch[-1].arrival_us
            _count(session, figures, session.feed(batch))
            session.tick(last_us)
        _count(session, figures, session.flush_unknown())
        facts = reader.facts
    session.tick(last_us)
    providers = session.providers(last_us)
    return {
        "format": "jetdrive-pcap",
        "duration_s": round((last_us - first_us) / 1e6, 6),
        "simulated": any(provider.simulated for provider in providers),
        "providers": [_provider(provider, session, figures) for provider in providers],
        "warnings": list(_warnings(facts, session, providers)),
    }


def _count(session: Session, figures: ChannelFigures, values: Values) -> None:
    if len(values):
        figures.update(values, len(session.channels))


def _provider(
    provider: ProviderHealth, session: Session, figures: ChannelFigures
) -> dict[str, Any]:
    return {
        "name": provider.name,
        "host_id": provider.host_id,
        "frames": provider.frames,
        "lost": provider.lost,
        "duplicates": provider.duplicates,
        "out_of_order": provider.out_of_order,
        "malformed": provider.malformed,
        "samples": provider.samples,
        "restarts": provider.restarts,
        "channels": [
            {"id": entry.id, "name": entry.name, "unit": entry.unit.value} | figures.describe(index)
            for index, entry in enumerate(session.channels)
            if entry.provider == provider.name
        ],
    }


def _warnings(
    facts: PcapFacts, session: Session, providers: tuple[ProviderHealth, ...]
) -> Iterator[dict[str, str]]:
    def warning(code: str, message: str) -> dict[str, str]:
        return {"code": code, "message": message}

    if facts.truncated:
        yield warning("truncated", "The file ends in the middle of a packet; all before is read.")
    if facts.other_packets:
        yield warning("other_packets", f"{facts.other_packets} packets are not UDP over IPv4.")
    if session.malformed:
        yield warning(
            "malformed", f"{session.malformed} datagrams are no JETDRIVE frame of a known sender."
        )
    if session.unknown_hosts:
        yield warning(
            "unknown_sender", f"{session.unknown_hosts} senders never announced their channels."
        )
    if not providers:
        yield warning("no_provider", "Nobody announced channels in this recording.")
    for provider in providers:
        if provider.lost:
            yield warning(
                "lost",
                f"{provider.name} lost {provider.lost} of "
                f"{provider.lost + provider.frames} datagrams.",
            )
        if provider.restarts:
            yield warning("restart", f"{provider.name} restarted {provider.restarts} times.")
    for notice in session.notices:
        yield warning("notice", notice)
