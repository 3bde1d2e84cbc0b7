"""Readings: what dyno, control unit and probe would publish now."""

from __future__ import annotations

from dynoai_desktop.core.power.standards import CORRECTION_STANDARDS
from dynoai_desktop.core.simulator.faults import Effects
from dynoai_desktop.core.simulator.machine import TO_RPM, Machine
from dynoai_desktop.core.simulator.noise import Noise
from dynoai_desktop.core.simulator.sensors import DrumSensor, Noisy, ThrottleSensor
from dynoai_desktop.core.simulator.sim_channels import SimChannel
from dynoai_desktop.core.simulator.weather import Weather
from dynoai_desktop.core.simulator.wideband import AFR_PER_VOLT, GASOLINE_AFR, LOW_AFR

_SLOW_TICKS = 50  # slow channels change twice a second
_TURNING_RPM = 100.0  # below this there is no torque to compute

# Members by plain names: looking one up on its class a hundred times a second costs real time.
_ENGINE_RPM = SimChannel.ENGINE_RPM
_DIGITAL_RPM_1 = SimChannel.DIGITAL_RPM_1
_DIGITAL_RPM_2 = SimChannel.DIGITAL_RPM_2
_MAP = SimChannel.MAP
_TPS = SimChannel.TPS
_SPARK_FRONT = SimChannel.SPARK_FRONT
_SPARK_REAR = SimChannel.SPARK_REAR
_KNOCK_FRONT = SimChannel.KNOCK_FRONT
_KNOCK_REAR = SimChannel.KNOCK_REAR
_INJECTOR_FRONT = SimChannel.INJECTOR_FRONT
_INJECTOR_REAR = SimChannel.INJECTOR_REAR
_AFR_CMD = SimChannel.AFR_CMD
_TRIM_FRONT = SimChannel.TRIM_FRONT
_TRIM_REAR = SimChannel.TRIM_REAR
_FORCE = SimChannel.FORCE
_POWER_RAW = SimChannel.POWER_RAW
_POWER = SimChannel.POWER
_TORQUE_RAW = SimChannel.TORQUE_RAW
_TORQUE = SimChannel.TORQUE
_SPEED = SimChannel.SPEED
_DISTANCE = SimChannel.DISTANCE
_ACCELERATION = SimChannel.ACCELERATION
_AFR_1 = SimChannel.AFR_1
_ANALOG_1 = SimChannel.ANALOG_1
_AFR_2 = SimChannel.AFR_2
_ANALOG_2 = SimChannel.ANALOG_2
_IAT = SimChannel.IAT
_ENGINE_TEMP = SimChannel.ENGINE_TEMP
_VBATT = SimChannel.VBATT
_PRESSURE = SimChannel.PRESSURE
_CORRECTION_FACTOR = SimChannel.CORRECTION_FACTOR
_GEAR_RATIO = SimChannel.GEAR_RATIO
_PROBE_TEMPERATURE_1 = SimChannel.PROBE_TEMPERATURE_1
_PROBE_TEMPERATURE_2 = SimChannel.PROBE_TEMPERATURE_2
_PROBE_PRESSURE = SimChannel.PROBE_PRESSURE
_PROBE_ABSOLUTE_PRESSURE = SimChannel.PROBE_ABSOLUTE_PRESSURE
_PROBE_HUMIDITY = SimChannel.PROBE_HUMIDITY
_PROBE_VAPOR_PRESSURE = SimChannel.PROBE_VAPOR_PRESSURE


