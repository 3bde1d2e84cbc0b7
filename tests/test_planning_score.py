"""What a test tells and what it is worth: golden values, and the laws they keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.basis import bilinear
from dynoai_desktop.core.planning.regions import Transient
from dynoai_desktop.core.planning.score import (
    PathInformation,
    covariance_after,
    efficiency,
    path_information,
    variance_fall,
)
from dynoai_desktop.core.planning.standing import Standing, events_short, goal_of
from dynoai_desktop.core.planning.steps import Movement, SamplePath
from tests.planning_world import FRONT, REAR, REGIONS, all_known, axes, nothing_known, usual_tests

RANGES = (2500.0, 4500.0), (80.0, 100.0)


@pytest.mark.parametrize(
    ("multiplier", "minutes", "priority", "gain", "score"),
    [
        (1.5, 2.0, 1, 6.0, 0.156),
        (1.5, 2.0, 2, 6.0, 0.12),
        (1.2, 5.0, 2, 4.8, 0.0384),
        (1.0, 3.0, 2, 4.0, 0.0533),
        (0.5, 1.0, 2, 2.0, 0.08),
    ],
)
def test_plain_efficiency_has_its_golden_values(multiplier, minutes, priority, gain, score):
    found = efficiency(*RANGES, multiplier, minutes, 50.0, priority)
    assert found.gain_pct == pytest.approx(gain)
    assert found.score == pytest.approx(score, abs=5e-5)


def test_plain_efficiency_promises_no_more_than_is_left_and_never_scores_above_one():
    assert efficiency(*RANGES, 1.5, 2.0, 97.0, 1).gain_pct == 3.0
    assert efficiency(*RANGES, 1.5, 2.0, 100.0, 1).gain_pct == 0.0
    assert efficiency((500.0, 9500.0), (20.0, 100.0), 1.5, 1.0, 0.0, 1).score == 1.0


def test_the_update_is_that_of_adding_information_to_the_inverse():
    standing = _standing()
    told = _told(3)
    gram = np.zeros((120, 120))
    gram[np.ix_(told.nodes, told.nodes)] = told.information
    before = standing.tables[0]
    exact = np.linalg.inv(np.linalg.inv(before) + gram)
    rows = np.arange(120)
    assert covariance_after(before, told) == pytest.approx(exact, abs=1e-9)
    assert np.diag(before) - variance_fall(before, told, rows) == pytest.approx(
        np.diag(exact), abs=1e-9
    )


def test_following_only_some_nodes_changes_nothing_about_them():
    known = nothing_known()
    told = _told(3)
    gram = np.zeros((120, 120))
    gram[np.ix_(told.nodes, told.nodes)] = told.information
    known = replace(known, information={FRONT: gram, REAR: 0.5 * gram})
    goal = goal_of(known, REGIONS)
    whole = Standing.of(known, goal)
    part = Standing.of(known, goal, usual_tests().touched)
    assert part.nodes.size < whole.nodes.size
    for index in (5, 20, 31):
        assert part.worth(_told(index)) == pytest.approx(whole.worth(_told(index)), rel=1e-6)
    for a, b in zip(part.after(told).variances(), whole.after(told).variances(), strict=True):
        assert a == pytest.approx(b, rel=1e-6)


def test_path_information_is_that_of_the_samples_it_is_made_of():
    rpm, load = axes()
    path = usual_tests().steps[2].path
    gram, _ = bilinear(rpm, load, path.rpm, path.load).normal_equations(path.rpm)
    told = path_information(path, rpm, load, 4e-4)
    got = np.zeros_like(gram)
    got[np.ix_(told.nodes, told.nodes)] = told.information
    assert got == pytest.approx(gram / 4e-4, rel=1e-4, abs=1.0)
    assert told.hits.sum() == pytest.approx(path.rpm.size)


def test_a_path_off_the_table_tells_nothing():
    rpm, load = axes()
    far = SamplePath(np.arange(3.0), np.full(3, 20_000.0), np.full(3, 90.0))
    told = path_information(far, rpm, load, 4e-4)
    standing = _standing()
    assert standing.worth(told) == 0.0
    assert np.array_equal(covariance_after(standing.tables, told), standing.tables)


@given(st.lists(st.integers(0, len(usual_tests().told) - 1), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_driving_never_takes_knowledge_away(order):
    standing = _standing()
    for index in order:
        told = usual_tests().told[index]
        after = standing.after(told)
        assert standing.worth(told) >= 0.0
        for before, now in zip(standing.variances(), after.variances(), strict=True):
            assert np.all(now <= before * (1.0 + 1e-9))
            assert np.all(now >= 0.0)
        standing = after


@given(
    st.integers(0, len(usual_tests().told) - 1),
    st.lists(st.integers(0, len(usual_tests().told) - 1), max_size=4),
    st.integers(0, len(usual_tests().told) - 1),
)
@settings(max_examples=60, deadline=None)
def test_information_has_falling_returns_whatever_was_driven_before(test, before, one_more):
    """½ log det: what a path tells about the whole table is exactly submodular."""
    tests = usual_tests()
    few = _standing().tables[0]
    for index in before:
        few = covariance_after(few, tests.told[index])
    many = covariance_after(few, tests.told[one_more])
    assert _nats(many, tests.told[test]) <= _nats(few, tests.told[test]) + 1e-6


@given(st.integers(0, len(usual_tests().told) - 1))
@settings(max_examples=40, deadline=None)
def test_the_same_test_again_tells_less(index):
    told = usual_tests().told[index]
    standing = _standing()
    first, second = standing, standing.after(told)
    third = second.after(told)
    for a, b, c in zip(first.variances(), second.variances(), third.variances(), strict=True):
        assert np.all(np.log(b) - np.log(c) <= np.log(a) - np.log(b) + 1e-9)


def test_a_cell_within_the_goal_is_worth_nothing_more():
    known = all_known()
    standing = Standing.of(known, goal_of(known, REGIONS))
    assert standing.is_saturated()
    for step, told in zip(usual_tests().steps, usual_tests().told, strict=True):
        assert standing.worth(told, step.movements) == 0.0


def test_worth_counts_what_is_short_of_the_goal_and_not_how_large_the_variance_is():
    standing = _standing()
    wanted = (0.03 / 1.959964) ** 2 - standing.least_variance
    home, near, far = standing.short(np.array([0.99, 1.01, 16.0])[:, None] * wanted)
    assert np.all(home == 0.0)
    assert np.all(near >= 0.999 * standing.weight)
    assert np.all(far < 1.5 * near)


def test_an_unheard_cylinder_keeps_the_goal_open():
    bare = nothing_known()
    one = replace(bare, information={FRONT: np.eye(120) * 1e6, REAR: bare.information[REAR]})
    standing = Standing.of(one, goal_of(one, REGIONS))
    assert standing.coverage_pct() == 50.0
    assert standing.worth(_told(3)) > 0.0


def test_cylinders_that_know_the_same_share_one_table():
    standing = _standing()
    assert (len(standing.tables), standing.table_of) == (1, (0, 0))
    after = standing.after(_told(3))
    assert (len(after.tables), after.table_of) == (1, (0, 0))


def test_events_are_worth_less_each_time_and_nothing_once_there_are_enough():
    missing = [events_short(5, seen) for seen in range(7)]
    falls = -np.diff(missing)
    assert np.all(np.diff(falls) <= 1e-12)
    assert missing[5:] == [0.0, 0.0]
    standing = _standing()
    tip_in = Movement(Transient.TIP_IN, 3000.0, (40.0, 95.0))
    worth = []
    for _ in range(6):
        worth.append(standing.events_worth((tip_in,)))
        standing = standing.after(_nothing(), (tip_in,))
    assert np.all(np.diff(worth) < 0.0)
    assert worth[5] == 0.0


def test_a_lift_off_closes_no_gap_of_tip_ins():
    lift = Movement(Transient.LIFT_OFF, 3000.0, (80.0, 30.0))
    after = _standing().after(_nothing(), (lift,))
    assert after.events["tip_in"] == 0
    assert after.events["lift_off"] == 1


def _standing() -> Standing:
    known = nothing_known()
    return Standing.of(known, goal_of(known, REGIONS))


def _told(index: int) -> PathInformation:
    return usual_tests().told[index]


def _nothing() -> PathInformation:
    return PathInformation(np.empty(0, np.intp), np.empty((0, 0)), np.empty(0))


def _nats(covariance: np.ndarray, told: PathInformation) -> float:
    inner = told.factor.T @ covariance[np.ix_(told.nodes, told.nodes)] @ told.factor
    return float(np.linalg.slogdet(np.eye(len(inner)) + inner)[1]) / 2.0
