"""The live engine as a whole: the same in, the same out; what is missing is off, the rest works."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.axis import Axis, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import CARRIED, Channel, Cylinder
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.limits import GateLimits, LiveSettings
from dynoai_desktop.core.live.quality import P1_REGIONS, planned_cells, quality
from dynoai_desktop.core.live.trial_world import (
    START,
    TableError,
    World,
    pull,
    ramp,
    wander,
    window,
)
from dynoai_desktop.core.samples import Aggregate
from dynoai_desktop.core.units import Unit

C = Channel
WORLD = World(TableError(1), TableError(2))
SESSION = list(WORLD.drive(wander(1, 20.0) + pull(3.0).times(2), 1))


def fingerprint(value: object) -> object:
    """Everything in a snapshot, down to the bits of its arrays."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    if is_dataclass(value) and not isinstance(value, type):
        return [(f.name, fingerprint(getattr(value, f.name))) for f in fields(value)]
    if isinstance(value, Mapping):
        return [(key, fingerprint(item)) for key, item in value.items()]
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, str | int | None):
        return value
    return [fingerprint(item) for item in value]


def listen(session=SESSION, look_every: int = 0, engine: LiveEngine | None = None) -> LiveEngine:
    engine = engine or LiveEngine()
    for i, aggregate in enumerate(session):
        engine.observe(aggregate)
        if look_every and i % look_every == 0:
            engine.snapshot()
    return engine


def without(*channels: Channel) -> list[Aggregate]:
    return [
        window(a.index, {c: v for c, v in a.means.items() if c not in channels}) for a in SESSION
    ]


@pytest.mark.parametrize("look_every", [1, 7, 100])
def test_the_same_aggregates_give_the_same_snapshot_however_often_somebody_looks(look_every):
    plain = fingerprint(listen().snapshot())
    assert fingerprint(listen(look_every=look_every).snapshot()) == plain


def test_a_reset_engine_is_as_good_as_new():
    engine = listen()
    engine.reset()
    assert fingerprint(listen(engine=engine).snapshot()) == fingerprint(listen().snapshot())


def test_a_snapshot_never_changes_afterwards():
    engine = listen(SESSION[:300])
    snapshot = engine.snapshot()
    before = fingerprint(snapshot)
    listen(SESSION[300:], look_every=1, engine=engine)
    assert fingerprint(snapshot) == before
    arrays = [snapshot.hits.values, snapshot.targets.values, snapshot.planned]
    arrays += [snapshot.history.time_s, *snapshot.history.values.values()]
    for cells in snapshot.cylinders.values():
        arrays += [cells.error, cells.half_width, cells.mass, cells.effective, cells.spread]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_cells_are_handed_on_unchanged_until_something_is_added():
    engine = listen()
    first = engine.snapshot().cylinders
    engine.observe(window(SESSION[-1].index + 1, {}))
    assert engine.snapshot().cylinders is first


def test_history_is_the_last_minute_and_keeps_gaps():
    engine = listen(WORLD.drive(ramp(70.0, (2000, 4000), (60, 60)), 1))
    engine.observe(window(START + 1400 + 10, {C.RPM: 4000.0}))
    history = engine.snapshot().history
    assert history.time_s.size == 1200
    assert np.all(np.diff(history.time_s) == pytest.approx(0.05, abs=1e-6))
    assert np.isnan(history.values[C.RPM][-5])
    assert history.values[C.RPM][-1] == 4000.0


def test_history_stays_right_when_its_room_is_used_up():
    engine = LiveEngine()
    for i in range(6000):
        engine.observe(window(START + i, {C.RPM: float(i)}))
    shown = engine.snapshot().history
    assert shown.values[C.RPM].tolist() == [float(i) for i in range(4800, 6000)]


def test_the_trail_is_the_last_three_seconds():
    trail = listen().snapshot().trail
    assert len(trail) == 60
    assert trail[0].age_s == pytest.approx(59 / 20)
    assert trail[-1].age_s == 0.0
    assert [p.rpm for p in trail[-2:]] == [p.rpm for p in list(trail)[-2:]]


def test_the_true_error_is_found_per_cylinder():
    snapshot = listen(WORLD.drive(wander(5, 120.0), 5)).snapshot()
    for cylinder, error in ((Cylinder.FRONT, WORLD.front), (Cylinder.REAR, WORLD.rear)):
        cells = snapshot.cylinders[cylinder]
        truth = np.expm1(error.at_nodes(cells.rpm, cells.load))
        sure = cells.mass > 20.0
        assert sure.sum() > 30
        assert np.abs(cells.error - truth)[sure].mean() < 0.006
        assert np.all(cells.half_width[sure] < 0.05)


def test_cells_without_data_say_nothing():
    cells = listen().snapshot().cylinders[Cylinder.FRONT]
    empty = cells.mass == 0.0
    assert empty.any()
    for values in (cells.error, cells.half_width, cells.spread):
        assert np.isnan(values[empty]).all()


