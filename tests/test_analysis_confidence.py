"""Confidence in a tune: none without data, more with better evidence, capped by what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.confidence import probability_within, within
from dynoai_desktop.core.analysis.coverage import find_gaps
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.channels import Channel, Cylinder
from tests.analysis_world import MAP, RPM, World, make, no_error, smooth_error

SETTINGS = AnalysisSettings(axes=(RPM, MAP), redline_rpm=5800.0)


def test_no_data_is_no_confidence():
    # No data once scored 60, a C.
    n = 200
    frame = Frame.from_columns(
        np.arange(n) / 20.0,
        {Channel.RPM: np.full(n, 3000.0), Channel.MAP: np.full(n, 60.0)},
    )
    result = analyse(frame, SETTINGS).confidence
    assert result.score == 0.0
    assert result.grade == "D"


def test_a_good_tune_scores_and_a_bad_one_does_not():
    # Full coverage of a tune that is off once scored 70, a B.
    good = {"front": no_error(), "rear": no_error()}
    bad = {name: table + 0.15 for name, table in good.items()}
    scores = [
        analyse(make(World(seed=1, errors=e, sweeps=6)), SETTINGS).confidence for e in (good, bad)
    ]
    assert scores[0].score > 40.0
    assert scores[1].score < 5.0
    assert scores[1].weak


@given(st.floats(-0.029, 0.029), st.floats(0.001, 0.1), st.floats(0.0, 0.1))
def test_more_evidence_of_a_good_cell_never_lowers_it(value, se, more):
    assert probability_within(value, se, 0.03) >= probability_within(value, se + more, 0.03) - 1e-12


def test_a_cell_nobody_visited_counts_as_zero():
    payload = analyse(make(World(seed=2, errors={"front": no_error()}, sweeps=1)), SETTINGS)
    surface = payload.evidence.fits[Cylinder.FRONT].surface
    chance = within(surface)
    assert (chance[surface.hits < 3.0] == 0.0).all()
    assert (chance[surface.hits >= 3.0] > 0.0).all()


def test_what_was_not_logged_caps_the_grade():
    payload = analyse(make(World(seed=1, errors={"front": no_error()})), SETTINGS)
    assert "knock was not logged" in payload.confidence.caps
    assert payload.confidence.grade != "A"


def test_gaps_are_counted_on_the_least_covered_cylinder_and_scaled_to_the_engine():
    payload = analyse(
        make(World(seed=3, errors={"front": smooth_error(3), "rear": smooth_error(4)})), SETTINGS
    )
    gaps = find_gaps(payload.evidence, 5800.0)
    assert gaps
    for gap in gaps:
        assert 0 < gap.empty_cells <= gap.total_cells
        assert gap.coverage_pct == pytest.approx(100 * (1 - gap.empty_cells / gap.total_cells))
        assert gap.rpm_range[1] <= 5800.0
    assert [g.impact for g in gaps] == sorted(
        (g.impact for g in gaps), key=("high", "medium").index
    )
