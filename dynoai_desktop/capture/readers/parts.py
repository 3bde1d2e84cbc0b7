"""One part of a text log: rows to numbers, fast where everything fits, carefully where not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.readers.dialect import MISSING, Dialect, is_clock, is_number

if TYPE_CHECKING:
    import pandas as pd
    from pandas._typing import ReadCsvBuffer


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
class Part:
    """The rows of one part. *numbers* has shape ``[column][row]``, NaN where empty or text."""

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


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows a part has in which every row fits, and in how many lines."""

    rows: int
    lines: int


def fast(data: bytes, dialect: Dialect, counted: Rows) -> Part | None:
    """Return the part through pandas, or None when its rows need a closer look.

    Words among numbers cost one more pass over the part; rows that do not fit are left to
    `careful`.
    """
    for way in (_all_numbers, _with_words):
        try:
            part = way(data, dialect, counted.lines)
        except (ValueError, OverflowError):
            continue
        # Other rows than were counted: the parser saw lines that we did not, so look closely.
        return part if part is not None and part.numbers.shape[1] == counted.rows else None
    return None


def _all_numbers(data: bytes, dialect: Dialect, lines: int) -> Part:
    """Return the part when every cell is a number; raises ValueError otherwise."""
    width = len(dialect.names)
    numeric = [i for i in range(width) if i not in dialect.text_columns]
    dtypes: dict[int, type] = dict.fromkeys(numeric, np.float64)
    dtypes |= dict.fromkeys(dialect.text_columns, object)
    frame = _frame(data, dialect, dtypes, keep_default_na=True)
    if len(numeric) == width:
        numbers = frame.to_numpy(dtype=np.float64).T
    else:
        numbers = np.full((width, len(frame)), np.nan)
        numbers[numeric] = frame[numeric].to_numpy(dtype=np.float64).T
    texts = {
        i: ["" if cell != cell else str(cell) for cell in frame[i]] for i in dialect.text_columns
    }
    return Part(numbers, texts, lines, Oddities())


def _with_words(data: bytes, dialect: Dialect, lines: int) -> Part | None:
    """Return the part with cells that are no numbers counted, or None when lines cannot be."""
    import pandas as pd

    if dialect.decimal != "." or dialect.thousands:
        return None
    dtypes: dict[int, type] = dict.fromkeys(range(len(dialect.names)), object)
    frame = _frame(data, dialect, dtypes, keep_default_na=False)
    if len(frame) != lines:  # a blank line, or a line end inside quotes
        return None
    odd, texts = Oddities(), {}
    numbers = np.full((len(dialect.names), lines), np.nan)
    for i in range(len(dialect.names)):
        cells = frame[i]
        if i in dialect.text_columns:
            texts[i] = ["" if cell in MISSING else str(cell) for cell in cells]
            continue
        numbers[i] = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
        strange = np.isnan(numbers[i]) & ~cells.isin(MISSING).to_numpy()
        for row in np.flatnonzero(strange).tolist():
            numbers[i, row] = _value(str(cells.iat[row]).strip(), dialect, i, row + 1, odd)
    return Part(numbers, texts, lines, odd)


def _frame(
    data: bytes, dialect: Dialect, dtypes: dict[int, type], *, keep_default_na: bool
) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(
        cast("ReadCsvBuffer[bytes]", _Bytes(data)),
        sep=dialect.delimiter,
        header=None,
        names=list(range(len(dialect.names))),
        index_col=False,
        dtype=dtypes,
        decimal=dialect.decimal,
        thousands=dialect.thousands,
        skipinitialspace=dialect.skip_spaces,
        na_values=list(dialect.missing) if keep_default_na else [],
        keep_default_na=keep_default_na,
        on_bad_lines="error",
        low_memory=False,
        engine="c",
    )


def regular_rows(data: bytes, delimiter: str, width: int) -> Rows | None:
    """Return the number of rows, or None when one has more or fewer cells than *width*."""
    codes = np.frombuffer(data, np.uint8)
    lines = int(np.count_nonzero(codes == ord("\n"))) + (not data.endswith(b"\n"))
    separators = int(np.count_nonzero(codes == ord(delimiter)))
    rows = lines
    if width == 1 or separators != lines * (width - 1):  # else there can be no blank line
        rows -= _blank_lines(codes)
        if separators != rows * (width - 1):
            return None
    first = data[: data.find(b"\n")] if b"\n" in data else data
    return Rows(rows, lines) if first.count(delimiter.encode()) == width - 1 else None


def _blank_lines(codes: NDArray[np.uint8]) -> int:
    """Return how many lines after the first have nothing in them."""
    ends = np.flatnonzero(codes == ord("\n"))
    gaps = np.diff(ends)
    returns = (gaps == 2) & (codes[ends[1:] - 1] == ord("\r"))
    return int(np.count_nonzero(gaps == 1) + np.count_nonzero(returns))


def careful(data: bytes, dialect: Dialect) -> Part:
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
    return Part(np.array(columns, dtype=np.float64).reshape(width, rows), texts, lines, odd)


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


def add(total: Oddities, part: Oddities, line: int, row: int) -> None:
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
