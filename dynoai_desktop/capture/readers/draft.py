"""A log table while it is being put together: what is known about each column so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.logs import Code, LogColumn, LogWarning
from dynoai_desktop.core.trust.scoring import read_channel
from dynoai_desktop.core.units import Unit

_LISTED = 8  # names written out in one sentence


@dataclass(slots=True)
class Draft:
    """Columns with what has been found out about them; *set_aside* are not offered as channels."""

    columns: list[LogColumn]
    time_index: int | None
    time_s: NDArray[np.float64]
    set_aside: set[int] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return int(self.time_s.size)

    def data(self) -> Iterator[tuple[int, LogColumn]]:
        """Yield the columns that are not the time."""
        return ((i, c) for i, c in enumerate(self.columns) if i != self.time_index)

    def live(self) -> Iterator[tuple[int, LogColumn]]:
        """Yield the columns with values that have not been set aside."""
        return ((i, c) for i, c in self.data() if c.count and i not in self.set_aside)

    def identity(self, index: int, *, unit: bool = True) -> Channel | None:
        """Return what a column is by its name (and its unit, unless told not to look)."""
        column = self.columns[index]
        name = f"({column.device}) {column.name}" if column.device else column.name
        readings = read_channel(name, column.unit if unit else Unit.NONE)
        return readings[0].channel if readings else None

    def named(self, *names: str) -> dict[str, int]:
        """Return the first column of each of these names, in lower case, that has values."""
        found: dict[str, int] = {}
        for i, column in self.data():
            key = column.name.lower()
            if key in names and column.count and key not in found:
                found[key] = i
        return found

    def offered(self, index: int) -> bool:
        """Return True for a column that may become a canonical channel."""
        unfit = index == self.time_index or index in self.set_aside
        return not unfit and self.columns[index].count > 0

    def assign(self, index: int, channel: Channel) -> None:
        """Say that a column is *channel*."""
        self.columns[index] = replace(self.columns[index], canonical=channel)

    def measure(self) -> list[LogWarning]:
        """Count every column and take its smallest and largest value; infinity becomes missing."""
        endless = []
        for i, column in enumerate(self.columns):
            measured = _measured(column)
            if measured.values is not column.values:
                endless.append(i)
            self.columns[i] = measured
        if not endless:
            return []
        message = f"Infinite values in {self.names(endless)} are taken as missing."
        return [LogWarning(Code.NON_FINITE, message, self.keys(endless))]

    def keys(self, indexes: Iterable[int]) -> tuple[str, ...]:
        """Return the keys of some columns."""
        return tuple(self.columns[i].key for i in indexes)

    def names(self, indexes: Iterable[int]) -> str:
        """Return some columns as a list to read, shortened when it is long."""
        headers = [f"“{self.columns[i].header}”" for i in indexes]
        more = len(headers) - _LISTED
        return ", ".join(headers[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _measured(column: LogColumn) -> LogColumn:
    values = column.values
    if values.size == 0:
        return column
    low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    if np.isinf(low) or np.isinf(high):
        values = np.where(np.isfinite(values), values, np.nan)
        low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    count = int(np.count_nonzero(values == values))
    return replace(column, values=values, count=count, minimum=low, maximum=high)


def unique_keys(texts: Sequence[str]) -> tuple[list[str], list[LogWarning]]:
    """Return a unique key for each header, and what to say about those that come twice."""
    seen: Counter[str] = Counter()
    keys = []
    for text in texts:
        seen[text] += 1
        keys.append(text if seen[text] == 1 else f"{text} #{seen[text]}")
    twice = [text for text, count in seen.items() if count > 1]
    if not twice:
        return keys, []
    names = ", ".join(f"“{text}”" for text in twice[:_LISTED])
    message = f"The header has {names} more than once; the first is used, all are kept."
    return keys, [LogWarning(Code.DUPLICATE_HEADER, message, tuple(twice))]
