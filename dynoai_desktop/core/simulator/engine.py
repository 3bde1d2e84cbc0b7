"""The engine between throttle and crankshaft, one step of at most 2 ms at a time.

Torque is the mean over a cycle: each cylinder group's air × work per kilogram × mixture × spark,
less friction and pumping, so it is negative with the throttle shut. The manifold follows its
steady pressure with the time a few intake strokes take; each group has its own wall film.
"""

from __future__ import annotations

import math

import numpy as np

from dynoai_desktop.core.simulator.breathing import MANIFOLD, Breathing
from dynoai_desktop.core.simulator.calibration import (
    GAS_CONSTANT,
    LOAD_FRICTION,
    MOTORING_KPA,
    Calibration,
    boost_share,
    friction_kpa,
)
from dynoai_desktop.core.simulator.combustion import (
    DILUTION_LOSS,
    EXHAUST_SHARE,
    mixture_factor,
)
from dynoai_desktop.core.simulator.weather import Weather

_TO_RPM = 30.0 / math.pi
_FOUR_PI = 4.0 * math.pi
_MANIFOLD_VOLUME = 1.0  # of the displacement: how many strokes' air the manifold holds
_SPOOL_S = 0.35  # time constant of a turbocharger
_STALL_RAD_S = 35.0  # 330 rpm: below this the engine does not run by itself


