"""The live page: map views by cylinder, mixture tiles, the card of the pull, and the alerts."""

from __future__ import annotations

import doctest
import importlib
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.axis import Axis, CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.alert_rules import Severity as AlertSeverity
from dynoai_desktop.core.live.alerts import Alert
from dynoai_desktop.core.live.delay import Delay
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.quality import Quality
from dynoai_desktop.core.live.runs import Comparison, Leanest, Peak, Run
from dynoai_desktop.core.live.snapshot import CellMap as Cells
from dynoai_desktop.core.live.snapshot import Mixture, Snapshot
from dynoai_desktop.core.samples import WINDOWS_PER_S, Aggregate
from dynoai_desktop.core.units import Display, MixtureScale, Unit, UnitSystem
from dynoai_desktop.ui.alerts import AlertBook, group_alerts
from dynoai_desktop.ui.cell_words import active_cell
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.marks import Standing
from dynoai_desktop.ui.messages import Severity, SourceKind, SourceState
from dynoai_desktop.ui.mixture_words import mixture_words
from dynoai_desktop.ui.run_words import card_words, run_to_show
from dynoai_desktop.ui.theme import PALETTES, contrast, diverging, faded
from dynoai_desktop.ui.widgets.alert_list import alert_rows
from dynoai_desktop.ui.widgets.cell_map import CellMap
from dynoai_desktop.ui.widgets.footer import BLINK_MS
from dynoai_desktop.ui.widgets.map_colours import STRENGTHS, map_colours
from dynoai_desktop.ui.widgets.map_layout import MapLayout
from dynoai_desktop.ui.widgets.map_views import (
    FRONT,
    MAP_VIEWS,
    REAR,
    Layer,
    error_layer,
    error_top,
    hit_layer,
    side_shown,
    sides_of,
)
from tests import ui_world
from tests.ui_world import heard

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

SIZE, SIZES = (1200, 560), ((1280, 800), (1920, 1080))
LOOK, NOW_S = Look(), ui_world.NOW_S
HITS, ERROR, CONFIDENCE = range(3)
C = Cylinder
RPM, LOAD = default_rpm_axis(), default_map_axis()


def cells(values: dict, rpm: Axis = RPM, load: Axis = LOAD) -> Cells:
    """What one group says: {cell: (error, half width)} as shares."""
    shape = (len(rpm), len(load))
    error, width = np.full(shape, np.nan), np.full(shape, np.nan)
    mass = np.zeros(shape)
    for cell, (one_error, one_width) in values.items():
        error[cell], width[cell], mass[cell] = one_error, one_width, 12.0
    return Cells(rpm, load, error, width, mass, mass, np.full(shape, 0.02))


def judged(front: dict | None = None, rear: dict | None = None, **more) -> Snapshot:
    """A snapshot in which these cells are judged."""
    groups = {c: cells(v) for c, v in ((C.FRONT, front), (C.REAR, rear)) if v is not None}
    active = more.pop("active_cell", None)
    return replace(ui_world.snapshot(), cylinders=groups, active_cell=active, trail=(), **more)


@pytest.fixture
def cell_map(qtbot) -> CellMap:
    shown = CellMap(LOOK)
    qtbot.addWidget(shown)
    shown.resize(*SIZE)
    shown.show()
    return shown


def colour_in(shown: CellMap, cell: tuple[int, int]) -> str:
    """Return the colour in the middle of the upper edge of a cell, beside its marks."""
    box = MapLayout.fit(RPM, LOAD, *SIZE, LOOK.sizes.small).cell(*cell)
    return shown.grab().toImage().pixelColor(box.center().x(), box.top() + 1).name().upper()


# Colours


@pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))
def test_rich_is_blue_lean_is_orange_and_right_is_quiet(palette):
    scale = [QColor(colour) for colour in diverging(palette)]
    rich, calm, lean = scale[0], scale[len(scale) // 2], scale[-1]
    assert len(scale) % 2 == 1
    assert rich.blue() > rich.red() + 60
    assert lean.red() > lean.blue() + 60
    assert max(calm.red(), calm.green(), calm.blue()) - min(calm.red(), calm.blue()) < 30
    quiet, loud = contrast(palette.calm, palette.ground), contrast(palette.lean, palette.ground)
    assert loud > 2 * quiet


@pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))
def test_rich_and_lean_are_told_apart_by_every_kind_of_colour_vision(palette):
    """Protan and deutan eyes confuse red with green; blue against yellow is left to them."""
    for strength in STRENGTHS:
        rich, lean = (
            QColor(faded(c, palette.ground, strength)) for c in (palette.rich, palette.lean)
        )
        yellowness = [(c.red() + c.green()) / 2 - c.blue() for c in (rich, lean)]
        assert yellowness[1] - yellowness[0] > 30, strength


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("view", MAP_VIEWS, ids=lambda view: view.key)
def test_numbers_can_be_read_in_every_cell_however_faded(name, view):
    colours = map_colours(view.style, name)
    for fills, inks in zip(colours.fills, colours.inks, strict=True):
        assert all(contrast(fill, ink) >= 4.5 for fill, ink in zip(fills, inks, strict=True))


@pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))
def test_words_of_the_error_can_be_read(palette):
    for ink in (palette.rich, palette.lean, palette.good):
        assert contrast(ink, palette.panel) >= 4.5


def test_an_error_glows_and_uncertainty_fades_it(cell_map):
    cell_map.set_view(ERROR)
    sure, unsure = {(8, 7): (0.10, 0.005), (3, 2): (-0.10, 0.005)}, {(8, 7): (0.10, 0.2)}
    cell_map.show_snapshot(judged(sure, sure))
    assert colour_in(cell_map, (8, 7)) == LOOK.palette.lean
    assert colour_in(cell_map, (3, 2)) == LOOK.palette.rich
    assert colour_in(cell_map, (0, 0)) == LOOK.palette.ground, "no data, no colour"
    cell_map.show_snapshot(judged(unsure, unsure))
    assert colour_in(cell_map, (8, 7)) == faded(
        LOOK.palette.lean, LOOK.palette.ground, STRENGTHS[-1]
    )


def test_the_scale_holds_what_is_known_and_a_good_tune_stays_calm():
    def layer(error, width):
        return Layer(RPM, LOAD, np.array([[error]]), np.array([[width]]))

    assert error_top(layer(1.0, 0.5)) == 10.0
    assert error_top(layer(-14.0, 0.5)) == 20.0
    assert error_top(layer(90.0, 0.5)) == 40.0
    assert error_top(layer(90.0, 30.0)) == 10.0, "one wild reading must not dim everything"
    assert error_top(layer(np.nan, np.nan)) == 10.0


# By cylinder


def test_front_and_rear_are_never_averaged():
    snapshot = judged({(8, 7): (0.02, 0.01)}, {(8, 7): (-0.06, 0.01), (5, 5): (0.01, 0.01)})
    worst = error_layer(snapshot, None)
    assert worst.values[8, 7] == pytest.approx(-6.0)
    assert worst.whose[8, 7] == REAR
    assert worst.whose[5, 5] == REAR
    assert error_layer(snapshot, C.FRONT).values[8, 7] == pytest.approx(2.0)
    assert np.isnan(error_layer(snapshot, C.FRONT).values[5, 5])
    assert error_layer(snapshot, C.FRONT).whose is None


def test_the_worst_of_both_is_marked_with_its_cylinder(cell_map):
    cell_map.set_view(ERROR)
    box = MapLayout.fit(RPM, LOAD, *SIZE, LOOK.sizes.small).cell(8, 7)

    def corners(front, rear):
        cell_map.show_snapshot(judged({(8, 7): (front, 0.005)}, {(8, 7): (rear, 0.005)}))
        picture = cell_map.grab().toImage()
        fill = picture.pixelColor(box.center().x(), box.top() + 1)
        marks = (box.topLeft() + QPoint(1, 1), box.bottomRight() - QPoint(1, 1))
        return [picture.pixelColor(spot) != fill for spot in marks]

    assert corners(0.08, 0.02) == [True, False]
    assert corners(0.02, 0.08) == [False, True]


def test_a_cell_is_covered_when_both_cylinders_were_heard_in_it():
    snapshot = judged({(8, 7): (0.0, 0.01), (3, 2): (0.0, 0.01)}, {(8, 7): (0.0, 0.01)})
    hits = hit_layer(snapshot, None).values
    assert hits[8, 7] == 12.0
    assert np.isnan(hits[3, 2])
    assert hit_layer(snapshot, C.FRONT).values[3, 2] == 12.0


