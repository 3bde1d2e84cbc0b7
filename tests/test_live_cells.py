"""The sums of the cells are right: mean and variance, weights, planes, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.axis import Axis, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.cells import (
    LEAST_MASS,
    Belief,
    CellBank,
    Roughness,
    Summary,
    roughness,
)
from dynoai_desktop.core.live.path import Coordinate
from dynoai_desktop.core.units import Unit

ROWS, COLUMNS = 6, 5
ONE = slice(0, 1)
NOISE = 0.01**2


def belief(slope: float = 0.02, bend: float = 0.0, weights=(1.0,)) -> Belief:
    return Belief(np.array(weights), np.array([NOISE]), Roughness(slope, bend))


def filled(rpm, load, error, batch: int = 4, alike: float = 0.0, every: int = 1) -> CellBank:
    """A bank of one candidate and one group after these samples, *batch* at a time.

    Batches follow each other without a pause, or *every* so many windows.
    """
    bank = CellBank(ROWS, COLUMNS, 1, 1)
    for first in range(0, len(rpm), batch):
        part = slice(first, first + batch)
        placed = bank.place(np.array(rpm[part])[:, None], np.array(load[part])[:, None])
        values = np.array(error[part])[:, None, None]
        last = first * every + len(values) - 1
        away = bank.begin(placed, last, standing=True)
        bank.add(ONE, placed, values, np.ones(values.shape[:2]), away, alike)
    return bank


def summary_of(bank: CellBank, what: Belief | None = None) -> Summary:
    out = Summary.empty(1, ROWS, COLUMNS)
    bank.summarise(out, bank.everything, what or belief())
    return out


samples = st.lists(
    st.tuples(st.floats(-0.4, 5.4), st.floats(-0.4, 4.4), st.floats(-0.3, 0.3)),
    min_size=1,
    max_size=40,
)


@given(samples)
def test_a_sample_is_shared_out_to_its_neighbours_without_loss(points):
    rpm, load, error = zip(*points, strict=True)
    assert summary_of(filled(rpm, load, error)).mass.sum() == pytest.approx(len(points))


def test_the_weights_are_bilinear():
    mass = summary_of(filled([1.25], [2.5], [0.0])).mass[0]
    assert mass[1:3, 2:4] == pytest.approx(np.array([[0.375, 0.375], [0.125, 0.125]]))


def test_beyond_the_outer_node_all_weight_is_the_nodes():
    mass = summary_of(filled([-0.3], [4.4], [0.1])).mass[0]
    assert mass[0, 4] == pytest.approx(1.0)
    assert mass.sum() == pytest.approx(1.0)


@given(samples)
@settings(deadline=None)
def test_mean_and_variance_are_those_of_all_samples_at_once(points):
    rpm, load, error = (np.array(x) for x in zip(*points, strict=True))
    # With slopes forbidden a node's height is the plain weighted mean.
    found = summary_of(filled(rpm, load, error), belief(slope=1e-9))
    near_rpm = np.clip(1 - np.abs(np.clip(rpm, 0, 5)[:, None] - np.arange(ROWS)), 0, 1)
    near_load = np.clip(1 - np.abs(np.clip(load, 0, 4)[:, None] - np.arange(COLUMNS)), 0, 1)
    weight = near_rpm[:, :, None] * near_load[:, None, :]
    mass = weight.sum(axis=0)
    some = mass > 2 * LEAST_MASS
    mean = (weight * error[:, None, None]).sum(axis=0)[some] / mass[some]
    assert found.error[0][some] == pytest.approx(mean, abs=1e-9)
    full = np.full((ROWS, COLUMNS), np.nan)
    full[some] = mean
    away = error[:, None, None] - np.nan_to_num(full)
    variance = (weight * away**2).sum(axis=0)[some] / mass[some]
    assert found.spread[0][some] == pytest.approx(np.sqrt(variance), abs=1e-9)


@given(samples, st.integers(1, 9), st.randoms())
@settings(deadline=None)
def test_neither_order_nor_batches_matter(points, batch, random):
    shuffled = list(points)
    random.shuffle(shuffled)
    one = summary_of(filled(*zip(*points, strict=True)))
    other = summary_of(filled(*zip(*shuffled, strict=True), batch=batch))
    assert other.error == pytest.approx(one.error, abs=1e-9, nan_ok=True)
    assert other.se == pytest.approx(one.se, abs=1e-9, nan_ok=True)


def test_a_small_scatter_on_a_huge_offset_is_not_lost():
    rng = np.random.default_rng(1)
    error = 1e6 + rng.normal(0.0, 1e-3, 4000)
    found = summary_of(filled(np.full(4000, 2.0), np.full(4000, 2.0), error))
    assert found.spread[0, 2, 2] == pytest.approx(error.std(), rel=1e-6)


def test_a_node_passed_on_one_side_is_read_off_the_plane_through_its_samples():
    rng = np.random.default_rng(2)
    rpm, load = rng.uniform(2.1, 2.9, 400), rng.uniform(2.2, 2.8, 400)
    error = 0.05 + 0.02 * rpm - 0.03 * load
    found = summary_of(filled(rpm, load, error))
    assert found.error[0, 2, 2] == pytest.approx(0.05 + 0.04 - 0.06, abs=1e-3)


def test_where_the_slope_cannot_be_told_the_interval_is_wider():
    on_node, beside = np.full(200, 2.0), np.full(200, 2.6)
    load = np.full(200, 2.0)
    close = summary_of(filled(on_node, load, np.zeros(200))).se[0, 2, 2]
    far = summary_of(filled(beside, load, np.zeros(200))).se[0, 2, 2]
    assert far > 0.5 * 0.6 * 0.02
    assert far > 5 * close


def test_more_of_the_same_data_narrows_every_interval():
    rng = np.random.default_rng(3)
    rpm, load = rng.uniform(0.0, 5.0, 300), rng.uniform(0.0, 4.0, 300)
    error = rng.normal(0.0, 0.01, 300)
    once = summary_of(filled(rpm, load, error))
    twice = summary_of(filled(np.tile(rpm, 2), np.tile(load, 2), np.tile(error, 2)))
    assert np.all(twice.se[once.mass > 0.1] < once.se[once.mass > 0.1])


def test_noise_that_repeats_itself_counts_for_less():
    """Where the engine stays, (1 + ρ) / (1 - ρ) samples count as one."""
    there = np.full(600, 2.0)
    plain = summary_of(filled(there, there, np.zeros(600)))
    alike = summary_of(filled(there, there, np.zeros(600), alike=0.6))
    assert plain.effective[0, 2, 2] == pytest.approx(600.0)
    assert alike.effective[0, 2, 2] == pytest.approx(150.0, rel=0.01)
    assert alike.se[0, 2, 2] > 1.8 * plain.se[0, 2, 2]


def test_passes_that_lie_far_apart_share_no_noise():
    there = np.full(40, 2.0)
    in_a_row = summary_of(filled(there, there, np.zeros(40), alike=0.6))
    apart = summary_of(filled(there, there, np.zeros(40), alike=0.6, every=50))
    four = np.ones((4, 4)) * 0.6 ** np.abs(np.subtract.outer(range(4), range(4)))
    assert apart.effective[0, 2, 2] == pytest.approx(40.0 * 4.0 / four.sum())
    assert apart.effective[0, 2, 2] > 1.3 * in_a_row.effective[0, 2, 2]


@given(samples, st.integers(1, 9), st.floats(0.0, 0.85))
@settings(deadline=None)
def test_every_pair_of_samples_shares_what_their_distance_in_time_leaves(points, batch, alike):
    rpm, load, error = (np.array(x) for x in zip(*points, strict=True))
    found = summary_of(filled(rpm, load, error, batch, alike)).effective[0]
    near_rpm = np.clip(1 - np.abs(np.clip(rpm, 0, 5)[:, None] - np.arange(ROWS)), 0, 1)
    near_load = np.clip(1 - np.abs(np.clip(load, 0, 4)[:, None] - np.arange(COLUMNS)), 0, 1)
    weight = near_rpm[:, :, None] * near_load[:, None, :]
    at = np.arange(len(points))
    pairs = np.einsum("iab,jab,ij->ab", weight, weight, alike ** np.abs(at[:, None] - at))
    mass = weight.sum(axis=0)
    some = mass > LEAST_MASS
    assert found[some] == pytest.approx(mass[some] ** 2 / pairs[some])


def test_what_the_delay_leaves_open_widens_the_interval():
    bank = CellBank(ROWS, COLUMNS, 2, 1)
    for _ in range(50):
        placed = bank.place(np.full((4, 2), 2.0), np.full((4, 2), 2.0))
        error = np.tile([0.00, 0.04], (4, 1, 1))
        bank.add(ONE, placed, error, np.ones((4, 1)))
    open_question = summary_of(bank, belief(weights=(0.5, 0.5)))
    settled = summary_of(bank, belief(weights=(1.0, 0.0)))
    assert open_question.error[0, 2, 2] == pytest.approx(0.02)
    assert open_question.se[0, 2, 2] == pytest.approx(0.02, rel=0.01)
    assert settled.error[0, 2, 2] == pytest.approx(0.0, abs=1e-12)
    assert settled.se[0, 2, 2] < 0.002


def test_the_present_pass_is_left_out_of_predictions():
    bank = CellBank(ROWS, COLUMNS, 1, 1)

    def visit(index: int, error: float, standing: bool = False) -> float:
        placed = bank.place(np.full((4, 1), 2.0), np.full((4, 1), 2.0))
        bank.begin(placed, index, standing)
        prediction, support = bank.predict(ONE, placed)
        bank.add(ONE, placed, np.full((4, 1, 1), error), np.ones((4, 1)))
        return float(prediction[0, 0, 0]) if support.min() >= 1.0 else float("nan")

    assert np.isnan(visit(0, 0.03))
    assert np.isnan(visit(4, 0.03))  # the same pass
    assert visit(200, 0.05) == pytest.approx(0.03)  # the next one knows the first
    assert visit(204, 0.05) == pytest.approx(0.03)
    assert visit(208, 0.05, standing=True) > 0.03  # standing still hides nothing


def test_a_box_brings_the_same_cells_up_to_date_as_everything():
    rng = np.random.default_rng(4)
    bank = filled(rng.uniform(0, 5, 80), rng.uniform(0, 4, 80), rng.normal(0, 0.01, 80))
    whole, parts = Summary.empty(1, ROWS, COLUMNS), Summary.empty(1, ROWS, COLUMNS)
    bank.summarise(whole, bank.everything, belief())
    placed = bank.place(np.array([[1.5]]), np.array([[2.5]]))
    bank.summarise(parts, placed.box, belief())
    assert np.array_equal(parts.se[0, 1:3, 2:4], whole.se[0, 1:3, 2:4])
    assert np.isnan(parts.se[0, 4, 0])


def test_a_flat_map_is_found_flat_and_a_rough_one_rough():
    rng = np.random.default_rng(5)
    calm, rough = Summary.empty(1, 12, 10), Summary.empty(1, 12, 10)
    for summary, size in ((calm, 0.0), (rough, 0.05)):
        summary.error[:] = rng.normal(0.0, size, (1, 12, 10)) if size else 0.0
        summary.mass[:] = 40.0
        summary.effective[:] = 20.0
    assert roughness(calm, np.array([NOISE])).slope < 0.01
    assert roughness(rough, np.array([NOISE])).slope == pytest.approx(0.07, rel=0.15)


def test_an_uneven_axis_is_measured_in_its_own_nodes():
    ruler = Coordinate(Axis.from_nodes(Channel.RPM, Unit.RPM, [750, 1000, 1500, 2500, 4000]))
    assert ruler.of(1250.0) == pytest.approx(1.5)
    assert ruler.of(3250.0) == pytest.approx(3.5)
    assert ruler.value(ruler.of(1900.0)) == pytest.approx(1900.0)


@given(st.floats(0.0, 9999.0))
def test_place_and_value_are_inverse(rpm):
    ruler = Coordinate(default_rpm_axis())
    assert ruler.value(ruler.of(rpm)) == pytest.approx(rpm)


def test_an_axis_with_a_single_node_is_refused():
    with pytest.raises(ValueError, match="at least two nodes"):
        Coordinate(Axis.from_edges(Channel.MAP, Unit.KILOPASCAL, [20.0, 120.0]))
    assert Coordinate(default_map_axis()).high == pytest.approx(9.5)
