"""How a text log is written: encoding, delimiter, decimal mark, and where its numbers begin.

Judged from the first 64 KB. A log is a row of names followed by rows that are mostly numbers;
what stands above the names is preamble, a row of units may stand between. The delimiter that
gives the widest such picture is the one.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dynoai_desktop.capture.readers.headers import unit_word

_DELIMITERS = ("\t", ";", ",", "|")
_LOOK_AHEAD = 20  # lines after the names that are looked at to believe in them
_LOOKED_AT = 200  # lines from which everything is judged
_HEADER_CELLS = 3  # a last line with fewer words may be prose
_UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

# What loggers write for "no value"; pandas knows the first group by itself.
_KNOWN_MISSING = frozenset({"", "nan", "NaN", "NA", "N/A", "n/a", "null", "NULL", "None"})
_OTHER_MISSING = frozenset({"-", "--", "---", "none", "Null", "NAN", "Nan", "?"})
MISSING = _KNOWN_MISSING | _OTHER_MISSING

_NUMBER = re.compile(r"'?[+-]?((\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[iI]nf(inity)?)")
_GROUPED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+|[+-]?\d{1,3}(,\d{3})+\.\d+")
_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_CLOCK = re.compile(
    r"\d{1,4}([-/.]\d{1,2}){2}([T ].*)?|\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([AP]M)?"
)
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read the rows of one text log."""

    encoding: str
    delimiter: str
    decimal: str
    thousands: str | None
    skip_spaces: bool
    missing: tuple[str, ...]  # words for "no value" beyond those pandas knows
    names: tuple[str, ...]  # one per column, "" where the head is empty
    units: tuple[str, ...]  # the row of units, "" where there is none
    text_columns: frozenset[int]  # columns that are not numbers: clock times, words
    preamble: tuple[str, ...]  # lines above the names
    data_offset: int  # where the first row begins, in bytes
    head_line: int  # number of the line with the names, from 1
    data_lines: int  # lines before the first row