def test_c_turns_through_the_sides_there_are(cell_map):
    cell_map.show_snapshot(judged({}, {}))
    seen = []
    for _ in range(4):
        seen.append(cell_map.side)
        cell_map.next_side()
    assert seen == [None, C.FRONT, C.REAR, None]


def test_one_probe_has_one_side():
    snapshot = replace(judged(), cylinders={C.BOTH: cells({(8, 7): (0.03, 0.01)})})
    assert sides_of(snapshot) == (C.BOTH,)
    assert side_shown(snapshot, C.REAR) is C.BOTH
    assert active_cell(replace(snapshot, active_cell=(8, 7)), None).error_words == "+3.0 ±1.0 %"


def test_without_a_wideband_the_map_counts_windows_and_says_nothing_of_errors(cell_map):
    cell_map.show_snapshot(ui_world.snapshot())
    assert cell_map.facts.error_words == ""
    assert cell_map.facts.hits > 0
    for view in range(len(MAP_VIEWS)):
        cell_map.set_view(view)
        cell_map.grab()


def test_the_active_cell_says_error_interval_whose_and_hits():
    snapshot = judged({(8, 7): (0.02, 0.01)}, {(8, 7): (-0.061, 0.008)}, active_cell=(8, 7))
    facts = active_cell(snapshot, None)
    assert (facts.error_words, facts.hit_words) == ("R −6.1 ±0.8 %", "12 hits")
    assert active_cell(snapshot, C.FRONT).error_words == "F +2.0 ±1.0 %"
    assert active_cell(replace(snapshot, active_cell=(0, 0)), None).error_words == "no reading yet"
    assert active_cell(replace(snapshot, active_cell=None), None) is None
    assert active_cell(replace(snapshot, active_cell=(99, 0)), None) is None


@pytest.mark.parametrize("cell", [(0, 0), (19, 0), (0, 9), (19, 9), (10, 9)])
def test_the_label_of_the_active_cell_stays_on_the_map_and_off_its_cell(cell_map, cell):
    from dynoai_desktop.ui.widgets.map_callout import callout_rect

    cell_map.show_snapshot(judged({cell: (-0.116, 0.123)}, {}, active_cell=cell))
    layout = MapLayout.fit(RPM, LOAD, *SIZE, LOOK.sizes.small)
    box = callout_rect(layout, cell_map.facts, LOOK)
    assert QRect(0, 0, *SIZE).contains(box)
    assert not box.intersects(layout.cell(*cell))
    cell_map.grab()


@pytest.mark.parametrize("view", range(len(MAP_VIEWS)))
def test_painted_bit_by_bit_it_is_the_picture_painted_at_once(cell_map, view):
    """Cells that look the same are left alone; those that do not must all be painted."""
    cell_map.set_view(view)
    rng = np.random.default_rng(view)
    for _ in range(12):
        spots = {(int(i), int(j)): (float(e), float(w)) for i, j, e, w in zip(
            rng.integers(20, size=8), rng.integers(10, size=8),
            rng.normal(0, 0.04, 8), rng.uniform(0.002, 0.08, 8), strict=True)}  # fmt: skip
        snapshot = judged(spots, dict(list(spots.items())[::2]))
        cell_map.show_snapshot(snapshot)
        cell_map.grab()
    grown = cell_map.grab().toImage()
    fresh = CellMap(LOOK)
    fresh.set_view(view)
    fresh.resize(*SIZE)
    fresh.show_snapshot(snapshot)
    assert grown == fresh.grab().toImage()
    fresh.deleteLater()


def test_turning_the_side_or_the_view_paints_anew(cell_map):
    cell_map.set_view(ERROR)
    cell_map.show_snapshot(judged({(8, 7): (0.10, 0.005)}, {(8, 7): (-0.02, 0.005)}))
    lean = colour_in(cell_map, (8, 7))
    cell_map.next_side()
    assert colour_in(cell_map, (8, 7)) == lean
    cell_map.next_side()
    assert colour_in(cell_map, (8, 7)) != lean
    cell_map.next_view()
    assert cell_map.view.key == "confidence"
    cell_map.grab()


