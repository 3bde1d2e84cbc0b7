"""Alerts: what must be told is told in time, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.live.alert_rules import ALERT_RULES, SEVERITIES, Severity
from dynoai_desktop.core.live.alert_trials import (
    REDLINE_RPM,
    SCENARIOS,
    count_alerts,
)
from dynoai_desktop.core.live.alert_words import compose
from dynoai_desktop.core.live.alerts import KEPT_ALERTS, READ_FOR_S
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.limits import AlertLimits, LiveSettings
from dynoai_desktop.core.live.record import live_record
from dynoai_desktop.core.live.trial_world import (
    START,
    Drive,
    TableError,
    World,
    pull,
    ramp,
    window,
)
from dynoai_desktop.core.live.watch import lean_limit

SEEDS = range(3)  # alert_trials.count_all takes any number
C = Channel
Means = dict[Channel, float]
WORLD = World(TableError(1, 0.01), TableError(2, 0.01), command=0.87)
FULL_LOAD = ramp(12.0, (3000, 4500), (96, 96))
WINDOWS = range(240)


def healthy(drive: Drive = FULL_LOAD) -> list[Means]:
    return [dict(aggregate.means) for aggregate in WORLD.drive(drive, 1)]


def engine_with(**limits: float) -> LiveEngine:
    return LiveEngine(settings=LiveSettings(alerts=AlertLimits(**limits)))


def feed(engine: LiveEngine, means: list[Means], start: int = START) -> LiveEngine:
    for i, heard in enumerate(means):
        engine.observe(window(start + i, heard))
    return engine


def lean(means: list[Means], where: range, factor: float = 1.2) -> list[Means]:
    return [
        m | {C.LAMBDA_FRONT: m[C.LAMBDA_FRONT] * factor} if i in where else m
        for i, m in enumerate(means)
    ]


def leans(alerts) -> list:
    return [alert for alert in alerts if alert.key == "lean_under_load"]


def keys(engine: LiveEngine) -> list[str]:
    return [alert.key for alert in engine.alert_log]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.key)
def test_a_scenario_raises_what_it_must_and_nothing_else(scenario):
    count = count_alerts(scenario, SEEDS)
    assert (count.missed, count.false_alarms) == (0, ())


@pytest.mark.parametrize("key", ["lean", "lean in boost"])
def test_dangerous_lean_is_told_within_two_windows(key):
    (scenario,) = (s for s in SCENARIOS if s.key == key)
    assert count_alerts(scenario, SEEDS).slowest_s <= 0.1 + 1e-6


def test_far_too_lean_is_told_at_once():
    engine = LiveEngine()
    feed(engine, lean(healthy(), range(100, 240), 1.25)[:101])
    assert [a.key for a in engine.snapshot().alerts] == ["lean_under_load"]


@pytest.mark.parametrize(
    ("kpa", "limit"), [(50.0, float("inf")), (100.0, 0.98), (125.0, 0.945), (400.0, 0.84)]
)
def test_the_lean_limit_falls_with_the_charge_pressure(kpa, limit):
    assert lean_limit(kpa, LiveSettings()) == pytest.approx(limit)


def test_alcohol_may_run_leaner():
    assert lean_limit(100.0, LiveSettings(fuel="E85")) > lean_limit(100.0, LiveSettings())


def test_the_limit_is_shown_on_the_scale_of_the_fuel():
    engine = LiveEngine(settings=LiveSettings(fuel="E85", stoich=9.765))
    feed(engine, lean(healthy(), WINDOWS, 1.3))
    (alert,) = leans(engine.alert_log)
    measured = float(alert.message.split()[2])
    assert f"({measured * 9.765:.1f}"[:4] in alert.message


def test_one_stray_window_a_little_over_the_limit_is_no_alert():
    assert keys(feed(LiveEngine(), lean(healthy(), range(100, 101), 1.11))) == []


def test_hysteresis_keeps_a_lean_alert_from_chattering():
    """Around the limit and back: one alert, up all the time."""
    factors = [1.16 if i % 8 < 4 else 1.10 for i in WINDOWS]
    means = [m | {C.LAMBDA_FRONT: 0.87 * f} for m, f in zip(healthy(), factors, strict=True)]
    engine = feed(LiveEngine(), means)
    (alert,) = leans(engine.alert_log)
    assert (alert.times, alert.is_active) == (1, True)


@pytest.mark.parametrize("with_throttle", [True, False])
def test_lean_is_no_danger_in_overrun(with_throttle):
    """Fuel is cut at 5,000 rpm and the exhaust is air; then the throttle opens again."""
    drive = (
        ramp(3.0, (5000, 5000), (96, 96))
        + ramp(0.1, (5000, 5000), (96, 28))
        + ramp(3.0, (5000, 3000), (28, 28))
        + ramp(0.1, (3000, 3000), (28, 96))
        + ramp(3.0, (3000, 4000), (96, 96))
    )
    means = healthy(drive)
    if not with_throttle:
        means = [{c: v for c, v in m.items() if c is not C.TPS} for m in means]
    assert keys(feed(LiveEngine(), means)) == []


def test_a_tip_in_from_a_lean_cruise_is_no_danger():
    """The reading is still that of the cruise when the pressure is already full."""
    drive = ramp(3.0, (3000, 3000), (45, 45)) + ramp(0.1, (3000, 3000), (45, 97))
    means = healthy(drive + ramp(3.0, (3000, 4000), (97, 97)))
    for m in means[:66]:  # cruise and the delay after it
        m[C.LAMBDA_FRONT] = m[C.LAMBDA_REAR] = 1.06
    assert keys(feed(LiveEngine(), means)) == []


def test_silence_is_noticed_while_nothing_arrives():
    engine = feed(LiveEngine(), healthy()[:60])
    feed(engine, [{}] * 80, START + 60)
    (alert,) = engine.snapshot().alerts
    assert alert.key == "silence"
    assert alert.raised_s - (START + 60) / 20 <= 2.0 + 0.55


def test_a_wideband_that_falls_silent_under_load_is_told_sooner():
    engine = LiveEngine()
    gone = [{c: v for c, v in m.items() if c is not C.LAMBDA_FRONT} for m in healthy()]
    feed(engine, healthy()[:100] + gone[100:])
    (alert,) = engine.alert_log
    assert (alert.key, alert.channel) == ("stale_channel", C.LAMBDA_FRONT)
    assert alert.raised_s - (START + 100) / 20 <= 1.1


def test_a_channel_sent_now_and_then_is_not_stale_between_its_turns():
    slow = [m if i % 30 == 0 else m | {} for i, m in enumerate(healthy(FULL_LOAD.times(3)))]
    for i, m in enumerate(slow):
        if i % 30:
            del m[C.KNOCK_FRONT]
    assert keys(feed(LiveEngine(), slow)) == []


def test_the_same_alert_soon_again_is_the_same_alert():
    means = lean(healthy(), range(60, 80))
    means = lean(means, range(130, 150))  # 2.5 s later
    (alert,) = feed(LiveEngine(), means).alert_log
    assert alert.times == 2
    means = lean(lean(healthy(), range(20, 30)), range(200, 240))  # 8.5 s later
    assert keys(feed(LiveEngine(), means)) == ["lean_under_load"] * 2


def test_a_danger_stays_up_until_somebody_has_seen_it():
    engine = feed(LiveEngine(), lean(healthy(), range(60, 70)))
    (alert,) = engine.snapshot().alerts
    assert not alert.is_active
    engine.acknowledge()
    assert engine.snapshot().alerts[0].acknowledged
    feed(engine, healthy()[-1:], START + 240)
    assert engine.snapshot().alerts == ()
    assert engine.alert_log[0].acknowledged


def test_a_warning_goes_by_itself_after_it_could_be_read():
    hot = [m | {C.IAT: 60.0} if i < 60 else m for i, m in enumerate(healthy(FULL_LOAD.times(2)))]
    engine = LiveEngine()
    up = []
    for i, m in enumerate(hot):
        engine.observe(window(START + i, m))
        up.append(bool(engine.snapshot().alerts))
    last = len(up) - up[::-1].index(True)
    assert last / 20 == pytest.approx(3.0 + READ_FOR_S, abs=1.2)


def test_an_acknowledged_alert_that_goes_on_stays_up_quietly():
    engine = feed(LiveEngine(), lean(healthy(), WINDOWS))
    engine.acknowledge(engine.snapshot().alerts[0].number)
    feed(engine, lean(healthy(), WINDOWS)[:20], START + 240)
    (alert,) = leans(engine.snapshot().alerts)
    assert (alert.acknowledged, alert.is_active) == (True, True)


def test_the_session_keeps_what_was_acknowledged_and_what_was_not():
    hot = [m | {C.IAT: 60.0} for m in lean(healthy(), WINDOWS)]
    engine = feed(LiveEngine(), hot)
    (alert,) = leans(engine.snapshot().alerts)
    engine.acknowledge(alert.number)
    feed(engine, healthy(), START + 240)
    kept = {one["key"]: one for one in live_record(engine, since_s=0.0)["alerts"]}
    assert kept["lean_under_load"]["acknowledged"]
    assert kept["lean_under_load"]["ended_s"] > kept["lean_under_load"]["raised_s"]
    assert not kept[next(key for key in kept if key != "lean_under_load")]["acknowledged"]


def test_the_worst_comes_first():
    means = [m | {C.IAT: 60.0, C.VBATT: 11.0, C.KNOCK_FRONT: 5.0} for m in healthy()]
    shown = feed(LiveEngine(), means).snapshot().alerts
    ranks = [SEVERITIES.index(alert.severity) for alert in shown]
    assert len(shown) == 3
    assert ranks == sorted(ranks)
    assert shown[0].severity is Severity.CRITICAL


def test_without_a_redline_over_rev_is_said_not_to_be_watched():
    engine = feed(LiveEngine(), [m | {C.RPM: m[C.RPM] * 4.0} for m in healthy()])
    assert keys(engine) == []
    assert "redline" in engine.snapshot().unwatched["over_rev"]
    assert "over_rev" not in feed(engine_with(redline_rpm=6000.0), healthy()).snapshot().unwatched


@pytest.mark.parametrize(
    ("missing", "rule"),
    [
        ((C.KNOCK_FRONT, C.KNOCK_REAR), "knock"),
        ((C.LAMBDA_FRONT, C.LAMBDA_REAR), "lean_under_load"),
        ((C.MAP, C.TPS), "lean_under_load"),
        ((C.ECT,), "over_temperature"),
        ((C.VBATT,), "low_battery"),
        ((C.TPS,), "rpm_frozen"),
    ],
)
def test_what_cannot_be_watched_is_said(missing, rule):
    means = [{c: v for c, v in m.items() if c not in missing} for m in healthy()]
    unwatched = feed(LiveEngine(), means).snapshot().unwatched
    assert "not watched" in unwatched[rule]
    assert rule not in feed(LiveEngine(), healthy()).snapshot().unwatched


def test_without_pressure_an_open_throttle_stands_for_load():
    means = [{c: v for c, v in m.items() if c is not C.MAP} for m in healthy()]
    assert "lean_under_load" in keys(feed(LiveEngine(), lean(means, WINDOWS)))


def test_a_jump_of_the_clock_ends_what_was_up():
    engine = feed(LiveEngine(), lean(healthy(), WINDOWS))
    feed(engine, healthy()[:20], START - 100_000)
    assert not any(alert.is_active for alert in engine.snapshot().alerts)


def test_the_log_does_not_grow_for_ever():
    engine = engine_with(repeat_s=0.0)
    means = healthy()
    for round_ in range(40):
        for i, m in enumerate(means):
            knock = 6.0 if i % 16 == 0 else 0.0
            engine.observe(window(START + 240 * round_ + i, m | {C.KNOCK_FRONT: knock}))
    assert len(engine.alert_log) == KEPT_ALERTS
    numbers = [alert.number for alert in engine.alert_log]
    assert numbers == sorted(numbers)


def _rules(get: Callable) -> list:
    return [get(rule) for rule in ALERT_RULES]


def test_rows_are_complete():
    known = {f.name for f in fields(AlertLimits)}
    assert len(set(_rules(lambda r: r.key))) == len(ALERT_RULES)
    assert all(set(rule.limits) <= known for rule in ALERT_RULES)
    assert all(c is None or c in CHANNELS for rule in ALERT_RULES for c in rule.channels)


@pytest.mark.parametrize("rule", ALERT_RULES, ids=lambda r: r.key)
def test_every_message_can_be_said_when_nothing_is_known(rule):
    watch = LiveEngine()._watch
    for channel in rule.channels:
        words = compose(rule.message, watch, channel)
        assert words.endswith(".")
        assert "{" not in words


def test_the_redline_of_the_scenarios_lets_a_healthy_pull_pass():
    assert max(pull(4.0).rpm) < REDLINE_RPM
