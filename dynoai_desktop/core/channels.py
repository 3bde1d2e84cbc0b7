"""The canonical channels: one table, the single meaning of every name in the program.

Live data, recordings and imported logs all resolve their own names to these rows. Ranges are in
the channel's unit; *hard* is what the quantity can be at all (outside: the sample is counted and
not used), *warn* what it usually is (outside: flagged). Names are matched as whole words without
regard to case. The names of a row are in order of preference: of several announced beside each
other the earlier one is taken, except for widebands, where each is a sensor of its own. The order
of the rows is the order in which the screen lists them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dynoai_desktop.core.units import Unit


class Channel(StrEnum):
    """Canonical channel names as they stand in files and JSON."""

    RPM = "rpm"
    RPM_2 = "rpm_2"
    RPM_DRUM = "rpm_drum"
    LAMBDA_FRONT = "lambda_front"
    LAMBDA_REAR = "lambda_rear"
    LAMBDA = "lambda"
    AFR_FRONT = "afr_front"
    AFR_REAR = "afr_rear"
    AFR_COMBINED = "afr_combined"
    LAMBDA_CMD_FRONT = "lambda_cmd_f"
    LAMBDA_CMD_REAR = "lambda_cmd_r"
    LAMBDA_CMD = "lambda_cmd"
    AFR_CMD_FRONT = "afr_cmd_f"
    AFR_CMD_REAR = "afr_cmd_r"
    AFR_CMD = "afr_cmd"
    MAP = "map_kpa"
    BARO = "baro"
    TPS = "tps"
    IAT = "iat"
    ECT = "ect"
    AMBIENT = "amb_temp"
    HUMIDITY = "humidity"
    TORQUE = "torque"
    POWER = "power"
    FORCE = "force"
    ACCEL = "accel"
    SPEED = "speed"
    DISTANCE = "distance"
    SPARK_FRONT = "spark_f"
    SPARK_REAR = "spark_r"
    SPARK = "spark"
    KNOCK_FRONT = "knock_f"
    KNOCK_REAR = "knock_r"
    KNOCK = "knock"
    VE_FRONT = "ve_f"
    VE_REAR = "ve_r"
    INJ_PW_FRONT = "inj_pw_f"
    INJ_PW_REAR = "inj_pw_r"
    STFT_FRONT = "stft_f"
    STFT_REAR = "stft_r"
    STFT = "stft"
    LTFT_FRONT = "ltft_f"
    LTFT_REAR = "ltft_r"
    LTFT = "ltft"
    VBATT = "vbatt"
    GEAR_RATIO = "gear_ratio"
    CORR_FACTOR = "corr_factor"


class Cylinder(StrEnum):
    """Cylinder group a channel belongs to."""

    FRONT = "front"
    REAR = "rear"
    BOTH = "both"


class Rule(StrEnum):
    """How the samples of one 50 ms window become one value."""

    MEAN = "mean"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One row of the table."""

    channel: Channel
    title: str
    unit: Unit
    hard: tuple[float, float] | None
    warn: tuple[float, float] | None
    wire_codes: tuple[int, ...]
    aliases: tuple[str, ...]
    rule: Rule = Rule.MEAN
    cylinder: Cylinder | None = None
    carried_as: Channel | None = None  # AFR channels are computed with as lambda


_AFR_RANGE = (6.0, 35.0)
_LAMBDA_RANGE = (0.4, 2.4)
_F, _R, _B = Cylinder.FRONT, Cylinder.REAR, Cylinder.BOTH
_C, _U, _LAST = Channel, Unit, Rule.LAST

