"""The steps of a tune's history, chained by hash.

Every event carries the hash of the one before it, so a step that is changed, left out or put in
later shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dynoai_desktop.core.tune.tables import TuneError


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file of an event."""

    base: str
    output: str
    before_sha256: str
    after_sha256: str


@dataclass(frozen=True, slots=True)
class Event:
    """One step of the history. *hash* covers everything else in it, *previous* included."""

    sequence: int
    operation: str  # apply, rollback
    at: str  # UTC, ISO 8601
    files: tuple[ChangedFile, ...]
    factor_sha256: str
    limit: float
    locked: tuple[tuple[str, int, int], ...]
    undoes: int | None  # sequence of the event a rollback takes back
    app_version: str
    math_version: int
    previous: str  # hash of the event before, "" for the first
    hash: str = ""
    half: bool = False  # half of each change was applied
    alone: str = ""  # the cylinder that was corrected alone by choice

    def document(self) -> dict[str, Any]:
        """Return the event as JSON.

        What was not asked for is not in it, so that the hashes of earlier histories hold.
        """
        asked = {"half": self.half, "alone": self.alone}
        return {
            "sequence": self.sequence,
            "operation": self.operation,
            "at": self.at,
            "files": [
                {
                    "base": f.base,
                    "output": f.output,
                    "before_sha256": f.before_sha256,
                    "after_sha256": f.after_sha256,
                }
                for f in self.files
            ],
            "factor_sha256": self.factor_sha256,
            "limit": self.limit,
            "locked": [list(lock) for lock in self.locked],
            "undoes": self.undoes,
            "app_version": self.app_version,
            "math_version": self.math_version,
            "previous": self.previous,
            "hash": self.hash,
            **{key: value for key, value in asked.items() if value},
        }

    def computed_hash(self) -> str:
        """Return the hash this event must carry."""
        content = {k: v for k, v in self.document().items() if k != "hash"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def events_from(items: object) -> tuple[Event, ...]:
    """Return the events in a JSON list. Raises TuneError when something is missing in it."""
    if not isinstance(items, list):
        raise TuneError("The tune history is not complete. Restore it from a backup.")
    return tuple(_event(item) for item in items)


def _event(item: Any) -> Event:
    try:
        return Event(
            sequence=int(item["sequence"]),
            operation=str(item["operation"]),
            at=str(item["at"]),
            files=tuple(ChangedFile(**file) for file in item["files"]),
            factor_sha256=str(item["factor_sha256"]),
            limit=float(item["limit"]),
            locked=tuple((str(c), int(i), int(j)) for c, i, j in item["locked"]),
            undoes=item["undoes"],
            app_version=str(item["app_version"]),
            math_version=int(item["math_version"]),
            previous=str(item["previous"]),
            hash=str(item["hash"]),
            half=bool(item.get("half", False)),
            alone=str(item.get("alone", "")),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TuneError("The tune history is not complete. Restore it from a backup.") from error


def check_chain(events: Sequence[Event]) -> None:
    """Raise TuneError when an event is not what it was when it was written."""
    previous = ""
    for number, event in enumerate(events, start=1):
        intact = event.hash == event.computed_hash()
        if not intact or event.previous != previous or event.sequence != number:
            raise TuneError(
                f"Step {number} of the tune history has been changed outside the program. Nothing "
                "is applied or taken back until that is cleared up."
            )
        previous = event.hash


def applied(events: Sequence[Event]) -> list[Event]:
    """Return the applied steps that have not been taken back, oldest first."""
    undone = {event.undoes for event in events if event.operation == "rollback"}
    return [e for e in events if e.operation == "apply" and e.sequence not in undone]
