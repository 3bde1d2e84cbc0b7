"""A single cause leaves its shape, and the shape names it; confidence is a probability."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.accuracy import SINGLE_FAULTS, cause_trials
from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.cause_tree import confidence
from dynoai_desktop.core.analysis.findings import bayes
from dynoai_desktop.core.analysis.hypotheses import HYPOTHESES
from dynoai_desktop.core.analysis.patterns import PATTERNS, Nodes, explain
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.channels import Channel, Cylinder
from tests.analysis_world import MAP, RPM, World, make, no_error, smooth_error

SETTINGS = AnalysisSettings(axes=(RPM, MAP))
SEEDS = 3  # the full run is behind `bench --truth`


def nodes(y_of, seed=1, se=0.004) -> Nodes:
    """Return both cylinders' nodes of a well visited table with an error given by a function."""
    rng = np.random.default_rng(seed)
    r, m = (a.ravel() for a in np.meshgrid(RPM.nodes[2:], MAP.nodes[1:], indexing="ij"))
    names = (Cylinder.FRONT,) * r.size + (Cylinder.REAR,) * r.size
    rpm, load = np.concatenate((r, r)), np.concatenate((m, m))
    front = np.arange(rpm.size) < r.size
    y = y_of(rpm, load, front) + rng.normal(0, se, rpm.size)
    return Nodes(names, rpm, load, y, np.eye(rpm.size) * se**2)


def flow(rpm, load):
    return rpm * load / 600_000.0


CAUSES = {
    "fuel_scale": lambda r, m, f: np.full(r.size, 0.06),
    "dead_time": lambda r, m, f: 0.04 * np.minimum(30.0 / m, 3.0),
    "weak_pump": lambda r, m, f: 0.12 * np.maximum(flow(r, m) - 0.65, 0.0) / 0.35,
    "leak_front": lambda r, m, f: f * 0.15 * (25_200.0 / (r * m)) ** 0.7,
    "offset_rear": lambda r, m, f: ~f * 0.05,
    "misfire_front": lambda r, m, f: f * 0.15 * (m / 100.0) ** 3,
}


@pytest.mark.parametrize("key", CAUSES)
def test_each_shape_is_told_from_the_others(key):
    for seed in range(SEEDS):
        found, _ = explain(nodes(CAUSES[key], seed))
        best = max(found, key=lambda e: e.probability)
        assert best.key == key
        assert best.probability > 0.6


def test_a_perfect_table_blames_nobody():
    for seed in range(SEEDS):
        found, shaped = explain(nodes(lambda r, m, f: np.zeros(r.size), seed))
        assert max(e.probability for e in found) < 0.3
        assert shaped < 0.1


def test_a_mistuned_table_is_called_mistuned():
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        a, b = rng.uniform(0, 6, 2)

        def mistuned(r, m, f, a=a, b=b):
            return 0.06 * np.sin(r / 700 + a) * np.cos(m / 15 + b)

        _, shaped = explain(nodes(mistuned, seed))
        assert shaped > 0.9


def test_all_probabilities_are_shares_of_one():
    found, shaped = explain(nodes(CAUSES["weak_pump"]))
    assert sum(e.probability for e in found) <= 1.0 + 1e-9
    assert all(0.0 <= e.probability <= 1.0 for e in found)
    assert 0.0 <= shaped <= 1.0


def test_a_lean_cause_is_not_blamed_for_a_rich_table():
    found, _ = explain(nodes(lambda r, m, f: -CAUSES["weak_pump"](r, m, f)))
    assert next(e for e in found if e.key == "weak_pump").probability < 0.02


@pytest.mark.parametrize("size", [0.01, 0.02, 0.04, 0.08])
def test_more_of_the_same_never_lowers_confidence(size):
    less, _ = explain(nodes(lambda r, m, f: ~f * size))
    more, _ = explain(nodes(lambda r, m, f: ~f * size * 1.5))
    here = next(e for e in less if e.key == "offset_rear")
    there = next(e for e in more if e.key == "offset_rear")
    assert there.probability >= here.probability - 1e-6


@given(st.floats(-5, 50), st.floats(0, 20), st.floats(0.01, 5), st.floats(0.1, 20))
def test_a_larger_effect_never_counts_less(effect, more, se, likely):
    assert bayes(effect + more, se, likely) >= bayes(effect, se, likely) - 1e-9


