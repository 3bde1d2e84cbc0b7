"""The axes of the live map for one vehicle: the usual ones, and further where the engine goes."""

from __future__ import annotations

import math

from dynoai_desktop.core.axis import Axis, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.units import Unit

_ATMOSPHERE_KPA = 101.325  # ISO 2533, sea level
_OVER = 1.1  # boost and engine speed overshoot what is stated by about this much
_MOST_FINE_BINS = 24  # of 10 kPa; beyond that a cell is 20 kPa


def live_axes(record: VehicleRecord) -> tuple[Axis, Axis]:
    """Return rpm and MAP axes that hold all of the vehicle's range.

    >>> rpm, load = live_axes(VehicleRecord("Turbo", redline_rpm=7000.0, boost_kpa=110.0))
    >>> rpm.edges[-1], load.edges[0], load.edges[-1], len(load)
    (10000.0, 20.0, 230.0, 21)
    """
    rpm, load = default_rpm_axis(), default_map_axis()
    top_rpm = (record.redline_rpm or 0.0) * _OVER
    if top_rpm > rpm.edges[-1]:
        rpm = Axis.from_edges(Channel.RPM, Unit.RPM, _steps(0.0, top_rpm, 500.0))
    if record.boost_kpa > 0.0:
        low = load.edges[0]
        top_kpa = _ATMOSPHERE_KPA + record.boost_kpa * _OVER
        step = 10.0 if top_kpa <= low + 10.0 * _MOST_FINE_BINS else 20.0
        top_kpa = max(top_kpa, load.edges[-1])
        load = Axis.from_edges(Channel.MAP, Unit.KILOPASCAL, _steps(low, top_kpa, step))
    return rpm, load


def _steps(low: float, high: float, step: float) -> list[float]:
    return [low + step * i for i in range(math.ceil((high - low) / step) + 1)]