class Instruments:
    """Holds the current readings; `sample` renews them every 10 ms."""

    __slots__ = (
        "_drum",
        "_frozen_rpm",
        "_noise",
        "_noisy",
        "_tick",
        "_tps",
        "_weather",
        "factor",
        "readings",
    )

    def __init__(self, weather: Weather, standard: str, noise: Noise, noisy: bool) -> None:
        """Correct power by one of CORRECTION_STANDARDS for this weather."""
        self._weather = weather
        self._noise = noise
        self._noisy = Noisy(noise, noisy)
        self._drum = DrumSensor()
        self._tps = ThrottleSensor()
        self._frozen_rpm: float | None = None
        self._tick = 0
        self.factor = CORRECTION_STANDARDS[standard].correct(weather.air).factor
        self.readings: dict[SimChannel, float] = {}

    def sample(self, machine: Machine, dt: float) -> None:
        """Renew every reading for *dt* seconds later."""
        effects, driveline = machine.effects, machine.driveline
        setting = machine.setup.dyno.effective_mass_kg * effects.drum_setting
        self._drum.step(driveline.omega, driveline.speed, machine.absorber.force_n, setting, dt)
        self._engine(machine, effects)
        self._dyno(machine)
        self._mixture(machine, effects, dt)
        if self._tick % _SLOW_TICKS == 0:
            self._slow(machine)
        self._tick += 1
        self._mislabel(effects)

    def _engine(self, machine: Machine, effects: Effects) -> None:
        out, noisy = self.readings, self._noisy
        engine, control = machine.engine, machine.control
        counted = self._drum.omega * TO_RPM
        rpm = noisy.rpm(counted)
        pickup = noisy.pickup(counted)
        if effects.rpm_frozen:
            rpm = pickup = self._frozen_rpm if self._frozen_rpm is not None else rpm
            self._frozen_rpm = rpm
        else:
            self._frozen_rpm = None
        if noisy.chance(effects.rpm_dropouts):
            pickup = rpm = 0.0
        out[_ENGINE_RPM] = rpm
        out[_DIGITAL_RPM_1] = pickup
        out[_DIGITAL_RPM_2] = 0.0  # nothing is connected to the second pickup
        out[_MAP] = noisy.pressure(engine.map_kpa, machine.setup.profile.cylinders)
        out[_TPS] = noisy.throttle(self._tps.step(machine.tps_pct))
        out[_SPARK_FRONT] = control.spark_front_deg - machine.knock_front.retard_deg
        out[_SPARK_REAR] = control.spark_rear_deg - machine.knock_rear.retard_deg
        out[_KNOCK_FRONT] = machine.knock_front.retard_deg
        out[_KNOCK_REAR] = machine.knock_rear.retard_deg
        out[_INJECTOR_FRONT] = control.pulse_front_ms
        out[_INJECTOR_REAR] = control.pulse_rear_ms
        out[_AFR_CMD] = control.lambda_cmd * GASOLINE_AFR
        if machine.setup.scenario.closed_loop:
            out[_TRIM_FRONT] = 100.0 * (control.trim_front - 1.0)
            out[_TRIM_REAR] = 100.0 * (control.trim_rear - 1.0)

    def _dyno(self, machine: Machine) -> None:
        out, drum = self.readings, self._drum
        force = self._noisy.force(drum.force_n)
        power_kw = force * drum.speed / 1000.0
        rpm = out[_ENGINE_RPM]
        # A drum that slows with the clutch open says nothing about the engine.
        geared = machine.driveline.locked or power_kw > 0.0
        torque = power_kw * 1000.0 * TO_RPM / rpm if geared and rpm > _TURNING_RPM else 0.0
        out[_FORCE] = force
        out[_POWER_RAW] = power_kw
        out[_POWER] = power_kw * self.factor
        out[_TORQUE_RAW] = torque
        out[_TORQUE] = torque * self.factor
        out[_SPEED] = drum.speed * 3.6
        out[_DISTANCE] = machine.driveline.distance_m
        out[_ACCELERATION] = drum.acceleration * 3.6

    def _mixture(self, machine: Machine, effects: Effects, dt: float) -> None:
        out, noisy = self.readings, self._noisy.active
        first = machine.front_probe.sample(self._noise, noisy, dt)
        second = machine.rear_probe.sample(self._noise, noisy, dt)
        if effects.widebands_swapped:
            first, second = second, first
        out[_AFR_1] = first
        out[_ANALOG_1] = (first - LOW_AFR) / AFR_PER_VOLT
        if machine.setup.profile.widebands == 2:
            out[_AFR_2] = second
            out[_ANALOG_2] = (second - LOW_AFR) / AFR_PER_VOLT

    def _slow(self, machine: Machine) -> None:
        out, noisy, weather = self.readings, self._noisy, self._weather
        heat = machine.heat
        out[_IAT] = noisy.slow(heat.intake_c, 0.1)
        out[_ENGINE_TEMP] = noisy.slow(heat.head_front_c, 0.1)
        out[_VBATT] = noisy.volts(machine.charging.volts)
        out[_PRESSURE] = weather.baro_kpa
        out[_CORRECTION_FACTOR] = self.factor
        speed = out[_SPEED]
        out[_GEAR_RATIO] = out[_ENGINE_RPM] / speed if speed > 5.0 else 0.0
        air = weather.air
        out[_PROBE_TEMPERATURE_1] = noisy.slow(air.temperature_c, 0.03)
        out[_PROBE_TEMPERATURE_2] = noisy.slow(air.temperature_c + 0.2, 0.03)
        out[_PROBE_PRESSURE] = noisy.slow(air.pressure_kpa, 0.01)
        out[_PROBE_ABSOLUTE_PRESSURE] = noisy.slow(air.pressure_kpa + 0.1, 0.01)
        out[_PROBE_HUMIDITY] = max(0.0, min(100.0, noisy.slow(air.humidity_pct, 0.1)))
        out[_PROBE_VAPOR_PRESSURE] = air.vapour_pressure_kpa

    def _mislabel(self, effects: Effects) -> None:
        out = self.readings
        if effects.rpm_carries_afr:
            out[_ENGINE_RPM] = out[_DIGITAL_RPM_1] = out[_AFR_1]
        if effects.map_carries_baro:
            out[_MAP] = self._noisy.slow(self._weather.baro_kpa, 0.02)
