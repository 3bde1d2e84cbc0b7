"""The program as a tuner uses it: real window, real multicast, real files."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from dynoai_desktop.app import make_window
from dynoai_desktop.capture.pcap import file_header
from dynoai_desktop.cli import main
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.station import LOOPBACK, Station
from dynoai_desktop.ui.messages import SourceKind

LONG = 15_000  # ms; a process has to start and two providers to announce themselves


@pytest.fixture
def station(qtbot, data_dir, free_udp_port, monkeypatch):
    """A window with its station, on a bus of its own."""
    monkeypatch.setenv("JETDRIVE_PORT", str(free_udp_port))
    window = make_window(data_dir)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    station = Station(window, data_dir)
    station.window = window
    yield station
    station.shut_down()
    window.close()


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sim") / "pull.pcap"
    assert main(["simulate", "--out", str(path), "--pulls", "1"]) == 0
    return path


def shows(station, channel: Channel) -> bool:
    snapshot = station.window.live_model.snapshot
    return snapshot is not None and channel in snapshot.readings


def test_the_demo_is_heard_recorded_with_space_and_replayed(qtbot, station) -> None:
    window = station.window
    station.start_simulator()
    window.show_page("live")
    qtbot.waitUntil(lambda: shows(station, Channel.RPM), timeout=LONG)
    qtbot.waitUntil(lambda: window.state.source.simulated, timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.state.recording.active, timeout=LONG)
    folder = window.state.recording.folder
    qtbot.waitUntil(lambda: station.recording.datagrams > 60, timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(window.state.sessions) == 1, timeout=LONG)
    session = window.state.sessions[0]
    assert (session.path, session.simulated, session.note) == (folder, True, "")
    document = json.loads((folder / "session.json").read_text())
    assert document["simulated"] is True
    assert {"runs", "alerts", "mapping", "providers"} <= set(document)
    station.replay(session.path)
    window.replay_speed_changed.emit(0.0)
    qtbot.waitUntil(lambda: window.state.source.finished, timeout=LONG)
    assert window.state.source.kind is SourceKind.REPLAY
    assert window.state.source.simulated
    assert shows(station, Channel.RPM)


def test_what_was_seen_live_is_what_the_recording_shows(qtbot, station) -> None:
    live, replayed = [], []
    station.start_simulator()
    station.worker.aggregate_ready.connect(live.append)
    qtbot.waitUntil(lambda: any(a.means for a in live), timeout=LONG)
    station.start_recording()
    qtbot.waitUntil(lambda: station.recording is not None, timeout=LONG)
    folder, first = station.recording.folder, live[-1].index + 20
    qtbot.waitUntil(lambda: live[-1].index > first + 60, timeout=LONG)
    last = live[-1].index - 4
    station.stop_recording()
    qtbot.waitUntil(lambda: station.recording is None, timeout=LONG)
    station.replay(folder)
    station.worker.aggregate_ready.connect(replayed.append)
    station.window.replay_speed_changed.emit(0.0)
    qtbot.waitUntil(lambda: bool(replayed) and replayed[-1].index >= last, timeout=LONG)
    seen = {a.index: a for a in live if first <= a.index <= last}
    again = {a.index: a for a in replayed if first <= a.index <= last}
    assert all(a.means and a.synced for a in seen.values())
    assert again == seen


def test_a_replay_can_be_paused_sought_and_left(qtbot, station, recording) -> None:
    window = station.window
    station.replay(recording)
    window.show_page("live")
    assert window.state.source.duration_s > 15
    window.replay_speed_changed.emit(16.0)
    qtbot.waitUntil(lambda: shows(station, Channel.RPM), timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.state.source.paused)
    window.replay_seeked.emit(10.0)
    qtbot.waitUntil(lambda: abs(window.state.source.position_s - 10.0) < 0.1, timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_L)
    assert window.state.source.kind is SourceKind.NONE
    assert window.live_model.snapshot is None


def test_another_source_never_shows_readings_of_the_one_before(qtbot, station, recording):
    window = station.window
    station.replay(recording)
    window.replay_speed_changed.emit(0.0)
    qtbot.waitUntil(lambda: window.state.source.finished, timeout=LONG)
    station.listen(LOOPBACK)
    assert window.live_model.snapshot is None
    assert window.live_model.health.providers == ()
    with qtbot.waitSignal(station.worker.snapshot_ready, timeout=LONG):
        pass
    assert window.live_model.snapshot.readings == {}


def test_an_interface_that_is_not_there_is_an_error_on_the_screen(qtbot, station) -> None:
    station.listen("203.0.113.9")
    qtbot.waitUntil(lambda: station.window.state.source.kind is SourceKind.FAILED)
    assert "203.0.113.9" in station.window.state.source.message


def test_a_file_that_is_no_recording_leaves_everything_as_it_was(qtbot, station, tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(file_header()[:10])
    before = station.window.state.source
    station.replay(path)
    assert station.window.state.source == before
    assert "too short" in station.window.state.notice.text


def test_the_chosen_interface_is_remembered(qtbot, station, data_dir) -> None:
    station.window.interface_chosen.emit(LOOPBACK)
    assert Station(station.window, data_dir).last_interface == LOOPBACK


def test_closing_the_program_finishes_the_recording(qtbot, station) -> None:
    station.start_simulator()
    qtbot.waitUntil(lambda: shows(station, Channel.RPM), timeout=LONG)
    station.start_recording()
    qtbot.waitUntil(lambda: station.recording is not None, timeout=LONG)
    folder = station.recording.folder
    station.shut_down()
    document = json.loads((folder / "session.json").read_text())
    assert document["ended_utc"] is not None


def environment(data_dir: Path, **extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return kept | extra


def test_the_window_says_ready_and_ends_on_sigterm(data_dir, tmp_path) -> None:
    ready = tmp_path / "ready"
    process = subprocess.Popen(
        [sys.executable, "-m", "dynoai_desktop", "--data-dir", str(data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(data_dir, QT_QPA_PLATFORM="offscreen", DYNOAI_READY_FILE=str(ready)),
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        told = ready.read_text() if ready.exists() else ""
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (first, told) == ("ready\n", "ready")
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_without_a_display_the_demo_draws_pictures_and_says_where(data_dir, free_udp_port):
    env = environment(data_dir, JETDRIVE_PORT=str(free_udp_port))
    env.pop("QT_QPA_PLATFORM", None)
    result = subprocess.run(
        [sys.executable, "-m", "dynoai_desktop", "--demo", "--seconds", "2",
         "--data-dir", str(data_dir)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env=env,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert str(data_dir / "pictures") in result.stdout
    sessions = list((data_dir / "sessions").iterdir())
    assert len(sessions) == 1
    assert str(sessions[0]) in result.stdout
    assert (data_dir / "pictures" / "live_1920x1080.png").stat().st_size > 10_000


def test_without_a_display_the_window_says_what_to_do_instead(data_dir) -> None:
    env = environment(data_dir)
    env.pop("QT_QPA_PLATFORM", None)
    result = subprocess.run(
        [sys.executable, "-m", "dynoai_desktop", "--data-dir", str(data_dir)],
        capture_output=True,
        check=False,
        text=True,
        env=env,
    )
    assert result.returncode == 2
    assert "no display" in result.stderr
