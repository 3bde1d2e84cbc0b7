"""Pulls, sweeps, holds and coast-downs are found while they happen, numbered and compared."""

from __future__ import annotations

import pytest

from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.record import live_record
from dynoai_desktop.core.live.runs import KW_PER_NM_RPM, REPEATABILITY, Run, power_fall
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
WORLD = World(TableError(1, 0.02), TableError(2, 0.02))


def listen(drive: Drive, change=None, seed: int = 1) -> LiveEngine:
    engine = LiveEngine()
    for aggregate in WORLD.drive(drive, seed):
        means = dict(aggregate.means)
        number = aggregate.index - START
        engine.observe(window(aggregate.index, change(means, number) if change else means))
    return engine


def kinds(engine: LiveEngine) -> list[RunKind]:
    snapshot = engine.snapshot()
    return [run.kind for run in (*snapshot.runs, *((snapshot.run,) if snapshot.run else ()))]


def pulls(engine: LiveEngine) -> list[Run]:
    return [run for run in engine.snapshot().runs if run.kind is RunKind.PULL]


def test_every_pull_of_a_session_is_found_once():
    assert len(pulls(listen(pull(4.0).times(5)))) == 5


def test_a_pull_knows_where_it_began_and_ended():
    (run,) = pulls(listen(pull(4.0, low=2200.0, high=6000.0)))
    assert run.start_rpm == pytest.approx(2200.0, abs=250.0)
    assert run.end_rpm == pytest.approx(6000.0, abs=100.0)
    assert run.end_s - run.start_s == pytest.approx(4.0, abs=0.6)


def test_each_kind_is_told_apart():
    drive = (
        ramp(5.0, (2500, 2500), (60, 60))  # hold
        + ramp(6.0, (2500, 4500), (62, 62))  # sweep of speed
        + ramp(0.3, (4500, 4500), (62, 97))
        + ramp(3.0, (4500, 6500), (97, 96))  # pull
        + ramp(0.1, (6500, 6500), (96, 28))
        + ramp(4.0, (6500, 2000), (28, 28))  # coast-down
    )
    found = kinds(listen(drive))
    assert found[0] is RunKind.HOLD
    assert [k for k in found if k is not RunKind.HOLD] == [
        RunKind.SWEEP,
        RunKind.PULL,
        RunKind.COAST_DOWN,
    ]


def test_climbing_load_at_a_held_speed_is_a_sweep():
    assert RunKind.SWEEP in kinds(listen(ramp(12.0, (3000, 3000), (40, 92))))


def test_noise_and_a_short_blip_are_no_runs():
    blip = ramp(0.4, (3000, 3400), (45, 90)) + ramp(0.4, (3400, 3000), (90, 45))
    drive = ramp(1.5, (3000, 3000), (45, 45)) + blip + ramp(1.5, (3000, 3000), (45, 45))
    assert RunKind.PULL not in kinds(listen(drive))


def test_a_missed_window_does_not_cut_a_pull_in_two():
    def gap(means, number):
        return {} if number in (50, 51, 60) else means

    assert len(pulls(listen(pull(4.0), gap))) == 1


def test_numbers_count_up_and_run_through_kinds():
    runs = listen(pull(4.0).times(3)).snapshot().runs
    assert [run.number for run in runs] == list(range(1, len(runs) + 1))


def test_a_pull_is_shown_while_it_goes_on():
    engine = LiveEngine()
    shown = []
    for aggregate in WORLD.drive(pull(4.0), 1):
        engine.observe(aggregate)
        run = engine.snapshot().run
        if run is not None and run.kind is RunKind.PULL:
            shown.append(run)
    assert len({run.number for run in shown}) == 1
    assert all(not run.finished for run in shown)
    assert shown[-1].power_kw.value >= shown[0].power_kw.value
    (done,) = [run for run in engine.snapshot().runs if run.kind is RunKind.PULL]
    assert done.finished


def test_peaks_are_those_of_a_quarter_second_not_of_the_luckiest_window():
    def spike(means, number):
        return means | {C.POWER: 400.0} if number == 60 else means

    plain, spiked = (pulls(listen(pull(4.0), change))[0] for change in (None, spike))
    assert spiked.power_kw.value < plain.power_kw.value + 400.0 / 5.0
    true_kw = (0.9 * 94.5 - 20.0) * 6500.0 * KW_PER_NM_RPM
    assert plain.power_kw.value == pytest.approx(true_kw, rel=0.02)
    assert plain.power_kw.rpm == pytest.approx(6400.0, abs=150.0)


@pytest.mark.parametrize("missing", [C.POWER, C.TORQUE])
def test_power_and_torque_follow_from_each_other(missing):
    def without(means, _):
        return {c: v for c, v in means.items() if c is not missing}

    full, thin = (pulls(listen(pull(4.0), change))[0] for change in (None, without))
    assert thin.power_kw.value == pytest.approx(full.power_kw.value, rel=0.02)
    assert thin.torque_nm.value == pytest.approx(full.torque_nm.value, rel=0.02)


