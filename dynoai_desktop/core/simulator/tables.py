"""The tables of the virtual control unit: what it believes, on its own axes.

VE in percent (as tune files have it), the one lambda target table that simulator, screen and
analysis share, spark in degrees before top dead centre. The truth is elsewhere (breathing.py).
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.simulator.breathing import Breathing
from dynoai_desktop.core.simulator.combustion import Burn
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.weather import Weather
from dynoai_desktop.core.units import STOICH_AFR, Unit

_IDLE_MAP_KPA = 20.0
_FULL_MAP_KPA = 100.0
_SPARK_MARGIN_DEG = 4.0  # kept below the knock limit on the fuel the tune was made for

# What a table may hold; a value outside is a mistake of whoever made it.
_BOUNDS = {
    "ve_front_pct": (1.0, 300.0),
    "ve_rear_pct": (1.0, 300.0),
    "target_lambda": (0.5, 1.5),
    "spark_front_deg": (-30.0, 70.0),
    "spark_rear_deg": (-30.0, 70.0),
}


@dataclass(frozen=True, slots=True)
class EcuTables:
    """One tune. All grids ``[rpm][map]`` on the same axes.

    Raises ValueError naming the table when a shape, an axis or a value is wrong.
    """

    ve_front_pct: CellGrid
    ve_rear_pct: CellGrid
    target_lambda: CellGrid
    spark_front_deg: CellGrid
    spark_rear_deg: CellGrid

    def __post_init__(self) -> None:
        """Refuse tables that do not belong together."""
        first = self.ve_front_pct
        for name, (low, high) in _BOUNDS.items():
            grid: CellGrid = getattr(self, name)
            if grid.rpm.nodes != first.rpm.nodes or grid.load.nodes != first.load.nodes:
                raise ValueError(f"{name}: its axes differ from those of ve_front_pct.")
            if not np.all(np.isfinite(grid.values)):
                raise ValueError(f"{name}: holds a value that is not a number.")
            if grid.values.min() < low or grid.values.max() > high:
                raise ValueError(f"{name}: values must lie between {low:g} and {high:g}.")

    def with_ve(self, front_pct: NDArray[np.float64], rear_pct: NDArray[np.float64]) -> EcuTables:
        """Return the same tune with other VE tables, ``[rpm][map]`` in percent."""
        rpm, load = self.ve_front_pct.rpm, self.ve_front_pct.load
        return dataclasses.replace(
            self,
            ve_front_pct=CellGrid(rpm, load, np.array(front_pct, dtype=np.float64)),
            ve_rear_pct=CellGrid(rpm, load, np.array(rear_pct, dtype=np.float64)),
        )

    def with_spark(
        self, front_deg: NDArray[np.float64], rear_deg: NDArray[np.float64]
    ) -> EcuTables:
        """Return the same tune with other spark tables, ``[rpm][map]`` in degrees."""
        rpm, load = self.ve_front_pct.rpm, self.ve_front_pct.load
        return dataclasses.replace(
            self,
            spark_front_deg=CellGrid(rpm, load, np.array(front_deg, dtype=np.float64)),
            spark_rear_deg=CellGrid(rpm, load, np.array(rear_deg, dtype=np.float64)),
        )


def axes(profile: Profile) -> tuple[Axis, Axis]:
    """Return the rpm and MAP axes of a profile's tables."""
    return (
        Axis.from_nodes(Channel.RPM, Unit.RPM, profile.ve_rpm),
        Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, profile.ve_map_kpa),
    )


