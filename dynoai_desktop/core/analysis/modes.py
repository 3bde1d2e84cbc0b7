"""How the time was spent: one label per row, decided on 50 ms windows.

Three things keep noise out of the labels. Thresholds of rates grow with the noise of the channel
itself; every threshold has a lower one for leaving than for entering; and a label must last
(0.25 s a transient, 0.5 s a steady one) or its time goes to what was before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64, Frame
from dynoai_desktop.core.analysis.windows import WINDOW_S, Windows, noise, slope, smooth, summarise
from dynoai_desktop.core.channels import Channel

Bools = NDArray[np.bool_]
STANDARD_BARO_KPA = 101.325


class Mode(StrEnum):
    """What the engine was doing."""

    UNKNOWN = "unknown"  # engine stopped, or rpm not heard
    IDLE = "idle"
    CRUISE = "cruise"
    PART_LOAD = "part_load"
    WOT = "wot"
    TIP_IN = "tip_in"
    TIP_OUT = "tip_out"
    DECEL = "decel"
    HEAT_SOAK = "heat_soak"


MODES: tuple[Mode, ...] = tuple(Mode)  # labels are indices into this
CODE: Mapping[Mode, int] = {mode: i for i, mode in enumerate(MODES)}
_TRANSIENT_CODES = (CODE[Mode.TIP_IN], CODE[Mode.TIP_OUT])


@dataclass(frozen=True, slots=True)
class ModeSettings:
    """Thresholds; throttle is counted from its closed position."""

    tip_in_tps_per_s: float = 20.0  # % per second
    tip_in_map_per_s: float = 30.0  # kPa per second
    tip_out_tps_per_s: float = 15.0
    tip_out_map_per_s: float = 25.0
    noise_sigmas: float = 5.0
    wot_tps: float = 85.0
    wot_of_baro: float = 0.95
    part_load_tps: float = 40.0
    part_load_of_baro: float = 0.70
    closed_tps: float = 3.0
    running_rpm: float = 350.0
    idle_rpm: float = 1200.0
    overrun_rpm: float = 1500.0
    idle_of_baro: float = 0.55
    shut_of_baro: float = 0.42  # used where there is no throttle sensor
    soak_iat_c: float = 54.4  # 130 °F
    soak_rpm: float = 3500.0
    soak_tps: float = 15.0
    transient_dwell_s: float = 0.25
    steady_dwell_s: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class ModeTrack:
    """Labels as indices into MODES, per window (k,) and per row (n,)."""

    windows: Windows
    of_window: NDArray[np.int8]
    of_row: NDArray[np.int8]
    baro_kpa: float
    baro_measured: bool
    closed_tps: float | None

    def rows_in(self, *modes: Mode) -> Bools:
        """Return the rows in any of *modes*, (n,)."""
        wanted = np.zeros(len(MODES), dtype=bool)
        wanted[[CODE[mode] for mode in modes]] = True
        return wanted[self.of_row]


_CHANNELS = (
    Channel.RPM,
    Channel.TPS,
    Channel.MAP,
    Channel.IAT,
    Channel.ECT,
    Channel.SPEED,
    Channel.TORQUE,
    Channel.POWER,
    Channel.FORCE,
)


def label(frame: Frame, settings: ModeSettings | None = None) -> ModeTrack:
    """Label every row of a normalised frame. Absent channels weaken no other rule.

    Without TPS the closed throttle is judged by MAP, without MAP wide open by TPS; with neither,
    only idle and cruise can be told. First match wins in the order of the table of the theory:
    heat soak, tip-in, tip-out, wide open, decel, idle, part load, cruise.
    """
    s = settings or ModeSettings()
    windows = summarise(frame, _CHANNELS)
    baro, measured = baro_kpa(frame)
    signals = _Signals.of(windows)
    closed = closed_position(signals.tps)
    codes = _label_windows(signals, baro, closed, s)
    return ModeTrack(
        windows,
        codes,
        codes[windows.of_row] if len(windows) else np.empty(0, np.int8),
        baro,
        measured,
        closed,
    )


def baro_kpa(frame: Frame) -> tuple[float, bool]:
    """Return the barometric pressure and whether it was measured; else the standard one."""
    column = frame.get(Channel.BARO)
    if column is None:
        return STANDARD_BARO_KPA, False
    return float(np.nanmedian(column)), True


def closed_position(tps: F64 | None) -> float | None:
    """Return the throttle reading at the stop: the lowest usual value, if that can be the stop.

    A log that never shuts the throttle has no such value; then the sensor is taken to start at
    zero, so that a steady cruise is not read as a shut throttle.
    """
    if tps is None or not np.isfinite(tps).any():
        return None
    low, high = (float(x) for x in np.nanpercentile(tps, [1.0, 99.0]))
    return low if low < 6.0 or (low < 9.0 and high > low + 15.0) else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Signals:
    """Window means of what the rules read; None where never heard."""

    size: int
    rpm: F64 | None
    tps: F64 | None
    map_kpa: F64 | None
    iat: F64 | None

    @classmethod
    def of(cls, windows: Windows) -> _Signals:
        means = windows.means
        return cls(
            len(windows),
            means.get(Channel.RPM),
            means.get(Channel.TPS),
            means.get(Channel.MAP),
            means.get(Channel.IAT),
        )


def _label_windows(
    signals: _Signals, baro: float, closed: float | None, s: ModeSettings
) -> NDArray[np.int8]:
    n = signals.size
    if signals.rpm is None or n == 0:
        return np.zeros(n, np.int8)
    rpm = smooth(signals.rpm)
    running = schmitt_above(rpm, s.running_rpm, s.running_rpm - 100.0)
    tps = None
    if signals.tps is not None and closed is not None:
        tps = smooth(signals.tps) - closed
    load = None if signals.map_kpa is None else smooth(signals.map_kpa) / baro
    rpm_band = _band(signals.rpm, 150.0)
    tps_band = _band(signals.tps, 2.0)
    load_band = _band(signals.map_kpa, 0.03 * baro) / baro

    wide = np.zeros(n, bool)
    part = np.zeros(n, bool)
    if tps is not None:
        wide |= schmitt_above(tps, s.wot_tps - 5.0, s.wot_tps - 5.0 - tps_band)
        part |= schmitt_above(tps, s.part_load_tps, s.part_load_tps - tps_band)
    if load is not None:
        part |= schmitt_above(load, s.part_load_of_baro, s.part_load_of_baro - load_band)
        boosted = bool(np.nanpercentile(load, 99.0) > 1.15)
        if tps is None or not boosted:
            wide |= schmitt_above(load, s.wot_of_baro, s.wot_of_baro - load_band)
    closed_now = _closed(tps, load, tps_band, load_band, s)
    idle = schmitt_below(rpm, s.idle_rpm, s.idle_rpm + rpm_band)
    overrun = np.zeros(n, bool)
    if closed_now is not None:
        idle &= closed_now
        overrun = closed_now & schmitt_above(rpm, s.overrun_rpm, s.overrun_rpm - rpm_band)
    if load is not None:
        idle &= schmitt_below(load, s.idle_of_baro, s.idle_of_baro + load_band)

    codes = np.full(n, CODE[Mode.CRUISE], np.int8)
    codes[part] = CODE[Mode.PART_LOAD]
    codes[idle] = CODE[Mode.IDLE]
    codes[overrun & ~idle] = CODE[Mode.DECEL]
    codes[wide] = CODE[Mode.WOT]
    tip_in, tip_out = _tips(signals, s)
    codes[tip_out] = CODE[Mode.TIP_OUT]
    codes[tip_in] = CODE[Mode.TIP_IN]
    codes[_soak(signals, rpm, tps, s)] = CODE[Mode.HEAT_SOAK]
    codes[~running] = CODE[Mode.UNKNOWN]
    return _dwell(codes, s)


def _band(values: F64 | None, least: float) -> float:
    """Return the width of a hysteresis: at least *least*, and four sigmas of the noise."""
    return least if values is None else max(least, 4.0 * noise(values))


def _closed(
    tps: F64 | None, load: F64 | None, tps_band: float, load_band: float, s: ModeSettings
) -> Bools | None:
    """Return where the throttle is shut, by its sensor or else by a deep vacuum."""
    if tps is not None:
        return schmitt_below(tps, s.closed_tps, s.closed_tps + tps_band)
    if load is not None:
        return schmitt_below(load, s.shut_of_baro, s.shut_of_baro + load_band)
    return None


def _tips(signals: _Signals, s: ModeSettings) -> tuple[Bools, Bools]:
    tip_in = np.zeros(signals.size, bool)
    tip_out = np.zeros(signals.size, bool)
    for values, rise, fall in (
        (signals.tps, s.tip_in_tps_per_s, s.tip_out_tps_per_s),
        (signals.map_kpa, s.tip_in_map_per_s, s.tip_out_map_per_s),
    ):
        if values is None:
            continue
        rate = slope(values)
        # The slope of five windows has a variance of noise² / (10 · window²).
        unsure = s.noise_sigmas * noise(values) / (np.sqrt(10.0) * WINDOW_S)
        rise, fall = max(rise, unsure), max(fall, unsure)
        tip_in |= schmitt_above(rate, rise, rise / 2)
        tip_out |= schmitt_above(-rate, fall, fall / 2)
    least = round(s.transient_dwell_s / WINDOW_S)
    return _at_least(tip_in, least), _at_least(tip_out, least)


def _soak(signals: _Signals, rpm: F64, tps: F64 | None, s: ModeSettings) -> Bools:
    if signals.iat is None:
        return np.zeros(signals.size, bool)
    hot = schmitt_above(smooth(signals.iat), s.soak_iat_c, s.soak_iat_c - 2.0)
    slow = schmitt_below(rpm, s.soak_rpm, s.soak_rpm + 200.0)
    light = slow if tps is None else schmitt_below(tps, s.soak_tps, s.soak_tps + 2.0)
    return hot & slow & light


def schmitt_above(values: F64, enter: float, leave: float) -> Bools:
    """Return where a signal is above *enter*, and on until it falls below *leave*; NaN is off.

    >>> schmitt_above(np.array([0.0, 3.0, 1.5, 0.5, 1.5]), 2.0, 1.0).tolist()
    [False, True, True, False, False]
    """
    with np.errstate(invalid="ignore"):
        on = values > enter
        off = ~(values >= leave)
    decided = np.where(on | off, np.arange(values.size), 0)
    last = np.maximum.accumulate(decided)
    held: Bools = on[last]
    return held


def schmitt_below(values: F64, enter: float, leave: float) -> Bools:
    """Return where a signal is below *enter*, and on until it rises above *leave*."""
    return schmitt_above(-values, -enter, -leave)


def runs_of(codes: NDArray[np.int8] | Bools) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return first index and one past the last of every stretch of equal values."""
    change = np.flatnonzero(np.diff(codes)) + 1
    start = np.concatenate(([0], change)).astype(np.intp)
    return start, np.concatenate((change, [codes.size])).astype(np.intp)


