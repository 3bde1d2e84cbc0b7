"""Corrections on a tune: previewed, limited, applied to a copy, and taken back byte for byte."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.tune import files, matrix_csv
from dynoai_desktop.core.tune.corrections import Corrections, from_csv, to_csv
from dynoai_desktop.core.tune.files import sha256_of
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.plan import MAX_STEP, REASONS, Fate, Terms, lone_cylinder, make_plan
from dynoai_desktop.core.tune.store import Job, TuneStore
from dynoai_desktop.core.tune.tables import TuneError
from tests.tune_world import BOTH, FRONT, NOW, REAR, corrections, everything_in, pvv

SHAPE = (5, 4)


@pytest.fixture
def shop(tmp_path):
    """A folder with a tune, and the store of its vehicle."""
    base = tmp_path / "bike.pvv"
    base.write_bytes(pvv())
    return Shop(tmp_path, base, TuneStore(tmp_path / "tune", "fxdls"))


class Shop:
    def __init__(self, folder: Path, base: Path, store: TuneStore) -> None:
        self.folder, self.base, self.store = folder, base, store
        self.output = folder / "bike corrected.pvv"

    def apply(self, factors=None, terms=None, **options):
        job = Job(self.base, self.output)
        return self.store.apply([job], factors or corrections(), terms, now=NOW, **options)


class TestPreview:
    def test_more_fuel_where_the_multiplier_is_above_one(self):
        values = np.ones(SHAPE)
        values[0, 0], values[1, 1] = 1.05, 0.96
        plan = make_plan(read_tune(pvv()), corrections(values))
        before, after, change = plan.grids(FRONT)
        assert after.values[0, 0] == pytest.approx(before.values[0, 0] * 1.05, abs=0.005)
        assert change.values[1, 1] < 0 < change.values[0, 0]
        assert np.count_nonzero(change.values) == 2

    def test_what_is_shown_is_what_is_written(self):
        plan = make_plan(read_tune(pvv()), corrections(1.03))
        tables = read_tune(plan.output).ve_tables()
        for cylinder in (FRONT, REAR):
            _, after, _ = plan.grids(cylinder)
            np.testing.assert_array_equal(after.values, tables[cylinder].grid().values)

    def test_nothing_but_the_tables_moves(self):
        plan = make_plan(read_tune(pvv()), corrections(1.03))
        before, after = read_tune(pvv()), read_tune(plan.output)
        for old, new in zip(before.tables, after.tables, strict=True):
            if "VE" not in old.name:
                assert [c.text for _, _, c in old.all_cells()] == [
                    c.text for _, _, c in new.all_cells()
                ]
        assert plan.output.count(b"\r\n") == pvv().count(b"\r\n")

    def test_padding_gets_what_its_node_gets(self):
        values = np.ones(SHAPE)
        values[4, 3] = 1.05
        plan = make_plan(read_tune(pvv()), corrections(values))
        table = read_tune(plan.output).table("VE (MAP based/Front Cyl)")
        texts = {table.cells[r][c].text for r in (4, 5, 6) for c in (3, 4)}
        assert texts == {"93.71"}
        assert plan.counts()[Fate.CHANGED] == 12

    def test_a_multiplier_of_one_leaves_the_text_alone(self):
        plan = make_plan(read_tune(pvv()), corrections(1.0))
        assert plan.output == pvv()
        assert set(plan.counts()) == {Fate.UNCHANGED}

    def test_a_step_beyond_the_limit_is_held_to_it_and_said(self):
        plan = make_plan(read_tune(pvv()), corrections(1.3), Terms(limit=0.05))
        assert set(plan.counts()) == {Fate.LIMITED}
        for cell in plan.cells:
            assert cell.after / cell.before <= 1.05 + 1e-6
            assert cell.after / cell.before == pytest.approx(1.05, abs=2e-4)

    @pytest.mark.parametrize("limit", [0, -0.1, 0.5])
    def test_no_limit_beyond_reason_is_accepted(self, limit):
        with pytest.raises(TuneError, match="step limit"):
            Terms(limit=limit)

    def test_locked_cells_stay_and_are_named(self):
        plan = make_plan(
            read_tune(pvv()),
            corrections(),
            Terms(locked=frozenset({(FRONT, 0, 0), (BOTH, 4, 3), (REAR, 1, 1)})),
        )
        blocked = {(c.cylinder, *c.node) for c, reason in plan.blocked()}
        assert blocked == {(FRONT, 0, 0), (FRONT, 4, 3), (REAR, 4, 3), (REAR, 1, 1)}
        assert {reason for _, reason in plan.blocked()} == {REASONS[Fate.LOCKED]}
        _, _, change = plan.grids(FRONT)
        assert change.values[0, 0] == 0
        assert change.values[1, 1] > 0

    def test_blank_and_zero_cells_stay_as_they_are_and_say_why(self):
        data = pvv(front=lambda r, c: {(0, 0): "", (1, 1): "0", (2, 2): "0.0"}.get((r, c), "70.5"))
        plan = make_plan(read_tune(data), corrections(1.05, tune=data))
        reasons = {c.node: r for c, r in plan.blocked() if c.cylinder is FRONT}
        assert reasons == {
            (0, 0): REASONS[Fate.BLANK],
            (1, 1): REASONS[Fate.ZERO],
            (2, 2): REASONS[Fate.ZERO],
        }
        table = read_tune(plan.output).table("VE (MAP based/Front Cyl)")
        assert [table.cells[i][i].text for i in range(3)] == ["", "0", "0.0"]
        assert np.isnan(plan.grids(FRONT)[1].values[0, 0])

    def test_a_change_too_small_to_be_written_is_none(self):
        plan = make_plan(read_tune(pvv()), corrections(1.00001))
        assert plan.output == pvv()

    def test_decimals_are_those_of_the_table(self):
        data = pvv(front=lambda r, c: "71.2345", rear=lambda r, c: "71")
        plan = make_plan(read_tune(data), corrections(1.05, tune=data))
        tables = read_tune(plan.output).ve_tables()
        assert tables[FRONT].cells[0][0].text == "74.7962"
        assert tables[REAR].cells[0][0].text == "74.55"

    def test_one_correction_for_both_goes_into_both_tables(self):
        plan = make_plan(read_tune(pvv()), corrections(cylinders=(BOTH,)))
        assert set(plan.tables) == {FRONT, REAR}

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.floats(0.6, 1.6), min_size=20, max_size=20),
        st.floats(0.01, MAX_STEP),
        st.sampled_from(["{:.0f}", "{:.1f}", "{:.2f}", "{:.4f}"]),
    )
    def test_no_cell_ever_moves_more_than_the_limit(self, factors, limit, style):
        data = pvv(front=lambda r, c: style.format(40.3 + 7.77 * r + c))
        tune = read_tune(data)
        values = np.array(factors).reshape(SHAPE)
        for cell in make_plan(tune, corrections(values, tune=data), Terms(limit)).cells:
            ratio = cell.after / cell.before
            assert 1 - limit - 1e-6 <= ratio <= 1 + limit + 1e-6
            assert (ratio - 1) * (cell.multiplier - 1) >= 0


class TestRefusals:
    @pytest.fixture
    def tune(self):
        return read_tune(pvv())

    def test_a_number_that_is_none(self):
        for bad in (np.nan, np.inf):
            values = np.ones(SHAPE)
            values[2, 1] = bad
            with pytest.raises(TuneError, match="not numbers"):
                corrections(values)

    @pytest.mark.parametrize("value", [3.0, -7.0, 103.0, 0.0])
    def test_percent_taken_for_multipliers(self, value):
        with pytest.raises(TuneError, match="not multipliers"):
            corrections(value)

    def test_other_axes(self, tune):
        data = pvv().replace(b'<Row label="3.5">', b'<Row label="3.75">')
        with pytest.raises(TuneError, match="other axes"):
            make_plan(tune, corrections(tune=data))

    def test_a_table_over_another_load(self, tune):
        data = pvv().replace(b"Kilopascals", b"%").replace(b"MAP based", b"TPS based")
        with pytest.raises(TuneError, match="no VE table over rpm and tps"):
            make_plan(tune, corrections(tune=data))

    def test_another_vehicle(self, tune):
        with pytest.raises(TuneError, match="for “other”, not for “fxdls”"):
            make_plan(tune, corrections(vehicle="other"), vehicle="fxdls")

    def test_another_tune(self, tune):
        with pytest.raises(TuneError, match="another tune"):
            make_plan(tune, corrections(tune_sha256="0" * 64))

    def test_one_cylinder_of_two(self, tune):
        with pytest.raises(TuneError, match="Both cylinders are changed or none"):
            make_plan(tune, corrections(cylinders=(FRONT,)))

    def test_no_corrections(self):
        with pytest.raises(TuneError, match="hold no table"):
            Corrections({})


class TestHalf:
    def test_half_of_the_per_cent_goes_half_the_way(self):
        plan = make_plan(read_tune(pvv()), corrections(1.06), Terms(half=True))
        assert {round(c.multiplier, 6) for c in plan.cells} == {1.03}
        assert all(c.after / c.before == pytest.approx(1.03, abs=2e-4) for c in plan.cells)

    def test_the_limit_holds_for_the_half_and_says_so(self):
        plan = make_plan(read_tune(pvv()), corrections(1.3), Terms(0.05, half=True))
        assert set(plan.counts()) == {Fate.LIMITED}

    def test_the_history_says_half_and_the_same_corrections_do_not_go_on_top(self, shop):
        event = shop.apply(corrections(1.06), Terms(half=True)).event
        assert event.half
        assert shop.store.history() == (event,)
        rest = Job(shop.output, shop.folder / "rest.pvv")
        for terms in (Terms(), Terms(half=True)):
            with pytest.raises(TuneError, match="already been applied"):
                shop.store.apply([rest], corrections(1.06), terms, now=NOW)

    def test_a_history_from_before_this_choice_still_holds(self, shop):
        event = shop.apply(corrections(1.05)).event
        assert not {"half", "alone"} & set(event.document())


class TestOneCylinderByChoice:
    """One cylinder alone, where a tuner says so; never by accident."""

    def test_only_that_table_moves_and_the_other_keeps_its_bytes(self):
        for factors in (corrections(1.05, cylinders=(REAR,)), corrections(1.05)):
            plan = make_plan(read_tune(pvv()), factors, Terms(alone=REAR))
            assert (set(plan.tables), plan.untouched) == ({REAR}, (FRONT,))
            before, after = read_tune(pvv()).ve_tables(), read_tune(plan.output).ve_tables()
            texts = [[c.text for _, _, c in t[FRONT].all_cells()] for t in (before, after)]
            assert texts[0] == texts[1]
            assert after[REAR].grid().values[0, 0] > before[REAR].grid().values[0, 0]

    def test_it_is_in_the_history_and_taken_back_like_any_other(self, shop):
        event = shop.apply(corrections(cylinders=(REAR,)), Terms(alone=REAR)).event
        assert event.alone == "rear"
        shop.store.rollback(now=NOW)
        assert shop.output.read_bytes() == pvv()

    def test_one_file_of_two_may_be_given_for_it(self, shop):
        grid = corrections().factors[REAR]
        base = shop.folder / "rear.csv"
        base.write_bytes(matrix_csv.write(CellGrid(grid.rpm, grid.load, np.full(SHAPE, 75.0))))
        job = Job(base, shop.folder / "rear new.csv", REAR)
        shop.store.apply([job], corrections(1.04), Terms(alone=REAR), now=NOW)
        assert read_tune(job.output.read_bytes()).tables[0].grid().values[0, 0] == 78.0

    def test_what_is_measured_for_both_together_is_not_put_into_one(self):
        with pytest.raises(TuneError, match="no correction of its own for the rear"):
            make_plan(read_tune(pvv()), corrections(cylinders=(BOTH,)), Terms(alone=REAR))

    def test_a_table_for_both_cylinders_is_not_changed_for_one(self):
        data = pvv().replace(b"VE (MAP based/Front Cyl)", b"VE").replace(b"VE (MAP", b"V (MAP")
        tune = read_tune(data)
        assert set(tune.ve_tables()) == {BOTH}
        factors = corrections(cylinders=(REAR,), tune=data)
        with pytest.raises(TuneError, match="no VE table of its own for the rear"):
            make_plan(tune, factors, Terms(alone=REAR))
        with pytest.raises(TuneError, match="one VE table for both cylinders"):
            make_plan(tune, factors)

    def test_it_is_offered_only_where_one_cylinder_can_be_corrected(self):
        rear = corrections(cylinders=(REAR,))
        assert lone_cylinder((FRONT, REAR), rear) is REAR
        assert lone_cylinder((FRONT,), corrections()) is FRONT
        assert lone_cylinder((FRONT, REAR), corrections()) is None
        assert lone_cylinder((BOTH,), rear) is None
        assert lone_cylinder((FRONT, REAR), corrections(cylinders=(BOTH,))) is None


class TestSession:
    """What this session has changed already, from the history."""

    def applied(self, shop, base, name, value, minutes):
        job = Job(base, shop.folder / name)
        at = NOW + timedelta(minutes=minutes)
        shop.store.apply([job], corrections(value), now=at)
        return job.output

    def test_the_steps_lead_back_to_the_tune_the_session_began_with(self, shop):
        second = self.applied(shop, shop.base, "2.pvv", 1.05, 0)
        third = self.applied(shop, second, "3.pvv", 1.02, 30)
        now = NOW + timedelta(hours=1)
        assert shop.store.before_session(third.read_bytes(), now) == pvv()
        assert shop.store.before_session(second.read_bytes(), now) == pvv()
        assert shop.store.before_session(pvv(), now) is None

    def test_the_next_morning_is_another_session(self, shop):
        second = self.applied(shop, shop.base, "2.pvv", 1.05, 0)
        third = self.applied(shop, second, "3.pvv", 1.02, 24 * 60)
        now = NOW + timedelta(hours=25)
        assert shop.store.before_session(third.read_bytes(), now) == second.read_bytes()
        assert shop.store.before_session(third.read_bytes(), now + timedelta(days=1)) is None

    def test_a_step_taken_back_does_not_count(self, shop):
        second = self.applied(shop, shop.base, "2.pvv", 1.05, 0)
        data = second.read_bytes()
        shop.store.rollback(now=NOW)
        assert shop.store.before_session(data, NOW) is None


class TestFilesOfCorrections:
    def test_json_comes_back_as_it_was(self):
        first = corrections(1.0321, vehicle="fxdls", tune_sha256="ab", created="2026-03-04")
        second = Corrections.from_bytes(first.encoded())
        assert second.document() == first.document()
        assert second.sha256 == first.sha256
        assert json.loads(first.encoded())["unit"] == "multiplier"

    def test_csv_comes_back_as_it_was(self):
        first = corrections(1.0321, vehicle="fxdls")
        data = [to_csv(first, cylinder) for cylinder in (FRONT, REAR)]
        assert b"# unit: multiplier" in data[0]
        second = from_csv(data)
        assert second.vehicle == "fxdls"
        for cylinder in (FRONT, REAR):
            np.testing.assert_array_equal(
                second.factors[cylinder].values, first.factors[cylinder].values
            )

    def test_the_section_of_an_analysis_is_taken(self):
        tables = corrections(1.02).document()["cylinders"]
        section = {name: {**table, "hits": [], "se": None} for name, table in tables.items()}
        assert set(Corrections.from_tables(section).factors) == {FRONT, REAR}

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda d: d | {"unit": "percent"}, "in “percent”, not multipliers"),
            (lambda d: {k: v for k, v in d.items() if k != "unit"}, "does not say in which unit"),
            (lambda d: d | {"type": "mapping"}, "holds no corrections"),
            (lambda d: d | {"schema_version": 99}, "another version"),
            (lambda d: d | {"cylinders": {"left": {}}}, "incomplete"),
            (lambda d: d | {"cylinders": {"front": {"rpm": [1]}}}, "incomplete"),
            (lambda d: d | {"cylinders": {}}, "hold no table"),
            (lambda d: d | {"cylinders": 3}, "name no cylinder"),
        ],
    )
    def test_what_could_be_misread_is_refused(self, change, reason):
        document = change(corrections().document())
        with pytest.raises(TuneError, match=reason):
            Corrections.from_bytes(json.dumps(document).encode())

    @pytest.mark.parametrize("data", [b"", b"[]", b"{", b"[" * 10_000, b'{"a": NaN}', b"\xff\xfe"])
    def test_what_is_no_json_is_refused(self, data):
        with pytest.raises(TuneError):
            Corrections.from_bytes(data)

    def test_a_csv_that_does_not_say_its_unit_is_refused(self):
        data = to_csv(corrections(), FRONT)
        with pytest.raises(TuneError, match="does not say in which unit"):
            from_csv([data.replace(b"# unit: multiplier\n", b"")])
        with pytest.raises(TuneError, match="“percent”, not multipliers"):
            from_csv([data.replace(b"multiplier", b"percent")])
        with pytest.raises(TuneError, match="for which cylinder"):
            from_csv([data.replace(b"# cylinder: front\n", b"")])
        with pytest.raises(TuneError, match="Two files"):
            from_csv([data, data])

    def test_blank_cells_of_a_csv_are_refused_and_not_read_as_zero(self):
        data = to_csv(corrections(), FRONT).replace(b",1.05\n", b",\n", 1)
        with pytest.raises(TuneError, match="not numbers"):
            from_csv([data])


class TestApply:
    def test_the_original_is_never_written(self, shop):
        shop.apply()
        assert shop.base.read_bytes() == pvv()
        assert shop.output.read_bytes() != pvv()

    def test_both_cylinders_are_changed(self, shop):
        shop.apply(corrections(1.04))
        tables = read_tune(shop.output.read_bytes()).ve_tables()
        for cylinder in (FRONT, REAR):
            assert tables[cylinder].grid().values[0, 0] == pytest.approx(60.25 * 1.04, abs=0.005)

    def test_a_dry_run_shows_the_same_and_writes_nothing(self, shop):
        before = everything_in(shop.folder)
        tried = shop.apply(dry_run=True)
        assert everything_in(shop.folder) == before
        assert tried.event is None
        done = shop.apply()
        assert tried.plans[0].output == done.plans[0].output == shop.output.read_bytes()

    def test_the_event_carries_the_hashes(self, shop):
        factors = corrections(1.04)
        event = shop.apply(factors, Terms(0.06, frozenset({(FRONT, 1, 2)}))).event
        (file,) = event.files
        assert file.before_sha256 == sha256_of(pvv())
        assert file.after_sha256 == sha256_of(shop.output.read_bytes())
        assert event.factor_sha256 == factors.sha256
        assert (event.operation, event.at) == ("apply", "2026-03-04T05:06:07+00:00")
        assert (event.limit, event.locked) == (0.06, (("front", 1, 2),))
        assert event.previous == ""
        assert shop.store.history() == (event,)

    def test_the_same_corrections_twice_are_refused(self, shop):
        shop.apply()
        again = Job(shop.output, shop.folder / "again.pvv")
        for job in (again, Job(shop.base, shop.folder / "again.pvv")):
            with pytest.raises(TuneError, match="already been applied"):
                shop.store.apply([job], corrections(), now=NOW)
        assert not again.output.exists()

    def test_other_corrections_go_on_top(self, shop):
        shop.apply(corrections(1.05))
        second = Job(shop.output, shop.folder / "second.pvv")
        shop.store.apply([second], corrections(1.02), now=NOW)
        value = read_tune(second.output.read_bytes()).ve_tables()[FRONT].grid().values[0, 0]
        assert value == pytest.approx(60.25 * 1.05 * 1.02, abs=0.011)
        assert len(shop.store.history()) == 2

    def test_the_original_cannot_be_the_copy(self, shop):
        shop.output = shop.base
        with pytest.raises(TuneError, match="never written"):
            shop.apply()
        link = shop.folder / "link.pvv"
        os.link(shop.base, link)
        shop.output = link
        with pytest.raises(TuneError, match="never written"):
            shop.apply()
        assert shop.base.read_bytes() == pvv()

    def test_a_file_of_somebody_else_is_not_written_over(self, shop):
        shop.output.write_bytes(b"something precious")
        with pytest.raises(TuneError, match="already there"):
            shop.apply()
        assert shop.output.read_bytes() == b"something precious"

    def test_an_original_of_an_earlier_step_is_not_written_either(self, shop):
        shop.apply(corrections(1.05))
        with pytest.raises(TuneError, match="is an original and is never written"):
            shop.store.apply([Job(shop.output, shop.base)], corrections(1.02), now=NOW)
        assert shop.base.read_bytes() == pvv()

    def test_two_copies_of_one_name_are_refused(self, shop):
        job = Job(shop.base, shop.output)
        with pytest.raises(TuneError, match="the same name"):
            shop.store.apply([job, job], corrections(), now=NOW)

    def test_a_full_disk_leaves_nothing_behind(self, shop, monkeypatch):
        shop.apply(corrections(1.01))
        before = everything_in(shop.folder)
        shop.output = shop.folder / "next.pvv"

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(files.os, "fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            shop.apply(corrections(1.02))
        monkeypatch.undo()
        assert everything_in(shop.folder) == before

    def test_when_the_history_cannot_be_written_the_copy_goes_too(self, shop, monkeypatch):
        def refuse(*_):
            raise StoreError("Cannot save history.json")

        monkeypatch.setattr("dynoai_desktop.core.tune.store.write_document", refuse)
        with pytest.raises(StoreError):
            shop.apply()
        assert not shop.output.exists()
        assert not (shop.folder / "tune" / "history.json").exists()

    def test_a_tune_that_cannot_be_read_writes_nothing(self, shop):
        shop.base.write_bytes(b"<!DOCTYPE x><PVV/>")
        before = everything_in(shop.folder)
        with pytest.raises(TuneError, match="document type"):
            shop.apply()
        assert everything_in(shop.folder) == before

    def test_a_missing_tune_is_one_sentence(self, shop):
        shop.base = shop.folder / "gone.pvv"
        with pytest.raises(TuneError, match=r"Cannot open gone\.pvv"):
            shop.apply()


class TestSeparateFiles:
    """Front and rear in files of their own: still both or none."""

    @pytest.fixture
    def jobs(self, shop):
        grid = next(iter(corrections().factors.values()))
        jobs = []
        for cylinder, ve in ((FRONT, 70.0), (REAR, 75.0)):
            table = CellGrid(grid.rpm, grid.load, np.full(SHAPE, ve))
            base = shop.folder / f"{cylinder.value}.csv"
            base.write_bytes(matrix_csv.write(table))
            jobs.append(Job(base, shop.folder / f"{cylinder.value} new.csv", cylinder))
        return jobs

    @pytest.fixture
    def factors(self):
        one = corrections(1.05).factors[FRONT]
        other = corrections(0.97).factors[REAR]
        return Corrections({FRONT: one, REAR: other})

    def test_each_file_gets_the_factors_of_its_cylinder(self, shop, jobs, factors):
        shop.store.apply(jobs, factors, now=NOW)
        values = [read_tune(j.output.read_bytes()).tables[0].grid().values[0, 0] for j in jobs]
        assert values == [73.5, 72.75]

    def test_one_file_alone_is_refused(self, shop, jobs, factors):
        before = everything_in(shop.folder)
        with pytest.raises(TuneError, match="No tune file for rear"):
            shop.store.apply(jobs[:1], factors, now=NOW)
        assert everything_in(shop.folder) == before

    def test_a_second_file_that_fails_undoes_the_first(self, shop, jobs, factors, monkeypatch):
        before = {n: d for n, d in everything_in(shop.folder).items() if "tune" not in n}
        replace = Path.replace

        def second_fails(path, target):
            if Path(target) == jobs[1].output:
                raise PermissionError(13, "Permission denied")
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", second_fails)
        with pytest.raises(StoreError, match="Permission denied"):
            shop.store.apply(jobs, factors, now=NOW)
        monkeypatch.undo()
        after = {n: d for n, d in everything_in(shop.folder).items() if "tune" not in n}
        assert after == before
        assert shop.store.history() == ()

    def test_both_are_taken_back_together(self, shop, jobs, factors):
        shop.store.apply(jobs, factors, now=NOW)
        shop.store.rollback(now=NOW)
        for job in jobs:
            assert job.output.read_bytes() == job.base.read_bytes()

    def test_one_changed_file_stops_the_rollback_of_both(self, shop, jobs, factors):
        shop.store.apply(jobs, factors, now=NOW)
        jobs[1].output.write_bytes(jobs[1].output.read_bytes() + b"\n")
        kept = jobs[0].output.read_bytes()
        with pytest.raises(TuneError, match=r"rear new\.csv has been changed"):
            shop.store.rollback(now=NOW)
        assert jobs[0].output.read_bytes() == kept


class TestRollback:
    def test_the_bytes_are_those_that_were_there(self, shop):
        shop.apply(corrections(0.93))
        event = shop.store.rollback(now=NOW)
        assert shop.output.read_bytes() == pvv()
        assert (event.operation, event.undoes) == ("rollback", 1)
        assert len(shop.store.history()) == 2

    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(st.floats(0.8, 1.2), min_size=20, max_size=20))
    def test_taking_back_what_was_applied_is_exact_for_any_factors(self, tmp_path_factory, factors):
        folder = tmp_path_factory.mktemp("any")
        base = folder / "odd.pvv"
        base.write_bytes(pvv(front=lambda r, c: f"{50 + r / 3 + c / 7:.{(r + c) % 5}f}"))
        shop = Shop(folder, base, TuneStore(folder / "tune", "v"))
        values = np.array(factors).reshape(SHAPE)
        shop.apply(corrections(values, tune=base.read_bytes()))
        shop.store.rollback(now=NOW)
        assert shop.output.read_bytes() == base.read_bytes()

    def test_a_second_rollback_is_refused(self, shop):
        shop.apply()
        shop.store.rollback(now=NOW)
        with pytest.raises(TuneError, match="nothing to take back"):
            shop.store.rollback(now=NOW)

    def test_steps_are_taken_back_from_the_last_to_the_first(self, shop):
        shop.apply(corrections(1.05))
        first = shop.output.read_bytes()
        second = Job(shop.output, shop.folder / "second.pvv")
        shop.store.apply([second], corrections(1.02), now=NOW)
        assert shop.store.rollback(now=NOW).undoes == 2
        assert second.output.read_bytes() == first
        assert shop.store.rollback(now=NOW).undoes == 1
        assert shop.output.read_bytes() == pvv()

    def test_a_copy_edited_since_is_not_thrown_away(self, shop):
        shop.apply()
        edited = shop.output.read_bytes().replace(b'value="-2.0"', b'value="-3.0"', 1)
        shop.output.write_bytes(edited)
        with pytest.raises(TuneError, match="has been changed since step 1"):
            shop.store.rollback(now=NOW)
        assert shop.output.read_bytes() == edited
        assert len(shop.store.history()) == 1

    def test_a_copy_that_was_deleted_is_put_back_as_it_was_before(self, shop):
        shop.apply()
        shop.output.unlink()
        shop.store.rollback(now=NOW)
        assert shop.output.read_bytes() == pvv()

    def test_the_same_corrections_may_be_applied_again_after_that(self, shop):
        first = shop.apply().plans[0].output
        shop.store.rollback(now=NOW)
        shop.apply()
        assert shop.output.read_bytes() == first

    def test_nothing_to_take_back(self, shop):
        with pytest.raises(TuneError, match="nothing to take back"):
            shop.store.rollback(now=NOW)

    def test_kept_bytes_that_were_tampered_with_are_not_used(self, shop):
        shop.apply()
        (shop.folder / "tune" / "snapshots" / sha256_of(pvv())).write_bytes(b"other")
        kept = shop.output.read_bytes()
        with pytest.raises(TuneError, match="changed outside the program"):
            shop.store.rollback(now=NOW)
        assert shop.output.read_bytes() == kept


class TestHistory:
    def test_every_step_is_chained_to_the_one_before(self, shop):
        shop.apply(corrections(1.05))
        shop.store.rollback(now=NOW)
        shop.apply(corrections(1.03))
        first, second, third = shop.store.history()
        assert (second.previous, third.previous) == (first.hash, second.hash)
        assert [e.sequence for e in (first, second, third)] == [1, 2, 3]

    @pytest.mark.parametrize(
        "change",
        [
            lambda events: events[0].update(limit=0.5),
            lambda events: events.pop(0),
            lambda events: events.reverse(),
            lambda events: events[1].update(previous=""),
            lambda events: events[0]["files"][0].update(before_sha256="0" * 64),
        ],
    )
    def test_a_history_changed_by_hand_stops_everything(self, shop, change):
        shop.apply(corrections(1.05))
        shop.store.rollback(now=NOW)
        path = shop.folder / "tune" / "history.json"
        document = json.loads(path.read_text())
        change(document["events"])
        path.write_text(json.dumps(document))
        for action in (shop.store.history, lambda: shop.store.rollback(now=NOW), shop.apply):
            with pytest.raises(TuneError, match="changed outside the program"):
                action()

    def test_a_history_that_cannot_be_read_is_set_aside_and_reported(self, shop):
        shop.apply()
        path = shop.folder / "tune" / "history.json"
        path.write_text("{")
        for _ in range(2):  # and it does not look like an empty one the next time
            with pytest.raises(TuneError, match="could not be read and was set aside"):
                shop.store.history()
        assert (shop.folder / "tune" / "history.json.set-aside-1").read_text() == "{"
        with pytest.raises(TuneError, match="set aside"):
            shop.apply(corrections(1.01))

    def test_an_incomplete_event_is_refused(self, shop):
        shop.apply()
        path = shop.folder / "tune" / "history.json"
        document = json.loads(path.read_text())
        del document["events"][0]["limit"]
        path.write_text(json.dumps(document))
        with pytest.raises(TuneError, match="not complete"):
            shop.store.history()

    def test_the_history_of_another_vehicle_is_left_alone(self, shop):
        shop.apply()
        other = TuneStore(shop.folder / "tune", "roadking")
        with pytest.raises(TuneError, match="history of “fxdls”, not of “roadking”"):
            other.history()

    def test_the_difference_of_a_step_is_shown_cell_by_cell(self, shop):
        values = np.ones(SHAPE)
        values[1, 2] = 1.05
        event = shop.apply(corrections(values)).event
        front, rear = shop.store.difference(event).cells
        assert (front.table, rear.table) == ("VE (MAP based/Front Cyl)", "VE (MAP based/Rear Cyl)")
        assert (front.row_label, front.column_label) == ("1", "60")
        assert (front.before, front.after, front.delta) == ("71.25", "74.81", 3.56)
        assert shop.store.difference(event).summary() == {
            "count": 2,
            "mean": 3.56,
            "max": 3.56,
            "min": 3.56,
        }

    def test_a_replay_gives_every_hash_again(self, shop):
        shop.apply(corrections(1.05), Terms(0.04, frozenset({(FRONT, 2, 2)}), half=True))
        second = Job(shop.output, shop.folder / "second.pvv")
        shop.store.apply([second], corrections(0.98), now=NOW)
        kept = shop.folder / "tune" / "snapshots"
        for event in shop.store.history():
            (file,) = event.files
            base = (kept / file.before_sha256).read_bytes()
            factors = next(
                found
                for path in kept.iterdir()
                if path.read_bytes().startswith(b"{")
                and (found := Corrections.from_bytes(path.read_bytes())).sha256
                == event.factor_sha256
            )
            locked = frozenset((Cylinder(c), i, j) for c, i, j in event.locked)
            plan = make_plan(read_tune(base), factors, Terms(event.limit, locked, event.half))
            assert plan.output_sha256 == file.after_sha256

    def test_a_second_window_cannot_apply_at_the_same_time(self, shop):
        from dynoai_desktop.core.store.json_store import FolderLock

        with (
            FolderLock(shop.folder / "tune"),
            pytest.raises(StoreError, match="open in another window"),
        ):
            shop.apply()
        assert not shop.output.exists()


class TestRealTune:
    @pytest.fixture
    def real(self, shared_data):
        return shared_data / "real"

    @pytest.fixture
    def factors(self, real):
        """The measured factors, as the tuner of harley_tune_after used them."""
        grid = read_tune((real / "harley_tune_before.pvv").read_bytes()).ve_tables()[FRONT].grid()
        values = np.ones(grid.values.shape)
        with (real / "harley_ve_cell_corrections.csv").open() as file:
            for row in csv.DictReader(file):
                rpm, tps = int(row["rpm_idx"]), int(row["tps_idx"])
                factor = float(row["corr_avg"])
                used = int(row["n"]) >= 5 and factor < 0.97 and tps >= 2
                if used and 1.5 <= float(row["rpm_k"]) <= 5.5:
                    assert grid.rpm.nodes[rpm] == pytest.approx(float(row["rpm_k"]) * 1000)
                    assert grid.load.nodes[tps] == float(row["tps_pct"])
                    values[rpm, tps] = factor
        return Corrections({c: CellGrid(grid.rpm, grid.load, values) for c in (FRONT, REAR)})

    def test_the_measured_factors_give_the_tuners_own_file_byte_for_byte(self, real, factors):
        before = (real / "harley_tune_before.pvv").read_bytes()
        plan = make_plan(read_tune(before), factors, Terms(0.10))
        assert plan.output == (real / "harley_tune_after.pvv").read_bytes()
        counts = plan.counts()
        assert counts[Fate.CHANGED] + counts[Fate.LIMITED] == 44
        ratios = [c.after / c.before for c in plan.cells if c.fate is not Fate.UNCHANGED]
        assert min(ratios) == pytest.approx(0.9, abs=1e-6)
        assert max(ratios) == pytest.approx(0.9544, abs=1e-5)

    def test_applied_and_taken_back(self, real, factors, tmp_path):
        before = (real / "harley_tune_before.pvv").read_bytes()
        store = TuneStore(tmp_path / "tune", "tc103")
        job = Job(real / "harley_tune_before.pvv", tmp_path / "new.pvv")
        event = store.apply([job], factors, Terms(0.10), now=NOW).event
        assert store.difference(event).summary()["count"] == 44
        store.rollback(now=NOW)
        assert job.output.read_bytes() == before

    def test_a_log_of_factors_is_no_file_of_corrections(self, real):
        with pytest.raises(TuneError, match="does not say in which unit"):
            from_csv([(real / "harley_ve_cell_corrections.csv").read_bytes()])


@pytest.mark.parametrize("vehicle", ["Road King", ""])
def test_a_rehearsal_never_changes_the_tune_of_a_real_vehicle(tmp_path, vehicle) -> None:
    rehearsed = replace(corrections(1.04), simulated=True)
    read_back = Corrections.from_bytes(rehearsed.encoded())
    assert read_back.simulated
    base, output = tmp_path / "tune.pvv", tmp_path / "copy.pvv"
    base.write_bytes(pvv())
    with pytest.raises(TuneError, match="simulated run"):
        TuneStore(tmp_path / "tune", vehicle).apply([Job(base, output, None)], read_back, now=NOW)
    assert not output.exists()
    rehearsal = TuneStore(tmp_path / "rehearsal", "Simulated Road King")
    rehearsal.apply([Job(base, output, None)], read_back, now=NOW)
    assert output.exists()
