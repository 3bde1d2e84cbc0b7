"""Small tunes of every format, and corrections for them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.tune.corrections import Corrections
from dynoai_desktop.core.tune.formats import read_tune

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FRONT, REAR, BOTH = Cylinder.FRONT, Cylinder.REAR, Cylinder.BOTH

RPM_LABELS = ("0.75", "1", "2", "3.5", "5", "5", "5")
LOAD_LABELS = ("20", "40", "60", "100", "100")


def pvv(front=None, rear=None) -> bytes:
    """A PVV tune with padding, doubled names, scalars and tables that are not VE; CRLF ends."""

    def item(name, units, column_units, columns, row_units, rows, value):
        lines = [f'  <Item name="{name}" units="{units}">', f'    <Columns units="{column_units}">']
        lines += [f'      <Col label="{label}" />' for label in columns]
        lines += ["    </Columns>", f'    <Rows units="{row_units}">']
        for r, label in enumerate(rows):
            lines.append(f'      <Row label="{label}">')
            lines += [f'        <Cell value="{value(r, c)}" />' for c in range(len(columns))]
            lines.append("      </Row>")
        return [*lines, "    </Rows>", "  </Item>"]

    def ve(r, c):
        return f"{60 + 5 * min(r, 4) + 3 * min(c, 3) + 0.25:.2f}"

    parts = ["<PVV>", '  <!--Source File Name: "bike &amp; rider.pvt"-->']
    parts += item("Idle RPM", "RPMx1000", "", ["0"], "", ["0"], lambda r, c: "1")
    kpa, krpm = "Kilopascals", "RPMx1000"
    for name, table in (("Front", front or ve), ("Rear", rear or ve)):
        title = f"VE (MAP based/{name} Cyl)"
        parts += item(title, "%", kpa, LOAD_LABELS, krpm, RPM_LABELS, table)
    for title in ("Tooth &quot;IVC&quot;", "Tooth &quot;IVC&quot;"):
        parts += item(title, "Tooth", "", ["0"], "", ["0"], lambda r, c: "0")
    parts += item("Knock", "Degrees", "", ["0", "800"], "", ["0"], lambda r, c: "-2.0")
    return "\r\n".join([*parts, "</PVV>"]).encode()


def corrections(value=1.05, *, tune: bytes | None = None, cylinders=(FRONT, REAR), **fields):
    """Corrections for the VE tables of a tune: one value everywhere, or an array."""
    grid = next(iter(read_tune(tune or pvv()).ve_tables().values())).grid()
    values = np.broadcast_to(np.asarray(value, dtype=float), grid.values.shape).copy()
    return Corrections({c: CellGrid(grid.rpm, grid.load, values) for c in cylinders}, **fields)


def everything_in(folder: Path) -> dict[str, bytes]:
    """All files below a folder with their bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
