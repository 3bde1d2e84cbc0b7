"""Tune tables and scenarios: what is wrong with the tune is exactly what was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.simulator.breathing import MANIFOLD, Breathing, Build
from dynoai_desktop.core.simulator.combustion import Burn, mixture_factor, spark_factor
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenarios import SCENARIOS, Scenario, tables_of
from dynoai_desktop.core.simulator.tables import Lookup, axes, true_tables, true_ve_pct
from dynoai_desktop.core.simulator.weather import STD_WEATHER, Weather

TWIN = PROFILES["m8-114"]
RIGHT = true_tables(Breathing(TWIN), STD_WEATHER)
LOOKUP = Lookup(RIGHT)
EVERY = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)


def tables(key: str, seed: int = 1, weather: Weather = STD_WEATHER):
    return tables_of(TWIN, SCENARIOS[key], weather, np.random.default_rng(seed))


@given(st.floats(600.0, 9000.0), st.floats(5.0, 120.0))
def test_lookup_is_bilinear_and_held_at_the_edges(rpm, map_kpa):
    nodes, loads = np.array(TWIN.ve_rpm), np.array(TWIN.ve_map_kpa)
    grid = RIGHT.ve_rear_pct.values
    rpm_in = np.clip(rpm, nodes[0], nodes[-1])
    load_in = np.clip(map_kpa, loads[0], loads[-1])
    along = [np.interp(load_in, loads, row) for row in grid]
    assert LOOKUP(rpm, map_kpa)[1] == pytest.approx(np.interp(rpm_in, nodes, along), rel=1e-9)


@EVERY
def test_tables_can_follow_the_truth_between_their_nodes(profile):
    """Truth is smooth and knows no axes; bilinear tables are off by less than 0.15 %."""
    breathing = Breathing(profile)
    lookup = Lookup(true_tables(breathing, STD_WEATHER))
    rpm = np.linspace(profile.idle_rpm, profile.redline_rpm, 97)
    top = min(profile.ve_map_kpa[-1], STD_WEATHER.baro_kpa + profile.boost_kpa)
    load = np.linspace(max(30.0, profile.ve_map_kpa[0]), top, 61)
    speeds, loads = np.meshgrid(rpm, load, indexing="ij")
    front, rear = breathing.ve(speeds, loads, STD_WEATHER)
    read = np.array([[lookup(n, p)[:2] for p in load] for n in rpm]) / 100.0
    assert np.abs(read[..., 0] / front - 1.0).max() < 0.0015
    assert np.abs(read[..., 1] / rear - 1.0).max() < 0.0015


@pytest.mark.parametrize(("key", "mean"), [("lean", -0.10), ("rich", 0.10)])
def test_wrong_tables_are_wrong_by_what_was_asked(key, mean):
    errors = np.array(
        [
            tables(key, seed).ve_front_pct.values / RIGHT.ve_front_pct.values - 1.0
            for seed in range(40)
        ]
    )
    assert errors.mean() == pytest.approx(mean, abs=0.005)
    assert errors.std() == pytest.approx(SCENARIOS[key].spread, rel=0.15)


def test_table_error_is_smooth_and_the_same_on_both_cylinders():
    lean = tables("lean")
    front = lean.ve_front_pct.values / RIGHT.ve_front_pct.values
    rear = lean.ve_rear_pct.values / RIGHT.ve_rear_pct.values
    assert front == pytest.approx(rear)
    assert np.abs(np.diff(front, axis=0)).max() < 2.0 * SCENARIOS["lean"].spread


def test_one_cylinder_is_five_percent_and_the_other_is_right():
    wrong = tables("one_cylinder")
    assert wrong.ve_front_pct.values == pytest.approx(RIGHT.ve_front_pct.values)
    assert RIGHT.ve_rear_pct.values / wrong.ve_rear_pct.values == pytest.approx(1.05)


def test_cam_change_moves_the_truth_and_leaves_the_tables():
    rig = Rig(TWIN, SCENARIOS["cam_change"], STD_WEATHER)
    assert rig.tables.ve_front_pct.values == pytest.approx(RIGHT.ve_front_pct.values)
    change = rig.true_ve_front_pct / RIGHT.ve_front_pct.values - 1.0
    low, high = np.searchsorted(TWIN.ve_rpm, (1000.0, 5500.0))
    assert change[low, 4] < -0.05
    assert change[high, -1] > 0.05


def test_scenario_changes_ve_only():
    """One target table, shared; sparks untouched."""
    for key in SCENARIOS:
        made = tables(key)
        assert made.target_lambda.values == pytest.approx(RIGHT.target_lambda.values)
        assert made.spark_front_deg.values == pytest.approx(RIGHT.spark_front_deg.values)


def test_same_seed_makes_the_same_tables_and_another_does_not():
    first = tables("lean", 3).ve_front_pct.values
    assert np.array_equal(first, tables("lean", 3).ve_front_pct.values)
    assert not np.array_equal(first, tables("lean", 4).ve_front_pct.values)


@EVERY
def test_rig_reports_the_truth_on_the_axes_of_the_tune(profile):
    rig = Rig(profile, SCENARIOS["perfect"])
    rpm, load = axes(profile)
    assert rig.true_ve_front_pct.shape == (len(rpm), len(load))
    assert rig.true_ve_front_pct == pytest.approx(rig.tables.ve_front_pct.values)
    assert rig.true_ve_rear_pct == pytest.approx(rig.tables.ve_rear_pct.values)


def test_peak_ve_is_the_profiles_and_ve_falls_with_load_and_humidity():
    front, rear = true_ve_pct(Breathing(TWIN), STD_WEATHER)
    both = (front + rear) / 2.0
    assert both.max() == pytest.approx(100.0 * TWIN.peak_ve, rel=0.01)
    inside = np.array(TWIN.ve_map_kpa) < STD_WEATHER.baro_kpa
    assert np.all(np.diff(both[:, inside], axis=1) > 0.0)
    humid, _ = true_ve_pct(Breathing(TWIN), Weather(101.325, 30.0, 90.0))
    assert np.all(humid < front)


def test_cylinders_differ_as_the_profile_says():
    """With one shared table the twin's cylinders would run half an AFR apart."""
    front, rear = true_ve_pct(Breathing(TWIN), STD_WEATHER)
    assert 13.0 * (front / rear - 1.0).mean() == pytest.approx(0.65, abs=0.15)


