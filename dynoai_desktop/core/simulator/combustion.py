"""What a charge of air is worth: mixture, spark, knock limit. Plain functions of their inputs.

Torque per kilogram of air is largest at lambda 0.87 and at the MBT spark. Both factors are 1
there. A lean charge loses torque faster than a rich one and does not light at all beyond about
lambda 1.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dynoai_desktop.core.simulator.profile import Profile

BEST_LAMBDA = 0.87
_LEAN_LOSS = 2.6  # per lambda²: 4.4 % at lambda 1, 14 % at 1.1
_RICH_LOSS = 1.6  # per lambda²: 2.3 % at lambda 0.75
_SPARK_LOSS = 4.5e-4  # per degree²: 4.5 % at 10 degrees from MBT

# Exhaust left behind slows the burn: below about two thirds of exhaust pressure the charge does
# less work than its air could, half of it at idle. q is 1 - MAP/exhaust pressure.
EXHAUST_SHARE = 0.35  # q up to which dilution costs nothing
DILUTION_LOSS = 3.7  # per (q - EXHAUST_SHARE)²


def mixture_factor(phi: float) -> float:
    """Return torque over best torque at an equivalence ratio *phi* = 1/lambda.

    >>> mixture_factor(1 / 0.87)
    1.0
    >>> round(mixture_factor(1.0), 4)
    0.9561
    >>> mixture_factor(0.0)
    0.0
    """
    if phi < 0.6:
        return 0.0
    off = 1.0 / phi - BEST_LAMBDA
    factor = 1.0 - (_LEAN_LOSS if off > 0.0 else _RICH_LOSS) * off * off
    return factor if factor > 0.0 else 0.0


def spark_factor(degrees_from_mbt: float) -> float:
    """Return torque over the torque at MBT; never below 0.3, where the burn is all too late.

    >>> round(spark_factor(10.0), 3)
    0.955
    """
    return max(0.3, 1.0 - _SPARK_LOSS * degrees_from_mbt * degrees_from_mbt)


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast a profile's charge burns and how much spark it bears."""

    redline_rpm: float
    valley_rpm: float  # the burn is fastest near the torque peak
    compression_ratio: float

    @classmethod
    def of(cls, profile: Profile) -> Burn:
        """Return the burn model of a profile."""
        return cls(profile.redline_rpm, profile.peak_torque_rpm, profile.compression_ratio)

    def mbt_deg(self, rpm: float, map_kpa: float) -> float:
        """Return the spark for best torque, degrees before top dead centre.

        Rises with speed and with dilution at low load; the spark valley lies at the torque peak.
        """
        return self.limits_deg(rpm, map_kpa)[0]

    def knock_limit_deg(self, rpm: float, map_kpa: float) -> float:
        """Return the spark at which half of the cycles knock, on the tune's fuel, warm."""
        return self.limits_deg(rpm, map_kpa)[1]

    def limits_deg(
        self,
        rpm: float,
        map_kpa: float,
        charge_c: float = 45.0,
        octane_change: float = 0.0,
    ) -> tuple[float, float]:
        """Return (MBT, knock limit) with a head at 95 °C and lambda 0.85; see `limit_shift_deg`.

        The limit falls with load, compression, heat and poor fuel and rises with engine speed.
        """
        valley = math.exp(-(((rpm - self.valley_rpm) / (0.16 * self.redline_rpm)) ** 2))
        speed = 1.0 - math.exp(-rpm / (0.35 * self.redline_rpm))
        load = map_kpa - 100.0
        best = 18.0 + 14.0 * speed - 5.0 * valley - 0.18 * load
        limit = (
            30.0
            + 8.0 * rpm / self.redline_rpm
            - 1.5 * (self.compression_ratio - 10.0)
            - 6.0 * valley
            - (0.16 if load > 0.0 else 0.45) * load
            - 0.25 * (charge_c - 45.0)
            + 0.9 * octane_change
        )
        return best, limit


def limit_shift_deg(head_c: float, phi: float) -> float:
    """Return how far one cylinder's head and mixture move its knock limit.

    >>> limit_shift_deg(95.0, 1 / 0.85)
    0.0
    """
    off = 0.85 - 1.0 / phi if phi > 0.5 else -0.1
    return 25.0 * max(-0.1, min(0.1, off)) - 0.08 * (head_c - 95.0)
