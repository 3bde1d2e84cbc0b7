"""What every cell of the fuel table says about its error, for several wideband delays at once.

A sample belongs to the four nodes around the place where its charge was burnt, with bilinear
weights w. Every node keeps weighted means and co-moments of three figures: the sample's distance
from the node along both axes, and its error. Samples come in small batches, merged by the pairwise
rule (Chan, Golub and LeVeque 1979)

    W' = W + w,   m' = m + d w / W',   S' = S + s + d dᵀ W w / W',   d = mean of the batch - m

which subtracts no large numbers; for a batch of one it is West's weighted form of Welford's
update. From these sums comes a plane through the samples around the node, and its height at the
node: an engine that always passed on one side of the node does not bend the answer where the slope
can be told, and widens the interval where it cannot. Slopes are expected to be as steep as the map
itself shows them to be (`Roughness`).

The wideband's delay is known only within limits, so every sample is put where each candidate delay
says it came from; the candidates are merged when somebody looks, each with the probability the
data give it. What a cell says then carries the doubt of the delay: where the table is flat or the
engine stood still it costs nothing, on a steep flank passed quickly it shows.

The variance of a node's height has four parts:

* noise: s² · R / W², R the sum of w_i w_j ρ^|i-j| over all pairs of samples, because neighbouring
  samples share part of the sensor's noise. R / Q, Q the sum of squared weights, is how many samples
  count as one: (1 + ρ) / (1 - ρ) of them where the engine stayed, fewer where it passed quickly.
  s² is this cell's, steadied by eight samples' worth of the whole map's;
* slope: its doubt times the mean distance of the samples;
* bend: the mean over a bent surface is not its middle;
* delay: the candidates differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dynoai_desktop.core.live.path import F64
from dynoai_desktop.core.samples import WINDOWS_PER_S

FIRST_NOISE = 0.02  # of one sample, before there is data
LEAST_MASS = 0.01  # less is no data
_PRIOR_SAMPLES = 8.0
_ENOUGH = 5.0  # mass of a cell that may speak about roughness
_PRIOR_PAIRS = 10.0
# The mean of d²/2 over a bilinear weight is 1/12 on each of two axes; a quarter more because
# a map of averages shows bends flatter than they are.
_BEND_BIAS = 1.25 * 2.0**0.5 / 12.0
_TINY = 1e-300  # keeps 0 / 0 away where nothing has weight

# Rows of a node's sums: mass; means of x, y (distances along rpm and load) and z (the error);
# co-moments xx, xy, yy, xz, yz, zz; squared weights; mass and error before the present pass; what
# pairs of different samples add to R; the weights of earlier samples as far as they still echo.
_MASS, _ERROR, _SPREAD, _SQUARES, _OLD_MASS, _OLD_ERROR = 0, 3, 9, 10, 11, 12
_PAIRS, _ECHO = 13, 14
_OLD, _PRESENT = slice(11, 13), np.array([_MASS, _ERROR])
_MEANS, _MOMENTS = slice(1, 4), slice(4, 10)
_FIRST, _SECOND = np.array([0, 0, 1, 0, 1, 2]), np.array([0, 1, 1, 2, 2, 2])
_SUMS = 15
_NEVER = -(2**62)
_PASS_WINDOWS = 2 * WINDOWS_PER_S  # a node left for longer was passed before


@dataclass(frozen=True, slots=True)
class Roughness:
    """How uneven the fuel error is: standard deviations per cell, and per cell squared."""

    slope: float = 0.02
    bend: float = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What is held true about the whole map when its cells are summarised."""

    weights: F64  # (k,) probability of every candidate delay
    noise: F64  # (groups,) variance of single samples
    roughness: Roughness


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of nodes, ends excluded."""

    rows: slice
    columns: slice

    def with_other(self, other: Box) -> Box:
        """Return the smallest rectangle around both."""
        return Box(_around(self.rows, other.rows), _around(self.columns, other.columns))


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Places of a few samples (m) under every candidate (k), in a box of nodes (r, c)."""

    box: Box
    weight: F64  # (r, c, m, k)
    rpm_distance: F64  # (r, m, k), from node to sample in cells
    load_distance: F64  # (c, m, k)


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Every cell of every cylinder group, (groups, rpm, load) each; NaN where there is no data."""

    error: F64
    se: F64
    mass: F64
    effective: F64  # samples' worth of independent evidence
    spread: F64  # standard deviation of single samples

    @classmethod
    def empty(cls, groups: int, rows: int, columns: int) -> Summary:
        """Return a summary of no data."""
        nothing = np.full((groups, rows, columns), np.nan)
        zero = np.zeros((groups, rows, columns))
        return cls(nothing, nothing.copy(), zero, zero.copy(), nothing.copy())


class CellBank:
    """The sums of every node, for every candidate delay and cylinder group."""

    def __init__(self, rows: int, columns: int, candidates: int, groups: int) -> None:
        """Start empty for a table of *rows* × *columns* nodes."""
        self._rows, self._columns = rows, columns
        # Everything of a node lies together, so a small box of nodes is quickly read and written.
        self._sums = np.zeros((rows, columns, groups, _SUMS, candidates))
        self._touched = np.full((rows, columns), _NEVER)
        self._visited: Box | None = None

    @property
    def everything(self) -> Box:
        """Return the box of all nodes that were ever visited; of all nodes before a visit."""
        return self._visited or Box(slice(0, self._rows), slice(0, self._columns))

    def place(self, rpm: F64, load: F64) -> Batch:
        """Return the nodes around places in nodes, (m, k) each, with their bilinear weights.

        Beyond the outermost node all weight is the node's, and the distance says how far.
        """
        rows, row_weight, rpm_distance = _hats(rpm, self._rows)
        columns, column_weight, load_distance = _hats(load, self._columns)
        weight = row_weight[:, None] * column_weight
        return Batch(Box(rows, columns), weight, rpm_distance, load_distance)

    def predict(self, groups: slice, batch: Batch) -> tuple[F64, F64]:
        """Return what earlier passes said there, (m, groups, k), and their support, (m, groups).

        The present pass is left out: its samples trail behind the place asked about, and would
        make a shorter delay look better. Support runs from 0 to 1: the least share of any
        candidate's weight that lies on nodes with at least a sample's worth of evidence.
        """
        sums = self._sums[batch.box.rows, batch.box.columns, groups]
        weight = batch.weight[:, :, :, None, :]
        known = sums[..., _OLD_MASS, :] >= 1.0
        support = (known[:, :, None] * weight).sum(axis=(0, 1)).min(axis=-1)
        error: F64 = (sums[..., _OLD_ERROR, :][:, :, None] * weight).sum(axis=(0, 1))
        return error, support

    def begin(self, batch: Batch, index: int, standing: bool) -> F64:
        """Note that the nodes around a batch are visited in window *index*, its last.

        A pass begins where a node was left alone for a while; while the engine is *standing*
        everything counts as passed before. Returns how many windows ago each node (r, c) was
        visited last.
        """
        box = batch.box
        self._visited = box if self._visited is None else self._visited.with_other(box)
        touched = self._touched[box.rows, box.columns]
        sums = self._sums[box.rows, box.columns]
        away = (index - touched).astype(np.float64)
        if standing:
            sums[..., _OLD, :] = sums[..., _PRESENT, :]
        else:
            fresh = away > _PASS_WINDOWS
            if fresh.any():
                sums[..., _OLD, :][fresh] = sums[fresh][..., _PRESENT, :]
        touched.fill(index)
        return away

    def leave(self) -> None:
        """End every pass, as when time jumps."""
        self._touched.fill(_NEVER)

    def add(
        self,
        groups: slice,
        batch: Batch,
        error: F64,
        heard: F64,
        away: F64 | None = None,
        alike: float = 0.0,
    ) -> None:
        """Merge a batch: *error* (m, groups, k), *heard* (m, groups) 1 or 0; error is finite.

        *away* comes from `begin`; *alike* is the correlation of the noise of neighbouring samples.
        """
        weight = batch.weight[:, :, :, None, :] * heard[:, :, None]  # (r, c, m, groups, k)
        values = np.empty((*weight.shape[:4], 3, weight.shape[4]))
        values[..., 0, :] = batch.rpm_distance[:, None, :, None, :]
        values[..., 1, :] = batch.load_distance[:, :, None, :]
        values[..., 2, :] = error
        mass = weight.sum(axis=2)
        if away is not None and alike > 0.0:
            self._echo(groups, batch.box, weight, away, alike)
        weight = weight[..., None, :]
        means = (weight * values).sum(axis=2) / (mass[..., None, :] + _TINY)
        values -= means[:, :, None]
        moments = (weight * values[..., _FIRST, :] * values[..., _SECOND, :]).sum(axis=2)
        sums = self._sums[batch.box.rows, batch.box.columns, groups]
        before = sums[..., _MASS, :].copy()
        sums[..., _MASS, :] += mass
        share = (mass / (sums[..., _MASS, :] + _TINY))[..., None, :]
        step = means - sums[..., _MEANS, :]
        sums[..., _MEANS, :] += step * share
        moments += before[..., None, :] * share * step[..., _FIRST, :] * step[..., _SECOND, :]
        sums[..., _MOMENTS, :] += moments
        sums[..., _SQUARES, :] += (weight * weight)[..., 0, :].sum(axis=2)

    def _echo(self, groups: slice, box: Box, weight: F64, away: F64, alike: float) -> None:
        """Add to R what a batch shares with itself and with what came before."""
        rows, columns, count, *rest = weight.shape
        sums = self._sums[box.rows, box.columns, groups]
        before = sums[..., _ECHO, :]
        flat = weight.reshape(rows, columns, count, -1)
        answers = (_echoes(alike, count) @ flat).reshape(rows, columns, count + 2, *rest)
        # From the last sample of before to the first of this batch, and to its last.
        first, last = alike ** np.maximum(away - count + 1.0, 1.0), alike**away
        shared = (answers[:, :, :count] * weight).sum(axis=2)
        shared += before * first[:, :, None, None] * answers[:, :, count]
        sums[..., _PAIRS, :] += 2.0 * shared
        sums[..., _ECHO, :] = before * last[:, :, None, None] + answers[:, :, count + 1]

    def shift(self, change: F64) -> None:
        """Add *change* (rows, columns) to every error, as when targets are set anew."""
        for row in (_ERROR, _OLD_ERROR):
            self._sums[..., row, :] += change[:, :, None, None]

    def summarise(self, out: Summary, box: Box, belief: Belief) -> None:
        """Bring *box* of a summary up to date."""
        sums = self._sums[box.rows, box.columns]  # (r, c, groups, sums, k)
        height, variance = _planes(sums, belief)
        mass = sums[..., _MASS, :]
        share = belief.weights * (mass > LEAST_MASS)
        total = share.sum(axis=-1)
        share /= np.where(total > 0.0, total, np.nan)[..., None]
        error = (share * height).sum(axis=-1)
        variance += (height - error[..., None]) ** 2
        bend = (belief.roughness.bend * _BEND_BIAS) ** 2
        se = np.sqrt((share * variance).sum(axis=-1) + bend)
        merged = (sums * belief.weights).sum(axis=-1)  # (r, c, groups, sums)
        mass = merged[..., _MASS]
        effective = mass * mass / (merged[..., _SQUARES] + merged[..., _PAIRS] + _TINY)
        spread = np.sqrt(merged[..., _SPREAD] / np.where(mass > LEAST_MASS, mass, np.nan))
        for field, values in (
            (out.error, error),
            (out.se, se),
            (out.mass, mass),
            (out.effective, effective),
            (out.spread, spread),
        ):
            field[:, box.rows, box.columns] = values.transpose(2, 0, 1)


def _planes(sums: F64, belief: Belief) -> tuple[F64, F64]:
    """Return the height of every node's plane and its variance, (r, c, groups, k) each."""
    mass = sums[..., _MASS, :]
    x, y, z = (sums[..., row, :] for row in (1, 2, 3))
    xx, xy, yy, xz, yz, zz = (sums[..., row, :] for row in range(4, 10))
    repeated = sums[..., _SQUARES, :] + sums[..., _PAIRS, :]  # R
    # Samples that count as one. It is the mean's figure: a slope suffers less from shared noise.
    repeats = repeated / (sums[..., _SQUARES, :] + _TINY)
    noise = belief.noise[:, None]
    # The slope's prior weighs as much as its variance against that of a sample.
    ridge = np.maximum(repeats, 1.0) * noise / belief.roughness.slope**2
    a, c = xx + ridge, yy + ridge
    determinant = a * c - xy * xy
    slope_x = (c * xz - xy * yz) / determinant
    slope_y = (a * yz - xy * xz) / determinant
    left = np.maximum(zz - slope_x * xz - slope_y * yz, 0.0)
    steadied = (_PRIOR_SAMPLES * noise + left) / (_PRIOR_SAMPLES + mass)
    lever = (c * x * x - 2.0 * xy * x * y + a * y * y) / determinant
    variance = steadied * repeated / (mass * mass + _TINY)
    variance += repeats * noise * lever
    return z - slope_x * x - slope_y * y, variance


