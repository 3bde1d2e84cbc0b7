"""A small engine on paper, whose truth is known: what the analysis must find again.

Not a simulator: rpm and throttle follow a written programme, MAP follows both, lambda follows
from the true and the believed VE, passes the pipe and the sensor late and slow, and gets noise
that repeats itself. Everything is in our units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit

F64 = NDArray[np.float64]
STEP_S = 0.01

RPM = Axis.from_nodes(
    Channel.RPM,
    Unit.RPM,
    [750, 1000, 1250, 1500, 1750, 2000, 2250, 2500, 2750, 3000, 3500, 4000, 4500, 5000, 5500, 6000],
)
MAP = Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, [20, 30, 40, 50, 60, 70, 80, 90, 100])


@dataclass(frozen=True, slots=True)
class World:
    """What is true. Errors are ln(VE true / VE table) per cylinder on RPM x MAP."""

    seed: int = 0
    rate_hz: float = 50.0
    errors: Mapping[str, F64] = field(default_factory=dict)  # front, rear
    lag_s: float = 0.08
    pipe_s: float = 0.07  # at 3000 rpm, 60 kPa
    noise: float = 0.012
    noise_tau_s: float = 0.1
    map_noise_kpa: float = 0.6
    rpm_noise: float = 8.0
    tps_noise: float = 0.15
    closed_loop: bool = False  # trims hold lambda in cruise
    pulls: int = 3
    sweeps: int = 4
    rolls: int = 3
    iat_c: Callable[[F64], F64] | None = None
    torque_factor: Callable[[F64, F64], F64] | None = None  # of rpm and time


def no_error() -> F64:
    """Return the error table of a perfect tune."""
    return np.zeros((len(RPM), len(MAP)))


def random_error(seed: int, mean: float = -0.05, sd: float = 0.05) -> F64:
    """Return an error table scattered from node to node."""
    return mean + sd * np.random.default_rng(seed + 10_000).normal(size=(len(RPM), len(MAP)))


def smooth_error(seed: int, size: float = 0.05) -> F64:
    """Return an error table as an engine makes it."""
    c = np.random.default_rng(seed + 20_000).normal(size=5)
    r = np.array(RPM.nodes)[:, None]
    m = np.array(MAP.nodes)[None, :]
    error: F64 = size * (
        c[0]
        + c[1] * np.sin(r / 900 + 3 * c[4])
        + c[2] * np.cos(m / 25)
        + c[3] * np.sin(r / 1500 + m / 30)
    )
    return error


# How a table may be off, by name; each takes a seed.
TABLE_ERRORS: dict[str, Callable[[int], F64]] = {"smooth": smooth_error, "scattered": random_error}


def read_table(table: F64, rpm: F64, load: F64) -> F64:
    """Return a table read as an ECU reads it: bilinear, borders held."""
    r = np.clip(rpm, RPM.nodes[0], RPM.nodes[-1])
    m = np.clip(load, MAP.nodes[0], MAP.nodes[-1])
    i = np.clip(np.searchsorted(RPM.nodes, r, side="right") - 1, 0, len(RPM) - 2)
    j = np.clip(np.searchsorted(MAP.nodes, m, side="right") - 1, 0, len(MAP) - 2)
    rn, mn = np.array(RPM.nodes), np.array(MAP.nodes)
    u, v = (r - rn[i]) / (rn[i + 1] - rn[i]), (m - mn[j]) / (mn[j + 1] - mn[j])
    read: F64 = (
        table[i, j] * (1 - u) * (1 - v)
        + table[i + 1, j] * u * (1 - v)
        + table[i, j + 1] * (1 - u) * v
        + table[i + 1, j + 1] * u * v
    )
    return read


def programme(world: World) -> tuple[F64, F64]:
    """Return rpm and throttle at 100 Hz."""
    rng = np.random.default_rng(world.seed)
    rpm: list[F64] = []
    tps: list[F64] = []

    def part(seconds: float, to_rpm: float, to_tps: float, wiggle: float = 0.0) -> None:
        n = max(2, round(seconds / STEP_S))
        x: F64 = np.linspace(0.0, 1.0, n)
        r0, t0 = (rpm[-1][-1], tps[-1][-1]) if rpm else (to_rpm, to_tps)
        rpm.append(r0 + (to_rpm - r0) * x)
        tps.append(t0 + (to_tps - t0) * x + wiggle * np.sin(x * seconds * 2.0))

    part(4.0, 1000.0, 2.0)
    for _ in range(world.rolls):
        hold = rng.uniform(1500.0, 4200.0)
        part(1.5, hold, 10.0)
        part(5.0, hold + 100.0, rng.uniform(28.0, 40.0))
        part(4.0, hold, 8.0)
    for k in range(world.sweeps):
        low, high = rng.uniform(1400.0, 1800.0), rng.uniform(4000.0, 5200.0)
        load = rng.uniform(6.0, 24.0)
        start, stop = (low, high) if k % 2 == 0 else (high, low)
        part(1.5, start, load)
        part(rng.uniform(8.0, 11.0), stop, load, 1.5)
    for _ in range(world.pulls):
        part(2.0, 1900.0, 12.0)
        part(2.0, 1900.0, 12.0)
        part(0.25, 1950.0, 100.0)
        part(6.0, 5800.0, 100.0)
        part(0.25, 5700.0, 2.0)
        part(5.0, 1300.0, 2.0)
        part(3.0, 1000.0, 2.0)
    return np.concatenate(rpm), np.concatenate(tps)


def make(world: World) -> Frame:
    """Run the programme and return what a logger would have written."""
    rng = np.random.default_rng(world.seed + 1)
    rpm, tps = programme(world)
    n = rpm.size
    t: F64 = np.arange(n, dtype=np.float64) * STEP_S
    map_kpa = 24.0 + 75.5 * (1.0 - np.exp(-tps / (7.0 + rpm / 350.0)))
    commanded = np.interp(map_kpa, [55.0, 95.0], [1.0, 0.87])
    fuel_cut = (tps < 3.5) & (rpm > 1500.0)
    columns: dict[Channel, F64] = {
        Channel.RPM: rpm + rng.normal(0, world.rpm_noise, n),
        Channel.MAP: map_kpa + rng.normal(0, world.map_noise_kpa, n),
        Channel.TPS: np.clip(tps + rng.normal(0, world.tps_noise, n), 0, 100),
        Channel.LAMBDA_CMD: commanded,
        Channel.ECT: np.full(n, 95.0),
        Channel.IAT: world.iat_c(t) if world.iat_c else np.full(n, 32.0),
        Channel.BARO: np.full(n, 99.5),
        Channel.VBATT: np.full(n, 13.9) + rng.normal(0, 0.05, n),
        Channel.SPARK: 18.0 + rpm / 400.0 - (map_kpa - 60.0) / 12.0,
    }
    pull = np.exp(-(((rpm - 3600.0) / 2600.0) ** 2))
    torque: F64 = 140.0 * pull * (map_kpa - 28.0) / 72.0
    if world.torque_factor:
        torque = torque * world.torque_factor(rpm, t)
    columns[Channel.TORQUE] = torque + rng.normal(0, 1.0, n)
    columns[Channel.POWER] = torque * rpm / 9549.3 + rng.normal(0, 0.4, n)
    flow = np.clip((3000.0 * 60.0) / (rpm * map_kpa), 0.2, 4.0)
    for name, measured, trim in (
        ("front", Channel.LAMBDA_FRONT, Channel.STFT_FRONT),
        ("rear", Channel.LAMBDA_REAR, Channel.STFT_REAR),
    ):
        if name not in world.errors:
            continue
        error = read_table(world.errors[name], rpm, map_kpa)
        change = np.zeros(n)
        if world.closed_loop:
            change = np.where(commanded > 0.995, np.expm1(np.clip(error, -0.2, 0.2)), 0.0)
            columns[trim] = 100.0 * change
        burnt = commanded * np.exp(error) / (1.0 + change)
        burnt = np.where(fuel_cut, 1.9, burnt)
        arrived = np.interp(t, t + world.pipe_s * flow, burnt)
        sensed = _lagged(arrived, world.lag_s) + _coloured(rng, n, world.noise, world.noise_tau_s)
        columns[measured] = np.clip(sensed, 0.5, 1.523)
    keep = np.arange(0, n, round(1.0 / (STEP_S * world.rate_hz)))
    return Frame.from_columns(t[keep], {c: v[keep] for c, v in columns.items()}, simulated=True)


def _lagged(values: F64, tau_s: float) -> F64:
    if tau_s <= 0.0:
        return values
    share = 1.0 - np.exp(-STEP_S / tau_s)
    out = np.empty_like(values)
    state = values[0]
    for i, value in enumerate(values.tolist()):
        state += share * (value - state)
        out[i] = state
    return out


def _coloured(rng: np.random.Generator, n: int, sd: float, tau_s: float) -> F64:
    white: F64 = rng.normal(0.0, 1.0, n)
    if tau_s <= 0.0:
        return np.asarray(sd * white)
    keep = float(np.exp(-STEP_S / tau_s))
    gain = sd * (1.0 - keep**2) ** 0.5
    out = np.empty(n)
    state = float(sd * white[0])
    for i, value in enumerate(white.tolist()):
        state = keep * state + gain * value
        out[i] = state
    return out
