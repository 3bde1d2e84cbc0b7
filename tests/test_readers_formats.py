"""What is particular to one format: our own table, Power Vision, the binary log."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from dynoai_desktop.capture.readers import ReaderError, powervision, read_log
from dynoai_desktop.capture.readers.mlg_blocks import ticks_to_seconds
from dynoai_desktop.capture.recorder import COLUMNS
from dynoai_desktop.core.channels import CARRIED, CHANNELS, Channel
from dynoai_desktop.core.logs import Code
from dynoai_desktop.core.units import Unit
from tests.readers_world import MLG_FIELDS, mlg_log, powervision_log, write


class TestOwnSession:
    def test_every_channel_the_recorder_writes_comes_back_as_itself(self, tmp_path):
        rows = [
            f"{i * 0.05:.3f}," + ",".join(f"{k + i / 7:.7g}" for k in range(len(CARRIED)))
            for i in range(30)
        ]
        table = read_log(write(tmp_path, "live.csv", "\n".join([",".join(COLUMNS), *rows, ""])))
        assert table.format == "session"
        assert set(table.channels) == set(CARRIED)
        for k, channel in enumerate(CARRIED):
            assert table.channels[channel].unit is CHANNELS[channel].unit
            assert table.series(channel)[7] == float(f"{k + 1:.7g}")

    def test_not_heard_is_missing_and_zero_is_zero(self, tmp_path):
        text = "time_s,rpm [rpm],tps [%]\n0.000,900,0\n0.050,,0\n0.100,0,\n"
        table = read_log(write(tmp_path, "live.csv", text))
        rpm = table.series(Channel.RPM)
        assert rpm[0] == 900 and np.isnan(rpm[1]) and rpm[2] == 0
        assert table.channels[Channel.TPS].count == 2

    @pytest.mark.parametrize("comment", ["# SIMULATED Twin Cam 103", "# made by hand"])
    def test_a_simulated_session_is_marked(self, tmp_path, comment):
        text = f"{comment}\ntime_s,rpm [rpm]\n0.000,900\n0.050,910\n"
        table = read_log(write(tmp_path, "live.csv", text))
        assert table.simulated == ("SIMULATED" in comment)
        assert (Code.SIMULATED in table.codes()) == table.simulated

    def test_a_channel_of_a_later_version_is_kept_without_a_meaning(self, tmp_path):
        text = "time_s,rpm [rpm],boost_target [kPa]\n0.000,900,1\n0.050,910,2\n"
        table = read_log(write(tmp_path, "live.csv", text))
        column = table.column("boost_target [kPa]")
        assert column.canonical is None
        assert column.unit is Unit.KILOPASCAL

    def test_a_session_cut_off_by_a_power_failure_is_read_to_the_last_whole_row(self, tmp_path):
        text = "time_s,rpm [rpm],tps [%]\n0.000,900,1\n0.050,910,2\n0.100,9"
        table = read_log(write(tmp_path, "live.csv", text))
        assert table.series(Channel.RPM).tolist() == [900, 910]


class TestDynojetExport:
    def read(self, tmp_path, *columns, rows=60):
        """Columns are (head, function of the row)."""
        heads = ", ".join(head for head, _ in columns)
        lines = [", ".join(str(f(i)) for _, f in columns) for i in range(rows)]
        return read_log(write(tmp_path, "run.csv", "\n".join([heads, *lines, ""])))

    def test_of_two_copies_the_more_detailed_one_is_used(self, tmp_path):
        table = self.read(
            tmp_path,
            ("Time", lambda i: f"{i / 20:g}"),
            ("(PV) Manifold Absolute Pressure", lambda i: 40 + i // 10),
            ("(ECU) Manifold Absolute Pressure", lambda i: f"{40 + i / 10:.1f}"),
            ("(ECU) Engine Speed", lambda i: f"{1.5 + i / 20:.2f}"),
        )
        assert table.channels[Channel.MAP].device == "ECU"
        assert Code.COPIED_CHANNEL in table.codes()

    def test_units_that_do_not_fit_the_work_done_are_doubted(self, tmp_path):
        table = self.read(
            tmp_path,
            ("Time", lambda i: f"{i / 20:g}"),
            ("(DWRT CPU) Force", lambda i: 1500 + i),  # newton
            ("(DWRT CPU) Speed", lambda i: 80 + i),  # km/h
            ("(DWRT CPU) Power", lambda i: f"{(1500 + i) * (80 + i) / 3600:.2f}"),  # kW
        )
        said = " ".join(w.message for w in table.warnings if w.code is Code.UNIT_GUESSED)
        assert "Force × speed ÷ power is 3600, not the 375" in said

    def test_a_steady_line_from_a_fast_device_is_no_drawing(self, tmp_path):
        table = self.read(
            tmp_path,
            ("Time", lambda i: f"{i / 20:g}"),
            *((f"(DWRT CPU) Input {k}", lambda i, k=k: (i * 7 + k * i * i) % 31) for k in range(8)),
        )
        assert Code.INTERPOLATED not in table.codes()


class TestHeldValues:
    def test_rows_with_missing_cells_repeat_too(self, tmp_path):
        rows = [
            f"{i / 10:.1f},{900 + i // 5 * 10},{'' if i // 5 % 2 else 3},{13 + i // 5 / 10:.1f}"
            for i in range(40)
        ]
        text = "\n".join(["Time,RPM,TPS,AFR", *rows, ""])
        table = read_log(write(tmp_path, "log.csv", text))
        said = " ".join(w.message for w in table.warnings if w.code is Code.HELD_VALUES)
        assert "32 of 40 rows repeat the row before" in said
        assert table.channels[Channel.RPM].ticks.tolist() == list(range(0, 40, 5))


class TestPowerVision:
    def test_a_row_is_a_time_at_which_something_was_written(self, tmp_path):
        table = read_log(write(tmp_path, "pv.csv", powervision_log()))
        assert table.time_s[:3] == pytest.approx([0, 0.05, 0.1])
        assert [c.name for c in table.columns] == ["RPM", "MAP", "Flags"]
        assert table.series(Channel.RPM)[:3].tolist() == [1500, 1510, 1520]

    def test_signals_at_their_own_pace_are_missing_in_between_and_not_carried_on(self, tmp_path):
        table = read_log(write(tmp_path, "pv.csv", powervision_log()))
        pressure = table.series(Channel.MAP)
        assert pressure[0] == 40 and np.isnan(pressure[1]) and pressure[2] == 42
        assert table.channels[Channel.MAP].count == 20

    def test_hexadecimal_is_decided_for_a_signal_as_a_whole(self, tmp_path):
        table = read_log(write(tmp_path, "pv.csv", powervision_log()))
        flags = table.column("Flags").values
        # Written 260, 26A, 274, 27E: all of them hexadecimal, the all-digit ones too.
        assert flags[np.isfinite(flags)].tolist() == [0x260, 0x26A, 0x274, 0x27E]
        assert Code.HEX_VALUES in table.codes()

    @pytest.mark.parametrize(
        ("cells", "expected"),
        [
            (["100", "26D"], True),
            (["100", "200"], False),
            (["1.5E3", "200"], False),
            (["-5", "AB"], False),
            (["1E5", "2E0"], True),
            ([], False),
        ],
    )
    def test_what_looks_hexadecimal(self, cells, expected):
        assert powervision.is_hex(cells) is expected

    def test_units_come_from_the_list_of_signals(self, tmp_path):
        table = read_log(write(tmp_path, "pv.csv", powervision_log()))
        assert table.channels[Channel.MAP].unit is Unit.KILOPASCAL
        assert table.column("MAP").unit_text == "kPa"

    def test_a_value_twice_at_one_time_keeps_the_last_and_says_so(self, tmp_path):
        text = powervision_log().decode() + "0,1,1777\n"
        table = read_log(write(tmp_path, "pv.csv", text))
        assert table.series(Channel.RPM)[0] == 1777
        assert Code.DUPLICATE_VALUES in table.codes()

    def test_a_signal_that_is_not_listed_is_kept_without_a_name(self, tmp_path):
        text = powervision_log().decode() + "2000,9,12\n"
        table = read_log(write(tmp_path, "pv.csv", text))
        assert table.column("channel 9").count == 1

    @pytest.mark.parametrize("row", ["1e300,1,5", "0,1e300,5", "0,-1,5", "0,1," + "A" * 400])
    def test_absurd_rows_are_left_out(self, tmp_path, row):
        table = read_log(write(tmp_path, "pv.csv", powervision_log().decode() + row + "\n"))
        assert table.channels[Channel.RPM].count in (39, 40, 41)
        assert len(table.columns) == 3

    def test_rows_out_of_order_are_put_in_order(self, tmp_path):
        head, rows = powervision_log().decode().split('"Value"\n')
        backwards = "\n".join(reversed(rows.strip().split("\n")))
        table = read_log(write(tmp_path, "pv.csv", f'{head}"Value"\n{backwards}\n'))
        assert (np.diff(table.time_s) > 0).all()
        assert table.series(Channel.RPM)[0] == 1500

    def test_a_list_of_signals_without_rows_is_refused(self, tmp_path):
        head = powervision_log().decode().split('"Value"\n')[0] + '"Value"\n'
        with pytest.raises(ReaderError, match="no rows"):
            read_log(write(tmp_path, "pv.csv", head))


class TestBinaryLog:
    @pytest.mark.parametrize("version", [1, 2])
    def test_values_are_raw_plus_transform_times_scale(self, tmp_path, version):
        table = read_log(write(tmp_path, "x.mlg", mlg_log(version=version)))
        assert table.column("AFR").values[:2].tolist() == [14.0, pytest.approx(14.1)]
        assert table.column("CLT").values[0] == 85
        assert table.series(Channel.RPM)[:2].tolist() == [900, 901]
        assert table.info["source"] == "made for a test"

    def test_markers_stand_before_the_record_that_follows_them(self, tmp_path):
        data = mlg_log(markers={3: "MARK 000 - Manual", 7: "x" * 60})
        table = read_log(write(tmp_path, "x.mlg", data))
        assert [(m.row, m.text) for m in table.markers] == [(3, "MARK 000 - Manual"), (7, "x" * 50)]
        assert table.rows == 40
        assert table.series(Channel.RPM).tolist() == [900 + i for i in range(40)]
        assert "1 of 2 markers" in " ".join(w.message for w in table.warnings)

    def test_a_record_with_a_wrong_checksum_is_left_out(self, tmp_path):
        data = bytearray(mlg_log())
        record = 4 + 9 + 1
        data[-5 * record + 6] ^= 0xFF  # inside the fifth record from the end
        table = read_log(write(tmp_path, "x.mlg", bytes(data)))
        assert table.rows == 39
        assert 935 not in table.series(Channel.RPM)
        assert "1 records have a wrong checksum" in " ".join(w.message for w in table.warnings)

    def test_missing_records_show_in_the_counter(self, tmp_path):
        data, record = mlg_log(), 4 + 9 + 1
        cut = data[: -10 * record] + data[-7 * record :]
        table = read_log(write(tmp_path, "x.mlg", cut))
        assert table.rows == 37
        assert "3 missing records" in " ".join(w.message for w in table.warnings)

    def test_a_log_cut_in_the_middle_of_a_record_is_read_up_to_it(self, tmp_path):
        table = read_log(write(tmp_path, "x.mlg", mlg_log()[:-9]))
        assert table.rows == 39
        assert Code.DAMAGED in table.codes()

    def test_the_clock_of_ten_microseconds_wraps(self):
        ticks = np.array([60_000, 65_000, 4_464, 9_464], np.uint16)
        assert ticks_to_seconds(ticks) == pytest.approx([0, 0.05, 0.1, 0.15])

    def test_without_a_time_field_the_clock_of_the_blocks_is_used(self, tmp_path):
        rows = [(900 + i, 140, 20, 125) for i in range(40)]
        data = mlg_log(rows, fields=MLG_FIELDS[1:], ticks=[i * 5000 % 65_536 for i in range(40)])
        table = read_log(write(tmp_path, "x.mlg", data))
        assert table.time_s == pytest.approx(np.arange(40) * 0.05)

    def test_a_byte_that_wraps_is_named(self, tmp_path):
        rows = [(i * 0.05, 900, 255 if i % 4 == 0 else 1, 20, 125) for i in range(40)]
        table = read_log(write(tmp_path, "x.mlg", mlg_log(rows)))
        assert "“AFR” jumps over the end of its byte" in " ".join(w.message for w in table.warnings)

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (lambda d: d[:15], "damaged or cut off"),
            (lambda d: d[:6] + struct.pack(">h", 9) + d[8:], "version 9"),
            (lambda d: d[:14] + struct.pack(">I", 10**9) + d[18:], "damaged or cut off"),
            (lambda d: d[:18] + struct.pack(">H", 77) + d[20:], "records have 77 bytes"),
            (lambda d: d[:20] + struct.pack(">H", 60_000) + d[22:], "damaged or cut off"),
            (lambda d: d[:22] + b"\x42" + d[23:], "unknown type 66"),
        ],
    )
    def test_a_damaged_head_is_refused_in_one_sentence(self, tmp_path, change, sentence):
        with pytest.raises(ReaderError, match=sentence):
            read_log(write(tmp_path, "x.mlg", change(mlg_log())))
