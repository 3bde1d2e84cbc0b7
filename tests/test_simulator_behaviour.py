"""The simulated vehicle behaves like one: idle, throttle, mixture, knock, load, heat."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from dynoai_desktop.core.simulator.absorber import LoadControl, LoadMode
from dynoai_desktop.core.simulator.commands import Abort, ByHand, Drive, EngineSwitch, Flash
from dynoai_desktop.core.simulator.dynos import DYNOS
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.programmes import (
    chop,
    coast_down,
    hold_climb,
    roll_on,
    steady_steps,
    wot_pull,
)
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenarios import SCENARIOS, Scenario
from dynoai_desktop.core.simulator.sim_channels import SIM_CHANNELS, SimChannel
from dynoai_desktop.core.simulator.trials import drive, measure_pull

TWIN = PROFILES["m8-114"]
C = SimChannel
EVERY = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)


def run_until(rig: Rig, state: str) -> None:
    for _ in range(6000):
        rig.tick()
        if rig.state == state:
            return
    raise AssertionError(f"never reached {state}")


def steady(profile, rpm, throttles, scenario="perfect", **options):
    """Return one truth and reading per steady throttle, taken at the end of its dwell."""
    rig = Rig(profile, SCENARIOS[scenario], noise=False, **options)
    points = {}
    for state in drive(rig, steady_steps(profile, rpm, throttles, dwell_s=2.5)):
        if state == "steady" and rig.truth().tps_pct in throttles:
            points[rig.truth().tps_pct] = (rig.truth(), dict(rig.readings()))
    return list(points.values())


def test_engine_never_passes_its_limiter():
    free, loaded = Rig(TWIN), Rig(TWIN)
    free.command(ByHand(tps_pct=100.0))
    loaded.command(ByHand(tps_pct=100.0, engaged=True))
    for _ in range(2500):
        free.tick()
        loaded.tick()
        assert max(free.truth().rpm, loaded.truth().rpm) <= TWIN.redline_rpm
    assert loaded.truth().rpm > 0.95 * TWIN.redline_rpm


def test_engine_can_be_killed_and_started_again():
    rig = Rig(TWIN)
    rig.command(EngineSwitch(running=False))
    rig.run(4.0)
    assert rig.truth().rpm == 0.0
    assert rig.readings()[C.ENGINE_RPM] == 0.0
    rig.command(EngineSwitch(running=True))
    rig.run(6.0)
    assert abs(rig.truth().rpm - TWIN.idle_rpm) < 50.0


@pytest.mark.parametrize("phase", ["launch", "settle", "pull", "decel"])
def test_abort_works_within_a_tenth_of_a_second_in_any_phase(phase):
    rig = Rig(TWIN)
    rig.command(Drive((wot_pull(TWIN),), repeat=True))
    run_until(rig, phase)
    rig.run(0.3)
    rig.command(Abort())
    rig.run(0.1)
    assert rig.state == "abort"
    assert rig.truth().tps_pct == 0.0
    assert rig.truth().torque_nm <= 0.0
    assert not rig.truth().clutch_locked
    rig.run(30.0)
    assert rig.state == "idle"
    assert rig.truth().speed_m_s < 1.0
    assert abs(rig.truth().rpm - TWIN.idle_rpm) < 50.0


def test_manual_throttle_is_obeyed_at_once_and_keeps_the_rest():
    rig = Rig(TWIN)
    rig.command(ByHand(tps_pct=40.0))
    rig.run(0.5)
    assert rig.state == "manual"
    assert rig.truth().tps_pct == pytest.approx(40.0)
    assert rig.readings()[C.TPS] == pytest.approx(40.0, abs=0.5)
    rig.command(ByHand(gear=2))
    rig.run(0.5)
    assert rig.truth().tps_pct == pytest.approx(40.0)
    with pytest.raises(ValueError, match="gear 9"):
        rig.command(ByHand(gear=9))


def test_closed_throttle_drags_and_shows_negative_power():
    rig = Rig(TWIN, noise=False)
    lowest = 0.0
    for state in drive(rig, chop(TWIN)):
        if state == "overrun":
            lowest = min(lowest, rig.readings()[C.POWER])
            if rig.truth().fuel_cut:
                assert rig.truth().torque_nm < 0.0
    assert lowest < -5.0


def test_fuel_cut_sends_the_widebands_to_their_lean_rail_and_back():
    rig = Rig(TWIN, noise=False)
    seen = []
    for state in drive(rig, chop(TWIN)):
        if state == "overrun":
            seen.append(rig.readings()[C.AFR_1])
            if rig.truth().fuel_cut:
                assert rig.readings()[C.INJECTOR_FRONT] == 0.0
    assert max(seen) == pytest.approx(22.39)
    rig.run(3.0)
    assert rig.readings()[C.AFR_1] < 16.0


@EVERY
def test_perfect_tables_are_on_target_in_steady_running(profile):
    """Noise-free, inside the tables and above reversion: within 0.02 AFR on both cylinders."""
    rpm = 0.45 * profile.redline_rpm
    checked = 0
    for truth, _ in steady(profile, rpm, (18.0, 22.0, 27.0, 34.0, 45.0, 100.0)):
        if truth.map_kpa < 30.0 or abs(truth.rpm - rpm) > 20.0:
            continue
        checked += 1
        for burnt in (truth.lambda_burnt.front, truth.lambda_burnt.rear):
            assert abs(burnt - truth.lambda_cmd) * 14.7 < 0.02
    assert checked >= 4


@pytest.mark.parametrize("scenario", ["lean", "rich", "one_cylinder", "cam_change"])
def test_mixture_is_target_times_true_over_table_ve(scenario):
    """The key relation of speed-density fuelling, per cylinder, from the rig's own truth."""
    points = steady(TWIN, 3000.0, (20.0, 30.0, 60.0, 100.0), scenario)
    assert len(points) == 4
    for truth, reading in points:
        for burnt, true, table, channel in (
            (truth.lambda_burnt.front, truth.ve_pct.front, truth.ve_table_pct.front, C.AFR_1),
            (truth.lambda_burnt.rear, truth.ve_pct.rear, truth.ve_table_pct.rear, C.AFR_2),
        ):
            expected = truth.lambda_cmd * true / table
            assert burnt == pytest.approx(expected, rel=1e-3)
            assert reading[channel] == pytest.approx(14.7 * expected, rel=2e-3)


