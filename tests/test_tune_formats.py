"""Tune files: read for their tables, written without moving a byte that was not changed."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.tune import clipboard, matrix_csv, pvv, tunerstudio_table
from dynoai_desktop.core.tune.clipboard import POWER_CORE, SPREADSHEET, TUNERSTUDIO, Layout, Paste
from dynoai_desktop.core.tune.difference import difference
from dynoai_desktop.core.tune.formats import FORMATS, format_of, read_tune
from dynoai_desktop.core.tune.guard import guarded, unguarded
from dynoai_desktop.core.tune.tables import (
    KILO_RPM,
    TPS_PERCENT,
    TuneError,
    make_labels,
    number,
    rewritten,
)
from dynoai_desktop.core.tune.xml_scan import XmlError, scan
from dynoai_desktop.core.units import Unit
from tests.tune_world import FRONT, LOAD_LABELS, REAR, RPM_LABELS
from tests.tune_world import pvv as small_pvv

TS_EXPORT = b"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<tableData xmlns="http://www.EFIAnalytics.com/:table">
<bibliography author="someone" company="somewhere" writeDate="Fri Aug 14 22:08:01 COT 2026"/>
<versionInfo fileFormat="1.0"/>
<table cols="3" rows="2">
<xAxis cols="3" name="rpm">
         600
         1500
         3000
      </xAxis>
<yAxis name="fuelLoad" rows="2">
         20.0
         100.0
      </yAxis>
<zValues cols="3" rows="2">
         31.0 42.5 48.0
         55.0 71.0 80.5
      </zValues>
</table>
</tableData>
"""
MATRIX = b'RPM,35,50,100\n1500,70,80.5,90\n3000,,"82",\'-0.36\n'


def grid(values=None) -> CellGrid:
    rpm = Axis.from_nodes(Channel.RPM, Unit.RPM, [1500, 3000, 4500])
    load = Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, [35, 100])
    fill = [[70.0, 80.0], [75.5, 85.0], [78.0, 90.25]] if values is None else values
    return CellGrid(rpm, load, np.array(fill))


