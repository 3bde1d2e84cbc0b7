"""Targets: presets, edits, and whatever a spreadsheet puts on the clipboard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.axis import Axis, CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.targets import (
    LEAST_TARGET,
    MOST_TARGET,
    TARGET_PRESETS,
    TargetError,
    paste_targets,
    preset_targets,
    targets_from,
    with_target,
)
from dynoai_desktop.core.live.trial_world import TableError, World, ramp
from dynoai_desktop.core.units import Unit

RPM = Axis.from_nodes(Channel.RPM, Unit.RPM, [1000, 2000, 3000])
MAP = Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, [40, 60, 80, 100])
TPS = Axis.from_nodes(Channel.TPS, Unit.PERCENT, [5, 20, 40, 60, 80, 100])
TARGETS = preset_targets("street", RPM, MAP)
BLOCK = np.array([[1.0, 0.98, 0.92, 0.88], [1.0, 0.97, 0.91, 0.87], [0.99, 0.96, 0.9, 0.86]])


def text(block: np.ndarray, cell: str = "\t", comma: bool = False) -> str:
    lines = [cell.join(f"{x:g}" for x in row) for row in block]
    return "\n".join(lines).replace(".", "," if comma else ".") + "\n"


@pytest.mark.parametrize("preset", TARGET_PRESETS, ids=lambda p: p.key)
@pytest.mark.parametrize("load", [MAP, TPS, default_map_axis()])
def test_presets_are_targets_and_richer_the_higher_the_load(preset, load):
    values = preset_targets(preset.key, RPM, load).values
    assert values.min() >= LEAST_TARGET
    assert values.max() <= MOST_TARGET
    assert np.all(np.diff(values, axis=1) <= 0.0)


def test_boost_has_targets_of_its_own_above_100_kpa():
    load = Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, [60, 100, 150, 200])
    assert preset_targets("boost", RPM, load).values[0, 3] < 0.80


def test_an_edit_changes_the_cells_named_and_nothing_else():
    edited = with_target(TARGETS, [(0, 1), (2, 3)], 0.85)
    changed = edited.values != TARGETS.values
    assert changed.sum() == 2
    assert edited.values[2, 3] == 0.85


@pytest.mark.parametrize("value", [0.2, 2.0, float("nan")])
def test_an_edit_that_is_no_target_is_refused(value):
    with pytest.raises(TargetError):
        with_target(TARGETS, [(0, 0)], value)


@pytest.mark.parametrize(
    "pasted",
    [
        text(BLOCK),
        text(BLOCK, ";"),
        text(BLOCK, "; ", comma=True),
        text(BLOCK, comma=True),
        text(BLOCK, "  ", comma=True),
        text(BLOCK, ","),
        text(BLOCK, ", "),
        text(BLOCK).replace("\n", "\r\n"),
        text(BLOCK).replace("\n", "\t\n"),
        "\n" + text(BLOCK) + "\n\n",
        text(np.round(BLOCK * 14.7, 6)),
        "RPM\\MAP\t40\t60\t80\t100\n" + text(np.column_stack([[1000, 2000, 3000], BLOCK])),
        "\t40\t60\t80\t100\n" + text(np.column_stack([[1, 2, 3], BLOCK])),
    ],
    ids=[
        "tabs", "semicolons", "semicolons and decimal commas", "decimal commas", "blanks",
        "commas", "commas and blanks", "Windows line ends", "trailing tab", "blank lines", "AFR",
        "with labels", "rpm in thousands",
    ],
)  # fmt: skip
def test_a_table_is_understood_however_it_was_copied(pasted):
    assert paste_targets(TARGETS, pasted).values == pytest.approx(BLOCK, abs=1e-5)


def test_afr_is_read_on_the_scale_of_the_fuel():
    pasted = paste_targets(TARGETS, text(np.round(BLOCK * 9.765, 6)), stoich=9.765)
    assert pasted.values == pytest.approx(BLOCK, abs=1e-5)


def test_a_part_goes_where_it_is_put():
    pasted = paste_targets(TARGETS, "0,85\t0,84\n0,83\t0,82", at=(1, 2))
    assert pasted.values[1:, 2:].tolist() == [[0.85, 0.84], [0.83, 0.82]]
    assert np.array_equal(pasted.values[0], TARGETS.values[0])


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "nothing to paste"),
        ("hello world", "no number"),
        (text(BLOCK).replace("0.98", "n/a"), "Row 1, column 2"),
        (text(BLOCK[:2]), "2 rows × 4 columns"),
        (text(BLOCK[:, :3]), "3 rows × 3 columns"),
        ("1\t2\n1", "not equally long"),
        (text(BLOCK).replace("0.98", ""), "empty cells"),
        (text(BLOCK * 3.0), "Targets are lambda"),
        (text(BLOCK).replace("0.88", "inf"), "Row 1, column 4"),
        ("x\t40\t60\t90\t100\n" + text(np.column_stack([[1000, 2000, 3000], BLOCK])), "map_kpa"),
        ("x\t40\t60\t80\t100\n" + text(np.column_stack([[3000, 2000, 1000], BLOCK])), "increase"),
        ("0.9\t" * 60_000, "too long"),
        ("=cmd|' /C calc'!A0\t1", "no number"),
        (text(BLOCK).replace("1\t0.98", "lean\t0.98"), "“lean”"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_sentence_or_two(pasted, words):
    with pytest.raises(TargetError, match=words):
        paste_targets(TARGETS, pasted)


def test_a_part_that_does_not_fit_is_refused():
    with pytest.raises(TargetError, match="does not fit"):
        paste_targets(TARGETS, text(BLOCK), at=(1, 1))


@given(st.text(max_size=300))
def test_any_text_gives_targets_or_a_sentence(pasted):
    try:
        paste_targets(TARGETS, pasted)
    except TargetError as error:
        assert str(error).endswith(".")


def test_targets_of_a_tune_are_read_off_at_the_nodes_of_the_map():
    fine = targets_from(TARGETS, default_rpm_axis(), default_map_axis())
    assert fine.values.shape == (20, 10)
    back = targets_from(fine, RPM, MAP)
    assert back.values == pytest.approx(TARGETS.values, abs=0.01)


def test_a_tune_by_throttle_is_no_target_for_a_map_by_pressure():
    with pytest.raises(TargetError, match="tps"):
        targets_from(preset_targets("street", RPM, TPS), RPM, MAP)


def test_the_engine_refuses_targets_of_other_axes():
    with pytest.raises(TargetError, match="other axes"):
        LiveEngine().set_targets(TARGETS)


def errors(engine: LiveEngine) -> np.ndarray:
    return engine.snapshot().cylinders[Cylinder.FRONT].error


@pytest.mark.parametrize("announced", [False, True])
def test_new_targets_judge_old_readings_anew_unless_the_ecu_commands(announced):
    world = World(TableError(1, 0.0), announced=announced)
    engine = LiveEngine()
    axes = default_rpm_axis(), default_map_axis()
    engine.set_targets(CellGrid(*axes, np.full((20, 10), 0.90)))
    for aggregate in world.drive(ramp(10.0, (3000, 3000), (65, 65)), 1):
        engine.observe(aggregate)
    before = errors(engine)
    engine.set_targets(CellGrid(*axes, np.full((20, 10), 0.85)))
    after = errors(engine)
    some = np.isfinite(before)
    assert np.array_equal(some, np.isfinite(after))
    assert before[some] == pytest.approx(0.0, abs=0.01)
    expected = 0.0 if announced else 0.90 / 0.85 - 1.0
    assert after[some] == pytest.approx(expected, abs=0.012)
    assert engine.snapshot().commanded is announced
