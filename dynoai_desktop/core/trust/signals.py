"""Recent signals, and what a pair of them says about each other.

Channels arrive at their own rates and moments. Comparisons are made on a common 20 Hz grid:
each signal is interpolated between its own samples and left NaN where it was silent for more
than two seconds. All functions are pure and take numpy arrays; a question that the data cannot
answer is answered with NaN or None, never with a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.ring_buffer import Samples
from dynoai_desktop.core.samples import ChannelInfo

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
SourceKey = tuple[str, int]  # (provider, channel id), one announced channel

GRID_HZ = 20.0
LONGEST_BRIDGE_S = 2.0
FEWEST_POINTS = 20  # common grid points below which two signals are not compared: one second


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """The recent samples of one channel, in the unit it is sent in. Arrays of shape (n,)."""

    time_s: Array
    value: Array  # NaN and infinities as they came

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together: raises ValueError."""
        if self.time_s.shape != self.value.shape or self.time_s.ndim != 1:
            raise ValueError("a signal needs one time for every value")

    @property
    def finite(self) -> Array:
        """Return the values that are numbers."""
        return self.value[np.isfinite(self.value)]


Signals = Mapping[SourceKey, Signal]


def signals_from(samples: Samples, infos: Sequence[ChannelInfo]) -> dict[SourceKey, Signal]:
    """Return the raw samples of a ring buffer as one signal for each channel heard.

    ``infos[i]`` describes the dense channel index i.
    """
    order = np.argsort(samples.channel, kind="stable")
    channel = samples.channel[order]
    edges = np.flatnonzero(np.diff(channel, prepend=-1, append=-1))
    signals = {}
    for start, end in pairwise(edges):
        info = infos[int(channel[start])]
        take = order[start:end]
        signals[info.provider, info.id] = Signal(
            samples.time_us[take] / 1e6, samples.value[take].astype(np.float64)
        )
    return signals


def grid_of(signals: Signals, *, hz: float = GRID_HZ, longest_s: float = 60.0) -> Array:
    """Return the common time grid (m,): the last *longest_s* seconds that were heard."""
    heard = [s.time_s for s in signals.values() if len(s.time_s)]
    if not heard:
        return np.zeros(0)
    end = max(float(t.max()) for t in heard)
    start = max(min(float(t.min()) for t in heard), end - longest_s)
    return start + np.arange(int((end - start) * hz) + 1) / hz


def on_grid(signal: Signal, grid: Array) -> Array:
    """Return *signal* on *grid* (m,), NaN outside its span and in long silences."""
    keep = np.isfinite(signal.value)
    time_s, value = signal.time_s[keep], signal.value[keep]
    if not len(time_s) or not len(grid):
        return np.full(len(grid), np.nan)
    if np.any(np.diff(time_s) < 0):
        order = np.argsort(time_s, kind="stable")
        time_s, value = time_s[order], value[order]
    column = np.interp(grid, time_s, value)
    after = np.searchsorted(time_s, grid, side="left").clip(0, len(time_s) - 1)
    before = (np.searchsorted(time_s, grid, side="right") - 1).clip(0, len(time_s) - 1)
    lonely = time_s[after] - time_s[before] > LONGEST_BRIDGE_S
    # A slow channel counts a little beyond its ends: it was true then, too.
    outside = (grid < time_s[0] - 0.5) | (grid > time_s[-1] + 0.5)
    column[lonely | outside] = np.nan
    return np.asarray(column, np.float64)


def span(column: Array) -> float:
    """Return how far a column moves, from its 2nd to its 98th percentile; NaN when empty.

    >>> round(span(np.linspace(0.0, 100.0, 101)), 6)
    96.0
    """
    finite = column[np.isfinite(column)]
    if not len(finite):
        return float("nan")
    low, high = np.percentile(finite, (2, 98))
    return float(high - low)


def median(column: Array) -> float:
    """Return the median of the finite values, NaN when there are none."""
    finite = column[np.isfinite(column)]
    return float(np.median(finite)) if len(finite) else float("nan")


def correlation(a: Array, b: Array) -> float:
    """Return Pearson's correlation where both are known; NaN when either does not move.

    >>> round(correlation(np.arange(30.0), 5 - 2 * np.arange(30.0)), 6)
    -1.0
    """
    both = np.isfinite(a) & np.isfinite(b)
    if np.count_nonzero(both) < FEWEST_POINTS:
        return float("nan")
    x, y = a[both] - a[both].mean(), b[both] - b[both].mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 1e-9 else float("nan")