@lru_cache(maxsize=64)
def _echoes(alike: float, count: int) -> F64:
    """Return (count + 2, count): what each sample hears of the earlier ones of its batch, and how
    much of the batch its first sample hears of later ones and its last of earlier ones.

    >>> _echoes(0.5, 2).tolist()
    [[0.0, 0.0], [0.5, 0.0], [1.0, 0.5], [0.5, 1.0]]
    """
    at = np.arange(count)
    powers = alike ** np.abs(at[:, None] - at).astype(np.float64)
    out = np.vstack((np.tril(powers, -1), powers[:1], powers[-1:]))
    out.flags.writeable = False
    return out


def roughness(summary: Summary, noise: F64) -> Roughness:
    """Return how uneven the errors of a summary are, from neighbouring cells with evidence.

    Differences of neighbours hold the noise of both, which is taken off. A few pairs' worth of
    the default stand against a lucky or unlucky start.
    """
    known = summary.mass >= _ENOUGH
    error = np.where(known, summary.error, np.nan)
    doubt = noise[:, None, None] / np.where(known, summary.effective, np.nan)
    slopes, bends = [], []
    for axis in (1, 2):
        slope, of_slope = np.diff(error, axis=axis), _pairs(doubt, axis)
        slopes.append((slope**2 - of_slope).ravel())
        bend, of_bend = np.diff(slope, axis=axis), _pairs(of_slope, axis) + 2 * _inner(doubt, axis)
        bends.append((bend**2 - of_bend).ravel())
    default = Roughness()
    return Roughness(
        _steady(np.concatenate(slopes), default.slope), _steady(np.concatenate(bends), default.bend)
    )


