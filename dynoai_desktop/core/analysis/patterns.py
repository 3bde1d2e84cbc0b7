"""Which single cause explains a whole fuel table best.

Every cause that acts on fuel leaves a shape in the table of errors: a weak pump leans out high
flow, a leak before one sensor leans out low flow on that side, dead time shows where pulses are
short. All measured nodes of all cylinders together are one observation

    y = amount · shape + smooth table error + noise,

and the likelihood of every shape, its amount integrated out, is set against the others and
against no shape at all. A shape must explain the data better than a table somebody mistuned could.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import erfc, log, pi

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.fuel import CylinderFit
from dynoai_desktop.core.channels import Cylinder

_LEAST_HITS = 3.0
_AMOUNT_SD = 0.10  # how large an amount is at all likely
_TABLE_SD = (0.003, 0.01, 0.03, 0.07)  # mistuned by this much, smoothly
_SHAPED_FROM = 0.02  # a table error this large is a finding of its own
_REACH_RPM = 900.0
_REACH_LOAD = 22.0
_OWN_SHARE = 0.15  # of a table error that the other cylinder does not share
_SCATTER = 0.003
_RARE = 0.15  # how likely a single cause is before the data, against none
_IDLE_FLOW = 900.0 * 28.0
_FULL_LOAD = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """The measured nodes of all cylinders, stacked, (k,) each; covariance (k, k)."""

    cylinder: tuple[Cylinder, ...]
    rpm: F64
    load: F64  # kPa; throttle percent where the table is by throttle
    y: F64
    covariance: F64

    @property
    def flow(self) -> F64:
        """Return rpm times load over their largest product."""
        product = self.rpm * self.load
        flow: F64 = product / max(float(product.max()), 1e-9)
        return flow

    def on(self, cylinder: Cylinder) -> F64:
        """Return 1 at the nodes of a cylinder, else 0."""
        return np.array([1.0 if c is cylinder else 0.0 for c in self.cylinder])

    def mirrored(self) -> bool:
        """Return whether both cylinders were measured."""
        return {Cylinder.FRONT, Cylinder.REAR} <= set(self.cylinder)


Shape = Callable[[Nodes], F64 | None]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One shape and the sign its amount may have: +1 lean only, −1 rich only, 0 either."""

    key: str
    shape: Shape
    sign: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """How well one pattern explains the tables."""

    key: str
    probability: float
    amount: float
    amount_se: float
    log_bayes: float  # against the best explanation without any pattern
    where_strong: float  # mean error where the cause acts most, NaN where no such cell was seen
    where_weak: float  # and where it acts least


def _everywhere(nodes: Nodes) -> F64:
    return np.ones(nodes.y.size)


def _short_pulses(nodes: Nodes) -> F64:
    shape: F64 = np.minimum(30.0 / np.maximum(nodes.load, 5.0), 3.0)
    return shape


def _high_flow(start: float) -> Shape:
    def shape(nodes: Nodes) -> F64 | None:
        over = np.maximum(nodes.flow - start, 0.0) / (1.0 - start)
        return over if np.count_nonzero(over > 0.2) >= 3 else None

    return shape


def _low_flow(cylinder: Cylinder, power: float) -> Shape:
    def shape(nodes: Nodes) -> F64 | None:
        if not nodes.mirrored():
            return None
        share = _IDLE_FLOW / np.maximum(nodes.rpm * nodes.load, _IDLE_FLOW)
        return nodes.on(cylinder) * share**power

    return shape


def _one_side(cylinder: Cylinder) -> Shape:
    return lambda nodes: nodes.on(cylinder) if nodes.mirrored() else None


def _one_side_loaded(cylinder: Cylinder, power: float) -> Shape:
    def shape(nodes: Nodes) -> F64 | None:
        if not nodes.mirrored():
            return None
        return nodes.on(cylinder) * np.clip(nodes.load / _FULL_LOAD, 0.0, 1.2) ** power

    return shape


_F, _R = Cylinder.FRONT, Cylinder.REAR
# Rows of the same key are variants of one cause; their probabilities add up.
PATTERNS: tuple[Pattern, ...] = (
    Pattern("fuel_scale", _everywhere),
    Pattern("dead_time", _short_pulses),
    *(Pattern("weak_pump", _high_flow(start), 1) for start in (0.5, 0.6, 0.7, 0.8)),
    *(Pattern("leak_front", _low_flow(_F, power), 1) for power in (0.5, 1.0)),
    *(Pattern("leak_rear", _low_flow(_R, power), 1) for power in (0.5, 1.0)),
    Pattern("offset_front", _one_side(_F)),
    Pattern("offset_rear", _one_side(_R)),
    *(Pattern("misfire_front", _one_side_loaded(_F, power), 1) for power in (2.0, 4.0)),
    *(Pattern("misfire_rear", _one_side_loaded(_R, power), 1) for power in (2.0, 4.0)),
)


