"""What the form for a vehicle or a tune of one's own can be filled from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.ui.panels.rig_choice import FILE, RigChoice, read_text
from dynoai_desktop.ui.panels.rig_editor import TUNE, VEHICLE, Document, Start
from dynoai_desktop.ui.panels.rig_fields import Fields

_NOTHING: frozenset[str] = frozenset()
_MINE = "vehicle:"


def starts_of(
    document: Document, choice: RigChoice, vehicles: Sequence[VehicleRecord]
) -> tuple[tuple[Start, ...], str]:
    """Return the starts of a form, and the key of the one that fits what is chosen."""
    from dynoai_desktop.core.simulator.profiles import PROFILES
    from dynoai_desktop.core.simulator.scenarios import SCENARIOS

    table = PROFILES if document is VEHICLE else SCENARIOS
    rows = [
        Start(key, row.title, partial(_from_table, document, key)) for key, row in table.items()
    ]
    path = choice.files[document]
    if path is not None:
        rows.append(Start(FILE, path.name, partial(_from_file, document, path)))
    if document is VEHICLE:
        rows += [
            Start(f"{_MINE}{record.slug}", f"{record.name}, your vehicle", partial(_mine, record))
            for record in vehicles
        ]
    key, own = choice.chosen(document)
    return tuple(rows), FILE if own is not None else key


def _from_table(document: Document, key: str) -> tuple[Fields, frozenset[str]]:
    from dynoai_desktop.core.simulator.profile_json import profile_to_json
    from dynoai_desktop.core.simulator.profiles import PROFILES
    from dynoai_desktop.core.simulator.scenario_json import scenario_to_json
    from dynoai_desktop.core.simulator.scenarios import SCENARIOS

    if document is TUNE:
        return json.loads(scenario_to_json(SCENARIOS[key])) | {"key": "custom"}, _NOTHING
    own = {"name": f"{key}-own"}
    return json.loads(profile_to_json(PROFILES[key])) | own, _NOTHING


def _from_file(document: Document, path: Path) -> tuple[Fields, frozenset[str]]:
    """Return every field of a file, those it leaves out at what they are then."""
    from dynoai_desktop.core.simulator.profile_json import profile_from_json, profile_to_json
    from dynoai_desktop.core.simulator.scenario_json import scenario_from_json, scenario_to_json

    text = read_text(path)
    if document is TUNE:
        return json.loads(scenario_to_json(scenario_from_json(text))), _NOTHING
    return json.loads(profile_to_json(profile_from_json(text))), _NOTHING


def _mine(record: VehicleRecord) -> tuple[Fields, frozenset[str]]:
    from dynoai_desktop.core.simulator.from_vehicle import draft_of

    draft = draft_of(record)
    return dict(draft.fields), draft.assumed
