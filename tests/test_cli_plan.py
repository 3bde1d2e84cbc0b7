"""Planning from the command line: next pulls, learning from runs, forgetting and bringing back."""

import json
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import jsonschema
import pytest

from dynoai_desktop.cli import main
from dynoai_desktop.core.planning.coverage_file import load_coverage
from dynoai_desktop.core.planning.limits import PlanningLimits
from dynoai_desktop.core.planning.limits_file import save_limits
from dynoai_desktop.core.store.vehicle_folders import save_vehicle
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.resources import resource_path
from tests import tune_world

pytestmark = pytest.mark.timeout(90)

BIKE = VehicleRecord("Simulated twin", simulated=True, redline_rpm=5800.0, idle_rpm=900.0)
REAL = VehicleRecord("Road King", redline_rpm=5800.0, idle_rpm=900.0)


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sim") / "one pull.pcap"
    assert main(["simulate", "--out", str(path), "--pulls", "1", "--seed", "3"]) == 0
    return path


@pytest.fixture
def vehicles(data_dir) -> Path:
    folder = data_dir / "vehicles"
    for record in (BIKE, REAL):
        save_vehicle(folder, record)
    return folder


@pytest.fixture
def session(data_dir, recording) -> Path:
    folder = data_dir / "sessions" / "20260101T000000Z_simulated-twin"
    folder.mkdir(parents=True)
    shutil.copy(recording, folder / "raw.pcap")
    document = {
        "vehicle": BIKE.name,
        "simulated": True,
        "started_utc": "2026-01-01T00:00:00+00:00",
        "providers": [{"name": "Power Core SIMULATED"}],
    }
    (folder / "session.json").write_text(json.dumps(document))
    return folder


