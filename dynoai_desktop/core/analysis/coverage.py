"""Where the fuel table was not visited, in the regions that matter most.

Regions are shares of the redline and of the barometer, so that they mean the same on a twin at
sea level and on a four in the mountains. Tip-in regions are counted by steady hits here; the
planner counts their events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.channels import Channel

LEAST_HITS = 3.0


@dataclass(frozen=True, slots=True)
class GapRegion:
    """A region worth covering: shares of redline and of full load."""

    region_type: str
    impact: str
    rpm: tuple[float, float]
    load: tuple[float, float]


# Of a 6000 rpm engine at 100 kPa: 2500-4500 and 4000-5500 rpm at high load, and so on.
GAP_REGIONS: tuple[GapRegion, ...] = (
    GapRegion("high_map_midrange", "high", (0.417, 0.75), (0.80, 1.00)),
    GapRegion("high_map_midrange", "high", (0.667, 0.917), (0.85, 1.00)),
    GapRegion("high_map_midrange", "high", (0.333, 0.50), (0.80, 1.00)),
    GapRegion("tip_in", "high", (0.333, 0.583), (0.50, 0.70)),
    GapRegion("tip_in", "high", (0.50, 0.75), (0.60, 0.85)),
    GapRegion("idle_low_map", "medium", (0.133, 0.25), (0.20, 0.40)),
    GapRegion("idle_low_map", "medium", (0.25, 0.417), (0.30, 0.50)),
    GapRegion("general", "medium", (0.417, 0.667), (0.45, 0.65)),
)


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
    rpm, load = np.asarray(where.rpm_axis.nodes), np.asarray(where.load_axis.nodes)
    hits = np.zeros((rpm.size, load.size))
    if evidence.fits:
        hits = np.min([fit.surface.hits for fit in evidence.fits.values()], axis=0)
    top = redline_rpm or float(np.nanpercentile(evidence.frame.columns[Channel.RPM], 99.9))
    by_map = where.load_axis.channel is Channel.MAP
    full = evidence.track.baro_kpa if by_map else 100.0
    unit = "kPa" if by_map else "% throttle"
    out = []
    for region in GAP_REGIONS:
        r0, r1 = (round(share * top, -1) for share in region.rpm)
        l0, l1 = (round(share * full, 1) for share in region.load)
        part = hits[np.ix_((rpm >= r0) & (rpm <= r1), (load >= l0) & (load <= l1))]
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
    out.sort(key=lambda gap: (gap.impact != "high", gap.coverage_pct))
    return tuple(out)
