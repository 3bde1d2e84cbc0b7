"""A sample that may not speak says why, and all of them add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.gates import GATES, settling_rows
from dynoai_desktop.core.analysis.modes import Mode
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.channels import Channel, Cylinder
from tests.analysis_world import MAP, RPM, World, make, no_error, smooth_error

SETTINGS = AnalysisSettings(axes=(RPM, MAP))
WORLD = World(seed=1, rate_hz=20, errors={"front": no_error(), "rear": no_error()}, pulls=2)


def changed(frame: Frame, **columns: np.ndarray) -> Frame:
    new = {Channel(name): values for name, values in columns.items()}
    return Frame.from_columns(frame.time_s, {**frame.columns, **new})


def result(frame: Frame) -> Payload:
    return analyse(frame, SETTINGS)


@pytest.fixture(scope="module")
def frame() -> Frame:
    return make(WORLD)


def test_accepted_and_rejected_are_all_samples(frame):
    payload = result(frame)
    assert payload.accepted + sum(payload.rejected.values()) == 2 * len(frame)
    assert set(payload.rejected) <= {gate.reason for gate in GATES}
    assert payload.accepted > len(frame)


def test_every_reason_is_named_once():
    reasons = [gate.reason for gate in GATES]
    assert len(reasons) == len(set(reasons))


def test_overrun_and_tip_in_contribute_no_cell(frame):
    payload = result(frame)
    accepted = payload.evidence.fits[Cylinder.FRONT].samples.accepted
    labels = payload.evidence.track.rows_in
    assert not (accepted & labels(Mode.DECEL, Mode.TIP_IN, Mode.TIP_OUT)).any()
    assert {"overrun", "tip_in", "settling"} <= set(payload.rejected)


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("lambda_front", lambda n: np.full(n, 0.5), "sensor_dead"),
        ("lambda_front", lambda n: np.where(np.arange(n) < n // 2, 1.5231, 0.95), "lambda_railed"),
        ("ect", lambda n: np.full(n, 40.0), "warm_up"),
        ("iat", lambda n: np.full(n, 70.0), "heat_soak"),
        ("inj_pw_f", np.zeros, "fuel_cut"),
    ],
)
def test_a_bad_stretch_is_rejected_for_its_reason(frame, column, values, reason):
    spoilt = changed(frame, **{column: values(len(frame))})
    before, after = result(frame), result(spoilt)
    assert after.rejected[reason] > before.rejected.get(reason, 0) + 20
    assert after.accepted < before.accepted


def test_a_cold_engine_corrects_nothing(frame):
    payload = result(changed(frame, ect=np.full(len(frame), 30.0)))
    correction = payload.evidence.fits[Cylinder.FRONT].correction
    assert (correction.multiplier == 1.0).all()
    assert np.isnan(correction.estimate).all()
    assert (correction.hits == 0).all()


def test_off_the_table_is_said_and_not_moved_to_its_border():
    narrow = replace(RPM, nodes=RPM.nodes[4:10], edges=RPM.edges[4:11])
    payload = analyse(make(WORLD), AnalysisSettings(axes=(narrow, MAP)))
    assert payload.rejected["off_axes"] > 300
    hits = payload.evidence.fits[Cylinder.FRONT].surface.hits.sum()
    assert hits <= payload.evidence.fits[Cylinder.FRONT].samples.accepted.sum()


def test_without_a_target_nothing_is_corrected_and_the_reason_is_told(frame):
    columns = {c: v for c, v in frame.columns.items() if c is not Channel.LAMBDA_CMD}
    payload = result(Frame.from_columns(frame.time_s, columns))
    assert payload.rejected == {"target_missing": 2 * len(frame)}
    feature = next(f for f in payload.readiness.features if f.feature_id == "ve_correction")
    assert feature.state == "disabled"
    assert "target" in feature.why


def test_one_wideband_speaks_for_both_and_is_called_so(frame):
    columns = {
        c: v
        for c, v in frame.columns.items()
        if c not in (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR)
    }
    columns[Channel.LAMBDA] = frame.columns[Channel.LAMBDA_FRONT]
    payload = result(Frame.from_columns(frame.time_s, columns))
    assert list(payload.evidence.fits) == [Cylinder.BOTH]
    assert payload.balance is None


def test_a_lone_front_wideband_does_not_switch_the_analysis_off():
    payload = result(make(replace(WORLD, errors={"front": smooth_error(1)})))
    assert list(payload.evidence.fits) == [Cylinder.FRONT]
    assert (payload.evidence.fits[Cylinder.FRONT].correction.hits > 0).any()


def test_what_passes_the_sensor_between_two_cuts_of_a_limiter_is_no_mixture(frame):
    # A slipping clutch holds an engine at its limiter: lambda there once blamed the fuel pump.
    rpm, tps = frame.columns[Channel.RPM], frame.columns[Channel.TPS]
    top = rpm > 0.96 * rpm.max()
    saw = np.where(np.arange(len(frame)) % 3 == 2, 0.97, 1.0)
    assert (tps[top] > 50).any()
    after = result(changed(frame, rpm=np.where(top, rpm.max() * saw, rpm)))
    wide = top & after.evidence.track.rows_in(Mode.WOT)
    samples = after.evidence.fits[Cylinder.FRONT].samples
    late = np.flatnonzero(wide)[3:]
    assert wide.sum() > 5
    assert not samples.accepted[late].any()
    assert result(frame).evidence.fits[Cylinder.FRONT].samples.accepted[late].any()


def test_port_walls_settle_by_the_cycle_so_a_slow_engine_waits_longer(frame):
    payload = result(frame)
    track, alignment = payload.evidence.track, payload.evidence.alignment

    def settling(rpm: float) -> int:
        means = {**track.windows.means, Channel.RPM: np.full(len(track.windows), rpm)}
        there = replace(track, windows=replace(track.windows, means=means))
        return int(settling_rows(there, alignment).sum())

    assert settling(1000.0) > 1.2 * settling(3000.0)
