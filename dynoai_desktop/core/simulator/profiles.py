"""The vehicles that come with the program, as one table."""

from __future__ import annotations

from dynoai_desktop.core.simulator.profile import Cooling, CylinderTruth, Profile
from dynoai_desktop.core.units import Unit, convert

# Overall ratios of the six-speed big twin (primary × gear × final drive).
_TWIN_GEARS = (9.312, 6.421, 4.774, 3.926, 3.279, 2.790)
_TWIN_TYRE_M = 6.8 * 0.3048
# 27 × 17, as the fuel tables of these control units are laid out.
_TWIN_RPM = (
    *(750.0 + 250.0 * i for i in range(24)), 7000.0, 7500.0, 8000.0,
)  # fmt: skip
_TWIN_MAP = tuple(round(10.3 + 5.88125 * i, 1) for i in range(17))
# The rows and columns of a flash tuner's tables once the padding is removed.
_CAM_CHEST_RPM = (
    500.0, 750.0, 1000.0, 1125.0, 1250.0, 1500.0, 1750.0, 2000.0, 2250.0, 2500.0, 2750.0, 3000.0,
    3500.0, 4000.0, 4500.0, 5000.0, 5500.0, 6000.0, 6500.0,
)  # fmt: skip
_CAM_CHEST_MAP = (20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 90.0, 95.0, 100.0)

# Two cylinders on one crank pin breathe differently: the rear one is hotter and its inlet shorter.
_TWIN_FRONT = CylinderTruth((1000.0, 5600.0), (3.0, 1.6))
_TWIN_REAR = CylinderTruth((1000.0, 5600.0), (-2.0, -3.2), -2.0, head_rise_c=32.0)


def _kw(horsepower: float) -> float:
    return convert(horsepower, Unit.HORSEPOWER, Unit.KILOWATT)


def _nm(pound_feet: float) -> float:
    return convert(pound_feet, Unit.POUND_FOOT, Unit.NEWTON_METRE)


def _mm(inches: float) -> float:
    return inches * 25.4


def _cc(cubic_inches: float) -> float:
    return cubic_inches * 16.387064