def test_cylinder_offset_stays_with_its_cylinder():
    for truth, _ in steady(TWIN, 3000.0, (25.0, 50.0, 100.0), "one_cylinder"):
        assert truth.lambda_burnt.front / truth.lambda_cmd == pytest.approx(1.0, abs=0.002)
        assert truth.lambda_burnt.rear / truth.lambda_cmd == pytest.approx(1.05, abs=0.002)


def test_flashing_the_true_tables_ends_a_wrong_tune():
    rig = Rig(TWIN, SCENARIOS["cam_change"], noise=False)
    rig.command(Flash(rig.tables.with_ve(rig.true_ve_front_pct, rig.true_ve_rear_pct)))
    rig.command(Drive((steady_steps(TWIN, 3000.0, (30.0, 60.0), dwell_s=3.0),)))
    run_until(rig, "decel")
    assert rig.readings()[C.AFR_1] == pytest.approx(rig.readings()[C.AFR_CMD], abs=0.03)


def test_a_better_tune_makes_more_power_and_lean_costs_more_than_rich():
    power = {}
    for key, mean in (("right", 0.0), ("lean", -0.15), ("rich", 0.15)):
        scenario = Scenario("custom", key, mean=mean)
        power[key] = measure_pull(Rig(TWIN, scenario, noise=False)).peak_power_kw
    assert power["lean"] < 0.97 * power["right"]
    assert power["lean"] < power["rich"] < power["right"]


def test_lean_cell_loses_torque_there_and_nowhere_else():
    """Take 12 % of the fuel from a few cells about 3000 rpm: a dip in the curve, there."""
    right = Rig(TWIN, noise=False)
    nodes = np.array(TWIN.ve_rpm)
    hole = 1.0 - 0.12 * np.exp(-(((nodes - 3000.0) / 250.0) ** 2))[:, None]
    tables = right.tables.with_ve(
        right.tables.ve_front_pct.values * hole, right.tables.ve_rear_pct.values * hole
    )

    def curve(rig):
        rows = [
            (rig.readings()[C.ENGINE_RPM], rig.readings()[C.TORQUE])
            for state in drive(rig, wot_pull(TWIN))
            if state == "pull"
        ]
        rpm, torque = np.array(rows)[60:].T
        return np.interp([3000.0, 4500.0], rpm, torque)

    ratio = curve(Rig(TWIN, noise=False, tables=tables)) / curve(right)
    assert ratio[0] < 0.985
    assert ratio[1] == pytest.approx(1.0, abs=0.003)


def test_good_fuel_does_not_knock_and_bad_fuel_does():
    good, bad = Rig(TWIN, seed=5), Rig(TWIN, seed=5, faults=("bad_fuel",))
    good_pull, bad_pull = measure_pull(good), measure_pull(bad)
    assert good.truth().knock_events == 0
    assert bad.truth().knock_events >= 3
    assert bad_pull.peak_torque_nm < good_pull.peak_torque_nm