class NoTableError(Exception):
    """The text holds no table of numbers. *names* is what a lone head line lists."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__("no table")
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class _Line:
    offset: int
    number: int
    text: str


def text_encoding(head: bytes) -> str | None:
    """Return the encoding of *head*, or None when it is not text.

    >>> text_encoding(b"Temp (\\xb0C)"), text_encoding(b"\\x00\\x01")
    ('cp1252', None)
    """
    if head.startswith(UTF16_BOMS):
        return "utf-16"
    if b"\0" in head:
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data" or len(head) - error.start > 3:
            return "cp1252"
    return "utf-8-sig" if head.startswith(_UTF8_BOM) else "utf-8"


def sniff(head: bytes, encoding: str, *, complete: bool) -> Dialect:
    """Return how the log that begins with *head* is written. Raises NoTableError if it is none.

    *complete* says that *head* is the whole file; otherwise its last line is taken as cut.
    """
    lines = _lines(head, encoding, complete)
    best: tuple[str, int, int] | None = None
    width = 0
    lone: list[str] = []
    for delimiter in _DELIMITERS:
        rows = [_fields(line.text, delimiter) for line in lines]
        found = _find_names(rows)
        if found is not None and len(rows[found[0]]) > width:
            best, width = (delimiter, *found), len(rows[found[0]])
        if rows and len(rows[-1]) >= _HEADER_CELLS and _is_names(rows[-1]):
            lone = max(lone, rows[-1], key=len)
    if best is None:
        raise NoTableError(lone)
    return _describe(lines, *best, encoding)


def _lines(head: bytes, encoding: str, complete: bool) -> list[_Line]:
    """Return the lines that are not blank."""
    lines: list[_Line] = []
    start = 0
    ends = [match.span() for match in _LINE_END.finditer(head)]
    if complete and (not ends or ends[-1][1] < len(head)):
        ends.append((len(head), len(head)))
    for number, (stop, following) in enumerate(ends, start=1):
        text = head[start:stop].decode(encoding, "replace").strip("\ufeff")
        if text.strip():
            lines.append(_Line(start, number, text))
        start = following
        if len(lines) == _LOOKED_AT:
            break
    return lines


def _fields(line: str, delimiter: str) -> list[str]:
    fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    return [field.strip() for field in fields]


def is_number(cell: str) -> bool:
    """Return True for a number with either decimal mark, a clock time, or a word for no value."""
    return bool(
        cell in MISSING or _NUMBER.fullmatch(cell) or _GROUPED.fullmatch(cell) or is_clock(cell)
    )


def is_clock(cell: str) -> bool:
    """Return True for a date, a time of day or both."""
    return bool(_CLOCK.fullmatch(cell))


def _is_names(fields: Sequence[str]) -> bool:
    filled = [field for field in fields if field]
    words = sum(not is_number(field) for field in filled)
    return len(filled) >= 2 and words >= 0.6 * len(filled)


def _is_data(fields: Sequence[str]) -> bool:
    filled = [field for field in fields if field]
    numbers = sum(is_number(field) for field in filled)
    return len(fields) >= 2 and numbers >= 1 and 2 * numbers >= len(filled)


def _is_units(fields: Sequence[str], width: int) -> bool:
    filled = [field for field in fields if field]
    known = sum(unit_word(field.strip("()[]")) is not None for field in filled)
    return len(fields) == width and not _is_data(fields) and 0 < len(filled) <= 2 * known


def _find_names(rows: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """Return the row of names and the first row of numbers, or None."""
    for i, names in enumerate(rows):
        if not _is_names(names):
            continue
        first = i + 1
        if first + 1 < len(rows) and _is_units(rows[first], len(names)):
            first += 1
        following = rows[first : first + _LOOK_AHEAD]
        good = [_is_data(row) and len(row) <= len(names) + 1 for row in following]
        if good and good[0] and 2 * sum(good) >= len(good):
            return i, first
    return None


def _describe(
    lines: Sequence[_Line], delimiter: str, head: int, first: int, encoding: str
) -> Dialect:
    names = _fields(lines[head].text, delimiter)
    data = [_fields(line.text, delimiter) for line in lines[first:]]
    widths = Counter(len(row) for row in data if _is_data(row))
    width = max(len(names), widths.most_common(1)[0][0])
    units = _fields(lines[head + 1].text, delimiter) if first > head + 1 else []
    cells = [cell for row in data for cell in row]
    decimal, thousands = _marks(cells)
    spaced = f"{delimiter} " in "".join(line.text for line in lines[head : first + 5])
    return Dialect(
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
        thousands=thousands,
        skip_spaces=spaced and delimiter != "\t",
        missing=tuple(sorted(_OTHER_MISSING.intersection(cells))),
        names=_padded(names, width),
        units=_padded(units, width),
        text_columns=frozenset(_text_columns(data, width)),
        preamble=tuple(line.text for line in lines[:head]),
        data_offset=lines[first].offset,
        head_line=lines[head].number,
        data_lines=lines[first].number - 1,
    )


def _padded(fields: Sequence[str], width: int) -> tuple[str, ...]:
    return (*fields, *[""] * (width - len(fields)))[:width]


def _marks(cells: Iterable[str]) -> tuple[str, str | None]:
    """Return the decimal mark and the mark between thousands, if any."""
    points = commas = 0
    for cell in cells:
        if _GROUPED.fullmatch(cell):
            return (",", ".") if cell.rfind(",") > cell.rfind(".") else (".", ",")
        points += _POINT.fullmatch(cell) is not None
        commas += _COMMA.fullmatch(cell) is not None
    return (",", None) if commas and not points else (".", None)


def _text_columns(rows: Sequence[Sequence[str]], width: int) -> Iterable[int]:
    for i in range(width):
        filled = [row[i] for row in rows if i < len(row) and row[i] not in MISSING]
        words = sum(is_clock(cell) or not is_number(cell) for cell in filled)
        if 2 * words > len(filled):
            yield i
