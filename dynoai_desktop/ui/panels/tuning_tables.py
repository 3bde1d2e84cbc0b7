"""What the map of the virtual tuning page can show: one row of TABLE_VIEWS each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.tables import EcuTables
from dynoai_desktop.core.simulator.tuning.outcome import Iteration, Outcome
from dynoai_desktop.ui.theme import Palette, diverging, ramp
from dynoai_desktop.ui.widgets.map_views import (
    Layer,
    MapStyle,
    Scale,
    error_share,
    error_ticks,
    signed,
)
from dynoai_desktop.ui.wording import number

F64 = NDArray[np.float64]
SIDES = (Cylinder.FRONT, Cylinder.REAR)
_HELD = 0.95  # share of the cells that the scale holds: a corner nobody visits may be beyond it
_VE_FLOOR = 20.0  # per cent; below it every colour is the darkest


@dataclass(frozen=True, slots=True)
class TableView:
    """One table: how it is drawn, and where it comes from; None: not known yet."""

    key: str
    title: str
    style: MapStyle
    values: Callable[[Outcome, Cylinder], F64 | None]


def _ve(tables: EcuTables, side: Cylinder) -> CellGrid:
    return tables.ve_front_pct if side is Cylinder.FRONT else tables.ve_rear_pct


def _before(outcome: Outcome, side: Cylinder) -> F64 | None:
    first = outcome.iterations[0].tables if outcome.iterations else outcome.tables
    return None if first is None else _ve(first, side).values


def _after(outcome: Outcome, side: Cylinder) -> F64 | None:
    return None if outcome.tables is None else _ve(outcome.tables, side).values


def _true(outcome: Outcome, side: Cylinder) -> F64 | None:
    truth = outcome.true_ve_pct
    return None if truth is None else truth[SIDES.index(side)]


def _change(outcome: Outcome, side: Cylinder) -> F64 | None:
    before, after = _before(outcome, side), _after(outcome, side)
    return None if before is None or after is None else 100.0 * (after / before - 1.0)


def _left(outcome: Outcome, side: Cylinder) -> F64 | None:
    """Return what the table is still short by: positive is lean, as a measured error would be."""
    after, true = _after(outcome, side), _true(outcome, side)
    return None if after is None or true is None else 100.0 * (true / after - 1.0)


def _measured(outcome: Outcome, side: Cylinder) -> F64 | None:
    if not outcome.iterations:
        return None
    last: Iteration = outcome.iterations[-1]
    found = last.cylinders.get(side, last.cylinders.get(Cylinder.BOTH))
    return None if found is None else found.error_afr


def _ve_top(layer: Layer) -> float:
    return float(10.0 * np.ceil(np.nanmax(layer.values, initial=100.0) / 10.0))


def _ve_share(values: F64, top: float) -> F64:
    return (values - _VE_FLOOR) / (top - _VE_FLOOR)


def _tops(*tops: float) -> Callable[[Layer], float]:
    def top(layer: Layer) -> float:
        sizes = np.abs(layer.values[np.isfinite(layer.values)])
        most = float(np.quantile(sizes, _HELD)) if sizes.size else 0.0
        return next((top for top in tops if most <= top), tops[-1])

    return top


def _signed(value: float) -> str:
    """Return a number with its sign, short enough for a cell.

    >>> _signed(-0.24), _signed(12.3)
    ('−0.2', '+12')
    """
    return signed(value, 1 if abs(value) < 9.95 else 0)


def _coverage(palette: Palette) -> list[str]:
    return ramp(palette.few, palette.many)


def _added_share(values: F64, top: float) -> F64:
    """Return the place on the scale where more fuel, so richer, is at the blue end."""
    return 0.5 - 0.5 * values / top


_VE = Scale(
    _ve_top,
    _ve_share,
    lambda top: tuple(float(x) for x in np.linspace(_VE_FLOOR, top, 5)),
    lambda value: number(value, 0),
)
_TOPS = _tops(5.0, 10.0, 20.0, 40.0)
_ERROR = Scale(_TOPS, error_share, error_ticks, _signed, 1)
_ADDED = Scale(_TOPS, _added_share, error_ticks, _signed, 1)
_AFR = Scale(_tops(1.0, 2.0, 4.0), error_share, error_ticks, _signed, 1)

_WRONG = MapStyle("short, %", diverging, _ERROR)
_MEASURED = MapStyle("AFR", diverging, _AFR)
_TABLE = MapStyle("VE, %", _coverage, _VE)
_CHANGED = MapStyle("added, %", diverging, _ADDED)

TABLE_VIEWS: tuple[TableView, ...] = (
    TableView("left", "Still wrong", _WRONG, _left),
    TableView("measured", "Measured error", _MEASURED, _measured),
    TableView("before", "Table before", _TABLE, _before),
    TableView("after", "Table now", _TABLE, _after),
    TableView("true", "True table", _TABLE, _true),
    TableView("change", "Change so far", _CHANGED, _change),
)


def layer_of(view: TableView, outcome: Outcome, side: Cylinder) -> Layer | None:
    """Return the table as the map draws it; None while it is not known or has been released."""
    values = view.values(outcome, side)
    tables = outcome.tables
    if values is None or tables is None:
        return None
    grid = _ve(tables, side)
    return Layer(grid.rpm, grid.load, values)