class TestPvv:
    def test_nothing_changed_is_the_same_file(self):
        tune = read_tune(small_pvv())
        assert rewritten(tune.data, {}) == small_pvv()
        everything = {
            (cell.start, cell.stop): pvv.encode(cell.text)
            for table in tune.tables
            for _, _, cell in table.all_cells()
        }
        assert rewritten(tune.data, everything) == small_pvv()

    def test_only_the_text_of_the_touched_cell_changes(self):
        tune = read_tune(small_pvv())
        cell = tune.table("VE (MAP based/Rear Cyl)").cells[1][2]
        fresh = rewritten(tune.data, {(cell.start, cell.stop): b"71.5"})
        (changed,) = difference(tune, read_tune(fresh)).cells
        assert (changed.row, changed.column, changed.before, changed.after) == (
            1,
            2,
            "71.25",
            "71.5",
        )
        assert fresh.replace(b"71.5", b"71.25") == small_pvv()

    def test_order_doubled_names_and_scalars_are_kept(self):
        tune = read_tune(small_pvv())
        names = [table.name for table in tune.tables]
        assert names.count('Tooth "IVC"') == 2
        assert [t.index for t in tune.tables] == list(range(len(names)))
        assert tune.table('Tooth "IVC"', 1).index == 4
        with pytest.raises(TuneError, match="no table"):
            tune.table('Tooth "IVC"', 2)

    def test_a_single_value_of_0_or_1_is_a_value(self):
        idle = read_tune(small_pvv()).table("Idle RPM")
        assert idle.is_scalar
        assert idle.cells[0][0].value == 1
        assert idle.units == "RPMx1000"

    def test_padding_is_folded_into_one_node_and_remembered(self):
        table = read_tune(small_pvv()).table("VE (MAP based/Front Cyl)")
        rpm, load = table.axes
        assert rpm.nodes == (750, 1000, 2000, 3500, 5000)
        assert load.nodes == (20, 40, 60, 100)
        assert (rpm.channel, load.channel) == (Channel.RPM, Channel.MAP)
        assert table.rows.texts == RPM_LABELS
        assert table.columns.texts == LOAD_LABELS
        corner = [(r, c) for r in (4, 5, 6) for c in (3, 4)]
        assert table.cells_of(4, 3) == corner
        assert table.cells_of(0, 0) == [(0, 0)]
        assert table.grid().values.shape == (5, 4)
        assert table.grid().values[4, 3] == 89.25

    def test_a_label_twice_inside_an_axis_is_no_axis(self):
        assert make_labels(("0.5", "1", "1", "2"), "RPMx1000", KILO_RPM).axis is None
        assert make_labels(("2", "1"), "RPMx1000", KILO_RPM).axis is None
        assert make_labels(("a", "1"), "%", TPS_PERCENT).axis is None
        assert make_labels(("0",), "", None).axis is None

    def test_ve_tables_are_found_by_cylinder(self):
        found = read_tune(small_pvv()).ve_tables()
        assert {c: t.name for c, t in found.items()} == {
            FRONT: "VE (MAP based/Front Cyl)",
            REAR: "VE (MAP based/Rear Cyl)",
        }
        assert read_tune(small_pvv()).ve_tables(Channel.TPS) == {}

    def test_a_byte_order_mark_and_a_declaration_do_not_matter(self):
        for prefix in (b"\xef\xbb\xbf", b"<?xml version='1.0' encoding='utf-8'?>\r\n"):
            assert len(read_tune(prefix + small_pvv()).tables) == 6

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b'<!DOCTYPE lolz [<!ENTITY a "ha">]><PVV></PVV>', "document type"),
            (b'<PVV><Item name="&lol;"/></PVV>', "entity"),
            (b"<PVV>" + b"<a>" * 100 + b"</PVV>", "nested too deeply"),
            (b"<PVV><Item></PVV>", "out of turn"),
            (b"<PVV><Item", "not complete"),
            (b"<PVV></PVV><PVV></PVV>", "second root"),
            (b"<PVV><Item name=x></Item></PVV>", "without a quoted value"),
            (b'<PVV><Item name="a" name="b"/></PVV>', "twice"),
            (b"<PVV><!-- never ends", "never ends"),
            (b'<PVV><Item name="&#xD800;"/></PVV>', "does not exist"),
            (b"<?xml version='1.0' encoding='utf-7'?><PVV/>", "utf-7"),
            ("<PVV/>".encode("utf-16"), "no tune we know"),
            (b"<Other><PVV/></Other>", "begins with <Other>"),
            (
                b'<PVV><Item name="VE"><Rows><Row label="1"><Cell/></Row></Rows></Item></PVV>',
                "without a value",
            ),
            (
                b'<PVV><Item name="VE"><Columns><Col label="1"/></Columns><Rows><Row label="1">'
                b'<Cell value="1"/><Cell value="2"/></Row></Rows></Item></PVV>',
                "row 1 has 2 cells for 1 columns",
            ),
        ],
    )
    def test_bombs_and_broken_files_are_refused_in_one_sentence(self, data, reason):
        with pytest.raises(TuneError, match=reason) as caught:
            read_tune(data)
        assert "\n" not in str(caught.value)

    def test_a_bomb_is_refused_before_anything_is_expanded(self):
        bomb = b"<!DOCTYPE b [" + b"".join(
            b'<!ENTITY x%d "%s">' % (i, b"&x%d;" % (i - 1) * 10) for i in range(1, 40)
        )
        with pytest.raises(TuneError, match="document type"):
            read_tune(bomb + b"]><PVV>&x39;</PVV>")

    def test_a_huge_file_is_refused(self):
        with pytest.raises(TuneError, match="far more than any tune"):
            pvv.parse(b"<PVV>" + bytes(40 << 20))

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_mangled_files_are_read_or_refused(self, data):
        text = bytearray(small_pvv()[:1500])
        for _ in range(data.draw(st.integers(1, 6))):
            at = data.draw(st.integers(0, len(text) - 1))
            text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        try:
            read_tune(bytes(text))
        except TuneError as error:
            assert "\n" not in str(error)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=80))
    def test_the_scanner_raises_nothing_else(self, noise):
        with contextlib.suppress(XmlError):
            list(scan(b"<a>" + noise + b"</a>"))


