"""Spark: valleys in the curve over rpm that are more than noise, and MBT from torque.

A valley is a true local minimum of the mean advance at high load: the curve is higher on both
sides by at least two degrees and by more than its own doubt. Depth and its standard error come
from the joint surface, whose covariance knows which cells were measured and which were guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.knock import cells
from dynoai_desktop.core.analysis.surface import Surface
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Cylinder


@dataclass(frozen=True, slots=True)
class ValleySettings:
    """The least a valley must be."""

    depth_deg: float = 2.0
    sigmas: float = 3.0  # the deepest of many places is looked at, so more than two
    inner: tuple[float, float] = (0.2, 0.8)  # where along the rpm range a valley may lie
    least_rows: int = 5
    least_hits: float = 3.0


@dataclass(frozen=True, slots=True)
class Valley:
    """One valley of the spark curve."""

    cylinder: Cylinder
    rpm_center: float
    rpm_band: tuple[float, float]
    depth_deg: float
    depth_se_deg: float
    valley_min_deg: float
    pre_valley_deg: float
    post_valley_deg: float
    load_band: tuple[float, float]
    confidence: float  # that a dip of this depth is not noise
    of_base_table: bool  # the base table has it too: a choice, not a reaction


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Advance over rpm at high load with its covariance; (k,) and (k, k)."""

    rpm: F64
    value: F64
    covariance: F64
    load_band: tuple[float, float]


def high_load_curve(surface: Surface, least_load: float, least_hits: float = 3.0) -> Curve | None:
    """Return the mean over the load nodes from *least_load* up, or over the top two with data.

    The mean of a row is over the same load nodes in every row, so a row in which only the low
    ones were visited does not look advanced; rows without any hit are left out.
    """
    if not surface.nodes.size:
        return None
    loads = np.asarray(surface.load.nodes)
    visited = surface.hits >= least_hits
    columns = np.flatnonzero((loads >= least_load) & visited.any(axis=0))
    if not columns.size:
        columns = np.flatnonzero(visited.any(axis=0))[-2:]
    rows = np.flatnonzero(visited[:, columns].any(axis=1)) if columns.size else columns
    if rows.size < 2:
        return None
    place = {int(node): i for i, node in enumerate(surface.nodes)}
    average = np.zeros((rows.size, surface.nodes.size))
    width = len(surface.load)
    for i, r in enumerate(rows):
        for c in columns:
            average[i, place[int(r) * width + int(c)]] = 1.0 / columns.size
    return Curve(
        np.asarray(surface.rpm.nodes)[rows],
        average @ surface.value.ravel()[surface.nodes],
        average @ surface.covariance @ average.T,
        (float(loads[columns[0]]), float(loads[columns[-1]])),
    )


def find_valley(
    curve: Curve | None,
    cylinder: Cylinder,
    base: F64 | None = None,
    settings: ValleySettings | None = None,
) -> Valley | None:
    """Return the deepest valley of a curve, or None where there is none beyond noise.

    *base* is the base table's advance at the same rpm, (k,): a dip it shares is no reaction.
    """
    s = settings or ValleySettings()
    if curve is None or curve.rpm.size < s.least_rows:
        return None
    best: Valley | None = None
    low, high = curve.rpm[0], curve.rpm[-1]
    for i in range(1, curve.rpm.size - 1):
        if not s.inner[0] <= (curve.rpm[i] - low) / (high - low) <= s.inner[1]:
            continue
        if curve.value[i] > min(curve.value[i - 1], curve.value[i + 1]):
            continue
        valley = _valley_at(curve, i, cylinder, base, s)
        if valley is not None and (best is None or valley.depth_deg > best.depth_deg):
            best = valley
    return best


def _valley_at(
    curve: Curve, i: int, cylinder: Cylinder, base: F64 | None, s: ValleySettings
) -> Valley | None:
    pre = int(np.argmax(curve.value[:i]))
    post = i + 1 + int(np.argmax(curve.value[i + 1 :]))
    for side in (pre, post):
        drop, se = _contrast(curve, {side: 1.0, i: -1.0})
        if drop < s.depth_deg or drop < s.sigmas * se:
            return None
    depth, se = _contrast(curve, {pre: 0.5, post: 0.5, i: -1.0})
    half = curve.value[i] + depth / 2.0 + se  # a row at half depth within its doubt belongs to it
    first = i
    while first > 0 and curve.value[first - 1] <= half:
        first -= 1
    last = i
    while last < curve.rpm.size - 1 and curve.value[last + 1] <= half:
        last += 1
    shared = False
    if base is not None:
        shared = bool(0.5 * (base[pre] + base[post]) - base[i] >= 0.5 * depth)
    return Valley(
        cylinder,
        float(curve.rpm[i]),
        (float(curve.rpm[first]), float(curve.rpm[last])),
        depth,
        se,
        float(curve.value[i]),
        float(curve.value[pre]),
        float(curve.value[post]),
        curve.load_band,
        1.0 - float(np.exp(-0.5 * (depth / max(se, 1e-6)) ** 2)),
        shared,
    )


