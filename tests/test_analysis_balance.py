"""Front against rear: paired, with significance, and honest about the sensor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.balance import Balance
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.channels import Channel
from tests.analysis_world import MAP, RPM, World, make, no_error, smooth_error

GRID = (len(RPM), len(MAP))
SETTINGS = AnalysisSettings(axes=(RPM, MAP))


def balance(frame: Frame) -> Balance:
    found = analyse(frame, SETTINGS).balance
    assert found is not None
    return found


def swapped(frame: Frame) -> Frame:
    columns = dict(frame.columns)
    front, rear = columns[Channel.LAMBDA_FRONT], columns[Channel.LAMBDA_REAR]
    columns[Channel.LAMBDA_FRONT], columns[Channel.LAMBDA_REAR] = rear, front
    return Frame.from_columns(frame.time_s, columns)


def test_balanced_cylinders_show_nothing():
    found = [
        balance(make(World(seed=s, errors={"front": smooth_error(s), "rear": smooth_error(s)})))
        for s in range(6)
    ]
    assert sum(b.significant for b in found) <= 1
    assert np.abs([b.offset for b in found]).max() < 0.004


def test_an_offset_is_found_with_its_sign_and_may_be_the_sensor():
    errors = {"front": no_error(), "rear": np.full(GRID, 0.04)}
    found = balance(make(World(seed=2, errors=errors)))
    assert found.offset == pytest.approx(0.04, abs=0.004)
    assert found.significant
    assert found.could_be_sensor


def test_a_difference_with_a_shape_is_no_sensor():
    shape = 0.06 * np.sin(np.array(RPM.nodes) / 700.0)[:, None] * np.ones(len(MAP))
    found = balance(make(World(seed=3, errors={"front": no_error(), "rear": 0.05 + shape})))
    assert found.significant
    assert not found.could_be_sensor


def test_exchanging_the_cylinders_changes_every_sign_and_nothing_else():
    frame = make(World(seed=4, errors={"front": smooth_error(4), "rear": 0.03 + smooth_error(5)}))
    frame = Frame.from_columns(frame.time_s, frame.columns)
    here, there = balance(frame), balance(swapped(frame))
    assert there.offset == pytest.approx(-here.offset, abs=1e-9)
    assert there.offset_se == pytest.approx(here.offset_se)
    assert there.surface.value == pytest.approx(-here.surface.value, nan_ok=True, abs=1e-9)


def test_exchanging_the_cylinders_exchanges_corrections_and_causes():
    errors = {"front": no_error(), "rear": np.full(GRID, 0.06)}
    frame = make(replace(World(seed=5, errors=errors)))
    here, there = analyse(frame, SETTINGS), analyse(swapped(frame), SETTINGS)
    mine = {c.value: f.correction for c, f in here.evidence.fits.items()}
    yours = {c.value: f.correction for c, f in there.evidence.fits.items()}
    for one, other in (("front", "rear"), ("rear", "front")):
        assert mine[one].multiplier == pytest.approx(yours[other].multiplier, abs=1e-9)
    exchange = {"front": "rear", "rear": "front"}
    renamed = [
        "_".join(exchange.get(word, word) for word in c.hypothesis_id.split("_"))
        for c in there.causes.causes
    ]
    assert sorted(renamed) == sorted(c.hypothesis_id for c in here.causes.causes)
    by_name = {c.hypothesis_id: c.confidence for c in here.causes.causes}
    for name, cause in zip(renamed, there.causes.causes, strict=True):
        assert cause.confidence == pytest.approx(by_name[name], abs=1e-6)
