"""What the composition root tells the window, besides readings and bus health.

Small frozen values, safe to keep and to compare. Times are seconds, paths are absolute.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


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
class Notice:
    """One line for the foot of the window, until it is acknowledged or replaced."""

    text: str
    severity: Severity = Severity.INFO


@dataclass(frozen=True, slots=True)
class FrameState:
    """Everything the frame and the pages know, besides readings and bus health."""

    interfaces: tuple[InterfaceRow, ...] = ()
    source: SourceState = SourceState()
    recording: RecordingState = RecordingState()
    sessions: tuple[SessionRow, ...] = ()
    vehicle: str = ""
    session: str = ""
    notice: Notice | None = None
    acknowledged: str = ""  # the bus notice that has been read