def test_a_vehicle_with_boost_and_its_own_axes(cell_map):
    rpm = Axis.from_nodes(Channel.RPM, Unit.RPM, [750, 1000, 2000, 4000, 6500])
    load = Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, [30, 60, 100, 150, 220])
    grid = CellGrid(rpm, load, np.zeros((5, 5)))
    own = cells({(4, 4): (0.05, 0.01)}, rpm, load)
    snapshot = replace(judged(), hits=grid, cylinders={C.FRONT: own}, active_cell=(4, 4))
    for view in range(len(MAP_VIEWS)):
        cell_map.show_snapshot(judged({(8, 7): (0.10, 0.005)}, {}))
        cell_map.set_view(view)
        cell_map.grab()
        cell_map.show_snapshot(snapshot)
        cell_map.grab()
    assert cell_map.facts.error_words == "F +5.0 ±1.0 %"


def test_nothing_added_costs_no_arithmetic(cell_map, monkeypatch):
    cell_map.set_view(ERROR)
    snapshot = judged({(8, 7): (0.10, 0.005)}, {})
    cell_map.show_snapshot(snapshot)
    layer = cell_map._layer
    cell_map.show_snapshot(replace(snapshot, time_s=NOW_S + 9, active_cell=(8, 7)))
    assert cell_map._layer is layer
    assert cell_map.facts is not None


# Mixture tiles


@pytest.mark.parametrize(
    "error, figure, word",
    [
        (0.004, "0", "on target"),
        (0.024, "+2", "on target"),
        (0.05, "+5", "lean"),
        (-0.05, "−5", "rich"),
        (0.12, "+12", "very lean"),
        (-0.3, "−30", "very rich"),
    ],
)
def test_the_error_has_a_sign_and_a_word(error, figure, word):
    words = mixture_words(Mixture(0.88 * (1 + error), 0.88, error, ""), Display())
    assert (words.error, words.word) == (figure, word)


def test_lean_is_orange_and_rich_is_blue_on_the_tile_too():
    palette = LOOK.palette
    colours = [
        mixture_words(Mixture(0.9, 0.9, e, ""), Display()).colour(palette) for e in (0.1, -0.1, 0.0)
    ]
    assert colours == [palette.lean, palette.rich, palette.good]


def test_a_reading_that_does_not_count_says_why_quietly(qtbot):
    words = mixture_words(Mixture(1.4, 0.95, 0.47, "fuel_cut"), Display())
    assert words.note == "not counted: fuel cut"


def test_without_a_place_there_is_no_target_and_no_error():
    words = mixture_words(Mixture(0.9, None, None, "place_unknown"), Display())
    assert (words.target, words.error, words.word) == ("", "", "")
    assert mixture_words(None, Display()).note == ""


def test_the_target_follows_the_mixture_setting():
    mixture = Mixture(0.9, 0.88, 0.023, "")
    assert mixture_words(mixture, Display()).target == "target 12.9"
    assert mixture_words(mixture, Display(mixture=MixtureScale.LAMBDA)).target == "target 0.88"


# The card


def run(number: int, kind: RunKind = RunKind.PULL, **fields) -> Run:
    """A finished run."""
    one = Run(number, kind, NOW_S, NOW_S + 5.4, True, 2100.0, 5600.0, accepted=81, rejected=19)
    return replace(one, **fields)


PULL = run(
    7,
    power_kw=Peak(70.2, 5310.0),
    torque_nm=Peak(142.5, 3940.0),
    leanest=Leanest(C.REAR, 0.93, 0.051, 4600.0, 97.0),
    new_cells=3,
    versus=Comparison(5, 0.45, 0.27, -1.2, 0.6),
)


def with_runs(*runs: Run, current: Run | None = None, **more) -> Snapshot:
    """A snapshot with these runs behind it."""
    return replace(ui_world.readings({}), runs=runs, run=current, **more)


