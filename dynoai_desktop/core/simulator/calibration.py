"""Solve an engine from what its profile promises.

The drum of an inertia dyno shows F·v with F = m·a. Behind it the engine also speeds up its own
inertia and the wheel's, and feeds tyre, chain and friction. So the torque the *charge* must make
at each speed follows from the nominal curve by adding these up, link by link:

    F  = T·k                         k = ω/v, engine radians per metre
    a  = F / m_drum
    Ft = F + drag(v) + m_wheel·a     force at the tyre
    Te = Ft / (k·η) + I·k·a          torque at the crank
    Ti = (Te + friction + pumping) / (1 - load friction)

Dividing Ti by the air that VE_true draws at full throttle (and by the mixture and spark factors of
the right tune) leaves the work one kilogram of air does: the one curve that is solved for. The
peaks then come out where they were stated, with nothing to tune by hand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.simulator.breathing import MANIFOLD, Breathing
from dynoai_desktop.core.simulator.combustion import Burn, mixture_factor, spark_factor
from dynoai_desktop.core.simulator.dynos import DYNOS
from dynoai_desktop.core.simulator.nominal import NominalCurve
from dynoai_desktop.core.simulator.profile import Profile, ProfileError
from dynoai_desktop.core.simulator.tables import Lookup, true_tables
from dynoai_desktop.core.simulator.weather import STD_WEATHER

GAS_CONSTANT = 287.05  # J/(kg K), dry air
GEAR_EFFICIENCY = 0.97  # primary, gearbox and chain, of the torque they pass on
LOAD_FRICTION = 0.02  # friction that grows with gas pressure, of indicated torque
MOTORING_KPA = 30.0  # what compressing and expanding an unfired charge costs in heat
WARM_HEAD_C = 89.0  # front head; the rear one is hotter by the profile's rise
WARM_OIL_C = 86.0
WARM_INTAKE_RISE_C = 4.5  # of the intake air over the room
RPM_STEP = 50.0
FULL_OPEN_RATIO = 0.945  # manifold over upstream pressure, full throttle at the power peak
EXHAUST_RISE_KPA = 6.0  # back pressure at the air flow of the power peak
_MOST_WORK_J_PER_KG = 2.2e6  # of indicated work per kg of air: 73 % of gasoline's heat

Array = NDArray[np.float64]


def charge_share(rpm: float, map_kpa: float, redline_rpm: float) -> float:
    """Return how far the charge is warmed from intake air towards head temperature, 0 to 1.

    Slow, thin charges have time to be warmed.

    >>> round(charge_share(3000.0, 100.0, 6000.0), 3)
    0.147
    """
    return 0.12 + 0.20 * math.exp(-4.0 * rpm * map_kpa / (100.0 * redline_rpm))


def friction_kpa(profile: Profile, rpm: Array) -> Array:
    """Return rubbing friction mean effective pressure with warm oil.

    Quadratic in mean piston speed, the form of Chen and Flynn; 83 kPa at 19 m/s.
    """
    speed = 2.0 * profile.stroke_mm / 1000.0 * rpm / 60.0
    return 25.0 + 1.6 * speed + 0.075 * speed**2


def boost_share(profile: Profile, rpm: Array) -> Array:
    """Return the share of full boost the turbocharger can hold at full throttle, 0 to 1."""
    x = np.clip((rpm / profile.peak_torque_rpm - 0.25) / 0.35, 0.0, 1.0)
    share: Array = x * x * (3.0 - 2.0 * x)
    return share


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was solved for a profile. Arrays over `rpm`, ascending from 0 in steps of 50."""

    rpm: Array
    work_j_per_kg: Array  # indicated work per kg of air at best mixture and spark
    throttle: float  # K in s = area·K / (VE·rpm)
    exhaust: float  # back pressure per (kg/s)² of air, kPa
    full_map_kpa: Array  # manifold at full throttle, STD


def calibrate(profile: Profile) -> Calibration:
    """Solve a profile. Raises ProfileError when no engine could keep its promise."""
    rpm = np.arange(0.0, 1.25 * profile.redline_rpm + RPM_STEP, RPM_STEP)
    speed = np.maximum(rpm, profile.idle_rpm)
    breathing = Breathing(profile)
    upstream = STD_WEATHER.baro_kpa + profile.boost_kpa * boost_share(profile, speed)
    throttle = _throttle_constant(profile, breathing)
    full_map = _full_throttle_map(breathing, speed, upstream, throttle)
    air, exhaust, fired = _charge(breathing, speed, full_map)
    indicated = _indicated_torque(profile, speed, full_map, air, exhaust)
    work = indicated * 4.0 * math.pi / fired
    if work.max() > _MOST_WORK_J_PER_KG or work.min() <= 0.0:
        raise ProfileError(
            "peak_torque_nm",
            f"{profile.displacement_cc:.0f} cc at a VE of {profile.peak_ve:g} cannot make this "
            "torque: it would take more work than the fuel holds.",
        )
    return Calibration(rpm, work, throttle, exhaust, full_map)


