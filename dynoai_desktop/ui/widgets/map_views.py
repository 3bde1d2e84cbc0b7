"""What the rpm × load map can show: one row of MAP_VIEWS each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.wording import GROUP

_LEAST_TOP = 100.0


@dataclass(frozen=True, slots=True)
class MapView:
    """How one quantity per cell becomes a colour and a number. NaN is an empty cell."""

    key: str
    title: str
    unit: str  # stands above the colour scale
    grid: Callable[[Snapshot], CellGrid]
    top: Callable[[NDArray[np.float64]], float]  # value at the upper end of the scale
    share: Callable[[NDArray[np.float64], float], NDArray[np.float64]]  # values, top -> 0 to 1
    ticks: Callable[[float], tuple[float, ...]]
    text: Callable[[float], str]


def hit_grid(snapshot: Snapshot) -> CellGrid:
    """Return hits per cell, NaN where there are none."""
    hits = snapshot.hits
    return CellGrid(hits.rpm, hits.load, np.where(hits.values > 0, hits.values, np.nan))


def hit_top(values: NDArray[np.float64]) -> float:
    """Return the power of ten, at least 100, that holds every cell, so the scale rarely moves.

    >>> hit_top(np.array([3.0, np.nan])), hit_top(np.array([101.0]))
    (100.0, 1000.0)
    """
    most = np.nanmax(values, initial=1.0)
    return max(_LEAST_TOP, 10.0 ** math.ceil(math.log10(most) - 1e-9))


def hit_share(values: NDArray[np.float64], top: float) -> NDArray[np.float64]:
    """Return the place on the scale, logarithmic: the first hits matter most.

    >>> hit_share(np.array([1.0, 10.0, 100.0]), 100.0).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.log10(np.maximum(values, 1.0)) / math.log10(top)


def hit_ticks(top: float) -> tuple[float, ...]:
    """Return 1, 10, 100 … *top*."""
    return tuple(10.0**i for i in range(round(math.log10(top)) + 1))


def hit_text(value: float) -> str:
    """Return the number in a cell."""
    return f"{value:,.0f}".replace(",", GROUP)


MAP_VIEWS = (MapView("hits", "Hits", "hits", hit_grid, hit_top, hit_share, hit_ticks, hit_text),)
