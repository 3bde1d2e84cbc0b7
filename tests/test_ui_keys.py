"""Everything by keyboard: each key does what the help page says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from dynoai_desktop.ui.keys import KEYS
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.messages import (
    RecordingState,
    Severity,
    SourceKind,
    SourceState,
)
from dynoai_desktop.ui.panels import PANELS, page_keys
from tests import ui_world
from tests.ui_world import heard

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LIVE = SourceState(SourceKind.LIVE, "127.0.0.1")
REPLAY = SourceState(SourceKind.REPLAY, path=Path("/runs/one"), position_s=20.0, duration_s=60.0)


@pytest.fixture
def settings_path(tmp_path):
    return tmp_path / "settings.ini"


@pytest.fixture
def window(qtbot, settings_path):
    shown = MainWindow(settings_path, version="1.2.3", notices="Qt, LGPL")
    qtbot.addWidget(shown)
    shown.show()
    return shown


def numerals(window):
    """Return what the big figures say, by label."""
    return {numeral.accessibleName(): numeral for numeral in window.panel("live").numerals}


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window.focusWidget() or window, key, modifier)


def test_the_numbers_open_the_pages_of_the_workflow(qtbot, window):
    for key, spec in page_keys():
        if key.isdigit():
            press(qtbot, window, getattr(Qt.Key, f"Key_{key}"))
            assert window.page == spec.key
            assert window.rail.button(spec.key).isChecked()


def test_space_records_and_stops(qtbot, window):
    start, stop = heard(window.record_requested), heard(window.stop_requested)
    window.set_source_state(LIVE)
    press(qtbot, window, Qt.Key.Key_Space)
    window.set_recording(RecordingState(active=True))
    press(qtbot, window, Qt.Key.Key_Space)
    assert (len(start), len(stop)) == (1, 1)


@pytest.mark.parametrize("page", [spec.key for spec in PANELS])
def test_space_records_from_every_page_whatever_has_the_focus(qtbot, window, page):
    """A foot pedal sends Space: it must never press a button that happens to have the focus."""
    window.set_source_state(LIVE)
    window.set_sessions([ui_world.session(1)])
    window.show_page(page)
    start = heard(window.record_requested)
    focusable = [
        widget
        for widget in window.panel().findChildren(QWidget)
        if isinstance(widget, QPushButton)
        and widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    for widget in (window.panel(), *focusable):
        widget.setFocus()
        press(qtbot, window, Qt.Key.Key_Space)
    assert len(start) == 1 + len(focusable)


def test_a_held_space_records_once(qtbot, window):
    """The key repeats while it is held down."""
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtGui import QKeyEvent

    window.set_source_state(LIVE)
    start = heard(window.record_requested)
    press(qtbot, window, Qt.Key.Key_Space)
    held = QKeyEvent(
        QKeyEvent.Type.KeyPress,
        Qt.Key.Key_Space,
        Qt.KeyboardModifier.NoModifier,
        " ",
        autorep=True,
    )
    QCoreApplication.sendEvent(window.focusWidget() or window, held)
    assert len(start) == 1


def test_space_without_a_dyno_says_what_to_do(qtbot, window):
    start = heard(window.record_requested)
    press(qtbot, window, Qt.Key.Key_Space)
    assert start == []
    assert "Choose the interface" in window.footer.line.text()


def test_space_pauses_a_replay_and_goes_on(qtbot, window):
    paused, start = heard(window.replay_paused), heard(window.record_requested)
    window.set_source_state(REPLAY)
    press(qtbot, window, Qt.Key.Key_Space)
    window.set_source_state(replace(REPLAY, paused=True))
    press(qtbot, window, Qt.Key.Key_Space)
    assert paused == [True, False]
    assert start == []


def test_space_at_the_end_of_a_replay_begins_again(qtbot, window):
    paused, sought = heard(window.replay_paused), heard(window.replay_seeked)
    window.set_source_state(replace(REPLAY, position_s=60.0, finished=True))
    press(qtbot, window, Qt.Key.Key_Space)
    assert (sought, paused) == ([0.0], [False])


def test_arrows_seek_five_seconds_and_quick_presses_add_up(qtbot, window):
    window.set_source_state(REPLAY)
    window.show_page("live")
    sought = heard(window.replay_seeked)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left):
        press(qtbot, window, key)
    assert sought == [25.0, 30.0, 25.0]


def test_arrows_stay_within_the_recording(qtbot, window):
    window.show_page("live")
    sought = heard(window.replay_seeked)
    window.set_source_state(replace(REPLAY, position_s=58.0))
    press(qtbot, window, Qt.Key.Key_Right)
    window.set_source_state(replace(REPLAY, position_s=2.0))
    press(qtbot, window, Qt.Key.Key_Left)
    assert sought == [60.0, 0.0]


def test_arrows_mean_nothing_while_listening(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("live")
    sought = heard(window.replay_seeked)
    press(qtbot, window, Qt.Key.Key_Right)
    assert sought == []


def test_up_and_down_change_the_pace(qtbot, window):
    window.set_source_state(REPLAY)
    window.show_page("live")
    speeds = heard(window.replay_speed_changed)
    press(qtbot, window, Qt.Key.Key_Down)  # already the slowest
    for speed in (1.0, 4.0, 16.0, 0.0):
        window.set_source_state(replace(REPLAY, speed=speed))
        press(qtbot, window, Qt.Key.Key_Up)
    assert speeds == [4.0, 16.0, 0.0]


def test_l_goes_back_to_the_dyno_only_from_a_replay(qtbot, window):
    live = heard(window.live_requested)
    window.set_source_state(LIVE)
    press(qtbot, window, Qt.Key.Key_L)
    window.set_source_state(REPLAY)
    press(qtbot, window, Qt.Key.Key_L)
    assert len(live) == 1


def test_ctrl_r_empties_the_map_on_live_alone(qtbot, window):
    reset = heard(window.reset_map_requested)
    window.set_source_state(LIVE)
    window.show_page("connect")
    press(qtbot, window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert reset == []
    window.show_page("live")
    press(qtbot, window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert len(reset) == 1


def test_f11_is_the_saddle_view_and_esc_leaves_it(qtbot, window):
    window.live_model.take_snapshot(ui_world.snapshot())
    press(qtbot, window, Qt.Key.Key_F11)
    assert window.page == "live"
    shown = [name for name, numeral in numerals(window).items() if numeral.isVisible()]
    assert len(shown) == 4
    assert not window.rail.isVisible()
    assert not window.panel().strips.isVisible()
    assert window.panel().map.isVisible()
    assert window.header.isVisible()
    press(qtbot, window, Qt.Key.Key_Escape)
    assert window.rail.isVisible()
    assert window.panel().strips.isVisible()


def test_help_lists_every_key_and_esc_goes_back(qtbot, window):
    window.show_page("runs")
    press(qtbot, window, Qt.Key.Key_Question)
    assert window.page == "keys"
    from PySide6.QtWidgets import QLabel

    words = {label.text() for label in window.panel().findChildren(QLabel)}
    assert {row.text for row in KEYS} <= words
    press(qtbot, window, Qt.Key.Key_Escape)
    assert window.page == "runs"


@pytest.mark.parametrize("page", [spec.key for spec in PANELS])
def test_no_two_actions_of_a_page_share_a_key(page):
    here = [row for row in KEYS if not row.pages or page in row.pages]
    keys = [key for row in here for key in row.keys] + [key for key, _ in page_keys()]
    assert len(keys) == len(set(keys))


def test_a_notice_stays_until_it_is_acknowledged(qtbot, window):
    window.set_source_state(LIVE)
    window.live_model.take_health(ui_world.bus())
    window.show_notice("The map was emptied.", Severity.INFO)
    assert "The map was emptied." in window.footer.line.text()
    press(qtbot, window, Qt.Key.Key_A)
    assert window.footer.line.text() == ""


def test_a_notice_of_the_bus_can_be_acknowledged_too(qtbot, window):
    window.set_source_state(LIVE)
    window.live_model.take_health(ui_world.with_notice(ui_world.bus(), "Power Core restarted."))
    assert "Power Core restarted." in window.footer.line.text()
    press(qtbot, window, Qt.Key.Key_A)
    assert window.footer.line.text() == ""
