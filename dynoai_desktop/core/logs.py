"""A log as it was read: columns in the file's own units, each saying where it comes from.

A reader changes nothing: a missing cell is NaN, a zero is a zero, a value at a sensor's stop stays
and is named in `rails`. Conversion to the unit we compute in happens on request (`series`), so
a wrong guess of a unit can be put right without reading the file again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.units import Unit, base_unit, linear

FloatArray = NDArray[np.float64] | NDArray[np.float32]


class UnitSource(StrEnum):
    """How the unit of a column is known."""

    HEADER = "header"  # the file says so
    FORMAT = "format"  # the program that writes this format always does it this way
    PLAUSIBILITY = "plausibility"  # the values fit no other unit, or fit it best
    UNKNOWN = "unknown"


class Code(StrEnum):
    """What a reader can have to say about a file. The values are stable: scripts match them."""

    AFR_IN_LAMBDA_NAMED_CHANNEL = "afr_in_lambda_named_channel"
    AMBIGUOUS_CHANNEL = "ambiguous_channel"
    BIT_FIELD = "bit_field"
    CHANNELS_POLLED = "channels_polled"
    CHECKSUM_ERRORS = "checksum_errors"
    CONSTANT_CHANNEL = "constant_channel"
    COPIED_CHANNEL = "copied_channel"
    DAMAGED = "damaged"
    DUPLICATE_HEADER = "duplicate_header"
    DUPLICATE_VALUES = "duplicate_values"
    EMPTY_CHANNEL = "empty_channel"
    GAUGE_PRESSURE = "gauge_pressure"
    HELD_VALUES = "held_values"
    HEX_VALUES = "hex_values"
    INFO_COLUMN = "info_column"
    INTERPOLATED = "interpolated_between_ticks"
    LAMBDA_IN_AFR_NAMED_CHANNEL = "lambda_in_afr_named_channel"
    LOST_RECORDS = "lost_records"
    MARKER_CUT = "marker_cut"
    NAME_CUT = "name_cut"
    NAMES_ONLY = "names_only"
    NO_LOAD = "no_load_channel"
    NO_MIXTURE = "no_mixture_channel"
    NO_ROWS = "no_rows"
    NO_RPM = "no_rpm_channel"
    NO_TIME = "no_time"
    NON_FINITE = "non_finite"
    RAGGED_ROWS = "ragged_rows"
    RAILED_WIDEBAND = "railed_wideband"
    RPM_IN_THOUSANDS = "rpm_in_thousands"
    RPM_NOT_USABLE = "rpm_not_usable"
    SIMULATED = "simulated"
    TEXT_CHANNEL = "text_channel"
    TEXT_IN_NUMBERS = "text_in_numbers"
    TIME_BACKWARDS = "time_backwards"
    TIME_GAP = "time_gap"
    TIME_GUESSED = "time_guessed"
    TIME_IRREGULAR = "time_irregular"
    TORQUE_NOT_USABLE = "torque_not_usable"
    UNIT_GUESSED = "unit_guessed"
    UNIT_UNKNOWN = "unit_unknown"
    UNNAMED_CHANNEL = "unnamed_channel"
    VALUE_WRAPS = "value_wraps"


@dataclass(frozen=True, slots=True)
class LogWarning:
    """One thing the tuner should know about the file. *columns* are keys of the table."""

    code: Code
    message: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Marker:
    """A note the driver or the logger set. *row* is the first row after it."""

    time_s: float  # NaN when the file has no time
    row: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class LogColumn:
    """One column, shape ``[rows]``, in *unit*; NaN where nothing was heard."""

    key: str  # unique in the table: the header, with “ #2” for its second appearance
    header: str  # exactly as the file has it
    name: str  # without device and unit
    values: FloatArray
    device: str = ""
    unit: Unit = Unit.NONE
    unit_text: str = ""  # as the file has it
    unit_source: UnitSource = UnitSource.UNKNOWN
    canonical: Channel | None = None
    count: int = 0  # finite samples
    minimum: float = math.nan  # of the finite samples
    maximum: float = math.nan
    rails: tuple[float, ...] = ()  # values at which the sensor is at its stop or absent
    ticks: NDArray[np.intp] | None = None  # rows where the device delivered; None: every row


@dataclass(frozen=True, slots=True)
class TimeBase:
    """Where the time of the rows comes from. Steps in seconds, NaN with fewer than two rows."""

    column: str = ""  # key of the column, "" when the file has no time
    unit_source: UnitSource = UnitSource.UNKNOWN
    start_unix_s: float | None = None  # Unix time of time 0, where the file states it
    median_step_s: float = math.nan
    min_step_s: float = math.nan
    max_step_s: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class LogTable:
    """A whole log. *time_s* has shape ``[rows]``; it is all NaN when the file has no time."""

    format: str
    title: str
    time_s: NDArray[np.float64]
    time: TimeBase
    columns: tuple[LogColumn, ...]
    markers: tuple[Marker, ...] = ()
    warnings: tuple[LogWarning, ...] = ()
    info: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return int(self.time_s.size)

    @property
    def duration_s(self) -> float | None:
        """Return the time from the first row to the last, or None without a time base."""
        known = self.time_s[np.isfinite(self.time_s)]
        return float(known.max() - known.min()) if known.size else None

    @property
    def channels(self) -> dict[Channel, LogColumn]:
        """Return the columns that have a canonical channel, by channel."""
        return {c.canonical: c for c in self.columns if c.canonical is not None}

    @property
    def usable(self) -> dict[Channel, LogColumn]:
        """Return the channels whose unit is known, so that their values can be computed with."""
        return {
            channel: column
            for channel, column in self.channels.items()
            if base_unit(column.unit) is base_unit(CHANNELS[channel].unit)
        }

    def column(self, key: str) -> LogColumn:
        """Return the column of this key. Raises KeyError when there is none."""
        for column in self.columns:
            if column.key == key:
                return column
        raise KeyError(key)

    def codes(self) -> tuple[Code, ...]:
        """Return the codes of the warnings, in order."""
        return tuple(warning.code for warning in self.warnings)

    def series(self, channel: Channel) -> NDArray[np.float64] | None:
        """Return the values of a canonical channel in the unit of the channel table, shape [rows].

        None when the file does not have the channel, or has it in an unknown unit. AFR stays AFR
        and lambda stays lambda.
        """
        column = self.usable.get(channel)
        if column is None:
            return None
        values = column.values.astype(np.float64, copy=False)
        gain, offset = linear(column.unit, CHANNELS[channel].unit)
        return values if (gain, offset) == (1.0, 0.0) else values * gain + offset

    def fill_span_s(self, column: LogColumn) -> NDArray[np.float64]:
        """Return for each row the time between the real values on either side of it, seconds.

        0 where the device delivered a value in that row, NaN outside its first and last. A row in
        the middle of a long span was drawn by the exporting program, not measured.
        """
        span = np.zeros(self.rows)
        if column.ticks is None:
            return span
        rows = np.arange(self.rows)
        after = np.searchsorted(column.ticks, rows, side="left")
        outside = (after >= column.ticks.size) | (rows < column.ticks[0])
        right = column.ticks[np.minimum(after, column.ticks.size - 1)]
        left = column.ticks[np.maximum(after - 1, 0)]
        inside = ~outside & (right != rows)
        span[inside] = self.time_s[right[inside]] - self.time_s[left[inside]]
        span[outside] = np.nan
        return span
