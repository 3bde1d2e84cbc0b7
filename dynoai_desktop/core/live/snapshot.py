"""The frozen picture that panels draw: what is true now, and the last minute.

A snapshot is made by the live engine after each aggregate and may be handed to any thread.
Nothing in it is ever invented: a channel that was not heard is absent, one that fell silent
keeps the time of its last reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Channel


@dataclass(frozen=True, slots=True)
class Reading:
    """The last value heard on a channel and when, Unix seconds."""

    value: float
    time_s: float


@dataclass(frozen=True, slots=True)
class History:
    """The last minute at 20 Hz, oldest first. NaN where a window did not hear the channel."""

    time_s: NDArray[np.float64]  # (n,) start of each window, Unix time
    values: Mapping[Channel, NDArray[np.float32]]  # each (n,)


@dataclass(frozen=True, slots=True)
class TrailPoint:
    """Where the engine was: rpm and load, and how long ago."""

    rpm: float
    load: float
    age_s: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the live page shows."""

    time_s: float  # end of the newest window, Unix time
    windows: int  # windows seen since start or reset
    readings: Mapping[Channel, Reading]
    history: History
    hits: CellGrid  # aggregates per cell since start or reset
    active_cell: tuple[int, int] | None  # (rpm index, load index); None: unknown or off the map
    trail: tuple[TrailPoint, ...] = ()  # last 3 s, oldest first
    off: Mapping[str, str] = field(default_factory=dict)  # what is not shown, and why
