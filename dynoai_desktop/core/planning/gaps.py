"""Where the table is not known well enough yet, region by region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.knowledge import Knowledge
from dynoai_desktop.core.planning.regions import (
    GOAL_PRIORITY,
    Impact,
    PlacedRegion,
    Transient,
    goal_cells,
)
from dynoai_desktop.core.planning.steps import Gap

COVERED_HITS = 3.0  # with which a cell counts as covered
THIN_HITS = 5.0  # below which it is still thin
_IMPACTS = tuple(Impact)


@dataclass(frozen=True, slots=True)
class Enough:
    """When a cell is known well enough, in every cylinder."""

    half_interval: float = 0.03  # half of the 95 % interval, as a share of fuel
    least_hits: float = 0.0  # of its own; 0: neighbours may speak for it


@dataclass(frozen=True, slots=True)
class HitSummary:
    """Cells by hits alone, of the cylinder with the fewest."""

    cells: int
    covered: int  # with COVERED_HITS or more
    thin: int  # with fewer than THIN_HITS


def open_cells(
    knowledge: Knowledge, enough: Enough | None = None
) -> dict[Cylinder, NDArray[np.bool_]]:
    """Return per cylinder the cells that are not known well enough, ``[rpm][load]``."""
    enough = enough or Enough()
    return {
        cylinder: (knowledge.half_interval(cylinder) > enough.half_interval)
        | (knowledge.hits[cylinder] < enough.least_hits)
        for cylinder in knowledge.information
    }


def coverage_pct(
    knowledge: Knowledge,
    regions: Sequence[PlacedRegion],
    enough: Enough | None = None,
    priority: int = GOAL_PRIORITY,
) -> float:
    """Return the share of the goal's cells that are known well enough, percent, 0 to 100.

    Every cylinder counts its own; 100 where no cell of the table is asked for.
    """
    asked = goal_cells(knowledge, regions, priority)
    still_open = [int(part[asked].sum()) for part in open_cells(knowledge, enough).values()]
    total = int(asked.sum()) * len(still_open)
    return 100.0 * (1.0 - sum(still_open) / total) if total else 100.0


def find_gaps(
    knowledge: Knowledge, regions: Sequence[PlacedRegion], enough: Enough | None = None
) -> tuple[Gap, ...]:
    """Return the regions with something left to learn, highest impact and emptiest first.

    A cell is open while any cylinder does not know it well enough. Regions of transients want
    events too, and lift-off nothing else: with the fuel shut off there is nothing to measure.
    """
    worst = np.logical_or.reduce(list(open_cells(knowledge, enough).values()))
    least = _fewest_hits(knowledge)
    found = [
        _gap(placed, knowledge, worst, least)
        for placed in regions
        if placed.region.impact is not Impact.LOW
    ]
    gaps = [gap for gap in found if gap.open_cells or gap.events_wanted]
    return tuple(sorted(gaps, key=lambda g: (_IMPACTS.index(Impact(g.impact)), g.coverage_pct)))


def hit_summary(knowledge: Knowledge) -> HitSummary:
    """Return how many cells of the table have been visited at all."""
    hits = _fewest_hits(knowledge)
    return HitSummary(hits.size, int((hits >= COVERED_HITS).sum()), int((hits < THIN_HITS).sum()))


def _fewest_hits(knowledge: Knowledge) -> F64:
    fewest: F64 = np.minimum.reduce([knowledge.hits[c] for c in knowledge.information])
    return fewest


def _gap(placed: PlacedRegion, knowledge: Knowledge, worst: NDArray[np.bool_], hits: F64) -> Gap:
    region = placed.region
    cells = placed.cells(knowledge.rpm, knowledge.load)
    if region.transient is Transient.LIFT_OFF:
        cells = np.zeros_like(cells)
    total, still_open = int(cells.sum()), int((cells & worst).sum())
    seen = knowledge.events.get(placed.key, 0)
    wanted = max(0, region.events_wanted - seen)
    covered = 1.0 - still_open / total if total else 1.0
    if region.events_wanted:
        covered = min(covered, 1.0 - wanted / region.events_wanted)
    return Gap(
        key=placed.key,
        region_type=region.region_type,
        impact=region.impact.value,
        rpm_range=placed.rpm_range,
        load_range=placed.load_range,
        open_cells=still_open,
        total_cells=total,
        coverage_pct=100.0 * covered,
        events_wanted=wanted,
        description=_words(
            placed, knowledge, still_open, total, int((cells & (hits < THIN_HITS)).sum()), wanted
        ),
    )


def _words(
    placed: PlacedRegion, knowledge: Knowledge, still_open: int, total: int, thin: int, wanted: int
) -> str:
    (r0, r1), (l0, l1) = placed.rpm_range, placed.load_range
    unit = "kPa" if knowledge.load.channel is Channel.MAP else "% throttle"
    parts = []
    if still_open:
        parts.append(f"{still_open} of {total} cells not known well enough, {thin} with few hits")
    if wanted:
        kind = "lift-offs" if placed.region.transient is Transient.LIFT_OFF else "tip-ins"
        parts.append(f"{wanted} of {placed.region.events_wanted} {kind} still to be driven")
    return f"{'; '.join(parts) or 'Known'} at {r0:,.0f}-{r1:,.0f} rpm, {l0:.0f}-{l1:.0f} {unit}"
