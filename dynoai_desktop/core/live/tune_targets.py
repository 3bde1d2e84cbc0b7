"""The lambda targets of a tune file, read off for the map.

Tunes call their table of targets by many names and write it in AFR or in lambda. A table counts
when it goes over rpm and load and its unit or name says mixture; of several the first one over the
map's own kind of load is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.live.targets import LEAST_TARGET, MOST_TARGET, TargetError, targets_from
from dynoai_desktop.core.trust.names import words_of
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.tables import Tune, TuneTable

_WORDS = ({"afr"}, {"lambda"}, {"air", "fuel"})


def tune_targets(data: bytes, rpm: Axis, load: Axis, stoich: float) -> tuple[CellGrid, str]:
    """Return the targets in the bytes of a tune file on these axes, and the table's name.

    AFR is divided by *stoich*. Raises TuneError when the file is no tune, TargetError when it has
    no table of targets that fits.
    """
    table = _choose(read_tune(data), load)
    grid = table.grid()
    in_lambda = CellGrid(grid.rpm, grid.load, _as_lambda(grid, table.name, stoich))
    return targets_from(in_lambda, rpm, load), table.name


def _choose(tune: Tune, load: Axis) -> TuneTable:
    tables = [t for t in tune.tables if t.axes is not None and _is_mixture(t)]
    if not tables:
        raise TargetError(
            "The tune has no table of AFR or lambda over rpm and load. Paste the targets instead."
        )
    kinds = [t.axes[1].channel for t in tables if t.axes is not None]
    return tables[kinds.index(load.channel)] if load.channel in kinds else tables[0]


def _is_mixture(table: TuneTable) -> bool:
    words = {*words_of(table.name), *words_of(table.units)}
    return any(wanted <= words for wanted in _WORDS)


def _as_lambda(grid: CellGrid, name: str, stoich: float) -> NDArray[np.float64]:
    values = grid.values
    if not np.isfinite(values).all():
        raise TargetError(f"“{name}” has cells without a number. Fill them in the tune first.")
    low, high = float(values.min()), float(values.max())
    if low >= LEAST_TARGET and high <= MOST_TARGET:
        return values
    if LEAST_TARGET * stoich <= low and high <= MOST_TARGET * stoich:
        return values / stoich
    raise TargetError(
        f"“{name}” runs from {low:g} to {high:g}, which is neither lambda nor AFR of this fuel. "
        "Choose the fuel in Settings."
    )
