"""A frame is born in our units and never lies about where a column came from."""

from __future__ import annotations

import numpy as np
import pytest

from dynoai_desktop.core.analysis.frame import Frame, FrameError
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit

TIME = np.array([0.0, 0.1, 0.2])


def test_afr_becomes_lambda_by_the_fuel_it_was_measured_on():
    frame = Frame.from_columns(TIME, {Channel.AFR_FRONT: [14.7, 13.23, 12.0]}, stoich=14.7)
    assert frame.columns[Channel.LAMBDA_FRONT] == pytest.approx([1.0, 0.9, 12.0 / 14.7])
    assert frame.provenance[Channel.LAMBDA_FRONT].unit is Unit.AFR
    assert "14.7" in frame.provenance[Channel.LAMBDA_FRONT].note


def test_a_column_named_afr_that_holds_lambda_is_not_divided_again():
    frame = Frame.from_columns(
        TIME, {Channel.AFR_FRONT: [1.0, 0.9, 0.8]}, {Channel.AFR_FRONT: Unit.LAMBDA}
    )
    assert frame.columns[Channel.LAMBDA_FRONT] == pytest.approx([1.0, 0.9, 0.8])


def test_where_lambda_and_afr_came_lambda_is_kept():
    frame = Frame.from_columns(
        TIME, {Channel.AFR_FRONT: [14.7] * 3, Channel.LAMBDA_FRONT: [0.9] * 3}
    )
    assert frame.columns[Channel.LAMBDA_FRONT] == pytest.approx([0.9] * 3)


def test_seconds_and_milliseconds_are_the_same_log():
    seconds = Frame.from_columns(TIME, {Channel.RPM: [1, 2, 3]})
    millis = Frame.from_columns(TIME * 1000, {Channel.RPM: [1, 2, 3]}, time_unit=Unit.MILLISECOND)
    assert millis.time_s == pytest.approx(seconds.time_s)


def test_zero_stays_zero_and_absent_stays_absent():
    frame = Frame.from_columns(TIME, {Channel.TPS: [0.0, np.nan, 0.0], Channel.KNOCK: [np.nan] * 3})
    assert frame.columns[Channel.TPS][0] == 0.0
    assert np.isnan(frame.columns[Channel.TPS][1])
    assert Channel.KNOCK not in frame


def test_arrays_cannot_be_changed_by_accident():
    frame = Frame.from_columns(TIME, {Channel.RPM: [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="read-only"):
        frame.columns[Channel.RPM][0] = 5.0


@pytest.mark.parametrize(
    ("time", "columns", "units", "words"),
    [
        ([0.0, 0.2, 0.1], {Channel.RPM: [1, 2, 3]}, {}, "goes back at row 3"),
        ([0.0, np.nan, 0.1], {Channel.RPM: [1, 2, 3]}, {}, "Row 2 has no time"),
        ([0.0, 0.1, 0.2], {Channel.RPM: [1, 2]}, {}, "ragged"),
        ([0.0, 0.1, 0.2], {Channel.IAT: [1, 2, 3]}, {Channel.IAT: Unit.KILOPASCAL}, "cannot be in"),
    ],
)
def test_what_cannot_be_a_log_is_refused_with_the_place(time, columns, units, words):
    with pytest.raises(FrameError, match=words):
        Frame.from_columns(time, columns, units)


def test_the_digest_belongs_to_the_data():
    one = Frame.from_columns(TIME, {Channel.RPM: [1.0, 2.0, 3.0]})
    same = Frame.from_columns(TIME, {Channel.RPM: [1.0, 2.0, 3.0]})
    other = Frame.from_columns(TIME, {Channel.RPM: [1.0, 2.0, 3.1]})
    assert one.digest() == same.digest() != other.digest()
