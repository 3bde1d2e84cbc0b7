"""Whatever a file may hold, the answer is a payload or one clear sentence, never a crash."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.analyse import AnalysisError, analyse
from dynoai_desktop.core.analysis.document import to_document
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import CARRIED, Channel
from dynoai_desktop.core.units import Unit
from tests.analysis_world import World, make, smooth_error

KINDS = ("constant", "noise", "ramp", "absent", "holes", "wild", "zero")


def column(kind: str, middle: float, rows: int, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(0, 1, rows)
    match kind:
        case "constant":
            return np.full(rows, middle)
        case "noise":
            return middle * (1 + 0.3 * noise)
        case "ramp":
            return np.linspace(0.5, 1.5, rows) * middle
        case "absent":
            return np.full(rows, np.nan)
        case "holes":
            return np.where(rng.random(rows) < 0.5, np.nan, middle + noise)
        case "wild":
            return np.where(rng.random(rows) < 0.5, rng.choice([np.inf, -np.inf, 1e300]), middle)
        case _:
            return np.zeros(rows)


MIDDLES = {
    Channel.RPM: 3000.0,
    Channel.MAP: 60.0,
    Channel.TPS: 30.0,
    Channel.LAMBDA_FRONT: 0.95,
    Channel.LAMBDA_REAR: 0.95,
    Channel.LAMBDA: 0.95,
    Channel.LAMBDA_CMD: 0.92,
    Channel.BARO: 99.0,
    Channel.IAT: 30.0,
    Channel.ECT: 95.0,
    Channel.SPEED: 60.0,
    Channel.POWER: 40.0,
    Channel.TORQUE: 90.0,
    Channel.STFT_FRONT: 2.0,
}


@given(
    st.dictionaries(st.sampled_from(CARRIED), st.sampled_from(KINDS), max_size=12),
    st.sampled_from(KINDS),
    st.sampled_from(KINDS),
    st.integers(2, 300),
    st.integers(0, 2**31),
    st.sampled_from([0.0, 0.001, 0.05, 0.3, 100.0]),
)
@settings(max_examples=120, deadline=None)
def test_any_mix_of_columns_is_survived(kinds, rpm, load, rows, seed, step):
    rng = np.random.default_rng(seed)
    kinds = {**kinds, Channel.RPM: rpm, Channel.MAP: load}
    columns = {c: column(k, MIDDLES.get(c, 10.0), rows, rng) for c, k in kinds.items()}
    frame = Frame.from_columns(np.arange(rows) * step, columns)
    try:
        payload = analyse(frame)
    except AnalysisError as error:
        assert str(error)[-1] == "."
        return
    json.dumps(to_document(payload), allow_nan=False)
    samples = len(frame) * len(payload.evidence.fits)
    assert payload.accepted + sum(payload.rejected.values()) == samples


def test_a_table_of_two_by_two_is_a_table():
    axes = (
        Axis.from_nodes(Channel.RPM, Unit.RPM, [1000, 6000]),
        Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, [20, 100]),
    )
    payload = analyse(
        make(World(seed=1, errors={"front": smooth_error(1)}, pulls=1)), AnalysisSettings(axes=axes)
    )
    (fit,) = payload.evidence.fits.values()
    assert (fit.correction.hits > 0).all()


def test_every_time_the_same_is_refused_or_harmless():
    columns = {Channel.RPM: np.full(50, 3000.0), Channel.MAP: np.full(50, 60.0)}
    payload = analyse(Frame.from_columns(np.zeros(50), columns))
    assert payload.evidence.row_s.sum() == 0.0


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_to_analyse_is_said(rows):
    columns = {Channel.RPM: np.full(rows, 3000.0), Channel.MAP: np.full(rows, 60.0)}
    with pytest.raises(AnalysisError):
        analyse(Frame.from_columns(np.zeros(rows), columns))
