"""The tune formats we read and write. A new one is a file and a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dynoai_desktop.core.tune import matrix_csv, pvv, tunerstudio_table
from dynoai_desktop.core.tune.tables import Tune, TuneError


@dataclass(frozen=True, slots=True)
class TuneFormat:
    """One row: how to know a file, read it, and write the text of a cell into it."""

    name: str
    title: str
    suffix: str
    detect: Callable[[bytes], bool]
    parse: Callable[[bytes], Tune]
    encode: Callable[[str], bytes]


FORMATS: tuple[TuneFormat, ...] = (
    TuneFormat("pvv", "Power Vision values", ".pvv", pvv.detect, pvv.parse, pvv.encode),
    TuneFormat(
        "tunerstudio_table",
        "TunerStudio table",
        ".table",
        tunerstudio_table.detect,
        tunerstudio_table.parse,
        tunerstudio_table.encode,
    ),
    TuneFormat(
        "matrix_csv",
        "Table as CSV",
        ".csv",
        matrix_csv.detect,
        matrix_csv.parse,
        matrix_csv.encode,
    ),
)


def read_tune(data: bytes) -> Tune:
    """Return the tune in the bytes of a file. Raises TuneError with one sentence."""
    head = data[:8192]
    for form in FORMATS:
        if form.detect(head):
            return form.parse(data)
    names = ", ".join(form.title for form in FORMATS)
    raise TuneError(f"The file is no tune we know ({names}). Export it again as one of these.")


def format_of(tune: Tune) -> TuneFormat:
    """Return the format a tune was read from."""
    return next(form for form in FORMATS if form.name == tune.format)
