"""From the joint estimate to a recommended change of the VE table.

The estimate says what the table is off by; the recommendation is more careful. It is pulled
towards no change by its own doubt, Var / (Var + SE²), but never far from what was measured; left
alone while it is within two standard errors of right; held to a step that hardly could move any
cell of the table away from the truth, that shrinks with the evidence and is smaller towards lean;
and held to what a whole session may change. A node without enough hits keeps a multiplier of
exactly 1 and has no estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.surface import Surface
from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Cylinder

GAS_CONSTANT_AIR = 287.05  # J/(kg K)
_MOST_PULL = 1.5  # standard errors by which doubt may shrink an estimate


@dataclass(frozen=True, slots=True)
class VeSettings:
    """How far a recommendation may go. Percent of the cell's own value."""

    richer_pct: float = 15.0  # largest step that adds fuel, at full evidence
    leaner_pct: float = 10.0  # largest step that takes fuel away
    step_value: float | None = None  # largest step in the table's own unit, e.g. VE points
    session_pct: float = 30.0  # all steps of a session together
    least_hits: float = 3.0
    half_hits: float = 5.0  # hits at which half the step is allowed
    half_se: float = 0.02  # standard error at which half the step is allowed
    sure_sigmas: float = 2.0  # an error smaller than this many standard errors is left alone
    # The chance, all cells of a table together, that one of them is moved away from the truth by
    # more than two standard errors.
    harm_chance: float = 0.001
    tables: Mapping[Cylinder, CellGrid] = field(default_factory=dict)  # the present VE tables
    applied: Mapping[Cylinder, CellGrid] = field(default_factory=dict)  # multipliers so far


class Verdict(IntEnum):
    """What became of a node."""

    NO_DATA = 0
    LEFT_ALONE = 1  # within its noise of right
    CORRECTED = 2
    LIMITED = 3  # the step was cut to what the evidence allows
    SESSION_LIMIT = 4


@dataclass(frozen=True, slots=True, eq=False)
class VeCorrection:
    """The recommendation for one cylinder, every array ``[rpm][load]``."""

    cylinder: Cylinder
    rpm: Axis
    load: Axis
    multiplier: F64  # 1 where there is nothing to say
    estimate: F64  # factor the table is short by, NaN where unknown
    se: F64  # standard error of the estimate
    hits: F64  # 0 below the least number of hits
    verdict: NDArray[np.int8]


def recommend(
    surface: Surface, cylinder: Cylinder, settings: VeSettings | None = None
) -> VeCorrection:
    """Return the recommendation from a surface of ln(needed / present VE).

    Raises ValueError when a table or the session's multipliers are on other axes.
    """
    s = settings or VeSettings()
    known = surface.measured(s.least_hits)
    y = np.where(known, surface.value, 0.0)
    se = np.where(known, surface.se, np.inf)
    noise = np.zeros(surface.se.size)
    noise[surface.nodes] = np.sqrt(np.diag(surface.covariance))
    cells = int(np.count_nonzero(known))
    step = safe_step(believed(y, se, known), se, noise.reshape(se.shape), cells, s.harm_chance)
    sure = (np.abs(y) >= s.sure_sigmas * se) & (step != 0.0)
    step[~sure] = 0.0
    low, high = authority(surface.hits, se, s)
    low, high = _in_value(
        low, high, table_on(s.tables, cylinder, surface.rpm, surface.load), s.step_value
    )
    held = np.clip(step, np.log1p(low), np.log1p(high))
    multiplier = np.exp(held)
    verdict = np.where(known, np.where(sure, Verdict.CORRECTED, Verdict.LEFT_ALONE), 0)
    verdict[known & sure & (held != step)] = Verdict.LIMITED
    applied = table_on(s.applied, cylinder, surface.rpm, surface.load)
    if applied is not None:
        session = s.session_pct / 100.0
        least, most = (1.0 - session) / applied, (1.0 + session) / applied
        # Whatever was applied before, this step never turns against its own direction.
        bounded = np.clip(multiplier, np.minimum(least, 1.0), np.maximum(most, 1.0))
        verdict[known & (bounded != multiplier)] = Verdict.SESSION_LIMIT
        multiplier = bounded
    multiplier[verdict <= Verdict.LEFT_ALONE] = 1.0
    estimate = np.where(known, np.exp(y), np.nan)
    return VeCorrection(
        cylinder,
        surface.rpm,
        surface.load,
        multiplier,
        estimate,
        np.where(known, estimate * np.where(known, surface.se, 0.0), np.nan),
        np.where(known, surface.hits, 0.0),
        verdict.astype(np.int8),
    )


def believed(y: F64, se: F64, known: NDArray[np.bool_]) -> F64:
    """Return the estimates *y* pulled towards no change by their doubt, each by a little at most.

    Where most of a table is right, Var is small and would hide the one cell that is not; so no
    estimate is pulled by more than its own noise explains (limited translation, Efron and Morris,
    1972).

    >>> one_of_many = np.append(np.zeros(99), 0.02)
    >>> se = np.full(100, 0.002)
    >>> believed(one_of_many, se, np.full(100, True))[-1:].round(3)
    array([0.017])
    """
    pulled = y * shrinkage(y[known], se[known], se)
    near = np.sign(y) * np.maximum(np.abs(y) - _MOST_PULL * np.where(known, se, 0.0), 0.0)
    out: F64 = np.where(np.abs(pulled) > np.abs(near), pulled, near)
    return out


