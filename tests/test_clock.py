"""A sample's time is right, and never later than its arrival."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.capture.clock import ClockEvent, ProviderClock, wire_clock_ms

T0 = 1_700_000_000_000_000
MS, SECOND = 1000, 1_000_000


def observe(
    clock: ProviderClock, stamp_ms: int, arrival_us: int, jumped: bool = False
) -> tuple[int, ClockEvent]:
    """Hear one sample; return when it was measured by our clock."""
    raw = stamp_ms % 2**32
    shift_us, event = clock.observe(np.array([raw], np.uint32), arrival_us, jumped)
    return raw * 1000 + shift_us, event


class Provider:
    """A clock that started at *started_us* of our time and runs *ppm* too fast."""

    def __init__(self, started_us: int = T0, ppm: float = 0.0) -> None:
        self.started_us, self.rate = started_us, 1 + ppm * 1e-6

    def stamp_ms(self, time_us: int) -> int:
        return int((time_us - self.started_us) * self.rate) // 1000

    def pong(self, clock: ProviderClock, sent_us: int, there_us: int, back_us: int) -> None:
        """Answer a ping sent then, with these delays there and back."""
        stamp = self.stamp_ms(sent_us + there_us) % 2**32
        clock.pong(stamp, wire_clock_ms(sent_us), sent_us + there_us + back_us)


@given(
    st.integers(0, 2**31),
    st.lists(st.integers(0, 40 * MS), min_size=5, max_size=60),
    st.sampled_from([-100.0, 0.0, 100.0]),
)
def test_unsynced_samples_lie_within_the_smallest_delay_and_keep_their_spacing(
    uptime_ms: int, delays: list[int], ppm: float
) -> None:
    clock, provider = ProviderClock(), Provider(T0 - uptime_ms * MS, 0.0)
    provider.rate = 1 + ppm * 1e-6
    heard = []
    for n, delay in enumerate(delays):
        measured_us = T0 + n * 100 * MS
        stamp = provider.stamp_ms(measured_us)
        time_us, event = observe(clock, stamp, measured_us + delay)
        assert event is ClockEvent.IN_LINE
        assert time_us <= measured_us + delay
        heard.append((stamp, time_us, measured_us))
    assert not clock.synced
    floor_index = int(np.argmin(delays))
    after = heard[floor_index:]
    # drift over the ten seconds of memory, and the millisecond of the stamp
    tolerance_us = min(delays) + 2 * MS + int(10e6 * abs(ppm) * 1e-6)
    assert all(-1 * MS <= time_us - true_us <= tolerance_us for _, time_us, true_us in after[:1])
    for (stamp_a, time_a, _), (stamp_b, time_b, _) in pairwise(after):
        assert time_b - time_a <= (stamp_b - stamp_a) * MS + 40 * MS
    within_memory = [h for h in after if h[2] - after[0][2] < 5 * SECOND]
    if ppm == 0.0:
        for (stamp_a, time_a, _), (stamp_b, time_b, _) in pairwise(within_memory):
            assert abs((time_b - time_a) - (stamp_b - stamp_a) * MS) <= 1 * MS


@given(
    st.integers(0, 2**31),
    st.lists(
        st.tuples(st.integers(50, 30 * MS), st.integers(50, 30 * MS)), min_size=1, max_size=20
    ),
    st.sampled_from([-100.0, -20.0, 0.0, 20.0, 100.0]),
)
def test_a_synced_clock_is_right_within_half_the_best_round_trip_and_the_drift(
    uptime_ms: int, trips: list[tuple[int, int]], ppm: float
) -> None:
    clock, provider = ProviderClock(), Provider(T0, ppm)
    provider.started_us = T0 - uptime_ms * MS
    base_us = T0
    for n, (there, back) in enumerate(trips):
        sent_us = base_us + n * 10 * SECOND
        provider.pong(clock, sent_us, there, back)
        measured_us = sent_us + 5 * SECOND
        true_offset_us = measured_us - int((measured_us - provider.started_us) * provider.rate)
        observe(clock, provider.stamp_ms(measured_us), measured_us + 300)
        assert clock.synced
        assert clock.offset_us is not None
        recent = trips[max(0, n - 7) : n + 1]
        half_trip_us = min(a + b for a, b in recent) // 2
        drift_us = abs(ppm) * 85
        assert abs(clock.offset_us - true_offset_us) <= half_trip_us + drift_us + 3 * MS


def test_offset_and_latency_come_from_the_same_pong() -> None:
    clock, provider = ProviderClock(), Provider()
    provider.pong(clock, T0 + SECOND, 200, 200)
    best = clock.offset_us, clock.latency_us
    for n in range(2, 8):
        provider.pong(clock, T0 + n * 10 * SECOND, 100, 30 * MS)  # slow and lopsided
        assert (clock.offset_us, clock.latency_us) == best
    assert best[0] == pytest.approx(T0, abs=1.5 * MS)
    provider.pong(clock, T0 + 80 * SECOND, 100, 30 * MS)
    provider.pong(clock, T0 + 90 * SECOND, 100, 30 * MS)
    assert (clock.offset_us, clock.latency_us) != best  # the ninth pong drives out the first


def test_pongs_of_long_ago_are_not_trusted_for_ever() -> None:
    clock, provider = ProviderClock(), Provider(ppm=100)
    provider.pong(clock, T0 + SECOND, 100, 100)
    observe(clock, provider.stamp_ms(T0 + 100 * SECOND), T0 + 100 * SECOND)
    assert clock.synced
    observe(clock, provider.stamp_ms(T0 + 200 * SECOND), T0 + 200 * SECOND)
    assert not clock.synced


def test_a_pong_on_another_clock_than_the_samples_is_not_used() -> None:
    clock, samples, pongs = ProviderClock(), Provider(T0), Provider(T0 - 3600 * SECOND)
    observe(clock, samples.stamp_ms(T0 + SECOND), T0 + SECOND)
    pongs.pong(clock, T0 + 2 * SECOND, 100, 100)
    time_us, event = observe(clock, samples.stamp_ms(T0 + 3 * SECOND), T0 + 3 * SECOND)
    assert not clock.synced
    assert event is ClockEvent.IN_LINE
    assert time_us == T0 + 3 * SECOND


def test_a_pong_before_the_first_sample_is_no_mark_to_fall_behind() -> None:
    clock, samples, pongs = ProviderClock(), Provider(T0), Provider(T0 - 3600 * SECOND)
    pongs.pong(clock, T0 + SECOND, 100, 100)
    for n in range(3):
        arrival_us = T0 + (2 + n) * SECOND
        assert observe(clock, samples.stamp_ms(arrival_us), arrival_us)[1] is ClockEvent.IN_LINE


def test_an_answer_to_no_recent_question_is_ignored() -> None:
    clock = ProviderClock()
    clock.pong(1000, wire_clock_ms(T0 - 11 * SECOND), T0)
    clock.pong(1000, wire_clock_ms(T0 + 2 * SECOND), T0)
    assert clock.offset_us is None
    assert not clock.synced


def test_the_wrap_after_49_days_moves_nothing() -> None:
    clock, started_us = ProviderClock(), T0 - (2**32 - 2000) * MS
    for n in range(40):
        measured_us = T0 + n * 100 * MS
        time_us, event = observe(clock, (measured_us - started_us) // MS, measured_us + 300)
        assert event is ClockEvent.IN_LINE
        assert time_us == measured_us + 300 if n == 0 else abs(time_us - measured_us) <= MS


def test_our_own_ping_clock_wraps_too() -> None:
    wrap_us = (T0 // MS // 2**32 + 1) * 2**32 * MS
    clock, provider = ProviderClock(), Provider(wrap_us - 5 * SECOND)
    provider.pong(clock, wrap_us - 200, 200, 200)
    assert clock.synced
    assert clock.offset_us == pytest.approx(wrap_us - 5 * SECOND, abs=2 * MS)


def test_a_clock_that_starts_again_is_a_restart_at_the_second_sign() -> None:
    clock = ProviderClock()
    observe(clock, 90_000, T0)
    time_us, event = observe(clock, 100, T0 + 50 * MS)
    assert event is ClockEvent.DOUBTFUL
    assert time_us == T0 + 50 * MS  # placed at its arrival until we know
    assert observe(clock, 150, T0 + 100 * MS)[1] is ClockEvent.RESTARTED
    assert observe(clock, 200, T0 + 150 * MS) == (T0 + 150 * MS, ClockEvent.IN_LINE)


def test_a_clock_that_starts_again_with_a_break_in_the_numbers_is_a_restart_at_once() -> None:
    clock = ProviderClock()
    observe(clock, 90_000, T0)
    assert observe(clock, 100, T0 + 50 * MS, jumped=True)[1] is ClockEvent.RESTARTED


def test_a_restart_forgets_the_pongs_of_the_former_life() -> None:
    clock, provider = ProviderClock(), Provider()
    provider.pong(clock, T0 + 60 * SECOND, 100, 100)
    observe(clock, 61_000, T0 + 61 * SECOND)
    assert clock.synced
    observe(clock, 100, T0 + 62 * SECOND, jumped=True)
    assert not clock.synced
    assert clock.offset_us == T0 + 62 * SECOND - 100 * MS


def test_a_clock_that_is_set_ahead_is_believed_at_the_second_sign_and_is_no_restart() -> None:
    clock = ProviderClock()
    observe(clock, 1_000, T0)
    assert observe(clock, 61_000, T0 + 50 * MS)[1] is ClockEvent.DOUBTFUL
    assert observe(clock, 61_050, T0 + 100 * MS)[1] is ClockEvent.SET
    assert observe(clock, 61_100, T0 + 150 * MS) == (T0 + 150 * MS, ClockEvent.IN_LINE)


@given(st.integers(0, 31), st.integers(0, 2**32 - 1))
def test_one_damaged_stamp_moves_no_other_sample(bit: int, uptime_ms: int) -> None:
    clock, started_us = ProviderClock(), T0 - uptime_ms * MS
    for n in range(100):
        measured_us = T0 + n * 50 * MS
        stamp = (measured_us - started_us) // MS
        if n == 50:
            stamp ^= 1 << bit
        time_us, event = observe(clock, stamp, measured_us + 300)
        assert event is not ClockEvent.RESTARTED
        assert time_us <= measured_us + 300 or n == 50
        if n != 50:
            assert abs(time_us - measured_us) <= (2 * MS if n < 50 or bit < 1 else SECOND + 2 * MS)
        if n != 50 and 1 << bit > 1000:
            assert abs(time_us - measured_us) <= 2 * MS


def test_a_stalled_receiver_is_no_restart() -> None:
    clock = ProviderClock()
    for n in range(20):
        observe(clock, 1000 + n * 50, T0 + n * 50 * MS)
    for n in range(20, 80):  # three seconds of datagrams read at once
        time_us, event = observe(clock, 1000 + n * 50, T0 + 80 * 50 * MS + n)
        assert event is ClockEvent.IN_LINE
        assert time_us == T0 + n * 50 * MS


def test_forgetting_begins_anew() -> None:
    clock, provider = ProviderClock(), Provider()
    provider.pong(clock, T0 + SECOND, 100, 100)
    observe(clock, 2000, T0 + 2 * SECOND)
    clock.forget()
    fresh = ProviderClock()
    assert observe(clock, 3000, T0 + 3 * SECOND) == observe(fresh, 3000, T0 + 3 * SECOND)
    assert clock.offset_us == fresh.offset_us
    assert not clock.synced
