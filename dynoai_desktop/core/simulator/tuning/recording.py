"""A rig heard as the program hears a dyno: every channel at its own rate, summed up at 20 Hz."""

from __future__ import annotations

import math

import numpy as np

from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import WINDOWS_PER_S
from dynoai_desktop.core.simulator.rig import TICK_S, Rig
from dynoai_desktop.core.simulator.sim_channels import SIM_CHANNELS, SimChannel

# What the mapping makes of the simulated dyno's channels.
CHANNEL_OF: dict[SimChannel, Channel] = {
    SimChannel.ENGINE_RPM: Channel.RPM,
    SimChannel.AFR_1: Channel.AFR_FRONT,
    SimChannel.AFR_2: Channel.AFR_REAR,
    SimChannel.AFR_CMD: Channel.AFR_CMD,
    SimChannel.MAP: Channel.MAP,
    SimChannel.TPS: Channel.TPS,
    SimChannel.IAT: Channel.IAT,
    SimChannel.ENGINE_TEMP: Channel.ECT,
    SimChannel.VBATT: Channel.VBATT,
    SimChannel.PRESSURE: Channel.BARO,
    SimChannel.SPARK_FRONT: Channel.SPARK_FRONT,
    SimChannel.SPARK_REAR: Channel.SPARK_REAR,
    SimChannel.KNOCK_FRONT: Channel.KNOCK_FRONT,
    SimChannel.KNOCK_REAR: Channel.KNOCK_REAR,
    SimChannel.INJECTOR_FRONT: Channel.INJ_PW_FRONT,
    SimChannel.INJECTOR_REAR: Channel.INJ_PW_REAR,
    SimChannel.TRIM_FRONT: Channel.STFT_FRONT,
    SimChannel.TRIM_REAR: Channel.STFT_REAR,
    SimChannel.FORCE: Channel.FORCE,
    SimChannel.SPEED: Channel.SPEED,
    SimChannel.POWER: Channel.POWER,
    SimChannel.TORQUE: Channel.TORQUE,
}
_WINDOW_TICKS = round(1.0 / WINDOWS_PER_S / TICK_S)


class Recording:
    """Collects a rig's readings into 50 ms windows while it is driven."""

    def __init__(self, rig: Rig) -> None:
        """Start with nothing heard. A single wideband speaks for both cylinder groups."""
        self._rig = rig
        one_probe = rig.profile.widebands == 1
        every = {row.channel: max(1, round(row.period_s / TICK_S)) for row in SIM_CHANNELS}
        self._heard = [
            (key, Channel.AFR_COMBINED if one_probe and key is SimChannel.AFR_1 else channel)
            for key, channel in CHANNEL_OF.items()
        ]
        self._every = [every[key] for key, _ in self._heard]
        self._tick = 0
        self._rows: list[list[float]] = []

    def drive(self, seconds: float) -> None:
        """Run the rig and listen, in whole windows."""
        for _ in range(math.ceil(seconds * WINDOWS_PER_S - 1e-9)):
            self._rows.append(self._window())

    def _window(self) -> list[float]:
        sums = [0.0] * len(self._heard)
        counts = [0] * len(self._heard)
        for _ in range(_WINDOW_TICKS):
            self._rig.tick()
            readings = self._rig.readings()
            for i, (key, _) in enumerate(self._heard):
                if self._tick % self._every[i] == 0 and key in readings:
                    sums[i] += readings[key]
                    counts[i] += 1
            self._tick += 1
        return [
            total / count if count else math.nan for total, count in zip(sums, counts, strict=True)
        ]

    @property
    def windows(self) -> int:
        """Return how many windows were heard so far."""
        return len(self._rows)

    def frame(self, first: int = 0) -> Frame:
        """Return everything heard from window *first* on, as simulated; time starts at 0."""
        table = np.array(self._rows[first:])
        columns = {channel: table[:, i] for i, (_, channel) in enumerate(self._heard)}
        time_s = np.arange(len(table)) / WINDOWS_PER_S
        return Frame.from_columns(time_s, columns, simulated=True)
