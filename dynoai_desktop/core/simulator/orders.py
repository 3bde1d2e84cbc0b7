"""What somebody who steers a simulated dyno can order, and what is reported back."""

from __future__ import annotations

from dataclasses import dataclass

from dynoai_desktop.core.simulator.commands import Abort, ByHand, EngineSwitch, SetFault

ROUND = "round"  # the demonstration: a bit of everything, for ever


@dataclass(frozen=True, slots=True)
class Perform:
    """Drive one of PROGRAMMES once, or ROUND for ever."""

    programme: str


Order = Perform | ByHand | Abort | EngineSwitch | SetFault


@dataclass(frozen=True, slots=True)
class Report:
    """What the simulated dyno is doing."""

    phase: str  # of the programme, "manual" by hand
    programme: str  # key of the programme, "" by hand
    title: str
    busy: bool
    rpm: float
    tps_pct: float
    map_kpa: float
    speed_kmh: float
    head_c: float  # the hotter one
    gear: int  # 1 is first
    gears: int
    clutch_closed: bool
    brake: float  # share of full force of the drum brake
    load: str  # what the load brake holds, a LoadMode
    load_target: float  # in the unit of that
    load_n: float  # force of the load brake at the drum's surface
    has_load: bool  # False: the dyno is a drum alone
    pulls: int
    engine_on: bool
    faults: tuple[str, ...]
    refused: str = ""  # why the last line was no order; "" when it was one
