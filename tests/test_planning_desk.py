"""The planner between window and disk: real runs, real files, a window that waits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from dynoai_desktop import cli
from dynoai_desktop.capture import files
from dynoai_desktop.capture.frames import frame_of_recording
from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.live.runs import Run
from dynoai_desktop.core.planning.coverage_file import load_coverage
from dynoai_desktop.core.planning.limits import PlanningLimits
from dynoai_desktop.core.store.vehicle_folders import save_vehicle
from dynoai_desktop.core.store.vehicles import NO_VEHICLE, VehicleRecord
from dynoai_desktop.desks.analysis_desk import AnalysisDesk
from dynoai_desktop.desks.planning_desk import CHECKLIST_NAME, PlanningDesk
from dynoai_desktop.desks.planning_work import Origin, taught
from dynoai_desktop.desks.tune_bench import read_tune_file
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.messages import RecordingState, SourceKind, SourceState
from dynoai_desktop.ui.plan_state import PlanState, StepWish, Verdict
from tests import tune_world, ui_world

pytestmark = [pytest.mark.timeout(90), pytest.mark.qt_log_ignore("propagateSizeHints")]
LONG = 30_000

BIKE = VehicleRecord("Simulated twin", simulated=True, redline_rpm=5800.0, idle_rpm=900.0)
REAL = VehicleRecord("Road King", redline_rpm=5800.0, idle_rpm=900.0)


@dataclass
class Bench:
    """A window with its desk and a folder to work in."""

    window: MainWindow
    desk: PlanningDesk
    data_dir: Path

    @property
    def plan(self) -> PlanState:
        return self.window.state.plan

    @property
    def notice(self) -> str:
        return "" if self.window.state.notice is None else self.window.state.notice.text

    def folder(self, record: VehicleRecord = BIKE) -> Path:
        return self.data_dir / "vehicles" / record.slug

    def remembered(self, record: VehicleRecord = BIKE):
        return load_coverage(self.folder(record), record).coverage


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated dyno, one pull and a little driving."""
    path = tmp_path_factory.mktemp("simulated") / "pulls.pcap"
    assert cli.main(["simulate", "--out", str(path), "--pulls", "1", "--seed", "5"]) == 0
    return path


@pytest.fixture(scope="module")
def payload(recording: Path) -> Payload:
    """The recording, analysed once."""
    return analyse(frame_of_recording(recording))


@pytest.fixture
def bench(qtbot, tmp_path: Path) -> Iterator[Bench]:
    window = MainWindow(tmp_path / "settings.ini", "1.2.3", "notices")
    qtbot.addWidget(window)
    desk = PlanningDesk(window)
    yield Bench(window, desk, tmp_path)
    desk.close()


@pytest.fixture
def planned(qtbot, bench: Bench) -> Bench:
    """The bench with a plan for a vehicle nobody has driven."""
    save_vehicle(bench.data_dir / "vehicles", BIKE)
    use(qtbot, bench, BIKE)
    return bench


@pytest.fixture
def learned(qtbot, planned: Bench, recording: Path, payload: Payload) -> Bench:
    """The bench after one run."""
    planned.desk.take_analysis(recording, payload, ())
    settle(qtbot, planned)
    assert planned.plan.runs == 1
    return planned


def settle(qtbot, bench: Bench) -> None:
    qtbot.waitUntil(lambda: not bench.desk.is_busy, timeout=LONG)


def use(qtbot, bench: Bench, record: VehicleRecord) -> None:
    bench.desk.set_vehicle(bench.folder(record), record)
    settle(qtbot, bench)


def session(bench: Bench, recording: Path, vehicle: str, name: str = "20260101T000000Z_x") -> Path:
    folder = bench.data_dir / "sessions" / name
    folder.mkdir(parents=True)
    shutil.copy(recording, folder / "raw.pcap")
    document = {"vehicle": vehicle, "simulated": True, "started_utc": "2026-01-01T00:00:00+00:00"}
    (folder / "session.json").write_text(json.dumps(document))
    return folder


# The plan


