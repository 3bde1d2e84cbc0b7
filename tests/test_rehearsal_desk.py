"""A dyno without hardware: real window, real process, real multicast on loopback."""

from __future__ import annotations

import json
import os
import signal

import pytest
from PySide6.QtCore import Qt

from dynoai_desktop.core.simulator.commands import SetFault
from dynoai_desktop.core.simulator.orders import Perform
from dynoai_desktop.core.simulator.profile_json import profile_to_json
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.desks.rehearsal_desk import simulator_command
from dynoai_desktop.desks.rehearsal_words import faults, noticed
from dynoai_desktop.station import LOOPBACK, Station
from dynoai_desktop.ui.messages import SourceKind
from dynoai_desktop.ui.rehearsal import DRIVES, Running, SimulatorPlan
from tests.test_station import LONG, station  # noqa: F401 - the fixture

pytestmark = pytest.mark.timeout(90)


def state(station: Station):  # noqa: F811
    return station.window.state.rehearsal


@pytest.fixture
def page(qtbot, station: Station):  # noqa: F811
    station.window.show_page("simulator")
    qtbot.waitUntil(lambda: bool(state(station).vehicles))
    return station.window.panel("simulator")


@pytest.fixture
def running(qtbot, station: Station, page):  # noqa: F811
    station.window.act("rig_start")
    qtbot.waitUntil(lambda: state(station).report is not None, timeout=LONG)
    return page


def test_the_page_starts_drives_aborts_and_stops_by_keyboard(qtbot, station, running):  # noqa: F811
    window = station.window
    qtbot.waitUntil(lambda: window.state.source.simulated, timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: state(station).report.programme == "wot_pull", timeout=LONG)
    qtbot.waitUntil(lambda: state(station).report.tps_pct > 30.0, timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: state(station).report.phase == "abort", timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: state(station).running is Running.OFF, timeout=LONG)
    assert window.state.source.kind is SourceKind.NONE
    assert state(station).message == ""


def test_abort_works_from_another_page(qtbot, station, running):  # noqa: F811
    station.window.show_page("live")
    qtbot.keyClick(station.window, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: state(station).report.phase == "abort", timeout=LONG)


def test_a_fault_is_switched_on_and_off_while_it_runs(qtbot, station, running):  # noqa: F811
    window = station.window
    for key in ("frozen_rpm", "packet_loss"):
        window.simulator_ordered.emit(SetFault(key))
        qtbot.waitUntil(lambda key=key: key in state(station).report.faults, timeout=LONG)
        assert running.faults.is_on(key)
    qtbot.waitUntil(lambda: any(p.lost for p in window.live_model.health.providers), timeout=LONG)
    for key in ("frozen_rpm", "packet_loss"):
        window.simulator_ordered.emit(SetFault(key, False))
    qtbot.waitUntil(lambda: state(station).report.faults == (), timeout=LONG)


def test_what_is_chosen_is_what_is_simulated(qtbot, station, page):  # noqa: F811
    page.setup.choice.vehicle.choose("four-600")
    page.setup.fields["temperature_c"].setText("104")  # °F
    qtbot.keyClick(station.window, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: state(station).report is not None, timeout=LONG)
    plan = state(station).plan
    assert plan.profile == "four-600"
    assert plan.temperature_c == pytest.approx(40.0)
    assert state(station).report.gears == len(PROFILES["four-600"].gear_ratios)
    assert not page.setup.isEnabled()


def test_a_start_with_another_vehicle_replaces_the_one_that_runs(
    qtbot,
    station,  # noqa: F811
    running,
):
    station.window.simulator_start_requested.emit(SimulatorPlan("four-600"))
    gears = len(PROFILES["four-600"].gear_ratios)
    qtbot.waitUntil(
        lambda: state(station).report is not None and state(station).report.gears == gears,
        timeout=LONG,
    )
    assert station.window.state.source.interface == LOOPBACK


@pytest.fixture
def impossible(tmp_path):
    path = tmp_path / "mine.json"
    document = json.loads(profile_to_json(PROFILES["m8-114"])) | {"engine_inertia_kgm2": 0.0}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_vehicle_that_cannot_be_is_refused_before_anything_starts(
    station,  # noqa: F811
    page,
    impossible,
):
    page.setup.choice.use_file(impossible)
    assert "engine_inertia_kgm2" in page.detail.text()
    assert page.setup.plan().profile_file is None
    assert state(station).running is Running.OFF