class Engine:
    """State and step of one engine. `step` reads the inputs set by the control unit."""

    __slots__ = (
        "_boost_full",
        "_exhaust",
        "_friction_scale",
        "_last",
        "_rows",
        "_stoich",
        "_swept",
        "_throttle",
        "air_front",
        "air_rear",
        "baro_kpa",
        "boost_kpa",
        "charge_k",
        "dry",
        "film_cycles",
        "film_front",
        "film_rear",
        "film_share",
        "firing",
        "fuel_front",
        "fuel_rear",
        "indicated_nm",
        "map_kpa",
        "oil_factor",
        "opening",
        "phi_front",
        "phi_rear",
        "quality_front",
        "quality_rear",
        "torque_nm",
        "ve_front",
        "ve_rear",
    )

    def __init__(self, breathing: Breathing, calibration: Calibration, weather: Weather) -> None:
        """Lay out the truth as rows of (value, step to the next row) for quick reading."""
        profile = breathing.profile
        rpm = calibration.rpm
        front, rear = breathing.amplitude(np.maximum(rpm, 0.5 * profile.idle_rpm))
        columns = [
            front,
            rear,
            breathing.residual(rpm),
            calibration.work_j_per_kg,
            friction_kpa(profile, rpm),
            boost_share(profile, rpm) * profile.boost_kpa,
        ]
        table = np.stack(columns, axis=1)
        steps = np.diff(table, axis=0, append=table[-1:])
        self._rows = [
            tuple(cell for pair in zip(*row, strict=True) for cell in pair)
            for row in zip(table.tolist(), steps.tolist(), strict=True)
        ]
        self._last = len(self._rows) - 1
        self._swept = profile.displacement_m3 / 2.0
        self._friction_scale = 1000.0 * profile.displacement_m3 / _FOUR_PI
        self._throttle = calibration.throttle
        self._exhaust = calibration.exhaust
        self._stoich = profile.stoich_afr
        self._boost_full = profile.boost_kpa
        self.baro_kpa = weather.baro_kpa
        self.dry = weather.dry_fraction
        # Inputs, set by control unit and heat model.
        self.opening = 0.0  # throttle and idle air, 1 is wide open
        self.fuel_front = 0.0  # injected per cycle, kg
        self.fuel_rear = 0.0
        self.quality_front = 0.0  # spark × misfire × knock factor
        self.quality_rear = 0.0
        self.firing = False
        self.charge_k = 320.0
        self.oil_factor = 1.0
        self.film_share = 0.2
        self.film_cycles = 3.5
        # State and results.
        self.map_kpa = weather.baro_kpa
        self.boost_kpa = 0.0
        self.film_front = 0.0  # fuel on the port walls, kg
        self.film_rear = 0.0
        self.phi_front = 0.0  # 1/lambda of what was burnt
        self.phi_rear = 0.0
        self.ve_front = 0.0  # dry VE as breathed now
        self.ve_rear = 0.0
        self.air_front = 0.0  # kg/s
        self.air_rear = 0.0
        self.indicated_nm = 0.0
        self.torque_nm = 0.0  # at the crank, negative when it drags

    def step(self, omega: float, dt: float) -> float:
        """Advance by *dt* seconds at crank speed *omega* (rad/s); return crank torque, N·m."""
        rpm = omega * _TO_RPM
        place = rpm * 0.02
        i = int(place)
        if i > self._last:
            i = self._last
        x = place - i
        af, daf, ar, dar, b, db, e, de, fm, dfm, bo, dbo = self._rows[i]
        pressure = self.map_kpa
        q = 1.0 - pressure / self.baro_kpa
        load = (1.0 - (b + x * db) * q * q) * self.dry if q > 0.0 else self.dry
        ve_front = (af + x * daf) * load
        ve_rear = (ar + x * dar) * load
        self.ve_front = ve_front
        self.ve_rear = ve_rear

        cycles = omega / _FOUR_PI
        drawn = pressure * 1000.0 / (GAS_CONSTANT * self.charge_k) * self._swept
        air_front = ve_front * drawn
        air_rear = ve_rear * drawn
        flow = (air_front + air_rear) * cycles
        self._fill(rpm, 0.5 * (ve_front + ve_rear), bo + x * dbo, dt)

        # Wall film: a share of each injection lands on the port, which gives it back in time.
        # The film renews itself by the intake stroke, so its time shrinks as the engine speeds up.
        back = min(1.0, cycles * dt / self.film_cycles)
        share = self.film_share
        phi_front = phi_rear = 0.0
        if cycles > 0.5:
            given = self.film_front * back
            injected = self.fuel_front * cycles * dt
            self.film_front += share * injected - given
            phi_front = (
                ((1.0 - share) * injected + given) * self._stoich / (air_front * cycles * dt)
            )
            given = self.film_rear * back
            injected = self.fuel_rear * cycles * dt
            self.film_rear += share * injected - given
            phi_rear = ((1.0 - share) * injected + given) * self._stoich / (air_rear * cycles * dt)
        self.phi_front = phi_front
        self.phi_rear = phi_rear
        self.air_front = air_front * cycles
        self.air_rear = air_rear * cycles

        indicated = 0.0
        if self.firing and omega > _STALL_RAD_S:
            dilute = q - EXHAUST_SHARE
            work = e + x * de
            if dilute > 0.0:
                work *= max(0.0, 1.0 - DILUTION_LOSS * dilute * dilute)
            indicated = (
                air_front * mixture_factor(phi_front) * self.quality_front
                + air_rear * mixture_factor(phi_rear) * self.quality_rear
            ) * (work / _FOUR_PI)
        self.indicated_nm = indicated
        exhaust = self.baro_kpa + self._exhaust * flow * flow
        drag = (fm + x * dfm) * self.oil_factor + exhaust - pressure
        if indicated == 0.0:
            drag += MOTORING_KPA
        self.torque_nm = indicated * (1.0 - LOAD_FRICTION) - drag * self._friction_scale
        return self.torque_nm

    def _fill(self, rpm: float, ve: float, boost: float, dt: float) -> None:
        """Move manifold (and boost) pressure towards what throttle and demand make of it."""
        if self._boost_full > 0.0:
            demand = boost * min(1.0, 2.0 * self.opening) * (1.0 if self.firing else 0.2)
            self.boost_kpa += (demand - self.boost_kpa) * dt / (_SPOOL_S + dt)
        upstream = self.baro_kpa + self.boost_kpa
        if rpm < 60.0:
            target = upstream
            strokes_s = 0.2
        else:
            ratio = MANIFOLD.pressure_ratio(self.opening * self._throttle / (ve * rpm))
            target = upstream * ratio
            # Emptying takes a manifold's worth of strokes; an open throttle fills much faster.
            strokes_s = _MANIFOLD_VOLUME * 120.0 / (ve * rpm) * (1.08 - ratio)
        self.map_kpa += (target - self.map_kpa) * dt / (strokes_s + dt)
