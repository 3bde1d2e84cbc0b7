"""Channel lists and signals for the tests of mapping and preflight."""

from __future__ import annotations

import csv
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.mapping import ChannelMap
from dynoai_desktop.core.trust.signals import Signal, SourceKey
from dynoai_desktop.core.units import WIRE_UNITS, Unit

# The channel list of a real cell: names and wire unit codes.
POWER_CORE: tuple[tuple[str, int], ...] = (
    ("Sampling", 255), ("Sampling Duration", 0), ("TCP TX kB/s", 255), ("TCP RX kB/s", 255),
    ("UDP RX kB/s", 255), ("Link 0 Status", 255), ("Link 1 Status", 255),
    ("Internal Temp 1", 6), ("Internal Temp 2", 6), ("Digital RPM 1", 8), ("Digital RPM 2", 8),
    ("Engine RPM", 8), ("Force Drum 1", 3), ("Power Drum 1", 4),
    ("Power Drum 1 (uncorrected)", 4), ("Torque Drum 1", 5), ("Torque Drum 1 (uncorrected)", 5),
    ("Speed 1", 2), ("Distance 1", 1), ("Acceleration", 10), ("Correction Factor", 255),
    ("Gear Ratio", 9), ("User Analog 1", 14), ("User Analog 2", 14),
    ("LC1 Volts Petrol AFR", 11), ("LC2 Volts Petrol AFR", 11), ("MAP kPa", 7), ("TPS", 16),
    ("IAT", 6), ("VBatt", 14), ("Inductive 1 Signal Strength", 16),
    ("Inductive 2 Signal Strength", 16), ("Pressure", 7), ("Spark Advance Front", 255),
    ("Knock Retard Front", 255),
)  # fmt: skip
PROBE: tuple[tuple[str, int], ...] = (
    ("Temperature 1", 6), ("Temperature 2", 6), ("Pressure", 7), ("Humidity", 16),
    ("Absolute Pressure", 7), ("Vapor Pressure", 7), ("Humidity", 16),
)  # fmt: skip
# What a dyno says about itself; none of it may ever be mapped.
SYSTEM: tuple[tuple[str, int], ...] = (
    ("Sampling", 255), ("Sampling Duration", 0), ("Link 0 Status", 255), ("Link 7 Status", 16),
    ("TCP RX kB/s", 255), ("TCP TX kB/s", 7), ("UDP RX kB/s", 16), ("Internal Temp 1", 6),
    ("Internal Temp 3", 6), ("Inductive 1 Signal Strength", 16), ("User Analog 3", 14),
    ("User Analog 4", 11), ("chan_12", 8), ("Channel 3", 7), ("????????????????", 8),
)  # fmt: skip


def infos(provider: str, rows: Iterable[tuple[str, int]], first_id: int = 0) -> list[ChannelInfo]:
    """Return announced channels with ids in order."""
    return [
        ChannelInfo(provider, first_id + i, name, WIRE_UNITS.get(code, Unit.NONE), code)
        for i, (name, code) in enumerate(rows)
    ]


def cell() -> list[ChannelInfo]:
    """Return both providers of the reference cell."""
    return infos("Power Core", POWER_CORE) + infos("Atmospheric Probe", PROBE)


def named(channels: Sequence[ChannelInfo], *names: str) -> list[ChannelInfo]:
    """Return the channels without those of the given names."""
    return [c for c in channels if c.name not in names]


def sources(channel_map: ChannelMap) -> dict[Channel, tuple[str, Unit]]:
    """Return what was bound to what, by name and unit: ids and providers do not count."""
    return {c: (b.source.name, b.source.unit) for c, b in channel_map.bindings.items()}


def reference_capture(shared_data: Path) -> tuple[list[ChannelInfo], dict[SourceKey, Signal]]:
    """Return channels and signals of the shared capture, read with struct alone.

    Sample times are the provider's stamps, moved to the arrival of its first sample.
    """
    names: dict[int, str] = {}
    channels: dict[SourceKey, ChannelInfo] = {}
    samples: dict[SourceKey, list[tuple[float, float]]] = {}
    starts: dict[int, float] = {}
    for arrival_s, frame in _frames(shared_data / "jetdrive" / "reference_two_providers.pcap"):
        key, length, host = struct.unpack_from("<BHH", frame)
        value = frame[8 : 8 + length]
        if key == 1:
            names[host] = value[:50].split(b"\0")[0].decode()
            for at in range(50, length, 34):
                number, _, name, code = struct.unpack_from("<HB30sB", value, at)
                unit = WIRE_UNITS.get(code, Unit.NONE)
                text = name.split(b"\0")[0].decode()
                info = ChannelInfo(names[host], number, text, unit, code)
                channels[names[host], number] = info
        elif key == 2:
            for number, stamp_ms, reading in struct.iter_unpack("<HIf", value):
                start = starts.setdefault(host, arrival_s - stamp_ms / 1e3)
                samples.setdefault((names[host], number), []).append(
                    (start + stamp_ms / 1e3, reading)
                )
    return list(channels.values()), {k: Signal(*np.array(v).T) for k, v in samples.items()}


def _frames(path: Path) -> Iterator[tuple[float, bytes]]:
    """Yield arrival time and UDP payload of every record of a raw-IP pcap."""
    data, at = path.read_bytes(), 24
    while at < len(data):
        seconds, micros, length, _ = struct.unpack_from("<IIII", data, at)
        packet = data[at + 16 : at + 16 + length]
        yield seconds + micros / 1e6, packet[(packet[0] & 15) * 4 + 8 :]
        at += 16 + length


def log_table(path: Path) -> tuple[list[ChannelInfo], dict[SourceKey, Signal]]:
    """Return a wide CSV log as channels without units, as its header names them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, skipinitialspace=True))
    header, body = rows[0], rows[1:]
    table = np.array([[_number(cell) for cell in row[: len(header)]] for row in body])
    time_s = table[:, 0]
    if not np.isfinite(time_s).all():  # wall-clock text
        time_s = np.arange(len(table)) * 0.273
    channels = [
        ChannelInfo("log", i, name.strip(), Unit.NONE)
        for i, name in enumerate(header)
        if i > 0 and name.strip()
    ]
    return channels, {(c.provider, c.id): Signal(time_s, table[:, c.id]) for c in channels}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def bus_signals(
    channels: Sequence[ChannelInfo], values: Mapping[str, np.ndarray | float], seconds: float = 15.0
) -> dict[SourceKey, Signal]:
    """Return 20 Hz signals for the named channels: an array, or a constant."""
    count = int(seconds * 20)
    time_s = 1.7e9 + np.arange(count) / 20
    return {
        (c.provider, c.id): Signal(time_s, np.broadcast_to(values[c.name], count).astype(float))
        for c in channels
        if c.name in values
    }