def test_knock_is_answered_by_retard_that_recovers():
    rig = Rig(TWIN, seed=5, faults=("bad_fuel",))
    most = 0.0
    for state in drive(rig, wot_pull(TWIN)):
        if state == "pull":
            most = max(most, rig.readings()[C.KNOCK_FRONT], rig.readings()[C.KNOCK_REAR])
    assert 2.0 <= most <= 10.0
    rig.run(10.0)
    assert rig.readings()[C.KNOCK_FRONT] == rig.readings()[C.KNOCK_REAR] == 0.0


def test_tip_in_is_lean_for_a_moment():
    """Opening the throttle fills the port walls first, so the cylinders see too little."""
    rig = Rig(TWIN, noise=False)
    leanest = 0.0
    for state in drive(rig, roll_on(TWIN)):
        if state == "roll_on":
            truth = rig.truth()
            leanest = max(leanest, truth.lambda_burnt.front / truth.lambda_cmd)
    assert 1.02 < leanest < 1.5
    assert truth.lambda_burnt.front / truth.lambda_cmd < 1.02  # and over before the end


@pytest.mark.parametrize("profile", [TWIN, PROFILES["four-600"]], ids=lambda p: p.name)
def test_load_brake_holds_speed_while_pressure_climbs(profile):
    rig = Rig(profile, noise=False)
    rpm = 0.5 * profile.redline_rpm
    held, pressures = [], []
    for state in drive(rig, hold_climb(profile, rpm)):
        if state == "climb" and rig.truth().absorber_n > 100.0:
            held.append(rig.truth().rpm)
            pressures.append(rig.truth().map_kpa)
    assert max(abs(speed / rpm - 1.0) for speed in held) < 0.01
    assert max(pressures) - min(pressures) > 40.0


@pytest.mark.parametrize(
    ("control", "channel", "tolerance"),
    [
        (LoadControl(LoadMode.SPEED, 110.0), C.SPEED, 1.0),
        (LoadControl(LoadMode.RPM, 3000.0), C.ENGINE_RPM, 15.0),
        (LoadControl(LoadMode.ACCELERATION, 4.0), C.ACCELERATION, 0.4),
        (LoadControl(LoadMode.BRAKE, 20.0), C.FORCE, 1e9),
    ],
)
def test_load_control_holds_what_it_is_asked_for(control, channel, tolerance):
    rig = Rig(TWIN, noise=False)
    rig.command(ByHand(tps_pct=60.0, engaged=True, load=control))
    rig.run(10.0 if control.mode is LoadMode.ACCELERATION else 14.0)
    assert rig.readings()[channel] == pytest.approx(control.target, abs=tolerance)
    if control.mode is LoadMode.BRAKE:
        assert rig.truth().absorber_n == pytest.approx(0.2 * DYNOS["drum"].absorber_n, rel=0.02)


def test_inertia_dyno_has_no_brake_to_hold_with():
    rig = Rig(TWIN, dyno=DYNOS["drum-inertia"])
    rig.command(ByHand(tps_pct=40.0, engaged=True, load=LoadControl(LoadMode.BRAKE, 100.0)))
    rig.run(6.0)
    assert rig.truth().absorber_n == 0.0


def test_coast_down_recovers_the_drag_of_the_drum():
    """Clutch open, the deceleration of drum and wheel gives back the dyno's loss curve."""
    rig = Rig(TWIN, noise=False)
    rows = [
        (rig.readings()[C.SPEED] / 3.6, rig.readings()[C.ACCELERATION] / 3.6)
        for state in drive(rig, coast_down(TWIN))
        if state == "coast"
    ][100:]
    speed, acceleration = np.array(rows).T
    dyno = DYNOS["drum"]
    radius = TWIN.tyre_circumference_m / math.tau
    mass = dyno.effective_mass_kg + TWIN.wheel_inertia_kgm2 / radius**2
    slope, constant = np.polyfit(speed, -mass * acceleration, 1)
    assert slope == pytest.approx(dyno.loss_slope_ns_per_m, rel=0.02)
    assert constant == pytest.approx(dyno.loss_constant_n, rel=0.05)


def test_every_gear_keeps_peak_power_near_nominal():
    nominal = measure_pull(Rig(TWIN, noise=False)).peak_power_kw
    for gear in (3, 4, 6):
        pull = wot_pull(TWIN, gear=gear)
        shown = measure_pull(Rig(TWIN, noise=False), pull).peak_power_kw
        assert shown == pytest.approx(nominal, rel=0.08)


def test_lower_gears_pull_faster():
    times = [measure_pull(Rig(TWIN), wot_pull(TWIN, gear=gear)).pull_s for gear in (3, 4, 5, 6)]
    assert times == sorted(times)


