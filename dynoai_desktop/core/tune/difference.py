"""What is different between two states of a tune."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.tune.tables import Tune, TuneError

_TOP = 20


@dataclass(frozen=True, slots=True)
class CellDifference:
    """One cell that is written differently."""

    table: str
    row: int
    column: int
    row_label: str
    column_label: str
    before: str
    after: str
    delta: float  # NaN where one side is blank


@dataclass(frozen=True, slots=True)
class Difference:
    """All cells that differ, in the order of the file."""

    cells: tuple[CellDifference, ...]

    @property
    def largest(self) -> tuple[CellDifference, ...]:
        """Return the twenty cells that changed most."""
        ranked = sorted(self.cells, key=lambda c: -abs(np.nan_to_num(c.delta)))
        return tuple(ranked[:_TOP])

    def summary(self) -> dict[str, float | int]:
        """Return count, mean, largest and smallest change; only the count when there is none."""
        deltas = np.array([c.delta for c in self.cells if np.isfinite(c.delta)])
        found: dict[str, float | int] = {"count": len(self.cells)}
        if deltas.size:
            found |= {
                "mean": round(float(deltas.mean()), 4),
                "max": round(float(deltas.max()), 4),
                "min": round(float(deltas.min()), 4),
            }
        return found


def difference(before: Tune, after: Tune) -> Difference:
    """Return what is different. Raises TuneError when the tables are not the same ones."""
    if len(before.tables) != len(after.tables):
        raise TuneError(
            f"The tunes have {len(before.tables)} and {len(after.tables)} tables: they are not "
            "two states of one tune."
        )
    found = []
    for old, new in zip(before.tables, after.tables, strict=True):
        if (old.name, old.rows.texts, old.columns.texts) != (
            new.name,
            new.rows.texts,
            new.columns.texts,
        ):
            raise TuneError(f"“{old.name}” has other axes in the second tune.")
        for (r, c, a), (_, _, b) in zip(old.all_cells(), new.all_cells(), strict=True):
            if a.text != b.text:
                delta = round(b.value - a.value, 4)
                labels = old.rows.texts[r], old.columns.texts[c]
                found.append(CellDifference(old.name, r, c, *labels, a.text, b.text, delta))
    return Difference(tuple(found))
