"""The bytes of an EFI Analytics binary log ("MLVLG", big-endian) as arrays of raw field values.

A head lists the fields; blocks follow. Block 0 is a record: counter, a 16-bit clock of 10 µs ticks,
the fields, one byte with the sum of the field bytes. Block 1 is a marker of 50 characters. Records
lie back to back between markers, so each stretch is decoded at once.
Layout: "MLG Binary Log Format", EFI Analytics, versions 1 and 2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.readers.contract import ReaderError

MAGIC = b"MLVLG\0"
_HEADS = {1: struct.Struct(">6xhIHIHH"), 2: struct.Struct(">6xhIIIHH")}
_FIELDS = {1: struct.Struct(">B34s10sBffb"), 2: struct.Struct(">B34s10sBffb34x")}
_TYPES = {
    0: ">u1",
    1: ">i1",
    2: ">u2",
    3: ">i2",
    4: ">u4",
    5: ">i4",
    6: ">i8",
    7: ">f4",
    10: ">u1",
    11: ">u2",
    12: ">u4",
}
_BIT_FIELDS = frozenset({10, 11, 12})
_BLOCK_HEAD = 4  # type, counter, clock
MARKER_BYTES = 50
_TICK_S = 1e-5
_MAX_FIELDS = 4096


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record: value = (raw + transform) × scale."""

    kind: int
    name: str
    units: str
    scale: float
    transform: float


@dataclass(frozen=True, slots=True)
class RawLog:
    """A decoded file before scaling. *raw* holds one array per field, shape ``[records]``."""

    version: int
    created_unix_s: int
    info: str
    fields: tuple[Field, ...]
    raw: tuple[NDArray[np.generic], ...]
    ticks: NDArray[np.uint16]  # clock of each record, 10 µs, wraps every 0.655 s
    markers: tuple[tuple[int, str, bool], ...]  # (record that follows, text, cut at 50)
    bad_sums: int
    lost_blocks: int
    unread_bytes: int


def decode(data: bytes) -> RawLog:
    """Decode the bytes of a file. Raises ReaderError on any file that is not one."""
    version, created, info_at, data_at, length, fields = _head(data)
    kinds = [_TYPES[field.kind] for field in fields]
    layout = np.dtype({"names": [str(i) for i in range(len(kinds))], "formats": kinds})
    if layout.itemsize != length:
        raise ReaderError(
            f"its records have {length} bytes, its fields {layout.itemsize}. The head is damaged; "
            "save the log again."
        )
    blocks = _Blocks(data, data_at, layout)
    info = data[info_at:data_at].split(b"\0")[0].decode("utf-8", "replace")
    return RawLog(
        version=version,
        created_unix_s=created,
        info=info.replace('"', "").strip(),
        fields=fields,
        raw=tuple(blocks.records[name] for name in layout.names or ()),
        ticks=blocks.ticks,
        markers=tuple(blocks.markers),
        bad_sums=blocks.bad_sums,
        lost_blocks=blocks.lost,
        unread_bytes=blocks.unread,
    )


def _head(data: bytes) -> tuple[int, int, int, int, int, tuple[Field, ...]]:
    damaged = ReaderError("the head of the log is damaged or cut off. Save the log again.")
    if not data.startswith(MAGIC) or len(data) < 8:
        raise damaged
    (version,) = struct.unpack_from(">h", data, 6)
    if version not in _HEADS:
        raise ReaderError(
            f"version {version} of the binary log is not known. Save it as CSV or MSL instead."
        )
    head, entry = _HEADS[version], _FIELDS[version]
    if len(data) < head.size:
        raise damaged
    _, created, info_at, data_at, length, count = head.unpack_from(data)
    fields_end = head.size + count * entry.size
    if not 0 < count <= _MAX_FIELDS or not fields_end <= data_at <= len(data):
        raise damaged
    if info_at and not fields_end <= info_at <= data_at:
        raise damaged
    fields = []
    for number in range(count):
        kind, name, units, _style, scale, transform, _digits = entry.unpack_from(
            data, head.size + number * entry.size
        )
        if kind not in _TYPES:
            raise ReaderError(f"field {number + 1} is of the unknown type {kind}. Save it as CSV.")
        if kind in _BIT_FIELDS:
            scale, transform = 1.0, 0.0
        fields.append(Field(kind, _text(name), _text(units), scale, transform))
    return version, created, info_at or data_at, data_at, length, tuple(fields)


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace").strip()


