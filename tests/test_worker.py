"""One thread owns the capture: it starts, reports, stops, and takes nothing down with it."""

import json
import threading
from pathlib import Path

import pytest

from dynoai_desktop.capture.pcap import PcapReader
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.recorder import Recorder, new_session_folder
from dynoai_desktop.capture.simulated_dyno import simulated_bus
from dynoai_desktop.capture.sources.contract import CaptureError
from dynoai_desktop.capture.sources.replay import ReplaySource
from dynoai_desktop.capture.sources.simulator import SimulatorSource
from dynoai_desktop.capture.worker import CaptureWorker
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.engine import LiveEngine

START_US = 1_700_000_000_000_000


def simulator(speed: float = 0.0, duration_s: float | None = 10.0) -> SimulatorSource:
    return SimulatorSource(lambda start: simulated_bus(start, seed=4), START_US, speed, duration_s)


def make_worker(open_source=simulator, observer=None) -> CaptureWorker:
    return CaptureWorker(open_source, Pipeline(), observer)


def recorder_into(folder: Path):
    def make(pipeline: Pipeline, now_us: int) -> Recorder:
        folder.mkdir(parents=True, exist_ok=True)
        return Recorder(folder, {}, pipeline.preamble(), "224.0.2.10", 22344, now_us)

    return make


def test_every_window_becomes_one_aggregate_in_order(qtbot) -> None:
    worker, indices = make_worker(), []
    worker.aggregate_ready.connect(lambda aggregate: indices.append(aggregate.index))
    worker.start()
    qtbot.waitUntil(lambda: len(indices) > 195)
    assert worker.stop()
    assert indices == list(range(indices[0], indices[0] + len(indices)))


def test_the_end_of_a_source_closes_the_last_windows(qtbot) -> None:
    worker, seen = make_worker(), []
    worker.aggregate_ready.connect(seen.append)
    worker.start()
    qtbot.waitUntil(lambda: bool(seen) and seen[-1].start_s >= START_US / 1e6 + 9.95)
    worker.stop()
    assert Channel.RPM in [a for a in seen if a.start_s <= START_US / 1e6 + 9.9][-1].means


def test_panels_get_snapshots_and_the_bus_its_health(qtbot) -> None:
    worker = make_worker(lambda: simulator(speed=1.0, duration_s=None), LiveEngine())
    snapshots, healths = [], []
    worker.snapshot_ready.connect(snapshots.append)
    worker.health_ready.connect(healths.append)
    worker.start()
    qtbot.waitUntil(lambda: len(snapshots) > 2 and any(h.providers for h in healths))
    worker.stop()
    assert snapshots[-1].hits.values.shape == (20, 10)
    assert healths[-1].providers[0].name == "Power Core SIMULATED"


def test_a_hundred_starts_and_stops_leave_nothing_behind(qtbot) -> None:
    before = threading.active_count()
    for _ in range(100):
        worker = make_worker(lambda: simulator(speed=1.0, duration_s=None))
        with qtbot.waitSignal(worker.aggregate_ready):
            worker.start()
        assert worker.stop()
        assert worker.isFinished()
    assert threading.active_count() == before


class Unopenable:
    """A source that cannot be opened."""

    simulated, finished = False, False

    def open(self) -> None:
        raise CaptureError("Cannot join 224.0.2.10 on 10.0.0.9. Check the cable.")


class Breaking(SimulatorSource):
    """A source whose cable is pulled after a while."""

    reads = 0

    def receive(self, timeout_s: float):
        self.reads += 1
        if self.reads > 20:
            raise CaptureError("The network interface 10.0.0.9 is gone. Plug it in again.")
        return super().receive(timeout_s)


def test_a_source_that_cannot_be_opened_is_one_sentence_and_the_end(qtbot) -> None:
    worker, messages = make_worker(Unopenable), []
    worker.failed.connect(messages.append)
    with qtbot.waitSignals([worker.failed, worker.finished]):
        worker.start()
    assert len(messages) == 1
    assert "Check the cable" in messages[0]


def test_a_cable_pulled_while_recording_leaves_a_finished_session(qtbot, tmp_path) -> None:
    def open_source() -> Breaking:
        return Breaking(simulated_bus, START_US, 0.0, None)

    worker = make_worker(open_source)
    worker.start_recording(recorder_into(tmp_path / "s"))
    with qtbot.waitSignals([worker.failed, worker.finished]):
        worker.start()
    assert json.loads((tmp_path / "s" / "session.json").read_text())["ended_utc"]


class FailingEngine(LiveEngine):
    """Analysis with a mistake in it."""

    failing = True

    def observe(self, aggregate) -> None:
        if self.failing and Channel.RPM in aggregate.means:
            raise ZeroDivisionError("division by zero")
        super().observe(aggregate)


@pytest.fixture
def quiet_log(caplog):
    """The failure is logged with its trace; here it is the subject."""
    caplog.set_level("CRITICAL", "dynoai_desktop.capture.worker")


