"""Profiles as JSON documents: what a tuner can write, read and keep beside a vehicle."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from dynoai_desktop.core.simulator.json_fields import as_object, json_object, known_fields
from dynoai_desktop.core.simulator.profile import Cooling, CylinderTruth, Profile, ProfileError


def profile_from_json(text: str) -> Profile:
    """Return the profile written in a JSON document.

    Raises ProfileError naming the field: unknown, missing, of a wrong type, or impossible.
    """
    document = json_object(text, "profile", ProfileError)
    special = {"Cooling": _cooling, "CylinderTruth": _cylinder}
    return Profile(**known_fields(Profile, document, "profile", ProfileError, special))


def profile_to_json(profile: Profile) -> str:
    """Return the profile as a JSON document that `profile_from_json` reads back."""
    return json.dumps(dataclasses.asdict(profile), indent=2, sort_keys=True)


def _cylinder(name: str, value: Any) -> CylinderTruth:
    fields = as_object(name, value, ProfileError)
    try:
        return CylinderTruth(**known_fields(CylinderTruth, fields, "profile", ProfileError))
    except ProfileError as error:
        raise ProfileError(f"{name}.{error.field}", error.reason) from error


def _cooling(name: str, value: Any) -> Cooling:
    if value not in list(Cooling):
        raise ProfileError(name, f"must be one of {', '.join(Cooling)}.")
    return Cooling(value)
