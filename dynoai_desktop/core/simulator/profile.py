"""Vehicles the simulator can be: what the maker states, and how the cylinders differ.

A profile states peaks as a drum-type dyno shows them (at the wheel, STD weather, warm, in the
dyno gear) and the geometry behind them. Everything else about the engine is solved from these at
load time, so a profile holds no tuning constant. A profile that cannot be an engine is refused
with the name of the field at fault.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from dynoai_desktop.core.simulator.dynos import DYNOS
from dynoai_desktop.core.units import STOICH_AFR

_LARGEST = 1e12  # no quantity of a vehicle is anywhere near; NaN and infinity fail it too


class ProfileError(ValueError):
    """A profile that cannot be simulated. *field* names what to mend."""

    def __init__(self, field: str, reason: str) -> None:
        """Say which field is wrong and why."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def require_finite(field: str, *values: float) -> None:
    """Raise ProfileError naming *field* unless every value is a finite number."""
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ProfileError(field, f"{value!r} is not a number.")
        if not -_LARGEST < value < _LARGEST:
            raise ProfileError(field, "is not a finite number.")


class Cooling(StrEnum):
    """What carries the heat away. An air-cooled rear cylinder sits in the front one's wake."""

    AIR = "air"
    LIQUID = "liquid"


@dataclass(frozen=True, slots=True)
class CylinderTruth:
    """How one cylinder group differs from the engine's mean.

    The breathing trim is a smooth curve through (*trim_rpm*, *trim_pct*), flat beyond its ends.
    """

    trim_rpm: tuple[float, ...] = (1000.0, 6000.0)
    trim_pct: tuple[float, ...] = (0.0, 0.0)
    mbt_offset_deg: float = 0.0
    head_rise_c: float = 0.0  # how much hotter than the front cylinder when warm

    def __post_init__(self) -> None:
        """Refuse a trim curve whose shape or values are wrong."""
        if len(self.trim_rpm) != len(self.trim_pct) or len(self.trim_rpm) < 2:
            raise ProfileError(
                "trim_pct",
                f"{len(self.trim_pct)} values for {len(self.trim_rpm)} rpm points; "
                "give one for each of at least two points.",
            )
        require_finite("trim_rpm", *self.trim_rpm)
        require_finite("trim_pct", *self.trim_pct)
        require_finite("mbt_offset_deg", self.mbt_offset_deg)
        require_finite("head_rise_c", self.head_rise_c)
        if any(b <= a for a, b in pairwise(self.trim_rpm)):
            raise ProfileError("trim_rpm", "the points must increase.")
        if max(map(abs, self.trim_pct)) > 30.0:
            raise ProfileError("trim_pct", "cylinders differ by at most 30 %.")


@dataclass(frozen=True, slots=True)
class Profile:
    """One vehicle. SI units; power and torque as shown on the drum at STD."""

    name: str
    title: str
    cylinders: int
    bore_mm: float
    stroke_mm: float
    displacement_cc: float
    compression_ratio: float
    idle_rpm: float
    redline_rpm: float
    peak_power_kw: float
    peak_power_rpm: float
    peak_torque_nm: float
    peak_torque_rpm: float
    peak_ve: float  # dry air drawn over manifold density × displacement, 0 to 1.4
    idle_afr: float
    wot_afr: float
    engine_inertia_kgm2: float  # crank, with clutch basket and primary
    wheel_inertia_kgm2: float
    tyre_circumference_m: float
    gear_ratios: tuple[float, ...]  # engine turns per wheel turn, first gear first
    dyno_gear: int  # 1 is first gear
    pull_start_rpm: float
    low_speed_torque: float  # full-throttle torque at idle speed over peak torque
    ve_rpm: tuple[float, ...]  # axes of the vehicle's fuel tables
    ve_map_kpa: tuple[float, ...]
    dyno: str = "drum"  # row of DYNOS the peaks were measured on
    boost_kpa: float = 0.0  # gauge pressure at full boost; 0: naturally aspirated
    fuel: str = "gasoline"
    cooling: Cooling = Cooling.AIR
    widebands: int = 2  # 1: one sensor hears both cylinder groups
    decel_fuel_cut: bool = True
    front: CylinderTruth = CylinderTruth()
    rear: CylinderTruth = CylinderTruth()

    def __post_init__(self) -> None:
        """Refuse a profile that cannot be an engine: raises ProfileError."""
        _check(self)

    @property
    def stoich_afr(self) -> float:
        """Return the stoichiometric air-fuel ratio of the profile's fuel."""
        return STOICH_AFR[self.fuel]

    @property
    def displacement_m3(self) -> float:
        """Return the swept volume of all cylinders."""
        return self.displacement_cc * 1e-6

    def radians_per_metre(self, gear: int) -> float:
        """Return engine radians per metre of drum surface in a gear (1 is first)."""
        return 2.0 * math.pi * self.gear_ratios[gear - 1] / self.tyre_circumference_m


