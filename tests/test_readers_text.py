"""Text logs as people have them: every delimiter, every decimal mark, and everything amiss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.capture.readers import ReaderError, delimited, read_log
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.logs import Code, UnitSource
from dynoai_desktop.core.units import Unit
from tests.readers_world import text_log, write


@pytest.fixture
def read(tmp_path):
    """Write a text log and read it."""

    def _read(text, name="log.csv"):
        return read_log(write(tmp_path, name, text))

    return _read


def lines(count=40, **columns):
    """Rows of a log: each column is a function of the row number."""
    return [",".join(str(make(i)) for make in columns.values()) for i in range(count)]


def said(table, code):
    return " ".join(w.message for w in table.warnings if w.code is code)


class TestHowItIsWritten:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_delimiters_and_line_ends(self, read, delimiter, end):
        rows = [delimiter.join((f"{i * 0.1:.1f}", str(900 + i), "13.2")) for i in range(5)]
        table = read(text_log(delimiter.join(("Time", "RPM", "AFR")), rows, end))
        assert table.series(Channel.RPM).tolist() == [900, 901, 902, 903, 904]
        assert table.time_s == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])

    def test_decimal_commas(self, read):
        table = read("Zeit;Drehzahl\nTime;RPM;AFR\n0,05;900,5;13,25\n0,10;1.901,5;13,5\n")
        assert table.series(Channel.RPM).tolist() == [900.5, 1901.5]
        assert table.series(Channel.AFR_COMBINED).tolist() == [13.25, 13.5]

    def test_decimal_commas_in_quotes_between_commas(self, read):
        table = read('Time,RPM,AFR\n"0,05","900,5","13,25"\n"0,10","901,5","13,5"\n')
        assert table.series(Channel.RPM).tolist() == [900.5, 901.5]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
    def test_encodings(self, read, encoding):
        table = read("Time\tRPM\tIAT (°C)\n0.0\t900\t31\n0.1\t901\t32\n".encode(encoding))
        assert table.channels[Channel.IAT].unit is Unit.CELSIUS
        assert table.series(Channel.IAT).tolist() == [31, 32]

    def test_words_in_an_old_encoding_far_behind_the_header(self, read):
        rows = [f"{i * 0.1:.1f},{900 + i},fr\xfch" for i in range(20_000)]
        table = read("\n".join(["Time,RPM,Note", *rows, ""]).encode("cp1252"))
        assert table.rows == 20_000
        assert table.series(Channel.RPM)[-1] == 20_899

    def test_a_preamble_and_a_row_of_units(self, read):
        table = read(
            'Dyno run 12\n"Customer, bike"\n\nTime\tRPM\tMAP\tCLT\n s\trpm\tkPa\t°F\n'
            "0.0\t900\t35\t180\n0.1\t910\t36\t181\n"
        )
        assert table.channels[Channel.MAP].unit is Unit.KILOPASCAL
        assert table.channels[Channel.MAP].unit_source is UnitSource.HEADER
        assert table.series(Channel.ECT) == pytest.approx([82.22, 82.78], abs=0.01)
        assert table.info == {"line 1": "Dyno run 12", "line 2": '"Customer, bike"'}

    def test_line_numbers_count_the_preamble(self, read):
        table = read("A preamble\n\nTime,RPM\n0.0,900\n0.1,oops\n0.2,902\n")
        assert "in line 5" in said(table, Code.TEXT_IN_NUMBERS)

    def test_lines_of_words_between_rows_become_markers(self, read):
        table = read("Time\tRPM\n0.0\t900\nMARK 001 knock heard\n0.1\t910\n")
        (marker,) = table.markers
        assert (marker.text, marker.row, marker.time_s) == ("MARK 001 knock heard", 1, 0.0)
        assert table.rows == 2

    def test_the_guard_against_formulas_is_taken_off(self, read):
        table = read("Time,RPM,Spark Advance\n0.0,900,'-2.5\n0.1,910,'+3\n")
        assert table.series(Channel.SPARK).tolist() == [-2.5, 3]


class TestWhatIsAmiss:
    def test_a_header_without_rows_is_refused(self, read):
        with pytest.raises(ReaderError, match="header of 3 channels and no rows"):
            read("Time,RPM,AFR\n")

    def test_prose_is_refused(self, read):
        with pytest.raises(ReaderError, match="holds no table"):
            read("Dear tuner,\nplease find the log elsewhere, thanks\n")

    def test_numbers_without_names_are_refused(self, read):
        with pytest.raises(ReaderError, match="a row of channel names"):
            read("0.0,900\n0.1,910\n0.2,920\n")

    def test_short_rows_are_kept_and_their_missing_cells_stay_missing(self, read):
        table = read("Time,RPM,AFR\n0.0,900,13\n0.1,910\n0.2,920,13.2\n")
        assert table.rows == 3
        assert np.isnan(table.series(Channel.AFR_COMBINED)[1])
        assert "1 row is shorter than the header (first in line 3)" in said(table, Code.RAGGED_ROWS)

    def test_long_rows_are_left_out_since_nobody_knows_which_cell_is_which(self, read):
        table = read("Time,RPM,AFR\n0.0,900,13\n0.1,9,10,13\n0.2,920,13.2\n")
        assert table.series(Channel.RPM).tolist() == [900, 920]
        assert "1 row is longer than the header (first in line 3)" in said(table, Code.RAGGED_ROWS)

    def test_a_file_whose_rows_do_not_fit_its_header_is_refused(self, read):
        good = "\n".join(f"{i},900" for i in range(300))
        bad = "\n".join(f"{i},9,0,0" for i in range(600))
        with pytest.raises(ReaderError, match="more cells than the 2 names in line 1"):
            read(f"Time,RPM\n{good}\n{bad}\n")

    def test_a_last_row_cut_in_the_middle_is_left_out(self, read):
        table = read("Time,RPM,AFR\n0.0,900,13\n0.1,910,13.1\n0.2,92")
        assert table.series(Channel.RPM).tolist() == [900, 910]
        assert "The last row is cut off" in said(table, Code.RAGGED_ROWS)

    def test_a_comma_at_the_end_of_every_row_is_nothing_special(self, read):
        table = read("Time,RPM,AFR\n0.0,900,13,\n0.1,910,13.1,\n")
        assert table.rows == 2
        assert Code.RAGGED_ROWS not in table.codes()
        assert len(table.columns) == 3

    def test_blank_lines_are_no_rows(self, read):
        table = read("Time,RPM\n\n0.0,900\n\n\n0.1,910\r\n\r\n0.2,920\n")
        assert table.rows == 3
        assert Code.RAGGED_ROWS not in table.codes()

    def test_repeated_headers_are_all_kept_and_the_first_is_used(self, read):
        table = read("Time,RPM,RPM,AFR\n0.0,900,1,13\n0.1,910,2,13.5\n")
        assert [c.key for c in table.columns] == ["Time", "RPM", "RPM #2", "AFR"]
        assert table.series(Channel.RPM).tolist() == [900, 910]
        assert Code.DUPLICATE_HEADER in table.codes()
        assert Code.AMBIGUOUS_CHANNEL not in table.codes()

    def test_words_among_numbers_are_missing_and_counted(self, read):
        table = read("Time,RPM,AFR\n0.0,900,13\n0.1,OFF,lean\n0.2,920,13.2\n")
        assert np.isnan(table.series(Channel.RPM)[1])
        text = said(table, Code.TEXT_IN_NUMBERS)
        assert "“RPM” has 1 cell that is no number" in text
        assert "first “lean” in line 3" in text

    @pytest.mark.parametrize("word", ["", "-", "--", "nan", "NaN", "null", "None", "N/A", "#N/A"])
    def test_words_for_no_value_are_missing_without_a_warning(self, read, word):
        table = read(f"Time,RPM,AFR\n0.0,900,13\n0.1,{word},13.1\n0.2,920,13.2\n")
        assert np.isnan(table.series(Channel.RPM)[1])
        if word != "#N/A":
            assert Code.TEXT_IN_NUMBERS not in table.codes()

    def test_zero_stays_zero_and_missing_stays_missing(self, read):
        table = read("Time,RPM,TPS\n0.0,900,0\n0.1,910,\n0.2,920,0\n")
        assert table.series(Channel.TPS)[[0, 2]].tolist() == [0, 0]
        assert np.isnan(table.series(Channel.TPS)[1])
        assert table.channels[Channel.TPS].count == 2

    def test_infinity_is_missing(self, read):
        table = read("Time,RPM,AFR\n0.0,900,inf\n0.1,910,13.1\n0.2,920,-inf\n")
        assert table.channels[Channel.AFR_COMBINED].maximum == 13.1
        assert Code.NON_FINITE in table.codes()

    def test_time_that_goes_back_is_said_and_rows_keep_their_order(self, read):
        table = read("Time,RPM\n0.0,900\n0.2,910\n0.1,920\n0.3,930\n")
        assert table.time_s.tolist() == [0.0, 0.2, 0.1, 0.3]
        assert "goes back once, first after row 2 by 0.1 s" in said(table, Code.TIME_BACKWARDS)

    def test_gaps_in_time_are_counted(self, read):
        stamps = [*np.arange(0, 2, 0.1), *np.arange(5, 7, 0.1), *np.arange(30, 31, 0.1)]
        table = read(text_log("Time,RPM", [f"{t:.1f},900" for t in stamps]))
        assert "2 gaps above 1 s" in said(table, Code.TIME_GAP)
        assert "the largest 23.1 and 3.1 s" in said(table, Code.TIME_GAP)

    def test_manifold_pressure_is_never_worked_out_from_rpm(self, read):
        table = read(
            text_log(
                "Time,RPM,AFR",
                lines(a=lambda i: i / 10, b=lambda i: 900 + i, c=lambda i: 13 + i / 99),
            )
        )
        assert set(table.channels) == {Channel.RPM, Channel.AFR_COMBINED}
        assert Code.NO_LOAD in table.codes()

    def test_knock_is_never_invented(self, read):
        table = read("Time,RPM,MAP,AFR\n0.0,900,40,13\n0.1,910,41,13.1\n")
        assert not {c for c in table.channels if "knock" in c.value}

    def test_an_open_quote_does_not_swallow_the_rest(self, read):
        table = read('Time,RPM\n0.0,"900\n0.1,910\n0.2,920\n')
        assert table.series(Channel.RPM).tolist() == [900, 910, 920]

    def test_a_log_without_time_says_so(self, read):
        table = read("RPM,MAP\n900,40\n910,41\n")
        assert table.duration_s is None
        assert np.isnan(table.time_s).all()
        assert Code.NO_TIME in table.codes()


class TestTime:
    @pytest.mark.parametrize(
        ("head", "step", "source"),
        [
            ("Time", 0.05, UnitSource.PLAUSIBILITY),
            ("Time", 50, UnitSource.PLAUSIBILITY),
            ("Time (ms)", 50, UnitSource.HEADER),
            ("time_ms", 50, UnitSource.HEADER),
            ("Time (sec)", 0.05, UnitSource.HEADER),
            ("timestamp_ms", 50, UnitSource.HEADER),
            ("time_s", 0.05, UnitSource.HEADER),
            ("elapsed_s", 0.05, UnitSource.HEADER),
        ],
    )
    def test_seconds_and_milliseconds(self, read, head, step, source):
        table = read(text_log(f"{head},RPM", [f"{i * step:g},900" for i in range(40)]))
        assert table.duration_s == pytest.approx(39 * 0.05)
        assert table.time.unit_source is source
        assert Code.TIME_GUESSED not in table.codes()

    def test_a_step_of_one_is_read_as_a_second_and_said(self, read):
        table = read(text_log("Time,RPM", [f"{i},900" for i in range(40)]))
        assert table.duration_s == 39
        assert Code.TIME_GUESSED in table.codes()

    def test_unix_time_starts_at_zero_and_is_remembered(self, read):
        table = read(
            text_log("Timestamp,RPM", [f"{1_700_000_000 + i * 0.1:.1f},900" for i in range(40)])
        )
        assert table.time_s[:2] == pytest.approx([0, 0.1], abs=1e-6)
        assert table.time.start_unix_s == 1_700_000_000

    @pytest.mark.parametrize(
        "stamps",
        [
            ("2025-12-18 22:56:53.347", "2025-12-18 22:56:53.447"),
            ("2025-12-18T22:56:53.347Z", "2025-12-18T22:56:53.447Z"),
            ("12/18/2025 22:56:53.347", "12/18/2025 22:56:53.447"),
            ("18.12.2025 22:56:53.347", "18.12.2025 22:56:53.447"),
            ("22:56:53.347", "22:56:53.447"),
            ("23:59:59.950", "00:00:00.050"),
        ],
    )
    def test_dates_and_times_of_day(self, read, stamps):
        table = read(text_log("Timestamp,RPM", [f"{stamp},900" for stamp in stamps]))
        assert table.time_s == pytest.approx([0, 0.1], abs=1e-6)
        assert table.info["started"] == stamps[0]


class TestUnits:
    def columns(self, read, head, **columns):
        columns = {"time": lambda i: f"{i / 20:.2f}", "rpm": lambda i: 1500 + 50 * i} | columns
        return read(text_log(f"Time,RPM,{head}", lines(**columns)))

    @pytest.mark.parametrize(
        ("head", "unit", "value", "channel", "expected"),
        [
            ("MAP (psi)", Unit.PSI, 10, Channel.MAP, 68.95),
            ("MAP [inHg]", Unit.INCH_MERCURY, 20, Channel.MAP, 67.73),
            ("MAP (bar)", Unit.KILOPASCAL, 0.7, Channel.MAP, 70),
            ("MAP (hPa)", Unit.KILOPASCAL, 700, Channel.MAP, 70),
            ("IAT (F)", Unit.FAHRENHEIT, 77, Channel.IAT, 25),
            ("IAT_F", Unit.FAHRENHEIT, 77, Channel.IAT, 25),
            ("ect_c", Unit.CELSIUS, 90, Channel.ECT, 90),
            ("Torque (ft-lb)", Unit.POUND_FOOT, 100, Channel.TORQUE, 135.58),
            ("Torque [Nm]", Unit.NEWTON_METRE, 100, Channel.TORQUE, 100),
            ("Power (hp)", Unit.HORSEPOWER, 100, Channel.POWER, 74.57),
            ("Speed (mph)", Unit.MPH, 100, Channel.SPEED, 160.93),
            ("speed_kph", Unit.KMH, 100, Channel.SPEED, 100),
            ("Lambda", Unit.LAMBDA, 0.88, Channel.LAMBDA, 0.88),
            ("Battery (V)", Unit.VOLT, 13.8, Channel.VBATT, 13.8),
        ],
    )
    def test_units_of_the_header_are_converted(self, read, head, unit, value, channel, expected):
        table = self.columns(read, head, x=lambda i: value)
        assert table.channels[channel].unit is unit
        assert table.series(channel)[0] == pytest.approx(expected, abs=0.01)

    def test_front_is_not_fahrenheit(self, read):
        table = self.columns(
            read, "AFR_F,AFR_R", f=lambda i: 13 + i / 99, r=lambda i: 13.5 + i / 99
        )
        assert {Channel.AFR_FRONT, Channel.AFR_REAR} <= set(table.channels)

    @pytest.mark.parametrize("factor", [1, 0.001])
    def test_rpm_in_thousands(self, read, factor):
        rows = lines(t=lambda i: i / 20, rpm=lambda i: f"{(1500 + 50 * i) * factor:g}")
        table = read(text_log("Time,Engine RPM", rows))
        assert table.series(Channel.RPM)[0] == pytest.approx(1500)
        assert (Code.RPM_IN_THOUSANDS in table.codes()) == (factor == 0.001)

    @pytest.mark.parametrize(
        ("ect", "iat", "unit"),
        [(90, 30, Unit.CELSIUS), (195, 85, Unit.FAHRENHEIT), (88, 12, Unit.CELSIUS)],
    )
    def test_temperatures_are_judged_together(self, read, ect, iat, unit):
        table = self.columns(read, "ECT,IAT", e=lambda i: ect, a=lambda i: iat)
        assert table.channels[Channel.IAT].unit is unit
        assert table.channels[Channel.ECT].unit is unit
        assert table.channels[Channel.ECT].unit_source is UnitSource.PLAUSIBILITY

    def test_a_c_in_the_name_does_not_make_it_celsius(self, read):
        table = self.columns(read, "ECT,Engine Coolant Temp", e=lambda i: 195, c=lambda i: 194)
        assert table.column("ECT").unit is Unit.FAHRENHEIT

    def test_a_doubtful_temperature_is_said_to_be_one(self, read):
        table = self.columns(read, "IAT", a=lambda i: 55)
        assert Code.UNIT_GUESSED in table.codes()

    @pytest.mark.parametrize(
        ("torque", "power", "units"),
        [
            (100, lambda rpm: 100 * rpm / 5252, (Unit.POUND_FOOT, Unit.HORSEPOWER)),
            (100, lambda rpm: 100 * rpm / 9549, (Unit.NEWTON_METRE, Unit.KILOWATT)),
            (100, lambda rpm: 100 * rpm / 7121, (Unit.NEWTON_METRE, Unit.HORSEPOWER)),
        ],
    )
    def test_torque_and_power_give_each_other_away(self, read, torque, power, units):
        table = self.columns(
            read, "Torque,Power", t=lambda i: torque, p=lambda i: f"{power(1500 + 50 * i):.3f}"
        )
        found = table.channels[Channel.TORQUE].unit, table.channels[Channel.POWER].unit
        assert found == units

    def test_torque_alone_has_no_unit_and_is_not_used(self, read):
        table = self.columns(read, "Torque", t=lambda i: 100)
        assert table.series(Channel.TORQUE) is None
        assert Code.UNIT_UNKNOWN in table.codes()

    def test_afr_in_a_lambda_column_and_lambda_in_an_afr_column(self, read):
        table = self.columns(
            read, "Lambda,AFR Target", m=lambda i: 13 + i / 99, t=lambda i: f"{0.88 + i / 999:.3f}"
        )
        assert table.column("Lambda").canonical is Channel.AFR_COMBINED
        assert table.column("AFR Target").canonical is Channel.LAMBDA_CMD
        assert {Code.AFR_IN_LAMBDA_NAMED_CHANNEL, Code.LAMBDA_IN_AFR_NAMED_CHANNEL} <= set(
            table.codes()
        )

    def test_boost_below_zero_is_not_manifold_pressure(self, read):
        table = self.columns(read, "Boost_kPa", b=lambda i: -50 + 3 * i)
        assert Channel.MAP not in table.channels
        assert Code.GAUGE_PRESSURE in table.codes()

    def test_throttle_as_a_fraction(self, read):
        table = self.columns(read, "TPS", t=lambda i: f"{min(1, i / 30):.3f}")
        assert np.nanmax(table.series(Channel.TPS)) == 100
        assert Code.UNIT_GUESSED in table.codes()

    @pytest.mark.parametrize(("value", "expected"), [(0.0125, 12.5), (12.5, 12.5), (12500, 12.5)])
    def test_injector_time_in_seconds_milliseconds_and_microseconds(self, read, value, expected):
        table = self.columns(read, "INJ PW F", p=lambda i: value * (1 + i / 999))
        assert table.series(Channel.INJ_PW_FRONT)[0] == pytest.approx(expected)

    @pytest.mark.parametrize("sentinel", [0, 5.1, 7.38, 22.39])
    def test_absent_widebands_are_known_by_their_sentinels(self, read, sentinel):
        table = self.columns(
            read, "AFR Front,AFR Rear", f=lambda i: sentinel, r=lambda i: 13 + i / 99
        )
        assert Channel.AFR_FRONT not in table.channels
        assert Channel.AFR_REAR in table.channels
        assert Code.RAILED_WIDEBAND in table.codes()


class TestParts:
    """A long file is read in parts; nobody may see where they meet."""

    @settings(max_examples=25, deadline=None)
    @given(
        rows=st.lists(
            st.sampled_from(
                ["{t},900,13.1", "{t},,", "{t},910", "", "{t},x,12", "{t},1,2,3,4", "NOTE"]
            ),
            min_size=1,
            max_size=60,
        ),
        size=st.integers(20, 300),
    )
    def test_parts_of_any_size_give_the_same_table(self, rows, size, tmp_path_factory):
        text = "\n".join(row.format(t=f"{i / 10:.1f}") for i, row in enumerate(rows))
        head = "".join(f"{i / 10:.1f},900,13\n" for i in range(80))
        path = write(tmp_path_factory.mktemp("parts"), "log.csv", f"Time,RPM,AFR\n{head}{text}\n")
        whole = delimited.read_table(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delimited, "_PART_BYTES", size)
            parts = delimited.read_table(path)
        np.testing.assert_array_equal(whole.numbers, parts.numbers)
        assert whole.odd == parts.odd

    def test_the_fast_and_the_careful_way_agree(self, tmp_path, monkeypatch):
        rng = np.random.default_rng(2)
        cells = rng.normal(0, 1000, (500, 6)).round(3)
        rows = [",".join("" if v > 900 else repr(float(v)) for v in row) for row in cells]
        path = write(tmp_path, "log.csv", text_log("Time,a,b,c,d,e", rows))
        fast = delimited.read_table(path)
        monkeypatch.setattr(delimited, "fast", lambda data, dialect, counted: None)
        careful = delimited.read_table(path)
        np.testing.assert_allclose(fast.numbers, careful.numbers, rtol=1e-15)

    def test_cancelling_in_the_middle_leaves_no_thread(self, tmp_path, monkeypatch):
        monkeypatch.setattr(delimited, "_PART_BYTES", 1000)
        rows = [f"{i / 10:.1f},900" for i in range(5000)]
        path = write(tmp_path, "log.csv", text_log("Time,RPM", rows))
        seen = []
        with pytest.raises(ReaderError, match="cancelled"):
            delimited.read_table(path, seen.append, lambda: len(seen) >= 3)
        assert len(seen) == 3
        assert seen[-1] < 1


class TestOneMeaning:
    """The same run, written in other units by another program, is the same run."""

    STOICH = 14.7

    def run(self, read, *, celsius, lam, milliseconds, thousands):
        def rows(i):
            rpm, ect, iat, mixture = 1500 + 50 * i, 88 + i / 20, 30 + i / 40, 0.85 + i / 500
            return (
                f"{i * 50 if milliseconds else i * 0.05:g}",
                f"{rpm / 1000 if thousands else rpm:.4f}",
                f"{ect if celsius else ect * 1.8 + 32:.4f}",
                f"{iat if celsius else iat * 1.8 + 32:.4f}",
                f"{mixture if lam else mixture * self.STOICH:.5f}",
                "3" if i % 2 else "",
            )

        head = "Time,RPM,ECT,IAT,AFR Front,TPS"
        return read(text_log(head, [",".join(rows(i)) for i in range(60)]))

    @pytest.mark.parametrize("celsius", [True, False])
    @pytest.mark.parametrize("lam", [True, False])
    @pytest.mark.parametrize("milliseconds", [True, False])
    @pytest.mark.parametrize("thousands", [True, False])
    def test_units_do_not_change_what_was_measured(
        self, read, celsius, lam, milliseconds, thousands
    ):
        table = self.run(
            read, celsius=celsius, lam=lam, milliseconds=milliseconds, thousands=thousands
        )
        assert table.time_s == pytest.approx(np.arange(60) * 0.05)
        assert table.series(Channel.RPM)[10] == pytest.approx(2000)
        assert table.series(Channel.ECT)[20] == pytest.approx(89, abs=1e-3)
        assert table.series(Channel.IAT)[40] == pytest.approx(31, abs=1e-3)
        mixture = (
            table.series(Channel.LAMBDA_FRONT)
            if lam
            else table.series(Channel.AFR_FRONT) / self.STOICH
        )
        assert mixture[50] == pytest.approx(0.95, abs=1e-4)
        assert table.channels[Channel.TPS].count == 30

    def test_one_wideband_alone_is_enough(self, read):
        rows = lines(t=lambda i: i / 20, rpm=lambda i: 2000 + i, afr=lambda i: 13 + i / 99)
        table = read(text_log("time_s,engine_rpm,afr_meas_f", rows))
        assert set(table.channels) == {Channel.RPM, Channel.AFR_FRONT}
        assert Code.NO_MIXTURE not in table.codes()