def _contrast(curve: Curve, weights: dict[int, float]) -> tuple[float, float]:
    """Return a weighted sum of the curve and its standard error."""
    a = np.zeros(curve.rpm.size)
    for index, weight in weights.items():
        a[index] = weight
    variance = float(a @ curve.covariance @ a)
    return float(a @ curve.value), max(0.0, variance) ** 0.5


@dataclass(frozen=True, slots=True)
class Mbt:
    """Where torque peaks over spark in one cell; a standard error each."""

    cylinder: Cylinder
    rpm: float
    load: float
    mbt_deg: float
    mbt_se_deg: float
    present_deg: float
    rise_sigmas: float  # standard errors by which torque rises with spark at the present timing
    samples: int


def find_mbt(
    cylinder: Cylinder,
    axes: tuple[Axis, Axis],
    rpm: F64,
    load: F64,
    spark: F64,
    torque: F64,
    *,
    least_samples: int = 40,
    least_spread_deg: float = 1.5,
    repeats: float = 5.0,
) -> tuple[Mbt, ...]:
    """Fit torque = quadratic in spark, linear in rpm and load, in every cell swept in spark.

    Rows (n,) of one cylinder. *repeats* is how many rows count as one. Only cells where the
    parabola surely bends down and peaks within five degrees of what was tried are reported.
    """
    r, c = cells(axes[0], rpm), cells(axes[1], load)
    good = (r >= 0) & (c >= 0) & np.isfinite(spark) & np.isfinite(torque)
    flat = np.where(good, r * len(axes[1]) + c, -1)
    counts = np.bincount(flat[good], minlength=len(axes[0]) * len(axes[1]))
    out = []
    for cell in np.flatnonzero(counts >= least_samples):
        rows = np.flatnonzero(flat == cell)
        degrees = spark[rows]
        if float(np.std(degrees)) < least_spread_deg:
            continue
        present = float(np.median(degrees))
        fit = _parabola(degrees - present, rpm[rows], load[rows], torque[rows], repeats)
        if fit is None:
            continue
        (_, rise, bend), covariance = fit
        if bend >= 0.0 or bend > -2.0 * covariance[2, 2] ** 0.5:
            continue
        peak = -rise / (2.0 * bend)
        if not degrees.min() - present - 5.0 <= peak <= degrees.max() - present + 5.0:
            continue
        # Delta method: peak = −b / 2c.
        slope = np.array([0.0, -1.0 / (2.0 * bend), rise / (2.0 * bend**2)])
        out.append(
            Mbt(
                cylinder,
                axes[0].nodes[int(cell) // len(axes[1])],
                axes[1].nodes[int(cell) % len(axes[1])],
                present + peak,
                float(slope @ covariance @ slope) ** 0.5,
                present,
                rise / covariance[1, 1] ** 0.5,
                int(rows.size),
            )
        )
    return tuple(out)


def _parabola(
    x: F64, rpm: F64, load: F64, torque: F64, repeats: float
) -> tuple[tuple[float, float, float], F64] | None:
    columns: Sequence[F64] = (np.ones_like(x), x, x**2, rpm - rpm.mean(), load - load.mean())
    design = np.stack(columns, axis=1)
    scale = np.maximum(np.sqrt(np.mean(design**2, axis=0)), 1e-9)
    scaled = design / scale
    gram = scaled.T @ scaled + 1e-9 * x.size * np.eye(5)
    inverse = np.linalg.inv(gram)
    beta = inverse @ (scaled.T @ torque)
    left = torque - scaled @ beta
    spare = x.size - 5
    if spare < 5:
        return None
    variance = float(left @ left) / spare * repeats
    covariance = variance * inverse / np.outer(scale, scale)
    a, b, c = (beta / scale)[:3].tolist()
    return (a, b, c), np.asarray(covariance[:3, :3], dtype=np.float64)
