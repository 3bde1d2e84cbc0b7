"""Reasons in a tuner's words, the checklist, and the plan as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.analysis.cause_tree import Cause
from dynoai_desktop.core.analysis.hypotheses import Category
from dynoai_desktop.core.planning.candidates import counted_pulls
from dynoai_desktop.core.planning.causes import with_causes
from dynoai_desktop.core.planning.checklist import checklist
from dynoai_desktop.core.planning.explain import what_it_takes
from dynoai_desktop.core.planning.gaps import find_gaps
from dynoai_desktop.core.planning.plan_document import next_tests, to_document
from dynoai_desktop.core.planning.planner import Facts, make_plan, way_to_goal
from dynoai_desktop.core.planning.steps import Plan, TestType, WayToGoal
from dynoai_desktop.core.units import UnitSystem
from tests.planning_world import (
    FRONT,
    LIMITS,
    REAR,
    REGIONS,
    WAYS,
    all_known,
    nothing_known,
    usual_tests,
)


def plan(knowledge=None, **kw) -> Plan:
    knowledge = knowledge or nothing_known()
    gaps = find_gaps(knowledge, REGIONS)
    return make_plan(knowledge, WAYS, LIMITS, REGIONS, gaps=gaps, tests=usual_tests(), **kw)


def test_every_step_has_its_reasons_with_numbers_and_shares_of_its_worth():
    for step in plan().steps:
        assert 1 <= len(step.evidence) <= 3
        shares = [one.weight for one in step.evidence]
        assert shares == sorted(shares, reverse=True)
        assert 0.0 < sum(shares) <= 1.0 + 1e-6
        for one in step.evidence:
            assert re.search(r"\d", one.text)
            assert one.text.endswith(".")
            assert "nan" not in one.text


def test_the_reason_names_the_cell_what_is_known_of_it_and_what_will_be():
    said = [one.text for step in plan().steps[1:] for one in step.evidence]
    cell = re.compile(
        r"at [\d,]+ rpm and \d+ kPa is known only to ±[\d.]+ %; this step brings it to ±[\d.]+ %\."
    )
    assert any(cell.search(text) for text in said)


def test_what_is_promised_of_a_cell_is_what_the_covariance_says():
    known = nothing_known()
    first = plan(known).steps[0]
    told = next(
        t
        for step, t in zip(usual_tests().steps, usual_tests().told, strict=True)
        if step.key == first.key
    )
    gram = np.zeros((120, 120))
    gram[np.ix_(told.nodes, told.nodes)] = told.information
    after = replace(known, information=dict.fromkeys(known.information, gram))
    text = next(e.text for e in first.evidence if "brings it to" in e.text)
    rpm, kpa, promised = re.search(
        r"at ([\d,]+) rpm and (\d+) kPa .* brings it to ±([\d.]+) %", text
    ).groups()
    r = int(np.argmin(np.abs(np.array(known.rpm.nodes) - float(rpm.replace(",", "")))))
    c = int(np.argmin(np.abs(np.array(known.load.nodes) - float(kpa))))
    assert 100.0 * after.half_interval(FRONT)[r, c] == pytest.approx(float(promised), abs=0.06)


def test_a_cylinder_that_is_behind_is_named():
    known = nothing_known()
    front_done = replace(
        known, information={FRONT: np.eye(120) * 1e6, REAR: known.information[REAR]}
    )
    texts = [one.text for one in plan(front_done).steps[0].evidence]
    assert any(text.startswith("The rear cylinder at") for text in texts)
    assert not any("front" in text or "both" in text for text in texts)


def test_the_checklist_can_be_read_aloud_in_the_tuners_units():
    found = plan()
    us, metric = (checklist(found, units) for units in (UnitSystem.US, UnitSystem.METRIC))
    assert "130 °F" in us
    assert "°C" not in us
    assert "54 °C" in metric
    assert "°F" not in metric
    for number, step in enumerate(found.steps, start=1):
        assert f"[ ] {number}. {step.name}" in us
    assert us.endswith("\n")
    assert f"Together {sum(counted_pulls(s) for s in found.steps)} pulls" in us


def test_a_plan_with_nothing_to_drive_still_says_why():
    text = checklist(plan(all_known()), UnitSystem.METRIC)
    assert "Nothing is left worth a pull." in text
    assert "[ ]" not in text


def test_what_the_limits_leave_out_is_on_the_checklist():
    limits = replace(LIMITS, max_tps_pct=50.0)
    text = checklist(make_plan(nothing_known(), WAYS, limits, REGIONS), UnitSystem.METRIC)
    assert "Left out by the limits" in text
    assert "Raise the highest throttle to 100 %." in text


def test_what_it_takes_is_said_in_one_or_two_sentences():
    way = way_to_goal(nothing_known(), WAYS, LIMITS, REGIONS, tests=usual_tests())
    said = what_it_takes(way, pulls_left=1)
    assert "every cell that matters within the goal" in said
    assert said.endswith("This session has one left.")
    done = way_to_goal(all_known(), WAYS, LIMITS, REGIONS, tests=usual_tests())
    assert what_it_takes(done, 8) == "Every cell that matters is within the goal."
    stuck = WayToGoal(0, 0.0, 40.0, ())
    assert "No test within the limits" in what_it_takes(stuck, 8)
    part = what_it_takes(WayToGoal(2, 3.0, 80.0, ()), 8)
    assert "coverage to 80 %; no test within the limits reaches the rest" in part


def test_the_document_has_the_fields_scripts_rely_on_and_is_plain_json():
    found = plan()
    document = json.loads(json.dumps(to_document(found), allow_nan=False))
    assert {"steps", "gaps", "coverage_pct"} <= set(document)
    wanted = {
        "name",
        "test_type",
        "rpm_range",
        "map_range",
        "priority",
        "expected_coverage_gain",
        "efficiency_score",
        "minutes",
        "evidence",
    }
    for row, step in zip(document["steps"], found.steps, strict=True):
        assert wanted <= set(row)
        assert row["evidence"] == [one.text for one in step.evidence]
        assert row["rpm_range"][0] <= row["rpm_range"][1]
    assert len(document["gaps"]) == len(found.gaps)


def test_the_payload_section_has_its_fields_and_counts():
    found = plan()
    section = json.loads(json.dumps(next_tests(found), allow_nan=False))
    assert section["total_estimated_pulls"] == sum(counted_pulls(s) for s in found.steps)
    assert section["dyno_step_count"] + section["street_step_count"] == len(found.steps)
    assert section["priority_rationale"]
    assert len(section["coverage_gaps"]) == len(section["coverage_gaps_detailed"])
    assert set(section["coverage_gaps_detailed"][0]) == {
        "rpm_range",
        "map_range",
        "empty_cells",
        "total_cells",
        "coverage_pct",
        "impact",
        "region_type",
        "description",
    }


def test_a_finished_table_says_why_in_the_payload_too():
    assert "Nothing is left" in next_tests(plan(all_known()))["priority_rationale"]


# Tests that tell causes apart.


def cause(category: Category, confidence: float, title: str = "Something") -> Cause:
    return Cause(title, title, category, confidence, 1.0, 1.0, 0.1, "%", (), (), ())


@pytest.mark.parametrize(
    ("category", "kind", "priority"),
    [
        (Category.TRANSIENT, TestType.ROLL_ON, 1),
        (Category.KNOCK, TestType.WOT_PULL, 1),
        (Category.HEAT, TestType.SOAK, 2),
    ],
)
def test_a_likely_cause_brings_the_test_that_would_tell(category, kind, priority):
    bare = plan(all_known())
    found = with_causes(bare, [cause(category, 0.8, "Film")], usual_tests(), pulls_left=8)
    assert [step.test_type for step in found.steps] == [kind]
    assert found.steps[0].priority == priority
    assert "“Film” is 80 % likely" in found.steps[0].evidence[0].text


def test_unlikely_causes_and_those_no_pull_can_tell_bring_nothing():
    bare = plan(all_known())
    causes = [cause(Category.TRANSIENT, 0.69), cause(Category.DATA, 0.9)]
    assert with_causes(bare, causes, usual_tests(), pulls_left=8).steps == ()


def test_only_the_two_likeliest_causes_are_followed_up():
    causes = [
        cause(Category.DATA, 0.95),
        cause(Category.TRANSIENT, 0.9),
        cause(Category.KNOCK, 0.8),
    ]
    found = with_causes(plan(all_known()), causes, usual_tests(), pulls_left=8)
    assert [step.test_type for step in found.steps] == [TestType.ROLL_ON]


def test_tests_for_causes_keep_to_the_pulls_that_are_left_and_to_what_is_possible():
    full = plan()
    left = sum(counted_pulls(step) for step in full.steps)
    found = with_causes(full, [cause(Category.KNOCK, 0.9)], usual_tests(), pulls_left=left)
    assert sum(counted_pulls(step) for step in found.steps) <= left
    assert any("likely" in step.evidence[0].text for step in found.steps)
    refused = Facts(impossible=frozenset({TestType.SOAK.value}))
    bare = plan(all_known())
    heat = [cause(Category.HEAT, 0.9)]
    assert with_causes(bare, heat, usual_tests(), 8, refused).steps == ()


def test_the_same_cause_twice_asks_for_one_test():
    causes = [cause(Category.TRANSIENT, 0.9, "Lean"), cause(Category.TRANSIENT, 0.8, "Rich")]
    assert len(with_causes(plan(all_known()), causes, usual_tests(), 8).steps) == 1
