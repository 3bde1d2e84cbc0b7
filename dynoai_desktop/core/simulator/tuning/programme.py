"""What a virtual tuning session drives between two corrections, as one table.

A tune can only be judged where the engine has been, so a round visits the whole fuel table: slow
climbs in manifold pressure at engine speeds one above the other, held by the load brake, sweeps at
part throttle across them, and full-throttle pulls. A drum without a load brake gets more sweeps
instead of the climbs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

_IDLE_S = 6.0
_COLUMNS = 9  # engine speeds at which the manifold pressure climbs
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


ROUNDS: dict[str, Round] = {
    row.key: row
    for row in (
        Round("whole_table", "Climbs, sweeps and pulls over the whole table", _whole_table),
        Round("transients", "Roll-ons and pulls only: nothing ever holds still", _transients),
    )
}
