"""The frame: badges, bus, figures in the tuner's units, and drawing only what is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import MixtureScale, UnitSystem
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.marks import Standing
from dynoai_desktop.ui.messages import (
    RecordingState,
    SourceKind,
    SourceState,
)
from dynoai_desktop.ui.panels import PANELS
from dynoai_desktop.ui.theme import BUTTON_PX
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


# What the frame shows


@pytest.mark.parametrize("in_source, on_bus", [(True, False), (False, True)])
def test_simulated_data_is_marked_on_every_page(qtbot, window, in_source, on_bus):
    window.set_source_state(replace(LIVE, simulated=in_source))
    window.live_model.take_health(ui_world.bus(simulated=on_bus))
    for spec in PANELS:
        window.show_page(spec.key)
        assert window.header.simulated.isVisible()
    window.set_saddle(True)
    assert window.header.simulated.isVisible()
    assert window.header.simulated.text() == "SIMULATED"


def test_a_real_dyno_is_not_marked_simulated(window):
    window.set_source_state(LIVE)
    window.live_model.take_health(ui_world.bus())
    assert not window.header.simulated.isVisible()


def test_a_replay_is_marked_with_position_and_pace(window):
    window.set_source_state(replace(REPLAY, speed=4.0))
    assert window.header.replay.isVisible()
    assert window.header.recording.text() == "00:20 / 01:00  4×"
    window.set_source_state(LIVE)
    assert not window.header.replay.isVisible()


def test_the_bus_line_counts_channels_and_losses(window):
    window.set_source_state(LIVE)
    window.live_model.take_health(ui_world.bus(35, lost=12))
    assert window.header.bus.text() == "◉ Power Core 35 ch · 20 Hz · lost 12 · clock ok"


def test_loss_is_told_in_the_foot_with_what_to_do(window):
    window.set_source_state(LIVE)
    window.live_model.take_health(ui_world.bus(lost=300))
    assert "2.9%" in window.footer.line.text()
    assert "Check cable" in window.footer.line.text()
    assert window.rail.button("connect").mark.standing is Standing.ATTENTION


def test_recording_shows_its_time_and_a_failing_disk_raises_an_alarm(window):
    window.set_source_state(LIVE)
    window.live_model.take_health(ui_world.bus())
    window.set_recording(RecordingState(True, 72.9, Path("/sessions/one")))
    assert window.header.recording.text() == "● REC 01:12"
    assert "one" in window.footer.line.text()
    window.set_recording(RecordingState(False, 73.0, alarm="The disk is full. Make room."))
    assert window.header.recording.text() == "× REC failed"
    assert window.footer.line.text() == "The disk is full. Make room."
    assert window.footer.sign.text() == "× Alarm"


def test_a_source_that_fails_says_so_and_what_to_do(window):
    window.set_source_state(LIVE)
    window.live_model.take_failure("Cannot join 224.0.2.10. Check the network.")
    assert window.footer.line.text() == "Cannot join 224.0.2.10. Check the network."
    assert window.panel("connect").note.title.text() == "× Not connected"
    assert window.rail.button("connect").mark.standing is Standing.BLOCKED


def test_silence_on_the_bus_tells_what_to_check(window):
    window.set_source_state(LIVE)
    assert "Nothing heard on 127.0.0.1 yet" in window.footer.line.text()


# Figures


def test_absent_is_a_dash_and_zero_is_zero(window):
    window.show_page("live")
    window.live_model.take_snapshot(ui_world.readings({Channel.TPS: 0.0}))
    window.refresh()
    said = numerals(window)
    assert said["TPS"].text == "0"
    assert said["rpm"].text == said["MAP"].text == said["Torque"].text == "–"


def test_a_stale_figure_is_grey_and_says_how_old_it_is(window):
    window.show_page("live")
    window.live_model.take_snapshot(ui_world.snapshot(silent_s={Channel.MAP: 7.0}))
    window.refresh()
    said = numerals(window)["MAP"]
    assert said.is_stale
    assert said.note == "7.0 s old" or said.note == "7.1 s old"
    assert not numerals(window)["rpm"].is_stale


def test_changing_units_changes_every_figure_that_has_them(window):
    window.show_page("live")
    values = {
        Channel.RPM: 4820.0,
        Channel.LAMBDA_FRONT: 0.87,
        Channel.LAMBDA_REAR: 0.91,
        Channel.POWER: 74.57,
        Channel.TORQUE: 135.6,
    }
    window.live_model.take_snapshot(ui_world.readings(values))
    window.refresh()
    us = {name: (n.text, n.unit) for name, n in numerals(window).items()}
    assert us["AFR F"] == ("12.8", "")
    assert us["AFR R"] == ("13.4", "")
    assert us["Power"] == ("100", "hp")
    assert us["Torque"] == ("100", "lb·ft")
    window.settings_changed.emit(
        replace(window.preferences, system=UnitSystem.METRIC, mixture=MixtureScale.LAMBDA)
    )
    metric = {name: (n.text, n.unit) for name, n in numerals(window).items()}
    assert metric["λ F"] == ("0.87", "")
    assert metric["λ R"] == ("0.91", "")
    assert metric["Power"] == ("75", "kW")
    assert metric["Torque"] == ("136", "N·m")
    assert metric["rpm"] == us["rpm"]


def test_the_fuel_decides_what_afr_a_lambda_is(window):
    window.show_page("live")
    window.settings_changed.emit(replace(window.preferences, fuel="E85"))
    window.live_model.take_snapshot(ui_world.readings({Channel.LAMBDA_FRONT: 1.0}))
    window.refresh()
    assert numerals(window)["AFR F"].text == "9.8"


def test_one_probe_for_both_cylinders_is_one_figure(window):
    window.show_page("live")
    window.live_model.take_snapshot(ui_world.readings({Channel.LAMBDA: 0.9}))
    window.refresh()
    shown = {name: n.text for name, n in numerals(window).items() if n.isVisible()}
    assert shown["AFR"] == "13.2"
    assert "AFR R" not in shown


def test_another_source_leaves_nothing_of_the_last_one(window):
    window.set_source_state(LIVE)
    window.show_page("live")
    window.live_model.take_snapshot(ui_world.snapshot())
    window.refresh()
    window.set_source_state(REPLAY)
    assert numerals(window)["rpm"].text == "–"
    assert window.panel("live").note.isVisible()


# Drawing


def test_a_hidden_page_is_not_drawn(window, monkeypatch):
    drawn: list[str] = []
    for key in ("connect", "live"):
        panel = window.panel(key)
        for method in ("show_snapshot", "show_figures", "show_health"):
            monkeypatch.setattr(panel, method, lambda *_, key=key: drawn.append(key))
    window.show_page("runs")
    drawn.clear()
    window.live_model.take_snapshot(ui_world.snapshot())
    window.live_model.take_health(ui_world.bus())
    assert drawn == []
    window.show_page("live")
    assert set(drawn) == {"live"}


def test_a_hidden_window_draws_nothing(window):
    window.show_page("live")
    drawn = heard(window.live_model.curves_due)
    window.hide()
    window.live_model.take_snapshot(ui_world.snapshot())
    assert drawn == []
    window.show()
    assert len(drawn) == 1


def test_the_window_tells_when_a_snapshot_is_on_the_screen(qtbot, window):
    window.show_page("live")
    snapshot = ui_world.snapshot()
    with qtbot.waitSignal(window.frame_drawn) as signal:
        window.live_model.take_snapshot(snapshot)
    assert signal.args == [snapshot.time_s]


# Hands


@pytest.mark.parametrize("page", [spec.key for spec in PANELS])
def test_buttons_are_high_enough_for_gloves_and_have_names(window, page):
    window.set_source_state(REPLAY)
    window.set_sessions([ui_world.session(1)])
    window.show_page(page)
    for button in window.findChildren(QPushButton):
        if button.isVisible() and button.property("role") != "compact":
            assert button.height() >= BUTTON_PX, button.text()
            assert button.accessibleName(), button.text()
    for spec in PANELS:
        if spec.in_rail:
            assert window.rail.button(spec.key).height() >= BUTTON_PX


def test_the_window_can_become_small_again(qtbot, window):
    """Text sized for the larger window must not hold the smaller one open."""
    for spec in PANELS:
        window.show_page(spec.key)
    for size in ((1920, 1080), (1280, 800)):
        window.resize(*size)
        qtbot.waitUntil(lambda size=size: (window.width(), window.height()) == size)
        assert window.look.scale == pytest.approx({1920: 1.0, 1280: 0.65}[size[0]])
