"""What a virtual tuning session can be told, checked before anything starts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from dynoai_desktop.core.analysis.ve import VeSettings
from dynoai_desktop.core.simulator.faults import effects_of
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenario import Scenario
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.tables import EcuTables
from dynoai_desktop.core.simulator.tuning.programme import ROUNDS
from dynoai_desktop.core.simulator.weather import Weather

MOST_ITERATIONS = 50

_RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63),
    "max_iterations": (1, MOST_ITERATIONS),
    "tolerance_afr": (0.05, 2.0),
    "least_cells": (1, 10_000),
}


@dataclass(frozen=True, slots=True, eq=False)
class TuningSettings:
    """One session. Raises ValueError naming the field when something cannot be."""

    profile: Profile = PROFILES["m8-114"]
    scenario: Scenario = SCENARIOS["lean"]
    weather: Weather = field(default_factory=Weather)
    seed: int = 1
    faults: tuple[str, ...] = ()  # of the simulator's table, to see what they do to a session
    round: str = "whole_table"  # key of ROUNDS
    max_iterations: int = 10
    tolerance_afr: float = 0.3  # on the gasoline scale; the largest error a finished tune has
    least_cells: int = 40  # measured; half of the table where it is smaller than twice that
    limits: VeSettings = field(default_factory=VeSettings)  # per iteration and for all together
    aligned: bool = True  # False: lambda is taken for the mixture of the moment it is read
    noise: bool = True  # of the sensors
    tables: EcuTables | None = None  # the tune to start from instead of the scenario's

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not math.isfinite(value) or not low <= value <= high:
                raise ValueError(f"{name} is {value:g}; it must lie between {low:g} and {high:g}.")
        if self.round not in ROUNDS:
            raise ValueError(f"round {self.round!r} is not one of {', '.join(ROUNDS)}.")
        effects_of(self.faults)

    @property
    def cells_wanted(self) -> int:
        """Return how many measured cells a finished tune must rest on."""
        nodes = len(self.profile.ve_rpm) * len(self.profile.ve_map_kpa)
        return min(self.least_cells, nodes // 2)
