"""Targets and thresholds: edited by keyboard, pasted, taken from a tune, and always undone."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication

from dynoai_desktop.core.axis import Axis, CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.limits import AlertLimits, GateLimits, LiveSettings
from dynoai_desktop.core.live.targets import TargetError, preset_targets
from dynoai_desktop.core.live.tune_targets import tune_targets
from dynoai_desktop.core.tune.tables import TuneError
from dynoai_desktop.core.units import Display, MixtureScale, Unit, UnitSystem
from dynoai_desktop.ui.keys import KEYS
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.messages import TargetsState
from dynoai_desktop.ui.panels.limits import limit_rows, with_limit
from dynoai_desktop.ui.target_editor import TargetEditor
from tests import tune_world, ui_world
from tests.ui_world import heard

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

RPM, LOAD = default_rpm_axis(), default_map_axis()
STREET = preset_targets("street", RPM, LOAD)
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def editor() -> TargetEditor:
    return TargetEditor(STREET, Display())


def whole_table(value: str, rows: int = len(RPM), columns: int = len(LOAD)) -> str:
    """Spreadsheet text of one value."""
    return "\n".join(["\t".join([value] * columns)] * rows)


# The editor


def test_a_number_typed_is_lambda_or_afr_by_its_size(editor):
    editor.enter([(3, 4)], "13,23")
    assert editor.grid.values[3, 4] == pytest.approx(0.9)
    editor.enter([(3, 4)], "0.85")
    assert editor.grid.values[3, 4] == pytest.approx(0.85)


def test_afr_is_that_of_the_fuel():
    editor = TargetEditor(STREET, Display(stoich=9.765))
    editor.enter([(0, 0)], "9.765")
    assert editor.grid.values[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["1..2", ",", "0", "25", "1.6", "0.3"])
def test_what_is_no_target_is_refused_with_one_sentence_and_nothing_changes(editor, text):
    with pytest.raises(TargetError) as refusal:
        editor.enter([(3, 4)], text)
    assert str(refusal.value).endswith(".")
    assert editor.grid is STREET
    assert not editor.can_undo


def test_steps_are_a_tenth_of_afr_or_a_hundredth_of_lambda(editor):
    editor.nudge([(3, 4)], 1)
    assert editor.grid.values[3, 4] - STREET.values[3, 4] == pytest.approx(0.1 / 14.7)
    editor.display = Display(mixture=MixtureScale.LAMBDA)
    editor.nudge([(3, 4)], -1)
    assert editor.grid.values[3, 4] - STREET.values[3, 4] == pytest.approx(0.1 / 14.7 - 0.01)


def test_no_step_leads_out_of_what_an_engine_can_burn(editor):
    editor.enter([(3, 4)], "1.3")
    with pytest.raises(TargetError):
        editor.nudge([(3, 4)], 1)


def test_everything_can_be_undone_in_turn(editor):
    editor.preset("performance")
    editor.enter([(0, 0)], "0.95")
    editor.nudge([(0, 0)], 2)
    editor.paste(whole_table("12,9"), (0, 0))
    for _ in range(4):
        assert editor.undo()
    np.testing.assert_array_equal(editor.grid.values, STREET.values)
    assert not editor.undo()


def test_a_whole_table_goes_in_whole_wherever_the_cursor_is(editor):
    editor.paste(whole_table("12,9"), (5, 5))
    assert np.allclose(editor.grid.values, 12.9 / 14.7)


def test_a_part_goes_in_where_the_cursor_is(editor):
    editor.paste("0,80\t0,81\n0,82\t0,83", (5, 6))
    assert editor.grid.values[5:7, 6:8].tolist() == [[0.80, 0.81], [0.82, 0.83]]
    assert editor.grid.values[4, 6] == STREET.values[4, 6]


def test_what_is_copied_can_be_pasted_back(editor):
    editor.enter([(3, 4), (3, 5)], "12.9")
    before = editor.grid.values
    text = editor.copy()
    editor.preset("boost")
    editor.paste(text, (0, 0))
    np.testing.assert_allclose(editor.grid.values, before, atol=0.005 / 14.7 + 1e-9)


@pytest.mark.parametrize(
    "text, part",
    [
        ("", "nothing to paste"),
        ("0.9\tlean", "“lean”"),
        ("0.9\t0.9\n0.9", "not equally long"),
        (whole_table("0.9", rows=len(LOAD), columns=len(RPM)), "does not fit"),
        (whole_table("0.9", columns=3), "The pasted table has 20 rows × 3 columns"),
        (whole_table("80"), "run from 80 to 80"),
        ("0.9\t\t0.9\n0.9\t0.9\t0.9", "empty cells"),
    ],
)
def test_a_paste_that_cannot_be_used_says_why_in_one_sentence(editor, text, part):
    with pytest.raises(TargetError, match=part):
        editor.paste(text, (2, 2))
    assert editor.grid is STREET


def test_targets_of_another_vehicle_cannot_be_undone_into_this_one(editor):
    editor.preset("boost")
    rpm = Axis.from_nodes(Channel.RPM, Unit.RPM, [1000, 2000, 3000])
    assert editor.adopt(CellGrid(rpm, LOAD, np.full((3, 10), 0.9)))
    assert not editor.can_undo


# A tune's own targets


def tune_with(title: str, units: str, value: str) -> bytes:
    """A tune whose table of 5 rpm by 4 kPa holds one value."""
    data = tune_world.pvv(front=lambda r, c: value).decode()
    return (
        data.replace("VE (MAP based/Front Cyl)", title)
        .replace('units="%"', f'units="{units}"', 1)
        .encode()
    )


def test_the_targets_of_a_tune_are_read_off_at_the_nodes_of_the_map():
    grid, name = tune_targets(tune_with("Air-Fuel Ratio", "AFR", "13.23"), RPM, LOAD, 14.7)
    assert name == "Air-Fuel Ratio"
    assert (grid.rpm, grid.load) == (RPM, LOAD)
    assert np.allclose(grid.values, 0.9)
    in_lambda, _ = tune_targets(tune_with("Lambda target", "Lambda", "0.9"), RPM, LOAD, 14.7)
    assert np.allclose(in_lambda.values, 0.9)


def test_a_tune_without_targets_says_so():
    with pytest.raises(TargetError, match="no table of AFR or lambda"):
        tune_targets(tune_world.pvv(), RPM, LOAD, 14.7)


def test_targets_of_another_fuel_are_not_guessed_at():
    with pytest.raises(TargetError, match="Choose the fuel"):
        tune_targets(tune_with("Air-Fuel Ratio", "AFR", "6.5"), RPM, LOAD, 14.7)


def test_what_is_no_tune_says_so():
    with pytest.raises(TuneError):
        tune_targets(b"\x00\x01 no tune at all", RPM, LOAD, 14.7)


def test_the_targets_of_a_real_tune_are_those_in_it(shared_data):
    data = (shared_data / "real" / "harley_tune_before.pvv").read_bytes()
    grid, name = tune_targets(data, RPM, LOAD, 14.7)
    assert name == "Air-Fuel Ratio"
    at = grid.rpm.locate(2250.0), grid.load.locate(95.0)
    assert 12.0 < grid.values[at] * 14.7 < 13.5
    assert 13.5 < grid.values[at[0], grid.load.locate(35.0)] * 14.7 < 15.0


# The page


@pytest.fixture
def window(qtbot, tmp_path) -> MainWindow:
    shown = MainWindow(tmp_path / "settings.ini", "1.2.3", "notices")
    qtbot.addWidget(shown)
    shown.show()
    return shown


@pytest.fixture
def page(window):
    window.live_model.take_snapshot(ui_world.snapshot())
    window.show_page("targets")
    return window.panel()


def press(qtbot, window, *keys, modifier=PLAIN):
    for key in keys:
        if isinstance(key, str):
            qtbot.keyClicks(window.focusWidget(), key)
        else:
            qtbot.keyClick(window.focusWidget(), key, modifier)


def test_t_on_live_goes_to_the_cell_under_the_engine_and_esc_back(qtbot, window):
    snapshot = ui_world.snapshot()
    window.live_model.take_snapshot(snapshot)
    window.show_page("live")
    press(qtbot, window, Qt.Key.Key_T)
    assert window.page == "targets"
    assert window.panel().grid.cursor_cell == snapshot.active_cell
    press(qtbot, window, Qt.Key.Key_Escape)
    assert window.page == "live"


def test_typing_a_target_changes_it_and_stays_on_the_page(qtbot, window, page):
    """The digits are also the keys of the pages."""
    changes = heard(window.targets_changed)
    i, j = page.grid.cursor_cell
    press(qtbot, window, "12.5", Qt.Key.Key_Return)
    assert window.page == "targets"
    assert changes[-1].values[i, j] == pytest.approx(12.5 / 14.7)
    assert "12.5" in page.cell.text()


def test_arrows_move_and_shift_chooses_a_block(qtbot, window, page):
    page.grid.choose((4, 4))
    changes = heard(window.targets_changed)
    press(qtbot, window, Qt.Key.Key_Right, Qt.Key.Key_Up, modifier=SHIFT)
    press(qtbot, window, "0,85", Qt.Key.Key_Return)
    assert np.allclose(changes[-1].values[4:6, 4:6], 0.85)
    assert changes[-1].values[6, 4] == STREET.values[6, 4]
    assert "4 cells chosen" in page.cell.text()


def test_plus_and_minus_step(qtbot, window, page):
    changes = heard(window.targets_changed)
    i, j = page.grid.cursor_cell
    press(qtbot, window, Qt.Key.Key_Minus, Qt.Key.Key_Minus)
    assert changes[-1].values[i, j] == pytest.approx(STREET.values[i, j] - 0.2 / 14.7)


def test_esc_takes_back_what_is_being_typed_before_it_leaves(qtbot, window, page):
    press(qtbot, window, "12", Qt.Key.Key_Escape)
    assert window.page == "targets"
    assert page.grid.text == ""
    press(qtbot, window, Qt.Key.Key_Escape)
    assert window.page != "targets"


def test_z_undoes_and_tells_the_engine(qtbot, window, page):
    changes = heard(window.targets_changed)
    press(qtbot, window, Qt.Key.Key_2, modifier=CONTROL)
    press(qtbot, window, Qt.Key.Key_Z)
    np.testing.assert_array_equal(changes[-1].values, STREET.values)
    press(qtbot, window, Qt.Key.Key_Z)
    assert len(changes) == 2
    assert "nothing to undo" in page.message.text()


@pytest.mark.parametrize("at, key", [(1, "street"), (2, "performance"), (3, "boost")])
def test_presets_have_keys(qtbot, window, page, at, key):
    press(qtbot, window, "0.77", Qt.Key.Key_Return)
    changes = heard(window.targets_changed)
    press(qtbot, window, getattr(Qt.Key, f"Key_{at}"), modifier=CONTROL)
    np.testing.assert_array_equal(changes[-1].values, preset_targets(key, RPM, LOAD).values)


def test_copy_and_paste_go_through_the_clipboard(qtbot, window, page):
    press(qtbot, window, Qt.Key.Key_C, modifier=CONTROL)
    assert QGuiApplication.clipboard().text().count("\n") == len(RPM) + 1
    QGuiApplication.clipboard().setText("0,80\t0,81")
    page.grid.choose((5, 5))
    changes = heard(window.targets_changed)
    press(qtbot, window, Qt.Key.Key_V, modifier=CONTROL)
    assert changes[-1].values[5, 5:7].tolist() == [0.80, 0.81]


def test_a_bad_paste_is_said_on_the_page_and_changes_nothing(qtbot, window, page):
    changes = heard(window.targets_changed)
    page.take("0.9\tlean")
    assert changes == []
    assert page.message.text() == (
        "! Row 1, column 2 of the pasted table reads “lean”, which is no number. "
        "Copy the numbers alone."
    )


def test_an_import_is_asked_for_by_path_and_its_answer_shown(window, page, monkeypatch):
    from dynoai_desktop.ui.panels import targets

    monkeypatch.setattr(targets.QFileDialog, "getOpenFileName", lambda *_: ("/tunes/bike.pvv", ""))
    paths = heard(window.targets_import_requested)
    page.act("tune")
    assert paths == [Path("/tunes/bike.pvv")]
    window.set_targets(TargetsState(message="The tune has no table of AFR."))
    assert "no table of AFR" in page.message.text()
    boost = preset_targets("boost", RPM, LOAD)
    window.set_targets(TargetsState(boost, "Air-Fuel Ratio of bike.pvv."))
    changes = heard(window.targets_changed)
    page.act("undo")
    np.testing.assert_array_equal(changes[-1].values, STREET.values)


def test_the_targets_of_the_running_analysis_are_shown_until_there_are_others(window):
    boost = preset_targets("boost", RPM, LOAD)
    window.live_model.take_snapshot(replace(ui_world.snapshot(), targets=boost))
    window.show_page("targets")
    window.panel().act("preset_street")
    window.live_model.take_snapshot(replace(ui_world.snapshot(), targets=boost))
    window.refresh()
    np.testing.assert_array_equal(window.state.targets.grid.values, STREET.values)
    np.testing.assert_array_equal(window.panel()._editor.grid.values, STREET.values)


def test_the_mouse_chooses_too(qtbot, window, page):
    page.grid.grab()
    layout = page.grid._picture.layout
    qtbot.mouseClick(
        page.grid, Qt.MouseButton.LeftButton, PLAIN, layout.cell(3, 2).center() + QPoint(1, 1)
    )
    assert page.grid.cursor_cell == (3, 2)
    qtbot.mouseClick(page.grid, Qt.MouseButton.LeftButton, SHIFT, layout.cell(5, 4).center())
    assert len(page.grid.cells) == 9


def test_the_figures_follow_the_mixture_setting(window, page):
    page.grid.choose((8, 7))
    assert "13.1 AFR" in page.cell.text()
    window.settings_changed.emit(replace(window.preferences, mixture=MixtureScale.LAMBDA))
    assert "0.89 λ" in page.cell.text()
    page.grid.grab()


def test_every_key_of_the_page_is_on_the_help_page():
    texts = {row.text for row in KEYS if "targets" in row.pages or "limits" in row.pages}
    assert len(texts) == 7


# Thresholds


def test_every_threshold_is_listed_with_its_default():
    keys = {row.threshold.key for row in limit_rows(LiveSettings())}
    assert keys == {f.name for limits in (GateLimits, AlertLimits) for f in fields(limits)}
    assert not any(row.is_changed for row in limit_rows(LiveSettings()))


def row_of(settings, key):
    return next(row for row in limit_rows(settings) if row.threshold.key == key)


def test_a_threshold_below_zero_is_refused_where_it_makes_no_sense():
    settings = LiveSettings()
    with pytest.raises(ValueError, match="below zero"):
        with_limit(settings, row_of(settings, "knock_deg"), -1.0)
    assert with_limit(settings, row_of(settings, "lean_margin"), -0.02).alerts.lean_margin == -0.02


def open_limits(window, key):
    window.show_page("limits")
    page = window.panel()
    keys = [row.threshold.key for row in limit_rows(window.state.live)]
    page.table.selectRow(keys.index(key))
    return page


def test_a_threshold_is_changed_by_keyboard_in_the_tuners_unit(qtbot, window):
    settings = heard(window.limits_changed)
    page = open_limits(window, "soak_iat_c")
    assert page.field.text() == "129.9"
    assert page.unit.text() == "°F"
    page.table.setFocus()
    press(qtbot, window, Qt.Key.Key_Return)
    press(qtbot, window, "140", Qt.Key.Key_Return)
    assert settings[-1].gates.soak_iat_c == pytest.approx(60.0)
    assert window.page == "limits"
    assert window.state.live == settings[-1]


def test_metric_shops_see_celsius(window):
    window.settings_changed.emit(replace(window.preferences, system=UnitSystem.METRIC))
    page = open_limits(window, "soak_iat_c")
    assert (page.field.text(), page.unit.text()) == ("54.4", "°C")


def test_the_redline_can_be_set_and_unset(window):
    settings = heard(window.limits_changed)
    page = open_limits(window, "redline_rpm")
    assert page.field.text() == ""
    page.field.setText("6200")
    page._apply()
    page = open_limits(window, "redline_rpm")
    page.field.setText("")
    page._apply()
    assert [s.alerts.redline_rpm for s in settings] == [6200.0, None]


@pytest.mark.parametrize("text", ["", "a lot", "1e999", "-5"])
def test_what_is_no_threshold_is_refused_and_said(window, text):
    settings = heard(window.limits_changed)
    page = open_limits(window, "knock_deg")
    page.field.setText(text)
    page._apply()
    assert settings == []
    assert page.message.text().startswith("!")


def test_d_goes_back_to_the_default_and_shift_d_for_all(qtbot, window):
    changed = LiveSettings(GateLimits(held_s=9.0), AlertLimits(knock_deg=9.0), aligned=False)
    window.set_live_settings(changed)
    settings = heard(window.limits_changed)
    page = open_limits(window, "held_s")
    page.table.setFocus()
    press(qtbot, window, Qt.Key.Key_D)
    assert settings[-1] == replace(changed, gates=GateLimits())
    press(qtbot, window, Qt.Key.Key_D, modifier=SHIFT)
    assert settings[-1] == LiveSettings(aligned=False)
