"""What a tune and a vehicle's record tell an analysis, the same for window and command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.fuel import place, target_lambda
from dynoai_desktop.core.analysis.tune_settings import (
    TunePart,
    settings_for,
    since_session_began,
)
from dynoai_desktop.core.analysis.ve import Verdict
from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.tune import matrix_csv
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.knowledge import (
    base_spark,
    displacement_cc,
    injector_flow_g_per_s,
    target_table,
)
from dynoai_desktop.core.tune.plan import Terms
from dynoai_desktop.core.tune.store import Job, TuneStore
from dynoai_desktop.core.tune.tables import TuneError
from tests import tune_world
from tests.analysis_world import World, make, smooth_error
from tests.tune_world import BOTH, FRONT, NOW, REAR

TWIN = VehicleRecord(
    "Twin", displacement_cc=1868.0, cylinders=2, injector_g_per_s=5.5, redline_rpm=6200.0,
    injector_dead_ms=((12.0, 1.1), (14.0, 0.9)),
)  # fmt: skip


@pytest.fixture(scope="module")
def log() -> Frame:
    errors = {"front": smooth_error(1), "rear": smooth_error(2)}
    return make(World(seed=3, pulls=1, errors=errors))


@pytest.fixture
def harley(shared_data) -> TunePart:
    """The tune of a real motorcycle: VE by throttle, mixture and spark by MAP."""
    return TunePart(read_tune((shared_data / "real" / "harley_tune_before.pvv").read_bytes()))


def part(**tables) -> TunePart:
    return TunePart(read_tune(tune_world.pvv(**tables)))


def without(frame: Frame, *channels: Channel) -> Frame:
    return replace(frame, columns={c: v for c, v in frame.columns.items() if c not in channels})


COMMANDS = (Channel.LAMBDA_CMD, Channel.LAMBDA_CMD_FRONT, Channel.LAMBDA_CMD_REAR)


def test_the_tunes_own_tables_are_what_the_correction_is_worked_out_on(log) -> None:
    settings = settings_for([part()], log)
    tables = read_tune(tune_world.pvv()).ve_tables()
    for cylinder in (FRONT, REAR):
        np.testing.assert_array_equal(
            settings.ve.tables[cylinder].values, tables[cylinder].grid().values
        )
    assert settings.axes == tables[FRONT].axes
    assert settings.ve.applied == {}


def test_one_sensor_for_both_cylinders_is_set_against_the_middle_of_both_tables(log) -> None:
    settings = settings_for(
        [
            part(rear=lambda r, c: "80"),
        ],
        log,
    )
    both = (settings.ve.tables[FRONT].values + 80.0) / 2.0
    np.testing.assert_allclose(settings.ve.tables[BOTH].values, both)


def test_one_table_for_both_cylinders_stands_for_each(log) -> None:
    data = tune_world.pvv().replace(b"VE (MAP based/Front Cyl)", b"VE").replace(b"VE (MAP", b"V (")
    settings = settings_for([TunePart(read_tune(data))], log)
    assert set(settings.ve.tables) == {FRONT, REAR, BOTH}


def test_two_files_are_one_tune(log) -> None:
    tables = read_tune(tune_world.pvv(rear=lambda r, c: "70")).ve_tables()
    parts = [TunePart(read_tune(matrix_csv.write(tables[c].grid())), c) for c in (FRONT, REAR)]
    settings = settings_for(parts, log)
    assert (settings.ve.tables[REAR].values == 70.0).all()
    assert (settings.ve.tables[FRONT].values != 70.0).all()


def test_a_table_on_other_axes_is_left_out_and_said(log) -> None:
    tables = read_tune(tune_world.pvv()).ve_tables()
    other = read_tune(matrix_csv.write(tables[REAR].grid()).replace(b"3500", b"3600"))
    front = TunePart(read_tune(matrix_csv.write(tables[FRONT].grid())), FRONT)
    settings = settings_for([front, TunePart(other, REAR)], log)
    assert REAR not in settings.ve.tables
    assert "other axes" in " ".join(settings.notes)
    warnings = {w.code: w.message for w in analyse(log, settings).warnings}
    assert "other axes" in warnings["tune_partly_used"]


def test_a_table_with_empty_cells_is_left_out_and_said(log) -> None:
    settings = settings_for([part(front=lambda r, c: "" if (r, c) == (0, 0) else "70")], log)
    assert FRONT not in settings.ve.tables
    assert "empty cells" in " ".join(settings.notes)


def test_a_tune_over_another_load_than_the_log_holds_is_refused(log, harley) -> None:
    with pytest.raises(TuneError, match="load that this log holds"):
        settings_for([harley], without(log, Channel.TPS))


# The record of the vehicle


def test_the_record_gives_redline_and_injectors_and_the_tune_fills_in(log, harley) -> None:
    assert settings_for([], log, TWIN).injector.flow_g_per_s == 5.5
    assert settings_for([harley], log, TWIN).redline_rpm == 6200.0
    open_record = replace(TWIN, injector_g_per_s=None, displacement_cc=None)
    injector = settings_for([harley], log, open_record).injector
    assert injector.flow_g_per_s == pytest.approx(31.07 * 453.592 / 3600)
    assert injector.cylinder_l == pytest.approx(103 * 16.387064 / 2000)
    assert settings_for([harley], log, TWIN).injector.flow_g_per_s == 5.5
    assert settings_for([harley], log, VehicleRecord("Twin")).injector is None


def test_figures_that_no_engine_has_are_not_taken_from_a_tune(log) -> None:
    data = tune_world.pvv().replace(b'name="Idle RPM" units="RPMx1000"',
                                    b'name="Engine Displacement" units="CID"')  # fmt: skip
    tune = read_tune(data.replace(b'<Cell value="1" />', b'<Cell value="999999" />'))
    assert displacement_cc(tune) > 1e6
    assert settings_for([TunePart(tune)], log, replace(TWIN, displacement_cc=None)).injector is None


# The commanded mixture


def test_the_real_tune_says_what_it_knows(harley) -> None:
    found = target_table(harley.tune, Channel.TPS, 14.7)
    assert (found.name, found.below_tps_pct, found.below_rpm) == ("Air-Fuel Ratio", 90.0, 5000.0)
    assert found.grid.values.min() == pytest.approx(12.5 / 14.7)
    assert set(base_spark(harley.tune, Channel.MAP)) == {FRONT, REAR}
    assert base_spark(harley.tune, Channel.TPS) == {}
    assert injector_flow_g_per_s(harley.tune) == pytest.approx(3.915, abs=0.001)
    assert displacement_cc(harley.tune) == pytest.approx(1688, abs=1)


def test_a_log_that_holds_the_command_keeps_to_it(log, harley) -> None:
    assert settings_for([harley], log).target is None


def test_a_log_without_the_command_takes_the_tunes(log, harley) -> None:
    silent = without(log, *COMMANDS)
    settings = settings_for([harley], silent)
    assert settings.target.load.channel is Channel.MAP
    assert "“Air-Fuel Ratio” of the tune was used" in settings.notes[-1]
    payload = analyse(silent, settings)
    assert payload.accepted > 0


def test_the_targets_are_read_by_their_own_load_and_hold_at_their_borders(log, harley) -> None:
    """The fuel table of this tune goes by throttle, its mixture by MAP."""
    settings = settings_for([harley], without(log, *COMMANDS))
    where = place(log, settings.axes)
    assert where.load_axis.channel is Channel.TPS
    flat = CellGrid(
        settings.target.rpm,
        settings.target.load,
        np.tile(np.array(settings.target.load.nodes) / 100.0, (len(settings.target.rpm), 1)),
    )
    read = target_lambda(flat, where, log)
    inside = np.clip(log.columns[Channel.MAP], 20.0, 100.0) / 100.0
    np.testing.assert_allclose(read, inside, atol=1e-9)


def test_where_power_enrichment_commands_nothing_is_said_about_the_fuel(log, harley) -> None:
    settings = settings_for([harley], without(log, *COMMANDS))
    read = target_lambda(settings.target, place(log, settings.axes), log, 90.0, 5000.0)
    wide = log.columns[Channel.TPS] >= 90.0
    assert wide.any()
    assert np.isnan(read[wide]).all()
    assert np.isfinite(
        read[(log.columns[Channel.TPS] < 90) & (log.columns[Channel.RPM] < 4900)]
    ).any()
    blind = without(log, Channel.TPS)
    assert np.isnan(target_lambda(settings.target, place(log, settings.axes), blind, 90.0)).all()


def test_a_tune_without_targets_says_so_only_where_they_are_missed(log) -> None:
    assert settings_for([part()], log).notes == ()
    settings = settings_for([part()], without(log, *COMMANDS))
    assert settings.target is None
    assert "cannot stand in" in settings.notes[-1]


# What this session has changed already


def test_passes_of_one_session_compound_only_up_to_its_limit(tmp_path, log) -> None:
    store = TuneStore(tmp_path / "tune", "bike")
    base = tmp_path / "0.pvv"
    base.write_bytes(tune_world.pvv())
    for step, value in enumerate((1.15, 1.13)):
        job = Job(tmp_path / f"{step}.pvv", tmp_path / f"{step + 1}.pvv")
        at = NOW + timedelta(minutes=10 * step)
        factors = tune_world.corrections(value)
        store.apply([job], factors, Terms(0.15), now=at)
    tune = TunePart(read_tune((tmp_path / "2.pvv").read_bytes()))
    now = NOW + timedelta(hours=1)
    parts, notes = since_session_began([tune], store, now)
    assert notes == ()
    settings = settings_for(parts, log)
    np.testing.assert_allclose(settings.ve.applied[FRONT].values, 1.15 * 1.13, rtol=2e-3)
    lean = make(World(seed=3, pulls=1, errors={"front": 0.2 + smooth_error(1)}))
    for label, chosen in (("held", parts), ("free", (tune,))):
        fit = analyse(lean, settings_for(chosen, lean)).evidence.fits[FRONT].correction
        most = fit.multiplier.max()
        held = (fit.verdict == Verdict.SESSION_LIMIT).any()
        assert (held, most <= 1.301 / (1.15 * 1.13)) == (
            (True, True) if label == "held" else (False, False)
        )
    later, _ = since_session_began([tune], store, now + timedelta(days=1))
    assert settings_for(later, log).ve.applied == {}


def test_a_history_that_cannot_be_trusted_is_said_and_stops_no_analysis(tmp_path, log) -> None:
    folder = tmp_path / "tune"
    folder.mkdir()
    (folder / "history.json").write_text("{")
    tune = part()
    parts, notes = since_session_began([tune], TuneStore(folder, "bike"), NOW)
    assert parts == (tune,)
    assert "is not known" in notes[0]


def test_the_limit_of_a_common_sensor_holds_for_the_cylinder_changed_most(log) -> None:
    def raised(r, c):
        return f"{(60 + 5 * min(r, 4) + 3 * min(c, 3) + 0.25) * 1.2:.4f}"

    now = TunePart(read_tune(tune_world.pvv(front=raised)), before=read_tune(tune_world.pvv()))
    applied = settings_for([now], log).ve.applied
    assert set(applied) == {FRONT}  # the rear was not changed: nothing is counted against it
    both = TunePart(
        read_tune(tune_world.pvv(front=raised, rear=lambda r, c: "50")),
        before=read_tune(tune_world.pvv(rear=lambda r, c: "49")),
    )
    applied = settings_for([both], log).ve.applied
    np.testing.assert_allclose(applied[BOTH].values, 1.2, rtol=1e-4)
    assert Cylinder.REAR in applied
