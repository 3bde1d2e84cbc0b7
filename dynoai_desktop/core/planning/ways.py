"""How a vehicle moves on its dyno, as far as it is known: what predicted paths are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dynoai_desktop.core.planning.steps import TestType


@dataclass(frozen=True, slots=True)
class Ratio:
    """Achieved over predicted: a mean with its standard deviation, and how often it was seen."""

    mean: float = 1.0
    sd: float = 0.35
    count: int = 0


@dataclass(frozen=True, slots=True)
class Ways:
    """What a vehicle does. Curves are (x, y) points with rising x, read linearly between."""

    idle_rpm: float
    redline_rpm: float
    baro_kpa: float = 101.3
    boost_kpa: float = 0.0
    gear: int = 1  # the usual one; 1 is first gear
    pull_rpm_per_s: Mapping[int, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    full_load_kpa: tuple[tuple[float, float], ...] = ()  # MAP wide open against rpm
    # (throttle %, rpm, kPa) seen while neither moved; a throttle body between them
    manifold: tuple[tuple[float, float, float], ...] = ()
    gain: Mapping[TestType, Ratio] = field(default_factory=dict)
    minutes: Mapping[TestType, Ratio] = field(default_factory=dict)
    cooling_s: Ratio = Ratio(45.0, 20.0, 0)  # until the engine is back where the last pull began
    driven: bool = False  # False: everything here is assumed, nothing has been seen
