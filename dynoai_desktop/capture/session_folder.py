"""What a session's own document says about how its recording is to be read."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynoai_desktop.core.trust.mapping_file import (
    EXPORT_TYPE,
    MappingDocument,
    parse_mapping,
    to_json,
)
from dynoai_desktop.core.trust.trial import MappingPlan

log = logging.getLogger(__name__)


def plan_document(plan: MappingPlan) -> dict[str, Any]:
    """Return the fields of session.json that `recorded_as` reads back."""
    choices = to_json(MappingDocument(plan.choices), EXPORT_TYPE, "") if plan.choices else None
    return {
        "pinned": None if plan.pinned is None else sorted(plan.pinned),
        "choices": choices,
    }


@dataclass(frozen=True, slots=True)
class RecordedAs:
    """How a session was measured, so far as its document can be read."""

    plan: MappingPlan = field(default_factory=MappingPlan)
    host_id: int | None = None  # our own id on the bus: pongs to it tell the providers' clocks
    stoich: float | None = None


def recorded_as(recording: Path) -> RecordedAs:
    """Return how the session of *recording* (its folder, or the pcap in it) was measured.

    What is missing or unreadable is left out: such a recording is mapped by names and units alone.
    """
    folder = recording if recording.is_dir() else recording.parent
    try:
        document = json.loads((folder / "session.json").read_bytes())
        pinned, choices = document.get("pinned"), document.get("choices")
        parsed = parse_mapping(json.dumps(choices).encode()).choices if choices else {}
    except FileNotFoundError:
        return RecordedAs()
    except (OSError, ValueError, AttributeError) as error:
        log.warning("The mapping of %s is not used: %s", folder.name, error)
        return RecordedAs()
    names = frozenset(map(str, pinned)) if isinstance(pinned, list) else None
    host_id, stoich = document.get("host_id"), document.get("stoich")
    return RecordedAs(
        MappingPlan(parsed, names),
        host_id if isinstance(host_id, int) and 0 < host_id < 0xFFFF else None,
        float(stoich) if isinstance(stoich, int | float) and 1 < stoich < 40 else None,
    )
