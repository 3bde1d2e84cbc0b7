"""What the operator allows: hard limits that every planned step keeps to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Environment(StrEnum):
    """Where pulls can be driven."""

    INERTIA_DYNO = "inertia_dyno"  # a drum without a brake: no speed can be held under load
    LOAD_DYNO = "load_dyno"  # a load brake holds speed
    STREET = "street"  # never wide open
    BOTH = "both"  # dyno with load brake, and the street


@dataclass(frozen=True, slots=True)
class PlanningLimits:
    """Limits of one vehicle's plans. Temperatures None: no ceiling beyond the test's own."""

    min_rpm: float = 1000.0
    max_rpm: float = 7000.0
    min_map_kpa: float = 20.0
    max_map_kpa: float = 100.0
    min_tps_pct: float = 0.0
    max_tps_pct: float = 100.0
    max_pulls_per_session: int = 8
    environment: Environment = Environment.BOTH
    max_iat_c: float | None = None
    max_head_c: float | None = None
    gears: tuple[int, ...] = ()  # those that may be used; empty: the dyno gear