def test_one_wideband_for_both_speaks_for_both_alone():
    session = [
        window(
            a.index, {C.LAMBDA: a.means[C.LAMBDA_FRONT], C.LAMBDA_REAR: math.nan} | dict(a.means)
        )
        for a in without(C.LAMBDA_REAR)
    ]
    common = [
        window(
            a.index,
            {C.LAMBDA if c is C.LAMBDA_FRONT else c: v for c, v in a.means.items()},
        )
        for a in without(C.LAMBDA_REAR)
    ]
    assert len(session) == len(common)
    assert list(listen(common).snapshot().cylinders) == [Cylinder.BOTH]
    # A wideband of its own wins over a common one.
    both = [
        window(a.index, dict(a.means) | {C.LAMBDA: a.means[C.LAMBDA_FRONT]})
        for a in without(C.LAMBDA_REAR)
    ]
    assert list(listen(both).snapshot().cylinders) == [Cylinder.FRONT]


def test_boost_and_the_vehicles_own_axes_work():
    rpm = Axis.from_nodes(C.RPM, Unit.RPM, [750, 1500, 2500, 3500, 4500, 5500, 7000])
    load = Axis.from_nodes(C.MAP, Unit.KILOPASCAL, [30, 60, 90, 110, 140, 180, 220])
    world = World(TableError(1, 0.0), command=0.82)
    engine = listen(
        world.drive(ramp(20.0, (2000, 6000), (150, 200)), 1), engine=LiveEngine(rpm, load)
    )
    cells = engine.snapshot().cylinders[Cylinder.FRONT]
    some = cells.mass > 5.0
    assert some[:, 4:].any()
    assert not some[:, :3].any()
    assert np.abs(cells.error[some]).max() < 0.02


def test_a_map_by_throttle_needs_no_pressure():
    load = Axis.from_nodes(C.TPS, Unit.PERCENT, [2, 10, 20, 40, 60, 80, 100])
    snapshot = listen(without(C.MAP), engine=LiveEngine(load=load)).snapshot()
    assert snapshot.off == {}
    assert snapshot.accepted > 100
    assert snapshot.cylinders[Cylinder.FRONT].load.channel is C.TPS


@pytest.mark.parametrize(
    ("missing", "off", "works"),
    [
        ((C.MAP,), {"map", "error"}, {"runs", "history"}),
        ((C.RPM,), {"map", "error", "runs"}, {"history"}),
        ((C.LAMBDA_FRONT, C.LAMBDA_REAR), {"error"}, {"map", "runs", "history"}),
        ((), set(), {"map", "error", "runs", "history"}),
    ],
)
def test_what_does_not_depend_on_a_missing_channel_works(missing, off, works):
    snapshot = listen(without(*missing)).snapshot()
    assert set(snapshot.off) == off
    assert all(reason.endswith(".") for reason in snapshot.off.values())
    found = {
        "map": snapshot.hits.values.sum() > 0,
        "error": snapshot.accepted > 0,
        "runs": len(snapshot.runs) > 0,
        "history": snapshot.history.time_s.size > 0,
    }
    assert {what for what, there in found.items() if there} == works
    assert snapshot.quality.channels < 100.0 or not missing


def test_mixture_now_is_told_with_its_target():
    session = list(WORLD.drive(ramp(5.0, (3000, 3000), (70, 70)), 1))
    now = listen(session).snapshot().mixtures
    for cylinder, channel in ((Cylinder.FRONT, C.LAMBDA_FRONT), (Cylinder.REAR, C.LAMBDA_REAR)):
        measured = session[-1].means[channel]
        assert now[cylinder].measured == measured
        assert now[cylinder].target == 0.9  # commanded
        assert now[cylinder].error == pytest.approx(measured / 0.9 - 1.0)
        assert now[cylinder].rejected == ""
    lost = listen([window(a.index, a.means if i < 50 else {}) for i, a in enumerate(session)])
    assert lost.snapshot().mixtures == {}


def test_switched_off_the_map_stands_still_and_alerts_go_on():
    engine = listen()
    engine.set_enabled(False)
    before = engine.snapshot()
    more = [window(SESSION[-1].index + 1 + i, a.means) for i, a in enumerate(SESSION)]
    hot = [window(a.index, dict(a.means) | {C.ECT: 170.0}) for a in more]
    after = listen(hot, engine=engine).snapshot()
    assert np.array_equal(after.hits.values, before.hits.values)
    assert after.accepted <= before.accepted + 8  # readings already on their way
    assert len(after.runs) <= len(before.runs) + 1
    assert "over_temperature" in {alert.key for alert in after.alerts}
    assert after.off["analysis"]
    engine.set_enabled(True)
    assert engine.snapshot().enabled


def test_an_hour_of_silence_is_a_gap_and_not_the_end():
    engine = listen()
    before = engine.snapshot()
    for i in range(72_000):
        engine.observe(Aggregate(SESSION[-1].index + 1 + i, {}, 0))
    quiet = engine.snapshot()
    for cylinder, cells in before.cylinders.items():
        assert np.array_equal(quiet.cylinders[cylinder].mass, cells.mass)
    assert quiet.quality.freshness == 0.0
    assert quiet.mixtures == {}
    assert np.isnan(quiet.history.values[C.RPM]).all()
    assert quiet.run is None
    later = [window(a.index + 72_000 + len(SESSION), a.means) for a in SESSION]
    after = listen(later, engine=engine).snapshot()
    assert after.accepted > 1.8 * before.accepted
    assert after.quality.freshness == 100.0


