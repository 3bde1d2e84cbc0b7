"""Analysis and tune as the desk does them: real files, a pool thread, a window that waits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from dynoai_desktop import cli
from dynoai_desktop.capture import files
from dynoai_desktop.capture.frames import frame_of_recording
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.desks.analysis_desk import NAME, AnalysisDesk
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.messages import RecordingState
from tests import tune_world

pytestmark = [pytest.mark.timeout(90), pytest.mark.qt_log_ignore("propagateSizeHints")]
LONG = 30_000


@dataclass
class Bench:
    """A window with its desk and a folder to work in."""

    window: MainWindow
    desk: AnalysisDesk
    folder: Path

    @property
    def analysis(self):
        return self.window.state.analysis

    @property
    def tune(self):
        return self.window.state.tune


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
    desk = AnalysisDesk(window, tmp_path / "vehicles" / "bike", "bike")
    yield Bench(window, desk, tmp_path)
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
    qtbot.waitUntil(lambda: not bench.analysis.running, timeout=LONG)


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
    analysed.window.tune_chosen.emit(path)
    settle(qtbot, analysed)
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
def previewed(qtbot, analysed: Bench) -> Bench:
    """The bench with a tune previewed."""
    analysed.window.tune_chosen.emit(tune_file(analysed))
    settle(qtbot, analysed)
    assert analysed.tune.plans
    return analysed


def test_what_was_previewed_is_what_is_written_and_undo_gives_the_bytes_back(previewed) -> None:
    base, copy = previewed.folder / "stage1.pvv", previewed.folder / "stage2.pvv"
    (plan,) = previewed.tune.plans
    previewed.window.tune_apply_requested.emit(copy, previewed.tune.limit, previewed.tune.locked)
    assert previewed.tune.written
    assert copy.read_bytes() == plan.output != base.read_bytes()
    assert base.read_bytes() == tune_world.pvv()
    (step,) = previewed.tune.steps
    assert step.difference.cells
    previewed.window.tune_undo_requested.emit()
    assert copy.read_bytes() == tune_world.pvv()
    assert [step.taken_back for step in previewed.tune.steps] == [True, False]
    assert not previewed.tune.can_undo


def test_what_was_not_previewed_is_not_written(previewed) -> None:
    copy = previewed.folder / "stage2.pvv"
    previewed.window.tune_apply_requested.emit(copy, 0.15, previewed.tune.locked)
    locked = frozenset({(Cylinder.FRONT, 1, 1)})
    previewed.window.tune_apply_requested.emit(copy, previewed.tune.limit, locked)
    assert previewed.tune.failed
    assert not copy.exists()


def test_a_tune_that_changed_since_the_preview_is_not_written(previewed) -> None:
    base, copy = previewed.folder / "stage1.pvv", previewed.folder / "stage2.pvv"
    base.write_bytes(base.read_bytes().replace(b"Idle", b"idle"))
    previewed.window.tune_apply_requested.emit(copy, previewed.tune.limit, previewed.tune.locked)
    assert "changed" in previewed.tune.message
    assert not copy.exists()


def test_the_original_is_never_written(previewed) -> None:
    base = previewed.folder / "stage1.pvv"
    previewed.window.tune_apply_requested.emit(base, previewed.tune.limit, previewed.tune.locked)
    assert previewed.tune.failed
    assert base.read_bytes() == tune_world.pvv()


def test_a_locked_cell_stays_and_says_why(previewed) -> None:
    (plan,) = previewed.tune.plans
    cell = next(cell for cell in plan.cells if cell.after != cell.before)
    locked = frozenset({(cell.cylinder, *cell.node)})
    previewed.window.tune_preview_requested.emit(previewed.tune.limit, locked)
    (plan,) = previewed.tune.plans
    blocked = {(c.cylinder, *c.node): why for c, why in plan.blocked()}
    assert "locked" in blocked[cell.cylinder, *cell.node]


def test_a_smaller_limit_makes_smaller_steps(previewed) -> None:
    previewed.window.tune_preview_requested.emit(0.02, frozenset())
    (plan,) = previewed.tune.plans
    steps = [abs(c.after / c.before - 1) for c in plan.cells if c.before]
    assert 0.0 < max(steps) <= 0.02 + 1e-6


def test_the_same_correction_is_not_applied_twice(qtbot, previewed, recording) -> None:
    copy = previewed.folder / "stage2.pvv"
    previewed.window.tune_apply_requested.emit(copy, previewed.tune.limit, previewed.tune.locked)
    again = previewed.folder / "stage3.pvv"
    previewed.window.tune_apply_requested.emit(again, previewed.tune.limit, previewed.tune.locked)
    analyse(qtbot, previewed, recording)
    assert "already" in previewed.tune.message
    assert not again.exists()


def test_a_tune_chosen_first_waits_for_its_log(qtbot, bench, recording) -> None:
    bench.window.tune_chosen.emit(tune_file(bench))
    assert not bench.tune.plans
    analyse(qtbot, bench, recording)
    assert bench.tune.plans


def test_a_file_that_is_no_tune_is_refused_and_the_log_stays(analysed) -> None:
    path = analysed.folder / "photo.pvv"
    path.write_bytes(b"\x89PNG")
    analysed.window.tune_chosen.emit(path)
    assert analysed.tune.failed
    assert analysed.tune.paths == ()
    assert analysed.analysis.payload is not None


def test_two_single_tables_are_changed_together_or_not_at_all(qtbot, analysed) -> None:
    from dynoai_desktop.core.tune.matrix_csv import write

    tables = read_tune(tune_world.pvv()).ve_tables()
    front, rear = (analysed.folder / f"ve_{side}.csv" for side in ("front", "rear"))
    front.write_bytes(write(tables[Cylinder.FRONT].grid()))
    rear.write_bytes(write(tables[Cylinder.REAR].grid()))
    analysed.window.tune_chosen.emit(front)
    settle(qtbot, analysed)
    assert analysed.tune.failed  # the rear would be left behind
    analysed.window.tune_chosen.emit(rear)
    settle(qtbot, analysed)
    assert len(analysed.tune.plans) == 2
    copy = analysed.folder / "new.csv"
    analysed.window.tune_apply_requested.emit(copy, analysed.tune.limit, analysed.tune.locked)
    written = {path.name for path in analysed.folder.glob("new*.csv")}
    assert written == {"new_front.csv", "new_rear.csv"}
