"""The rpm × load map and the strip charts: what is painted, where, and in what colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor

from dynoai_desktop.core.axis import Axis, CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.snapshot import TrailPoint
from dynoai_desktop.core.units import Display, MixtureScale, Unit, UnitSystem
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import ramp
from dynoai_desktop.ui.widgets.cell_map import CellMap
from dynoai_desktop.ui.widgets.lanes import LANES, lane_range, ruler
from dynoai_desktop.ui.widgets.map_layout import MapLayout
from dynoai_desktop.ui.widgets.map_views import MAP_VIEWS
from dynoai_desktop.ui.widgets.strip_charts import StripCharts
from tests import ui_world

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

SIZE = (1200, 560)
LOOK = Look()


@pytest.fixture
def cell_map(qtbot):
    shown = CellMap(LOOK)
    qtbot.addWidget(shown)
    shown.resize(*SIZE)
    shown.show()
    return shown


@pytest.fixture
def strips(qtbot):
    shown = StripCharts(LOOK)
    qtbot.addWidget(shown)
    shown.resize(1200, 400)
    return shown


def with_hits(cells, active=None, trail=()):
    """Return a picture with these hits: {(rpm index, load index): count}."""
    grid = CellGrid.zeros(default_rpm_axis(), default_map_axis())
    for cell, hits in cells.items():
        grid.values[cell] = hits
    return replace(ui_world.readings({}), hits=grid, active_cell=active, trail=trail)


def layout(size=SIZE):
    return MapLayout.fit(default_rpm_axis(), default_map_axis(), *size, LOOK.sizes.small)


def colour_in(shown, cell):
    """Return the colour just inside the upper left corner of a cell."""
    picture = shown.grab().toImage()
    corner = layout().cell(*cell).topLeft() + QPoint(2, 2)
    return picture.pixelColor(corner).name().upper()


def test_hits_darken_a_cell_and_empty_cells_have_no_colour(cell_map):
    cell_map.show_snapshot(with_hits({(8, 7): 100, (3, 2): 1}))
    steps = ramp(LOOK.palette.few, LOOK.palette.many)
    assert colour_in(cell_map, (8, 7)) == steps[-1]
    assert colour_in(cell_map, (3, 2)) == steps[0]
    assert colour_in(cell_map, (0, 0)) == LOOK.palette.ground


def test_rpm_runs_to_the_right_and_load_upwards():
    places = layout()
    assert places.cell(19, 0).x() > places.cell(0, 0).x()
    assert places.cell(0, 9).y() < places.cell(0, 0).y()


def test_a_value_lies_in_the_cell_that_counts_it():
    places = layout()
    for rpm, load in ((0.0, 20.0), (4820.0, 97.0), (9999.0, 119.9), (500.0, 30.0)):
        cell = places.rpm.locate(rpm), places.load.locate(load)
        spot = places.point(rpm, load)
        assert spot is not None
        assert places.cell(*cell).adjusted(-1, -1, 1, 1).contains(spot.toPoint())


@pytest.mark.parametrize("rpm, load", [(-1, 50), (10_000, 50), (3000, 200), (float("nan"), 50)])
def test_a_value_off_the_map_has_no_place(rpm, load):
    assert layout().point(rpm, load) is None


def test_more_hits_change_only_what_they_must(cell_map):
    """Cell by cell, the picture painted bit by bit is the picture painted at once."""
    steps = [with_hits({(8, 7): n, (2, 1): 2 * n}, active=(8, 7)) for n in range(1, 30)]
    for snapshot in steps:
        cell_map.show_snapshot(snapshot)
        cell_map.grab()
    grown = cell_map.grab().toImage()
    fresh = CellMap(LOOK)
    fresh.resize(*SIZE)
    fresh.show_snapshot(steps[-1])
    assert grown == fresh.grab().toImage()
    fresh.deleteLater()


def test_the_scale_grows_by_powers_of_ten(cell_map):
    cell_map.show_snapshot(with_hits({(8, 7): 100}))
    full = colour_in(cell_map, (8, 7))
    cell_map.show_snapshot(with_hits({(8, 7): 101}))
    assert colour_in(cell_map, (8, 7)) != full


def test_the_active_cell_is_framed(cell_map):
    cell_map.show_snapshot(with_hits({(8, 7): 5}, active=(8, 7)))
    picture = cell_map.grab().toImage()
    cell = layout().cell(8, 7)
    edge = picture.pixelColor(cell.center().x(), cell.top() - 2)
    assert edge == QColor(LOOK.palette.text)


def test_the_trail_fades_and_ends_after_three_seconds(cell_map):
    places = layout()
    trail = tuple(TrailPoint(1000.0 + 100 * k, 75.0, 6.0 - 0.1 * k) for k in range(61))
    cell_map.show_snapshot(with_hits({}, trail=trail))
    picture = cell_map.grab().toImage()

    def brightness(rpm):
        spot = places.point(rpm, 75.0).toPoint()
        return max(picture.pixelColor(spot + QPoint(0, dy)).lightness() for dy in (-1, 0, 1))

    assert brightness(6800) > brightness(4800) > brightness(2340)


def test_a_trail_that_leaves_the_map_or_is_not_a_number_is_survived(cell_map):
    nan = float("nan")
    spots = ((3000, 50), (nan, 50), (3000, nan), (99_999, 50), (3500, -5), (3500, 55))
    trail = tuple(TrailPoint(rpm, load, 0.5) for rpm, load in spots)
    cell_map.show_snapshot(with_hits({}, trail=trail))
    cell_map.grab()


def test_an_active_cell_of_other_axes_is_not_framed(cell_map):
    cell_map.show_snapshot(with_hits({}, active=(500, 3)))
    cell_map.grab()


def test_a_vehicle_may_bring_its_own_axes(cell_map):
    cell_map.show_snapshot(with_hits({(8, 7): 5}))
    cell_map.grab()
    rpm = Axis.from_nodes(Channel.RPM, Unit.RPM, [750, 1000, 2000, 4000])
    tps = Axis.from_edges(Channel.TPS, Unit.PERCENT, [0, 5, 20, 50, 100])
    grid = CellGrid(rpm, tps, np.arange(16.0).reshape(4, 4))
    cell_map.show_snapshot(replace(ui_world.readings({}), hits=grid, active_cell=(3, 3)))
    assert cell_map.grab().toImage().size() == cell_map.size()


def test_m_turns_through_the_views_that_exist(qtbot):
    second = replace(MAP_VIEWS[0], key="again", title="Again")
    shown = CellMap(LOOK, (MAP_VIEWS[0], second))
    qtbot.addWidget(shown)
    seen = []
    for _ in range(3):
        seen.append(shown.view.key)
        shown.next_view()
    assert seen == ["hits", "again", "hits"]


def test_a_gap_in_the_data_stays_a_gap_in_the_curve(strips):
    snapshot = ui_world.snapshot()
    snapshot.history.values[Channel.LAMBDA_REAR][100:140] = np.nan
    strips.show_snapshot(snapshot)
    seconds, values = strips.curve(Channel.LAMBDA_REAR)
    assert np.isnan(values[100:140]).all()
    assert np.isfinite(values[:100]).all()
    assert seconds[-1] == pytest.approx(-0.05)
    strips.grab()


def test_curves_follow_the_units(strips):
    strips.show_snapshot(ui_world.snapshot())
    afr, horsepower = strips.curve(Channel.LAMBDA_FRONT)[1], strips.curve(Channel.POWER)[1]
    strips.set_look(replace(LOOK, display=Display(UnitSystem.METRIC, MixtureScale.LAMBDA)))
    np.testing.assert_allclose(strips.curve(Channel.LAMBDA_FRONT)[1] * 14.7, afr, rtol=1e-5)
    np.testing.assert_allclose(strips.curve(Channel.POWER)[1] / 0.7457, horsepower, rtol=1e-3)


def test_a_channel_that_goes_leaves_no_old_curve(strips):
    strips.show_snapshot(ui_world.snapshot())
    strips.show_snapshot(ui_world.snapshot(missing={Channel.MAP}))
    assert strips.curve(Channel.MAP)[1].size == 0


def test_nothing_but_gaps_is_an_empty_chart(strips):
    snapshot = ui_world.snapshot()
    for values in snapshot.history.values.values():
        values[:] = np.nan
    strips.show_snapshot(snapshot)
    strips.grab()
    strips.show_snapshot(None)
    strips.grab()


def test_free_air_does_not_flatten_the_mixture_chart():
    mixture = next(lane for lane in LANES if lane.unit is Unit.LAMBDA)
    low, high = lane_range([np.array([0.85, 9.0, np.nan], np.float32)], mixture)
    assert (low, high) == (0.75, 1.4)


@pytest.mark.parametrize("low, high", [(0, 1), (-20, 95), (11.3, 16.9), (20, 1e6), (5, 5)])
@pytest.mark.parametrize("most", [1, 2, 4])
def test_a_ruler_holds_its_data_with_few_round_ticks(low, high, most):
    ruled = ruler(low, high, most)
    assert ruled.low <= low <= high <= ruled.high
    assert len(ruled.ticks) <= most + 2
    assert all(ruled.low <= tick <= ruled.high for tick in ruled.ticks)
