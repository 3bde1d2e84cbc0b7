"""How a vehicle moved in one log: what later predictions of its paths are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.modes import CODE, Mode
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.runs import Run, RunKind
from dynoai_desktop.core.analysis.windows import WINDOW_S, Windows, smooth
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.planning.memory import Observed
from dynoai_desktop.core.store.vehicles import VehicleRecord

_STRETCH_S = 0.4  # over which an acceleration is read
_OPENS_S = 0.3  # at the start of a pull, while the throttle still opens
_RPM_STEP = 250.0
_LEAST_IDLE_S = 2.0
_WIDE_OPEN_PCT = 90.0
_TPS_STEP = 2.0
_STILL_PCT_PER_S, _STILL_KPA_PER_S = 4.0, 15.0
_AROUND = 4  # windows each side over which standing still is judged
_LEAST_WINDOWS = 4
_MOST_POINTS = 60  # of one run
_TEMPERATURES = (Channel.IAT, Channel.ECT)
_BEFORE_S = 1.0  # of a pull: the temperatures it began with
_BACK_WITHIN_C = 1.0
_SAME_GEAR = 0.08  # share of the ratio; tyres and slip are within, the next gear is not


def observe(payload: Payload, record: VehicleRecord) -> Observed:
    """Return how the vehicle moved in an analysed log; empty where a channel was not heard."""
    evidence = payload.evidence
    windows = evidence.track.windows
    rpm = windows.means.get(Channel.RPM)
    if rpm is None or not len(windows):
        return Observed()
    pulls = [run for run in evidence.runs if run.kind is RunKind.PULL]
    speed = smooth(rpm)
    curves = [(_gear(windows, run, record), _accelerations(windows, speed, run)) for run in pulls]
    return Observed(
        pulls=tuple((gear, curve) for gear, curve in curves if curve),
        full_load_kpa=_full_load(evidence, speed, pulls),
        manifold=_manifold(evidence, speed),
        cooling_s=_cooling(windows, pulls),
        idle_rpm=_idle(evidence, speed),
        baro_kpa=round(evidence.track.baro_kpa, 2) if evidence.track.baro_measured else None,
    )


def _part(windows: Windows, start_s: float, end_s: float) -> slice:
    first, end = np.searchsorted(windows.start_s, [start_s - 1e-6, end_s - 1e-6])
    return slice(int(first), int(end))


def _accelerations(windows: Windows, rpm: F64, run: Run) -> tuple[tuple[float, float], ...]:
    """Return (rpm, rpm per second) along a pull, one for every `_STRETCH_S`, rising rpm."""
    part = rpm[_part(windows, run.start_s + _OPENS_S, run.end_s)]
    step = round(_STRETCH_S / WINDOW_S)
    ends = part[::step]
    rate = np.diff(ends) / _STRETCH_S
    middle = (ends[1:] + ends[:-1]) / 2.0
    good = np.isfinite(rate) & (rate > 0.0)
    points = zip(middle[good].round(1).tolist(), rate[good].round(1).tolist(), strict=True)
    return tuple(sorted(points))


def _gear(windows: Windows, run: Run, record: VehicleRecord) -> int:
    """Return the gear of a pull by rpm over road speed, else the stated dyno gear, else 0."""
    speed, rpm = windows.means.get(Channel.SPEED), windows.means[Channel.RPM]
    part = _part(windows, run.start_s, run.end_s)
    if speed is not None and record.gear_ratios and record.tyre_circumference_m is not None:
        moving = speed[part] > 5.0
        wheel_rpm = speed[part][moving] * 1000.0 / 60.0 / record.tyre_circumference_m
        turns = rpm[part][moving] / wheel_rpm
        turns = turns[np.isfinite(turns)]
        if turns.size:
            off = np.abs(np.log(np.array(record.gear_ratios) / float(np.median(turns))))
            if off.min() < _SAME_GEAR:
                return int(off.argmin()) + 1
    return record.dyno_gear or 0


def _full_load(evidence: Evidence, rpm: F64, pulls: list[Run]) -> tuple[tuple[float, float], ...]:
    """Return (rpm, median MAP wide open) in steps of rpm.

    High pressure alone is not enough: at half throttle a large throttle body looks wide open at
    low speed, and such a curve would be far too low at high speed. So the engine has to pull, and
    the throttle to be open where it was heard.
    """
    track = evidence.track
    pressure = track.windows.means.get(Channel.MAP)
    if pressure is None:
        return ()
    pulling = np.zeros(rpm.size, dtype=bool)
    for run in pulls:
        pulling[_part(track.windows, run.start_s, run.end_s)] = True
    known = pulling & (track.of_window == CODE[Mode.WOT]) & np.isfinite(pressure + rpm)
    tps = track.windows.means.get(Channel.TPS)
    if tps is not None:
        known &= tps >= _WIDE_OPEN_PCT
    return binned(rpm[known], pressure[known], least=3)


def binned(x: F64, y: F64, least: int = 1) -> tuple[tuple[float, float], ...]:
    """Return (mean x, median y) of every step of x with at least so many points, rising x."""
    place = np.round(x / _RPM_STEP)
    groups = [place == step for step in np.unique(place)]
    return tuple(
        (round(float(x[g].mean()), 1), round(float(np.median(y[g])), 2))
        for g in groups
        if np.count_nonzero(g) >= least
    )


def _manifold(evidence: Evidence, rpm: F64) -> tuple[tuple[float, float, float], ...]:
    """Return (throttle from its stop, rpm, kPa) where the throttle stood still, in steps of both.

    The engine may speed up meanwhile: a manifold fills in a tenth of a second, so its pressure
    follows a sweep, as long as it does not move fast itself.
    """
    windows, closed = evidence.track.windows, evidence.track.closed_tps
    tps, pressure = (windows.means.get(channel) for channel in (Channel.TPS, Channel.MAP))
    if tps is None or pressure is None or closed is None:
        return ()
    still = np.isfinite(tps + rpm + pressure)
    for signal, most_per_s in ((tps, _STILL_PCT_PER_S), (pressure, _STILL_KPA_PER_S)):
        moved = np.abs(signal[2 * _AROUND :] - signal[: -2 * _AROUND]) / (2 * _AROUND * WINDOW_S)
        still[_AROUND:-_AROUND] &= moved <= most_per_s
        still[:_AROUND] = still[-_AROUND:] = False
    opened = np.maximum(tps[still] - closed, 0.0)
    places = np.round(np.stack([opened / _TPS_STEP, rpm[still] / _RPM_STEP]))
    points = np.stack([opened, rpm[still], pressure[still]])
    seen, count = np.unique(places, axis=1, return_counts=True)
    longest = seen[:, np.argsort(-count, kind="stable")[:_MOST_POINTS]]
    out = []
    for place in longest.T:
        here = points[:, (places == place[:, None]).all(axis=0)]
        if here.shape[1] >= _LEAST_WINDOWS:
            tps_pct, at_rpm, kpa = np.median(here, axis=1).tolist()
            out.append((round(tps_pct, 2), round(at_rpm, 1), round(kpa, 2)))
    return tuple(sorted(out))


def _idle(evidence: Evidence, rpm: F64) -> float | None:
    at_idle = rpm[evidence.track.of_window == CODE[Mode.IDLE]]
    at_idle = at_idle[np.isfinite(at_idle)]
    return round(_median(at_idle), 1) if at_idle.size * WINDOW_S >= _LEAST_IDLE_S else None


def _cooling(windows: Windows, pulls: list[Run]) -> tuple[float, ...]:
    """Return per pull the seconds until every temperature was back where the pull began.

    A pull after which the log ended, or the next one began, before that says nothing.
    """
    heard = [windows.means[c] for c in _TEMPERATURES if c in windows.means]
    if not heard or not pulls:
        return ()
    out = []
    until = [*(run.start_s for run in pulls[1:]), float(windows.start_s[-1])]
    for run, end_s in zip(pulls, until, strict=True):
        began = [_median(t[_part(windows, run.start_s - _BEFORE_S, run.start_s)]) for t in heard]
        after = _part(windows, run.end_s, max(run.end_s, end_s))  # it may end within a pull
        back: NDArray[np.bool_] = np.ones(after.stop - after.start, dtype=bool)
        for temperature, at_first in zip(heard, began, strict=True):
            if np.isfinite(at_first):
                hot = temperature[after] > at_first + _BACK_WITHIN_C
                # A slow sensor overshoots: only after the last hot moment is it back.
                back &= np.cumsum(hot[::-1])[::-1] == 0
        if np.isfinite(began).any() and back.any():
            out.append(round(float(np.argmax(back)) * WINDOW_S, 2))
    return tuple(out)


def _median(values: F64) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")
