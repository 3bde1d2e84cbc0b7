"""A plan as JSON, for the command line and for the payload of an analysis."""

from __future__ import annotations

from typing import Any

from dynoai_desktop.core.planning.candidates import counted_pulls
from dynoai_desktop.core.planning.steps import Excluded, Gap, Plan, Step

Json = Any

_RATIONALE = (
    "Ordered by how far a test brings the cells that matter most within the goal per minute, "
    "cooling counted, from what is known of every cell and what each test would tell."
)


def to_document(plan: Plan) -> dict[str, Json]:
    """Return the plan as JSON values; map_range is in the unit of the load axis."""
    return {
        "steps": [step_document(step) for step in plan.steps],
        "gaps": [gap_document(gap) for gap in plan.gaps],
        "coverage_pct": _number(plan.coverage_pct),
        "cells_open": plan.cells_open,
        "cells_total": plan.cells_total,
        "message": plan.message,
        "excluded": [_excluded(one) for one in plan.excluded],
    }


def next_tests(plan: Plan) -> dict[str, Json]:
    """Return the section `next_tests` of an analysis payload.

    Without gaps the section leaves them out, and the analysis names its own.
    """
    section: dict[str, Json] = {
        "steps": [step_document(step) for step in plan.steps],
        "priority_rationale": _RATIONALE if plan.steps else plan.message,
        "total_estimated_pulls": sum(counted_pulls(step) for step in plan.steps),
        "dyno_step_count": sum(not step.on_street for step in plan.steps),
        "street_step_count": sum(step.on_street for step in plan.steps),
    }
    if plan.gaps:
        section["coverage_gaps"] = [gap.description for gap in plan.gaps]
        section["coverage_gaps_detailed"] = [
            {
                "rpm_range": _pair(gap.rpm_range),
                "map_range": _pair(gap.load_range),
                "empty_cells": gap.open_cells,
                "total_cells": gap.total_cells,
                "coverage_pct": _number(gap.coverage_pct),
                "impact": gap.impact,
                "region_type": gap.region_type,
                "description": gap.description,
            }
            for gap in plan.gaps
        ]
    return section


def step_document(step: Step) -> dict[str, Json]:
    """Return one step as JSON values."""
    return {
        "key": step.key,
        "name": step.name,
        "goal": step.goal,
        "test_type": step.test_type.value,
        "rpm_range": _pair(step.rpm_range),
        "map_range": _pair(step.load_range),
        "gear": step.gear,
        "tps_pct": step.tps_pct,
        "pulls": step.pulls,
        "priority": step.priority,
        "expected_coverage_gain": _number(step.expected_coverage_gain),
        "expected_coverage_doubt": _number(step.expected_coverage_doubt),
        "efficiency_score": _number(step.efficiency_score),
        "worth_per_minute": _number(step.worth_per_minute),
        "minutes": _number(step.minutes),
        "cooling_s": _number(step.cooling_s),
        "environment": "street" if step.on_street else "dyno",
        "required_channels": [channel.value for channel in step.required_channels],
        "constraints": list(step.constraints),
        "success_criteria": list(step.success_criteria),
        "risk_notes": step.risk,
        "abort": list(step.abort),
        "evidence": [one.text for one in step.evidence],
    }


def gap_document(gap: Gap) -> dict[str, Json]:
    """Return one gap as JSON values."""
    return {
        "key": gap.key,
        "region_type": gap.region_type,
        "impact": gap.impact,
        "rpm_range": _pair(gap.rpm_range),
        "map_range": _pair(gap.load_range),
        "open_cells": gap.open_cells,
        "total_cells": gap.total_cells,
        "coverage_pct": _number(gap.coverage_pct),
        "events_wanted": gap.events_wanted,
        "description": gap.description,
    }


def _excluded(one: Excluded) -> dict[str, Json]:
    return {
        "test_type": one.test_type.value,
        "limit": one.limit,
        "reason": one.reason,
        "smallest_change": one.smallest_change,
    }


def _pair(values: tuple[float, float]) -> list[float]:
    return [_number(value) for value in values]


def _number(value: float) -> float:
    return round(float(value), 4)