def test_the_card_says_what_the_pull_was():
    words = card_words(with_runs(PULL), Display()).run
    power, torque = words.peaks
    assert (words.title, words.state) == ("Pull 7", "5.4 s")
    assert (power.value, power.unit, power.at) == ("94.1", "hp", "@ 5\u00a0310")
    assert power.change == "+0.6 ±0.7 against pull 5"
    assert (torque.value, torque.unit) == ("105.1", "lb·ft")
    assert torque.change == "−0.9 ±0.9 against pull 5"
    assert (words.leanest, words.leanest_at) == ("R +5 %  AFR 13.7", "at 4\u00a0600 rpm")
    assert words.added == "+3 cells covered"
    assert words.accepted == "accepted 81 % of 100 readings"


def test_the_card_says_why_readings_of_the_pull_did_not_count():
    pull = replace(PULL, reasons=(("tip_in", 12), ("overrun", 7)))
    words = card_words(with_runs(pull, accepted=900, rejected={"warm_up": 400}), Display())
    assert words.run.reasons == ("tip-in 12", "overrun 7")
    assert words.reasons == ("warm-up 400",)


def test_the_card_follows_the_units():
    words = card_words(with_runs(PULL), Display(UnitSystem.METRIC, MixtureScale.LAMBDA)).run
    assert (words.peaks[0].value, words.peaks[0].unit) == ("70.2", "kW")
    assert words.leanest == "R +5 %  λ 0.93"


def test_a_first_pull_is_compared_with_nothing():
    words = card_words(with_runs(replace(PULL, versus=None)), Display()).run
    assert [peak.change for peak in words.peaks] == ["", ""]


def test_coasting_and_idling_leave_the_last_pull_on_the_card():
    coast = run(8, RunKind.COAST_DOWN)
    idle = run(9, RunKind.HOLD, start_rpm=900.0)
    assert run_to_show(with_runs(PULL, coast, current=idle)) is PULL
    hold = run(10, RunKind.HOLD, start_rpm=2500.0)
    assert run_to_show(with_runs(PULL, coast, idle, current=hold)) is hold
    assert run_to_show(with_runs(coast, idle)) is None


def test_a_pull_going_on_takes_the_card():
    now = replace(PULL, number=8, finished=False)
    words = card_words(with_runs(PULL, current=now), Display()).run
    assert words.going_on
    assert words.state == "now, 5.4 s"


def test_reasons_are_named_most_frequent_first_and_the_rest_counted():
    rejected = dict(zip(
        ["fuel_cut", "tip_in", "overrun", "tip_out", "off_axes", "lambda_held", "too_brief"],
        [90, 40, 30, 20, 10, 6, 4], strict=True))  # fmt: skip
    words = card_words(with_runs(accepted=300, rejected=rejected), Display())
    assert words.reasons[0] == "fuel cut 90"
    assert words.reasons[-1] == "others 10"
    assert words.accepted == "accepted 60 % of 500 readings"


@pytest.mark.parametrize("score, word", [(92.0, "good"), (60.0, "fair"), (12.0, "poor")])
def test_quality_has_a_word_and_three_parts(score, word):
    words = card_words(with_runs(quality=Quality(score, 100.0, 34.0, 67.0)), Display()).quality
    assert (words.score, words.word) == (f"{score:.0f}", word)
    assert [part for part, _ in words.parts] == ["fresh", "coverage", "channels"]


def test_an_assumed_delay_is_not_called_measured():
    delay = Delay(0.23, 0.17, 0.29, measured=False)
    words = card_words(replace(judged({}, {}), delay=delay), Display())
    assert words.delay == "wideband 230 ±60 ms, assumed"


# Alerts


def alert(number: int = 1, key: str = "lean_under_load", **fields) -> Alert:
    """Danger on the front cylinder."""
    one = Alert(
        number,
        key,
        AlertSeverity.CRITICAL,
        Channel.LAMBDA_FRONT,
        "Lean under load",
        "Lambda front 1.02 (15.0 AFR) at 97 kPa. Close the throttle.",
        NOW_S - 4.0,
    )
    return replace(one, **fields)


def warning(number: int = 5) -> Alert:
    return alert(
        number,
        "intake_hot",
        severity=AlertSeverity.WARNING,
        channel=Channel.IAT,
        title="Intake air hot",
        message="Intake air is 60 °C. Let it cool before the next pull.",
    )


