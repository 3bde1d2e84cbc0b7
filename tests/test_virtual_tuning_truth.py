"""Against the truth: virtual sessions end right, each cylinder for itself, because of the delay."""

from __future__ import annotations

import numpy as np
import pytest

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.tuning.outcome import Status
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings
from dynoai_desktop.core.simulator.tuning.trials import closed_loop, delay_matters

SEEDS = (2,)  # the acceptance run is closed_loop(range(1, 51))
TWIN = PROFILES["tc-103"]


def test_the_lean_scenario_converges_to_the_truth() -> None:
    found = closed_loop(SEEDS)
    assert found.missed == 0 and found.most_iterations <= 4
    assert found.worst_afr_error < 0.3 and found.fewest_cells >= 40
    assert found.worst_true_ve_rmse_pct < 1.0


def test_an_offset_of_one_cylinder_is_put_right_on_that_cylinder_alone() -> None:
    outcome = VirtualSession(TuningSettings(TWIN, SCENARIOS["one_cylinder"])).run()
    assert outcome.status is Status.CONVERGED
    first, last = outcome.iterations[0], outcome.iterations[-1]
    measured = np.isfinite(last.cylinders[Cylinder.REAR].error_afr)
    front, rear = (
        getattr(last.tables, name).values / getattr(first.tables, name).values
        for name in ("ve_front_pct", "ve_rear_pct")
    )
    assert np.median(rear[measured]) == pytest.approx(1.05, abs=0.006)
    assert np.median(front[measured]) == pytest.approx(1.0, abs=0.003)


def test_ignoring_the_delay_of_the_wideband_visibly_costs_accuracy() -> None:
    found = delay_matters([1], TuningSettings(TWIN), iterations=2)
    assert found.compensated_pct < 0.8
    assert found.ratio > 1.4


def test_crossed_widebands_make_it_worse_and_the_session_says_so() -> None:
    crossed = TuningSettings(TWIN, SCENARIOS["one_cylinder"], faults=("swapped_widebands",))
    outcome = VirtualSession(crossed).run()
    assert outcome.status is Status.FAILED
    assert "on their own cylinders" in outcome.message
    assert outcome.iterations[-1].true_ve_rmse_pct > outcome.iterations[0].true_ve_rmse_pct
