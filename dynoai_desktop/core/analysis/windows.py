"""Rows summarised on the program's 50 ms windows, for everything that judges how a signal moves.

Modes and runs are decided on these windows, as they are live, so a log at 50 Hz and the same log
at 100 Hz get the same answer. Windows lie on the fixed grid of 50 ms since 1970. Time without
rows costs nothing: a silence longer than a second becomes one second of empty windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64, Frame
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import WINDOWS_PER_S

WINDOW_S = 1.0 / WINDOWS_PER_S
_LONGEST_SILENCE = WINDOWS_PER_S  # windows kept of a silence
_BRIDGED = WINDOWS_PER_S // 2  # windows: slower channels are drawn straight between their ticks


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Means per window, (k,) each, and the window every row fell into, (n,)."""

    start_s: F64
    of_row: NDArray[np.intp]
    means: Mapping[Channel, F64]

    def __len__(self) -> int:
        """Return the number of windows."""
        return int(self.start_s.size)


def summarise(frame: Frame, channels: Iterable[Channel]) -> Windows:
    """Return the window means of those of *channels* that the frame has."""
    if not len(frame):
        return Windows(np.empty(0), np.empty(0, dtype=np.intp), {})
    # A tenth of a microsecond forgives the rounding of times written as text.
    index = np.floor(frame.time_s * WINDOWS_PER_S + 2e-6).astype(np.int64)
    step = np.diff(index)
    of_row = np.concatenate(([0], np.cumsum(np.minimum(step, _LONGEST_SILENCE)))).astype(np.intp)
    count = int(of_row[-1]) + 1
    skipped = np.zeros(count)
    jumps = np.flatnonzero(step > _LONGEST_SILENCE)
    skipped[of_row[jumps + 1]] = step[jumps] - _LONGEST_SILENCE
    start_s = (np.arange(count) + index[0] + np.cumsum(skipped)) * WINDOW_S
    means = {c: _means(frame.columns[c], of_row, count) for c in channels if c in frame}
    return Windows(start_s, of_row, means)


def _means(values: F64, of_row: NDArray[np.intp], count: int) -> F64:
    finite = np.isfinite(values)
    if not finite.all():
        values, of_row = values[finite], of_row[finite]
    out = np.full(count, np.nan)
    if values.size:
        # Windows follow each other, so every window is one stretch of rows.
        start = np.concatenate(([0], np.flatnonzero(np.diff(of_row)) + 1))
        rows = np.diff(np.append(start, values.size))
        out[of_row[start]] = np.add.reduceat(values, start) / rows
    return _bridge(out)


def _bridge(values: F64) -> F64:
    ticks = np.flatnonzero(np.isfinite(values))
    if ticks.size < 2 or ticks.size == values.size:
        return values
    holes = np.flatnonzero(~np.isfinite(values))
    holes = holes[(holes > ticks[0]) & (holes < ticks[-1])]
    after = np.searchsorted(ticks, holes)
    left, right = ticks[after - 1], ticks[after]
    near = right - left <= _BRIDGED
    holes, left, right = holes[near], left[near], right[near]
    values[holes] = values[left] + (holes - left) / (right - left) * (values[right] - values[left])
    return values


def slope(values: F64) -> F64:
    """Return the rate per second by the least-squares line through five windows.

    The Savitzky-Golay derivative of order one; ends and windows beside a gap hold NaN.

    >>> slope(np.arange(5.0)).tolist()
    [nan, nan, 20.0, nan, nan]
    """
    out = np.full(values.size, np.nan)
    if values.size >= 5:
        v = values
        out[2:-2] = (2 * (v[4:] - v[:-4]) + (v[3:-1] - v[1:-3])) / (10 * WINDOW_S)
    return out


def smooth(values: F64) -> F64:
    """Return the mean of five windows where all five were heard, else the window itself."""
    out = np.array(values)
    if values.size >= 5:
        v = values
        mean = (v[4:] + v[3:-1] + v[2:-2] + v[1:-3] + v[:-4]) / 5
        out[2:-2] = np.where(np.isfinite(mean), mean, v[2:-2])
    return out


def noise(values: F64) -> float:
    """Return the standard deviation of the noise of one window, blind to slopes.

    From the median size of the second difference, whose variance is six times that of white
    noise; a ramp has none.
    """
    second = np.abs(values[2:] - 2 * values[1:-1] + values[:-2])
    second = second[np.isfinite(second)]
    if second.size < 8:
        return 0.0
    return float(np.median(second) / (0.6745 * np.sqrt(6.0)))
