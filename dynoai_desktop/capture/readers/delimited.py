"""Reading the rows of a text log, at the speed of the number parser underneath.

The file is cut at line ends into parts that are parsed side by side, so a long read shows progress
and can be cancelled. A part in which every row fits and every cell is a number goes through
pandas' C parser; a part with anything odd is read again cell by cell, so that what could not be
used is counted and named with its line, and nothing is guessed.

Memory that is touched for the first time costs more than the parsing, so the rows are counted
before they are parsed and every part goes straight to its place in one block.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.readers.contract import (
    HEAD_BYTES,
    Cancelled,
    Progress,
    ReaderError,
    read_head,
    stop_if,
    unreadable,
)
from dynoai_desktop.capture.readers.dialect import Dialect, NoTableError, sniff, text_encoding
from dynoai_desktop.capture.readers.parts import (
    Oddities,
    Part,
    Rows,
    add,
    careful,
    fast,
    regular_rows,
)

_PART_BYTES = 4 << 20
_WORKERS = min(4, os.cpu_count() or 1)
_TOO_MANY_BAD = 0.5  # share of rows that do not fit beyond which the head is not theirs


@dataclass(frozen=True, slots=True)
class TextTable:
    """The rows of a text log. *numbers* has shape ``[column][row]``, NaN where empty or text."""

    dialect: Dialect
    numbers: NDArray[np.float64]
    texts: dict[int, list[str]]  # text columns, "" where empty
    odd: Oddities

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return int(self.numbers.shape[1])


def read_table(
    path: Path,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    *,
    text: frozenset[str] = frozenset(),
) -> TextTable:
    """Return all rows of a text log. *text* names columns that are kept as text.

    Raises ReaderError when the file is not a text log, has no rows, or its rows do not fit its
    head; ReadingCancelledError when *cancelled* says so.
    """
    head = read_head(path)
    dialect, whole = _open(path, head)
    named = {i for i, name in enumerate(dialect.names) if name in text}
    dialect = replace(dialect, text_columns=dialect.text_columns | named)
    try:
        table = _gather(path, whole, dialect, progress, cancelled)
    except OSError as error:
        raise unreadable(path, error) from error
    if table.odd.long_rows > _TOO_MANY_BAD * (table.rows + table.odd.long_rows):
        raise ReaderError(
            f"{path.name}: most rows have more cells than the {len(dialect.names)} names in line "
            f"{dialect.head_line}. Check the decimal mark and export the log again."
        )
    if table.rows == 0:
        raise _no_rows(path, dialect.names)
    return table


def _open(path: Path, head: bytes) -> tuple[Dialect, bytes | None]:
    """Return the dialect, and the whole text where it had to be rewritten to be cut into parts."""
    encoding = text_encoding(head)
    if encoding is None:
        raise ReaderError(
            f"{path.name} is not a text log and no format we know. Export the recording as CSV."
        )
    rewritten: bytes | None = None
    if encoding == "utf-16" or (b"\n" not in head and b"\r" in head):
        rewritten = _rewrite(path, encoding)
        head, encoding = rewritten[:HEAD_BYTES], "utf-8" if encoding == "utf-16" else encoding
    complete = len(head) < HEAD_BYTES
    try:
        return sniff(head, encoding, complete=complete), rewritten
    except NoTableError as error:
        if error.names:
            raise _no_rows(path, error.names) from error
        raise ReaderError(
            f"{path.name} holds no table: a row of channel names over rows of numbers was not "
            "found. Export the log as CSV with its header."
        ) from error


def _rewrite(path: Path, encoding: str) -> bytes:
    """Return the file as UTF-8 with plain line ends."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    if encoding == "utf-16":
        data = data.decode("utf-16", "replace").encode("utf-8")
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _no_rows(path: Path, names: tuple[str, ...]) -> ReaderError:
    count = sum(bool(name) for name in names)
    return ReaderError(
        f"{path.name} has a header of {count} channels and no rows below it. Record again, or "
        "export the part in which the engine ran."
    )


def _gather(
    path: Path,
    whole: bytes | None,
    dialect: Dialect,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> TextTable:
    file = _Text(path, whole, dialect)
    spans = _spans(path, whole, dialect.data_offset)
    size = sum(stop - start for start, stop in spans)
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="log-reader")
    parts: list[Part] = []
    try:
        counts: list[Rows | None] = []
        for rows in pool.map(file.count, spans):
            stop_if(cancelled, path)
            counts.append(rows)
        block, rooms = _rooms(len(dialect.names), counts)
        for (_, stop), part in zip(spans, pool.map(file.read, spans, counts, rooms), strict=True):
            parts.append(part)
            stop_if(cancelled, path)
            if progress is not None:
                progress((stop - spans[0][0]) / size)
    finally:
        pool.shutdown(cancel_futures=True)
    return _joined(dialect, block, rooms, parts)


def _rooms(
    width: int, counts: Sequence[Rows | None]
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Return a block for all rows that were counted, and the place of each part in it."""
    ends = np.cumsum([0, *(rows.rows if rows else 0 for rows in counts)]).tolist()
    block = np.empty((width, ends[-1]))
    return block, [block[:, start:stop] for start, stop in pairwise(ends)]


def _joined(
    dialect: Dialect,
    block: NDArray[np.float64],
    rooms: Sequence[NDArray[np.float64]],
    parts: Sequence[Part],
) -> TextTable:
    """Return the parts as one table; only where one was not as it was counted are they copied."""
    odd, rows, line = Oddities(), 0, dialect.data_lines
    texts: dict[int, list[str]] = {i: [] for i in dialect.text_columns}
    for part in parts:
        for i, cells in part.texts.items():
            texts[i].extend(cells)
        add(odd, part.odd, line, rows)
        line += part.lines
        rows += part.numbers.shape[1]
    in_place = all(part.numbers is room for part, room in zip(parts, rooms, strict=True))
    numbers = block if in_place else np.concatenate([part.numbers for part in parts], axis=1)
    return TextTable(dialect, numbers, texts, odd)


def _spans(path: Path, whole: bytes | None, start: int) -> list[tuple[int, int]]:
    """Return where the parts begin and end: whole lines, about 4 MB each."""
    spans = []
    with io.BytesIO(whole) if whole is not None else path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        while start < size:
            file.seek(min(start + _PART_BYTES, size))
            file.readline()
            stop = file.tell()
            spans.append((start, stop))
            start = stop
    return spans


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of a log, to be read in parts on any thread. *whole* is it, where rewritten."""

    path: Path
    whole: bytes | None
    dialect: Dialect

    def bytes_of(self, span: tuple[int, int]) -> bytes:
        """Return the part between two places."""
        start, stop = span
        if self.whole is not None:
            return self.whole[start:stop]
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)

    def count(self, span: tuple[int, int]) -> Rows | None:
        """Return how many rows a part has, None when they do not all fit."""
        return regular_rows(self.bytes_of(span), self.dialect.delimiter, len(self.dialect.names))

    def read(self, span: tuple[int, int], rows: Rows | None, room: NDArray[np.float64]) -> Part:
        """Return a part, its numbers in *room* where they are as many as were counted."""
        data = self.bytes_of(span)
        part = (fast(data, self.dialect, rows) if rows else None) or careful(data, self.dialect)
        if part.numbers.shape != room.shape or not room.size:
            return part
        room[:] = part.numbers
        return replace(part, numbers=room)
