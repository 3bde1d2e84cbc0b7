"""Where the fuel table was not visited, in the regions that matter most.

The regions are those of the planner. Of those that transients make known, tip-in is counted by
steady hits here, because its cells are driven through steadily too; the planner counts events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.planning.regions import Impact, Transient, place_regions

LEAST_HITS = 3.0
_BOOSTED = 1.12  # of the barometer


@dataclass(frozen=True, slots=True)
class Gap:
    """A region with cells that nobody visited."""

    rpm_range: tuple[float, float]
    map_range: tuple[float, float]
    empty_cells: int
    total_cells: int
    coverage_pct: float
    impact: str
    region_type: str
    description: str


def find_gaps(evidence: Evidence, redline_rpm: float | None = None) -> tuple[Gap, ...]:
    """Return the gaps of the least covered cylinder, highest impact and emptiest first."""
    where = evidence.where
    shape = (len(where.rpm_axis), len(where.load_axis))
    hits = np.zeros(shape)
    if evidence.fits:
        hits = np.min([fit.surface.hits for fit in evidence.fits.values()], axis=0)
    top = redline_rpm or float(np.nanpercentile(evidence.frame.columns[Channel.RPM], 99.9))
    load = where.load_axis.channel
    unit = "kPa" if load is Channel.MAP else "% throttle"
    out = []
    for placed in place_regions(top, evidence.track.baro_kpa, _boost_kpa(evidence), load):
        region = placed.region
        if region.impact is Impact.LOW or region.transient is Transient.LIFT_OFF:
            continue
        (r0, r1), (l0, l1) = placed.rpm_range, placed.load_range
        part = hits[placed.cells(where.rpm_axis, where.load_axis)]
        empty = int(np.count_nonzero(part < LEAST_HITS))
        if not empty:
            continue
        out.append(
            Gap(
                (r0, r1),
                (l0, l1),
                empty,
                int(part.size),
                100.0 * (1.0 - empty / part.size),
                region.impact,
                region.region_type,
                f"{empty} of {part.size} cells empty at {r0:.0f}-{r1:.0f} rpm, "
                f"{l0:.0f}-{l1:.0f} {unit}",
            )
        )
    out.sort(key=lambda gap: (gap.impact != Impact.HIGH, gap.coverage_pct))
    return tuple(out)


def _boost_kpa(evidence: Evidence) -> float:
    """Return how far the pressure rose above the barometer; 0 without a turbocharger."""
    pressure, baro = evidence.channel(Channel.MAP), evidence.track.baro_kpa
    top = 0.0 if pressure is None else float(np.nanpercentile(pressure, 99.9))
    return top - baro if top > _BOOSTED * baro else 0.0