def test_pulls_in_a_row_look_like_the_reference_series():
    """Four pulls: head a few degrees up, power within one percent (0.70 % in the real series)."""
    rig = Rig(TWIN, seed=3)
    heads, powers = [], []
    for _ in range(4):
        powers.append(measure_pull(rig).peak_power_kw)
        heads.append(rig.truth().head_c)
        rig.run(15.0)
    assert 1.0 < heads[-1].front - heads[0].front < 12.0
    assert all(20.0 < head.rear - head.front < 60.0 for head in heads)
    assert np.std(powers) / np.mean(powers) < 0.01


def test_without_a_fan_heat_soak_robs_power_run_by_run():
    rig = Rig(TWIN, noise=False, faults=("no_fan",))
    powers = [measure_pull(rig).peak_power_kw for _ in range(6)]
    assert powers == sorted(powers, reverse=True)
    assert powers[-1] < 0.985 * powers[0]
    assert rig.truth().intake_c > rig.weather.temperature_c + 10.0


def test_intake_air_is_never_colder_than_the_room():
    rig = Rig(TWIN, noise=False)
    for _ in drive(rig, chop(TWIN)):
        assert rig.truth().intake_c >= rig.weather.temperature_c


def test_overrun_pops_only_with_the_throttle_shut_in_its_speed_range():
    rig, popped = Rig(TWIN, noise=False), 0
    for _ in drive(rig, chop(TWIN)):
        truth = rig.truth()
        if truth.popping:
            popped += 1
            assert truth.tps_pct < 5.0
            assert 1750.0 < truth.rpm < 5500.0
    assert popped > 0


def test_wall_film_follows_its_two_parameters():
    """After a throttle step the film settles where share × strokes × injected fuel says."""
    rig = Rig(TWIN, noise=False)
    for state in drive(rig, steady_steps(TWIN, 3000.0, (30.0, 60.0), dwell_s=3.0)):
        if state == "steady":
            truth, injected = rig.truth(), rig.machine.engine.fuel_front
    per_second = injected * truth.rpm / 120.0
    assert truth.film_kg.front == pytest.approx(
        truth.film_share * truth.film_tau_s * per_second, rel=0.02
    )


def test_taking_over_by_hand_changes_nothing_that_was_not_asked_for():
    rig = Rig(TWIN, noise=False)
    rig.command(Drive((wot_pull(TWIN),)))
    run_until(rig, "pull")
    rig.run(1.0)
    rig.command(ByHand())
    rig.run(0.5)
    assert rig.state == "manual"
    assert rig.truth().tps_pct == pytest.approx(100.0)
    assert rig.truth().clutch_locked


def test_closed_loop_hides_the_error_in_its_trims():
    scenario = dataclasses.replace(SCENARIOS["lean"], closed_loop=True, spread=0.0)
    rig = Rig(TWIN, scenario, noise=False)
    rig.command(Drive((steady_steps(TWIN, 2500.0, (22.0,), dwell_s=15.0),)))
    run_until(rig, "decel")
    truth = rig.truth()
    assert truth.trim.front == pytest.approx(1.0 / 0.9, abs=0.02)
    assert truth.lambda_burnt.front == pytest.approx(1.0, abs=0.02)
    assert rig.readings()[C.TRIM_FRONT] == pytest.approx(11.1, abs=2.0)


def test_readings_cover_the_table_and_carry_no_gaps():
    rig = Rig(TWIN)
    rig.run(1.0)
    trims = {C.TRIM_FRONT, C.TRIM_REAR}  # only where there is a closed loop
    assert set(rig.readings()) == {row.channel for row in SIM_CHANNELS} - trims
    assert all(math.isfinite(value) for value in rig.readings().values())


def test_one_wideband_hears_the_mean_of_both_groups():
    turbo = PROFILES["turbo-four"]
    for truth, reading in steady(turbo, 3000.0, (30.0, 60.0), "one_cylinder"):
        front, rear = truth.lambda_burnt.front, truth.lambda_burnt.rear
        assert rear / front == pytest.approx(1.05, abs=0.003)
        assert front < reading[C.AFR_1] / 14.7 < rear


def test_one_wideband_is_one_channel():
    rig = Rig(PROFILES["turbo-four"])
    rig.run(1.0)
    assert C.AFR_1 in rig.readings()
    assert C.AFR_2 not in rig.readings()


def test_power_torque_force_and_speed_belong_together():
    rig = Rig(TWIN, noise=False)
    run = drive(rig, wot_pull(TWIN))
    for state in run:
        if state == "pull":
            now = rig.readings()
            power = now[C.FORCE] * now[C.SPEED] / 3600.0
            assert now[C.POWER_RAW] == pytest.approx(power)
            assert now[C.POWER] == pytest.approx(power * now[C.CORRECTION_FACTOR])
            torque = power * 30000.0 / math.pi / now[C.ENGINE_RPM]
            assert now[C.TORQUE_RAW] == pytest.approx(torque)