def _pairs(values: F64, axis: int) -> F64:
    swapped = values.swapaxes(axis, 2)
    out: F64 = (swapped[..., 1:] + swapped[..., :-1]).swapaxes(axis, 2)
    return out


def _inner(values: F64, axis: int) -> F64:
    return values.swapaxes(axis, 2)[..., 1:-1].swapaxes(axis, 2)


def _steady(squares: F64, default: float) -> float:
    """Return the root of the mean of *squares*, steadied by the default; never below a tenth."""
    found = squares[np.isfinite(squares)]
    mean = (float(found.sum()) + _PRIOR_PAIRS * default**2) / (found.size + _PRIOR_PAIRS)
    return math.sqrt(max(mean, (0.1 * default) ** 2))


def _hats(place: F64, count: int) -> tuple[slice, F64, F64]:
    """Return the nodes around *place* (m, k), their linear weights and distances, (n, m, k)."""
    inside = np.minimum(np.maximum(place, 0.0), count - 1.0)
    first = int(inside.min())
    nodes = slice(first, min(int(inside.max()) + 2, count))
    at = np.arange(nodes.start, nodes.stop, dtype=np.float64)[:, None, None]
    weight = np.maximum(1.0 - np.abs(inside - at), 0.0)
    return nodes, weight, place - at


def _around(one: slice, other: slice) -> slice:
    return slice(min(one.start, other.start), max(one.stop, other.stop))
