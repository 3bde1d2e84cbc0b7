"""The input of every analysis: one time axis and canonical columns, in our units.

A Frame is born once, here, from whatever a reader or the live pipeline delivers. Units are
changed at birth and the change is remembered, so nothing downstream ever asks for a unit. Rows
may be regular or irregular in time; a row in which a channel was not heard holds NaN.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.units import STOICH_AFR, Unit, linear

F64 = NDArray[np.float64]


class FrameError(ValueError):
    """The data cannot be put on one time axis; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a column came from and what was done to it."""

    source: str  # the name the file or the provider gave it
    unit: Unit  # the unit it arrived in
    note: str = ""  # change of unit or scale, in words


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Canonical channels on one time axis. Every array is (n,) float64 and read-only."""

    time_s: F64  # finite, never going back
    columns: Mapping[Channel, F64]  # carried channels only: lambda, not AFR; NaN is not heard
    provenance: Mapping[Channel, Provenance] = field(default_factory=dict)
    simulated: bool = False
    # (n,) rows in which a channel was read, for those a logger drew straight lines through; of
    # the others every row with a value was.
    read_in: Mapping[Channel, NDArray[np.bool_]] = field(default_factory=dict)

    @classmethod
    def from_columns(
        cls,
        time: ArrayLike,
        columns: Mapping[Channel, ArrayLike],
        units: Mapping[Channel, Unit] | None = None,
        *,
        time_unit: Unit = Unit.SECOND,
        stoich: float = STOICH_AFR["gasoline"],
        sources: Mapping[Channel, str] | None = None,
        simulated: bool = False,
        read_in: Mapping[Channel, NDArray[np.bool_]] | None = None,
    ) -> Frame:
        """Build a frame; columns whose unit is not named in *units* are in our own unit.

        AFR columns become lambda by division by *stoich*; where both came, lambda is kept.
        Infinite values are readings that were not heard.
        Columns without one finite value are left out. Raises FrameError when a column's length
        is not that of the time, when time is not finite or goes back, or when a unit does not
        fit its channel.
        """
        gain, offset = linear(time_unit, Unit.SECOND)
        time_s = _frozen(np.asarray(time, dtype=np.float64) * gain + offset)
        _check_time(time_s)
        out: dict[Channel, F64] = {}
        provenance: dict[Channel, Provenance] = {}
        # Rows that are carried as themselves come first, so that lambda wins over AFR.
        for channel in sorted(columns, key=lambda c: CHANNELS[c].carried_as is not None):
            spec = CHANNELS[channel]
            target = spec.carried_as or channel
            if target in out:
                continue
            unit = (units or {}).get(channel, spec.unit)
            values, note = _in_our_unit(channel, columns[channel], unit, stoich)
            if values.shape != time_s.shape:
                raise FrameError(
                    f"The column {spec.title} has {values.size} rows, the time column "
                    f"{time_s.size}. Check the file for ragged rows."
                )
            finite = np.isfinite(values)
            if not finite.any():
                continue
            if np.isinf(values[~finite]).any():
                values = np.where(finite, values, np.nan)
            out[target] = _frozen(values)
            source = (sources or {}).get(channel, channel.value)
            provenance[target] = Provenance(source, unit, note)
        return cls(time_s, out, provenance, simulated, read_in or {})

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.time_s.size)

    def __contains__(self, channel: Channel) -> bool:
        """Return whether the channel was heard at all."""
        return channel in self.columns

    def get(self, channel: Channel) -> F64 | None:
        """Return the column, or None when the channel was never heard."""
        return self.columns.get(channel)

    def first(self, *channels: Channel) -> F64 | None:
        """Return the column of the first of *channels* that was heard."""
        return next((self.columns[c] for c in channels if c in self.columns), None)

    def with_columns(self, columns: Mapping[Channel, F64]) -> Frame:
        """Return a frame with these columns in place of their namesakes."""
        return replace(self, columns={**self.columns, **columns})

    def digest(self) -> str:
        """Return the SHA-256 of time and columns: the same data, the same digest."""
        sha = hashlib.sha256(np.ascontiguousarray(self.time_s).data)
        for channel in sorted(self.columns):
            sha.update(channel.value.encode())
            sha.update(np.ascontiguousarray(self.columns[channel]).data)
        for channel in sorted(self.read_in):
            sha.update(channel.value.encode())
            sha.update(np.ascontiguousarray(self.read_in[channel]).data)
        sha.update(b"simulated" if self.simulated else b"")
        return sha.hexdigest()


def _frozen(values: F64) -> F64:
    view = values.view()
    view.flags.writeable = False
    return view


def _check_time(time_s: F64) -> None:
    if time_s.ndim != 1:
        raise FrameError("The time column must be one column.")
    if not np.isfinite(time_s).all():
        row = int(np.flatnonzero(~np.isfinite(time_s))[0])
        raise FrameError(f"Row {row + 1} has no time. Remove it or repair the time column.")
    back = np.flatnonzero(np.diff(time_s) < 0)
    if back.size:
        row = int(back[0]) + 2
        raise FrameError(
            f"Time goes back at row {row}, from {time_s[row - 2]:.3f} s to "
            f"{time_s[row - 1]:.3f} s. Split the file there and analyse the parts."
        )


def _in_our_unit(channel: Channel, values: ArrayLike, unit: Unit, stoich: float) -> tuple[F64, str]:
    spec = CHANNELS[channel]
    array = np.asarray(values, dtype=np.float64)
    # An AFR column may hold lambda (Unit.LAMBDA) and a lambda column AFR; only the fuel tells.
    if spec.unit in (Unit.AFR, Unit.LAMBDA):
        if unit is Unit.AFR:
            return array / stoich, f"AFR ÷ {stoich:g}"
        if unit is Unit.LAMBDA:
            return array, ""
    try:
        gain, offset = linear(unit, spec.unit)
    except ValueError as error:
        raise FrameError(f"The column {spec.title} cannot be in {unit.value}: {error}") from None
    if (gain, offset) == (1.0, 0.0):
        return array, ""
    return array * gain + offset, f"{unit.value} → {spec.unit.value}"
