"""Predicted against achieved: what a vehicle's runs say about the next prediction.

The planner predicts how much a test tells (information) and how long it takes. What came of it
over what was predicted is a ratio per kind of test. Its logarithm has a mean of its own on every
vehicle, T ~ N(0, between²), and scatters from run to run with *within*; after n runs with mean
logarithm m the posterior is normal with

    mean = m · n / (n + within² / between²),      variance = within² / (n + within² / between²)

so one odd run moves the next prediction by half at most, and ten runs nearly decide it. The
standard deviation given with a ratio is that of the next run, scatter included. Ratios are always
against what the path alone says, so that a correction is never corrected again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dynoai_desktop.core.analysis.basis import bilinear
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.planning.coverage import Coverage
from dynoai_desktop.core.planning.gaps import Enough, coverage_pct
from dynoai_desktop.core.planning.knowledge import Z95, TableBelief
from dynoai_desktop.core.planning.memory import Observed, Prediction, RunCoverage
from dynoai_desktop.core.planning.observing import binned, observe
from dynoai_desktop.core.planning.regions import PlacedRegion
from dynoai_desktop.core.planning.steps import Step, TestType
from dynoai_desktop.core.planning.ways import Ratio, Ways, usual_ways
from dynoai_desktop.core.store.vehicles import VehicleRecord

__all__ = ["Quality", "learned", "observe", "prediction_quality", "ratio_of", "ways_of"]

_BETWEEN, _WITHIN = 0.28, 0.20  # of ln ratio; together the 0.35 of a test nobody has driven
_FAILED = 0.05  # a run that told next to nothing is one failure, not minus infinity
_COOLING_BETWEEN_S, _COOLING_WITHIN_S = 16.0, 12.0
_MOST_POINTS = 200  # of the manifold, the latest
_DRIVEN_BY_TIME = (TestType.IDLE, TestType.SOAK)  # tests that stand still on purpose


def learned(
    run: RunCoverage,
    step: Step,
    before: Coverage,
    ways: Ways,
    regions: Sequence[PlacedRegion],
    *,
    belief: TableBelief | None = None,
    enough: Enough | None = None,
    pulls: int | None = None,
) -> RunCoverage:
    """Return *run* as feedback for *step*: with what was promised and what came of it.

    *before* is what was known without the run, *ways* those the step was planned with, *pulls*
    how many of the step's pulls the run holds (all, if None). Merge the result.
    """
    belief = belief or TableBelief()
    pulls = step.pulls if pulls is None else pulls
    told, nodes = _promised_information(step, before, belief)
    slower = ways.minutes.get(step.test_type, Ratio()).mean
    promise = Prediction(
        step.key,
        step.test_type,
        step.expected_coverage_gain * pulls / step.pulls,
        step.expected_coverage_doubt * pulls / step.pulls,
        step.drive_s * pulls / slower,
        told * pulls,
    )
    without = before.remove(run.run_id)
    alone = replace(without, runs={}).merge(run).knowledge(belief)
    told_by = [np.diag(matrix)[nodes].sum() for matrix in alone.information.values()]
    gain = coverage_pct(without.merge(run).knowledge(belief), regions, enough) - coverage_pct(
        without.knowledge(belief), regions, enough
    )
    achieved = replace(run.achieved, gain_pct=gain, information=float(np.mean(told_by)))
    return replace(run, prediction=promise, achieved=achieved)


def _promised_information(
    step: Step, coverage: Coverage, belief: TableBelief
) -> tuple[float, list[int]]:
    """Return the information one drive of a step promises, summed, and the nodes it reaches."""
    basis = bilinear(coverage.rpm, coverage.load, step.path.rpm, step.path.load)
    gram, _ = basis.normal_equations(np.zeros(basis.cell.size))
    told = np.diag(gram) / belief.sample_variance
    return float(told.sum()), np.flatnonzero(told > 0.0).tolist()


def ratio_of(logs: Sequence[float]) -> Ratio:
    """Return the ratio to expect of the next run, after those with these logarithms.

    >>> ratio_of([]).mean, round(ratio_of([math.log(2.0)]).mean, 2)
    (1.0, 1.58)
    >>> round(ratio_of([math.log(2.0)] * 10).mean, 2)
    1.93
    """
    worth = len(logs) + (_WITHIN / _BETWEEN) ** 2
    mean = math.exp(sum(logs) / worth)
    return Ratio(mean, mean * math.sqrt(_WITHIN**2 / worth + _WITHIN**2), len(logs))


def ways_of(coverage: Coverage, record: VehicleRecord, baro_kpa: float | None = None) -> Ways:
    """Return how the vehicle moves on the present dyno: as seen, else as vehicles usually do.

    *baro_kpa* is today's barometer; without it that of the latest run that measured it. Runs from
    other dynos do not count.
    """
    runs = _runs_here(coverage)
    seen = [run.observed for run in runs]
    baros = [one.baro_kpa for one in seen if one.baro_kpa is not None]
    baro = baro_kpa or (baros[-1] if baros else None)
    ways = usual_ways(record) if baro is None else usual_ways(record, baro)
    idles = [one.idle_rpm for one in seen if one.idle_rpm is not None]
    if record.idle_rpm is None and idles:
        ways = replace(ways, idle_rpm=float(np.median(idles)))
    pulls = _pulls(seen, ways, record)
    full = _points(seen, ways.baro_kpa)
    return replace(
        ways,
        pull_rpm_per_s=pulls or ways.pull_rpm_per_s,
        full_load_kpa=full if len(full) > 1 else ways.full_load_kpa,
        manifold=tuple(point for one in seen for point in one.manifold)[-_MOST_POINTS:],
        gain=_ratios(runs, _told),
        minutes=_ratios(runs, _took),
        cooling_s=_cooling(seen, ways.cooling_s),
        driven=any(one.pulls for one in seen),
    )


def _runs_here(coverage: Coverage) -> list[RunCoverage]:
    """Return the runs that may be of the present dyno, oldest first."""
    here = [run for run in coverage.runs.values() if not coverage.is_elsewhere(run)]
    return sorted(here, key=lambda run: (run.started, run.run_id))


def _pulls(
    seen: Sequence[Observed], ways: Ways, record: VehicleRecord
) -> dict[int, tuple[tuple[float, float], ...]]:
    """Return the pull of every gear: as seen, else that of the nearest gear seen, by its ratio."""
    points: dict[int, list[tuple[float, float]]] = {}
    for one in seen:
        for gear, curve in one.pulls:
            points.setdefault(gear or ways.gear, []).extend(curve)
    curves = {gear: _curve(rows) for gear, rows in points.items()}
    ratios = record.gear_ratios
    out = dict(curves)
    for gear in range(1, len(ratios) + 1) if curves else ():
        if gear not in curves:
            near = min(curves, key=lambda other: (abs(other - gear), other))
            # Force at the drum is torque times ratio, engine speed is drum speed times ratio.
            faster = (ratios[gear - 1] / ratios[near - 1]) ** 2 if near <= len(ratios) else 1.0
            out[gear] = tuple((rpm, rate * faster) for rpm, rate in curves[near])
    return dict(sorted(out.items()))


def _curve(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    rpm, rate = np.array(points, dtype=np.float64).T
    return binned(rpm, rate)


def _points(seen: Sequence[Observed], baro_kpa: float) -> tuple[tuple[float, float], ...]:
    """Return MAP wide open against rpm at today's barometer."""
    points = [
        (rpm, kpa * (baro_kpa / one.baro_kpa if one.baro_kpa else 1.0))
        for one in seen
        for rpm, kpa in one.full_load_kpa
    ]
    return _curve(points) if points else ()


