"""Accuracy against a truth that only a simulator knows: `bench --truth`.

Each row of TRUTHS runs over as many seeds as asked for and returns rows of plain figures. The
tests run the same functions over a few seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from dynoai_desktop.core.analysis.accuracy import SINGLE_FAULTS, cause_trials, ve_accuracy
from dynoai_desktop.core.live.alert_trials import count_all
from dynoai_desktop.core.live.trials import alignment_accuracy, cell_accuracy
from dynoai_desktop.core.simulator.tuning.trials import closed_loop, delay_matters
from dynoai_desktop.core.trust.truth import truth_table
from dynoai_desktop.core.trust.truth_rig import rig_table

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
        {"drive": "transient pulls", **asdict(alignment_accuracy(seeds))},
        {"drive": "mixed session", **asdict(cell_accuracy(seeds))},
    ]


def _ve(seeds: range) -> Rows:
    return [
        {"scenario": scenario, "seed": seed, **asdict(ve_accuracy(scenario, seed))}
        for scenario in ("lean", "one_cylinder")
        for seed in seeds
    ]


def _causes(seeds: range) -> Rows:
    trials = list(cause_trials(seeds))
    rows = []
    for fault in SINGLE_FAULTS:
        mine = [trial for trial in trials if trial.fault == fault]
        top = sum(trial.in_top_two for trial in mine)
        rows.append({"fault": fault, "sessions": len(mine), "in_top_two": top})
    top, count = sum(trial.in_top_two for trial in trials), len(trials)
    return [*rows, {"fault": "all", "sessions": count, "in_top_two": top}]


def _closed_loop(seeds: range) -> Rows:
    return [asdict(closed_loop(seeds)), asdict(delay_matters(seeds))]


TRUTHS: dict[str, Callable[[range], Rows]] = {
    "preflight": _trust,
    "preflight_rig": _trust_rig,
    "alerts": _alerts,
    "live_cells": _live_cells,
    "ve": _ve,
    "causes": _causes,
    "closed_loop": _closed_loop,
}
