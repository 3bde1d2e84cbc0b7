"""Vehicles and tunes of one's own for the simulator: by name out of a table, or from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from dynoai_desktop.core.simulator.json_fields import text_of
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.profile_json import profile_from_json
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenario import Scenario
from dynoai_desktop.core.simulator.scenario_json import scenario_from_json
from dynoai_desktop.core.simulator.scenarios import SCENARIOS

SUFFIX = ".json"
_T = TypeVar("_T")


def profile_of(chosen: str) -> Profile:
    """Return a vehicle by its name, or the one described in a file that ends in .json.

    Raises ValueError: no such name, no such file, or a field that cannot be, by its name.
    """
    return _chosen("profile", chosen, PROFILES, profile_from_json)


def scenario_of(chosen: str) -> Scenario:
    """Return a tune with its errors by its name, or from a file that ends in .json.

    Raises ValueError: no such name, no such file, or a field that cannot be, by its name.
    """
    return _chosen("scenario", chosen, SCENARIOS, scenario_from_json)


def _chosen(kind: str, chosen: str, table: Mapping[str, _T], read: Callable[[str], _T]) -> _T:
    if chosen.endswith(SUFFIX):
        return read(_text(kind, Path(chosen)))
    if chosen not in table:
        raise ValueError(f"there is no {kind} '{chosen}'; choose {', '.join(table)}")
    return table[chosen]


def _text(kind: str, path: Path) -> str:
    try:
        return text_of(path)
    except ValueError as error:
        raise ValueError(f"{kind}: {path} {error}") from error