@pytest.mark.parametrize("jump", [30, 5_000, 10_000_000, -40, -10_000_000])
def test_a_clock_that_jumps_breaks_off_and_goes_on(jump):
    engine = listen()
    before = engine.snapshot()
    moved = [window(a.index + len(SESSION) + jump, a.means) for a in SESSION]
    after = listen(moved, look_every=50, engine=engine).snapshot()
    assert after.accepted == pytest.approx(2 * before.accepted, rel=0.05)
    assert after.time_s == pytest.approx((moved[-1].index + 1) / 20)
    assert np.all(np.diff(after.history.time_s) > 0.0)
    assert after.history.time_s.size <= 1200
    for cylinder, cells in before.cylinders.items():
        assert np.all(after.cylinders[cylinder].mass >= cells.mass - 1e-9)


def test_nothing_seen_is_a_picture_too():
    snapshot = LiveEngine().snapshot()
    assert snapshot.accepted == 0
    assert snapshot.quality.score == 0.0
    assert (snapshot.cylinders, snapshot.mixtures, snapshot.off) == ({}, {}, {})


values = st.one_of(
    st.floats(-1e6, 1e6), st.just(0.0), st.sampled_from([14.7, 1.0, 100.0, 3000.0, 1e-300])
)
windows = st.lists(
    st.tuples(st.integers(1, 40), st.dictionaries(st.sampled_from(CARRIED), values, max_size=12)),
    max_size=60,
)


@given(windows)
@settings(deadline=None, max_examples=60)
def test_whatever_is_heard_the_engine_goes_on(heard):
    engine, index = LiveEngine(), START
    for step, means in heard:
        index += step if step > 30 else 1
        engine.observe(window(index, means))
    snapshot = engine.snapshot()
    assert 0.0 <= snapshot.quality.score <= 100.0
    for cells in snapshot.cylinders.values():
        assert np.all(cells.half_width[cells.mass > 0.01] > 0.0)


def test_planned_cells_are_those_of_the_p1_regions():
    rpm, load = default_rpm_axis(), default_map_axis()
    planned = planned_cells(rpm, load)
    assert planned[rpm.locate(3300.0), load.locate(95.0)]
    assert not planned[rpm.locate(900.0), load.locate(35.0)]
    assert planned.sum() < planned.size / 3
    assert P1_REGIONS


def test_coverage_counts_the_planned_cells_alone():
    engine = listen(WORLD.drive(ramp(20.0, (2600, 3400), (90, 95)), 1))
    part = engine.snapshot().quality.coverage
    chosen = engine.snapshot().cylinders[Cylinder.FRONT].mass > 10.0
    engine.set_planned(chosen)
    assert 0.0 < part < 50.0
    assert engine.snapshot().quality.coverage == 100.0
    engine.set_planned(None)
    assert engine.snapshot().quality.coverage == part
    with pytest.raises(ValueError, match="do not fit"):
        engine.set_planned(np.ones((3, 3), dtype=bool))


def test_a_cell_is_covered_when_both_cylinders_have_been_heard_in_it():
    one_sided = [
        window(a.index, {c: v for c, v in a.means.items() if c is not C.LAMBDA_REAR or i < 3})
        for i, a in enumerate(WORLD.drive(ramp(20.0, (2600, 3400), (90, 95)), 1))
    ]
    assert listen(one_sided).snapshot().quality.coverage == 0.0


@pytest.mark.parametrize(
    ("ages", "covered", "score"),
    [
        ((0.0, 0.0, 0.0), 20, 100.0),
        ((0.0, 0.0, 0.0), 0, 70.0),
        ((1.0, 1.0, 1.0), 20, 92.0),
        ((None, None, None), 0, 0.0),
        ((60.0, 60.0, 60.0), 20, 30.0),
    ],
)
def test_quality_is_the_sum_of_its_parts(ages, covered, score):
    assert quality(ages, covered, 20).score == pytest.approx(score)


@given(
    st.lists(st.one_of(st.none(), st.floats(0.0, 100.0)), min_size=3, max_size=3),
    st.integers(0, 20),
    st.integers(0, 2),
)
def test_hearing_more_never_lowers_quality(ages, covered, which):
    better = [0.0 if i == which else age for i, age in enumerate(ages)]
    assert quality(better, covered, 20).score >= quality(ages, covered, 20).score
    assert quality(ages, min(20, covered + 1), 20).score >= quality(ages, covered, 20).score


def test_new_settings_begin_anew():
    engine = listen()
    engine.set_settings(LiveSettings(gates=GateLimits(warm_ect_c=120.0)))
    assert engine.snapshot().accepted == 0
    later = [window(a.index + len(SESSION), a.means) for a in SESSION]
    assert set(listen(later, engine=engine).snapshot().rejected) == {"warm_up"}
