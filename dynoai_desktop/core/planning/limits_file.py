"""`constraints.json` in a vehicle's folder: the limits an operator has set for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynoai_desktop.core.planning.limits import (
    LIMIT_NAMES,
    Environment,
    PlanningLimits,
    default_limits,
)
from dynoai_desktop.core.planning.plain import a_count, a_list, a_number, one_of
from dynoai_desktop.core.planning.vehicle_lock import vehicle_lock
from dynoai_desktop.core.store.json_store import (
    Document,
    read_document,
    write_document,
)
from dynoai_desktop.core.store.vehicles import VehicleRecord

FILE_NAME = "constraints.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class LimitsFound:
    """The limits in force. *stated*: somebody has set them; else they follow from the record."""

    limits: PlanningLimits
    stated: bool
    notes: tuple[str, ...] = ()


def load_limits(folder: Path, record: VehicleRecord) -> LimitsFound:
    """Return the limits kept in a vehicle's *folder*, or those that follow from its record.

    A file that cannot be used is set aside and said, with the field at fault. Raises StoreError
    when the disk refuses.
    """
    path = folder / FILE_NAME
    loaded = read_document(path, schema_version=SCHEMA_VERSION, check=limits_from)
    if loaded.document is None:
        notes = loaded.notes
        if notes:
            notes = (
                *notes,
                "The limits of the vehicle's record are in force until you set others.",
            )
        return LimitsFound(default_limits(record), False, notes)
    return LimitsFound(limits_from(loaded.document), True, loaded.notes)


def save_limits(folder: Path, limits: PlanningLimits) -> None:
    """Keep *limits* in a vehicle's folder. Raises StoreError when the disk refuses."""
    document = limits_document(limits)
    with vehicle_lock(folder):
        write_document(folder / FILE_NAME, {"schema_version": SCHEMA_VERSION, **document})


def limits_document(limits: PlanningLimits) -> Document:
    """Return the limits as JSON."""
    document = dataclasses.asdict(limits)
    return {**document, "environment": limits.environment.value, "gears": list(limits.gears)}


def limits_from(document: Mapping[str, Any]) -> PlanningLimits:
    """Return the limits in a document. Raises ValueError naming the field at fault."""
    usual = limits_document(PlanningLimits())
    given = {name: document.get(name, usual[name]) for name in LIMIT_NAMES}
    values: dict[str, Any] = {
        name: None if value is None and usual[name] is None else a_number(value, name)
        for name, value in given.items()
        if name not in ("environment", "gears", "max_pulls_per_session")
    }
    return PlanningLimits(
        **values,
        max_pulls_per_session=a_count(given["max_pulls_per_session"], "max_pulls_per_session"),
        environment=one_of(Environment, given["environment"], "environment"),
        gears=tuple(a_count(gear, "gears") for gear in a_list(given["gears"], "gears")),
    )