class TestRealPvv:
    @pytest.fixture
    def before(self, shared_data):
        return (shared_data / "real" / "harley_tune_before.pvv").read_bytes()

    @pytest.fixture
    def after(self, shared_data):
        return (shared_data / "real" / "harley_tune_after.pvv").read_bytes()

    def test_tables_rows_and_cells(self, before, after):
        for data in (before, after):
            tune = read_tune(data)
            assert len(tune.tables) == 32
            assert sum(len(t.rows.texts) for t in tune.tables) == 151
            assert sum(1 for t in tune.tables for _ in t.all_cells()) == 2273
            assert not data.endswith(b"\n")

    def test_every_cell_written_with_its_own_text_is_the_same_file(self, before):
        tune = read_tune(before)
        edits = {
            (cell.start, cell.stop): pvv.encode(cell.text)
            for table in tune.tables
            for _, _, cell in table.all_cells()
        }
        assert len(edits) == 2273
        assert rewritten(before, edits) == before

    def test_the_pair_differs_in_44_cells_of_the_ve_tables(self, before, after):
        found = difference(read_tune(before), read_tune(after))
        names = [cell.table for cell in found.cells]
        assert len(names) == 44
        places = {}
        for cell in found.cells:
            places.setdefault(cell.table, set()).add((cell.row, cell.column))
            ratio = float(cell.after) / float(cell.before)
            assert 0.8999 < ratio < 0.95445
        assert {name: len(cells) for name, cells in places.items()} == {
            "VE (TPS based/Front Cyl)": 22,
            "VE (TPS based/Rear Cyl)": 22,
        }
        assert len({frozenset(cells) for cells in places.values()}) == 1
        assert found.summary()["count"] == 44
        assert found.summary()["max"] < 0
        assert len(found.largest) == 20

    def test_padded_axes(self, before):
        tune = read_tune(before)
        front = tune.ve_tables()[FRONT]
        assert front.rows.texts.count("6.5") == 9
        assert front.columns.texts.count("100") == 5
        rpm, load = front.axes
        assert (len(rpm), len(load)) == (19, 13)
        assert (rpm.nodes[0], rpm.nodes[-1]) == (500, 6500)
        assert (load.channel, load.unit) == (Channel.TPS, Unit.PERCENT)
        spark = tune.table("Spark Advance (Front Cyl)")
        assert spark.axes[1].channel is Channel.MAP
        assert spark.columns.texts.count("100") in (6, 7)

    def test_labels_in_rpm_and_in_thousands(self, before):
        tune = read_tune(before)
        assert tune.table("Max Knock Retard vs RPM").columns.texts[-1] == "8800"
        assert tune.ve_tables()[FRONT].rows.texts[0] == "0.5"

    def test_scalars_are_one_by_one(self, before):
        scalars = [t for t in read_tune(before).tables if t.is_scalar]
        assert all(t.rows.texts == ("0",) for t in scalars)
        assert any(t.units == "1=True" for t in scalars)


