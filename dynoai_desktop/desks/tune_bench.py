"""The tune on the bench: preview, corrected copy, undo and history, for the window.

A preview is made of the very bytes that would be written. Only the preview that is shown can be
applied: other limits, other locks or a file that has changed since are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.tune.corrections import Corrections
from dynoai_desktop.core.tune.difference import Difference
from dynoai_desktop.core.tune.events import Event, applied
from dynoai_desktop.core.tune.files import read_bytes, sha256_of
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.plan import Locked, Plan
from dynoai_desktop.core.tune.store import Job, TuneStore
from dynoai_desktop.core.tune.tables import Tune, TuneError
from dynoai_desktop.ui.messages import Severity, TuneState, TuneStep

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.frame import Frame
    from dynoai_desktop.core.analysis.payload import Payload
    from dynoai_desktop.ui.main_window import MainWindow

_ENDING = "_corrected"


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """A tune file as it was chosen. *cylinder* is the one it holds, None for a whole tune."""

    path: Path
    tune: Tune
    cylinder: Cylinder | None


def axes_for(tune: Tune, frame: Frame) -> tuple[Axis, Axis]:
    """Return the axes of the VE table whose load the log holds, MAP before TPS.

    Raises TuneError when there is no such table.
    """
    for load in (Channel.MAP, Channel.TPS):
        if load in frame:
            for table in tune.ve_tables(load).values():
                if table.axes is not None:
                    return table.axes
    raise TuneError("The tune has no VE table over rpm and a load that this log holds.")


def corrections_of(payload: Payload, vehicle: str, tune_sha256: str, now: datetime) -> Corrections:
    """Return the recommended multipliers of an analysis. Raises TuneError without any."""
    factors: Mapping[Cylinder, CellGrid] = {
        cylinder: CellGrid(fit.correction.rpm, fit.correction.load, fit.correction.multiplier)
        for cylinder, fit in payload.evidence.fits.items()
    }
    created = now.isoformat(timespec="seconds")
    return Corrections(factors, vehicle, tune_sha256, created)


class TuneBench(QObject):
    """Holds the chosen tune and what would become of it."""

    tune_changed = Signal()  # the analysis has to be made again on its axes

    def __init__(self, window: MainWindow, folder: Path, vehicle: str) -> None:
        """Connect the window's wishes. *folder* holds the tune history of *vehicle*."""
        super().__init__()
        self._window, self._vehicle = window, vehicle
        self._store = TuneStore(folder, vehicle)
        self._files: tuple[_File, ...] = ()
        self._payload: Payload | None = None
        self._corrections: Corrections | None = None
        self._state = TuneState()
        self._differences: dict[str, Difference | None] = {}
        window.tune_chosen.connect(self.choose)
        window.tune_preview_requested.connect(self.preview)
        window.tune_apply_requested.connect(self.apply)
        window.tune_undo_requested.connect(self.undo)
        self._read_history()
        self._show()

    @property
    def tune(self) -> Tune | None:
        """Return the tune whose axes an analysis is made on."""
        return self._files[0].tune if self._files else None

    def choose(self, path: Path) -> None:
        """Put a tune on the bench; a second file with the other cylinder joins the first."""
        try:
            data = read_bytes(path)
            tune = read_tune(data)
            tables = tune.ve_tables()
            if not tables:
                raise TuneError(f"{path.name} holds no VE table. Choose the tune of the vehicle.")
        except TuneError as error:
            self._refuse(str(error))
            return
        only = next(iter(tables)) if len(tables) == 1 else None
        cylinder = _cylinder_named(path) if only is Cylinder.BOTH else only
        chosen = _File(path, tune, cylinder)
        self._files = (*self._partners(chosen), chosen)
        self._corrections = None
        self._state = replace(
            self._state,
            paths=tuple(file.path for file in self._files),
            plans=(),
            locked=frozenset(),
            written=False,
            message="",
            failed=False,
        )
        self._show()
        self.tune_changed.emit()

    def _partners(self, chosen: _File) -> tuple[_File, ...]:
        pair = {Cylinder.FRONT, Cylinder.REAR}
        if chosen.cylinder not in pair or len(self._files) != 1:
            return ()
        return tuple(f for f in self._files if {f.cylinder, chosen.cylinder} == pair)

    def take_payload(self, payload: Payload | None) -> None:
        """Take the result of another analysis; None when there is none."""
        self._payload = payload
        self._corrections = None
        self._state = replace(self._state, plans=(), written=False, message="", failed=False)
        if self._files and payload is not None:
            self.preview(self._state.limit, self._state.locked)
        else:
            self._show()

    def preview(self, limit: float, locked: frozenset[Locked]) -> None:
        """Show what applying would do. Nothing is written."""
        self._state = replace(self._state, limit=limit, locked=locked, written=False)
        if not self._files or self._payload is None:
            self._show()
            return
        suggestion = _free_name(self._files[0].path)
        try:
            corrections = self._corrected()
            done = self._store.apply(
                self._jobs(suggestion),
                corrections,
                now=_now(),
                limit=limit,
                locked=locked,
                dry_run=True,
            )
        except (TuneError, StoreError) as error:
            self._state = replace(self._state, plans=())
            self._refuse(str(error))
            return
        self._state = replace(
            self._state,
            plans=done.plans,
            suggestion=suggestion,
            message=_words(done.plans),
            failed=False,
        )
        self._show()

    def apply(self, output: Path, limit: float, locked: frozenset[Locked]) -> None:
        """Write the corrected copies that were previewed, all or none."""
        state = self._state
        if not state.plans or state.written or (limit, locked) != (state.limit, state.locked):
            self._refuse("This is not what the preview shows. Look at the preview again.")
            return
        try:
            corrections = self._corrected()
            self._check_unchanged()
            done = self._store.apply(
                self._jobs(output), corrections, now=_now(), limit=limit, locked=locked
            )
        except (TuneError, StoreError) as error:
            self._refuse(str(error))
            return
        names = [job.output.name for job in self._jobs(output)]
        self._read_history()
        self._state = replace(
            self._state,
            plans=done.plans,
            written=True,
            message=f"Written: {' and '.join(names)}. Z takes it back byte for byte.",
            failed=False,
        )
        self._show()

    def undo(self) -> None:
        """Take back the last step."""
        try:
            event = self._store.rollback(now=_now())
        except (TuneError, StoreError) as error:
            self._refuse(str(error))
            return
        names = " and ".join(Path(file.output).name for file in event.files)
        self._read_history()
        again = self._payload is not None and bool(self._files)
        if again:
            self.preview(self._state.limit, self._state.locked)
        said = f"Step {event.undoes} was taken back: {names} is as it was before, byte for byte."
        self._state = replace(self._state, message=said, failed=False)
        self._show()

    def _corrected(self) -> Corrections:
        if self._corrections is None and self._payload is not None:
            # One file is the tune the log was made with; two have no common hash.
            sha256 = sha256_of(self._files[0].tune.data) if len(self._files) == 1 else ""
            self._corrections = corrections_of(self._payload, self._vehicle, sha256, _now())
        if self._corrections is None:
            raise TuneError("Open the log that was recorded with this tune first.")
        return self._corrections

    def _check_unchanged(self) -> None:
        for file in self._files:
            if read_bytes(file.path) != file.tune.data:
                raise TuneError(f"{file.path.name} has changed since it was chosen. Choose again.")

    def _jobs(self, output: Path) -> list[Job]:
        if len(self._files) == 1:
            return [Job(self._files[0].path, output, self._files[0].cylinder)]
        return [
            Job(file.path, output.with_name(f"{output.stem}_{file.cylinder}{output.suffix}"), cyl)
            for file in self._files
            if (cyl := file.cylinder) is not None
        ]

    def _read_history(self) -> None:
        try:
            events = self._store.history()
            standing = applied(events)
        except (TuneError, StoreError) as error:
            self._state = replace(self._state, steps=(), can_undo=False)
            self._refuse(str(error))
            return
        undone = {event.undoes for event in events}
        self._state = replace(
            self._state,
            steps=tuple(self._step(event, event.sequence in undone) for event in events),
            can_undo=bool(standing),
        )

    def _step(self, event: Event, taken_back: bool) -> TuneStep:
        if event.hash not in self._differences:
            try:
                self._differences[event.hash] = self._store.difference(event)
            except TuneError:
                self._differences[event.hash] = None
        return TuneStep(
            event.sequence,
            event.operation,
            event.at,
            tuple(Path(file.output).name for file in event.files),
            taken_back,
            self._differences[event.hash],
        )

    def _refuse(self, message: str) -> None:
        self._state = replace(self._state, message=message, failed=True)
        self._window.show_notice(message, Severity.ATTENTION)
        self._show()

    def _show(self) -> None:
        self._window.set_tune(self._state)


def _words(plans: tuple[Plan, ...]) -> str:
    changed = sum(n for plan in plans for fate, n in plan.counts().items() if fate in _CHANGES)
    if not changed:
        return "Nothing to change: no cell is off by more than its doubt."
    return "Preview: nothing is written yet. Ctrl+S writes a corrected copy."


_CHANGES = ("changed", "limited")


def _cylinder_named(path: Path) -> Cylinder | None:
    """Return the cylinder that the name of a file speaks of.

    >>> _cylinder_named(Path("ve_front.csv")), _cylinder_named(Path("tune.pvv"))
    (<Cylinder.FRONT: 'front'>, None)
    """
    words = path.stem.casefold().replace("-", "_").split("_")
    return next((c for c in (Cylinder.FRONT, Cylinder.REAR) if c.value in words), None)


def _free_name(path: Path) -> Path:
    """Return a name beside *path* that no file has."""
    name = path.with_name(f"{path.stem}{_ENDING}{path.suffix}")
    number = 2
    while name.exists():
        name = path.with_name(f"{path.stem}{_ENDING}_{number}{path.suffix}")
        number += 1
    return name


def _now() -> datetime:
    return datetime.now(UTC)
