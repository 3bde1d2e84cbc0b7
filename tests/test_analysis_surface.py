"""The joint estimator: exact where it must be, honest where it cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.basis import bilinear, roughness
from dynoai_desktop.core.analysis.noise import Pairs, judge
from dynoai_desktop.core.analysis.surface import Nuisance, Surface, fit_surface
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit
from tests.analysis_world import MAP, RPM, read_table, smooth_error

SEEDS = 12  # the full run of a hundred is behind `bench --truth`


def axis(nodes) -> Axis:
    return Axis.from_nodes(Channel.RPM, Unit.RPM, nodes)


def wander(seed: int, rows: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return time at 20 Hz, rpm and MAP of a drive all over the table."""
    rng = np.random.default_rng(seed)
    time = np.arange(rows) / 20.0
    rpm = 3200 + 2300 * np.sin(time / 7.0 + rng.uniform(0, 6))
    load = 60 + 38 * np.sin(time / 2.9 + rng.uniform(0, 6)) * np.sin(time / 31.0)
    return time, rpm, load


def coloured(seed: int, rows: int, sd: float, keep: float) -> np.ndarray:
    white = np.random.default_rng(seed + 99).normal(0, 1, rows)
    out = np.empty(rows)
    state = sd * white[0]
    for i, value in enumerate(white):
        state = keep * state + sd * (1 - keep**2) ** 0.5 * value
        out[i] = state
    return out


def fit(seed: int, table: np.ndarray, sd=0.02, keep=0.0, rows=4000) -> Surface:
    time, rpm, load = wander(seed, rows)
    basis = bilinear(RPM, MAP, rpm, load)
    y = read_table(table, rpm, load) + coloured(seed, rows, sd, keep)
    return fit_surface(basis, y[basis.kept], time[basis.kept])


points = st.lists(
    st.tuples(st.floats(700, 6100), st.floats(16, 104)), min_size=1, max_size=40, unique=True
)


@given(points)
@settings(max_examples=100, deadline=None)
def test_weights_lie_between_zero_and_one_and_sum_to_one(where):
    rpm, load = np.array(where).T
    basis = bilinear(RPM, MAP, rpm, load)
    weights = basis.weights()
    assert ((weights >= 0) & (weights <= 1)).all()
    assert weights.sum(axis=1) == pytest.approx(np.ones(basis.kept.size))
    assert basis.sums().sum() == pytest.approx(basis.kept.size)


def test_the_table_is_read_as_an_ecu_reads_it():
    rng = np.random.default_rng(1)
    table = rng.normal(size=(len(RPM), len(MAP)))
    rpm, load = rng.uniform(750, 6000, 500), rng.uniform(20, 100, 500)
    basis = bilinear(RPM, MAP, rpm, load)
    assert basis.at(table.ravel()) == pytest.approx(read_table(table, rpm, load))


def test_samples_far_outside_are_dropped_and_near_ones_belong_to_the_border():
    # One idle sample outside the table once outweighed 170 samples inside.
    rpm = np.array([620.0, 640.0, 6240.0, 6260.0, 3000.0, 3000.0])
    load = np.array([60.0, 60.0, 60.0, 60.0, 14.0, 106.0])
    basis = bilinear(RPM, MAP, rpm, load)
    assert basis.kept.tolist() == [1, 2]
    assert basis.sums().reshape(len(RPM), len(MAP))[[0, -1]].sum() == pytest.approx(2.0)


def test_sums_are_those_of_the_dense_matrix():
    _, rpm, load = wander(3, 700)
    basis = bilinear(RPM, MAP, rpm, load)
    dense = np.zeros((basis.kept.size, basis.nodes))
    for corner, node in enumerate(basis.corner_nodes()):
        np.add.at(dense, (np.arange(basis.kept.size), node[basis.cell]), basis.weights()[:, corner])
    w, y = np.random.default_rng(1).uniform(0.1, 1, (2, basis.kept.size))
    gram, moment = basis.normal_equations(y, w)
    assert gram == pytest.approx(dense.T @ (dense * w[:, None]))
    assert moment == pytest.approx(dense.T @ (w * y))


