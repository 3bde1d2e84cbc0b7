"""The correction: right sign, careful size, exactly nothing where nothing is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.basis import bilinear
from dynoai_desktop.core.analysis.kernel import multiplier, multipliers
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.analysis.surface import fit_surface
from dynoai_desktop.core.analysis.ve import (
    Injector,
    Verdict,
    VeSettings,
    absolute_ve,
    authority,
    believed,
    recommend,
    safe_step,
    shrinkage,
)
from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Cylinder
from tests.analysis_world import MAP, RPM, World, make, no_error, random_error, smooth_error

AFR = st.floats(9.0, 20.0)
GRID = (len(RPM), len(MAP))


def flat_surface(value: float, noise: float = 0.01, rows: int = 3000):
    rng = np.random.default_rng(1)
    rpm, load = rng.uniform(1000, 5500, rows), rng.uniform(30, 95, rows)
    basis = bilinear(RPM, MAP, rpm, load)
    return fit_surface(basis, value + rng.normal(0, noise, rows), np.arange(rows) / 20.0)


@pytest.mark.parametrize(
    ("measured", "target", "linear", "ratio"),
    [
        (14, 13, 1.07, 1.076923),
        (12, 13, 0.93, 0.923077),
        (15, 12.5, 1.175, 1.2),
        (16, 12.5, 1.245, 1.28),
        (16, 13, 1.21, 1.230769),
    ],
)
def test_golden_values_of_both_kernels(measured, target, linear, ratio):
    assert multiplier(measured, target, kernel="linear@1") == pytest.approx(linear, abs=1e-6)
    assert multiplier(measured, target) == pytest.approx(ratio, abs=1e-6)


@given(AFR, AFR, st.floats(0.5, 2.0))
def test_the_ratio_is_reversible_and_knows_no_scale(a, b, scale):
    assert multiplier(a, b) * multiplier(b, a) == pytest.approx(1.0)
    assert multiplier(a, b) == pytest.approx((a * scale) / (b * scale))
    assert 0.85 <= multiplier(a, b, clamp_pct=15) <= 1.15


def test_impossible_mixtures_are_refused_or_left_blank():
    with pytest.raises(ValueError, match="outside 9 to 20"):
        multiplier(8.9, 13.0)
    assert multipliers([(14, 13), (25, 13), (13, 13)]) == [pytest.approx(14 / 13), None, 1.0]


def test_lean_adds_fuel_and_rich_takes_it_away():
    # A lean cell, 14 against 13, once had fuel removed.
    lean = recommend(flat_surface(math.log(14 / 13)), Cylinder.FRONT)
    rich = recommend(flat_surface(math.log(12 / 13)), Cylinder.FRONT)
    known = lean.hits > 20
    assert (lean.multiplier[known] > 1.0).all()
    assert (rich.multiplier[known] < 1.0).all()
    assert lean.estimate[known] == pytest.approx(14 / 13, abs=0.01)


def test_a_cell_without_data_is_exactly_one_and_has_no_estimate():
    correction = recommend(flat_surface(0.08), Cylinder.FRONT)
    unknown = correction.hits == 0
    assert unknown.any()
    assert (correction.multiplier[unknown] == 1.0).all()
    assert np.isnan(correction.estimate[unknown]).all()
    assert np.isnan(correction.se[unknown]).all()
    assert (correction.verdict[unknown] == Verdict.NO_DATA).all()
    assert np.isfinite(correction.estimate[~unknown]).all()


def test_an_error_within_its_noise_is_left_alone():
    correction = recommend(flat_surface(0.0, noise=0.02), Cylinder.FRONT)
    assert (correction.verdict[correction.hits > 0] == Verdict.LEFT_ALONE).mean() > 0.9
    assert np.abs(correction.multiplier - 1.0).max() < 0.02


def test_one_wrong_cell_among_many_right_ones_is_not_hidden():
    # Where most of the table was right, a new error of ten standard errors was once shrunk away.
    y = np.append(np.random.default_rng(1).normal(0.0, 0.002, 200), 0.02)
    se = np.full(201, 0.002)
    known = np.full(201, True)
    step = safe_step(believed(y, se, known), se, se, 201, 0.001)
    assert step[-1] >= 0.015
    assert (step[:-1] == 0.0).all()


def test_no_estimate_is_pulled_further_than_its_own_noise_explains():
    rng = np.random.default_rng(2)
    y, se = rng.normal(0.0, 0.03, 300), rng.uniform(0.001, 0.02, 300)
    pulled = believed(y, se, np.full(300, True))
    assert (np.abs(y - pulled) <= 1.5 * se + 1e-12).all()
    assert (np.abs(pulled) <= np.abs(y) + 1e-12).all()
    assert (pulled * y >= 0.0).all()


@pytest.mark.parametrize("truth", ["right", "near", "far"])
def test_hardly_ever_is_a_cell_moved_away_from_the_truth(truth):
    # With every estimate taken at its word, one cell in thirty of a right table was moved off it.
    rng = np.random.default_rng(3)
    cells, tables = 300, 400
    se = np.full(cells, 0.01)
    size = {"right": 0.0, "near": 0.01, "far": 0.05}[truth]
    harmed = 0
    for _ in range(tables):
        true = rng.normal(0.0, size, cells) if size else np.zeros(cells)
        y = true + rng.normal(0.0, 0.01, cells)
        step = safe_step(y, se, se, cells, 0.001)
        harmed += int(np.count_nonzero(np.abs(true - step) - np.abs(true) > 2.0 * se))
    assert harmed <= 3  # of 120,000; one was to be expected at most


@given(st.floats(-0.3, 0.3), st.floats(1e-4, 0.05), st.integers(1, 500))
def test_a_step_never_overshoots_its_estimate_nor_turns(error, se, cells):
    at, doubt = np.array([error]), np.array([se])
    step = safe_step(at, doubt, doubt, cells, 0.001)
    assert abs(step[0]) <= abs(error)
    assert step[0] * error >= 0.0
    surer = safe_step(at, doubt / 2.0, doubt / 2.0, cells, 0.001)
    assert abs(surer[0]) >= abs(step[0])


@given(st.floats(0.001, 0.2), st.floats(0.0, 0.3))
def test_more_doubt_shrinks_more(se, more):
    y = np.array([0.08, -0.05, 0.1, 0.03])
    near, far = shrinkage(y, np.full(4, 0.01), np.array([se, se + more]))
    assert 0.0 <= far <= near <= 1.0


def test_authority_falls_with_the_evidence_and_is_smaller_towards_lean():
    # Limits were once looser where data were fewer.
    settings = VeSettings()
    hits = np.array([0.0, 3.0, 10.0, 100.0, 1e6])
    low, high = authority(hits, np.full(5, 0.004), settings)
    assert high[0] == low[0] == 0.0
    assert (np.diff(high) > 0).all()
    assert (np.diff(low) < 0).all()
    assert (-low[1:] < high[1:]).all()
    assert high[-1] <= settings.richer_pct / 100
    doubtful, _ = authority(hits, np.full(5, 0.05), settings)
    assert (np.abs(doubtful[1:]) < np.abs(low[1:])).all()


@pytest.mark.parametrize("error", [0.5, -0.5])
def test_no_step_is_larger_than_allowed(error):
    settings = VeSettings(richer_pct=8.0, leaner_pct=5.0)
    correction = recommend(flat_surface(error), Cylinder.FRONT, settings)
    assert correction.multiplier.max() <= 1.08
    assert correction.multiplier.min() >= 0.95
    assert (correction.verdict == Verdict.LIMITED).any()


def test_a_limit_in_ve_points_holds_too():
    table = {Cylinder.FRONT: CellGrid(RPM, MAP, np.full(GRID, 80.0))}
    settings = VeSettings(step_value=2.0, tables=table)
    correction = recommend(flat_surface(0.2), Cylinder.FRONT, settings)
    assert 80.0 * (correction.multiplier.max() - 1.0) <= 2.0 + 1e-9
    assert correction.multiplier.max() > 1.02


def test_a_session_adds_up_to_its_limit_and_never_turns_back():
    for before, expected in ((1.10, 1.20 / 1.10), (1.25, 1.0)):
        applied = {Cylinder.FRONT: CellGrid(RPM, MAP, np.full(GRID, before))}
        settings = VeSettings(session_pct=20.0, applied=applied)
        correction = recommend(flat_surface(0.4), Cylinder.FRONT, settings)
        assert correction.multiplier.max() == pytest.approx(expected)
        assert correction.multiplier.min() == 1.0
        assert (correction.verdict == Verdict.SESSION_LIMIT).any()


def test_a_table_on_other_axes_is_refused():
    other = {Cylinder.FRONT: CellGrid(RPM, RPM, np.ones((len(RPM), len(RPM))))}
    with pytest.raises(ValueError, match="different axes"):
        recommend(flat_surface(0.1), Cylinder.FRONT, VeSettings(applied=other))


def test_trims_are_part_of_the_error():
    # A closed loop shows a perfect lambda over a table that is eight percent short.
    errors = {"front": np.full(GRID, 0.08), "rear": np.full(GRID, 0.08)}
    world = World(seed=3, errors=errors, closed_loop=True)
    payload = analyse(make(world), AnalysisSettings(axes=(RPM, MAP)))
    for fit in payload.evidence.fits.values():
        known = fit.correction.hits > 20
        assert np.log(fit.correction.estimate[known]) == pytest.approx(0.08, abs=0.03)
        assert np.median(np.log(fit.correction.estimate[known])) == pytest.approx(0.08, abs=0.01)


def test_front_and_rear_are_corrected_each_for_itself():
    errors = {"front": no_error(), "rear": np.full(GRID, 0.05)}
    payload = analyse(make(World(seed=4, errors=errors)), AnalysisSettings(axes=(RPM, MAP)))
    front = payload.evidence.fits[Cylinder.FRONT].correction
    rear = payload.evidence.fits[Cylinder.REAR].correction
    well = (front.hits > 20) & (rear.hits > 20)
    assert np.median(np.log(front.estimate[well])) == pytest.approx(0.0, abs=0.006)
    assert np.median(np.log(rear.estimate[well])) == pytest.approx(0.05, abs=0.006)


@pytest.mark.parametrize("make_error", [smooth_error, random_error])
def test_applied_the_error_falls_on_every_side(make_error):
    errors = {"front": make_error(6), "rear": make_error(7)}
    first = dict(errors)
    for turn in range(3):
        world = World(seed=6 + 10 * turn, errors=errors)
        ve = VeSettings(
            tables={
                Cylinder(name): CellGrid(RPM, MAP, 80.0 * np.exp(first[name] - error))
                for name, error in errors.items()
            }
        )
        payload = analyse(make(world), AnalysisSettings(axes=(RPM, MAP), ve=ve))
        corrections = {c.value: fit.correction for c, fit in payload.evidence.fits.items()}
        errors = {n: error - np.log(corrections[n].multiplier) for n, error in errors.items()}
    for name, error in errors.items():
        known = corrections[name].hits > 0
        before = np.sqrt(np.mean(first[name][known] ** 2))
        after = np.sqrt(np.mean(error[known] ** 2))
        # A table scattered from node to node is known to a per cent or two from one log, and an
        # error that near is left alone.
        assert after < 0.65 * before
        if make_error is smooth_error:
            assert after < 0.015


def test_absolute_ve_by_speed_density():
    injector = Injector(4.0, 0.85, 14.7, ((10.0, 1.6), (14.0, 0.9)))
    one = np.ones(1)
    fuel = injector.fuel_mg(13.4 * one, 14.0 * one)
    assert fuel == pytest.approx([50.0])
    ve = absolute_ve(fuel, 0.9 * one, 100.0 * one, 40.0 * one, injector)
    # 661.5 mg of air in 945.6 mg of room.
    assert ve == pytest.approx([69.96], abs=0.01)
    assert absolute_ve(fuel, 0.9 * one, 50.0 * one, 40.0 * one, injector) == pytest.approx(2 * ve)
    assert injector.fuel_mg(0.5 * one, 14.0 * one) == pytest.approx([0.0])


def test_with_a_known_table_a_half_corrected_one_is_no_obstacle():
    # Cells corrected and cells not: the step between them must not leak into either.
    errors = {"front": np.full(GRID, 0.1)}
    errors["front"][5:9, 2:6] = 0.0
    table = {Cylinder.FRONT: CellGrid(RPM, MAP, 80.0 * np.exp(-errors["front"]))}
    frame = make(World(seed=8, errors=errors, sweeps=6))
    plain = AnalysisSettings(axes=(RPM, MAP))
    told = replace(plain, ve=VeSettings(tables=table))
    worst = []
    for settings in (plain, told):
        surface = analyse(frame, settings).evidence.fits[Cylinder.FRONT].surface
        known = surface.measured(3.0)
        worst.append(np.sqrt(np.mean((surface.value - errors["front"])[known] ** 2)))
    assert worst[1] < 0.6 * worst[0]