def measured_nodes(fits: Mapping[Cylinder, CylinderFit]) -> Nodes | None:
    """Return the nodes with enough hits of all cylinders; None with fewer than six."""
    names: list[Cylinder] = []
    parts: list[tuple[F64, F64, F64, F64]] = []
    for cylinder, fit in fits.items():
        surface = fit.surface
        known = np.flatnonzero(surface.measured(_LEAST_HITS).ravel()[surface.nodes])
        at = surface.nodes[known]
        r, c = np.divmod(at, len(surface.load))
        covariance = surface.covariance[np.ix_(known, known)]
        # What the interval has beyond the covariance (misfit, reversion) belongs to its node.
        extra = surface.se.ravel()[at] ** 2 - np.diag(covariance)
        parts.append(
            (
                np.asarray(surface.rpm.nodes)[r],
                np.asarray(surface.load.nodes)[c],
                surface.value.ravel()[at],
                covariance + np.diag(np.maximum(extra, 0.0)),
            )
        )
        names += [cylinder] * at.size
    if len(names) < 6:
        return None
    covariance = np.zeros((len(names), len(names)))
    start = 0
    for part in parts:
        stop = start + part[0].size
        covariance[start:stop, start:stop] = part[3]
        start = stop
    rpm, load, y = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return Nodes(tuple(names), rpm, load, y, covariance)


def explain(nodes: Nodes) -> tuple[tuple[Explanation, ...], float]:
    """Return every cause with its probability, and the probability that the table is mistuned.

    The probabilities of all single causes and of none of them add up to one; a table may be
    mistuned beside any of them.
    """
    common, own = _likeness(nodes)
    scores: list[_Score] = []
    shapes = [(pattern, pattern.shape(nodes)) for pattern in PATTERNS]
    for sd in _TABLE_SD:
        table = sd**2 * ((1.0 - _OWN_SHARE) * common + _OWN_SHARE * own)
        full = nodes.covariance + table + _SCATTER**2 * np.eye(nodes.y.size)
        factor = np.linalg.cholesky(full)
        white = np.linalg.solve(factor, nodes.y)
        base = -0.5 * float(white @ white) - float(np.log(np.diag(factor)).sum())
        scores.append(_Score("", base, 0.0, 0.0, sd, None))
        for pattern, shape in shapes:
            if shape is None:
                continue
            seen = np.linalg.solve(factor, shape)
            variance = 1.0 / (float(seen @ seen) + _AMOUNT_SD**-2)
            amount = variance * float(seen @ white)
            z = amount / variance**0.5
            score = base + 0.5 * z**2 + 0.5 * log(variance / _AMOUNT_SD**2)
            if pattern.sign:
                # Half of the prior is ruled out, and so is part of the posterior.
                score += _log_share(pattern.sign * z)
            scores.append(_Score(pattern.key, score, amount, variance**0.5, sd, shape))
    return _weigh(scores, nodes.y)


def _log_share(z: float) -> float:
    """Return ln of twice the share of a Gaussian at *z* that lies on the allowed side.

    Far on the wrong side by the tail's asymptote, where the share itself is below any number.

    >>> _log_share(0.0), round(_log_share(-10.0), 2)
    (0.0, -52.53)
    """
    if z > -8.0:
        return log(erfc(-z / 2.0**0.5))
    return -0.5 * z**2 - log(-z * (pi / 2.0) ** 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class _Score:
    """One trial: a pattern, or none, beside tables mistuned by *table_sd*."""

    key: str
    log: float  # marginal likelihood
    amount: float
    amount_se: float
    table_sd: float
    shape: F64 | None


def _weigh(scores: list[_Score], y: F64) -> tuple[tuple[Explanation, ...], float]:
    keys = list(dict.fromkeys(p.key for p in PATTERNS))
    variants = {key: sum(p.key == key for p in PATTERNS) for key in keys}
    prior = {"": 0.0, **{key: float(np.log(_RARE / variants[key])) for key in keys}}
    logs = np.array([score.log + prior[score.key] for score in scores])
    chance = np.exp(logs - logs.max())
    chance /= chance.sum()
    plain = max(float(one) for s, one in zip(scores, logs, strict=True) if not s.key)
    out = []
    for key in keys:
        mine = [i for i, score in enumerate(scores) if score.key == key]
        if mine:
            best = max(mine, key=lambda i: float(logs[i]))
            out.append(_explanation(scores[best], float(chance[mine].sum()), logs[best] - plain, y))
    shaped = sum(
        float(c) for c, s in zip(chance, scores, strict=True) if s.table_sd >= _SHAPED_FROM
    )
    return tuple(out), shaped


def _explanation(score: _Score, probability: float, log_bayes: float, y: F64) -> Explanation:
    strong = weak = np.zeros(y.size, dtype=bool)
    if score.shape is not None:
        strong = score.shape >= 0.7 * score.shape.max()
        weak = score.shape <= 0.3 * score.shape.max()
    return Explanation(
        score.key,
        probability,
        score.amount,
        score.amount_se,
        float(log_bayes),
        float(y[strong].mean()) if strong.any() else np.nan,
        float(y[weak].mean()) if weak.any() else np.nan,
    )


def _likeness(nodes: Nodes) -> tuple[F64, F64]:
    """Return how alike table errors are between nodes: of any cylinder, and of the same one."""
    far_rpm = (nodes.rpm[:, None] - nodes.rpm[None, :]) / _REACH_RPM
    far_load = (nodes.load[:, None] - nodes.load[None, :]) / _REACH_LOAD
    common: F64 = np.exp(-0.5 * (far_rpm**2 + far_load**2))
    same = np.array([[a is b for b in nodes.cylinder] for a in nodes.cylinder])
    return common, common * same
