"""Reading the rows of a text log, at the speed of the number parser underneath.

The file is cut at line ends into parts that are parsed side by side, so a long read shows progress
and can be cancelled. A part in which every row fits and every cell is a number goes through
pandas' C parser; a part with anything odd is read again cell by cell, so that what could not be
used is counted and named with its line, and nothing is guessed.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, cast

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
from dynoai_desktop.capture.readers.dialect import (
    MISSING,
    Dialect,
    NoTableError,
    is_clock,
    is_number,
    sniff,
    text_encoding,
)

if TYPE_CHECKING:
    from pandas._typing import ReadCsvBuffer

_PART_BYTES = 4 << 20
_WORKERS = min(4, os.cpu_count() or 1)
_TOO_MANY_BAD = 0.5  # share of rows that do not fit beyond which the head is not theirs


@dataclass(frozen=True, slots=True)
class BadCells:
    """Cells of one column that are not numbers: how many, and the first one with its line."""

    count: int
    example: str
    line: int


@dataclass(slots=True)
class Oddities:
    """What did not fit, with the line where it was first seen (from 1)."""

    long_rows: int = 0
    first_long: int = 0
    short_rows: int = 0
    first_short: int = 0
    cut_last: bool = False  # the last line ends in the middle of a row
    bad_cells: dict[int, BadCells] = field(default_factory=dict)
    notes: list[tuple[int, str]] = field(default_factory=list)  # (row that follows, text)


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


@dataclass(frozen=True, slots=True)
class _Part:
    numbers: NDArray[np.float64]
    texts: dict[int, list[str]]
    lines: int
    odd: Oddities


class _Bytes:
    """Bytes with a `read`, as pandas wants them; unlike BytesIO they are not decoded first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self, size: int = -1) -> bytes:
        stop = len(self._data) if size < 0 else self._at + size
        chunk = self._data[self._at : stop]
        self._at += len(chunk)
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._data.splitlines(keepends=True))


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


def _read_part(path: Path, whole: bytes | None, dialect: Dialect, span: tuple[int, int]) -> _Part:
    start, stop = span
    if whole is not None:
        data = whole[start:stop]
    else:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(stop - start)
    return _fast(data, dialect) or _slow(data, dialect)


def _fast(data: bytes, dialect: Dialect) -> _Part | None:
    """Return the part through pandas, or None when a row or a cell in it needs a closer look."""
    import pandas as pd

    width = len(dialect.names)
    lines = _regular_lines(data, dialect.delimiter, width)
    if lines is None:
        return None
    numeric = [i for i in range(width) if i not in dialect.text_columns]
    dtypes: dict[int, type] = dict.fromkeys(numeric, np.float64)
    dtypes |= dict.fromkeys(dialect.text_columns, object)
    try:
        frame = pd.read_csv(
            cast("ReadCsvBuffer[bytes]", _Bytes(data)),
            sep=dialect.delimiter,
            header=None,
            names=list(range(width)),
            index_col=False,
            dtype=dtypes,
            decimal=dialect.decimal,
            thousands=dialect.thousands,
            skipinitialspace=dialect.skip_spaces,
            na_values=list(dialect.missing),
            on_bad_lines="error",
            low_memory=False,
            engine="c",
        )
    except (ValueError, OverflowError):
        return None
    if len(numeric) == width:
        numbers = frame.to_numpy(dtype=np.float64).T
    else:
        numbers = np.full((width, len(frame)), np.nan)
        numbers[numeric] = frame[numeric].to_numpy(dtype=np.float64).T
    texts = {
        i: ["" if cell != cell else str(cell) for cell in frame[i]] for i in dialect.text_columns
    }
    return _Part(numbers, texts, lines, Oddities())


def _regular_lines(data: bytes, delimiter: str, width: int) -> int | None:
    """Return the number of lines, or None when a row has more or fewer cells than *width*."""
    codes = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(codes == ord("\n"))
    separators = np.count_nonzero(codes == ord(delimiter))
    lines = ends.size + (not data.endswith(b"\n"))
    gaps = np.diff(ends)
    blank = np.count_nonzero(gaps == 1) + np.count_nonzero(
        (gaps == 2) & (codes[ends[1:] - 1] == ord("\r"))
    )
    first = data[: ends[0]] if ends.size else data
    if separators != (lines - blank) * (width - 1):
        return None
    return lines if first.count(delimiter.encode()) == width - 1 else None


