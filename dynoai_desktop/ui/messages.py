"""What the composition root tells the window, besides readings and bus health.

Small frozen values, safe to keep and to compare. Times are seconds, paths are absolute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.store.vehicles import NO_VEHICLE, VehicleRecord
from dynoai_desktop.core.trust.channel_map import ChannelMap, Choice, Evidence
from dynoai_desktop.core.tune.plan import Plan, Terms
from dynoai_desktop.ui.plan_state import PlanState
from dynoai_desktop.ui.rehearsal import RehearsalState, TuningState

if TYPE_CHECKING:  # the checks are not needed before one is run
    from dynoai_desktop.core.analysis.payload import Payload
    from dynoai_desktop.core.trust.preflight import PreflightReport
    from dynoai_desktop.core.tune.difference import Difference
    from dynoai_desktop.ui.alerts import AlertGroup


class Severity(StrEnum):
    """How much a notice matters, least first."""

    INFO = "info"
    ATTENTION = "attention"
    DANGER = "danger"


class InterfaceRow(NamedTuple):
    """A network interface the dyno could be on."""

    address: str  # IPv4, dotted
    description: str
    is_up: bool


class SourceKind(StrEnum):
    """Where the readings come from."""

    NONE = "none"
    LIVE = "live"
    REPLAY = "replay"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceState:
    """The source the window is showing."""

    kind: SourceKind = SourceKind.NONE
    interface: str = ""  # address listened on; also set when listening there failed
    simulated: bool = False  # no hardware is behind it, live or in the file
    path: Path | None = None  # the file being replayed
    position_s: float = 0.0
    duration_s: float = 0.0
    speed: float = 1.0  # 0: as fast as possible
    paused: bool = False
    finished: bool = False  # a file played to its end
    message: str = ""  # one sentence: what went wrong and what to do

    @property
    def is_replay(self) -> bool:
        """Return True while a file is shown."""
        return self.kind is SourceKind.REPLAY

    @property
    def stands_still(self) -> bool:
        """Return True when no new reading is to be expected, so that nothing grows stale."""
        return self.is_replay and (self.paused or self.finished)


@dataclass(frozen=True, slots=True)
class RecordingState:
    """Whether a session is being written."""

    active: bool = False
    elapsed_s: float = 0.0
    folder: Path | None = None
    alarm: str = ""  # one sentence when writing fails: the screen goes on, the disk does not


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A recorded session on disk."""

    name: str
    start_s: float  # Unix time
    duration_s: float
    vehicle: str
    simulated: bool
    size_bytes: int
    path: Path
    note: str = ""  # such as "ended unexpectedly"


@dataclass(frozen=True, slots=True)
class PreflightState:
    """A preflight under way, or the outcome of the last one."""

    running: bool = False
    elapsed_s: float = 0.0
    duration_s: float = 15.0
    report: PreflightReport | None = None  # of the last complete one
    overrides: Mapping[str, str] = field(default_factory=dict)  # check id → reason typed
    message: str = ""  # one sentence when it could not be done


class TemplateRow(NamedTuple):
    """A mapping that can be used as a hint for names."""

    key: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class MappingState:
    """The mapping in force and what was decided about it."""

    channel_map: ChannelMap = field(default_factory=ChannelMap)
    choices: Mapping[Channel, Choice] = field(default_factory=dict)
    pinned: tuple[str, ...] = ()  # names of the providers to use; empty: all
    templates: tuple[TemplateRow, ...] = ()
    saved: bool = True  # False: choices have changed since they were stored
    message: str = ""  # one sentence: what became of the last save, export, import or template
    evidence: tuple[Evidence, ...] = ()  # from the last look at the signals


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisState:
    """An analysis under way, or what the last one found."""

    running: bool = False
    share: float = 0.0  # done, 0 to 1
    step: str = ""  # what is being done
    path: Path | None = None  # of the log in hand
    payload: Payload | None = None  # of the last complete one
    saved: Path | None = None  # where the payload was written
    message: str = ""  # one sentence when it could not be done, or was stopped
    failed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class TuneStep:
    """One step of the tune history."""

    sequence: int
    operation: str  # apply, rollback
    at: str  # UTC, ISO 8601
    files: tuple[str, ...]
    taken_back: bool
    difference: Difference | None  # None when the kept bytes cannot be compared
    hash: str = ""
    half: bool = False  # half of each change was applied
    alone: str = ""  # the cylinder that was corrected alone


@dataclass(frozen=True, slots=True, eq=False)
class TuneState:
    """The tune that is to be corrected, and what applying would do."""

    paths: tuple[Path, ...] = ()
    plans: tuple[Plan, ...] = ()  # the preview; empty until there is one
    terms: Terms = field(default_factory=Terms)  # of the preview
    lone: Cylinder | None = None  # the one cylinder that could be corrected alone
    busy: bool = False  # something is being read, worked out or written
    suggestion: Path | None = None  # a free name for the corrected copy
    written: bool = False  # the preview has become files
    message: str = ""
    failed: bool = False
    steps: tuple[TuneStep, ...] = ()  # oldest first
    can_undo: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for the foot of the window, until it is acknowledged or replaced."""

    text: str
    severity: Severity = Severity.INFO
    alert: str = ""  # key of the alert it tells of, which A then acknowledges
    more: int = 0  # alerts besides this one
    blinks: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class TargetsState:
    """The target lambda of every cell, as the vehicle has it."""

    grid: CellGrid | None = None  # None: those of the live analysis
    message: str = ""  # one sentence: what became of the last import
    vehicle: str = ""  # slug: another vehicle's targets cannot be undone into this one's


@dataclass(frozen=True, slots=True)
class VehiclesState:
    """The tuner's vehicles, and the one everything goes by."""

    record: VehicleRecord = NO_VEHICLE  # in force: the chosen one, or the simulated or replayed one
    chosen: str = ""  # name of the tuner's own choice
    rows: tuple[VehicleRecord, ...] = ()  # by name; simulated ones are not the tuner's to choose
    message: str = ""  # one sentence: what became of the last wish
    field: str = ""  # of VehicleRecord, when the message is about one
    failed: bool = False
    saved: int = 0  # records written so far


@dataclass(frozen=True, slots=True)
class FrameState:
    """Everything the frame and the pages know, besides readings and bus health."""

    interfaces: tuple[InterfaceRow, ...] = ()
    source: SourceState = SourceState()
    recording: RecordingState = RecordingState()
    sessions: tuple[SessionRow, ...] = ()
    preflight: PreflightState = field(default_factory=PreflightState)
    mapping: MappingState = field(default_factory=MappingState)
    analysis: AnalysisState = field(default_factory=AnalysisState)
    tune: TuneState = field(default_factory=TuneState)
    rehearsal: RehearsalState = field(default_factory=RehearsalState)
    tuning: TuningState = field(default_factory=TuningState)
    alerts: tuple[AlertGroup, ...] = ()  # up now, worst first
    vehicles: VehiclesState = field(default_factory=VehiclesState)
    targets: TargetsState = field(default_factory=TargetsState)
    live: LiveSettings = field(default_factory=LiveSettings)  # limits of the live analysis
    plan: PlanState = field(default_factory=PlanState)
    next_step: str = ""  # the next pull in one line
    notice: Notice | None = None
    acknowledged: str = ""  # the bus notice that has been read