@pytest.mark.parametrize("nodes", [[0, 1, 2, 3, 4], [0, 1, 1.5, 4, 9], [750, 1000, 3000]])
def test_planes_have_no_bending_energy_on_uneven_axes(nodes):
    load = (20.0, 30.0, 55.0, 100.0)
    penalty = roughness(tuple(map(float, nodes)), load)
    r, m = np.meshgrid(nodes, load, indexing="ij")
    plane = (0.3 + 0.002 * r - 0.01 * m).ravel()
    assert plane @ penalty @ plane == pytest.approx(0.0, abs=1e-9)
    assert (r**2).ravel() @ penalty @ (r**2).ravel() > 1e-3
    assert np.linalg.eigvalsh(penalty).min() > -1e-9


def test_affine_fields_are_exact():
    r, m = np.array(RPM.nodes)[:, None], np.array(MAP.nodes)[None, :]
    plane = 0.02 + 1e-5 * (r - 3000) - 4e-4 * (m - 60)
    surface = fit(1, plane, sd=0.0)
    known = surface.measured(1.0)
    assert surface.value[known] == pytest.approx(plane[known], abs=1e-6)


def test_the_order_of_samples_does_not_matter():
    time, rpm, load = wander(4)
    y = read_table(smooth_error(4), rpm, load) + coloured(4, time.size, 0.02, 0.5)
    there = fit_surface(bilinear(RPM, MAP, rpm, load), y, time)
    order = np.random.default_rng(5).permutation(time.size)
    back = fit_surface(bilinear(RPM, MAP, rpm[order], load[order]), y[order], time[order])
    assert back.value == pytest.approx(there.value, nan_ok=True, abs=1e-10)
    assert back.se == pytest.approx(there.se, nan_ok=True, abs=1e-10)


