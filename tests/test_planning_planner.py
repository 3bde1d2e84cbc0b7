"""The planner: what it chooses, what it never does, and when it stops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.candidates import TESTS, candidates, counted_pulls
from dynoai_desktop.core.planning.limits import POSSIBLE, Environment, PlanningLimits
from dynoai_desktop.core.planning.planner import Facts, Tests, make_plan, way_to_goal
from dynoai_desktop.core.planning.regions import place_regions
from dynoai_desktop.core.planning.standing import Standing, goal_of
from dynoai_desktop.core.planning.steps import Plan, TestType
from dynoai_desktop.core.planning.throttle import Throttle
from dynoai_desktop.core.planning.ways import Ratio
from dynoai_desktop.core.units import Unit
from tests.planning_world import (
    FRONT,
    LIMITS,
    REGIONS,
    WAYS,
    all_known,
    axes,
    nothing_known,
    usual_tests,
)


def plan(knowledge=None, limits: PlanningLimits = LIMITS, facts: Facts | None = None, **kw) -> Plan:
    knowledge = knowledge or nothing_known()
    tests = usual_tests() if limits is LIMITS and "ways" not in kw else None
    ways = kw.pop("ways", WAYS)
    return make_plan(knowledge, ways, limits, REGIONS, facts, tests=tests, **kw)


LIMITS_DRAWN = st.builds(
    lambda rpm, kpa, tps, where, pulls: PlanningLimits(
        min_rpm=min(rpm),
        max_rpm=max(rpm) + 1.0,
        min_map_kpa=min(kpa),
        max_map_kpa=max(kpa) + 1.0,
        min_tps_pct=min(tps),
        max_tps_pct=min(100.0, max(tps) + 1.0),
        environment=where,
        max_pulls_per_session=pulls,
    ),
    st.tuples(st.integers(500, 7000), st.integers(500, 7000)),
    st.tuples(st.floats(10.0, 110.0), st.floats(10.0, 110.0)),
    st.tuples(st.floats(0.0, 99.0), st.floats(0.0, 99.0)),
    st.sampled_from(list(Environment)),
    st.integers(0, 10),
)


@given(LIMITS_DRAWN)
@settings(max_examples=20, deadline=None)
def test_nothing_is_ever_planned_outside_the_limits(limits):
    rpm, load = axes()
    throttle = Throttle.of(WAYS)
    for step in candidates(WAYS, limits, rpm, load):
        assert limits.min_rpm <= step.rpm_range[0] <= step.rpm_range[1] <= limits.max_rpm
        assert limits.min_map_kpa - 1e-6 <= step.load_range[0]
        assert step.load_range[1] <= limits.max_map_kpa + 1e-6
        if step.path.rpm.size:
            assert step.path.rpm.min() >= limits.min_rpm
            assert step.path.rpm.max() <= limits.max_rpm
            assert step.path.load.min() >= limits.min_map_kpa - 1e-6
            assert step.path.load.max() <= limits.max_map_kpa + 1e-6
        if step.tps_pct is not None:
            assert limits.min_tps_pct <= step.tps_pct <= limits.max_tps_pct
        else:
            most = throttle.map_kpa(limits.max_tps_pct, np.array([step.rpm_range[0]]))[0]
            assert step.load_range[1] <= most + 1e-6
            assert limits.min_tps_pct <= step.tps_range[0]
            assert step.tps_range[1] <= limits.max_tps_pct
        assert limits.environment in POSSIBLE[step.test_type]
    found = make_plan(nothing_known(8, 6), WAYS, limits, REGIONS)
    assert sum(counted_pulls(step) for step in found.steps) <= limits.max_pulls_per_session
    assert found.steps or found.message


@pytest.mark.parametrize("where", list(Environment))
def test_the_street_is_never_wide_open_and_a_bare_drum_holds_no_speed(where):
    rpm, load = axes()
    steps = candidates(WAYS, replace(LIMITS, environment=where), rpm, load)
    for step in steps:
        if step.on_street:
            assert step.tps_pct is not None
            assert step.tps_pct <= 60.0
            assert "Public road" in step.risk
    kinds = {step.test_type for step in steps}
    assert (TestType.HOLD_CLIMB in kinds) == (where in (Environment.LOAD_DYNO, Environment.BOTH))
    assert (TestType.WOT_PULL in kinds) == (where is not Environment.STREET)


def test_a_fully_known_vehicle_plans_nothing_and_says_so():
    found = plan(all_known())
    assert found.steps == ()
    assert found.coverage_pct == 100.0
    assert found.cells_open == 0
    assert "Nothing is left worth a pull" in found.message


def test_the_same_knowledge_gives_the_same_plan_whatever_the_order_of_the_cylinders():
    bare = nothing_known()
    turned = replace(
        bare,
        information=dict(reversed(bare.information.items())),
        hits=dict(reversed(bare.hits.items())),
    )
    assert [s.key for s in plan(bare).steps] == [s.key for s in plan(turned).steps]
    assert [s.key for s in plan(bare).steps] == [s.key for s in plan(bare).steps]


def test_of_tests_worth_the_same_the_first_of_the_table_is_chosen():
    tests = usual_tests()
    first = plan().steps[0]
    index = next(i for i, step in enumerate(tests.steps) if step.key == first.key)
    twin = replace(tests.steps[index], key="zz-twin")
    doubled = Tests((*tests.steps, twin), (*tests.told, tests.told[index]), (), WAYS)
    found = make_plan(nothing_known(), WAYS, LIMITS, REGIONS, tests=doubled)
    assert found.steps[0].key == first.key


def test_the_first_step_is_the_best_of_all():
    tests = usual_tests()
    known = nothing_known()
    standing = Standing.of(known, goal_of(known, REGIONS))
    rates = [
        standing.worth(told, step.movements) / (step.minutes + 0.5)
        for step, told in zip(tests.steps, tests.told, strict=True)
    ]
    first = plan().steps[0]
    assert first.key == tests.steps[int(np.argmax(rates))].key
    assert first.worth_per_minute == pytest.approx(max(rates))


def test_a_plan_reaches_the_goal_in_hardly_more_pulls_than_one_made_afresh_after_each():
    """Only the best few tests are weighed anew inside a plan: that must not cost pulls."""
    limits = replace(LIMITS, max_pulls_per_session=40)
    ahead = way_to_goal(nothing_known(), WAYS, limits, REGIONS, tests=usual_tests())
    assert ahead.coverage_pct == 100.0
    standing = Standing.of(nothing_known(), goal_of(nothing_known(), REGIONS, up_to=1))
    pulls = 0
    while standing.coverage_pct() < 100.0:
        rates = [
            standing.worth(told, step.movements) / (step.minutes + 0.5)
            for step, told in zip(usual_tests().steps, usual_tests().told, strict=True)
        ]
        best = int(np.argmax(rates))
        standing = standing.after(usual_tests().told[best], usual_tests().steps[best].movements)
        pulls += counted_pulls(usual_tests().steps[best])
    assert ahead.pulls <= pulls + 1


def test_the_planner_needs_half_the_pulls_of_a_fixed_round_of_sweeps():
    standing = Standing.of(nothing_known(), goal_of(nothing_known(), REGIONS, up_to=1))
    tests = usual_tests()
    rounds = [i for i, s in enumerate(tests.steps) if s.key.endswith("/2000") and s.tps_pct]
    rounds = [i for i in rounds if tests.steps[i].test_type is not TestType.ROLL_ON]
    pulls = 0
    while standing.coverage_pct() < 100.0 and pulls < 60:
        index = rounds[pulls % len(rounds)]
        standing = standing.after(tests.told[index], tests.steps[index].movements)
        pulls += 1
    ahead = way_to_goal(nothing_known(), WAYS, LIMITS, REGIONS, tests=tests)
    assert ahead.pulls <= pulls / 2


def test_pulls_are_limited_not_steps_and_those_driven_count():
    for driven in (0, 3, 7):
        found = plan(facts=Facts(pulls_driven=driven))
        assert sum(counted_pulls(step) for step in found.steps) <= 8 - driven
    used_up = plan(facts=Facts(pulls_driven=8))
    assert all(counted_pulls(step) == 0 for step in used_up.steps)
    none = plan(limits=replace(LIMITS, max_pulls_per_session=0, min_rpm=1000.0))
    assert none.steps == ()
    assert "used up" in none.message


def test_what_was_skipped_or_is_impossible_is_not_offered_again():
    first = plan().steps[0]
    assert first.key not in {s.key for s in plan(facts=Facts(frozenset({first.key}))).steps}
    no_climbs = plan(facts=Facts(impossible=frozenset({TestType.HOLD_CLIMB.value})))
    assert TestType.HOLD_CLIMB not in {s.test_type for s in no_climbs.steps}
    nothing = Facts(impossible=frozenset(kind.test_type.value for kind in TESTS))
    assert "Take one of these back" in plan(facts=nothing).message


def test_coverage_so_far_reaches_the_planner():
    bare = nothing_known()
    first = plan(bare).steps[0]
    tests = usual_tests()
    told = tests.told[next(i for i, s in enumerate(tests.steps) if s.key == first.key)]
    gram = np.zeros((120, 120))
    gram[np.ix_(told.nodes, told.nodes)] = told.information
    driven = replace(bare, information=dict.fromkeys(bare.information, gram))
    after = plan(driven)
    assert after.coverage_pct == pytest.approx(first.expected_coverage_gain)
    assert after.steps[0].key == plan(bare).steps[1].key


def test_expected_gain_adds_up_to_what_the_plan_reaches():
    found = plan()
    total = sum(step.expected_coverage_gain for step in found.steps)
    assert found.coverage_pct + total <= 100.0 + 1e-9
    assert total > 50.0
    gaining = [step for step in found.steps if step.expected_coverage_gain > 0.0]
    assert all(s.expected_coverage_doubt > 0.2 * s.expected_coverage_gain for s in gaining)


def test_a_vehicle_whose_tests_tell_less_is_promised_less():
    poor = replace(WAYS, gain=dict.fromkeys(TestType, Ratio(0.2, 0.1, 9)))
    usual = usual_tests().told[0].information
    less = Tests.of(nothing_known(), poor, LIMITS).told[0].information
    assert less == pytest.approx(0.2 * usual)


def test_keys_are_stable_and_distinct():
    rpm, load = axes()
    keys = [step.key for step in candidates(WAYS, LIMITS, rpm, load)]
    assert len(set(keys)) == len(keys)
    tighter = replace(LIMITS, max_rpm=5000.0)
    clipped = {step.key: step for step in candidates(WAYS, tighter, rpm, load)}
    assert set(clipped) <= set(keys)
    assert clipped["wot/g5/2000"].rpm_range[1] <= 5000.0
    assert any("max_rpm" in words for words in clipped["wot/g5/2000"].constraints)


def test_every_cell_that_counts_names_the_tests_that_reach_it():
    found = plan()
    keys = set(found.names)
    for cell, reaching in found.reach.items():
        assert set(reaching) <= keys, cell
    first = found.steps[0]
    r, c = _node(first.path.rpm[len(first.path.rpm) // 2], first.path.load[0])
    assert first.key in [key for row in found.reach.values() for key in row]
    planned = {step.key for step in found.steps}
    for reaching in found.reach.values():
        places = [key in planned for key in reaching]
        assert places == sorted(places, reverse=True)
    assert (r, c) in found.reach or found.reach


def test_limits_that_leave_nothing_name_the_smallest_change_that_helps():
    limits = replace(LIMITS, min_rpm=1000.0, max_rpm=1500.0)
    found = plan(limits=limits)
    assert found.steps == ()
    assert "The limits leave no test" in found.message
    by_kind = {one.test_type: one for one in found.excluded}
    assert set(by_kind) == set(TestType)
    climb = by_kind[TestType.HOLD_CLIMB]
    assert climb.limit == "max_rpm"
    raised = float(climb.smallest_change.split()[-2].replace(",", ""))
    rpm, load = axes()
    again = candidates(WAYS, replace(limits, max_rpm=raised), rpm, load)
    assert TestType.HOLD_CLIMB in {step.test_type for step in again}
    nearly = candidates(WAYS, replace(limits, max_rpm=raised - 20.0), rpm, load)
    assert TestType.HOLD_CLIMB not in {step.test_type for step in nearly}


def test_a_throttle_limit_rules_out_full_throttle_by_name():
    found = plan(limits=replace(LIMITS, max_tps_pct=60.0))
    pull = next(one for one in found.excluded if one.test_type is TestType.WOT_PULL)
    assert (pull.limit, "100 %" in pull.smallest_change) == ("max_tps_pct", True)


def test_one_wideband_for_both_cylinders_is_planned_for():
    found = plan(nothing_known(cylinders=(Cylinder.BOTH,)), ways=WAYS)
    assert found.steps
    assert Channel.LAMBDA in found.steps[0].required_channels
    one = plan(nothing_known(cylinders=(FRONT,)), ways=WAYS)
    assert one.cells_total * 2 == plan().cells_total


def test_a_table_by_throttle_is_planned_in_percent():
    bare = nothing_known()
    tps = Axis.from_nodes(Channel.TPS, Unit.PERCENT, np.linspace(0.0, 100.0, 10).tolist())
    regions = place_regions(5800.0, load=Channel.TPS)
    found = make_plan(replace(bare, load=tps), WAYS, LIMITS, regions)
    assert found.steps
    for step in found.steps:
        assert 0.0 <= step.load_range[0] <= step.load_range[1] <= 100.0
        assert step.required_channels.count(Channel.TPS) == 1
    assert any(len(set(step.path.load.tolist())) == 1 for step in found.steps)


def test_a_ceiling_of_the_operator_stands_in_every_abort_condition():
    found = plan(limits=replace(LIMITS, max_iat_c=45.0, max_head_c=120.0))
    for step in found.steps:
        assert any("45 °C (113 °F)" in words for words in step.abort)
        assert any("120 °C (248 °F)" in words for words in step.abort)
    assert any("54 °C (130 °F)" in words for words in plan().steps[0].abort)


def _node(rpm: float, load: float) -> tuple[int, int]:
    along_rpm, along_load = axes()
    return (
        int(np.argmin(np.abs(np.array(along_rpm.nodes) - rpm))),
        int(np.argmin(np.abs(np.array(along_load.nodes) - load))),
    )