def _throttle_constant(profile: Profile, breathing: Breathing) -> float:
    rpm = np.array([profile.peak_power_rpm])
    upstream = STD_WEATHER.baro_kpa + profile.boost_kpa
    ve = np.mean(breathing.ve(rpm, np.array([FULL_OPEN_RATIO * upstream]), STD_WEATHER))
    return float(MANIFOLD.opening(FULL_OPEN_RATIO) * ve * profile.peak_power_rpm)


def _full_throttle_map(breathing: Breathing, rpm: Array, upstream: Array, throttle: float) -> Array:
    full: Array = upstream
    for _ in range(8):  # VE hardly depends on MAP up here, so this settles at once
        ve = np.mean(breathing.ve(rpm, full, STD_WEATHER), axis=0)
        ratio = [MANIFOLD.pressure_ratio(float(s)) for s in throttle / (ve * rpm)]
        full = upstream * np.array(ratio)
    return full


def _charge(breathing: Breathing, rpm: Array, full_map: Array) -> tuple[Array, float, Array]:
    """Return air per cycle (kg), the exhaust constant, and air weighted by mixture and spark."""
    profile = breathing.profile
    lookup = Lookup(true_tables(breathing, STD_WEATHER))
    burn = Burn.of(profile)
    intake = STD_WEATHER.temperature_c + WARM_INTAKE_RISE_C
    share = [charge_share(n, p, profile.redline_rpm) for n, p in zip(rpm, full_map, strict=True)]
    head = WARM_HEAD_C + 0.5 * profile.rear.head_rise_c
    kelvin = 273.15 + intake + np.array(share) * (head - intake)
    front, rear = breathing.ve(rpm, full_map, STD_WEATHER)
    density = full_map * 1000.0 / (GAS_CONSTANT * kelvin)
    swept = profile.displacement_m3 / 2.0
    factors = np.array(
        [_factors(profile, lookup, burn, n, p) for n, p in zip(rpm, full_map, strict=True)]
    )
    air = density * swept * (front + rear)
    fired = density * swept * (front * factors[:, 0] + rear * factors[:, 1])
    peak_flow = float(np.interp(profile.peak_power_rpm, rpm, air)) * profile.peak_power_rpm / 120.0
    return air, EXHAUST_RISE_KPA / peak_flow**2, fired


def _factors(
    profile: Profile, lookup: Lookup, burn: Burn, rpm: float, map_kpa: float
) -> tuple[float, float]:
    """Return mixture × spark factor of the right tune, front and rear."""
    _, _, lam, spark_front, spark_rear = lookup(rpm, map_kpa)
    best = burn.mbt_deg(rpm, map_kpa)
    mixture = mixture_factor(1.0 / lam)
    return (
        mixture * spark_factor(spark_front - best - profile.front.mbt_offset_deg),
        mixture * spark_factor(spark_rear - best - profile.rear.mbt_offset_deg),
    )


def _indicated_torque(
    profile: Profile, rpm: Array, full_map: Array, air: Array, exhaust: float
) -> Array:
    """Return the torque the charge must make so that the drum shows the nominal curve, N·m."""
    dyno = DYNOS[profile.dyno]
    curve = NominalCurve.of(profile)
    shown = np.array([curve.torque_nm(n) for n in rpm])
    k = profile.radians_per_metre(profile.dyno_gear)
    surface_m_s = rpm * math.pi / 30.0 / k
    force = shown * k
    acceleration = force / dyno.effective_mass_kg
    drag = dyno.loss_constant_n + dyno.loss_slope_ns_per_m * surface_m_s
    tyre_radius = profile.tyre_circumference_m / (2.0 * math.pi)
    at_tyre = force + drag + profile.wheel_inertia_kgm2 / tyre_radius**2 * acceleration
    crank = at_tyre / (k * GEAR_EFFICIENCY) + profile.engine_inertia_kgm2 * k * acceleration
    back_pressure = STD_WEATHER.baro_kpa + exhaust * (air * rpm / 120.0) ** 2
    pressure = friction_kpa(profile, rpm) + back_pressure - full_map
    losses = pressure * 1000.0 * profile.displacement_m3 / (4.0 * math.pi)
    return np.asarray((crank + losses) / (1.0 - LOAD_FRICTION))
