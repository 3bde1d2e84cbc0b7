"""Profiles as JSON documents: what a tuner can write, read and keep beside a vehicle."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from dynoai_desktop.core.simulator.profile import (
    Cooling,
    CylinderTruth,
    Profile,
    ProfileError,
    require_finite,
)


def profile_from_json(text: str) -> Profile:
    """Return the profile written in a JSON document.

    Raises ProfileError naming the field: unknown, missing, of a wrong type, or impossible.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ProfileError("profile", f"is not JSON ({error.msg}, line {error.lineno}).") from error
    except (RecursionError, ValueError) as error:  # nested too deep, or a number of 5000 digits
        raise ProfileError("profile", "is not a JSON document a profile could be.") from error
    if not isinstance(document, dict):
        raise ProfileError("profile", "must be one JSON object.")
    fields = _known(Profile, document)
    for group in ("front", "rear"):
        if group in fields:
            if not isinstance(fields[group], dict):
                raise ProfileError(group, "must be a JSON object.")
            fields[group] = CylinderTruth(**_known(CylinderTruth, fields[group]))
    return Profile(**fields)


def profile_to_json(profile: Profile) -> str:
    """Return the profile as a JSON document that `profile_from_json` reads back."""
    return json.dumps(dataclasses.asdict(profile), indent=2, sort_keys=True)


def _known(kind: type[Profile] | type[CylinderTruth], fields: Mapping[str, Any]) -> dict[str, Any]:
    specs = {field.name: field for field in dataclasses.fields(kind)}
    for name in fields:
        if name not in specs:
            raise ProfileError(name, "is not a field of a profile.")
    for name, field in specs.items():
        if field.default is dataclasses.MISSING and name not in fields:
            raise ProfileError(name, "is missing.")
    return {name: _typed(specs[name].type, name, value) for name, value in fields.items()}


def _typed(annotation: object, name: str, value: Any) -> Any:
    match str(annotation):
        case "str":
            if not isinstance(value, str):
                raise ProfileError(name, "must be text.")
        case "bool":
            if not isinstance(value, bool):
                raise ProfileError(name, "must be true or false.")
        case "Cooling":
            if value not in list(Cooling):
                raise ProfileError(name, f"must be one of {', '.join(Cooling)}.")
            return Cooling(value)
        case "tuple[float, ...]":
            if not isinstance(value, list | tuple):
                raise ProfileError(name, "must be a list of numbers.")
            require_finite(name, *value)
            return tuple(float(item) for item in value)
        case "int" | "float":
            require_finite(name, value)
    return value
