"""Manifold pressure from throttle and speed: what a throttle body does.

In steady flow the throttle passes what the cylinders draw. With r = MAP over the pressure ahead,

    area(throttle) · Φ(r) = demand(rpm, r) ∝ rpm · r · (1 - B (1 - r)²)

Φ is the flow of an isentropic orifice, choked below r = 0.528 (Heywood, Internal Combustion Engine
Fundamentals, appendix C); the bracket is the exhaust left behind at part load. So r depends on
area over rpm alone: at a fixed throttle MAP falls as the engine speeds up. The area is that of a
round plate (Heywood, eq. 7.22 without shaft) and the air that passes it at idle, scaled by what the
vehicle showed wide open, and corrected throttle by throttle where steady points have been seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.planning.ways import Ways

_GAMMA = 1.4
_CRITICAL = (2.0 / (_GAMMA + 1.0)) ** (_GAMMA / (_GAMMA - 1.0))
_LEFT_BEHIND = 0.24  # B, usual for engines with some overlap
_REST_DEG = 10.0  # of the closed plate
_BLIND_ABOVE = 0.985  # a ratio so near 1 says little about the area
_USUAL_FULL = 0.945  # ratio wide open at the speed of most power
_USUAL_FULL_RPM = 0.87  # of the redline
_IDLE_RATIO = 0.32
_BUCKET_PCT = 2.0  # throttles nearer to each other are one
_MOST_WRONG = 3.0  # a correction of the area beyond this is a fault of the points


def orifice_flow(ratio: F64) -> F64:
    """Return the flow Φ of an orifice at pressure ratios 0 to 1, in units of p A / √(R T).

    >>> orifice_flow(np.array([0.3, 0.9])).round(4).tolist()
    [0.6847, 0.4226]
    """
    r = np.maximum(ratio, _CRITICAL)
    power = r ** (2.0 / _GAMMA) - r ** ((_GAMMA + 1.0) / _GAMMA)
    flow: F64 = np.sqrt(np.maximum(2.0 * _GAMMA / (_GAMMA - 1.0) * power, 0.0))
    return flow


def plate_area(tps_pct: F64) -> F64:
    """Return the open share of a round throttle, 0 to 1.

    >>> plate_area(np.array([0.0, 50.0, 100.0])).round(3).tolist()
    [0.0, 0.347, 1.0]
    """
    rest = math.radians(_REST_DEG)
    angle = rest + (math.pi / 2.0 - rest) * np.clip(tps_pct, 0.0, 100.0) / 100.0
    area: F64 = 1.0 - np.cos(angle) / math.cos(rest)
    return area


def _opening(ratio: F64) -> F64:
    """Return area over rpm, in units of demand, that gives a ratio below 1."""
    demand = ratio * (1.0 - _LEFT_BEHIND * (1.0 - ratio) ** 2)
    opening: F64 = demand / orifice_flow(ratio)
    return opening


_RATIOS = 1.0 - np.geomspace(0.98, 1e-5, 1500)
_OPENINGS = _opening(_RATIOS)


@dataclass(frozen=True, slots=True, eq=False)
class Throttle:
    """The throttle body of one vehicle, fitted to its ways."""

    ways: Ways
    scale: float  # rpm that a wide-open throttle serves at an opening of one
    idle_area: float  # what passes the shut throttle at idle
    tps_pct: F64  # throttles with a correction, rising
    correction: F64  # of the plate's area there, as ln

    @classmethod
    def of(cls, ways: Ways) -> Throttle:
        """Fit the throttle body to the full-load curve and to steady points."""
        rpm, kpa = _curve(ways)
        ratio = kpa / _ahead(ways, rpm)
        most = int(np.argmin(ratio))  # where the throttle chokes the engine most, it tells most
        if _CRITICAL < ratio[most] < _BLIND_ABOVE:
            scale = float(_opening(ratio[most : most + 1])[0] * rpm[most])
        else:
            full = float(_opening(np.array([_USUAL_FULL]))[0])
            scale = full * _USUAL_FULL_RPM * ways.redline_rpm
        idle = float(_opening(np.array([idle_kpa(ways) / ways.baro_kpa]))[0])
        idle_area = min(0.2, idle * ways.idle_rpm / scale)
        return cls(ways, scale, idle_area, *_corrections(ways, scale, idle_area))

    def full_kpa(self, rpm: F64) -> F64:
        """Return MAP wide open, shape of *rpm*."""
        full: F64 = np.interp(rpm, *_curve(self.ways))
        return full

    def area(self, tps_pct: F64) -> F64:
        """Return the open share of the throttle, never falling with *tps_pct*."""
        area = _plate_and_idle(tps_pct, self.idle_area)
        if self.tps_pct.size:
            area = area * np.exp(np.interp(tps_pct, self.tps_pct, self.correction))
        return np.clip(area, 1e-4, 1.0)

    def map_kpa(self, tps_pct: F64 | float, rpm: F64) -> F64:
        """Return steady MAP at a throttle and speeds, never above that wide open.

        A 5,800 rpm twin of which nothing has been seen, at 20 % throttle:

        >>> ways = Ways(idle_rpm=900.0, redline_rpm=5800.0)
        >>> Throttle.of(ways).map_kpa(20.0, np.array([2000.0, 4000.0])).round(1).tolist()
        [64.0, 35.3]
        """
        area = self.area(np.asarray(tps_pct, dtype=np.float64) + np.zeros_like(rpm))
        ratio = np.interp(area * self.scale / np.maximum(rpm, 1.0), _OPENINGS, _RATIOS)
        kpa: F64 = np.minimum(ratio * _ahead(self.ways, rpm), self.full_kpa(rpm))
        return kpa

    def tps_for(self, kpa: F64, rpm: float) -> F64:
        """Return the throttle that gives *kpa* at a speed, percent; 100 where none does."""
        tps = np.arange(0.0, 100.1, 0.5)
        reached = np.maximum.accumulate(self.map_kpa(tps, np.full(tps.size, rpm)))
        wanted: F64 = np.interp(kpa, reached, tps, right=100.0)
        return wanted


def idle_kpa(ways: Ways) -> float:
    """Return MAP at idle: as seen, else 32 % of the barometer."""
    seen = [kpa for tps, rpm, kpa in ways.manifold if tps < 3.0 and rpm < 1.3 * ways.idle_rpm]
    return float(np.median(seen)) if seen else _IDLE_RATIO * ways.baro_kpa


def _plate_and_idle(tps_pct: F64, idle_area: float) -> F64:
    area: F64 = idle_area + (1.0 - idle_area) * plate_area(tps_pct)
    return area


def _curve(ways: Ways) -> tuple[F64, F64]:
    if ways.full_load_kpa:
        rpm, kpa = np.array(ways.full_load_kpa, dtype=np.float64).T
        return rpm, kpa
    ends = np.array([ways.idle_rpm, ways.redline_rpm])
    return ends, np.array([1.0, _USUAL_FULL]) * (ways.baro_kpa + ways.boost_kpa)


def _ahead(ways: Ways, rpm: F64) -> F64:
    """Return the pressure ahead of the throttle: the barometer, and boost where MAP shows it."""
    if ways.boost_kpa <= 0.0:
        return np.full(rpm.shape, ways.baro_kpa)
    full = np.interp(rpm, *_curve(ways)) / _USUAL_FULL
    return np.clip(full, ways.baro_kpa, ways.baro_kpa + ways.boost_kpa)


def _corrections(ways: Ways, scale: float, idle_area: float) -> tuple[F64, F64]:
    """Return throttles seen and the ln of their area over the usual one; none wide open."""
    points = np.array(ways.manifold, dtype=np.float64).reshape(-1, 3)
    ratio = points[:, 2] / _ahead(ways, points[:, 1])
    tells = (ratio > 0.1) & (ratio < _BLIND_ABOVE) & (points[:, 0] > 2.0)
    points, ratio = points[tells], ratio[tells]
    if not points.size:
        return np.empty(0), np.empty(0)
    usual = _plate_and_idle(points[:, 0], idle_area)
    wrong = np.log(_opening(ratio) * points[:, 1] / scale / usual)
    wrong = np.clip(wrong, -math.log(_MOST_WRONG), math.log(_MOST_WRONG))
    bucket = np.round(points[:, 0] / _BUCKET_PCT)
    kept = [b for b in np.unique(bucket).tolist() if b * _BUCKET_PCT < 99.0]
    tps = [float(np.median(points[bucket == b, 0])) for b in kept]
    found = [float(np.median(wrong[bucket == b])) for b in kept]
    return np.array([*tps, 100.0]), np.array([*found, 0.0])
