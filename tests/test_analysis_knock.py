"""Knock is a rate with an interval; timing is given only by a live sensor and rising torque."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.beta import incomplete_beta, rate_below
from dynoai_desktop.core.analysis.knock import KnockMap, SparkAdvice, advise, cells, knock_map
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.units import Unit
from tests.analysis_world import MAP, RPM

CELL = (10, 8)


def one_cell(events: float, cycles: float, cylinder=Cylinder.FRONT) -> KnockMap:
    k, n = np.zeros((len(RPM), len(MAP))), np.zeros((len(RPM), len(MAP)))
    k[CELL], n[CELL] = events, cycles
    return KnockMap(cylinder, RPM, MAP, k, n)


def own(advice: tuple[SparkAdvice, ...]) -> float:
    here = [a.change_deg for a in advice if (a.rpm, a.load) == (RPM.nodes[10], MAP.nodes[8])]
    return here[0] if here else 0.0


@pytest.mark.parametrize(
    ("a", "b", "x"), [(2, 3, 0.5), (10.5, 90.5, 0.1), (1.5, 3.5, 0.7), (1, 1, 0.3), (4, 400, 0.02)]
)
def test_the_beta_distribution_is_the_integral_of_its_density(a, b, x):
    t = np.linspace(0.0, 1.0, 200_001)
    density = t ** (a - 1) * (1 - t) ** (b - 1)
    total = np.cumsum((density[1:] + density[:-1]) / 2)
    expected = total[int(x * 200_000) - 1] / total[-1]
    assert incomplete_beta(a, b, x) == pytest.approx(expected, abs=1e-4)


@given(st.floats(0.5, 50), st.floats(0.5, 500), st.floats(0.001, 0.999))
def test_the_beta_distribution_is_one_with_its_mirror(a, b, x):
    assert incomplete_beta(a, b, x) + incomplete_beta(b, a, 1 - x) == pytest.approx(1.0, abs=1e-9)


def test_one_event_in_a_thousand_cycles_takes_no_timing():
    assert advise([one_cell(1, 1000)]) == ()


def test_a_rate_that_is_surely_too_high_takes_timing_and_half_beside():
    advice = advise([one_cell(20, 400)])
    assert own(advice) == -2.0
    beside = [a for a in advice if a.reason == "beside a knocking cell"]
    assert len(beside) == 3  # the cell lies on the upper border of the table
    assert {a.change_deg for a in beside} == {-1.0}


def test_few_cycles_say_nothing():
    assert advise([one_cell(0, 2)]) == ()
    assert advise([one_cell(1, 3)]) == ()


@given(st.integers(0, 60), st.integers(0, 60))
def test_more_events_never_give_more_timing(k, more):
    gain = {(Cylinder.FRONT, *CELL): 5.0}
    assert own(advise([one_cell(k + more, 2000)], gain)) <= own(advise([one_cell(k, 2000)], gain))


def test_timing_is_given_only_where_torque_rises():
    quiet = one_cell(0, 4000)
    cell = (Cylinder.FRONT, *CELL)
    assert own(advise([quiet], {cell: 5.0})) == 1.0
    assert advise([quiet], {cell: 1.0}) == ()
    assert advise([quiet]) == ()


def test_without_a_knock_channel_there_is_no_advice_at_all():
    assert advise([], {(Cylinder.FRONT, *CELL): 9.0}) == ()


def test_events_are_steps_up_and_fading_is_none():
    rpm, load = np.full(600, 3500.0), np.full(600, 95.0)
    retard = np.zeros(600)
    retard[100:200] = np.linspace(3.0, 0.0, 100)  # one event, fading for a second
    retard[400:] = 2.0  # one more, held
    found = knock_map(Cylinder.FRONT, (RPM, MAP), rpm, load, retard, np.full(600, 0.01))
    assert found.events.sum() == 2
    assert found.cycles.sum() == pytest.approx(6.0 * 3500 / 120)


def test_the_rear_cylinder_is_counted_like_the_front():
    ten = np.zeros(200)
    ten[::20] = 2.0
    at = np.full(200, 3000.0), np.full(200, 95.0)
    maps = [
        knock_map(c, (RPM, MAP), *at, ten, np.full(200, 0.05))
        for c in (Cylinder.FRONT, Cylinder.REAR)
    ]
    assert maps[0].events.sum() == maps[1].events.sum() > 0


def test_a_silent_row_is_no_quiet_row():
    retard = np.full(100, np.nan)
    at = np.full(100, 3000.0), np.full(100, 95.0)
    found = knock_map(Cylinder.FRONT, (RPM, MAP), *at, retard, np.full(100, 0.1))
    assert found.cycles.sum() == 0
    assert np.isnan(found.rate).all()


@given(st.lists(st.floats(-100, 2000), min_size=1, max_size=30))
def test_cells_are_those_of_the_axis(values):
    axis = Axis.from_edges(Channel.RPM, Unit.RPM, [0, 500, 1000, 1500])
    found = cells(axis, np.array(values)).tolist()
    assert found == [-1 if axis.locate(v) is None else axis.locate(v) for v in values]


@given(st.floats(0, 200), st.floats(1, 1000), st.floats(0.0, 50.0))
def test_more_chances_without_events_lower_the_rate(events, chances, more):
    assert rate_below(0.05, events, chances + more) >= rate_below(0.05, events, chances) - 1e-12
