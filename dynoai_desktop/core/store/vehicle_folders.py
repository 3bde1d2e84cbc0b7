"""The folders of vehicles on disk: `vehicles/<slug>/vehicle.json` and how it is read and written.

A vehicle is known by its slug. Two names that come to the same folder are refused, so one
vehicle's mappings, targets and tune history never reach another one.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynoai_desktop.core.store.json_store import (
    Document,
    FolderLock,
    Migration,
    StoreError,
    read_document,
    write_document,
)
from dynoai_desktop.core.store.vehicles import (
    SIMULATED,
    UNNAMED,
    VehicleError,
    VehicleRecord,
    vehicle_slug,
)

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
FILE_NAME = "vehicle.json"
MIGRATIONS: dict[int, Migration] = {}  # version → step to the next one
_TUNE_HISTORY = Path("tune", "history.json")
_REHEARSAL_SLUG = vehicle_slug(SIMULATED)


@dataclass(frozen=True, slots=True)
class Vehicles:
    """The vehicles on disk, by name, and sentences about what could not be read."""

    records: tuple[VehicleRecord, ...] = ()
    notes: tuple[str, ...] = ()


def vehicles_folder(data_dir: Path) -> Path:
    """Return the folder that holds the vehicles."""
    return data_dir / "vehicles"


def list_vehicles(vehicles: Path) -> Vehicles:
    """Return every vehicle below *vehicles*, simulated ones included.

    A record that cannot be read is set aside. Raises StoreError when the disk will not be read.
    """
    records: list[VehicleRecord] = []
    notes: list[str] = []
    for folder in _folders(vehicles):
        record, said = load_vehicle(folder)
        notes.extend(f"{folder.name}: {note}" for note in said)
        if record is not None:
            records.append(record)
    return Vehicles(tuple(sorted(records, key=lambda r: r.name.casefold())), tuple(notes))


def _folders(vehicles: Path) -> Iterator[Path]:
    try:
        yield from (path for path in sorted(vehicles.iterdir()) if path.is_dir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(
            f"Cannot read the vehicles: {error.strerror or error}. Check the disk and try again."
        ) from error


def load_vehicle(folder: Path) -> tuple[VehicleRecord | None, tuple[str, ...]]:
    """Return the record in *folder*, None when there is none, and what has to be said about it.

    A copied folder still holds the name of the vehicle it was copied from: it is left alone.
    Raises StoreError when the file is there and the disk will not give it.
    """
    loaded = read_document(
        folder / FILE_NAME,
        schema_version=SCHEMA_VERSION,
        migrations=MIGRATIONS,
        check=record_from,
    )
    if loaded.document is None:
        return None, loaded.notes
    record = record_from(loaded.document)
    if record.slug != folder.name:
        stray = f"The folder holds the record of {record.name}, whose folder is {record.slug}."
        return None, (*loaded.notes, f"{stray} Give the copy a name of its own.")
    return record, loaded.notes


def vehicle_named(vehicles: Path, name: str) -> VehicleRecord:
    """Return the vehicle that *name* or its slug stands for, or a record with that name alone.

    Raises VehicleError for a name that none can have, StoreError when the disk will not be read.
    """
    if not name:
        return VehicleRecord("")
    fresh = VehicleRecord(name.strip(), simulated=is_rehearsal(name))
    return _present(vehicles / fresh.slug) or fresh


def _present(folder: Path) -> VehicleRecord | None:
    record, notes = load_vehicle(folder)
    for note in notes:
        log.warning("%s: %s", folder.name, note)
    return record


def save_vehicle(vehicles: Path, record: VehicleRecord, replaces: str = "") -> Path:
    """Write a record and return its folder; *replaces* is the name it had so far, "" for a new one.

    With another name the whole folder moves, unless tunes have been written for the old one: they
    carry its name. Raises VehicleError naming the field, StoreError when the disk refuses.
    """
    _check_name(record)
    folder = vehicles / record.slug
    with FolderLock(vehicles, "The list of vehicles"):
        before = _present(folder)
        if before is not None and before.name not in (record.name, replaces):
            raise VehicleError(
                "name",
                f"“{record.name}” and “{before.name}” would share the folder {record.slug}. "
                "Choose a name that differs in letters or digits.",
            )
        if before is not None and before.simulated != record.simulated:
            raise VehicleError("name", f"“{record.name}” is a simulated vehicle. Choose another.")
        if before is not None and not replaces and not record.simulated:
            raise VehicleError("name", f"there is a vehicle called “{record.name}” already.")
        if replaces and vehicle_slug(replaces) != record.slug:
            _move(vehicles / vehicle_slug(replaces), folder)
        write_document(folder / FILE_NAME, document_of(record))
    return folder


def _check_name(record: VehicleRecord) -> None:
    if not record.name:
        raise VehicleError("name", "give the vehicle a name.")
    if record.slug == UNNAMED:
        raise VehicleError("name", "give the vehicle a name of its own.")
    if is_rehearsal(record.name) and not record.simulated:
        raise VehicleError(
            "name", f"names that begin with “{SIMULATED}” are kept for the simulated dyno."
        )


def is_rehearsal(name: str) -> bool:
    """Return whether only a simulated vehicle can have this name."""
    return f"{vehicle_slug(name)}-".startswith(f"{_REHEARSAL_SLUG}-")


def _move(old: Path, new: Path) -> None:
    """Give a vehicle's folder its new name."""
    if not old.exists():
        return
    if (old / _TUNE_HISTORY).exists():
        raise VehicleError(
            "name", "tunes were written under the present name. Make a new vehicle instead."
        )
    if new.exists():
        raise VehicleError("name", f"the folder {new.name} is in use. Choose another name.")
    try:
        old.rename(new)
    except OSError as error:
        raise StoreError(
            f"Cannot rename the folder {old.name}: {error.strerror or error}. "
            "Close other programs that use it."
        ) from error


def document_of(record: VehicleRecord) -> Document:
    """Return the record as it is written: what is stated, and nothing else."""
    document: Document = {"schema_version": SCHEMA_VERSION}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.name == "name" or value != field.default:
            document[field.name] = _plain(value)
    document["fuel"] = record.fuel
    return document


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def record_from(document: Mapping[str, Any]) -> VehicleRecord:
    """Return the record a document holds. Raises VehicleError naming the field at fault.

    Fields of nobody are passed over; what is not stated stays as not stated.
    """
    known = {field.name for field in dataclasses.fields(VehicleRecord)}
    if "name" not in document:
        raise VehicleError("name", "is missing.")
    values = {name: _frozen(value) for name, value in document.items() if name in known}
    for name in ("cylinders", "dyno_gear"):
        if isinstance(value := values.get(name), float) and value.is_integer():
            values[name] = int(value)
    return VehicleRecord(**values)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
