"""What a tune knows beside its VE tables: targets, base spark, injectors, displacement.

Tunes call their tables by many names, so a table is known by whole words of its name and by its
unit, and by going over rpm and load. Nothing here is guessed: a tune that does not say so says
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.trust.names import words_of
from dynoai_desktop.core.tune.tables import Tune, TuneError, TuneTable, axis_unit, cylinder_named

LEAST_TARGET, MOST_TARGET = 0.6, 1.3  # lambda
_MIXTURE = ({"afr"}, {"lambda"}, {"air", "fuel"})
_ENRICHMENT = ({"pe"}, {"power", "enrichment"})
_SPARK = ({"spark"}, {"ignition"}, {"timing"})
# Tables over rpm and load that only add to the spark, or only take from it.
_NOT_BASE_SPARK = {"adjust", "temp", "knock", "retard", "pe", "correction", "trim", "max"}
_GRAM_PER_POUND = 453.592
_CC_PER_CUBIC_INCH = 16.387064
_CC_UNITS = {"cid": _CC_PER_CUBIC_INCH, "ci": _CC_PER_CUBIC_INCH, "cc": 1.0, "l": 1000.0}


@dataclass(frozen=True, slots=True, eq=False)
class TuneTargets:
    """The commanded mixture of a tune, in lambda on the axes of its own table.

    Power enrichment commands another one where the throttle is at or above *below_tps_pct* or the
    engine at or above *below_rpm*; None where the tune has no such table.
    """

    grid: CellGrid
    name: str
    below_tps_pct: float | None = None
    below_rpm: float | None = None


def target_table(tune: Tune, load: Channel, stoich: float) -> TuneTargets:
    """Return the targets of a tune; of several tables the first one over *load* is taken.

    AFR is divided by *stoich*. Raises TuneError when it has none, or none that can be one.
    """
    mixture = [t for t in tune.tables if _speaks_of(t, _MIXTURE)]
    enrichment = [t for t in mixture if _speaks_of(t, _ENRICHMENT)]
    tables = [t for t in mixture if t.axes is not None and t not in enrichment]
    if not tables:
        raise TuneError("The tune has no table of AFR or lambda over rpm and load.")
    table = next((t for t in tables if t.axes is not None and t.axes[1].channel is load), tables[0])
    grid = table.grid()
    in_lambda = CellGrid(grid.rpm, grid.load, _as_lambda(grid, table.name, stoich))
    if not enrichment:
        return TuneTargets(in_lambda, table.name)
    throttle, speed = _enrichment_begins(tune, "tps"), _enrichment_begins(tune, "rpm")
    # A tune that enriches and does not say when might do so anywhere.
    if throttle is None and speed is None:
        throttle = 0.0
    return TuneTargets(in_lambda, table.name, throttle, speed)


def base_spark(tune: Tune, load: Channel) -> dict[Cylinder, CellGrid]:
    """Return the main spark tables over rpm and *load* in degrees before TDC, by cylinder."""
    found: dict[Cylinder, CellGrid] = {}
    for table in tune.tables:
        axes = table.axes
        if axes is None or axes[1].channel is not load or not _speaks_of(table, _SPARK):
            continue
        if not _NOT_BASE_SPARK & set(words_of(table.name)):
            found.setdefault(cylinder_named(table.name), table.grid())
    return found


def injector_flow_g_per_s(tune: Tune) -> float | None:
    """Return the static flow of one injector, from lb/h or g/s; None where it is not said.

    31.07 lb/h · 453.592 g/lb ÷ 3600 s/h = 3.915 g/s.
    """
    for table in _scalars(tune, {"injector", "size"}, {"injector", "flow"}):
        words = set(words_of(table.units))
        if {"pounds", "hour"} <= words or words & {"lb", "lbs"}:
            return table.cells[0][0].value * _GRAM_PER_POUND / 3600.0
        if words >= {"g", "s"}:
            return table.cells[0][0].value
    return None


def displacement_cc(tune: Tune) -> float | None:
    """Return the swept volume of the engine in cm³; None where it is not said."""
    for table in _scalars(tune, {"engine", "displacement"}):
        factor = next((f for unit, f in _CC_UNITS.items() if unit in words_of(table.units)), None)
        if factor is not None:
            return table.cells[0][0].value * factor
    return None


def _scalars(tune: Tune, *names: set[str]) -> Iterator[TuneTable]:
    """Yield the single positive values whose name holds all words of one of *names*."""
    for table in tune.tables:
        words = set(words_of(table.name))
        named = any(name <= words for name in names)
        if named and table.is_scalar and table.cells[0][0].value > 0.0:
            yield table


def _enrichment_begins(tune: Tune, quantity: str) -> float | None:
    """Return the lowest threshold of power enrichment in rpm or per cent of throttle."""
    found = [
        table.cells[0][0].value * (unit.gain if (unit := axis_unit(table.units)) else 1.0)
        for table in tune.tables
        if table.is_scalar and _speaks_of(table, _ENRICHMENT) and quantity in words_of(table.name)
    ]
    finite = [value for value in found if np.isfinite(value)]
    return min(finite, default=None)


def _speaks_of(table: TuneTable, words: tuple[set[str], ...]) -> bool:
    said = {*words_of(table.name), *words_of(table.units)}
    return any(wanted <= said for wanted in words)


def in_lambda(values: NDArray[np.float64], stoich: float) -> NDArray[np.float64] | None:
    """Return targets in lambda: as they are where they fit, else as AFR; None where neither fits.

    >>> in_lambda(np.array([13.23]), 14.7)
    array([0.9])
    """
    low, high = float(values.min()), float(values.max())
    if low >= LEAST_TARGET and high <= MOST_TARGET:
        return values
    if LEAST_TARGET * stoich <= low and high <= MOST_TARGET * stoich:
        return values / stoich
    return None


def _as_lambda(grid: CellGrid, name: str, stoich: float) -> NDArray[np.float64]:
    values = grid.values
    if not np.isfinite(values).all():
        raise TuneError(f"“{name}” has cells without a number. Fill them in the tune first.")
    found = in_lambda(values, stoich)
    if found is None:
        raise TuneError(
            f"“{name}” runs from {values.min():g} to {values.max():g}, which is neither lambda nor "
            "AFR of this fuel. Choose the fuel in Settings."
        )
    return found
