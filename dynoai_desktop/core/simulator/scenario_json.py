"""Scenarios as JSON documents: a tune with errors of one's own, written, read and kept."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.breathing import Build
from dynoai_desktop.core.simulator.json_fields import as_object, json_object, known_fields
from dynoai_desktop.core.simulator.scenario import Scenario, ScenarioError, VeRegion

_OWN = {"key": "custom", "title": "Errors of your choice"}  # where a document does not say


def scenario_from_json(text: str) -> Scenario:
    """Return the scenario written in a JSON document.

    Raises ScenarioError naming the field: unknown, missing, of a wrong type, or impossible.

    >>> scenario_from_json('{"regions": [{"error": -0.08, "rpm_low": 3000}]}').regions[0].error
    -0.08
    """
    document = _OWN | json_object(text, "scenario", ScenarioError)
    special = {"Build": _build, "tuple[VeRegion, ...]": _regions}
    return Scenario(**known_fields(Scenario, document, "scenario", ScenarioError, special))


def scenario_to_json(scenario: Scenario) -> str:
    """Return the scenario as a JSON document that `scenario_from_json` reads back."""
    return json.dumps(dataclasses.asdict(scenario), indent=2, sort_keys=True)


def _build(name: str, value: Any) -> Build:
    fields = as_object(name, value, ScenarioError)
    try:
        return Build(**known_fields(Build, fields, "scenario", ScenarioError))
    except ScenarioError as error:
        raise ScenarioError(f"{name}.{error.field}", error.reason) from error


def _regions(name: str, value: Any) -> tuple[VeRegion, ...]:
    if not isinstance(value, list | tuple):
        raise ScenarioError(name, "must be a list of regions.")
    return tuple(_region(name, item) for item in value)


def _region(name: str, value: Any) -> VeRegion:
    fields = as_object(name, value, ScenarioError)
    special = {"Cylinder": _cylinder}
    return VeRegion(**known_fields(VeRegion, fields, "region", ScenarioError, special))


def _cylinder(name: str, value: Any) -> Cylinder:
    if value not in list(Cylinder):
        raise ScenarioError(name, f"must be one of {', '.join(Cylinder)}.")
    return Cylinder(value)
