"""Analysis and tune as the desk does them: real files, a pool thread, a window that waits."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynoai_desktop import cli
from dynoai_desktop.capture import files
from dynoai_desktop.capture.frames import frame_of_recording
from dynoai_desktop.core.analysis.archive import FOLDER, NAME
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.plan import Terms
from dynoai_desktop.desks.analysis_desk import KEPT_AS, AnalysisDesk
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.messages import RecordingState
from tests import tune_world

pytestmark = [pytest.mark.timeout(90), pytest.mark.qt_log_ignore("propagateSizeHints")]
LONG = 30_000


@dataclass
class Bench:
    """A window with its desk and a folder to work in."""

    qtbot: Any
    window: MainWindow
    desk: AnalysisDesk
    folder: Path

    @property
    def analysis(self):
        return self.window.state.analysis

    @property
    def tune(self):
        return self.window.state.tune

    def ask(self, wish: str, *what: object) -> None:
        """Ask for something as a page does, and wait for the answer."""
        getattr(self.window, wish).emit(*what)
        settle(self.qtbot, self)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated dyno, one pull and a little driving."""
    path = tmp_path_factory.mktemp("simulated") / "pulls.pcap"
    assert cli.main(["simulate", "--out", str(path), "--pulls", "1", "--seed", "5"]) == 0
    return path


@pytest.fixture
def bench(qtbot, tmp_path: Path) -> Iterator[Bench]:
    window = MainWindow(tmp_path / "settings.ini", "1.2.3", "notices")
    qtbot.addWidget(window)
    desk = AnalysisDesk(window, tmp_path / "vehicles" / "simulated-bike", "Simulated bike")
    yield Bench(qtbot, window, desk, tmp_path)
    desk.close()


@pytest.fixture(scope="module")
def frame(recording: Path) -> Frame:
    """What is in the recording, read once."""
    return frame_of_recording(recording)


@pytest.fixture
def analysed(qtbot, bench: Bench, recording: Path, frame: Frame, monkeypatch) -> Bench:
    """The bench with the recording analysed; reading it has a test of its own."""
    read = files.read_frame
    monkeypatch.setattr(
        files, "read_frame", lambda path, *told: frame if path == recording else read(path, *told)
    )
    analyse(qtbot, bench, recording)
    assert bench.analysis.payload is not None
    return bench


def analyse(qtbot, bench: Bench, path: Path) -> None:
    bench.window.analyse_requested.emit(path)
    settle(qtbot, bench)


def settle(qtbot, bench: Bench) -> None:
    qtbot.waitUntil(lambda: not (bench.analysis.running or bench.tune.busy), timeout=LONG)


def tune_file(bench: Bench) -> Path:
    path = bench.folder / "stage1.pvv"
    path.write_bytes(tune_world.pvv())
    return path


def test_a_session_is_analysed_and_keeps_what_was_found(qtbot, bench, recording) -> None:
    session = bench.folder / "20260101T000000Z_bike"
    session.mkdir()
    shutil.copy(recording, session / "raw.pcap")
    (session / "session.json").write_text("{}")
    seen = []
    bench.desk.progressed.connect(lambda _n, share, words: seen.append((share, words)))
    analyse(qtbot, bench, session)
    assert bench.analysis.saved == session / "analysis" / NAME
    document = json.loads(bench.analysis.saved.read_text())
    assert document["schema_version"] == "dynoai.nextgen@1"
    assert document["run_id"] == session.name
    assert document["simulated"] is True
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert "Reading the log" in {words for _, words in seen}


def test_a_file_from_elsewhere_leaves_nothing_beside_it(analysed, recording) -> None:
    assert analysed.analysis.saved is None
    assert [path.name for path in recording.parent.iterdir()] == [recording.name]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("header.csv", b"Time (s),RPM,MAP (kPa)\n"),
        ("letter.txt", b"Dear dyno,\nplease find attached nothing.\n"),
        ("cut.pcap", b"\xd4\xc3\xb2\xa1"),
        ("no_load.csv", b"Time (s),RPM\n" + b"".join(b"%d,2000\n" % i for i in range(50))),
    ],
)
def test_what_cannot_be_analysed_is_said_in_a_sentence(qtbot, bench, name, content) -> None:
    path = bench.folder / name
    path.write_bytes(content)
    analyse(qtbot, bench, path)
    assert bench.analysis.failed
    assert bench.analysis.payload is None
    assert bench.analysis.message.endswith(".")
    assert "Traceback" not in bench.analysis.message


def test_a_missing_file_is_said_in_a_sentence(qtbot, bench) -> None:
    analyse(qtbot, bench, bench.folder / "gone.csv")
    assert bench.analysis.failed
    assert "gone.csv" in bench.analysis.message


