"""Pulls, sweeps, holds and coast-downs, found in a log as they are found live.

A pull is wide open while the engine gains speed; a coast-down is the throttle shut while it loses
it; a sweep is a steady ramp of speed or load in between; a hold is neither moving. Everything is
judged on 50 ms windows, so the sample rate of the log does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.modes import CODE, Mode, ModeTrack, runs_of
from dynoai_desktop.core.analysis.windows import WINDOW_S, Windows, smooth
from dynoai_desktop.core.channels import Channel

Bools = NDArray[np.bool_]
KW_PER_NM_RPM = 1.0 / 9549.2966  # 2π / 60,000
KW_PER_N_KMH = 1.0 / 3600.0


class RunKind(StrEnum):
    """What a stretch of a log was."""

    PULL = "pull"
    SWEEP = "sweep"
    HOLD = "hold"
    COAST_DOWN = "coast_down"


@dataclass(frozen=True, slots=True)
class Run:
    """One stretch. Powers and torques are None where nothing trustworthy was logged."""

    kind: RunKind
    start_s: float
    end_s: float
    start_rpm: float
    end_rpm: float
    peak_power_kw: float | None
    peak_power_rpm: float | None
    peak_torque_nm: float | None
    peak_torque_rpm: float | None


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The least a run must be."""

    pull_rpm: float = 700.0
    pull_s: float = 1.0
    coast_rpm: float = 400.0
    coast_s: float = 1.0
    sweep_rpm: float = 600.0
    sweep_rpm_per_s: float = 60.0
    sweep_load: float = 20.0
    sweep_load_per_s: float = 3.0
    sweep_s: float = 2.0
    hold_s: float = 2.0
    hold_rpm_per_s: float = 50.0
    hold_load_per_s: float = 4.0
    torque_agrees: float = 0.2  # with power / rpm; else the torque column is not believed


_REACH = 10  # windows each side over which a ramp is judged


def find_runs(track: ModeTrack, settings: RunSettings | None = None) -> tuple[Run, ...]:
    """Return the runs of a log in time order; none without engine speed."""
    s = settings or RunSettings()
    windows = track.windows
    rpm = windows.means.get(Channel.RPM)
    if rpm is None or len(windows) < 2 * _REACH:
        return ()
    rpm = smooth(rpm)
    load = _load(windows)
    codes = track.of_window
    wide = (codes == CODE[Mode.WOT]) | _joins(codes, CODE[Mode.TIP_IN], CODE[Mode.WOT])
    shut = codes == CODE[Mode.DECEL]
    running = codes != CODE[Mode.UNKNOWN]
    found = [
        *_ramps(RunKind.PULL, wide, rpm, s.pull_rpm, s.pull_s),
        *_ramps(RunKind.COAST_DOWN, shut, -rpm, s.coast_rpm, s.coast_s),
    ]
    taken = np.zeros(len(windows), dtype=bool)
    for _, first, last in found:
        taken[first : last + 1] = True
    free = running & ~wide & ~shut & ~taken
    rpm_rate = _wide_slope(rpm)
    load_rate = np.zeros(rpm.size) if load is None else _wide_slope(load)
    for signal, rate, least_rate, least in (
        (rpm, rpm_rate, s.sweep_rpm_per_s, s.sweep_rpm),
        (load, load_rate, s.sweep_load_per_s, s.sweep_load),
    ):
        if signal is None:
            continue
        for sign in (1.0, -1.0):
            moving = free & ~taken & (sign * rate > least_rate)
            for run in _ramps(RunKind.SWEEP, moving, sign * signal, least, s.sweep_s):
                found.append(run)
                taken[run[1] : run[2] + 1] = True
    still = (np.abs(rpm_rate) < s.hold_rpm_per_s) & (np.abs(load_rate) < s.hold_load_per_s)
    still &= running & ~taken & ~np.isin(codes, [CODE[Mode.TIP_IN], CODE[Mode.TIP_OUT]])
    found += [
        (RunKind.HOLD, first, last)
        for first, last in _stretches(still)
        if (last - first + 1) * WINDOW_S >= s.hold_s
    ]
    power, torque = power_and_torque(windows, s)
    return tuple(
        _describe(kind, first, last, windows, rpm, power, torque)
        for kind, first, last in sorted(found, key=lambda run: run[1])
    )


def _load(windows: Windows) -> F64 | None:
    for channel in (Channel.MAP, Channel.TPS):
        if channel in windows.means:
            return smooth(windows.means[channel])
    return None


