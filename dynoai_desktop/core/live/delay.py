"""The wideband's delay while it is being measured: a probability over candidate lags.

    delay = lag + transport · g,   g = (3000 rpm · 60 kPa) / (rpm · MAP)

The transport time belongs to the pipe and is taken as stated; the lag is found from the stream.
Under every candidate lag the map makes a prediction of each new reading before it learns from it.
A candidate that puts the readings where they were burnt predicts better wherever commanded fuel or
place changes in both directions; the sums of the squared errors, each reading counted for what
repeating noise leaves of it, are log-likelihoods. Without excitation they stay alike, and the
stated default with its wide doubt stands.

One thing looks like a delay and is none: fuel on the port walls makes the mixture lean while load
rises and rich while it falls. So under every candidate the part of the errors that goes with the
relative change of manifold pressure is taken off first, as in a regression with one nuisance. And
no engine is as simple as this model: what it leaves out lasts for many readings, and is added to
the noise that each is weighed by, so that a quiet sensor does not make small flaws a proof.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.alignment import REFERENCE_KPA, REFERENCE_RPM
from dynoai_desktop.core.live.cells import FIRST_NOISE
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.path import F64
from dynoai_desktop.core.samples import WINDOWS_PER_S

CANDIDATES = 8  # lags of 0 to 0.35 s, a window apart
SURE_S = 0.03  # standard deviation up to which the data are said to have measured the lag
_FINE_S = 0.01
_LEAST_SD_S = 0.015  # what a sensor of another lag than the usual one does
_RENEWED_EVERY = 100  # readings
_MEMORY = 0.01  # share of a new reading in the running noise
_FILM_S = 0.15  # how far wall wetting may go, lambda per relative change of pressure per second
_LEFT_OUT = 12 * 0.006**2  # variance of what the model leaves out, times the readings it lasts
_OUTLIER = 2.0  # standard deviations beyond which a reading counts less
_FIRST_ALIKE = 0.6  # correlation of neighbouring readings before there is data
_MOST_ALIKE = 0.85


@dataclass(frozen=True, slots=True)
class Delay:
    """How long ago the charge was burnt that the wideband shows, at the present flow."""

    delay_s: float
    low_s: float  # 95 % interval
    high_s: float
    measured: bool  # False: the stated default


def flow_share(rpm: float, map_kpa: float | None) -> float:
    """Return g, how many times longer than at the reference flow the gas is on its way.

    Without MAP the manifold is taken at the reference pressure. Limited to 0.2 and 4.

    >>> flow_share(6000.0, 60.0), flow_share(3000.0, None)
    (0.5, 1.0)
    """
    load = REFERENCE_KPA if map_kpa is None else max(map_kpa, 10.0)
    return min(max(REFERENCE_RPM * REFERENCE_KPA / (max(rpm, 200.0) * load), 0.2), 4.0)


class LagEstimate:
    """Weighs the candidates. With alignment off there is one: no delay at all."""

    def __init__(self, settings: LiveSettings, groups: int) -> None:
        """Start with the stated lag and its doubt."""
        self.aligned = settings.aligned
        self.transport_s = settings.transport_s if self.aligned else 0.0
        count = CANDIDATES if self.aligned else 1
        # The latest window last, as the path hands them out.
        self.lags_s = np.arange(count)[::-1] / WINDOWS_PER_S
        self._fine_s = np.arange(0.0, self.lags_s[0] + 1e-9, _FINE_S)
        self._between = _interpolation(self._fine_s, self.lags_s)
        self._nearest = _hats(self._fine_s, self.lags_s)
        self._away = (self._fine_s - settings.lag_s) ** 2
        self._doubts = settings.lag_doubt_s**2, settings.transport_doubt_s**2
        self._shares = [1.0, 1.0]  # sum of the squared flow shares of moving readings, their number
        # Sums over readings in units of their noise: error², error × rate, rate².
        self._errors, self._shared, self._rates = np.zeros(count), np.zeros(count), 0.0
        self._noise = [FIRST_NOISE**2] * groups
        self._last = [0.0] * groups
        self._counts = [0] * groups
        self._product = [_FIRST_ALIKE * FIRST_NOISE**2] * groups
        self._readings = 0
        self._due = _RENEWED_EVERY
        self.renewals = 0
        self._renew()

    @property
    def noise(self) -> F64:
        """Return the variance of single readings, (groups,)."""
        return np.array(self._noise)

    def delay(self, share: float) -> Delay:
        """Return the delay at flow share *share*."""
        if not self.aligned:
            return Delay(0.0, 0.0, 0.0, False)
        middle = self.lag_s + self.transport_s * share
        half = 1.96 * self.sd_s
        return Delay(middle, max(0.0, middle - half), middle + half, self.measured)

    def learn(
        self,
        groups: slice,
        away: F64,
        usable: NDArray[np.bool_],
        rate: Sequence[float],
        shares: Sequence[float] = (),
    ) -> None:
        """Compare readings with what the map predicted.

        *away* (m, groups, k) is reading minus prediction, *usable* (m, groups) where there was a
        reading and support enough for a prediction, *rate* (m,) the relative change of manifold
        pressure per second.
        """
        for share in shares:
            self._shares[0] += share * share
            self._shares[1] += 1.0
        best = away[:, :, self.best].tolist()
        weights = np.zeros(usable.shape)
        for m, flags in enumerate(usable.tolist()):
            for column, counts in enumerate(flags):
                if counts:
                    variance = self._noise[groups.start + column]
                    size = abs(best[m][column]) / math.sqrt(variance)
                    weight = min(1.0, _OUTLIER / size) if size > 0.0 else 1.0
                    weights[m, column] = weight = weight / (variance * self.repeats + _LEFT_OUT)
                    self._rates += weight * rate[m] ** 2
                    self._learn_noise(groups.start + column, best[m][column])
                    self._readings += 1
        weighted = weights[:, :, None] * away
        self._errors += (weighted * away).sum(axis=(0, 1))
        self._shared += (weighted * np.array(rate)[:, None, None]).sum(axis=(0, 1))
        if self._readings >= self._due:
            self._due = self._readings + _RENEWED_EVERY
            self._renew()

    def _learn_noise(self, group: int, away: float) -> None:
        limit = 3.0 * self._noise[group] ** 0.5
        away = min(max(away, -limit), limit)
        self._noise[group] += _MEMORY * (away * away - self._noise[group])
        self._product[group] += _MEMORY * (away * self._last[group] - self._product[group])
        self._last[group] = away
        self._counts[group] += 1

    def _renew(self) -> None:
        self.renewals += 1
        loss = 0.5 * (self._errors - self._shared**2 / (self._rates + _FILM_S**-2))
        of_lag, of_transport = self._doubts
        doubt = of_lag + of_transport * self._shares[0] / self._shares[1]
        logs = -0.5 * self._away / doubt - (self._between * (loss - loss.min())).sum(axis=1)
        belief = np.exp(logs - logs.max())
        belief /= belief.sum()
        self.lag_s = float((belief * self._fine_s).sum())
        spread = float((belief * (self._fine_s - self.lag_s) ** 2).sum()) ** 0.5
        self.sd_s = max(spread, _LEAST_SD_S)
        self.weights = (self._nearest * belief).sum(axis=1)
        self.best = int(self.weights.argmax())
        inside = self._fine_s[1] < self.lag_s < self._fine_s[-2] if self.aligned else False
        self.measured = bool(self._readings and inside and self.sd_s < SURE_S)
        heard = [g for g, count in enumerate(self._counts) if count] or [0]
        alike = sum([self._product[g] / self._noise[g] for g in heard]) / len(heard)
        self.alike = min(max(alike, 0.0), _MOST_ALIKE)
        self.repeats = (1.0 + self.alike) / (1.0 - self.alike)


def _interpolation(fine: F64, nodes: F64) -> F64:
    """Return the matrix (fine, nodes) of the parabola through the three nearest nodes."""
    if nodes.size == 1:
        return np.ones((fine.size, 1))
    out = np.zeros((fine.size, nodes.size))
    for row, at in enumerate(fine):
        middle = int(np.clip(np.abs(nodes - at).argmin(), 1, nodes.size - 2))
        three = range(middle - 1, middle + 2)
        for i in three:
            others = [nodes[j] for j in three if j != i]
            out[row, i] = np.prod([(at - x) / (nodes[i] - x) for x in others])
    return out


def _hats(fine: F64, nodes: F64) -> F64:
    """Return the matrix (nodes, fine) that shares every fine lag among its two neighbours."""
    if nodes.size == 1:
        return np.ones((1, fine.size))
    step = abs(nodes[1] - nodes[0])
    hats: F64 = np.maximum(0.0, 1.0 - np.abs(nodes[:, None] - fine) / step)
    return hats
