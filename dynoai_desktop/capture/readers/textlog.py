"""From the rows of a text log to a table: shared by every text format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from dynoai_desktop.capture.readers.contract import Cancelled, Progress
from dynoai_desktop.capture.readers.delimited import TextTable, read_table
from dynoai_desktop.capture.readers.table import Extras, Format, RawColumn, build_table
from dynoai_desktop.core.logs import Code, LogTable, LogWarning, Marker


def read_text_log(
    path: Path,
    form: Format,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> LogTable:
    """Return the log in a text file of rows and columns. Raises ReaderError."""
    table = read_table(path, progress, cancelled)
    extras = Extras(
        markers=tuple(Marker(np.nan, row, text) for row, text in table.odd.notes),
        warnings=tuple(text_warnings(table)),
        info=preamble_info(table),
    )
    return build_table(raw_columns(table), form, extras)


def raw_columns(table: TextTable) -> list[RawColumn]:
    """Return the columns as they stand in the file."""
    dialect = table.dialect
    return [
        RawColumn(name, table.numbers[i], dialect.units[i], table.texts.get(i))
        for i, name in enumerate(dialect.names)
    ]


def preamble_info(table: TextTable) -> Mapping[str, str]:
    """Return what stands above the header, one line each."""
    lines = (line.strip() for line in table.dialect.preamble)
    return {f"line {i}": line for i, line in enumerate(lines, start=1) if line}


def text_warnings(table: TextTable) -> Iterator[LogWarning]:
    """Yield what did not fit when the rows were read."""
    odd, names = table.odd, table.dialect.names
    ragged = []
    if odd.short_rows:
        ragged.append(
            f"{_rows(odd.short_rows)} shorter than the header (first in line "
            f"{odd.first_short:,}): the missing cells stay missing"
        )
    if odd.long_rows:
        ragged.append(
            f"{_rows(odd.long_rows)} longer than the header (first in line "
            f"{odd.first_long:,}): left out, since it is not known which cell is which"
        )
    if odd.cut_last:
        ragged.append("the last row is cut off and left out")
    if ragged:
        sentence = "; ".join(ragged)
        yield LogWarning(Code.RAGGED_ROWS, f"{sentence[0].upper()}{sentence[1:]}.")
    for column, bad in sorted(odd.bad_cells.items()):
        name = names[column] or f"column {column + 1}"
        cells = (
            "1 cell that is no number"
            if bad.count == 1
            else (f"{bad.count:,} cells that are no numbers")
        )
        yield LogWarning(
            Code.TEXT_IN_NUMBERS,
            f"“{name}” has {cells}, taken as missing (first “{bad.example[:40]}” in line "
            f"{bad.line:,}).",
            (name,),
        )
    words = [names[i] for i in sorted(table.texts) if not _is_time_like(table.texts[i])]
    if words:
        listed = ", ".join(f"“{name}”" for name in words[:8])
        yield LogWarning(
            Code.TEXT_CHANNEL, f"Words, not numbers, in {listed}: not read.", tuple(words)
        )


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count:,} rows are"


def _is_time_like(cells: list[str]) -> bool:
    return any(cell[:1].isdigit() for cell in cells[:50])
