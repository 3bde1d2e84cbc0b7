"""The page of the vehicles: by keyboard alone, errors at their field, nothing typed is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from dynoai_desktop.core.store.vehicles import TITLES, VehicleError, VehicleRecord
from dynoai_desktop.core.units import Display, UnitSystem
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.messages import RecordingState, VehiclesState
from dynoai_desktop.ui.panels.vehicle_entries import ENTRIES
from dynoai_desktop.ui.panels.vehicle_form import VehicleForm
from tests.test_vehicles import KING
from tests.ui_world import heard

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

TURBO = VehicleRecord("Turbo", fuel="E85", boost_kpa=100.0)
US, METRIC = Display(UnitSystem.US), Display(UnitSystem.METRIC)


@pytest.fixture
def window(qtbot, tmp_path: Path) -> MainWindow:
    shown = MainWindow(tmp_path / "settings.ini", version="1.2.3", notices="Qt, LGPL")
    qtbot.addWidget(shown)
    shown.show()
    shown.set_vehicles(VehiclesState(KING, KING.name, (KING, TURBO)))
    shown.show_page("vehicle")
    return shown


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(window.focusWidget() or window, key, modifier)


def test_the_header_names_the_vehicle_and_opens_the_page(qtbot, window) -> None:
    window.show_page("live")
    assert window.header.vehicle.name.text() == KING.name
    qtbot.mouseClick(window.header.vehicle, Qt.MouseButton.LeftButton)
    assert window.page == "vehicle"
    assert window.header.vehicle.height() >= 64


def test_the_header_names_the_session_that_is_recorded(window) -> None:
    window.set_recording(RecordingState(active=True, folder=Path("/d/20261121_road-king")))
    assert window.header.vehicle.session.text() == "20261121_road-king"


def test_enter_uses_the_selected_vehicle(qtbot, window) -> None:
    chosen = heard(window.vehicle_chosen)
    press(qtbot, window, Qt.Key.Key_Down)
    press(qtbot, window, Qt.Key.Key_Return)
    assert chosen == [TURBO.name]


def test_the_vehicle_in_use_is_selected_and_shown(window) -> None:
    panel = window.panel()
    assert panel.table.selected() == KING
    assert panel.form.fields["redline_rpm"].text() == "5800"
    assert not panel.form.isEnabled()


def test_a_new_vehicle_by_keyboard_alone(qtbot, window) -> None:
    saved = []
    window.vehicle_saved.connect(lambda record, replaces: saved.append((record, replaces)))
    press(qtbot, window, Qt.Key.Key_N)
    qtbot.keyClicks(window.focusWidget(), "Sportster 883")
    press(qtbot, window, Qt.Key.Key_Tab)
    qtbot.keyClicks(window.focusWidget(), "883")
    press(qtbot, window, Qt.Key.Key_Tab)
    qtbot.keyClicks(window.focusWidget(), "2")
    press(qtbot, window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert saved == [(VehicleRecord("Sportster 883", displacement_cc=883.0, cylinders=2), "")]


def test_space_in_a_name_starts_no_recording(qtbot, window) -> None:
    wanted = heard(window.record_requested)
    press(qtbot, window, Qt.Key.Key_N)
    qtbot.keyClicks(window.focusWidget(), "my 1 E")
    assert window.panel().form.fields["name"].text() == "my 1 E"
    assert wanted == [] and window.page == "vehicle"


def test_an_error_stands_at_its_field_and_nothing_is_saved(qtbot, window) -> None:
    saved = heard(window.vehicle_saved)
    panel = window.panel()
    press(qtbot, window, Qt.Key.Key_E)
    panel.form.fields["redline_rpm"].setText("fast")
    press(qtbot, window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert saved == []
    assert "Redline: “fast” is no number" in panel.form.labels["redline_rpm"].text()
    assert "Redline" in panel.message.text()
    assert window.focusWidget() is panel.form.fields["redline_rpm"]
    panel.form.fields["redline_rpm"].setText("6000")
    press(qtbot, window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert panel.form.labels["redline_rpm"].text() == "Redline, rpm"
    assert saved == [replace(KING, redline_rpm=6000.0)]


def test_a_refusal_from_the_disk_stands_at_its_field_every_time(qtbot, window) -> None:
    refused = VehiclesState(
        KING, KING.name, (KING, TURBO), "would share a folder.", "name", failed=True
    )
    window.vehicle_saved.connect(lambda *_: window.set_vehicles(refused))
    panel = window.panel()
    press(qtbot, window, Qt.Key.Key_N)
    for _ in range(2):
        panel.form.fields["name"].setText("road king 114")
        press(qtbot, window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
        assert "would share a folder" in panel.form.labels["name"].text()
        assert panel.is_editing and panel.form.fields["name"].text() == "road king 114"


def test_a_saved_record_ends_the_typing(qtbot, window) -> None:
    press(qtbot, window, Qt.Key.Key_E)
    newer = replace(KING, redline_rpm=6000.0)
    window.set_vehicles(VehiclesState(newer, KING.name, (newer, TURBO), "Saved.", saved=1))
    panel = window.panel()
    assert not panel.is_editing
    assert panel.form.fields["redline_rpm"].text() == "6000"
    assert panel.message.text() == "Saved."


def test_esc_lets_go_of_what_was_typed_and_then_of_the_page(qtbot, window) -> None:
    panel = window.panel()
    press(qtbot, window, Qt.Key.Key_E)
    panel.form.fields["note"].setText("something")
    press(qtbot, window, Qt.Key.Key_Escape)
    assert not panel.is_editing and panel.form.fields["note"].text() == KING.note
    press(qtbot, window, Qt.Key.Key_Escape)
    assert window.page != "vehicle"


def test_what_is_typed_survives_news_from_the_bus(qtbot, window) -> None:
    press(qtbot, window, Qt.Key.Key_E)
    panel = window.panel()
    panel.form.fields["note"].setText("half a sen")
    window.show_notice("something else")
    window.set_vehicles(replace(window.state.vehicles, record=TURBO))
    assert panel.is_editing and panel.form.fields["note"].text() == "half a sen"


def test_while_recording_nothing_can_be_changed_and_it_is_said(qtbot, window) -> None:
    window.set_recording(RecordingState(active=True, folder=Path("/d/x")))
    panel = window.panel()
    assert "Stop it before" in panel.message.text()
    assert not any(b.isEnabled() for b in (panel.use, panel.edit, panel.new))
    press(qtbot, window, Qt.Key.Key_N)
    assert not panel.is_editing


def test_without_a_vehicle_the_page_says_what_it_is_for(qtbot, window) -> None:
    window.set_vehicles(VehiclesState())
    panel = window.panel()
    assert panel.stack.currentWidget() is panel.empty
    press(qtbot, window, Qt.Key.Key_N)
    assert panel.is_editing and panel.stack.currentWidget() is not panel.empty
    assert isinstance(window.focusWidget(), QLineEdit)


def test_a_rehearsal_says_which_vehicle_comes_back(window) -> None:
    guest = VehicleRecord("Simulated twin", simulated=True)
    window.set_vehicles(VehiclesState(guest, KING.name, (KING, TURBO)))
    words = window.panel().in_use.text()
    assert "Simulated twin" in words and KING.name in words


# Reading and printing


@pytest.mark.parametrize("display", [US, METRIC], ids=["us", "metric"])
def test_a_record_that_is_shown_and_not_touched_is_read_back_exactly(qtbot, display) -> None:
    form = VehicleForm(Look(display=display))
    qtbot.addWidget(form)
    for record in (KING, TURBO, VehicleRecord("Bare", tyre_circumference_m=2.0 / 3.0)):
        form.show_record(record)
        assert form.record() == record


def test_units_change_under_what_was_typed(qtbot) -> None:
    form = VehicleForm(Look(display=METRIC))
    qtbot.addWidget(form)
    form.show_record(KING)
    form.fields["tyre_circumference_m"].setText("2.1336")
    form.set_look(Look(display=US))
    assert form.fields["tyre_circumference_m"].text() == "7"
    assert form.labels["tyre_circumference_m"].text() == "Tyre circumference, ft"
    assert form.record().tyre_circumference_m == pytest.approx(2.1336)


TYPED = [
    ("gear_ratios", "3.34 2.30,1.71", (3.34, 2.30, 1.71)),
    ("gear_ratios", "3,34; 2,30", (3.34, 2.30)),
    ("gear_ratios", "", ()),
    ("injector_dead_ms", "14:0.9 12:1.2", ((12.0, 1.2), (14.0, 0.9))),
    ("injector_dead_ms", "12,5:1,1", ((12.5, 1.1),)),
    ("boost_kpa", "", 0.0),
    ("redline_rpm", "", None),
    ("cylinders", "4", 4),
    ("name", "  Road   King ", "Road King"),
]


@pytest.mark.parametrize(("key", "text", "value"), TYPED)
def test_what_is_typed_is_read_with_point_or_comma(key, text, value) -> None:
    (entry,) = (e for e in ENTRIES if e.key == key)
    assert entry.value(text, VehicleRecord("Other", boost_kpa=10.0), US) == value


WRONG = [
    ("gear_ratios", "3.34 second"),
    ("injector_dead_ms", "14 0.9"),
    ("injector_dead_ms", "14:x"),
    ("cylinders", "2.5"),
    ("tyre_circumference_m", "68"),
    ("displacement_cc", "nan"),
    ("idle_rpm", "1e999"),
    ("redline_rpm", "6 000"),
]


@pytest.mark.parametrize(("key", "text"), WRONG)
def test_what_is_no_figure_is_refused_by_the_name_of_its_field(key, text) -> None:
    (entry,) = (e for e in ENTRIES if e.key == key)
    with pytest.raises(VehicleError) as caught:
        entry.value(text, KING, US)
    assert caught.value.field == key


def test_a_range_is_said_in_the_unit_that_is_typed() -> None:
    (entry,) = (e for e in ENTRIES if e.key == "tyre_circumference_m")
    with pytest.raises(VehicleError, match=r"68 ft is not between 0.98 and 19.69 ft"):
        entry.value("68", KING, US)


def test_everything_that_is_stated_has_a_field() -> None:
    typed = {entry.key for entry in ENTRIES} | {"fuel", "simulated"}
    assert typed == set(TITLES)