class TestMatrixCsv:
    def test_rpm_in_the_rows(self):
        (table,) = read_tune(MATRIX).tables
        found = table.grid()
        assert found.rpm.nodes == (1500, 3000)
        assert found.load.nodes == (35, 50, 100)
        assert found.values[0].tolist() == [70, 80.5, 90]

    def test_rpm_in_the_columns(self):
        (table,) = read_tune(b"MAP_kPa,1500,3000\n35,70,75\n100,90,95\n").tables
        found = table.grid()
        assert found.rpm.nodes == (1500, 3000)
        assert found.values.tolist() == [[70, 90], [75, 95]]

    @pytest.mark.parametrize("corner", [b"RPM\\TPS_%", b"RPM/TPS", b"TPS\\RPM", b"'RPM\\TPS_%"])
    def test_the_corner_says_what_the_load_is(self, corner):
        (table,) = read_tune(corner + b",1000,2000\n10,70,75\n20,90,95\n").tables
        assert table.axes[1].channel is Channel.TPS

    def test_blank_is_blank_and_not_zero(self):
        (table,) = read_tune(MATRIX).tables
        assert np.isnan(table.grid().values[1, 0])
        assert table.cells[1][0].text == ""

    def test_guarded_cells_are_read(self):
        (table,) = read_tune(MATRIX).tables
        assert table.grid().values[1, 2] == -0.36
        assert number("+2.5") == 2.5

    def test_cells_are_written_in_place_and_guarded(self):
        tune = read_tune(MATRIX)
        encode = format_of(tune).encode
        cells = tune.tables[0].cells
        edits = {
            (cells[1][0].start, cells[1][0].stop): encode("71"),
            (cells[1][1].start, cells[1][1].stop): encode("83"),
            (cells[1][2].start, cells[1][2].stop): encode("-0.4"),
        }
        assert rewritten(MATRIX, edits) == b'RPM,35,50,100\n1500,70,80.5,90\n3000,71,"83",\'-0.4\n'

    @pytest.mark.parametrize("rpm_rows", [True, False])
    def test_what_is_written_is_read_back_exactly(self, rpm_rows):
        values = [[1.0, -0.36], [np.nan, 0.9544], [12.25, 1.05]]
        data = matrix_csv.write(grid(values), rpm_rows=rpm_rows, notes={"unit": "percent"})
        found = read_tune(data).tables[0].grid()
        np.testing.assert_array_equal(found.values, np.array(values))
        assert found.rpm.nodes == (1500, 3000, 4500)
        assert matrix_csv.notes(data) == {"unit": "percent"}

    @pytest.mark.parametrize("cell", ["-0.36", "+2.5", "=1+1", "@x", "\tx"])
    def test_no_written_cell_begins_like_a_formula(self, cell):
        assert guarded(cell)[0] == "'"

    @given(st.text(max_size=12))
    def test_the_guard_is_taken_off_exactly(self, text):
        assert unguarded(guarded(text)) == text
        assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"RPM,35,50\n1500,70\n3000,75,80\n", "has 1 cells, the header 2"),
            (b"RPM,35,50\n1500,70,80,90\n", "has 3 cells, the header 2"),
            (b"RPM,35,50\n1500,70,lots\n3000,75,80\n", "“lots” in the row “1500” is not a number"),
            (b"RPM,35,50\n", "no rows"),
            (b"RPM;35;50\n1500;70,5;80\n3000;71;81\n", "Use a decimal point"),
            (b"RPM\\spoon,35,50\n1500,70,80\n", "no tune we know"),
            (b"hello,35\n1,2\n", "no tune we know"),
            (b"RPM,35,50\n1500,70,\xff\n", "not UTF-8"),
        ],
    )
    def test_what_cannot_be_read_is_refused_in_one_sentence(self, data, reason):
        with pytest.raises(TuneError, match=reason):
            read_tune(data)

    def test_axes_that_do_not_rise_are_no_grid(self):
        (table,) = read_tune(b"RPM,50,35\n1500,70,80\n3000,75,85\n").tables
        with pytest.raises(TuneError, match="not a table over rpm and load"):
            table.grid()


class TestTunerStudioTable:
    def test_a_real_export_is_read(self):
        (table,) = read_tune(TS_EXPORT).tables
        found = table.grid()
        assert found.rpm.nodes == (600, 1500, 3000)
        assert found.load.nodes == (20, 100)
        assert found.values.tolist() == [[31, 55], [42.5, 71], [48, 80.5]]

    def test_a_cell_is_changed_in_place(self):
        tune = read_tune(TS_EXPORT)
        cell = tune.tables[0].cells[1][0]
        fresh = rewritten(TS_EXPORT, {(cell.start, cell.stop): b"56.5"})
        assert fresh == TS_EXPORT.replace(b"55.0", b"56.5")

    def test_what_is_written_is_read_back(self):
        data = tunerstudio_table.write(grid(), decimals=2, written="today")
        found = read_tune(data).tables[0].grid()
        np.testing.assert_array_equal(found.values, grid().values)
        assert (found.rpm.nodes, found.load.nodes) == (grid().rpm.nodes, grid().load.nodes)

    def test_an_empty_cell_cannot_be_written(self):
        with pytest.raises(TuneError, match="cannot hold empty cells"):
            tunerstudio_table.write(grid([[np.nan, 1], [1, 1], [1, 1]]))

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ((b"80.5", b""), "5 values for 3 columns and 2 rows"),
            ((b"80.5", b"eighty"), "not a number"),
            ((b"<tableData", b"<!DOCTYPE x><tableData"), "document type"),
        ],
    )
    def test_broken_tables_are_refused(self, change, reason):
        with pytest.raises(TuneError, match=reason):
            read_tune(TS_EXPORT.replace(*change))


