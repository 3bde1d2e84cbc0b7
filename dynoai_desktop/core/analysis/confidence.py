"""How sure one may be of a tune: that lambda is within tolerance where the engine lives.

Per region the mean, over its cells, of the probability that the error is within the tolerance; a
cell nobody visited counts as zero, so no data is no confidence. Gates cap the grade, not the
score: a tune nobody listened to for knock is not an A.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf

import numpy as np

from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.surface import Surface
from dynoai_desktop.core.channels import Channel

TOLERANCE = 0.03  # of lambda
_LEAST_HITS = 3.0
GRADES = ((85.0, "A"), (70.0, "B"), (50.0, "C"), (0.0, "D"))


@dataclass(frozen=True, slots=True)
class Region:
    """Where an engine lives: rpm as a share of the redline, load of the barometer or throttle."""

    name: str
    rpm: tuple[float, float]
    load: tuple[float, float]
    usage: float


# Of a 6000 rpm engine: idle to 2000 rpm, cruise to 3500, full load from 2500 up.
REGIONS = (
    Region("idle", (0.12, 0.33), (0.20, 0.40), 0.15),
    Region("cruise", (0.33, 0.58), (0.35, 0.70), 0.45),
    Region("wide_open", (0.42, 0.97), (0.85, 1.05), 0.40),
)


@dataclass(frozen=True, slots=True)
class RegionScore:
    """One region: the probability that a cell of it is within tolerance, and how many were seen."""

    name: str
    score: float  # 0 to 100
    cells: int
    visited: int


@dataclass(frozen=True, slots=True)
class TuneConfidence:
    """The whole: 0 to 100, a grade, and what held the grade down."""

    score: float
    grade: str
    regions: tuple[RegionScore, ...]
    caps: tuple[str, ...]
    weak: tuple[str, ...]


def within(surface: Surface, tolerance: float = TOLERANCE) -> F64:
    """Return the probability per node that the error is within ±*tolerance*; 0 where not seen."""
    known = surface.measured(_LEAST_HITS)
    out = np.zeros(surface.hits.shape)
    for r, c in np.argwhere(known).tolist():
        out[r, c] = probability_within(
            float(surface.value[r, c]), float(surface.se[r, c]), tolerance
        )
    return out


def probability_within(value: float, se: float, tolerance: float) -> float:
    """Return P(|truth| < tolerance) of a Gaussian estimate.

    >>> round(probability_within(0.0, 0.03, 0.03), 3)
    0.683
    """
    scale = se * 2.0**0.5
    return 0.5 * (erf((tolerance - value) / scale) + erf((tolerance + value) / scale))


def judge_tune(evidence: Evidence, redline_rpm: float | None = None) -> TuneConfidence:
    """Return the confidence in the present tune, 0 without data.

    *redline_rpm* is the vehicle's; without it the highest speed of the log is taken.
    """
    surfaces = [fit.surface for fit in evidence.fits.values()]
    if not any(surface.samples for surface in surfaces):
        return TuneConfidence(0.0, "D", (), ("no fuel table was estimated",), ())
    rpm = evidence.channel(Channel.RPM)
    top = redline_rpm or float(np.nanpercentile(rpm, 99.9)) if rpm is not None else 6000.0
    full = 100.0
    if evidence.where.load_axis.channel is Channel.MAP:
        full = evidence.track.baro_kpa
    judged = (_score(region, surfaces, top, full) for region in REGIONS)
    regions = tuple(region for region in judged if region is not None)
    usage = {region.name: region.usage for region in REGIONS}
    total = sum(usage[r.name] for r in regions)
    score = sum(usage[r.name] * r.score for r in regions) / total if total else 0.0
    caps = tuple(_caps(evidence, regions))
    grade = next(letter for least, letter in GRADES if score >= least)
    if caps and grade == "A":
        grade = "B"
    weak = tuple(
        f"{r.name.replace('_', ' ')}: {r.visited} of {r.cells} cells seen, "
        f"{r.score:.0f} % within tolerance"
        for r in regions
        if r.score < 70.0
    )
    return TuneConfidence(round(score, 2), grade, regions, caps, weak)


def _score(
    region: Region, surfaces: Sequence[Surface], top_rpm: float, full_load: float
) -> RegionScore | None:
    chances: list[float] = []
    visited = 0
    for surface in surfaces:
        rpm, load = np.asarray(surface.rpm.nodes), np.asarray(surface.load.nodes)
        rows = (rpm >= region.rpm[0] * top_rpm) & (rpm <= region.rpm[1] * top_rpm)
        cols = (load >= region.load[0] * full_load) & (load <= region.load[1] * full_load)
        part = within(surface)[np.ix_(rows, cols)]
        chances += part.ravel().tolist()
        visited += int(np.count_nonzero(surface.measured(_LEAST_HITS)[np.ix_(rows, cols)]))
    if not chances:
        return None
    return RegionScore(
        region.name, round(100.0 * float(np.mean(chances)), 2), len(chances), visited
    )


def _caps(evidence: Evidence, regions: Sequence[RegionScore]) -> list[str]:
    caps = []
    if evidence.channel(Channel.KNOCK_FRONT, Channel.KNOCK_REAR, Channel.KNOCK) is None:
        caps.append("knock was not logged")
    if not evidence.alignment.measured:
        caps.append("the delay of the widebands was not measured")
    if any(region.visited == 0 for region in regions):
        caps.append("a region was not visited at all")
    return caps
