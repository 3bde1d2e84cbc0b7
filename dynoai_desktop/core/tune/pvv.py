"""Power Vision value files (.pvv): XML with one <Item> a table.

Read for its tables, written by replacing the text of single cells: order, labels, units, padding,
doubled names, line ends and the decimals of untouched cells stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dynoai_desktop.core.tune.tables import (
    MAX_CELLS,
    MAX_TUNE_BYTES,
    Cell,
    Tune,
    TuneError,
    TuneTable,
    axis_unit,
    make_labels,
)
from dynoai_desktop.core.tune.xml_scan import End, Start, Value, XmlError, escape, scan

_ADVICE = "Export the tune again from Power Core."


@dataclass(slots=True)
class _Item:
    name: str
    units: str
    id: str
    column_units: str = ""
    row_units: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    cells: list[list[Cell]] = field(default_factory=list)


def detect(head: bytes) -> bool:
    """Return True for a file whose root element is <PVV>."""
    return b"<PVV" in head[:4096]


def parse(data: bytes) -> Tune:
    """Return the tables of a PVV file. Raises TuneError with one sentence."""
    if len(data) > MAX_TUNE_BYTES:
        raise TuneError(f"The tune has {len(data) >> 20} MB, far more than any tune. {_ADVICE}")
    try:
        items = _items(data)
    except XmlError as error:
        raise TuneError(f"The tune is not a readable PVV file: {error}. {_ADVICE}") from error
    return Tune("pvv", data, tuple(_table(i, item) for i, item in enumerate(items)))


def _items(data: bytes) -> list[_Item]:
    items: list[_Item] = []
    path: list[str] = []
    count = 0
    for event in scan(data):
        if isinstance(event, End):
            path.pop()
            continue
        if isinstance(event, Value):
            continue
        path.append(event.name)
        if len(path) == 1 and event.name != "PVV":
            raise TuneError(f"The file is XML, but no tune: it begins with <{event.name}>.")
        count += event.name == "Cell"
        if count > MAX_CELLS:
            raise TuneError(f"The tune has more than {MAX_CELLS:,} cells. {_ADVICE}")
        _take(items, path, event)
    return items


def _take(items: list[_Item], path: list[str], element: Start) -> None:
    """Take in one element where it has a meaning; elements we do not know are left alone."""
    match path[1:]:
        case ["Item"]:
            name, units, key = (_text(element, part) for part in ("name", "units", "id"))
            items.append(_Item(name, units, key))
        case ["Item", "Columns"]:
            items[-1].column_units = _text(element, "units")
        case ["Item", "Columns", "Col"]:
            items[-1].columns.append(_text(element, "label"))
        case ["Item", "Rows"]:
            items[-1].row_units = _text(element, "units")
        case ["Item", "Rows", "Row"]:
            items[-1].rows.append(_text(element, "label"))
            items[-1].cells.append([])
        case ["Item", "Rows", "Row", "Cell"]:
            value = element.attributes.get("value")
            if value is None:
                raise TuneError(f"“{items[-1].name}” has a cell without a value. {_ADVICE}")
            items[-1].cells[-1].append(Cell(value.text, value.start, value.stop))


def _text(element: Start, name: str) -> str:
    value = element.attributes.get(name)
    return value.text if value is not None else ""


def _table(index: int, item: _Item) -> TuneTable:
    for label, row in zip(item.rows, item.cells, strict=True):
        if len(row) != len(item.columns):
            raise TuneError(
                f"“{item.name}”: row {label} has {len(row)} cells for {len(item.columns)} "
                f"columns. {_ADVICE}"
            )
    return TuneTable(
        index=index,
        name=item.name,
        units=item.units,
        columns=make_labels(tuple(item.columns), item.column_units, axis_unit(item.column_units)),
        rows=make_labels(tuple(item.rows), item.row_units, axis_unit(item.row_units)),
        cells=tuple(tuple(row) for row in item.cells),
        id=item.id,
    )


def encode(text: str) -> bytes:
    """Return a cell text as it stands in the file."""
    return escape(text).encode()
