"""The plan page as the tuner sees it: the card, the ring, the map, the limits."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractScrollArea, QLabel, QPushButton

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.planning.limits import Environment, PlanningLimits
from dynoai_desktop.core.units import Display, UnitSystem
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.plan_state import Cooling, HeatLine, StepWish, Verdict
from dynoai_desktop.ui.plan_words import cooling_figure, cooling_words, next_line
from dynoai_desktop.ui.widgets.plan_map import urgency
from tests import plan_world
from tests.ui_world import heard

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

SIZES = ((1280, 800), (1920, 1080))
METRIC = Display(UnitSystem.METRIC)


@pytest.fixture
def window(qtbot, tmp_path):
    shown = MainWindow(tmp_path / "settings.ini", "1.2.3", "notices")
    qtbot.addWidget(shown)
    shown.set_plan(plan_world.state())
    shown.show_page("plan")
    shown.show()
    return shown


@pytest.fixture
def page(window):
    return window.panel("plan")


@pytest.fixture
def limits(window):
    window.show_page("plan_limits")
    return window.panel("plan_limits")


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window.focusWidget() or window, key, modifier)


# The card


def test_the_card_says_what_to_do_in_figures(page):
    card = page.next.card
    said = {figure.accessibleName() for figure in card.figures}
    assert said == {
        "Engine speed: 2\xa0000 → 5\xa0600 rpm",
        "Gear: 4th",
        "Throttle: 100 %",
        "Each lasts: 23 s",
        "Pulls: 2 ×",
        "Adds to the goal: +11 % ±3.2",
    }
    assert card.name.text() == "Full pull"
    assert card.badge.text() == "P1"
    assert len(card.why.text().splitlines()) == 3
    assert "knock is heard" in card.abort.text()


@pytest.mark.parametrize("size", SIZES)
def test_the_figures_of_the_card_can_be_read_from_the_saddle(window, page, size):
    """Three metres want 64 px digits on the reference screen, as many per cent on a smaller one."""
    window.resize(*size)
    QGuiApplication.processEvents()
    page.grab()
    wanted = 64 * min(size[0] / 1920, size[1] / 1080) * 0.95
    for figure in page.next.card.figures:
        assert figure.digit_px >= wanted, figure.accessibleName()


@pytest.mark.parametrize("size", SIZES)
def test_everything_of_the_card_fits_without_scrolling_or_overlap(window, page, size):
    window.resize(*size)
    QGuiApplication.processEvents()
    page.grab()
    assert not page.next.findChildren(QAbstractScrollArea, options=Qt.FindDirectChildrenOnly)
    card = page.next.card
    parts = [*card.figures, card.name, card.why, card.risk, card.abort, page.next.done_button]
    boxes = [QRect(w.mapTo(window, QPoint()), w.size()) for w in parts]
    assert all(window.rect().contains(box) for box in boxes)
    pairs = [(a, b) for k, a in enumerate(boxes) for b in boxes[k + 1 :]]
    assert not any(a.intersects(b) for a, b in pairs)
    for label in card.findChildren(QLabel):
        if label.isVisible() and label.wordWrap():
            assert label.height() >= label.heightForWidth(label.width()), label.text()


def test_a_test_at_a_load_says_the_load_and_one_without_a_gear_says_none(window, page):
    idle = plan_world.STEPS[3]
    window.set_plan(plan_world.state(plan=plan_world.plan(steps=(idle,))))
    card = page.next.card
    assert (card.throttle.text, card.throttle.unit) == ("30 → 38", "kPa")
    assert card.gear.text == "–"
    assert "starts at" in card.limits.text()


# What the tuner says


@pytest.mark.parametrize(
    ("key", "verdict"), [(Qt.Key.Key_D, Verdict.DONE), (Qt.Key.Key_N, Verdict.NOT_POSSIBLE)]
)
def test_one_key_says_done_or_not_possible(qtbot, window, key, verdict):
    said = heard(window.plan_said)
    press(qtbot, window, key)
    assert [(wish.step, wish.verdict) for wish in said] == [(plan_world.PULL, verdict)]


def test_skipped_asks_why_in_place_of_the_card(qtbot, window, page):
    said = heard(window.plan_said)
    press(qtbot, window, Qt.Key.Key_S)
    assert page.next.asks_why
    assert said == []
    press(qtbot, window, Qt.Key.Key_Down)
    press(qtbot, window, Qt.Key.Key_Return)
    assert [(w.verdict, w.reason) for w in said] == [(Verdict.SKIPPED, "no time")]
    assert not page.next.asks_why


def test_escape_keeps_a_test_that_was_nearly_skipped(qtbot, window, page):
    said = heard(window.plan_said)
    press(qtbot, window, Qt.Key.Key_S)
    press(qtbot, window, Qt.Key.Key_Escape)
    assert not page.next.asks_why
    assert (said, window.page) == ([], "plan")


def test_a_key_pressed_behind_the_card_brings_the_card_first(qtbot, window, page):
    """Nobody says "done" of a test that is not in sight."""
    said = heard(window.plan_said)
    page.show_section("map")
    press(qtbot, window, Qt.Key.Key_D)
    assert (said, page.section) == ([], "next")
    press(qtbot, window, Qt.Key.Key_D)
    assert len(said) == 1


def test_another_test_of_the_list_can_be_put_on_the_card(qtbot, window, page):
    said = heard(window.plan_said)
    page.show_section("map")
    page.behind.table.setFocus()
    page.behind.table.selectRow(1)
    press(qtbot, window, Qt.Key.Key_Return)
    assert page.section == "next"
    assert page.next.card.name.text() == "Sweep at 40 % throttle"
    press(qtbot, window, Qt.Key.Key_D)
    assert said[0].step == plan_world.SWEEP


def test_a_new_plan_without_the_chosen_test_shows_its_first(window, page):
    page.behind.step_chosen.emit(plan_world.IDLE)
    window.set_plan(plan_world.state(plan=plan_world.plan(steps=plan_world.STEPS[:2])))
    assert page.next.card.name.text() == "Full pull"


def test_the_checklist_goes_to_the_clipboard_and_to_a_file(qtbot, window):
    wanted = heard(window.plan_export_requested)
    press(qtbot, window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("FXDL 103\n54 % of the cells")
    assert "[ ] 1. Full pull, 2,000 to 5,600 rpm in 4th, 2 times" in copied
    press(qtbot, window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert len(wanted) == 1


def test_what_was_learned_is_forgotten_on_the_second_press_only(qtbot, window, page):
    wanted = heard(window.plan_reset_requested)
    press(qtbot, window, Qt.Key.Key_Delete)
    assert page.section == "outlook"
    press(qtbot, window, Qt.Key.Key_Delete)
    press(qtbot, window, Qt.Key.Key_Escape)
    press(qtbot, window, Qt.Key.Key_Delete)
    assert wanted == []
    press(qtbot, window, Qt.Key.Key_Delete)
    assert len(wanted) == 1


# The ring


def test_the_ring_closes_when_the_engine_is_back(window, page):
    ring = page.next.ring
    assert ring.lines == ("Intake 100 °F, began 88", "Engine 194 °F, began 190")
    assert ring.figure == "+12°"
    cool = tuple(replace(line, now_c=line.began_c + 0.5) for line in plan_world.COOLING.lines)
    window.set_plan(plan_world.state(cooling=replace(plan_world.COOLING, lines=cool)))
    assert (ring.figure, ring.words) == ("✓", "Back where pull 7 began.")


def test_without_a_temperature_the_ring_goes_by_time_and_says_so():
    cooling = Cooling(3, False, 30.0, 45.0)
    assert cooling_figure(cooling, METRIC) == "00:15"
    assert "No temperature is heard: by time" in cooling_words(cooling)
    assert cooling.share == pytest.approx(30 / 45)


def test_a_temperature_that_falls_silent_does_not_count_as_cool():
    lines = (HeatLine(Channel.IAT, 30.0, 50.0, None), HeatLine(Channel.ECT, 90.0, 100.0, 99.0))
    assert Cooling(3, False, 30.0, 45.0, lines).share == pytest.approx(0.1)
    assert not Cooling(3, False, 30.0, 45.0, lines).is_ready


def test_before_the_first_pull_there_is_nothing_to_wait_for():
    assert cooling_figure(None, METRIC) == "–"
    assert "nothing to wait for" in cooling_words(None)


def test_temperatures_do_not_draw_the_plan_anew(window, page, monkeypatch):
    drawn = []
    monkeypatch.setattr(page.behind, "show_plan", drawn.append)
    for degrees in (38.0, 36.0, 34.0):
        lines = (HeatLine(Channel.IAT, 31.0, 44.0, degrees),)
        state = window.state.plan
        window.set_plan(state.with_cooling(replace(plan_world.COOLING, lines=lines)))
    assert drawn == []
    assert page.next.ring.lines == ("Intake 93 °F, began 88",)


# Map and list


def test_priority_is_told_by_a_sign_and_known_cells_are_ticked():
    cells = plan_world.cells()
    found = urgency(cells)
    worst = cells.worst()
    open_first = (cells.priority == 1) & (worst > cells.wanted)
    assert (found[open_first] == 3.0).all()
    assert (found[(cells.priority > 0) & (worst <= cells.wanted)] == 0.0).all()
    assert (found[cells.priority == 0] != found[cells.priority == 0]).all()


def test_a_cell_unknown_in_one_cylinder_is_open():
    cells = plan_world.cells()
    rear = dict(cells.half_interval)
    keys = list(rear)
    rear[keys[0]] = rear[keys[0]] * 0.0 + 0.001
    rear[keys[1]] = rear[keys[1]] * float("nan")
    assert (urgency(replace(cells, half_interval=rear))[cells.priority == 1] == 3.0).all()


def test_arrows_and_clicks_say_which_tests_reach_a_cell(qtbot, window, page):
    page.show_section("map")
    page.behind.map.put((5, 7))
    page.grab()
    reached = dict(page.behind.facts.lines)["Reached by"]
    assert reached == "1  Full pull, 2,000 to 5,600 rpm in 4th\n3  Roll-ons from 2 500 rpm"
    marks = [page.behind.model.row(k).reaches for k in range(4)]
    assert marks == [True, False, True, False]
    press(qtbot, window, Qt.Key.Key_Right)
    assert dict(page.behind.facts.lines)["Reached by"] == "1  Full pull, 2,000 to 5,600 rpm in 4th"
    box = page.behind.map.box_of((5, 4))
    qtbot.mouseClick(page.behind.map, Qt.MouseButton.LeftButton, pos=box.center())
    assert page.behind.map.at == (5, 4)
    assert dict(page.behind.facts.lines)["Reached by"] == "2  Sweep at 40 % throttle"


def test_the_chosen_test_dots_the_cells_it_reaches(page):
    page.show_section("map")
    page.behind.table.selectRow(1)
    assert (5, 4) in page.behind.map.reached
    assert (5, 7) not in page.behind.map.reached


def test_the_map_can_show_one_cylinder(qtbot, window, page):
    page.show_section("map")
    assert page.behind.side_title.text() == "worst of both  [C]"
    press(qtbot, window, Qt.Key.Key_C)
    assert page.behind.side_title.text() == "front  [C]"


def test_the_outlook_compares_the_ways_of_going_on(page):
    page.show_section("outlook")
    rows = page.outlook.model
    assert rows.rowCount() == 4
    assert rows.row(0).is_planned
    assert "5 pulls left" in page.outlook.pulls.text()
    said = [(row.label, row.figure) for row in page.outlook.track.rows]
    assert said[0] == ("Full-throttle pull", "11.4 → 9.8 · 83 % within ± · 6 runs")


def test_what_was_said_today_is_listed(window, page):
    said = (
        StepWish(plan_world.SWEEP, Verdict.SKIPPED, "too hot"),
        StepWish(plan_world.IDLE, Verdict.NOT_POSSIBLE),
    )
    window.set_plan(plan_world.state(answers=said))
    lines = page.outlook.learned.text().splitlines()[1:]
    assert lines == [
        "Skipped today (too hot): Sweep at 40 % throttle.",
        "Not possible here: Idle. Z takes it back.",
    ]


# Nothing to drive


@pytest.mark.parametrize("key", ["plan", "plan_limits"])
def test_a_page_opened_before_anything_is_known_explains_itself(qtbot, tmp_path, key):
    fresh = MainWindow(tmp_path / "settings.ini", "1.2.3", "notices")
    qtbot.addWidget(fresh)
    fresh.show_page(key)
    fresh.show()
    page = fresh.panel(key)
    shown = [b.text() for b in page.note.findChildren(QPushButton) if b.isVisible()]
    assert page.note.isVisible()
    assert page.note.title.text()
    assert len(shown) == 1
    assert shown[0].startswith("Choose a vehicle")


def test_an_empty_page_says_what_will_be_here_with_one_button(qtbot, window, page):
    window.set_plan(replace(plan_world.state(), vehicle="", plan=None, limits=None))
    assert page.stack.currentWidget() is page.note
    assert page.note.button.text() == "Choose a vehicle  [F9]"
    page.note.button.click()
    assert window.page == "vehicle"


def test_a_plan_that_could_not_be_made_says_why_and_can_be_tried_again(qtbot, window, page):
    again = heard(window.plan_requested)
    why = "Cannot read coverage.json: Permission denied. Check the disk and try again."
    window.set_plan(plan_world.state(plan=None, failed=True, message=why))
    assert page.note.text.text() == why
    assert not page.news.isVisible()
    page.note.button.click()
    assert len(again) == 1


def test_a_vehicle_that_is_known_well_plans_nothing_and_says_so(window, page):
    window.set_plan(plan_world.nothing_left())
    assert "Nothing left" in page.note.title.text()
    assert page.note.text.text() == plan_world.NOTHING_LEFT
    page.show_section("map")
    assert page.stack.currentWidget() is page.behind


def test_limits_that_leave_nothing_name_the_smallest_change(window, page):
    window.set_plan(plan_world.limits_exclude_all())
    assert "Raise the highest engine speed to 2,800 rpm." in page.note.text.text()
    page.note.button.click()
    assert window.page == "plan_limits"
    said = window.panel().excluded.text()
    assert "leave nothing to drive" in said
    assert "Raise the highest engine speed to 2,800 rpm." in said


def test_the_rail_says_how_the_plan_is_doing(window):
    window.refresh()
    marks = []
    for state in (
        plan_world.state(cooling=None),
        plan_world.state(),
        plan_world.nothing_left(),
        plan_world.limits_exclude_all(),
        plan_world.state(failed=True),
    ):
        window.set_plan(state)
        window.set_next_step("")
        mark = window.rail.button("plan").mark
        marks.append((mark.sign, mark.word))
    assert marks == [
        ("!", "13 open"), ("…", "cooling"), ("✓", "done"), ("×", "limits"), ("×", "failed"),
    ]  # fmt: skip


def test_the_next_pull_fits_one_line():
    line = next_line(plan_world.plan(), plan_world.LOAD, METRIC)
    assert line == "Next: Full pull · 2\xa0000 → 5\xa0600 rpm · 4th · 100 % throttle · 2 ×"
    assert next_line(plan_world.nothing_left().plan, plan_world.LOAD, METRIC) == ""


# Limits


def test_a_number_typed_is_a_limit(qtbot, window, limits):
    taken = heard(window.plan_limits_changed)
    field = limits.rows["max_rpm"].number
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "5200")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert [one.max_rpm for one in taken] == [5200.0]


def test_a_temperature_is_typed_in_the_unit_of_the_screen(qtbot, window, limits):
    taken = heard(window.plan_limits_changed)
    field = limits.rows["max_iat_c"].number
    field.setFocus()
    qtbot.keyClicks(field, "131")  # °F
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert taken[0].max_iat_c == pytest.approx(55.0)


def test_an_emptied_ceiling_is_no_ceiling(qtbot, window, limits):
    window.set_plan(plan_world.state(limits=PlanningLimits(max_head_c=120.0)))
    taken = heard(window.plan_limits_changed)
    field = limits.rows["max_head_c"].number
    field.setFocus()
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Backspace)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert [one.max_head_c for one in taken] == [None]


def test_the_slider_moves_in_useful_steps(qtbot, window, limits):
    taken = heard(window.plan_limits_changed)
    qtbot.keyClick(limits.rows["max_rpm"].slider, Qt.Key.Key_Left)
    assert [one.max_rpm for one in taken] == [6900.0]


@pytest.mark.parametrize(
    ("name", "typed", "why"),
    [
        ("max_rpm", "900", "The lowest engine speed must be below the highest engine speed."),
        ("max_rpm", "fast", "is no number"),
        ("max_tps_pct", "130", "The largest throttle must be from 0 to 100 %."),
    ],
)
def test_what_cannot_be_a_limit_is_refused_in_words(qtbot, window, limits, name, typed, why):
    taken = heard(window.plan_limits_changed)
    field = limits.rows[name].number
    before = field.text()
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, typed)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert taken == []
    assert why in limits.message.text()
    assert field.text() == before


def test_places_and_gears_are_buttons(window, limits):
    taken = heard(window.plan_limits_changed)
    limits.places["inertia_dyno"].click()
    limits.gears[3].click()
    assert taken[0].environment is Environment.INERTIA_DYNO
    assert taken[1].gears == (3,)


def test_no_name_of_the_program_is_shown_to_the_tuner(window, limits):
    window.set_plan(plan_world.limits_exclude_all())
    assert not re.search(r"[a-z]_[a-z]", limits.excluded.text())