def test_a_vehicle_brings_its_plan_and_the_next_pull_to_the_foot_of_the_window(planned):
    assert planned.plan.vehicle == BIKE.name
    assert planned.plan.assumed
    step = planned.plan.plan.steps[0]
    assert planned.window.footer.next.text().startswith("Next: ")
    assert step.name.split(",")[0] in planned.window.footer.next.text()
    assert planned.plan.outlook is not None
    assert planned.plan.outlook.pulls_left == PlanningLimits().max_pulls_per_session


def test_without_a_vehicle_nothing_is_planned(qtbot, planned):
    use(qtbot, planned, NO_VEHICLE)
    assert planned.plan == PlanState()
    assert planned.window.state.next_step == ""


def test_the_plan_of_the_vehicle_before_never_shows_as_the_new_ones(qtbot, planned):
    shown = []
    planned.window.plan_limits_changed.emit(planned.plan.limits)  # a plan is under way
    planned.desk.set_vehicle(planned.folder(REAL), REAL)
    while planned.desk.is_busy:
        qtbot.wait(5)
        shown.append(planned.plan)
    assert shown[-1].vehicle == REAL.name
    assert shown[-1].plan is not None
    assert {state.vehicle for state in shown} == {REAL.name}


# Learning


def test_the_same_run_counts_once(qtbot, learned, recording, payload):
    before = learned.remembered()
    learned.desk.take_analysis(recording, payload, ())
    settle(qtbot, learned)
    assert learned.remembered().runs == before.runs


def test_a_log_opened_by_mistake_is_taken_back(qtbot, learned):
    learned.window.plan_take_back_requested.emit()
    settle(qtbot, learned)
    assert learned.plan.runs == 0
    assert "forgotten" in learned.plan.message


def test_a_run_of_another_vehicle_is_refused_and_nothing_is_lost(qtbot, learned, recording):
    before = learned.remembered()
    learned.desk.take_recording(session(learned, recording, "Simulated four"))
    settle(qtbot, learned)
    assert "is of “Simulated four”, not of “Simulated twin”" in learned.plan.message
    assert learned.notice == learned.plan.message
    assert learned.remembered().runs == before.runs
    assert learned.plan.plan is not None


def test_a_simulated_run_teaches_a_real_vehicle_nothing(qtbot, bench, recording, payload):
    use(qtbot, bench, REAL)
    bench.desk.take_analysis(recording, payload, ())
    settle(qtbot, bench)
    assert "simulated" in bench.plan.message
    assert bench.plan.runs == 0
    assert not (bench.folder(REAL) / "coverage.json").exists()


def pull(number: int = 1) -> Run:
    return Run(number, RunKind.PULL, 100.0, 108.0, True, 2000.0, 5600.0)


def hear(bench: Bench, *runs: Run) -> None:
    bench.window.live_model.take_snapshot(replace(ui_world.snapshot(), runs=runs))


def test_a_pull_nobody_recorded_says_that_it_taught_nothing(planned):
    planned.window.set_source_state(SourceState(SourceKind.LIVE, "127.0.0.1"))
    hear(planned, pull())
    assert "Pull 1 was not recorded" in planned.plan.message


def test_a_pull_of_a_replay_is_nobodys_business(planned):
    planned.window.set_source_state(SourceState(SourceKind.REPLAY, path=Path("x.pcap")))
    hear(planned, pull())
    assert planned.plan.message == ""


def test_every_recorded_pull_is_learned_from_while_the_recording_goes_on(qtbot, planned, recording):
    folder = session(planned, recording, BIKE.name)
    planned.window.set_source_state(SourceState(SourceKind.LIVE, "127.0.0.1"))
    planned.window.set_recording(RecordingState(active=True, folder=folder))
    before = planned.plan.plan.coverage_pct
    hear(planned, pull())
    qtbot.waitUntil(lambda: planned.plan.runs == 1, timeout=LONG)
    assert planned.plan.plan.coverage_pct > before
    assert f"{folder.name} was learned from" in planned.plan.message
    planned.window.set_recording(RecordingState())
    planned.desk.take_recording(folder)
    assert planned.plan.thinking
    settle(qtbot, planned)
    assert list(planned.remembered().runs) == [folder.name]


