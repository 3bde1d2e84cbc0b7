"""Session outlook: rollouts against exact sessions, and what heat and failures do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.planning import outlook
from dynoai_desktop.core.planning.candidates import counted_pulls
from dynoai_desktop.core.planning.outlook import STRATEGIES, Outlook, session_outlook
from dynoai_desktop.core.planning.planner import Facts, Tests, make_plan
from dynoai_desktop.core.planning.standing import Standing, goal_of
from dynoai_desktop.core.planning.steps import TestType
from dynoai_desktop.core.planning.ways import Ratio
from tests.planning_world import LIMITS, REGIONS, WAYS, all_known, nothing_known

SURE = replace(
    WAYS,
    gain=dict.fromkeys(TestType, Ratio(1.0, 0.0, 9)),
    minutes=dict.fromkeys(TestType, Ratio(1.0, 0.0, 9)),
    cooling_s=Ratio(45.0, 0.0, 9),
)


def look(knowledge=None, ways=WAYS, limits=LIMITS, seed=1, rollouts=2000, **kw):
    found = session_outlook(
        knowledge or nothing_known(),
        ways,
        limits,
        REGIONS,
        np.random.default_rng(seed),
        rollouts=rollouts,
        **kw,
    )
    return {one.key: one for one in found}


@pytest.fixture
def calm(monkeypatch):
    """Let nothing fail and no heat spoil a pull."""
    monkeypatch.setattr(outlook, "FAILED_SHARE", 0.0)
    monkeypatch.setattr(outlook, "_SPOILT", 0.0)


def test_every_strategy_has_its_row_the_planner_first():
    found = look()
    assert list(found) == [row.key for row in STRATEGIES]
    assert len(found) >= 4
    assert {"planner", "efficiency", "habit", "sweeps", "cool"} <= set(found)
    for one in found.values():
        assert 0.0 <= one.probability <= 1.0
        assert 0.0 <= one.expected_coverage_pct <= 100.0
        assert 0.0 < one.expected_minutes <= one.worst_tenth_minutes * 1.5


def test_the_same_generator_gives_the_same_outlook_and_another_nearly_so():
    assert look(seed=4) == look(seed=4)
    a, b = look(seed=4)["planner"], look(seed=5)["planner"]
    assert a.probability == pytest.approx(b.probability, abs=0.06)
    assert a.expected_minutes == pytest.approx(b.expected_minutes, rel=0.05)


def test_without_chance_the_outlook_is_the_plan_itself(calm):
    known = nothing_known()
    tests = Tests.of(known, SURE, LIMITS)
    plan = make_plan(known, SURE, LIMITS, REGIONS, tests=tests)
    standing, minutes, pulls = Standing.of(known, goal_of(known, REGIONS)), 0.0, 0
    told = {step.key: t for step, t in zip(tests.steps, tests.told, strict=True)}
    for step in plan.steps:
        if standing.coverage_pct() >= 100.0:
            break
        standing = standing.after(told[step.key], step.movements)
        minutes += step.minutes
        pulls += counted_pulls(step)
    one = look(known, SURE, rollouts=50)["planner"]
    assert standing.coverage_pct() == 100.0
    assert one.probability == 1.0
    assert one.expected_pulls == pulls
    assert one.expected_minutes == pytest.approx(minutes)
    assert one.worst_tenth_minutes == pytest.approx(minutes)
    assert one.expected_coverage_pct == 100.0


def test_adding_up_precision_agrees_with_exact_sessions_where_gains_scatter(calm):
    """The shortcut against covariances worked out anew for every rollout."""
    known = nothing_known()
    ways = replace(SURE, gain=dict.fromkeys(TestType, Ratio(1.0, 0.35, 9)))
    limits = replace(LIMITS, max_pulls_per_session=5)
    tests = Tests.of(known, ways, limits)
    plan = make_plan(known, ways, limits, REGIONS, tests=tests)
    told = {step.key: t for step, t in zip(tests.steps, tests.told, strict=True)}
    rng = np.random.default_rng(8)
    sigma = np.sqrt(np.log1p(0.35**2))
    start = Standing.of(known, goal_of(known, REGIONS, up_to=1), tests.touched)
    coverage = []
    for _ in range(120):
        standing = start
        for step in plan.steps:
            scale = float(np.exp(sigma * rng.standard_normal() - sigma**2 / 2.0))
            standing = standing.after(told[step.key].times(scale))
        coverage.append(standing.coverage_pct())
    one = look(known, ways, limits, tests=tests, plan=plan)["planner"]
    assert one.expected_coverage_pct == pytest.approx(np.mean(coverage), abs=4.0)
    assert one.probability == pytest.approx(np.mean(np.array(coverage) >= 100.0), abs=0.15)


def test_followed_cells_are_enough(monkeypatch):
    with_pruning = look(rollouts=500)
    monkeypatch.setattr(outlook, "_last_home", lambda share: np.arange(share.shape[1]))
    assert look(rollouts=500) == with_pruning


def test_failed_pulls_and_heat_only_make_it_worse(monkeypatch):
    usual = look()["planner"]
    monkeypatch.setattr(outlook, "FAILED_SHARE", 0.5)
    often = look()["planner"]
    assert often.probability < usual.probability
    assert often.expected_pulls > usual.expected_pulls
    monkeypatch.setattr(outlook, "FAILED_SHARE", 1.0)
    never = look()["planner"]
    assert (never.probability, never.expected_coverage_pct) == (0.0, 0.0)
    assert never.expected_pulls == LIMITS.max_pulls_per_session


def test_an_engine_that_hardly_cools_gains_from_patience():
    slow = replace(WAYS, cooling_s=Ratio(45.0, 200.0, 9))
    limits = replace(LIMITS, max_pulls_per_session=6)
    found = look(ways=slow, limits=limits)
    assert found["cool"].expected_coverage_pct > found["planner"].expected_coverage_pct
    assert found["cool"].expected_pulls <= found["planner"].expected_pulls


def test_full_throttle_alone_does_not_get_there_and_the_planner_beats_it():
    found = look()
    assert found["habit"].probability == 0.0
    assert found["planner"].probability >= max(
        found[key].probability for key in ("efficiency", "habit", "sweeps")
    )


def test_nothing_to_do_takes_no_time():
    done = look(all_known())["planner"]
    assert done == Outlook("planner", "As planned", 1.0, 0.0, 0.0, 0.0, 100.0)


def test_no_pull_left_leaves_things_as_they_are():
    stuck = look(facts=Facts(pulls_driven=8))["planner"]
    assert (stuck.probability, stuck.expected_pulls) == (0.0, 0.0)


def test_pulls_never_exceed_what_is_left():
    for one in look(facts=Facts(pulls_driven=5)).values():
        assert one.expected_pulls <= 3.0
