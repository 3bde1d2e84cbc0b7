"""Reading the rows of a text log, at the speed of the number parser underneath.

The file is cut at line ends into parts that are parsed side by side, so a long read shows progress
and can be cancelled. A part in which every row fits and every cell is a number goes through
pandas' C parser; a part with anything odd is read again cell by cell, so that what could not be
used is counted and named with its line, and nothing is guessed.
"""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
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
from dynoai_desktop.capture.readers.parts import Oddities, Part, add, careful, fast

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
    spans = _spans(path, whole, dialect.data_offset)
    size = sum(stop - start for start, stop in spans)
    gathered = _Gathered(dialect, size)
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="log-reader")
    try:
        parts = pool.map(_read_part, repeat(path), repeat(whole), repeat(dialect), spans)
        for (start, stop), part in zip(spans, parts, strict=True):
            gathered.add(part, stop - start)
            stop_if(cancelled, path)
            if progress is not None:
                progress((stop - spans[0][0]) / size)
    finally:
        pool.shutdown(cancel_futures=True)
    return gathered.table()


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


def _read_part(path: Path, whole: bytes | None, dialect: Dialect, span: tuple[int, int]) -> Part:
    start, stop = span
    if whole is not None:
        data = whole[start:stop]
    else:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(stop - start)
    return fast(data, dialect) or careful(data, dialect)


class _Gathered:
    """All parts in one block, filled as they come so that their memory is used again."""

    def __init__(self, dialect: Dialect, size: int) -> None:
        self._dialect, self._size, self._used = dialect, size, 0
        self._numbers = np.empty((len(dialect.names), 0))
        self._texts: dict[int, list[str]] = {i: [] for i in dialect.text_columns}
        self._odd = Oddities()
        self._rows, self._line = 0, dialect.data_lines

    def add(self, part: Part, size: int) -> None:
        """Append a part that took *size* bytes of the file."""
        self._used += size
        stop = self._rows + part.numbers.shape[1]
        if stop > self._numbers.shape[1]:
            expected = int(stop * self._size / self._used * 1.02)
            wider = np.empty((self._numbers.shape[0], max(stop, expected)))
            wider[:, : self._rows] = self._numbers[:, : self._rows]
            self._numbers = wider
        self._numbers[:, self._rows : stop] = part.numbers
        for i, cells in part.texts.items():
            self._texts[i].extend(cells)
        add(self._odd, part.odd, self._line, self._rows)
        self._line += part.lines
        self._rows = stop

    def table(self) -> TextTable:
        """Return what has been gathered."""
        return TextTable(self._dialect, self._numbers[:, : self._rows], self._texts, self._odd)