@given(st.floats(-1e3, 1e3))
def test_confidence_is_a_probability(log_odds):
    assert 0.0 <= confidence(log_odds) <= 1.0


def test_every_row_of_the_table_can_be_told_apart_by_a_test():
    ids = [row.hypothesis_id for row in HYPOTHESES]
    assert len(ids) == len(set(ids))
    keys = {p.key for p in PATTERNS} | {"table_shape"}
    for row in HYPOTHESES:
        assert row.checks
        assert (row.pattern is None) != (row.detect is None)
        assert row.pattern is None or row.pattern in keys
    assert {i for ids in SINGLE_FAULTS.values() for i in ids} <= set(ids)


def test_a_clean_session_has_no_likely_cause():
    payload = analyse(
        make(World(seed=1, errors={"front": no_error(), "rear": no_error()})), SETTINGS
    )
    assert not [c for c in payload.causes.causes if c.confidence > 0.5]
    assert payload.causes.summary == "Nothing stands out."


def test_tip_in_is_judged_by_the_openings_themselves():
    # It was once judged by surfaces that exclude every opening.
    frame = make(
        World(seed=2, errors={"front": no_error(), "rear": no_error()}, pulls=4, pipe_s=0.02)
    )
    rpm, tps = frame.columns[Channel.RPM], frame.columns[Channel.TPS]
    opening = np.zeros(len(frame), bool)
    opening[1:] = np.diff(np.convolve(tps, np.ones(5) / 5, "same")) > 2.0
    spread = np.convolve(opening, np.ones(25), "full")[: len(frame)] > 0
    lean = {
        c: np.where(spread & (rpm < 3000), v * 1.12, v)
        for c, v in frame.columns.items()
        if c in (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR)
    }
    causes = analyse(frame.with_columns(lean), SETTINGS).causes.causes
    found = next(c for c in causes if c.hypothesis_id == "transient_tipin_lean")
    assert found.confidence > 0.7
    assert found.effect > 2.0
    assert found.supports


def test_evidence_is_said_in_words_with_numbers():
    errors = {"front": np.full((len(RPM), len(MAP)), 0.08), "rear": smooth_error(3) * 0 + 0.08}
    payload = analyse(make(World(seed=3, errors=errors)), SETTINGS)
    cause = next(c for c in payload.causes.causes if c.hypothesis_id == "fuel_scale")
    assert 1 <= len(cause.supports) <= 3
    assert any("lean" in words and "%" in words for words in cause.supports)


def test_power_that_is_not_torque_times_speed_is_a_wrong_setting():
    frame = make(World(seed=4, errors={"front": no_error()}))
    scaled = frame.with_columns({Channel.POWER: frame.columns[Channel.POWER] * 1.15})
    for log, expected in ((frame, False), (scaled, True)):
        causes = {c.hypothesis_id: c.confidence for c in analyse(log, SETTINGS).causes.causes}
        assert (causes.get("power_scaling", 0.0) > 0.7) is expected


@pytest.mark.parametrize("trims", [True, False])
@pytest.mark.parametrize("closed", [True, False])
def test_a_closed_loop_without_its_trims_is_warned_of(closed, trims):
    errors = {"front": np.full((len(RPM), len(MAP)), 0.08)}
    frame = make(World(seed=5, errors=errors, closed_loop=closed))
    if not trims:
        kept = {c: v for c, v in frame.columns.items() if c is not Channel.STFT_FRONT}
        frame = replace(frame, columns=kept)
    codes = {w.code for w in analyse(frame, SETTINGS).warnings}
    assert ("closed_loop_without_trims" in codes) is (closed and not trims)


def test_an_open_loop_with_cells_at_stoichiometric_is_not_taken_for_a_closed_one():
    for seed in range(SEEDS):
        frame = make(World(seed=seed, errors={"front": smooth_error(seed)}))
        codes = {w.code for w in analyse(frame, SETTINGS).warnings}
        assert "closed_loop_without_trims" not in codes


@pytest.mark.parametrize(
    ("fault", "profile"),
    [
        ("exhaust_leak", "m8-114"),
        ("slipping_clutch", "m8-114"),
        ("slipping_clutch", "four-600"),
        ("map_carries_baro", "m8-114"),
    ],
)
def test_a_simulated_fault_is_among_the_first_two(fault, profile):
    (trial,) = cause_trials([7], [fault], profile)
    assert trial.in_top_two, trial.ranking
