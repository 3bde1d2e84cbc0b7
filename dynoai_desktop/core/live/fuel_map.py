"""The fuel map while it fills: readings through the gates into the cells, and what the cells say.

One wideband in a common pipe speaks for both cylinders together and for neither alone, so it is
used only while no cylinder has shown a wideband of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.cells import Belief, Roughness, Summary, roughness
from dynoai_desktop.core.live.credit import GROUPS, Credited, Credits, Waiting
from dynoai_desktop.core.live.delay import flow_share
from dynoai_desktop.core.live.gates import Gatekeeper, Sensor
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.moment import Moment
from dynoai_desktop.core.live.snapshot import CellMap, Mixture
from dynoai_desktop.core.samples import WINDOWS_PER_S

F64 = NDArray[np.float64]

BATCH = 5  # windows credited together
_BOTH = len(GROUPS) - 1
_SHOWN_FOR = WINDOWS_PER_S // 2  # windows a reading is shown as the present one


class FuelMap:
    """Widebands, gates and cells. A new one is made when axes or settings change."""

    def __init__(self, rpm: Axis, load: Axis, settings: LiveSettings, targets: CellGrid) -> None:
        """Start empty on these axes."""
        self._axes = (rpm, load)
        self._settings = settings
        self.gatekeeper = Gatekeeper(settings.gates)
        self.credits = Credits(rpm, load, settings, targets)
        self.sensors = {group.measured: Sensor(group.measured) for group in GROUPS}
        self.delay = self.credits.lag.delay(1.0)
        self._pairs = [(group, self.sensors[group.measured]) for group in GROUPS]
        self._reasons: dict[Cylinder, str] = {}
        self._summary = Summary.empty(len(GROUPS), len(rpm), len(load))
        lag = self.credits.lag
        self._renewals, self._drawn = lag.renewals, tuple[int, ...]()
        self._belief = Belief(lag.weights, lag.noise, Roughness())
        self._cylinders: Mapping[Cylinder, CellMap] = MappingProxyType({})
        self._mass: F64 = np.zeros((0, len(rpm), len(load)))

    def observe(self, now: Moment, enabled: bool) -> list[Credited]:
        """Take in one window and return what was credited in it."""
        share = 1.0 if now.rpm is None else flow_share(now.rpm, now.map_kpa)
        self.delay = self.credits.lag.delay(share)
        hold_s = self.delay.high_s + self._settings.gates.settle_s
        self.gatekeeper.look(now, math.ceil(hold_s * WINDOWS_PER_S))
        self.credits.move(now)
        waiting = self._readings(now, enabled, share)
        if waiting is not None:
            self.credits.wait(waiting)
        # Cells are brought up to date four times a second, as fast as figures are read.
        if now.index % BATCH:
            return []
        credited = self.credits.settle(self.gatekeeper)
        if self.credits.lag.renewals != self._renewals:
            self._renew()
        return credited

    def _renew(self) -> None:
        """Believe anew how late, how noisy and how uneven everything is."""
        credits, lag = self.credits, self.credits.lag
        # Whether somebody looked in between must not matter, so it is all brought up to date here.
        self._summarise()
        self._renewals = lag.renewals
        rough = roughness(self._summary, lag.noise)
        self._belief = Belief(lag.weights, lag.noise, rough)
        credits.changed = credits.bank.everything

    def _summarise(self) -> bool:
        """Bring the summary up to date where something was credited; return whether it was."""
        box, self.credits.changed = self.credits.changed, None
        if box is not None:
            self.credits.bank.summarise(self._summary, box, self._belief)
        return box is not None

    def _readings(self, now: Moment, enabled: bool, share: float) -> Waiting | None:
        """Return the readings of this window that may speak, None when there are none."""
        heard, limits = now.heard, self._settings.gates
        logs: list[float | None] = [None] * len(GROUPS)
        for number, (group, sensor) in enumerate(self._pairs):
            value = heard.get(group.measured)
            if value is not None:
                sensor.hear(value, now.index, limits)
            elif sensor.heard:
                sensor.miss(now.index)
            if not sensor.heard or not enabled or (number == _BOTH and self._own()):
                continue
            if value is None and not (heard and sensor.silent_s() > limits.silent_s):
                continue
            reason = self._reasons[group.cylinder] = self.gatekeeper.refuse(sensor)
            if not reason and value is not None and value > 0.0:
                logs[number] = math.log(value)
        accepted = logs.count(None) < len(logs)
        return Waiting(now.index, tuple(logs), share) if accepted else None

    def _own(self) -> bool:
        """Return whether a cylinder has a wideband of its own."""
        return self._pairs[0][1].heard or self._pairs[1][1].heard

    def jump(self) -> None:
        """Forget what was on its way, as when time jumps."""
        self.credits.jump()
        self.gatekeeper.forget_causes()
        for sensor in self.sensors.values():
            sensor.jump()

    @property
    def groups(self) -> tuple[int, ...]:
        """Return the groups that are in use: those with a wideband, see the top."""
        used = range(_BOTH) if self._own() else (_BOTH,)
        return tuple([i for i in used if self._pairs[i][1].heard])

    def covered(self, planned: NDArray[np.bool_]) -> int:
        """Return how many planned cells have enough evidence from every group in use."""
        self._draw()
        if not self._mass.size:
            return 0
        enough = (self._mass >= self._settings.enough_mass).all(axis=0)
        return int(np.count_nonzero(enough & planned))

    def cylinders(self) -> Mapping[Cylinder, CellMap]:
        """Return what every group in use says; the same object until something is added."""
        self._draw()
        return self._cylinders

    def _draw(self) -> None:
        groups = self.groups
        if not self._summarise() and groups == self._drawn:
            return
        self._drawn = groups
        chosen, summary = list(groups), self._summary
        factor = np.exp(summary.error[chosen])
        arrays = [factor - 1.0, 1.96 * summary.se[chosen] * factor]
        arrays += [a[chosen] for a in (summary.mass, summary.effective, summary.spread)]
        for array in arrays:
            array.flags.writeable = False
        self._mass = arrays[2]
        self._cylinders = MappingProxyType(
            {
                GROUPS[group].cylinder: CellMap(*self._axes, *[array[i] for array in arrays])
                for i, group in enumerate(groups)
            }
        )

    def mixtures(self, now: Moment) -> Mapping[Cylinder, Mixture]:
        """Return the widebands heard just now against the lambda meant for the present place."""
        out = {}
        for i in self.groups:
            group, sensor = self._pairs[i]
            if now.index - sensor.index > _SHOWN_FOR:
                continue
            target = self.credits.target(now, i)
            error = None if target is None else sensor.value / target - 1.0
            reason = self._reasons.get(group.cylinder, "")
            out[group.cylinder] = Mixture(sensor.value, target, error, reason)
        return MappingProxyType(out)

    def target(self, now: Moment, channel: Channel) -> float | None:
        """Return the lambda meant for a wideband at the present place; None: place unknown."""
        return self.credits.target(now, _GROUP_OF[channel])


_GROUP_OF = {group.measured: i for i, group in enumerate(GROUPS)}