def safe_step(error: F64, se: F64, noise: F64, cells: int, chance: float) -> F64:
    """Return the part of *error* that may be corrected without likely harm.

    A cell off by w and moved by s lies further off by more than two standard errors where
    s − 2 w > 2 SE. The true w lies below *error* by no more than *reach* but for the given
    chance, so the largest harmless step is 2 (error + SE − reach): nothing up to reach − SE, all
    of it from twice that. Of the doubt SE, *noise* is Gaussian and *chance* is shared by all
    *cells* of a table (Bonferroni); the rest are effects that end somewhere (reversion, film, the
    sensor) and reach as far as a uniform doubt of that size, √3.

    >>> se = np.full(3, 0.01)
    >>> safe_step(np.array([0.03, 0.05, 0.08]), se, se, 300, 0.001).round(3)
    array([0.  , 0.03, 0.08])
    """
    if not cells:
        return np.zeros_like(error)
    z = NormalDist().inv_cdf(1.0 - chance / cells)
    known = np.isfinite(se)
    whole, gaussian = np.where(known, se, 0.0), np.where(known, noise, 0.0)
    limited = np.sqrt(np.maximum(whole**2 - gaussian**2, 0.0))
    reach = z * gaussian + 3.0**0.5 * limited
    room = 2.0 * np.maximum(np.abs(error) + whole - reach, 0.0)
    out: F64 = np.where(known, np.sign(error) * np.minimum(np.abs(error), room), 0.0)
    return out


def shrinkage(y: F64, se: F64, at_se: F64) -> F64:
    """Return Var / (Var + SE²) at the standard errors *at_se*.

    Var is how far tables of this log are off: the variance that, with each node's own SE², best
    explains the estimates *y* around no error (Morris, 1983, solved by repeated weighting).

    >>> shrinkage(np.array([0.1, -0.1]), np.array([1e-6, 1e-6]), np.array([0.1])).round(3)
    array([0.5])
    """
    if not y.size:
        return np.zeros_like(at_se)
    variance = float(np.mean(y**2))
    for _ in range(20):
        weight = 1.0 / (variance + se**2 + 1e-18) ** 2
        variance = max(0.0, float(np.sum(weight * (y**2 - se**2)) / np.sum(weight)))
    share: F64 = variance / (variance + at_se**2 + 1e-18)
    return share


def authority(hits: F64, se: F64, settings: VeSettings) -> tuple[F64, F64]:
    """Return the lowest and highest change allowed, as a share of the cell's value.

    Falls with fewer hits and with a wider interval, to nothing without evidence.
    """
    by_hits = hits / (hits + settings.half_hits)
    by_se = 1.0 / (1.0 + (se / settings.half_se) ** 2)
    evidence = np.minimum(by_hits, by_se)
    return -settings.leaner_pct / 100.0 * evidence, settings.richer_pct / 100.0 * evidence


def _in_value(low: F64, high: F64, table: F64 | None, step_value: float | None) -> tuple[F64, F64]:
    """Return the limits narrowed to *step_value* in the table's own unit."""
    if table is None or step_value is None:
        return low, high
    share = np.where(table > 0.0, step_value / np.where(table > 0.0, table, 1.0), 0.0)
    return np.maximum(low, -share), np.minimum(high, share)


def table_on(
    grids: Mapping[Cylinder, CellGrid], cylinder: Cylinder, rpm: Axis, load: Axis
) -> F64 | None:
    """Return a cylinder's table, or None without one. Raises ValueError on other axes."""
    grid = grids.get(cylinder)
    if grid is None:
        return None
    if grid.rpm.nodes != rpm.nodes or grid.load.nodes != load.nodes:
        raise ValueError(
            f"The {cylinder.value} table and the analysis are on different axes. "
            "Analyse on the axes of the table."
        )
    return grid.values


@dataclass(frozen=True, slots=True)
class Injector:
    """What is needed to turn injector time into fuel."""

    flow_g_per_s: float
    cylinder_l: float  # swept volume of one cylinder
    stoich: float
    dead_time_ms: tuple[tuple[float, float], ...]  # (volts, ms), rising volts

    def fuel_mg(self, pulse_width_ms: F64, volts: F64) -> F64:
        """Return the fuel of one injection in milligrams; no less than none.

        >>> Injector(4.0, 0.85, 14.7, ((14.0, 0.9),)).fuel_mg(np.array([5.9]), np.array([14.0]))
        array([20.])
        """
        table = np.asarray(self.dead_time_ms)
        open_ms = pulse_width_ms - np.interp(volts, table[:, 0], table[:, 1])
        fuel: F64 = self.flow_g_per_s * np.maximum(open_ms, 0.0)
        return fuel


def absolute_ve(fuel_mg: F64, lambda_: F64, map_kpa: F64, charge_c: F64, injector: Injector) -> F64:
    """Return volumetric efficiency in percent by inverting speed-density.

    VE = m_fuel · lambda · AFR_stoich · R · T / (MAP · V_cylinder), R = 287.05 J/(kg K).

    >>> injector = Injector(4.0, 0.85, 14.7, ((14.0, 0.9),))
    >>> one = np.ones(1)
    >>> absolute_ve(50.0 * one, 0.9 * one, 100.0 * one, 40.0 * one, injector).round(2)
    array([69.96])
    """
    air_kg = fuel_mg * 1e-6 * lambda_ * injector.stoich
    filled_kg = (
        map_kpa * 1e3 * injector.cylinder_l * 1e-3 / (GAS_CONSTANT_AIR * (charge_c + 273.15))
    )
    ve: F64 = 100.0 * air_kg / filled_kg
    return ve
