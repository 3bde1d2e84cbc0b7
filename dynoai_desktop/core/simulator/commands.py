"""What one can ask of a rig while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from dynoai_desktop.core.simulator.absorber import LoadControl
from dynoai_desktop.core.simulator.programmes import Programme
from dynoai_desktop.core.simulator.tables import EcuTables


@dataclass(frozen=True, slots=True)
class Drive:
    """Drive programmes one after the other, once or for ever."""

    programmes: tuple[Programme, ...]
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class ByHand:
    """Take over by hand. A field left None keeps what it was."""

    tps_pct: float | None = None
    engaged: bool | None = None  # clutch closed
    gear: int | None = None  # 1 is first; changes with the clutch open
    drum_brake: float | None = None  # share of full force
    load: LoadControl | None = None


@dataclass(frozen=True, slots=True)
class Abort:
    """Stop now: throttle shut within a tenth of a second."""


@dataclass(frozen=True, slots=True)
class EngineSwitch:
    """Start or kill the engine."""

    running: bool


@dataclass(frozen=True, slots=True)
class SetFault:
    """Break or mend one thing of the table of faults."""

    key: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Flash:
    """Load another tune."""

    tables: EcuTables


Command = Drive | ByHand | Abort | EngineSwitch | SetFault | Flash