def test_a_cancelled_analysis_leaves_the_one_before(qtbot, analysed, recording) -> None:
    before = analysed.analysis.payload
    analysed.window.analyse_requested.emit(recording)
    assert analysed.analysis.running
    analysed.window.analysis_cancelled.emit()
    settle(qtbot, analysed)
    assert analysed.analysis.payload is before
    assert not analysed.analysis.failed
    assert "stopped" in analysed.analysis.message


def test_another_log_that_fails_takes_the_old_result_away(qtbot, analysed) -> None:
    path = analysed.folder / "empty.csv"
    path.write_bytes(b"")
    analyse(qtbot, analysed, path)
    assert analysed.analysis.payload is None
    assert analysed.tune.plans == ()


def test_the_last_of_two_logs_is_the_one_that_is_shown(qtbot, bench, recording) -> None:
    letter = bench.folder / "letter.txt"
    letter.write_text("no log")
    bench.window.analyse_requested.emit(letter)
    bench.window.analyse_requested.emit(recording)
    settle(qtbot, bench)
    assert bench.analysis.path == recording
    assert bench.analysis.payload is not None


def test_nothing_is_analysed_during_a_recording(bench, recording) -> None:
    bench.window.set_recording(RecordingState(active=True))
    bench.window.analyse_requested.emit(recording)
    assert not bench.analysis.running
    assert "recording" in bench.window.state.notice.text


def test_a_tune_is_previewed_on_its_own_axes_before_anything_is_written(qtbot, analysed) -> None:
    path = tune_file(analysed)
    analysed.ask("tune_chosen", path)
    axes = read_tune(path.read_bytes()).ve_tables()[Cylinder.FRONT].axes
    fit = analysed.analysis.payload.evidence.fits[Cylinder.FRONT]
    assert (fit.correction.rpm.nodes, fit.correction.load.nodes) == (axes[0].nodes, axes[1].nodes)
    (plan,) = analysed.tune.plans
    assert set(plan.tables) == {Cylinder.FRONT, Cylinder.REAR}
    before, after, change = plan.grids(Cylinder.FRONT)
    assert np.isfinite(change.values).any()
    assert np.array_equal(after.values - before.values, change.values, equal_nan=True)
    assert [file.name for file in analysed.folder.glob("*.pvv")] == [path.name]
    assert not (analysed.folder / "vehicles").exists()


@pytest.fixture
def previewed(qtbot, bench: Bench, recording: Path, frame: Frame, monkeypatch) -> Bench:
    """The bench with the recording analysed on a tune, and the tune previewed."""
    monkeypatch.setattr(files, "read_frame", lambda *_: frame)
    bench.ask("tune_chosen", tune_file(bench))
    analyse(qtbot, bench, recording)
    assert bench.tune.plans
    return bench


def test_what_was_previewed_is_what_is_written_and_undo_gives_the_bytes_back(previewed) -> None:
    base, copy = previewed.folder / "stage1.pvv", previewed.folder / "stage2.pvv"
    (plan,) = previewed.tune.plans
    previewed.ask("tune_apply_requested", copy, previewed.tune.terms)
    assert previewed.tune.written
    assert copy.read_bytes() == plan.output != base.read_bytes()
    assert base.read_bytes() == tune_world.pvv()
    (step,) = previewed.tune.steps
    assert step.difference.cells
    previewed.ask("tune_undo_requested")
    assert copy.read_bytes() == tune_world.pvv()
    assert [step.taken_back for step in previewed.tune.steps] == [True, False]
    assert not previewed.tune.can_undo


def test_what_was_not_previewed_is_not_written(previewed) -> None:
    copy = previewed.folder / "stage2.pvv"
    previewed.ask("tune_apply_requested", copy, Terms(0.15))
    locked = frozenset({(Cylinder.FRONT, 1, 1)})
    previewed.ask("tune_apply_requested", copy, Terms(locked=locked))
    assert previewed.tune.failed
    assert not copy.exists()


def test_a_tune_that_changed_since_the_preview_is_not_written(previewed) -> None:
    base, copy = previewed.folder / "stage1.pvv", previewed.folder / "stage2.pvv"
    base.write_bytes(base.read_bytes().replace(b"Idle", b"idle"))
    previewed.ask("tune_apply_requested", copy, previewed.tune.terms)
    assert "changed" in previewed.tune.message
    assert not copy.exists()


def test_the_original_is_never_written(previewed) -> None:
    base = previewed.folder / "stage1.pvv"
    previewed.ask("tune_apply_requested", base, previewed.tune.terms)
    assert previewed.tune.failed
    assert base.read_bytes() == tune_world.pvv()


