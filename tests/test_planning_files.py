"""coverage.json and constraints.json: crashes, second windows, old formats, hostile content."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.planning import coverage_file
from dynoai_desktop.core.planning.coverage import (
    Achieved,
    Answer,
    Coverage,
    CoverageError,
    Feedback,
    Observed,
    Prediction,
)
from dynoai_desktop.core.planning.coverage_document import from_document, to_document
from dynoai_desktop.core.planning.coverage_file import (
    load_coverage,
    reset_coverage,
    restore_last_reset,
    update_coverage,
)
from dynoai_desktop.core.planning.limits import Environment, PlanningLimits, default_limits
from dynoai_desktop.core.planning.limits_file import load_limits, save_limits
from dynoai_desktop.core.planning.regions import Transient
from dynoai_desktop.core.planning.steps import Movement, TestType
from dynoai_desktop.core.store.json_store import FolderLock, StoreError
from dynoai_desktop.core.store.vehicles import VehicleRecord
from tests.coverage_world import LOAD, RPM, make_coverage, make_run, tables

RECORD = VehicleRecord("Road King", redline_rpm=5800.0, idle_rpm=950.0, dyno_gear=4)
COVERAGE, LIMITS = "coverage.json", "constraints.json"


def rich_coverage() -> Coverage:
    """Return a coverage that has something in every field."""
    run = make_run(
        "session-1/2",
        events=(Movement(Transient.TIP_IN, 2400.0, (40.0, 95.5)),),
        tune_sha256="ab12",
        dyno_signature="rig",
        started="2026-11-22T01:00:00Z",
        note="first pull, “cold”",
        prediction=Prediction("wot_4", TestType.WOT_PULL, 11.5, 3.0, 24.0, 1e5),
        achieved=Achieved(1.5, 900, 20.0, 1, 61.5, 140.0, 32.0, None, 9.5, 8e4),
        observed=Observed(
            ((4, ((2500.0, 600.0), (4000.0, 450.0))),),
            ((3000.0, 97.0),),
            ((12.0, 2500.0, 45.0),),
            (38.0,),
            940.0,
            None,
        ),
    )
    other = make_run("session-1/3", 7, rpm=LOADED_RPM)
    said = Feedback(Answer.SKIPPED, "idle", TestType.IDLE, "too loud", "2026-11-22T01:05:00Z")
    coverage = make_coverage(run, other, dyno_signature="rig").answered(said)
    return coverage.on_tune("ab12", tables()).on_tune("cd34", tables({(1, 1): 81.5}))


LOADED_RPM = type(RPM).from_nodes(RPM.channel, RPM.unit, [800, 2500, 6000])


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "vehicles" / RECORD.slug


def merged(*runs):
    def change(coverage: Coverage) -> Coverage:
        coverage = coverage.on_axes(RPM, LOAD)
        for run in runs:
            coverage = coverage.merge(run)
        return coverage

    return change


# Coverage


def test_everything_that_is_remembered_comes_back_to_the_last_bit(folder):
    coverage = rich_coverage()
    update_coverage(folder, RECORD, lambda _: coverage)
    found = load_coverage(folder, RECORD)
    assert found.notes == ()
    assert to_document(found.coverage) == to_document(coverage)
    assert found.coverage.runs == coverage.runs
    assert found.coverage.feedback == coverage.feedback


def test_a_vehicle_without_a_file_knows_nothing_and_nothing_is_written(folder):
    found = load_coverage(folder, RECORD)
    assert (found.coverage.vehicle, dict(found.coverage.runs)) == ("road-king", {})
    assert not folder.exists()


def test_two_windows_keep_each_other_s_runs(folder):
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    # Both windows have read the file; each merges a run of its own and knows nothing of the other.
    update_coverage(folder, RECORD, merged(make_run("b", 2)))
    update_coverage(folder, RECORD, merged(make_run("c", 3)))
    assert set(load_coverage(folder, RECORD).coverage.runs) == {"a", "b", "c"}


def test_a_run_deleted_in_one_window_is_not_brought_back_by_the_other(folder):
    update_coverage(folder, RECORD, merged(make_run("a", 1), make_run("b", 2)))
    update_coverage(folder, RECORD, lambda coverage: coverage.remove("a"))
    update_coverage(folder, RECORD, merged(make_run("c", 3)))
    assert set(load_coverage(folder, RECORD).coverage.runs) == {"b", "c"}


def test_windows_that_write_at_the_same_moment_wait_for_each_other(folder):
    def merge(number: int) -> None:
        update_coverage(folder, RECORD, merged(make_run(f"run-{number}", number)))

    threads = [threading.Thread(target=merge, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(load_coverage(folder, RECORD).coverage.runs) == 6


def test_a_folder_that_stays_locked_is_said_and_nothing_is_lost(folder, monkeypatch):
    monkeypatch.setattr("dynoai_desktop.core.planning.vehicle_lock._TRIES", 2)
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    with FolderLock(folder), pytest.raises(StoreError, match="another window"):
        update_coverage(folder, RECORD, merged(make_run("b", 2)))
    assert set(load_coverage(folder, RECORD).coverage.runs) == {"a"}


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_crash_during_save_leaves_the_old_state(folder, monkeypatch, step):
    update_coverage(folder, RECORD, merged(make_run("a", 1)))

    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(step, crash)
        with pytest.raises(StoreError, match="room"):
            update_coverage(folder, RECORD, merged(make_run("b", 2)))
    found = load_coverage(folder, RECORD)
    assert set(found.coverage.runs) == {"a"}
    assert found.notes == ()


def test_a_refused_run_writes_nothing(folder):
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    before = (folder / COVERAGE).read_bytes()
    with pytest.raises(CoverageError):
        update_coverage(folder, RECORD, merged(make_run("b", vehicle="panhead")))
    assert (folder / COVERAGE).read_bytes() == before


def test_a_half_written_file_is_set_aside_and_the_last_good_state_is_used(folder):
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    update_coverage(folder, RECORD, merged(make_run("b", 2)))
    text = (folder / COVERAGE).read_text()
    (folder / COVERAGE).write_text(text[: len(text) // 2])
    found = load_coverage(folder, RECORD)
    assert set(found.coverage.runs) == {"a"}
    assert any("set-aside-1" in note for note in found.notes)
    assert (folder / f"{COVERAGE}.set-aside-1").read_text() == text[: len(text) // 2]


def test_a_file_of_a_newer_program_is_kept_and_said(folder):
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    document = json.loads((folder / COVERAGE).read_text())
    newer = json.dumps({**document, "schema_version": 99})
    (folder / COVERAGE).write_text(newer)
    found = load_coverage(folder, RECORD)
    assert not found.coverage.runs
    assert any("newer program" in note for note in found.notes)
    assert (folder / f"{COVERAGE}.set-aside-1").read_text() == newer


def test_information_that_contradicts_itself_is_not_believed(folder):
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    document = json.loads((folder / COVERAGE).read_text())
    part = document["runs"]["a"]["cylinders"]["front"]
    import base64

    values = np.frombuffer(base64.b64decode(part["information"]), "<f8").copy()
    values[1] *= -1e6  # a covariance no samples can have
    part["information"] = base64.b64encode(values.tobytes()).decode()
    (folder / COVERAGE).write_text(json.dumps(document))
    found = load_coverage(folder, RECORD)
    assert any("contradicts itself" in note for note in found.notes)
    assert (folder / f"{COVERAGE}.set-aside-1").exists()


OLD = {
    "vehicle_id": "FLHX 2021",
    "dyno_signature": "winpep8_250i",
    "total_runs": 2,
    "run_ids": ["r1", "r2"],
    "aggregated_hit_count": {"afr_error_front": [[0, 3], [12, 40]]},
    "created_at": "2024-05-01T10:00:00",
    "last_updated": "2024-05-02T10:00:00",
}


@pytest.mark.parametrize("version", [{}, {"schema_version": 0}])
def test_hits_of_the_old_program_are_kept_aside_and_not_guessed_onto_axes(folder, version):
    folder.mkdir(parents=True)
    (folder / COVERAGE).write_text(json.dumps({**OLD, **version}))
    found = load_coverage(folder, RECORD)
    assert found.coverage.dyno_signature == "winpep8_250i"
    assert found.coverage.unplaced == OLD
    assert not found.coverage.knowledge().hits[next(iter(found.coverage.cylinders()))].any()
    assert any("older program" in note for note in found.coverage.notes())
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    again = load_coverage(folder, RECORD)
    assert set(again.coverage.runs) == {"a"}
    assert again.coverage.unplaced == OLD


def test_a_vehicle_that_was_renamed_keeps_its_runs_and_says_so(folder):
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    other = replace(RECORD, name="Road King 114")
    found = load_coverage(folder, other)
    assert {run.vehicle for run in found.coverage.runs.values()} == {"road-king-114"}
    assert any("road-king" in note for note in found.notes)


def test_runs_of_a_rehearsal_never_become_those_of_a_real_vehicle(folder):
    rehearsal = replace(RECORD, simulated=True)
    update_coverage(folder, rehearsal, merged(make_run("a", 1, simulated=True)))
    found = load_coverage(folder, RECORD)
    assert not found.coverage.runs
    assert any("simulated runs" in note for note in found.notes)


def test_a_reset_can_be_taken_back_and_loses_nothing_driven_since(folder):
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    fresh = reset_coverage(folder, RECORD)
    assert not fresh.coverage.runs
    assert (fresh.coverage.rpm, fresh.coverage.load) == (RPM, LOAD)
    assert any("coverage.before-reset-1.json" in note for note in fresh.notes)
    update_coverage(folder, RECORD, merged(make_run("b", 2)))
    assert set(restore_last_reset(folder, RECORD).coverage.runs) == {"a", "b"}
    assert set(load_coverage(folder, RECORD).coverage.runs) == {"a", "b"}


def test_resets_are_taken_back_one_by_one_the_last_first(folder):
    for name in ("a", "b"):
        update_coverage(folder, RECORD, merged(make_run(name, 1)))
        reset_coverage(folder, RECORD)
    assert set(restore_last_reset(folder, RECORD).coverage.runs) == {"b"}
    assert set(restore_last_reset(folder, RECORD).coverage.runs) == {"a", "b"}
    with pytest.raises(StoreError, match="no reset"):
        restore_last_reset(folder, RECORD)


def test_a_reset_of_nothing_leaves_no_file_behind(folder):
    reset_coverage(folder, RECORD)
    assert not list(folder.glob("*.json"))


def test_coverage_that_would_not_fit_is_refused_before_it_is_lost(folder, monkeypatch):
    update_coverage(folder, RECORD, merged(make_run("a", 1)))
    monkeypatch.setattr(coverage_file, "_FULL_BYTES", 1000)
    with pytest.raises(StoreError, match="Remove old runs"):
        update_coverage(folder, RECORD, merged(make_run("b", 2)))
    assert set(load_coverage(folder, RECORD).coverage.runs) == {"a"}


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)


def mangled(value: object, path: list[int], odd: object) -> object:
    """Return a document with something odd at the end of a path of choices."""
    if isinstance(value, dict) and value and path:
        key = sorted(value)[path[0] % len(value)]
        return {**value, key: mangled(value[key], path[1:], odd)}
    if isinstance(value, list) and value and path:
        at = path[0] % len(value)
        return [*value[:at], mangled(value[at], path[1:], odd), *value[at + 1 :]]
    return odd


@given(st.lists(st.integers(0, 50), max_size=9), ODD)
@settings(max_examples=250, deadline=None)
def test_hostile_content_is_refused_with_its_reason_or_read_as_something_sound(path, odd):
    document = json.loads(json.dumps(to_document(rich_coverage())))
    broken = mangled(document, path, odd)
    if not isinstance(broken, dict):
        return
    try:
        coverage = from_document(broken)
    except ValueError as error:
        assert str(error)
        return
    knowledge = coverage.knowledge()
    for cylinder in knowledge.information:
        assert np.isfinite(knowledge.half_interval(cylinder)).all()
    assert from_document(to_document(coverage)).runs == coverage.runs


@given(st.binary(max_size=200))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_file_of_any_bytes_is_set_aside_and_work_goes_on(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("vehicle")
    (folder / COVERAGE).write_bytes(data)
    (folder / LIMITS).write_bytes(data)
    assert not update_coverage(folder, RECORD, merged()).coverage.runs
    assert load_limits(folder, RECORD).limits == default_limits(RECORD)
    assert (folder / f"{COVERAGE}.set-aside-1").read_bytes() == data
    assert (folder / f"{LIMITS}.set-aside-1").read_bytes() == data


# Limits


def test_limits_come_back_as_they_were_set(folder):
    limits = PlanningLimits(
        max_rpm=5200.0, environment=Environment.INERTIA_DYNO, max_iat_c=50.0, gears=(3, 4)
    )
    save_limits(folder, limits)
    found = load_limits(folder, RECORD)
    assert (found.limits, found.stated, found.notes) == (limits, True, ())


def test_without_a_file_the_record_sets_the_limits(folder):
    found = load_limits(folder, RECORD)
    assert (found.limits, found.stated) == (default_limits(RECORD), False)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("min_rpm", 9000.0),
        ("max_rpm", "fast"),
        ("max_map_kpa", -5),
        ("max_pulls_per_session", 2.5),
        ("environment", "moon"),
        ("gears", [0]),
        ("gears", "4"),
        ("max_iat_c", True),
    ],
)
def test_limits_that_cannot_be_are_set_aside_naming_the_field(folder, field, value):
    save_limits(folder, PlanningLimits())
    document = json.loads((folder / LIMITS).read_text())
    text = json.dumps({**document, field: value})
    (folder / LIMITS).write_text(text)
    found = load_limits(folder, RECORD)
    assert any(field in note for note in found.notes)
    assert (folder / f"{LIMITS}.set-aside-1").read_text() == text


def test_a_vehicle_name_with_path_characters_stays_in_its_folder(tmp_path):
    record = VehicleRecord("../../etc/passwd")
    folder = tmp_path / "vehicles" / record.slug
    update_coverage(folder, record, merged(make_run("a", vehicle=record.slug)))
    assert [p.name for p in tmp_path.iterdir()] == ["vehicles"]
    assert (tmp_path / "vehicles" / "etc-passwd" / COVERAGE).exists()