def test_what_was_said_to_be_done_is_compared_with_its_promise(qtbot, planned, recording):
    folder = session(planned, recording, BIKE.name)
    step = planned.plan.plan.steps[0]
    planned.window.set_recording(RecordingState(active=True, folder=folder))
    planned.window.plan_said.emit(StepWish(step.key, Verdict.DONE))
    settle(qtbot, planned)
    planned.window.set_recording(RecordingState())
    planned.desk.take_recording(folder)
    settle(qtbot, planned)
    (run,) = planned.remembered().runs.values()
    assert run.prediction is not None
    assert run.prediction.step_key == step.key
    assert run.achieved.gain_pct is not None
    (row,) = planned.plan.track
    assert row.promised_pct == pytest.approx(step.expected_coverage_gain)


# What the tuner says


def test_a_skipped_test_is_not_planned_today_and_can_be_taken_back(qtbot, planned):
    step = planned.plan.plan.steps[0]
    planned.window.plan_said.emit(StepWish(step.key, Verdict.SKIPPED, "grip"))
    settle(qtbot, planned)
    assert step.key not in {one.key for one in planned.plan.plan.steps}
    assert [(a.step, a.reason) for a in planned.plan.answers] == [(step.key, "grip")]
    planned.window.plan_take_back_requested.emit()
    settle(qtbot, planned)
    assert step.key in {one.key for one in planned.plan.plan.steps}


def test_what_is_not_possible_here_takes_its_whole_kind_away(qtbot, planned):
    step = planned.plan.plan.steps[0]
    planned.window.plan_said.emit(StepWish(step.key, Verdict.NOT_POSSIBLE))
    settle(qtbot, planned)
    assert step.test_type not in {one.test_type for one in planned.plan.plan.steps}


def test_done_without_a_recording_says_that_the_plan_stays(qtbot, planned):
    step = planned.plan.plan.steps[0]
    planned.window.plan_said.emit(StepWish(step.key, Verdict.DONE))
    settle(qtbot, planned)
    assert "not recorded" in planned.plan.message
    assert planned.plan.plan.steps[0].key == step.key


def test_limits_are_kept_with_their_vehicle(qtbot, planned):
    limits = replace(planned.plan.limits, max_rpm=4000.0)
    planned.window.plan_limits_changed.emit(limits)
    settle(qtbot, planned)
    assert all(step.rpm_range[1] <= 4000.0 for step in planned.plan.plan.steps)
    use(qtbot, planned, REAL)
    assert planned.plan.limits.max_rpm > 4000.0
    use(qtbot, planned, BIKE)
    assert planned.plan.limits.max_rpm == 4000.0
    planned.window.plan_limits_reset_requested.emit()
    settle(qtbot, planned)
    assert planned.plan.limits.max_rpm > 4000.0


def test_limits_that_leave_nothing_say_the_smallest_change(qtbot, planned):
    limits = replace(planned.plan.limits, min_rpm=1200.0, max_rpm=1300.0)
    planned.window.plan_limits_changed.emit(limits)
    settle(qtbot, planned)
    assert planned.plan.plan.steps == ()
    planned.window.show_page("plan")
    note = planned.window.panel("plan").note
    assert "leave nothing" in note.title.text()
    assert "Raise the highest rpm to" in note.text.text()
    assert planned.window.state.next_step == ""


def test_what_is_forgotten_can_be_brought_back(qtbot, learned):
    assert not learned.plan.can_restore
    learned.window.plan_reset_requested.emit()
    settle(qtbot, learned)
    assert learned.plan.runs == 0
    assert learned.plan.can_restore
    assert "coverage.before-reset-1.json" in learned.notice
    learned.window.plan_restore_requested.emit()
    settle(qtbot, learned)
    assert learned.plan.runs == 1


def test_the_checklist_is_written_beside_what_is_kept_of_the_vehicle(qtbot, planned):
    planned.window.plan_export_requested.emit()
    text = (planned.folder() / CHECKLIST_NAME).read_text(encoding="utf-8")
    assert text.startswith("Simulated twin SIMULATED\n")
    assert f"[ ] 1. {planned.plan.plan.steps[0].name}" in text
    assert str(planned.folder() / CHECKLIST_NAME) in planned.plan.message


