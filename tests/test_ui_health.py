"""Channels: how each one is doing, what the unused ones could be, and a list for support."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester

from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.health import BusHealth, ChannelState
from dynoai_desktop.core.trust.mapping import resolve
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.messages import FrameState, MappingState, SourceKind, SourceState
from dynoai_desktop.ui.panels.health import HealthPanel
from dynoai_desktop.ui.panels.health_rows import HEALTH_COLUMNS
from dynoai_desktop.ui.trends import SHOWN_S, Trace, Trends
from dynoai_desktop.ui.widgets.cell_delegates import curve_pieces
from tests import ui_world
from tests.trust_world import cell
from tests.ui_world import NOW_S

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LIVE = SourceState(SourceKind.LIVE, "127.0.0.1")
TITLES = [column.title for column in HEALTH_COLUMNS]


@pytest.fixture
def trends():
    return Trends()


@pytest.fixture
def panel(qtbot, trends):
    shown = HealthPanel(Look(), trends)
    qtbot.addWidget(shown)
    shown.resize(1140, 690)
    shown.show()
    return shown


@pytest.fixture
def window(qtbot, tmp_path):
    shown = MainWindow(tmp_path / "settings.ini", version="1.2.3", notices="Qt, LGPL")
    qtbot.addWidget(shown)
    shown.show()
    return shown


def show(panel, mapping, health=None):
    panel.show_state(FrameState(source=LIVE, mapping=mapping))
    panel.show_health(health or ui_world.cell_bus(mapping))


def names(panel):
    return [panel.rows.index(at, 0).data() for at in range(panel.rows.rowCount())]


def row(panel, name):
    at = names(panel).index(name)
    return {t: panel.rows.index(at, i).data() for i, t in enumerate(TITLES)}


def colour(panel, name, title):
    at = names(panel).index(name)
    brush = panel.rows.index(at, TITLES.index(title)).data(Qt.ItemDataRole.ForegroundRole)
    return brush.name().upper() if brush is not None else None


def with_channel(health, name, **changes):
    channels = tuple(replace(c, **changes) if c.name == name else c for c in health.channels)
    return replace(health, channels=channels)


# Rows


def test_an_empty_page_says_what_will_be_here(panel):
    assert panel.note.isVisible()
    assert not (panel.search.isVisible() or panel.copy.isVisible())


def test_every_channel_of_every_provider_is_listed_once(panel):
    show(panel, ui_world.mapping())
    assert panel.rows.rowCount() == len(cell()) == 42
    assert names(panel).count("Pressure") == 2
    providers = {panel.rows.row(at).channel.provider for at in range(42)}
    assert providers == {"Power Core", "Atmospheric Probe"}


def test_a_channel_tells_value_rate_age_loss_bad_samples_and_use(panel):
    found = ui_world.mapping()
    health = ui_world.cell_bus(found, {"MAP kPa": 38.2})
    health = with_channel(health, "MAP kPa", out_of_range=3, non_finite=2, age_s=0.4)
    lossy = tuple(replace(p, frames=980, lost=20) for p in health.providers)
    show(panel, found, replace(health, providers=lossy))
    shown = row(panel, "MAP kPa")
    assert shown["Value"] == "38.20 kPa"
    assert shown["Used as"] == "Manifold pressure"
    assert (shown["Rate"], shown["Age"], shown["State"]) == ("20.0 Hz", "0.4 s", "✓ healthy")
    assert (shown["Lost"], shown["Bad"]) == ("2.0 %", "5")
    assert colour(panel, "MAP kPa", "Bad") == panel.look.palette.attention
    assert colour(panel, "MAP kPa", "Lost") == panel.look.palette.attention
    assert row(panel, "TPS")["Bad"] == "0"


def test_a_channel_never_heard_is_a_dash_and_a_stale_one_grey(panel):
    found = ui_world.mapping()
    health = with_channel(ui_world.cell_bus(found), "TPS", value=None, age_s=None)
    health = with_channel(health, "MAP kPa", state=ChannelState.STALE, age_s=7.4)
    show(panel, found, health)
    assert row(panel, "TPS")["Age"] == "–"
    assert row(panel, "MAP kPa")["State"] == "! stale"
    assert colour(panel, "MAP kPa", "Value") == panel.look.palette.quiet


def test_a_channel_that_could_be_used_stands_out_first_with_what_it_could_be(panel):
    """The throttle is not mapped and this could be it."""
    infos = [
        *ui_world.cell_without("TPS", "User Analog 1", "User Analog 2"),
        ChannelInfo("Power Core", 90, "Grip opening", Unit.PERCENT, 16),
    ]
    found = MappingState(channel_map=resolve(infos))
    show(panel, found, ui_world.cell_bus(found, infos=infos))
    assert names(panel)[0] == "Grip opening"
    assert row(panel, "Grip opening")["Used as"].startswith("? Throttle, ")
    assert colour(panel, "Grip opening", "Used as") == panel.look.palette.attention
    panel.table.selectRow(0)
    assert "could be throttle" in panel.reason.text()
    assert "unit is %" in panel.reason.text()
    assert "1 could be used" in panel.heading.text()


def test_what_is_read_from_a_better_channel_does_not_stand_out(panel):
    show(panel, ui_world.mapping())
    spare = "Power Drum 1 (uncorrected)"
    assert row(panel, spare)["Used as"] == "– another Power"
    assert colour(panel, spare, "Used as") == panel.look.palette.quiet


def test_the_dyno_about_itself_comes_last_and_is_quiet(panel):
    show(panel, ui_world.mapping())
    assert row(panel, "Link 0 Status")["Used as"] == "– about the dyno"
    assert colour(panel, "Link 0 Status", "Channel") == panel.look.palette.quiet
    assert names(panel).index("Link 0 Status") > names(panel).index("Gear Ratio")


def test_a_voltage_nobody_explains_stands_out_too(panel):
    show(panel, ui_world.mapping())
    assert names(panel)[:2] == ["User Analog 1", "User Analog 2"]
    assert row(panel, "User Analog 1")["Used as"] == "? a voltage"


def test_channels_of_a_provider_not_pinned_are_not_offered(panel):
    pinned = ui_world.mapping(pinned=("Power Core",))
    show(panel, pinned)
    assert row(panel, "Vapor Pressure")["Used as"] == "– provider not pinned"
    assert "“Atmospheric Probe” heard, not used." in panel.foreign.text()


def test_the_heading_counts(panel):
    show(panel, ui_world.mapping())
    used = len(ui_world.mapping().channel_map.bindings)
    assert panel.heading.text().startswith(f"42 channels: {used} used, ")


# Searching, sorting, filtering


def test_find_and_esc(panel, qtbot):
    show(panel, ui_world.mapping())
    assert panel.act("find")
    qtbot.keyClicks(panel.search, "torque")
    assert names(panel) == ["Torque Drum 1", "Torque Drum 1 (uncorrected)"]
    assert panel.act("back")
    assert panel.rows.rowCount() == 42
    assert not panel.act("back")


def test_any_column_sorts(panel):
    found = ui_world.mapping()
    health = with_channel(ui_world.cell_bus(found), "TPS", out_of_range=9)
    show(panel, found, health)
    panel.rows.sort(TITLES.index("Bad"), Qt.SortOrder.DescendingOrder)
    assert names(panel)[0] == "TPS"
    for at in range(len(TITLES)):
        panel.rows.sort(at)
        assert panel.rows.rowCount() == 42
    panel.rows.sort(TITLES.index("Provider"))
    assert panel.rows.row(0).channel.provider == "Atmospheric Probe"


def test_those_not_used_can_be_listed_alone(panel):
    show(panel, ui_world.mapping())
    assert panel.act("unused")
    assert "MAP kPa" not in names(panel) and "Sampling" in names(panel)
    assert panel.act("unused")
    assert panel.rows.rowCount() == 42


def test_values_change_without_moving_choice_or_order(panel):
    found = ui_world.mapping()
    show(panel, found)
    panel.rows.sort(TITLES.index("Value"))
    order = names(panel)
    panel.table.selectRow(7)
    chosen = panel.table.selected().channel.id
    for step in range(3):
        panel.show_health(ui_world.cell_bus(found, {"MAP kPa": 1000.0 * step}))
    assert names(panel) == order
    assert panel.table.selected().channel.id == chosen


def test_the_model_keeps_the_rules_of_qt(panel):
    QAbstractItemModelTester(
        panel.rows, QAbstractItemModelTester.FailureReportingMode.Warning, panel
    )
    show(panel, ui_world.mapping())
    panel.act("unused")
    panel.rows.set_needle("drum")
    show(panel, ui_world.mapping("TPS"))
    panel.clear()


# For support


def test_the_list_is_copied_as_plain_text(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("health")
    found = ui_world.mapping()
    window.set_mapping(found)
    window.live_model.take_health(ui_world.cell_bus(found))
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 1 + 42
    map_line = next(line for line in lines if "MAP kPa" in line)
    assert "Power Core" in map_line and "mapped map_kpa 100%" in map_line
    assert "Copied" in window.panel().copy.text()


def test_a_filter_does_not_shorten_the_list_for_support(panel):
    show(panel, ui_world.mapping())
    panel.search.setText("torque")
    panel.act("unused")
    panel.act("copy_list")
    assert len(QGuiApplication.clipboard().text().splitlines()) == 43


def test_the_copied_list_is_harmless(panel):
    evil = ChannelInfo("Power\x1b[31mCore", 1, "<b>\n\x00RPM\u202e", Unit.RPM, 8)
    found = MappingState(channel_map=resolve([evil]))
    show(panel, found, ui_world.cell_bus(found, infos=[evil]))
    panel.act("copy_list")
    text = QGuiApplication.clipboard().text()
    assert len(text.splitlines()) == 2
    assert all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize("name", ["<b>bold</b>", "a\nb", "a\u202eb", "\x00\x01", "&amp; &File"])
def test_a_name_with_markup_is_shown_as_text(panel, name):
    infos = [ChannelInfo(name, 1, name, Unit.RPM, 8)]
    found = MappingState(channel_map=resolve(infos))
    show(panel, found, ui_world.cell_bus(found, infos=infos))
    for title in ("Channel", "Provider"):
        shown = row(panel, names(panel)[0])[title]
        assert len(shown) == len(name) and shown.replace("�", "").isprintable()
    panel.table.selectRow(0)
    assert panel.reason.textFormat() is Qt.TextFormat.PlainText
    assert panel.reason.text().replace("�", "").isprintable()
    panel.grab()


def test_the_keyboard_is_on_the_table_as_soon_as_it_is_there(window):
    window.set_source_state(LIVE)
    window.show_page("health")
    window.live_model.take_health(ui_world.cell_bus())
    window.refresh()
    assert window.panel().table.hasFocus()


# State


def test_order_and_filter_are_remembered(qtbot, panel, trends, tmp_path):
    store = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    panel.table.sortByColumn(TITLES.index("Rate"), Qt.SortOrder.DescendingOrder)
    panel.act("unused")
    panel.unused.setChecked(True)
    panel.save_state(store)
    again = HealthPanel(Look(), trends)
    qtbot.addWidget(again)
    again.restore_state(store)
    assert again.table.sorting == (TITLES.index("Rate"), 1)
    assert again.unused.isChecked()


@pytest.mark.parametrize("junk", ["", "99 0", "1 7", "x y", "--1 0", "1", 17, "1 0 1", "² 0"])
def test_an_order_that_makes_no_sense_starts_fresh(panel, tmp_path, junk):
    store = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    store.setValue("health/sort", junk)
    store.setValue("health/unused_only", junk)
    panel.restore_state(store)
    assert panel.table.sorting[0] == -1
    assert not panel.unused.isChecked()


def test_the_whole_table_fits_the_smallest_screen_promised(window):
    window.resize(1280, 800)
    window.set_source_state(LIVE)
    window.show_page("health")
    found = ui_world.mapping()
    window.set_mapping(found)
    window.live_model.take_health(ui_world.cell_bus(found))
    table = window.panel().table
    window.panel().grab()
    assert not table.horizontalScrollBar().isVisible()
    longest = table.fontMetrics().horizontalAdvance("LC1 Volts Petrol AFR")
    assert table.columnWidth(0) > longest
    assert not any(table.isColumnHidden(at) for at in range(len(TITLES)))


def test_where_there_is_no_room_names_stay_and_other_columns_go(window):
    window.resize(1024, 700)
    window.set_source_state(LIVE)
    window.show_page("health")
    found = ui_world.mapping()
    window.set_mapping(found)
    window.live_model.take_health(ui_world.cell_bus(found))
    table = window.panel().table
    window.panel().grab()
    hidden = [title for at, title in enumerate(TITLES) if table.isColumnHidden(at)]
    assert hidden and set(hidden) <= {"Provider", "Last 30 s"}
    assert table.columnWidth(0) > table.fontMetrics().horizontalAdvance("Digital RPM 1")
    window.resize(1920, 1080)
    window.panel().grab()
    assert not any(table.isColumnHidden(at) for at in range(len(TITLES)))


def test_five_thousand_channels_cost_only_what_is_on_the_screen(panel, monkeypatch):
    read = []
    text = HEALTH_COLUMNS[0].text
    counting = replace(
        HEALTH_COLUMNS[0], text=lambda r, look: (read.append(r.channel.id), text(r, look))[1]
    )
    panel.rows.columns = (counting, *HEALTH_COLUMNS[1:])
    infos = [ChannelInfo("Power Core", i, f"Channel {i}", Unit.NONE) for i in range(5000)]
    found = MappingState(channel_map=resolve(infos))
    show(panel, found, ui_world.cell_bus(found, infos=infos))
    read.clear()
    panel.show_health(ui_world.cell_bus(found, {"Channel 1": 2.0}, infos=infos))
    panel.grab()
    assert 0 < len(set(read)) < 60


# The last half minute


def bus_at(seconds, value=1.0, name="MAP kPa", state=ChannelState.HEALTHY):
    health = ui_world.cell_bus(None, {name: value}, NOW_S + seconds)
    return with_channel(health, name, state=state)


MAP_ID = next(c.id for c in cell() if c.name == "MAP kPa")


def map_trace(trends):
    return trends.trace("Power Core", MAP_ID)


def test_the_newest_half_minute_is_kept(trends):
    for step in range(400):
        trends.take(bus_at(step / 4, float(step)))
    trace = map_trace(trends)
    assert trace.values[-1] == 399.0
    assert trace.age_s[-1] == 0.0
    assert trace.age_s[0] == pytest.approx(SHOWN_S, abs=0.3)
    assert np.all(np.diff(trace.age_s) < 0)


def test_the_same_snapshot_twice_counts_once(trends):
    for _ in range(3):
        trends.take(bus_at(1.0, 5.0))
    assert map_trace(trends).values.tolist() == [5.0]


def test_a_replay_wound_back_begins_anew(trends):
    for seconds in (10.0, 10.25, 3.0):
        trends.take(bus_at(seconds, seconds))
    assert map_trace(trends).values.tolist() == [3.0]


def test_a_channel_that_appears_does_not_disturb_the_others(trends):
    trends.take(bus_at(0.0, 1.0))
    more = bus_at(0.25, 2.0)
    new = replace(more.channels[0], name="New", id=200)
    trends.take(replace(more, channels=(new, *more.channels)))
    assert map_trace(trends).values.tolist() == [1.0, 2.0]
    assert np.isnan(trends.trace("Power Core", 200).values[0])


def test_silence_is_a_gap_not_a_level(trends):
    for step, state in enumerate([ChannelState.HEALTHY, ChannelState.STALE, ChannelState.HEALTHY]):
        trends.take(bus_at(step / 4, 50.0, state=state))
    values = map_trace(trends).values
    assert np.isnan(values).tolist() == [False, True, False]
    pieces = curve_pieces(map_trace(trends), Unit.KILOPASCAL, QRectF(0, 0, 100, 30))
    assert [piece.size() for piece in pieces] == [1, 1]


def test_a_pause_of_the_screen_is_a_gap_too(trends):
    for seconds in (0.0, 0.25, 9.0, 9.25):
        trends.take(bus_at(seconds, 50.0))
    pieces = curve_pieces(map_trace(trends), Unit.KILOPASCAL, QRectF(0, 0, 100, 30))
    assert [piece.size() for piece in pieces] == [2, 2]


def test_an_unknown_channel_has_no_past(trends):
    trends.take(bus_at(0.0))
    trace = trends.trace("Nobody", 1)
    assert len(trace.values) == 0 and np.isnan(trace.moved)
    assert curve_pieces(trace, Unit.NONE, QRectF(0, 0, 100, 30)) == []


def test_now_is_at_the_right_edge_and_larger_is_higher():
    trace = Trace(np.array([30.0, 15.0, 0.0]), np.array([20.0, 60.0, 100.0]))
    gaps_filled = Trace(np.array([2.0, 1.0, 0.0]), trace.values)
    (piece,) = curve_pieces(gaps_filled, Unit.KILOPASCAL, QRectF(10, 0, 100, 30))
    points = [piece.at(i) for i in range(piece.size())]
    assert points[-1].x() == 110.0
    assert points[0].y() == pytest.approx(30.0) and points[-1].y() == pytest.approx(0.0)


def test_noise_at_rest_looks_at_rest_and_a_blip_fills_the_height():
    """The barometer trembles by 0.05 kPa, the manifold swings by 60."""
    rng = np.random.default_rng(1)
    ages = np.arange(100)[::-1] / 4
    baro = Trace(ages, 98.1 + 0.05 * rng.standard_normal(100))
    manifold = Trace(ages, 38 + 60 * (np.arange(100) > 50))
    assert np.ptp(baro.heights(Unit.KILOPASCAL)) < 0.1
    assert np.ptp(manifold.heights(Unit.KILOPASCAL)) == pytest.approx(1.0)


def test_no_value_leaves_the_cell(trends):
    rng = np.random.default_rng(2)
    for unit in Unit:
        values = rng.normal(0, 10.0 ** rng.integers(-9, 9), 50)
        heights = Trace(np.arange(50.0), values).heights(unit)
        assert (heights >= -1e-9).all() and (heights <= 1 + 1e-9).all()


def test_the_past_is_there_when_the_page_is_opened_late(window, qtbot):
    window.set_source_state(LIVE)
    window.show_page("runs")
    for step in range(4):
        window.live_model.take_health(bus_at(step / 4, float(step)))
        window.live_model.health_due.emit(window.live_model.health)
    window.show_page("health")
    assert map_trace(window.trends).values.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_another_source_has_no_past(window):
    window.set_source_state(LIVE)
    window.live_model.take_health(bus_at(0.0))
    window.live_model.health_due.emit(window.live_model.health)
    window.set_source_state(replace(LIVE, interface="192.168.1.23"))
    assert len(map_trace(window.trends).values) == 0


def test_an_empty_bus_is_no_trouble(trends, panel):
    trends.take(BusHealth(0))
    trends.take(BusHealth(1))
    show(panel, MappingState(), BusHealth(0))
    for action in ("copy_list", "unused", "find"):
        panel.act(action)
    panel.grab()
