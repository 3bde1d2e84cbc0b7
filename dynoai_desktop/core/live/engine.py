"""The live engine: aggregates in, one frozen snapshot out.

Pure and deterministic: it knows no clock, so the same aggregates give the same snapshot live, in
replay at any speed and offline. An aggregate without rpm or load adds nothing to the map; what it
does carry is still shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from dynoai_desktop.core.axis import Axis, CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.live.snapshot import History, Reading, Snapshot, TrailPoint
from dynoai_desktop.core.samples import WINDOWS_PER_S, Aggregate

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


class LiveEngine:
    """Accumulates what the live page shows. Not thread-safe: one thread observes and asks."""

    def __init__(self, rpm: Axis | None = None, load: Axis | None = None) -> None:
        """Start empty on these axes; the defaults are 500 rpm × 10 kPa."""
        self._rpm = rpm or default_rpm_axis()
        self._load = load or default_map_axis()
        self.reset()

    def reset(self) -> None:
        """Forget everything seen, as if no aggregate had come."""
        self._hits = CellGrid.zeros(self._rpm, self._load)
        self._readings: dict[Channel, Reading] = {}
        self._trail: deque[tuple[int, float, float]] = deque()
        self._windows = 0
        self._index: int | None = None
        self._active: tuple[int, int] | None = None
        # Each row is written twice, a minute apart, so that the last minute is always one
        # unbroken slice.
        self._times = np.full(2 * _WINDOWS, np.nan)
        self._series = np.full((len(HISTORY_CHANNELS), 2 * _WINDOWS), np.nan, np.float32)
        self._at = 0

    def observe(self, aggregate: Aggregate) -> None:
        """Take in one window. Windows come in order; a jump in time leaves a gap in the charts."""
        if self._index is not None and aggregate.index > self._index + 1:
            self._skip(min(aggregate.index - self._index - 1, _WINDOWS))
        self._index = aggregate.index
        self._windows += 1
        means = aggregate.means
        for channel, value in means.items():
            self._readings[channel] = Reading(value, aggregate.start_s)
        self._write(aggregate.start_s, means)
        self._place(aggregate)

    def _skip(self, count: int) -> None:
        assert self._index is not None
        for missing in range(count):
            self._write((self._index + 1 + missing) / WINDOWS_PER_S, {})

    def _write(self, start_s: float, means: Mapping[Channel, float]) -> None:
        for column in (self._at, self._at + _WINDOWS):
            self._times[column] = start_s
            self._series[:, column] = [means.get(c, np.nan) for c in HISTORY_CHANNELS]
        self._at = (self._at + 1) % _WINDOWS

    def _place(self, aggregate: Aggregate) -> None:
        rpm = aggregate.means.get(Channel.RPM)
        load = aggregate.means.get(self._load.channel)
        oldest = aggregate.index - TRAIL_S * WINDOWS_PER_S
        while self._trail and self._trail[0][0] <= oldest:
            self._trail.popleft()
        self._active = None
        if rpm is None or load is None or rpm <= 0:
            return
        self._trail.append((aggregate.index, rpm, load))
        row, column = self._rpm.locate(rpm), self._load.locate(load)
        if row is not None and column is not None:
            self._active = (row, column)
            self._hits.values[row, column] += 1

    def snapshot(self) -> Snapshot:
        """Return what is true now; nothing in it changes afterwards."""
        newest = self._index if self._index is not None else -1
        window = slice(self._at, self._at + _WINDOWS)
        times = self._times[window].copy()
        filled = int(np.count_nonzero(~np.isnan(times)))
        series = self._series[:, window].copy()
        history = History(
            times[_WINDOWS - filled :],
            MappingProxyType(
                {c: series[i, _WINDOWS - filled :] for i, c in enumerate(HISTORY_CHANNELS)}
            ),
        )
        trail = tuple(
            TrailPoint(rpm, load, (newest - index) / WINDOWS_PER_S)
            for index, rpm, load in self._trail
        )
        return Snapshot(
            time_s=(newest + 1) / WINDOWS_PER_S,
            windows=self._windows,
            readings=MappingProxyType(dict(self._readings)),
            history=history,
            hits=CellGrid(self._rpm, self._load, self._hits.values.copy()),
            active_cell=self._active,
            trail=trail,
            off=MappingProxyType(self._off()),
        )

    def _off(self) -> dict[str, str]:
        missing = [c for c in (Channel.RPM, self._load.channel) if c not in self._readings]
        if not missing or not self._windows:
            return {}
        names = " and ".join(CHANNELS[c].title.lower() for c in missing)
        return {"map": f"No {names} heard yet, so the map stays empty."}
