"""Log files of every kind we can read. A new format is a file here and a line in READERS."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from dynoai_desktop.capture.readers import (
    accessport,
    dynojet,
    generic,
    jetdrive_capture,
    mlg,
    own_session,
    powervision,
    wp8,
)
from dynoai_desktop.capture.readers.contract import (
    Cancelled,
    LogReader,
    Progress,
    ReaderError,
    ReadingCancelledError,
    read_head,
)
from dynoai_desktop.core.logs import LogColumn, LogTable

__all__ = [
    "READERS",
    "LogReader",
    "ReaderError",
    "ReadingCancelledError",
    "choose_reader",
    "describe_log",
    "inspect_log",
    "read_log",
]

READERS: tuple[LogReader, ...] = (
    own_session.READER,
    dynojet.READER,
    powervision.READER,
    jetdrive_capture.READER,
    accessport.READER,
    mlg.READER,
    wp8.READER,
    generic.READER,
)


def choose_reader(path: Path) -> LogReader:
    """Return the reader that is surest of this file; the earlier row of the table wins a tie.

    Raises ReaderError when the file is missing, empty, too large, or no format we know.
    """
    head = read_head(path)
    best = max(READERS, key=lambda reader: reader.detect(path, head))
    if best.detect(path, head) <= 0:
        raise ReaderError(
            f"{path.name} is no log format we know. Export the recording as CSV and open that."
        )
    return best


def read_log(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> LogTable:
    """Return the whole log in *path*, whatever its format.

    Raises ReaderError with one sentence, or ReadingCancelledError when *cancelled* returned True.
    """
    reader = choose_reader(path)
    with np.errstate(all="ignore"):  # a damaged file may hold any float
        return reader.read(path, progress, cancelled)


def inspect_log(path: Path) -> dict[str, Any]:
    """Return what a log file holds, ready for JSON. Raises ReaderError."""
    return describe_log(read_log(path))


def describe_log(table: LogTable) -> dict[str, Any]:
    """Return what a log holds, ready for JSON: no NaN, values in the file's units."""
    time = table.time
    return {
        "format": table.format,
        "title": table.title,
        "simulated": table.simulated,
        "duration_s": table.duration_s,
        "rows": table.rows,
        "time": {
            "column": time.column,
            "unit_source": time.unit_source.value,
            "median_step_s": _finite(time.median_step_s),
            "min_step_s": _finite(time.min_step_s),
            "max_step_s": _finite(time.max_step_s),
            "start_unix_s": time.start_unix_s,
        },
        "channels": [_channel(column) for column in table.columns],
        "markers": [
            {"time_s": _finite(m.time_s), "row": m.row, "text": m.text} for m in table.markers
        ],
        "info": dict(table.info),
        "warnings": [{"code": w.code.value, "message": w.message} for w in table.warnings],
    }


def _channel(column: LogColumn) -> dict[str, Any]:
    return {
        "name": column.header,
        "device": column.device,
        "canonical": column.canonical.value if column.canonical else None,
        "unit": column.unit.value or column.unit_text,
        "unit_source": column.unit_source.value,
        "count": column.count,
        "min": _finite(column.minimum),
        "max": _finite(column.maximum),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