def test_the_same_alert_of_both_cylinders_is_one_thing_to_read():
    (group,) = group_alerts([alert(1), alert(2, channel=Channel.LAMBDA_REAR, times=3)])
    assert group.heading == "Lean under load, front and rear"
    assert group.times == 4
    assert group.numbers == (1, 2)


def test_worst_first_then_unread_then_still_true():
    groups = group_alerts([
        warning(),
        alert(1, "a", acknowledged=True),
        alert(2, "b", ended_s=NOW_S),
        alert(3, "c"),
    ])  # fmt: skip
    assert [group.key for group in groups] == ["c", "b", "a", "intake_hot"]


def test_what_was_read_stays_read_until_the_engine_has_heard_it():
    book = AlertBook()
    book.take((alert(1), warning()))
    assert book.acknowledge() == (1,)
    assert book.take((alert(1), warning(5))) is False
    assert book.groups[0].is_read
    assert book.acknowledge() == (5,)
    assert book.acknowledge() == ()
    book.take((alert(1, raised_s=NOW_S + 60),))
    assert not book.groups[0].is_read, "numbers start again with the analysis"
    book.acknowledge()
    book.take(())
    book.take((alert(1, raised_s=NOW_S + 60),))
    assert not book.groups[0].is_read, "a replay wound back raises the same alert anew"


def test_the_list_says_how_long_ago_how_often_and_whether_it_is_over():
    (row,) = alert_rows(group_alerts([alert(1, times=3, ended_s=NOW_S)]), NOW_S)
    assert row.state == "4 s ago · 3 times · over"
    assert row.sign == "×"


# In the window


@pytest.fixture
def window(qtbot, tmp_path) -> MainWindow:
    shown = MainWindow(tmp_path / "settings.ini", "1.2.3", "notices")
    qtbot.addWidget(shown)
    shown.set_source_state(SourceState(SourceKind.LIVE, "127.0.0.1"))
    shown.live_model.take_health(ui_world.bus())
    shown.show()
    return shown


def full(**more) -> Snapshot:
    """A snapshot with everything on: both cylinders, runs, quality, mixtures."""
    spots = {
        (i, j): (0.002 * (i - 9) * (j - 4), 0.004 * (1 + j))
        for i in range(2, 14)
        for j in range(10)
    }
    mixtures = {
        C.FRONT: Mixture(0.94, 0.86, 0.093, ""),
        C.REAR: Mixture(1.4, 0.86, 0.6, "fuel_cut"),
    }
    everything = {
        "mixtures": mixtures, "runs": (PULL,), "accepted": 800,
        "rejected": {"fuel_cut": 90, "tip_in": 40},
        "quality": Quality(74.0, 100.0, 34.0, 67.0), "delay": Delay(0.23, 0.17, 0.29, False),
        "active_cell": ui_world.snapshot().active_cell,
    }  # fmt: skip
    return judged(spots, spots, **(everything | more))


def show(window, snapshot, page="live"):
    window.show_page(page)
    window.live_model.take_snapshot(snapshot)
    window.refresh()
    return window.panel()


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window.focusWidget() or window, key, modifier)


def test_m_and_c_turn_the_map_and_its_caption(qtbot, window):
    panel = show(window, full())
    assert panel.caption.text().startswith("Hits [M]  fewest of both [C]")
    press(qtbot, window, Qt.Key.Key_M)
    assert panel.caption.text().startswith("λ error [M]  worst of both [C]")
    press(qtbot, window, Qt.Key.Key_C)
    assert panel.caption.text().startswith("λ error [M]  front [C]")
    press(qtbot, window, Qt.Key.Key_M)
    assert panel.caption.text().startswith("Confidence [M]  front [C]")


def test_the_map_in_front_is_remembered(qtbot, window, tmp_path):
    show(window, full())
    press(qtbot, window, Qt.Key.Key_M)
    window.close()
    again = MainWindow(tmp_path / "settings.ini")
    qtbot.addWidget(again)
    assert again.panel("live").map.view.key == "error"


def test_tiles_show_measured_target_error_and_why_not_counted(window):
    panel = show(window, full())
    front, rear = panel.numerals[1:3]
    assert (front.words.target, front.words.error, front.words.word) == (
        "target 12.6",
        "+9",
        "lean",
    )
    assert rear.words.note == "not counted: fuel cut"


