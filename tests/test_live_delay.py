"""The wideband's delay: stated until the stream has shown it, then measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.analysis.alignment import flow_share as analysis_flow_share
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.delay import flow_share
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.trial_world import (
    Drive,
    TableError,
    WidebandModel,
    World,
    pull,
    ramp,
    wander,
    window,
)

SEEDS = range(3)
AT_REFERENCE = 1.0  # flow share


def listen(world: World, drive: Drive, seed: int = 1, **settings) -> LiveEngine:
    engine = LiveEngine(settings=LiveSettings(**settings))
    for aggregate in world.drive(drive, seed):
        engine.observe(aggregate)
    return engine


def delay_at_reference(engine: LiveEngine):
    return engine._map.credits.lag.delay(AT_REFERENCE)


@pytest.mark.parametrize(
    ("rpm", "map_kpa", "share"),
    [(3000.0, 60.0, 1.0), (6000.0, 100.0, 0.3), (900.0, 30.0, 4.0), (12000.0, 200.0, 0.2)],
)
def test_gas_is_on_its_way_for_longer_the_less_flows(rpm, map_kpa, share):
    assert flow_share(rpm, map_kpa) == pytest.approx(share)


def test_live_and_offline_count_the_flow_alike():
    rpm, map_kpa = np.array([700.0, 3000.0, 9000.0]), np.array([25.0, 60.0, 180.0])
    live = [flow_share(r, p) for r, p in zip(rpm.tolist(), map_kpa.tolist(), strict=True)]
    assert live == pytest.approx(analysis_flow_share(rpm, map_kpa))


def test_a_stated_delay_is_taken():
    stated = LiveSettings(lag_s=0.25, lag_doubt_s=0.01, transport_s=0.0)
    delay = LiveEngine(settings=stated).snapshot().delay
    assert delay.delay_s == pytest.approx(0.25, abs=0.01)


def test_before_data_the_delay_is_the_stated_one_and_says_so():
    delay = delay_at_reference(LiveEngine())
    assert not delay.measured
    assert delay.delay_s == pytest.approx(0.16, abs=0.02)
    assert delay.high_s - delay.low_s > 0.2


@pytest.mark.parametrize("late_s", [0.0, 0.08, 0.15])
def test_steps_of_the_commanded_fuel_measure_it(late_s):
    band = WidebandModel(dead_s=late_s)
    for seed in SEEDS:
        world = World(TableError(seed), wideband=band, step=0.07)
        delay = delay_at_reference(listen(world, wander(seed, 60.0, speed=0.3), seed))
        assert delay.measured
        assert delay.delay_s == pytest.approx(0.08 + late_s + 0.06, abs=0.04)
        assert delay.low_s <= 0.08 + late_s + 0.06 <= delay.high_s + 0.005


def test_driving_up_and_down_over_a_wrong_table_measures_it():
    world = World(TableError(3, size=0.05), wideband=WidebandModel(dead_s=0.12))
    delay = delay_at_reference(listen(world, wander(3, 150.0), 3))
    assert delay.measured
    assert delay.low_s < 0.08 + 0.12 + 0.06 < delay.high_s


def test_pulls_alone_cannot_tell_a_delay_from_a_shifted_table():
    world = World(TableError(4), wideband=WidebandModel(dead_s=0.15))
    delay = delay_at_reference(listen(world, pull(3.0).times(6), 4))
    assert not delay.measured
    assert delay.low_s < 0.08 + 0.15 + 0.06 < delay.high_s + 0.03


@pytest.mark.parametrize("seed", SEEDS)
def test_fuel_on_the_port_walls_is_not_taken_for_a_delay(seed):
    """Lean while load rises, rich while it falls: it looks like lateness and is none."""
    quiet = WidebandModel(noise=0.003)
    world = World(TableError(seed, size=0.004), wideband=quiet, film_s=0.03, enrichment=0.002)
    delay = delay_at_reference(listen(world, wander(seed, 150.0, speed=0.7), seed))
    assert delay.low_s < 0.08 + 0.02 + 0.06 < delay.high_s


def test_a_steady_engine_teaches_nothing():
    world = World(TableError(5))
    delay = delay_at_reference(listen(world, ramp(60.0, (3000, 3000), (60, 60)), 5))
    assert not delay.measured
    assert delay.high_s - delay.low_s > 0.2


def test_the_faster_the_gas_the_shorter_the_delay_shown():
    world = World(TableError(6))
    fast = listen(world, ramp(3.0, (6000, 6000), (95, 95))).snapshot().delay
    slow = listen(world, ramp(3.0, (1500, 1500), (35, 35))).snapshot().delay
    assert slow.delay_s > fast.delay_s + 0.1


def test_with_alignment_off_there_is_no_delay():
    engine = listen(World(TableError(7)), pull(3.0), aligned=False)
    delay = engine.snapshot().delay
    assert (delay.delay_s, delay.high_s, delay.measured) == (0.0, 0.0, False)
    assert engine.snapshot().accepted > 0


def test_a_slow_rpm_channel_is_drawn_between_its_ticks():
    """Engine speed four times a second: readings wait for the next tick and are placed right."""
    world = World(TableError(8, size=0.0))
    drive = ramp(1.0, (2500, 2500), (70, 70)) + ramp(8.0, (2500, 6000), (70, 70))
    engine, slow = LiveEngine(), LiveEngine()
    for i, aggregate in enumerate(world.drive(drive, 8)):
        engine.observe(aggregate)
        means = dict(aggregate.means)
        if i % 5:
            del means[Channel.RPM]
        slow.observe(window(aggregate.index, means))
    full, thin = engine.snapshot(), slow.snapshot()
    (cylinder,) = full.cylinders
    assert thin.accepted > 0.9 * full.accepted
    difference = abs(full.cylinders[cylinder].mass - thin.cylinders[cylinder].mass)
    assert difference.sum() < 0.15 * full.accepted


def test_settings_are_values_not_switches_in_place():
    settings = LiveSettings()
    assert replace(settings, aligned=False) != settings