def _joins(codes: NDArray[np.int8], gap: int, side: int) -> Bools:
    """Return the short stretches of *gap* that end or begin in *side*."""
    out = np.zeros(codes.size, dtype=bool)
    start, stop = runs_of(codes)
    kinds = codes[start]
    for i in np.flatnonzero(kinds == gap):
        beside = (i + 1 < kinds.size and kinds[i + 1] == side) or (i > 0 and kinds[i - 1] == side)
        if beside:
            out[start[i] : stop[i]] = True
    return out


def _stretches(active: Bools) -> Iterator[tuple[int, int]]:
    """Yield first and last window of every unbroken stretch."""
    start, stop = runs_of(active)
    on = active[start]
    for first, end in zip(start[on].tolist(), stop[on].tolist(), strict=True):
        yield first, end - 1


def _ramps(
    kind: RunKind, active: Bools, rising: F64, least: float, least_s: float
) -> Iterator[tuple[RunKind, int, int]]:
    """Yield the stretches in which a signal rises by *least*, from its lowest to its highest."""
    for first, last in _stretches(active):
        if (last - first) * WINDOW_S < least_s:
            continue
        part = rising[first : last + 1]
        known = np.flatnonzero(np.isfinite(part))
        if not known.size:
            continue
        top = known[int(np.argmax(part[known]))]
        below = known[known <= top]
        bottom = below[int(np.argmin(part[below]))]
        if part[top] - part[bottom] >= least and (top - bottom) * WINDOW_S >= least_s:
            yield kind, first + int(bottom), first + int(top)


def _wide_slope(values: F64) -> F64:
    """Return the rate per second over a second; NaN beside a gap."""
    out = np.full(values.size, np.nan)
    reach = _REACH
    out[reach:-reach] = (values[2 * reach :] - values[: -2 * reach]) / (2 * reach * WINDOW_S)
    out[:reach], out[-reach:] = out[reach], out[-reach - 1]
    return out


def power_and_torque(
    windows: Windows, settings: RunSettings | None = None
) -> tuple[F64 | None, F64 | None]:
    """Return power in kW and torque in N·m per window, smoothed, each None if not trustworthy.

    Power is taken as logged, else from force and road speed, else from torque and engine speed.
    A torque column that does not agree with power over engine speed (a noisy rpm pickup at the
    dyno gives torques of thousands) is not believed.
    """
    s = settings or RunSettings()
    means = windows.means
    rpm, torque, power = (means.get(c) for c in (Channel.RPM, Channel.TORQUE, Channel.POWER))
    force, speed = means.get(Channel.FORCE), means.get(Channel.SPEED)
    if power is None and force is not None and speed is not None:
        power = force * speed * KW_PER_N_KMH
    if power is None and torque is not None and rpm is not None:
        power = torque * rpm * KW_PER_NM_RPM
    elif power is not None and rpm is not None:
        if torque is not None and not _agrees(torque * rpm * KW_PER_NM_RPM, power, s):
            torque = None
        elif torque is None:
            torque = np.where(rpm > 300.0, power / np.maximum(rpm, 1.0) / KW_PER_NM_RPM, np.nan)
    return (
        None if power is None else smooth(power),
        None if torque is None else smooth(torque),
    )


def _agrees(one: F64, other: F64, s: RunSettings) -> bool:
    both = np.isfinite(one) & np.isfinite(other)
    if not both.any():
        return True
    strong = both & (np.abs(other) > max(0.3 * float(np.max(np.abs(other[both]))), 1e-6))
    if not strong.any():
        return True
    return float(np.median(np.abs(one[strong] / other[strong] - 1.0))) <= s.torque_agrees


def _describe(
    kind: RunKind,
    first: int,
    last: int,
    windows: Windows,
    rpm: F64,
    power: F64 | None,
    torque: F64 | None,
) -> Run:
    part = slice(first, last + 1)
    peak_power, power_rpm = _peak(power, rpm, part)
    peak_torque, torque_rpm = _peak(torque, rpm, part)
    return Run(
        kind,
        float(windows.start_s[first]),
        float(windows.start_s[last] + WINDOW_S),
        float(rpm[first]),
        float(rpm[last]),
        peak_power,
        power_rpm,
        peak_torque,
        torque_rpm,
    )


def _peak(values: F64 | None, rpm: F64, part: slice) -> tuple[float | None, float | None]:
    if values is None:
        return None, None
    known = np.flatnonzero(np.isfinite(values[part]))
    if not known.size:
        return None, None
    top = part.start + known[int(np.argmax(values[part][known]))]
    at = float(rpm[top])
    return float(values[top]), at if np.isfinite(at) else None
