"""The 20 Hz table of our own sessions: ``time_s``, then ``<canonical> [<unit>]``.

Comment lines may stand above the header; one that says SIMULATED marks the whole log.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from dynoai_desktop.capture.readers.checks import TABLE_CHECKS
from dynoai_desktop.capture.readers.contract import Cancelled, LogReader, Progress
from dynoai_desktop.capture.readers.delimited import TextTable, read_table
from dynoai_desktop.capture.readers.draft import Draft, unique_keys
from dynoai_desktop.capture.readers.headers import parse_header
from dynoai_desktop.capture.readers.textlog import preamble_info, text_warnings
from dynoai_desktop.capture.readers.timebase import Clock, describe_time
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.logs import Code, LogColumn, LogTable, LogWarning, UnitSource
from dynoai_desktop.core.units import Unit

_TIME = "time_s"
_SIMULATED = "SIMULATED"
_CHANNELS = frozenset(channel.value for channel in Channel)


def detect(_path: Path, head: bytes) -> float:
    """Return 1 when the header, below any comments, is that of our own table."""
    for line in head.splitlines():
        if not line.startswith(b"#"):
            named = line.startswith(b"time_s,") and b" [" in line
            return 1.0 if named else 0.0
    return 0.0


def read(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> LogTable:
    """Return the log in *path*. Raises ReaderError."""
    text = read_table(path, progress, cancelled)
    draft, warnings = _draft(text)
    warnings += [*text_warnings(text), *draft.measure()]
    base, said = describe_time(_TIME, Clock(draft.time_s, UnitSource.HEADER))
    warnings += said
    for check in TABLE_CHECKS:
        warnings += check(draft)
    simulated = any(_SIMULATED in line for line in text.dialect.preamble)
    if simulated:
        message = "This session was recorded from the simulator, not from an engine."
        warnings.insert(0, LogWarning(Code.SIMULATED, message))
    return LogTable(
        format="session",
        title="DynoAI session table",
        time_s=draft.time_s,
        time=base,
        columns=tuple(draft.columns),
        warnings=tuple(warnings),
        info=preamble_info(text),
        simulated=simulated,
    )


def _draft(text: TextTable) -> tuple[Draft, list[LogWarning]]:
    keys, warnings = unique_keys(text.dialect.names)
    columns: list[LogColumn] = []
    taken: set[str] = set()
    for i, (key, name) in enumerate(zip(keys, text.dialect.names, strict=True)):
        header = parse_header(name, bracket_is_unit=True)
        known = header.name in _CHANNELS and header.name not in taken
        taken.add(header.name)
        columns.append(
            LogColumn(
                key=key,
                header=header.text,
                name=header.name,
                values=text.numbers[i],
                unit=_unit(header.unit_text),
                unit_text=header.unit_text,
                unit_source=UnitSource.HEADER,
                canonical=Channel(header.name) if known else None,
            )
        )
    time_s = np.where(np.isfinite(text.numbers[0]), text.numbers[0], np.nan)
    columns[0] = replace(columns[0], values=time_s, unit=Unit.SECOND)
    return Draft(columns, 0, time_s), warnings


def _unit(text: str) -> Unit:
    return Unit(text) if text in Unit._value2member_map_ else Unit.NONE


READER = LogReader("session", "DynoAI session table", (".csv",), detect, read)
