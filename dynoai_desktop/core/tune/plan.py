"""What corrections would do to a tune, cell by cell, before anything is written.

The plan is the preview and the change in one: what is shown is what is written. Every cell of the
table is in it, with what becomes of it and why; nothing outside the tables is touched.

Both cylinders are changed or none, so that no accident leaves a tune half corrected. Where only one
cylinder was measured a tuner may still want that one put right. That takes an explicit word
(`Terms.alone`), is said in the preview and kept in the history; the other cylinder stays as it is
and never gets a share of its neighbour's correction.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.store.vehicle_folders import is_rehearsal
from dynoai_desktop.core.store.vehicles import vehicle_slug
from dynoai_desktop.core.tune.corrections import Corrections
from dynoai_desktop.core.tune.formats import format_of
from dynoai_desktop.core.tune.matrix_csv import cell_text
from dynoai_desktop.core.tune.tables import Cell, Tune, TuneError, TuneTable, rewritten

MAX_STEP = 0.15  # no single step may be allowed more than this
DEFAULT_STEP = 0.07
_DECIMALS = (2, 6)  # a table of whole numbers gets two decimals; six are enough for any

_ROUNDING = 1e-6  # of a cell's value: the last written decimal, not a step

Locked = tuple[Cylinder, int, int]  # cylinder, rpm node, load node; BOTH locks every cylinder


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms corrections are applied."""

    limit: float = DEFAULT_STEP  # largest change of a cell, as a share of its value
    locked: frozenset[Locked] = frozenset()
    half: bool = False  # half of each change: the habit where a wideband is not trusted yet
    alone: Cylinder | None = None  # correct this cylinder and leave the other as it is

    def __post_init__(self) -> None:
        """Refuse a limit beyond reason: raises TuneError."""
        if not 0 < self.limit <= MAX_STEP:
            raise TuneError(
                f"A step limit of {self.limit:.0%} is not allowed; choose up to {MAX_STEP:.0%}."
            )

    def asked(self, multiplier: float) -> float:
        """Return the multiplier that is asked for.

        >>> Terms(half=True).asked(1.05), Terms().asked(1.05)
        (1.025, 1.05)
        """
        return 1.0 + (multiplier - 1.0) / 2.0 if self.half else multiplier


class Fate(StrEnum):
    """What becomes of a cell."""

    CHANGED = "changed"
    LIMITED = "limited"  # changed by the largest step allowed
    UNCHANGED = "unchanged"  # multiplier 1, or too small a change to be written
    LOCKED = "locked"
    BLANK = "blank"
    ZERO = "zero"


REASONS: dict[Fate, str] = {
    Fate.LIMITED: "the step is held to the limit",
    Fate.LOCKED: "the cell is locked",
    Fate.BLANK: "the cell is empty in the tune",
    Fate.ZERO: "the cell is 0 in the tune: a multiplier cannot change it",
}
BLOCKED = frozenset({Fate.LOCKED, Fate.BLANK, Fate.ZERO})


