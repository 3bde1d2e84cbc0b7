"""From a log as it came to columns that can be computed with.

Three steps, each leaving a tag and none deleting anything: values outside what the channel can be
are set aside, isolated spikes are set aside (Hampel's identifier: far from the running median,
measured by the local median deviation), and short gaps are bridged by straight lines up to an age
limit. Range comes before smoothing of any kind, so a 40 AFR glitch or a 5.1 sentinel touches no
neighbour. The steps repeat until they find nothing more, so a second call changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64, Frame
from dynoai_desktop.core.channels import CHANNELS, Channel

U8 = NDArray[np.uint8]

AGE_LIMIT_S = 0.5
SLOW_AGE_LIMIT_S = 5.0
_SLOW = frozenset(
    {
        Channel.IAT,
        Channel.ECT,
        Channel.BARO,
        Channel.AMBIENT,
        Channel.HUMIDITY,
        Channel.VBATT,
        Channel.CORR_FACTOR,
        Channel.LTFT,
        Channel.LTFT_FRONT,
        Channel.LTFT_REAR,
    }
)

# Channels that cannot jump and come back within a tick or two: the smallest deviation, in the
# channel's unit, that is called a spike, and how fast per second the true signal may move (an
# unloaded engine blips at 8000 rpm a second). Throttle, spark and knock may jump: not listed.
_SPIKES: dict[Channel, tuple[float, float]] = {
    Channel.RPM: (60.0, 8000.0),
    Channel.RPM_DRUM: (30.0, 1000.0),
    Channel.LAMBDA_FRONT: (0.03, 3.0),
    Channel.LAMBDA_REAR: (0.03, 3.0),
    Channel.LAMBDA: (0.03, 3.0),
    Channel.MAP: (6.0, 500.0),
    Channel.SPEED: (2.0, 60.0),
    Channel.TORQUE: (10.0, 500.0),
    Channel.POWER: (5.0, 300.0),
    Channel.IAT: (3.0, 10.0),
    Channel.ECT: (3.0, 10.0),
    Channel.BARO: (1.0, 1.0),
    Channel.VBATT: (1.5, 10.0),
}
_SPIKE_SIGMAS = 6.0
_SPIKE_BLOCK = 64  # ticks over which the local deviation is judged
_SLOWEST_TICK_S = 0.15  # slower than this a single tick may well be a real event
_MAX_PASSES = 100  # a slope beside a gap is peeled off tick by tick

_TRIMS = (
    Channel.STFT_FRONT,
    Channel.STFT_REAR,
    Channel.STFT,
    Channel.LTFT_FRONT,
    Channel.LTFT_REAR,
    Channel.LTFT,
)
_TRIM_IS_FACTOR_ABOVE = 50.0  # no engine runs on a 50 % trim; 100 then means none


class Tag(IntEnum):
    """What one cell of the cleaned table is."""

    MEASURED = 0
    FILLED = 1  # between two ticks closer than the age limit
    ABSENT = 2
    OUT_OF_RANGE = 3  # set aside, may be bridged
    SPIKE = 4  # set aside, may be bridged


@dataclass(frozen=True, slots=True, eq=False)
class Normalised:
    """A cleaned frame beside the raw one, with one tag per cell; all arrays are (n,)."""

    raw: Frame
    frame: Frame
    tags: Mapping[Channel, U8]
    notes: tuple[str, ...] = ()

    @property
    def unusable(self) -> tuple[Channel, ...]:
        """Return the channels that were logged but hold no possible value."""
        return tuple(channel for channel in self.tags if channel not in self.frame)


def age_limit_s(channel: Channel) -> float:
    """Return the longest gap of a channel that may be bridged, in seconds."""
    return SLOW_AGE_LIMIT_S if channel in _SLOW else AGE_LIMIT_S


def normalise(frame: Frame) -> Normalised:
    """Clean every column of *frame*: rows are preserved, nothing absent is invented.

    A column without one possible value is left out of the cleaned frame; its tags say why.
    """
    columns: dict[Channel, F64] = {}
    tags: dict[Channel, U8] = {}
    notes: list[str] = []
    for channel, raw in frame.columns.items():
        values, factor = _trim_as_change(channel, raw)
        if factor:
            title = CHANNELS[channel].title
            notes.append(f"{title} is a factor in percent; 100 was read as no trim.")
        cleaned, tags[channel] = _clean(channel, frame.time_s, values)
        if np.isfinite(cleaned).any():
            columns[channel] = cleaned
    return Normalised(frame, replace(frame, columns=columns), tags, tuple(notes))


def _trim_as_change(channel: Channel, values: F64) -> tuple[F64, bool]:
    """Return a fuel trim as change in percent; ECUs that say 100 for none are recognised."""
    if channel not in _TRIMS or float(np.nanmedian(values)) <= _TRIM_IS_FACTOR_ABOVE:
        return values, False
    return values - 100.0, True


def _clean(channel: Channel, time_s: F64, values: F64) -> tuple[F64, U8]:
    tag = np.zeros(values.size, dtype=np.uint8)
    finite = np.isfinite(values)
    hard = CHANNELS[channel].hard
    if channel in _TRIMS:
        hard = (-60.0, 60.0)
    bad = np.zeros(values.size, dtype=bool)
    if hard is not None:
        bad = (values < hard[0]) | (values > hard[1])
    tag[~finite] = Tag.ABSENT
    tag[bad] = Tag.OUT_OF_RANGE
    good = finite & ~bad
    if good.all():
        out = values
    else:
        out = _bridge(channel, time_s, values, good)
        tag[np.isfinite(out) & ~finite] = Tag.FILLED
    limits = _SPIKES.get(channel)
    if limits is None:
        return out, tag
    for _ in range(_MAX_PASSES):
        spikes = _spikes(time_s, out, *limits)
        if not spikes.size:
            break
        tag[spikes] = Tag.SPIKE
        good = np.isfinite(out)
        good[spikes] = False
        out = _bridge(channel, time_s, out, good)
    return out, tag


def _bridge(channel: Channel, time_s: F64, values: F64, good: NDArray[np.bool_]) -> F64:
    """Return *values* with straight lines over gaps no longer than the channel's age limit."""
    out = np.where(good, values, np.nan)
    ticks = np.flatnonzero(good)
    if ticks.size < 2:
        return out
    holes = np.flatnonzero(~good[ticks[0] : ticks[-1]]) + ticks[0]
    after = np.searchsorted(ticks, holes)
    left, right = ticks[after - 1], ticks[after]
    span = time_s[right] - time_s[left]
    near = span <= age_limit_s(channel)
    holes, left, right, span = holes[near], left[near], right[near], span[near]
    share = np.divide(time_s[holes] - time_s[left], span, out=np.zeros_like(span), where=span > 0)
    out[holes] = values[left] + share * (values[right] - values[left])
    return out