def test_analysis_may_fail_but_capture_and_recording_go_on(qtbot, tmp_path, quiet_log) -> None:
    engine, count = FailingEngine(), []
    worker = make_worker(lambda: simulator(duration_s=None), engine)
    worker.aggregate_ready.connect(count.append)
    worker.start_recording(recorder_into(tmp_path / "s"))
    with qtbot.waitSignal(worker.analysis_failed) as failed:
        worker.start()
    assert "recording go on" in failed.args[0]
    here = len(count)
    qtbot.waitUntil(lambda: len(count) > here + 50)
    engine.failing = False
    with qtbot.waitSignal(worker.snapshot_ready):
        worker.reset_analysis()
    worker.stop()
    with PcapReader(tmp_path / "s" / "raw.pcap") as reader:
        assert sum(1 for _ in reader) > 50


def test_a_recording_replays_to_the_same_aggregates_as_were_seen_live(qtbot, tmp_path) -> None:
    live, replayed = [], []
    worker = make_worker(lambda: simulator(duration_s=20.0))
    worker.aggregate_ready.connect(live.append)
    worker.start_recording(recorder_into(tmp_path / "s"))
    worker.start()
    qtbot.waitUntil(lambda: bool(live) and live[-1].start_s >= START_US / 1e6 + 19.95)
    worker.stop()
    live_by_index = {a.index: a for a in live if a.means}
    again = make_worker(lambda: ReplaySource(tmp_path / "s"))
    again.aggregate_ready.connect(replayed.append)
    again.start()
    qtbot.waitUntil(lambda: bool(replayed) and replayed[-1].index >= max(live_by_index))
    again.stop()
    assert len(live_by_index) > 350
    assert {a.index: a for a in replayed if a.means} == live_by_index


def test_a_disk_that_fails_is_told_and_the_screen_goes_on(qtbot, tmp_path) -> None:
    worker = make_worker(lambda: simulator(speed=1.0, duration_s=None), LiveEngine())
    (tmp_path / "sessions").write_text("not a folder")

    def make(pipeline: Pipeline, now_us: int) -> Recorder:
        from datetime import UTC, datetime

        folder = new_session_folder(tmp_path / "sessions", "x", datetime.now(UTC))
        raise AssertionError(folder)

    worker.start()
    with qtbot.waitSignal(worker.recording_failed) as failed:
        worker.start_recording(make)
    assert "Choose another data folder" in failed.args[0]
    with qtbot.waitSignal(worker.snapshot_ready):
        pass
    worker.stop()


def test_a_session_folder_that_vanishes_stops_the_recording_loudly(qtbot, tmp_path) -> None:
    worker = make_worker(lambda: simulator(speed=1.0, duration_s=None))
    worker.start()
    with qtbot.waitSignal(worker.recording_changed):
        worker.start_recording(recorder_into(tmp_path / "s"))
    with qtbot.waitSignal(worker.recording_failed, timeout=10_000) as failed:
        (tmp_path / "s").rename(tmp_path / "gone")
    assert "vanished" in failed.args[0]
    with qtbot.waitSignal(worker.aggregate_ready):
        pass
    worker.stop()


def replay_worker(tmp_path, speed: float, engine: LiveEngine) -> CaptureWorker:
    from dynoai_desktop.capture.pcap import PacketEncoder, file_header

    path = tmp_path / "raw.pcap"
    encoder, bus = PacketEncoder("224.0.2.10", 22344), simulated_bus(START_US, seed=4)
    frames = bus.advance(START_US + 30_000_000)
    path.write_bytes(file_header() + b"".join(map(encoder.encode, frames)))
    return make_worker(lambda: ReplaySource(path, speed), engine)


def test_seeking_shows_exactly_what_had_been_measured_by_then(qtbot, tmp_path) -> None:
    engine = LiveEngine()
    worker, snapshots, positions = replay_worker(tmp_path, 0.0, engine), [], []
    worker.snapshot_ready.connect(snapshots.append)
    worker.position_changed.connect(positions.append)
    worker.start()
    qtbot.waitUntil(lambda: bool(positions) and positions[-1].finished)
    whole = engine.snapshot()
    worker.set_replay_paused(True)
    worker.seek_replay(12.0)
    qtbot.waitUntil(lambda: positions[-1].elapsed_s == pytest.approx(12.0, abs=0.01))
    half = engine.snapshot()
    assert 0 < half.hits.values.sum() < whole.hits.values.sum()
    assert half.time_s == pytest.approx(START_US / 1e6 + 12.0, abs=0.2)
    worker.seek_replay(29.9)
    worker.set_replay_paused(False)
    qtbot.waitUntil(lambda: positions[-1].finished)
    worker.stop()
    assert engine.snapshot().hits.values.tolist() == whole.hits.values.tolist()
