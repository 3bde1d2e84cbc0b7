"""Which channels speak for which cylinder group, and what a sample says about its fuel.

    y = ln(lambda measured / lambda commanded) + ln((1 + short trim) (1 + long trim))

is the logarithm of what the VE table must be multiplied by: the engine breathed exp(y) times what
the table believed. Lean is positive and asks for more fuel. Trims belong in it, because a closed
loop that adds 8 % shows a perfect lambda over a table that is 8 % short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.frame import F64, Frame
from dynoai_desktop.core.channels import Channel, Cylinder


@dataclass(frozen=True, slots=True)
class CylinderChannels:
    """The channels of one cylinder group; alternatives in order of preference."""

    cylinder: Cylinder
    measured: Channel
    commanded: tuple[Channel, ...]
    short_trim: tuple[Channel, ...]
    long_trim: tuple[Channel, ...]
    spark: tuple[Channel, ...]
    knock: tuple[Channel, ...]
    pulse_width: Channel | None
    ve: Channel | None


_C = Channel
CYLINDERS: tuple[CylinderChannels, ...] = (
    CylinderChannels(
        Cylinder.FRONT,
        _C.LAMBDA_FRONT,
        (_C.LAMBDA_CMD_FRONT, _C.LAMBDA_CMD),
        (_C.STFT_FRONT, _C.STFT),
        (_C.LTFT_FRONT, _C.LTFT),
        (_C.SPARK_FRONT, _C.SPARK),
        (_C.KNOCK_FRONT, _C.KNOCK),
        _C.INJ_PW_FRONT,
        _C.VE_FRONT,
    ),
    CylinderChannels(
        Cylinder.REAR,
        _C.LAMBDA_REAR,
        (_C.LAMBDA_CMD_REAR, _C.LAMBDA_CMD),
        (_C.STFT_REAR, _C.STFT),
        (_C.LTFT_REAR, _C.LTFT),
        (_C.SPARK_REAR, _C.SPARK),
        (_C.KNOCK_REAR, _C.KNOCK),
        _C.INJ_PW_REAR,
        _C.VE_REAR,
    ),
    CylinderChannels(
        Cylinder.BOTH,
        _C.LAMBDA,
        (_C.LAMBDA_CMD, _C.LAMBDA_CMD_FRONT),
        (_C.STFT, _C.STFT_FRONT),
        (_C.LTFT, _C.LTFT_FRONT),
        (_C.SPARK, _C.SPARK_FRONT),
        (_C.KNOCK, _C.KNOCK_FRONT),
        None,
        None,
    ),
)


def measured_cylinders(frame: Frame) -> tuple[CylinderChannels, ...]:
    """Return the cylinder groups with a wideband of their own.

    One sensor in a common pipe speaks for both together and for none of them alone, so it is
    used only where no group has its own.
    """
    own = tuple(c for c in CYLINDERS[:2] if c.measured in frame)
    return own or tuple(c for c in CYLINDERS[2:] if c.measured in frame)


def commanded_log(frame: Frame, channels: CylinderChannels, target: F64 | None) -> F64 | None:
    """Return ln(commanded lambda / trims), (n,): what the exhaust would show at a right table.

    *target* is used where the log does not hold a command. None without either: a target is
    never guessed.
    """
    commanded = frame.first(*channels.commanded)
    if commanded is None:
        commanded = target
    if commanded is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        out: F64 = np.log(np.where(commanded > 0.0, commanded, np.nan))
    for names in (channels.short_trim, channels.long_trim):
        trim = frame.first(*names)
        if trim is not None:
            # A trim that was not heard in a row is no statement that it was zero: NaN goes on.
            out = out - np.log1p(trim / 100.0)
    return out