def test_a_vehicle_that_has_become_impossible_is_refused_with_the_name_of_the_field(
    qtbot,
    station,  # noqa: F811
    page,
    impossible,
):
    station.window.simulator_start_requested.emit(SimulatorPlan(profile_file=impossible))
    qtbot.waitUntil(lambda: bool(state(station).message), timeout=LONG)
    assert "engine_inertia_kgm2" in state(station).message
    assert "engine_inertia_kgm2" in page.detail.text()
    assert state(station).running is Running.OFF


def test_the_load_brake_is_worked_by_hand(qtbot, station, running):  # noqa: F811
    window = station.window
    qtbot.keyClick(window, Qt.Key.Key_K)
    qtbot.waitUntil(lambda: state(station).report.clutch_closed, timeout=LONG)
    running.load.mode.choose("brake")
    running.load.target.setText("20")
    running.button.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_Q)
    qtbot.waitUntil(lambda: state(station).report.load == "brake", timeout=LONG)
    assert state(station).report.load_target == 20.0
    qtbot.keyClick(window, Qt.Key.Key_Q)
    qtbot.waitUntil(lambda: state(station).report.load == "off", timeout=LONG)


def test_a_tune_of_ones_own_is_simulated(tmp_path):
    plan = SimulatorPlan(scenario_file=tmp_path / "mine.json")
    assert f"--scenario={tmp_path / 'mine.json'}" in simulator_command(plan)


def test_a_simulated_dyno_that_dies_is_said_so(qtbot, station, running):  # noqa: F811
    os.kill(station._rehearsal._process.processId(), signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(state(station).message), timeout=LONG)
    assert "The simulated dyno stopped." in station.window.state.notice.text
    assert state(station).running is Running.OFF


def test_a_recording_is_not_ended_by_starting_a_simulated_dyno(
    qtbot,
    station,  # noqa: F811
    running,
):
    station.start_recording()
    qtbot.waitUntil(lambda: station.recording is not None, timeout=LONG)
    before = station._rehearsal._process.processId()
    station.window.simulator_start_requested.emit(SimulatorPlan())
    assert "being recorded" in station.window.state.notice.text
    assert station._rehearsal._process.processId() == before
    assert station.recording is not None


def test_orders_without_a_simulated_dyno_do_nothing(station):  # noqa: F811
    station.window.simulator_ordered.emit(Perform("wot_pull"))
    station.window.simulator_stop_requested.emit()
    assert state(station).running is Running.OFF


def test_closing_the_program_ends_the_process(qtbot, station, running):  # noqa: F811
    process = station._rehearsal._process.processId()
    station.shut_down()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


# Words


def test_the_page_offers_every_drive_and_every_fault_with_somebody_who_notices():
    from dynoai_desktop.capture.bus_faults import BUS_FAULTS
    from dynoai_desktop.core.simulator.faults import FAULTS
    from dynoai_desktop.core.simulator.orders import ROUND
    from dynoai_desktop.core.simulator.programmes import PROGRAMMES

    assert {row.programme for row in DRIVES} == {*PROGRAMMES, ROUND}
    assert [row.key for row in faults()] == [*FAULTS, *BUS_FAULTS]
    assert all(": " in row.noticed and "_" not in row.noticed for row in faults())
    assert noticed([("preflight", "rpm_frozen")]) == "Preflight: Engine speed moves"


def test_the_usual_day_is_the_simulators_own():
    from dynoai_desktop.core.simulator.weather import Weather

    plan = SimulatorPlan()
    there = Weather.at_altitude(plan.altitude_m, plan.temperature_c, plan.humidity_pct)
    assert there.baro_kpa == pytest.approx(Weather().baro_kpa, abs=0.01)
    assert (there.temperature_c, there.humidity_pct) == (
        Weather().temperature_c,
        Weather().humidity_pct,
    )


def test_a_day_below_zero_survives_the_command_line():
    assert "--temperature=-12.5" in simulator_command(SimulatorPlan(temperature_c=-12.5))
