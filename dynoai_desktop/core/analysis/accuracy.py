"""How right the analysis is, measured on simulated sessions whose truth is known.

The same rows the `bench --truth` command prints. Tests run a few seeds of them; the figures in
the README come from a hundred.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.analyse import AnalysisError, analyse
from dynoai_desktop.core.analysis.frame import F64, Frame
from dynoai_desktop.core.analysis.paper_engine import MAP, RPM, TABLE_ERRORS, World, make
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.simulator.commands import Drive
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.programmes import (
    Programme,
    chop,
    hold_climb,
    idle_hold,
    roll_on,
    sweep,
    wot_pull,
)
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenario import Scenario
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.sim_channels import SimChannel
from dynoai_desktop.core.simulator.tables import EcuTables, axes

_LONGEST_S = 600.0
_TICKS_PER_ROW = 5  # 20 Hz, as a session's own table is kept
_OTHER_CYLINDER = 500  # added to a seed, for a table error of its own

_COLUMNS: dict[Channel, SimChannel] = {
    Channel.RPM: SimChannel.ENGINE_RPM,
    Channel.AFR_FRONT: SimChannel.AFR_1,
    Channel.AFR_REAR: SimChannel.AFR_2,
    Channel.AFR_CMD: SimChannel.AFR_CMD,
    Channel.MAP: SimChannel.MAP,
    Channel.TPS: SimChannel.TPS,
    Channel.IAT: SimChannel.IAT,
    Channel.ECT: SimChannel.ENGINE_TEMP,
    Channel.VBATT: SimChannel.VBATT,
    Channel.BARO: SimChannel.PRESSURE,
    Channel.SPARK_FRONT: SimChannel.SPARK_FRONT,
    Channel.SPARK_REAR: SimChannel.SPARK_REAR,
    Channel.KNOCK_FRONT: SimChannel.KNOCK_FRONT,
    Channel.KNOCK_REAR: SimChannel.KNOCK_REAR,
    Channel.TORQUE: SimChannel.TORQUE_RAW,
    Channel.POWER: SimChannel.POWER_RAW,
    Channel.FORCE: SimChannel.FORCE,
    Channel.SPEED: SimChannel.SPEED,
    Channel.INJ_PW_FRONT: SimChannel.INJECTOR_FRONT,
    Channel.INJ_PW_REAR: SimChannel.INJECTOR_REAR,
}

# Scenario or fault, and the hypotheses any of which names it. A star marks a scenario.
SINGLE_FAULTS: dict[str, tuple[str, ...]] = {
    "exhaust_leak": ("exhaust_leak_front",),
    "plug_fouling": ("misfire_rear",),
    "weak_pump": ("weak_fuel_supply",),
    "slipping_clutch": ("driveline_slip",),
    "slipping_tyre": ("driveline_slip",),
    "bad_fuel": ("knock_under_load", "knock_front_dominant", "knock_rear_dominant"),
    "frozen_rpm": ("rpm_frozen",),
    "rpm_dropouts": ("rpm_dropouts",),
    "map_carries_baro": ("map_not_manifold",),
    "unplugged_wideband": ("wideband_dead_front",),
    "free_air_wideband": ("wideband_dead_front",),
    "frozen_wideband": ("wideband_dead_rear",),
    "no_charging": ("battery_low",),
    "cold_engine": ("engine_cold",),
    "one_cylinder*": ("imbalance_rear", "imbalance_front"),
    "lean*": ("fuel_scale", "ve_table_shape"),
    "custom*": ("ve_table_shape",),
    "cam_change*": ("ve_table_shape",),
    "injector_mismatch*": ("injector_dead_time", "fuel_scale"),
}


def session_of(profile: Profile) -> tuple[Programme, ...]:
    """Return about five minutes of dyno work: pulls, sweeps, climbs, a roll-on and a chop."""
    low, high = profile.pull_start_rpm * 1.2, 0.8 * profile.peak_power_rpm
    return (
        idle_hold(profile, 5.0),
        wot_pull(profile),
        hold_climb(profile, low),
        sweep(profile, 25.0),
        hold_climb(profile, (low + high) / 2.0),
        wot_pull(profile),
        roll_on(profile),
        hold_climb(profile, high),
        sweep(profile, 45.0),
        sweep(profile, 12.0),
        hold_climb(profile, low * 0.8),
        wot_pull(profile),
        chop(profile),
    )


def record(rig: Rig, programmes: Sequence[Programme]) -> Frame:
    """Drive the programmes and return what a 20 Hz table of the session would hold."""
    sources = {c: s for c, s in _COLUMNS.items() if s in rig.readings()}
    rig.command(Drive(tuple(programmes)))
    rows: list[list[float]] = []
    times: list[float] = []
    started, ticks = rig.time_s, 0
    while rig.busy and rig.time_s - started < _LONGEST_S:
        rig.tick()
        ticks += 1
        if ticks % _TICKS_PER_ROW == 0:
            now = rig.readings()
            rows.append([now[source] for source in sources.values()])
            times.append(rig.time_s)
    table = np.array(rows)
    columns = {channel: table[:, i] for i, channel in enumerate(sources)}
    return Frame.from_columns(times, columns, simulated=True)


@dataclass(frozen=True, slots=True)
class VeAccuracy:
    """One session: errors of the estimate over measured nodes, in percent of VE."""

    rmse_pct: float
    bias_pct: float
    coverage: float  # share of nodes whose 95 % interval holds the truth
    nodes: int
    delay_ms: float


def ve_accuracy(scenario: str | Scenario, seed: int, profile: str = "m8-114") -> VeAccuracy:
    """Analyse one simulated session and compare with its truth."""
    rig = Rig(PROFILES[profile], scenario_of(scenario), seed=seed)
    payload = _analyse(rig, record(rig, session_of(rig.profile)))
    truth = {
        cylinder: np.log(_truth(rig, cylinder) / _table(rig.tables, cylinder).values)
        for cylinder in payload.evidence.fits
    }
    return compare_with_truth(payload, truth)


def paper_accuracy(kind: str, seed: int) -> VeAccuracy:
    """Analyse a log of the engine on paper, its table off smoothly or from node to node."""
    errors = {
        "front": TABLE_ERRORS[kind](seed),
        "rear": TABLE_ERRORS[kind](seed + _OTHER_CYLINDER),
    }
    payload = analyse(make(World(seed=seed, errors=errors)), AnalysisSettings(axes=(RPM, MAP)))
    return compare_with_truth(payload, {Cylinder(name): error for name, error in errors.items()})


def compare_with_truth(payload: Payload, truth: Mapping[Cylinder, F64]) -> VeAccuracy:
    """Return the errors of all measured nodes; *truth* is ln(needed / present VE)."""
    errors, inside = [], []
    for cylinder, fit in payload.evidence.fits.items():
        known = fit.surface.measured(payload.settings.ve.least_hits)
        error = (fit.surface.value - truth[cylinder])[known]
        errors.append(error)
        inside.append(np.abs(error) < 1.96 * fit.surface.se[known])
    error, held = np.concatenate(errors), np.concatenate(inside)
    return VeAccuracy(
        100.0 * float(np.sqrt(np.mean(error**2))),
        100.0 * float(error.mean()),
        float(held.mean()),
        int(error.size),
        1000.0 * payload.evidence.alignment.delay_s,
    )


def scenario_of(scenario: str | Scenario) -> Scenario:
    """Return a scenario by its key, or itself."""
    return SCENARIOS[scenario] if isinstance(scenario, str) else scenario


@dataclass(frozen=True, slots=True)
class LoopStep:
    """One turn of measuring and correcting; percent of VE over the nodes measured first."""

    before_rmse_pct: float
    after_rmse_pct: float
    moved_away: int  # nodes moved away from the truth by more than two standard errors
    nodes: int
    rear_offset_pct: float  # mean of rear minus front over nodes of both, as estimated; NaN: none
    true_offset_pct: float  # of the same nodes


def closed_loop(
    scenario: str | Scenario, seed: int, turns: int = 3, profile: str = "m8-114"
) -> tuple[LoopStep, ...]:
    """Measure, correct, and measure again: the error must fall."""
    steps = []
    tables: EcuTables | None = None
    first: dict[Cylinder, NDArray[np.bool_]] = {}
    for turn in range(turns):
        rig = Rig(PROFILES[profile], scenario_of(scenario), seed=seed + 1000 * turn, tables=tables)
        if tables is None:
            tables = rig.tables
        payload = _analyse(rig, record(rig, session_of(rig.profile)))
        before, after, moved, new = [], [], 0, {}
        off: dict[Cylinder, F64] = {}
        for cylinder in (Cylinder.FRONT, Cylinder.REAR):
            table = _table(tables, cylinder).values
            new[cylinder] = table
            fit = payload.evidence.fits.get(cylinder)
            if fit is None:
                continue
            correction = fit.correction
            new[cylinder] = table * correction.multiplier
            known = first.setdefault(cylinder, correction.hits > 0.0)
            was = np.log(_truth(rig, cylinder) / table)
            now = was - np.log(correction.multiplier)
            off[cylinder] = was
            before.append(was[known])
            after.append(now[known])
            se = np.where(correction.hits > 0.0, correction.se, 1.0)
            moved += int(np.count_nonzero(np.abs(now) - np.abs(was) > 2.0 * se))
        steps.append(
            LoopStep(
                _rmse(before),
                _rmse(after),
                moved,
                sum(a.size for a in after),
                *_offsets(payload, off),
            )
        )
        tables = tables.with_ve(new[Cylinder.FRONT], new[Cylinder.REAR])
    return tuple(steps)


def _offsets(payload: Payload, truth: Mapping[Cylinder, F64]) -> tuple[float, float]:
    """Return rear minus front as estimated and as it is, percent, over the nodes of both."""
    fits = payload.evidence.fits
    if not {Cylinder.FRONT, Cylinder.REAR} <= set(truth):
        return np.nan, np.nan
    front, rear = fits[Cylinder.FRONT].surface, fits[Cylinder.REAR].surface
    least = payload.settings.ve.least_hits
    both = front.measured(least) & rear.measured(least)
    if not both.any():
        return np.nan, np.nan
    found = (rear.value - front.value)[both].mean()
    true = (truth[Cylinder.REAR] - truth[Cylinder.FRONT])[both].mean()
    return 100.0 * float(found), 100.0 * float(true)


@dataclass(frozen=True, slots=True)
class CauseTrial:
    """One injected fault and what the analysis made of it."""

    fault: str
    seed: int
    rank: int | None  # 1 is first; None: not listed
    confidence: float
    ranking: tuple[str, ...]

    @property
    def in_top_two(self) -> bool:
        """Return whether the injected fault is among the first two."""
        return self.rank is not None and self.rank <= 2


def cause_trials(
    seeds: Sequence[int], faults: Sequence[str] = tuple(SINGLE_FAULTS), profile: str = "m8-114"
) -> Iterator[CauseTrial]:
    """Yield a trial per fault and seed; faults are those of the simulator, or scenarios with *."""
    for fault in faults:
        for seed in seeds:
            scenario, faulty = (fault[:-1], ()) if fault.endswith("*") else ("perfect", (fault,))
            rig = Rig(PROFILES[profile], SCENARIOS[scenario], seed=seed, faults=faulty)
            frame = record(rig, session_of(rig.profile))
            try:
                causes = _analyse(rig, frame).causes.causes
            except AnalysisError:
                causes = ()
            ranking = tuple(cause.hypothesis_id for cause in causes)
            places = [i for i, name in enumerate(ranking) if name in SINGLE_FAULTS[fault]]
            yield CauseTrial(
                fault,
                seed,
                places[0] + 1 if places else None,
                causes[places[0]].confidence if places else 0.0,
                ranking[:5],
            )


def _analyse(rig: Rig, frame: Frame) -> Payload:
    settings = AnalysisSettings(axes=axes(rig.profile))
    tables = {c: _table(rig.tables, c) for c in (Cylinder.FRONT, Cylinder.REAR)}
    return analyse(frame, replace(settings, ve=replace(settings.ve, tables=tables)))


def _truth(rig: Rig, cylinder: Cylinder) -> F64:
    return rig.true_ve_rear_pct if cylinder is Cylinder.REAR else rig.true_ve_front_pct


def _table(tables: EcuTables, cylinder: Cylinder) -> CellGrid:
    return tables.ve_rear_pct if cylinder is Cylinder.REAR else tables.ve_front_pct


def _rmse(parts: Sequence[F64]) -> float:
    values = np.concatenate(parts)
    return 100.0 * float(np.sqrt(np.mean(values**2)))
