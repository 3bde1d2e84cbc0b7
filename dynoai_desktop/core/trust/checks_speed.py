"""Checks of the engine speed, on which every cell and every torque rests."""

from __future__ import annotations

import numpy as np

from dynoai_desktop.core.analysis.beta import rate_below
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.trust.check import (
    RUNNING_RPM,
    Verdict,
    View,
    failed,
    passed,
    skipped,
    warning,
)
from dynoai_desktop.core.trust.signals import Array, Mask, Signal, median

FROZEN_RPM = 1.0  # a running engine never keeps its speed to one revolution
FROZEN_S = 3.0
TOLERATED_SHARE = 0.002  # of readings that are no engine speed
HOPELESS_SHARE = 0.05
_DOUBT = 0.05  # more than that of it, and a share is not claimed
_FEWEST_READINGS = 50
_AROUND = 2  # readings on either side that a reading is compared with
_AROUND_S = 0.5  # and over how long at most: no engine halves its speed and is back within it
_AT_IDLE = "Start the engine, let it idle and check again."
_CHOOSE = "Choose another source in Mapping."


def engine_speed(view: View) -> Verdict:
    """The engine speed has the size of one and agrees with the others on the bus."""
    column = view.column(Channel.RPM)
    known = column[np.isfinite(column)]
    if len(known) < 20:
        return skipped("No engine speed has been heard.", _AT_IDLE)
    low, high = (float(x) for x in np.percentile(known, (2, 98)))
    name = view.name(Channel.RPM)
    if low > 5.0 and high < 40.0:
        return failed(
            f"{name} is around {median(known):.1f}: this looks like AFR, not engine speed.", _CHOOSE
        )
    if 0.3 < high < 25.0 and low >= 0.0:
        return failed(
            f"{name} reaches only {high:.1f}: thousands of rpm, or not an engine speed.",
            "Set its unit in Mapping.",
        )
    if high > 20000.0 or low < -50.0:
        return failed(f"{name} runs from {low:.0f} to {high:.0f} rpm.", _CHOOSE)
    return _against_others(view, column, name)


def _against_others(view: View, column: Array, name: str) -> Verdict:
    for other_name, key in view.engine_speeds().items():
        other = view.raw(key)
        both = (column > RUNNING_RPM) & (other > RUNNING_RPM)
        dead = (column < 50.0) & (other > RUNNING_RPM)
        if np.count_nonzero(dead) > 40 and np.count_nonzero(dead) > np.count_nonzero(both):
            return failed(
                f"{name} shows nothing while “{other_name}” shows the engine running.",
                f"Check its pick-up, or choose “{other_name}” in Mapping.",
            )
        if np.count_nonzero(both) > 40:
            gap = float(np.median(np.abs(other[both] / column[both] - 1)))
            if gap > 0.05:
                return warning(
                    f"{name} and “{other_name}” differ by {gap:.0%}.",
                    "Compare both with the tachometer and choose the right one in Mapping.",
                )
    return passed(f"{name} behaves like an engine speed.")


def frozen_speed(view: View) -> Verdict:
    """Every engine speed keeps moving: a running engine is never perfectly even."""
    mapped = view.binding(Channel.RPM)
    for name, key in view.engine_speeds().items():
        signal = view.inputs.signals.get(key)
        if signal is None:
            continue
        level, since = _standing(signal)
        if level > RUNNING_RPM / 2 and since >= FROZEN_S:
            used = mapped is not None and (mapped.source.provider, mapped.source.id) == key
            return (failed if used else warning)(
                f"“{name}” has stood at exactly {level:.0f} for {since:.0f} s.",
                "Check the pick-up and its cable; restart sampling in Power Core.",
            )
    if not view.runs:
        return skipped("The engine has to run for this check.", _AT_IDLE)
    return passed("The engine speed keeps moving.")


def _standing(signal: Signal) -> tuple[float, float]:
    """Return the last value and for how long it has not changed; 0 s for too few samples."""
    keep = np.isfinite(signal.value)
    time_s, value = signal.time_s[keep], signal.value[keep]
    if len(value) < 10:
        return 0.0, 0.0
    away = np.flatnonzero(np.abs(value - value[-1]) >= FROZEN_RPM)
    first = int(away[-1]) + 1 if len(away) else 0
    since = float(time_s[-1] - time_s[first])
    return float(value[-1]), since if len(value) - first >= 10 else 0.0


def broken_speed(view: View) -> Verdict:
    """The engine speed does not break off, nor jump, for single readings."""
    signal = view.signal(Channel.RPM)
    if signal is None or not view.runs:
        return skipped("The engine has to run for this check.", _AT_IDLE)
    broken, readings = broken_readings(signal)
    if readings < _FEWEST_READINGS:
        return skipped("Too few readings of the engine speed for this check.", _AT_IDLE)
    name = view.name(Channel.RPM)
    if rate_below(TOLERATED_SHARE, broken, readings) > _DOUBT:
        return passed(f"{name} holds: {broken} of {readings} readings are out of line.")
    message = f"{name} breaks off: {broken} of {readings} readings are no engine speed."
    fix = "Check the pick-up, its distance and its cable, or choose another source in Mapping."
    hopeless = rate_below(HOPELESS_SHARE, broken, readings) < _DOUBT
    return (failed if hopeless else warning)(message, fix)


def broken_readings(signal: Signal) -> tuple[int, int]:
    """Return how many readings of a running engine are less than half or more than twice the
    speed around them, and how many could be looked at.

    >>> time_s = np.arange(40) / 20.0
    >>> broken_readings(Signal(time_s, np.where(time_s == 1.0, 0.0, 900.0)))
    (1, 36)
    """
    keep = np.isfinite(signal.value)
    time_s, value = signal.time_s[keep], signal.value[keep]
    width = 2 * _AROUND + 1
    if len(value) < width:
        return 0, 0
    around = np.median(np.lib.stride_tricks.sliding_window_view(value, width), axis=1)
    own = value[_AROUND:-_AROUND]
    close = time_s[2 * _AROUND :] - time_s[: -2 * _AROUND] <= _AROUND_S
    looked: Mask = close & (around > RUNNING_RPM)
    broken = looked & ((own < 0.5 * around) | (own > 2.0 * around))
    return int(np.count_nonzero(broken)), int(np.count_nonzero(looked))
