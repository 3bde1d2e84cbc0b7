"""The real recordings, held against what is known about each of them."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pytest

from dynoai_desktop.capture.readers import inspect_log, read_log
from dynoai_desktop.capture.readers.mlg_blocks import decode
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.logs import Code, LogTable, UnitSource
from dynoai_desktop.core.units import Unit

CPU, ATMO = "(DWRT CPU)", "(DWRT ATMO)"
ECU, PV = "(Harley - ECU Type 14 SW Level 141)", "(PV)"


@pytest.fixture(scope="module")
def log(shared_data):
    """Read a real log by name, once."""
    return lru_cache(maxsize=None)(lambda name: read_log(shared_data / "real" / name))


def values(table: LogTable, key: str):
    return table.column(key).values


def extremes(table: LogTable, key: str) -> tuple[float, float]:
    column = table.column(key)
    return column.minimum, column.maximum


def message(table: LogTable, code: Code) -> str:
    return " ".join(w.message for w in table.warnings if w.code is code)


PULLS = {
    "a": ("harley_pull_a.csv", 124, 106, 6.15, 1438),
    "b": ("harley_pull_b.txt", 95, 105, 4.70, 1063),
    "c": ("harley_pull_c.txt", 74, 105, 3.65, 969),
}


@pytest.fixture(params=sorted(PULLS))
def pull(request, log):
    """One of the three dyno pulls with what is known about it."""
    return request.param, log(PULLS[request.param][0]), PULLS[request.param]


class TestHarleyPulls:
    def test_rows_columns_time_and_empty_cells(self, pull):
        _, table, (_, rows, columns, end_s, empty) = pull
        assert table.format == "dynojet"
        assert (table.rows, len(table.columns)) == (rows, columns)
        assert table.time_s[0] == 0
        assert table.time_s[-1] == pytest.approx(end_s)
        assert np.diff(table.time_s) == pytest.approx(0.05)
        assert sum(table.rows - column.count for column in table.columns) == empty

    @pytest.mark.parametrize(
        ("pull_name", "rows", "span", "rpm"),
        [
            ("a", 118, (0.25, 6.10), (2.385, 5.949)),
            ("b", 87, (0.20, 4.50), (2.825, 5.976)),
            ("c", 66, (0.20, 3.45), (3.598, 6.038)),
        ],
    )
    def test_the_ecu_speaks_between_its_first_and_last_tick(self, log, pull_name, rows, span, rpm):
        table = log(PULLS[pull_name][0])
        column = table.column(f"{ECU} Engine Speed")
        heard = table.time_s[np.isfinite(column.values)]
        assert column.count == rows
        assert (heard[0], heard[-1]) == pytest.approx(span)
        assert (column.minimum, column.maximum) == rpm

    def test_engine_speed_is_in_thousands_and_becomes_rpm(self, pull):
        name, table, _ = pull
        column = table.channels[Channel.RPM]
        assert column.unit is Unit.KILO_RPM
        assert column.unit_source is UnitSource.PLAUSIBILITY
        assert Code.RPM_IN_THOUSANDS in table.codes()
        top = {"a": 5949, "b": 5976, "c": 6038}[name]
        assert np.nanmax(table.series(Channel.RPM)) == pytest.approx(top)

    def test_a_pickup_that_reads_noise_is_not_the_engine_speed(self, log):
        table = log("harley_pull_a.csv")
        assert table.column(f"{CPU} Engine RPM").count == 55
        assert extremes(table, f"{CPU} Engine RPM") == (0.055, 3.669)
        assert table.column(f"{CPU} Engine RPM").canonical is None
        assert table.channels[Channel.RPM].device == ECU.strip("()")
        assert "55 rows, 55 to 3,669 rpm" in message(table, Code.RPM_NOT_USABLE)

    @pytest.mark.parametrize("name", ["harley_pull_b.txt", "harley_pull_c.txt"])
    def test_a_pickup_that_agrees_with_the_ecu_is_kept(self, log, name):
        table = log(name)
        assert Code.RPM_NOT_USABLE not in table.codes()
        np.testing.assert_array_equal(
            values(table, f"{CPU} Engine RPM"), values(table, f"{ECU} Engine Speed")
        )

    def test_torque_made_from_noise_is_not_used_for_anything(self, log):
        table = log("harley_pull_a.csv")
        assert table.column(f"{CPU} Torque").maximum == pytest.approx(8980, abs=1)
        assert Channel.TORQUE not in table.channels
        assert Channel.GEAR_RATIO not in table.channels
        assert "Power is not affected" in message(table, Code.TORQUE_NOT_USABLE)

    def test_torque_of_the_good_pulls_is_torque(self, log):
        for name, peak in (("harley_pull_b.txt", 105.97), ("harley_pull_c.txt", 104.49)):
            table = log(name)
            column = table.channels[Channel.TORQUE]
            assert (column.name, column.unit) == ("Torque", Unit.POUND_FOOT)
            assert column.maximum == pytest.approx(peak, abs=0.005)

    @pytest.mark.parametrize(
        ("pull_name", "corrected", "uncorrected", "at_s", "factor"),
        [
            ("a", 88.03, 90.11, 4.55, 0.977),
            ("b", 95.09, 96.40, 3.75, 0.986),
            ("c", 95.16, 96.47, 2.50, 0.986),
        ],
    )
    def test_peak_power(self, log, pull_name, corrected, uncorrected, at_s, factor):
        table = log(PULLS[pull_name][0])
        power = values(table, f"{CPU} Power")
        assert np.nanmax(power) == pytest.approx(corrected, abs=0.005)
        assert table.time_s[np.nanargmax(power)] == pytest.approx(at_s)
        assert table.column(f"{CPU} Power (uncorrected)").maximum == pytest.approx(
            uncorrected, abs=0.005
        )
        assert extremes(table, f"{CPU} Correction Factor") == (factor, factor)
        assert np.nanmax(table.series(Channel.POWER)) == pytest.approx(corrected * 0.7457, rel=1e-4)

    def test_weather_and_its_units(self, pull):
        name, table, _ = pull
        humidity, fahrenheit = {"a": (20, 66.2), "b": (16.7, 74.4), "c": (16.9, 74.4)}[name]
        assert table.column(f"{ATMO} Humidity").maximum == pytest.approx(humidity, abs=0.1)
        assert table.column(f"{ATMO} Pressure").maximum == pytest.approx(100.39, abs=0.01)
        assert table.column(f"{ATMO} Temperature 1").maximum == pytest.approx(fahrenheit, abs=0.05)
        ambient = table.series(Channel.AMBIENT)
        assert np.nanmax(ambient) == pytest.approx((fahrenheit - 32) / 1.8, abs=0.05)
        assert table.channels[Channel.BARO].unit is Unit.KILOPASCAL

    def test_the_identity_of_force_speed_and_power_confirms_the_units(self, pull):
        _, table, _ = pull
        product = values(table, f"{CPU} Force") * values(table, f"{CPU} Speed") / 375
        power = values(table, f"{CPU} Power (uncorrected)")
        inside = np.flatnonzero(np.isfinite(product) & np.isfinite(power))[5:-5]
        assert np.max(np.abs(product[inside] - power[inside])) < 0.2
        assert Code.UNIT_GUESSED not in table.codes()
        assert table.channels[Channel.SPEED].unit is Unit.MPH
        assert table.channels[Channel.FORCE].unit is Unit.LBF

    def test_gear_ratio_is_rpm_for_each_mile_an_hour(self, log):
        column = log("harley_pull_b.txt").column(f"{CPU} Gear Ratio")
        assert column.unit is Unit.RPM_PER_MPH
        assert np.nanmedian(column.values) == pytest.approx(51.2, abs=0.5)

    def test_injector_time_in_seconds_from_the_tuner_and_milliseconds_from_the_ecu(self, pull):
        name, table, _ = pull
        front, rear = {"a": (19.3, 21.1), "b": (20.0, 20.0), "c": (18.8, 19.3)}[name]
        assert table.column(f"{PV} Injector Time Front").unit is Unit.SECOND
        assert np.nanmax(table.series(Channel.INJ_PW_FRONT)) == pytest.approx(front, abs=0.06)
        assert np.nanmax(table.series(Channel.INJ_PW_REAR)) == pytest.approx(rear, abs=0.06)
        assert table.channels[Channel.INJ_PW_FRONT].device == ECU.strip("()")

    def test_a_wideband_at_its_rail_is_reported_with_its_rows(self, log):
        table = log("harley_pull_a.csv")
        column = table.column(f"{CPU} LC2 Volts Petrol AFR2")
        assert (column.count, int(np.sum(column.values == 22.39))) == (121, 47)
        assert column.minimum == pytest.approx(15.2, abs=0.05)
        assert column.rails == (22.39,)
        assert "47 of 121 rows at 22.39" in message(table, Code.RAILED_WIDEBAND)

    @pytest.mark.parametrize(
        ("name", "low", "high"),
        [("harley_pull_b.txt", 12.09, 13.40), ("harley_pull_c.txt", 11.89, 13.34)],
    )
    def test_the_live_wideband_is_the_rear_mixture(self, log, name, low, high):
        table = log(name)
        column = table.channels[Channel.AFR_REAR]
        assert column.name == "LC2 Volts Petrol AFR2"
        assert (column.minimum, column.maximum) == pytest.approx((low, high), abs=0.005)
        assert column.rails == ()

    def test_absent_widebands_are_nobodys_mixture(self, pull):
        name, table, _ = pull
        sentinel = 5.1 if name == "a" else 0.0
        for side in ("Front", "Rear"):
            column = table.column(f"{ECU} WBO2 AFR {side}")
            assert (column.minimum, column.maximum) == (sentinel, sentinel)
            assert column.rails == (sentinel,)
        assert table.column(f"{CPU} LC1 Volts Petrol AFR").rails[0] == pytest.approx(
            7.38, abs=0.005
        )
        assert Channel.AFR_FRONT not in table.channels
        assert Channel.LAMBDA_FRONT not in table.channels
        assert "LC1 Volts Petrol AFR" in message(table, Code.RAILED_WIDEBAND)

    @pytest.mark.parametrize(
        ("pull_name", "channel", "low", "high"),
        [
            ("a", Channel.MAP, 17.4, 102.6),
            ("b", Channel.MAP, 35.7, 102.6),
            ("c", Channel.MAP, 40.5, 100.9),
            ("a", Channel.TPS, 2.4, 100),
            ("b", Channel.TPS, 7.7, 100),
            ("c", Channel.TPS, 14.2, 100),
            ("a", Channel.SPARK_FRONT, 22.0, 35.8),
            ("b", Channel.SPARK_FRONT, 28.1, 40.5),
            ("c", Channel.SPARK_FRONT, 31.3, 46.0),
            ("a", Channel.KNOCK_FRONT, 0, 0),
            ("b", Channel.KNOCK_REAR, 0, 0),
        ],
    )
    def test_ranges(self, log, pull_name, channel, low, high):
        series = log(PULLS[pull_name][0]).series(channel)
        assert (np.nanmin(series), np.nanmax(series)) == pytest.approx((low, high), abs=0.06)

    def test_speed_range(self, pull):
        name, table, _ = pull
        low, high = {"a": (45.3, 117.3), "b": (54.4, 116.9), "c": (68.9, 117.5)}[name]
        assert extremes(table, f"{CPU} Speed") == pytest.approx((low, high), abs=0.05)

    def test_lines_drawn_between_ticks_are_reported_with_the_longest(self, pull):
        name, table, _ = pull
        longest = {"a": 2.15, "b": 0.60, "c": 0.60}[name]
        said = message(table, Code.INTERPOLATED)
        assert f"the longest {longest:.2f} s" in said
        assert ECU in said and PV in said
        assert ATMO not in said

    def test_each_row_knows_how_long_the_line_is_it_lies_on(self, log):
        table = log("harley_pull_a.csv")
        span = table.fill_span_s(table.channels[Channel.RPM])
        before, steady, drawn, after = (span[round(t / 0.05)] for t in (0.0, 1.2, 4.0, 6.15))
        assert np.isnan(before) and np.isnan(after)
        assert drawn == pytest.approx(2.10, abs=0.06)  # the long line from 3.15 to 5.25 s
        assert 0 <= steady <= 0.3
        drum = table.fill_span_s(table.channels[Channel.FORCE])
        assert np.nanmax(drum) == 0

    def test_the_tuner_repeats_the_ecu_and_only_one_copy_is_used(self, pull):
        _, table, _ = pull
        assert "come from more than one device" in message(table, Code.COPIED_CHANNEL)
        assert table.channels[Channel.MAP].device == ECU.strip("()")
        assert table.channels[Channel.VBATT].device == "PV"

    def test_copies_under_other_names_are_named(self, log):
        said = message(log("harley_pull_b.txt"), Code.COPIED_CHANNEL)
        for pair in (
            "“Distance 1” of “Distance”",
            "“Force Drum 1” of “Force”",
            "“User Analog 1” of",
        ):
            assert pair in said

    def test_the_nameless_and_the_unused_inputs_are_empty(self, pull):
        _, table, _ = pull
        (empty,) = [w for w in table.warnings if w.code is Code.EMPTY_CHANNEL]
        assert set(empty.columns) == {
            f"{CPU} {'?' * 64}",
            f"{CPU} User Analog 3",
            f"{CPU} User Analog 4",
        }
        (still,) = [w for w in table.warnings if w.code is Code.CONSTANT_CHANNEL]
        assert 32 <= len(still.columns) <= 38

    def test_commanded_mixture_is_the_ecus_afr(self, pull):
        _, table, _ = pull
        column = table.channels[Channel.AFR_CMD]
        assert column.name == "Desired Air/Fuel"
        assert column.maximum <= 14.7
        assert Channel.LAMBDA_CMD not in table.channels  # the tuner's is zero from end to end


class TestJetdriveCapture:
    @pytest.fixture
    def table(self, log):
        return log("jetdrive_capture_1.csv")

    def test_size_and_time(self, table):
        assert table.format == "jetdrive_capture"
        assert (table.rows, len(table.columns)) == (402, 38)
        assert table.duration_s == pytest.approx(109.8, abs=0.05)
        assert table.info["started"] == "2025-12-18 22:56:53.347"
        assert table.time.median_step_s == pytest.approx(0.27, abs=0.005)
        assert table.time.min_step_s == pytest.approx(0.26, abs=0.005)
        assert table.time.max_step_s == pytest.approx(0.64, abs=0.005)

    def test_held_values_are_counted(self, table):
        said = message(table, Code.HELD_VALUES)
        assert "383 of 402 rows repeat the row before" in said
        assert "only 19 different readings" in said
        column = table.channels[Channel.RPM]
        assert column.ticks.size == 19
        assert np.nanmax(table.fill_span_s(column)) > 5

    def test_engine_speed_is_not_in_thousands_here(self, table):
        assert table.channels[Channel.RPM].unit is Unit.RPM
        assert extremes(table, "Engine Speed") == (0, 1206)
        assert Code.RPM_IN_THOUSANDS not in table.codes()

    def test_desired_lambda_holds_afr(self, table):
        column = table.column("Desired Lambda")
        assert column.unit is Unit.AFR
        assert column.canonical is Channel.AFR_CMD
        assert (column.minimum, column.maximum) == pytest.approx((14.29, 14.69), abs=0.005)
        assert "“Desired Lambda” holds AFR" in message(table, Code.AFR_IN_LAMBDA_NAMED_CHANNEL)

    def test_temperature_is_celsius_as_on_the_wire(self, table):
        column = table.channels[Channel.ECT]
        assert column.unit is Unit.CELSIUS
        assert (column.minimum, column.maximum) == pytest.approx((81, 89), abs=0.2)

    def test_zero_is_a_value(self, table):
        assert values(table, "Engine Speed")[0] == 0
        assert values(table, "Battery Voltage")[0] == 1.0

    def test_names_cut_by_the_network_and_channels_without_a_name(self, table):
        (cut,) = [w for w in table.warnings if w.code is Code.NAME_CUT]
        assert cut.columns == (
            "Idle Air Control Motor Positio",
            "Throttle Position Sensor Volta",
        )
        (unnamed,) = [w for w in table.warnings if w.code is Code.UNNAMED_CHANNEL]
        assert len(unnamed.columns) == 12
        assert all(table.column(key).canonical is None for key in unnamed.columns)

    def test_a_speed_without_a_unit_is_shown_and_not_used(self, table):
        column = table.channels[Channel.SPEED]
        assert (column.unit, column.unit_source) == (Unit.NONE, UnitSource.UNKNOWN)
        assert table.series(Channel.SPEED) is None
        assert "Vehicle Speed" in message(table, Code.UNIT_UNKNOWN)

    @pytest.mark.parametrize(
        ("key", "low", "high"),
        [
            ("Battery Voltage", 1.0, 14.1),
            ("Idle Set Speed", 1000, 1408),
            ("Idle Air Control Motor Positio", 46, 120),
            ("Injector Time Front", 0, 5.17),
            ("Throttle Position", 5, 12),
            ("Spark Advance Front", 0, 21),
            ("VE Front", 80, 89),
            ("chan_38", 27, 94.5),
        ],
    )
    def test_ranges(self, table, key, low, high):
        assert extremes(table, key) == pytest.approx((low, high), abs=0.6)


class TestSpeeduinoDrive:
    @pytest.fixture
    def table(self, log):
        return log("speeduino_drive.mlg")

    def test_records_markers_and_time(self, table):
        assert (table.format, table.rows, len(table.columns)) == ("mlg", 27_616, 67)
        assert len(table.markers) == 24
        assert (table.time_s[0], table.time_s[-1]) == pytest.approx((0, 3130.06), abs=0.005)
        assert table.time.median_step_s == pytest.approx(0.069, abs=0.0005)
        assert Code.CHECKSUM_ERRORS not in table.codes()
        assert "Speeduino 2020.05" in table.info["source"]

    def test_gaps_in_time_are_counted(self, table):
        assert "13 gaps above 1 s" in message(table, Code.TIME_GAP)
        assert "the largest 710.9 and 421.4 s" in message(table, Code.TIME_GAP)

    def test_markers_are_in_place_cut_and_several_at_one_position(self, table):
        words = [m.text for m in table.markers]
        assert words[0].startswith("MARK 000 - Going Offline")
        assert any("RESET" in text for text in words)
        assert max(len(text.encode()) for text in words) == 50
        rows = [marker.row for marker in table.markers]
        assert max(rows.count(row) for row in rows) == 3
        assert Code.MARKER_CUT in table.codes()
        for marker in table.markers:
            assert marker.time_s == table.time_s[marker.row - 1]

    @pytest.mark.parametrize(
        ("key", "low", "high"),
        [
            ("RPM", 0, 5623),
            ("MAP", 13, 111),
            ("TPS", 0, 100),
            ("AFR", 7.4, 22.3),
            ("AFR Target", 0, 20.1),
            ("CLT", 85, 95),
            ("IAT", 21, 21),
            ("Current VE", 32, 170),
            ("PW", 0, 33.7),
            ("Advance", 0, 30),
            ("Gego", 85, 110),
        ],
    )
    def test_ranges(self, table, key, low, high):
        assert extremes(table, key) == pytest.approx((low, high), abs=0.05)

    def test_mixture_at_its_rail(self, table):
        assert int(np.sum(values(table, "AFR") == 7.4)) == 7932
        assert "7,932 of 27,616 rows at 7.4" in message(table, Code.RAILED_WIDEBAND)

    def test_the_engine_stands_still_in_part_of_the_log(self, table):
        assert int(np.sum(table.series(Channel.RPM) == 0)) == 5843

    def test_a_byte_that_wraps_is_reported(self, table):
        volts = values(table, "Battery V")
        # The scale is stored as float32, a hair above 0.1, so 16.0 V counts as above 16.
        wrong = (volts < 8) | (volts >= 16)
        assert int(wrong.sum()) == 4420
        assert int(np.sum(np.diff(wrong.astype(int)) == 1) + wrong[0]) == 178
        assert "“Battery V”" in message(table, Code.VALUE_WRAPS)
        assert "“SecL”" in message(table, Code.VALUE_WRAPS)

    def test_switches_stored_as_a_number_are_named(self, table):
        (warning,) = [w for w in table.warnings if w.code is Code.BIT_FIELD]
        assert warning.columns == ("Engine",)

    def test_what_the_ecu_does_not_have_is_no_channel(self, table):
        (still,) = [w for w in table.warnings if w.code is Code.CONSTANT_CHANNEL]
        unused = {f"Aux{i}" for i in range(1, 16)} | {"Power", "Torque", "Vehicle Speed"}
        assert unused <= set(still.columns)
        for key in unused:
            assert extremes(table, key) == (0, 0)
        for channel in (Channel.POWER, Channel.TORQUE):
            assert channel not in table.channels

    def test_lambda_stands_for_the_sensor_since_it_needs_no_fuel(self, table):
        assert table.channels[Channel.LAMBDA].header == "Lambda"
        assert Channel.AFR_COMBINED not in table.channels


class TestSpeeduinoSmall:
    @pytest.mark.parametrize(
        ("name", "fields", "records", "markers", "end_s"),
        [("short", 71, 66, 0, 2.288), ("markers", 69, 43, 9, 1.435)],
    )
    def test_size(self, log, name, fields, records, markers, end_s):
        table = log(f"speeduino_{name}.mlg")
        assert (len(table.columns), table.rows, len(table.markers)) == (fields, records, markers)
        assert table.time_s[-1] == pytest.approx(end_s, abs=0.0005)

    def test_a_log_without_records_lists_its_fields(self, log):
        table = log("speeduino_blank.mlg")
        assert (len(table.columns), table.rows) == (71, 0)
        assert table.codes() == (Code.NO_ROWS,)
        assert table.duration_s is None

    def test_all_raw_values_agree_with_another_program(self, shared_data):
        agreed = 0
        for name in ("short", "markers", "blank"):
            stem = shared_data / "real" / f"speeduino_{name}"
            log = decode(stem.with_suffix(".mlg").read_bytes())
            other = json.loads(stem.with_suffix(".raw.json").read_text())
            records = [r for r in other["records"] if r["type"] == "field"]
            assert log.ticks.tolist() == [r["timestamp"] for r in records]
            assert len(log.markers) == len(other["records"]) - len(records)
            for field, raw, theirs in zip(log.fields, log.raw, other["fields"], strict=True):
                assert field.name == theirs["name"]
                assert field.units == theirs["units"]
                assert (field.scale, field.transform) == (theirs["scale"], theirs["transform"])
                expected = [record[field.name] for record in records]
                assert raw.astype(np.float64).tolist() == expected
                agreed += len(expected)
        assert agreed == 7653

    def test_raw_values_become_physical_ones(self, log, shared_data):
        table = log("speeduino_short.mlg")
        raw = json.loads((shared_data / "real" / "speeduino_short.raw.json").read_text())
        first = next(r for r in raw["records"] if r["type"] == "field")
        assert values(table, "AFR")[0] == pytest.approx(first["AFR"] * 0.1)
        assert values(table, "PW")[0] == pytest.approx(first["PW"] * 0.001)


class TestAccessport:
    @pytest.fixture
    def table(self, log):
        return log("accessport_drive.csv")

    def test_size_and_time(self, table):
        assert (table.format, table.rows, len(table.columns)) == ("accessport", 18_033, 17)
        assert table.duration_s == pytest.approx(1352.76, abs=0.005)
        assert table.time.median_step_s == pytest.approx(0.076, abs=0.0005)
        assert table.time.min_step_s == pytest.approx(0.014, abs=0.0005)
        assert table.time.max_step_s == pytest.approx(0.115, abs=0.0005)
        assert table.time.unit_source is UnitSource.HEADER

    @pytest.mark.parametrize(
        ("key", "unit", "low", "high"),
        [
            ("RPM (RPM)", Unit.RPM, 652, 5916),
            ("Man Abs Press (kPa)", Unit.KILOPASCAL, 22.96, 195.6),
            ("Boost (kPa)", Unit.KILOPASCAL, -76.95, 95.35),
            ("Throttle Pos (%)", Unit.PERCENT, 2.4, 100),
            ("Accel Position (%)", Unit.PERCENT, 0, 100),
            ("Req Torque (Nm)", Unit.NEWTON_METRE, 0, 350),
            ("Gear Position (Gear)", Unit.NONE, 0, 6),
            ("Vehicle Speed (kph)", Unit.KMH, 0, 138),
            ("Wastegate Duty (%)", Unit.PERCENT, 0, 40.39),
            ("Coolant Temp (C)", Unit.CELSIUS, 84, 95),
            ("Intake Temp (C)", Unit.CELSIUS, 32, 62),
        ],
    )
    def test_units_are_those_of_the_header(self, table, key, unit, low, high):
        column = table.column(key)
        assert column.unit is unit
        assert (column.minimum, column.maximum) == pytest.approx((low, high), abs=0.05)

    def test_boost_is_not_manifold_pressure_and_a_request_is_not_torque(self, table):
        assert table.channels[Channel.MAP].name == "Man Abs Press"
        assert Channel.TORQUE not in table.channels
        assert table.channels[Channel.TPS].name == "Throttle Pos"

    def test_full_throttle_rows(self, table):
        open_wide = table.series(Channel.TPS) > 90
        rpm = table.series(Channel.RPM)[open_wide]
        assert rpm.size == 101
        assert (rpm.min(), rpm.max()) == (3379, 5690)

    def test_the_last_head_describes_the_device(self, table):
        assert table.info["device"].startswith("AP3-SUB-004")
        assert table.info["vehicle"].startswith("2020 USDM WRX STI")
        assert Code.INFO_COLUMN in table.codes()
        assert extremes(table, table.columns[-1].key) == (0, 0)

    def test_channels_are_polled_one_after_another(self, table):
        said = message(table, Code.CHANNELS_POLLED)
        assert "up to 29 kPa" in said
        assert Code.TIME_IRREGULAR not in table.codes() or table.time.max_step_s < 0.2

    def test_what_never_changes_is_named(self, table):
        (still,) = [w for w in table.warnings if w.code is Code.CONSTANT_CHANNEL]
        assert {"Fuel Press Final (kPa)", "Fuel Press Raw (kPa)", "Baro Pressure (kPa)"} <= set(
            still.columns
        )

    def test_there_is_no_mixture_and_nobody_invents_one(self, table):
        assert Code.NO_MIXTURE in table.codes()
        assert not {c for c in table.channels if "afr" in c.value or "lambda" in c.value}


def test_inspect_gives_the_figures_of_the_file(shared_data):
    document = inspect_log(shared_data / "real" / "harley_pull_b.txt")
    assert (document["format"], document["rows"]) == ("dynojet", 95)
    assert document["duration_s"] == pytest.approx(4.7)
    rpm = next(c for c in document["channels"] if c["canonical"] == "rpm")
    assert (rpm["count"], rpm["min"], rpm["max"]) == (87, 2.825, 5.976)
    assert rpm["unit"] == "rpm×1000"
    assert "rpm_in_thousands" in {w["code"] for w in document["warnings"]}


def test_a_table_of_factors_is_read_as_what_it_is(log):
    table = log("harley_ve_cell_corrections.csv")
    assert (table.rows, len(table.columns)) == (26, 11)
    assert extremes(table, "corr_avg") == (0.8133, 1.0071)
    assert Code.NO_TIME in table.codes()