def test_a_locked_cell_stays_and_says_why(previewed) -> None:
    (plan,) = previewed.tune.plans
    cell = next(cell for cell in plan.cells if cell.after != cell.before)
    locked = frozenset({(cell.cylinder, *cell.node)})
    previewed.ask("tune_preview_requested", Terms(locked=locked))
    (plan,) = previewed.tune.plans
    blocked = {(c.cylinder, *c.node): why for c, why in plan.blocked()}
    assert "locked" in blocked[cell.cylinder, *cell.node]


def test_a_smaller_limit_makes_smaller_steps(previewed) -> None:
    previewed.ask("tune_preview_requested", Terms(0.02))
    (plan,) = previewed.tune.plans
    steps = [abs(c.after / c.before - 1) for c in plan.cells if c.before]
    assert 0.0 < max(steps) <= 0.02 + 1e-6


def test_the_same_correction_is_not_applied_twice(qtbot, previewed, recording) -> None:
    copy = previewed.folder / "stage2.pvv"
    previewed.ask("tune_apply_requested", copy, previewed.tune.terms)
    again = previewed.folder / "stage3.pvv"
    previewed.ask("tune_apply_requested", again, previewed.tune.terms)
    analyse(qtbot, previewed, recording)
    assert "already" in previewed.tune.message
    assert not again.exists()


def test_a_tune_chosen_first_waits_for_its_log(qtbot, bench, recording) -> None:
    bench.ask("tune_chosen", tune_file(bench))
    assert not bench.tune.plans
    analyse(qtbot, bench, recording)
    assert bench.tune.plans


def test_a_file_that_is_no_tune_is_refused_and_the_log_stays(analysed) -> None:
    path = analysed.folder / "photo.pvv"
    path.write_bytes(b"\x89PNG")
    analysed.ask("tune_chosen", path)
    assert analysed.tune.failed
    assert analysed.tune.paths == ()
    assert analysed.analysis.payload is not None


def test_two_single_tables_are_changed_together_or_not_at_all(qtbot, analysed) -> None:
    from dynoai_desktop.core.tune.matrix_csv import write

    tables = read_tune(tune_world.pvv()).ve_tables()
    front, rear = (analysed.folder / f"ve_{side}.csv" for side in ("front", "rear"))
    front.write_bytes(write(tables[Cylinder.FRONT].grid()))
    rear.write_bytes(write(tables[Cylinder.REAR].grid()))
    analysed.ask("tune_chosen", front)
    assert analysed.tune.failed  # the rear would be left behind
    analysed.ask("tune_chosen", rear)
    assert len(analysed.tune.plans) == 2
    copy = analysed.folder / "new.csv"
    analysed.ask("tune_apply_requested", copy, analysed.tune.terms)
    written = {path.name for path in analysed.folder.glob("new*.csv")}
    assert written == {"new_front.csv", "new_rear.csv"}


def test_the_analysis_is_made_on_the_tunes_own_tables(previewed) -> None:
    present = read_tune(tune_world.pvv()).ve_tables()[Cylinder.FRONT].grid()
    told = previewed.analysis.payload.settings.ve.tables
    np.testing.assert_array_equal(told[Cylinder.FRONT].values, present.values)
    assert set(told) == set(Cylinder)


def test_the_next_pass_knows_what_this_session_has_changed(previewed) -> None:
    copy = previewed.folder / "stage2.pvv"
    previewed.ask("tune_apply_requested", copy, previewed.tune.terms)
    (plan,) = previewed.tune.plans
    previewed.ask("tune_chosen", copy)
    before, after, _ = plan.grids(Cylinder.FRONT)
    applied = previewed.analysis.payload.settings.ve.applied[Cylinder.FRONT]
    np.testing.assert_allclose(applied.values, after.values / before.values)


def test_half_is_previewed_before_it_is_written(previewed) -> None:
    (whole,) = previewed.tune.plans
    previewed.ask("tune_preview_requested", Terms(half=True))
    (half,) = previewed.tune.plans
    for one, other in zip(whole.cells, half.cells, strict=True):
        assert other.multiplier - 1 == pytest.approx((one.multiplier - 1) / 2)
    assert "Half of each change" in previewed.tune.message
    copy = previewed.folder / "half.pvv"
    previewed.ask("tune_apply_requested", copy, Terms())  # the whole is not what is shown
    assert not copy.exists()
    previewed.ask("tune_apply_requested", copy, Terms(half=True))
    assert copy.read_bytes() == half.output
    assert previewed.tune.steps[-1].half