@pytest.mark.parametrize("keep", [0.0, 0.6])
@pytest.mark.parametrize("part", [2, 5, 20])
def test_less_data_never_narrows_an_interval(keep, part):
    time, rpm, load = wander(6)
    y = read_table(smooth_error(6), rpm, load) + coloured(6, time.size, 0.02, keep)
    whole = fit_surface(bilinear(RPM, MAP, rpm, load), y, time)
    cut = slice(0, time.size // part)
    less = fit_surface(bilinear(RPM, MAP, rpm[cut], load[cut]), y[cut], time[cut])
    both = less.measured(1.0) & whole.measured(1.0)
    # The noise itself is estimated from the data, so a tenth either way is left to it.
    assert (less.se[both] > 0.9 * whole.se[both]).all()
    assert np.median(less.se[both] / whole.se[both]) > 1.0


def field(r, m, reach, shift):
    return 0.04 * np.sin(r / reach + shift) + 0.03 * np.cos(m / 20 + shift)


@pytest.mark.parametrize(
    ("kind", "sd", "keep"),
    [
        ("smooth", 0.02, 0.0),
        ("smooth", 0.01, 0.8),
        ("scattered", 0.02, 0.0),
        ("scattered", 0.02, 0.6),
        ("curved", 0.004, 0.5),
    ],
)
def test_intervals_cover_the_truth(kind, sd, keep):
    shares, squares = [], []
    r, m = np.array(RPM.nodes)[:, None], np.array(MAP.nodes)[None, :]
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        time, rpm, load = wander(seed)
        if kind == "scattered":
            table = -0.1 + 0.05 * rng.normal(size=(len(RPM), len(MAP)))
            truth = read_table(table, rpm, load)
        else:
            reach = 900.0 if kind == "smooth" else 400.0
            shift = rng.uniform(0, 6)
            table = field(r, m, reach, shift)
            truth = field(rpm, load, reach, shift)
        basis = bilinear(RPM, MAP, rpm, load)
        y = truth + coloured(seed, time.size, sd, keep)
        surface = fit_surface(basis, y[basis.kept], time[basis.kept])
        known = surface.measured(3.0)
        z = (surface.value - table)[known] / surface.se[known]
        shares.append(np.mean(np.abs(z) < 1.96))
        squares.append(np.mean(z**2))
    assert 0.90 <= np.mean(shares) <= 0.995
    assert 0.4 < np.mean(squares) < 1.6


def test_noise_that_repeats_itself_is_worth_less():
    plain, tied = fit(7, smooth_error(7)), fit(7, smooth_error(7), keep=0.8)
    assert plain.repeats == pytest.approx(1.0, abs=0.3)
    assert tied.repeats == pytest.approx(9.0, rel=0.35)  # (1 + 0.8) / (1 - 0.8)
    known = plain.measured(3.0)
    assert np.median(tied.se[known] / plain.se[known]) > 1.4


def test_autocorrelation_stops_at_a_gap_in_time():
    noise = coloured(8, 4000, 1.0, 0.8)
    time = np.arange(4000) / 20.0
    broken = time + np.arange(4000) * 100.0 * (np.arange(4000) % 2)
    together = judge(noise, Pairs.of(time)).repeats
    apart = judge(noise, Pairs.of(np.sort(broken))).repeats
    assert apart < together


def test_outliers_do_not_pull_the_table():
    time, rpm, load = wander(9)
    table = smooth_error(9)
    y = read_table(table, rpm, load) + coloured(9, time.size, 0.01, 0.0)
    rng = np.random.default_rng(9)
    y[rng.choice(time.size, time.size // 40, replace=False)] += 0.5
    surface = fit_surface(bilinear(RPM, MAP, rpm, load), y, time)
    known = surface.measured(10.0)
    assert np.abs((surface.value - table)[known]).mean() < 0.006


def test_a_known_disturbance_is_estimated_and_taken_out():
    time, rpm, load = wander(10)
    table = smooth_error(10)
    effect = np.gradient(load, time) / load
    y = read_table(table, rpm, load) + coloured(10, time.size, 0.01, 0.0) + 0.2 * effect
    basis = bilinear(RPM, MAP, rpm, load)
    with_it = fit_surface(basis, y, time, nuisances=(Nuisance(effect, 0.2),))
    known = with_it.measured(5.0)
    assert np.sqrt(np.mean((with_it.value - table)[known] ** 2)) < 0.006


def test_a_mere_doubt_widens_where_it_acts_and_nowhere_else():
    time, rpm, load = wander(11)
    basis = bilinear(RPM, MAP, rpm, load)
    y = coloured(11, time.size, 0.01, 0.0)
    idle = np.where(rpm < 1200, 1.0, 0.0)
    plain = fit_surface(basis, y, time)
    doubted = fit_surface(basis, y, time, nuisances=(Nuisance(idle, 0.05, only_doubt=True),))
    known = plain.measured(3.0)
    slow, fast = np.array(RPM.nodes) < 1000, np.array(RPM.nodes) > 1500
    assert (doubted.se[slow][known[slow]] > 0.04).all()
    assert doubted.se[fast][known[fast]] == pytest.approx(plain.se[fast][known[fast]])


def test_no_data_is_no_surface():
    none = np.empty(0)
    surface = fit_surface(bilinear(RPM, MAP, none, none), none, none)
    assert surface.samples == 0
    assert not surface.measured(0.0).any()
    assert surface.hits.sum() == 0


def test_one_sample_gives_a_wide_interval():
    one = np.array([3000.0]), np.array([60.0])
    surface = fit_surface(bilinear(RPM, MAP, *one), np.array([0.1]), np.array([0.0]))
    r, c = RPM.nodes.index(3000.0), MAP.nodes.index(60.0)
    assert surface.hits[r, c] == 1.0
    assert surface.se[r, c] > 0.01


def test_a_mirrored_and_a_turned_table_give_mirrored_and_turned_results():
    # Smoothing in place once moved 1.4 % to one diagonal neighbour and none to the other.
    time, rpm, load = wander(13)
    y = read_table(smooth_error(13), rpm, load) + coloured(13, time.size, 0.02, 0.4)
    here = fit_surface(bilinear(RPM, MAP, rpm, load), y, time)
    mirror = axis([6750.0 - n for n in reversed(RPM.nodes)])
    there = fit_surface(bilinear(mirror, MAP, 6750.0 - rpm, load), y, time)
    assert there.value[::-1] == pytest.approx(here.value, nan_ok=True, abs=1e-9)
    assert there.se[::-1] == pytest.approx(here.se, nan_ok=True, abs=1e-9)
    turned = fit_surface(bilinear(MAP, RPM, load, rpm), y, time)
    assert pytest.approx(here.value, nan_ok=True, abs=1e-9) == turned.value.T