# fmt: off
_ROWS = (
    ChannelSpec(_C.RPM, "Engine speed", _U.RPM, (0, 20000), (500, 15000), (8,),
                ("engine rpm", "rpm", "digital rpm 1", "engine speed", "engspeed", "enginerpm",
                 "eng speed", "n")),
    ChannelSpec(_C.RPM_2, "Second engine speed", _U.RPM, (0, 20000), None, (8,),
                ("digital rpm 2", "rpm 2")),
    ChannelSpec(_C.RPM_DRUM, "Drum speed", _U.RPM, (0, 10000), (0, 8000), (8,),
                ("drum rpm", "drum rpm 1", "wheel rpm", "roller rpm")),
    ChannelSpec(_C.LAMBDA_FRONT, "Lambda front", _U.LAMBDA, _LAMBDA_RANGE, (0.7, 1.4), (13,),
                ("lambda 1", "lambda front", "lambda f", "wbo2 lambda front", "at lambda 1"),
                cylinder=_F),
    ChannelSpec(_C.LAMBDA_REAR, "Lambda rear", _U.LAMBDA, _LAMBDA_RANGE, (0.7, 1.4), (13,),
                ("lambda 2", "lambda rear", "lambda r", "wbo2 lambda rear", "at lambda 2"),
                cylinder=_R),
    ChannelSpec(_C.LAMBDA, "Lambda", _U.LAMBDA, _LAMBDA_RANGE, (0.7, 1.4), (13,),
                ("lambda", "lambda measured"), cylinder=_B),
    ChannelSpec(_C.AFR_FRONT, "AFR front", _U.AFR, _AFR_RANGE, (10, 20), (11,),
                ("lc1 volts petrol afr", "air/fuel ratio 1", "afr 1", "afr front", "afr meas f",
                 "afr f", "wbo2 f", "wbo2 afr front", "measured afr f", "wb afr f", "o2 f",
                 "innovate afr 1"),
                cylinder=_F, carried_as=_C.LAMBDA_FRONT),
    ChannelSpec(_C.AFR_REAR, "AFR rear", _U.AFR, _AFR_RANGE, (10, 20), (11,),
                ("lc2 volts petrol afr", "lc2 volts petrol afr2", "air/fuel ratio 2", "afr 2",
                 "afr rear", "afr meas r", "afr r", "wbo2 r", "wbo2 afr rear", "measured afr r",
                 "wb afr r", "o2 r", "innovate afr 2"),
                cylinder=_R, carried_as=_C.LAMBDA_REAR),
    ChannelSpec(_C.AFR_COMBINED, "AFR", _U.AFR, _AFR_RANGE, (10, 20), (11,),
                ("afr", "air/fuel ratio", "afr meas", "afr measured", "a/f ratio", "wbo2"),
                cylinder=_B, carried_as=_C.LAMBDA),
    ChannelSpec(_C.LAMBDA_CMD_FRONT, "Commanded lambda front", _U.LAMBDA, _LAMBDA_RANGE, None,
                (13,), ("lambda cmd f", "lambda target f", "desired lambda front"), cylinder=_F),
    ChannelSpec(_C.LAMBDA_CMD_REAR, "Commanded lambda rear", _U.LAMBDA, _LAMBDA_RANGE, None,
                (13,), ("lambda cmd r", "lambda target r", "desired lambda rear"), cylinder=_R),
    ChannelSpec(_C.LAMBDA_CMD, "Commanded lambda", _U.LAMBDA, _LAMBDA_RANGE, None, (13,),
                ("set lambda", "lambda target", "desired lambda", "commanded lambda"),
                cylinder=_B),
    ChannelSpec(_C.AFR_CMD_FRONT, "Commanded AFR front", _U.AFR, _AFR_RANGE, (10, 20), (11,),
                ("afr cmd f", "afr target f", "cmd afr f"),
                cylinder=_F, carried_as=_C.LAMBDA_CMD_FRONT),
    ChannelSpec(_C.AFR_CMD_REAR, "Commanded AFR rear", _U.AFR, _AFR_RANGE, (10, 20), (11,),
                ("afr cmd r", "afr target r", "cmd afr r"),
                cylinder=_R, carried_as=_C.LAMBDA_CMD_REAR),
    ChannelSpec(_C.AFR_CMD, "Commanded AFR", _U.AFR, _AFR_RANGE, (10, 20), (11,),
                ("requested afr", "desired afr", "commanded afr", "afr target", "afr cmd",
                 "target afr", "desired air/fuel"),
                cylinder=_B, carried_as=_C.LAMBDA_CMD),
    ChannelSpec(_C.MAP, "Manifold pressure", _U.KILOPASCAL, (0, 400), (20, 300), (7,),
                ("map kpa", "map", "manifold pressure", "manifold absolute pressure",
                 "man abs press", "boost kpa", "intake pressure")),
    ChannelSpec(_C.BARO, "Barometric pressure", _U.KILOPASCAL, (60, 118.5), (80, 105), (7,),
                ("pressure", "baro", "barometric", "barometric pressure", "baro pressure",
                 "atmospheric pressure", "barometer", "absolute pressure")),
    ChannelSpec(_C.TPS, "Throttle", _U.PERCENT, (0, 100), None, (16,),
                ("tps", "tp", "throttle", "throttle position", "throttle pos")),
    ChannelSpec(_C.IAT, "Intake air temperature", _U.CELSIUS, (-40, 150), (0, 95), (6,),
                ("iat", "iat f", "iat c", "intake air temp", "intake air temperature",
                 "air temp", "inlet temp", "intake temp", "mat", "manifold air temp")),
    ChannelSpec(_C.ECT, "Engine temperature", _U.CELSIUS, (-40, 250), (38, 160), (6,),
                ("ect", "et", "engine temp", "engine temperature", "coolant temp", "water temp",
                 "clt", "head temp", "cht", "cylinder head temp")),
    ChannelSpec(_C.AMBIENT, "Ambient temperature", _U.CELSIUS, (-40, 70), (0, 45), (6,),
                ("temperature 1", "temperature 2", "ambient temp", "ambient temperature",
                 "ambient air temp")),
    ChannelSpec(_C.HUMIDITY, "Relative humidity", _U.PERCENT, (0, 100), None, (16,),
                ("humidity", "relative humidity")),
    ChannelSpec(_C.TORQUE, "Torque", _U.NEWTON_METRE, (-1000, 2700), (-60, 1100), (5,),
                ("torque", "tq", "torque drum 1", "torque (uncorrected)",
                 "torque drum 1 (uncorrected)", "torque nm", "engine torque", "wheel torque")),
    ChannelSpec(_C.POWER, "Power", _U.KILOWATT, (-500, 1500), (-40, 750), (4,),
                ("power", "horsepower", "hp", "bhp", "power drum 1", "power (uncorrected)",
                 "power drum 1 (uncorrected)")),
    ChannelSpec(_C.FORCE, "Drum force", _U.NEWTON, (-10000, 20000), None, (3,),
                ("force", "force 1", "force drum 1", "force drum 2")),
    ChannelSpec(_C.ACCEL, "Acceleration", _U.KMH_PER_S, (-180, 360), None, (10,),
                ("acceleration", "accel")),
    ChannelSpec(_C.SPEED, "Speed", _U.KMH, (0, 500), None, (2,),
                ("speed", "speed 1", "vss", "vehicle speed", "road speed")),
    ChannelSpec(_C.DISTANCE, "Distance", _U.METRE, None, None, (1,),
                ("distance", "distance 1")),
    ChannelSpec(_C.SPARK_FRONT, "Spark advance front", _U.DEGREE, (-30, 70), None, (),
                ("spark adv f", "advance f", "spark advance front", "timing f", "ign f",
                 "spark f"), cylinder=_F),
    ChannelSpec(_C.SPARK_REAR, "Spark advance rear", _U.DEGREE, (-30, 70), None, (),
                ("spark adv r", "advance r", "spark advance rear", "timing r", "ign r",
                 "spark r"), cylinder=_R),
    ChannelSpec(_C.SPARK, "Spark advance", _U.DEGREE, (-30, 70), None, (),
                ("spark timing", "spark advance", "ignition timing", "ignition", "advance",
                 "timing", "spark", "ign"), cylinder=_B),
    ChannelSpec(_C.KNOCK_FRONT, "Knock retard front", _U.DEGREE, (0, 100), (0, 30), (),
                ("spark knock f", "knock f", "knock front", "knock ret f", "kr f",
                 "knock retard front", "front spark knock retard"), cylinder=_F),
    ChannelSpec(_C.KNOCK_REAR, "Knock retard rear", _U.DEGREE, (0, 100), (0, 30), (),
                ("spark knock r", "knock r", "knock rear", "knock ret r", "kr r",
                 "knock retard rear", "rear spark knock retard"), cylinder=_R),
    ChannelSpec(_C.KNOCK, "Knock retard", _U.DEGREE, (0, 100), (0, 30), (),
                ("kr", "knock retard", "spark knock retard", "knock"), cylinder=_B),
    ChannelSpec(_C.VE_FRONT, "VE front", _U.PERCENT, (0, 200), None, (16,),
                ("ve front", "ve f"), cylinder=_F),
    ChannelSpec(_C.VE_REAR, "VE rear", _U.PERCENT, (0, 200), None, (16,),
                ("ve rear", "ve r"), cylinder=_R),
    ChannelSpec(_C.INJ_PW_FRONT, "Injector time front", _U.MILLISECOND, (0, 100), None, (),
                ("inj pw f", "injector time front"), cylinder=_F),
    ChannelSpec(_C.INJ_PW_REAR, "Injector time rear", _U.MILLISECOND, (0, 100), None, (),
                ("inj pw r", "injector time rear"), cylinder=_R),
    # Fuel trims are carried as change: 0 is none, +5 adds 5 % fuel. Some ECUs say 100 for none.
    ChannelSpec(_C.STFT_FRONT, "Short-term fuel trim front", _U.PERCENT, (-60, 160), None, (),
                ("stft f", "stft front", "stft 1", "short term fuel trim 1",
                 "front closed loop integrator", "closed loop integrator front"), cylinder=_F),
    ChannelSpec(_C.STFT_REAR, "Short-term fuel trim rear", _U.PERCENT, (-60, 160), None, (),
                ("stft r", "stft rear", "stft 2", "short term fuel trim 2",
                 "rear closed loop integrator", "closed loop integrator rear"), cylinder=_R),
    ChannelSpec(_C.STFT, "Short-term fuel trim", _U.PERCENT, (-60, 160), None, (),
                ("stft", "short term fuel trim", "gego"), cylinder=_B),
    ChannelSpec(_C.LTFT_FRONT, "Long-term fuel trim front", _U.PERCENT, (-60, 160), None, (),
                ("ltft f", "ltft front", "ltft 1", "long term fuel trim 1",
                 "front adaptive fuel factor", "adaptive fuel factor front"), cylinder=_F),
    ChannelSpec(_C.LTFT_REAR, "Long-term fuel trim rear", _U.PERCENT, (-60, 160), None, (),
                ("ltft r", "ltft rear", "ltft 2", "long term fuel trim 2",
                 "rear adaptive fuel factor", "adaptive fuel factor rear"), cylinder=_R),
    ChannelSpec(_C.LTFT, "Long-term fuel trim", _U.PERCENT, (-60, 160), None, (),
                ("ltft", "long term fuel trim"), cylinder=_B),
    ChannelSpec(_C.VBATT, "Battery", _U.VOLT, (0, 20), (11, 15), (14,),
                ("vbatt", "b+", "battery", "battery voltage", "batt v", "battery v", "voltage 2")),
    ChannelSpec(_C.GEAR_RATIO, "Rpm per road speed", _U.RPM_PER_KMH, (0, 1000), None, (9,),
                ("gear ratio",), rule=_LAST),
    ChannelSpec(_C.CORR_FACTOR, "Power correction factor", _U.NONE, (0.5, 2.0), (0.8, 1.35), (),
                ("correction factor", "correction"), rule=_LAST),
)
# fmt: on

CHANNELS: dict[Channel, ChannelSpec] = {row.channel: row for row in _ROWS}

# What an Aggregate can carry: AFR sources arrive as lambda, so AFR rows are absent here.
CARRIED: tuple[Channel, ...] = tuple(row.channel for row in _ROWS if row.carried_as is None)
CARRIED_INDEX: dict[Channel, int] = {channel: i for i, channel in enumerate(CARRIED)}
