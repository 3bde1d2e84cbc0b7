"""TunerStudio tables (.table): XML with the numbers as text, one table a file.

``xAxis`` and ``yAxis`` list one number a line, ``zValues`` one row for each y. The rows follow the
order of ``yAxis``, which TunerStudio writes rising (its own export, "fileFormat 1.0").
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.tune.matrix_csv import cell_text
from dynoai_desktop.core.tune.tables import (
    MAP_KPA,
    MAX_CELLS,
    MAX_TUNE_BYTES,
    RPM,
    TPS_PERCENT,
    AxisUnit,
    Cell,
    Tune,
    TuneError,
    TuneTable,
    axis_unit,
    make_labels,
    number,
)
from dynoai_desktop.core.tune.xml_scan import End, Start, Value, XmlError, escape, scan

NAMESPACE = "http://www.EFIAnalytics.com/:table"
_ADVICE = "Save the table again from TunerStudio."
_NAME_OF = {Channel.MAP: "fuelLoad", Channel.TPS: "throttle"}
_TOKEN = re.compile(rb"\S+")


@dataclass(slots=True)
class _Part:
    name: str = ""
    cells: list[Cell] = field(default_factory=list)


def detect(head: bytes) -> bool:
    """Return True for a file whose root element is <tableData>."""
    return b"<tableData" in head[:4096]


def parse(data: bytes) -> Tune:
    """Return the one table of the file. Raises TuneError with one sentence."""
    if len(data) > MAX_TUNE_BYTES:
        raise TuneError(f"The table has {len(data) >> 20} MB, far more than any table. {_ADVICE}")
    try:
        parts = _parts(data)
    except XmlError as error:
        raise TuneError(f"The file is not a readable table: {error}. {_ADVICE}") from error
    x, y, z = (parts[name] for name in ("xAxis", "yAxis", "zValues"))
    width, height = len(x.cells), len(y.cells)
    if not width or not height or width * height != len(z.cells):
        raise TuneError(
            f"The table has {len(z.cells)} values for {width} columns and {height} rows. {_ADVICE}"
        )
    for cell in (*x.cells, *y.cells, *z.cells):
        if math.isnan(number(cell.text)):
            raise TuneError(f"“{cell.text[:30]}” in the table is not a number. {_ADVICE}")
    rows = tuple(tuple(z.cells[r * width : (r + 1) * width]) for r in range(height))
    table = TuneTable(
        index=0,
        name="VE",
        units="",
        columns=make_labels(_texts(x), x.name, _measures(x)),
        rows=make_labels(_texts(y), y.name, _measures(y)),
        cells=rows,
    )
    return Tune("tunerstudio_table", data, (table,))


def encode(text: str) -> bytes:
    """Return a cell text as it stands in the file."""
    return text.encode()


def write(grid: CellGrid, *, decimals: int = 1, written: str = "") -> bytes:
    """Return a grid as a .table file: x is rpm, y is load. *written* is the date to put in.

    Raises TuneError for a grid with an empty cell, which the format cannot hold.
    """
    if np.isnan(grid.values).any():
        raise TuneError("A TunerStudio table cannot hold empty cells. Fill them or use CSV.")
    width, height = len(grid.rpm), len(grid.load)
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        f'<tableData xmlns="{NAMESPACE}">',
        f'<bibliography author="DynoAI Desktop" writeDate="{escape(written)}"/>',
        '<versionInfo fileFormat="1.0"/>',
        f'<table cols="{width}" rows="{height}">',
        f'<xAxis cols="{width}" name="rpm">',
        *(f"         {node:g}" for node in grid.rpm.nodes),
        "      </xAxis>",
        f'<yAxis name="{_NAME_OF[grid.load.channel]}" rows="{height}">',
        *(f"         {node:g}" for node in grid.load.nodes),
        "      </yAxis>",
        f'<zValues cols="{width}" rows="{height}">',
        *("         " + " ".join(cell_text(v, decimals) for v in row) for row in grid.values.T),
        "      </zValues>",
        "</table>",
        "</tableData>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _parts(data: bytes) -> dict[str, _Part]:
    parts = {name: _Part() for name in ("xAxis", "yAxis", "zValues")}
    path: list[str] = []
    for event in scan(data):
        if isinstance(event, End):
            path.pop()
        elif isinstance(event, Start):
            path.append(event.name)
            if len(path) == 1 and event.name != "tableData":
                raise TuneError(f"The file is XML, but no table: it begins with <{event.name}>.")
            if event.name in parts and "name" in event.attributes:
                parts[event.name].name = event.attributes["name"].text
        elif path[-1] in parts:
            parts[path[-1]].cells += _cells(data, event)
            if len(parts[path[-1]].cells) > MAX_CELLS:
                raise TuneError(f"The table has more than {MAX_CELLS:,} values. {_ADVICE}")
    return parts


def _cells(data: bytes, text: Value) -> list[Cell]:
    return [
        Cell(token.group().decode("ascii", "replace"), *token.span())
        for token in _TOKEN.finditer(data, text.start, text.stop)
    ]


def _texts(part: _Part) -> tuple[str, ...]:
    return tuple(cell.text for cell in part.cells)


def _measures(part: _Part) -> AxisUnit | None:
    """Return what an axis measures by the name of its channel ("rpm", "fuelLoad", "map", …)."""
    known = axis_unit(part.name)
    if known is not None:
        return known
    words: Sequence[tuple[str, AxisUnit]] = (
        ("rpm", RPM),
        ("tps", TPS_PERCENT),
        ("throttle", TPS_PERCENT),
        ("map", MAP_KPA),
        ("load", MAP_KPA),
    )
    lower = part.name.lower()
    return next((measures for word, measures in words if word in lower), None)