def throttle_shut(tps: Array) -> bool:
    """Return True when the throttle was known for two seconds and never opened."""
    known = tps[np.isfinite(tps)]
    return len(known) >= 2 * GRID_HZ and float(known.max()) < 8.0


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line ``y = gain * x + offset`` and how well it fits."""

    gain: float
    offset: float
    residual: float  # standard deviation of y about the line, relative to that of y


def fit_line(x: Array, y: Array) -> Line | None:
    """Return the least-squares line, or None when there is too little or x does not move.

    >>> volts = np.linspace(1.0, 4.0, 40)
    >>> line = fit_line(volts, 7.35 + 3.008 * volts)
    >>> line is not None and round(line.gain, 3), line is not None and round(line.offset, 2)
    (3.008, 7.35)
    """
    both = np.isfinite(x) & np.isfinite(y)
    if np.count_nonzero(both) < FEWEST_POINTS:
        return None
    dx, dy = x[both] - x[both].mean(), y[both] - y[both].mean()
    xx, yy = float(dx @ dx), float(dy @ dy)
    if xx < 1e-12 or yy < 1e-12:
        return None
    gain = float(dx @ dy) / xx
    rest = dy - gain * dx
    offset = float(y[both].mean() - gain * x[both].mean())
    return Line(gain, offset, float(np.sqrt(float(rest @ rest) / yy)))


def same_values(a: Array, b: Array) -> bool:
    """Return True when two columns carry the same moving quantity in the same unit.

    Two constants say nothing: both may be at rest.
    """
    both = np.isfinite(a) & np.isfinite(b)
    if np.count_nonzero(both) < FEWEST_POINTS:
        return False
    move = min(span(a[both]), span(b[both]))
    if not move > 0.01 * max(abs(median(a[both])), 1e-6):
        return False
    gap = np.abs(a[both] - b[both])
    return float(np.median(gap)) < 0.02 * move and correlation(a, b) > 0.97


def locked_share(rpm: Array, speed_kmh: Array) -> tuple[float, float]:
    """Return ``(share, ratio)``: how much of the driving is at one rpm per km/h, and which.

    1.0 means that rpm follows road speed through one gear all the time. NaN, NaN without at
    least two seconds above 15 km/h.

    >>> speed = np.linspace(40.0, 160.0, 100)
    >>> locked_share(50.0 * speed, speed)
    (1.0, 50.0)
    """
    driving = np.isfinite(rpm) & np.isfinite(speed_kmh) & (speed_kmh > 15.0)
    if np.count_nonzero(driving) < 2 * FEWEST_POINTS:
        return float("nan"), float("nan")
    ratio = rpm[driving] / speed_kmh[driving]
    middle = float(np.median(ratio))
    if not middle > 0:
        return 0.0, middle
    return float(np.mean(np.abs(ratio / middle - 1) < 0.03)), round(middle, 3)


def signal_pair_offset(first: Signal, second: Signal) -> float:
    """Return the median of first − second over the time both were heard, NaN without any."""
    grid = grid_of({("", 0): first, ("", 1): second})
    return median(on_grid(first, grid) - on_grid(second, grid))


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a channel is sent and how often it really brings something new, per second."""

    sent_hz: float
    true_hz: float
    held: bool  # values are repeated instead of measured anew


def true_rate(signal: Signal) -> Rate:
    """Return the rates of a channel; *held* only where repeats cannot be a signal at rest.

    A held signal is a staircase: several equal samples, then a jump to a value not seen before.
    A sensor at rest repeats itself, too, but goes to and fro by the finest step it makes.
    """
    keep = np.isfinite(signal.value)
    time_s, value = signal.time_s[keep], signal.value[keep]
    length = float(time_s[-1] - time_s[0]) if len(time_s) > 1 else 0.0
    if length <= 0:
        return Rate(float("nan"), float("nan"), False)
    jumps = np.diff(value)
    changes = np.flatnonzero(jumps)
    sent_hz = (len(value) - 1) / length
    true_hz = len(changes) / length
    if len(changes) < 3:
        return Rate(sent_hz, true_hz, False)
    # Between the steps of a staircase it stands still; its steps are of many sizes and lead to
    # values not seen before, where a sensor at rest goes to and fro by its finest step.
    sizes = np.abs(jumps[changes])
    uneven = float(sizes.max()) > 2.5 * float(sizes.min())
    fresh = len(np.unique(value)) >= 0.8 * (len(changes) + 1)
    return Rate(sent_hz, true_hz, len(changes) * 3 <= len(value) and uneven and fresh)