def _cooling(seen: Sequence[Observed], usual: Ratio) -> Ratio:
    """Return the seconds of cooling to expect, shrunk towards the usual ones."""
    times = [seconds for one in seen for seconds in one.cooling_s]
    if not times:
        return usual
    prior = (_COOLING_WITHIN_S / _COOLING_BETWEEN_S) ** 2
    worth = len(times) + prior
    mean = (sum(times) + prior * usual.mean) / worth
    return Ratio(mean, _COOLING_WITHIN_S * math.sqrt(1.0 + 1.0 / worth), len(times))


def _told(run: RunCoverage, promise: Prediction) -> float | None:
    achieved = run.achieved.information
    if achieved is None or promise.information <= 0.0:
        return None
    return achieved / promise.information


def _took(run: RunCoverage, promise: Prediction) -> float | None:
    standing = promise.test_type in _DRIVEN_BY_TIME
    seconds = 60.0 * run.achieved.minutes if standing else run.achieved.driving_s
    return seconds / promise.drive_s if promise.drive_s > 0.0 and seconds > 0.0 else None


def _ratios(
    runs: Sequence[RunCoverage], ratio: Callable[[RunCoverage, Prediction], float | None]
) -> dict[TestType, Ratio]:
    logs: dict[TestType, list[float]] = {}
    for run in runs:
        value = None if run.prediction is None else ratio(run, run.prediction)
        if run.prediction is not None and value is not None:
            logs.setdefault(run.prediction.test_type, []).append(math.log(max(value, _FAILED)))
    return {kind: ratio_of(logs[kind]) for kind in TestType if kind in logs}