def run(capsys, data_dir, *arguments: object) -> tuple[int, dict]:
    code = main([*map(str, arguments), "--data-dir", str(data_dir), "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else {}


def refused(capsys, data_dir, *arguments: object) -> str:
    """Exit 2, nothing on stdout, and one sentence, which is returned."""
    assert main([*map(str, arguments), "--data-dir", str(data_dir)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert err.strip().endswith(".")
    return err


# plan


def test_a_plan_is_the_json_that_scripts_rely_on(vehicles, data_dir, capsys):
    code, found = run(capsys, data_dir, "plan", "--vehicle", REAL.name)
    assert code == 0
    assert {"steps", "gaps", "coverage_pct"} <= set(found)
    fields = {
        "name", "test_type", "rpm_range", "map_range", "priority", "expected_coverage_gain",
        "efficiency_score", "minutes", "evidence",
    }  # fmt: skip
    assert found["steps"]
    assert all(fields <= set(step) for step in found["steps"])
    assert found["coverage_pct"] == 0.0
    assert len(found["outlook"]) >= 4
    assert all(0.0 <= one["probability"] <= 1.0 for one in found["outlook"])


def test_a_plan_without_json_is_a_checklist(vehicles, data_dir, capsys):
    assert main(["plan", "--vehicle", REAL.name, "--data-dir", str(data_dir)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Road King\n")
    assert "[ ] 1. " in text
    assert "Close the throttle at:" in text
    assert "°F" not in text
    assert main(["plan", "--vehicle", REAL.name, "--us", "--data-dir", str(data_dir)]) == 0
    assert "°C" not in capsys.readouterr().out


def test_looking_at_a_plan_writes_nothing(vehicles, data_dir, capsys):
    before = sorted(data_dir.rglob("*"))
    run(capsys, data_dir, "plan", "--vehicle", REAL.name)
    assert sorted(data_dir.rglob("*")) == before


def test_limits_of_the_vehicle_hold_and_can_be_changed_for_one_plan(vehicles, data_dir, capsys):
    save_limits(vehicles / REAL.slug, PlanningLimits(max_rpm=4500.0))
    _, found = run(capsys, data_dir, "plan", "--vehicle", REAL.name)
    assert all(step["rpm_range"][1] <= 4500.0 for step in found["steps"])
    limits = ("--limits", "max_rpm=3800", "gears=3", "environment=inertia_dyno", "max_iat_c=45")
    _, found = run(capsys, data_dir, "plan", "--vehicle", REAL.name, *limits)
    assert all(step["rpm_range"][1] <= 3800.0 for step in found["steps"])
    assert {step["gear"] for step in found["steps"]} <= {3, None}
    assert {step["environment"] for step in found["steps"]} == {"dyno"}
    assert found["limits"]["max_iat_c"] == 45.0
    _, found = run(capsys, data_dir, "plan", "--vehicle", REAL.name)
    assert found["limits"]["max_rpm"] == 4500.0


def test_limits_that_leave_nothing_say_which_and_the_smallest_change(vehicles, data_dir, capsys):
    limits = ("--limits", "min_rpm=1200", "max_rpm=1300")
    code, found = run(capsys, data_dir, "plan", "--vehicle", REAL.name, *limits)
    assert code == 0
    assert found["steps"] == []
    assert found["message"]
    assert all(one["smallest_change"] for one in found["excluded"])


@pytest.mark.parametrize(
    "limit",
    ["max_rpm=fast", "max_rpm=500", "speed=3", "max_rpm", "gears=3,x", "environment=moon",
     "max_pulls_per_session=2.5", "max_rpm=nan", "max_iat_c=9000"],
)  # fmt: skip
def test_what_cannot_be_a_limit_is_one_sentence(vehicles, data_dir, capsys, limit):
    refused(capsys, data_dir, "plan", "--vehicle", REAL.name, "--limits", limit)


def test_a_name_with_path_characters_stays_inside_the_data_folder(data_dir, capsys):
    run(capsys, data_dir, "plan", "--vehicle", "../../etc/passwd")
    assert list(data_dir.parent.glob("etc*")) == []
    assert main(["plan", "--vehicle", "a/../../b", "--data-dir", str(data_dir), "--json"]) == 0


def test_a_damaged_memory_is_set_aside_and_said(vehicles, data_dir, capsys):
    (vehicles / REAL.slug / "coverage.json").write_text('{"schema_version": 99}')
    code, found = run(capsys, data_dir, "plan", "--vehicle", REAL.name)
    assert code == 0
    assert any("set-aside-1" in note for note in found["notes"])
    assert (vehicles / REAL.slug / "coverage.json.set-aside-1").is_file()


# feedback


def test_a_run_is_learned_from_once(vehicles, session, data_dir, capsys):
    where = ("feedback", session, "--vehicle", BIKE.name)
    code, first = run(capsys, data_dir, *where)
    assert code == 0
    assert first["run"] == session.name
    assert first["gain_pct"] > 0.0
    kept = (vehicles / BIKE.slug / "coverage.json").read_bytes()
    code, again = run(capsys, data_dir, *where)
    assert (code, again) == (0, first)
    assert (vehicles / BIKE.slug / "coverage.json").read_bytes() == kept
    _, found = run(capsys, data_dir, "plan", "--vehicle", BIKE.name)
    assert found["runs"] == [session.name]
    assert found["coverage_pct"] == pytest.approx(first["coverage_pct"], abs=1e-3)


def test_a_promise_is_compared_with_what_came_of_it(vehicles, session, data_dir, capsys):
    _, before = run(capsys, data_dir, "plan", "--vehicle", BIKE.name)
    step = before["steps"][0]
    where = ("feedback", session, "--vehicle", BIKE.name, "--step", step["key"])
    code, found = run(capsys, data_dir, *where)
    assert code == 0
    assert found["promised_pct"] == pytest.approx(step["expected_coverage_gain"], abs=1e-3)
    _, after = run(capsys, data_dir, "plan", "--vehicle", BIKE.name)
    assert len(after["predictions"]) == 1
    code, again = run(capsys, data_dir, *where)
    assert (code, again) == (0, found)


def test_the_tune_that_the_vehicle_states_is_the_one_it_was_driven_with(
    vehicles, session, data_dir, tmp_path, capsys
):
    tune = tmp_path / "stage1.pvv"
    tune.write_bytes(tune_world.pvv())
    stated = replace(BIKE, tune_path=str(tune))
    save_vehicle(vehicles, stated, BIKE.name)
    code, _ = run(capsys, data_dir, "feedback", session, "--vehicle", BIKE.name)
    assert code == 0
    coverage = load_coverage(vehicles / BIKE.slug, stated).coverage
    (driven,) = coverage.runs.values()
    assert driven.tune_sha256 == coverage.tune_sha256 == sha256(tune.read_bytes()).hexdigest()
    assert driven.rpm == coverage.rpm
    _, found = run(capsys, data_dir, "plan", "--vehicle", BIKE.name)
    assert not any("tune" in note for note in found["notes"])


def test_a_run_of_another_vehicle_is_refused(vehicles, session, data_dir, capsys):
    said = refused(capsys, data_dir, "feedback", session, "--vehicle", "Simulated four")
    assert "is of “Simulated twin”, not of “Simulated four”" in said
    assert not (vehicles / "simulated-four").exists()


def test_a_simulated_log_teaches_a_real_vehicle_nothing(vehicles, recording, data_dir, capsys):
    said = refused(capsys, data_dir, "feedback", recording, "--vehicle", REAL.name)
    assert "simulated" in said
    assert not (vehicles / REAL.slug / "coverage.json").exists()


@pytest.mark.parametrize(
    ("name", "content"), [("empty.csv", b""), ("cut.pcap", b"\xd4\xc3\xb2\xa1"), ("gone.csv", None)]
)
def test_a_run_that_cannot_be_read_is_one_sentence(
    vehicles, data_dir, tmp_path, capsys, name, content
):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    refused(capsys, data_dir, "feedback", path, "--vehicle", REAL.name)


def test_a_skipped_test_is_not_planned_and_a_kind_that_cannot_be_neither(
    vehicles, data_dir, capsys
):
    def plan() -> list[dict]:
        return run(capsys, data_dir, "plan", "--vehicle", REAL.name)[1]["steps"]

    first = plan()[0]
    said = ("feedback", "--vehicle", REAL.name, "--step", first["key"])
    code, found = run(capsys, data_dir, *said, "--skipped", "tyre slips")
    assert (code, found["run"]) == (0, None)
    assert first["key"] not in {step["key"] for step in plan()}
    run(capsys, data_dir, *said, "--not-possible")
    assert first["test_type"] not in {step["test_type"] for step in plan()}


@pytest.mark.parametrize(
    "more",
    [(), ("--skipped", "no time"), ("--step", "loop", "--skipped", "no time"),
     ("--step", "loop", "--not-possible")],
)  # fmt: skip
def test_feedback_says_what_it_misses(vehicles, data_dir, capsys, more):
    refused(capsys, data_dir, "feedback", "--vehicle", REAL.name, *more)


# reset


def test_what_was_learned_is_kept_beside_when_it_is_forgotten(vehicles, session, data_dir, capsys):
    run(capsys, data_dir, "feedback", session, "--vehicle", BIKE.name)
    code, found = run(capsys, data_dir, "reset", "--vehicle", BIKE.name)
    assert (code, found["runs"]) == (0, [])
    kept = vehicles / BIKE.slug / "coverage.before-reset-1.json"
    assert kept.is_file()
    assert any(kept.name in note for note in found["notes"])
    assert found["folder"] == str(vehicles / BIKE.slug)
    code, found = run(capsys, data_dir, "reset", "--vehicle", BIKE.name, "--restore")
    assert (code, found["runs"]) == (0, [session.name])
    assert "no reset" in refused(capsys, data_dir, "reset", "--vehicle", BIKE.name, "--restore")


# analyze


def test_an_analysis_says_what_to_test_next(vehicles, session, data_dir, capsys):
    code, found = run(capsys, data_dir, "analyze", session, "--vehicle", BIKE.name)
    assert code == 0
    tests = found["next_tests"]
    assert tests["priority_rationale"]
    assert tests["total_estimated_pulls"] >= 0
    assert tests["dyno_step_count"] + tests["street_step_count"] == len(tests["steps"])
    schema = json.loads(resource_path("schemas/dynoai.nextgen@1.json").read_text())
    jsonschema.validate(found, schema)
    # Nobody has asked to learn from it.
    assert not (vehicles / BIKE.slug / "coverage.json").exists()
    assert any((session / "analysis").iterdir())
