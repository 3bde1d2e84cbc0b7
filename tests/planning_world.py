"""A vehicle, its table and what is known of it, for tests of the planner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import numpy as np

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.knowledge import Knowledge, TableBelief
from dynoai_desktop.core.planning.limits import PlanningLimits, default_limits
from dynoai_desktop.core.planning.planner import Tests
from dynoai_desktop.core.planning.regions import PlacedRegion, place_regions
from dynoai_desktop.core.planning.ways import Ways, usual_ways
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.units import Unit

FRONT, REAR = Cylinder.FRONT, Cylinder.REAR
RECORD = VehicleRecord("Twin", idle_rpm=900.0, redline_rpm=5800.0, dyno_gear=5)
WAYS: Ways = usual_ways(RECORD)
LIMITS: PlanningLimits = default_limits(RECORD)
REGIONS: tuple[PlacedRegion, ...] = place_regions(5800.0)
# A table that bends and scatters as a badly tuned one does, heard by an ordinary wideband.
BELIEF = TableBelief(bend_sd=0.02, scatter_sd=0.008, sample_variance=8e-4)


def axes(rows: int = 12, columns: int = 10) -> tuple[Axis, Axis]:
    """Return axes that cover a twin's table."""
    return (
        Axis.from_nodes(Channel.RPM, Unit.RPM, np.linspace(750.0, 6000.0, rows).tolist()),
        Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, np.linspace(15.0, 105.0, columns).tolist()),
    )


def nothing_known(
    rows: int = 12, columns: int = 10, cylinders: Iterable[Cylinder] = (FRONT, REAR)
) -> Knowledge:
    """Return what is known of a vehicle that was never driven."""
    rpm, load = axes(rows, columns)
    size = rows * columns
    return Knowledge(
        rpm,
        load,
        {c: np.zeros((size, size)) for c in cylinders},
        {c: np.zeros((rows, columns)) for c in cylinders},
        belief=BELIEF,
    )


def all_known(rows: int = 12, columns: int = 10) -> Knowledge:
    """Return what is known of a vehicle of which every cell and every movement was measured."""
    bare = nothing_known(rows, columns)
    return replace(
        bare,
        information={c: np.eye(rows * columns) * 1e6 for c in bare.information},
        hits={c: np.full((rows, columns), 1000.0) for c in bare.information},
        events={placed.key: 99 for placed in REGIONS},
    )


@lru_cache(maxsize=1)
def usual_tests() -> Tests:
    """Return the tests of the vehicle of this module within its usual limits."""
    return Tests.of(nothing_known(), WAYS, LIMITS)