def test_another_source_empties_tiles_card_and_alerts(window):
    panel = show(window, full(alerts=(alert(),)))
    window.live_model.clear()
    window.refresh()
    assert panel.numerals[1].words.error == ""
    assert panel.card.words is None
    assert window.state.alerts == ()
    assert not window.footer.is_blinking


def test_the_foot_tells_the_worst_what_to_do_and_how_many_more(window):
    show(window, full(alerts=(alert(), warning())))
    assert window.footer.line.text() == (
        "Lean under load: Lambda front 1.02 (15.0 AFR) at 97 kPa. Close the throttle.  [A] read"
    )
    assert window.footer.more.text() == "+1 more  [F8]"
    assert window.footer.sign.text() == "× Alarm"
    assert window.rail.button("live").mark.standing is Standing.BLOCKED


def test_alerts_are_told_on_every_page(window):
    show(window, full(alerts=(alert(),)), page="runs")
    assert window.footer.line.text().startswith("Lean under load")


def test_a_reads_one_alert_after_the_other_and_then_the_notice(qtbot, window):
    numbers = heard(window.alert_acknowledged)
    show(window, full(alerts=(alert(1), alert(2, channel=Channel.LAMBDA_REAR), warning())))
    window.show_notice("The map was emptied.", Severity.INFO)
    press(qtbot, window, Qt.Key.Key_A)
    assert numbers == [1, 2]
    assert window.footer.line.text().startswith("Intake air hot")
    press(qtbot, window, Qt.Key.Key_A)
    assert numbers == [1, 2, 5]
    assert window.state.notice is not None
    press(qtbot, window, Qt.Key.Key_A)
    assert window.state.notice is None


def test_what_is_read_but_still_true_stays_in_sight_without_alarm(qtbot, window):
    show(window, full(alerts=(alert(),)))
    assert window.footer.is_blinking
    press(qtbot, window, Qt.Key.Key_A)
    assert not window.footer.is_blinking
    assert window.footer.line.text().startswith("Lean under load")
    assert window.footer.sign.text() == "! Attention"


def test_only_an_unread_danger_that_still_holds_blinks_and_at_most_twice_a_second(window):
    assert 1000 / (2 * BLINK_MS) <= 2
    for alerts, blinks in (
        ((warning(),), False),
        ((alert(ended_s=NOW_S),), False),
        ((alert(acknowledged=True),), False),
        ((alert(),), True),
        ((), False),
    ):
        show(window, full(alerts=alerts))
        assert window.footer.is_blinking is blinks, alerts


def test_the_list_opens_beside_the_map_and_covers_neither_map_nor_figures(qtbot, window):
    unwatched = {"over_rev": "Over-rev: not watched, because no redline is set."}
    panel = show(window, full(alerts=(alert(), warning()), unwatched=unwatched))
    before = QRect(panel.map.mapTo(window, QPoint()), panel.map.size())
    press(qtbot, window, Qt.Key.Key_F8)
    assert panel.alerts.isVisible()
    assert QRect(panel.map.mapTo(window, QPoint()), panel.map.size()) == before
    assert [row.heading for row in panel.alerts.rows] == ["Lean under load", "Intake air hot"]
    assert panel.alerts.gaps == tuple(unwatched.values())
    panel.grab()
    press(qtbot, window, Qt.Key.Key_Escape)
    assert panel.card.isVisible()


def test_f8_opens_the_list_from_every_page(qtbot, window):
    show(window, full(alerts=(alert(),)), page="runs")
    press(qtbot, window, Qt.Key.Key_F8)
    assert window.page == "live"
    assert window.panel().alerts.isVisible()
    window.show_page("runs")
    press(qtbot, window, Qt.Key.Key_F8)
    assert window.panel().alerts.isVisible(), "from elsewhere it opens, whether it was open or not"


def test_what_is_off_is_said_with_the_reason(window):
    off = {"map": "No manifold pressure heard yet.", "error": "No cell can be judged."}
    panel = show(window, full(off=off))
    assert panel.caption.text() == "! No manifold pressure heard yet.  +1 [F8]"
    panel.act("alerts")
    assert panel.alerts.gaps[:2] == tuple(off.values())


