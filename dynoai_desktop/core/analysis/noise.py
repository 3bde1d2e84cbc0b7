"""What residuals say about the noise: how large, how repetitive, and which samples stand out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64

HUBER_SIGMAS = 2.0
_LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_LONGEST_LAG_S = 2.0
SMALLEST_NOISE = 1e-9
_SCALE_SAMPLES = 100_000  # are enough for a median


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """What the residuals say about the noise."""

    variance: float
    repeats: float = 1.0  # samples that count as one
    weight: F64 | None = None  # (m,) of every sample, 1 for an ordinary one


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Which samples follow each other without a gap."""

    run: NDArray[np.intp]  # (m,) number of the unbroken stretch a sample belongs to
    lags: tuple[int, ...]

    @classmethod
    def of(cls, time_s: F64) -> Pairs:
        if time_s.size < 3:
            return cls(np.zeros(time_s.size, dtype=np.intp), ())
        step = np.diff(time_s)
        usual = float(np.median(step))
        run = np.concatenate(([0], np.cumsum(step > max(2.5 * usual, 1e-6))))
        longest = _LONGEST_LAG_S / usual if usual > 0 else 1.0
        return cls(run, tuple(k for k in _LAGS if k <= max(1.0, longest) and k < time_s.size))


def judge(residual: F64, pairs: Pairs) -> Noise:
    """Return robust variance, weights and repetition of the noise from the residuals.

    The variance is that of Huber's estimator per unit of its weights,
    mean(w) · mean((w r)²) / P(|r| within)², which is s² for Gaussian noise.
    """
    size = np.abs(residual)
    step = max(1, size.size // _SCALE_SAMPLES)
    scale = max(1.4826 * float(np.median(size[::step])), SMALLEST_NOISE)
    inside = size <= HUBER_SIGMAS * scale
    weight = np.ones(size.size)
    far = np.flatnonzero(~inside)
    weight[far] = HUBER_SIGMAS * scale / size[far]
    influence = weight * residual
    power = float(influence @ influence) / size.size
    share = 1.0 - far.size / size.size
    variance = float(weight.mean()) * power / share**2
    return Noise(max(variance, SMALLEST_NOISE**2), _repeats(influence, pairs), weight)


def _repeats(influence: F64, pairs: Pairs) -> float:
    """Return how many samples count as one: 1 + 2 Σ of the autocorrelation up to its first low.

    Lags grow in steps, the correlation between them is taken as straight.
    """
    power = float(influence @ influence) / influence.size
    if power <= 0.0:
        return 1.0
    total, before, lag_before = 1.0, 1.0, 0
    for lag in pairs.lags:
        together = pairs.run[lag:] == pairs.run[:-lag]
        count = int(np.count_nonzero(together))
        if count < 8:
            break
        product = influence[lag:] * influence[:-lag]
        now = float(product @ together) / count / power
        now = max(now, 0.0)
        # Sum over the lags after lag_before up to lag, on the line between both ends.
        span = lag - lag_before
        total += span * (before + now) + (now - before)
        before, lag_before = now, lag
        if now <= 0.05:
            break
    return max(1.0, total)
