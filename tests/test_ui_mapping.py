"""Mapping: what is what, how sure, why; and another source chosen by its live value."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFileDialog, QLabel

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Binding, Choice
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.core.trust.mapping import resolve
from dynoai_desktop.core.trust.transforms import IDENTITY, between
from dynoai_desktop.core.units import Display, MixtureScale, Unit, UnitSystem, convert
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.marks import Standing as MarkStanding
from dynoai_desktop.ui.messages import FrameState, MappingState, SourceKind, SourceState
from dynoai_desktop.ui.panels.mapping import MappingPanel
from dynoai_desktop.ui.panels.mapping_rows import MAPPING_COLUMNS
from dynoai_desktop.ui.panels.offer_rows import OFFER_COLUMNS
from dynoai_desktop.ui.scales import Scale, scale_of, transform_of, units_for
from dynoai_desktop.ui.trends import Trends
from tests import ui_world
from tests.trust_world import cell
from tests.ui_world import heard

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

C = Channel
LIVE = SourceState(SourceKind.LIVE, "127.0.0.1")
TITLES = [column.title for column in MAPPING_COLUMNS]
OFFER_TITLES = [column.title for column in OFFER_COLUMNS]


@pytest.fixture
def trends():
    return Trends()


@pytest.fixture
def panel(qtbot, trends):
    shown = MappingPanel(Look(), trends)
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


def row(panel, title):
    """Return the cells of a quantity by column title."""
    for at in range(panel.rows.rowCount()):
        if panel.rows.index(at, 0).data() == title:
            return {t: panel.rows.index(at, i).data() for i, t in enumerate(TITLES)}
    raise AssertionError(f"{title} is not listed")


def quantities(panel):
    return [panel.rows.index(at, 0).data() for at in range(panel.rows.rowCount())]


def choose_row(panel, title):
    panel.table.selectRow(quantities(panel).index(title))


def texts(picker):
    """Return what the rows of a list to pick from say."""
    return [picker.list.item(i).text() for i in range(picker.list.count())]


def offered(panel):
    rows = panel.offers.rows
    return [rows.index(at, 0).data() for at in range(rows.rowCount())]


def wishes(panel):
    """Return a list that grows with every (channel, choice)."""
    found = []
    panel.mapping_chosen.connect(lambda *both: found.append(both))
    return found


def applied(found, start=None):
    """Return the choices after these wishes, as whoever keeps them would hold them."""
    choices = dict(start or {})
    for channel, choice in found:
        if choice is None:
            choices.pop(channel, None)
        else:
            choices[channel] = choice
    return choices


def source(name, provider="Power Core"):
    return next(c for c in cell() if (c.name, c.provider) == (name, provider))


# The table


def test_an_empty_page_says_what_will_be_here(panel):
    panel.show_state(FrameState())
    wanted = heard(panel.page_wanted)
    assert panel.note.isVisible()
    panel.note.button.click()
    assert wanted == ["connect"]


def test_a_quantity_shows_source_provider_and_confidence(panel):
    show(panel, ui_world.mapping())
    shown = row(panel, "Engine speed")
    assert (shown["Source"], shown["Provider"]) == ("Engine RPM", "Power Core")
    assert shown["Confidence"] == "✓ 100% sure"
    assert row(panel, "Relative humidity")["Provider"] == "Atmospheric Probe"
    assert row(panel, "Knock retard front")["Confidence"] == "! 50% likely"


def test_live_values_follow_the_bus_in_the_units_of_the_tuner(panel):
    found = ui_world.mapping()
    show(panel, found, ui_world.cell_bus(found, {"Power Drum 1": 74.57, "MAP kPa": 38.0}))
    assert row(panel, "Power")["Value"] == "100.0 hp"
    assert row(panel, "Manifold pressure")["Value"] == "38.00 kPa"
    panel.show_health(ui_world.cell_bus(found, {"Power Drum 1": 74.57, "MAP kPa": 96.4}))
    assert row(panel, "Manifold pressure")["Value"] == "96.40 kPa"
    panel.set_look(Look(display=Display(UnitSystem.METRIC)))
    assert row(panel, "Power")["Value"] == "74.57 kW"


def test_a_source_in_another_unit_is_shown_as_what_it_means(panel):
    """A channel in horsepower is power in kW, not in hp taken for kW."""
    infos = [replace(c, unit=Unit.HORSEPOWER) if c.name == "Power Drum 1" else c for c in cell()]
    found = MappingState(channel_map=resolve(infos))
    show(panel, found, ui_world.cell_bus(found, {"Power Drum 1": 100.0}, infos=infos))
    panel.set_look(Look(display=Display(UnitSystem.METRIC)))
    assert row(panel, "Power")["Value"] == "74.57 kW"


def test_what_a_run_needs_and_does_not_have_stands_out(panel):
    show(panel, ui_world.mapping("MAP kPa", "TPS"))
    for title in ("Manifold pressure", "Throttle"):
        assert row(panel, title)["Confidence"] == "× missing"
        assert row(panel, title)["Source"] == row(panel, title)["Value"] == "–"
    assert panel.word.text() == "× Not ready"
    assert "manifold pressure is missing" in panel.line.text()
    assert panel.table.selected().slot is C.MAP, "the first thing to decide is chosen"


def test_what_is_recommended_and_missing_is_listed_too(panel):
    show(panel, ui_world.mapping("Torque Drum 1", "Torque Drum 1 (uncorrected)"))
    assert row(panel, "Torque")["Confidence"] == "! missing"
    assert panel.word.text() == "✓ Ready"


def test_without_a_wideband_all_three_places_for_one_are_listed(panel):
    show(panel, ui_world.mapping("LC1 Volts Petrol AFR", "LC2 Volts Petrol AFR"))
    for title in ("AFR or λ front", "AFR or λ rear", "AFR or λ, one for both"):
        assert row(panel, title)["Confidence"] == "× missing"


def test_one_wideband_for_both_needs_no_other(panel):
    infos = [
        *ui_world.cell_without("LC1 Volts Petrol AFR", "LC2 Volts Petrol AFR"),
        ChannelInfo("Power Core", 80, "AFR", Unit.AFR, 11),
    ]
    found = MappingState(channel_map=resolve(infos))
    show(panel, found, ui_world.cell_bus(found, infos=infos))
    shown = [title for title in quantities(panel) if "AFR" in title]
    assert shown == [CHANNELS[C.AFR_COMBINED].title]


def test_an_ambiguous_quantity_names_its_candidates(panel):
    second = ChannelInfo("Power Core", 90, "Air/Fuel Ratio 1", Unit.AFR, 11)
    infos = [*cell(), second]
    found = MappingState(channel_map=resolve(infos))
    show(panel, found, ui_world.cell_bus(found, infos=infos))
    assert "? " in row(panel, "AFR front")["Confidence"]
    choose_row(panel, "AFR front")
    said = panel.side.row.words.text()
    assert "Air/Fuel Ratio 1" in said and "LC1 Volts Petrol AFR" in said
    assert panel.word.text() == "? Ambiguous"
    assert "AFR front" in panel.line.text()


def test_the_reasons_of_the_chosen_row_stand_beside_it(panel):
    show(panel, ui_world.mapping())
    choose_row(panel, "Torque")
    assert panel.side.row.title.text() == "Torque"
    said = panel.side.row.words.text()
    assert "“Torque Drum 1” in N·m" in said
    assert "corrected for weather" in said
    assert "used as they are sent" in said


def test_what_is_missing_says_what_to_do(panel):
    show(panel, ui_world.mapping("MAP kPa", "TPS"))
    said = panel.side.row.words.text()
    assert "A run needs one of manifold pressure, throttle." in said
    assert "Power Core" in said


def test_show_all_lists_every_quantity_there_is(panel):
    show(panel, ui_world.mapping())
    few = panel.rows.rowCount()
    assert panel.act("show_all")
    assert panel.rows.rowCount() > few
    assert row(panel, "Commanded lambda")["Confidence"] == "– not mapped"
    assert panel.act("show_all")
    assert panel.rows.rowCount() == few


def test_values_change_without_moving_the_choice(panel):
    found = ui_world.mapping()
    show(panel, found)
    choose_row(panel, "Throttle")
    for step in range(3):
        panel.show_health(ui_world.cell_bus(found, {"TPS": 10.0 * step}))
        assert panel.table.selected().slot is C.TPS
    assert panel.side.row.value.text() == "20.00 %"


def test_the_little_curve_follows_the_source(panel, trends):
    found = ui_world.mapping()
    for step in range(5):
        health = ui_world.cell_bus(found, {"MAP kPa": 30.0 + 10 * step}, ui_world.NOW_S + step / 4)
        trends.take(health)
        show(panel, found, health)
    map_row = next(
        panel.rows.row(at) for at in range(panel.rows.rowCount())
        if panel.rows.row(at).slot is C.MAP
    )  # fmt: skip
    trace = trends.trace("Power Core", map_row.binding.source.id)
    assert trace.values.tolist() == [30.0, 40.0, 50.0, 60.0, 70.0]
    panel.grab()


@pytest.mark.parametrize(
    "missing, sign, standing",
    [
        ((), "✓", MarkStanding.READY),
        (("MAP kPa", "TPS"), "×", MarkStanding.BLOCKED),
    ],
)
def test_the_rail_says_how_the_mapping_is_doing(window, missing, sign, standing):
    window.set_source_state(LIVE)
    assert window.rail.button("mapping").mark.word == "waiting"
    window.set_mapping(ui_world.mapping(*missing))
    mark = window.rail.button("mapping").mark
    assert (mark.sign, mark.standing) == (sign, standing)


def test_another_source_takes_the_mapping_away_and_keeps_the_pins(window):
    window.set_source_state(LIVE)
    window.set_mapping(ui_world.mapping(pinned=("Power Core",)))
    window.set_source_state(replace(LIVE, interface="192.168.1.23"))
    assert not window.state.mapping.channel_map.bindings
    assert window.state.mapping.pinned == ("Power Core",)


# Choosing another source


def test_enter_lists_live_values_and_enter_takes_one(panel, qtbot):
    found = ui_world.mapping()
    show(panel, found, ui_world.cell_bus(found, {"MAP kPa": 38.0, "Pressure": 98.1}))
    got = wishes(panel)
    choose_row(panel, "Manifold pressure")
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert panel.offers.isVisible()
    assert offered(panel)[0] == "MAP kPa"
    at = offered(panel).index("Pressure")
    assert panel.offers.rows.index(at, OFFER_TITLES.index("Now")).data() == "98.10 kPa"
    for _ in range(at):
        qtbot.keyClick(panel.offers.table, Qt.Key.Key_Down)
    assert "Pressure" in panel.side.offer.title.text()
    qtbot.keyClick(panel.offers.table, Qt.Key.Key_Return)
    assert panel.table.isVisible()
    (wish,) = got
    assert wish[0] is C.MAP
    assert (wish[1].name, wish[1].unit, wish[1].transform) == ("Pressure", Unit.KILOPASCAL, None)
    chosen = resolve(cell(), choices=applied(got)).bindings[C.MAP]
    assert chosen.chosen and chosen.source.name == "Pressure"


def test_the_candidates_show_how_far_they_moved(panel, trends):
    """Only the value that follows the throttle is manifold pressure."""
    found = ui_world.mapping()
    for step, map_kpa in enumerate((38.0, 97.0, 40.0)):
        values = {"MAP kPa": map_kpa, "Pressure": 98.1}
        health = ui_world.cell_bus(found, values, ui_world.NOW_S + step / 4)
        trends.take(health)
    show(panel, found, health)
    choose_row(panel, "Manifold pressure")
    panel.open_offers()
    moved = OFFER_TITLES.index("Moved")
    names = offered(panel)
    assert panel.offers.rows.index(names.index("MAP kPa"), moved).data() == "59.00"
    assert panel.offers.rows.index(names.index("Pressure"), moved).data() == "0.000"


def test_how_far_a_temperature_moved_has_no_offset(panel, trends):
    found = ui_world.mapping()
    for step, iat_c in enumerate((20.0, 30.0)):
        health = ui_world.cell_bus(found, {"IAT": iat_c}, ui_world.NOW_S + step / 4)
        trends.take(health)
    show(panel, found, health)
    choose_row(panel, "Intake air temperature")
    panel.open_offers()
    at = offered(panel).index("IAT")
    assert panel.offers.rows.index(at, OFFER_TITLES.index("Moved")).data() == "18.00"  # °F


def test_esc_leaves_everything_as_it_was_one_step_at_a_time(panel, qtbot):
    show(panel, ui_world.mapping())
    got = wishes(panel)
    panel.open_offers()
    panel.act("find")
    qtbot.keyClicks(panel.offers.search, "torque")
    assert set(offered(panel)) == {"Torque Drum 1", "Torque Drum 1 (uncorrected)"}
    assert panel.act("back")
    assert panel.offers.isVisible() and len(offered(panel)) == len(cell())
    assert panel.act("back")
    assert panel.table.isVisible()
    assert not panel.act("back")
    assert got == []


def test_the_list_stays_while_values_change(panel, trends):
    found = ui_world.mapping()
    show(panel, found)
    choose_row(panel, "Manifold pressure")
    panel.open_offers()
    panel.offers.table.selectRow(5)
    before = panel.offers.selected().offer.source
    panel.show_health(ui_world.cell_bus(found, {before.name: 7.0}))
    assert panel.offers.selected().offer.source == before
    assert panel.offers.selected().health.value == 7.0


def test_a_lambda_source_fills_the_lambda_row_and_the_afr_choice_goes(panel):
    """Both fill the same slot: two choices for one wideband would fight."""
    wideband = ChannelInfo("Power Core", 90, "Wideband", Unit.LAMBDA, 13)
    infos = [*cell(), wideband]
    choices = {C.AFR_FRONT: Choice("LC1 Volts Petrol AFR")}
    found = MappingState(channel_map=resolve(infos, choices=choices), choices=choices)
    show(panel, found, ui_world.cell_bus(found, infos=infos))
    got = wishes(panel)
    choose_row(panel, "AFR front")
    panel.open_offers()
    panel.offers.search.setText("Wideband")
    panel.offers.take()
    after = applied(got, choices)
    assert set(after) == {C.LAMBDA_FRONT}
    bound = resolve(infos, choices=after).bindings
    assert bound[C.LAMBDA_FRONT].source == wideband and C.AFR_FRONT not in bound


def test_a_source_chosen_for_another_quantity_moves(panel):
    """Swapped widebands: choosing the front one for the rear must not leave it on both."""
    choices = {C.AFR_FRONT: Choice("LC1 Volts Petrol AFR"), C.AFR_REAR: Choice("Wrong")}
    found = ui_world.mapping(choices=choices)
    show(panel, found)
    got = wishes(panel)
    choose_row(panel, "AFR rear")
    panel.open_offers()
    panel.offers.search.setText("LC1")
    panel.offers.take()
    after = applied(got, choices)
    assert set(after) == {C.AFR_REAR}
    assert after[C.AFR_REAR].name == "LC1 Volts Petrol AFR"


def test_del_leaves_a_quantity_empty_and_b_gives_it_back(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("mapping")
    panel = window.panel()
    got = wishes(window)
    window.set_mapping(ui_world.mapping())
    window.live_model.take_health(ui_world.cell_bus())
    choose_row(panel, "Battery")
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Delete)
    choices = applied(got)
    assert choices[C.VBATT].enabled is False
    window.set_mapping(ui_world.mapping(choices=choices))
    assert row(panel, "Battery")["Confidence"] == "– left empty"
    choose_row(panel, "Battery")
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_B)
    assert applied(got) == {}


def test_the_keyboard_is_on_the_table_as_soon_as_it_is_there(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("mapping")
    window.set_mapping(ui_world.mapping())
    window.live_model.take_health(ui_world.cell_bus())
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    assert window.panel().offers.isVisible()


@pytest.mark.parametrize("open_first", ["pin", "templates", "scale"])
def test_no_key_decides_about_a_row_while_something_else_is_decided(panel, open_first):
    show(panel, ui_world.mapping(choices={C.RPM: Choice("Digital RPM 1")}))
    got = wishes(panel)
    choose_row(panel, "Engine speed")
    panel.act(open_first)
    panel.act("leave_empty")
    panel.act("automatic")
    assert got == []


def test_automatic_is_offered_only_where_something_was_decided(panel):
    show(panel, ui_world.mapping())
    assert not panel.automatic_button.isEnabled()
    show(panel, ui_world.mapping(choices={C.RPM: Choice("Digital RPM 1")}))
    choose_row(panel, "Engine speed")
    assert row(panel, "Engine speed")["Confidence"] == "✓ 100% chosen"
    assert panel.automatic_button.isEnabled()


def test_a_chosen_source_that_is_gone_is_said_to_be_gone(panel):
    show(panel, ui_world.mapping(choices={C.ECT: Choice("Oil temp")}))
    choose_row(panel, "Engine temperature")
    assert "“Oil temp”, which was chosen, cannot be found" in panel.side.row.words.text()
    assert "“Oil temp”" in panel.news.text()


# Scale and unit


def begin_scale(panel, name, title):
    choose_row(panel, title)
    panel.open_offers()
    panel.offers.search.setText(name)
    panel.offers.take()
    return panel.side.scaling


def type_points(qtbot, form, numbers):
    for field, number in zip(form.fields, numbers, strict=True):
        field.clear()
        qtbot.keyClicks(field, number)


def test_a_voltage_becomes_a_quantity_by_two_points(panel, qtbot):
    """AFR = 7.35 + 3.008 V: at 0 V 7.35, at 5 V 22.39."""
    found = ui_world.mapping()
    show(panel, found, ui_world.cell_bus(found, {"User Analog 1": 2.0}))
    got = wishes(panel)
    form = begin_scale(panel, "User Analog 1", "AFR front")
    assert got == [], "volts are no AFR before the scale is known"
    assert [f.text() for f in form.fields] == ["0", "", "5", ""]
    assert form.fields[1].hasFocus()
    type_points(qtbot, form, ("0", "7,35", "5", "22.39"))
    assert form.live.text() == "now 2.000 V → 13.37 AFR"
    qtbot.keyClick(form.fields[3], Qt.Key.Key_Return)
    bound = resolve(cell(), choices=applied(got)).bindings[C.AFR_FRONT]
    assert bound.source.name == "User Analog 1"
    assert bound.transform.apply(2.0) == pytest.approx(7.35 + 3.008 * 2.0)
    assert not panel.side.is_open


def test_leaving_the_form_changes_nothing(panel):
    show(panel, ui_world.mapping())
    got = wishes(panel)
    begin_scale(panel, "User Analog 1", "AFR front")
    assert panel.act("back")
    assert (got, panel.side.is_open) == ([], False)


@pytest.mark.parametrize(
    "numbers, sentence",
    [
        (("0", "7.35", "5", ""), "All four numbers are needed."),
        (("0", "7.35", "5", "rich"), "All four numbers are needed."),
        (("0", "nan", "5", "22"), "All four numbers are needed."),
        (("2", "7.35", "2", "22"), "they must differ"),
        (("0", "14.7", "5", "14.7"), "every value would be equal"),
        (("0", "0", "0.0000001", "1e9"), "too steep"),
    ],
)
def test_points_that_make_no_line_are_refused_with_a_sentence(panel, qtbot, numbers, sentence):
    show(panel, ui_world.mapping())
    got = wishes(panel)
    form = begin_scale(panel, "User Analog 1", "AFR front")
    type_points(qtbot, form, numbers)
    qtbot.keyClick(form.fields[3], Qt.Key.Key_Return)
    assert sentence in form.error.text()
    assert got == [] and panel.side.is_open


def test_the_unit_can_be_overridden(panel):
    """MAP announced in kPa that is psi on the wire."""
    found = ui_world.mapping()
    show(panel, found)
    got = wishes(panel)
    choose_row(panel, "Manifold pressure")
    assert panel.act("scale")
    form = panel.side.scaling
    assert [unit.value for unit in form.units] == ["kPa", "psi", "inHg"]
    assert form.unit is Unit.KILOPASCAL and not form.line.isChecked()
    form.units[Unit.PSI].click()
    form.applied.emit(form.scale)
    bound = resolve(cell(), choices=applied(got)).bindings[C.MAP]
    assert bound.source.name == "MAP kPa"
    assert bound.transform.apply(14.7) == pytest.approx(convert(14.7, Unit.PSI, Unit.KILOPASCAL))


def test_a_wideband_that_sends_lambda_under_afr_can_be_put_right(panel):
    show(panel, ui_world.mapping())
    got = wishes(panel)
    choose_row(panel, "AFR front")
    panel.act("scale")
    panel.side.scaling.units[Unit.LAMBDA].click()
    panel.side.scaling.applied.emit(panel.side.scaling.scale)
    bound = resolve(cell(), choices=applied(got)).bindings
    assert bound[C.LAMBDA_FRONT].source.name == "LC1 Volts Petrol AFR"
    assert bound[C.LAMBDA_FRONT].transform == IDENTITY
    assert C.AFR_FRONT not in bound


def test_the_form_opens_with_the_scale_in_force(panel, qtbot):
    found = ui_world.mapping()
    show(panel, found)
    got = wishes(panel)
    form = begin_scale(panel, "User Analog 1", "Manifold pressure")
    type_points(qtbot, form, ("0.5", "10", "4.5", "250"))
    form.applied.emit(form.scale)
    show(panel, ui_world.mapping(choices=applied(got)))
    choose_row(panel, "Manifold pressure")
    panel.act("scale")
    assert form.line.isChecked()
    x1, y1, x2, y2 = (float(field.text()) for field in form.fields)
    line = (y2 - y1) / (x2 - x1)
    assert y1 + line * (0.5 - x1) == pytest.approx(10, abs=1e-3)
    assert y1 + line * (4.5 - x1) == pytest.approx(250, abs=1e-3)


finite = st.floats(-500, 500).map(lambda value: round(value, 3))


@given(
    channel=st.sampled_from([C.MAP, C.IAT, C.POWER, C.AFR_FRONT, C.SPEED]),
    at=st.integers(0, 10),
    points=st.tuples(finite, finite, finite, finite),
)
def test_a_line_goes_through_both_points_in_any_unit(channel, at, points):
    x1, y1, x2, y2 = points
    if abs(x1 - x2) < 0.5 or abs(y1 - y2) < 0.5:
        return
    units = units_for(channel)
    unit = units[at % len(units)]
    row_of, transform = transform_of(channel, Scale(unit, ((x1, y1), (x2, y2))))
    into_ours = between(unit, CHANNELS[row_of].unit)
    for x, y in ((x1, y1), (x2, y2)):
        assert transform.apply(x) == pytest.approx(into_ours.apply(y), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("channel", [c for c in CHANNELS if CHANNELS[c].unit is not Unit.NONE])
def test_every_unit_of_every_channel_is_understood_again(channel):
    """What the form writes it also reads."""
    for unit in units_for(channel):
        row_of, transform = transform_of(channel, Scale(unit))
        info = ChannelInfo("P", 1, "a channel", Unit.NONE)
        assert scale_of(Binding(row_of, info, transform, 1.0), Display()).unit is unit


def test_a_voltage_without_a_scale_has_empty_points():
    volts = ChannelInfo("P", 1, "User Analog 1", Unit.VOLT)
    scale = scale_of(Binding(C.MAP, volts, IDENTITY, 1.0), Display())
    assert scale.points is not None
    assert [math.isnan(y) for _, y in scale.points] == [True, True]
    battery = scale_of(Binding(C.VBATT, volts, IDENTITY, 1.0), Display())
    assert battery == Scale(Unit.VOLT)


def test_the_tuners_mixture_decides_where_a_voltage_does_not_say(panel):
    show(panel, ui_world.mapping())
    panel.set_look(Look(display=Display(mixture=MixtureScale.LAMBDA)))
    form = begin_scale(panel, "User Analog 1", "AFR front")
    assert form.unit is Unit.LAMBDA


# Files, templates, providers


def test_keys_save_export_and_import(qtbot, window, monkeypatch):
    window.set_source_state(LIVE)
    window.show_page("mapping")
    window.set_mapping(ui_world.mapping(saved=False, message="Imported."))
    paths = iter(("/tmp/out.json", "/tmp/in.json"))
    for dialog in ("getSaveFileName", "getOpenFileName"):
        monkeypatch.setattr(QFileDialog, dialog, lambda *_: (next(paths), ""))
    saved = heard(window.mapping_save_requested)
    exported, imported = (
        heard(window.mapping_export_requested),
        heard(window.mapping_import_requested),
    )
    panel = window.panel()
    assert panel.save_button.text() == "Save  [Ctrl+S]"
    assert "Imported." in panel.news.text()
    for key in (Qt.Key.Key_S, Qt.Key.Key_E, Qt.Key.Key_I):
        qtbot.keyClick(window.focusWidget(), key, Qt.KeyboardModifier.ControlModifier)
    assert len(saved) == 1
    assert exported == [Path("/tmp/out.json")]
    assert imported == [Path("/tmp/in.json")]
    window.set_mapping(ui_world.mapping())
    assert panel.save_button.text() == "Saved  [Ctrl+S]"


def test_a_dialog_left_without_a_file_asks_for_nothing(panel, monkeypatch):
    show(panel, ui_world.mapping())
    for dialog in ("getSaveFileName", "getOpenFileName"):
        monkeypatch.setattr(QFileDialog, dialog, lambda *_: ("", ""))
    asked = heard(panel.mapping_export_requested) + heard(panel.mapping_import_requested)
    panel.act("export")
    panel.act("import")
    assert asked == []


def test_nothing_is_saved_before_anything_is_mapped(panel):
    panel.show_state(FrameState(source=LIVE))
    saved = heard(panel.mapping_save_requested)
    panel.act("save")
    assert saved == []


def test_a_template_is_picked_with_enter(panel, qtbot):
    show(panel, ui_world.mapping())
    used = heard(panel.mapping_template_requested)
    panel.act("templates")
    assert "Dynojet RT-150" in texts(panel.side.templates)[0]
    qtbot.keyClick(panel.side.templates.list, Qt.Key.Key_Return)
    assert used == ["rt150"]
    assert not panel.side.is_open


def test_providers_are_pinned_one_or_several_and_let_go(panel, qtbot):
    show(panel, ui_world.mapping())
    pinned = heard(panel.providers_pinned)
    panel.act("pin")
    pins = panel.side.pins
    assert [text.split("   ")[0] for text in texts(pins)][:2] == ["✓ used, as all are"] * 2
    qtbot.keyClick(pins.list, Qt.Key.Key_Return)
    show(panel, ui_world.mapping(pinned=("Power Core",)))
    assert texts(pins)[0].startswith("✓ pinned   Power Core")
    assert texts(pins)[1].startswith("– not used   Atmospheric Probe")
    qtbot.keyClick(pins.list, Qt.Key.Key_Down)
    qtbot.keyClick(pins.list, Qt.Key.Key_Return)
    qtbot.keyClick(pins.list, Qt.Key.Key_Down)
    qtbot.keyClick(pins.list, Qt.Key.Key_Return)
    assert pinned == [("Power Core",), ("Power Core", "Atmospheric Probe"), ()]


def test_a_pinned_provider_that_is_silent_stays_in_the_list(panel):
    show(panel, ui_world.mapping(pinned=("Power Core", "Dyno B")))
    panel.act("pin")
    assert "! pinned   Dyno B\nnot heard" in texts(panel.side.pins)


def test_the_pin_key_works_from_every_page(qtbot, window):
    window.set_source_state(LIVE)
    window.show_page("live")
    qtbot.keyClick(
        window.focusWidget() or window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier
    )
    assert window.page == "mapping"
    assert window.panel().side.pins.isVisible()


def test_foreign_traffic_is_counted_and_shown(panel):
    pinned = ui_world.mapping(pinned=("Power Core",))
    show(panel, pinned, ui_world.cell_bus(pinned, frames=41_233))
    assert "41\u00a0234 datagrams of “Atmospheric Probe” heard, not used." in panel.news.text()
    show(panel, ui_world.mapping())
    assert "not used" not in panel.news.text()


# Hostile names


HOSTILE = ("<b>RPM</b>", "<img src=x>", "a\nb", "a\u202eb", "\x00\x01", "&amp; &File", "%s {0}")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_with_markup_or_control_characters_are_text(panel, name):
    infos = [
        replace(c, name=name) if c.name == "User Analog 1" else c
        for c in cell()
        if c.name != "LC1 Volts Petrol AFR"
    ]
    evil = f"Power{name}Core"
    infos = [replace(c, provider=evil) if c.provider == "Power Core" else c for c in infos]
    chosen = next(c for c in infos if c.name == name)
    choices = {C.AFR_FRONT: Choice(name, transform=IDENTITY)}
    found = MappingState(
        channel_map=resolve(infos, choices=choices),
        choices=choices,
        pinned=(evil,),
        message=f"{name} is in use.",
    )
    show(panel, found, ui_world.cell_bus(found, infos=infos))
    choose_row(panel, "AFR front")
    shown = row(panel, "AFR front")["Source"]
    assert len(shown) == len(name) and shown.replace("�", "").isprintable()
    assert panel.table.selected().binding.source == chosen
    panel.open_offers()
    panel.act("back")
    panel.act("scale")
    panel.act("pin")
    for label in panel.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText or "<" not in label.text()
        text = label.text().replace("\n", "").replace("�", "").replace("\u00a0", " ")
        assert text.isprintable()
    panel.grab()


# State and screen


def test_show_all_is_remembered(qtbot, panel, trends, tmp_path):
    store = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    panel.act("show_all")
    panel.save_state(store)
    again = MappingPanel(Look(), trends)
    qtbot.addWidget(again)
    again.restore_state(store)
    assert again.all_button.isChecked()
    store.setValue("mapping/show_all", 17)
    fresh = MappingPanel(Look(), trends)
    qtbot.addWidget(fresh)
    fresh.restore_state(store)
    assert not fresh.all_button.isChecked()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_names_are_legible_and_nothing_is_cut_off_sideways(window, size):
    assert "B612" in " ".join(QFontDatabase.families())
    window.resize(*size)
    window.set_source_state(LIVE)
    window.show_page("mapping")
    found = ui_world.mapping()
    window.set_mapping(found)
    window.live_model.take_health(ui_world.cell_bus(found))
    panel = window.panel()
    panel.grab()
    source_at = TITLES.index("Source")
    longest = panel.table.fontMetrics().horizontalAdvance("LC1 Volts Petrol AFR")
    assert panel.table.columnWidth(source_at) > longest
    assert not panel.table.horizontalScrollBar().isVisible()
    assert not any(panel.table.isColumnHidden(at) for at in range(len(TITLES)))
    panel.open_offers()
    panel.grab()
    longest = panel.offers.table.fontMetrics().horizontalAdvance("Torque Drum 1 (uncorrected)")
    assert panel.offers.table.columnWidth(0) > longest
    assert not panel.offers.table.horizontalScrollBar().isVisible()
    panel.act("back")
    before = panel.table.width()
    for action in ("pin", "templates", "scale"):
        panel.act(action)
        panel.grab()
        assert panel.table.width() == before


def test_an_emptied_bus_empties_the_page(panel):
    show(panel, ui_world.mapping())
    panel.act("pin")
    panel.show_state(FrameState(source=LIVE))
    panel.clear()
    assert panel.note.isVisible()
    assert not panel.side.is_open


def test_an_empty_bus_with_pins_and_choices_does_no_harm(panel):
    panel.show_state(
        FrameState(mapping=MappingState(choices={C.RPM: Choice("x")}, pinned=("Nobody",)))
    )
    panel.show_health(BusHealth(0))
    for action in ("scale", "automatic", "leave_empty", "find", "pin", "templates"):
        panel.act(action)
    panel.grab()