# The disk


def test_a_file_that_cannot_be_read_is_set_aside_and_said(qtbot, bench):
    bench.folder().mkdir(parents=True)
    (bench.folder() / "coverage.json").write_text("{ not json")
    use(qtbot, bench, BIKE)
    assert "coverage.json.set-aside-1" in bench.notice
    assert (bench.folder() / "coverage.json.set-aside-1").is_file()
    assert bench.plan.plan is not None


def richer_front(r: int, c: int) -> str:
    """The VE table of the front cylinder with one cell changed."""
    usual = 60 + 5 * min(r, 4) + 3 * min(c, 3) + 0.25
    return f"{usual * (1.05 if (r, c) == (3, 3) else 1.0):.2f}"


@pytest.mark.parametrize("named", [True, False])
def test_a_tune_in_force_voids_only_what_it_touched(
    qtbot, planned, recording, payload, tmp_path, named
):
    """Whether the tune was on the bench when the log was analysed, or is named afterwards."""
    base, edited = tmp_path / "base.pvv", tmp_path / "edited.pvv"
    base.write_bytes(tune_world.pvv())
    edited.write_bytes(tune_world.pvv(front=richer_front))
    on_the_bench = (read_tune_file(base),) if named else ()
    planned.desk.take_analysis(recording, payload, on_the_bench)
    planned.desk.set_tune((base,))
    settle(qtbot, planned)
    known = planned.remembered().knowledge().information
    planned.desk.set_tune((edited,))
    settle(qtbot, planned)
    now = planned.remembered().knowledge().information
    assert np.array_equal(now[Cylinder.REAR], known[Cylinder.REAR])
    assert 0.0 < np.trace(now[Cylinder.FRONT]) < np.trace(known[Cylinder.FRONT])
    planned.desk.set_tune((base,))
    settle(qtbot, planned)
    again = planned.remembered().knowledge().information
    assert np.array_equal(again[Cylinder.FRONT], known[Cylinder.FRONT])


def test_the_window_says_which_tune_the_vehicle_runs_on(
    qtbot, bench, recording, payload, monkeypatch
):
    """Chosen, corrected and taken back: the planner hears of all three."""
    monkeypatch.setattr(files, "read_frame", lambda _path, *_told: payload.evidence.frame)
    desk = AnalysisDesk(bench.window, bench.folder(), BIKE.name)
    said = ui_world.heard(desk.tune_put_in_force)
    analysed = ui_world.heard(desk.analysed)
    base, copy = bench.data_dir / "stage1.pvv", bench.data_dir / "stage2.pvv"
    base.write_bytes(tune_world.pvv())

    def ask(wish: str, *arguments: object) -> None:
        getattr(bench.window, wish).emit(*arguments)
        qtbot.waitUntil(
            lambda: not (bench.window.state.analysis.running or bench.window.state.tune.busy),
            timeout=LONG,
        )

    try:
        ask("analyse_requested", recording)
        ask("tune_chosen", base)
        qtbot.waitUntil(lambda: bool(bench.window.state.tune.plans), timeout=LONG)
        ask("tune_apply_requested", copy, bench.window.state.tune.terms)
        ask("tune_undo_requested")
    finally:
        desk.close()
    assert said == [(base,), (copy,), (base,)]
    assert analysed[0] == recording


def test_a_log_that_ends_within_a_pull_is_learned_from(payload):
    """The dyno is switched off, the recording is cut: what was driven before still counts."""
    whole = payload.evidence.frame
    pull = next(run for run in payload.evidence.runs if run.kind is RunKind.PULL)
    kept = whole.time_s < pull.start_s + 0.7 * (pull.end_s - pull.start_s)
    columns = {channel: column[kept] for channel, column in whole.columns.items()}
    cut = Frame.from_columns(whole.time_s[kept], columns, simulated=True)
    assert taught(analyse(cut), Origin("cut"), BIKE, "").achieved.accepted > 0
