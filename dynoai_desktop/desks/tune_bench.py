"""The tune on the bench: preview, corrected copy, undo and history, for the window.

A preview is made of the very bytes that would be written. Only the preview that is shown can be
applied: other terms or a file that has changed since are refused. A tune may be large, so reading,
preview, writing and history are done on a thread of their own, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.tune.corrections import Corrections
from dynoai_desktop.core.tune.difference import Difference
from dynoai_desktop.core.tune.events import Event
from dynoai_desktop.core.tune.files import read_bytes, sha256_of
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.plan import Plan, Terms, lone_cylinder
from dynoai_desktop.core.tune.store import Applied, Job, TuneStore
from dynoai_desktop.core.tune.tables import Tune, TuneError
from dynoai_desktop.desks.background import Background
from dynoai_desktop.desks.tune_history import History, read_history_of
from dynoai_desktop.ui.messages import Severity, TuneState

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.payload import Payload
    from dynoai_desktop.ui.main_window import MainWindow

T = TypeVar("T")
_ENDING = "_corrected"


@dataclass(frozen=True, slots=True, eq=False)
class TuneFile:
    """A tune file as it was chosen. *cylinder* is the one it holds, None for a whole tune."""

    path: Path
    tune: Tune
    cylinder: Cylinder | None


def corrections_of(payload: Payload, vehicle: str, tune_sha256: str, now: datetime) -> Corrections:
    """Return the recommended multipliers of an analysis. Raises TuneError without any."""
    factors: Mapping[Cylinder, CellGrid] = {
        cylinder: CellGrid(fit.correction.rpm, fit.correction.load, fit.correction.multiplier)
        for cylinder, fit in payload.evidence.fits.items()
    }
    created = now.isoformat(timespec="seconds")
    simulated = payload.evidence.frame.simulated
    return Corrections(factors, vehicle, tune_sha256, created, simulated)


def read_tune_file(path: Path) -> TuneFile:
    """Return the tune in a file. Raises TuneError when it is none, or holds no VE table."""
    tune = read_tune(read_bytes(path))
    tables = tune.ve_tables()
    if not tables:
        raise TuneError(f"{path.name} holds no VE table. Choose the tune of the vehicle.")
    only = next(iter(tables)) if len(tables) == 1 else None
    return TuneFile(path, tune, _cylinder_named(path) if only is Cylinder.BOTH else only)


class TuneBench(QObject):
    """Holds the chosen tune and what would become of it."""

    tune_changed = Signal()  # the analysis has to be made again on its tables
    put_in_force = Signal(object)  # paths of the tune the vehicle runs on from now on

    def __init__(self, window: MainWindow, folder: Path, vehicle: str) -> None:
        """Connect the window's wishes. *folder* holds the tune history of *vehicle*."""
        super().__init__()
        self._window, self._folder, self._vehicle = window, folder, vehicle
        self.store = TuneStore(folder, vehicle)
        self.files: tuple[TuneFile, ...] = ()
        self._payload: Payload | None = None
        self._corrections: Corrections | None = None
        self._state = TuneState()
        self._differences: dict[str, Difference | None] = {}
        self._background = Background(TuneError, StoreError)
        self._previews = 0  # asked for so far: only the answer to the last one is shown
        self._waiting = 0  # pieces of work that have not been answered
        window.tune_chosen.connect(self.choose)
        window.tune_preview_requested.connect(self.preview)
        window.tune_apply_requested.connect(self.apply)
        window.tune_undo_requested.connect(self.undo)
        self.read_history()

    def close(self) -> None:
        """Wait for what is being written."""
        self._background.close()

    def set_vehicle(self, folder: Path, vehicle: str) -> bool:
        """Go by the tune and the history of another vehicle; return False when it is the same.

        The tune on the bench is let go: it is the other vehicle's, and so is what was found out.
        """
        if (folder, vehicle) == (self._folder, self._vehicle):
            return False
        self._folder, self._vehicle = folder, vehicle
        self.store = TuneStore(folder, vehicle)
        self.files, self._payload, self._corrections = (), None, None
        self._state = TuneState()
        self.read_history()
        return True

    def choose(self, path: Path) -> None:
        """Put a tune on the bench; a second file with the other cylinder joins the first."""
        self._start(lambda: read_tune_file(path), self._put, self._refuse)

    def _put(self, chosen: TuneFile) -> None:
        self.files = (*self._partners(chosen), chosen)
        self._corrections = None
        terms = Terms(self._state.terms.limit, half=self._state.terms.half)
        self._state = replace(
            self._state,
            paths=tuple(file.path for file in self.files),
            plans=(),
            terms=terms,
            lone=None,
            written=False,
            message="",
            failed=False,
        )
        self._show()
        self.put_in_force.emit(self._state.paths)
        self.tune_changed.emit()

    def _partners(self, chosen: TuneFile) -> tuple[TuneFile, ...]:
        pair = {Cylinder.FRONT, Cylinder.REAR}
        if chosen.cylinder not in pair or len(self.files) != 1:
            return ()
        return tuple(f for f in self.files if {f.cylinder, chosen.cylinder} == pair)

    def take_payload(self, payload: Payload | None) -> None:
        """Take the result of another analysis; None when there is none."""
        self._payload = payload
        self._corrections = None
        terms = replace(self._state.terms, alone=None)
        self._state = replace(
            self._state, plans=(), terms=terms, lone=None, written=False, message="", failed=False
        )
        self.preview(terms)

    def preview(self, terms: Terms, said: str = "") -> None:
        """Show what applying would do. Nothing is written. *said* is news that goes before it."""
        self._previews += 1
        number = self._previews
        self._state = replace(self._state, terms=terms, written=False)
        if not self.files or self._payload is None:
            self._show()
            return
        store, suggestion = self.store, _free_name(self.files[0].path)
        jobs = self._jobs(suggestion, terms)
        try:
            corrections = self._corrected()
        except TuneError as error:
            self._no_preview(number, str(error))
            return
        self._state = replace(self._state, lone=lone_cylinder(self._held(corrections), corrections))
        self._start(
            lambda: store.apply(jobs, corrections, terms, now=_now(), dry_run=True),
            lambda done: self._take_preview(number, suggestion, done, said),
            lambda message: self._no_preview(number, message),
        )

    def _take_preview(self, number: int, suggestion: Path, done: Applied, said: str) -> None:
        if number == self._previews:  # else it is of other terms, or of another log
            self._state = replace(
                self._state,
                plans=done.plans,
                suggestion=suggestion,
                message=said or _words(done.plans, self._state.terms),
                failed=False,
            )
            self._show()

    def _no_preview(self, number: int, message: str) -> None:
        if number == self._previews:
            # The page says it where the preview would be; a notice would outlive the next one.
            self._state = replace(self._state, plans=(), message=message, failed=True)
            self._show()

    def apply(self, output: Path, terms: Terms) -> None:
        """Write the corrected copies that were previewed, all or none."""
        state = self._state
        if state.busy or not state.plans or state.written or terms != state.terms:
            self._refuse("This is not what the preview shows. Look at the preview again.")
            return
        if not any(plan.changes_anything for plan in state.plans):
            self._refuse("There is nothing to change, so no copy is written.")
            return
        store, files, jobs = self.store, self.files, self._jobs(output, terms)
        corrections = self._corrected()

        def write() -> Applied:
            _check_unchanged(files)
            return store.apply(jobs, corrections, terms, now=_now())

        self._start(write, lambda done: self._take_applied(jobs, done), self._refuse)

    def _take_applied(self, jobs: list[Job], done: Applied) -> None:
        names = " and ".join(job.output.name for job in jobs)
        self._state = replace(
            self._state,
            plans=done.plans,
            written=True,
            message=f"Written: {names}. Z takes it back byte for byte.",
            failed=False,
        )
        written = {job.base: job.output for job in jobs}
        self.put_in_force.emit(tuple(written.get(file.path, file.path) for file in self.files))
        self.read_history()

    def undo(self) -> None:
        """Take back the last step."""
        store = self.store
        self._start(lambda: store.rollback(now=_now()), self._take_undone, self._refuse)

    def _take_undone(self, event: Event) -> None:
        names = " and ".join(Path(file.output).name for file in event.files)
        said = f"Step {event.undoes} was taken back: {names} is as it was before, byte for byte."
        self._state = replace(self._state, message=said, failed=False)
        self.put_in_force.emit(tuple(Path(file.base) for file in event.files))
        self.read_history()
        self.preview(self._state.terms, said)

    def _corrected(self) -> Corrections:
        if self._corrections is None and self._payload is not None:
            # One file is the tune the log was made with; two have no common hash.
            sha256 = sha256_of(self.files[0].tune.data) if len(self.files) == 1 else ""
            self._corrections = corrections_of(self._payload, self._vehicle, sha256, _now())
        if self._corrections is None:
            raise TuneError("Open the log that was recorded with this tune first.")
        return self._corrections

    def _held(self, corrections: Corrections) -> set[Cylinder]:
        """Return the cylinders that the tune has tables of, over the load of the corrections."""
        load = next(iter(corrections.factors.values())).load.channel
        return {
            file.cylinder or cylinder
            for file in self.files
            for cylinder in file.tune.ve_tables(load)
        }

    def _jobs(self, output: Path, terms: Terms) -> list[Job]:
        if len(self.files) == 1:
            return [Job(self.files[0].path, output, self.files[0].cylinder)]
        return [
            Job(file.path, output.with_name(f"{output.stem}_{file.cylinder}{output.suffix}"), cyl)
            for file in self.files
            if (cyl := file.cylinder) is not None and terms.alone in (None, cyl)
        ]

    def read_history(self) -> None:
        """Show the history as it is on disk now."""
        store, known = self.store, dict(self._differences)
        self._start(lambda: read_history_of(store, known), self._take_history, self._refuse)

    def _take_history(self, found: History) -> None:
        self._state = replace(self._state, steps=found.steps, can_undo=found.can_undo)
        self._differences |= {step.hash: step.difference for step in found.steps}
        if found.problem:
            self._refuse(found.problem)
        else:
            self._show()

    def _start(
        self, work: Callable[[], T], take: Callable[[T], Any], refuse: Callable[[str], Any]
    ) -> None:
        store = self.store

        def answered(tell: Callable[[Any], Any], what: object) -> None:
            self._waiting -= 1
            if store is self.store:  # else it is about the vehicle before
                tell(what)
            self._show()

        self._waiting += 1
        self._background.start(work, partial(answered, take), partial(answered, refuse))
        self._show()

    def _refuse(self, message: str) -> None:
        self._state = replace(self._state, message=message, failed=True)
        self._window.show_notice(message, Severity.ATTENTION)
        self._show()

    def _show(self) -> None:
        self._state = replace(self._state, busy=self._waiting > 0)
        self._window.set_tune(self._state)


def _check_unchanged(files: tuple[TuneFile, ...]) -> None:
    for file in files:
        if read_bytes(file.path) != file.tune.data:
            raise TuneError(f"{file.path.name} has changed since it was chosen. Choose again.")


def _words(plans: tuple[Plan, ...], terms: Terms) -> str:
    if not any(plan.changes_anything for plan in plans):
        return (
            f"{_alone_words(terms.alone)}Nothing to change: no cell is off by more than its doubt."
        )
    half = "Half of each change. " if terms.half else ""
    return f"{_alone_words(terms.alone)}{half}Nothing is written yet; Ctrl+S writes a copy."


def _alone_words(alone: Cylinder | None) -> str:
    if alone is None:
        return ""
    other = Cylinder.REAR if alone is Cylinder.FRONT else Cylinder.FRONT
    return f"Only the {alone.value} cylinder is corrected; the {other.value} stays as it is. "


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
