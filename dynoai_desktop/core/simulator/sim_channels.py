"""What the simulated dyno and its weather probe publish: one table.

Names, units and rates follow a real cell: fast channels at 100 Hz, the widebands' analogue
inputs at 50 Hz, slow ones twice a second. Two providers, and the probe's names collide with the
dyno's ("Pressure"), as they do in life. A rig with one wideband publishes the first of each pair
only, and fuel trims (percent, 0 is none) only where the tune has a closed loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dynoai_desktop.core.units import Unit


class SimProvider(StrEnum):
    """Who publishes a channel."""

    DYNO = "dyno"
    PROBE = "probe"


class SimChannel(StrEnum):
    """Keys of the simulated channels; the names on the wire stand in SIM_CHANNELS."""

    ENGINE_RPM = "engine_rpm"
    DIGITAL_RPM_1 = "digital_rpm_1"
    DIGITAL_RPM_2 = "digital_rpm_2"
    FORCE = "force_drum_1"
    POWER = "power_drum_1"
    POWER_RAW = "power_drum_1_uncorrected"
    TORQUE = "torque_drum_1"
    TORQUE_RAW = "torque_drum_1_uncorrected"
    SPEED = "speed_1"
    DISTANCE = "distance_1"
    ACCELERATION = "acceleration"
    CORRECTION_FACTOR = "correction_factor"
    GEAR_RATIO = "gear_ratio"
    ANALOG_1 = "user_analog_1"
    ANALOG_2 = "user_analog_2"
    AFR_1 = "afr_1"
    AFR_2 = "afr_2"
    AFR_CMD = "afr_cmd"
    MAP = "map_kpa"
    TPS = "tps"
    IAT = "iat"
    ENGINE_TEMP = "engine_temp"
    VBATT = "vbatt"
    PRESSURE = "pressure"
    SPARK_FRONT = "spark_front"
    SPARK_REAR = "spark_rear"
    KNOCK_FRONT = "knock_front"
    KNOCK_REAR = "knock_rear"
    INJECTOR_FRONT = "injector_front"
    INJECTOR_REAR = "injector_rear"
    TRIM_FRONT = "trim_front"
    TRIM_REAR = "trim_rear"
    PROBE_TEMPERATURE_1 = "probe_temperature_1"
    PROBE_TEMPERATURE_2 = "probe_temperature_2"
    PROBE_PRESSURE = "probe_pressure"
    PROBE_HUMIDITY = "probe_humidity"
    PROBE_ABSOLUTE_PRESSURE = "probe_absolute_pressure"
    PROBE_VAPOR_PRESSURE = "probe_vapor_pressure"


@dataclass(frozen=True, slots=True)
class SimChannelSpec:
    """One row: who says it, under which name, in which unit, how often."""

    channel: SimChannel
    provider: SimProvider
    name: str
    unit: Unit
    period_s: float


_FAST_S, _ANALOG_S, _SLOW_S = 0.01, 0.02, 0.5
_C, _U, _DYNO, _PROBE = SimChannel, Unit, SimProvider.DYNO, SimProvider.PROBE

# fmt: off
SIM_CHANNELS: tuple[SimChannelSpec, ...] = (
    SimChannelSpec(_C.DIGITAL_RPM_1, _DYNO, "Digital RPM 1", _U.RPM, _FAST_S),
    SimChannelSpec(_C.DIGITAL_RPM_2, _DYNO, "Digital RPM 2", _U.RPM, _FAST_S),
    SimChannelSpec(_C.ENGINE_RPM, _DYNO, "Engine RPM", _U.RPM, _FAST_S),
    SimChannelSpec(_C.FORCE, _DYNO, "Force Drum 1", _U.NEWTON, _FAST_S),
    SimChannelSpec(_C.POWER, _DYNO, "Power Drum 1", _U.KILOWATT, _FAST_S),
    SimChannelSpec(_C.POWER_RAW, _DYNO, "Power Drum 1 (uncorrected)", _U.KILOWATT, _FAST_S),
    SimChannelSpec(_C.TORQUE, _DYNO, "Torque Drum 1", _U.NEWTON_METRE, _FAST_S),
    SimChannelSpec(_C.TORQUE_RAW, _DYNO, "Torque Drum 1 (uncorrected)", _U.NEWTON_METRE, _FAST_S),
    SimChannelSpec(_C.SPEED, _DYNO, "Speed 1", _U.KMH, _FAST_S),
    SimChannelSpec(_C.DISTANCE, _DYNO, "Distance 1", _U.METRE, _FAST_S),
    SimChannelSpec(_C.ACCELERATION, _DYNO, "Acceleration", _U.KMH_PER_S, _FAST_S),
    SimChannelSpec(_C.CORRECTION_FACTOR, _DYNO, "Correction Factor", _U.NONE, _SLOW_S),
    SimChannelSpec(_C.GEAR_RATIO, _DYNO, "Gear Ratio", _U.RPM_PER_KMH, _SLOW_S),
    SimChannelSpec(_C.ANALOG_1, _DYNO, "User Analog 1", _U.VOLT, _ANALOG_S),
    SimChannelSpec(_C.ANALOG_2, _DYNO, "User Analog 2", _U.VOLT, _ANALOG_S),
    SimChannelSpec(_C.AFR_1, _DYNO, "LC1 Volts Petrol AFR", _U.AFR, _ANALOG_S),
    SimChannelSpec(_C.AFR_2, _DYNO, "LC2 Volts Petrol AFR", _U.AFR, _ANALOG_S),
    SimChannelSpec(_C.AFR_CMD, _DYNO, "Desired AFR", _U.AFR, _ANALOG_S),
    SimChannelSpec(_C.MAP, _DYNO, "MAP kPa", _U.KILOPASCAL, _FAST_S),
    SimChannelSpec(_C.TPS, _DYNO, "TPS", _U.PERCENT, _FAST_S),
    SimChannelSpec(_C.IAT, _DYNO, "IAT", _U.CELSIUS, _SLOW_S),
    SimChannelSpec(_C.ENGINE_TEMP, _DYNO, "Engine Temp", _U.CELSIUS, _SLOW_S),
    SimChannelSpec(_C.VBATT, _DYNO, "VBatt", _U.VOLT, _SLOW_S),
    SimChannelSpec(_C.PRESSURE, _DYNO, "Pressure", _U.KILOPASCAL, _SLOW_S),
    SimChannelSpec(_C.SPARK_FRONT, _DYNO, "Spark Advance Front", _U.NONE, _FAST_S),
    SimChannelSpec(_C.SPARK_REAR, _DYNO, "Spark Advance Rear", _U.NONE, _FAST_S),
    SimChannelSpec(_C.KNOCK_FRONT, _DYNO, "Knock Retard Front", _U.NONE, _FAST_S),
    SimChannelSpec(_C.KNOCK_REAR, _DYNO, "Knock Retard Rear", _U.NONE, _FAST_S),
    SimChannelSpec(_C.INJECTOR_FRONT, _DYNO, "INJ PW F", _U.NONE, _ANALOG_S),
    SimChannelSpec(_C.INJECTOR_REAR, _DYNO, "INJ PW R", _U.NONE, _ANALOG_S),
    SimChannelSpec(_C.TRIM_FRONT, _DYNO, "STFT F", _U.PERCENT, _ANALOG_S),
    SimChannelSpec(_C.TRIM_REAR, _DYNO, "STFT R", _U.PERCENT, _ANALOG_S),
    SimChannelSpec(_C.PROBE_TEMPERATURE_1, _PROBE, "Temperature 1", _U.CELSIUS, _SLOW_S),
    SimChannelSpec(_C.PROBE_TEMPERATURE_2, _PROBE, "Temperature 2", _U.CELSIUS, _SLOW_S),
    SimChannelSpec(_C.PROBE_PRESSURE, _PROBE, "Pressure", _U.KILOPASCAL, _SLOW_S),
    SimChannelSpec(_C.PROBE_HUMIDITY, _PROBE, "Humidity", _U.PERCENT, _SLOW_S),
    SimChannelSpec(_C.PROBE_ABSOLUTE_PRESSURE, _PROBE, "Absolute Pressure", _U.KILOPASCAL, _SLOW_S),
    SimChannelSpec(_C.PROBE_VAPOR_PRESSURE, _PROBE, "Vapor Pressure", _U.KILOPASCAL, _SLOW_S),
)
# fmt: on
