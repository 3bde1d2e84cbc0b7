"""The simulator page: it says what is, refuses what cannot be, and obeys the keyboard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from dynoai_desktop.core.simulator.commands import Abort, ByHand, EngineSwitch, SetFault
from dynoai_desktop.core.simulator.orders import Perform, Report
from dynoai_desktop.core.units import Display, UnitSystem
from dynoai_desktop.ui.keys import KEYS
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.rehearsal import (
    DRIVES,
    Choice,
    FaultRow,
    RehearsalState,
    Running,
    SimulatorPlan,
)
from dynoai_desktop.ui.theme import BUTTON_PX
from tests.ui_world import heard

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
    page.setup.vehicle.choose("four-600")
    page.setup.fields["altitude_m"].setText("5000")  # ft
    page.setup.fields["seed"].setText("42")
    page.setup.scenario.setFocus()
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


def test_a_vehicle_file_is_chosen_and_can_be_left_again(window):
    page = window.panel("simulator")
    page.setup.use_file(Path("/shop/mine.json"))
    assert page.setup.plan().profile_file == Path("/shop/mine.json")
    assert page.setup.vehicle.text.text() == "mine.json"
    page.setup.vehicle.choose("m8-114")
    assert page.setup.plan().profile_file is None


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
        if "simulator" in row.pages and row.action not in ("rig_start", "vehicle_file"):
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


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_every_button_is_big_enough_for_gloves_and_nothing_is_cut(qtbot, window, size):
    page = tell(window, PULL)
    window.resize(*size)
    qtbot.waitUntil(lambda: page.width() > 0.8 * size[0])
    for button in page.findChildren(QAbstractButton):
        assert button.height() >= BUTTON_PX - 4, button.text()
        assert button.fontMetrics().horizontalAdvance(button.text()) <= button.width()
    assert page.minimumSizeHint().height() <= page.height()
