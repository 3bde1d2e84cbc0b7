"""Preflight: start it from anywhere, read the worst first, go on only knowingly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from dynoai_desktop.core.trust.preflight import CHECKS, Status
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.marks import Standing
from dynoai_desktop.ui.messages import (
    FrameState,
    MappingState,
    PreflightState,
    SourceKind,
    SourceState,
)
from dynoai_desktop.ui.panels import PANELS
from dynoai_desktop.ui.panels.preflight import PreflightPanel
from dynoai_desktop.ui.trends import Trends
from dynoai_desktop.ui.verdict import verdict
from dynoai_desktop.ui.widgets.check_list import FIX_PAGES
from tests import ui_world
from tests.ui_world import check, heard, report

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LIVE = SourceState(SourceKind.LIVE, "127.0.0.1")
PAGES = {"mapping": ("Mapping", "2"), "health": ("Channels", "F3"), "connect": ("Connect", "1")}
MIXED = report(
    check("connectivity", message="“Power Core” with 35 channels.", blocking=True),
    check("clock_sync", Status.WARNING, "Clocks are estimated.", "Nothing is wrong."),
    check("rpm", Status.FAIL, "Engine speed stands still.", "Check the pick-up."),
    check("throttle", Status.SKIPPED, "No throttle position is mapped."),
    check("disk_space", Status.FAIL, "0.1 GB are free.", "Make room.", blocking=True),
)
ADVISORY = report(*(c for c in MIXED.checks if c.id != "disk_space"))


def state(preflight=None, source=LIVE, mapping=None):
    return FrameState(
        source=source, preflight=preflight or PreflightState(), mapping=mapping or MappingState()
    )


@pytest.fixture
def trends():
    return Trends()


@pytest.fixture
def panel(qtbot, trends):
    shown = PreflightPanel(Look(), trends, PAGES)
    qtbot.addWidget(shown)
    shown.resize(1140, 690)
    shown.show()
    shown.show_state(state())
    return shown


@pytest.fixture
def window(qtbot, tmp_path):
    shown = MainWindow(tmp_path / "settings.ini", version="1.2.3", notices="Qt, LGPL")
    qtbot.addWidget(shown)
    shown.show()
    return shown


def press(qtbot, window, key):
    qtbot.keyClick(window.focusWidget() or window, key)


def ids(panel):
    return [row.check.id for row in panel.checks.rows]


def words(row):
    return [label.text() for label in row.findChildren(QLabel) if label.isVisibleTo(row)]


# Starting


def test_without_a_source_the_page_says_how_to_get_one(panel):
    panel.show_state(state(source=SourceState()))
    wanted = heard(panel.page_wanted)
    assert not panel.button.isVisible()
    panel.note.button.click()
    assert wanted == ["connect"]


def test_before_the_first_one_there_is_one_big_button_that_starts_it(panel):
    requested = heard(panel.preflight_requested)
    assert panel.note.title.text() == "Checks will be listed here"
    assert panel.button.text() == "Start  [P]"
    assert not panel.note.button.isVisible()
    panel.button.click()
    assert len(requested) == 1


@pytest.mark.parametrize("page", [spec.key for spec in PANELS])
def test_p_starts_it_from_every_page_and_shows_it(qtbot, window, page):
    window.set_source_state(LIVE)
    window.show_page(page)
    requested = heard(window.preflight_requested)
    press(qtbot, window, Qt.Key.Key_P)
    assert window.page == "preflight"
    assert len(requested) == 1


def test_p_without_a_dyno_shows_the_page_and_asks_for_nothing(qtbot, window):
    requested = heard(window.preflight_requested)
    press(qtbot, window, Qt.Key.Key_P)
    assert (window.page, requested) == ("preflight", [])


def test_p_does_not_begin_anew_while_it_measures(qtbot, window):
    window.set_source_state(LIVE)
    requested = heard(window.preflight_requested)
    window.set_preflight(PreflightState(running=True, elapsed_s=3.0))
    press(qtbot, window, Qt.Key.Key_P)
    assert requested == []


def test_esc_stops_it_and_only_then_leaves_the_page(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("preflight")
    cancelled = heard(window.preflight_cancelled)
    window.set_preflight(PreflightState(running=True, elapsed_s=3.0))
    assert window.panel().button.text() == "Stop  [Esc]"
    press(qtbot, window, Qt.Key.Key_Escape)
    assert len(cancelled) == 1
    window.set_preflight(PreflightState())
    press(qtbot, window, Qt.Key.Key_Escape)
    assert len(cancelled) == 1


# While it measures


def test_it_shows_the_seconds_and_what_is_being_measured(panel):
    found = ui_world.mapping()
    running = PreflightState(running=True, elapsed_s=7.3, duration_s=15.0)
    panel.show_state(state(running, mapping=found))
    panel.show_health(ui_world.cell_bus(found, {"MAP kPa": 38.2, "Engine RPM": 950.0}))
    assert panel.word.text() == "… Measuring"
    assert panel.detail.text() == "7 of 15 s"
    assert panel.progress.value() / panel.progress.maximum() == pytest.approx(7.3 / 15, abs=0.01)
    rows = [
        [panel.watched.index(row, column).data() for column in (0, 1, 2)]
        for row in range(panel.watched.rowCount())
    ]
    assert [row[0] for row in rows] == [
        "Engine speed",
        "AFR front",
        "AFR rear",
        "Manifold pressure",
        "Throttle",
        "Torque",
        "Power",
    ]
    assert rows[0][1:] == ["Engine RPM", "950.0 rpm"]
    assert rows[3][1:] == ["MAP kPa", "38.20 kPa"]


def test_after_the_last_second_it_says_that_it_judges():
    assert verdict(PreflightState(True, 15.0, 15.0)).word == "Judging"


# Reading the report


def test_the_worst_comes_first_each_with_sign_and_word(panel):
    panel.show_state(state(PreflightState(report=MIXED)))
    assert ids(panel) == ["rpm", "disk_space", "clock_sync", "throttle", "connectivity"]
    assert [row.mark.text() for row in panel.checks.rows] == [
        "× fail",
        "× fail",
        "! warning",
        "– not judged",
        "✓ pass",
    ]


def test_a_check_says_what_was_measured_and_what_to_do(panel):
    panel.show_state(state(PreflightState(report=MIXED)))
    said = words(panel.checks.rows[0])
    assert "Engine speed stands still." in said
    assert "→ Check the pick-up." in said


WARNED = report(check("clock_sync", Status.WARNING), check("rpm"))
VERDICTS = (
    (PreflightState(report=MIXED), "×", "Not ready: 2 failures", "danger"),
    (PreflightState(report=ADVISORY), "×", "Not ready: 1 failure", "danger"),
    (
        PreflightState(report=ADVISORY, overrides={"rpm": "magneto"}),
        "!",
        "Ready, 1 failure overridden",
        "attention",
    ),
    (PreflightState(report=WARNED), "!", "Ready, 1 warning", "attention"),
    (PreflightState(report=report(check())), "✓", "Ready", "good"),
    (PreflightState(), "–", "Not checked yet", "quiet"),
)


@pytest.mark.parametrize("preflight, sign, word, colour", VERDICTS)
def test_the_verdict_stands_in_large_letters(panel, preflight, sign, word, colour):
    panel.show_state(state(preflight))
    assert panel.word.text() == f"{sign} {word}"
    assert panel.word.property("state") == colour
    assert panel.word.property("role") == "verdict"


def test_a_blocking_failure_stays_one_whatever_was_typed(panel):
    overrides = {"disk_space": "never mind", "rpm": "magneto"}
    panel.show_state(state(PreflightState(report=MIXED, overrides=overrides)))
    assert panel.word.text() == "× Not ready: 1 failure"


def test_a_reason_of_blanks_overrides_nothing(panel):
    panel.show_state(state(PreflightState(report=ADVISORY, overrides={"rpm": "  "})))
    assert panel.word.text() == "× Not ready: 1 failure"


def test_the_rail_says_what_it_came_to(window):
    window.set_source_state(LIVE)
    mark = lambda: window.rail.button("preflight").mark  # noqa: E731
    assert (mark().sign, mark().standing) == ("–", Standing.PLAIN)
    for preflight, sign, standing in (
        (PreflightState(running=True, elapsed_s=4.2), "…", Standing.PLAIN),
        (PreflightState(report=MIXED), "×", Standing.BLOCKED),
        (PreflightState(report=WARNED), "!", Standing.ATTENTION),
        (PreflightState(report=report(check())), "✓", Standing.READY),
    ):
        window.set_preflight(preflight)
        assert (mark().sign, mark().standing) == (sign, standing)


def test_another_source_takes_the_verdict_away(window):
    """Ready was said of another dyno."""
    window.set_source_state(LIVE)
    window.set_preflight(PreflightState(report=report(check())))
    window.set_source_state(replace(LIVE, interface="192.168.1.23"))
    assert window.state.preflight.report is None
    assert window.rail.button("preflight").mark.sign == "–"


def test_a_report_with_markup_is_shown_as_text(panel):
    hostile = check("rpm", Status.FAIL, "“<b>RPM</b>\x00\n&amp;” stands still.", "<i>Fix</i> it.")
    panel.show_state(state(PreflightState(report=report(hostile))))
    row = panel.checks.rows[0]
    assert row.message.text() == "“<b>RPM</b>��&amp;” stands still."
    assert row.fix.text() == "→ <i>Fix</i> it."
    for label in row.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText


def test_every_row_fits_the_width_of_the_page(panel, qtbot):
    long = check("rpm", Status.FAIL, "Engine speed stands still. " * 20, "Check it. " * 20)
    panel.show_state(state(PreflightState(report=report(long, *MIXED.checks[:2]))))
    qtbot.waitUntil(lambda: panel.checks.rows[0].height() > 100)
    room = panel.checks.viewport().width()
    assert all(row.geometry().right() < room for row in panel.checks.rows)


def test_every_place_to_mend_is_a_page_and_every_check_named_exists():
    assert set(FIX_PAGES) <= {row.id for row in CHECKS}
    assert set(FIX_PAGES.values()) <= {spec.key for spec in PANELS}


def test_a_failure_leads_to_the_page_where_it_is_mended(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("preflight")
    failed = check("required_channels", Status.FAIL, "Missing: MAP.", "Choose it in Mapping.")
    window.set_preflight(PreflightState(report=report(failed)))
    row = window.panel().checks.rows[0]
    buttons = [b for b in row.findChildren(type(row.button)) if b.text().startswith("Mapping")]
    buttons[0].click()
    assert window.page == "mapping"


def test_traffic_of_providers_not_pinned_is_counted(panel):
    pinned = ui_world.mapping(pinned=("Power Core",))
    panel.show_state(state(mapping=pinned))
    panel.show_health(ui_world.cell_bus(pinned))
    assert panel.foreign.text() == "1\u00a0001 datagrams of “Atmospheric Probe” heard, not used."
    panel.show_state(state(mapping=ui_world.mapping()))
    assert not panel.foreign.isVisible()


# Overriding


def test_an_advisory_failure_is_overridden_with_a_typed_reason(panel, qtbot):
    panel.show_state(state(PreflightState(report=ADVISORY)))
    overridden = []
    panel.override_requested.connect(lambda *both: overridden.append(both))
    qtbot.keyClick(panel.checks, Qt.Key.Key_Return)
    line = panel.checks.rows[0].line
    qtbot.keyClicks(line, "magneto, no pick-up")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert overridden == [("rpm", "magneto, no pick-up")]
    assert panel.checks.open_row is None


def test_without_a_reason_there_is_no_override(panel, qtbot):
    panel.show_state(state(PreflightState(report=ADVISORY)))
    overridden = heard(panel.override_requested)
    qtbot.keyClick(panel.checks, Qt.Key.Key_Return)
    line = panel.checks.rows[0].line
    qtbot.keyClicks(line, "   ")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert overridden == []
    assert panel.checks.open_row is not None


def test_esc_forgets_the_reason_begun(panel, qtbot):
    panel.show_state(state(PreflightState(report=ADVISORY)))
    overridden = heard(panel.override_requested)
    qtbot.keyClick(panel.checks, Qt.Key.Key_Return)
    assert panel.act("back")
    assert (overridden, panel.checks.open_row) == ([], None)
    assert not panel.act("back")


@pytest.mark.parametrize("check_id", ["disk_space", "clock_sync", "throttle", "connectivity"])
def test_what_cannot_be_overridden_offers_no_form(panel, qtbot, check_id):
    panel.show_state(state(PreflightState(report=MIXED)))
    panel.checks.choose(check_id)
    qtbot.keyClick(panel.checks, Qt.Key.Key_Return)
    assert panel.checks.open_row is None


def test_an_override_shows_its_reason_and_can_be_taken_back(panel, qtbot):
    panel.show_state(state(PreflightState(report=ADVISORY, overrides={"rpm": "magneto"})))
    overridden = []
    panel.override_requested.connect(lambda *both: overridden.append(both))
    row = panel.checks.rows[0]
    assert row.mark.text() == "! overridden"
    assert "Overridden: magneto" in words(row)
    qtbot.keyClick(panel.checks, Qt.Key.Key_Return)
    assert overridden == [("rpm", "")]


def test_a_new_report_waits_until_the_reason_is_typed(panel, qtbot):
    panel.show_state(state(PreflightState(report=ADVISORY)))
    qtbot.keyClick(panel.checks, Qt.Key.Key_Return)
    qtbot.keyClicks(panel.checks.rows[0].line, "mag")
    panel.show_state(state(PreflightState(report=WARNED)))
    assert panel.checks.rows[0].line.text() == "mag"
    panel.act("back")
    assert ids(panel) == ["clock_sync", "rpm"]


def test_a_reason_begun_does_not_reach_another_dyno(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("preflight")
    window.set_preflight(PreflightState(report=ADVISORY))
    press(qtbot, window, Qt.Key.Key_Return)
    window.set_source_state(replace(LIVE, interface="192.168.1.23"))
    assert window.panel().checks.open_row is None
    assert window.panel().checks.rows == []


def test_a_foot_pedal_records_while_the_checks_have_the_focus(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("preflight")
    window.set_preflight(PreflightState(report=ADVISORY))
    start = heard(window.record_requested)
    press(qtbot, window, Qt.Key.Key_Space)
    assert len(start) == 1


def test_a_reason_may_hold_any_key_of_the_window(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("preflight")
    window.set_preflight(PreflightState(report=ADVISORY))
    start, requested = heard(window.record_requested), heard(window.preflight_requested)
    press(qtbot, window, Qt.Key.Key_Return)
    line = window.panel().checks.rows[0].line
    qtbot.keyClicks(line, "P 1 A, m ok")
    assert line.text() == "P 1 A, m ok"
    assert (start, requested, window.page) == ([], [], "preflight")


# Moving about


def test_arrows_move_along_the_checks_and_stop_at_the_ends(panel, qtbot):
    panel.show_state(state(PreflightState(report=MIXED)))
    assert panel.checks.chosen == "rpm"
    for key, chosen in (
        (Qt.Key.Key_Up, "rpm"),
        (Qt.Key.Key_Down, "disk_space"),
        (Qt.Key.Key_Down, "clock_sync"),
    ):
        qtbot.keyClick(panel.checks, key)
        assert panel.checks.chosen == chosen
    framed = [row.check.id for row in panel.checks.rows if row.property("state") == "chosen"]
    assert framed == ["clock_sync"]


def test_the_chosen_check_stays_chosen_when_it_is_run_again(panel):
    panel.show_state(state(PreflightState(report=MIXED)))
    panel.checks.choose("clock_sync")
    panel.show_state(state(PreflightState(running=True, report=MIXED)))
    panel.show_state(state(PreflightState(report=ADVISORY)))
    assert panel.checks.chosen == "clock_sync"


def test_the_keyboard_is_on_the_checks_as_soon_as_they_are_there(qtbot, window):
    window.set_source_state(LIVE)
    press(qtbot, window, Qt.Key.Key_P)
    window.set_preflight(PreflightState(running=True, elapsed_s=3.0))
    window.set_preflight(PreflightState(report=MIXED))
    press(qtbot, window, Qt.Key.Key_Down)
    assert window.panel().checks.chosen == "disk_space"


def test_an_unchanged_report_is_not_built_anew(panel):
    panel.show_state(state(PreflightState(report=MIXED)))
    before = list(panel.checks.rows)
    panel.show_state(state(PreflightState(report=MIXED), mapping=ui_world.mapping()))
    assert panel.checks.rows == before


def test_rows_line_up_whatever_the_text_size(panel):
    panel.show_state(state(PreflightState(report=MIXED)))
    panel.set_look(Look(scale=1.5))
    panel.grab()
    assert len({row.message.x() for row in panel.checks.rows}) == 1
