"""Power correction: the golden values of the standards, and what every factor must keep."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.power.standards import CORRECTION_STANDARDS, Air

# Station pressure kPa, °C, % humidity; then J1349, J607, DIN, ISO (analysis specification, 14).
GOLDEN = [
    (Air(99.0, 25.0, 0.0), (1.0, 1.0401, 1.0322, 1.0)),
    (Air(101.325, 25.0, 0.0), (0.9730, 1.0162, 1.0085, 0.9725)),
    (Air(98.0, 30.0, 50.0), (1.0484, 1.0829, 1.0514, 1.0496)),
    (Air(84.287, 35.0, 30.0), (1.2570, 1.2674, 1.2325, 1.2676)),
]
KEYS = ("sae_j1349", "std_j607", "din_70020", "iso_1585")
REAL = [row for row in CORRECTION_STANDARDS.values() if row.key != "none"]

airs = st.builds(Air, st.floats(70.0, 108.0), st.floats(-10.0, 45.0), st.floats(0.0, 95.0))


@pytest.mark.parametrize(("air", "expected"), GOLDEN)
def test_golden_values_hold_to_the_fourth_decimal(air, expected):
    found = tuple(CORRECTION_STANDARDS[key].correct(air).factor for key in KEYS)
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("row", CORRECTION_STANDARDS.values(), ids=lambda row: row.key)
def test_factor_is_one_in_the_reference_air(row):
    assert row.correct(row.reference).factor == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("row", REAL, ids=lambda row: row.key)
@given(air=airs)
def test_thinner_hotter_or_wetter_air_asks_for_more_correction(row, air):
    factor = row.correct(air).factor
    thinner = Air(air.pressure_kpa - 1.0, air.temperature_c, air.humidity_pct)
    hotter = Air(air.pressure_kpa, air.temperature_c + 1.0, air.humidity_pct)
    wetter = Air(air.pressure_kpa, air.temperature_c, air.humidity_pct + 5.0)
    assert row.correct(thinner).factor > factor
    assert row.correct(hotter).factor > factor
    assert row.correct(wetter).factor >= factor  # DIN 70020 ignores humidity


def test_air_outside_a_standard_is_flagged_and_still_computed():
    denver = CORRECTION_STANDARDS["sae_j1349"].correct(Air(84.287, 36.0, 30.0))
    assert denver.factor > 1.2
    assert not denver.within_limits
    assert any("temperature" in reason for reason in denver.outside)
    assert CORRECTION_STANDARDS["sae_j1349"].correct(Air(99.0, 25.0, 20.0)).within_limits


@pytest.mark.parametrize(
    ("air", "named"),
    [
        (Air(math.nan, 25.0), "pressure_kpa"),
        (Air(99.0, math.inf), "temperature_c"),
        (Air(99.0, 25.0, math.nan), "humidity_pct"),
        (Air(1.0, 40.0, 100.0), "weather channels"),
        (Air(99.0, 25.0, 140.0), "weather channels"),
    ],
)
def test_bad_weather_is_refused_by_name(air, named):
    with pytest.raises(ValueError, match=named):
        CORRECTION_STANDARDS["sae_j1349"].correct(air)


def test_factor_has_the_sense_of_a_power_correction():
    """Denver makes less power, so its factor is above one (the fuel factor is below)."""
    assert CORRECTION_STANDARDS["sae_j1349"].correct(Air(84.3, 25.0)).factor == pytest.approx(
        1.205, abs=1e-3
    )
