"""The joint estimator: one table fitted to all samples at once, with its covariance.

Every sample is a reading of the table through the bilinear basis B, plus noise:

    y = B t + Z a + e,   t ~ N(0, (P / b² + I / r²)^-1 + c² I),   e: variance s², correlated in time

P is the bending energy of the table, so between dense data the table bends where the data say so
and across gaps it runs straight; Z a are disturbances of known shape and unknown size (Nuisance).
Three things are taken from the data, none is a constant:

* how much the table bends (b) and scatters from node to node (c), by their marginal likelihood,
  averaged over a grid, so that few data do not pretend to know it;
* how much the noise repeats itself: the integrated autocorrelation of the residuals is the number
  of samples that count as one (for AR(1) noise (1 + r) / (1 - r));
* which samples are outliers: Huber weights at two sigmas, with the variance that belongs to them.

The result is the posterior of a Gaussian process restricted to the table (Wahba, 1983: such
intervals cover across the function), plus what linear interpolation between nodes cannot follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.basis import Basis, Modes, bending_modes
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.misfit import misfit_variance
from dynoai_desktop.core.analysis.noise import Noise, Pairs, judge
from dynoai_desktop.core.analysis.prior import Prior, SurfaceOptions
from dynoai_desktop.core.axis import Axis

_MOST_PASSES = 6
_MOST_USED = 0.5  # of the samples' worth
_SETTLED = 0.1  # change of the noise that makes no difference to an interval


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A table of estimates, shape ``[rpm][load]`` each; NaN where nothing is known.

    Between the outermost cells with data every node has a value; a node without hits has one by
    its neighbours alone, and its ``se`` says so. ``covariance`` and ``information`` are over
    ``nodes``, the flat numbers (``r * L + l``) of the nodes with a value.
    """

    rpm: Axis
    load: Axis
    value: F64
    se: F64  # standard error of the value; 95 % lie within 1.96 of it
    hits: F64  # hit mass: how many samples speak for the node
    nodes: NDArray[np.intp]  # (k,)
    covariance: F64  # (k, k)
    information: F64  # (k, k) what the data alone say: B'WB / (s² · samples per independent one)
    noise_sd: float
    repeats: float  # samples that count as one
    samples: int
    roughness_sd: float
    scatter_sd: float

    @property
    def effective_samples(self) -> float:
        """Return the number of independent samples the data are worth."""
        return self.samples / self.repeats

    def measured(self, least_hits: float) -> NDArray[np.bool_]:
        """Return the nodes with at least *least_hits*, ``[rpm][load]``."""
        return (self.hits >= least_hits) & np.isfinite(self.value)

    def moved(self, by: F64 | float, hits: F64) -> Surface:
        """Return the surface raised by *by*, with the hit mass of more samples than were fitted."""
        return replace(self, value=self.value + by, hits=hits)

    def exponential(self, middle: float) -> Surface:
        """Return exp(value + *middle*) for a surface of logarithms, standard errors with it."""
        value = np.exp(self.value + middle)
        at = value.ravel()[self.nodes]
        return replace(
            self,
            value=value,
            se=value * self.se,
            covariance=self.covariance * np.outer(at, at),
            information=self.information / np.outer(at, at),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Nuisance:
    """Something else that moves the samples: *effect* (m,) times an amount not known exactly.

    The amount is 0 give or take *sd*. It is estimated with the table, and what remains unknown of
    it widens every interval it reaches; or, where the table cannot tell it from its own errors,
    it is *only_doubt* and widens the intervals of the nodes it acts on. Examples: an error of the
    delay, fuel on the port walls; air drawn back into the exhaust at idle. An amount that is not
    the same everywhere is known there only but for the share *uneven* of it.
    """

    effect: F64
    sd: float
    only_doubt: bool = False
    uneven: float = 0.0


def empty_surface(rpm: Axis, load: Axis) -> Surface:
    """Return the surface of no data at all."""
    blank = np.full((len(rpm), len(load)), np.nan)
    none = np.empty((0, 0))
    nodes = np.empty(0, dtype=np.intp)
    return Surface(
        rpm,
        load,
        blank,
        blank,
        np.zeros_like(blank),
        nodes,
        none,
        none,
        np.nan,
        1.0,
        0,
        np.nan,
        np.nan,
    )


def fit_surface(
    basis: Basis,
    y: F64,
    time_s: F64,
    options: SurfaceOptions | None = None,
    nuisances: tuple[Nuisance, ...] = (),
) -> Surface:
    """Fit the table to samples *y* (m,), taken at *time_s* (m,), that lie where *basis* says.

    Time serves only to see how the noise repeats itself; the order of the samples does not
    matter. All values must be finite.
    """
    if not y.size:
        return empty_surface(basis.rpm, basis.load)
    options = options or SurfaceOptions()
    if np.any(np.diff(time_s) < 0):
        order = np.argsort(time_s, kind="stable")
        basis, y, time_s = basis.take(order), y[order], time_s[order]
        nuisances = tuple(replace(n, effect=n.effect[order]) for n in nuisances)
    fitted = tuple(n for n in nuisances if not n.only_doubt)
    nodes, modes = _active(basis)
    prior = Prior.before_data(options)
    pairs = Pairs.of(time_s)
    noise = Noise(_rough_noise(y) ** 2)
    values = np.zeros(basis.nodes)
    unit = _variance(noise, y.size, options)
    for attempt in range(_MOST_PASSES):
        gram, moment = basis.normal_equations(y, noise.weight)
        gram, moment = gram[np.ix_(nodes, nodes)], moment[nodes]
        amounts = _Amounts.of(basis, nodes, fitted, noise.weight, unit)
        information = amounts.information(gram)
        moment = amounts.told(moment, y)
        if attempt > 0 and options.learn:
            prior = prior.after(information, moment, modes)
            if attempt == 1:
                prior = prior.refined()
        covariance = np.linalg.inv(information + prior.precision(modes))
        values[nodes] = covariance @ moment
        found = amounts.found(y, values[nodes])
        explained = amounts.effect(y.size, found)
        noise = judge(y - basis.at(values) - explained, pairs)
        used = float(np.sum(covariance * information))
        before, unit = unit, _unit(noise, y.size, used, options)
        if abs(unit / before - 1.0) < _SETTLED and attempt > (1 if options.learn else 0):
            break
    covariance = (covariance + covariance.T) / 2.0
    spare = max(2.0, y.size / noise.repeats - used)
    covariance = covariance * _student(spare)
    variance = np.diag(covariance) + misfit_variance(basis, y - explained, values, nodes)
    variance += options.least_se**2 + _doubt(basis, nodes, nuisances)
    variance += _doubt(basis, nodes, amounts.unevenness(found))
    shape = (len(basis.rpm), len(basis.load))
    value, se = np.full(basis.nodes, np.nan), np.full(basis.nodes, np.nan)
    value[nodes] = values[nodes]
    se[nodes] = np.sqrt(variance)
    return Surface(
        rpm=basis.rpm,
        load=basis.load,
        value=value.reshape(shape),
        se=se.reshape(shape),
        hits=basis.sums().reshape(shape),
        nodes=nodes,
        covariance=covariance,
        information=information,
        noise_sd=float(np.sqrt(_variance(noise, y.size, options))),
        repeats=noise.repeats,
        samples=int(y.size),
        roughness_sd=prior.bend,
        scatter_sd=prior.scatter,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Amounts:
    """The nuisances of a fit and their sums with the table and with each other, per unit."""

    nuisances: tuple[Nuisance, ...]
    weight: F64 | None
    with_nodes: F64  # (k, q)
    precision: F64  # (q, q) of the amounts, data and prior together
    unit: float

    @classmethod
    def of(
        cls,
        basis: Basis,
        nodes: NDArray[np.intp],
        nuisances: tuple[Nuisance, ...],
        weight: F64 | None,
        unit: float,
    ) -> _Amounts:
        count = len(nuisances)
        with_nodes = np.zeros((nodes.size, count))
        precision = np.zeros((count, count))
        for i, one in enumerate(nuisances):
            weighted = one.effect if weight is None else one.effect * weight
            with_nodes[:, i] = basis.sums(weighted)[nodes] / unit
            precision[i] = [weighted @ other.effect / unit for other in nuisances]
            precision[i, i] += one.sd**-2
        return cls(nuisances, weight, with_nodes, precision, unit)

    def weighted(self, values: F64) -> F64:
        """Return values (m,) times the weights of their samples."""
        return values if self.weight is None else values * self.weight

    def information(self, gram: F64) -> F64:
        """Return what the data say about the nodes, the amounts averaged out, (k, k)."""
        out: F64 = gram / self.unit
        if self.nuisances:
            known = self.with_nodes @ np.linalg.inv(self.precision)
            out = out - np.asarray(known @ self.with_nodes.T, np.float64)
        return out

    def told(self, moment: F64, values: F64) -> F64:
        """Return B'W·values per unit without what the amounts explain of it, (k,)."""
        out: F64 = moment / self.unit
        if self.nuisances:
            found = np.linalg.solve(self.precision, self._with(values))
            out = out - np.asarray(self.with_nodes @ found, np.float64)
        return out

    def found(self, y: F64, at_nodes: F64) -> F64:
        """Return the amounts given the table, (q,)."""
        if not self.nuisances:
            return np.zeros(0)
        left = self._with(y) - self.with_nodes.T @ at_nodes
        return np.asarray(np.linalg.solve(self.precision, left), np.float64)

    def effect(self, samples: int, found: F64) -> F64:
        """Return what the nuisances explain of every sample, (m,)."""
        out = np.zeros(samples)
        for nuisance, amount in zip(self.nuisances, found.tolist(), strict=True):
            out += amount * nuisance.effect
        return out

    def unevenness(self, found: F64) -> tuple[Nuisance, ...]:
        """Return the doubt that is left because amounts are not the same everywhere."""
        return tuple(
            Nuisance(one.effect, one.uneven * abs(amount), only_doubt=True)
            for one, amount in zip(self.nuisances, found.tolist(), strict=True)
            if one.uneven > 0.0
        )

    def _with(self, values: F64) -> F64:
        weighted = self.weighted(values)
        return np.array([n.effect @ weighted / self.unit for n in self.nuisances])


def _doubt(basis: Basis, nodes: NDArray[np.intp], nuisances: tuple[Nuisance, ...]) -> F64:
    """Return the variance, per node, that nuisances add which cannot be estimated."""
    out = np.zeros(nodes.size)
    doubted = [nuisance for nuisance in nuisances if nuisance.only_doubt]
    if doubted:
        mass = np.maximum(basis.sums()[nodes], 1e-9)
    for nuisance in doubted:
        out += (nuisance.sd * basis.sums(nuisance.effect)[nodes] / mass) ** 2
    return out


def _active(basis: Basis) -> tuple[NDArray[np.intp], Modes]:
    """Return the nodes of the smallest box of cells that holds all samples, and its penalty."""
    columns = len(basis.load)
    r, c = np.divmod(np.flatnonzero(np.bincount(basis.cell)), columns - 1)
    rows = np.arange(r.min(), r.max() + 2)
    cols = np.arange(c.min(), c.max() + 2)
    nodes = (rows[:, None] * columns + cols[None, :]).ravel()
    modes = bending_modes(
        tuple(basis.rpm.nodes[i] for i in rows), tuple(basis.load.nodes[i] for i in cols)
    )
    return nodes, modes


def _rough_noise(y: F64) -> float:
    """Return a first guess of the noise: the spread of the values themselves."""
    return float(1.4826 * np.median(np.abs(y - np.median(y))))


def _variance(noise: Noise, samples: int, options: SurfaceOptions) -> float:
    """Return the variance of the noise, the guess before data being worth a few samples."""
    worth = options.noise_worth
    known = samples / noise.repeats
    return (worth * options.noise_sd**2 + known * noise.variance) / (worth + known)


def _unit(noise: Noise, samples: int, used: float, options: SurfaceOptions) -> float:
    """Return the variance of one independent sample.

    A table with many free nodes follows part of the noise, its slow part first, and leaves too
    little in the residuals: they are made up for by the degrees of freedom *used*.
    """
    share = min(used * noise.repeats / samples, _MOST_USED)
    return _variance(noise, samples, options) * noise.repeats / (1.0 - share)


def _student(degrees: float) -> float:
    """Return (t / z)² of the 97.5 % points: intervals from few residuals must be wider.

    The first terms of the Cornish-Fisher expansion of Student's t.

    >>> round(1.96 * _student(10.0) ** 0.5, 2)
    2.23
    """
    return (1.0 + 1.21 / degrees + 1.44 / degrees**2) ** 2
