"""The ring buffer keeps the newest samples and never hides what it lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.ring_buffer import SampleRing, Samples


def samples(values: range) -> Samples:
    numbers = np.array(values, np.int64)
    return Samples(numbers * 10, numbers * 10 + 1, (numbers % 7).astype(np.int32), numbers * 1.0)


def test_a_reader_that_keeps_up_sees_every_sample_in_order() -> None:
    ring, position, seen = SampleRing(100), 0, []
    for start in range(0, 1000, 40):
        ring.write(samples(range(start, start + 40)))
        batch, position, missed = ring.since(position)
        assert missed == 0
        seen.extend(batch.value.tolist())
    assert seen == list(range(1000))


def test_a_reader_that_falls_behind_is_told_how_many_it_missed() -> None:
    ring = SampleRing(100)
    ring.write(samples(range(250)))
    batch, position, missed = ring.since(0)
    assert (missed, position) == (150, 250)
    assert batch.value.tolist() == list(range(150, 250))


def test_latest_returns_what_there_is_when_asked_for_more() -> None:
    ring = SampleRing(100)
    ring.write(samples(range(5)))
    assert ring.latest(50).value.tolist() == [0, 1, 2, 3, 4]


def test_what_was_read_does_not_change_when_the_ring_goes_round() -> None:
    ring = SampleRing(10)
    ring.write(samples(range(10)))
    batch, _, _ = ring.since(0)
    ring.write(samples(range(10, 20)))
    assert batch.value.tolist() == list(range(10))


@given(st.integers(1, 50), st.lists(st.integers(0, 80), max_size=12), st.integers(0, 400))
def test_every_sample_is_either_read_or_counted_as_missed(capacity, batches, position) -> None:
    ring, total = SampleRing(capacity), 0
    for count in batches:
        ring.write(samples(range(total, total + count)))
        total += count
    position = min(position, total)
    batch, following, missed = ring.since(position)
    assert following == total
    assert missed + len(batch) == total - position
    assert batch.value.tolist() == list(range(total - len(batch), total))
    assert batch.time_us.tolist() == [10 * v for v in range(total - len(batch), total)]


def test_a_ring_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        SampleRing(0)
