"""A virtual tuning session ends as it should: right, stopped, held back, or refused with words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from dynoai_desktop.cli import main
from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.ve import VeSettings
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.tuning import session as session_module
from dynoai_desktop.core.simulator.tuning.convergence import (
    cylinder_report,
    has_converged,
    is_oscillating,
)
from dynoai_desktop.core.simulator.tuning.outcome import (
    CylinderReport,
    Iteration,
    Outcome,
    Progress,
    Stage,
    Status,
)
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings

TWIN = PROFILES["tc-103"]  # the smallest table is the quickest to analyse
FRONT, REAR = Cylinder.FRONT, Cylinder.REAR


def settings(scenario: str = "lean", **more) -> TuningSettings:
    return TuningSettings(TWIN, SCENARIOS[scenario], **more)


@dataclass(frozen=True)
class Watched:
    """A session, everything that was told on the way, and what the analysis said."""

    outcome: Outcome
    told: list[Progress]
    payloads: list[Payload]


@pytest.fixture(scope="module")
def watched() -> Watched:
    """A lean tune put right."""
    payloads = []

    def listening(*arguments) -> Payload:
        payloads.append(analyse(*arguments))
        return payloads[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_module, "analyse", listening)
        session = VirtualSession(settings())
        told = list(session.steps())
    return Watched(session.outcome, told, payloads)


@pytest.fixture(scope="module")
def lean(watched) -> Outcome:
    return watched.outcome


def test_a_lean_tune_is_right_after_four_rounds_at_most(lean) -> None:
    assert lean.status is Status.CONVERGED
    assert 2 <= len(lean.iterations) <= 4
    last = lean.iterations[-1]
    assert last.max_afr_error < 0.3 and last.measured_cells >= 40
    assert last.true_ve_rmse_pct < 1.0 and last.true_ve_max_pct < 2.5
    assert lean.iterations[0].true_ve_rmse_pct > 7.0


def test_every_round_is_better_than_the_one_before(lean) -> None:
    errors = [i.true_ve_rmse_pct for i in lean.iterations]
    assert errors == sorted(errors, reverse=True)
    assert [i.number for i in lean.iterations] == list(range(1, len(errors) + 1))


def test_the_tune_that_was_measured_is_the_one_that_stays(lean) -> None:
    *before, last = lean.iterations
    assert all(i.applied for i in before) and not last.applied
    assert lean.tables is last.tables
    for earlier, later in zip(lean.iterations, lean.iterations[1:], strict=False):
        front = earlier.cylinders[FRONT].multiplier * earlier.tables.ve_front_pct.values
        assert np.allclose(front, later.tables.ve_front_pct.values)


def test_a_cell_without_data_is_never_touched(lean) -> None:
    start, end = lean.iterations[0].tables, lean.tables
    untouched = np.logical_and.reduce([i.cylinders[REAR].multiplier == 1 for i in lean.iterations])
    assert untouched.any() and not untouched.all()
    same = start.ve_rear_pct.values == end.ve_rear_pct.values
    assert same[untouched].all()


def test_the_truth_stands_beside_what_was_measured(lean) -> None:
    last = lean.iterations[-1]
    right = lean.true_ve_pct[0]
    wrong_pct = 100.0 * (last.tables.ve_front_pct.values / right - 1.0)
    assert np.allclose(last.cylinders[FRONT].true_error_pct, wrong_pct)


def test_no_step_is_larger_than_allowed(lean) -> None:
    limits = VeSettings()
    for iteration in lean.iterations:
        assert iteration.largest_step_pct <= limits.richer_pct + 1e-9


def test_progress_is_told_step_by_step(watched) -> None:
    outcome, told = watched.outcome, watched.told
    assert told[0].status is Status.INITIALISING and told[-1].status is Status.CONVERGED
    first = [p for p in told if p.iteration == 1 and p.status is Status.RUNNING]
    assert list(dict.fromkeys(p.stage for p in first)) == list(Stage)
    shares = [p.share for p in first]
    assert shares == sorted(shares) and 0.0 <= shares[0] < 0.01 < 0.9 < shares[-1] < 1.0
    assert len({p.message for p in first}) > 5
    assert len(told) > 200  # a look at the stop button for every second driven
    assert outcome.message == told[-1].message


def test_the_same_seed_gives_the_same_session(lean) -> None:
    again = VirtualSession(settings(max_iterations=1)).run().iterations[0]
    assert again.to_json() == lean.iterations[0].to_json()
    assert np.array_equal(
        again.cylinders[FRONT].error_afr, lean.iterations[0].cylinders[FRONT].error_afr, True
    )


# --- limits --------------------------------------------------------------------------------------


def test_steps_and_session_keep_to_their_limits() -> None:
    limits = VeSettings(richer_pct=5.0, leaner_pct=2.0, session_pct=8.0)
    session = VirtualSession(settings(limits=limits, max_iterations=2))
    outcome = session.run()
    assert outcome.status is Status.MAX_ITERATIONS
    start = outcome.iterations[0].tables
    for one in outcome.iterations:
        for report in one.cylinders.values():
            assert report.multiplier.max() <= 1.05 + 1e-9
            assert report.multiplier.min() >= 0.98 - 1e-9
    total = outcome.tables.ve_front_pct.values / start.ve_front_pct.values
    assert 1.05 < total.max() <= 1.08 + 1e-9
    assert outcome.iterations[-1].limited_cells > 20


def test_a_correction_beyond_its_limits_is_not_applied(monkeypatch) -> None:
    def careless(frame, wanted, *more):
        return analyse(frame, replace(wanted, ve=replace(wanted.ve, richer_pct=40.0)), *more)

    monkeypatch.setattr(session_module, "analyse", careless)
    outcome = VirtualSession(settings(limits=VeSettings(richer_pct=3.0))).run()
    assert outcome.status is Status.FAILED
    assert "beyond its limits" in outcome.message
    assert outcome.tables is outcome.iterations[0].tables


# --- ends ----------------------------------------------------------------------------------------


def test_a_session_stops_within_one_step() -> None:
    session = VirtualSession(settings())
    steps = session.steps()
    while next(steps).share < 0.2:
        pass
    session.stop()
    rest = list(steps)
    assert len(rest) == 1 and rest[0].status is Status.STOPPED
    assert session.outcome.iterations == ()


def test_a_session_stops_in_the_middle_of_an_analysis(monkeypatch) -> None:
    asked = []

    def stopped(frame, wanted, progress, cancelled):
        def telling(share: float, words: str) -> None:
            asked.append(share)
            if share > 0.25:
                session.stop()
            progress(share, words)

        return analyse(frame, wanted, telling, cancelled)

    monkeypatch.setattr(session_module, "analyse", stopped)
    session = VirtualSession(settings())
    outcome = session.run()
    assert outcome.status is Status.STOPPED and outcome.iterations == ()
    assert asked[-1] < 0.5


def test_a_session_stopped_before_it_begins_never_begins() -> None:
    session = VirtualSession(settings())
    session.stop()
    assert session.progress.status is Status.STOPPED
    assert session.run().tables is None


def test_a_final_status_is_written_once() -> None:
    session = VirtualSession(settings())
    session.stop()
    session.fail("too late")
    assert session.outcome.status is Status.STOPPED
    assert [p.status for p in session.steps()] == [Status.STOPPED]


def test_an_error_ends_the_session_in_words() -> None:
    impossible = replace(TWIN, peak_ve=0.3)
    outcome = VirtualSession(TuningSettings(impossible)).run()
    assert outcome.status is Status.FAILED
    assert "peak_torque_nm" in outcome.message


def test_a_dead_wideband_ends_the_session_before_anything_is_changed() -> None:
    outcome = VirtualSession(settings(faults=("unplugged_wideband",))).run()
    assert outcome.status is Status.FAILED
    assert "front" in outcome.message and "preflight" in outcome.message
    assert outcome.tables is outcome.iterations[0].tables


# --- judging -------------------------------------------------------------------------------------


def a_round(*errors: Sequence[float], number: int = 1, cells: int = 50) -> Iteration:
    """An iteration with these errors in AFR, one list for each cylinder group."""
    grids = [np.array([row], dtype=float) for row in errors]
    known = np.concatenate([g[np.isfinite(g)] for g in grids])
    cylinders = {
        c: CylinderReport(g, np.full_like(g, 0.05), np.ones_like(g), np.zeros_like(g))
        for c, g in zip((FRONT, REAR), grids, strict=False)
    }
    return Iteration(
        number=number,
        max_afr_error=float(np.max(np.abs(known))) if known.size else np.nan,
        mean_afr_error=0.0,
        rms_afr_error=0.0,
        measured_cells=cells,
        corrected_cells=0,
        limited_cells=0,
        largest_step_pct=0.0,
        applied=True,
        true_ve_rmse_pct=0.0,
        true_ve_max_pct=0.0,
        peak_power_kw=None,
        peak_torque_nm=None,
        delay_ms=100.0,
        tables=None,
        cylinders=cylinders,
    )


def test_right_on_too_few_cells_is_not_converged() -> None:
    assert has_converged(a_round([0.1, -0.2]), 0.3, 40)
    assert not has_converged(a_round([0.1, -0.2], cells=39), 0.3, 40)
    assert not has_converged(a_round([0.1, -0.31]), 0.3, 40)
    assert not has_converged(a_round([np.nan, np.nan], cells=0), 0.3, 1)


def test_errors_that_grow_are_noticed_but_newly_measured_cells_are_no_growth() -> None:
    falling = [a_round([1.0, 0.8]), a_round([0.5, 0.4]), a_round([0.1, 0.1])]
    assert not is_oscillating(falling)
    assert is_oscillating([*falling[:2], a_round([-0.7, -0.6])])
    assert not is_oscillating([a_round([0.2, 0.2]), a_round([0.9, 0.9])])  # too early to say
    newly = [a_round([0.5, np.nan]), a_round([0.2, np.nan]), a_round([0.1, 1.5])]
    assert not is_oscillating(newly)


def test_a_cell_that_was_only_brushed_proves_nothing(watched, lean) -> None:
    correction = watched.payloads[0].evidence.fits[FRONT].correction
    target = lean.tables.target_lambda.values
    found = cylinder_report(correction, target, np.zeros_like(target), 0.3)
    measured = np.isfinite(found.error_afr)
    assert correction.hits[measured].min() >= 8.0
    assert (2.0 * found.half_width_afr[measured]).max() <= 0.3
    assert measured.sum() < np.isfinite(correction.estimate).sum()
    strict = cylinder_report(correction, target, np.zeros_like(target), 0.12)
    assert np.isfinite(strict.error_afr).sum() < measured.sum()


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"max_iterations": 0}, "max_iterations"),
        ({"max_iterations": 51}, "max_iterations"),
        ({"tolerance_afr": float("nan")}, "tolerance_afr"),
        ({"seed": -1}, "seed"),
        ({"least_cells": 0}, "least_cells"),
        ({"round": "scenic"}, "scenic"),
        ({"faults": ("gremlins",)}, "gremlins"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(change, field) -> None:
    with pytest.raises(ValueError, match=field):
        settings(**change)


def test_a_small_table_needs_fewer_cells() -> None:
    small = replace(TWIN, ve_rpm=(1000.0, 3000.0, 5000.0), ve_map_kpa=(30.0, 60.0, 100.0))
    assert TuningSettings(small).cells_wanted == 4
    assert settings().cells_wanted == 40


# --- command line --------------------------------------------------------------------------------


def test_the_command_prints_one_document_and_says_how_it_ended(capsys, lean) -> None:
    assert (
        main(["virtual-tune", "--profile", "tc-103", "--scenario", "one_cylinder", "--json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "converged"
    assert found["peak_power_kw"] > 50.0
    wanted = {"number", "max_afr_error", "measured_cells", "true_ve_rmse_pct"}
    assert all(wanted <= set(row) for row in found["iterations"])
    assert found["iterations"][-1]["true_ve_rmse_pct"] < 1.0


def test_a_session_that_does_not_converge_exits_with_one(capsys) -> None:
    options = ["--profile", "tc-103", "--fault", "frozen_rpm"]
    assert main(["virtual-tune", *options]) == 1
    assert "failed: No cell" in capsys.readouterr().out


@pytest.mark.parametrize(
    "option",
    [["--profile", "moped"], ["--scenario", "x"], ["--seed", "-3"], ["--max-iterations", "0"]],
)
def test_what_cannot_be_is_refused_in_one_sentence(option, capsys) -> None:
    assert main(["virtual-tune", *option]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
