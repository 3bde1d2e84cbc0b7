"""On a small screen the map leaves out columns nobody needs, so that its numbers can be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.axis import CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.live.quality import planned_cells
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import SMALLEST_TEXT_PX
from dynoai_desktop.ui.widgets.cell_map import CellMap
from dynoai_desktop.ui.widgets.map_crop import cropped, shown_columns
from dynoai_desktop.ui.widgets.map_picture import column_px
from dynoai_desktop.ui.widgets.map_views import MAP_VIEWS, Layer
from tests import ui_world

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

RPM, LOAD = default_rpm_axis(), default_map_axis()
SMALL, LARGE = (517, 470), (900, 560)  # the map in a window of 1280 × 800, and in a larger one
NARROW_PX, NEEDED_PX = 380.0, column_px(MAP_VIEWS[0].style)


def visited(*columns: int, **more) -> Snapshot:
    """A snapshot of an engine that has been in these columns."""
    hits = CellGrid.zeros(RPM, LOAD)
    hits.values[list(columns), 7] = 20.0
    return replace(ui_world.readings({}), hits=hits, **more)


@pytest.fixture
def small_map(qtbot) -> CellMap:
    shown = CellMap(Look())
    qtbot.addWidget(shown)
    shown.resize(*SMALL)
    shown.show()
    return shown


def test_with_room_for_every_number_nothing_is_left_out():
    assert shown_columns(visited(4, 11), 20 * NEEDED_PX, NEEDED_PX) == slice(0, 20)


def test_without_it_the_columns_where_the_engine_was_are_shown():
    assert shown_columns(visited(4, 11), NARROW_PX, NEEDED_PX) == slice(4, 12)


def test_the_map_opens_in_steps_of_two_columns():
    spans = {
        (shown.start, shown.stop)
        for last in range(5, 13)
        for shown in [shown_columns(visited(*range(4, last + 1)), NARROW_PX, NEEDED_PX)]
    }
    assert spans == {(4, 6), (4, 8), (4, 10), (4, 12), (4, 14)}


def test_planned_cells_and_the_engine_itself_are_always_on_the_map():
    planned = planned_cells(RPM, LOAD)
    shown = shown_columns(visited(6, planned=planned, active_cell=(13, 3)), NARROW_PX, NEEDED_PX)
    rows = np.flatnonzero(planned.any(axis=1))
    assert shown.start <= rows[0]
    assert shown.stop > 13


def test_before_the_engine_was_anywhere_the_whole_map_is_shown():
    assert shown_columns(visited(), NARROW_PX, NEEDED_PX) == slice(0, 20)
    assert shown_columns(None, NARROW_PX, NEEDED_PX) == slice(None)


def test_a_cropped_layer_keeps_its_values_with_their_axis():
    values = np.arange(200.0).reshape(20, 10)
    part = cropped(Layer(RPM, LOAD, values, half_width=values), slice(4, 12))
    assert part.rpm.edges == RPM.edges[4:13]
    assert part.values.tolist() == values[4:12].tolist()
    assert part.half_width.tolist() == values[4:12].tolist()


def test_on_a_small_screen_the_numbers_of_the_cells_can_be_read(small_map):
    small_map.show_snapshot(visited(*range(3, 14), active_cell=(9, 7)))
    small_map.grab()
    layout = small_map._picture.layout
    assert len(layout.rpm) == 12
    assert layout.cell(0, 0).width() >= 3 * 0.65 * SMALLEST_TEXT_PX


def test_the_active_cell_keeps_its_place_on_a_cropped_map(small_map):
    small_map.show_snapshot(visited(*range(4, 14), active_cell=(9, 7)))
    small_map.grab()
    assert small_map.facts.rpm == 9, "what others ask for is counted on the whole map"
    layout = small_map._picture.layout
    at = layout.point(RPM.nodes[9], LOAD.nodes[7]).toPoint()
    shown = small_map._facts_shown()
    assert layout.cell(shown.rpm, shown.load).contains(at)


def test_a_larger_window_shows_the_whole_map_again(small_map):
    small_map.show_snapshot(visited(5, 8))
    small_map.grab()
    assert len(small_map._picture.layout.rpm) < 20
    small_map.resize(*LARGE)
    small_map.grab()
    assert len(small_map._picture.layout.rpm) == 20
