"""Accuracy against a truth that only a simulator knows: `bench --truth`.

Each row of TRUTHS runs over as many seeds as asked for and returns rows of plain figures. The
tests run the same functions over a few seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from dynoai_desktop.core.analysis.accuracy import (
    SINGLE_FAULTS,
    VeAccuracy,
    cause_trials,
    paper_accuracy,
    scenario_of,
    ve_accuracy,
)
from dynoai_desktop.core.analysis.accuracy import closed_loop as correct_and_repeat
from dynoai_desktop.core.analysis.paper_engine import TABLE_ERRORS
from dynoai_desktop.core.live.alert_trials import count_all
from dynoai_desktop.core.live.trials import alignment_accuracy, cell_accuracy, transient_pulls
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.trials import endurance
from dynoai_desktop.core.simulator.tuning.planner_trials import compare
from dynoai_desktop.core.simulator.tuning.trials import closed_loop, delay_matters
from dynoai_desktop.core.trust.truth import truth_table
from dynoai_desktop.core.trust.truth_rig import rig_table

_CYCLES_PER_SEED = 20
Rows = list[dict[str, Any]]


def _trust(seeds: range) -> Rows:
    return [{**asdict(row), "missed": row.missed} for row in truth_table(seeds)]


def _trust_rig(seeds: range) -> Rows:
    return [{**asdict(row), "missed": row.missed} for row in rig_table(seeds)]


def _alerts(seeds: range) -> Rows:
    rows = [asdict(count) for count in count_all(seeds)]
    return [{**row, "false_alarms": dict(Counter(row["false_alarms"]))} for row in rows]


def _live_cells(seeds: range) -> Rows:
    return [
        {"drive": "transient pulls, collector", **asdict(alignment_accuracy(seeds))},
        {"drive": "transient pulls", **asdict(cell_accuracy(seeds, transient_pulls))},
        {"drive": "mixed session", **asdict(cell_accuracy(seeds))},
    ]


def _ve(seeds: range) -> Rows:
    return [
        {"scenario": scenario, "seed": seed, **asdict(ve_accuracy(scenario, seed))}
        for scenario in ("lean", "one_cylinder")
        for seed in seeds
    ]


def _intervals(seeds: range) -> Rows:
    """Return how often 95 % intervals hold the truth, on paper and on the rig."""
    jagged = replace(scenario_of("custom"), reach=0.0)
    kinds: dict[str, Callable[[int], VeAccuracy]] = {
        **{f"paper, {kind}": partial(paper_accuracy, kind) for kind in TABLE_ERRORS},
        "rig, smooth": partial(ve_accuracy, "custom"),
        "rig, scattered": partial(ve_accuracy, jagged),
        "rig, lean": partial(ve_accuracy, "lean"),
        "rig, rear 5 % lean": partial(ve_accuracy, "one_cylinder"),
    }
    rows = []
    for name, trial in kinds.items():
        found = [trial(seed) for seed in seeds]
        coverage = [one.coverage for one in found]
        rows.append(
            {
                "kind": name,
                "sessions": len(found),
                "coverage_pct": 100.0 * float(np.mean(coverage)),
                "worst_session_pct": 100.0 * min(coverage),
                "mean_rmse_pct": float(np.mean([one.rmse_pct for one in found])),
                "bias_pct": float(np.mean([one.bias_pct for one in found])),
            }
        )
    return rows


def _corrections(seeds: range) -> Rows:
    """Return what three turns of measuring and correcting come to, one row a kind of error."""
    custom = scenario_of("custom")
    kinds = {"custom": custom, "custom, rear 5 % lean": replace(custom, rear_scale=1.0 / 1.05)}
    rows = []
    for name, scenario in kinds.items():
        found = [correct_and_repeat(scenario, seed) for seed in seeds]
        last = [steps[-1].after_rmse_pct for steps in found]
        missed = [steps[0].rear_offset_pct - steps[0].true_offset_pct for steps in found]
        rows.append(
            {
                "kind": name,
                "sessions": len(found),
                "before_rmse_pct": float(np.mean([steps[0].before_rmse_pct for steps in found])),
                "after_rmse_pct": float(np.mean(last)),
                "worst_after_rmse_pct": max(last),
                "moved_away": sum(step.moved_away for steps in found for step in steps),
                "nodes": sum(step.nodes for steps in found for step in steps),
                "true_offset_pct": float(np.mean([steps[0].true_offset_pct for steps in found])),
                "worst_offset_error_pct": float(np.max(np.abs(missed))),
            }
        )
    return rows


def _causes(seeds: range) -> Rows:
    trials = list(cause_trials(seeds))
    rows = []
    for fault in SINGLE_FAULTS:
        mine = [trial for trial in trials if trial.fault == fault]
        top = sum(trial.in_top_two for trial in mine)
        rows.append({"fault": fault, "sessions": len(mine), "in_top_two": top})
    top, count = sum(trial.in_top_two for trial in trials), len(trials)
    return [*rows, {"fault": "all", "sessions": count, "in_top_two": top}]


def _endurance(seeds: range) -> Rows:
    """Pull after pull on one rig; 50 seeds make the 1000 cycles of the acceptance run."""
    result = endurance(PROFILES["m8-114"], _CYCLES_PER_SEED * len(seeds))
    cycles = [pull.cycle_s for pull in result.results]
    return [
        {
            "cycles": len(cycles),
            "drift_pct": result.drift_pct,
            "spread_pct": result.spread_pct,
            "energy_gap": result.energy_gap,
            "longest_cycle_s": max(cycles),
        }
    ]


def _closed_loop(seeds: range) -> Rows:
    return [asdict(closed_loop(seeds)), asdict(delay_matters(seeds))]


def _planner(seeds: range) -> Rows:
    return [asdict(row) for row in compare(seeds)]


TRUTHS: dict[str, Callable[[range], Rows]] = {
    "preflight": _trust,
    "preflight_rig": _trust_rig,
    "alerts": _alerts,
    "live_cells": _live_cells,
    "ve": _ve,
    "intervals": _intervals,
    "corrections": _corrections,
    "causes": _causes,
    "closed_loop": _closed_loop,
    "planner": _planner,
    "endurance": _endurance,
}
