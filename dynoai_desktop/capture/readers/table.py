"""From raw columns to a LogTable: units, canonical channels, and what to warn about.

The same for every format. What a format knows by itself (its units, how its time is written) comes
in as a Format; canonical names come from the one resolver of the mapping, so a file and a live bus
mean the same by the same name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.readers.checks import TABLE_CHECKS
from dynoai_desktop.capture.readers.draft import Draft, unique_keys
from dynoai_desktop.capture.readers.headers import Header, parse_header, unit_word
from dynoai_desktop.capture.readers.judge import BEFORE_MAPPING
from dynoai_desktop.capture.readers.timebase import (
    Clock,
    clock_of_numbers,
    clock_of_text,
    describe_time,
    find_time,
    no_time,
)
from dynoai_desktop.capture.readers.units import settle_units
from dynoai_desktop.core.logs import (
    Code,
    LogColumn,
    LogTable,
    LogWarning,
    Marker,
    TimeBase,
    UnitSource,
)
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.mapping import resolve
from dynoai_desktop.core.trust.scoring import read_channel
from dynoai_desktop.core.units import Unit


@dataclass(frozen=True, slots=True)
class RawColumn:
    """One column as it stands in the file; *text* where it is not numbers."""

    header: str
    values: NDArray[np.float64] | NDArray[np.float32]
    unit_text: str = ""
    text: Sequence[str] | None = None


def _no_unit(_header: Header) -> Unit | None:
    return None


def _no_checks(_draft: Draft) -> Iterable[LogWarning]:
    return ()


@dataclass(frozen=True, slots=True)
class Format:
    """What one format knows about all its files."""

    name: str  # as it stands in JSON
    title: str
    unit_of: Callable[[Header], Unit | None] = _no_unit  # units the format uses without saying
    bracket_is_unit: bool = False
    time_unit: Unit | None = None
    judge: Callable[[Draft], Iterable[LogWarning]] = _no_checks  # before channels are resolved


@dataclass(frozen=True, slots=True)
class Extras:
    """What a reader found beside the columns."""

    markers: tuple[Marker, ...] = ()
    warnings: tuple[LogWarning, ...] = ()
    info: Mapping[str, str] = field(default_factory=dict)
    time: Clock | None = None  # where the time does not come from a column


def build_table(raw: Sequence[RawColumn], form: Format, extras: Extras | None = None) -> LogTable:
    """Return the table of a log from its raw columns, all of one length."""
    extras = extras or Extras()
    kept = [c for c in raw if c.header or c.text is not None or np.isfinite(c.values).any()]
    headers = [_header(column, i, form) for i, column in enumerate(kept)]
    keys, warnings = unique_keys([header.text for header in headers])
    clock, at = _clock(kept, headers, extras.time, form)
    draft = Draft(
        [
            _column(key, header, column, form)
            for key, header, column in zip(keys, headers, kept, strict=True)
        ],
        time_index=at,
        time_s=clock.time_s if clock else np.full(_rows(kept), np.nan),
    )
    base = TimeBase()
    rows = draft.rows
    if clock is not None and rows:
        base, said = describe_time(keys[at] if at is not None else "", clock)
        warnings += said
        if at is not None:
            draft.columns[at] = _time_column(draft.columns[at], clock)
    elif rows:
        warnings.append(no_time())
    warnings += draft.measure()
    warnings += settle_units(draft)
    warnings += form.judge(draft)
    for rule in BEFORE_MAPPING:
        warnings += rule(draft)
    warnings += _resolve(draft, form)
    for check in TABLE_CHECKS if rows else ():
        warnings += check(draft)
    info = dict(extras.info)
    if clock is not None and clock.started:
        info.setdefault("started", clock.started)
    return LogTable(
        format=form.name,
        title=form.title,
        time_s=draft.time_s,
        time=base,
        columns=tuple(draft.columns),
        markers=tuple(_timed(marker, draft.time_s) for marker in extras.markers),
        warnings=(*extras.warnings, *warnings),
        info=info,
    )


def _timed(marker: Marker, time_s: NDArray[np.float64]) -> Marker:
    """Return the marker with the time of the row before it."""
    if not time_s.size:
        return marker
    return replace(marker, time_s=float(time_s[max(marker.row - 1, 0)]))


def _rows(raw: Sequence[RawColumn]) -> int:
    return int(raw[0].values.size) if raw else 0


def _header(column: RawColumn, index: int, form: Format) -> Header:
    text = column.header or f"column {index + 1}"
    header = parse_header(text, bracket_is_unit=form.bracket_is_unit)
    if not column.unit_text:
        return header
    word = unit_word(column.unit_text.strip("()[]"))
    # "Battery V" in V is a battery, not another kind of one.
    name = re.sub(rf" {re.escape(column.unit_text)}$", "", header.name, flags=re.IGNORECASE)
    return replace(header, name=name, unit_text=column.unit_text, unit=word)


def _clock(
    raw: Sequence[RawColumn], headers: Sequence[Header], given: Clock | None, form: Format
) -> tuple[Clock | None, int | None]:
    """Return the time of the rows and the column it comes from."""
    at = find_time(headers)
    if given is not None:
        return given, at
    if at is None:
        return None, None
    text = raw[at].text
    if text is None:
        return clock_of_numbers(headers[at], np.asarray(raw[at].values, float), form.time_unit), at
    clock = clock_of_text(text)
    return clock, at if clock is not None else None


def _column(key: str, header: Header, raw: RawColumn, form: Format) -> LogColumn:
    values = raw.values if raw.text is None else _words(raw.text)
    written = form.unit_of(header)
    unit, source = Unit.NONE, UnitSource.UNKNOWN
    if header.unit is not None:
        unit, source = header.unit.unit, UnitSource.HEADER
        values = values if header.unit.gain == 1.0 else values * header.unit.gain
    elif written is not None:
        unit, source = written, UnitSource.FORMAT
    known = read_channel(header.name, unit)
    return LogColumn(
        key=key,
        header=header.text,
        name=header.name if known else header.bare,
        values=values,
        device=header.device,
        unit=unit,
        unit_text=header.unit_text,
        unit_source=source,
    )


_SWITCH = {"on": 1.0, "true": 1.0, "yes": 1.0, "off": 0.0, "false": 0.0, "no": 0.0}


def _words(cells: Sequence[str]) -> NDArray[np.float64]:
    """Return 1 and 0 for switches; other words have no number."""
    return np.array([_SWITCH.get(cell.lower(), np.nan) for cell in cells])


def _time_column(column: LogColumn, clock: Clock) -> LogColumn:
    return replace(column, values=clock.time_s, unit=Unit.SECOND, unit_source=clock.unit_source)


def _resolve(draft: Draft, form: Format) -> list[LogWarning]:
    """Give columns their canonical channels through the mapping's resolver."""
    offers = [
        ChannelInfo(
            provider=form.title,
            id=i,
            name=f"({c.device}) {c.name}" if c.device else c.name,
            unit=c.unit,
        )
        for i, c in enumerate(draft.columns)
        if draft.offered(i)
    ]
    found = resolve(offers)
    for channel, binding in found.bindings.items():
        draft.assign(binding.source.id, channel)
    warnings = []
    for channel, rivals in found.ambiguous.items():
        chosen = found.bindings.get(channel)
        used = f"“{chosen.source.name}” is used" if chosen else "none is used"
        message = f"{_quoted(rivals)} could each be {channel.value}; {used}. Choose in Mapping."
        warnings.append(
            LogWarning(Code.AMBIGUOUS_CHANNEL, message, draft.keys(info.id for info in rivals))
        )
    return warnings


def _quoted(channels: Sequence[ChannelInfo]) -> str:
    return " and ".join(f"“{info.name}”" for info in channels[:4])