def test_e_switches_the_analysis_and_the_card_says_so(qtbot, window):
    enabled = heard(window.analysis_enabled)
    panel = show(window, full())
    press(qtbot, window, Qt.Key.Key_E)
    show(window, full(enabled=False))
    assert "off" in panel.card.words.off
    press(qtbot, window, Qt.Key.Key_E)
    assert enabled == [False, True]


def test_the_saddle_shows_the_worst_alert_giant_and_the_next_pull(window):
    window.set_next_step("Next: sweep 2 000–4 500 rpm at 60 kPa")
    panel = show(window, full(alerts=(alert(),)))
    assert not panel.banner.isVisible()
    window.set_saddle(True, full_screen=False)
    assert panel.banner.alert.heading == "Lean under load"
    assert panel.banner.isVisible()
    panel.grab()
    show(window, full(alerts=()))
    assert panel.banner.alert is None
    assert panel.banner.next_step.startswith("Next: sweep")
    assert window.footer.next.text().startswith("Next: sweep")
    window.set_next_step("")
    assert not panel.banner.isVisible()
    assert not panel.side.isVisible()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("saddle", [False, True])
@pytest.mark.parametrize("replay", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_everything_on_fits_without_overlap(window, tmp_path, size, saddle, replay, scale):
    if replay:
        window.set_source_state(SourceState(SourceKind.REPLAY, path=tmp_path, duration_s=60.0))
    window.settings_changed.emit(replace(window.preferences, font_scale=scale))
    window.set_next_step("Next: sweep 2 000–4 500 rpm at 60 kPa")
    window.resize(*size)
    panel = show(window, full(alerts=(alert(), warning())))
    window.set_saddle(saddle, full_screen=False)
    window.refresh()
    panel.grab()
    assert (window.width(), window.height()) == size
    shown = [n for n in panel.numerals if n.isVisible()] + [panel.map]
    shown += [panel.banner] if saddle else [panel.strips, panel.side]
    boxes = [QRect(w.mapTo(window, QPoint()), w.size()) for w in shown]
    assert all(window.rect().contains(box) for box in boxes)
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("replay", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_the_whole_card_is_on_the_screen(window, tmp_path, size, replay, scale):
    """What has no room is left out, so nothing may be left out at the sizes we promise."""
    if replay:
        window.set_source_state(SourceState(SourceKind.REPLAY, path=tmp_path, duration_s=60.0))
    window.settings_changed.emit(replace(window.preferences, font_scale=scale))
    window.resize(*size)
    panel = show(window, full())
    panel.grab()
    scratch = QPixmap(1, 1)
    painter = QPainter(scratch)
    everything = panel.card._paint(painter)
    painter.end()
    assert everything.is_whole


def test_a_driven_engine_fills_the_page(window):
    """The real thing: what the live engine makes of a drive can be shown in every view."""
    engine = LiveEngine()
    start = round(NOW_S * WINDOWS_PER_S)
    for k in range(400):
        front = 0.9 + 0.02 * float(np.sin(k / 40)) + 0.001 * (k % 5)
        means = {
            Channel.RPM: 2000.0 + 5.0 * k,
            Channel.MAP: 60.0 + 0.05 * k,
            Channel.TPS: 30.0,
            Channel.ECT: 95.0,
            Channel.LAMBDA_FRONT: front,
            Channel.LAMBDA_REAR: 1.06 * front,
            Channel.LAMBDA_CMD: 0.9,
        }
        engine.observe(Aggregate(start + k, means, 70))
    panel = show(window, engine.snapshot())
    assert set(panel.map.sides) == {None, C.FRONT, C.REAR}
    for _ in range(len(MAP_VIEWS)):
        panel.act("next_map")
        for _ in range(len(panel.map.sides)):
            panel.act("next_cylinder")
            panel.grab()
    assert panel.map.facts.error is not None
    assert panel.map.facts.cylinder is C.REAR
    panel.map.set_view(ERROR)
    assert (panel.map._layer.whose == FRONT).sum() < (panel.map._layer.whose == REAR).sum()


@pytest.mark.parametrize("name", ["cell_words", "mixture_words", "run_words", "widgets.map_views"])
def test_the_worked_examples_hold(name):
    result = doctest.testmod(importlib.import_module(f"dynoai_desktop.ui.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
