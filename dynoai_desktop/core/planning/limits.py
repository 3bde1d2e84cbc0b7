"""What the operator allows: hard limits that every planned step keeps to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from dynoai_desktop.core.planning.steps import TestType
from dynoai_desktop.core.store.vehicles import MOST_GEARS, VehicleRecord


class LimitsError(ValueError):
    """A limit that cannot be; *field* is its name, the message says what it may be."""

    def __init__(self, field: str, message: str) -> None:
        """Name the field and say what is wrong with it."""
        super().__init__(message)
        self.field = field


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

    def __post_init__(self) -> None:
        """Refuse what cannot be a limit: raises LimitsError naming the field."""
        for name, (least, most, unit) in BOUNDS.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise LimitsError(name, f"{name} must be a number.")
            if not (math.isfinite(value) and least <= value <= most):
                raise LimitsError(name, f"{name} must be from {least:g} to {most:g} {unit}.")
        if not isinstance(self.max_pulls_per_session, int):
            raise LimitsError("max_pulls_per_session", "max_pulls_per_session must be whole.")
        if not isinstance(self.environment, Environment):
            raise LimitsError(
                "environment", f"environment must be one of {', '.join(Environment)}."
            )
        for low, high in _PAIRS:
            if getattr(self, low) >= getattr(self, high):
                raise LimitsError(low, f"{low} must be below {high}.")
        if not all(isinstance(g, int) and not isinstance(g, bool) for g in self.gears) or not all(
            1 <= gear <= MOST_GEARS for gear in self.gears
        ):
            raise LimitsError("gears", f"gears must be whole numbers from 1 to {MOST_GEARS}.")


# What a limit can be at all; a slider runs from one end to the other.
BOUNDS: Mapping[str, tuple[float, float, str]] = {
    "min_rpm": (0.0, 20_000.0, "rpm"),
    "max_rpm": (0.0, 20_000.0, "rpm"),
    "min_map_kpa": (0.0, 500.0, "kPa"),
    "max_map_kpa": (0.0, 500.0, "kPa"),
    "min_tps_pct": (0.0, 100.0, "%"),
    "max_tps_pct": (0.0, 100.0, "%"),
    "max_pulls_per_session": (0, 100, "pulls"),
    "max_iat_c": (-40.0, 150.0, "°C"),
    "max_head_c": (20.0, 300.0, "°C"),
}
_OPTIONAL = ("max_iat_c", "max_head_c")
_PAIRS = (
    ("min_rpm", "max_rpm"),
    ("min_map_kpa", "max_map_kpa"),
    ("min_tps_pct", "max_tps_pct"),
)

LIMIT_NAMES = tuple(field.name for field in fields(PlanningLimits))

# Where a test can be driven at all.
_DYNOS = (Environment.INERTIA_DYNO, Environment.LOAD_DYNO, Environment.BOTH)
POSSIBLE: Mapping[TestType, tuple[Environment, ...]] = {
    TestType.WOT_PULL: _DYNOS,
    TestType.PART_THROTTLE: _DYNOS,
    TestType.HOLD_CLIMB: (Environment.LOAD_DYNO, Environment.BOTH),
    TestType.ROLL_ON: tuple(Environment),
    TestType.LIFT_OFF: tuple(Environment),
    TestType.IDLE: tuple(Environment),
    TestType.SOAK: tuple(Environment),
    TestType.STREET: (Environment.STREET, Environment.BOTH),
}

_REDLINE_SHARE = 0.98
_BELOW_IDLE = 0.8
_USUAL_IDLE_RPM = 900.0
_HIGHEST_BARO_KPA = 105.0


def default_limits(record: VehicleRecord) -> PlanningLimits:
    """Return the limits of a vehicle for which nobody has set any.

    98 % of the stated redline, a fifth below idle so that idling can be measured, and all the
    pressure the highest barometer and the stated boost can make. Without a stated redline the
    usual figure stays, without a stated idle 900 rpm is taken.

    >>> default_limits(VehicleRecord("Twin", redline_rpm=5600.0, idle_rpm=900.0)).max_rpm
    5480.0
    """
    usual = PlanningLimits()
    redline, idle = record.redline_rpm, record.idle_rpm or _USUAL_IDLE_RPM
    max_rpm = usual.max_rpm if redline is None else math.floor(_REDLINE_SHARE * redline / 10) * 10.0
    min_rpm = math.floor(_BELOW_IDLE * idle / 10) * 10.0
    return PlanningLimits(
        min_rpm=min(min_rpm, usual.min_rpm, 0.5 * max_rpm),
        max_rpm=max_rpm,
        max_map_kpa=min(_HIGHEST_BARO_KPA + record.boost_kpa, BOUNDS["max_map_kpa"][1]),
        gears=() if record.dyno_gear is None else (record.dyno_gear,),
    )


def allowed_gears(limits: PlanningLimits, usual: int) -> tuple[int, ...]:
    """Return the gears that may be used, lowest first; without a choice the usual one."""
    return tuple(sorted(set(limits.gears))) or (usual,)
