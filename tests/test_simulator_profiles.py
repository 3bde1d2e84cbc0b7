"""Profiles: what cannot be an engine is refused by the name of the field, before anything runs."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.simulator.breathing import Breathing
from dynoai_desktop.core.simulator.calibration import calibrate
from dynoai_desktop.core.simulator.nominal import NominalCurve
from dynoai_desktop.core.simulator.profile import CylinderTruth, ProfileError
from dynoai_desktop.core.simulator.profile_json import profile_from_json, profile_to_json
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenarios import Scenario
from dynoai_desktop.core.simulator.tables import true_tables
from dynoai_desktop.core.simulator.weather import STD_WEATHER, Weather

TWIN = PROFILES["m8-114"]

BAD_FIELDS = [
    ("engine_inertia_kgm2", 0.0),
    ("wheel_inertia_kgm2", -1.0),
    ("displacement_cc", -1868.0),
    ("displacement_cc", 600.0),  # bore and stroke say otherwise
    ("redline_rpm", 850.0),
    ("redline_rpm", 4900.0),  # below the power peak
    ("idle_rpm", math.nan),
    ("peak_power_kw", math.inf),
    ("peak_power_kw", 20.0),  # less than peak torque makes
    ("peak_torque_nm", 90.0),  # less than peak power needs
    ("bore_mm", 0.0),
    ("bore_mm", 10**400),
    ("cylinders", 2.5),
    ("gear_ratios", ()),
    ("gear_ratios", (9.0, -1.0)),
    ("dyno_gear", 7),
    ("ve_rpm", (1000.0, 900.0, 3000.0)),
    ("ve_map_kpa", (20.0, 40.0)),
    ("ve_map_kpa", (20.0, math.nan, 60.0)),
    ("fuel", "kerosene"),
    ("dyno", "engine-bench"),
    ("name", "no good name"),
    ("peak_ve", True),
    ("widebands", 3),
]


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_impossible_value_is_refused_by_its_field(field, value):
    with pytest.raises(ProfileError) as refused:
        dataclasses.replace(TWIN, **{field: value})
    assert refused.value.field == field


def test_power_that_would_peak_earlier_than_stated_is_refused():
    with pytest.raises(ProfileError, match="peak_power_rpm"):
        dataclasses.replace(TWIN, peak_power_kw=62.0)


def test_cylinder_trim_of_the_wrong_shape_is_refused():
    with pytest.raises(ProfileError, match="trim_pct"):
        CylinderTruth((1000.0, 2000.0, 3000.0), (1.0, 2.0))


def test_torque_beyond_what_the_fuel_holds_is_refused():
    greedy = dataclasses.replace(TWIN, peak_torque_nm=330.0, peak_power_kw=160.0)
    with pytest.raises(ProfileError, match="peak_torque_nm"):
        calibrate(greedy)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_profile_survives_json(profile):
    assert profile_from_json(profile_to_json(profile)) == profile


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"turbos": 2}, "turbos"),
        ({"bore_mm": "wide"}, "bore_mm"),
        ({"bore_mm": None}, "bore_mm"),
        ({"title": 7}, "title"),
        ({"decel_fuel_cut": 1}, "decel_fuel_cut"),
        ({"cooling": "ice"}, "cooling"),
        ({"ve_rpm": "1000 2000"}, "ve_rpm"),
        ({"front": {"trim_rpm": [1000, 2000], "trim_pct": [1]}}, "front.trim_pct"),
        ({"front": {"colour": 1}}, "front.colour"),
        ({"rear": 3}, "rear"),
    ],
)
def test_json_profile_names_the_field_at_fault(change, field):
    document = json.loads(profile_to_json(TWIN)) | change
    with pytest.raises(ProfileError) as refused:
        profile_from_json(json.dumps(document))
    assert refused.value.field == field


def test_missing_field_and_no_json_at_all_are_named():
    document = json.loads(profile_to_json(TWIN))
    del document["stroke_mm"]
    with pytest.raises(ProfileError, match="stroke_mm"):
        profile_from_json(json.dumps(document))
    with pytest.raises(ProfileError, match="not JSON"):
        profile_from_json("{")
    with pytest.raises(ProfileError, match="profile"):
        profile_from_json("[" * 100_000)
    with pytest.raises(ProfileError, match="profile"):
        profile_from_json('{"bore_mm": ' + "9" * 6000 + "}")


@given(st.text(max_size=60))
def test_any_text_is_a_profile_or_a_profile_error(text):
    with pytest.raises(ProfileError):
        profile_from_json(text)


@pytest.mark.parametrize("field", ["baro_kpa", "temperature_c", "humidity_pct"])
def test_weather_that_is_not_a_number_is_refused_by_name(field):
    with pytest.raises(ValueError, match=field):
        Weather(**{field: math.nan})


@pytest.mark.parametrize("field", ["mean", "spread", "rear_scale", "injector_flow"])
def test_scenario_out_of_reason_is_refused_by_name(field):
    with pytest.raises(ValueError, match=field):
        Scenario("custom", "", **{field: 9.0})


def test_tune_with_tables_that_do_not_fit_is_refused():
    right = true_tables(Breathing(TWIN), STD_WEATHER)
    other = true_tables(Breathing(PROFILES["tc-103"]), STD_WEATHER)
    with pytest.raises(ValueError, match="ve_rear_pct"):
        dataclasses.replace(right, ve_rear_pct=other.ve_rear_pct)
    grid = right.target_lambda
    for bad in (math.nan, 14.7):
        values = grid.values.copy()
        values[3, 4] = bad
        with pytest.raises(ValueError, match="target_lambda"):
            dataclasses.replace(right, target_lambda=CellGrid(grid.rpm, grid.load, values))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_nominal_curve_peaks_exactly_where_the_profile_says(profile):
    curve = NominalCurve.of(profile)
    rpm = np.arange(profile.idle_rpm, profile.redline_rpm, 1.0)
    torque = np.array([curve.torque_nm(n) for n in rpm])
    power = torque * rpm * math.pi / 30000.0
    assert torque.max() == pytest.approx(profile.peak_torque_nm, rel=1e-4)
    assert rpm[torque.argmax()] == pytest.approx(profile.peak_torque_rpm, abs=2.0)
    assert power.max() == pytest.approx(profile.peak_power_kw, rel=1e-4)
    assert rpm[power.argmax()] == pytest.approx(profile.peak_power_rpm, abs=2.0)
    rising = np.diff(power) > 0.0
    assert rising[rpm[:-1] < profile.peak_power_rpm - 2.0].all()  # one peak, no second hump
    assert not rising[rpm[:-1] > profile.peak_power_rpm + 2.0].any()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_solved_engine_is_an_engine(profile):
    """Indicated work per kilogram of air stays within what gasoline engines do."""
    solved = calibrate(profile)
    usable = (solved.rpm >= profile.idle_rpm) & (solved.rpm <= profile.redline_rpm)
    assert solved.work_j_per_kg[usable].min() > 0.8e6
    assert solved.work_j_per_kg[usable].max() < 1.9e6
    upstream = STD_WEATHER.baro_kpa + profile.boost_kpa
    assert solved.full_map_kpa.max() <= upstream
    assert solved.full_map_kpa[usable].min() > 0.9 * STD_WEATHER.baro_kpa


def test_custom_profile_is_solved_without_help():
    """Halve the promised power and torque: the pull shows half, with no constant to tune."""
    halved = dataclasses.replace(
        TWIN,
        peak_power_kw=TWIN.peak_power_kw / 2,
        peak_torque_nm=TWIN.peak_torque_nm / 2,
    )
    curve = NominalCurve.of(halved)
    assert curve.torque_nm(3200.0) == pytest.approx(TWIN.peak_torque_nm / 2)
    assert calibrate(halved).work_j_per_kg.max() < calibrate(TWIN).work_j_per_kg.max()
