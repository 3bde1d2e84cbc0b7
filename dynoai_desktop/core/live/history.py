"""The last minute of a few channels, always one unbroken slice, and the trail on the map."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import WINDOWS_PER_S

HISTORY_S = 60
TRAIL_S = 3

# What the strip charts can show. Everything else lives in the readings alone.
HISTORY_CHANNELS = (
    Channel.RPM,
    Channel.LAMBDA_FRONT,
    Channel.LAMBDA_REAR,
    Channel.LAMBDA,
    Channel.MAP,
    Channel.TPS,
    Channel.POWER,
    Channel.TORQUE,
)

_WINDOWS = HISTORY_S * WINDOWS_PER_S
_ROOM = 4 * _WINDOWS
_NAN = float("nan")


class History(NamedTuple):
    """The last minute at 20 Hz, oldest first. NaN where a window did not hear the channel."""

    time_s: NDArray[np.float64]  # (n,) start of each window, Unix time
    values: Mapping[Channel, NDArray[np.float32]]  # each (n,)


class TrailPoint(NamedTuple):
    """Where the engine was: rpm and load, and how long ago."""

    rpm: float
    load: float
    age_s: float


class HistoryRing:
    """Windows in, the last minute out. A jump in time leaves a gap, never a line across.

    Columns are only ever appended; when the room is used up the last minute moves to a new one.
    What was handed out therefore never changes and need not be copied.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._end = 0
        self._table = np.empty((len(HISTORY_CHANNELS), _ROOM), np.float32)
        self._times = np.empty(_ROOM)

    def write(self, start_s: float, means: Mapping[Channel, float]) -> None:
        """Append one window."""
        if self._end == _ROOM:
            self._move()
        get = means.get
        self._table[:, self._end] = [get(channel, _NAN) for channel in HISTORY_CHANNELS]
        self._times[self._end] = start_s
        self._end += 1

    def _move(self) -> None:
        table, times = self._table[:, -_WINDOWS:], self._times[-_WINDOWS:]
        self._table, self._times = np.empty_like(self._table), np.empty_like(self._times)
        self._table[:, :_WINDOWS], self._times[:_WINDOWS] = table, times
        self._end = _WINDOWS

    def skip(self, first: int, count: int) -> None:
        """Append *count* windows from number *first* in which nothing was heard."""
        for index in range(max(first, first + count - _WINDOWS), first + count):
            self.write(index / WINDOWS_PER_S, {})

    def read(self) -> History:
        """Return the last minute, read-only."""
        window = slice(max(0, self._end - _WINDOWS), self._end)
        times, table = self._times[window], self._table[:, window]
        times.flags.writeable = table.flags.writeable = False
        values = dict(zip(HISTORY_CHANNELS, table, strict=True))
        return History(times, MappingProxyType(values))


class TrailView(Sequence[TrailPoint]):
    """The points of a trail, oldest first, made when somebody looks at them."""

    __slots__ = ("_newest", "_points")

    def __init__(self, points: tuple[tuple[int, float, float], ...], newest: int) -> None:
        """Take (window, rpm, load) of each point; ages count from window *newest*."""
        self._points, self._newest = points, newest

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self._points)

    @overload
    def __getitem__(self, i: int) -> TrailPoint: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[TrailPoint, ...]: ...
    def __getitem__(self, i: int | slice) -> TrailPoint | tuple[TrailPoint, ...]:
        """Return one point, or several."""
        if isinstance(i, slice):
            return tuple([self._point(*p) for p in self._points[i]])
        return self._point(*self._points[i])

    def _point(self, index: int, rpm: float, load: float) -> TrailPoint:
        return TrailPoint(rpm, load, (self._newest - index) / WINDOWS_PER_S)


class Trail:
    """Where the engine was in the last seconds."""

    def __init__(self) -> None:
        """Start empty."""
        self._points: deque[tuple[int, float, float]] = deque()

    def add(self, index: int, rpm: float | None, load: float | None) -> None:
        """Take in one window; without both coordinates it leaves no point."""
        points = self._points
        oldest = index - TRAIL_S * WINDOWS_PER_S
        while points and points[0][0] <= oldest:
            points.popleft()
        if rpm is not None and load is not None and rpm > 0:
            points.append((index, rpm, load))

    def read(self, newest: int) -> TrailView:
        """Return the points, oldest first, with their age at window *newest*."""
        return TrailView(tuple(self._points), newest)
