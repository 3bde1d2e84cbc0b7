"""The regions of a fuel table that matter most: one table, for the analysis and for the planner.

Regions are shares of the redline and of full load, so that they mean the same on a twin at sea
level and on a four in the mountains; the shares are those of a 6000 rpm engine at 100 kPa. Up to
half of the barometer an engine with a turbocharger breathes like any other; above, the scale is
stretched so that 1 is the barometer and the boost together.

*usage* is how often a road engine is there, relative to the rest of the table, as rounded shares
of time: certification cycles stand still for 13 % (WLTC) to 19 % (UDDS) of it and are otherwise in
the middle of the table, and none goes wide open. *risk* is what one percent lean costs there:
at high load knock and heat can hole a piston, at tip-in it is a backfire and a fall, at idle an
uneven note. Their product only orders the regions; the figures are a judgement, not a
measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel

if TYPE_CHECKING:  # the analysis reads this table too and knows nothing of plans
    from dynoai_desktop.core.planning.knowledge import Knowledge

Bools = NDArray[np.bool_]
F64 = NDArray[np.float64]

STANDARD_BARO_KPA = 101.325
GOAL_PRIORITY = 1
_AT_THE_EDGE = 0.25  # of a cell: a barometer that moves by one kPa must not move the goal


class Transient(StrEnum):
    """Movements of the throttle that are counted as events."""

    TIP_IN = "tip_in"
    LIFT_OFF = "lift_off"


class Impact(StrEnum):
    """What a gap costs."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"  # counts a little and is never listed as a gap


@dataclass(frozen=True, slots=True)
class Region:
    """A row of the table: shares of redline and of full load."""

    key: str
    region_type: str
    impact: Impact
    priority: int  # 1 is the goal
    rpm: tuple[float, float]
    load: tuple[float, float]
    usage: float
    risk: float
    transient: Transient | None = None
    events_wanted: int = 0  # transients that make the region known

    @property
    def weight(self) -> float:
        """Return how much the variance of a node in here counts."""
        return self.usage * self.risk


_EVENTS = 5  # a spread of transients needs about five to be seen
_TIP_IN, _LIFT_OFF = Transient.TIP_IN, Transient.LIFT_OFF
_HIGH, _MEDIUM, _LOW = Impact.HIGH, Impact.MEDIUM, Impact.LOW

# fmt: off
REGIONS: tuple[Region, ...] = (
    Region("midrange", "high_map_midrange", _HIGH, 1, (0.417, 0.750), (0.80, 1.00), 1.0, 10.0),
    Region("tip_in", "tip_in", _HIGH, 1, (0.333, 0.750), (0.50, 0.85), 2.0, 4.0,
           _TIP_IN, _EVENTS),
    Region("upper_range", "high_map_midrange", _HIGH, 2, (0.667, 0.917), (0.85, 1.00), 0.5, 10.0),
    Region("lugging", "high_map_midrange", _HIGH, 2, (0.333, 0.500), (0.80, 1.00), 0.5, 10.0),
    Region("idle", "idle_low_map", _MEDIUM, 2, (0.083, 0.250), (0.20, 0.40), 3.0, 0.5),
    Region("off_idle", "idle_low_map", _MEDIUM, 3, (0.250, 0.417), (0.30, 0.50), 2.0, 1.0),
    Region("cruise", "general", _MEDIUM, 3, (0.417, 0.667), (0.45, 0.65), 3.0, 1.0),
    Region("lift_off", "lift_off", _MEDIUM, 3, (0.417, 0.833), (0.20, 0.50), 1.0, 0.5,
           _LIFT_OFF, _EVENTS),
    Region("rest", "rest", _LOW, 4, (0.083, 1.000), (0.20, 1.00), 0.2, 1.0),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class PlacedRegion:
    """A region on one vehicle's map: rpm, and kPa or percent of throttle."""

    region: Region
    rpm_range: tuple[float, float]
    load_range: tuple[float, float]

    @property
    def key(self) -> str:
        """Return the region's key."""
        return self.region.key

    def cells(self, rpm: Axis, load: Axis) -> Bools:
        """Return the cells of a table that belong here, ``[rpm][load]``."""
        return np.outer(_within(rpm, self.rpm_range), _within(load, self.load_range))

    def holds(self, rpm: float, load: tuple[float, float]) -> bool:
        """Return whether a transient at *rpm* that moved over the range *load* crossed here."""
        low, high = sorted(load)
        first, last = self.load_range
        inside = self.rpm_range[0] <= rpm <= self.rpm_range[1]
        return inside and low <= last and high >= first


def place_regions(
    redline_rpm: float,
    baro_kpa: float = STANDARD_BARO_KPA,
    boost_kpa: float = 0.0,
    load: Channel = Channel.MAP,
) -> tuple[PlacedRegion, ...]:
    """Return the table on the map of one vehicle, in the order of the table.

    >>> place_regions(6000.0, 100.0)[0].rpm_range, place_regions(6000.0, 100.0)[0].load_range
    ((2500.0, 4500.0), (80.0, 100.0))
    >>> place_regions(6000.0, 100.0, boost_kpa=80.0)[0].load_range
    (128.0, 180.0)
    """

    def load_at(share: float) -> float:
        if load is not Channel.MAP:
            return round(100.0 * share, 1)
        half = 0.5 * baro_kpa
        top = baro_kpa + boost_kpa
        at = share * baro_kpa if share <= 0.5 else half + (share - 0.5) * 2.0 * (top - half)
        return round(at, 1)

    return tuple(
        PlacedRegion(
            region,
            (round(region.rpm[0] * redline_rpm, -1), round(region.rpm[1] * redline_rpm, -1)),
            (load_at(region.load[0]), load_at(region.load[1])),
        )
        for region in REGIONS
    )


def weights(knowledge: Knowledge, regions: Sequence[PlacedRegion]) -> F64:
    """Return usage times risk of every cell, ``[rpm][load]``; where regions overlap the larger.

    0 outside every region: what cannot be driven is not worth knowing.
    """
    out = np.zeros((len(knowledge.rpm), len(knowledge.load)))
    for placed in regions:
        inside = placed.cells(knowledge.rpm, knowledge.load)
        out[inside] = np.maximum(out[inside], placed.region.weight)
    return out


def goal_cells(
    knowledge: Knowledge, regions: Sequence[PlacedRegion], priority: int = GOAL_PRIORITY
) -> Bools:
    """Return the cells of the regions up to *priority*, ``[rpm][load]``."""
    out = np.zeros((len(knowledge.rpm), len(knowledge.load)), dtype=bool)
    for placed in regions:
        if placed.region.priority <= priority:
            out |= placed.cells(knowledge.rpm, knowledge.load)
    return out


def _within(axis: Axis, bounds: tuple[float, float]) -> Bools:
    """Return the nodes inside *bounds*, or outside by less than a quarter of their cell."""
    nodes = np.asarray(axis.nodes)
    slack = _AT_THE_EDGE * np.diff(np.asarray(axis.edges))
    inside: Bools = (nodes >= bounds[0] - slack) & (nodes <= bounds[1] + slack)
    return inside
