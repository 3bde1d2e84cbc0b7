"""A valley is a true minimum beyond its noise; MBT comes from torque that was measured."""

from __future__ import annotations

import numpy as np
import pytest

from dynoai_desktop.core.analysis.basis import bilinear
from dynoai_desktop.core.analysis.prior import SurfaceOptions
from dynoai_desktop.core.analysis.spark import Curve, find_mbt, find_valley, high_load_curve
from dynoai_desktop.core.analysis.surface import fit_surface
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.units import Unit

RPM = Axis.from_nodes(Channel.RPM, Unit.RPM, range(2000, 6001, 500))
MAP = Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, [60, 70, 80, 90])
NODES = np.array(RPM.nodes)


def curve(value, sd=0.2) -> Curve:
    return Curve(NODES, np.asarray(value, float), np.eye(NODES.size) * sd**2, (80.0, 90.0))


def notch(depth=8.0):
    return 30.0 - np.maximum(0.0, depth * (1 - np.abs(NODES - 4000) / 2000))


def drive(spark, sd=0.3, rows=3000, seed=1):
    rng = np.random.default_rng(seed)
    rpm, load = rng.uniform(2000, 6000, rows), rng.uniform(60, 92, rows)
    basis = bilinear(RPM, MAP, rpm, load)
    values = (spark(rpm, load) + rng.normal(0, sd, rows))[basis.kept]
    options = SurfaceOptions(
        prior_sd=40.0, roughness_sd=(0.05, 8.0), scatter_sd=(0.05, 3.0), noise_sd=0.5
    )
    surface = fit_surface(basis, values - 30.0, np.arange(basis.kept.size) / 20.0, options)
    return high_load_curve(surface.moved(30.0, surface.hits), 80.0)


def test_a_valley_is_found_with_its_full_depth():
    # Smoothing over three points once made eight degrees 5.7.
    found = drive(
        lambda r, m: 32 - 0.1 * (m - 60) - np.maximum(0, 8 * (1 - np.abs(r - 4000) / 2000))
    )
    valley = find_valley(found, Cylinder.FRONT)
    assert valley.rpm_center == 4000
    assert valley.depth_deg == pytest.approx(8.0, abs=0.7)
    assert valley.rpm_band == (3000, 5000)
    assert valley.valley_min_deg == pytest.approx(21.5, abs=0.5)
    assert valley.confidence > 0.99


@pytest.mark.parametrize(
    "shape", [np.full(9, 30.0), np.linspace(20, 38, 9), np.linspace(38, 20, 9), 30 + 0.002 * NODES]
)
def test_flat_and_monotone_curves_have_no_valley(shape):
    assert find_valley(curve(shape), Cylinder.FRONT) is None


def test_one_bad_row_on_a_slope_is_no_valley():
    # It once was one, at the wrong speed, with full confidence.
    shape = np.linspace(20, 38, 9)
    shape[4] -= 4.0
    doubtful = np.full(9, 0.2)
    doubtful[4] = 3.0
    slope = Curve(NODES, shape, np.diag(doubtful**2), (80.0, 90.0))
    assert find_valley(slope, Cylinder.FRONT) is None


def test_noise_is_no_valley():
    rng = np.random.default_rng(3)
    found = [
        find_valley(curve(30 + rng.normal(0, 1.5, 9), sd=1.5), Cylinder.FRONT) for _ in range(300)
    ]
    assert sum(v is not None for v in found) <= 3


@pytest.mark.parametrize("offset", [-15.0, 12.5])
def test_an_offset_changes_nothing_but_the_levels(offset):
    here = find_valley(curve(notch()), Cylinder.FRONT)
    there = find_valley(curve(notch() + offset), Cylinder.FRONT)
    assert there.depth_deg == pytest.approx(here.depth_deg)
    assert (there.rpm_center, there.rpm_band) == (here.rpm_center, here.rpm_band)
    assert there.valley_min_deg == pytest.approx(here.valley_min_deg + offset)
    assert here.rpm_band[0] <= here.rpm_center <= here.rpm_band[1]


def test_a_dip_of_the_base_table_is_called_a_choice():
    assert find_valley(curve(notch()), Cylinder.FRONT, notch()).of_base_table
    assert not find_valley(curve(notch()), Cylinder.FRONT, np.full(9, 30.0)).of_base_table


def test_too_few_rows_have_no_curve():
    assert find_valley(None, Cylinder.FRONT) is None
    short = Curve(NODES[:4], notch()[:4], np.eye(4), (80.0, 90.0))
    assert find_valley(short, Cylinder.FRONT) is None


def torque_sweep(mbt=32.0, sd=1.0, spread=4.0, rows=400, seed=2):
    rng = np.random.default_rng(seed)
    spark = rng.uniform(28 - spread, 28 + spread, rows)
    rpm, load = rng.uniform(3800, 4200, rows), rng.uniform(78, 84, rows)
    torque = 120 + 0.004 * (rpm - 4000) + 1.1 * (load - 80) - 0.05 * (spark - mbt) ** 2
    return rpm, load, spark, torque + rng.normal(0, sd, rows)


def test_mbt_is_where_torque_peaks_with_its_doubt():
    hits = []
    for seed in range(30):
        for one in find_mbt(Cylinder.FRONT, (RPM, MAP), *torque_sweep(seed=seed), repeats=1.0):
            hits.append(abs(one.mbt_deg - 32.0) < 1.96 * one.mbt_se_deg)
            assert one.rise_sigmas > 2.0  # torque still rises at the present timing
    assert len(hits) >= 20
    assert np.mean(hits) > 0.85


def test_without_a_sweep_there_is_no_mbt():
    assert find_mbt(Cylinder.FRONT, (RPM, MAP), *torque_sweep(spread=0.5)) == ()


def test_a_straight_rise_is_no_peak():
    rpm, load, spark, _ = torque_sweep()
    torque = 100 + 1.0 * spark + np.random.default_rng(1).normal(0, 1, spark.size)
    assert find_mbt(Cylinder.FRONT, (RPM, MAP), rpm, load, spark, torque) == ()
