"""The frozen picture that panels draw: what is true now, and the last minute.

A snapshot is made by the live engine after each aggregate and may be handed to any thread.
Nothing in it is ever invented: a channel that was not heard is absent, one that fell silent
keeps the time of its last reading, a cell without data is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.alerts import Alert
from dynoai_desktop.core.live.delay import Delay
from dynoai_desktop.core.live.history import History, TrailPoint
from dynoai_desktop.core.live.moment import Reading
from dynoai_desktop.core.live.quality import Quality
from dynoai_desktop.core.live.runs import Run

__all__ = ["CellMap", "History", "Mixture", "Reading", "Snapshot", "TrailPoint"]

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CellMap:
    """What one cylinder group's wideband says about the fuel table, read-only, [rpm][load].

    *error* is how much fuel the table is short by, as a share: +0.03 is 3 % lean and asks for a
    multiplier of 1.03. *half_width* is half of its 95 % interval, which holds for the table's
    node. NaN where there is no data.
    """

    rpm: Axis
    load: Axis
    error: F64
    half_width: F64
    mass: F64  # accepted readings, shared out to neighbouring nodes
    effective: F64  # readings' worth of independent evidence
    spread: F64  # standard deviation of single readings, as a share

    def grid(self, values: F64) -> CellGrid:
        """Return one of the arrays with the axes it belongs to."""
        return CellGrid(self.rpm, self.load, values)


@dataclass(frozen=True, slots=True)
class Mixture:
    """One wideband now: its reading against the lambda meant for where the engine is."""

    measured: float
    target: float | None  # None: rpm or load unknown
    error: float | None  # share above the target; positive is lean
    rejected: str  # key of the gate that keeps it out of the map; "" none


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the live page shows."""

    time_s: float  # end of the newest window, Unix time
    windows: int  # windows seen since start or reset
    readings: Mapping[Channel, Reading]
    history: History
    hits: CellGrid  # aggregates per cell since start or reset
    active_cell: tuple[int, int] | None  # (rpm index, load index); None: unknown or off the map
    trail: Sequence[TrailPoint] = ()  # last 3 s, oldest first
    off: Mapping[str, str] = field(default_factory=dict)  # what is not shown, and why
    arrival_us: int = 0  # when the newest window's last datagram arrived; 0: it was silent
    cylinders: Mapping[Cylinder, CellMap] = field(default_factory=dict)  # groups heard
    mixtures: Mapping[Cylinder, Mixture] = field(default_factory=dict)  # heard just now
    targets: CellGrid | None = None  # lambda
    commanded: bool = False  # errors are against the ECU's command; False: against the targets
    planned: NDArray[np.bool_] | None = None  # the cells coverage is counted over, [rpm][load]
    accepted: int = 0  # wideband readings that went into the map
    rejected: Mapping[str, int] = field(default_factory=dict)  # by key of GATES, most first
    delay: Delay | None = None  # of the wideband, at the present flow
    quality: Quality | None = None
    alerts: tuple[Alert, ...] = ()  # up now, worst first
    run: Run | None = None  # going on now
    runs: tuple[Run, ...] = ()  # finished, oldest first
    # Alerts that cannot see what they watch, and why.
    unwatched: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True  # False: the map and the runs stand still
