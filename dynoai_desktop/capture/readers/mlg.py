"""EFI Analytics binary logs (TunerStudio, MegaLogViewer, Speeduino, rusEFI): what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.readers.contract import (
    Cancelled,
    LogReader,
    Progress,
    ReaderError,
    read_head,
    stop_if,
    unreadable,
)
from dynoai_desktop.capture.readers.draft import Draft
from dynoai_desktop.capture.readers.mlg_blocks import (
    MAGIC,
    MARKER_BYTES,
    Field,
    RawLog,
    decode,
    ticks_to_seconds,
)
from dynoai_desktop.capture.readers.table import Extras, Format, RawColumn, build_table
from dynoai_desktop.capture.readers.timebase import Clock
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.logs import Code, LogTable, LogWarning, Marker, UnitSource
from dynoai_desktop.core.units import Unit

_BYTE_WRAP = 200  # a step of this much in a byte is its end, not a change
_MIN_WRAPS = 3


def detect(_path: Path, head: bytes) -> float:
    """Return 1 for the magic bytes."""
    return 1.0 if head.startswith(MAGIC) else 0.0


def read(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> LogTable:
    """Return the log in *path*. Raises ReaderError."""
    read_head(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    stop_if(cancelled, path)
    try:
        log = decode(data)
    except ReaderError as error:
        raise ReaderError(f"{path.name}: {error}") from error
    stop_if(cancelled, path)
    if progress is not None:
        progress(1.0)
    return _table(log)


def _table(log: RawLog) -> LogTable:
    columns = [_scaled(field, raw) for field, raw in zip(log.fields, log.raw, strict=True)]
    clock = _clock(log, columns)
    markers = tuple(Marker(np.nan, row, text) for row, text, _ in log.markers)
    created = datetime.fromtimestamp(log.created_unix_s, tz=UTC).isoformat()
    info = {"created": created, "version": str(log.version), "source": log.info}
    warnings = tuple(_warnings(log))
    return build_table(columns, _FORM, Extras(markers, warnings, info, clock))


def _scaled(field: Field, raw: NDArray[np.generic]) -> RawColumn:
    """Return (raw + transform) × scale in double precision.

    Scales are stored as float32, 0.1 as 0.100000001; its shortest decimal is what was meant.
    """
    scale = float(str(np.float32(field.scale)))
    transform = float(str(np.float32(field.transform)))
    with np.errstate(all="ignore"):  # a damaged file may hold any float
        values = (raw.astype(np.float64) + transform) * scale
    return RawColumn(field.name, values, field.units)


def _clock(log: RawLog, columns: list[RawColumn]) -> Clock:
    """Return the time field, or the clock of the blocks where there is none."""
    for column in columns:
        if column.header.lower() == "time":
            return Clock(np.asarray(column.values, dtype=np.float64), UnitSource.FORMAT)
    return Clock(ticks_to_seconds(log.ticks), UnitSource.FORMAT)


def _warnings(log: RawLog) -> Iterable[LogWarning]:
    if not log.ticks.size:
        yield LogWarning(
            Code.NO_ROWS, f"The log lists {len(log.fields)} channels and has no records."
        )
    if log.bad_sums:
        yield LogWarning(
            Code.CHECKSUM_ERRORS,
            f"{log.bad_sums:,} records have a wrong checksum and are left out.",
        )
    if log.lost_blocks:
        yield LogWarning(
            Code.LOST_RECORDS,
            f"The running counter shows {log.lost_blocks:,} missing records.",
        )
    if log.unread_bytes:
        yield LogWarning(
            Code.DAMAGED,
            f"The last {log.unread_bytes:,} bytes are no records: the log was cut off or is "
            "damaged there. Everything before them was read.",
        )
    cut = sum(is_cut for _, _, is_cut in log.markers)
    if cut:
        yield LogWarning(
            Code.MARKER_CUT, f"{cut} of {len(log.markers)} markers are cut at {MARKER_BYTES} bytes."
        )
    yield from _wraps(log)


def _wraps(log: RawLog) -> Iterable[LogWarning]:
    """Find bytes that run over their end: 0 follows 255."""
    for field, raw in zip(log.fields, log.raw, strict=True):
        if field.kind != 0 or raw.size < 2:
            continue
        jumps = np.abs(np.diff(raw.astype(np.int16))) >= _BYTE_WRAP
        count = int(np.count_nonzero(jumps))
        if count >= _MIN_WRAPS:
            yield LogWarning(
                Code.VALUE_WRAPS,
                f"“{field.name}” jumps over the end of its byte {count} times; values beside a "
                "jump are not what they seem.",
                (field.name,),
            )


_COMPUTED = frozenset({Channel.POWER, Channel.TORQUE, Channel.SPEED})


def _judge(draft: Draft) -> Iterable[LogWarning]:
    """Leave out channels the ECU lists without having them: they are zero from end to end."""
    draft.set_aside.update(
        i
        for i, c in draft.data()
        if c.count and c.minimum == c.maximum == 0 and draft.identity(i) in _COMPUTED
    )
    return ()


_FORM = Format("mlg", "EFI Analytics binary log", time_unit=Unit.SECOND, judge=_judge)
READER = LogReader("mlg", "EFI Analytics binary log (MLG)", (".mlg", ".mlq"), detect, read)