def _at_least(active: Bools, windows: int) -> Bools:
    """Return the events made at least *windows* long, growing towards later times."""
    if not active.any():
        return active
    out = np.array(active)
    for shift in range(1, windows):
        # Only the beginnings grow: a long event is not made longer.
        start = np.flatnonzero(active[1:] & ~active[:-1]) + 1
        grown = start + shift
        out[grown[grown < out.size]] = True
    return out


def _dwell(codes: NDArray[np.int8], s: ModeSettings) -> NDArray[np.int8]:
    """Give stretches that are too short to the label before them; the first takes the next."""
    short_steady = round(s.steady_dwell_s / WINDOW_S)
    start, stop = runs_of(codes)
    kinds = codes[start]
    lasting = (
        (stop - start >= short_steady)
        | np.isin(kinds, _TRANSIENT_CODES)
        | (kinds == CODE[Mode.UNKNOWN])
    )
    if lasting.all() or not lasting.any():
        return codes
    keeper = np.maximum.accumulate(np.where(lasting, np.arange(start.size), -1))
    keeper[keeper < 0] = int(np.argmax(lasting))
    return np.repeat(kinds[keeper], stop - start)


def mode_summary(track: ModeTrack, row_s: F64) -> dict[str, dict[str, float]]:
    """Return per mode the rows, their share in percent and the seconds spent, modes seen only.

    *row_s* is how long each row lasted, (n,) in seconds.
    """
    counts = np.bincount(track.of_row, minlength=len(MODES))
    seconds = np.bincount(track.of_row, row_s, minlength=len(MODES))
    total = max(1, int(counts.sum()))
    return {
        mode.value: {
            "samples": int(counts[i]),
            "share_pct": round(100.0 * float(counts[i]) / total, 3),
            "duration_s": round(float(seconds[i]), 3),
        }
        for i, mode in enumerate(MODES)
        if counts[i]
    }
