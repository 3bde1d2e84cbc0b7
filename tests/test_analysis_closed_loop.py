"""Against the simulator, whose truth is known: right within its intervals, and better each turn."""

from __future__ import annotations

import numpy as np
import pytest

from dynoai_desktop.core.analysis.accuracy import closed_loop, ve_accuracy
from dynoai_desktop.core.analysis.alignment import Alignment
from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from tests.analysis_world import MAP, RPM, World, make, random_error

SEEDS = (1,)  # a hundred of them are behind `bench --truth`


@pytest.mark.parametrize("scenario", ["custom", "cam_change"])
def test_estimates_and_intervals_hold_on_a_simulated_session(scenario):
    for seed in SEEDS:
        found = ve_accuracy(scenario, seed)
        assert found.nodes > 200
        assert found.rmse_pct < 1.5
        assert abs(found.bias_pct) < 0.5
        assert found.coverage > 0.88


def test_three_turns_bring_a_lean_table_right_and_move_no_cell_away():
    for seed in SEEDS:
        steps = closed_loop("lean", seed)
        assert steps[0].before_rmse_pct > 8.0
        assert steps[0].after_rmse_pct < 0.5 * steps[0].before_rmse_pct
        assert steps[-1].after_rmse_pct < 1.5
        assert sum(step.moved_away for step in steps) <= 0.005 * sum(step.nodes for step in steps)


def test_ignoring_the_delay_makes_the_table_worse():
    errors = {"front": random_error(3), "rear": random_error(4)}
    frame = make(World(seed=3, errors=errors, lag_s=0.12, pipe_s=0.15, noise=0.006))
    blind = Alignment(0.0, 0.0, 1.0, 0.001, True)
    off = []
    for alignment in (None, blind):
        settings = AnalysisSettings(axes=(RPM, MAP), alignment=alignment)
        fits = analyse(frame, settings).evidence.fits
        off.append(
            np.mean(
                [
                    np.abs((fit.surface.value - errors[c.value])[fit.surface.measured(3.0)]).mean()
                    for c, fit in fits.items()
                ]
            )
        )
    assert off[1] > 1.4 * off[0]
