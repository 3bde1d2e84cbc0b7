"""WinPEP 8 run files: the channel list can be read, the samples cannot.

Where the samples are stored is not published. The names are listed so that the tuner sees which
run it is; the values come from a CSV export.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dynoai_desktop.capture.readers.contract import (
    Cancelled,
    LogReader,
    Progress,
    ReaderError,
    read_head,
    stop_if,
    unreadable,
)
from dynoai_desktop.core.logs import Code, LogColumn, LogTable, LogWarning, TimeBase

MAGIC = b"\xfe\xce\xfa\xce"
_RECORD = 0x0A  # protocol-buffer tag: field 1, a nested message
_SHORTEST, _LONGEST = 5, 199  # bytes of one channel record
_NAME, _UNITS, _DEVICE = 2, 3, 7  # text fields of a channel record
_SCANNED_BYTES = 8 << 20  # channel records stand at the front


@dataclass(frozen=True, slots=True)
class _Channel:
    name: str
    units: str
    device: str


def detect(_path: Path, head: bytes) -> float:
    """Return 1 for the magic bytes of a WinPEP 8 file."""
    return 1.0 if head.startswith(MAGIC) else 0.0


def read(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> LogTable:
    """Return a table of names without rows. Raises ReaderError when not even names are found."""
    read_head(path)
    try:
        with path.open("rb") as file:
            data = file.read(_SCANNED_BYTES)
    except OSError as error:
        raise unreadable(path, error) from error
    stop_if(cancelled, path)
    channels = list(dict.fromkeys(_channels(data)))
    if progress is not None:
        progress(1.0)
    advice = "Open it in WinPEP or Power Core and export the run as CSV."
    if not channels:
        raise ReaderError(
            f"{path.name} is a WinPEP 8 file in which no channels are found. {advice}"
        )
    message = f"Only the channel names of a WinPEP 8 file can be read, not the values. {advice}"
    columns = tuple(
        LogColumn(
            key=f"{i}: {channel.name}",
            header=channel.name,
            name=channel.name,
            values=np.empty(0),
            device=channel.device,
            unit_text=channel.units,
        )
        for i, channel in enumerate(channels)
    )
    return LogTable(
        format="wp8",
        title="WinPEP 8 run (names only)",
        time_s=np.empty(0),
        time=TimeBase(),
        columns=columns,
        warnings=(LogWarning(Code.NAMES_ONLY, message),),
    )


def _channels(data: bytes) -> list[_Channel]:
    found, at = [], len(MAGIC)
    while (at := data.find(_RECORD, at)) >= 0 and at + 1 < len(data):
        length = data[at + 1]
        record = data[at + 2 : at + 2 + length]
        channel = None
        if _SHORTEST <= length <= _LONGEST and len(record) == length:
            channel = _channel(record)
        if channel is None:
            at += 1
        else:
            found.append(channel)
            at += 2 + length
    return found


def _channel(record: bytes) -> _Channel | None:
    """Return the channel in a nested message, or None when it is none."""
    texts: dict[int, str] = {}
    at = 0
    while at < len(record):
        field, kind = record[at] >> 3, record[at] & 7
        at += 1
        if kind == 0:
            while at < len(record) and record[at] & 0x80:
                at += 1
            at += 1
        elif kind == 2 and at < len(record):
            size = record[at]
            text = record[at + 1 : at + 1 + size]
            at += 1 + size
            if at > len(record) or size & 0x80:
                return None
            try:
                texts[field] = text.decode("utf-8")
            except UnicodeDecodeError:
                return None
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            return None
    name = texts.get(_NAME, "")
    if at != len(record) or not name.strip() or not name.isprintable():
        return None
    return _Channel(name.strip(), texts.get(_UNITS, "").strip(), texts.get(_DEVICE, "").strip())


READER = LogReader("wp8", "WinPEP 8 run (names only)", (".wp8",), detect, read)
