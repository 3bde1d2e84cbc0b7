"""Vehicle on drum: engine, control unit, driveline, heat and exhaust pipes, stepped together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dynoai_desktop.core.simulator.absorber import Absorber
from dynoai_desktop.core.simulator.breathing import Breathing
from dynoai_desktop.core.simulator.calibration import Calibration, charge_share
from dynoai_desktop.core.simulator.combustion import Burn, limit_shift_deg, spark_factor
from dynoai_desktop.core.simulator.control import ControlUnit
from dynoai_desktop.core.simulator.driveline import Driveline
from dynoai_desktop.core.simulator.dyno_operator import Controls, throttle_area
from dynoai_desktop.core.simulator.dynos import Dyno
from dynoai_desktop.core.simulator.engine import Engine
from dynoai_desktop.core.simulator.faults import Effects
from dynoai_desktop.core.simulator.heat import Heat, film, oil_factor
from dynoai_desktop.core.simulator.knock import KnockSensor
from dynoai_desktop.core.simulator.noise import Noise
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.scenario import Scenario
from dynoai_desktop.core.simulator.sensors import Charging
from dynoai_desktop.core.simulator.tables import EcuTables
from dynoai_desktop.core.simulator.weather import Weather
from dynoai_desktop.core.simulator.wideband import (
    Wideband,
    exhaust_leak,
    pipe_kg,
    reversion,
    transport_delay_s,
)

TO_RPM = 30.0 / math.pi
_STARTER_NM = 60.0
_RUNNING_RPM = 500.0
_LIMIT = 0.994  # of the redline: spark stops here at once, whatever the control unit is doing


@dataclass(frozen=True, slots=True)
class Setup:
    """What a machine is built from."""

    profile: Profile
    dyno: Dyno
    weather: Weather
    scenario: Scenario
    breathing: Breathing
    calibration: Calibration
    tables: EcuTables
    warm: bool = True


class Machine:
    """State of everything that burns, turns or warms. `advance` by dt, `tick` every 10 ms."""

    __slots__ = (
        "_burn",
        "_idle_flow",
        "_limit_omega",
        "_one_pipe",
        "_pipe_kg",
        "_profile",
        "_starting_s",
        "absorber",
        "charging",
        "control",
        "driveline",
        "effects",
        "engine",
        "front_probe",
        "heat",
        "knock_front",
        "knock_rear",
        "rear_probe",
        "running",
        "setup",
        "tps_pct",
    )

    def __init__(self, setup: Setup, dt: float) -> None:
        """Build the machine idling, warm or cold, for steps of *dt*."""
        profile = setup.profile
        self.setup = setup
        self._profile = profile
        self._burn = Burn.of(profile)
        self._pipe_kg = pipe_kg(profile.displacement_cc / 2000.0)
        self._idle_flow = 1.1e-6 * profile.displacement_cc * profile.idle_rpm / 900.0
        self._limit_omega = _LIMIT * profile.redline_rpm / TO_RPM
        self._one_pipe = profile.widebands == 1
        self.engine = Engine(setup.breathing, setup.calibration, setup.weather)
        self.driveline = Driveline(profile, setup.dyno)
        self.absorber = Absorber(setup.dyno, setup.dyno.effective_mass_kg * 1.1)
        self.heat = Heat(profile, setup.weather, setup.warm)
        self.control = ControlUnit(profile, setup.calibration, setup.scenario, setup.tables)
        self.knock_front, self.knock_rear = KnockSensor(), KnockSensor()
        self.front_probe, self.rear_probe = Wideband(dt), Wideband(dt)
        self.charging = Charging()
        self.effects = Effects()
        self.running = True
        self.tps_pct = 0.0
        self._starting_s = 0.0
        self.driveline.omega = profile.idle_rpm / TO_RPM
        self.engine.map_kpa = 0.28 * setup.weather.baro_kpa

    @property
    def rpm(self) -> float:
        """Return true crank speed."""
        return self.driveline.omega * TO_RPM

    def advance(self, steps: int, dt: float) -> None:
        """Advance mechanics, manifold, films and pipes by *steps* of *dt*."""
        driveline, engine = self.driveline, self.engine
        burn, turn = engine.step, driveline.step
        front, rear = self.front_probe.step, self.rear_probe.step
        starter = _STARTER_NM if self._starting_s > 0.0 else 0.0
        for _ in range(steps):
            omega = driveline.omega
            if omega > self._limit_omega:
                engine.firing = False
            turn(burn(omega, dt) + starter, dt)
            if self._one_pipe:
                front(0.5 * (engine.phi_front + engine.phi_rear), dt)
            else:
                front(engine.phi_front, dt)
                rear(engine.phi_rear, dt)

    def tick(self, controls: Controls, noise: Noise, dt: float) -> None:
        """Let driver's hands, control unit, heat and brakes act for the next *dt* (10 ms)."""
        engine, driveline, heat, effects = self.engine, self.driveline, self.heat, self.effects
        rpm = self.rpm
        volts = self.charging.step(rpm, effects.charging, dt)
        self.tps_pct = controls.tps_pct
        self._breathe(rpm)
        self.control.step(
            rpm,
            engine.map_kpa,
            controls.tps_pct,
            engine.charge_k,
            heat.head_c,
            (engine.film_share, engine.film_cycles),
            volts,
            effects.pump_limit,
            dt,
        )
        area = throttle_area(controls.tps_pct)
        engine.opening = area + (1.0 - area) * self.control.idle_air
        engine.fuel_front, engine.fuel_rear = self.control.fuel_front, self.control.fuel_rear
        self.control.trims(self.front_probe.phi, self.rear_probe.phi, dt)
        self._fire(rpm, not controls.kill, noise, dt)
        self._start(rpm, dt)
        friction_w = 0.08 * max(0.0, engine.indicated_nm) * driveline.omega
        heat.step(
            engine.air_front if engine.firing else 0.0,
            engine.air_rear if engine.firing else 0.0,
            friction_w,
            effects.fan,
            dt,
        )
        self._drum(controls, dt)
        self._pipes(rpm)

    def _breathe(self, rpm: float) -> None:
        """Set what temperature does to charge, oil and wall film."""
        engine, heat = self.engine, self.heat
        share = charge_share(rpm, engine.map_kpa, self._profile.redline_rpm)
        engine.charge_k = 273.15 + heat.intake_c + share * (heat.head_c - heat.intake_c)
        engine.oil_factor = oil_factor(heat.oil_c)
        engine.film_share, engine.film_cycles = film(heat.head_c)

    def _fire(self, rpm: float, lit: bool, noise: Noise, dt: float) -> None:
        """Set how well each group burns: spark against MBT, knock, misfire."""
        engine, control, profile, heat = self.engine, self.control, self._profile, self.heat
        best, limit = self._burn.limits_deg(
            rpm, engine.map_kpa, engine.charge_k - 273.15, self.effects.octane_change
        )
        engine.firing = self.running and lit and not control.limiting
        cycles = rpm / 120.0 * dt * profile.cylinders / 2.0 if engine.firing else 0.0
        for knock, spark, head, phi in (
            (self.knock_front, control.spark_front_deg, heat.head_front_c, engine.phi_front),
            (self.knock_rear, control.spark_rear_deg, heat.head_rear_c, engine.phi_rear),
        ):
            burning = cycles if phi > 0.5 else 0.0
            knock.step(spark, limit + limit_shift_deg(head, phi), burning, noise, dt)
        front = control.spark_front_deg - self.knock_front.retard_deg
        rear = control.spark_rear_deg - self.knock_rear.retard_deg
        engine.quality_front = self.knock_front.factor * spark_factor(
            front - best - profile.front.mbt_offset_deg
        )
        misfire = self.misfire_rear
        engine.quality_rear = (
            self.knock_rear.factor
            * (1.0 - misfire)
            * spark_factor(rear - best - profile.rear.mbt_offset_deg)
        )

    @property
    def misfire_rear(self) -> float:
        """Return the share of rear cycles that do not light: a fouled plug fails under load."""
        load = self.engine.map_kpa / self.engine.baro_kpa
        return min(0.9, self.effects.misfire_rear * max(0.0, (load - 0.3) / 0.7))

    @property
    def popping(self) -> bool:
        """Return True while film that burns late in the pipe makes overrun pop.

        Throttle shut, 1750 to 5500 rpm, and a charge too lean to burn in the cylinder yet not air.
        """
        leanest = min(self.engine.phi_front, self.engine.phi_rear)
        return self.tps_pct < 5.0 and 1750.0 < self.rpm < 5500.0 and 0.05 < leanest < 0.7

    def _start(self, rpm: float, dt: float) -> None:
        """Crank a stalled engine that is meant to run."""
        if self.running and rpm < _RUNNING_RPM:
            self._starting_s = 0.5
        else:
            self._starting_s = max(0.0, self._starting_s - dt)
        if not self.running or rpm > 0.8 * self._profile.idle_rpm:
            self._starting_s = 0.0

    def _drum(self, controls: Controls, dt: float) -> None:
        driveline, absorber, dyno = self.driveline, self.absorber, self.setup.dyno
        ratio = self._profile.radians_per_metre(controls.gear)
        if ratio != driveline.k:
            driveline.locked = False
            driveline.k = ratio
        driveline.grip(controls.clutch * self.effects.clutch_scale, self.effects.tyre_scale)
        if controls.load is not absorber.control:
            absorber.set(controls.load)
        absorber.step(driveline.speed, driveline.acceleration, driveline.k, dt)
        driveline.absorber_n = absorber.force_n
        driveline.drum_brake_n = controls.drum_brake * dyno.drum_brake_n

    def _pipes(self, rpm: float) -> None:
        """Set what the pipes do to the gas on its way to the probes."""
        engine, effects = self.engine, self.effects
        front, rear = self.front_probe, self.rear_probe
        front.delay_s = transport_delay_s(self._pipe_kg, engine.air_front)
        rear.delay_s = transport_delay_s(self._pipe_kg, engine.air_rear)
        air = reversion(rpm, engine.map_kpa, self._profile.idle_rpm)
        front.reversion = rear.reversion = air
        leak = effects.leak_front
        front.leak = exhaust_leak(leak, engine.air_front, self._idle_flow) if leak else 0.0
        rear.leak = self.misfire_rear  # a charge that did not light is oxygen to the probe
        front.state, rear.state = effects.wideband_front, effects.wideband_rear
