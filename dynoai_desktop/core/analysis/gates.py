"""Which samples may speak about the fuel table, and why the others may not.

A sample is one row and one cylinder: the charge burnt at that time in that cell, and the lambda
read when its exhaust reached the sensor. Every rejected sample keeps the first reason of the
table that holds; nothing is deleted, so accepted and rejected add up to all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.alignment import REFERENCE_RPM, SENSOR_LAG_S, Alignment
from dynoai_desktop.core.analysis.cylinders import CylinderChannels, commanded_log
from dynoai_desktop.core.analysis.frame import F64, Frame
from dynoai_desktop.core.analysis.modes import CODE, Mode, ModeTrack
from dynoai_desktop.core.analysis.normalise import Normalised, Tag
from dynoai_desktop.core.analysis.windows import WINDOW_S
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel

Bools = NDArray[np.bool_]
# Three times the three to four cycles in which a film renews itself, at the reference speed and
# above.
WALL_FILM_S = 0.45
_MOST_SLOWER = 4.0
_TREND_S = 0.1
_NEAR_TOP = 0.94  # of the highest speed of the log, where a limiter would be
_LIMITER_DROP = 0.012  # of engine speed within a window


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Thresholds of the gates."""

    rail_low: float = 0.53  # lambda; widebands stop at 7.35 AFR
    rail_high: float = 1.45  # and say free air above this
    cold_ect_c: float = 60.0
    fuel_cut_ms: float = 0.05
    longest_gap_s: float = 0.25  # between the two readings a value is taken from
    dead_span: float = 0.01  # lambda; a sensor that never moves more is not connected
    dead_seconds: float = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One cylinder's samples, (n,) each, in the order of the frame's rows."""

    channels: CylinderChannels
    y: F64  # ln of the factor the VE table is short by; NaN where unknown
    rate: F64  # dy per second of delay
    measured: F64  # lambda that belongs to the row
    target: F64 | None  # lambda commanded in the row, trims not counted
    reason: NDArray[np.uint8]  # index into GATES plus one; 0 is accepted

    @property
    def accepted(self) -> Bools:
        """Return the samples that may speak, (n,)."""
        return np.equal(self.reason, 0)

    def rejected(self) -> dict[str, int]:
        """Return how many samples each gate stopped, only gates that stopped any."""
        counts = np.bincount(self.reason, minlength=len(GATES) + 1)
        return {gate.reason: int(counts[i + 1]) for i, gate in enumerate(GATES) if counts[i + 1]}


@dataclass(frozen=True, slots=True, eq=False)
class GateInput:
    """What the gates look at."""

    frame: Frame
    tags: Mapping[Channel, NDArray[np.uint8]]
    track: ModeTrack
    settling: Bools
    channels: CylinderChannels
    rpm_axis: Axis
    load_axis: Axis
    reading: Reading
    commanded: F64 | None
    settings: GateSettings

    def column(self, channel: Channel) -> F64 | None:
        """Return a column of the frame."""
        return self.frame.get(channel)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A sensor read later than the row, (n,) each."""

    value: F64
    heard: Bools
    spoilt: Bools  # a neighbour was set aside as spike or out of range


@dataclass(frozen=True, slots=True)
class Gate:
    """One reason to refuse a sample."""

    reason: str
    refuses: Callable[[GateInput], Bools | None]  # None: nothing to refuse


def _rpm_missing(g: GateInput) -> Bools:
    return ~np.isfinite(g.frame.columns[Channel.RPM])


def _load_missing(g: GateInput) -> Bools:
    return ~np.isfinite(g.frame.columns[g.load_axis.channel])


def _stopped(g: GateInput) -> Bools:
    return g.track.rows_in(Mode.UNKNOWN)


def _no_target(g: GateInput) -> Bools | None:
    return None if g.commanded is None else ~np.isfinite(g.commanded)


def _spoilt(g: GateInput) -> Bools:
    return g.reading.spoilt


def _unheard(g: GateInput) -> Bools:
    return ~g.reading.heard


