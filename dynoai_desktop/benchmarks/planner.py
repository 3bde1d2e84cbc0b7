"""One replan on a full table, and the outlook of a session."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import numpy as np

from dynoai_desktop.benchmarks import Figure
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.knowledge import Knowledge, TableBelief
from dynoai_desktop.core.planning.limits import default_limits
from dynoai_desktop.core.planning.outlook import ROLLOUTS, session_outlook
from dynoai_desktop.core.planning.planner import Tests, make_plan
from dynoai_desktop.core.planning.regions import place_regions
from dynoai_desktop.core.planning.ways import usual_ways
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.units import Unit

_SIDE = 20  # nodes each way
_REPEATS = 15
_MOST_MS, _MOST_OUTLOOK_MS = 50.0, 500.0


def planner_figures() -> list[Figure]:
    """Measure a replan after a pull, on a table of 20 × 20 heard by two widebands."""
    record = VehicleRecord("bench", idle_rpm=900.0, redline_rpm=5800.0, dyno_gear=5)
    ways, limits = usual_ways(record), default_limits(record)
    regions = place_regions(ways.redline_rpm)
    bare = _nothing_known()
    tests = Tests.of(bare, ways, limits)
    first = make_plan(bare, ways, limits, regions, tests=tests).steps[0]
    told = next(t for s, t in zip(tests.steps, tests.told, strict=True) if s.key == first.key)
    gram = np.zeros((_SIDE**2, _SIDE**2))
    gram[np.ix_(told.nodes, told.nodes)] = told.information
    # The widebands do not hear alike, so each cylinder has a table of its own.
    known = replace(bare, information={Cylinder.FRONT: gram, Cylinder.REAR: 0.8 * gram})
    prior = known.prior_precision()

    def invert() -> None:
        for cylinder in known.information:
            np.linalg.inv(prior + known.information[cylinder])

    replan_ms = _median_ms(lambda: make_plan(known, ways, limits, regions, tests=tests))
    inverses_ms = _median_ms(invert)
    tests_ms = _median_ms(lambda: Tests.of(known, ways, limits))
    rng = np.random.default_rng(1)
    plan = make_plan(known, ways, limits, regions, tests=tests)
    outlook_ms = _median_ms(
        lambda: session_outlook(known, ways, limits, tuple(regions), rng, tests=tests, plan=plan),
        repeats=5,
    )
    return [
        Figure(
            "planner_replan",
            f"one replan on {_SIDE} × {_SIDE} cells and two cylinders",
            round(replan_ms, 1),
            "ms",
            _MOST_MS,
            at_most=True,
            yardstick="inverting the two tables' precision alone, ms",
            yardstick_value=round(inverses_ms, 1),
            details={
                "tests": len(tests.steps),
                "steps": len(plan.steps),
                "paths_after_ways_change_ms": round(tests_ms, 1),
            },
        ),
        Figure(
            "planner_outlook",
            f"outlook of a session, {ROLLOUTS:,} rollouts of every strategy",
            round(outlook_ms, 1),
            "ms",
            _MOST_OUTLOOK_MS,
            at_most=True,
        ),
    ]


def _nothing_known() -> Knowledge:
    rpm = Axis.from_nodes(Channel.RPM, Unit.RPM, np.linspace(750.0, 6000.0, _SIDE).tolist())
    load = Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, np.linspace(15.0, 105.0, _SIDE).tolist())
    size = _SIDE**2
    cylinders = (Cylinder.FRONT, Cylinder.REAR)
    return Knowledge(
        rpm,
        load,
        {c: np.zeros((size, size)) for c in cylinders},
        {c: np.zeros((_SIDE, _SIDE)) for c in cylinders},
        belief=TableBelief(bend_sd=0.02, scatter_sd=0.008, sample_variance=8e-4),
    )


def _median_ms(work: Callable[[], object], repeats: int = _REPEATS) -> float:
    work()
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        spent.append((time.perf_counter() - start) * 1e3)
    return median(spent)
