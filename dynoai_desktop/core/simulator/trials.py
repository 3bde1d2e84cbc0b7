"""Trials of a rig: one pull measured, and many in a row to show that nothing drifts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.simulator.commands import Drive
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.programmes import Programme, wot_pull
from dynoai_desktop.core.simulator.rig import TICK_S, Rig
from dynoai_desktop.core.simulator.sim_channels import SimChannel

_WINDOW_TICKS = 5  # peaks are means over 50 ms, as the live screen shows them
_LONGEST_S = 240.0


@dataclass(frozen=True, slots=True)
class PullResult:
    """One run as the dyno saw it: corrected power and torque, durations of its phases."""

    peak_power_kw: float
    peak_power_rpm: float
    peak_torque_nm: float
    peak_torque_rpm: float
    pull_s: float
    decel_s: float
    cycle_s: float


def drive(rig: Rig, programme: Programme) -> Iterator[str]:
    """Drive a programme to its end, yielding the operator's state every 10 ms.

    Raises RuntimeError when the programme does not end.
    """
    rig.command(Drive((programme,)))
    started = rig.time_s
    while rig.busy:
        rig.tick()
        yield rig.state
        if rig.time_s - started > _LONGEST_S:
            raise RuntimeError(f"{programme.title} has not ended after {_LONGEST_S:g} s.")


def measure_pull(rig: Rig, programme: Programme | None = None) -> PullResult:
    """Do a full-throttle pull and return what the dyno shows of it."""
    pull = programme or wot_pull(rig.profile)
    rows: list[tuple[float, float, float]] = []
    ticks = {"pull": 0, "decel": 0}
    cycle = 0
    for state in drive(rig, pull):
        cycle += 1
        if state in ticks:
            ticks[state] += 1
        if state == "pull":
            now = rig.readings()
            rows.append((now[SimChannel.POWER], now[SimChannel.TORQUE], now[SimChannel.ENGINE_RPM]))
    windows = len(rows) // _WINDOW_TICKS
    table = np.array(rows[: windows * _WINDOW_TICKS]).reshape(windows, _WINDOW_TICKS, 3)
    power, torque, rpm = table.mean(axis=1).T
    at_power, at_torque = int(np.argmax(power)), int(np.argmax(torque))
    return PullResult(
        float(power[at_power]),
        float(rpm[at_power]),
        float(torque[at_torque]),
        float(rpm[at_torque]),
        ticks["pull"] * TICK_S,
        ticks["decel"] * TICK_S,
        cycle * TICK_S,
    )


@dataclass(frozen=True, slots=True)
class Endurance:
    """Many pulls on one rig. The first ones warm it up; drift is judged on the rest."""

    results: tuple[PullResult, ...]
    settled_from: int
    energy_gap: float  # crank work not found in the book, over crank work

    @property
    def drift_pct(self) -> float:
        """Return the trend of peak power over the settled pulls, percent from first to last."""
        power = np.array([result.peak_power_kw for result in self.results[self.settled_from :]])
        if len(power) < 2:
            return 0.0
        slope = np.polyfit(np.arange(len(power)), power, 1)[0]
        return float(slope * (len(power) - 1) / power.mean() * 100.0)

    @property
    def spread_pct(self) -> float:
        """Return the standard deviation of peak power over all pulls, percent."""
        power = np.array([result.peak_power_kw for result in self.results])
        return float(power.std() / power.mean() * 100.0)


def endurance(profile: Profile, cycles: int, seed: int = 1, rest_s: float = 30.0) -> Endurance:
    """Do *cycles* pulls in a row with *rest_s* of idling between them.

    The acceptance run is 1000 cycles, about five minutes of computing.
    """
    rig = Rig(profile, seed=seed)
    before = rig.truth().energy
    results = []
    for _ in range(cycles):
        results.append(measure_pull(rig))
        rig.run(rest_s)
    after = rig.truth().energy
    work = after.crank_j - before.crank_j
    found = after.kinetic_j - before.kinetic_j + after.lost_j - before.lost_j
    return Endurance(tuple(results), min(len(results) // 2, 40), abs(work - found) / work)