class _Blocks:
    """All blocks of a file, read in stretches of records between markers."""

    def __init__(self, data: bytes, start: int, layout: np.dtype[np.void]) -> None:
        self.markers: list[tuple[int, str, bool]] = []
        self.bad_sums = self.lost = self.unread = 0
        self._size = _BLOCK_HEAD + layout.itemsize + 1
        self._counters: list[NDArray[np.uint8]] = []
        self._ticks: list[NDArray[np.uint16]] = []
        self._kept: list[NDArray[np.uint8]] = []
        self._rows = 0
        self._walk(np.frombuffer(data, np.uint8), data, start)
        body = (
            np.concatenate(self._kept) if self._kept else np.empty((0, layout.itemsize), np.uint8)
        )
        self.records = np.ascontiguousarray(body).view(layout).reshape(-1)
        self.ticks = np.concatenate([*self._ticks, np.empty(0, np.uint16)])
        self._count_lost()

    def _walk(self, codes: NDArray[np.uint8], data: bytes, at: int) -> None:
        while at + _BLOCK_HEAD <= codes.size:
            if codes[at] == 0:
                taken = self._records(codes, at)
                if not taken:
                    break
                at += taken * self._size
            elif codes[at] == 1 and at + _BLOCK_HEAD + MARKER_BYTES <= codes.size:
                text = data[at + _BLOCK_HEAD : at + _BLOCK_HEAD + MARKER_BYTES]
                self.markers.append((self._rows, _text(text), text[-1] != 0))
                self._counters.append(codes[at + 1 : at + 2])
                at += _BLOCK_HEAD + MARKER_BYTES
            else:
                break
        self.unread = int(codes.size - at)

    def _records(self, codes: NDArray[np.uint8], at: int) -> int:
        """Take the records from *at* to the next block of another kind; return how many."""
        whole = (codes.size - at) // self._size
        other = np.flatnonzero(codes[at : at + whole * self._size : self._size])
        count = int(other[0]) if other.size else whole
        block = codes[at : at + count * self._size].reshape(count, self._size)
        body = block[:, _BLOCK_HEAD:-1]
        good = body.sum(axis=1, dtype=np.uint8) == block[:, -1]
        self.bad_sums += int(np.count_nonzero(~good))
        self._counters.append(block[:, 1])
        self._ticks.append(block[good, 2].astype(np.uint16) << 8 | block[good, 3])
        self._kept.append(body[good])
        self._rows += int(np.count_nonzero(good))
        return count

    def _count_lost(self) -> None:
        """Count the blocks that the running counter of one byte shows to be missing."""
        if self._counters:
            counters = np.concatenate(self._counters)
            steps = counters[1:] - counters[:-1]  # one byte: the wrap is part of the subtraction
            self.lost = int((steps[steps > 0].astype(np.int64) - 1).sum())


def ticks_to_seconds(ticks: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Return time from the 10 µs clock, 0 at the first record.

    The clock wraps every 0.655 s; a pause longer than that cannot be seen in it.

    >>> ticks_to_seconds(np.array([65000, 464], np.uint16)).round(5).tolist()
    [0.0, 0.01]
    """
    seconds = np.zeros(ticks.size)
    steps = ticks[1:] - ticks[:-1]  # 16 bit: the wrap is part of the subtraction
    seconds[1:] = np.cumsum(steps, dtype=np.float64) * _TICK_S
    return seconds
