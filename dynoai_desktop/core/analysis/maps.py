"""The surfaces of the report beside the fuel table: one table, each a joint estimate of its own.

Long logs are thinned for these, since neighbouring rows say the same; hits count every row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.basis import bilinear
from dynoai_desktop.core.analysis.cylinders import CYLINDERS, CylinderChannels
from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.modes import Mode
from dynoai_desktop.core.analysis.prior import SurfaceOptions
from dynoai_desktop.core.analysis.surface import Surface, fit_surface
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit

_MOST_ROWS = 30_000
_STEADY = (Mode.IDLE, Mode.CRUISE, Mode.PART_LOAD, Mode.WOT)
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Values of chosen rows, (m,), and the load axis and column they are drawn over."""

    rows: Rows
    values: F64
    load_axis: Axis
    load: F64  # (n,)


@dataclass(frozen=True, slots=True)
class MapSpec:
    """One surface: what it shows and where its readings come from."""

    surface_id: str
    title: str
    description: str
    unit: Unit
    gather: Callable[[Evidence], Readings | None]
    options: SurfaceOptions


@dataclass(frozen=True, slots=True, eq=False)
class NamedSurface:
    """A surface with its meaning."""

    surface_id: str
    title: str
    description: str
    unit: Unit
    surface: Surface


_LAMBDA = SurfaceOptions(prior_sd=0.5, noise_sd=0.02, learn=False, least_se=0.003)
_SPARK = SurfaceOptions(
    prior_sd=40.0,
    roughness_sd=(0.05, 8.0),
    scatter_sd=(0.05, 3.0),
    noise_sd=0.5,
    learn=False,
    least_se=0.05,
)
_KPA = SurfaceOptions(
    prior_sd=100.0,
    roughness_sd=(0.2, 20.0),
    scatter_sd=(0.2, 5.0),
    noise_sd=1.0,
    learn=False,
    least_se=0.2,
)
_PERCENT = SurfaceOptions(
    prior_sd=100.0,
    roughness_sd=(0.1, 20.0),
    scatter_sd=(0.1, 5.0),
    noise_sd=1.0,
    learn=False,
    least_se=0.3,
)


def _lambda_error(channels: CylinderChannels) -> Callable[[Evidence], Readings | None]:
    def gather(evidence: Evidence) -> Readings | None:
        fit = evidence.fits.get(channels.cylinder)
        if fit is None or fit.samples.target is None:
            return None
        rows = np.flatnonzero(fit.samples.accepted)
        error = fit.samples.measured[rows] - fit.samples.target[rows]
        return Readings(rows, error, evidence.where.load_axis, evidence.where.load)

    return gather


def _spark(channels: CylinderChannels) -> Callable[[Evidence], Readings | None]:
    def gather(evidence: Evidence) -> Readings | None:
        if channels.cylinder in (CYLINDERS[0].cylinder, CYLINDERS[1].cylinder):
            spark = evidence.channel(channels.spark[0])
        else:
            own = evidence.channel(CYLINDERS[0].spark[0], CYLINDERS[1].spark[0])
            spark = evidence.channel(channels.spark[0]) if own is None else None
        if spark is None:
            return None
        rows = np.flatnonzero(evidence.track.rows_in(*_STEADY) & np.isfinite(spark))
        return Readings(rows, spark[rows], evidence.where.load_axis, evidence.where.load)

    return gather


def _map_by_throttle(evidence: Evidence) -> Readings | None:
    pressure, throttle = evidence.channel(Channel.MAP), evidence.channel(Channel.TPS)
    if pressure is None or throttle is None:
        return None
    rows = np.flatnonzero(evidence.track.rows_in(*_STEADY, Mode.DECEL) & np.isfinite(pressure))
    nodes = [0.0, 3.0, 6.0, 10.0, 15.0, 20.0, 30.0, 40.0, 55.0, 75.0, 100.0]
    axis = Axis.from_nodes(Channel.TPS, Unit.PERCENT, nodes)
    return Readings(rows, pressure[rows], axis, throttle)


def _logged_ve(channels: CylinderChannels) -> Callable[[Evidence], Readings | None]:
    def gather(evidence: Evidence) -> Readings | None:
        ve = None if channels.ve is None else evidence.channel(channels.ve)
        if ve is None:
            return None
        rows = np.flatnonzero(evidence.track.rows_in(*_STEADY) & np.isfinite(ve))
        return Readings(rows, ve[rows], evidence.where.load_axis, evidence.where.load)

    return gather


MAPS: tuple[MapSpec, ...] = (
    *(
        MapSpec(
            f"lambda_error_{c.cylinder.value}",
            f"Lambda error {c.cylinder.value}",
            "Measured minus commanded lambda of accepted samples; positive is lean.",
            Unit.LAMBDA,
            _lambda_error(c),
            _LAMBDA,
        )
        for c in CYLINDERS
    ),
    *(
        MapSpec(
            f"spark_{c.cylinder.value}",
            f"Spark advance {c.cylinder.value}",
            "Final advance in steady running, knock retard included where the ECU reports it so.",
            Unit.DEGREE,
            _spark(c),
            _SPARK,
        )
        for c in CYLINDERS
    ),
    *(
        MapSpec(
            f"ve_logged_{c.cylinder.value}",
            f"VE as logged {c.cylinder.value}",
            "What the ECU said its VE was in steady running.",
            Unit.PERCENT,
            _logged_ve(c),
            _PERCENT,
        )
        for c in CYLINDERS[:2]
    ),
    MapSpec(
        "map_by_throttle",
        "Manifold pressure by throttle",
        "MAP over rpm and throttle: the bridge between tables on MAP and tables on TPS.",
        Unit.KILOPASCAL,
        _map_by_throttle,
        _KPA,
    ),
)


def draw_maps(evidence: Evidence) -> tuple[NamedSurface, ...]:
    """Return every surface the log has data for, in the order of the table."""
    out = []
    for spec in MAPS:
        readings = spec.gather(evidence)
        if readings is None or not readings.rows.size:
            continue
        surface = _draw(evidence, readings, spec.options)
        if surface.samples:
            out.append(
                NamedSurface(spec.surface_id, spec.title, spec.description, spec.unit, surface)
            )
    return tuple(out)


def _draw(evidence: Evidence, readings: Readings, options: SurfaceOptions) -> Surface:
    where = evidence.where
    rows = readings.rows
    step = max(1, rows.size // _MOST_ROWS)
    some = rows[::step]
    basis = bilinear(where.rpm_axis, readings.load_axis, where.rpm[some], readings.load[some])
    values = readings.values[::step][basis.kept]
    middle = float(np.median(values)) if values.size else 0.0
    surface = fit_surface(basis, values - middle, evidence.frame.time_s[some][basis.kept], options)
    if step > 1:
        if readings.load is where.load:
            whole = where.of(_mask(rows, where.rpm.size))[0]
        else:
            whole = bilinear(
                where.rpm_axis, readings.load_axis, where.rpm[rows], readings.load[rows]
            )
        hits = whole.sums().reshape(surface.hits.shape)
    else:
        hits = surface.hits
    return surface.moved(middle, hits)


def _mask(rows: Rows, size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, dtype=bool)
    mask[rows] = True
    return mask
