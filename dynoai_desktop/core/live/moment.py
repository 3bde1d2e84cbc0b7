"""What is known in one window: readings not too old to be true, their rates, throttle and load.

Gates, alerts and run detection all ask this one object, so they cannot disagree about where the
engine is. A value that was not heard lately is None; nothing stands in for it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.limits import GateLimits
from dynoai_desktop.core.samples import WINDOWS_PER_S, Aggregate

STANDARD_BARO_KPA = 101.325
HIGHEST_STOP_PCT = 8.0  # a throttle that was never below this has not shown its stop yet
SETTLED_WINDOWS = 12  # longest delay and answer of a wideband, 0.6 s

# How long a reading stays true, seconds; the rest for half a second.
_HOLD_S = 0.5
_HOLD_LONGER_S: dict[Channel, float] = {
    Channel.IAT: 30.0,
    Channel.ECT: 60.0,
    Channel.BARO: 60.0,
    Channel.AMBIENT: 60.0,
    Channel.HUMIDITY: 60.0,
    Channel.VBATT: 5.0,
    Channel.LTFT: 5.0,
    Channel.LTFT_FRONT: 5.0,
    Channel.LTFT_REAR: 5.0,
}
_WINDOW_S = 1.0 / WINDOWS_PER_S
_STOP_WINDOWS = 5  # a dropout to zero is shorter than this and is no stop


class Reading(NamedTuple):
    """The last value heard on a channel and when, Unix seconds."""

    value: float
    time_s: float


class Rate:
    """The slope of a signal over its last five windows, and how noisy that slope is."""

    def __init__(self) -> None:
        """Start knowing nothing."""
        self._a = self._b = self._c = self._d = math.nan
        self._roughness = 0.0
        self.per_s: float | None = None

    def push(self, value: float | None) -> None:
        """Take in one window; five in a row make a rate (least squares, in units per second)."""
        x = math.nan if value is None else value
        a, b, c, d = self._a, self._b, self._c, self._d
        slope = (2.0 * (x - a) + d - b) * (WINDOWS_PER_S / 10.0)
        second = abs(x - 2.0 * d + c)
        if second == second:
            # A step may move the estimate of the noise a little, never carry it away.
            self._roughness += 0.03 * (min(second, 3.0 * self._roughness + 0.05) - self._roughness)
        self._a, self._b, self._c, self._d = b, c, d, x
        self.per_s = slope if slope == slope else None

    @property
    def doubt(self) -> float:
        """Return five standard deviations of the rate that noise alone makes.

        The mean size of white noise's second difference is 1.954 of its deviation, and the slope
        of five windows has a variance of noise² / (10 · window²).
        """
        return 5.0 * self._roughness / 1.954 / (math.sqrt(10.0) * _WINDOW_S)


class Throttle:
    """Knows the throttle's stop: the lowest position it has kept for a quarter of a second."""

    def __init__(self) -> None:
        """Start with the stop at zero."""
        self._recent: deque[float] = deque(maxlen=_STOP_WINDOWS)
        self._lowest = math.inf

    def opening(self, tps: float | None) -> float | None:
        """Take in a reading and return how far the throttle is open above its stop, in %."""
        if tps is None:
            self._recent.clear()
            return None
        self._recent.append(tps)
        if tps < HIGHEST_STOP_PCT and len(self._recent) == _STOP_WINDOWS:
            self._lowest = min(self._lowest, max(self._recent))
        return tps - (self._lowest if self._lowest < HIGHEST_STOP_PCT else 0.0)


