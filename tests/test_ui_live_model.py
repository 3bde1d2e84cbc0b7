"""When the screen is asked to draw, and when a reading counts as stale."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.snapshot import Reading
from dynoai_desktop.ui.live_model import (
    CURVE_PERIOD_S,
    STALE_AFTER_S,
    STALE_AT_MOST_S,
    LiveModel,
    Pace,
    StaleLimits,
)
from tests import ui_world
from tests.ui_world import heard


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def model(qapp, clock):
    model = LiveModel(clock)
    yield model
    model.set_watched(False)


def test_a_snapshot_in_time_is_drawn_at_once(model, clock):
    drawn = heard(model.curves_due)
    for k in range(5):
        model.take_snapshot(ui_world.readings({Channel.RPM: float(k)}))
        clock.now_s += CURVE_PERIOD_S
    assert len(drawn) == 5


def test_a_window_that_closes_early_by_jitter_is_not_held_back(model, clock):
    drawn = heard(model.curves_due)
    for delay_s in (0.05, 0.035, 0.065, 0.04, 0.06):
        model.take_snapshot(ui_world.readings({}))
        clock.now_s += delay_s
    assert len(drawn) == 5


def test_in_a_fast_replay_only_the_newest_snapshot_is_drawn(model, clock, qtbot):
    drawn = heard(model.curves_due)
    for k in range(300):
        model.take_snapshot(ui_world.readings({Channel.RPM: float(k)}))
    assert len(drawn) == 1
    qtbot.waitUntil(lambda: len(drawn) == 2)
    assert drawn[-1].readings[Channel.RPM].value == 299


@given(st.lists(st.floats(0.0, 0.2), min_size=1, max_size=200))
def test_never_more_than_twenty_pictures_a_second_on_average(waits):
    pace, now_s, through = Pace(CURVE_PERIOD_S), 0.0, 0
    for wait_s in waits:
        now_s += wait_s
        if pace.wait_s(now_s) == 0:
            pace.spend(now_s)
            through += 1
    assert through <= now_s / CURVE_PERIOD_S + 1.5


def test_digits_come_four_times_a_second_not_twenty(model, clock, qtbot):
    digits = heard(model.digits_due)
    for _ in range(20):
        model.take_snapshot(ui_world.readings({Channel.RPM: 900.0}))
        clock.now_s += CURVE_PERIOD_S
    assert len(digits) == 1
    qtbot.waitUntil(lambda: len(digits) == 2)


def test_nothing_is_drawn_and_no_timer_runs_while_nobody_watches(model, clock):
    drawn, digits, health = map(heard, (model.curves_due, model.digits_due, model.health_due))
    model.set_watched(False)
    model.take_snapshot(ui_world.readings({Channel.RPM: 900.0}))
    model.take_health(ui_world.bus())
    assert (drawn, digits, health) == ([], [], [])
    model.set_watched(True)
    assert len(drawn) == len(digits) == len(health) == 1


def test_a_channel_that_was_not_heard_is_absent(model):
    model.take_snapshot(ui_world.snapshot(missing={Channel.TORQUE}))
    assert Channel.TORQUE not in model.figures()


def test_a_reading_older_than_two_seconds_is_stale_and_says_how_old(model):
    model.take_snapshot(ui_world.snapshot(silent_s={Channel.TPS: 6.0, Channel.MAP: 1.5}))
    figures = model.figures()
    assert figures[Channel.TPS].is_stale
    assert figures[Channel.TPS].age_s == pytest.approx(6.05)
    assert not figures[Channel.MAP].is_stale


def slow_channel(period_s, turns, dropout_s=0.0):
    """Return limits that have heard a channel every *period_s*, and the time of the last."""
    limits, now_s = StaleLimits(), ui_world.NOW_S
    for turn in range(turns):
        now_s += dropout_s if turn == turns // 2 and dropout_s else period_s
        limits.learn(ui_world.readings({Channel.AMBIENT: 20.0}, now_s))
    return limits


def test_a_channel_sent_every_three_seconds_is_not_stale_between_its_turns():
    assert slow_channel(3.0, turns=6).limit_s(Channel.AMBIENT) == pytest.approx(9.0)


def test_no_channel_is_trusted_for_ever():
    assert slow_channel(60.0, turns=6).limit_s(Channel.AMBIENT) == STALE_AT_MOST_S


def test_one_dropout_does_not_excuse_the_next():
    assert slow_channel(0.05, turns=20, dropout_s=30.0).limit_s(Channel.AMBIENT) == STALE_AFTER_S


def test_winding_a_file_back_starts_learning_anew():
    limits = slow_channel(3.0, turns=6)
    limits.learn(ui_world.readings({Channel.AMBIENT: 20.0}, ui_world.NOW_S - 100))
    assert limits.limit_s(Channel.AMBIENT) == STALE_AFTER_S


def test_figures_grow_stale_when_the_source_itself_falls_silent(model, clock):
    model.take_snapshot(ui_world.readings({Channel.RPM: 900.0}))
    clock.now_s += 5
    assert model.figures()[Channel.RPM].is_stale


def test_a_paused_replay_does_not_grow_older(model, clock):
    model.take_snapshot(ui_world.readings({Channel.RPM: 900.0}))
    model.set_still(True)
    clock.now_s += 3600
    assert not model.figures()[Channel.RPM].is_stale


def test_another_source_starts_with_nothing(model):
    model.take_snapshot(ui_world.snapshot())
    model.take_health(ui_world.bus())
    cleared = heard(model.cleared)
    model.clear()
    assert len(cleared) == 1
    assert model.snapshot is None
    assert model.figures() == {}
    assert model.health.providers == ()


def test_a_reading_from_the_future_has_no_negative_age(model):
    snapshot = ui_world.readings({Channel.RPM: 900.0})
    ahead = {Channel.RPM: Reading(900.0, snapshot.time_s + 5)}
    model.take_snapshot(replace(snapshot, readings=ahead))
    assert model.figures()[Channel.RPM].age_s == 0
