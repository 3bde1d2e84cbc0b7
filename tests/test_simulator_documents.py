"""Vehicles and tunes of one's own: known errors land where they were put, the rest is refused."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.capture.simulator_files import profile_of, scenario_of
from dynoai_desktop.cli import main
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.breathing import Build
from dynoai_desktop.core.simulator.from_vehicle import closest_profile, draft_of
from dynoai_desktop.core.simulator.profile import ProfileError
from dynoai_desktop.core.simulator.profile_json import profile_from_json
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenario import MOST_REGIONS, Scenario, ScenarioError, VeRegion
from dynoai_desktop.core.simulator.scenario_json import scenario_from_json, scenario_to_json
from dynoai_desktop.core.simulator.scenarios import SCENARIOS, tables_of
from dynoai_desktop.core.simulator.trials import measure_pull
from dynoai_desktop.core.simulator.weather import STD_WEATHER, Weather
from dynoai_desktop.core.store.vehicles import VehicleRecord

TWIN = PROFILES["tc-103"]
OWN = Scenario(
    "custom",
    "Mine",
    regions=(
        VeRegion(-0.08, 3000.0, 4500.0, 60.0, 100.0, Cylinder.REAR),
        VeRegion(0.05, 1000.0, 2000.0),
    ),
    injector_flow=0.95,
    spark_front_deg=-3.0,
    build=Build(low_speed=-0.05),
)


def tables(scenario: Scenario):
    return tables_of(TWIN, scenario, Weather(), np.random.default_rng(1))


def test_a_known_error_is_exactly_where_it_was_put():
    right = tables(Scenario("x", "x"))
    wrong = tables(OWN)
    rpm = np.array(TWIN.ve_rpm)[:, None]
    load = np.array(TWIN.ve_map_kpa)[None, :]
    low = np.where((rpm >= 1000) & (rpm <= 2000) & (load > 0), 1.05, 1.0)
    mid = (rpm >= 3000) & (rpm <= 4500) & (load >= 60) & (load <= 100)
    front = wrong.ve_front_pct.values / right.ve_front_pct.values
    rear = wrong.ve_rear_pct.values / right.ve_rear_pct.values
    assert np.allclose(front, low)
    assert np.allclose(rear, low * np.where(mid, 0.92, 1.0))


def test_spark_is_off_by_what_was_asked():
    right, wrong = tables(Scenario("x", "x")), tables(OWN)
    assert np.allclose(wrong.spark_front_deg.values, right.spark_front_deg.values - 3.0)
    assert np.array_equal(wrong.spark_rear_deg.values, right.spark_rear_deg.values)


def test_late_spark_costs_power():
    late = Scenario("late", "Late", spark_front_deg=-8.0, spark_rear_deg=-8.0)
    right = measure_pull(Rig(TWIN, noise=False)).peak_power_kw
    assert measure_pull(Rig(TWIN, late, noise=False)).peak_power_kw < 0.98 * right


@pytest.mark.parametrize("scenario", [*SCENARIOS.values(), OWN], ids=lambda row: row.title)
def test_a_tune_survives_json(scenario):
    assert scenario_from_json(scenario_to_json(scenario)) == scenario


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"mean": "much"}, "mean"),
        ({"mean": float("nan")}, "mean"),
        ({"mean": -0.5}, "mean"),
        ({"colour": 1}, "colour"),
        ({"closed_loop": 1}, "closed_loop"),
        ({"spark_rear_deg": 40}, "spark_rear_deg"),
        ({"build": 3}, "build"),
        ({"build": {"low_speed": 3}}, "build.low_speed"),
        ({"build": {"turbo": 3}}, "build.turbo"),
        ({"regions": {}}, "regions"),
        ({"regions": [1]}, "regions"),
        ({"regions": [{}]}, "error"),
        ({"regions": [{"error": 1}]}, "error"),
        ({"regions": [{"error": 0.1, "rpm_low": 3000, "rpm_high": 2000}]}, "rpm_high"),
        ({"regions": [{"error": 0.1, "map_low_kpa": 90, "map_high_kpa": 90}]}, "map_high_kpa"),
        ({"regions": [{"error": 0.1, "cylinder": "left"}]}, "cylinder"),
        ({"regions": [{"error": 0.1}] * (MOST_REGIONS + 1)}, "regions"),
    ],
)
def test_a_tune_that_cannot_be_is_refused_by_its_field(document, field):
    with pytest.raises(ScenarioError) as refused:
        scenario_from_json(json.dumps(document))
    assert refused.value.field == field
    assert field in str(refused.value)


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_a_tune_or_a_scenario_error(text):
    with contextlib.suppress(ScenarioError):
        scenario_from_json(text)


# --- files ---------------------------------------------------------------------------------------


def test_names_and_files_are_told_apart(tmp_path):
    assert profile_of("four-600") is PROFILES["four-600"]
    assert scenario_of("rich") is SCENARIOS["rich"]
    path = tmp_path / "mine.json"
    path.write_text(scenario_to_json(OWN), encoding="utf-8")
    assert scenario_of(str(path)) == OWN


@pytest.mark.parametrize("command", ["simulate", "virtual-tune"])
@pytest.mark.parametrize(
    ("option", "text", "says"),
    [
        ("--scenario", '{"mean": -3}', "mean: -3 is not between"),
        ("--scenario", None, "scenario: "),
        ("--profile", '{"turbos": 2}', "turbos: is not a field of a profile"),
        ("--profile", "{", "profile: is not JSON"),
    ],
)
def test_commands_refuse_a_bad_file_in_one_sentence(tmp_path, capsys, command, option, text, says):
    path = tmp_path / "mine.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    out = ["--out", str(tmp_path / "x.pcap")] if command == "simulate" else []
    assert main([command, option, str(path), *out]) == 2
    said = capsys.readouterr()
    assert says in said.err and said.err.count("\n") == 1 and said.out == ""


def test_a_tune_of_ones_own_is_put_right_in_closed_loop(tmp_path, capsys):
    path = tmp_path / "mine.json"
    own = {"regions": [{"error": -0.08, "rpm_low": 2500, "cylinder": "rear"}]}
    path.write_text(json.dumps(own), encoding="utf-8")
    options = ["--profile", "tc-103", "--scenario", str(path), "--max-iterations", "2", "--json"]
    main(["virtual-tune", *options])
    found = json.loads(capsys.readouterr().out)
    first, last = found["iterations"][0], found["iterations"][-1]
    assert first["true_ve_rmse_pct"] > 2.0
    assert last["true_ve_rmse_pct"] < 0.5 * first["true_ve_rmse_pct"]


# --- from a vehicle's record ---------------------------------------------------------------------


def profile_from(record: VehicleRecord):
    return profile_from_json(json.dumps(dict(draft_of(record).fields)))


def test_what_a_record_states_is_in_the_profile_and_the_rest_is_said_to_be_assumed():
    record = VehicleRecord(
        "Road King", displacement_cc=1750.0, cylinders=2, redline_rpm=5600.0, idle_rpm=850.0,
        gear_ratios=(9.3, 6.4, 4.8, 3.9), fuel="E85", tyre_circumference_m=2.1,
    )  # fmt: skip
    profile, assumed = profile_from(record), draft_of(record).assumed
    for name in ("displacement_cc", "cylinders", "redline_rpm", "idle_rpm", "gear_ratios", "fuel"):
        assert getattr(profile, name) == getattr(record, name)
        assert name not in assumed
    assert {"bore_mm", "peak_power_kw", "compression_ratio", "dyno_gear"} <= assumed
    assert (profile.name, profile.title) == ("road-king", "Road King")


@pytest.mark.parametrize(
    ("record", "base"),
    [
        (VehicleRecord("a"), "m8-114"),
        (VehicleRecord("b", displacement_cc=700.0, cylinders=4, redline_rpm=13000.0), "four-600"),
        (VehicleRecord("c", displacement_cc=2300.0, cylinders=4, boost_kpa=90.0), "turbo-four"),
        (VehicleRecord("d", displacement_cc=1200.0, cylinders=2, redline_rpm=5800.0), "tc-103"),
    ],
)
def test_a_record_becomes_an_engine_that_makes_what_it_says(record, base):
    assert closest_profile(record).name == base
    profile = profile_from(record)
    result = measure_pull(Rig(profile, weather=STD_WEATHER, standard="std_j607", noise=False))
    assert result.peak_power_kw == pytest.approx(profile.peak_power_kw, rel=0.02)
    assert result.peak_torque_nm == pytest.approx(profile.peak_torque_nm, rel=0.02)


def test_a_record_that_can_be_no_engine_is_refused_by_its_field():
    with pytest.raises(ProfileError) as refused:
        profile_from(VehicleRecord("Single", cylinders=1, displacement_cc=450.0))
    assert refused.value.field == "cylinders"


# --- weather -------------------------------------------------------------------------------------


@pytest.mark.parametrize("altitude_m", [50_000.0, 1e9, -5000.0, float("nan"), float("inf")])
def test_an_altitude_where_nobody_stands_is_refused_by_name(altitude_m):
    with pytest.raises(ValueError, match="altitude_m"):
        Weather.at_altitude(altitude_m)


@pytest.mark.parametrize("altitude_m", [-1000.0, 0.0, 5500.0])
def test_the_altitudes_taken_are_weather(altitude_m):
    assert 50.0 < Weather.at_altitude(altitude_m).baro_kpa < 115.0


@pytest.mark.parametrize("field", ["mean", "injector_flow", "spark_front_deg"])
def test_a_tune_that_is_not_a_number_is_refused_by_its_field(field):
    with pytest.raises(ScenarioError, match=field):
        replace(OWN, **{field: float("nan")})