class Moment:
    """One window as the live analysis sees it. Lives on and is brought up to date."""

    def __init__(self, load_channel: Channel, limits: GateLimits) -> None:
        """Start before the first window."""
        self._load_channel = load_channel
        self._limits = limits
        self._readings: Mapping[Channel, Reading] = {}
        self._throttle = Throttle()
        self._pressures: deque[float] = deque(maxlen=SETTLED_WINDOWS)
        self._rpm_mark = math.nan
        self._rpm_mark_index = 0
        self._was_stopped = False
        self.tps_rate, self.map_rate = Rate(), Rate()
        self.index = 0
        self.start_s = 0.0
        self.heard: Mapping[Channel, float] = MappingProxyType({})
        self.rpm: float | None = None
        self.load: float | None = None
        self.tps: float | None = None
        self.map_kpa: float | None = None
        self.opening: float | None = None  # throttle above its stop, %
        self.closed: bool | None = None
        self.running: bool | None = None
        self.started_index: int | None = None  # of the last start that was seen
        self.pressure: float | None = None  # of the charge, kPa; see `_charge_pressure`
        self.least_pressure: float | None = None  # since the wideband's reading was burnt

    def advance(self, aggregate: Aggregate, readings: Mapping[Channel, Reading]) -> None:
        """Move on to *aggregate*; *readings* already hold what it heard."""
        self._readings = readings
        self.index = aggregate.index
        self.start_s = aggregate.start_s
        self.heard = aggregate.means
        self.rpm = rpm = self.get(Channel.RPM)
        self.tps = tps = self.get(Channel.TPS)
        self.map_kpa = pressure = self.get(Channel.MAP)
        self.load = tps if self._load_channel is Channel.TPS else pressure
        self.tps_rate.push(tps)
        self.map_rate.push(pressure)
        self.opening = self._throttle.opening(tps)
        self._judge_running(rpm)
        self._judge_closed()
        self._judge_pressure()
        self._mark_rpm()

    def jump(self) -> None:
        """Forget what leads up to now, as when time jumps."""
        self.tps_rate, self.map_rate = Rate(), Rate()
        self._pressures.clear()
        self._rpm_mark = math.nan
        self.started_index = None

    def get(self, channel: Channel) -> float | None:
        """Return the reading of a channel, None when it is too old to be true."""
        reading = self._readings.get(channel)
        if reading is None:
            return None
        age_s = self.start_s - reading.time_s
        if age_s > _HOLD_S and age_s > _HOLD_LONGER_S.get(channel, _HOLD_S):
            return None
        return reading.value

    def age_s(self, channel: Channel) -> float | None:
        """Return how long ago a channel was last heard, None when never."""
        reading = self._readings.get(channel)
        return None if reading is None else self.start_s - reading.time_s

    def baro_kpa(self) -> float:
        """Return the barometric pressure, the standard one where none is heard."""
        baro = self.get(Channel.BARO)
        return STANDARD_BARO_KPA if baro is None else baro

    @property
    def rpm_unchanged_s(self) -> float:
        """Return for how long engine speed has been heard without moving by 1 rpm."""
        if Channel.RPM not in self.heard:
            return 0.0
        return (self.index - self._rpm_mark_index) * _WINDOW_S

    def _judge_running(self, rpm: float | None) -> None:
        if rpm is None:
            self.running = None
            return
        limit = self._limits.running_rpm
        running = rpm > (limit - 100.0 if self.running else limit)
        if running and not self.running and self._was_stopped:
            self.started_index = self.index
        self._was_stopped = not running
        self.running = running

    def _judge_closed(self) -> None:
        limits = self._limits
        if self.opening is not None:
            # A band of half the limit keeps a noisy sensor from chattering.
            shut = self.opening <= limits.closed_tps * (1.5 if self.closed else 1.0)
            # Some throttle sensors have a dead end, but no shut throttle lets this much past.
            self.closed = shut and (self.map_kpa is None or self.map_kpa <= limits.open_kpa)
        elif self.map_kpa is not None:
            self.closed = self.map_kpa <= limits.closed_kpa + (3.0 if self.closed else 0.0)
        else:
            self.closed = None

    def _judge_pressure(self) -> None:
        self.pressure = self._charge_pressure()
        if self.pressure is None:
            self._pressures.clear()
            self.least_pressure = None
            return
        self._pressures.append(self.pressure)
        self.least_pressure = min(self._pressures)

    def _charge_pressure(self) -> float | None:
        """Return MAP; without it what the throttle lets past at the most, in proportion."""
        if self.map_kpa is not None:
            return self.map_kpa
        if self.tps is None:
            return None
        return self.baro_kpa() * min(1.0, self.tps / 80.0)

    def _mark_rpm(self) -> None:
        rpm = self.heard.get(Channel.RPM)
        if rpm is not None and not abs(rpm - self._rpm_mark) < 1.0:
            self._rpm_mark, self._rpm_mark_index = rpm, self.index