@dataclass(frozen=True, slots=True)
class Quality:
    """How well the gain of one kind of test was predicted; percentage points of the goal."""

    test_type: TestType
    count: int
    promised_pct: float  # mean
    bias_pct: float  # mean of achieved - promised: negative promised too much
    spread_pct: float | None  # standard deviation of that; None of a single run
    inside: float  # share of runs within the 95 % interval that was given
    told: float  # information achieved over promised, geometric mean

    @property
    def text(self) -> str:
        """Return it in words.

        >>> Quality(TestType.WOT_PULL, 4, 10.0, -2.0, 1.5, 0.75, 0.8).text
        'wot pull: promised 10.0 points, brought 8.0 (4 driven, 75 % within the interval given)'
        """
        return (
            f"{self.test_type.value.replace('_', ' ')}: promised {self.promised_pct:.1f} points, "
            f"brought {self.promised_pct + self.bias_pct:.1f} ({self.count} driven, "
            f"{100 * self.inside:.0f} % within the interval given)"
        )


_ROUNDING_PCT = 0.5  # a gain counts whole cells


def prediction_quality(coverage: Coverage) -> Mapping[TestType, Quality]:
    """Return how the promises for this vehicle came true, per kind of test that was driven."""
    out = {}
    for kind in TestType:
        pairs = [
            (run.prediction, run.achieved)
            for run in _runs_here(coverage)
            if run.prediction is not None
            and run.prediction.test_type is kind
            and run.achieved.gain_pct is not None
        ]
        if not pairs:
            continue
        promised = np.array([p.gain_pct for p, _ in pairs])
        doubt = np.array([p.doubt_pct for p, _ in pairs])
        off: F64 = np.array([a.gain_pct or 0.0 for _, a in pairs]) - promised
        logs = [
            math.log(max((a.information or 0.0) / p.information, _FAILED))
            for p, a in pairs
            if p.information > 0.0
        ]
        out[kind] = Quality(
            kind,
            len(pairs),
            float(promised.mean()),
            float(off.mean()),
            float(off.std(ddof=1)) if off.size > 1 else None,
            float(np.mean(np.abs(off) <= Z95 * doubt + _ROUNDING_PCT)),
            math.exp(float(np.mean(logs))) if logs else float("nan"),
        )
    return out
