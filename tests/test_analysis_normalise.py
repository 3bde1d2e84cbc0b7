"""Cleaning keeps every row, touches no neighbour, invents nothing, and is done after one call."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.normalise import AGE_LIMIT_S, Tag, normalise
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit
from tests.analysis_world import World, make, no_error, smooth_error

RATE = 100.0


def log(columns: dict[Channel, object], rate: float = RATE) -> Frame:
    size = len(next(iter(columns.values())))
    return Frame.from_columns(np.arange(size) / rate, columns)


def noisy(size: int, level: float, noise: float) -> np.ndarray:
    return level + np.random.default_rng(1).normal(0.0, noise, size)


@pytest.mark.parametrize("glitch", [40.0, 25.0, 5.1])
def test_one_impossible_mixture_is_set_aside_and_no_neighbour_moves(glitch):
    # A smoothing filter before the range check let one 40 AFR sample bend fifty others.
    afr = noisy(1000, 13.0, 0.05)
    spoilt = afr.copy()
    spoilt[500] = glitch
    clean = normalise(log({Channel.AFR_FRONT: spoilt}))
    tags = clean.tags[Channel.LAMBDA_FRONT]
    assert np.flatnonzero(tags).tolist() == [500]
    untouched = np.delete(clean.frame.columns[Channel.LAMBDA_FRONT], 500)
    assert np.array_equal(untouched, np.delete(afr / 14.7, 500))


def test_a_spike_inside_the_range_is_found_by_its_neighbours():
    rpm = noisy(1000, 3000.0, 6.0)
    rpm[[200, 700]] = [1500.0, 4400.0]
    tags = normalise(log({Channel.RPM: rpm})).tags[Channel.RPM]
    assert np.flatnonzero(tags == Tag.SPIKE).tolist() == [200, 700]


def test_a_real_step_is_no_spike():
    rpm = np.concatenate((noisy(300, 2000.0, 5.0), noisy(300, 5000.0, 5.0)))
    assert not (normalise(log({Channel.RPM: rpm})).tags[Channel.RPM] == Tag.SPIKE).any()


def test_slow_ticks_are_events_not_spikes():
    # At four readings a second one high value may well be the peak of a pull.
    rpm = noisy(100, 2000.0, 5.0)
    rpm[50] = 4000.0
    clean = normalise(log({Channel.RPM: rpm}, rate=4.0))
    assert not (clean.tags[Channel.RPM] == Tag.SPIKE).any()


def test_gaps_are_bridged_up_to_the_age_limit_and_no_further():
    tps = np.full(400, np.nan)
    tps[::10] = np.linspace(0, 39, 40)  # every 0.1 s
    tps[100:170] = np.nan  # one gap of 0.8 s
    clean = normalise(log({Channel.TPS: tps}))
    values, tags = clean.frame.columns[Channel.TPS], clean.tags[Channel.TPS]
    assert values[15] == pytest.approx(1.5)
    assert tags[15] == Tag.FILLED
    assert np.isnan(values[95:165]).any()
    assert AGE_LIMIT_S < 0.8
    assert np.isnan(values[391:]).all()  # nothing is held on beyond the last reading


def test_rows_are_preserved_and_the_raw_log_stays_beside():
    frame = make(World(errors={"front": no_error(), "rear": no_error()}, pulls=1, sweeps=1))
    clean = normalise(frame)
    assert len(clean.frame) == len(frame)
    assert clean.raw is frame
    assert set(clean.frame.columns) == set(frame.columns)


def test_knock_is_never_invented():
    frame = make(World(errors={"front": no_error()}, pulls=1, sweeps=0, rolls=0))
    clean = normalise(frame)
    for channel in (Channel.KNOCK, Channel.KNOCK_FRONT, Channel.KNOCK_REAR):
        assert channel not in clean.frame
    assert not analyse(frame).spark_advice


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_trims_stated_as_change_or_as_factor_are_the_same_trim(offset):
    trim = np.linspace(-8.0, 6.0, 200)
    clean = normalise(log({Channel.STFT_FRONT: trim + offset}))
    assert clean.frame.columns[Channel.STFT_FRONT] == pytest.approx(trim)


columns = hnp.arrays(
    np.float64,
    st.integers(20, 200),
    elements=st.one_of(
        st.floats(-50, 9000, allow_nan=False), st.just(np.nan), st.floats(2990, 3010)
    ),
)


@given(columns)
@settings(max_examples=60, deadline=None)
def test_a_second_cleaning_changes_nothing(values):
    once = normalise(log({Channel.RPM: np.append(values, 3000.0)}))
    twice = normalise(once.frame)
    assert np.array_equal(
        once.frame.columns[Channel.RPM], twice.frame.columns[Channel.RPM], equal_nan=True
    )


def test_the_same_log_in_other_units_gives_the_same_result():
    frame = make(
        World(seed=5, errors={"front": smooth_error(5)}, pulls=1, sweeps=2, rolls=1, rate_hz=20)
    )
    c = frame.columns
    foreign = Frame.from_columns(
        frame.time_s * 1000.0,
        {
            Channel.RPM: c[Channel.RPM] / 1000.0,
            Channel.MAP: c[Channel.MAP] / 3.386389,
            Channel.TPS: c[Channel.TPS],
            Channel.AFR_FRONT: c[Channel.LAMBDA_FRONT] * 14.13,
            Channel.AFR_CMD: c[Channel.LAMBDA_CMD] * 14.13,
            Channel.IAT: c[Channel.IAT] * 1.8 + 32.0,
            Channel.ECT: c[Channel.ECT] * 1.8 + 32.0,
            Channel.BARO: c[Channel.BARO] / 6.894757293168,
        },
        {
            Channel.RPM: Unit.KILO_RPM,
            Channel.MAP: Unit.INCH_MERCURY,
            Channel.IAT: Unit.FAHRENHEIT,
            Channel.ECT: Unit.FAHRENHEIT,
            Channel.BARO: Unit.PSI,
        },
        time_unit=Unit.MILLISECOND,
        stoich=14.13,
    )
    ours, theirs = analyse(frame), analyse(foreign)
    assert theirs.rejected == ours.rejected
    for cylinder, fit in ours.evidence.fits.items():
        other = theirs.evidence.fits[cylinder]
        assert other.correction.multiplier == pytest.approx(fit.correction.multiplier, abs=1e-6)
        assert other.correction.se == pytest.approx(fit.correction.se, abs=1e-6, nan_ok=True)
