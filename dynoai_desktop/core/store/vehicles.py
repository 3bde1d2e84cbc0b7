"""Vehicles as they are kept: one folder each, with what the tuner states about the vehicle.

Everything beyond the name is optional: what is not stated stays None, and whoever needs it says
so instead of assuming a figure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dynoai_desktop.core.units import STOICH_AFR

_LONGEST_SLUG = 40
UNNAMED = "vehicle"


def vehicle_slug(name: str) -> str:
    """Return a vehicle's name as a harmless folder name, whatever was typed.

    >>> vehicle_slug("../Road King 114!")
    'road-king-114'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_SLUG] or UNNAMED


@dataclass(frozen=True, slots=True)
class VehicleRecord:
    """What is stated about one vehicle. None: not stated."""

    name: str
    simulated: bool = False  # rehearsals are kept apart from real runs
    note: str = ""
    fuel: str = "gasoline"  # a key of STOICH_AFR
    idle_rpm: float | None = None
    redline_rpm: float | None = None
    displacement_cc: float | None = None
    cylinders: int | None = None
    boost_kpa: float = 0.0  # gauge pressure at full boost; 0: naturally aspirated
    gear_ratios: tuple[float, ...] = ()  # engine turns per wheel turn, first gear first
    dyno_gear: int | None = None  # 1 is first gear
    tyre_circumference_m: float | None = None
    injector_g_per_s: float | None = None  # static flow of one injector
    injector_dead_ms: tuple[tuple[float, float], ...] = ()  # (volts, ms), rising volts
    tune_path: str = ""  # the tune file the vehicle runs on

    @property
    def slug(self) -> str:
        """Return the name of the vehicle's folder."""
        return vehicle_slug(self.name)

    @property
    def stoich_afr(self) -> float:
        """Return the stoichiometric air-fuel ratio of the vehicle's fuel."""
        return STOICH_AFR[self.fuel]
