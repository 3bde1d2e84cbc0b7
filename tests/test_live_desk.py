"""What the tuner decides about the live analysis reaches the engine and outlives its source."""

import json
from dataclasses import replace

import pytest

from dynoai_desktop.cli import main
from dynoai_desktop.core.live.targets import preset_targets
from tests.test_station import LONG, station  # noqa: F401 - the fixture


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("sim") / "pull.pcap"
    assert main(["simulate", "--out", str(path), "--pulls", "1"]) == 0
    return path


def replayed(qtbot, station, recording):  # noqa: F811
    station.replay(recording)
    station.window.replay_speed_changed.emit(0.0)
    qtbot.waitUntil(lambda: station.window.state.source.finished, timeout=LONG)
    return station.window.live_model.snapshot


def test_targets_are_used_at_once_and_by_the_next_source(qtbot, station, recording) -> None:  # noqa: F811
    before = replayed(qtbot, station, recording)
    targets = preset_targets("performance", before.targets.rpm, before.targets.load)
    station.window.targets_changed.emit(targets)
    after = replayed(qtbot, station, recording)
    assert before.targets.values.tolist() != targets.values.tolist()
    assert after.targets.values.tolist() == targets.values.tolist()


def test_switched_off_the_map_stands_still_and_readings_go_on(qtbot, station, recording) -> None:  # noqa: F811
    station.window.analysis_enabled.emit(False)
    snapshot = replayed(qtbot, station, recording)
    assert not snapshot.enabled
    assert snapshot.hits.values.sum() == 0
    assert snapshot.readings


def test_a_tune_without_targets_is_refused_in_words(qtbot, station, tmp_path) -> None:  # noqa: F811
    path = tmp_path / "x.pvv"
    path.write_bytes(b"<PVV></PVV>")
    station.window.targets_import_requested.emit(path)
    assert "x.pvv is not used" in station.window.state.notice.text


def test_the_session_keeps_runs_and_alerts(qtbot, station) -> None:  # noqa: F811
    station.start_simulator()
    window = station.window
    qtbot.waitUntil(lambda: window.live_model.snapshot is not None, timeout=LONG)
    station.start_recording()
    qtbot.waitUntil(lambda: station.recording is not None, timeout=LONG)
    folder = station.recording.folder
    qtbot.waitUntil(lambda: window.live_model.snapshot.run is not None, timeout=40_000)
    station.stop_recording()
    qtbot.waitUntil(lambda: station.recording is None, timeout=LONG)
    document = json.loads((folder / "session.json").read_text())
    assert document["runs"][0]["kind"] in ("pull", "sweep", "hold", "coast_down")
    assert isinstance(document["alerts"], list)


def test_another_fuel_reaches_the_limits_of_the_live_analysis(qtbot, station) -> None:  # noqa: F811
    window = station.window
    assert window.state.live.fuel == "gasoline"
    window.settings_changed.emit(replace(window.preferences, fuel="E85"))
    assert window.state.live.fuel == "E85"
    assert window.state.live.stoich == pytest.approx(9.765)
