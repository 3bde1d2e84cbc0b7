"""A small world with known truth for the live engine: a wrong table, a drive, two widebands.

Everything is computed in 10 ms steps and averaged into the 50 ms windows the engine gets. A
wideband sees the charge of a transport delay ago through a first-order lag and adds noise whose
neighbours are alike. The full simulator is another matter; this one has errors, delay and noise
that can be set one by one, and costs a millisecond a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.runs import KW_PER_NM_RPM
from dynoai_desktop.core.samples import WINDOWS_PER_S, Aggregate

F64 = NDArray[np.float64]

START = 1_700_000_000 * WINDOWS_PER_S  # the first window
STEP_S = 0.01
_STEPS = round(1.0 / (STEP_S * WINDOWS_PER_S))  # in a window
_CLOSED_KPA = 28.0
_FREE_AIR = 1.5  # lambda of an exhaust without fuel, as far as a wideband goes
_CUT_RPM = 1500.0

# Standard deviations of the noise of a window's mean.
_NOISE = {
    Channel.RPM: 4.0,
    Channel.MAP: 0.3,
    Channel.TPS: 0.1,
    Channel.POWER: 0.15,
    Channel.TORQUE: 0.3,
    Channel.ECT: 0.1,
    Channel.IAT: 0.1,
    Channel.VBATT: 0.02,
}
# A healthy warm engine, as far as it does not depend on the drive.
_STEADY: Mapping[Channel, float] = {
    Channel.ECT: 95.0,
    Channel.IAT: 30.0,
    Channel.BARO: 100.0,
    Channel.VBATT: 13.9,
    Channel.KNOCK_FRONT: 0.0,
    Channel.KNOCK_REAR: 0.0,
}


def window(index: int, means: Mapping[Channel, float], lost: int = 0) -> Aggregate:
    """Return one window; with nothing in it, a silent one."""
    return Aggregate(index, MappingProxyType(dict(means)), 10 * len(means), lost)


class TableError:
    """A smooth random error of the fuel table, known everywhere: y = ln(true / table)."""

    def __init__(self, seed: int, size: float = 0.04, reach: float = 3.0) -> None:
        """Take a standard deviation and the distance, in default cells, over which it bends."""
        rng = np.random.default_rng(seed)
        waves = 40
        self._k = rng.normal(0.0, 1.0 / reach, (2, waves))
        self._phase = rng.uniform(0.0, 2.0 * math.pi, waves)
        self._size = size * math.sqrt(2.0 / waves)

    def at(self, rpm: F64, map_kpa: F64) -> F64:
        """Return the error at operating points, shape as theirs."""
        x, y = rpm / 500.0, map_kpa / 10.0
        waves = np.multiply.outer(x, self._k[0]) + np.multiply.outer(y, self._k[1]) + self._phase
        out: F64 = self._size * np.cos(waves).sum(axis=-1)
        return out

    def at_nodes(self, rpm: Axis, load: Axis) -> F64:
        """Return the error at the nodes of a map, [rpm][load]."""
        speeds, loads = np.meshgrid(rpm.nodes, load.nodes, indexing="ij")
        return self.at(speeds, loads)


@dataclass(frozen=True, slots=True)
class WidebandModel:
    """How late and how noisy."""

    lag_s: float = 0.08  # of the sensor, first order
    dead_s: float = 0.02  # always
    transport_s: float = 0.06  # at 3000 rpm and 60 kPa
    noise: float = 0.01  # standard deviation of a window's mean, as a share
    alike: float = 0.5  # correlation of the noise of neighbouring windows

    def delay_s(self, rpm: F64, map_kpa: F64) -> F64:
        """Return dead time and transport, before the lag."""
        flow = np.clip(3000.0 * 60.0 / (rpm * map_kpa), 0.2, 4.0)
        return self.dead_s + self.transport_s * flow


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """Where the engine goes, in 10 ms steps, (n,) each."""

    rpm: F64
    map_kpa: F64
    tps: F64

    def __add__(self, other: Drive) -> Drive:
        """Return one drive after the other."""
        return Drive(
            np.concatenate((self.rpm, other.rpm)),
            np.concatenate((self.map_kpa, other.map_kpa)),
            np.concatenate((self.tps, other.tps)),
        )

    def times(self, count: int) -> Drive:
        """Return the drive *count* times in a row."""
        return Drive(*(np.tile(x, count) for x in (self.rpm, self.map_kpa, self.tps)))

    @property
    def windows(self) -> int:
        """Return how many whole windows it fills."""
        return self.rpm.size // _STEPS


def ramp(seconds: float, rpm: tuple[float, float], map_kpa: tuple[float, float]) -> Drive:
    """Return a drive straight from one operating point to another; throttle follows the load."""
    n = round(seconds / STEP_S)
    pressure = np.linspace(*map_kpa, n)
    return Drive(np.linspace(*rpm, n), pressure, np.clip((pressure - 27.0) / 0.7, 0.0, 100.0))


def pull(seconds: float, low: float = 2000.0, high: float = 6500.0, map_kpa: float = 96.0) -> Drive:
    """Return a pull: from a cruise wide open through the range, back with the throttle shut."""
    n = round(seconds / STEP_S)
    t = np.linspace(0.0, 1.0, n)
    up = Drive(low + (high - low) * (1.15 * t - 0.15 * t * t), map_kpa - 1.5 * t, np.full(n, 100.0))
    cruise = ramp(1.0, (low, low), (45.0, 45.0))
    opened = ramp(0.15, (low, low), (45.0, map_kpa))
    shut = ramp(0.1, (high, high), (map_kpa - 1.5, _CLOSED_KPA))
    down = ramp(2.5, (high, low), (_CLOSED_KPA, _CLOSED_KPA))
    again = ramp(0.3, (low, low), (_CLOSED_KPA, 45.0))
    return cruise + opened + up + shut + down + again


def wander(seed: int, seconds: float, speed: float = 1.0) -> Drive:
    """Return part throttle up and down without end; at *speed* 1 by a brisk driver."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds / STEP_S)) * STEP_S

    def signal(low: float, high: float, periods: tuple[float, float]) -> F64:
        total = np.zeros(t.size)
        for _ in range(4):
            period, phase = rng.uniform(*periods), rng.uniform(0.0, 2.0 * math.pi)
            total += np.sin(2.0 * math.pi * t * speed / period + phase)
        out: F64 = (low + high) / 2.0 + (high - low) / 2.0 * np.tanh(0.6 * total)
        return out

    rpm, pressure = signal(1800.0, 6200.0, (8.0, 25.0)), signal(38.0, 98.0, (10.0, 30.0))
    return Drive(rpm, pressure, np.clip((pressure - 27.0) / 0.7, 0.0, 100.0))


