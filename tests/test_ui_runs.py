"""Runs and the replay bar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState, RecordingState, SourceKind, SourceState
from dynoai_desktop.ui.panels.runs import SESSION_COLUMNS, RunsPanel
from dynoai_desktop.ui.widgets.transport import SPEEDS, Transport
from tests import ui_world
from tests.ui_world import heard

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

RUNS = FrameState(
    sessions=(
        ui_world.session(1),
        ui_world.session(2, note="ended unexpectedly"),
        ui_world.session(3, simulated=True),
    )
)
REPLAY = SourceState(SourceKind.REPLAY, path=Path("/runs/one"), position_s=20.0, duration_s=60.0)
TITLES = [column.title for column in SESSION_COLUMNS]


@pytest.fixture
def panel(qtbot):
    shown = RunsPanel(Look())
    qtbot.addWidget(shown)
    shown.show()
    return shown


@pytest.fixture
def transport(qtbot):
    shown = Transport()
    qtbot.addWidget(shown)
    shown.resize(1000, 80)
    shown.show()
    shown.show_source(REPLAY)
    return shown


def column(panel, title):
    at = TITLES.index(title)
    return [panel.model.index(row, at).data() for row in range(panel.model.rowCount())]


def test_without_runs_the_page_says_how_to_get_one(panel):
    wanted = heard(panel.page_wanted)
    assert panel.note.isVisible()
    assert "press Space" in panel.note.text.text()
    panel.note.button.click()
    assert wanted == ["live"]


def test_runs_tell_duration_kind_and_what_went_wrong(panel):
    panel.show_state(RUNS)
    assert column(panel, "Duration") == ["01:21", "01:22", "01:23"]
    assert column(panel, "Data") == ["dyno", "dyno", "SIMULATED"]
    assert column(panel, "Note") == ["", "! ended unexpectedly", ""]


def test_enter_replays_the_chosen_run(panel, qtbot):
    panel.show_state(RUNS)
    replays = heard(panel.replay_requested)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(panel.table, key)
    assert replays == [RUNS.sessions[1].path]


def test_o_shows_the_folder_of_the_chosen_run(panel):
    panel.show_state(RUNS)
    folders = heard(panel.open_folder_requested)
    assert panel.act("open_folder")
    assert folders == [RUNS.sessions[0].path]


def test_a_recording_is_not_left_for_a_replay(panel, qtbot):
    panel.show_state(replace(RUNS, recording=RecordingState(active=True)))
    replays = heard(panel.replay_requested)
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert replays == []
    assert not panel.replay.isEnabled()
    assert "stop it" in panel.heading.text()


def test_a_new_run_does_not_move_the_choice(panel):
    panel.show_state(RUNS)
    panel.table.selectRow(2)
    panel.show_state(replace(RUNS, sessions=(ui_world.session(9), *RUNS.sessions)))
    assert panel.table.selected() == RUNS.sessions[2]


def test_a_vehicle_named_in_markup_is_text(panel):
    hostile = replace(ui_world.session(1), vehicle="<h1>&FXDL</h1>", note="<script>")
    panel.show_state(FrameState(sessions=(hostile,)))
    assert column(panel, "Vehicle") == ["<h1>&FXDL</h1>"]
    assert column(panel, "Note") == ["! <script>"]


def test_dates_out_of_the_calendar_are_a_dash(panel):
    panel.show_state(FrameState(sessions=(replace(ui_world.session(1), start_s=1e300),)))
    assert column(panel, "Started") == ["–"]


def test_play_pauses_and_goes_on(transport):
    paused = heard(transport.paused)
    transport.play.click()
    transport.show_source(replace(REPLAY, paused=True))
    assert transport.play.text() == "Play  [Space]"
    transport.play.click()
    assert paused == [True, False]


@pytest.mark.parametrize("speed", SPEEDS)
def test_every_pace_has_a_button_that_shows_it(transport, speed):
    speeds = heard(transport.speed_changed)
    transport.speeds[speed].click()
    assert speeds == [speed]
    transport.show_source(replace(REPLAY, speed=speed))
    assert [s for s, button in transport.speeds.items() if button.isChecked()] == [speed]


def test_the_slider_seeks_when_it_is_let_go_not_on_the_way(transport):
    sought = heard(transport.seeked)
    transport.slider.setSliderDown(True)
    transport.slider.setSliderPosition(450)
    transport.show_source(replace(REPLAY, position_s=21.0))  # the replay goes on meanwhile
    assert sought == []
    assert transport.slider.sliderPosition() == 450
    transport.slider.setSliderDown(False)
    assert sought == [45.0]


def test_the_slider_follows_the_replay_without_seeking(transport):
    sought = heard(transport.seeked)
    transport.show_source(replace(REPLAY, position_s=42.0))
    assert transport.slider.value() == 420
    assert transport.position.text() == "00:42 / 01:00"
    assert sought == []


def test_back_to_live_is_a_wish(transport):
    wanted = heard(transport.live_wanted)
    transport.live.click()
    assert len(wanted) == 1


def test_a_file_without_length_can_be_shown(transport):
    sought = heard(transport.seeked)
    transport.show_source(replace(REPLAY, position_s=0.0, duration_s=0.0))
    transport.seek_by(5)
    assert sought == [0.0]
