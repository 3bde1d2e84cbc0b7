"""Limits: what they can be, and what follows from the record where nobody has set any."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.planning.limits import (
    POSSIBLE,
    Environment,
    LimitsError,
    PlanningLimits,
    allowed_gears,
    default_limits,
)
from dynoai_desktop.core.planning.steps import TestType
from dynoai_desktop.core.store.vehicles import VehicleRecord

QUICK = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("min_rpm", -1.0),
        ("min_rpm", 7000.0),  # not below max_rpm
        ("max_rpm", float("nan")),
        ("max_rpm", float("inf")),
        ("min_map_kpa", 100.0),
        ("max_map_kpa", 900.0),
        ("max_tps_pct", 101.0),
        ("max_pulls_per_session", -1),
        ("max_pulls_per_session", 2.5),
        ("max_pulls_per_session", True),
        ("environment", "moon"),
        ("max_iat_c", 900.0),
        ("max_head_c", "hot"),
        ("gears", (0,)),
        ("gears", (2.0,)),
    ],
)
def test_a_limit_that_cannot_be_is_refused_by_its_name(field, value):
    with pytest.raises(LimitsError, match=field) as refusal:
        PlanningLimits(**{field: value})
    assert refusal.value.field == field


def test_wide_open_is_never_for_the_street_and_holding_needs_a_brake():
    assert Environment.STREET not in POSSIBLE[TestType.WOT_PULL]
    assert Environment.INERTIA_DYNO not in POSSIBLE[TestType.HOLD_CLIMB]
    assert set(POSSIBLE) == set(TestType)


def test_a_record_gives_limits_that_keep_off_the_redline_and_let_the_engine_breathe():
    twin = VehicleRecord("Twin", redline_rpm=5600.0, idle_rpm=950.0, dyno_gear=4)
    limits = default_limits(twin)
    assert limits.max_rpm == 5480.0
    assert limits.min_rpm == 760.0  # idling can be measured
    assert limits.max_map_kpa >= 101.3  # wide open at sea level is not cut off
    assert allowed_gears(limits, 5) == (4,)
    turbo = default_limits(replace(twin, boost_kpa=80.0))
    assert turbo.max_map_kpa == limits.max_map_kpa + 80.0


def test_what_the_record_does_not_state_stays_at_the_usual_figures():
    limits, usual = default_limits(VehicleRecord("Twin")), PlanningLimits()
    assert (limits.min_rpm, limits.max_rpm) == (720.0, usual.max_rpm)
    assert allowed_gears(limits, 5) == (5,)


@given(st.floats(1000, 20_000), st.floats(300, 3000))
@QUICK
def test_every_record_gives_limits_that_can_be(redline, idle):
    if idle < redline:
        record = VehicleRecord("Twin", redline_rpm=redline, idle_rpm=idle)
        assert default_limits(record).max_rpm <= 0.98 * redline
