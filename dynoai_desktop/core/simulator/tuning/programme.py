"""What a virtual tuning session drives between two corrections, as one table.

A tune can only be judged where the engine has been, so a round visits the whole fuel table: slow
climbs in manifold pressure at engine speeds one above the other, held by the load brake, sweeps at
part throttle across them, and full-throttle pulls. A drum without a load brake gets more sweeps
instead of the climbs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.planning.knowledge import Knowledge
from dynoai_desktop.core.planning.limits import Environment, default_limits
from dynoai_desktop.core.planning.planner import make_plan
from dynoai_desktop.core.planning.regions import place_regions
from dynoai_desktop.core.planning.ways import usual_ways
from dynoai_desktop.core.simulator.dynos import Dyno
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.programmes import (
    Programme,
    idle_hold,
    roll_on,
    sweep,
    tuning_round,
    wot_pull,
)
from dynoai_desktop.core.simulator.tables import axes
from dynoai_desktop.core.simulator.tuning.planned import programmes_of
from dynoai_desktop.core.simulator.vehicle import record_of_profile

_IDLE_S = 6.0
_COLUMNS = 9  # engine speeds at which the manifold pressure climbs
_PLANNED_PULLS = 16
_UNBRAKED_SWEEPS_PCT = (8.0, 11.0, 15.0, 20.0, 27.0, 36.0, 50.0, 70.0)


@dataclass(frozen=True, slots=True)
class Round:
    """One way to drive a round."""

    key: str
    title: str
    programmes: Callable[[Profile, Dyno], tuple[Programme, ...]]


def _whole_table(profile: Profile, dyno: Dyno) -> tuple[Programme, ...]:
    pulls = (wot_pull(profile), wot_pull(profile))
    if dyno.absorber_n <= 0.0:
        sweeps = tuple(sweep(profile, tps) for tps in _UNBRAKED_SWEEPS_PCT)
        return (idle_hold(profile, _IDLE_S), *sweeps, *pulls)
    climbs = tuning_round(profile, _COLUMNS)
    return (
        idle_hold(profile, _IDLE_S),
        climbs,
        sweep(profile, 25.0),
        sweep(profile, 45.0),
        *pulls,
    )


def _transients(profile: Profile, _dyno: Dyno) -> tuple[Programme, ...]:
    low, high = profile.pull_start_rpm, 0.8 * profile.peak_power_rpm
    step = (high - low) / 4.0
    openings = tuple(
        roll_on(profile, low + i * step, tps) for i in range(5) for tps in (25.0, 45.0, 80.0)
    )
    return (*openings, wot_pull(profile), wot_pull(profile))


def _planned(profile: Profile, dyno: Dyno) -> tuple[Programme, ...]:
    """Return what the planner would drive of a table that nobody knows.

    A round ends with another table, so what the round before has shown of the cells it changed
    counts no more, and every round begins as the first one did.
    """
    record = record_of_profile(profile)
    braked = dyno.absorber_n > 0.0
    limits = replace(
        default_limits(record),
        environment=Environment.LOAD_DYNO if braked else Environment.INERTIA_DYNO,
        max_pulls_per_session=_PLANNED_PULLS,
    )
    rpm, load = axes(profile)
    cylinders = (Cylinder.FRONT, Cylinder.REAR) if profile.widebands > 1 else (Cylinder.BOTH,)
    nodes = len(rpm) * len(load)
    nothing = Knowledge(
        rpm,
        load,
        dict.fromkeys(cylinders, np.zeros((nodes, nodes))),
        dict.fromkeys(cylinders, np.zeros((len(rpm), len(load)))),
    )
    regions = place_regions(profile.redline_rpm, boost_kpa=profile.boost_kpa)
    plan = make_plan(nothing, usual_ways(record), limits, regions, most_steps=_PLANNED_PULLS)
    return tuple(p for step in plan.steps for p in programmes_of(step, profile))


ROUNDS: dict[str, Round] = {
    row.key: row
    for row in (
        Round("whole_table", "Climbs, sweeps and pulls over the whole table", _whole_table),
        Round("planner", "What the planner would drive", _planned),
        Round("transients", "Roll-ons and pulls only: nothing ever holds still", _transients),
    )
}
