"""What keeps a reading out of the map: every reason by name, counted, adjustable, and real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace

import numpy as np
import pytest

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.gates import GATE_TITLES, GATES
from dynoai_desktop.core.live.limits import (
    AlertLimits,
    GateLimits,
    LiveSettings,
    thresholds,
)
from dynoai_desktop.core.live.trial_world import (
    START,
    Drive,
    TableError,
    World,
    pull,
    ramp,
    window,
)

C = Channel
Means = dict[Channel, float]
WORLD = World(TableError(1), TableError(2))
CRUISE = ramp(20.0, (2800, 3200), (55, 60))


def play(
    drive: Drive = CRUISE,
    change: Callable[[Means, int], Mapping[Channel, float]] | None = None,
    limits: GateLimits | None = None,
) -> LiveEngine:
    """An engine that has seen a drive, every window changed by *change(means, number)*."""
    engine = LiveEngine(settings=LiveSettings(gates=limits or GateLimits()))
    for aggregate in WORLD.drive(drive, 1):
        number = aggregate.index - START
        means = dict(aggregate.means)
        engine.observe(window(aggregate.index, change(means, number) if change else means))
    return engine


def mass(engine: LiveEngine) -> float:
    return float(sum(cells.mass.sum() for cells in engine.snapshot().cylinders.values()))


def always(**values: float):
    changes = {Channel(name): value for name, value in values.items()}
    return lambda means, _: means | changes


def cold(means: Means, _: int) -> Means:
    return means | {C.ECT: 35.0}


def hot_and_slow(means: Means, _: int) -> Means:
    return means | {C.IAT: 62.0, C.TPS: 10.0, C.RPM: 2000.0}


def just_started(means: Means, number: int) -> Means:
    return means | {C.RPM: 0.0} if number < 10 else means


def held(means: Means, number: int) -> Means:
    frozen = {C.LAMBDA_FRONT: 0.91, C.LAMBDA_REAR: 0.91}
    return means | frozen if number > 40 else means


def silent(means: Means, number: int) -> Means:
    gone = (C.LAMBDA_FRONT, C.LAMBDA_REAR) if number > 40 else ()
    return {c: v for c, v in means.items() if c not in gone}


def without_load(means: Means, number: int) -> Means:
    return {c: v for c, v in means.items() if c is not C.MAP or number < 100}


def blipping(means: Means, number: int) -> Means:
    # Up and down over four cells in half a second, the throttle steady.
    return means | {C.RPM: 3000.0 + 1000.0 * abs((number % 20) - 10) / 5.0, C.TPS: 30.0}


# reason: (drive, change, share of the readings it must reject)
REASONS: dict[str, tuple[Drive, Callable[[Means, int], Mapping[Channel, float]] | None, float]] = {
    "engine_stopped": (CRUISE, always(rpm=120.0), 1.0),
    "after_start": (ramp(4.0, (1500, 1500), (40, 40)), just_started, 0.65),
    "warm_up": (CRUISE, cold, 1.0),
    "fuel_cut": (CRUISE, always(inj_pw_f=0.0, inj_pw_r=0.0), 1.0),
    "overrun": (ramp(9.0, (5000, 2500), (28, 28)), always(inj_pw_f=4.0, inj_pw_r=4.0), 1.0),
    "tip_in": (ramp(2.0, (2500, 2500), (40, 95)), None, 0.7),
    "tip_out": (ramp(2.0, (4500, 4500), (95, 40)), None, 0.7),
    "heat_soak": (CRUISE, hot_and_slow, 0.9),
    "closed_loop": (CRUISE, always(stft=4.0), 1.0),
    "lambda_silent": (CRUISE, silent, 0.4),
    "lambda_warming": (CRUISE, always(lambda_front=0.7, lambda_rear=0.7), 1.0),
    "lambda_free_air": (
        CRUISE,
        lambda m, n: m | {C.LAMBDA_FRONT: 1.52 + n % 2 * 0.01, C.LAMBDA_REAR: 1.52 + n % 3 * 0.01},
        0.8,
    ),
    "lambda_railed": (CRUISE, lambda m, n: m | {C.LAMBDA_FRONT: 0.50 + n % 2 * 0.01}, 0.45),
    "lambda_implausible": (CRUISE, lambda m, n: m | {C.LAMBDA_FRONT: 1.40 + n % 2 * 0.01}, 0.45),
    "lambda_held": (CRUISE, held, 0.6),
    "place_unknown": (CRUISE, without_load, 0.7),
    "off_axes": (CRUISE, always(map_kpa=180.0), 0.95),
    "too_brief": (CRUISE, blipping, 0.4),
}


def test_every_gate_of_the_table_has_its_scene():
    assert set(REASONS) == {gate.key for gate in GATES} == set(GATE_TITLES)


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_found_and_counted(reason):
    drive, change, share = REASONS[reason]
    snapshot = play(drive, change).snapshot()
    total = snapshot.accepted + sum(snapshot.rejected.values())
    assert snapshot.rejected.get(reason, 0) >= 0.99 * share * total


@pytest.mark.parametrize("reason", [r for r, (_, _, share) in REASONS.items() if share >= 0.95])
def test_a_stretch_that_is_all_reason_fills_no_cell(reason):
    drive, change, _ = REASONS[reason]
    assert mass(play(drive, change)) <= 2.0  # off the axes one reading may precede the jump


def test_a_good_cruise_is_accepted():
    snapshot = play().snapshot()
    assert snapshot.accepted > 0.95 * (snapshot.accepted + sum(snapshot.rejected.values()))


def test_accepted_and_rejected_are_all_readings():
    drive = pull(3.0).times(2)
    engine = play(drive)
    waiting = sum(w.readings for w in engine._map.credits._waiting)
    snapshot = engine.snapshot()
    assert snapshot.accepted + sum(snapshot.rejected.values()) + waiting == 2 * drive.windows


def test_the_most_frequent_reason_comes_first():
    counts = list(play(pull(3.0).times(2)).snapshot().rejected.values())
    assert len(counts) > 2
    assert counts == sorted(counts, reverse=True)


def test_what_the_overrun_left_in_the_exhaust_is_kept_out_after_it():
    """Fuel is cut for two seconds: air reaches the sensor late, and nothing of it the map."""
    drive = (
        ramp(4.0, (3500, 3500), (60, 60))
        + ramp(0.05, (3500, 3500), (60, 28))
        + ramp(2.0, (3500, 3000), (28, 28))
        + ramp(0.05, (3000, 3000), (28, 60))
        + ramp(4.0, (3000, 3000), (60, 60))
    )
    snapshot = play(drive).snapshot()
    assert snapshot.rejected["fuel_cut"] > 80
    for cells in snapshot.cylinders.values():
        assert np.nanmax(cells.error) < 0.12


def test_a_factor_trim_is_read_as_change():
    assert play(CRUISE, always(stft=100.5)).snapshot().accepted > 700
    assert play(CRUISE, always(stft=108.0)).snapshot().accepted == 0


def test_long_term_trim_belongs_to_the_error():
    plain, trimmed = (
        play(CRUISE, change).snapshot() for change in (None, always(ltft_f=5.0, ltft_r=5.0))
    )
    for cylinder, cells in plain.cylinders.items():
        some = cells.mass > 20.0
        more = trimmed.cylinders[cylinder].error[some] - cells.error[some]
        assert more == pytest.approx(0.05, abs=0.006)


def test_a_dead_end_of_the_throttle_sensor_is_not_overrun():
    """Some throttle sensors read zero over their first degrees; MAP tells an open throttle."""
    snapshot = play(ramp(10.0, (2500, 2700), (70, 74)), always(tps=0.0)).snapshot()
    assert "overrun" not in snapshot.rejected


def test_a_threshold_moves_its_gate():
    warm_from_30 = replace(GateLimits(), warm_ect_c=30.0)
    assert play(CRUISE, cold).snapshot().accepted == 0
    assert play(CRUISE, cold, warm_from_30).snapshot().accepted > 700


@pytest.mark.parametrize("kind", [GateLimits, AlertLimits])
def test_every_threshold_shows_its_title_and_default(kind):
    rows = thresholds(kind())
    assert [row.key for row in rows] == [f.name for f in fields(kind)]
    assert all(row.title and row.value == row.default for row in rows)


def test_gates_name_thresholds_that_exist():
    known = {row.key for row in thresholds(GateLimits())}
    assert all(set(gate.limits) <= known for gate in GATES)


@pytest.mark.parametrize("bad", [float("nan"), "warm", None])
def test_a_threshold_that_is_no_number_is_refused_by_name(bad):
    with pytest.raises(ValueError, match="warm_ect_c"):
        replace(GateLimits(), warm_ect_c=bad)