def test_without_either_there_is_no_peak_and_none_is_invented():
    def without(means, _):
        return {c: v for c, v in means.items() if c not in (C.POWER, C.TORQUE)}

    (run,) = pulls(listen(pull(4.0), without))
    assert (run.power_kw, run.torque_nm) == (None, None)


def test_the_leanest_reading_is_named_with_its_cylinder_and_place():
    def lean_there(means, _):
        hump = max(0.0, 1.0 - abs(means[C.RPM] - 4600.0) / 400.0)
        return means | {C.LAMBDA_REAR: means[C.LAMBDA_REAR] * (1.0 + 0.12 * hump)}

    (run,) = pulls(listen(pull(5.0), lean_there))
    assert run.leanest.cylinder is Cylinder.REAR
    # What is read at 4,600 rpm was burnt about 0.12 s and 110 rpm before.
    assert run.leanest.rpm == pytest.approx(4490.0, abs=150.0)
    assert run.leanest.error > 0.08
    assert run.leanest.load == pytest.approx(95.0, abs=2.0)


def test_a_pull_is_compared_with_the_last_one_like_it():
    def weaker(means, number):
        second = number >= pull(4.0).windows
        return means | {C.POWER: means[C.POWER] * (0.95 if second else 1.0)}

    first, second = pulls(listen(pull(4.0).times(2), weaker))
    assert first.versus is None
    assert second.versus.number == first.number
    assert second.versus.power_kw == pytest.approx(-0.05 * first.power_kw.value, rel=0.15)
    scatter = REPEATABILITY * first.power_kw.value * 2.0**0.5
    assert second.versus.power_se_kw == pytest.approx(scatter, rel=0.05)


def test_pulls_through_different_ranges_are_not_compared():
    drive = pull(4.0, high=6500.0) + pull(3.0, high=4500.0)
    assert [run.versus for run in pulls(listen(drive))] == [None, None]


def test_a_run_says_what_it_added():
    first, second = pulls(listen(pull(4.0).times(2)))
    assert first.accepted > 80
    assert first.new_cells + second.new_cells > 0
    assert first.accepted + first.rejected <= 2 * 20 * 6


def test_what_a_pull_added_is_known_within_a_second_of_its_end():
    engine, told_s = LiveEngine(), None
    for aggregate in WORLD.drive(pull(4.0), 1):
        engine.observe(aggregate)
        runs = [run for run in engine.snapshot().runs if run.kind is RunKind.PULL]
        if runs and told_s is None:
            told_s, told = engine.snapshot().time_s, runs[0]
    assert told_s - told.end_s <= 1.0
    assert told.new_cells > 0
    assert pulls(engine)[0] == told, "and nothing is corrected afterwards"


def test_a_run_says_why_readings_of_it_did_not_count():
    """A rough throttle in the second pull; the first pull's reasons are not counted again."""

    def rough(means, number):
        tps = means[C.TPS]
        blip = number >= pull(4.0).windows and number % 25 < 5 and tps > 90.0
        return means | {C.TPS: 78.0 + 4.0 * (number % 25) if blip else tps}

    first, second = pulls(listen(pull(4.0).times(2), rough))
    for run in (first, second):
        assert run.rejected == sum(count for _, count in run.reasons)
        assert sorted(run.reasons, key=lambda reason: -reason[1]) == list(run.reasons)
    assert dict(second.reasons)["tip_in"] > dict(first.reasons).get("tip_in", 0) + 20


def test_the_session_keeps_the_reasons_of_every_run():
    engine = listen(pull(4.0).times(2))
    kept = live_record(engine, since_s=0.0)["runs"]
    (told, *_) = [run for run in kept if run["kind"] == "pull"]
    run = pulls(engine)[0]
    assert run.reasons
    assert list(told["rejected_by_reason"].items()) == list(run.reasons)
    assert sum(told["rejected_by_reason"].values()) == told["rejected"]


def test_without_engine_speed_there_are_no_runs_and_the_reason_is_given():
    def without(means, _):
        return {c: v for c, v in means.items() if c is not C.RPM}

    snapshot = listen(pull(4.0), without).snapshot()
    assert (snapshot.runs, snapshot.run) == ((), None)
    assert "engine speed" in snapshot.off["runs"]


def test_without_a_throttle_sensor_pulls_are_found_by_pressure():
    def without(means, _):
        return {c: v for c, v in means.items() if c is not C.TPS}

    assert len(pulls(listen(pull(4.0).times(3), without))) == 3


def test_a_fall_of_power_is_three_pulls_each_weaker():
    def fading(means, number):
        return means | {C.POWER: means[C.POWER] * (1.0 - 0.02 * (number // pull(4.0).windows))}

    assert power_fall(listen(pull(4.0).times(3), fading).snapshot().runs) == pytest.approx(
        0.04, abs=0.005
    )
    assert power_fall(listen(pull(4.0).times(2), fading).snapshot().runs) is None
