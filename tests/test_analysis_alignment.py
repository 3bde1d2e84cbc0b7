"""The delay of the wideband is found where the log excites it, and not claimed where not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.analysis.alignment import (
    Alignment,
    default_alignment,
    flow_share,
)
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.fuel import find_alignment
from dynoai_desktop.core.analysis.gates import GateSettings, Later
from dynoai_desktop.core.analysis.modes import label
from dynoai_desktop.core.analysis.normalise import normalise
from dynoai_desktop.core.channels import Channel
from tests.analysis_world import World, make, no_error, smooth_error

SEEDS = 4


def measure(world: World) -> Alignment:
    clean = normalise(make(world)).frame
    return find_alignment(clean, label(clean), Channel.MAP, GateSettings())


@pytest.mark.parametrize(
    ("lag_s", "pipe_s", "rate_hz"), [(0.08, 0.07, 50.0), (0.06, 0.02, 20.0), (0.12, 0.15, 100.0)]
)
def test_the_delay_and_its_interval_hold_the_truth(lag_s, pipe_s, rate_hz):
    errors = []
    for seed in range(SEEDS):
        error = {"front": smooth_error(seed), "rear": smooth_error(seed + 50)}
        found = measure(World(seed=seed, lag_s=lag_s, pipe_s=pipe_s, rate_hz=rate_hz, errors=error))
        truth = lag_s + pipe_s * found.typical_flow
        assert found.measured
        low, high = found.interval_s
        assert low - 0.01 < truth < high + 0.01
        errors.append(found.delay_s - truth)
    assert abs(np.mean(errors)) < 0.02


def test_a_slower_sensor_is_measured_as_slower():
    world = World(seed=1, errors={"front": smooth_error(1), "rear": smooth_error(2)})
    quick = measure(replace(world, lag_s=0.06, pipe_s=0.02))
    slow = measure(replace(world, lag_s=0.12, pipe_s=0.15))
    assert slow.delay_s - quick.delay_s > 0.12


def test_a_steady_log_measures_no_delay_and_says_so():
    n = 4000
    rng = np.random.default_rng(1)
    frame = Frame.from_columns(
        np.arange(n) / 20.0,
        {
            Channel.RPM: 3000 + rng.normal(0, 5, n),
            Channel.MAP: 60 + rng.normal(0, 0.5, n),
            Channel.LAMBDA_FRONT: 1.0 + rng.normal(0, 0.01, n),
            Channel.LAMBDA_CMD: np.ones(n),
        },
    )
    clean = normalise(frame).frame
    found = find_alignment(clean, label(clean), Channel.MAP, GateSettings())
    assert not found.measured
    assert found == default_alignment()
    low, high = found.interval_s
    assert high - low > 0.25


def test_without_a_command_the_delay_is_not_measured():
    frame = make(World(seed=1, errors={"front": no_error()}, pulls=1))
    columns = {c: v for c, v in frame.columns.items() if c is not Channel.LAMBDA_CMD}
    clean = normalise(Frame.from_columns(frame.time_s, columns)).frame
    assert not find_alignment(clean, label(clean), Channel.MAP, GateSettings()).measured


def test_gas_takes_longer_where_less_flows():
    rpm, load = np.array([1000.0, 3000.0, 6000.0]), np.array([30.0, 60.0, 100.0])
    delays = default_alignment().delays_s(rpm, load)
    assert (np.diff(delays) < 0).all()
    assert flow_share(np.array([3000.0]), np.array([60.0])) == pytest.approx([1.0])


@pytest.mark.parametrize("rate", [20.0, 100.0])
def test_a_reading_is_taken_at_the_moment_it_belongs_to(rate):
    time = np.arange(400) / rate
    signal = np.sin(time)
    later = Later.by(time, np.full(400, 0.137), 0.25)
    read = later.read(signal, np.zeros(400, np.uint8))
    good = read.heard
    assert good[: -int(0.14 * rate) - 2].all()
    assert read.value[good] == pytest.approx(np.sin(time[good] + 0.137), abs=2e-3)
    assert not good[-1]


def test_an_irregular_log_is_read_at_the_right_moments_too():
    time = np.cumsum(np.random.default_rng(2).uniform(0.02, 0.12, 500))
    later = Later.by(time, np.full(500, 0.2), 0.25)
    read = later.read(time, np.zeros(500, np.uint8))
    assert read.value[read.heard] == pytest.approx(time[read.heard] + 0.2)


def test_a_reading_beside_a_spike_is_spoilt():
    time = np.arange(50) / 20.0
    tags = np.zeros(50, np.uint8)
    tags[20] = 4
    read = Later.by(time, np.full(50, 0.1), 0.25).read(np.ones(50), tags)
    assert np.flatnonzero(read.spoilt).tolist() == [17, 18]
