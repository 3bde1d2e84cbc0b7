"""The simulator page: it says what is, refuses what cannot be, and obeys the keyboard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QFileDialog

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.absorber import NO_LOAD, LoadMode
from dynoai_desktop.core.simulator.commands import Abort, ByHand, EngineSwitch, SetFault
from dynoai_desktop.core.simulator.orders import Perform, Report
from dynoai_desktop.core.simulator.profile_json import profile_from_json, profile_to_json
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenario import VeRegion
from dynoai_desktop.core.simulator.scenario_json import scenario_from_json
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.units import Display, UnitSystem
from dynoai_desktop.ui.keys import KEYS
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.marks import connect_mark
from dynoai_desktop.ui.messages import FrameState, SourceKind, SourceState, VehiclesState
from dynoai_desktop.ui.rehearsal import (
    DRIVES,
    Choice,
    FaultRow,
    RehearsalState,
    Running,
    SimulatorPlan,
)
from dynoai_desktop.ui.theme import BUTTON_PX
from tests.ui_world import bus, heard

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

IDLE = Report(
    phase="idle",
    programme="idle",
    title="Idle",
    busy=False,
    rpm=900.0,
    tps_pct=0.0,
    map_kpa=30.0,
    speed_kmh=0.0,
    head_c=120.0,
    gear=5,
    gears=6,
    clutch_closed=False,
    brake=0.0,
    load="off",
    load_target=0.0,
    load_n=0.0,
    has_load=True,
    pulls=0,
    engine_on=True,
    faults=(),
)
PULL = replace(
    IDLE, phase="pull", programme="wot_pull", title="Full-throttle pull", busy=True, rpm=4820.0,
    tps_pct=100.0, clutch_closed=True,
)  # fmt: skip
BY_HAND = replace(IDLE, phase="manual", programme="", title="By hand", tps_pct=20.0)
OFF = RehearsalState(
    vehicles=(Choice("m8-114", "V-twin 114"), Choice("four-600", "600 cc four")),
    scenarios=(Choice("perfect", "A finished tune"), Choice("lean", "Lean")),
    faults=(
        FaultRow("weak_pump", "Weak pump", "Live alert: Lean under load"),
        FaultRow("packet_loss", "Loss", "Counted: lost"),
    ),
)


@pytest.fixture
def window(qtbot, tmp_path):
    shown = MainWindow(tmp_path / "settings.ini", version="1", notices="Qt")
    qtbot.addWidget(shown)
    shown.resize(1280, 800)
    shown.show()
    shown.show_page("simulator")
    shown.set_rehearsal(OFF)
    return shown


def tell(window, report=IDLE, **changes):
    running = replace(OFF, running=Running.ON, report=report)
    window.set_rehearsal(replace(running, **changes))
    return window.panel("simulator")


def press(qtbot, window, key):
    qtbot.keyClick(window.focusWidget() or window, key)


def test_g_starts_with_what_is_chosen_and_typed(qtbot, window):
    wishes = heard(window.simulator_start_requested)
    page = window.panel("simulator")
    page.setup.choice.vehicle.choose("four-600")
    page.setup.fields["altitude_m"].setText("5000")  # ft
    page.setup.fields["seed"].setText("42")
    page.setup.choice.scenario.setFocus()
    press(qtbot, window, Qt.Key.Key_Left)
    press(qtbot, window, Qt.Key.Key_G)
    (plan,) = wishes
    assert (plan.profile, plan.scenario, plan.seed) == ("four-600", "perfect", 42)
    assert plan.altitude_m == pytest.approx(1524.0)
    assert plan.temperature_c == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("temperature_c", "", "Temperature must be between -40 and 140 °F."),
        ("temperature_c", "nan", "Temperature"),
        ("altitude_m", "1e9", "Altitude"),
        ("humidity_pct", "101", "Humidity must be between 0 and 100 %."),
        ("seed", "-1", "Seed"),
        ("seed", "1.5", "Seed must be a whole number"),
    ],
)
def test_a_day_that_cannot_be_is_refused_by_name_before_anything_starts(
    qtbot, window, field, text, says
):
    wishes = heard(window.simulator_start_requested)
    page = window.panel("simulator")
    page.setup.fields[field].setText(text)
    press(qtbot, window, Qt.Key.Key_G)
    assert wishes == []
    assert says in page.detail.text()
    page.setup.show_plan(SimulatorPlan())
    press(qtbot, window, Qt.Key.Key_G)
    assert len(wishes) == 1


def test_what_was_typed_means_the_same_in_other_units(window):
    page = window.panel("simulator")
    page.setup.fields["temperature_c"].setText("104")
    page.set_look(replace(window.look, display=Display(UnitSystem.METRIC)))
    assert page.setup.fields["temperature_c"].text() == "40"
    assert page.setup.labels["temperature_c"].text() == "Temperature, °C"


def test_the_connect_page_leads_to_the_simulated_dyno(window):
    window.show_page("connect")
    window.panel("connect").simulated.click()
    assert window.page == "simulator"


def test_the_rail_says_while_the_dyno_is_simulated():
    health = bus()
    live = SourceState(SourceKind.LIVE, interface="127.0.0.1")
    assert connect_mark(FrameState(source=live), health).word == "ready"
    simulated = replace(live, simulated=True)
    assert connect_mark(FrameState(source=simulated), health).word == "simulated"


@pytest.fixture
def mine(tmp_path) -> Path:
    path = tmp_path / "mine.json"
    path.write_text(profile_to_json(PROFILES["four-600"]), encoding="utf-8")
    return path


def test_a_vehicle_file_is_chosen_and_can_be_left_again(window, mine):
    page = window.panel("simulator")
    page.setup.choice.use_file(mine)
    assert page.setup.plan().profile_file == mine
    assert page.setup.choice.vehicle.text.text() == "mine.json"
    page.setup.choice.vehicle.choose("m8-114")
    assert page.setup.plan().profile_file is None


def test_a_tune_file_is_told_from_a_vehicle(window, tmp_path):
    path = tmp_path / "tune.json"
    path.write_text('{"regions": [{"error": -0.1}]}', encoding="utf-8")
    page = window.panel("simulator")
    page.setup.choice.use_file(path)
    plan = page.setup.plan()
    assert (plan.scenario_file, plan.profile_file) == (path, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"mean": 3}', "mean: 3 is not between -0.4 and 0.4"),
        ('{"bore_mm": 100}', "name: is missing"),
        ('{"colour": 1}', "colour: is not a field"),
        ("[", "not JSON"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_field_before_anything_starts(
    window, tmp_path, text, says
):
    path = tmp_path / "bad.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    page = window.panel("simulator")
    page.setup.choice.use_file(path)
    assert says in page.detail.text()
    plan = page.setup.plan()
    assert (plan.scenario_file, plan.profile_file) == (None, None)


def edit(qtbot, window, key):
    press(qtbot, window, key)
    return window.panel("simulator").editor


def test_a_vehicle_is_edited_in_the_tuners_units_and_used(qtbot, window, tmp_path):
    editor = edit(qtbot, window, Qt.Key.Key_O)
    assert editor._labels["peak_power_kw"].text() == "Peak power, hp"
    assert editor.inputs["peak_power_kw"].text() == "110"
    editor.inputs["peak_power_kw"].setText("100")
    editor.inputs["title"].setText("Mine")
    editor.keep(tmp_path / "own.json", editor.text())
    page = window.panel("simulator")
    assert not page.is_editing
    kept = profile_from_json((tmp_path / "own.json").read_text(encoding="utf-8"))
    assert (kept.title, round(kept.peak_power_kw, 2)) == ("Mine", 74.57)
    assert kept.gear_ratios == PROFILES["m8-114"].gear_ratios
    assert page.setup.plan().profile_file == tmp_path / "own.json"


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("displacement_cc", "-5", "Displacement: -5 is not between"),
        ("engine_inertia_kgm2", "0", "Engine inertia: 0 is not between"),
        ("redline_rpm", "800", "Redline: 800 is not between"),
        ("redline_rpm", "4000", "Redline: 4000 rpm must be above"),
        ("peak_power_kw", "", "Peak power: must be a number"),
        ("gear_ratios", "9 x 3", "Overall ratios: must be numbers"),
        ("rear.trim_pct", "1", "Rear apart by: 1 values for 2 rpm points"),
        ("widebands", "1.5", "Widebands: must be a whole number"),
        ("peak_ve", "31", "Peak torque: 1868 cc at a VE of 0.31"),
    ],
)
def test_a_vehicle_that_cannot_be_is_refused_with_the_fields_name(
    qtbot, window, monkeypatch, field, text, says
):
    editor = edit(qtbot, window, Qt.Key.Key_O)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: pytest.fail("asked for a file"))
    editor.inputs[field].setText(text)
    window.act("save_rig")
    assert says in editor.detail.text()
    assert window.panel("simulator").is_editing


def test_a_tune_with_a_known_error_in_a_region_is_made(qtbot, window, tmp_path, monkeypatch):
    editor = edit(qtbot, window, Qt.Key.Key_U)
    editor.start.choose("perfect")
    editor._begin_with("perfect")
    editor.inputs["spark_rear_deg"].setText("-4")
    editor.inputs["injector_flow"].setText("93")
    editor.add.click()
    for column, text in enumerate(("-8", "3000", "4500", "60", "100", "rear")):
        editor.regions.item(0, column).setText(text)
    path = tmp_path / "tune"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    window.act("save_rig")
    made = scenario_from_json(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert (made.spark_rear_deg, made.injector_flow) == (-4.0, pytest.approx(0.93))
    assert made.regions == (VeRegion(-0.08, 3000.0, 4500.0, 60.0, 100.0, Cylinder.REAR),)
    assert window.panel("simulator").setup.plan().scenario_file == path.with_suffix(".json")


def test_what_is_typed_into_a_region_leads_to_no_other_page(qtbot, window, monkeypatch):
    editor = edit(qtbot, window, Qt.Key.Key_U)
    editor.add.click()
    qtbot.keyClick(editor.regions, Qt.Key.Key_3)
    qtbot.keyClick(editor.regions.viewport().focusWidget() or window.focusWidget(), Qt.Key.Key_5)
    assert window.page == "simulator"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    window.act("save_rig")
    assert editor.regions.item(0, 0).text() == "35"


def test_a_region_that_cannot_be_is_named(qtbot, window):
    editor = edit(qtbot, window, Qt.Key.Key_U)
    editor.add.click()
    editor.regions.item(0, 2).setText("100")
    with pytest.raises(ValueError, match="to rpm: must be above rpm_low"):
        editor.text()
    editor.regions.item(0, 2).setText("")
    with pytest.raises(ValueError, match="Part 1, to rpm: must be a number"):
        editor.text()
    editor.remove.click()
    assert "regions" in editor.text()


def test_a_vehicle_of_the_tuners_own_fills_the_form_and_says_what_is_assumed(qtbot, window):
    record = VehicleRecord("Road King", displacement_cc=1868.0, cylinders=2, redline_rpm=5500.0)
    window.set_vehicles(VehiclesState(rows=(record,)))
    editor = edit(qtbot, window, Qt.Key.Key_O)
    editor._begin_with("vehicle:road-king")
    assert editor.inputs["redline_rpm"].text() == "5500"
    assert editor._labels["redline_rpm"].text() == "Redline, rpm"
    assert editor._labels["bore_mm"].text() == "~ Bore, mm"
    assert "not stated" in editor.detail.text()
    profile_from_json(editor.text())


def test_esc_leaves_the_form_and_letters_are_typed(qtbot, window):
    orders, wishes = heard(window.simulator_ordered), heard(window.simulator_start_requested)
    editor = edit(qtbot, window, Qt.Key.Key_O)
    editor.inputs["title"].setFocus()
    editor.inputs["title"].clear()
    for key in (Qt.Key.Key_G, Qt.Key.Key_W):
        press(qtbot, window, key)
    assert editor.inputs["title"].text() == "gw"
    press(qtbot, window, Qt.Key.Key_Escape)
    assert not window.panel("simulator").is_editing
    assert window.page == "simulator"
    assert orders == wishes == []


def test_the_form_makes_room_for_a_dyno_that_starts_elsewhere(qtbot, window):
    edit(qtbot, window, Qt.Key.Key_O)
    page, orders = tell(window, PULL), heard(window.simulator_ordered)
    assert not page.is_editing
    press(qtbot, window, Qt.Key.Key_X)
    assert orders == [Abort()]


def test_what_was_typed_in_the_form_means_the_same_in_other_units(qtbot, window):
    editor = edit(qtbot, window, Qt.Key.Key_O)
    editor.inputs["peak_power_kw"].setText("100")
    editor.set_look(replace(window.look, display=Display(UnitSystem.METRIC)))
    assert editor.inputs["peak_power_kw"].text() == "74.57"


def test_the_set_up_is_remembered_and_faults_are_not(qtbot, window, tmp_path, mine):
    page = window.panel("simulator")
    page.setup.choice.use_file(mine)
    page.setup.choice.scenario.choose("perfect")
    page.setup.fields["seed"].setText("7")
    page.setup.fields["temperature_c"].setText("104")
    tell(window, replace(IDLE, faults=("weak_pump",)))
    window.close()
    again = MainWindow(tmp_path / "settings.ini", version="1", notices="Qt")
    qtbot.addWidget(again)
    again.show_page("simulator")
    again.set_rehearsal(OFF)
    plan = again.panel("simulator").setup.plan()
    assert (plan.profile_file, plan.scenario, plan.seed) == (mine, "perfect", 7)
    assert plan.temperature_c == pytest.approx(40.0, abs=0.3)
    assert again.panel("simulator").faults.is_on("weak_pump") is False


def test_a_set_up_that_makes_no_sense_is_the_usual_one(qtbot, window, tmp_path):
    window.close()
    (tmp_path / "settings.ini").write_text(
        "[simulator]\nvehicle=file\nvehicle_file=/gone.json\ntune=x\nseed=nan\naltitude_m=1e9\n",
        encoding="utf-8",
    )
    again = MainWindow(tmp_path / "settings.ini", version="1", notices="Qt")
    qtbot.addWidget(again)
    again.show_page("simulator")
    again.set_rehearsal(OFF)
    plan = again.panel("simulator").setup.plan()
    assert (plan.profile, plan.profile_file, plan.seed) == ("m8-114", None, 1)


# The load brake


def test_the_load_brake_is_told_in_the_tuners_units(qtbot, window):
    page, orders = tell(window), heard(window.simulator_ordered)
    page.load.mode.choose("torque")
    page.load.target.setText("50")
    press(qtbot, window, Qt.Key.Key_Q)
    (order,) = orders
    assert order.load.mode is LoadMode.TORQUE
    assert order.load.target == pytest.approx(67.79, abs=0.01)
    tell(window, replace(BY_HAND, load="torque", load_target=67.79, load_n=900.0))
    assert page.load.button.text() == "● Off: 50 lb·ft  [Q]"
    press(qtbot, window, Qt.Key.Key_Q)
    assert orders[-1] == ByHand(load=NO_LOAD)


@pytest.mark.parametrize("text", ["", "nan", "-5", "101"])
def test_a_load_that_cannot_be_is_refused(qtbot, window, text):
    page, orders = tell(window), heard(window.simulator_ordered)
    page.load.mode.choose("brake")
    page.load.target.setText(text)
    press(qtbot, window, Qt.Key.Key_Q)
    assert orders == []
    assert "Load must be between 0 and 100 %." in page.detail.text()


def test_m_chooses_what_the_load_brake_holds(qtbot, window):
    page = tell(window)
    press(qtbot, window, Qt.Key.Key_M)
    assert page.load.mode.text.text() == "Holds drum, mph"


def test_a_drum_without_a_load_brake_says_so(window):
    page = tell(window, replace(IDLE, has_load=False))
    assert not page.load.button.isEnabled()
    assert page.load.button.text() == "No load brake  [Q]"


@pytest.mark.parametrize("row", DRIVES, ids=lambda row: row.programme)
def test_every_drive_has_a_key_and_a_button_that_says_it(qtbot, window, row):
    page, orders = tell(window), heard(window.simulator_ordered)
    press(qtbot, window, getattr(Qt.Key, f"Key_{row.key}"))
    page.hands.drives[row.programme].click()
    assert orders == [Perform(row.programme)] * 2
    assert f"[{row.key}]" in page.hands.drives[row.programme].text()


def test_hands_by_keyboard(qtbot, window):
    page, orders = tell(window), heard(window.simulator_ordered)
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_0):
        press(qtbot, window, key)
    assert orders == [ByHand(tps_pct=value) for value in (5.0, 10.0, 5.0, 0.0)]
    orders.clear()
    for key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_K, Qt.Key.Key_B, Qt.Key.Key_E):
        press(qtbot, window, key)
    assert orders == [
        ByHand(gear=6), ByHand(gear=4), ByHand(engaged=True), ByHand(drum_brake=1.0),
        EngineSwitch(False),
    ]  # fmt: skip
    tell(window, replace(BY_HAND, gear=6, clutch_closed=True, brake=1.0, engine_on=False))
    orders.clear()
    for key in (Qt.Key.Key_PageUp, Qt.Key.Key_K, Qt.Key.Key_B, Qt.Key.Key_E):
        press(qtbot, window, key)
    assert orders == [
        ByHand(gear=6), ByHand(engaged=False), ByHand(drum_brake=0.0), EngineSwitch(True),
    ]  # fmt: skip
    assert page.word.text() == "Engine off"


def test_the_slider_follows_the_operator_and_stays_in_the_users_hand(window):
    page, orders = tell(window, PULL), heard(window.simulator_ordered)
    assert page.hands.throttle.value() == 100
    tell(window, BY_HAND)
    page.hands.throttle.setValue(35)
    tell(window, replace(BY_HAND, tps_pct=21.0))  # on its way there
    assert page.hands.throttle.value() == 35
    assert orders == [ByHand(tps_pct=35.0)]


def test_esc_twice_aborts_and_once_only_warns(qtbot, window):
    page, orders = tell(window, PULL), heard(window.simulator_ordered)
    press(qtbot, window, Qt.Key.Key_Escape)
    assert "Esc once more" in page.detail.text()
    assert orders == []
    press(qtbot, window, Qt.Key.Key_Escape)
    assert orders == [Abort()]
    assert window.page == "simulator"


def test_a_late_second_esc_is_a_first_one_again(qtbot, window):
    page, orders = tell(window, PULL), heard(window.simulator_ordered)
    page._second_press.setInterval(1)
    press(qtbot, window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: "Esc once more" not in page.detail.text())
    press(qtbot, window, Qt.Key.Key_Escape)
    assert orders == []


def test_esc_at_idle_leads_back(qtbot, window):
    tell(window)
    press(qtbot, window, Qt.Key.Key_Escape)
    assert window.page != "simulator"


@pytest.mark.parametrize("page", ["simulator", "live", "settings"])
def test_x_aborts_from_every_page(qtbot, window, page):
    tell(window, PULL)
    window.show_page(page)
    orders = heard(window.simulator_ordered)
    press(qtbot, window, Qt.Key.Key_X)
    assert orders == [Abort()]


def test_without_a_simulated_dyno_no_key_orders_anything(qtbot, window):
    orders = heard(window.simulator_ordered)
    for row in KEYS:
        if "simulator" in row.pages and row.action not in ("rig_start", "vehicle_file", "save_rig"):
            window.act(row.action)
    press(qtbot, window, Qt.Key.Key_X)
    assert orders == []


def test_enter_switches_the_chosen_fault_and_the_list_shows_what_is_reported(qtbot, window):
    page, orders = tell(window), heard(window.simulator_ordered)
    page.faults.setFocus()
    press(qtbot, window, Qt.Key.Key_Down)
    press(qtbot, window, Qt.Key.Key_Return)
    assert orders == [SetFault("packet_loss", True)]
    assert not page.faults.is_on("packet_loss")
    tell(window, replace(IDLE, faults=("packet_loss",)))
    assert page.faults.item(1).text() == "! ON  Loss\nCounted: lost"
    assert "1 fault on" in page.detail.text()
    press(qtbot, window, Qt.Key.Key_Return)
    assert orders[-1] == SetFault("packet_loss", False)


def test_what_happens_is_said_in_words(window):
    page = tell(window, PULL)
    assert page.word.text() == "Full-throttle pull: pull"
    assert page.badge.isVisible()
    assert page.hands.figures["rpm"].text() == "4\xa0820"
    assert page.hands.drives["wot_pull"].text().startswith("●")
    tell(window, replace(IDLE, refused="gear 9 is not there."))
    assert page.detail.text() == "gear 9 is not there."
    window.set_rehearsal(replace(OFF, message="The simulated dyno stopped. It broke."))
    assert page.word.text() == "No simulated dyno"
    assert "It broke" in page.detail.text()
    assert page.hands.figures["rpm"].text() == "–"


@pytest.mark.parametrize("key", ["", "edit_rig_vehicle", "edit_rig_tune"])
@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_every_button_is_big_enough_for_gloves_and_nothing_is_cut(qtbot, window, size, key):
    page = window.panel("simulator")
    if key:
        window.act(key)
    else:
        tell(window, PULL)
    window.resize(*size)
    qtbot.waitUntil(lambda: page.width() > 0.8 * size[0])
    buttons = [b for b in page.findChildren(QAbstractButton) if b.isVisible()]
    assert buttons
    for button in buttons:
        assert button.height() >= BUTTON_PX - 4, button.text()
        assert button.fontMetrics().horizontalAdvance(button.text()) <= button.width()
    assert page.minimumSizeHint().height() <= page.height()
