"""Tests that tell likely causes apart: what a plan owes to the diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dynoai_desktop.core.analysis.cause_tree import Cause
from dynoai_desktop.core.analysis.hypotheses import Category
from dynoai_desktop.core.planning.candidates import counted_pulls
from dynoai_desktop.core.planning.planner import Facts, Tests
from dynoai_desktop.core.planning.steps import Evidence, Plan, Step, TestType

LIKELY = 0.7
MOST_CAUSES = 2
_KNOCK_BAND = (0.5, 0.83)  # of the redline: where an engine under full load knocks first


@dataclass(frozen=True, slots=True)
class _Test:
    """What tells a kind of cause apart."""

    fits: Callable[[Step, float], bool]  # step, redline
    priority: int
    why: str


def _is_roll_on(step: Step, _redline_rpm: float) -> bool:
    return step.test_type is TestType.ROLL_ON


def _crosses_knock_band(step: Step, redline_rpm: float) -> bool:
    low, high = (share * redline_rpm for share in _KNOCK_BAND)
    return (
        step.test_type is TestType.WOT_PULL
        and step.rpm_range[0] <= low
        and step.rpm_range[1] >= high
    )


def _is_soak(step: Step, _redline_rpm: float) -> bool:
    return step.test_type is TestType.SOAK


_TESTS: dict[Category, _Test] = {
    Category.TRANSIENT: _Test(_is_roll_on, 1, "openings beside steady running in the same cells"),
    Category.KNOCK: _Test(_crosses_knock_band, 1, "a pull through the band in which it knocks"),
    Category.HEAT: _Test(_is_soak, 2, "the same cells hot and cold"),
}


def with_causes(
    plan: Plan,
    causes: Sequence[Cause],
    tests: Tests,
    pulls_left: int,
    facts: Facts | None = None,
) -> Plan:
    """Return the plan with the tests that tell its two likeliest causes apart, if likely enough.

    A test that is planned already says so; others come first, and the last steps of the plan make
    room where the pulls would not suffice.
    """
    facts = facts or Facts()
    steps = list(plan.steps)
    ahead: list[Step] = []
    for cause in [c for c in causes if c.confidence >= LIKELY][:MOST_CAUSES]:
        test = _TESTS.get(cause.category)
        if test is None:
            continue
        why = Evidence(
            f"“{cause.title}” is {100.0 * cause.confidence:.0f} % likely; {test.why} would tell.",
            1.0,
        )
        fits = [s for s in (*steps, *tests.steps) if test.fits(s, tests.ways.redline_rpm)]
        fits = [s for s in fits if facts.allows(s)]
        if not fits:
            continue
        found = fits[0]
        known = next((s for s in steps if s.key == found.key), None)
        if known is not None:
            steps[steps.index(known)] = _told(known, why, min(known.priority, test.priority))
        elif all(s.key != found.key for s in ahead):
            ahead.append(_told(found, why, test.priority))
    return replace(plan, steps=_within(ahead, steps, pulls_left))


def _told(step: Step, why: Evidence, priority: int) -> Step:
    return replace(step, priority=priority, evidence=(why, *step.evidence)[:3])


def _within(ahead: list[Step], steps: list[Step], pulls_left: int) -> tuple[Step, ...]:
    """Return *ahead*, then as many of *steps* as the pulls allow."""
    out: list[Step] = []
    left = pulls_left
    for step in (*ahead, *steps):
        if counted_pulls(step) <= left:
            out.append(step)
            left -= counted_pulls(step)
    return tuple(out)
