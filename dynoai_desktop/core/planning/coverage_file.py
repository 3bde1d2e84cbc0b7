"""`coverage.json` in a vehicle's folder: kept through crashes, second windows and old formats.

Every change reads the file again under the folder's lock, so what another window has learned
meanwhile stays. Reset keeps what was known under a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dynoai_desktop.core.planning.coverage import Coverage, empty_coverage
from dynoai_desktop.core.planning.coverage_document import (
    SCHEMA_VERSION,
    from_document,
    to_document,
)
from dynoai_desktop.core.planning.vehicle_lock import vehicle_lock
from dynoai_desktop.core.store.json_store import (
    MAX_BYTES,
    Document,
    Migration,
    StoreError,
    parse_object,
    read_document,
    write_document,
)
from dynoai_desktop.core.store.vehicles import VehicleRecord

FILE_NAME = "coverage.json"
_RESET_NAME = "coverage.before-reset-{}.json"
_FULL_BYTES = MAX_BYTES // 2  # of information; as text it takes a third more, and the rest little

Change = Callable[[Coverage], Coverage]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of a vehicle; *notes* say what was set aside or carried over."""

    coverage: Coverage
    notes: tuple[str, ...] = ()


def load_coverage(folder: Path, record: VehicleRecord) -> Remembered:
    """Return what is remembered in a vehicle's *folder*; nothing yet is no fault.

    Raises StoreError when the disk refuses or another window holds the folder for long.
    """
    if not any(folder.glob(f"{FILE_NAME}*")):
        return Remembered(empty_coverage(record.slug, record.simulated))
    with vehicle_lock(folder):
        return _read(folder / FILE_NAME, record)


def update_coverage(folder: Path, record: VehicleRecord, change: Change) -> Remembered:
    """Apply *change* to what is on the disk now, write it, and return it.

    Raises StoreError when the disk refuses, and whatever *change* raises; then nothing is
    written.
    """
    with vehicle_lock(folder):
        found = _read(folder / FILE_NAME, record)
        changed = change(found.coverage)
        if changed is not found.coverage:
            _write(folder / FILE_NAME, changed)
        return replace(found, coverage=changed)


def reset_coverage(folder: Path, record: VehicleRecord) -> Remembered:
    """Forget runs and answers; what was known stays beside under a name of its own.

    Axes, tune and dyno stay in force, because they are what is, not what was learned.
    """
    path = folder / FILE_NAME
    with vehicle_lock(folder):
        found = _read(path, record)
        old = found.coverage
        if not old.runs and not old.feedback and old.unplaced is None:
            return found
        kept = _free_reset(folder)
        write_document(kept, to_document(old))
        fresh = replace(old, runs={}, feedback=(), unplaced=None)
        _write(path, fresh)
        note = f"What was learned of {record.name or record.slug} was kept as {kept.name}."
        return Remembered(fresh, (*found.notes, note))


def restore_last_reset(folder: Path, record: VehicleRecord) -> Remembered:
    """Bring back what the last reset took away; runs driven since stay too.

    Raises StoreError when there is no reset to take back.
    """
    path = folder / FILE_NAME
    with vehicle_lock(folder):
        kept = _last_reset(folder)
        if kept is None:
            raise StoreError("There is no reset to take back.")
        before = _read(kept, record)
        found = _read(path, record)
        if _last_reset(folder) != kept:  # it could not be read and was set aside
            return replace(found, notes=(*before.notes, *found.notes))
        coverage = found.coverage.united(before.coverage)
        _write(path, coverage)
        kept.unlink()
        return Remembered(coverage, (*before.notes, *found.notes))


def _read(path: Path, record: VehicleRecord) -> Remembered:
    """Return what a file holds; one that cannot be used is set aside and said."""
    _give_version(path)
    found: list[Coverage] = []

    def check(document: Document) -> None:
        coverage = from_document(document)
        if coverage.simulated != record.simulated:
            kind = "simulated" if coverage.simulated else "real"
            raise ValueError(f"it holds {kind} runs and the vehicle is not")
        found.append(coverage)

    loaded = read_document(path, schema_version=SCHEMA_VERSION, migrations=MIGRATIONS, check=check)
    if loaded.document is None:
        return Remembered(empty_coverage(record.slug, record.simulated), loaded.notes)
    coverage, notes = found[-1], loaded.notes
    if coverage.vehicle != record.slug:
        notes = (*notes, f"Runs kept under the name “{coverage.vehicle}” are of this vehicle now.")
        runs = {k: replace(run, vehicle=record.slug) for k, run in coverage.runs.items()}
        coverage = replace(coverage, vehicle=record.slug, runs=runs)
    return Remembered(coverage, notes)


def _write(path: Path, coverage: Coverage) -> None:
    size = sum(
        len(part.packed) * 4 / 3
        for run in coverage.runs.values()
        for part in run.cylinders.values()
    )
    if size > _FULL_BYTES:
        raise StoreError(
            f"{path.name} is full with {len(coverage.runs)} runs. Remove old runs, or reset what "
            "was learned; a reset can be taken back."
        )
    write_document(path, to_document(coverage))


def _from_counts(old: Document) -> Document:
    """Bring the format of an older program along: hits that name no axes cannot be placed."""
    fresh = to_document(empty_coverage(str(old.get("vehicle_id") or "")))
    fresh["dyno_signature"] = str(old.get("dyno_signature") or "")
    fresh["unplaced"] = {key: value for key, value in old.items() if key != "schema_version"}
    return fresh


MIGRATIONS: dict[int, Migration] = {0: _from_counts}  # version → step to the next one


def _give_version(path: Path) -> None:
    """Give a file of the older program, which had no versions, the version 0 it lacks.

    The original stays beside under a name of its own, as everything that had to be rewritten.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            return
        document = parse_object(path.read_bytes())
    except (OSError, ValueError):  # `read_document` says what is wrong with it
        return
    if "schema_version" not in document and "aggregated_hit_count" in document:
        write_document(path, {"schema_version": 0, **document})


def _last_reset(folder: Path) -> Path | None:
    kept = list(_resets(folder))
    return max(kept)[1] if kept else None


def _free_reset(folder: Path) -> Path:
    return folder / _RESET_NAME.format(max((n for n, _ in _resets(folder)), default=0) + 1)


def _resets(folder: Path) -> Iterator[tuple[int, Path]]:
    before, after = _RESET_NAME.split("{}")
    for path in folder.glob(_RESET_NAME.format("*")):
        number = path.name[len(before) : -len(after)]
        if number.isascii() and number.isdigit():
            yield int(number), path