# Field, lowest and highest value allowed: what road engines and their dynos are made of.
_RANGES: dict[str, tuple[float, float]] = {
    "cylinders": (2, 16),
    "bore_mm": (20.0, 200.0),
    "stroke_mm": (20.0, 200.0),
    "displacement_cc": (50.0, 15000.0),
    "compression_ratio": (5.0, 18.0),
    "idle_rpm": (400.0, 3000.0),
    "redline_rpm": (1500.0, 25000.0),
    "peak_power_kw": (1.0, 1500.0),
    "peak_power_rpm": (1000.0, 25000.0),
    "peak_torque_nm": (1.0, 3000.0),
    "peak_torque_rpm": (500.0, 25000.0),
    "peak_ve": (0.3, 1.4),
    "idle_afr": (4.0, 20.0),
    "wot_afr": (4.0, 20.0),
    "engine_inertia_kgm2": (1e-3, 5.0),
    "wheel_inertia_kgm2": (1e-3, 50.0),
    "tyre_circumference_m": (0.5, 4.0),
    "dyno_gear": (1, 12),
    "pull_start_rpm": (500.0, 20000.0),
    "low_speed_torque": (0.2, 1.0),
    "boost_kpa": (0.0, 300.0),
    "widebands": (1, 2),
}


def _check(profile: Profile) -> None:
    for field, (low, high) in _RANGES.items():
        value = getattr(profile, field)
        require_finite(field, value)
        if not low <= value <= high:
            raise ProfileError(field, f"{value:g} is not between {low:g} and {high:g}.")
    for field in ("cylinders", "dyno_gear", "widebands"):
        if getattr(profile, field) != int(getattr(profile, field)):
            raise ProfileError(field, "must be a whole number.")
    _check_axis("ve_rpm", profile.ve_rpm)
    _check_axis("ve_map_kpa", profile.ve_map_kpa)
    _check_speeds(profile)
    _check_gears(profile)
    if profile.dyno not in DYNOS:
        raise ProfileError("dyno", f"{profile.dyno!r} is not one of {', '.join(DYNOS)}.")
    if profile.fuel not in STOICH_AFR:
        raise ProfileError("fuel", f"{profile.fuel!r} is not one of {', '.join(STOICH_AFR)}.")
    swept = profile.cylinders * math.pi / 4.0 * profile.bore_mm**2 * profile.stroke_mm / 1000.0
    if abs(swept / profile.displacement_cc - 1.0) > 0.05:
        raise ProfileError(
            "displacement_cc", f"{profile.displacement_cc:g} but bore and stroke give {swept:.0f}."
        )
    if (
        not profile.name
        or not profile.name.isascii()
        or not profile.name.replace("-", "").isalnum()
    ):
        raise ProfileError("name", "use letters, digits and hyphens.")


def _check_axis(field: str, nodes: tuple[float, ...]) -> None:
    require_finite(field, *nodes)
    if len(nodes) < 3 or any(b <= a for a, b in pairwise(nodes)):
        raise ProfileError(field, "needs at least three increasing values.")


def _check_speeds(profile: Profile) -> None:
    ladder = (
        ("idle_rpm", profile.idle_rpm),
        ("pull_start_rpm", profile.pull_start_rpm),
        ("peak_torque_rpm", profile.peak_torque_rpm),
        ("peak_power_rpm", profile.peak_power_rpm),
        ("redline_rpm", profile.redline_rpm),
    )
    for (below, low), (above, high) in pairwise(ladder):
        if low >= high:
            raise ProfileError(above, f"{high:g} rpm must be above {below} ({low:g}).")
    power_at_torque_peak = profile.peak_torque_nm * profile.peak_torque_rpm * math.pi / 30000.0
    if power_at_torque_peak >= profile.peak_power_kw:
        raise ProfileError(
            "peak_power_kw",
            f"{profile.peak_power_kw:.1f} kW, but peak torque alone makes "
            f"{power_at_torque_peak:.1f} kW at {profile.peak_torque_rpm:g} rpm.",
        )
    torque_at_power_peak = profile.peak_power_kw * 30000.0 / (math.pi * profile.peak_power_rpm)
    if torque_at_power_peak >= profile.peak_torque_nm:
        raise ProfileError(
            "peak_torque_nm",
            f"{profile.peak_torque_nm:.1f} N·m, but peak power needs "
            f"{torque_at_power_peak:.1f} N·m at {profile.peak_power_rpm:g} rpm.",
        )
    # Power has its peak where it is stated only if torque falls more slowly at first than there.
    steepest = profile.peak_torque_nm / (2.0 - profile.peak_torque_rpm / profile.peak_power_rpm)
    if torque_at_power_peak < 1.03 * steepest:
        raise ProfileError(
            "peak_power_rpm",
            f"torque falls so far by {profile.peak_power_rpm:g} rpm that power would peak earlier.",
        )


def _check_gears(profile: Profile) -> None:
    require_finite("gear_ratios", *profile.gear_ratios)
    if not profile.gear_ratios or min(profile.gear_ratios) <= 0.0:
        raise ProfileError("gear_ratios", "needs at least one ratio above zero.")
    if profile.dyno_gear > len(profile.gear_ratios):
        raise ProfileError("dyno_gear", f"there are {len(profile.gear_ratios)} gears.")
