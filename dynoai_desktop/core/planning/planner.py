"""The planner: which tests to drive next, in which order.

Greedy: the test with the most worth a minute is chosen, cooling and getting ready counted; the
table is taken for what it will be after it; and so on until the pulls of the session are used up
or nothing is left worth one. The first choice weighs every test, the second most of them; after
them what a test was worth a moment ago tells nearly always where to look again, so only the best
few are weighed anew.
A plan is made afresh after every pull, so what is driven next is always the best of all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.planning.candidates import KINDS, candidates, counted_pulls
from dynoai_desktop.core.planning.excluded import excluded_kinds
from dynoai_desktop.core.planning.explain import reasons
from dynoai_desktop.core.planning.knowledge import Knowledge
from dynoai_desktop.core.planning.limits import PlanningLimits
from dynoai_desktop.core.planning.regions import PlacedRegion
from dynoai_desktop.core.planning.score import PathInformation, efficiency, path_information
from dynoai_desktop.core.planning.standing import Standing, goal_of
from dynoai_desktop.core.planning.steps import Excluded, Gap, Plan, Step, WayToGoal
from dynoai_desktop.core.planning.ways import Ratio, Ways

FAILED_SHARE = 0.06  # of pulls: a slipped tyre, a wrong gear, a sensor that fell off
_LOOKED_AT = (6, 12)  # tests weighed anew before a choice, at least and at most
_LOOKED_AT_SECOND = (24, 24)  # what the first pull prepares the ground for may come from far down
_LEAST_WORTH = 0.02  # weighted cells: below this a test is not worth driving
_BETWEEN_MIN = 0.5  # to save the run, look at the gauges, get ready
_MOST_REPEATS = 3  # of one test in one plan
_MOST_STEPS = 9
_MOST_PULLS = 40  # looked ahead
_REACHED = 1.0  # samples that make a cell reached


@dataclass(frozen=True, slots=True)
class Facts:
    """What the operator said: tests skipped, tests not possible here, pulls already driven."""

    skipped: frozenset[str] = frozenset()  # keys of steps
    impossible: frozenset[str] = frozenset()  # keys of steps, or values of TestType
    pulls_driven: int = 0

    def allows(self, step: Step) -> bool:
        """Return whether a test may be planned."""
        gone = self.skipped | self.impossible
        return step.key not in gone and step.test_type.value not in self.impossible


@dataclass(frozen=True, slots=True, eq=False)
class Tests:
    """All tests of a vehicle within its limits, and what each tells: stays while these stay."""

    __test__ = False  # not a test of pytest

    steps: tuple[Step, ...]
    told: tuple[PathInformation, ...]  # of one pull each, as often as it came true so far
    excluded: tuple[Excluded, ...]
    ways: Ways

    @classmethod
    def of(cls, knowledge: Knowledge, ways: Ways, limits: PlanningLimits) -> Tests:
        """Drive everything in thought once."""
        rpm, load = knowledge.rpm, knowledge.load
        steps = candidates(ways, limits, rpm, load, tuple(sorted(knowledge.information)))
        variance = knowledge.belief.sample_variance
        told = tuple(
            path_information(s.path, rpm, load, variance).times(_gain(ways, s).mean) for s in steps
        )
        return cls(steps, told, excluded_kinds(ways, limits, rpm, load, steps), ways)

    @property
    def touched(self) -> NDArray[np.intp]:
        """Return the flat numbers of the nodes that any test touches, rising."""
        return np.unique(np.concatenate([np.empty(0, np.intp), *(t.nodes for t in self.told)]))


def _gain(ways: Ways, step: Step) -> Ratio:
    return ways.gain.get(step.test_type, Ratio())


def make_plan(
    knowledge: Knowledge,
    ways: Ways,
    limits: PlanningLimits,
    regions: Sequence[PlacedRegion],
    facts: Facts | None = None,
    *,
    gaps: tuple[Gap, ...] = (),
    tests: Tests | None = None,
    most_steps: int = _MOST_STEPS,
) -> Plan:
    """Return what to drive next, best first, within the limits and the pulls that are left.

    *tests* saves driving everything in thought again where neither ways nor limits changed.
    """
    facts = facts or Facts()
    tests = tests or Tests.of(knowledge, ways, limits)
    goal = goal_of(knowledge, regions)
    standing = Standing.of(knowledge, goal, tests.touched)
    allowed = [i for i, step in enumerate(tests.steps) if facts.allows(step)]
    pulls = max(0, limits.max_pulls_per_session - facts.pulls_driven)
    choice = _Choice(standing, tests, allowed, pulls)
    steps = _weighed(tests, choice.run(most_steps), choice.standings, knowledge)
    covered, total = standing.coverage()
    return Plan(
        steps=steps,
        gaps=gaps,
        coverage_pct=100.0 * covered / total if total else 100.0,
        cells_open=total - covered,
        cells_total=total,
        message=_message(standing, tests, allowed, steps, pulls, choice.left_over),
        excluded=tests.excluded,
        reach=plan_reach(steps, tests, knowledge.load),
        names={step.key: step.name for step in (*tests.steps, *steps)},
    )


def way_to_goal(
    knowledge: Knowledge,
    ways: Ways,
    limits: PlanningLimits,
    regions: Sequence[PlacedRegion],
    facts: Facts | None = None,
    *,
    tests: Tests | None = None,
) -> WayToGoal:
    """Return what it would take to reach the goal if every pull told what is predicted.

    The pulls of a session are no limit here; some three dozen are.
    """
    facts = facts or Facts()
    tests = tests or Tests.of(knowledge, ways, limits)
    standing = Standing.of(knowledge, goal_of(knowledge, regions, up_to=1), tests.touched)
    allowed = [i for i, step in enumerate(tests.steps) if facts.allows(step)]
    choice = _Choice(standing, tests, allowed, _MOST_PULLS)
    steps = [tests.steps[i] for i in choice.run(_MOST_PULLS, until_covered=True)]
    return WayToGoal(
        sum(counted_pulls(step) for step in steps),
        sum(step.minutes for step in steps),
        choice.standings[-1].coverage_pct(),
        tuple(step.name for step in steps),
    )


class _Choice:
    """The greedy choice: what is left of pulls, and what every test was last worth."""

    def __init__(self, standing: Standing, tests: Tests, allowed: list[int], pulls: int) -> None:
        self._standing = standing
        self._tests = tests
        self._pulls = pulls
        self._times = dict.fromkeys(allowed, 0)
        self._rate = {i: self._weigh(i) for i in allowed}
        self.standings = [standing]  # before every choice, and after the last
        self.left_over = False  # a test was worth driving, but no pull was left

    def run(self, most_steps: int, *, until_covered: bool = False) -> list[int]:
        """Return the tests chosen, in order; a test may come more than once.

        *until_covered* ends with the goal reached, and weighs every test before every choice.
        """
        chosen: list[int] = []
        while len(set(chosen)) < most_steps:
            if until_covered and self._standing.coverage_pct() >= 100.0:
                break
            fresh = until_covered or not chosen
            if fresh and chosen:
                self._rate = {index: self._weigh(index) for index in self._rate}
            best = self._best(fresh, _LOOKED_AT_SECOND if len(chosen) == 1 else _LOOKED_AT)
            if best is None:
                break
            chosen.append(best)
            self._times[best] += 1
            self._pulls -= counted_pulls(self._tests.steps[best])
            step = self._tests.steps[best]
            self._standing = self._standing.after(self._tests.told[best], step.movements)
            self.standings.append(self._standing)
        return chosen

    def _weigh(self, index: int) -> float:
        step = self._tests.steps[index]
        worth = self._standing.worth(self._tests.told[index], step.movements)
        return worth / _takes_min(step) if worth >= _LEAST_WORTH else 0.0

    def _best(self, fresh: bool, looked_at: tuple[int, int]) -> int | None:
        """Return the test with the most worth a minute; of equals the first of the table."""
        order = sorted(self._rate, key=lambda i: (-self._rate[i], i))
        best: int | None = None
        for looked, index in enumerate(order):
            if self._times[index] >= _MOST_REPEATS or self._rate[index] <= 0.0:
                continue
            if counted_pulls(self._tests.steps[index]) > self._pulls:
                self.left_over = True
                continue
            if best is not None and not fresh:
                surely = looked >= looked_at[0] and self._rate[best] >= self._rate[index]
                if surely or looked >= looked_at[1]:
                    break
            if not fresh:
                self._rate[index] = self._weigh(index)
            if self._rate[index] > 0.0 and (
                best is None or (-self._rate[index], index) < (-self._rate[best], best)
            ):
                best = index
        return best


def _takes_min(step: Step) -> float:
    """Return how long a step keeps everybody busy: no test begins the moment another ends."""
    return step.minutes + _BETWEEN_MIN


def _weighed(
    tests: Tests, chosen: list[int], standings: list[Standing], knowledge: Knowledge
) -> tuple[Step, ...]:
    """Return the steps in order, repeats put together, each with what it adds to those before."""
    steps: list[Step] = []
    standing = standings[0]
    coverage_pct = standing.coverage_pct()
    repeats = len(set(chosen)) < len(chosen)
    for number, index in enumerate(dict.fromkeys(chosen), start=1):
        times = chosen.count(index)
        step, told = replace(tests.steps[index], pulls=times), tests.told[index].times(times)
        moves = step.movements * times
        after = standing.after(told, moves) if repeats else standings[number]
        ratio = _gain(tests.ways, step)
        share = ratio.sd / max(ratio.mean, 0.1)
        more = standing.coverage_pct(standing.variances_after(told.times(1.0 + share)))
        less = standing.coverage_pct(standing.variances_after(told.times(max(0.05, 1.0 - share))))
        gain = after.coverage_pct() - standing.coverage_pct()
        # Where all cells have room to spare, what is left to doubt is whether the pull succeeds.
        lost = gain * math.sqrt(FAILED_SHARE * (1.0 - FAILED_SHARE) / times)
        kind = KINDS[step.test_type]
        priority = standing.priority_of(after)
        plain = efficiency(
            step.rpm_range, step.load_range, kind.multiplier, kind.minutes, coverage_pct, priority
        )
        steps.append(
            replace(
                step,
                priority=priority,
                expected_coverage_gain=gain,
                expected_coverage_doubt=math.hypot(max(0.0, more - less) / 2.0, lost),
                efficiency_score=plain.score,
                worth_per_minute=standing.worth(told, moves) / _takes_min(step),
                evidence=reasons(standing, after, step, told, knowledge),
            )
        )
        standing = after
    return tuple(steps)


def _message(
    standing: Standing,
    tests: Tests,
    allowed: list[int],
    steps: tuple[Step, ...],
    pulls: int,
    left_over: bool,
) -> str:
    """Return why there is nothing to drive; empty where there is."""
    if steps:
        return ""
    if standing.is_saturated():
        percent = 100.0 * standing.goal.half_interval
        return (
            f"Every cell that matters is known to ±{percent:.0f} %. Nothing is left worth a pull."
        )
    if pulls == 0 or left_over:
        return "The pulls of this session are used up. Raise the limit or go on another day."
    if not tests.steps:
        why = min(tests.excluded, key=lambda one: one.change)
        return f"The limits leave no test: {why.reason}. {why.smallest_change}."
    if not allowed:
        return "Every test was skipped or is not possible here. Take one of these back."
    return (
        "No test within the limits reaches what is still open. Widen the limits, or accept these "
        "cells as they are."
    )


def plan_reach(
    steps: Sequence[Step], tests: Tests, load: Axis
) -> Mapping[tuple[int, int], tuple[str, ...]]:
    """Return for every cell (r, l) the keys of the tests that reach it.

    Those of the plan come first, in its order, then the others, most samples first.
    """
    planned = {step.key: place for place, step in enumerate(steps)}
    found: dict[int, list[tuple[float, float, str]]] = {}
    for step, told in zip(tests.steps, tests.told, strict=True):
        place = planned.get(step.key, len(planned))
        for node, hits in zip(told.nodes.tolist(), told.hits.tolist(), strict=True):
            if hits >= _REACHED:
                found.setdefault(node, []).append((place, -hits, step.key))
    return {
        divmod(node, len(load)): tuple(key for _, _, key in sorted(rows))
        for node, rows in found.items()
    }
