"""One document, valid whatever is missing, the same every time, and stoppable."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from dynoai_desktop.core.analysis.analyse import (
    AnalysisCancelledError,
    AnalysisError,
    analyse,
)
from dynoai_desktop.core.analysis.document import to_document
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.fuel import choose_axes
from dynoai_desktop.core.analysis.schema import payload_schema
from dynoai_desktop.core.analysis.settings import AnalysisSettings, cache_key
from dynoai_desktop.core.analysis.ve import Injector, VeSettings
from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.resources import resource_path
from tests.analysis_world import MAP, RPM, World, make, smooth_error

SCHEMA = Path("schemas") / "dynoai.nextgen@1.json"
SETTINGS = AnalysisSettings(axes=(RPM, MAP))
ERRORS = {"front": smooth_error(1), "rear": smooth_error(2)}
WORLD = World(seed=1, rate_hz=20, errors=ERRORS, pulls=2, sweeps=2, rolls=1)


def with_everything() -> Frame:
    frame = make(WORLD)
    n = len(frame)
    retard = np.zeros(n)
    retard[::37] = 1.5
    speed = frame.columns[Channel.RPM] / 51.2 * 1.609
    extra = {
        Channel.KNOCK_FRONT: retard,
        Channel.KNOCK_REAR: np.zeros(n),
        Channel.SPARK_FRONT: frame.columns[Channel.SPARK],
        Channel.SPARK_REAR: frame.columns[Channel.SPARK] - 1.0,
        Channel.INJ_PW_FRONT: 1.0 + frame.columns[Channel.MAP] / 9.0,
        Channel.VE_FRONT: np.full(n, 80.0),
        Channel.SPEED: speed,
    }
    return Frame.from_columns(frame.time_s, {**frame.columns, **extra}, simulated=True)


@pytest.fixture(scope="module")
def full() -> Frame:
    return with_everything()


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(payload_schema())


def check(frame: Frame, validator, settings=SETTINGS) -> dict:
    document = to_document(
        analyse(frame, settings), run_id="r", generated_at="2025-01-01T00:00:00Z"
    )
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == document
    validator.validate(document)
    return document


def test_the_schema_file_is_the_schema_of_the_code():
    assert json.loads(resource_path(str(SCHEMA)).read_text("utf-8")) == payload_schema()
    jsonschema.Draft202012Validator.check_schema(payload_schema())


def test_a_full_log_makes_a_full_document(full, validator):
    settings = replace(
        SETTINGS, injector=Injector(4.0, 0.85, 14.7, ((12.0, 1.1), (14.0, 0.9))), redline_rpm=5800.0
    )
    document = check(full, validator, settings)
    assert document["simulated"] is True
    assert "simulated" in document["warning_codes"]
    assert set(document["ve_correction"]) == {"front", "rear"}
    assert {"lambda_error_front", "spark_rear", "knock_front", "map_by_throttle"} <= set(
        document["surfaces"]
    )
    assert set(document["absolute_ve"]) == {"front"}
    assert document["runs"]
    assert document["alignment"]["low_ms"] < document["alignment"]["high_ms"]
    assert document["next_tests"]["coverage_gaps_detailed"]


def test_a_correction_travels_with_its_axes_and_blanks(full, validator):
    correction = check(full, validator)["ve_correction"]["front"]
    assert correction["rpm"] == list(RPM.nodes)
    assert correction["load_channel"] == "map_kpa"
    for name in ("multiplier", "estimate", "se", "hits", "verdict"):
        assert len(correction[name]) == len(RPM)
        assert {len(row) for row in correction[name]} == {len(MAP)}
    columns = (
        [cell for row in correction[k] for cell in row]
        for k in ("multiplier", "estimate", "se", "hits")
    )
    for m, e, s, h in zip(*columns, strict=True):
        assert (e is None) == (s is None) == (h == 0)
        assert h > 0 or m == 1


OPTIONAL = sorted(set(with_everything().columns) - {Channel.RPM, Channel.MAP, Channel.TPS})


@pytest.mark.parametrize("missing", [*OPTIONAL, Channel.TPS])
def test_any_optional_channel_may_be_missing(full, validator, missing):
    columns = {c: v for c, v in full.columns.items() if c is not missing}
    document = check(Frame.from_columns(full.time_s, columns), validator)
    assert document["inputs_present"][missing.value] is False


def test_the_bare_minimum_is_enough(full, validator):
    columns = {c: full.columns[c] for c in (Channel.RPM, Channel.MAP)}
    document = check(Frame.from_columns(full.time_s, columns), validator, AnalysisSettings())
    assert document["ve_correction"] == {}
    assert document["tune_confidence"]["score"] == 0
    assert document["balance"] is None


def test_a_table_by_throttle_needs_no_map(full, validator):
    columns = {c: v for c, v in full.columns.items() if c is not Channel.MAP}
    document = check(Frame.from_columns(full.time_s, columns), validator, AnalysisSettings())
    assert document["ve_correction"]["front"]["load_channel"] == "tps"


@pytest.mark.parametrize("gone", [(Channel.RPM,), (Channel.MAP, Channel.TPS)])
def test_without_speed_or_load_the_reason_is_given(full, gone):
    columns = {c: v for c, v in full.columns.items() if c not in gone}
    with pytest.raises(AnalysisError, match=r"does not hold .*never guessed"):
        analyse(Frame.from_columns(full.time_s, columns))


def test_a_table_read_by_what_was_not_logged_is_refused(full):
    columns = {c: v for c, v in full.columns.items() if c is not Channel.MAP}
    with pytest.raises(AnalysisError, match="read by manifold pressure"):
        analyse(Frame.from_columns(full.time_s, columns), SETTINGS)


@pytest.mark.parametrize("rows", [2, 3, 10, 50])
def test_very_short_logs_are_read(full, validator, rows):
    columns = {c: v[:rows] for c, v in full.columns.items()}
    check(Frame.from_columns(full.time_s[:rows], columns), validator, AnalysisSettings())


def test_the_same_log_gives_the_same_bytes(full):
    texts = {json.dumps(to_document(analyse(full, SETTINGS)), sort_keys=True) for _ in range(2)}
    assert len(texts) == 1


def test_the_key_changes_with_input_settings_and_nothing_else(full, monkeypatch):
    key = cache_key(full, SETTINGS)
    assert key == cache_key(with_everything(), AnalysisSettings(axes=(RPM, MAP)))
    other = full.with_columns({Channel.TPS: full.columns[Channel.TPS] + 1e-6})
    assert cache_key(other, SETTINGS) != key
    assert cache_key(full, replace(SETTINGS, ve=VeSettings(least_hits=4.0))) != key
    grid = {Cylinder.FRONT: CellGrid(RPM, MAP, np.full((len(RPM), len(MAP)), 80.0))}
    assert cache_key(full, replace(SETTINGS, ve=VeSettings(tables=grid))) != key
    monkeypatch.setattr("dynoai_desktop.core.analysis.settings.MATH_VERSION", "next")
    assert cache_key(full, SETTINGS) != key


def test_progress_rises_to_one(full):
    told: list[tuple[float, str]] = []
    analyse(full, SETTINGS, progress=lambda share, words: told.append((share, words)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(words for _, words in told)


def test_it_stops_when_asked(full):
    asked = iter([False, False, True])
    with pytest.raises(AnalysisCancelledError):
        analyse(full, SETTINGS, cancelled=lambda: next(asked))


def test_boost_gets_cells_of_its_own():
    frame = make(World(seed=1, errors={"front": smooth_error(1)}, pulls=1, sweeps=0, rolls=0))
    boosted = frame.with_columns({Channel.MAP: frame.columns[Channel.MAP] * 1.9})
    _, load = choose_axes(boosted)
    assert load.edges[-1] > 185.0
    hits = analyse(boosted).evidence.fits[Cylinder.FRONT].surface.hits
    assert hits[:, np.array(load.nodes) > 150.0].sum() > 50
