"""Power Vision logs, "Pro-XY": a list of signals, then one line for each value.

Every signal comes at its own pace. A row of the table is a time at which at least one signal was
written; the others are missing in that row, they are not carried on.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.readers.contract import (
    Cancelled,
    LogReader,
    Progress,
    ReaderError,
)
from dynoai_desktop.capture.readers.delimited import TextTable, read_table
from dynoai_desktop.capture.readers.table import Extras, Format, RawColumn, build_table
from dynoai_desktop.capture.readers.textlog import text_warnings
from dynoai_desktop.capture.readers.timebase import Clock
from dynoai_desktop.core.logs import Code, LogTable, LogWarning, UnitSource

_TITLE = b"Dynojet Power Vision Log File"
_TIME, _SIGNAL, _VALUE = "Time(ms)", "Signal", "Value"
_HEX = re.compile(r"[0-9A-Fa-f]{1,16}")
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_INDEX = re.compile(r"[0-9]{1,4}")
_MAX_SIGNALS = 10_000
_MAX_CELLS = 200_000_000  # of the table that the rows spread out to

_FORM = Format("powervision", "Power Vision log")


@dataclass(frozen=True, slots=True)
class _Signal:
    index: int
    name: str
    units: str


def detect(_path: Path, head: bytes) -> float:
    """Return 0.95 for the title line of a Power Vision log."""
    return 0.95 if _TITLE in head[:200] else 0.0


def read(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> LogTable:
    """Return the log in *path*. Raises ReaderError."""
    rows = read_table(path, progress, cancelled, text=frozenset({_VALUE}))
    names = list(rows.dialect.names)
    if not {_TIME, _SIGNAL, _VALUE} <= set(names):
        raise ReaderError(
            f"{path.name} is a Power Vision log, but not of the “Pro-XY” kind: its rows are not "
            "time, signal and value. Export it as CSV again."
        )
    signals = _signals(rows.dialect.preamble)
    time_ms = rows.numbers[names.index(_TIME)]
    index = rows.numbers[names.index(_SIGNAL)]
    cells = rows.texts[names.index(_VALUE)]
    whole = np.isfinite(time_ms) & (index >= 0) & (index < _MAX_SIGNALS)
    if not whole.any():
        raise ReaderError(f"{path.name} has no values below its list of signals. Record again.")
    times, place = np.unique(time_ms[whole], return_inverse=True)
    used = index[whole].astype(np.int64)
    listed = {signal.index for signal in signals}
    signals += [_Signal(int(i), f"channel {i}", "") for i in np.unique(used) if i not in listed]
    if times.size * len(signals) > _MAX_CELLS:
        raise ReaderError(f"{path.name} is too long to be opened at once. Export a part of it.")
    kept = [cell for cell, use in zip(cells, whole, strict=True) if use]
    warnings = list(text_warnings(rows))
    columns = []
    for signal in signals:
        at = np.flatnonzero(used == signal.index)
        column, said = _column(signal, times.size, place[at], [kept[i] for i in at])
        columns.append(column)
        warnings += said
    clock = Clock(times / 1e3, UnitSource.HEADER)
    extras = Extras(warnings=tuple(warnings), info=_info(rows), time=clock)
    return build_table(columns, _FORM, extras)


def _signals(preamble: Sequence[str]) -> list[_Signal]:
    """Return the signals listed above the rows: index, driver, id, name, units, …"""
    rows = csv.reader(preamble, skipinitialspace=True)
    found = {
        int(fields[0]): (fields[3].strip(), fields[4].strip())
        for fields in rows
        if len(fields) >= 5 and _INDEX.fullmatch(fields[0].strip())
    }
    return [_Signal(index, *texts) for index, texts in found.items()]


def _info(rows: TextTable) -> dict[str, str]:
    for fields in csv.reader(rows.dialect.preamble, skipinitialspace=True):
        if len(fields) >= 2 and fields[0].startswith("Format"):
            return {"format": fields[1]}
    return {}


def _column(
    signal: _Signal, rows: int, place: NDArray[np.intp], cells: Sequence[str]
) -> tuple[RawColumn, list[LogWarning]]:
    name = signal.name or f"channel {signal.index}"
    warnings = []
    if is_hex(cells):
        numbers = [float(int(cell, 16)) if _HEX.fullmatch(cell) else np.nan for cell in cells]
        warnings.append(
            LogWarning(
                Code.HEX_VALUES, f"“{name}” is written in hexadecimal and was read so.", (name,)
            )
        )
    else:
        numbers = [float(cell) if _DECIMAL.fullmatch(cell) else np.nan for cell in cells]
        bad = [c for c, n in zip(cells, numbers, strict=True) if c and np.isnan(n)]
        if bad:
            message = f"{len(bad):,} values of “{name}” are no numbers and stay missing."
            warnings.append(LogWarning(Code.TEXT_IN_NUMBERS, message, (name,)))
    values = np.full(rows, np.nan)
    values[place] = numbers
    repeats = place.size - np.unique(place).size
    if repeats:
        message = f"“{name}” has {repeats:,} more values at a time it had one; the last is used."
        warnings.append(LogWarning(Code.DUPLICATE_VALUES, message, (name,)))
    return RawColumn(name, values, signal.units), warnings


def is_hex(cells: Sequence[str]) -> bool:
    """Return True when a signal is written in hexadecimal.

    Decided for a signal as a whole: in one that holds "26D", the value "100" is 256.

    >>> is_hex(["100", "26D"]), is_hex(["1e5", "2.5"]), is_hex(["100", "-3"])
    (True, False, False)
    """
    filled = [cell for cell in cells if cell]
    if not all(_HEX.fullmatch(cell) for cell in filled):
        return False
    return any(not cell.isdigit() for cell in filled)


READER = LogReader("powervision", "Power Vision log", (".csv",), detect, read)
