"""What the planner remembers: merging, removing, tunes and axes that change."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.coverage import (
    Answer,
    CoverageError,
    CylinderCoverage,
    Feedback,
    empty_coverage,
    run_coverage,
)
from dynoai_desktop.core.planning.coverage_document import to_document
from dynoai_desktop.core.planning.information import (
    blurred,
    edited_nodes,
    freed,
    packed,
    reading,
    resampled,
    unpacked,
)
from dynoai_desktop.core.planning.regions import Transient, place_regions
from dynoai_desktop.core.planning.steps import TestType
from tests.analysis_world import MAP, World, make, smooth_error
from tests.analysis_world import RPM as PAPER_RPM
from tests.coverage_world import (
    LOAD,
    RPM,
    SIZE,
    VEHICLE,
    axis,
    information,
    make_coverage,
    make_run,
    same,
    tables,
)

SEEDS = st.integers(0, 10_000)
REACH = 0.5
QUICK = settings(max_examples=40, deadline=None)


def largest(matrix: np.ndarray) -> float:
    return float(np.linalg.eigvalsh((matrix + matrix.T) / 2.0).max(initial=0.0))


def is_no_more(less: np.ndarray, more: np.ndarray) -> bool:
    """Return whether *less* claims no more than *more* about any change of the table."""
    return largest(less - more) <= 1e-9 * max(1.0, largest(more))


# Merging


def test_a_run_merged_twice_counts_once():
    once = make_coverage(make_run("a"))
    assert once.merge(make_run("a")) is once


@given(st.lists(SEEDS, min_size=2, max_size=4, unique=True), st.randoms(use_true_random=False))
@QUICK
def test_the_order_of_merging_never_matters_to_the_last_bit(seeds, random):
    runs = [make_run(f"run-{seed}", seed) for seed in seeds]
    runs.append(make_run(f"run-{seeds[0]}", seeds[0] + 1))  # another account of the first
    shuffled = random.sample(runs, len(runs))
    one, other = make_coverage(*runs), make_coverage(*shuffled)
    assert to_document(one) == to_document(other)
    assert same(one, other)


@given(st.lists(SEEDS, min_size=3, max_size=3, unique=True))
@QUICK
def test_coverages_united_in_any_grouping_are_the_same(seeds):
    a, b, c = (make_coverage(make_run(f"run-{s}", s), make_run("all", s)) for s in seeds)
    left, right = a.united(b).united(c), a.united(b.united(c))
    assert to_document(left) == to_document(right) == to_document(c.united(b).united(a))


@given(st.lists(SEEDS, min_size=1, max_size=4, unique=True), SEEDS)
@QUICK
def test_removing_a_run_is_the_exact_inverse_of_merging_it(seeds, seed):
    before = make_coverage(*(make_run(f"run-{s}", s) for s in seeds))
    after = before.merge(make_run("new", seed)).remove("new")
    assert to_document(after) == to_document(before)
    assert same(after, before)


def test_the_last_run_removed_leaves_a_vehicle_that_knows_nothing():
    knowledge = make_coverage(make_run("a")).remove("a").knowledge()
    assert all((matrix == 0.0).all() for matrix in knowledge.information.values())


@given(SEEDS)
@QUICK
def test_information_of_runs_adds_up(seed):
    first, hits = information(seed)
    again, _ = information(seed + 1)
    knowledge = make_coverage(make_run("a", seed), make_run("b", seed + 1)).knowledge()
    np.testing.assert_allclose(
        knowledge.information[Cylinder.FRONT], first + again, atol=1e-6 * largest(first)
    )
    alone = make_coverage(make_run("a", seed)).knowledge()
    np.testing.assert_allclose(alone.hits[Cylinder.FRONT].ravel(), hits, atol=1e-6)


def test_more_runs_never_widen_an_interval():
    coverage, before = make_coverage(), np.inf
    for seed in range(4):
        coverage = coverage.merge(make_run(f"{seed}", seed))
        half = coverage.knowledge().half_interval(Cylinder.FRONT)
        assert (half <= before + 1e-9).all()
        before = half


@pytest.mark.parametrize(
    ("more", "word"), [({"vehicle": "panhead"}, "panhead"), ({"simulated": True}, "simulated")]
)
def test_a_run_of_another_vehicle_is_refused_with_one_sentence(more, word):
    with pytest.raises(CoverageError, match=word) as refusal:
        make_coverage().merge(make_run("a", **more))
    assert str(refusal.value).count(". ") == 1  # what happened, and what to do


def test_a_real_run_is_refused_by_a_simulated_vehicle():
    with pytest.raises(CoverageError, match="real and"):
        make_coverage(simulated=True).merge(make_run("a"))


# Cylinders


def test_one_wideband_for_both_cylinders_is_enough():
    knowledge = make_coverage(make_run("a", cylinders=(Cylinder.BOTH,))).knowledge()
    assert list(knowledge.information) == [Cylinder.BOTH]
    assert knowledge.information[Cylinder.BOTH].any()


def test_a_shared_wideband_says_nothing_of_one_cylinder_alone():
    own, shared = make_run("own"), make_run("shared", cylinders=(Cylinder.BOTH,))
    coverage = make_coverage(own, shared)
    assert same(coverage, make_coverage(own))
    assert any("one wideband for both" in note for note in coverage.notes())


# Tunes


def on_tunes(runs, change, changed=(Cylinder.FRONT, Cylinder.REAR)):
    """Return a coverage driven on the tune "old", now on "new" with *change*."""
    coverage = make_coverage(*runs).on_tune("old", tables())
    return coverage.on_tune("new", tables(change, changed=changed))


@given(SEEDS, st.sets(st.integers(0, SIZE - 1), min_size=1, max_size=6))
@QUICK
def test_edited_cells_lose_everything_and_others_keep_what_remains(seed, cells):
    change = {divmod(cell, len(LOAD)): 85.0 for cell in cells}
    coverage = on_tunes([make_run("a", seed, tune_sha256="old")], change)
    before = make_coverage(make_run("a", seed)).knowledge().information[Cylinder.FRONT]
    after = coverage.knowledge()
    left = after.information[Cylinder.FRONT]
    edited = sorted(cells)
    assert (left[edited] == 0.0).all()
    assert (left[:, edited] == 0.0).all()
    assert (after.hits[Cylinder.FRONT].ravel()[edited] == 0.0).all()
    within_reach = np.diag([REACH**-2 if i in cells else 0.0 for i in range(SIZE)])
    assert is_no_more(left, before + within_reach)
    assert largest(-left) <= 1e-9 * max(1.0, largest(before))
    # What is known of the others is what a joint estimate with these values free would know.
    kept = [i for i in range(SIZE) if i not in cells]
    believed = within_reach + np.diag([0.0 if i in cells else 1.0 for i in range(SIZE)])
    joint = np.linalg.inv(before + believed)[np.ix_(kept, kept)]
    alone = np.linalg.inv((left + believed)[np.ix_(kept, kept)])
    np.testing.assert_allclose(alone, joint, rtol=1e-6, atol=1e-9)


def test_a_sample_that_hardly_touched_an_edited_cell_is_not_lost():
    sample = np.array([0.001, 0.999])
    left = freed(np.outer(sample, sample) / 4e-4, np.array([True, False]), REACH)
    assert left[1, 1] == pytest.approx(1.0 / 4e-4, rel=0.01)


def test_deleting_rows_would_claim_more_than_is_known():
    """The edited neighbour was known from the same samples; its value is free again."""
    before = make_coverage(make_run("a", 5)).knowledge().information[Cylinder.FRONT]
    edited = np.zeros(SIZE, dtype=bool)
    edited[np.argmax(np.diag(before))] = True
    deleted = np.where(np.outer(~edited, ~edited), before, 0.0)
    assert is_no_more(freed(before, edited, REACH), deleted)
    assert not is_no_more(deleted, freed(before, edited, REACH))


def test_runs_of_one_tune_are_freed_together():
    """Each alone knows a sum with the edited cell only; the two of them told both apart."""
    runs = []
    for name, share in (("a", 0.8), ("b", 0.5)):
        sample = np.array([share, 1.0 - share])
        part = CylinderCoverage.of(np.arange(2), sample, np.outer(sample, sample) / 4e-4)
        run = make_run(name, tune_sha256="old")
        runs.append(replace(run, cylinders={Cylinder.FRONT: part}))
    apart = [on_tunes([run], {(0, 1): 70.0}).knowledge() for run in runs]
    alone = sum(one.information[Cylinder.FRONT][0, 0] for one in apart)
    together = on_tunes(runs, {(0, 1): 70.0}).knowledge().information[Cylinder.FRONT][0, 0]
    assert together > 5.0 * alone


def test_a_tune_that_is_rolled_back_brings_back_what_was_known():
    runs = [make_run("a", 1, tune_sha256="old")]
    coverage = on_tunes(runs, {(1, 1): 70.0})
    assert not same(coverage, make_coverage(*runs))
    assert same(coverage.on_tune("old", tables()), make_coverage(*runs))


def test_only_the_cylinder_that_was_edited_forgets():
    runs = [make_run("a", 1, tune_sha256="old")]
    change = dict.fromkeys(itertools.product(range(len(RPM)), range(len(LOAD))), 70.0)
    after = on_tunes(runs, change, changed=(Cylinder.REAR,)).knowledge()
    before = make_coverage(*runs).knowledge()
    assert not after.information[Cylinder.REAR].any()
    assert np.array_equal(after.information[Cylinder.FRONT], before.information[Cylinder.FRONT])


def test_a_shared_wideband_forgets_what_either_table_changed():
    runs = [make_run("a", 1, cylinders=(Cylinder.BOTH,), tune_sha256="old")]
    change = dict.fromkeys(itertools.product(range(len(RPM)), range(len(LOAD))), 70.0)
    after = on_tunes(runs, change, changed=(Cylinder.REAR,)).knowledge()
    assert not after.information[Cylinder.BOTH].any()


def test_a_tune_with_the_same_fuel_tables_changes_nothing():
    runs = [make_run("a", 1, tune_sha256="old")]
    assert same(on_tunes(runs, {}), make_coverage(*runs))


def test_an_old_run_merged_after_the_tune_changed_is_worth_what_it_would_have_been():
    old, new = make_run("a", 1, tune_sha256="old"), make_run("b", 2, tune_sha256="new")
    empty = on_tunes([], {(1, 1): 70.0, (2, 1): 71.0})
    assert same(empty.merge(new).merge(old), on_tunes([old, new], {(1, 1): 70.0, (2, 1): 71.0}))


def test_a_run_of_unknown_tune_counts_in_full_and_is_said():
    coverage = on_tunes([make_run("a", 1)], {(1, 1): 70.0})
    assert same(coverage, make_coverage(make_run("a", 1)))
    assert any("tune" in note and "in full" in note for note in coverage.notes())


def test_a_run_of_a_tune_without_tables_is_not_counted_and_is_said():
    coverage = on_tunes([make_run("a", 1, tune_sha256="lost")], {(1, 1): 70.0})
    assert not coverage.knowledge().information[Cylinder.FRONT].any()
    assert any("tables of their tune" in note for note in coverage.notes())


def test_a_table_on_other_axes_touches_every_cell_it_changed_something_in():
    fine = axis(Channel.RPM, [1000, 1500, 2000, 2500, 3000, 3500, 4000, 5000])
    values = np.full((len(fine), len(LOAD)), 80.0)
    before, after = CellGrid(fine, LOAD, values), CellGrid(fine, LOAD, values.copy())
    after.values[3, 2] = 90.0  # 2500 rpm, 80 kPa: on the edge of two cells of the coarse axes
    touched = edited_nodes(before, after, (RPM, LOAD)).reshape(len(RPM), len(LOAD))
    assert np.argwhere(touched).tolist() == [[1, 2], [2, 2]]
    assert edited_nodes(before, after, (fine, LOAD)).sum() == 1


# Axes


def axes_pairs():
    inner = st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True)

    def build(channel: Channel, low: float, high: float):
        return inner.map(
            lambda at: axis(
                channel, [low, *(low + (high - low) * i / 10 for i in sorted(at)), high]
            )
        )

    pair = st.tuples(build(Channel.RPM, 1000, 5000), build(Channel.MAP, 30, 100))
    return st.tuples(pair, pair)


@given(SEEDS)
@QUICK
def test_the_same_axes_change_nothing(seed):
    matrix, _ = information(seed)
    nodes, same_matrix = resampled(
        matrix, np.arange(SIZE), reading((RPM, LOAD), (RPM, LOAD)), doubt_sd=0.01, reach_sd=REACH
    )
    assert nodes.tolist() == list(range(SIZE))
    np.testing.assert_allclose(same_matrix, matrix, atol=1e-12 * largest(matrix))


@given(axes_pairs(), SEEDS, SEEDS)
@QUICK
def test_on_new_axes_no_functional_is_known_better_than_the_old_data_knew_it(axes, seed, other):
    """Of all functionals of the old table that mean the same, the best known is the bound."""
    old, new = axes
    size = len(old[0]) * len(old[1])
    matrix, _ = information(seed, *old)
    matrix = matrix + np.eye(size)  # known at all, so that every variance is finite
    basis = reading(old, new)
    nodes, after = resampled(matrix, np.arange(size), basis, doubt_sd=0.01, reach_sd=REACH)
    part = basis.basis[:, nodes]
    wanted = part.T @ np.random.default_rng(other).normal(size=size)  # g = M'h for some h
    told = float(wanted @ np.linalg.pinv(after, rcond=1e-10, hermitian=True) @ wanted)
    # Least h' C h with M'h = g, by Lagrange's conditions.
    covariance = np.linalg.inv(matrix)
    count = nodes.size
    system = np.block([[covariance, part], [part.T, np.zeros((count, count))]])
    answer = np.linalg.lstsq(system, np.concatenate([np.zeros(size), wanted]), rcond=1e-12)[0]
    best = answer[:size]
    np.testing.assert_allclose(part.T @ best, wanted, atol=1e-6 * np.abs(wanted).max())
    assert told >= float(best @ covariance @ best) * (1.0 - 1e-6)


@given(axes_pairs(), SEEDS)
@QUICK
def test_a_change_of_the_new_table_is_seen_no_better_than_the_old_data_saw_it(axes, seed):
    old, new = axes
    matrix, _ = information(seed, *old)
    basis = reading(old, new)
    nodes, after = resampled(matrix, np.arange(len(matrix)), basis, doubt_sd=0.01, reach_sd=REACH)
    part = basis.basis[:, nodes]
    assert is_no_more(after, part.T @ matrix @ part)
    assert largest(-after) <= 1e-9 * max(1.0, largest(after))


def test_between_new_nodes_the_engine_need_not_lie_on_the_straight_line():
    """One per cent known halfway, where tables bend by two, is the middle known to 1.7 %."""
    old, new = (axis(Channel.RPM, nodes) for nodes in ([1000, 2000, 3000], [1000, 3000]))
    load = axis(Channel.MAP, [30, 100])
    matrix = np.diag([0.0, 0.0, 0.01**-2, 0.0, 0.0, 0.0])  # 2000 rpm, 30 kPa
    basis = reading((old, load), (new, load))
    nodes, after = resampled(matrix, np.arange(6), basis, doubt_sd=0.02, reach_sd=REACH)
    assert nodes.tolist() == [0, 1, 2, 3]
    middle = np.array([0.5, 0.0, 0.5, 0.0])
    told = middle @ np.linalg.pinv(after, rcond=1e-10, hermitian=True) @ middle
    assert told == pytest.approx(0.01**2 + 0.5 * 0.02**2)


@given(SEEDS)
@QUICK
def test_finer_axes_know_the_old_nodes_as_well_and_nothing_else_by_themselves(seed):
    finer = axis(Channel.RPM, [1000, 1500, 2000, 3000, 3500, 4000, 5000])
    matrix, _ = information(seed)
    basis = reading((RPM, LOAD), (finer, LOAD))
    nodes, after = resampled(matrix, np.arange(SIZE), basis, doubt_sd=0.01, reach_sd=REACH)
    old_places = [finer.nodes.index(n) for n in RPM.nodes]
    expected = [r * len(LOAD) + c for r in old_places for c in range(len(LOAD))]
    assert nodes.tolist() == expected
    np.testing.assert_allclose(after, matrix, atol=1e-12 * largest(matrix))


def test_what_lay_outside_the_new_axes_is_free_and_not_moved_to_the_border():
    narrow = axis(Channel.RPM, [2000, 3000, 3500])
    matrix, _ = information(3)
    basis = reading((RPM, LOAD), (narrow, LOAD))
    outside = np.repeat([True, False, False, False, True], len(LOAD))
    _, after = resampled(matrix, np.arange(SIZE), basis, doubt_sd=0.0, reach_sd=REACH)
    kept = freed(matrix, outside, REACH)[np.ix_(~outside, ~outside)]
    np.testing.assert_allclose(after, kept, atol=1e-9 * largest(matrix))


def test_a_node_half_a_bin_outside_reads_the_border_with_more_doubt():
    wide = axis(Channel.MAP, [30, 50, 80, 110])
    read = reading((RPM, wide), (RPM, LOAD))
    last = read.basis.reshape(len(RPM), 4, len(RPM), 4)[2, 3, 2]
    assert last.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert read.off.reshape(len(RPM), 4)[2].tolist() == [0.0, 0.0, 0.0, 3.0]


def test_changed_axes_are_said_and_changing_back_loses_nothing():
    coarse = axis(Channel.RPM, [1000, 2500, 5000])
    before = make_coverage(make_run("a", 1))
    changed = before.on_axes(coarse, LOAD)
    assert any("other axes" in note for note in changed.notes())
    assert changed.knowledge().information[Cylinder.FRONT].shape == (12, 12)
    assert same(changed.on_axes(RPM, LOAD), before)
    hits = changed.knowledge().hits[Cylinder.FRONT].sum()
    assert hits == pytest.approx(before.knowledge().hits[Cylinder.FRONT].sum())


def test_runs_read_by_throttle_are_not_guessed_onto_pressure():
    tps = axis(Channel.TPS, [0, 30, 60, 100])
    coverage = make_coverage(make_run("a", load=tps))
    assert not coverage.knowledge().information[Cylinder.FRONT].any()
    assert any("another load" in note for note in coverage.notes())


@given(SEEDS, st.floats(0.0, 0.05))
@QUICK
def test_an_error_of_its_own_never_makes_a_value_better_known(seed, sd):
    matrix, _ = information(seed)
    assert is_no_more(blurred(matrix, np.full(SIZE, sd)), matrix)


@given(st.integers(0, 12), SEEDS)
@QUICK
def test_packing_is_exact(size, seed):
    half = np.random.default_rng(seed).normal(size=(size, size))
    matrix = half + half.T
    assert np.array_equal(unpacked(packed(matrix), size), matrix)


# Answers


def test_a_test_that_is_not_possible_here_may_be_possible_on_another_dyno():
    said = Feedback(Answer.NOT_POSSIBLE, "climb/3000", TestType.HOLD_CLIMB, dyno_signature="rig")
    coverage = make_coverage(dyno_signature="rig").answered(said)
    assert coverage.answered(said).feedback == (said,)
    assert coverage.impossible_here() == {TestType.HOLD_CLIMB}
    assert coverage.on_dyno("other").impossible_here() == frozenset()


# From an analysis


@pytest.fixture(scope="module")
def payload():
    world = World(seed=1, errors={"front": smooth_error(1), "rear": smooth_error(2)})
    return analyse(make(world), AnalysisSettings(axes=(PAPER_RPM, MAP)))


def test_a_run_keeps_what_its_analysis_knows(payload):
    run = run_coverage(payload, "a", VEHICLE, started="2026-11-22T01:00:00Z")
    assert run.simulated is payload.evidence.frame.simulated
    assert (run.rpm, run.load) == (PAPER_RPM, MAP)
    assert run.achieved.accepted == payload.accepted
    assert run.achieved.pulls == 3
    for cylinder, fit in payload.evidence.fits.items():
        part = run.cylinders[cylinder]
        place = {node: i for i, node in enumerate(fit.surface.nodes.tolist())}
        told = [place[node] for node in part.nodes]
        whole = fit.surface.information
        assert is_no_more(part.information, whole[np.ix_(told, told)])
        assert (np.delete(np.diag(whole), told) == 0.0).all()
        assert np.array_equal(part.hits, fit.surface.hits.ravel()[list(part.nodes)])


def test_what_no_sample_can_mend_stays_in_the_intervals(payload):
    """Air drawn back at idle widens its cells; ten runs alike must not talk that away."""
    fit = payload.evidence.fits[Cylinder.FRONT]
    run = run_coverage(payload, "a", VEHICLE).cylinders[Cylinder.FRONT]
    se = fit.surface.se.ravel()[list(run.nodes)]
    node = int(np.argmax(np.where(run.information.diagonal() > 0.0, se, 0.0)))
    assert run.information[node, node] <= 1.3 / se[node] ** 2


def test_transients_are_counted_by_events_and_not_by_steady_hits(payload):
    run = run_coverage(payload, "a", VEHICLE)
    tip_ins = [event for event in run.events if event.kind is Transient.TIP_IN]
    assert tip_ins
    assert all(low <= high for _, (low, high) in ((e.rpm, e.load) for e in tip_ins))
    coverage = empty_coverage(VEHICLE, run.simulated).merge(run).on_axes(PAPER_RPM, MAP)
    middle = tip_ins[0].rpm / 0.5  # a redline that puts the first one in the middle of the region
    events = coverage.knowledge(regions=place_regions(middle)).events
    assert events["tip_in"] >= 1
    assert set(events) == {"tip_in", "lift_off"}
    steady = make_coverage(make_run("a")).knowledge(regions=place_regions(6000.0))
    assert steady.events == {"tip_in": 0, "lift_off": 0}


def test_a_log_with_one_wideband_for_both_is_kept_as_such():
    frame = make(World(seed=4, errors={"front": smooth_error(1)}, sweeps=1, pulls=1, rolls=1))
    shared = frame.columns[Channel.LAMBDA_FRONT]
    columns = {c: v for c, v in frame.columns.items() if c is not Channel.LAMBDA_FRONT}
    columns[Channel.LAMBDA] = shared
    one = type(frame)(frame.time_s, columns, simulated=True)
    run = run_coverage(analyse(one, AnalysisSettings(axes=(PAPER_RPM, MAP))), "a", VEHICLE)
    assert list(run.cylinders) == [Cylinder.BOTH]
    assert run.cylinders[Cylinder.BOTH].nodes


def test_a_nobody_has_driven_vehicle_has_axes_and_one_table():
    knowledge = empty_coverage(VEHICLE).knowledge()
    assert isinstance(knowledge.rpm, Axis)
    assert list(knowledge.information) == [Cylinder.BOTH]
