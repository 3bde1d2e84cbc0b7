"""How a tune can be wrong: what a rehearsal starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.breathing import STOCK, Build
from dynoai_desktop.core.simulator.profile import Profile

MOST_REGIONS = 40
# What each figure of a scenario may be.
BOUNDS: dict[str, tuple[float, float]] = {
    "mean": (-0.4, 0.4),
    "spread": (0.0, 0.2),
    "reach": (0.0, 20.0),
    "rear_scale": (0.7, 1.3),
    "injector_flow": (0.5, 2.0),
    "dead_time_error_ms": (-1.0, 1.0),
    "spark_front_deg": (-15.0, 15.0),
    "spark_rear_deg": (-15.0, 15.0),
}
_EDGES = {
    "rpm_low": (0.0, 25_000.0),
    "rpm_high": (0.0, 25_000.0),
    "map_low_kpa": (0.0, 400.0),
    "map_high_kpa": (0.0, 400.0),
}
_CHANGES = dict.fromkeys(("low_speed", "high_speed", "overlap", "rear"), (-0.4, 0.4))


class ScenarioError(ValueError):
    """A scenario that cannot be. *field* names what to mend."""

    def __init__(self, field: str, reason: str) -> None:
        """Say which field is wrong and why."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VeRegion:
    """A rectangle of the fuel table that is wrong by a known share, nodes on its edges included.

    Raises ScenarioError naming the field when a value is out of reason.
    """

    error: float  # fraction: -0.1 is ten percent too little
    rpm_low: float = 0.0
    rpm_high: float = 25_000.0
    map_low_kpa: float = 0.0
    map_high_kpa: float = 400.0
    cylinder: Cylinder = Cylinder.BOTH

    def __post_init__(self) -> None:
        """Refuse errors no tune would have, and rectangles inside out."""
        _require(self, {"error": (-0.4, 0.4), **_EDGES})
        if self.rpm_low >= self.rpm_high:
            raise ScenarioError("rpm_high", f"must be above rpm_low ({self.rpm_low:g}).")
        if self.map_low_kpa >= self.map_high_kpa:
            raise ScenarioError(
                "map_high_kpa", f"must be above map_low_kpa ({self.map_low_kpa:g})."
            )

    def factor(self, profile: Profile, cylinder: Cylinder) -> NDArray[np.float64]:
        """Return what one cylinder group's right table is multiplied by, ``[rpm][map]``."""
        rpm, load = np.array(profile.ve_rpm)[:, None], np.array(profile.ve_map_kpa)[None, :]
        inside = (rpm >= self.rpm_low) & (rpm <= self.rpm_high)
        inside = inside & (load >= self.map_low_kpa) & (load <= self.map_high_kpa)
        mine = self.cylinder in (cylinder, Cylinder.BOTH)
        return np.where(inside, 1.0 + self.error, 1.0) if mine else np.ones(inside.shape)


@dataclass(frozen=True, slots=True)
class Scenario:
    """How tables, injectors and engine disagree. Fractions: -0.1 is ten percent too little.

    The table error is *mean* everywhere plus a random field of standard deviation *spread* that
    is smooth over about *reach* cells, the same on both cylinders, times *rear_scale* on the rear
    table, times the known errors of *regions*. Raises ScenarioError naming the field when a value
    is out of reason.
    """

    key: str
    title: str
    mean: float = 0.0
    spread: float = 0.0
    reach: float = 2.5
    rear_scale: float = 1.0
    injector_flow: float = 1.0  # true flow over the flow the control unit believes
    dead_time_error_ms: float = 0.0  # true dead time minus the believed one
    build: Build = STOCK
    closed_loop: bool = False
    regions: tuple[VeRegion, ...] = ()
    spark_front_deg: float = 0.0  # added to the right spark table; positive is earlier
    spark_rear_deg: float = 0.0

    def __post_init__(self) -> None:
        """Refuse errors no tune would have."""
        _require(self, BOUNDS)
        _require(self.build, _CHANGES, "build.")
        for region in self.regions:
            if not isinstance(region, VeRegion):
                raise ScenarioError("regions", f"{region!r} is no region of the table.")
        if len(self.regions) > MOST_REGIONS:
            raise ScenarioError("regions", f"there are at most {MOST_REGIONS}.")


def _require(
    stated: Scenario | VeRegion | Build,
    bounds: Mapping[str, tuple[float, float]],
    group: str = "",
) -> None:
    for name, (low, high) in bounds.items():
        value = getattr(stated, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ScenarioError(group + name, f"{value!r} is not a number.")
        if not low <= value <= high:
            raise ScenarioError(group + name, f"{value:g} is not between {low:g} and {high:g}.")
