"""The torque curve a profile promises, drawn through its two peaks.

Torque T has its maximum at the torque peak (dT/dω = 0) and power Tω at the power peak
(dT/dω = -T/ω). Between them the fall of torque is D·f(x), x from 0 to 1, with

    f(x) = a·(1 + h²)·x²/(x² + h²) + (1 - a)·xᵐ

The first term bends the curve right at the torque peak, so the peak has a definite place; the
exponent m gives f the slope at x = 1 that puts the power peak where it is stated. Power rises
everywhere below its peak because that slope is the steepest of all. Beyond it torque goes on with
the same slope and bends down to three quarters of itself at the redline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dynoai_desktop.core.simulator.profile import Profile

_BEND_SHARE = 0.4  # a
_BEND_WIDTH = 0.35  # h
_REDLINE_TORQUE = 0.78  # of the torque at the power peak


@dataclass(frozen=True, slots=True)
class NominalCurve:
    """Full-throttle torque as the drum shows it at STD, warm, in the dyno gear."""

    idle_rpm: float
    torque_rpm: float
    power_rpm: float
    redline_rpm: float
    peak_nm: float
    power_nm: float  # torque at the power peak
    idle_nm: float
    bend_share: float
    exponent: float
    bend: float  # N·m per rpm², beyond the power peak, zero or negative

    @classmethod
    def of(cls, profile: Profile) -> NominalCurve:
        """Return the curve through the peaks of a profile."""
        power_nm = profile.peak_power_kw * 30000.0 / (math.pi * profile.peak_power_rpm)
        fall = profile.peak_torque_nm - power_nm
        span = profile.peak_power_rpm - profile.peak_torque_rpm
        slope = power_nm / profile.peak_power_rpm  # N·m per rpm, downwards, at the power peak
        end_slope = slope * span / fall  # f'(1)
        h2 = _BEND_WIDTH**2
        share = _BEND_SHARE if end_slope > 2.5 else 0.0
        bend_slope = share * 2.0 * h2 / (1.0 + h2)
        rest = profile.redline_rpm - profile.peak_power_rpm
        bend = ((_REDLINE_TORQUE - 1.0) * power_nm + slope * rest) / rest**2
        return cls(
            idle_rpm=profile.idle_rpm,
            torque_rpm=profile.peak_torque_rpm,
            power_rpm=profile.peak_power_rpm,
            redline_rpm=profile.redline_rpm,
            peak_nm=profile.peak_torque_nm,
            power_nm=power_nm,
            idle_nm=profile.low_speed_torque * profile.peak_torque_nm,
            bend_share=share,
            exponent=(end_slope - bend_slope) / (1.0 - share),
            bend=min(bend, 0.0),
        )

    def torque_nm(self, rpm: float) -> float:
        """Return full-throttle torque at *rpm*; flat below idle, never below zero."""
        if rpm <= self.torque_rpm:
            y = (self.torque_rpm - max(rpm, self.idle_rpm)) / (self.torque_rpm - self.idle_rpm)
            return self.peak_nm - (self.peak_nm - self.idle_nm) * y * y
        if rpm <= self.power_rpm:
            x = (rpm - self.torque_rpm) / (self.power_rpm - self.torque_rpm)
            h2 = _BEND_WIDTH**2
            bent = self.bend_share * (1.0 + h2) * x * x / (x * x + h2)
            power = (1.0 - self.bend_share) * math.pow(x, self.exponent)
            return self.peak_nm - (self.peak_nm - self.power_nm) * (bent + power)
        past = rpm - self.power_rpm
        slope = -self.power_nm / self.power_rpm
        return max(0.0, self.power_nm + past * (slope + past * self.bend))
