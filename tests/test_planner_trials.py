"""The planner against two habits on simulated vehicles; `bench --truth` runs all seeds."""

from __future__ import annotations

import pytest

from dynoai_desktop.core.simulator.tuning.planner_trials import STRATEGIES, compare, pulls_to_goal
from dynoai_desktop.core.simulator.tuning.programme import ROUNDS
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings

pytestmark = pytest.mark.timeout(300)
SEEDS = range(1, 2)


def test_a_planned_vehicle_is_known_in_fewer_pulls_than_by_habit() -> None:
    rows = {row.strategy: row for row in compare(SEEDS, vehicles=("m8-114",))}
    assert set(rows) == set(STRATEGIES)
    assert rows["planner"].reached == len(SEEDS)
    for habit in ("fixed", "efficiency"):
        assert rows["planner"].median_pulls < rows[habit].median_pulls


def test_patience_ends_a_trial_and_it_says_what_is_open() -> None:
    trial = pulls_to_goal("four-600", "fixed", seed=1, most_pulls=1)
    assert not trial.reached
    assert trial.pulls == 1
    assert 0 < trial.open_cells <= trial.cells


def test_a_virtual_session_converges_on_the_rounds_of_the_planner() -> None:
    outcome = VirtualSession(TuningSettings(round="planner", seed=3)).run()
    assert outcome.status == "converged"
    assert outcome.iterations[-1].true_ve_rmse_pct < 1.0
    assert ROUNDS["planner"].title
