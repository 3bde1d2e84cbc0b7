"""Tables of a tune as they stand in the file, and the grid they mean.

An ECU pads its axes by repeating the last label, so 6.5, 6.5, 6.5 is one node kept in three rows.
A table therefore has two addresses: a cell of the file by row and column index, and a node of its
de-padded axes. The grid has the nodes; a change of a node goes to every cell that stands for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.trust.names import words_of
from dynoai_desktop.core.units import Unit

MAX_TUNE_BYTES = 32 * 1024 * 1024
MAX_CELLS = 1_000_000


class TuneError(ValueError):
    """A tune or a correction cannot be used. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class AxisUnit:
    """What an axis measures: ``node = label * gain`` in *unit*."""

    channel: Channel
    unit: Unit
    gain: float = 1.0


RPM = AxisUnit(Channel.RPM, Unit.RPM)
KILO_RPM = AxisUnit(Channel.RPM, Unit.RPM, 1000.0)
MAP_KPA = AxisUnit(Channel.MAP, Unit.KILOPASCAL)
TPS_PERCENT = AxisUnit(Channel.TPS, Unit.PERCENT)

# How tune files write the unit of an axis, as words run together.
AXIS_UNITS: dict[str, AxisUnit] = {
    "rpm": RPM,
    "enginespeed": RPM,
    "rpmx1000": KILO_RPM,
    "rpm×1000": KILO_RPM,
    "krpm": KILO_RPM,
    "map": MAP_KPA,
    "kpa": MAP_KPA,
    "kilopascals": MAP_KPA,
    "kilopascal": MAP_KPA,
    "mapkpa": MAP_KPA,
    "fuelload": MAP_KPA,
    "tps": TPS_PERCENT,
    "throttle": TPS_PERCENT,
    "throttleposition": TPS_PERCENT,
    "percent": TPS_PERCENT,
    "%": TPS_PERCENT,
    "tps%": TPS_PERCENT,
}


def axis_unit(text: str) -> AxisUnit | None:
    """Return what an axis with this unit or name measures, or None when it is no engine axis.

    >>> axis_unit("RPMx1000").gain, axis_unit("MAP (kPa)").channel.value
    (1000.0, 'map_kpa')
    """
    key = "".join(c for c in text.lower() if c.isalnum() or c in "%×")
    return AXIS_UNITS.get(key)


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one side of a table, verbatim, and the axis they make.

    *axis* is None where the labels do not rise or do not measure an engine axis; *groups* holds
    for each node the indexes of the labels that stand for it.
    """

    texts: tuple[str, ...]
    units: str
    measures: AxisUnit | None
    axis: Axis | None
    groups: tuple[tuple[int, ...], ...]


def make_labels(texts: tuple[str, ...], units: str, measures: AxisUnit | None) -> Labels:
    """Return the labels with the axis they make, padding folded into the last node.

    >>> make_labels(("60", "80", "100", "100"), "%", TPS_PERCENT).groups
    ((0,), (1,), (2, 3))
    """
    values = [number(text) for text in texts]
    groups: list[list[int]] = []
    for i, value in enumerate(values):
        # Only the end of an axis is padded: the same label twice inside means something else.
        padded = groups and value == values[-1] and value == values[groups[-1][0]]
        if padded:
            groups[-1].append(i)
        else:
            groups.append([i])
    nodes = [values[group[0]] for group in groups]
    rising = len(nodes) >= 2 and all(b > a for a, b in pairwise(nodes))
    axis = None
    if measures is not None and rising and all(math.isfinite(x) for x in nodes):
        scaled = [round(x * measures.gain, 9) for x in nodes]
        axis = Axis.from_nodes(measures.channel, measures.unit, scaled)
    return Labels(texts, units, measures, axis, tuple(tuple(group) for group in groups))


def number(text: str) -> float:
    """Return the number in a cell, NaN for a blank or anything that is none.

    >>> number(" +2.5 "), number("'-0.36")
    (2.5, -0.36)
    """
    plain = text.strip().removeprefix("'")
    if "_" in plain:
        return math.nan
    try:
        value = float(plain)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as written. ``data[start:stop]`` of the file is *text*, escapes included."""

    text: str
    start: int
    stop: int

    @property
    def value(self) -> float:
        """Return the number, NaN where the cell is blank or holds none."""
        return number(self.text)


