"""Runs with their peaks, spark valleys and timing advice, and what heat did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from dynoai_desktop.core.tune.clipboard import Layout
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.analyse_section import Section, rows_text, tsv
from dynoai_desktop.ui.panels.analyse_words import KINDS, quantity, said, signed
from dynoai_desktop.ui.widgets.card import Card, plain_label
from dynoai_desktop.ui.widgets.row_model import Column, RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.wording import ABSENT, number

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.heat import HeatReport
    from dynoai_desktop.core.analysis.knock import SparkAdvice
    from dynoai_desktop.core.analysis.payload import Payload
    from dynoai_desktop.core.analysis.runs import Run
    from dynoai_desktop.core.analysis.spark import Mbt, Valley
    from dynoai_desktop.core.axis import Axis

_ROW_PX = 34


def _peak(value: float | None, at: float | None, unit: Unit, look: Look) -> str:
    if value is None or value <= 0.0:
        return ABSENT
    where = "" if at is None else f"  @ {number(at, 0)}"
    return quantity(value, unit, look) + where


RUN_COLUMNS: tuple[Column[Run], ...] = (
    Column("Run", lambda run, _look: said(run.kind, KINDS), lambda run: run.kind, width=10),
    Column(
        "From, s",
        lambda run, _look: number(run.start_s, 1),
        lambda run: run.start_s,
        is_number=True,
        width=7,
    ),
    Column(
        "For, s",
        lambda run, _look: number(run.end_s - run.start_s, 1),
        lambda run: run.end_s - run.start_s,
        is_number=True,
        width=6,
    ),
    Column(
        "rpm",
        lambda run, _look: f"{number(run.start_rpm, 0)} → {number(run.end_rpm, 0)}",
        lambda run: run.end_rpm,
        is_number=True,
        width=14,
    ),
    Column(
        "Peak power @ rpm",
        lambda run, look: _peak(run.peak_power_kw, run.peak_power_rpm, Unit.KILOWATT, look),
        lambda run: run.peak_power_kw or 0.0,
        is_number=True,
        width=17,
    ),
    Column(
        "Peak torque @ rpm",
        lambda run, look: _peak(run.peak_torque_nm, run.peak_torque_rpm, Unit.NEWTON_METRE, look),
        lambda run: run.peak_torque_nm or 0.0,
        is_number=True,
        stretches=True,
    ),
)


class RunsSection(Section):
    """A list of runs; beside it spark and heat."""

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__(look)
        self._payload: Payload | None = None
        self.rows: RowModel[Run] = RowModel(
            RUN_COLUMNS, lambda run: (run.kind, run.start_s), look, self
        )
        self.table = RowTable(self.rows, "Runs of this log", _ROW_PX, look)
        self.table.allow_sorting()
        self.spark, self.timing, self.heat = plain_label(), plain_label(), plain_label()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.table, 2)
        side = QVBoxLayout()
        side.setSpacing(8)
        for heading, label in (
            ("Spark valleys", self.spark),
            ("Timing", self.timing),
            ("Heat", self.heat),
        ):
            card = Card(heading)
            card.add(label)
            card.close_up()
            side.addWidget(card, 1)
        row.addLayout(side, 1)
        self.setFocusProxy(self.table)

    def show_payload(self, payload: Payload) -> None:
        """List the runs of another analysis."""
        self._payload = payload
        self.rows.set_rows(payload.evidence.runs)
        if payload.evidence.runs and self.table.selected() is None:
            self.table.selectRow(0)
        load = payload.evidence.where.load_axis
        self.spark.setText(
            "\n".join(_valley_words(v, load, self.look) for v in payload.valleys)
            or "No dip of the advance at high load that is more than noise."
        )
        self.timing.setText("\n".join(_timing_lines(payload, load, self.look)))
        self.heat.setText("\n".join(_heat_lines(payload.heat, self.look)))

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.table.set_look(look)
        if self._payload is not None:
            self.show_payload(self._payload)

    def copy_text(self, layout: Layout) -> str:
        """Return the runs, and what is said beside them."""
        notes = [
            [text]
            for label in (self.spark, self.timing, self.heat)
            for text in label.text().splitlines()
        ]
        return rows_text(self.rows, self.look, titles=layout.axes) + tsv(notes)


def _load_text(value: float, load: Axis, look: Look) -> str:
    return f"{number(look.display.value(value, load.unit), 0)} {look.display.unit(load.unit)}"


def _valley_words(valley: Valley, load: Axis, look: Look) -> str:
    depth = f"{number(valley.depth_deg, 1)} ± {number(valley.depth_se_deg, 1)}°"
    low, high = (_load_text(x, load, look) for x in valley.load_band)
    why = "the base table has it too" if valley.of_base_table else "not in the base table as known"
    return (
        f"{valley.cylinder.value}: {depth} deep at {number(valley.rpm_center, 0)} rpm, {low} to "
        f"{high}: {number(valley.pre_valley_deg, 1)}° before, {number(valley.valley_min_deg, 1)}° "
        f"in it, {number(valley.post_valley_deg, 1)}° after; {why} "
        f"({100 * valley.confidence:.0f} % sure)."
    )


def _timing_lines(payload: Payload, load: Axis, look: Look) -> Iterator[str]:
    for advice in payload.spark_advice:
        yield _advice_words(advice, load, look)
    for mbt in payload.mbt:
        yield _mbt_words(mbt, load, look)
    if not payload.spark_advice and not payload.mbt:
        heard = "Knock was heard nowhere often enough" if payload.knock else "Knock was not logged"
        yield f"{heard}, and torque was not swept over spark: timing stays as it is."


def _advice_words(advice: SparkAdvice, load: Axis, look: Look) -> str:
    return (
        f"{advice.cylinder.value} {number(advice.rpm, 0)} rpm, "
        f"{_load_text(advice.load, load, look)}: {signed(advice.change_deg, 1)}° "
        f"({advice.reason}; {number(advice.events, 0)} in {number(advice.cycles, 0)} cycles)"
    )


def _mbt_words(mbt: Mbt, load: Axis, look: Look) -> str:
    return (
        f"{mbt.cylinder.value} {number(mbt.rpm, 0)} rpm, {_load_text(mbt.load, load, look)}: "
        f"most torque at {number(mbt.mbt_deg, 1)} ± {number(mbt.mbt_se_deg, 1)}°, "
        f"now {number(mbt.present_deg, 1)}°"
    )


def _heat_lines(heat: HeatReport, look: Look) -> Iterator[str]:
    soaked = f"{number(heat.soaked_s, 1)} s" if heat.soaked_s else "no time"
    yield f"Heat-soaked: {soaked}; such rows are left out of the fuel table."
    if heat.iat_max_c is not None:
        start = quantity(heat.iat_start_c, Unit.CELSIUS, look, 0)
        yield f"Intake air from {start} to {quantity(heat.iat_max_c, Unit.CELSIUS, look, 0)}."
    if heat.ect_max_c is not None:
        yield f"Engine up to {quantity(heat.ect_max_c, Unit.CELSIUS, look, 0)}."
    if heat.power_per_pull_pct is not None and heat.power_per_pull_se_pct is not None:
        yield (
            f"Power from pull to pull: {signed(heat.power_per_pull_pct, 1)} "
            f"± {number(heat.power_per_pull_se_pct, 1)} %."
        )
    if heat.power_per_10c_pct is not None and heat.power_per_10c_se_pct is not None:
        yield (
            f"Power with 10 °C more intake air: {signed(heat.power_per_10c_pct, 1)} "
            f"± {number(heat.power_per_10c_se_pct, 1)} %."
        )
    elif heat.pulls < 3:
        yield "Three like pulls are needed to tell what heat costs."
