"""Numbers and names as they are printed, and the examples in the documentation of ui."""

from __future__ import annotations

import doctest
import importlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.units import Display, MixtureScale, Unit, UnitSystem
from dynoai_desktop.ui.wording import (
    ABSENT,
    age,
    clock,
    file_size,
    glance,
    in_units,
    local_time,
    measured,
    number,
    plain,
)

WITH_EXAMPLES = (
    "look",
    "panels.pins",
    "scales",
    "theme",
    "trends",
    "wording",
    "widgets.lanes",
    "widgets.map_views",
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_worked_examples_hold(name):
    module = importlib.import_module(f"dynoai_desktop.ui.{name}")
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_dash(nothing):
    assert number(nothing, 1) == measured(nothing) == glance(nothing, Unit.RPM) == ABSENT


def test_zero_is_a_reading_not_a_dash():
    assert glance(0.0, Unit.RPM) == "0"
    assert number(-0.0, 0) == "0"


@given(st.floats())
def test_any_float_prints_on_one_line(value):
    for text in (number(value, 2), measured(value), age(value), clock(value), local_time(value)):
        assert text.isprintable() or "\u00a0" in text
        assert "\n" not in text


@given(st.text())
def test_no_foreign_name_can_break_a_line_or_turn_the_reading_direction(name):
    shown = plain(name)
    assert len(shown) == len(name)
    assert shown.isprintable()


@given(st.integers(0, 10**15))
def test_file_sizes_are_short(size):
    assert len(file_size(size)) <= 10 or size > 999_999_000_000


def test_units_follow_the_setting():
    us, metric = Display(), Display(UnitSystem.METRIC, MixtureScale.LAMBDA)
    assert in_units(74.57, Unit.KILOWATT, us)[1] is Unit.HORSEPOWER
    assert in_units(74.57, Unit.KILOWATT, metric) == (74.57, Unit.KILOWATT)
    assert in_units(1.0, Unit.LAMBDA, us) == (14.7, Unit.AFR)
    assert in_units(14.7, Unit.AFR, us) == (14.7, Unit.AFR)
    assert in_units(14.7, Unit.AFR, metric) == (1.0, Unit.LAMBDA)
