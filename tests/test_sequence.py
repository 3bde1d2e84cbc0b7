"""Loss figures are exact, whatever the network does to the order of things."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.capture.sequence import SequenceTracker, Tally, Verdict


def frame(number: int) -> tuple[int, bytes]:
    """Return the sequence number and the bytes of the sender's n-th frame."""
    return number % 256, b"the frame %d" % number


def deliver(numbers: Iterable[int]) -> SequenceTracker:
    """Let frames arrive in this order."""
    tracker = SequenceTracker(Tally())
    for number in numbers:
        tracker.accept(*frame(number))
    return tracker


def figures(tally: Tally) -> tuple[int, int, int]:
    return tally.lost, tally.duplicates, tally.out_of_order


def truth(numbers: list[int]) -> tuple[int, int, int]:
    """Count by looking at the true frame numbers, which no receiver knows."""
    seen: set[int] = set()
    newest, duplicates, late = numbers[0], 0, 0
    for number in numbers:
        if number in seen:
            duplicates += 1
        elif number < newest:
            late += 1
        seen.add(number)
        newest = max(newest, number)
    lost = sum(n not in seen for n in range(numbers[0], newest))
    return lost, duplicates, late


def test_an_undisturbed_stream_loses_nothing_however_often_the_numbers_start_over() -> None:
    assert figures(deliver(range(200, 1500)).tally) == (0, 0, 0)


@pytest.mark.parametrize("gap", [1, 2, 126, 127, 128, 129, 200, 254, 255])
@pytest.mark.parametrize("start", [40, 250, 511])
def test_a_gap_of_any_length_below_a_round_is_counted_exactly(gap: int, start: int) -> None:
    numbers = [*range(start), *range(start + gap, start + gap + 300)]
    assert figures(deliver(numbers).tally) == (gap, 0, 0)


def test_a_gap_across_the_wrap_is_loss_and_not_disorder() -> None:
    numbers = [n for n in range(600) if not 253 <= n % 256 <= 255]
    assert figures(deliver(numbers).tally) == (6, 0, 0)


def test_a_late_frame_takes_the_loss_back() -> None:
    tracker = deliver([0, 1, 4, 5])
    assert figures(tracker.tally) == (2, 0, 0)
    assert tracker.accept(*frame(2)) is Verdict.LATE
    assert figures(tracker.tally) == (1, 0, 1)
    assert tracker.accept(*frame(6)) is Verdict.IN_ORDER


def test_a_frame_that_overtook_the_first_one_heard_is_no_loss() -> None:
    assert figures(deliver([6, 5, *range(7, 300)]).tally) == (0, 0, 1)


def test_the_same_bytes_again_are_a_duplicate_and_count_once() -> None:
    assert figures(deliver([0, 1, 1, 2, 0, 3, 3, 3]).tally) == (0, 4, 0)


def test_a_copy_that_comes_after_half_a_round_is_still_a_duplicate() -> None:
    assert figures(deliver([*range(200), 10, *range(200, 300)]).tally) == (0, 1, 0)


def test_frames_that_look_alike_in_every_round_are_not_taken_for_copies() -> None:
    tracker = SequenceTracker(Tally())
    for number in [*range(300), *range(305, 600)]:
        tracker.accept(number % 256, bytes((6, 0, 0, 1, 0, number % 256, 255, 255)))
    assert figures(tracker.tally) == (5, 0, 0)


def test_a_stray_number_does_not_turn_into_hundreds_of_losses() -> None:
    tracker = deliver(range(100))
    tracker.accept(80, b"the hundredth frame, its number damaged on the way")
    for number in range(101, 400):
        tracker.accept(*frame(number))
    assert figures(tracker.tally) == (1, 0, 1)


def test_a_stray_number_ahead_does_not_either() -> None:
    tracker = deliver(range(100))
    tracker.accept(132, b"the hundredth frame, its number damaged on the way")
    for number in range(101, 400):
        tracker.accept(*frame(number))
    assert tracker.tally.lost == 1
    assert tracker.tally.duplicates == 0


def test_a_restart_owes_nothing_to_the_line_before() -> None:
    tracker = deliver(range(100))
    seq, data = 3, b"first of the new life"
    assert tracker.accept(seq, data) is Verdict.AHEAD
    tracker.restart(seq, data)
    tracker.accept(4, b"second")
    tracker.accept(6, b"fourth")
    assert figures(tracker.tally) == (1, 0, 0)


def test_tallies_add_up() -> None:
    total = Tally(frames=1, lost=2, samples=3)
    total.add(Tally(frames=10, lost=20, duplicates=5, restarts=1))
    assert total == Tally(11, 22, 5, 0, 0, 3, 1)


@given(
    st.integers(0, 600),
    st.lists(
        st.tuples(
            st.integers(1, 40),  # frames that arrive in order
            st.integers(0, 100),  # frames that never arrive after them
            st.integers(0, 12),  # by how many frames one of the next is late
            st.integers(0, 60),  # of which age a frame comes again
        ),
        min_size=1,
        max_size=25,
    ),
)
def test_counts_equal_the_truth_for_any_mixture_of_faults(
    start: int, stretches: list[tuple[int, int, int, int]]
) -> None:
    numbers: list[int] = []
    number = start
    for in_order, missing, delay, age in stretches:
        stretch = list(range(number, number + in_order + delay))
        if delay:
            stretch.append(stretch.pop(in_order - 1))
        numbers += stretch
        if age and len(numbers) > age and max(numbers) - numbers[-age] < 255:
            numbers.append(numbers[-age])
        number += in_order + delay + missing
    assert figures(deliver(numbers).tally) == truth(numbers)