@pytest.fixture
def one_sided(qtbot, bench: Bench, recording: Path, frame: Frame, monkeypatch) -> Bench:
    """The bench with a log that has a wideband in the rear pipe only, and a tune for both."""
    columns = {c: v for c, v in frame.columns.items() if c is not Channel.LAMBDA_FRONT}
    monkeypatch.setattr(files, "read_frame", lambda *_: replace(frame, columns=columns))
    bench.ask("tune_chosen", tune_file(bench))
    analyse(qtbot, bench, recording)
    return bench


def test_one_cylinder_is_corrected_by_choice_and_never_by_itself(one_sided) -> None:
    tune = one_sided.tune
    assert (tune.failed, tune.plans, tune.lone) == (True, (), Cylinder.REAR)
    copy = one_sided.folder / "rear.pvv"
    one_sided.ask("tune_apply_requested", copy, tune.terms)
    assert not copy.exists()
    one_sided.ask("tune_preview_requested", Terms(alone=Cylinder.REAR))
    (plan,) = one_sided.tune.plans
    assert plan.untouched == (Cylinder.FRONT,)
    said = "Only the rear cylinder is corrected; the front stays as it is."
    assert said in one_sided.tune.message
    one_sided.ask("tune_apply_requested", copy, one_sided.tune.terms)
    tables = [read_tune(data).ve_tables() for data in (tune_world.pvv(), copy.read_bytes())]
    before, after = ([c.text for _, _, c in t[Cylinder.FRONT].all_cells()] for t in tables)
    assert before == after
    assert one_sided.tune.steps[-1].alone == "rear"


def test_that_choice_ends_with_the_log_it_was_made_for(qtbot, one_sided, recording) -> None:
    one_sided.ask("tune_preview_requested", Terms(alone=Cylinder.REAR))
    analyse(qtbot, one_sided, recording)
    assert one_sided.tune.terms.alone is None
    assert not one_sided.tune.plans


def test_a_large_tune_does_not_hold_up_the_window(qtbot, bench, monkeypatch) -> None:
    from dynoai_desktop.desks import tune_bench

    here, read, gate = threading.get_ident(), [], threading.Event()
    real = tune_bench.read_tune

    def slow(data):
        assert gate.wait(10)
        read.append(threading.get_ident())
        return real(data)

    monkeypatch.setattr(tune_bench, "read_tune", slow)
    bench.window.tune_chosen.emit(tune_file(bench))
    assert bench.tune.busy
    assert bench.tune.paths == ()
    gate.set()
    settle(qtbot, bench)
    assert bench.tune.paths
    assert here not in read


def test_another_vehicle_lets_go_of_the_tune_and_of_what_was_found(qtbot, previewed) -> None:
    other = VehicleRecord("Other")
    previewed.desk.set_vehicle(previewed.folder / "vehicles" / "other", other)
    settle(qtbot, previewed)
    assert previewed.analysis.payload is None
    assert (previewed.tune.paths, previewed.tune.plans) == ((), ())


def test_what_is_stated_about_the_vehicle_is_analysed_by(qtbot, analysed) -> None:
    record = VehicleRecord("Simulated bike", redline_rpm=5600.0)
    analysed.desk.set_vehicle(analysed.folder / "vehicles" / "simulated-bike", record)
    settle(qtbot, analysed)
    assert analysed.analysis.payload.settings.redline_rpm == 5600.0


def test_the_command_line_answers_from_what_the_window_has_kept(
    qtbot, bench, recording, data_dir, capsys
) -> None:
    session = bench.folder / "20260101T000000Z_bike"
    session.mkdir()
    shutil.copy(recording, session / "raw.pcap")
    (session / "session.json").write_text('{"vehicle": "bike"}')
    bench.desk.set_vehicle(bench.folder / "vehicles" / "bike", VehicleRecord("bike"))
    analyse(qtbot, bench, session)
    capsys.readouterr()
    assert cli.main(["analyze", str(session), "--json", "--data-dir", str(data_dir)]) == 0
    out, err = capsys.readouterr()
    assert "kept with the session" in err
    assert json.loads(out) == json.loads(bench.analysis.saved.read_text())
    analyse(qtbot, bench, bench.analysis.saved)  # dropped on the window
    assert bench.analysis.path == session
    assert bench.analysis.payload is not None
    assert KEPT_AS == (FOLDER, NAME)


def test_a_preview_of_the_log_before_is_not_shown_for_another(qtbot, previewed) -> None:
    """The answer comes while there is no analysis any more that it could be of."""
    previewed.window.tune_preview_requested.emit(Terms(0.03))
    previewed.desk._bench.take_payload(None)
    settle(qtbot, previewed)
    assert previewed.tune.plans == ()
    previewed.ask("tune_apply_requested", previewed.folder / "copy.pvv", previewed.tune.terms)
    assert not (previewed.folder / "copy.pvv").exists()
