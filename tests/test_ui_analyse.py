"""The Analyse page: what a log says, map by map, and the tune it would correct."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.cause_tree import CauseTree
from dynoai_desktop.core.analysis.confidence import TuneConfidence
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.payload import Payload, Warning
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.tune.clipboard import POWER_CORE, SPREADSHEET, from_text
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.plan import Plan, Terms, make_plan
from dynoai_desktop.core.units import Display, MixtureScale
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.messages import AnalysisState, RecordingState, TuneState
from dynoai_desktop.ui.panels.analyse import AnalysePanel
from dynoai_desktop.ui.panels.analyse_section import tsv
from dynoai_desktop.ui.panels.analyse_sheets import payload_sheets, plan_sheets
from dynoai_desktop.ui.panels.analyse_words import REASONS
from dynoai_desktop.ui.theme import DARK
from dynoai_desktop.ui.widgets.surface_colours import colour_of, colours
from dynoai_desktop.ui.widgets.surface_sheet import Shade, Sheet, cell_facts, scale_of, shown
from tests import tune_world
from tests.analysis_world import World, make, smooth_error
from tests.ui_world import heard

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")
LAMBDA = Look(display=Display(mixture=MixtureScale.LAMBDA))
LOG = Path("/logs/pull.csv")


@pytest.fixture(scope="module")
def payload() -> Payload:
    """A log of a tune that is off by a known amount, front and rear alike."""
    error = smooth_error(3)
    return analyse(make(World(seed=3, errors={"front": error, "rear": error}, pulls=1)))


@pytest.fixture
def window(qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    window = MainWindow(tmp_path / "settings.ini", "1.2.3", "notices")
    qtbot.addWidget(window)
    window.show_page("analyse")
    window.show()
    yield window


@pytest.fixture
def panel(window: MainWindow, payload: Payload) -> AnalysePanel:
    """The page with an analysis on it."""
    window.set_analysis(AnalysisState(path=LOG, payload=payload))
    panel = window.panel()
    assert isinstance(panel, AnalysePanel)
    return panel


def plan_of(value: float = 1.05, terms: Terms | None = None) -> Plan:
    return make_plan(read_tune(tune_world.pvv()), tune_world.corrections(value), terms)


def preview(window: MainWindow, plan: Plan, **fields) -> None:
    tune = TuneState((Path("stage1.pvv"),), (plan,), suggestion=Path("stage2.pvv"), **fields)
    window.set_tune(tune)


def sheet(payload: Payload, key: str, cylinder: str = "front") -> Sheet:
    return next(s for s in payload_sheets(payload) if (s.key, s.cylinder) == (key, cylinder))


# The page as a whole


def test_an_empty_page_says_what_will_be_here_and_how_to_get_it(window) -> None:
    note = window.panel().note
    assert note.isVisible()
    assert "Drop a recording or a log" in note.text.text()
    assert "Ctrl+O" in note.button.text()


def test_progress_is_shown_and_esc_cancels(qtbot, window) -> None:
    cancelled = heard(window.analysis_cancelled)
    window.set_analysis(AnalysisState(running=True, share=0.42, step="Drawing", path=LOG))
    panel = window.panel()
    assert panel.progress.isVisible()
    assert panel.bar.value() == 42
    assert panel.step.text() == "Drawing"
    assert window.rail.button("analyse").mark.word == "42 %"
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert cancelled


def test_a_failure_is_one_sentence_with_a_way_out(window) -> None:
    window.set_analysis(AnalysisState(path=LOG, failed=True, message="No load. Log MAP or TPS."))
    note = window.panel().note
    assert "pull.csv" in note.title.text()
    assert note.text.text() == "No load. Log MAP or TPS."
    assert note.button.text()


def test_a_foreign_name_is_plain_text(window) -> None:
    window.set_analysis(AnalysisState(path=Path("/x/<b>a\u202eb.csv"), failed=True, message="No."))
    assert "\u202e" not in window.panel().note.title.text()


def test_simulated_data_say_so(window, payload) -> None:
    window.set_analysis(AnalysisState(path=LOG, payload=payload))
    assert window.panel().simulated.isVisible()
    normalised = payload.evidence.normalised
    measured = replace(normalised, frame=replace(normalised.frame, simulated=False))
    evidence = replace(payload.evidence, normalised=measured)
    window.set_analysis(AnalysisState(path=LOG, payload=replace(payload, evidence=evidence)))
    assert not window.panel().simulated.isVisible()


def test_a_dropped_log_is_analysed_and_a_dropped_tune_is_chosen(window) -> None:
    logs, tunes = heard(window.analyse_requested), heard(window.tune_chosen)
    window.show_page("live")
    for name in ("/x/run.csv", "/x/tune.pvv"):
        drop(window, name)
    assert (logs, tunes) == ([Path("/x/run.csv")], [Path("/x/tune.pvv")])
    assert window.page == "analyse"


def test_a_drop_does_not_disturb_a_recording(window) -> None:
    logs = heard(window.analyse_requested)
    window.show_page("live")
    window.set_recording(RecordingState(active=True))
    drop(window, "/x/run.csv")
    assert not logs
    assert window.page == "live"


def drop(window: MainWindow, path: str) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path)])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))


def test_every_section_is_reached_by_key_and_has_something_to_copy(qtbot, panel, window) -> None:
    seen = []
    for _ in panel.sections:
        seen.append(panel.section)
        if panel.section != "tune":
            qtbot.keyClick(window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
            assert QGuiApplication.clipboard().text().count("\t") > 1, panel.section
            QGuiApplication.clipboard().clear()
        qtbot.keyClick(window, Qt.Key.Key_PageDown)
    assert seen == list(panel.sections)


# Overview


def test_the_overview_says_why_not_more(window, payload) -> None:
    overview = analyse(without(payload, Channel.LAMBDA_CMD, Channel.SPARK_FRONT))
    window.set_analysis(AnalysisState(path=LOG, payload=overview))
    text = window.panel().sections["overview"][1].copy_text(SPREADSHEET)
    assert "no commanded lambda was logged" in text
    assert "VE correction\tdisabled" in text


def without(payload: Payload, *channels: Channel) -> Frame:
    raw = payload.evidence.normalised.raw
    columns = {c: v for c, v in raw.columns.items() if c not in channels}
    return replace(raw, columns=columns)


def test_no_data_is_no_confidence(window, payload) -> None:
    none = TuneConfidence(0.0, "D", (), ("no fuel table was estimated",), ())
    window.set_analysis(AnalysisState(path=LOG, payload=replace(payload, confidence=none)))
    overview = window.panel().sections["overview"][1]
    assert overview.score.text() == "0 of 100"
    assert "no fuel table was estimated" in overview.doubts.text()


def test_every_second_and_every_rejected_sample_is_accounted_for(panel, payload) -> None:
    overview = panel.sections["overview"][1]
    assert sum(row.share for row in overview.modes.rows) == pytest.approx(1.0, abs=0.02)
    assert len(overview.rejects.rows) == len(payload.rejected)
    assert set(payload.rejected) <= set(REASONS)


def test_warnings_are_printed(window, payload) -> None:
    warned = replace(payload, warnings=(Warning("x", "The barometer was assumed."),))
    window.set_analysis(AnalysisState(path=LOG, payload=warned))
    overview = window.panel().sections["overview"][1]
    assert "The barometer was assumed." in overview.warnings.text()


# Maps


def test_m_turns_through_every_map_and_c_to_the_other_cylinder(qtbot, window, panel) -> None:
    qtbot.keyClick(window, Qt.Key.Key_M)
    assert panel.section == "maps"
    view = panel.maps.view
    first, seen = view.sheet.key, []
    for _ in range(view.places[1]):
        seen.append(view.sheet.key)
        qtbot.keyClick(window, Qt.Key.Key_M)
    assert view.sheet.key == first
    assert {"lambda_error", "ve_correction", "ve_needed"} <= set(seen)
    assert len(seen) == len(set(seen))
    qtbot.keyClick(window, Qt.Key.Key_C)
    assert view.sheet.cylinder == "rear"


def test_the_cursor_says_value_interval_and_hits(qtbot, window, panel, payload) -> None:
    panel.show_section("maps")
    view = panel.maps.view
    surface = next(m.surface for m in payload.maps if m.surface_id == "lambda_error_front")
    view.set_look(LAMBDA)
    facts = dict(view.facts.lines)
    i, j = view.map.at
    value, half = surface.value[i, j], 1.96 * surface.se[i, j]
    assert facts["Lambda error front"].removesuffix(" λ") == f"{value:+.3f}".replace("-", "−")
    low, high = (f"{x:+.3f}".replace("-", "−") for x in (value - half, value + half))
    assert facts["95 % interval"] == f"{low} … {high}"
    assert facts["Hits"] == f"{surface.hits[i, j]:.1f}"


def test_arrows_move_the_cursor_and_stay_on_the_map(qtbot, panel) -> None:
    panel.show_section("maps")
    grid = panel.maps.view.map
    i, j = grid.at
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    qtbot.keyClick(grid, Qt.Key.Key_Up)
    assert grid.at == (i + 1, j + 1)
    for _ in range(60):
        qtbot.keyClick(grid, Qt.Key.Key_Left)
    assert grid.at[0] == grid.sheet.box()[0].start


def test_a_click_puts_the_cursor_on_the_cell_that_was_hit(qtbot, panel) -> None:
    panel.show_section("maps")
    grid = panel.maps.view.map
    rows, columns = grid.sheet.box()
    target = (rows.stop - 1, columns.stop - 1)
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid._cell(*target).center())
    assert grid.at == target


def test_d_cuts_along_the_other_axis(qtbot, window, panel) -> None:
    panel.show_section("maps")
    cut = panel.maps.view.cut
    assert "Along rpm" in cut.caption()
    qtbot.keyClick(window, Qt.Key.Key_D)
    assert "Along load" in cut.caption()


def test_lean_is_orange_and_rich_is_blue_on_every_diverging_map(payload) -> None:
    steps = colours(DARK, Shade.DIVERGING)
    assert (steps[0], steps[-1]) == (DARK.rich, DARK.lean)
    for key in ("lambda_error", "ve_correction", "ve_needed"):
        one = sheet(payload, key)
        low, high = scale_of(one, shown(one, Look()))
        assert low == -high
        assert one.shade is Shade.DIVERGING


def test_doubt_fades_a_colour(payload) -> None:
    sure = colour_of(1.0, 0.0, DARK, Shade.DIVERGING)
    unsure = colour_of(1.0, 1.0, DARK, Shade.DIVERGING)

    def red(colour: str) -> int:
        return int(colour[1:3], 16)

    assert red(sure) > red(colour_of(1.0, 0.5, DARK, Shade.DIVERGING)) > red(unsure)


def test_a_cell_without_enough_hits_has_no_value(payload) -> None:
    one = sheet(payload, "lambda_error")
    few = np.flatnonzero((one.hits < 3).ravel())
    assert few.size
    assert np.isnan(one.values.ravel()[few]).all()
    i, j = np.unravel_index(few[0], one.hits.shape)
    assert ("Lambda error front", "no data") in cell_facts(one, (int(i), int(j)), Look())


def test_the_correction_tells_the_data_from_the_advice(payload) -> None:
    correction = payload.evidence.fits[Cylinder.FRONT].correction
    one = sheet(payload, "ve_correction")
    i, j = (int(k) for k in np.argwhere(correction.multiplier != 1.0)[0])
    facts = dict(cell_facts(one, (i, j), Look()))
    estimate, se = correction.estimate[i, j], correction.se[i, j]
    assert facts["The data say"] == f"× {estimate:.3f} ± {se:.3f}"
    assert facts["Recommended"] == f"× {correction.multiplier[i, j]:.3f}"


def test_lambda_error_follows_the_display_units(payload) -> None:
    one = sheet(payload, "lambda_error")
    afr, lam = shown(one, Look()), shown(one, LAMBDA)
    assert (afr.unit, lam.unit) == ("AFR", "λ")
    known = np.isfinite(lam.values)
    stoich = Look().display.stoich
    np.testing.assert_allclose(afr.values[known], stoich * lam.values[known])
    np.testing.assert_allclose(afr.se[known], stoich * lam.se[known])


def test_a_copied_map_reads_back_on_its_axes(panel, payload) -> None:
    panel.show_section("maps")
    panel.copy(SPREADSHEET)
    one = sheet(payload, "lambda_error")
    back = from_text(QGuiApplication.clipboard().text(), one.grid, SPREADSHEET)
    np.testing.assert_allclose(back, shown(one, panel.look).values, atol=5.1e-5)
    panel.copy(POWER_CORE)
    assert len(QGuiApplication.clipboard().text().splitlines()) == len(one.rpm)


def test_a_log_without_widebands_still_shows_its_other_maps(qtbot, window, payload) -> None:
    bare = analyse(without(payload, Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR, Channel.SPARK_REAR))
    window.set_analysis(AnalysisState(path=LOG, payload=bare))
    panel = window.panel()
    for key in panel.sections:
        panel.show_section(key)
        window.grab()
    assert all("lambda" not in s.key for s in payload_sheets(bare))


# Causes and runs


def test_causes_are_ranked_and_each_says_what_would_tell(panel, payload) -> None:
    causes = panel.sections["causes"][1]
    ranked = [causes.rows.row(k).confidence for k in range(causes.rows.rowCount())]
    assert ranked == sorted(ranked, reverse=True)
    first = payload.causes.causes[0]
    assert causes.title.text() == first.title
    assert all(check in causes.checks.text() for check in first.checks)


def test_no_cause_is_no_blank_page(window, payload) -> None:
    calm = replace(payload, causes=CauseTree((), "Nothing stands out.", ()))
    window.set_analysis(AnalysisState(path=LOG, payload=calm))
    causes = window.panel().sections["causes"][1]
    assert causes.summary.text() == "Nothing stands out."
    assert causes.title.text() == ""


def test_runs_are_listed_in_time_order(panel, payload) -> None:
    runs = panel.sections["runs"][1]
    assert [runs.rows.row(k) for k in range(runs.rows.rowCount())] == list(payload.evidence.runs)
    assert "Pull" in runs.copy_text(SPREADSHEET)


def test_no_spreadsheet_takes_a_copied_cell_for_a_formula() -> None:
    assert tsv([["=HYPERLINK(1)", "−3.2", "+ leans"]]) == "'=HYPERLINK(1)\t-3.2\t'+ leans\n"


# Tune


def test_without_a_tune_the_section_says_how_to_choose_one(panel) -> None:
    panel.show_section("tune")
    assert panel.tune.note.isVisible()
    assert "nothing is written before" in panel.tune.note.text.text().replace("  ", " ")
    assert not panel.tune.apply_button.isEnabled()


def test_the_preview_shows_before_after_and_difference(qtbot, window, panel) -> None:
    panel.show_section("tune")
    plan = plan_of(1.05)
    preview(window, plan)
    before, after, change = plan.grids(Cylinder.FRONT)
    seen = {}
    for _ in range(4):
        seen[panel.tune.view.sheet.key] = panel.tune.view.sheet.values
        qtbot.keyClick(window, Qt.Key.Key_M)
    np.testing.assert_array_equal(seen["before"], before.values)
    np.testing.assert_array_equal(seen["after"], after.values)
    np.testing.assert_array_equal(seen["difference"], change.values)
    np.testing.assert_allclose(seen["percent"], 5.0, atol=0.02)


def test_k_locks_the_cell_under_the_cursor_and_lets_it_go(qtbot, window, panel) -> None:
    panel.show_section("tune")
    preview(window, plan_of())
    wishes = heard(window.tune_preview_requested)
    panel.tune.view.map.look_at((2, 1))
    qtbot.keyClick(window, Qt.Key.Key_K)
    terms = Terms(locked=frozenset({(Cylinder.FRONT, 2, 1)}))
    assert wishes == [terms]
    preview(window, plan_of(terms=terms), terms=terms)
    assert "Unlock" in panel.tune.lock_button.text()
    assert panel.tune.blocked.rowCount() == 1
    assert panel.tune.blocked.row(0).why == "locked"
    qtbot.keyClick(window, Qt.Key.Key_K)
    assert wishes[-1] == Terms()


def test_minus_makes_the_step_smaller(qtbot, window, panel) -> None:
    panel.show_section("tune")
    preview(window, plan_of())
    limits = heard(window.tune_preview_requested)
    qtbot.keyClick(window, Qt.Key.Key_Minus)
    assert limits == [Terms(0.06)]


def test_f_asks_for_half_of_each_change_and_for_all_of_it_again(qtbot, window, panel) -> None:
    panel.show_section("tune")
    preview(window, plan_of())
    wishes = heard(window.tune_preview_requested)
    qtbot.keyClick(window, Qt.Key.Key_F)
    assert wishes == [Terms(half=True)]
    preview(window, plan_of(terms=wishes[0]), terms=wishes[0])
    assert "Whole" in panel.tune.half_button.text()
    qtbot.keyClick(window, Qt.Key.Key_F)
    assert wishes[-1] == Terms()


def test_what_is_pasted_as_percent_is_what_would_be_written(window, panel) -> None:
    panel.show_section("tune")
    values = np.ones((5, 4))
    values[1, 1] = 1.06
    terms = Terms(half=True)
    plan = make_plan(read_tune(tune_world.pvv()), tune_world.corrections(values), terms)
    preview(window, plan, terms=terms)
    panel.tune.act("next_surface")
    rows = [line.split("\t") for line in panel.tune.copy_text(POWER_CORE).splitlines()]
    before = plan.grids(Cylinder.FRONT)[0].values
    assert float(rows[1][1]) == pytest.approx(3.0, abs=0.01)
    assert float(rows[1][1]) == pytest.approx(
        100 * (plan.grids(Cylinder.FRONT)[1].values / before - 1)[1, 1], abs=1e-3
    )
    rest = [cell for i, row in enumerate(rows) for j, cell in enumerate(row) if (i, j) != (1, 1)]
    assert set(rest) == {"0"}  # a blank might be pasted over a cell


def test_one_cylinder_alone_is_offered_where_only_that_one_was_measured(
    qtbot, window, panel
) -> None:
    panel.show_section("tune")
    assert panel.tune.lone_button.isHidden()
    why = "The tune has a VE table for the front cylinder. Both cylinders are changed or none."
    window.set_tune(TuneState((Path("a.pvv"),), lone=Cylinder.REAR, failed=True, message=why))
    assert "R corrects the rear cylinder alone" in panel.tune.note.text.text()
    wishes = heard(window.tune_preview_requested)
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert wishes == [Terms(alone=Cylinder.REAR)]
    plan = make_plan(
        read_tune(tune_world.pvv()),
        tune_world.corrections(cylinders=(Cylinder.REAR,)),
        wishes[0],
    )
    preview(window, plan, terms=wishes[0], lone=Cylinder.REAR)
    assert {s.cylinder for s in plan_sheets((plan,))} == {"rear"}
    assert "Both" in panel.tune.lone_button.text()
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert wishes[-1] == Terms()


def test_nothing_is_written_without_the_preview_in_front(qtbot, window, panel) -> None:
    written = heard(window.tune_apply_requested)
    panel.tune.apply_to(Path("copy.pvv"))  # no preview at all
    preview(window, plan_of())
    panel.show_section("maps")
    panel.tune.apply_to(Path("copy.pvv"))  # there is one, but nobody sees it
    assert not written
    panel.show_section("tune")
    panel.tune.apply_to(Path("copy.pvv"))
    assert written == [Path("copy.pvv")]
    preview(window, plan_of(), written=True)
    panel.tune.apply_to(Path("copy.pvv"))
    assert len(written) == 1


def test_a_copy_without_a_change_is_not_offered(window, panel) -> None:
    panel.show_section("tune")
    preview(window, plan_of(1.0))
    assert not panel.tune.apply_button.isEnabled()


def test_z_shows_what_it_would_take_back_before_it_does(qtbot, window, panel) -> None:
    undone = heard(window.tune_undo_requested)
    preview(window, plan_of(), written=True, can_undo=True)
    qtbot.keyClick(window, Qt.Key.Key_Z)
    assert panel.section == "tune"
    assert not undone
    qtbot.keyClick(window, Qt.Key.Key_Z)
    assert len(undone) == 1


def test_a_refusal_of_the_preview_is_said_where_it_would_be(window, panel) -> None:
    panel.show_section("tune")
    window.set_tune(TuneState((Path("a.pvv"),), failed=True, message="Other axes. Analyse again."))
    assert "Other axes. Analyse again." in panel.tune.note.text.text()
    assert not panel.tune.apply_button.isEnabled()


def test_the_history_shows_what_each_step_changed(qtbot, window, panel, tmp_path) -> None:
    from dynoai_desktop.desks.tune_bench import TuneBench

    panel.show_section("tune")
    base = tmp_path / "a.pvv"
    base.write_bytes(tune_world.pvv())
    from dynoai_desktop.core.tune.store import Job, TuneStore

    store = TuneStore(tmp_path / "tune", "")
    now = datetime(2026, 1, 2, tzinfo=UTC)
    job = Job(base, tmp_path / "b.pvv")
    store.apply([job], tune_world.corrections(1.05), Terms(half=True), now=now)
    bench = TuneBench(window, tmp_path / "tune", "")
    qtbot.waitUntil(lambda: bool(window.state.tune.steps))
    bench.close()
    qtbot.keyClick(window, Qt.Key.Key_H)
    tune = panel.tune
    assert tune.steps.rowCount() == 1
    assert tune.cells.rowCount() == 20
    cell = tune.cells.row(0)
    assert cell.after != cell.before
    assert "b.pvv" in tune.copy_text(SPREADSHEET)


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_every_section_fits_the_window(panel, window, size) -> None:
    window.resize(*size)
    for key, (_, section) in panel.sections.items():
        panel.show_section(key)
        assert window.minimumSizeHint().height() <= size[1], key
        assert section.minimumSizeHint().width() <= panel.width(), key
