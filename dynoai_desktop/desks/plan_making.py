"""One plan made from everything remembered of a vehicle, for the window and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynoai_desktop.core.analysis.cause_tree import Cause
from dynoai_desktop.core.planning.candidates import KINDS
from dynoai_desktop.core.planning.causes import with_causes
from dynoai_desktop.core.planning.coverage import Coverage, CoverageError, empty_coverage
from dynoai_desktop.core.planning.coverage_file import load_coverage
from dynoai_desktop.core.planning.explain import what_it_takes
from dynoai_desktop.core.planning.gaps import find_gaps
from dynoai_desktop.core.planning.knowledge import Knowledge
from dynoai_desktop.core.planning.learning import Quality, prediction_quality, ways_of
from dynoai_desktop.core.planning.limits import PlanningLimits, default_limits
from dynoai_desktop.core.planning.limits_file import load_limits
from dynoai_desktop.core.planning.memory import Answer, Feedback
from dynoai_desktop.core.planning.outlook import ROLLOUTS, Outlook, session_outlook
from dynoai_desktop.core.planning.plan_document import next_tests
from dynoai_desktop.core.planning.planner import Facts, Tests, make_plan, way_to_goal
from dynoai_desktop.core.planning.regions import PlacedRegion, place_regions
from dynoai_desktop.core.planning.standing import Goal, goal_of
from dynoai_desktop.core.planning.steps import Plan
from dynoai_desktop.core.planning.ways import Ways, assumptions
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.desks.planning_error import PlanningError
from dynoai_desktop.desks.planning_work import (
    SITTING,
    Driven,
    Origin,
    TuneInForce,
    on_tune,
    taught,
    with_run,
)
from dynoai_desktop.ui.plan_state import (
    GoalCells,
    OutlookState,
    PlanState,
    StepWish,
    StrategyRow,
    TrackRow,
    Verdict,
)

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.payload import Payload

UNKNOWN = "This log"  # name of the vehicle of a run that is nobody's
_SEED = 1  # of the outlook: it must not move while nothing else does
_RESETS = "coverage.before-reset-*.json"
_UNKNOWN = 0.5  # half an interval so wide that nothing is known


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A plan, and everything it was made from."""

    plan: Plan
    coverage: Coverage
    knowledge: Knowledge
    ways: Ways
    regions: tuple[PlacedRegion, ...]
    limits: PlanningLimits
    facts: Facts
    tests: Tests
    can_restore: bool = False  # what was learned before a reset is still there
    notes: tuple[str, ...] = ()  # what had to be set aside or recovered on the disk, in sentences

    @property
    def goal(self) -> Goal:
        """Return what shall be known."""
        return goal_of(self.knowledge, self.regions)

    def outlook(self) -> tuple[Outlook, ...]:
        """Return what the rest of the session may bring; the same plan, the same outlook."""
        if not self.plan.steps:
            return ()
        return session_outlook(
            self.knowledge,
            self.ways,
            self.limits,
            self.regions,
            np.random.default_rng(_SEED),
            self.facts,
            tests=self.tests,
            plan=self.plan,
        )

    @property
    def pulls_left(self) -> int:
        """Return how many pulls of this sitting are left."""
        return max(0, self.limits.max_pulls_per_session - self.facts.pulls_driven)

    def way(self) -> str:
        """Return what it would take to reach the goal, in a sentence."""
        way = way_to_goal(
            self.knowledge, self.ways, self.limits, self.regions, self.facts, tests=self.tests
        )
        return what_it_takes(way, self.pulls_left)

    def driven(self, key: str) -> Driven | None:
        """Return the step of the plan with this key and what it was planned by, if it is there."""
        step = next((step for step in self.plan.steps if step.key == key), None)
        return None if step is None else Driven(step, self.ways, self.regions)


def make(
    folder: Path,
    record: VehicleRecord,
    now: datetime,
    *,
    limits: PlanningLimits | None = None,
    without: str = "",
    causes: Sequence[Cause] = (),
) -> Made:
    """Return the plan of the vehicle kept in *folder*; *now* is UTC.

    *limits* stand in for those kept with the vehicle. *without* leaves a run out, to know what
    was planned before it. The tests that tell likely *causes* apart come first. Raises StoreError
    when the disk will not be read.
    """
    remembered, found = load_coverage(folder, record), load_limits(folder, record)
    coverage = remembered.coverage.remove(without)
    made = make_of(coverage, record, limits or found.limits, now, causes)
    return replace(
        made,
        can_restore=any(folder.glob(_RESETS)),
        notes=(*remembered.notes, *found.notes),
    )


def make_of(
    coverage: Coverage,
    record: VehicleRecord,
    limits: PlanningLimits,
    now: datetime,
    causes: Sequence[Cause] = (),
) -> Made:
    """Return the plan that follows from what is known; nothing is read."""
    ways = ways_of(coverage, record)
    regions = place_regions(ways.redline_rpm, ways.baro_kpa, ways.boost_kpa, coverage.load.channel)
    knowledge = coverage.knowledge(regions=regions)
    facts = facts_of(coverage, now)
    tests = Tests.of(knowledge, ways, limits)
    gaps = find_gaps(knowledge, regions)
    plan = make_plan(knowledge, ways, limits, regions, facts, gaps=gaps, tests=tests)
    made = Made(plan, coverage, knowledge, ways, regions, limits, facts, tests)
    plan = with_causes(plan, causes, tests, made.pulls_left, facts)
    return replace(made, plan=plan)


