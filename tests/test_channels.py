"""The canonical table: one meaning for every name, none for names that say something else."""

import pytest

from dynoai_desktop.core.channels import CARRIED, CHANNELS, Channel, Cylinder
from dynoai_desktop.core.trust.names import display_name, key_of, parse_name
from dynoai_desktop.core.trust.scoring import read_channel, slot_of
from dynoai_desktop.core.units import WIRE_UNITS, Unit
from tests.trust_world import SYSTEM

C = Channel

# Names seen in the field and the unit code they came with (255: none).
SEEN = [
    (C.RPM, 8, "Engine RPM", "RPM", "Digital RPM 1", "Engine Speed", "EngSpeed (rpm)", "EngineRPM",
     "(PV) Engine Speed", "(Harley - ECU Type 22 SW Level 621) Engine Speed"),
    (C.RPM_2, 8, "Digital RPM 2"),
    (C.RPM_DRUM, 8, "Drum RPM", "Wheel RPM"),
    (C.AFR_FRONT, 11, "Air/Fuel Ratio 1", "AFR 1", "AFR Front", "AFR Meas F", "AFR_F", "WBO2 F",
     "(PV) WBO2 AFR Front", "measured afr f", "wb afr f", "o2_f", "LC1 Volts Petrol AFR",
     "Innovate AFR 1", "AFR1", "Cyl 1 AFR", "Wideband AFR 1"),
    (C.AFR_REAR, 11, "Air/Fuel Ratio 2", "AFR 2", "AFR Rear", "AFR Meas R", "AFR_R", "WBO2 R",
     "measured afr r", "o2_r", "LC2 Volts Petrol AFR", "LC2 Volts Petrol AFR2", "Innovate AFR 2"),
    (C.AFR_COMBINED, 11, "AFR", "Air/Fuel Ratio", "AFR Meas", "AFR Measured", "A/F ratio", "wbo2"),
    (C.LAMBDA_FRONT, 13, "Lambda 1", "Lambda Front", "lambda_f", "λ 1"),
    (C.LAMBDA_REAR, 13, "Lambda 2", "Lambda Rear", "lambda_r"),
    (C.AFR_CMD_FRONT, 11, "AFR Cmd F", "AFR Target F"),
    (C.AFR_CMD_REAR, 11, "AFR Cmd R", "AFR Target R"),
    (C.AFR_CMD, 11, "Requested AFR", "Desired AFR", "commanded afr"),
    (C.LAMBDA_CMD, 13, "Set Lambda", "Lambda Target"),
    (C.MAP, 7, "MAP kPa", "MAP", "MAP (kPa)", "Manifold Pressure",
     "(PV) Manifold Absolute Pressure", "Boost_kPa", "(PV) Manifold Absolute Pressur"),
    (C.BARO, 7, "Pressure", "Baro", "Barometric"),
    (C.TPS, 16, "TPS", "TP", "Throttle", "Throttle Position", "throttle (%)"),
    (C.IAT, 6, "IAT", "IAT F", "intake air temp", "Intake Air Temperature", "Air Temp",
     "inlet_temp"),
    (C.ECT, 6, "ECT", "ET", "Engine Temp", "Coolant Temp", "Water Temp"),
    (C.AMBIENT, 6, "Temperature 1", "Temperature 2"),
    (C.HUMIDITY, 16, "Humidity"),
    (C.TORQUE, 5, "Torque", "TQ", "Torque Drum 1", "Torque (uncorrected)",
     "Torque Drum 1 (uncorrected)", "(DWRT CPU) Torque", "(DWR CPU) Torque", "Torque_Nm"),
    (C.POWER, 4, "Power", "Horsepower", "HP", "BHP", "Power Drum 1", "Power (uncorrected)",
     "Power Drum 1 (uncorrected)", "(PV) Power"),
    (C.FORCE, 3, "Force", "Force 1", "Force Drum 1", "Force Drum 2"),
    (C.ACCEL, 10, "Acceleration"),
    (C.SPEED, 2, "Speed", "Speed 1", "VSS", "Vehicle Speed"),
    (C.DISTANCE, 1, "Distance", "Distance 1"),
    (C.SPARK_FRONT, 255, "Spark Adv F", "Advance F", "timing_f", "ign_f", "Spark Advance Front"),
    (C.SPARK_REAR, 255, "Spark Adv R", "Advance R", "timing_r", "ign_r"),
    (C.SPARK, 255, "Spark Timing"),
    (C.KNOCK_FRONT, 255, "Spark Knock F", "Knock F", "knock ret f", "Knock Retard Front"),
    (C.KNOCK_REAR, 255, "Spark Knock R", "Knock R"),
    (C.KNOCK, 255, "kr", "Knock Retard"),
    (C.VE_FRONT, 16, "VE Front", "VE F"),
    (C.VE_REAR, 255, "VE Rear ", "VE R"),
    (C.INJ_PW_FRONT, 255, "INJ PW F"),
    (C.INJ_PW_REAR, 255, "INJ PW R"),
    (C.VBATT, 14, "VBatt", "B+", "battery", "Battery Voltage", "Voltage 2"),
    (C.GEAR_RATIO, 9, "Gear Ratio"),
    (C.CORR_FACTOR, 255, "Correction Factor", "Correction"),
]  # fmt: skip