def test_build_changes_what_it_says():
    stock, high = Breathing(TWIN), Breathing(TWIN, Build(high_speed=0.1))
    rpm = np.array([TWIN.peak_torque_rpm, TWIN.redline_rpm])
    assert high.amplitude(rpm)[0] / stock.amplitude(rpm)[0] == pytest.approx([1.0, 1.1])


def test_manifold_follows_the_throttle_from_choked_to_open():
    openings = np.linspace(0.01, 12.0, 400)
    ratios = np.array([MANIFOLD.pressure_ratio(s) for s in openings])
    assert np.all(np.diff(ratios) > -1e-4)
    assert ratios.max() < 1.0
    assert ratios[0] == pytest.approx(0.6847 * openings[0], rel=0.01)  # choked flow
    for ratio in (0.3, 0.6, 0.9, 0.99):
        assert MANIFOLD.pressure_ratio(MANIFOLD.opening(ratio)) == pytest.approx(ratio, abs=2e-4)


def test_mixture_and_spark_factors_have_their_peaks_in_the_right_place():
    lams = np.linspace(0.6, 1.6, 1001)
    factors = np.array([mixture_factor(1.0 / lam) for lam in lams])
    assert lams[factors.argmax()] == pytest.approx(0.87, abs=0.002)
    assert mixture_factor(1.0 / 1.07) < mixture_factor(1.0 / 0.67)  # lean costs more than rich
    assert factors.min() >= 0.0
    assert spark_factor(0.0) == 1.0
    assert spark_factor(-12.0) == spark_factor(12.0) < spark_factor(5.0)


def test_spark_valley_lies_at_the_torque_peak():
    burn = Burn.of(TWIN)
    rpm = np.arange(1500.0, 5500.0, 50.0)
    sparks = np.array([burn.mbt_deg(n, 100.0) for n in rpm])
    inner = sparks[10:-10]
    assert abs(rpm[10:-10][inner.argmin()] - TWIN.peak_torque_rpm) < 400.0
    assert burn.mbt_deg(3000.0, 40.0) > burn.mbt_deg(3000.0, 100.0)


@pytest.mark.parametrize("field", ["low_speed", "high_speed"])
def test_scenario_of_ones_own_drives(field):
    scenario = Scenario("custom", "mine", build=Build(**{field: -0.05}), spread=0.02)
    rig = Rig(TWIN, scenario, seed=2)
    rig.run(0.5)
    assert rig.readings()
