"""The live map against known truth. The full runs are a hundred seeds of the same functions."""

from __future__ import annotations

from dynoai_desktop.core.live.trials import (
    FULL_SEEDS,
    alignment_accuracy,
    cell_accuracy,
    transient_pulls,
)

SEEDS = range(6)  # FULL_SEEDS for the figures of the README


def test_alignment_more_than_halves_the_error_of_transient_pulls():
    found = alignment_accuracy(SEEDS)
    assert found.mean_error < 0.5 * found.unaligned_error


def test_intervals_hold_what_they_promise_in_mixed_sessions():
    found = cell_accuracy(SEEDS)
    assert found.cells > 300
    assert 0.90 <= found.coverage <= 0.98


def test_intervals_hold_what_they_promise_after_pulls_alone():
    """Few cells, so the share scatters by two percent with this many seeds."""
    found = cell_accuracy(SEEDS, transient_pulls)
    assert found.coverage >= 0.90


def test_the_full_run_is_a_hundred_seeds():
    assert FULL_SEEDS >= 100
