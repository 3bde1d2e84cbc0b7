"""Real logs, with all their oddities: read for what they say and for no more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dynoai_desktop.capture.frames import frame_of_log
from dynoai_desktop.capture.readers import read_log
from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.document import to_document
from dynoai_desktop.core.analysis.modes import Mode
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.runs import RunKind

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"
LOGS = (
    "harley_pull_a.csv",
    "harley_pull_b.txt",
    "harley_pull_c.txt",
    "jetdrive_capture_1.csv",
    "speeduino_drive.mlg",
    "accessport_drive.csv",
)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared recordings are not here")


def result(name: str) -> Payload:
    return analyse(frame_of_log(read_log(DATA / name)))


@pytest.mark.parametrize("name", LOGS)
def test_every_log_makes_a_document_without_a_single_nan(name):
    payload = result(name)
    json.dumps(to_document(payload), allow_nan=False)
    samples = len(payload.evidence.frame) * len(payload.evidence.fits)
    assert payload.accepted + sum(payload.rejected.values()) == samples
    for fit in payload.evidence.fits.values():
        unknown = fit.correction.hits == 0
        assert (fit.correction.multiplier[unknown] == 1.0).all()


@pytest.mark.parametrize(
    ("name", "peak_hp", "peak_lb_ft"), [("b.txt", 95.09, 106.0), ("c.txt", 95.16, 104.5)]
)
def test_the_pair_of_pulls_has_its_peaks(name, peak_hp, peak_lb_ft):
    (pull,) = (r for r in result(f"harley_pull_{name}").evidence.runs if r.kind is RunKind.PULL)
    assert pull.peak_power_kw == pytest.approx(peak_hp * 0.7457, rel=0.01)
    assert pull.peak_torque_nm == pytest.approx(peak_lb_ft * 1.3558, rel=0.02)


def test_a_noisy_pickup_makes_no_torque():
    # The torque column of this file peaks at 8,980.
    for run in result("harley_pull_a.csv").evidence.runs:
        assert run.peak_torque_nm is None or run.peak_torque_nm < 200.0


def test_a_railed_wideband_contributes_no_cell():
    payload = result("harley_pull_a.csv")
    assert payload.rejected["lambda_railed"] > 5
    for fit in payload.evidence.fits.values():
        assert (fit.samples.measured[fit.samples.accepted] < 1.45).all()
        assert (fit.correction.multiplier == 1.0).all()


def test_overrun_rails_and_a_stopped_engine_of_a_street_drive_contribute_nothing():
    payload = result("speeduino_drive.mlg")
    track = payload.evidence.track
    for fit in payload.evidence.fits.values():
        spoke = fit.samples.accepted
        assert not (spoke & track.rows_in(Mode.DECEL, Mode.UNKNOWN)).any()
        assert (fit.samples.measured[spoke] > 0.53).all()
    assert {"engine_stopped", "lambda_railed", "overrun"} <= set(payload.rejected)


@pytest.mark.parametrize("name", ["accessport_drive.csv", "jetdrive_capture_1.csv"])
def test_without_a_wideband_nothing_is_corrected_and_the_reason_is_told(name):
    payload = result(name)
    assert not payload.evidence.fits
    feature = next(f for f in payload.readiness.features if f.feature_id == "ve_correction")
    assert (feature.state, feature.why) == ("disabled", "no wideband was logged")
    assert payload.confidence.score == 0.0


def test_boost_has_cells():
    payload = result("accessport_drive.csv")
    assert payload.evidence.where.load_axis.edges[-1] > 180.0
    boosted = payload.evidence.where.load > 150.0
    assert np.count_nonzero(boosted) > 50


@pytest.mark.parametrize("name", LOGS)
def test_a_line_drawn_between_two_readings_slips_no_clutch(name):
    # The ECU's rpm is read three times a second and drawn straight between, road speed is not.
    causes = {c.hypothesis_id: c.confidence for c in result(name).causes.causes}
    assert causes.get("driveline_slip", 0.0) < 0.2
    assert causes.get("power_scaling", 0.0) < 0.2


@pytest.mark.parametrize("name", LOGS)
def test_every_sentence_is_made_of_words(name):
    payload = result(name)
    sentences = [w.message for w in payload.warnings]
    sentences += [f"{f.title}: {f.why}" for f in payload.readiness.features]
    for cause in payload.causes.causes:
        sentences += [cause.title, *cause.supports, *cause.opposes, *cause.checks]
    sentences += payload.confidence.caps + payload.confidence.weak
    for sentence in sentences:
        assert "_" not in sentence, sentence
