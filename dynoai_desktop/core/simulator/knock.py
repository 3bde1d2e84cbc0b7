"""Knock: cycle by cycle at random near the limit, and the retard that answers it."""

from __future__ import annotations

import math

from dynoai_desktop.core.simulator.noise import Noise

_SPREAD_DEG = 0.8  # cycle-to-cycle scatter of the limit
_RETARD_DEG = 2.0  # per event
_MOST_DEG = 10.0
_RECOVERY_DEG_PER_S = 1.5
_LOSS = 0.03  # torque lost in a window that knocked


def knock_chance(spark_deg: float, limit_deg: float) -> float:
    """Return the probability that one cycle knocks.

    >>> knock_chance(20.0, 20.0)
    0.5
    """
    return 0.5 * math.erfc((limit_deg - spark_deg) / (_SPREAD_DEG * math.sqrt(2.0)))


class KnockSensor:
    """One cylinder group's knock control."""

    __slots__ = ("events", "factor", "retard_deg")

    def __init__(self) -> None:
        """Start without retard."""
        self.retard_deg = 0.0
        self.events = 0
        self.factor = 1.0  # of torque

    def step(
        self, spark_deg: float, limit_deg: float, cycles: float, noise: Noise, dt: float
    ) -> None:
        """Advance by *dt*, in which *cycles* burnt at *spark_deg* (before retard)."""
        self.retard_deg = max(0.0, self.retard_deg - _RECOVERY_DEG_PER_S * dt)
        self.factor = 1.0
        margin = limit_deg - spark_deg + self.retard_deg
        if margin > 5.0 * _SPREAD_DEG:  # less than once in three million cycles
            return
        quiet = (1.0 - knock_chance(0.0, margin)) ** cycles
        if noise.uniform() > quiet:
            self.events += 1
            self.factor = 1.0 - _LOSS
            self.retard_deg = min(_MOST_DEG, self.retard_deg + _RETARD_DEG)
