"""A wideband in the pipe: what was burnt arrives later, smoothed, and with the pipe's own errors.

Everything is computed in phi = 1/lambda, in which gases mix linearly and free air is simply 0.
"""

from __future__ import annotations

import math

from dynoai_desktop.core.simulator.faults import WidebandState
from dynoai_desktop.core.simulator.noise import Noise

LOW_AFR = 7.35  # 0 V
HIGH_AFR = 22.39  # 5 V
AFR_PER_VOLT = (HIGH_AFR - LOW_AFR) / 5.0
GASOLINE_AFR = 14.7  # the scale the controllers are set to, whatever the fuel
_OK = WidebandState.OK
LAG_S = 0.08  # time constant of sensor and controller
_SHORTEST_S = 0.030
_LONGEST_S = 0.250
_WARMING_S = 20.0
_NOISE_PHI = 0.004  # about 0.05 AFR at 13


def transport_delay_s(pipe_kg: float, flow_kg_s: float) -> float:
    """Return how long gas needs from valve to probe: shorter as more flows.

    *pipe_kg* is the mass of gas between valve and probe, *flow_kg_s* what one group breathes.

    >>> round(transport_delay_s(4e-4, 0.02), 4)
    0.05
    """
    if flow_kg_s <= 0.0:
        return _LONGEST_S
    return min(_LONGEST_S, _SHORTEST_S + pipe_kg / flow_kg_s)


def pipe_kg(group_litres: float) -> float:
    """Return the mass of gas between valve and probe for a cylinder group of this size."""
    return 4.5e-4 * group_litres


class Wideband:
    """State and step of one sensor in one pipe."""

    __slots__ = (
        "_head",
        "_lag_steps",
        "_line",
        "_size",
        "delay_s",
        "leak",
        "phi",
        "reading_afr",
        "reversion",
        "state",
        "warm_s",
    )

    def __init__(self, dt: float) -> None:
        """Start full of free air, for steps of *dt* seconds."""
        self._size = int(_LONGEST_S / dt) + 4
        self._line = [0.0] * self._size
        self._head = 0
        self._lag_steps = 0.0
        self.delay_s = _LONGEST_S
        self.phi = 0.0  # at the probe, after its lag
        self.leak = 0.0  # share of room air mixed in
        self.reversion = 0.0
        self.state = WidebandState.OK
        self.warm_s = _WARMING_S
        self.reading_afr = HIGH_AFR

    def step(self, phi: float, dt: float) -> None:
        """Advance by *dt* with gas of *phi* leaving the valve."""
        head = self._head + 1
        if head == self._size:
            head = 0
        self._head = head
        self._line[head] = phi
        # Gas never overtakes gas: the place read from may stand still but not go back.
        steps = min(self.delay_s / dt, self._lag_steps + 1.0)
        self._lag_steps = steps
        whole = int(steps)
        part = steps - whole
        line = self._line
        newer = line[head - whole]
        seen = newer + (line[head - whole - 1] - newer) * part
        self.phi += (seen - self.phi) * dt / (LAG_S + dt)

    def sample(self, noise: Noise, noisy: bool, dt: float) -> float:
        """Return what the controller puts out now, AFR on the gasoline scale."""
        if self.state is not _OK:
            return self._ailing()
        if self.warm_s < _WARMING_S:
            self.warm_s += dt
            self.reading_afr = LOW_AFR
        else:
            seen = self.phi * (1.0 - self.leak) * (1.0 - self.reversion)
            if noisy:
                seen += _NOISE_PHI * noise.normal()
            afr = GASOLINE_AFR / seen if seen > 0.1 else HIGH_AFR
            self.reading_afr = max(LOW_AFR, min(HIGH_AFR, afr))
        return self.reading_afr

    def _ailing(self) -> float:
        """Return what a controller puts out that cannot measure."""
        if self.state is WidebandState.WARMING:
            self.warm_s = 0.0
        if self.state in (WidebandState.WARMING, WidebandState.UNPLUGGED):
            self.reading_afr = LOW_AFR
        elif self.state is WidebandState.FREE_AIR:
            self.reading_afr = HIGH_AFR
        return self.reading_afr


def reversion(rpm: float, map_kpa: float, idle_rpm: float) -> float:
    """Return the share of room air drawn back up a short pipe: near idle only.

    >>> round(reversion(900.0, 30.0, 900.0), 3), reversion(1800.0, 45.0, 900.0)
    (0.027, 0.0)
    """
    flow = rpm * map_kpa / (idle_rpm * 60.0)
    return 0.108 * (1.0 - flow) ** 2 if flow < 1.0 else 0.0


def exhaust_leak(share_at_idle: float, flow_kg_s: float, idle_flow_kg_s: float) -> float:
    """Return the share of room air a leak adds: much at idle, little at full flow."""
    return share_at_idle / math.sqrt(max(1.0, flow_kg_s / idle_flow_kg_s))
