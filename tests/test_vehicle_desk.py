"""The vehicle in use: chosen, remembered, kept apart from rehearsals; everything else follows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from dynoai_desktop.app import make_vehicle, make_window
from dynoai_desktop.cli import main
from dynoai_desktop.commands import UsageError, known_vehicle
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.targets import preset_targets
from dynoai_desktop.core.live.vehicle_axes import live_axes
from dynoai_desktop.core.store.vehicle_folders import list_vehicles, save_vehicle
from dynoai_desktop.core.store.vehicle_live import load_live, load_targets
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.trust.channel_map import Choice
from dynoai_desktop.station import LOOPBACK, Station
from dynoai_desktop.ui.messages import RecordingState, Severity, SourceKind
from dynoai_desktop.ui.rehearsal import Running, SimulatorPlan
from tests import tune_world
from tests.test_station import LONG, shows, station  # noqa: F401 - the fixture

pytestmark = pytest.mark.timeout(90)

KING = VehicleRecord("Road King", redline_rpm=5800.0)
TURBO = VehicleRecord("Turbo", fuel="E85", boost_kpa=100.0)
SIMULATED = "Simulated V-twin 114, four-valve"


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sim") / "pull.pcap"
    assert main(["simulate", "--out", str(path), "--pulls", "1"]) == 0
    return path


@pytest.fixture
def vehicles(data_dir: Path) -> Path:
    return data_dir / "vehicles"


@pytest.fixture
def garage(vehicles: Path, request) -> Station:
    """A station that found two vehicles, with the Road King chosen."""
    save_vehicle(vehicles, KING)
    save_vehicle(vehicles, TURBO)
    found: Station = request.getfixturevalue("station")
    found.window.vehicle_chosen.emit(KING.name)
    return found


@pytest.fixture
def opened(qtbot, data_dir: Path) -> Iterator[Callable[..., Station]]:
    """Opens the program anew on the same data."""
    stations = []

    def open_again(vehicle: str = "") -> Station:
        window = make_window(data_dir)
        qtbot.addWidget(window)
        again = Station(window, data_dir, vehicle)
        again.window = window
        stations.append(again)
        return again

    yield open_again
    for each in stations:
        each.shut_down()
        each.window.close()


def state(station: Station):  # noqa: F811
    return station.window.state.vehicles


def test_a_new_vehicle_is_used_at_once_and_remembered(station, opened, vehicles) -> None:  # noqa: F811
    window = station.window
    assert state(station).record.name == ""
    window.vehicle_saved.emit(KING, "")
    assert state(station).record == KING
    assert list_vehicles(vehicles).records == (KING,)
    again = opened()
    assert state(again).record == KING


def test_each_vehicle_has_its_own_targets_and_limits(garage, vehicles) -> None:
    window = garage.window
    targets = preset_targets("performance", *live_axes(KING))
    window.targets_changed.emit(targets)
    limits = window.state.live
    window.limits_changed.emit(replace(limits, alerts=replace(limits.alerts, iat_c=44.0)))
    window.vehicle_chosen.emit(TURBO.name)
    assert window.state.live.alerts.iat_c != 44.0
    assert window.state.targets.grid.load.edges[-1] > 200.0
    window.vehicle_chosen.emit(KING.name)
    assert window.state.live.alerts.iat_c == 44.0
    assert window.state.targets.grid.values.tolist() == targets.values.tolist()
    assert load_targets(vehicles / "turbo") == (None, ())


@pytest.mark.parametrize("other", [TURBO, VehicleRecord("Sportster")], ids=["turbo", "same axes"])
def test_what_was_edited_for_one_vehicle_cannot_be_undone_into_another(garage, other) -> None:
    window = garage.window
    window.show_page("targets")
    panel = window.panel("targets")
    panel.act("preset_performance")
    assert panel.undo.isEnabled()
    if other != TURBO:
        window.vehicle_saved.emit(other, "")
    window.vehicle_chosen.emit(other.name)
    assert not panel.undo.isEnabled()
    panel.act("undo")
    usual = preset_targets("street", *live_axes(other))
    assert window.state.targets.grid.values.tolist() == usual.values.tolist()


def test_mappings_and_tune_history_are_those_of_the_vehicle(garage, vehicles) -> None:
    window = garage.window
    window.vehicle_chosen.emit(TURBO.name)
    window.mapping_chosen.emit(Channel.MAP, Choice("", enabled=False))
    window.mapping_save_requested.emit()
    assert len(list((vehicles / "turbo" / "mappings").glob("*.json"))) == 1
    assert not (vehicles / "road-king" / "mappings").exists()
    window.vehicle_chosen.emit(KING.name)
    assert window.state.mapping.choices == {}


def test_over_rev_is_watched_by_the_redline_unless_a_limit_is_set(garage, vehicles) -> None:
    window = garage.window
    assert window.state.live.alerts.redline_rpm == 5800.0
    live = window.state.live
    window.limits_changed.emit(replace(live, alerts=replace(live.alerts, iat_c=50.0)))
    assert load_live(vehicles / "road-king")[0].alerts.redline_rpm is None
    window.limits_changed.emit(replace(live, alerts=replace(live.alerts, redline_rpm=5500.0)))
    window.vehicle_saved.emit(replace(KING, redline_rpm=6000.0), KING.name)
    assert window.state.live.alerts.redline_rpm == 5500.0
    window.limits_changed.emit(replace(live, alerts=replace(live.alerts, redline_rpm=None)))
    assert window.state.live.alerts.redline_rpm == 6000.0


def test_the_page_of_limits_shows_the_redline_as_the_default(garage) -> None:
    window = garage.window
    window.show_page("limits")
    model = window.panel("limits").rows
    rows = [model.row(i) for i in range(model.rowCount())]
    (redline,) = (row for row in rows if row.threshold.key == "redline_rpm")
    assert (redline.threshold.value, redline.threshold.default) == (5800.0, 5800.0)
    assert not redline.is_changed


def test_the_fuel_of_the_vehicle_counts_everywhere_while_it_is_used(garage) -> None:
    window = garage.window
    window.vehicle_chosen.emit(TURBO.name)
    stoich = pytest.approx(9.765)
    assert (window.display.stoich, window.look.display.stoich) == (stoich, stoich)
    assert (window.state.live.fuel, window.state.live.stoich) == ("E85", stoich)
    assert window.preferences.fuel == "gasoline"
    window.vehicle_chosen.emit(KING.name)
    assert window.look.display.stoich == pytest.approx(14.7)


def test_afr_on_the_bus_is_taken_by_the_fuel_of_the_vehicle(qtbot, garage) -> None:
    garage.listen(LOOPBACK)
    before = garage.worker
    garage.window.vehicle_chosen.emit(TURBO.name)
    assert garage.worker is not before  # heard anew: the pipeline converts by another fuel
    assert garage.window.state.source.kind is SourceKind.LIVE


def test_a_recording_keeps_its_vehicle(garage) -> None:
    window = garage.window
    window.set_recording(RecordingState(active=True))
    window.vehicle_chosen.emit(TURBO.name)
    assert state(garage).record == KING
    assert "Stop it before" in window.state.notice.text
    window.vehicle_saved.emit(replace(KING, redline_rpm=6000.0), KING.name)
    assert state(garage).record == KING
    window.set_recording(RecordingState())
    window.vehicle_chosen.emit(TURBO.name)
    assert state(garage).record == TURBO


def test_the_demo_goes_by_its_own_vehicle_and_leaves_the_tuners_alone(
    qtbot, garage, vehicles
) -> None:
    window = garage.window
    window.simulator_start_requested.emit(SimulatorPlan())
    assert state(garage).record.name == SIMULATED
    assert window.state.live.alerts.redline_rpm == state(garage).record.redline_rpm
    qtbot.waitUntil(lambda: shows(garage, Channel.RPM), timeout=LONG)
    window.targets_changed.emit(preset_targets("boost", *live_axes(KING)))
    window.mapping_save_requested.emit()
    garage.start_recording()
    qtbot.waitUntil(lambda: garage.recording is not None, timeout=LONG)
    folder = garage.recording.folder
    garage.stop_recording()
    qtbot.waitUntil(lambda: garage.recording is None, timeout=LONG)
    assert json.loads((folder / "session.json").read_text())["vehicle"] == SIMULATED
    assert folder.name.endswith("simulated-v-twin-114-four-valve")
    window.simulator_stop_requested.emit()
    qtbot.waitUntil(lambda: window.state.rehearsal.running is Running.OFF, timeout=LONG)
    assert state(garage).record == KING
    assert sorted(p.name for p in (vehicles / "road-king").iterdir()) == ["vehicle.json"]
    kept = vehicles / state(garage).record.slug
    rehearsed = vehicles / "simulated-v-twin-114-four-valve"
    assert (rehearsed / "targets.json").is_file() and not (kept / "targets.json").exists()
    garage.replay(folder)
    assert state(garage).record.name == SIMULATED
    window.live_requested.emit()
    assert state(garage).record == KING


def test_a_simulated_vehicle_is_not_the_tuners_to_choose(garage, opened, vehicles) -> None:
    save_vehicle(vehicles, VehicleRecord("Simulated twin", simulated=True))
    again = opened()
    assert [row.name for row in state(again).rows] == [KING.name, TURBO.name]
    again.window.vehicle_chosen.emit("Simulated twin")
    assert state(again).record == KING


def test_a_dyno_that_says_it_is_simulated_never_meets_the_tuners_vehicle(
    qtbot, garage, free_udp_port
) -> None:
    command = [sys.executable, "-m", "dynoai_desktop", "simulate", "--iface", LOOPBACK]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        garage.listen(LOOPBACK)
        assert state(garage).record == KING
        qtbot.waitUntil(lambda: state(garage).record.simulated, timeout=LONG)
    finally:
        process.terminate()
        process.wait(10)
    assert state(garage).record.name == "Simulated vehicle"
    garage.listen("203.0.113.9")
    assert state(garage).record == KING


def test_a_bare_recording_of_a_simulated_dyno_is_known_before_it_is_shown(
    garage, recording
) -> None:
    garage.replay(recording)
    assert state(garage).record.simulated
    assert garage.window.state.source.simulated


def test_a_replay_goes_by_the_vehicle_it_was_recorded_with(garage, recording, data_dir) -> None:
    folder = data_dir / "sessions" / "20260101T000000Z_turbo"
    folder.mkdir(parents=True)
    (folder / "raw.pcap").write_bytes(_without_the_mark(recording))
    (folder / "session.json").write_text(json.dumps({"vehicle": "Turbo", "simulated": False}))
    garage.replay(folder)
    assert state(garage).record == TURBO
    assert state(garage).chosen == KING.name
    garage.window.vehicle_chosen.emit(KING.name)
    assert state(garage).record == TURBO
    assert "in force again" in state(garage).message
    garage.go_live()
    assert state(garage).record == KING


def test_another_vehicle_changes_the_axes_of_the_map_under_a_running_source(
    qtbot, garage, recording, tmp_path
) -> None:
    path = tmp_path / "real.pcap"
    path.write_bytes(_without_the_mark(recording))
    window = garage.window
    window.show_page("live")
    garage.replay(path)
    qtbot.waitUntil(lambda: shows(garage, Channel.RPM), timeout=LONG)
    assert state(garage).record == KING
    assert window.live_model.snapshot.hits.load.edges[-1] == 120.0
    window.vehicle_chosen.emit(TURBO.name)
    window.replay_speed_changed.emit(0.0)
    qtbot.waitUntil(lambda: window.state.source.finished, timeout=LONG)
    snapshot = window.live_model.snapshot
    assert (snapshot.hits.rpm, snapshot.hits.load) == live_axes(TURBO)
    assert snapshot.targets.load == snapshot.hits.load
    assert snapshot.readings


def _without_the_mark(recording: Path) -> bytes:
    data = recording.read_bytes()
    assert b"SIMULATED" in data
    return data.replace(b"SIMULATED", b"DYNOJETXX")


def test_another_vehicle_takes_the_analysis_in_hand_away(qtbot, garage, recording) -> None:
    window = garage.window
    window.analyse_requested.emit(recording)
    qtbot.waitUntil(lambda: window.state.analysis.payload is not None, timeout=LONG)
    window.vehicle_saved.emit(replace(KING, redline_rpm=6000.0), KING.name)
    assert window.state.analysis.payload is not None
    window.vehicle_chosen.emit(TURBO.name)
    assert window.state.analysis.payload is None
    assert not window.state.analysis.running


@pytest.mark.parametrize("name", ["targets.json", "live.json"])
def test_settings_that_cannot_be_read_are_set_aside_and_said(garage, vehicles, name) -> None:
    (vehicles / "turbo" / name).write_text("{")
    garage.window.vehicle_chosen.emit(TURBO.name)
    notice = garage.window.state.notice
    assert notice.severity is Severity.ATTENTION
    assert f"{name}.set-aside-1" in notice.text
    assert state(garage).record == TURBO


def test_a_lost_record_leaves_the_vehicle_its_folder_and_is_said(garage, opened, vehicles) -> None:
    (vehicles / "road-king" / "vehicle.json").write_text("[]")
    again = opened()
    assert state(again).record == VehicleRecord(KING.name)
    assert "set-aside-1" in again.window.state.notice.text


def test_a_refused_name_is_said_beside_its_field(garage) -> None:
    garage.window.vehicle_saved.emit(VehicleRecord("road king!"), "")
    assert state(garage).field == "name" and state(garage).failed
    assert "would share the folder" in state(garage).message
    assert state(garage).record == KING


# Command line


def test_the_command_line_chooses_a_vehicle_or_creates_it(data_dir, vehicles) -> None:
    assert make_vehicle(data_dir, "") == ""
    assert make_vehicle(data_dir, "Road King") == "Road King"
    assert make_vehicle(data_dir, "road-king") == "Road King"
    assert [r.name for r in list_vehicles(vehicles).records] == ["Road King"]


@pytest.mark.parametrize("name", ["Simulated twin", "vehicle", "two\nlines", "x" * 100])
def test_a_name_no_vehicle_can_have_is_bad_usage(data_dir, vehicles, name, capsys) -> None:
    with pytest.raises(UsageError):
        make_vehicle(data_dir, name)
    save_vehicle(vehicles, VehicleRecord("Simulated twin", simulated=True))
    with pytest.raises(UsageError):
        make_vehicle(data_dir, name)


def test_every_command_finds_the_vehicle_by_its_slug(data_dir, vehicles) -> None:
    save_vehicle(vehicles, TURBO)
    assert known_vehicle(data_dir, "TURBO") == TURBO
    assert known_vehicle(data_dir, "new one").name == "new one"


def test_apply_and_rollback_share_one_history_by_name_or_slug(data_dir, vehicles, capsys) -> None:
    save_vehicle(vehicles, KING)
    folder = data_dir / "tunes"
    folder.mkdir()
    tune, copy = folder / "base.pvv", folder / "copy.pvv"
    tune.write_bytes(tune_world.pvv())
    corrections = folder / "corrections.json"
    corrections.write_bytes(tune_world.corrections(vehicle="Road King").encoded())
    said = ["--data-dir", str(data_dir)]
    applied = ["apply", str(corrections), "--tune", str(tune), "--out", str(copy)]
    assert main([*applied, "--vehicle", "road-king", *said]) == 0
    assert copy.is_file()
    assert (vehicles / "road-king" / "tune" / "history.json").is_file()
    assert main([*applied, "--vehicle", "Turbo", *said]) == 2
    assert "for “Road King”, not for “Turbo”" in capsys.readouterr().err
    assert main(["rollback", "--vehicle", "ROAD KING", *said]) == 0
    assert copy.read_bytes() == tune.read_bytes()


def test_the_window_starts_with_the_vehicle_of_the_command_line(opened, vehicles) -> None:
    save_vehicle(vehicles, KING)
    save_vehicle(vehicles, TURBO)
    first = opened(TURBO.name)
    assert state(first).record == TURBO
    again = opened()
    assert state(again).record == TURBO


def test_f9_opens_the_vehicles(qtbot, garage) -> None:
    qtbot.keyClick(garage.window, Qt.Key.Key_F9)
    assert garage.window.page == "vehicle"