def _slow(data: bytes, dialect: Dialect) -> _Part:
    """Return the part cell by cell, counting what does not fit. Lines count from the part's own."""
    width, odd = len(dialect.names), Oddities()
    text = data.decode(dialect.encoding.replace("-sig", ""), "replace").replace("\0", "")
    # An odd number of quotes leaves one open, which would swallow every row behind it.
    unclosed = text.count('"') % 2 == 1
    lines = text.count("\n") + (not text.endswith("\n"))
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        skipinitialspace=True,
        quoting=csv.QUOTE_NONE if unclosed else csv.QUOTE_MINIMAL,
    )
    columns: list[list[float]] = [[] for _ in range(width)]
    texts: dict[int, list[str]] = {i: [] for i in dialect.text_columns}
    rows = 0
    for fields in _rows_of(reader):
        if len(fields) < width and reader.line_num == lines and not text.endswith("\n"):
            odd.cut_last = True
            continue
        row = _fit(fields, width, reader.line_num, rows, odd)
        if row is None:
            continue
        rows += 1
        for i, cell in enumerate(row):
            if i in texts:
                texts[i].append("" if cell in MISSING else cell)
                columns[i].append(np.nan)
            else:
                columns[i].append(_value(cell, dialect, i, reader.line_num, odd))
    return _Part(np.array(columns, dtype=np.float64).reshape(width, rows), texts, lines, odd)


def _rows_of(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield the rows; a cell too long for any number ends the part."""
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue
        if any(fields):
            yield fields


def _fit(fields: list[str], width: int, line: int, row: int, odd: Oddities) -> list[str] | None:
    """Return the cells of one row at full width, or None for a row that cannot be assigned."""
    cells = [cell.strip().strip('"') for cell in fields]
    if len(cells) > width and not any(cells[width:]):
        cells = cells[:width]
    if len(cells) == 1 and not is_number(cells[0]):
        odd.notes.append((row, cells[0]))
        return None
    if len(cells) > width:
        odd.long_rows += 1
        odd.first_long = odd.first_long or line
        return None
    if len(cells) < width:
        odd.short_rows += 1
        odd.first_short = odd.first_short or line
        cells += [""] * (width - len(cells))
    return cells


def _value(cell: str, dialect: Dialect, column: int, line: int, odd: Oddities) -> float:
    """Return the number in a cell, NaN for none; a cell with something else is counted."""
    if cell in MISSING:
        return np.nan
    plain = cell.removeprefix("'").replace(dialect.thousands or "\0", "")
    if dialect.decimal == ",":
        plain = plain.replace(",", ".")
    if "_" not in plain and not is_clock(cell):
        try:
            return float(plain)
        except ValueError:
            pass
    seen = odd.bad_cells.get(column) or BadCells(0, cell, line)
    odd.bad_cells[column] = replace(seen, count=seen.count + 1)
    return np.nan


class _Gathered:
    """All parts in one block, filled as they come so that their memory is used again."""

    def __init__(self, dialect: Dialect, size: int) -> None:
        self._dialect, self._size, self._used = dialect, size, 0
        self._numbers = np.empty((len(dialect.names), 0))
        self._texts: dict[int, list[str]] = {i: [] for i in dialect.text_columns}
        self._odd = Oddities()
        self._rows, self._line = 0, dialect.data_lines

    def add(self, part: _Part, size: int) -> None:
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
        _add(self._odd, part.odd, self._line, self._rows)
        self._line += part.lines
        self._rows = stop

    def table(self) -> TextTable:
        """Return what has been gathered."""
        return TextTable(self._dialect, self._numbers[:, : self._rows], self._texts, self._odd)


def _add(total: Oddities, part: Oddities, line: int, row: int) -> None:
    """Add the oddities of a part that begins at *line* and *row*."""
    total.long_rows += part.long_rows
    total.short_rows += part.short_rows
    total.cut_last |= part.cut_last
    if part.first_long and not total.first_long:
        total.first_long = part.first_long + line
    if part.first_short and not total.first_short:
        total.first_short = part.first_short + line
    for column, bad in part.bad_cells.items():
        first = total.bad_cells.get(column) or BadCells(0, bad.example, bad.line + line)
        total.bad_cells[column] = replace(first, count=first.count + bad.count)
    total.notes.extend((at + row, text) for at, text in part.notes)
