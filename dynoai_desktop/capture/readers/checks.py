"""What there is to say about a whole log once its channels are known. One row a check."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import numpy as np

from dynoai_desktop.capture.readers.draft import Draft
from dynoai_desktop.capture.readers.units import unknown_units
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.logs import Code, LogWarning
from dynoai_desktop.core.normalise_units import MIXTURES

_ENOUGH_ROWS = 10
_MOSTLY = 0.5
_UNNAMED = re.compile(r"chan(nel)?[ _]?\d+|column \d+|\?+", re.IGNORECASE)
_BITS = frozenset({"bit", "bits"})
_MEASURED = frozenset(
    c for c in MIXTURES if not (CHANNELS[c].carried_as or c).value.startswith("lambda_cmd")
)


def held_values(draft: Draft) -> Iterable[LogWarning]:
    """Find rows that only repeat the row before: the logger was faster than its source."""
    columns = [c for _, c in draft.data() if c.count]
    if draft.rows < _ENOUGH_ROWS or not columns:
        return
    same = np.ones(draft.rows - 1, dtype=bool)
    for column in columns:
        now, before = column.values[1:], column.values[:-1]
        same &= (now == before) | (np.isnan(now) & np.isnan(before))
        if not same.any():
            return
    repeats = int(np.count_nonzero(same))
    if repeats < _MOSTLY * draft.rows or repeats == same.size:
        return
    ticks = np.concatenate(([0], np.flatnonzero(~same) + 1))
    for i, column in draft.data():
        draft.columns[i] = replace(column, ticks=ticks)
    every = np.diff(draft.time_s[ticks]).mean()
    pace = f", about one every {every:.1f} s" if np.isfinite(every) else ""
    yield LogWarning(
        Code.HELD_VALUES,
        f"{repeats:,} of {draft.rows:,} rows repeat the row before: there are only "
        f"{ticks.size:,} different readings{pace}.",
    )


def constant_channels(draft: Draft) -> Iterable[LogWarning]:
    """Name the channels that never change."""
    still = [
        i
        for i, c in draft.data()
        if c.count and c.minimum == c.maximum and draft.rows >= _ENOUGH_ROWS
    ]
    if still:
        yield LogWarning(
            Code.CONSTANT_CHANNEL,
            f"{_channels(still)} never changing: {draft.names(still)}.",
            draft.keys(still),
        )


def empty_channels(draft: Draft) -> Iterable[LogWarning]:
    """Name the channels without a single value."""
    empty = [i for i, c in draft.data() if not c.count and draft.rows]
    if empty:
        yield LogWarning(
            Code.EMPTY_CHANNEL,
            f"{_channels(empty)} without values: {draft.names(empty)}.",
            draft.keys(empty),
        )


def copied_channels(draft: Draft) -> Iterable[LogWarning]:
    """Name channels that carry the values of another under another name."""
    alike: dict[tuple[int, float, float], list[int]] = defaultdict(list)
    for i, c in draft.data():
        if c.count >= _ENOUGH_ROWS and c.minimum < c.maximum:
            alike[c.count, c.minimum, c.maximum].append(i)
    copies: dict[int, int] = {}
    for group in alike.values():
        for place, i in enumerate(group):
            if i in copies:
                continue
            for j in group[place + 1 :]:
                a, b = draft.columns[i], draft.columns[j]
                if a.name != b.name and np.array_equal(a.values, b.values, equal_nan=True):
                    copies[j] = i
    if copies:
        pairs = ", ".join(
            f"“{draft.columns[j].name}” of “{draft.columns[i].name}”"
            for j, i in list(copies.items())[:6]
        )
        more = f" and {len(copies) - 6} more" if len(copies) > 6 else ""
        yield LogWarning(
            Code.COPIED_CHANNEL,
            f"{_channels(copies)} copied from another: {pairs}{more}.",
            draft.keys(copies),
        )


def unnamed_channels(draft: Draft) -> Iterable[LogWarning]:
    """Name the channels that nobody has given a name."""
    unnamed = [i for i, c in draft.data() if _UNNAMED.fullmatch(c.name)]
    if unnamed:
        yield LogWarning(
            Code.UNNAMED_CHANNEL,
            f"{_channels(unnamed)} without a name: {draft.names(unnamed)}. What is measured "
            "there is not known.",
            draft.keys(unnamed),
        )


def bit_fields(draft: Draft) -> Iterable[LogWarning]:
    """Name the channels whose number is a set of switches."""
    sets = [i for i, c in draft.data() if c.unit_text.lower() in _BITS]
    if sets:
        yield LogWarning(
            Code.BIT_FIELD,
            f"{draft.names(sets)}: a set of switches stored as a number; its mean says nothing.",
            draft.keys(sets),
        )


def missing_channels(draft: Draft) -> Iterable[LogWarning]:
    """Say which of the channels an analysis rests on are not in the file."""
    have = {c.canonical for c in draft.columns if c.canonical is not None}
    if Channel.RPM not in have:
        yield LogWarning(Code.NO_RPM, "No engine speed was found. Choose it in Mapping, or log it.")
    if have.isdisjoint({Channel.MAP, Channel.TPS}):
        yield LogWarning(
            Code.NO_LOAD,
            "Neither manifold pressure nor throttle position was found. Choose one in Mapping, "
            "or log it; it is never worked out from rpm.",
        )
    if have.isdisjoint(_MEASURED):
        yield LogWarning(
            Code.NO_MIXTURE,
            "No measured AFR or lambda was found, so fuel cannot be judged from this log.",
        )


def _channels(found: Collection[int]) -> str:
    return "1 channel" if len(found) == 1 else f"{len(found)} channels"


TABLE_CHECKS: tuple[Callable[[Draft], Iterable[LogWarning]], ...] = (
    unknown_units,
    missing_channels,
    held_values,
    constant_channels,
    empty_channels,
    copied_channels,
    unnamed_channels,
    bit_fields,
)
