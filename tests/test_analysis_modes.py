"""Labels say what the engine did, not what the noise did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.modes import CODE, MODES, Mode, label, mode_summary, schmitt_below
from dynoai_desktop.core.analysis.normalise import normalise
from dynoai_desktop.core.analysis.runs import RunKind, find_runs
from dynoai_desktop.core.channels import Channel
from tests.analysis_world import World, make, no_error

QUIET = World(
    seed=2,
    rate_hz=100,
    errors={"front": no_error()},
    map_noise_kpa=0.0,
    rpm_noise=0.0,
    tps_noise=0.0,
)


def labels(frame: Frame):
    return label(normalise(frame).frame)


def steady(noise: float, rate: float = 100.0, seconds: float = 60.0) -> Frame:
    """A cruise at one point, with the noise a dyno's sensors have, times *noise*."""
    rng = np.random.default_rng(3)
    n = int(seconds * rate)
    return Frame.from_columns(
        np.arange(n) / rate,
        {
            Channel.RPM: 3000 + noise * rng.normal(0, 9, n),
            Channel.MAP: 55 + noise * rng.normal(0, 1.1, n),
            Channel.TPS: 15 + noise * rng.normal(0, 0.3, n),
            Channel.BARO: np.full(n, 100.0),
        },
    )


def test_noise_of_a_steady_log_changes_less_than_two_percent_of_labels():
    # Differentiated noise once made four samples in five a transient.
    changed = labels(steady(0.0)).of_row != labels(steady(1.0)).of_row
    assert changed.mean() < 0.02


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sensor_noise_hardly_moves_the_labels_of_a_whole_session(seed):
    quiet = replace(QUIET, seed=seed)
    noisy = replace(quiet, map_noise_kpa=0.6, rpm_noise=8.0, tps_noise=0.15)
    changed = labels(make(quiet)).of_row != labels(make(noisy)).of_row
    assert changed.mean() < 0.04


def test_fifty_and_a_hundred_hertz_agree():
    fast, slow = labels(make(QUIET)), labels(make(replace(QUIET, rate_hz=50)))
    assert (fast.of_row[::2] == slow.of_row).mean() > 0.99


def test_counts_add_up_and_times_too():
    frame = make(QUIET)
    summary = mode_summary(labels(frame), np.full(len(frame), 0.01))
    assert sum(m["samples"] for m in summary.values()) == len(frame)
    assert sum(m["share_pct"] for m in summary.values()) == pytest.approx(100.0, abs=0.01)
    assert sum(m["duration_s"] for m in summary.values()) == pytest.approx(len(frame) * 0.01)


def test_every_part_of_the_programme_gets_its_name():
    summary = mode_summary(labels(make(QUIET)), np.full(len(make(QUIET)), 0.01))
    assert set(summary) >= {"idle", "cruise", "part_load", "wot", "tip_in", "tip_out", "decel"}


def test_full_load_is_found_at_altitude():
    # 85 kPa is out of reach where the barometer says 75.
    n = 400
    frame = Frame.from_columns(
        np.arange(n) / 50.0,
        {
            Channel.RPM: np.linspace(2000, 5500, n),
            Channel.MAP: np.full(n, 73.5),
            Channel.BARO: np.full(n, 75.0),
        },
    )
    assert (labels(frame).of_row == CODE[Mode.WOT]).mean() > 0.95


def test_a_stopped_engine_is_no_idle():
    n = 200
    frame = Frame.from_columns(
        np.arange(n) / 20.0,
        {Channel.RPM: np.zeros(n), Channel.TPS: np.zeros(n), Channel.MAP: np.full(n, 100.0)},
    )
    assert (labels(frame).of_row == CODE[Mode.UNKNOWN]).all()


def test_heat_soak_needs_heat_and_light_load():
    n = 400
    hot = {
        Channel.RPM: np.full(n, 1000.0),
        Channel.TPS: np.full(n, 3.0),
        Channel.MAP: np.full(n, 35.0),
        Channel.IAT: np.full(n, 60.0),
    }
    time = np.arange(n) / 20.0
    assert (labels(Frame.from_columns(time, hot)).of_row == CODE[Mode.HEAT_SOAK]).all()
    cool = {**hot, Channel.IAT: np.full(n, 35.0)}
    assert not (labels(Frame.from_columns(time, cool)).of_row == CODE[Mode.HEAT_SOAK]).any()


@pytest.mark.parametrize("missing", [Channel.TPS, Channel.MAP, Channel.BARO])
def test_a_missing_channel_leaves_the_other_rules_standing(missing):
    frame = make(QUIET)
    columns = {c: v for c, v in frame.columns.items() if c is not missing}
    track = labels(Frame.from_columns(frame.time_s, columns))
    names = {MODES[i] for i in np.unique(track.of_row)}
    assert {Mode.WOT, Mode.DECEL, Mode.IDLE, Mode.TIP_IN} <= names


def test_a_value_between_both_thresholds_stays_what_it_was():
    values = np.array([5.0, 2.0, 3.5, 4.4, 4.6, 3.5])
    assert schmitt_below(values, 3.0, 4.5).tolist() == [False, True, True, True, False, False]


def test_pulls_are_counted_with_their_peaks():
    frame = make(World(seed=4, errors={"front": no_error()}, pulls=3))
    runs = find_runs(labels(frame))
    pulls = [run for run in runs if run.kind is RunKind.PULL]
    coasts = [run for run in runs if run.kind is RunKind.COAST_DOWN]
    assert len(pulls) == len(coasts) == 3
    for pull in pulls:
        assert pull.start_rpm < 2100
        assert pull.end_rpm > 5500
        assert pull.peak_power_kw == pytest.approx(58.0, abs=1.0)
        assert pull.peak_torque_nm == pytest.approx(138.5, abs=2.0)
        assert 5.0 < pull.end_s - pull.start_s < 7.0


def test_runs_are_the_same_at_twenty_and_a_hundred_hertz():
    world = World(seed=4, errors={"front": no_error()}, pulls=2)
    found = [
        [r for r in find_runs(labels(make(replace(world, rate_hz=hz)))) if r.kind is RunKind.PULL]
        for hz in (20.0, 100.0)
    ]
    for slow, fast in zip(*found, strict=True):
        assert slow.start_s == pytest.approx(fast.start_s, abs=0.2)
        assert slow.end_s == pytest.approx(fast.end_s, abs=0.2)
        assert slow.peak_power_kw == pytest.approx(fast.peak_power_kw, rel=0.02)


def test_torque_of_a_noisy_pickup_is_not_believed():
    frame = make(World(seed=4, errors={"front": no_error()}, pulls=1, sweeps=0, rolls=0))
    nonsense = Frame.from_columns(
        frame.time_s, {**frame.columns, Channel.TORQUE: frame.columns[Channel.TORQUE] * 60.0}
    )
    pull = next(r for r in find_runs(labels(nonsense)) if r.kind is RunKind.PULL)
    assert pull.peak_power_kw == pytest.approx(58.0, abs=1.5)
    assert pull.peak_torque_nm is None


def test_a_long_silence_costs_no_memory_and_joins_nothing():
    n = 200
    time = np.concatenate((np.arange(n) / 20.0, 1e7 + np.arange(n) / 20.0))
    frame = Frame.from_columns(time, {Channel.RPM: np.full(2 * n, 3000.0)})
    track = labels(frame)
    assert len(track.windows) < 2 * n + 50
    assert track.windows.start_s[-1] == pytest.approx(time[-1], abs=0.1)