@dataclass(frozen=True, slots=True)
class TuneTable:
    """One table of a tune. Cells are ``[row][column]`` as in the file."""

    index: int  # place in the file: names may come twice
    name: str
    units: str
    columns: Labels
    rows: Labels
    cells: tuple[tuple[Cell, ...], ...]
    id: str = ""

    @property
    def is_scalar(self) -> bool:
        """Return True for a single value; 0 and 1 are values like any other."""
        return len(self.rows.texts) == 1 and len(self.columns.texts) == 1

    @property
    def rpm_is_rows(self) -> bool:
        """Return True when rows are engine speed; False when columns are, or neither is."""
        axis = self.rows.axis
        return axis is not None and axis.channel is Channel.RPM

    @property
    def axes(self) -> tuple[Axis, Axis] | None:
        """Return the rpm and the load axis, or None when this is no rpm × load table."""
        first, second = (
            (self.rows.axis, self.columns.axis)
            if self.rpm_is_rows
            else (self.columns.axis, self.rows.axis)
        )
        if first is None or second is None or first.channel is not Channel.RPM:
            return None
        return None if second.channel is Channel.RPM else (first, second)

    def grid(self) -> CellGrid:
        """Return the values at the nodes, ``[rpm][load]``; NaN where a cell is blank.

        Raises TuneError when this is no rpm × load table.
        """
        axes = self.axes
        if axes is None:
            raise TuneError(
                f"“{self.name}” is not a table over rpm and load: its axes are in "
                f"“{self.rows.units}” and “{self.columns.units}” or do not rise."
            )
        rpm, load = axes
        values = np.empty((len(rpm), len(load)))
        for i in range(len(rpm)):
            for j in range(len(load)):
                row, column = self.cells_of(i, j)[0]
                values[i, j] = self.cells[row][column].value
        return CellGrid(rpm, load, values)

    def cells_of(self, rpm: int, load: int) -> list[tuple[int, int]]:
        """Return every (row, column) of the file that stands for one node, the first one first."""
        if self.rpm_is_rows:
            return [(r, c) for r in self.rows.groups[rpm] for c in self.columns.groups[load]]
        return [(r, c) for c in self.columns.groups[rpm] for r in self.rows.groups[load]]

    def decimals(self) -> int:
        """Return the most decimals any cell is written with."""
        return max(
            (len(cell.text.partition(".")[2].strip()) for row in self.cells for cell in row),
            default=0,
        )

    def all_cells(self) -> Iterator[tuple[int, int, Cell]]:
        """Yield (row, column, cell)."""
        for r, row in enumerate(self.cells):
            for c, cell in enumerate(row):
                yield r, c, cell


@dataclass(frozen=True, slots=True, eq=False)
class Tune:
    """A tune file: its bytes, and the tables found in them."""

    format: str
    data: bytes
    tables: tuple[TuneTable, ...]
    guard: bool = False  # cells are protected from spreadsheets with an apostrophe

    def table(self, name: str, occurrence: int = 0) -> TuneTable:
        """Return a table by name, the *occurrence*-th of those that share it.

        Raises TuneError when there is none.
        """
        found = [table for table in self.tables if table.name == name]
        if occurrence >= len(found):
            raise TuneError(f"The tune has no table “{name}”.")
        return found[occurrence]

    def ve_tables(self, load: Channel | None = None) -> dict[Cylinder, TuneTable]:
        """Return the volumetric-efficiency tables over rpm and load, by cylinder.

        A tune may hold one family over MAP and one over TPS: *load* chooses; without it the family
        the file lists first is returned.
        """
        found: dict[Cylinder, TuneTable] = {}
        family = load
        for table in self.tables:
            axes = table.axes
            if axes is None or not _is_ve(table.name):
                continue
            family = family or axes[1].channel
            if axes[1].channel is family:
                found.setdefault(cylinder_named(table.name), table)
        return found


def _is_ve(name: str) -> bool:
    words = words_of(name)
    return "ve" in words or words[:2] == ("volumetric", "efficiency")


def cylinder_named(name: str) -> Cylinder:
    """Return the cylinder that the name of a table speaks of; both where it names none.

    >>> cylinder_named("VE (MAP based/Front Cyl)").value
    'front'
    """
    words = set(words_of(name))
    if words & {"front", "f"}:
        return Cylinder.FRONT
    if words & {"rear", "r"}:
        return Cylinder.REAR
    return Cylinder.BOTH


def rewritten(data: bytes, edits: dict[tuple[int, int], bytes]) -> bytes:
    """Return *data* with the spans ``(start, stop)`` replaced; every other byte is kept.

    >>> rewritten(b'<Cell value="10" />', {(13, 15): b"9.5"})
    b'<Cell value="9.5" />'
    """
    parts: list[bytes] = []
    at = 0
    for (start, stop), fresh in sorted(edits.items()):
        if start < at:
            raise ValueError("two edits overlap")
        parts += [data[at:start], fresh]
        at = stop
    return b"".join([*parts, data[at:]])
