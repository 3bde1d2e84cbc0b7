"""The engine's way through the map is remembered, looked up between windows, and never guessed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.live.path import KEPT, LONGEST_GAP, Path

CANDIDATES = 4


def straight(windows: int, heard=lambda i: True) -> Path:
    """Rpm and load rise by a tenth of a cell a window; the extra is the window's number."""
    path = Path(1, CANDIDATES)
    for i in range(windows):
        rpm = 0.1 * i if heard(i) else None
        path.push(i, rpm, 2.0 + 0.1 * i, (float(i),))
    return path


@given(st.integers(40, 300), st.floats(0.0, 20.0))
def test_a_place_is_found_where_the_engine_was(windows, shift):
    newest = windows - 1
    found = straight(windows).before(newest, shift)
    ago = shift + np.arange(CANDIDATES)[::-1]
    assert found[0] == pytest.approx(0.1 * (newest - ago))
    assert found[1] == pytest.approx(2.0 + 0.1 * (newest - ago))


def test_what_is_forgotten_or_never_was_is_unknown():
    path = straight(200)
    assert np.isnan(path.before(199 - KEPT, 0.0)).all()
    assert np.isnan(straight(3).before(2, 0.0)[0, 0])
    assert np.isnan(Path(1, CANDIDATES).before(5, 0.0)).all()


def test_windows_between_two_ticks_are_drawn_straight():
    path = straight(100, heard=lambda i: i % 4 == 3)
    assert path.known == 99
    assert path.before(97, 0.0)[0] == pytest.approx(0.1 * np.arange(94, 98))


def test_until_the_next_tick_the_last_windows_are_unknown():
    path = straight(99, heard=lambda i: i % 4 == 3)
    assert path.known == 95
    assert np.isnan(path.before(98, 0.0)[0]).any()


def test_a_long_gap_is_not_drawn_over():
    gap = range(50, 50 + LONGEST_GAP + 1)
    path = straight(100, heard=lambda i: i not in gap)
    assert np.isnan(path.before(55, 0.0)[0]).all()
    assert np.isfinite(path.before(99, 0.0)[0]).all()


def test_a_jump_of_time_leaves_nothing_to_read():
    path = straight(100)
    path.push(5000, 1.0, 2.0, (0.0,))
    assert np.isnan(path.before(5000, 0.0)[0, :-1]).all()
    path.push(17, 1.0, 2.0, (0.0,))
    assert path.before(17, 0.0)[0, -1] == 1.0


def test_what_goes_with_a_window_counts_for_the_one_before_it():
    assert straight(100).before(98, 0.0)[2].tolist() == [96.0, 97.0, 98.0, 99.0]