def _spikes(time_s: F64, values: F64, least: float, slew: float) -> NDArray[np.intp]:
    """Return the rows that stand out from the running median of five ticks."""
    finite = np.isfinite(values)
    ticks = None if finite.all() else np.flatnonzero(finite)
    x = values if ticks is None else values[ticks]
    t = time_s if ticks is None else time_s[ticks]
    if x.size < 9:
        return np.empty(0, dtype=np.intp)
    tick_s = _usual_step(t)
    if tick_s > _SLOWEST_TICK_S:
        return np.empty(0, dtype=np.intp)
    floor = max(least, slew * tick_s)
    # A tick far from its median is half as far from a neighbour, so only jumps are looked at.
    jumps = np.flatnonzero(np.abs(np.diff(x)) > floor / 2.0)
    suspects = np.unique(np.concatenate((jumps, jumps + 1)))
    suspects = suspects[(suspects >= 2) & (suspects < x.size - 2)]
    away = np.abs(x[suspects] - _median5(x, suspects))
    far = away > floor
    suspects, away = suspects[far], away[far]
    if suspects.size:
        out = suspects[away > _SPIKE_SIGMAS * 1.4826 * _usual_deviation(x, suspects)]
    else:
        out = suspects
    return out if ticks is None else ticks[out]


def _usual_step(t: F64) -> float:
    """Return the usual time between ticks: the mean where it is regular, else the median."""
    mean = float((t[-1] - t[0]) / (t.size - 1))
    if abs(float(t[t.size // 2] - t[0]) - mean * (t.size // 2)) < 0.02 * mean * t.size:
        return mean
    return float(np.median(np.diff(t)))


def _median5(x: F64, at: NDArray[np.intp]) -> F64:
    """Return the median of five ticks around the ticks *at*, by a sorting network."""
    a, b, c, d, e = (x[at + k] for k in (-2, -1, 0, 1, 2))
    low_ab, high_ab = np.minimum(a, b), np.maximum(a, b)
    low_de, high_de = np.minimum(d, e), np.maximum(d, e)
    # Neither the smallest of both lows nor the largest of both highs can be the middle of five.
    p = np.maximum(low_ab, low_de)
    q = np.minimum(high_ab, high_de)
    middle: F64 = np.maximum(np.minimum(p, q), np.minimum(np.maximum(p, q), c))
    return middle


def _usual_deviation(x: F64, at: NDArray[np.intp]) -> F64:
    """Return, per tick, the largest median deviation of its block and the two beside it."""
    last_block = (x.size - 3) // _SPIKE_BLOCK  # the last with a tick that has two beside it
    near = at[:, None] // _SPIKE_BLOCK + np.array([-1, 0, 1])
    wanted = np.unique(near.clip(0, last_block))
    ticks = wanted[:, None] * _SPIKE_BLOCK + np.arange(_SPIKE_BLOCK)
    inside = ticks.clip(2, x.size - 3)
    deviation = np.abs(x[inside] - _median5(x, inside))
    deviation[ticks != inside] = np.nan
    median = np.nanmedian(deviation, axis=1)
    of_tick = median[np.searchsorted(wanted, near.clip(0, last_block))]
    usual: F64 = of_tick.max(axis=1)
    return usual