@dataclass(frozen=True, slots=True)
class CellPlan:
    """One cell of the file. *multiplier* is what was asked for."""

    cylinder: Cylinder
    table: int
    row: int
    column: int
    node: tuple[int, int]  # rpm, load
    multiplier: float
    before: float  # NaN where blank
    after: float
    text: str  # as it will stand in the file
    fate: Fate


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything that applying would do, and the bytes it would write."""

    cells: tuple[CellPlan, ...]
    tables: Mapping[Cylinder, TuneTable]
    untouched: tuple[Cylinder, ...]  # cylinders that have a table of their own and keep it
    base_sha256: str
    output: bytes

    @property
    def output_sha256(self) -> str:
        """Return the hash of what would be written."""
        return hashlib.sha256(self.output).hexdigest()

    @property
    def changes_anything(self) -> bool:
        """Return whether any cell would be written differently."""
        return any(cell.fate in (Fate.CHANGED, Fate.LIMITED) for cell in self.cells)

    def counts(self) -> dict[Fate, int]:
        """Return how many cells of the file meet each fate."""
        return dict(Counter(cell.fate for cell in self.cells))

    def grids(self, cylinder: Cylinder) -> tuple[CellGrid, CellGrid, CellGrid]:
        """Return before, after and the difference at the nodes, ``[rpm][load]``."""
        before = self.tables[cylinder].grid()
        after = before.values.copy()
        for cell in reversed(self.cells):  # the first cell of a padded node has the last word
            if cell.cylinder is cylinder:
                after[cell.node] = cell.after
        rpm, load = before.rpm, before.load
        return before, CellGrid(rpm, load, after), CellGrid(rpm, load, after - before.values)

    def blocked(self) -> list[tuple[CellPlan, str]]:
        """Return the cells that were to change and will not, each with the reason."""
        return [(c, REASONS[c.fate]) for c in self.cells if c.fate in BLOCKED and c.multiplier != 1]


def make_plan(
    tune: Tune,
    corrections: Corrections,
    terms: Terms | None = None,
    *,
    vehicle: str = "",
    only: Cylinder | None = None,
) -> Plan:
    """Return what *corrections* would do to *tune*. Pure: nothing is written.

    *only* names the cylinder of a file that holds the table of one. Raises TuneError when the
    corrections are for another vehicle or tune, their axes are not those of the tables, or a
    cylinder would be left behind without a word.
    """
    terms = terms or Terms()
    base_sha256 = hashlib.sha256(tune.data).hexdigest()
    _check_identity(corrections, vehicle, base_sha256)
    found = _tables(tune, corrections, only)
    tables = found if terms.alone is None else _one_of(found, terms.alone, corrections)
    _check_factors(tables, corrections)
    if only is None and terms.alone is None:
        _check_none_left(found, corrections)
    decimals = {c: _decimals(table) for c, table in tables.items()}
    cells = [
        _cell_plan(cylinder, table, node, at, corrections, terms, decimals[cylinder])
        for cylinder, table in tables.items()
        for node in np.ndindex(*_shape(table))
        for at in table.cells_of(*node)
    ]
    encode = format_of(tune).encode
    edits = {}
    for cell in cells:
        source = tune.tables[cell.table].cells[cell.row][cell.column]
        if cell.text != source.text:
            edits[source.start, source.stop] = encode(cell.text)
    untouched = tuple(cylinder for cylinder in found if cylinder not in tables)
    return Plan(tuple(cells), tables, untouched, base_sha256, rewritten(tune.data, edits))


def lone_cylinder(held: Collection[Cylinder], corrections: Corrections) -> Cylinder | None:
    """Return the one cylinder that could be corrected alone, or None.

    *held* are the cylinders that the tune has tables of. There is one where table and correction
    meet for that cylinder only, and the other has just one of the two.
    """
    given, pair = set(corrections.factors), {Cylinder.FRONT, Cylinder.REAR}
    meet = given & set(held)
    return next(iter(meet)) if len(meet) == 1 and given | set(held) == pair else None


def _check_identity(corrections: Corrections, vehicle: str, base_sha256: str) -> None:
    if corrections.simulated and not is_rehearsal(vehicle):
        raise TuneError(
            "These corrections come from a simulated run and are not for the tune of a real "
            "vehicle. Analyse a run of the vehicle itself."
        )
    named = corrections.vehicle and vehicle
    if named and vehicle_slug(corrections.vehicle) != vehicle_slug(vehicle):
        raise TuneError(f"These corrections are for “{corrections.vehicle}”, not for “{vehicle}”.")
    if corrections.tune_sha256 and corrections.tune_sha256 != base_sha256:
        raise TuneError(
            "These corrections were worked out on another tune than this file. Analyse the run "
            "again with the tune it was made with."
        )


def _tables(
    tune: Tune, corrections: Corrections, only: Cylinder | None
) -> dict[Cylinder, TuneTable]:
    """Return the VE tables over the load of the corrections, by cylinder."""
    load = next(iter(corrections.factors.values())).load.channel
    found = tune.ve_tables(load)
    if only is not None:
        mine = found.get(only) or found.get(Cylinder.BOTH)
        found = {only: mine} if mine is not None else {}
    if not found:
        raise TuneError(f"The tune has no VE table over rpm and {load.value}.")
    return found


def _one_of(
    found: Mapping[Cylinder, TuneTable], alone: Cylinder, corrections: Corrections
) -> dict[Cylinder, TuneTable]:
    """Return the table of the cylinder that is to be corrected alone."""
    if alone not in found:
        raise TuneError(
            f"The tune has no VE table of its own for the {alone.value} cylinder, so it cannot be "
            "corrected alone."
        )
    if alone not in corrections.factors:
        raise TuneError(
            f"There is no correction of its own for the {alone.value} cylinder, so it cannot be "
            "corrected alone."
        )
    return {alone: found[alone]}


def _check_factors(tables: Mapping[Cylinder, TuneTable], corrections: Corrections) -> None:
    given = " and ".join(sorted(corrections.factors))
    for cylinder, table in tables.items():
        factors = corrections.factors.get(cylinder) or corrections.factors.get(Cylinder.BOTH)
        if factors is None:
            whose = (
                "one VE table for both cylinders"
                if cylinder is Cylinder.BOTH
                else f"a VE table for the {cylinder.value} cylinder"
            )
            raise TuneError(
                f"The tune has {whose}, the corrections are for {given} only. Both cylinders are "
                "changed or none."
            )
        axes = table.axes
        same = axes is not None and _same(axes[0], factors.rpm) and _same(axes[1], factors.load)
        if not same:
            raise TuneError(
                f"The corrections for the {cylinder.value} cylinder have other axes than "
                f"“{table.name}”. Analyse on the axes of this tune."
            )


def _check_none_left(found: Mapping[Cylinder, TuneTable], corrections: Corrections) -> None:
    given = set(corrections.factors)
    if Cylinder.BOTH not in given and not given <= set(found):
        raise TuneError("The corrections are for a cylinder for which the tune has no table.")


def _same(one: Axis, other: Axis) -> bool:
    return (
        one.channel is other.channel
        and len(one) == len(other)
        and all(
            math.isclose(a, b, rel_tol=1e-6) for a, b in zip(one.nodes, other.nodes, strict=True)
        )
    )


def _shape(table: TuneTable) -> tuple[int, int]:
    axes = table.axes
    if axes is None:
        raise TuneError(f"“{table.name}” is not a table over rpm and load.")
    return len(axes[0]), len(axes[1])


def _decimals(table: TuneTable) -> int:
    low, high = _DECIMALS
    return min(max(table.decimals(), low), high)


def _cell_plan(
    cylinder: Cylinder,
    table: TuneTable,
    node: tuple[int, ...],
    at: tuple[int, int],
    corrections: Corrections,
    terms: Terms,
    decimals: int,
) -> CellPlan:
    rpm, load = node
    row, column = at
    cell = table.cells[row][column]
    factors = corrections.factors.get(cylinder) or corrections.factors[Cylinder.BOTH]
    asked = terms.asked(float(factors.values[rpm, load]))
    fate, text = _fate(cell, asked, terms.limit, decimals)
    is_locked = not terms.locked.isdisjoint({(cylinder, rpm, load), (Cylinder.BOTH, rpm, load)})
    if is_locked and fate is not Fate.UNCHANGED:
        fate, text = Fate.LOCKED, cell.text
    after = Cell(text, 0, 0).value
    return CellPlan(
        cylinder, table.index, row, column, (rpm, load), asked, cell.value, after, text, fate
    )


def _fate(cell: Cell, asked: float, limit: float, decimals: int) -> tuple[Fate, str]:
    """Return what becomes of a cell and the text it will have."""
    before = cell.value
    if math.isnan(before):
        return Fate.BLANK, cell.text
    if asked == 1.0:
        return Fate.UNCHANGED, cell.text
    if before == 0.0:
        return Fate.ZERO, cell.text
    held = min(max(asked, 1.0 - limit), 1.0 + limit)
    text = _within(before, before * held, limit, decimals)
    if Cell(text, 0, 0).value == before:
        return Fate.UNCHANGED, cell.text
    return (Fate.CHANGED if held == asked else Fate.LIMITED), text


def _within(before: float, after: float, limit: float, decimals: int) -> str:
    """Return *after* as text, rounded so that the change stays inside the limit."""
    text = cell_text(after, decimals)
    if abs(float(text) / before - 1.0) > limit + _ROUNDING:
        step = math.copysign(10.0**-decimals, before - after)
        text = cell_text(float(text) + step, decimals)
    return text
