"""What the alert rules look at: the moment, the widebands, and what goes on around them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.gates import Sensor
from dynoai_desktop.core.live.limits import AlertLimits, GateLimits, LiveSettings
from dynoai_desktop.core.live.moment import Moment
from dynoai_desktop.core.live.runs import Run, power_fall
from dynoai_desktop.core.samples import WINDOWS_PER_S, Aggregate

# The leanest lambda an engine may run at, by charge pressure in kPa: mixture burns hotter and
# knocks earlier the denser it is packed. Below the first row nothing is dangerous.
LEAN_LIMITS: tuple[tuple[float, float], ...] = (
    (70.0, 1.12),
    (85.0, 1.04),
    (100.0, 0.98),
    (150.0, 0.91),
    (200.0, 0.87),
    (300.0, 0.84),
)
# Alcohol cools the charge and stands a leaner mixture before it knocks.
FUEL_MARGIN: Mapping[str, float] = {"gasoline": 0.0, "E10": 0.0, "E85": 0.03, "methanol": 0.05}

_LOSS_WINDOWS = 10 * WINDOWS_PER_S
_GAP_MEMORY = 0.2  # share of a new gap in the running mean
_LONGEST_GAP_S = 5.0  # a longer one is a break, not how often a channel speaks


def lean_limit(pressure_kpa: float, settings: LiveSettings) -> float:
    """Return the leanest lambda that is safe at a charge pressure; infinite at light load.

    >>> lean_limit(100.0, LiveSettings()), lean_limit(50.0, LiveSettings())
    (0.98, inf)
    """
    i = bisect_right(LEAN_LIMITS, (pressure_kpa, math.inf))
    if i == 0:
        return math.inf
    (p, limit), (q, next_limit) = LEAN_LIMITS[i - 1], LEAN_LIMITS[min(i, len(LEAN_LIMITS) - 1)]
    share = (pressure_kpa - p) / (q - p) if q > p else 0.0
    margin = settings.alerts.lean_margin + FUEL_MARGIN.get(settings.fuel, 0.0)
    return limit + share * (next_limit - limit) + margin


class Watch:
    """Brought up to date every window; rules only read it."""

    def __init__(
        self,
        now: Moment,
        settings: LiveSettings,
        load_channel: Channel,
        sensors: Mapping[Channel, Sensor],
        target: Callable[[Channel], float | None],
    ) -> None:
        """Start with nothing heard. *target* returns the lambda meant for a wideband now."""
        self.now = now
        self.settings = settings
        self.load_channel = load_channel
        self.target = target
        self.lossy_share = 0.0  # of the windows of the last 10 s, those with lost datagrams
        self.power_fall: float | None = None  # share lost over the last three pulls
        self.heard_since_s: float | None = None  # since when anything at all is heard
        self.silent_s = 0.0  # since the last sample of anybody
        self._sensors = sensors
        self._gaps_s: dict[Channel, float] = {}
        self._last: dict[Channel, int] = {}
        self._lossy: deque[int] = deque(maxlen=_LOSS_WINDOWS)
        self._lossy_count = 0
        self._runs: Sequence[Run] = ()
        self._heard_index: int | None = None

    @property
    def limits(self) -> AlertLimits:
        """Return the limits of the alerts."""
        return self.settings.alerts

    @property
    def gates(self) -> GateLimits:
        """Return the limits of the gates, some of which rules share."""
        return self.settings.gates

    # Rules about the whole bus have no channel; for them there is no value.

    def heard(self, channel: Channel | None) -> float | None:
        """Return the channel's value in this very window."""
        return None if channel is None else self.now.heard.get(channel)

    def held(self, channel: Channel | None) -> float | None:
        """Return the channel's value, not too old to be true."""
        return None if channel is None else self.now.get(channel)

    def sensor(self, channel: Channel | None) -> Sensor | None:
        """Return a wideband that has been heard."""
        sensor = None if channel is None else self._sensors.get(channel)
        return sensor if sensor is not None and sensor.heard else None

    def working(self, channel: Channel | None) -> Sensor | None:
        """Return a wideband that has shown that it works, and was heard a moment ago."""
        sensor = self.sensor(channel)
        if sensor is None or self.now.index - sensor.index > WINDOWS_PER_S // 4:
            return None
        return sensor if sensor.alive(self.gates) else None

    def usual_gap_s(self, channel: Channel) -> float:
        """Return how long a channel usually takes between two readings; 0 where every window."""
        return self._gaps_s.get(channel, 0.0)

    def load_pressure(self) -> float | None:
        """Return the least charge pressure since the present reading was burnt; None: no load.

        A reading was burnt up to 0.6 s ago. The least pressure since then keeps a tip-in, whose
        reading is still that of the cruise before it, from looking dangerous, and overrun silent.
        """
        now = self.now
        if not now.running or now.rpm is None or now.rpm < self.limits.load_rpm:
            return None
        return None if now.closed else now.least_pressure

    def observe(self, aggregate: Aggregate, runs: Sequence[Run]) -> None:
        """Take in one window and the runs finished so far."""
        index = aggregate.index
        if aggregate.sample_count:
            if self.heard_since_s is None:
                self.heard_since_s = aggregate.start_s
            self._heard_index = index
        if self._heard_index is not None:
            self.silent_s = (index - self._heard_index) / WINDOWS_PER_S
        self._note_gaps(aggregate)
        self._note_losses(aggregate.lost)
        if runs is not self._runs:
            self._runs = runs
            self.power_fall = power_fall(runs)

    def _note_gaps(self, aggregate: Aggregate) -> None:
        index, last, gaps = aggregate.index, self._last, self._gaps_s
        for channel in aggregate.means:
            gap = index - last.get(channel, index)
            last[channel] = index
            if 1 < gap <= _LONGEST_GAP_S * WINDOWS_PER_S:
                usual = gaps.get(channel, 0.0)
                gaps[channel] = usual + _GAP_MEMORY * (gap / WINDOWS_PER_S - usual)

    def _note_losses(self, lost: int) -> None:
        lossy = int(lost > 0)
        if len(self._lossy) == _LOSS_WINDOWS:
            self._lossy_count -= self._lossy[0]
        self._lossy.append(lossy)
        self._lossy_count += lossy
        self.lossy_share = self._lossy_count / _LOSS_WINDOWS

    def jump(self) -> None:
        """Start counting silence and gaps anew, as when time jumps."""
        self._last.clear()
        self._heard_index = None
        self.heard_since_s = None
        self.silent_s = 0.0
