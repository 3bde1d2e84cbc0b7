"""What the window is told about simulated dyno and virtual tuning, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the simulator is not needed before somebody opens its page
    from dynoai_desktop.core.simulator.orders import Report
    from dynoai_desktop.core.simulator.tuning.outcome import Outcome, Progress


class Running(StrEnum):
    """How the simulated dyno is doing."""

    OFF = "off"
    STARTING = "starting"
    ON = "on"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class SimulatorPlan:
    """Which dyno, vehicle and day to simulate. NaN weather is refused when it starts."""

    profile: str = "m8-114"  # a key, ignored when there is a file
    profile_file: Path | None = None  # a vehicle of one's own
    scenario: str = "lean"
    scenario_file: Path | None = None  # a tune with errors of one's own
    seed: int = 1
    altitude_m: float = 195.0  # where the standard atmosphere has 99 kPa
    temperature_c: float = 25.0
    humidity_pct: float = 40.0


class Choice(NamedTuple):
    """A row of a list to choose from."""

    key: str
    title: str


class FaultRow(NamedTuple):
    """A fault on demand, and in words who ought to notice."""

    key: str
    title: str
    noticed: str


@dataclass(frozen=True, slots=True)
class RehearsalState:
    """The simulated dyno, and what can be chosen for it."""

    running: Running = Running.OFF
    plan: SimulatorPlan = SimulatorPlan()
    report: Report | None = None  # None until it has spoken
    message: str = ""  # one sentence when it could not start or has died
    vehicles: tuple[Choice, ...] = ()  # empty until somebody opens the page
    scenarios: tuple[Choice, ...] = ()
    faults: tuple[FaultRow, ...] = ()


class DriveRow(NamedTuple):
    """One thing the simulated operator can be asked to do."""

    programme: str  # of the simulator's table, or its round of everything
    key: str
    title: str


DRIVES: tuple[DriveRow, ...] = (
    DriveRow("wot_pull", "W", "WOT pull"),
    DriveRow("sweep", "S", "Sweep"),
    DriveRow("hold_climb", "H", "Hold, climb"),
    DriveRow("tuning_round", "T", "8 climbs"),
    DriveRow("roll_on", "R", "Roll-on"),
    DriveRow("chop", "C", "Chop"),
    DriveRow("coast_down", "D", "Coast-down"),
    DriveRow("idle_hold", "I", "Idle"),
    DriveRow("round", "N", "All in turn"),
)


class TuningWish(NamedTuple):
    """A virtual tuning session to start."""

    profile: str
    scenario: str
    seed: int
    round: str = "whole_table"  # what is driven between two corrections
    profile_file: Path | None = None  # a vehicle of one's own instead
    scenario_file: Path | None = None  # a tune of one's own instead


@dataclass(frozen=True, slots=True)
class TuningRow:
    """One virtual tuning session as it stands."""

    id: str
    title: str
    progress: Progress
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TuningState:
    """The virtual tuning sessions, newest first, and what can be chosen for another."""

    sessions: tuple[TuningRow, ...] = ()
    message: str = ""  # one sentence: why none could be started, or what the purge freed
    vehicles: tuple[Choice, ...] = ()  # empty until somebody opens the page
    scenarios: tuple[Choice, ...] = ()
    rounds: tuple[Choice, ...] = ()