def facts_of(coverage: Coverage, now: datetime) -> Facts:
    """Return what holds of the present sitting: tests skipped, pulls driven, and what cannot be."""
    here = [one for one in coverage.feedback if _is_of_sitting(one.said, now)]
    runs = [run for run in coverage.runs.values() if _is_of_sitting(run.started, now)]
    return Facts(
        skipped=frozenset(one.step_key for one in here if one.answer is Answer.SKIPPED),
        impossible=frozenset(kind.value for kind in coverage.impossible_here()),
        pulls_driven=sum(run.achieved.pulls for run in runs),
    )


def answers_of(coverage: Coverage, now: datetime) -> tuple[Feedback, ...]:
    """Return what was said in the present sitting, the latest last."""
    return tuple(one for one in coverage.feedback if _is_of_sitting(one.said, now))


def _is_of_sitting(text: str, now: datetime) -> bool:
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return False
    then = then.replace(tzinfo=UTC) if then.tzinfo is None else then
    return abs(now - then) <= SITTING


def goal_cells(knowledge: Knowledge, goal: Goal) -> GoalCells:
    """Return the cells of the goal as the map shows them."""
    asked = np.where(goal.weight > 0.0, goal.priority, 0).astype(np.int8)
    halves = {}
    for cylinder in knowledge.information:
        half = knowledge.half_interval(cylinder)
        halves[cylinder] = np.where(half < _UNKNOWN, half, np.nan)
    return GoalCells(knowledge.rpm, knowledge.load, asked, halves, goal.half_interval)


def plan_state(made: Made, record: VehicleRecord, now: datetime) -> PlanState:
    """Return what the window shows of a plan."""
    quality = prediction_quality(made.coverage)
    return PlanState(
        vehicle=record.name,
        simulated=record.simulated,
        plan=made.plan,
        cells=goal_cells(made.knowledge, made.goal),
        outlook=outlook_state(made.outlook(), made.pulls_left, made.ways),
        track=tuple(_track_row(one) for one in quality.values()),
        limits=made.limits,
        answers=tuple(_wish(one) for one in answers_of(made.coverage, now)),
        runs=len(made.coverage.runs),
        can_restore=made.can_restore,
        notes=(
            *made.coverage.notes(),
            *(f"Not stated of the vehicle, {words}." for words in assumptions(record)),
        ),
        assumed=not made.ways.driven,
        way=made.way(),
    )


def outlook_state(found: tuple[Outlook, ...], pulls_left: int, ways: Ways) -> OutlookState | None:
    """Return the outlook as the page shows it; None where there is nothing to look ahead to."""
    if not found:
        return None
    rows = tuple(
        StrategyRow(
            one.title,
            one.probability,
            one.expected_minutes,
            one.worst_tenth_minutes,
            one.expected_coverage_pct,
            is_planned=one is found[0],
        )
        for one in found
    )
    seen = "this vehicle has shown" if ways.gain else "tests usually have"
    note = (
        f"{ROLLOUTS:,} sessions of each way, drawn with the scatter {seen}, with failed pulls and "
        "heat. Minutes until the goal, or until the pulls are used up."
    )
    return OutlookState(rows, pulls_left, note)


def _track_row(quality: Quality) -> TrackRow:
    return TrackRow(
        KINDS[quality.test_type].title,
        quality.promised_pct,
        quality.promised_pct + quality.bias_pct,
        quality.inside,
        quality.count,
    )


def _wish(feedback: Feedback) -> StepWish:
    return StepWish(feedback.step_key, Verdict(feedback.answer.value), feedback.reason)


def tests_after(
    payload: Payload,
    origin: Origin,
    record: VehicleRecord,
    folder: Path,
    now: datetime,
    tune: TuneInForce | None = None,
) -> dict[str, Any]:
    """Return the section `next_tests` of an analysis: the plan once this run is learned from.

    A run that cannot be learned from, such as another vehicle's, is planned on alone. Nothing is
    written. Raises StoreError when the disk will not be read.
    """
    tune_sha256 = "" if tune is None else tune.sha256
    limits = load_limits(folder, record).limits
    try:
        run = taught(payload, origin, record, tune_sha256)
        coverage = with_run(on_tune(load_coverage(folder, record).coverage, tune), run)
    except (CoverageError, PlanningError):
        alone = VehicleRecord(UNKNOWN, simulated=payload.evidence.frame.simulated)
        run = taught(payload, Origin(origin.run_id), alone, tune_sha256)
        record, limits = alone, default_limits(alone)
        coverage = with_run(empty_coverage(alone.slug, alone.simulated), run)
    made = make_of(coverage, record, limits, now, payload.causes.causes)
    return next_tests(made.plan)