class TestClipboard:
    def test_power_core_gets_rpm_rows_from_low_to_high(self):
        assert clipboard.to_text(grid(), POWER_CORE) == "70\t80\n75.5\t85\n78\t90.25\n"

    def test_tunerstudio_gets_load_rows_with_the_highest_on_top(self):
        assert clipboard.to_text(grid(), TUNERSTUDIO) == "80\t85\t90.25\n70\t75.5\t78\n"

    def test_a_spreadsheet_gets_the_axes(self):
        first = clipboard.to_text(grid(), SPREADSHEET).split("\n")[:2]
        assert first == ["\t35\t100", "1500\t70\t80"]

    @pytest.mark.parametrize("rpm_rows", [True, False])
    @pytest.mark.parametrize("falling", [True, False])
    @pytest.mark.parametrize("axes", [True, False])
    def test_what_is_copied_can_be_pasted_back(self, rpm_rows, falling, axes):
        layout = Layout(rpm_rows, falling, axes)
        holes = grid([[70, np.nan], [75.5, 85], [78, 90.25]])
        text = clipboard.to_text(holes, layout)
        np.testing.assert_array_equal(clipboard.from_text(text, holes, layout), holes.values)

    def test_multiply_by_percent_gets_the_change_in_percent(self):
        factors = grid([[1.05, 1.0], [0.9, 1.0], [1.0, 1.012]])
        text = clipboard.to_text(factors, POWER_CORE, decimals=2, paste=Paste.MULTIPLY_PERCENT)
        assert text == "5\t0\n-10\t0\n0\t1.2\n"

    def test_multiplying_by_percent_and_by_half_of_it(self):
        values, change = np.array([80.0, 100.0]), np.array([5.0, -10.0])
        assert clipboard.multiplied_by_percent(values, change).tolist() == [84, 90]
        assert clipboard.multiplied_by_percent(values, change, half=True).tolist() == [82, 95]

    @given(st.floats(-50, 50), st.floats(1, 200))
    def test_percent_undoes_itself(self, change, value):
        multiplier = 1 + change / 100
        shown = clipboard.percent(np.array([multiplier]))
        assert clipboard.multiplied_by_percent(np.array([value]), shown) == pytest.approx(
            value * multiplier
        )

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("1\t2\n3\t4\n", "is 2 × 2, this one 3 × 2"),
            ("1\t2\n3\tx\n5\t6\n", "“x” in the pasted table"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, text, reason):
        with pytest.raises(TuneError, match=reason):
            clipboard.from_text(text, grid(), POWER_CORE)

    def test_other_axes_are_refused(self):
        text = clipboard.to_text(grid(), SPREADSHEET).replace("3000", "3200")
        with pytest.raises(TuneError, match="axes of the pasted table"):
            clipboard.from_text(text, grid(), SPREADSHEET)


def test_every_format_knows_its_own_files_and_no_other():
    samples = {"pvv": small_pvv(), "tunerstudio_table": TS_EXPORT, "matrix_csv": MATRIX}
    assert {form.name for form in FORMATS} == set(samples)
    for form in FORMATS:
        assert [name for name, data in samples.items() if form.detect(data)] == [form.name]


def test_a_table_without_a_cylinder_in_its_name_is_for_both():
    assert set(read_tune(TS_EXPORT).ve_tables()) == {Cylinder.BOTH}
