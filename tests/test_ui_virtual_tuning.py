"""Virtual tuning on the screen: sessions start, stop, are looked at and forgotten."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from dynoai_desktop.core.simulator.tuning import registry
from dynoai_desktop.core.simulator.tuning.outcome import Outcome, Status
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings
from dynoai_desktop.desks import tuning_process
from dynoai_desktop.desks.tuning_desk import TuningDesk
from dynoai_desktop.desks.tuning_process import ProcessSession
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.panels.tuning_tables import SIDES, TABLE_VIEWS, layer_of
from dynoai_desktop.ui.rehearsal import Choice, TuningRow, TuningState
from dynoai_desktop.ui.theme import BUTTON_PX
from tests.ui_world import heard

pytestmark = [pytest.mark.qt_log_ignore("propagateSizeHints"), pytest.mark.timeout(90)]

LONG = 30_000
VEHICLES = (Choice("m8-114", "V-twin 114"), Choice("four-600", "600 cc four"))
ROUNDS = (Choice("whole_table", "Whole table"), Choice("transients", "Transients"))
SCENARIOS = (Choice("perfect", "A finished tune"), Choice("lean", "Lean"))


@pytest.fixture(scope="module")
def tuned() -> tuple[VirtualSession, Outcome]:
    """A session of two iterations, driven once for all."""
    session = VirtualSession(TuningSettings(max_iterations=2))
    return session, session.run()


@pytest.fixture
def window(qtbot, tmp_path):
    shown = MainWindow(tmp_path / "settings.ini", version="1", notices="Qt")
    qtbot.addWidget(shown)
    shown.resize(1280, 800)
    shown.show()
    shown.show_page("tuning")
    shown.set_tuning(TuningState(vehicles=VEHICLES, scenarios=SCENARIOS, rounds=ROUNDS))
    return shown


@pytest.fixture
def desk(window):
    made = TuningDesk(window)
    made.offer_choices()
    yield made
    made.close()


def show(window, *rows: TuningRow, message: str = ""):
    window.set_tuning(TuningState(rows, message, VEHICLES, SCENARIOS, ROUNDS))
    return window.panel("tuning")


def row(tuned, name: str = "session-1") -> TuningRow:
    session, outcome = tuned
    return TuningRow(name, f"m8-114 · lean · {name}", session.progress, outcome)


def press(qtbot, window, key):
    qtbot.keyClick(window.focusWidget() or window, key)


def test_an_empty_page_says_what_will_be_here_and_starts_it(qtbot, window):
    wishes = heard(window.tuning_start_requested)
    page = window.panel("tuning")
    assert page.note.isVisible()
    page.note.button.click()
    press(qtbot, window, Qt.Key.Key_G)
    assert [(w.profile, w.scenario, w.seed) for w in wishes] == [("m8-114", "lean", 1)] * 2


@pytest.mark.parametrize("text", ["", "-1", "1.5", "nan", "1e99"])
def test_a_seed_that_is_none_starts_nothing(qtbot, window, tuned, text):
    wishes = heard(window.tuning_start_requested)
    page = show(window, row(tuned))
    page.seed.setText(text)
    press(qtbot, window, Qt.Key.Key_G)
    assert wishes == []
    assert "Seed must be" in page.detail.text()


def test_the_iterations_stand_in_table_and_curves(window, tuned):
    page, outcome = show(window, row(tuned)), tuned[1]
    assert page.model.rowCount() == len(outcome.iterations) == 2
    assert page.curves[0].points == tuple((i.number, i.max_afr_error) for i in outcome.iterations)
    true = [value for _, value in page.curves[1].points]
    assert true == [i.true_ve_rmse_pct for i in outcome.iterations]
    assert true[1] < true[0]
    assert "Not finished" in page.word.text()
    assert outcome.message in page.detail.text()


def test_every_table_of_both_cylinders_can_be_turned_to(qtbot, window, tuned):
    page = show(window, row(tuned))
    seen = set()
    for _ in SIDES:
        for _ in TABLE_VIEWS:
            assert page.maps.one.layer is not None
            seen.add((page.view_button.text(), page.side_button.text()))
            press(qtbot, window, Qt.Key.Key_M)
        press(qtbot, window, Qt.Key.Key_C)
    assert len(seen) == len(SIDES) * len(TABLE_VIEWS)


def test_the_tables_agree_with_each_other(tuned):
    layers = {view.key: layer_of(view, tuned[1], SIDES[0]).values for view in TABLE_VIEWS}
    assert layers["after"] == pytest.approx(layers["before"] * (1 + layers["change"] / 100))
    assert layers["true"] == pytest.approx(layers["after"] * (1 + layers["left"] / 100))


def test_a_table_too_low_is_lean_and_positive(tuned):
    first = tuned[1].iterations[0]
    start = Outcome(Status.RUNNING, "", (), first.tables, tuned[1].true_ve_pct)
    view = next(view for view in TABLE_VIEWS if view.key == "left")
    layer = layer_of(view, start, SIDES[0])
    assert layer.values.mean() == pytest.approx(11, abs=3)  # 10 % too low needs 11 % more
    top = view.style.scale.top(layer)
    assert (view.style.scale.share(layer.values, top) > 0.5).mean() > 0.9


def test_the_tables_stand_side_by_side(qtbot, window, tuned):
    page = show(window, row(tuned))
    for _ in TABLE_VIEWS:
        press(qtbot, window, Qt.Key.Key_M)
    assert "Side by side" in page.view_button.text()
    outcome = tuned[1]
    for side in (0, 1):
        shown = {key: table.layer.values for key, table in page.maps.beside.items()}
        assert list(shown) == ["before", "after", "true"]
        assert all(table.isVisible() for table in page.maps.beside.values())
        assert np.array_equal(shown["true"], outcome.true_ve_pct[side])
        assert not np.array_equal(shown["before"], shown["after"])
        press(qtbot, window, Qt.Key.Key_C)
    press(qtbot, window, Qt.Key.Key_M)
    assert page.maps.one.isVisible()


def test_what_a_strategy_costs_stands_in_the_list(window, tuned):
    page = show(window, row(tuned))
    words = page.sessions.item(0).text()
    assert "2 rounds" in words and "driven" in words
    assert all(one.driven_s > 120.0 for one in tuned[1].iterations)


def test_a_strategy_and_a_tune_of_ones_own_are_wished_for(qtbot, window, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"mean": -0.05}', encoding="utf-8")
    wishes = heard(window.tuning_start_requested)
    page = window.panel("tuning")
    page.choice.use_file(path)
    page.round.choose("transients")
    press(qtbot, window, Qt.Key.Key_G)
    (wish,) = wishes
    assert (wish.profile, wish.scenario_file, wish.round) == ("m8-114", path, "transients")


def test_a_tune_that_has_become_bad_since_is_refused_by_field(qtbot, window, desk, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"mean": -0.05}', encoding="utf-8")
    page = window.panel("tuning")
    page.choice.use_file(path)
    path.write_text('{"mean": -5}', encoding="utf-8")
    press(qtbot, window, Qt.Key.Key_G)
    assert window.state.tuning.sessions == ()
    assert "mean: -5 is not between" in page.note.title.text()


def test_what_was_tuned_last_is_remembered(qtbot, window, tmp_path):
    page = window.panel("tuning")
    page.choice.scenario.choose("perfect")
    page.round.choose("transients")
    page.seed.setText("9")
    window.close()
    again = MainWindow(tmp_path / "settings.ini", version="1", notices="Qt")
    qtbot.addWidget(again)
    again.show_page("tuning")
    again.set_tuning(TuningState(vehicles=VEHICLES, scenarios=SCENARIOS, rounds=ROUNDS))
    page = again.panel("tuning")
    assert (page.choice.scenario.key, page.round.key, page.seed.text()) == (
        "perfect",
        "transients",
        "9",
    )


def test_tables_that_were_let_go_are_an_empty_map(window, tuned):
    session, outcome = tuned
    bare = Outcome(outcome.status, outcome.message, outcome.iterations, None, None)
    page = show(window, TuningRow("session-1", "x", session.progress, bare))
    assert page.maps.one.layer is None


def test_a_new_session_comes_to_the_front_and_another_can_be_chosen(window, tuned):
    show(window, row(tuned, "session-1"))
    page = show(window, row(tuned, "session-2"), row(tuned, "session-1"))
    assert page.session.id == "session-2"
    page.sessions.setCurrentRow(1)
    assert page.session.id == "session-1"
    show(window, row(tuned, "session-2"))
    assert page.session.id == "session-2"
    show(window)
    assert page.session is None
    assert page.note.isVisible()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_every_button_is_big_enough_and_nothing_is_cut(qtbot, window, tuned, size):
    page = show(window, row(tuned))
    window.resize(*size)
    qtbot.waitUntil(lambda: page.width() > 0.8 * size[0])
    buttons = [b for b in page.findChildren(QAbstractButton) if b.isVisible() and b.text()]
    qtbot.waitUntil(
        lambda: all(b.fontMetrics().horizontalAdvance(b.text()) <= b.width() for b in buttons)
    )
    assert min(button.height() for button in buttons) >= BUTTON_PX - 4
    assert page.table.horizontalScrollBar().maximum() == 0


# With real sessions on real threads


def test_a_session_runs_and_stops_within_one_step_by_keyboard(qtbot, window, desk):
    page = window.panel("tuning")
    press(qtbot, window, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: page.session.progress.iteration > 0, timeout=LONG)
    assert "Iteration 1, pull" in page.detail.text()
    press(qtbot, window, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: page.session.progress.status is Status.STOPPED, timeout=2000)
    press(qtbot, window, Qt.Key.Key_Delete)
    assert window.state.tuning.sessions == ()
    assert "1 session with" in window.state.tuning.message
    assert "1 session with" in page.note.title.text()


def test_more_than_may_run_are_refused_with_a_reason(qtbot, window, desk, monkeypatch):
    waiting = threading.Event()
    monkeypatch.setattr(ProcessSession, "run", lambda _self: waiting.wait(30))
    page = window.panel("tuning")
    for _ in range(registry.MOST_RUNNING + 1):
        press(qtbot, window, Qt.Key.Key_G)
    assert len(window.state.tuning.sessions) == registry.MOST_RUNNING
    assert "Stop one" in page.detail.text()
    waiting.set()
    desk.close()


def test_what_breaks_a_session_is_shown(qtbot, window, desk, monkeypatch):
    monkeypatch.setattr(tuning_process, "own_command", lambda *_: ["/nowhere/dynoai"])
    page = window.panel("tuning")
    press(qtbot, window, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: page.session.progress.status is Status.FAILED, timeout=LONG)
    assert "× Failed" in page.word.text()
    assert "cannot be reached" in page.detail.text()


def test_closing_stops_what_runs(qtbot, window, desk):
    press(qtbot, window, Qt.Key.Key_G)
    (running,) = window.state.tuning.sessions
    desk.close()
    assert desk._registry.progress(running.id).status is Status.STOPPED
