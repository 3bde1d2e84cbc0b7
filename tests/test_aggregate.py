"""50 ms windows: complete, on time, and the same however the datagrams came in."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.aggregate import GRACE_US, SETTLE_US, UNMAPPED, Batch, WindowStage
from dynoai_desktop.core.channels import CARRIED_INDEX, Channel
from dynoai_desktop.core.samples import WINDOW_US

RPM = CARRIED_INDEX[Channel.RPM]
IAT = CARRIED_INDEX[Channel.IAT]
GEAR = CARRIED_INDEX[Channel.GEAR_RATIO]
START = 1_700_000_000_000_000 // WINDOW_US * WINDOW_US


def batch(rows, provider=0):
    """Rows are (slot, sample time, arrival, value), times in µs after START."""
    slot, time_us, arrival_us, value = zip(*rows, strict=True)
    n = len(rows)
    return Batch(
        np.array(slot, np.int64),
        np.full(n, provider, np.int64),
        START + np.array(time_us, np.int64),
        START + np.array(arrival_us, np.int64),
        np.array(value, np.float64),
        np.ones(n, np.bool_),
    )


def flushes(seconds, flush_ms=50, phase_ms=13, step_ms=10, provider=0):
    """A provider that sends every flush_ms what it measured every step_ms."""
    out, step = [], 0
    for arrival in range(phase_ms, seconds * 1000, flush_ms):
        rows = []
        while step * step_ms <= arrival - 2:
            rows.append((RPM, step * step_ms * 1000, arrival * 1000, 1000.0 + step))
            step += 1
        if rows:
            out.append(batch(rows, provider))
    return out


def run(batches, until_us):
    stage, closed = WindowStage(), []
    stage.begin(int(batches[0].arrival_us[0]))
    for item in batches:
        closed += stage.feed(item, (), int(item.arrival_us[-1]))
    closed += stage.feed(None, (), START + until_us)
    return [a for a in closed if a.start_s >= START / 1e6], stage


def test_a_window_holds_the_mean_of_what_was_measured_in_it() -> None:
    closed, _ = run([batch([(RPM, 1000, 2000, 10.0), (RPM, 49_999, 50_000, 20.0)])], 1_000_000)
    assert closed[0].means[Channel.RPM] == 15.0
    assert closed[0].start_s == START / 1e6


def test_a_state_takes_its_last_value_not_a_mean_of_two_states() -> None:
    closed, _ = run([batch([(GEAR, 1000, 2000, 3.0), (GEAR, 2000, 2500, 4.0)])], 1_000_000)
    assert closed[0].means[Channel.GEAR_RATIO] == 4.0


def test_silence_closes_windows_on_time_and_invents_nothing() -> None:
    closed, _ = run([batch([(RPM, 0, 1000, 900.0)])], 1_000_000)
    assert len(closed) == (1_000_000 - GRACE_US) // WINDOW_US
    assert all(not a.means and a.sample_count == 0 for a in closed[1:])


def test_unmapped_samples_are_counted_and_not_shown() -> None:
    closed, _ = run([batch([(UNMAPPED, 1000, 2000, 5.0), (RPM, 1000, 2000, 900.0)])], 500_000)
    assert closed[0].sample_count == 2
    assert dict(closed[0].means) == {Channel.RPM: 900.0}


def test_a_regular_provider_closes_its_windows_without_waiting_for_the_grace() -> None:
    stage, delays = WindowStage(), []
    for item in flushes(4):
        arrival_us = int(item.arrival_us[-1])
        closed = stage.feed(item, (), arrival_us + SETTLE_US)
        delays += [arrival_us - (aggregate.index + 1) * WINDOW_US for aggregate in closed]
    # The flush 13 ms after a window's end carries the rest of that window.
    assert np.median(delays[40:]) == 13_000


def test_no_sample_of_a_flushing_provider_is_late() -> None:
    for phase in range(0, 50, 7):
        closed, stage = run(flushes(3, phase_ms=phase + 2), 4_000_000)
        assert stage.late_samples == 0
        assert sum(a.sample_count for a in closed) == sum(
            len(b.slot) for b in flushes(3, phase_ms=phase + 2)
        )


def test_a_provider_that_falls_silent_does_not_hold_up_the_others() -> None:
    both = sorted(
        [*flushes(2, provider=1), *flushes(4)], key=lambda b: (b.arrival_us[0], b.provider[0])
    )
    closed, stage = run(both, 5_000_000)
    assert stage.late_samples == 0
    at_three_s = [a for a in closed if abs(a.start_s - START / 1e6 - 3) < 1e-6]
    assert Channel.RPM in at_three_s[0].means


def test_a_late_sample_moves_nothing_that_is_known_better() -> None:
    rows = [batch([(RPM, t * 1000, t * 1000 + 500, 900.0)]) for t in range(0, 1000, 10)]
    late = batch([(RPM, 10_000, 1_000_000, 5000.0)])
    closed, stage = run([*rows, late], 1_200_000)
    assert stage.late_samples == 1
    assert {a.means[Channel.RPM] for a in closed if a.means} >= {900.0}
    assert all(a.means.get(Channel.RPM, 900.0) in (900.0, 5000.0) for a in closed)
    on_time = [a for a in closed if a.start_s < START / 1e6 + 0.999]
    assert all(a.means[Channel.RPM] == 900.0 for a in on_time)


def test_a_slow_provider_that_is_always_late_is_still_read() -> None:
    fast = flushes(4)
    slow = [
        batch([(IAT, (t - 500) * 1000, t * 1000, 33.0)], provider=1) for t in range(700, 4000, 500)
    ]
    both = sorted([*fast, *slow], key=lambda b: (b.arrival_us[0], b.provider[0]))
    closed, _ = run(both, 5_000_000)
    assert sum(Channel.IAT in a.means for a in closed) == len(slow)


def test_losses_belong_to_the_window_that_was_open() -> None:
    stage = WindowStage()
    stage.feed(None, [(START + 60_000, 3)], START + 60_000)
    closed = stage.feed(None, (), START + 400_000)
    assert {round(a.start_s - START / 1e6, 3): a.lost for a in closed if a.lost} == {-0.05: 3}


def test_a_clock_that_jumps_by_years_does_not_produce_years_of_windows() -> None:
    stage = WindowStage()
    stage.feed(batch([(RPM, 0, 1000, 900.0)]), (), START + 1000)
    stage.feed(None, (), START + 1_000_000)
    closed = stage.feed(None, (), START + 10 * 365 * 86_400 * 1_000_000)
    assert len(closed) < 5


def _pieces(batches, cuts):
    rows = Batch.join(batches)
    # Only whole datagrams can be separated, so cut where the arrival changes.
    edges = np.flatnonzero(np.diff(rows.arrival_us)) + 1
    chosen = sorted({int(edges[c % len(edges)]) for c in cuts})
    bounds = [0, *chosen, len(rows.slot)]
    index = np.arange(len(rows.slot))
    return [rows.where((index >= a) & (index < b)) for a, b in pairwise(bounds)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 500), max_size=30), st.lists(st.integers(0, 3000), max_size=20))
def test_batching_and_timers_never_change_a_window(cuts, ticks_ms) -> None:
    batches = sorted(
        [*flushes(2), *flushes(2, flush_ms=37, step_ms=9, provider=1)],
        key=lambda b: (b.arrival_us[0], b.provider[0]),
    )
    expected, _ = run(batches, 3_000_000)
    stage, closed, ticks = WindowStage(), [], sorted(START + t * 1000 for t in ticks_ms)
    stage.begin(int(batches[0].arrival_us[0]))
    for piece in _pieces(batches, cuts):
        while ticks and ticks[0] < piece.arrival_us[0]:
            closed += stage.feed(None, (), ticks.pop(0))
        closed += stage.feed(piece, (), int(piece.arrival_us[-1]))
        ticks = [t for t in ticks if t >= piece.arrival_us[-1]]
    closed += stage.feed(None, (), START + 3_000_000)
    assert [a for a in closed if a.start_s >= START / 1e6] == expected


def test_an_aggregate_cannot_be_changed_by_whoever_receives_it() -> None:
    closed, _ = run([batch([(RPM, 1000, 2000, 10.0)])], 500_000)
    with pytest.raises(TypeError):
        closed[0].means[Channel.RPM] = 1.0  # type: ignore[index]