# Names that contain a known word, or part of one, and are something else.
SOMETHING_ELSE = [
    ("Exhaust 3", 11), ("Pickup 3", 8),
    ("Project Number", 255), ("Detector", 255), ("Mapping Index", 7), ("Chip Temp", 6),
    ("Fair Temperature", 6), ("Fuel Pressure", 7), ("Oil Pressure", 7), ("Vapor Pressure", 7),
    ("Oil Temp", 6), ("Target Throttle (%)", 16), ("Accel Position (%)", 16),
    ("Accel Enrichment", 255), ("Req Torque (Nm)", 255), ("Idle Set Speed", 8),
    ("Turbo RPM", 8), ("AFR Error", 11), ("Lambda Correction", 13), ("Air/Fuel Ratio 3", 11),
    ("Throttle Position Sensor Volta", 14), ("Boost (kPa)", 255), ("VE New Front", 255),
    ("Front Fuel Factor", 255), ("Twistgrip Position", 255), ("Speed 2", 2),
    ("Knock Sensor", 14), ("LC1 Volts Petrol AFR", 14), ("RPM", 7), ("MAP kPa", 8),
]  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "code", "name"),
    [(channel, code, name) for channel, code, *names in SEEN for name in names],
)
def test_every_name_seen_in_the_field_is_understood(channel, code, name) -> None:
    readings = read_channel(name, WIRE_UNITS.get(code, Unit.NONE))
    assert readings and readings[0].channel is channel
    assert readings[0].cap == 1.0, "only guessed from the unit"


@pytest.mark.parametrize(("name", "code"), SOMETHING_ELSE)
def test_a_word_inside_another_name_is_not_recognised(name, code) -> None:
    readings = read_channel(name, WIRE_UNITS.get(code, Unit.NONE))
    assert all(reading.cap < 0.5 for reading in readings)


@pytest.mark.parametrize(("name", "code"), SYSTEM)
def test_what_a_dyno_says_about_itself_means_nothing(name, code) -> None:
    assert read_channel(name, WIRE_UNITS.get(code, Unit.NONE)) == ()


def test_no_unit_is_worth_nothing_and_shared_units_stay_below_acceptance() -> None:
    (name_only,) = read_channel("Engine RPM", Unit.NONE)
    (both,) = read_channel("Engine RPM", Unit.RPM)
    (unit_only,) = read_channel("Quux", Unit.RPM)
    assert (name_only.points, both.points, unit_only.points) == (0.3, 0.8, 0.5)
    assert read_channel("Quux", Unit.NONE) == ()
    for unit in (Unit.CELSIUS, Unit.KILOPASCAL, Unit.PERCENT):
        assert {reading.cap for reading in read_channel("Quux", unit)} == {0.45}


def test_the_unit_decides_between_afr_and_lambda_whatever_the_name_says() -> None:
    assert read_channel("Air/Fuel Ratio 1", Unit.LAMBDA)[0].channel is C.LAMBDA_FRONT
    assert read_channel("Lambda 2", Unit.AFR)[0].channel is C.AFR_REAR


def test_no_name_stands_for_two_channels() -> None:
    owners: dict[str, Channel] = {}
    for spec in CHANNELS.values():
        for alias in spec.aliases:
            assert owners.setdefault(key_of(alias), spec.channel) is spec.channel, alias


@pytest.mark.parametrize("spec", CHANNELS.values(), ids=lambda spec: spec.channel.value)
def test_a_row_agrees_with_itself(spec) -> None:
    assert spec.aliases and spec.title
    assert all(WIRE_UNITS[code] is spec.unit for code in spec.wire_codes)
    if spec.hard and spec.warn:
        assert spec.hard[0] <= spec.warn[0] < spec.warn[1] <= spec.hard[1]
    if spec.carried_as:
        target = CHANNELS[spec.carried_as]
        assert spec.unit is Unit.AFR and target.unit is Unit.LAMBDA
        assert spec.cylinder is target.cylinder
        assert slot_of(spec.channel) in CARRIED


def test_both_cylinders_have_the_same_rows() -> None:
    sided = {Cylinder.FRONT: [], Cylinder.REAR: []}
    for spec in CHANNELS.values():
        if spec.cylinder in sided:
            sided[spec.cylinder].append((spec.unit, spec.hard, spec.warn))
    assert sided[Cylinder.FRONT] == sided[Cylinder.REAR]


def test_names_are_shown_as_text_and_never_interpreted() -> None:
    name = parse_name("<b>RPM</b>\x07\u202e")
    assert name.text == "<b>RPM</b>��"
    assert "\n" not in display_name("a\nb")
