"""A table as a matrix of values: CSV with a corner label that says which way round it is.

``RPM\\MAP_kPa,35,50,65`` has engine speed in the rows, ``MAP_kPa\\RPM,1500,2000`` in the columns; a
corner with one word names the rows. Lines that begin with # carry what the numbers are:
``# unit: multiplier``. Blank cells stay blank.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.tune.guard import guarded, unguarded
from dynoai_desktop.core.tune.tables import (
    MAP_KPA,
    MAX_CELLS,
    MAX_TUNE_BYTES,
    RPM,
    AxisUnit,
    Cell,
    Tune,
    TuneError,
    TuneTable,
    axis_unit,
    make_labels,
    number,
)

_DELIMITERS = (b",", b";", b"\t")
_BLANK = frozenset({"", "nan", "none", "null", "-"})
_WORD_OF = {Channel.RPM: "RPM", Channel.MAP: "MAP_kPa", Channel.TPS: "TPS_%"}


@dataclass(frozen=True, slots=True)
class _Field:
    text: str
    start: int
    stop: int


def detect(head: bytes) -> bool:
    """Return True when the first line that is no comment begins with an axis name."""
    for line in head.splitlines():
        if line.strip() and not line.lstrip(b"\xef\xbb\xbf").startswith(b"#"):
            corner = re.split(rb"[,;\t]", line, maxsplit=1)[0].decode("utf-8", "replace")
            return bool(re.search(r"[,;\t]", line.decode("utf-8", "replace"))) and (
                _sides(corner) is not None
            )
    return False


def parse(data: bytes, name: str = "VE") -> Tune:
    """Return the one table of a matrix CSV. Raises TuneError with one sentence."""
    if len(data) > MAX_TUNE_BYTES:
        raise TuneError(f"The table has {len(data) >> 20} MB, far more than any table.")
    _notes, lines = _lines(data)
    if len(lines) < 2:
        raise TuneError("The table has no rows below its header.")
    header, body = lines[0], lines[1:]
    while header and not header[-1].text:  # a comma at the end of the line
        header = header[:-1]
    sides = _sides(unguarded(header[0].text)) if header else None
    if sides is None:
        raise TuneError(
            "The corner of the table does not say what its rows are. Write RPM or MAP_kPa there."
        )
    width = len(header)
    if width * len(body) > MAX_CELLS:
        raise TuneError(f"The table has more than {MAX_CELLS:,} cells.")
    rows = [_row(fields, width) for fields in body]
    columns = make_labels(tuple(unguarded(f.text) for f in header[1:]), "", sides[1])
    labels = make_labels(tuple(unguarded(row[0].text) for row in rows), "", sides[0])
    cells = tuple(tuple(Cell(unguarded(f.text), f.start, f.stop) for f in row[1:]) for row in rows)
    return Tune("matrix_csv", data, (TuneTable(0, name, "", columns, labels, cells),), guard=True)


def notes(data: bytes) -> dict[str, str]:
    """Return the ``# key: value`` lines of a matrix CSV."""
    return _lines(data)[0]


def encode(text: str) -> bytes:
    """Return a cell text as it stands in the file."""
    return guarded(text).encode()


def write(
    grid: CellGrid,
    *,
    decimals: int = 4,
    rpm_rows: bool = True,
    notes: Mapping[str, str] | None = None,
) -> bytes:
    """Return a grid as matrix CSV: one table, labels in rpm and kPa or %, NaN as a blank cell."""
    rows, columns = (grid.rpm, grid.load) if rpm_rows else (grid.load, grid.rpm)
    values = grid.values if rpm_rows else grid.values.T
    lines = [f"# {key}: {value}" for key, value in (notes or {}).items()]
    corner = f"{_WORD_OF[rows.channel]}\\{_WORD_OF[columns.channel]}"
    lines.append(",".join([corner, *(f"{node:g}" for node in columns.nodes)]))
    lines += [
        ",".join([f"{node:g}", *(guarded(cell_text(v, decimals)) for v in row)])
        for node, row in zip(rows.nodes, values, strict=True)
    ]
    return ("\n".join(lines) + "\n").encode()


def cell_text(value: float, decimals: int) -> str:
    """Return a value as a cell: no trailing zeros, blank for NaN.

    >>> cell_text(1.0, 4), cell_text(0.95442, 4), cell_text(float("nan"), 4)
    ('1', '0.9544', '')
    """
    if not np.isfinite(value):
        return ""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _lines(data: bytes) -> tuple[dict[str, str], list[list[_Field]]]:
    """Return the comment lines, and the fields of the others with their places."""
    found: dict[str, str] = {}
    rows: list[list[_Field]] = []
    at = len(b"\xef\xbb\xbf") if data.startswith(b"\xef\xbb\xbf") else 0
    delimiter = b""
    for match in re.finditer(rb"[^\r\n]+", data[at:]):
        line, start = match.group(), match.start() + at
        if line.lstrip().startswith(b"#"):
            key, _, value = line.lstrip(b"# ").decode("utf-8", "replace").partition(":")
            found[key.strip().lower()] = value.strip()
        elif line.strip():
            delimiter = delimiter or max(_DELIMITERS, key=line.count)
            rows.append(_fields(line, start, delimiter))
    return found, rows


def _fields(line: bytes, start: int, delimiter: bytes) -> list[_Field]:
    fields, at = [], start
    for raw in line.split(delimiter):
        text = raw.strip(b' "')
        inside = at + (raw.find(text) if text else 0)
        try:
            fields.append(_Field(text.decode("utf-8"), inside, inside + len(text)))
        except UnicodeDecodeError as error:
            raise TuneError("The table is not UTF-8 text. Save it as CSV UTF-8.") from error
        at += len(raw) + len(delimiter)
    return fields


def _row(fields: Sequence[_Field], width: int) -> Sequence[_Field]:
    if len(fields) == width + 1 and not fields[-1].text:
        fields = fields[:-1]
    if len(fields) != width:
        raise TuneError(
            f"The row “{fields[0].text}” has {len(fields) - 1} cells, the header "
            f"{width - 1}. Every row needs one cell for each column."
        )
    for field in fields[1:]:
        text = unguarded(field.text)
        if text.lower() not in _BLANK and np.isnan(number(text)):
            raise TuneError(
                f"“{text[:30]}” in the row “{fields[0].text}” is not a number. "
                "Use a decimal point and leave cells without a value empty."
            )
    return fields


def _sides(corner: str) -> tuple[AxisUnit, AxisUnit] | None:
    """Return what rows and columns measure by the corner label.

    >>> [side.channel.value for side in _sides("RPM\\\\TPS_%")]
    ['rpm', 'tps']
    """
    parts = [part for part in re.split(r"[\\/|×]| x ", corner.strip()) if part.strip()]
    sides = [axis_unit(part) for part in parts[:2]]
    if not sides or sides[0] is None:
        return None
    first = sides[0]
    if len(sides) == 2:
        return (first, sides[1]) if sides[1] is not None else None
    return (first, MAP_KPA) if first.channel is Channel.RPM else (first, RPM)
