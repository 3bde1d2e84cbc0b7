"""Applying corrections to a copy of a tune, and taking them back byte for byte.

The original is never written. Before anything changes, its bytes, the corrections and the result
are known by their SHA-256; every step is an event that carries the hash of the one before it, so
the history shows what was done and that nobody has changed it since. Taking back means writing the
kept bytes again, not dividing: what comes back is what was there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dynoai_desktop import __version__
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.store.json_store import (
    FolderLock,
    read_document,
    write_document,
)
from dynoai_desktop.core.store.vehicles import vehicle_slug
from dynoai_desktop.core.tune.corrections import Corrections
from dynoai_desktop.core.tune.difference import Difference, difference
from dynoai_desktop.core.tune.events import (
    ChangedFile,
    Event,
    applied,
    check_chain,
    events_from,
)
from dynoai_desktop.core.tune.files import put_back, read_bytes, replace_all, sha256_of
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.plan import Plan, Terms, make_plan
from dynoai_desktop.core.tune.tables import TuneError

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
MATH_VERSION = 1  # of how a multiplier becomes a cell; a change of it is a new major version
SESSION_PAUSE = timedelta(hours=12)  # a night: the next morning is another session
_HISTORY = "history.json"
_SNAPSHOTS = "snapshots"


@dataclass(frozen=True, slots=True)
class Job:
    """One file to change: where it is, where the copy goes, and whose table it holds."""

    base: Path
    output: Path
    cylinder: Cylinder | None = None  # for a file with a single table


@dataclass(frozen=True, slots=True)
class Applied:
    """What was, or with a dry run would be, done."""

    plans: tuple[Plan, ...]
    event: Event | None  # None for a dry run


class TuneStore:
    """The tune history of one vehicle, in a folder of its own."""

    def __init__(self, folder: Path, vehicle: str) -> None:
        """Name the folder and the vehicle; nothing is read or written yet."""
        self._folder = folder
        self._vehicle = vehicle

    def history(self) -> tuple[Event, ...]:
        """Return all events, oldest first.

        Raises TuneError when the history belongs to another vehicle or has been changed.
        """
        loaded = read_document(self._folder / _HISTORY, schema_version=SCHEMA_VERSION)
        for note in loaded.notes:
            log.warning(note)
        # A history that was lost must not look like one that never was.
        if any(self._folder.glob(f"{_HISTORY}.set-aside-*")):
            raise TuneError(
                f"The tune history could not be read and was set aside in {self._folder}. Restore "
                "it from a backup, or delete what was set aside to go on without it."
            )
        if loaded.document is None:
            return ()
        vehicle = loaded.document.get("vehicle")
        if vehicle_slug(str(vehicle)) != vehicle_slug(self._vehicle):
            raise TuneError(f"This is the tune history of “{vehicle}”, not of “{self._vehicle}”.")
        events = events_from(loaded.document.get("events"))
        check_chain(events)
        return events

    def apply(
        self,
        jobs: Sequence[Job],
        corrections: Corrections,
        terms: Terms | None = None,
        *,
        now: datetime,
        dry_run: bool = False,
    ) -> Applied:
        """Write corrected copies of one or more tune files, all of them or none.

        Raises TuneError with one sentence when anything stands against it, StoreError when the
        disk refuses; in both cases nothing has been written.
        """
        terms = terms or Terms()
        originals = [read_bytes(job.base) for job in jobs]
        plans = tuple(
            make_plan(
                read_tune(data),
                corrections,
                terms,
                vehicle=self._vehicle,
                only=job.cylinder,
            )
            for job, data in zip(jobs, originals, strict=True)
        )
        self._check_cylinders(jobs, corrections, plans, terms)
        if dry_run:
            self._checked_history(jobs, corrections, plans)
            return Applied(plans, None)
        with FolderLock(self._folder, "The tune history"):
            history = self._checked_history(jobs, corrections, plans)
            for data in (*originals, *(plan.output for plan in plans), corrections.encoded()):
                self._keep(data)
            event = self._next(
                history,
                operation="apply",
                now=now,
                files=tuple(
                    ChangedFile(str(job.base), str(job.output), p.base_sha256, p.output_sha256)
                    for job, p in zip(jobs, plans, strict=True)
                ),
                factor_sha256=corrections.sha256,
                limit=terms.limit,
                locked=tuple(sorted((c.value, i, j) for c, i, j in terms.locked)),
                half=terms.half,
                alone="" if terms.alone is None else terms.alone.value,
            )
            outputs = {job.output: plan.output for job, plan in zip(jobs, plans, strict=True)}
            self._commit(outputs, (*history, event))
        return Applied(plans, event)

    def rollback(self, *, now: datetime) -> Event:
        """Take back the latest step that has not been taken back; return the new event.

        Every file of that step gets the bytes it was made from. Raises TuneError when there is
        nothing to take back, or a file is no longer what was written then.
        """
        with FolderLock(self._folder, "The tune history"):
            history = self.history()
            steps = applied(history)
            if not steps:
                raise TuneError("There is nothing to take back: every step has been taken back.")
            step = steps[-1]
            outputs = self._states_before(step)
            event = self._next(
                history,
                operation="rollback",
                now=now,
                files=tuple(
                    ChangedFile(f.base, f.output, f.after_sha256, f.before_sha256)
                    for f in step.files
                ),
                factor_sha256=step.factor_sha256,
                limit=step.limit,
                locked=step.locked,
                half=step.half,
                alone=step.alone,
                undoes=step.sequence,
            )
            self._commit(outputs, (*history, event))
        return event

    def _states_before(self, step: Event) -> dict[Path, bytes]:
        """Return what each file of a step held before it; refuse when one has changed since."""
        states: dict[Path, bytes] = {}
        for file in step.files:
            output = Path(file.output)
            if output.exists() and sha256_of(read_bytes(output)) != file.after_sha256:
                raise TuneError(
                    f"{output.name} has been changed since step {step.sequence} wrote it, so "
                    "taking that step back would lose the change. Nothing was written."
                )
            states[output] = self._snapshot(file.before_sha256)
        return states

    def difference(self, event: Event) -> Difference:
        """Return what a step changed, from the kept bytes. Raises TuneError."""
        cells = [
            cell
            for file in event.files
            for cell in difference(
                read_tune(self._snapshot(file.before_sha256)),
                read_tune(self._snapshot(file.after_sha256)),
            ).cells
        ]
        return Difference(tuple(cells))

    def before_session(self, data: bytes, now: datetime) -> bytes | None:
        """Return what a tune was before this session's steps led to it; None without any.

        A session is a row of steps that nobody has taken back, with no pause of `SESSION_PAUSE`
        between two of them or after the last. Raises TuneError as `history` does.
        """
        made = {f.after_sha256: (e, f) for e in applied(self.history()) for f in e.files}
        sha256, latest = sha256_of(data), now
        while found := made.pop(sha256, None):
            at = datetime.fromisoformat(found[0].at)
            if latest - at >= SESSION_PAUSE:
                break
            sha256, latest = found[1].before_sha256, at
        return None if sha256 == sha256_of(data) else self._snapshot(sha256)

    def _check_cylinders(
        self,
        jobs: Sequence[Job],
        corrections: Corrections,
        plans: Sequence[Plan],
        terms: Terms,
    ) -> None:
        """Refuse to change one cylinder of two that the corrections are for, unless told to."""
        if len({job.output.resolve() for job in jobs}) < len(jobs):
            raise TuneError("Two corrected copies would have the same name. Choose another one.")
        changed = {cylinder for plan in plans for cylinder in plan.tables}
        wanted = set(corrections.factors) if terms.alone is None else {terms.alone}
        left = wanted - changed - {Cylinder.BOTH}
        if not jobs or left:
            missing = " and ".join(sorted(left)) or "any cylinder"
            raise TuneError(
                f"No tune file for {missing} was given. Both cylinders are changed or none."
            )

    def _checked_history(
        self, jobs: Sequence[Job], corrections: Corrections, plans: Sequence[Plan]
    ) -> tuple[Event, ...]:
        """Return the history, or refuse: the same corrections again, or a copy in the way."""
        history = self.history()
        bases = {plan.base_sha256 for plan in plans}
        for event in applied(history):
            touched = {f.after_sha256 for f in event.files} | {f.before_sha256 for f in event.files}
            if event.factor_sha256 == corrections.sha256 and touched & bases:
                raise TuneError(
                    f"These corrections have already been applied (step {event.sequence}). "
                    "Record a run with the corrected tune and analyse that."
                )
        copies = {file.output for event in history for file in event.files}
        originals = {file.base for event in history for file in event.files} - copies
        for job in jobs:
            self._check_output(job.output, [*(job.base for job in jobs), *map(Path, originals)])
        return history

    def _check_output(self, output: Path, originals: Sequence[Path]) -> None:
        if not output.exists():
            return
        if any(path.exists() and output.samefile(path) for path in originals):
            raise TuneError(
                f"{output.name} is an original and is never written. Choose another name for the "
                "corrected copy."
            )
        # A file whose bytes are kept can be written over: nothing is lost.
        if not (self._folder / _SNAPSHOTS / sha256_of(read_bytes(output))).exists():
            raise TuneError(f"{output.name} is already there. Choose another name.")

    def _next(
        self,
        history: Sequence[Event],
        *,
        operation: str,
        now: datetime,
        files: tuple[ChangedFile, ...],
        factor_sha256: str,
        limit: float,
        locked: tuple[tuple[str, int, int], ...],
        half: bool,
        alone: str,
        undoes: int | None = None,
    ) -> Event:
        fields: dict[str, Any] = {
            "sequence": len(history) + 1,
            "operation": operation,
            "at": now.astimezone(UTC).isoformat(timespec="seconds"),
            "files": files,
            "factor_sha256": factor_sha256,
            "limit": limit,
            "locked": locked,
            "half": half,
            "alone": alone,
            "undoes": undoes,
            "app_version": __version__,
            "math_version": MATH_VERSION,
            "previous": history[-1].hash if history else "",
        }
        return Event(**fields, hash=Event(**fields).computed_hash())

    def _keep(self, data: bytes) -> None:
        """Keep bytes under their hash; what is there already is the same."""
        path = self._folder / _SNAPSHOTS / sha256_of(data)
        if not path.exists():
            replace_all({path: data})

    def _snapshot(self, sha256: str) -> bytes:
        data = read_bytes(self._folder / _SNAPSHOTS / sha256)
        if sha256_of(data) != sha256:
            raise TuneError(
                "The kept copy of the tune has been changed outside the program and is not used."
            )
        return data

    def _commit(self, outputs: Mapping[Path, bytes], events: Sequence[Event]) -> None:
        """Write the files and then the history; put the files back when the history fails."""
        before = replace_all(outputs)
        document = {
            "schema_version": SCHEMA_VERSION,
            "vehicle": self._vehicle,
            "events": [event.document() for event in events],
        }
        try:
            write_document(self._folder / _HISTORY, document)
        except OSError:
            put_back(before)
            raise