@dataclass(frozen=True, slots=True)
class World:
    """An engine whose table is wrong, with a wideband for each cylinder that has an error."""

    front: TableError
    rear: TableError | None = None
    wideband: WidebandModel = field(default_factory=WidebandModel)
    command: float = 0.9  # lambda, at 60 kPa
    enrichment: float = 0.0  # share by which it falls per kPa
    step: float = 0.0  # share by which the command steps down and up again every three seconds
    announced: bool = True  # the ECU's command is on the bus
    film_s: float = 0.0  # wall wetting: ln lambda per relative change of pressure per second

    def drive(self, drive: Drive, seed: int, start: int = START) -> Iterator[Aggregate]:
        """Yield the windows of a drive."""
        rng = np.random.default_rng((seed, 77))
        rpm, pressure, n = drive.rpm, drive.map_kpa, drive.rpm.size
        command = self.command * np.exp(-self.enrichment * (pressure - 60.0))
        command[np.arange(n) * STEP_S % 6.0 >= 3.0] *= 1.0 - self.step
        film = np.exp(self.film_s * np.gradient(np.log(pressure)) / STEP_S)
        cut = (drive.tps < 2.0) & (rpm > _CUT_RPM)
        torque = np.where(cut, -12.0, 0.9 * pressure - 20.0)
        signals: dict[Channel, F64] = {
            Channel.RPM: rpm,
            Channel.MAP: pressure,
            Channel.TPS: drive.tps,
            Channel.TORQUE: torque,
            Channel.POWER: torque * rpm * KW_PER_NM_RPM,
            Channel.INJ_PW_FRONT: np.where(cut, 0.0, 2.0 + 0.08 * pressure),
        }
        signals[Channel.INJ_PW_REAR] = signals[Channel.INJ_PW_FRONT]
        if self.announced:
            signals[Channel.LAMBDA_CMD] = command
        sides = {Channel.LAMBDA_FRONT: self.front, Channel.LAMBDA_REAR: self.rear}
        for channel, error in sides.items():
            if error is not None:
                wrong = np.exp(error.at(rpm, pressure))
                burnt = np.where(cut, np.full(n, _FREE_AIR), command * wrong * film)
                signals[channel] = self._seen(burnt, rpm, pressure)
        yield from self._windows(signals, drive.windows, rng, start)

    def _windows(
        self, signals: dict[Channel, F64], count: int, rng: np.random.Generator, start: int
    ) -> Iterator[Aggregate]:
        columns: dict[Channel, list[float]] = {}
        for channel, values in signals.items():
            means = values[: count * _STEPS].reshape(count, _STEPS).sum(axis=1) / _STEPS
            if channel in (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR):
                means = means * (1.0 + self._noise(rng, count))
            elif channel in _NOISE:
                means = means + rng.normal(0.0, _NOISE[channel], count)
            if channel is Channel.TPS:
                means = np.clip(means, 0.0, 100.0)
            columns[channel] = means.tolist()
        for channel, value in _STEADY.items():
            columns[channel] = (value + rng.normal(0.0, _NOISE.get(channel, 0.0), count)).tolist()
        for i in range(count):
            yield window(start + i, {c: values[i] for c, values in columns.items()})

    def _noise(self, rng: np.random.Generator, count: int) -> F64:
        out = rng.normal(0.0, self.wideband.noise, count).tolist()
        fresh = math.sqrt(1.0 - self.wideband.alike**2)
        for i in range(1, count):
            out[i] = self.wideband.alike * out[i - 1] + fresh * out[i]
        return np.array(out)

    def _seen(self, burnt: F64, rpm: F64, map_kpa: F64) -> F64:
        t = np.arange(rpm.size) * STEP_S
        arriving = np.interp(t - self.wideband.delay_s(rpm, map_kpa), t, burnt)
        lag_s = self.wideband.lag_s
        share = 1.0 - math.exp(-STEP_S / lag_s) if lag_s > 0.0 else 1.0
        out, value = [], float(arriving[0])
        for x in arriving.tolist():
            value += share * (x - value)
            out.append(value)
        return np.array(out)
