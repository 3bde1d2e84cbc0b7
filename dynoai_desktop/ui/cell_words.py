"""What is known about the cell under the engine, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.widgets.map_views import SIDE_LETTERS, hit_layer, side_shown, signed
from dynoai_desktop.ui.wording import number

NOT_YET = "no reading yet"


@dataclass(frozen=True, slots=True)
class CellFacts:
    """One cell. Error and half width of its 95 % interval are per cent, None without data."""

    rpm: int
    load: int
    hits: float
    error: float | None = None
    half_width: float | None = None
    cylinder: Cylinder | None = None  # whose error it is
    is_judged: bool = True  # False: no wideband is heard that could say anything

    @property
    def error_words(self) -> str:
        """Return the error with its interval, and whose it is; "" without a wideband.

        >>> CellFacts(8, 7, 14.0, 3.14, 0.82, Cylinder.REAR).error_words
        'R +3.1 ±0.8 %'
        """
        if not self.is_judged:
            return ""
        if self.error is None or self.half_width is None or self.cylinder is None:
            return NOT_YET
        letter = SIDE_LETTERS[self.cylinder]
        decimals = 1 if self.half_width < 9.95 else 0
        words = f"{signed(self.error, decimals)} ±{number(self.half_width, decimals)} %"
        return f"{letter} {words}".strip()

    @property
    def hit_words(self) -> str:
        """Return the hits with their noun."""
        whole = round(self.hits)
        return f"{number(whole, 0)} hit" + ("" if whole == 1 else "s")


def active_cell(snapshot: Snapshot, wanted: Cylinder | None) -> CellFacts | None:
    """Return what is known about the active cell on the side that is shown; None off the map.

    Of both cylinders the one with the larger error speaks.
    """
    cell = snapshot.active_cell
    layer = hit_layer(snapshot, wanted)
    if cell is None or not (0 <= cell[0] < len(layer.rpm) and 0 <= cell[1] < len(layer.load)):
        return None
    hits = float(np.nan_to_num(layer.values[cell]))
    side = side_shown(snapshot, wanted)
    groups = snapshot.cylinders
    chosen = groups if side is None else {side: groups[side]} if side in groups else {}
    known = [
        (abs(error), cylinder, error, width)
        for cylinder, group in chosen.items()
        if np.isfinite(error := float(group.error[cell]))
        and np.isfinite(width := float(group.half_width[cell]))
    ]
    if not known:
        return CellFacts(*cell, hits, is_judged=bool(groups))
    _, cylinder, error, width = max(known, key=lambda row: row[0])
    return CellFacts(*cell, hits, 100.0 * error, 100.0 * width, cylinder)
