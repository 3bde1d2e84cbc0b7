"""How much air an engine draws: the truth surface and the throttle that feeds it.

VE is dry air drawn per cycle over the density of the manifold air times the swept volume,

    VE(rpm, MAP, cylinder) = A(rpm)·trim(rpm, cylinder)·(1 - B(rpm)·q²)·dry,   q = 1 - MAP/p_exhaust

A peaks at the torque peak; the bracket is the exhaust left behind at part load, which grows as
the manifold falls below the exhaust. The surface is smooth: a table with real axes follows it to
about a tenth of a percent, and nothing in it knows those axes. It belongs to the weather of the
day, since exhaust pressure is the barometer and humid air holds less that burns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.simulator.profile import CylinderTruth, Profile
from dynoai_desktop.core.simulator.weather import Weather

_LOW_SPEED_LOSS = 0.14  # of VE at idle speed against the torque peak
_HIGH_SPEED_LOSS = 0.06  # of VE at the redline
_RESIDUAL = 0.24  # B in mid range
_RESIDUAL_SPREAD = 0.12  # B is larger at low speed, where overlap lasts longer

_GAMMA = 1.4
_CRITICAL = (2.0 / (_GAMMA + 1.0)) ** (_GAMMA / (_GAMMA - 1.0))

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Build:
    """What was done to the engine since its profile was written."""

    low_speed: float = 0.0  # relative change of VE at idle speed
    high_speed: float = 0.0  # relative change at the redline
    overlap: float = 0.0  # added to B: more exhaust left behind at low load
    rear: float = 0.0  # relative change of the rear cylinder group


STOCK = Build()


def trim(truth: CylinderTruth, rpm: Array) -> Array:
    """Return a cylinder's breathing relative to the mean engine, smooth in rpm."""
    nodes, values = np.array(truth.trim_rpm), np.array(truth.trim_pct) / 100.0
    index = np.clip(np.searchsorted(nodes, rpm, side="right") - 1, 0, len(nodes) - 2)
    x = np.clip((rpm - nodes[index]) / (nodes[index + 1] - nodes[index]), 0.0, 1.0)
    curve: Array = (
        1.0 + values[index] + (values[index + 1] - values[index]) * x * x * (3.0 - 2.0 * x)
    )
    return curve


@dataclass(frozen=True, slots=True)
class Breathing:
    """The truth surface of one engine. Vectorised; the step functions use `rows` made from it."""

    profile: Profile
    build: Build = STOCK

    def _speed(self, rpm: Array) -> Array:
        """Return -1 at idle speed, 0 at the torque peak, 1 at the redline."""
        p = self.profile
        low = (rpm - p.peak_torque_rpm) / (p.peak_torque_rpm - p.idle_rpm)
        high = (rpm - p.peak_torque_rpm) / (p.redline_rpm - p.peak_torque_rpm)
        return np.clip(np.where(rpm < p.peak_torque_rpm, low, high), -1.2, 1.4)

    def amplitude(self, rpm: Array) -> tuple[Array, Array]:
        """Return A·trim of the front and the rear group, shape of *rpm*."""
        s = self._speed(rpm)
        loss = np.where(s < 0.0, _LOW_SPEED_LOSS, _HIGH_SPEED_LOSS)
        wave = np.where(s < 0.0, self.build.low_speed, self.build.high_speed)
        mean = self.profile.peak_ve * (1.0 - loss * s * s) * (1.0 + wave * s * s)
        front: Array = mean * trim(self.profile.front, rpm)
        rear: Array = mean * trim(self.profile.rear, rpm) * (1.0 + self.build.rear)
        return front, rear

    def residual(self, rpm: Array) -> Array:
        """Return B, shape of *rpm*."""
        s = np.clip(self._speed(rpm), -1.0, 1.0)
        share: Array = _RESIDUAL + self.build.overlap * (1.0 - s) / 2.0 - _RESIDUAL_SPREAD / 2.0 * s
        return share

    def ve(self, rpm: Array, map_kpa: Array, weather: Weather) -> tuple[Array, Array]:
        """Return true VE (0 to 1.4) of the front and the rear group at paired rpm and MAP."""
        q = np.maximum(0.0, 1.0 - map_kpa / weather.baro_kpa)
        load = (1.0 - self.residual(rpm) * q * q) * weather.dry_fraction
        front, rear = self.amplitude(rpm)
        return front * load, rear * load


def _throttle_flow(ratio: Array) -> Array:
    """Return the flow function of an orifice at a pressure ratio (ideal gas, choked below 0.53)."""
    r = np.maximum(ratio, _CRITICAL)
    squared = 2.0 * _GAMMA / (_GAMMA - 1.0) * (r ** (2.0 / _GAMMA) - r ** ((_GAMMA + 1.0) / _GAMMA))
    flow: Array = np.sqrt(np.maximum(squared, 0.0))
    return flow


class ManifoldCurve:
    """Manifold over upstream pressure as a function of opening against demand.

    In steady flow the throttle passes what the cylinders draw, area·Φ(r) ∝ VE·rpm·r, so r depends
    on s = area/(VE·rpm) alone. *pressure_ratio* reads that curve from a table.
    """

    __slots__ = ("_ratio",)

    STEP = 0.01
    END = 8.0

    def __init__(self) -> None:
        """Tabulate the curve."""
        ratio = 1.0 - np.concatenate((np.linspace(1.0, 0.02, 2000)[:-1], np.geomspace(0.02, 1e-6)))
        opening = ratio / _throttle_flow(ratio)
        grid = np.arange(0.0, self.END + 2 * self.STEP, self.STEP)
        self._ratio: list[float] = np.interp(grid, opening, ratio).tolist()

    def pressure_ratio(self, opening: float) -> float:
        """Return manifold over upstream pressure, 0 to 1, for an opening s ≥ 0."""
        if opening >= self.END:
            return 1.0 - 0.5 / (opening * opening)
        x = opening * 100.0
        i = int(x)
        low = self._ratio[i]
        return low + (self._ratio[i + 1] - low) * (x - i)

    @staticmethod
    def opening(ratio: float) -> float:
        """Return the opening s that gives a pressure ratio below 1."""
        return float(ratio / _throttle_flow(np.array(ratio)))


MANIFOLD = ManifoldCurve()