def true_ve_pct(
    breathing: Breathing, weather: Weather
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return true VE in percent on the nodes of the profile's tables, front and rear."""
    profile = breathing.profile
    rpm, load = np.meshgrid(profile.ve_rpm, profile.ve_map_kpa, indexing="ij")
    front, rear = breathing.ve(rpm, load, weather)
    return front * 100.0, rear * 100.0


def true_tables(breathing: Breathing, weather: Weather) -> EcuTables:
    """Return the right tune for this engine in this weather: every table as it should be."""
    profile = breathing.profile
    rpm, load = axes(profile)
    front, rear = true_ve_pct(breathing, weather)
    burn = Burn.of(profile)
    return EcuTables(
        CellGrid(rpm, load, front),
        CellGrid(rpm, load, rear),
        CellGrid(rpm, load, _target_lambda(profile)),
        CellGrid(rpm, load, _spark(profile, burn, profile.front.mbt_offset_deg)),
        CellGrid(rpm, load, _spark(profile, burn, profile.rear.mbt_offset_deg)),
    )


def _target_lambda(profile: Profile) -> NDArray[np.float64]:
    """Return lambda targets: a straight line in MAP from the idle to the full-load mixture."""
    load = np.array(profile.ve_map_kpa)
    afr = np.interp(
        load,
        [_IDLE_MAP_KPA, _FULL_MAP_KPA + profile.boost_kpa],
        [profile.idle_afr, profile.wot_afr],
    )
    row = afr / STOICH_AFR["gasoline"]  # profiles state their mixtures as gasoline AFR
    return np.tile(row, (len(profile.ve_rpm), 1))


def _spark(profile: Profile, burn: Burn, offset_deg: float) -> NDArray[np.float64]:
    """Return a safe spark table: MBT, held below the knock limit, late at idle for smoothness."""
    values = np.empty((len(profile.ve_rpm), len(profile.ve_map_kpa)))
    for i, rpm in enumerate(profile.ve_rpm):
        late = 6.0 * max(0.0, min(1.0, (1.6 * profile.idle_rpm - rpm) / (0.4 * profile.idle_rpm)))
        for j, load in enumerate(profile.ve_map_kpa):
            best = burn.mbt_deg(rpm, load) + offset_deg
            safe = burn.knock_limit_deg(rpm, load) - _SPARK_MARGIN_DEG
            values[i, j] = max(2.0, min(best, safe, 46.0) - late)
    return values


Node = tuple[float, float, float, float, float]


def _node(cell: list[float]) -> Node:
    ve_front, ve_rear, lam, spark_front, spark_rear = cell
    return ve_front, ve_rear, lam, spark_front, spark_rear


class Lookup:
    """Reads all tables at one point, bilinear, held at the edges as a control unit does."""

    __slots__ = ("_load", "_rows", "_rpm")

    def __init__(self, tables: EcuTables) -> None:
        """Lay the tables out for reading: per node (VE f, VE r, lambda, spark f, spark r)."""
        self._rpm = list(tables.ve_front_pct.rpm.nodes)
        self._load = list(tables.ve_front_pct.load.nodes)
        stacked = np.stack([getattr(tables, name).values for name in _BOUNDS], axis=-1)
        self._rows: list[list[Node]] = [[_node(cell) for cell in row] for row in stacked.tolist()]

    def __call__(self, rpm: float, map_kpa: float) -> Node:
        """Return (VE front %, VE rear %, lambda, spark front °, spark rear °)."""
        i, x = _place(self._rpm, rpm)
        j, y = _place(self._load, map_kpa)
        low, high = self._rows[i], self._rows[i + 1]
        vf, vr, la, sf, sr = low[j]
        vf01, vr01, la01, sf01, sr01 = low[j + 1]
        vf10, vr10, la10, sf10, sr10 = high[j]
        vf11, vr11, la11, sf11, sr11 = high[j + 1]
        w11 = x * y
        w10 = x - w11
        w01 = y - w11
        w00 = 1.0 - x - w01
        return (
            vf * w00 + vf01 * w01 + vf10 * w10 + vf11 * w11,
            vr * w00 + vr01 * w01 + vr10 * w10 + vr11 * w11,
            la * w00 + la01 * w01 + la10 * w10 + la11 * w11,
            sf * w00 + sf01 * w01 + sf10 * w10 + sf11 * w11,
            sr * w00 + sr01 * w01 + sr10 * w10 + sr11 * w11,
        )


def _place(nodes: list[float], value: float) -> tuple[int, float]:
    """Return the interval that holds *value* and the share of the way through it, 0 to 1."""
    if value <= nodes[0]:
        return 0, 0.0
    if value >= nodes[-1]:
        return len(nodes) - 2, 1.0
    i = bisect_right(nodes, value) - 1
    return i, (value - nodes[i]) / (nodes[i + 1] - nodes[i])