def _dead(g: GateInput) -> Bools | None:
    values = g.frame.columns[g.channels.measured]
    some = values[:: max(1, values.size // 50_000)]
    heard = some[np.isfinite(some)]
    seconds = g.frame.time_s[-1] - g.frame.time_s[0]
    low, high = np.percentile(heard, [1.0, 99.0]) if heard.size else (0.0, 0.0)
    if seconds < g.settings.dead_seconds or high - low > g.settings.dead_span:
        return None
    rpm = g.frame.columns[Channel.RPM]
    # A steady engine may well hold lambda; one that changes speed by half cannot.
    if np.nanmax(rpm) < 1.5 * max(float(np.nanmin(rpm)), 1.0):
        return None
    return np.ones(values.size, dtype=bool)


def _railed(g: GateInput) -> Bools:
    value = g.reading.value
    return (value <= g.settings.rail_low) | (value >= g.settings.rail_high)


def _fuel_cut(g: GateInput) -> Bools | None:
    return _cut_rows(g.frame, g.channels, g.settings)


def _cut_rows(frame: Frame, channels: CylinderChannels, settings: GateSettings) -> Bools | None:
    width = None if channels.pulse_width is None else frame.get(channels.pulse_width)
    return None if width is None else width <= settings.fuel_cut_ms


def _mode(mode: Mode) -> Callable[[GateInput], Bools]:
    return lambda g: g.track.rows_in(mode)


def _settling(g: GateInput) -> Bools:
    return g.settling


def _cold(g: GateInput) -> Bools | None:
    ect = g.column(Channel.ECT)
    return None if ect is None else ect < g.settings.cold_ect_c


def _off_axes(g: GateInput) -> Bools:
    rpm = g.frame.columns[Channel.RPM]
    load = g.frame.columns[g.load_axis.channel]
    r, c = g.rpm_axis.edges, g.load_axis.edges
    return ~((rpm >= r[0]) & (rpm < r[-1]) & (load >= c[0]) & (load < c[-1]))


GATES: tuple[Gate, ...] = (
    Gate("rpm_missing", _rpm_missing),
    Gate("load_missing", _load_missing),
    Gate("engine_stopped", _stopped),
    Gate("target_missing", _no_target),
    Gate("sensor_dead", _dead),
    Gate("lambda_implausible", _spoilt),
    Gate("lambda_missing", _unheard),
    Gate("fuel_cut", _fuel_cut),
    Gate("overrun", _mode(Mode.DECEL)),
    Gate("lambda_railed", _railed),
    Gate("tip_in", _mode(Mode.TIP_IN)),
    Gate("tip_out", _mode(Mode.TIP_OUT)),
    Gate("settling", _settling),
    Gate("heat_soak", _mode(Mode.HEAT_SOAK)),
    Gate("warm_up", _cold),
    Gate("off_axes", _off_axes),
)


def gather(
    normalised: Normalised,
    track: ModeTrack,
    alignment: Alignment,
    channels: CylinderChannels,
    axes: tuple[Axis, Axis],
    target: F64 | None = None,
    settings: GateSettings | None = None,
    later: Later | None = None,
) -> Samples:
    """Return the samples of one cylinder, each accepted or with its reason.

    *target* is the commanded lambda per row for logs without one; where there is neither, all
    samples are refused as ``target_missing``. *later* saves looking up the delay twice.
    """
    settings = settings or GateSettings()
    frame = normalised.frame
    rpm_axis, load_axis = axes
    later = later or find_later(frame, alignment, settings)
    reading = later.read(frame.columns[channels.measured], normalised.tags[channels.measured])
    commanded = commanded_log(frame, channels, target)
    wanted = frame.first(*channels.commanded)
    wanted = target if wanted is None else wanted
    given = GateInput(
        frame,
        normalised.tags,
        track,
        settling_rows(track, alignment, _cut_windows(frame, track, channels, settings)),
        channels,
        rpm_axis,
        load_axis,
        reading,
        commanded,
        settings,
    )
    n = len(frame)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(reading.value) - commanded if commanded is not None else np.full(n, np.nan)
        rate = _trend(np.log(reading.value), frame.time_s)
    reason = np.zeros(n, dtype=np.uint8)
    if commanded is None:
        reason[:] = 1 + next(i for i, gate in enumerate(GATES) if gate.reason == "target_missing")
        return Samples(channels, y, rate, reading.value, wanted, reason)
    for number, gate in enumerate(GATES, start=1):
        refused = gate.refuses(given)
        if refused is not None:
            reason[refused & (reason == 0)] = number
    return Samples(channels, y, rate, reading.value, wanted, reason)


def _trend(values: F64, time_s: F64) -> F64:
    """Return the rate per second over a fifth of a second; 0 beside what is not known.

    Two neighbouring readings differ by little but their noise, which no delay explains.
    """
    usual = float(np.median(np.diff(time_s[:10_000]))) if time_s.size > 1 else 0.0
    reach = max(1, round(_TREND_S / usual)) if usual > 0.0 else 1
    out = np.zeros(values.size)
    if values.size > 2 * reach:
        span = time_s[2 * reach :] - time_s[: -2 * reach]
        change = values[2 * reach :] - values[: -2 * reach]
        known = np.isfinite(change) & (span > 0.0) & (span < 3.0 * reach * usual)
        np.divide(change, span, out=out[reach:-reach], where=known)
    return out


def find_later(frame: Frame, alignment: Alignment, settings: GateSettings) -> Later:
    """Return where the exhaust of every row is read; the same for all cylinders."""
    delays = alignment.delays_s(frame.columns[Channel.RPM], frame.get(Channel.MAP))
    return Later.by(frame.time_s, delays, settings.longest_gap_s)


def _cut_windows(
    frame: Frame, track: ModeTrack, channels: CylinderChannels, settings: GateSettings
) -> Bools:
    """Return the windows in which fuel was cut, by injector time or by the limiter's own sign.

    A limiter may cut for less than a log's step. But wide open at the top of its speed no engine
    loses this much speed within a window unless it fires no more.
    """
    rpm = track.windows.means[Channel.RPM]
    wide = track.of_window == CODE[Mode.WOT]
    cut = np.zeros(rpm.size, dtype=bool)
    if wide.any():
        with np.errstate(invalid="ignore"):
            top = rpm > _NEAR_TOP * float(np.nanmax(rpm))
            cut[1:] = (np.diff(rpm) < -_LIMITER_DROP * rpm[1:]) & top[1:] & wide[1:] & wide[:-1]
    rows = _cut_rows(frame, channels, settings)
    if rows is not None:
        cut |= np.bincount(track.windows.of_row, rows, rpm.size) > 0.0
    return cut


def settling_rows(track: ModeTrack, alignment: Alignment, cut: Bools | None = None) -> Bools:
    """Return the rows beside a disturbance whose lambda is still, or may already be, part of it.

    Disturbances are tip-ins, tip-outs, overrun and the windows *cut* in which fuel was cut: a
    limiter cuts and fires in turn, and what passes the sensor between two cuts is mostly air.

    After it for the delay, twice the lag and the time the port walls need to dry or to wet (so
    many cycles, the longer the slower the engine), before it for the doubt of the delay.
    """
    disturbed = np.isin(track.of_window, [CODE[Mode.TIP_IN], CODE[Mode.TIP_OUT], CODE[Mode.DECEL]])
    if cut is not None:
        disturbed |= cut
    rpm = track.windows.means[Channel.RPM]
    slower = np.clip(REFERENCE_RPM / np.fmax(rpm, 1.0), 1.0, _MOST_SLOWER)
    hold_s = alignment.delay_s + 2.0 * SENSOR_LAG_S + WALL_FILM_S * slower
    after = np.ceil(hold_s / WINDOW_S).astype(np.intp)
    before = int(np.ceil(min(0.15, 1.96 * alignment.se_s) / WINDOW_S))
    near = np.cumsum(disturbed, dtype=np.intp)
    last = np.minimum(np.arange(near.size) + before, near.size - 1)
    first = np.arange(near.size) - after - 1
    before_first = np.where(first >= 0, near[np.maximum(first, 0)], 0)
    settling: Bools = near[last] > before_first
    return settling[track.windows.of_row]


@dataclass(frozen=True, slots=True, eq=False)
class Later:
    """Where to read what the exhaust of every row showed: between two rows, (n,) each."""

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    past_left_s: F64
    span_s: F64
    inside: Bools  # the log goes on that long, without a pause

    @classmethod
    def by(cls, time_s: F64, delays_s: F64, longest_gap_s: float) -> Later:
        """Return the places *delays_s* after every row."""
        last = time_s.size - 1
        when = time_s + np.nan_to_num(delays_s)
        left = _last_not_after(time_s, when)
        inside = left < last
        left = np.minimum(left, max(last - 1, 0))
        right = np.minimum(left + 1, last)
        span = time_s[right] - time_s[left]
        inside &= span <= longest_gap_s
        return cls(left, right, when - time_s[left], span, inside)

    def read(self, values: F64, tags: NDArray[np.uint8]) -> Reading:
        """Return a column as it was that much later, on the line between two readings."""
        before, after = values[self.left], values[self.right]
        rate = np.divide(
            after - before, self.span_s, out=np.zeros(values.size), where=self.span_s > 0.0
        )
        value = before + self.past_left_s * rate
        aside = tags >= Tag.OUT_OF_RANGE
        spoilt = np.zeros(values.size, dtype=bool)
        if aside.any():
            spoilt = (aside[self.left] | aside[self.right]) & self.inside
        return Reading(value, np.isfinite(value) & self.inside, spoilt)


def _last_not_after(time_s: F64, when: F64) -> NDArray[np.intp]:
    """Return for every moment the last row not after it; both rise, so rows are counted on."""
    usual = float(np.median(np.diff(time_s[:10_000]))) if time_s.size > 1 else 0.0
    last = time_s.size - 1
    if usual <= 0.0:
        return np.searchsorted(time_s, when, side="right") - 1
    # On a regular log the answer is so many rows further on; the rest is searched for.
    guess = np.arange(time_s.size) + ((when - time_s) / usual + 1e-6).astype(np.intp)
    np.minimum(guess, last, out=guess)
    wrong = (time_s[guess] > when) | (
        (guess < last) & (time_s[np.minimum(guess + 1, last)] <= when)
    )
    astray = np.flatnonzero(wrong)
    guess[astray] = np.searchsorted(time_s, when[astray], side="right") - 1
    return guess