PROFILES: dict[str, Profile] = {
    row.name: row
    for row in (
        Profile(
            name="m8-114",
            title="V-twin 114, four-valve",
            cylinders=2,
            bore_mm=_mm(4.016),
            stroke_mm=_mm(4.5),
            displacement_cc=_cc(114.0),
            compression_ratio=10.5,
            idle_rpm=900.0,
            redline_rpm=5800.0,
            peak_power_kw=_kw(110.0),
            peak_power_rpm=5000.0,
            peak_torque_nm=_nm(122.0),
            peak_torque_rpm=3200.0,
            peak_ve=0.88,
            idle_afr=14.0,
            wot_afr=12.5,
            engine_inertia_kgm2=0.095,
            wheel_inertia_kgm2=0.95,
            tyre_circumference_m=_TWIN_TYRE_M,
            gear_ratios=_TWIN_GEARS,
            dyno_gear=5,
            pull_start_rpm=2000.0,
            low_speed_torque=0.72,
            ve_rpm=_TWIN_RPM,
            ve_map_kpa=_TWIN_MAP,
            front=_TWIN_FRONT,
            rear=_TWIN_REAR,
        ),
        Profile(
            name="m8-131",
            title="V-twin 131, four-valve, built",
            cylinders=2,
            bore_mm=_mm(4.25),
            stroke_mm=_mm(4.5),
            displacement_cc=_cc(131.0),
            compression_ratio=10.8,
            idle_rpm=900.0,
            redline_rpm=5600.0,
            peak_power_kw=_kw(145.0),
            peak_power_rpm=5000.0,
            peak_torque_nm=_nm(158.0),
            peak_torque_rpm=3500.0,
            peak_ve=0.90,
            idle_afr=14.0,
            wot_afr=12.5,
            engine_inertia_kgm2=0.1,
            wheel_inertia_kgm2=0.95,
            tyre_circumference_m=_TWIN_TYRE_M,
            gear_ratios=_TWIN_GEARS,
            dyno_gear=5,
            pull_start_rpm=1600.0,
            low_speed_torque=0.68,
            ve_rpm=_TWIN_RPM,
            ve_map_kpa=_TWIN_MAP,
            front=_TWIN_FRONT,
            rear=_TWIN_REAR,
        ),
        Profile(
            name="tc-103",
            title="V-twin 103, two-valve",
            cylinders=2,
            bore_mm=_mm(3.875),
            stroke_mm=_mm(4.375),
            displacement_cc=_cc(103.0),
            compression_ratio=9.7,
            idle_rpm=900.0,
            redline_rpm=5500.0,
            peak_power_kw=_kw(85.0),
            peak_power_rpm=4800.0,
            peak_torque_nm=_nm(100.0),
            peak_torque_rpm=3000.0,
            peak_ve=0.85,
            idle_afr=14.0,
            wot_afr=12.5,
            engine_inertia_kgm2=0.085,
            wheel_inertia_kgm2=0.95,
            tyre_circumference_m=_TWIN_TYRE_M,
            gear_ratios=_TWIN_GEARS,
            dyno_gear=4,
            pull_start_rpm=2000.0,
            low_speed_torque=0.74,
            ve_rpm=_CAM_CHEST_RPM,
            ve_map_kpa=_CAM_CHEST_MAP,
            front=_TWIN_FRONT,
            rear=_TWIN_REAR,
        ),
        Profile(
            name="four-600",
            title="600 cc in-line four",
            cylinders=4,
            bore_mm=_mm(2.64),
            stroke_mm=_mm(1.65),
            displacement_cc=_cc(36.6),
            compression_ratio=12.2,
            idle_rpm=1200.0,
            redline_rpm=14500.0,
            peak_power_kw=_kw(118.0),
            peak_power_rpm=13500.0,
            peak_torque_nm=_nm(48.0),
            peak_torque_rpm=10500.0,
            peak_ve=0.95,
            idle_afr=14.0,
            wot_afr=12.8,
            engine_inertia_kgm2=0.0105,
            wheel_inertia_kgm2=0.55,
            tyre_circumference_m=1.98,
            gear_ratios=(15.24, 11.08, 9.24, 8.00, 7.23, 6.69),
            dyno_gear=4,
            pull_start_rpm=4000.0,
            low_speed_torque=0.62,
            ve_rpm=tuple(1000.0 + 500.0 * i for i in range(28)),
            ve_map_kpa=tuple(20.0 + 5.0 * i for i in range(18)),
            cooling=Cooling.LIQUID,
            front=CylinderTruth((2000.0, 6000.0, 10000.0, 14000.0), (0.6, -0.4, 0.5, -0.3)),
            rear=CylinderTruth((2000.0, 6000.0, 10000.0, 14000.0), (-0.6, 0.4, -0.5, 0.3)),
        ),
        Profile(
            name="turbo-four",
            title="2.0 l turbocharged four",
            cylinders=4,
            bore_mm=86.0,
            stroke_mm=86.0,
            displacement_cc=1998.0,
            compression_ratio=9.5,
            idle_rpm=850.0,
            redline_rpm=6800.0,
            peak_power_kw=165.0,
            peak_power_rpm=5600.0,
            peak_torque_nm=330.0,
            peak_torque_rpm=3600.0,
            peak_ve=0.93,
            idle_afr=14.3,
            wot_afr=11.8,
            engine_inertia_kgm2=0.18,
            wheel_inertia_kgm2=2.2,
            tyre_circumference_m=1.98,
            gear_ratios=(14.9, 8.6, 5.95, 4.40, 3.36, 2.75),
            dyno_gear=4,
            pull_start_rpm=2000.0,
            low_speed_torque=0.45,
            ve_rpm=tuple(500.0 + 250.0 * i for i in range(28)),
            ve_map_kpa=tuple(20.0 + 10.0 * i for i in range(21)),
            dyno="car-drum",
            boost_kpa=80.0,
            cooling=Cooling.LIQUID,
            widebands=1,
        ),
    )
}
