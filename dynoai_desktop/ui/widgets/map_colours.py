"""The colours of a map on one palette: every step of its scale at every degree of certainty."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.ui.theme import PALETTES, faded, readable_on
from dynoai_desktop.ui.widgets.map_views import Layer, MapStyle

# Half widths in per cent at which a cell fades further, and what is left of its colour then. The
# last is strong enough to tell rich from lean.
FADES_AT = (1.0, 2.0, 4.0)
STRENGTHS = (1.0, 0.72, 0.48, 0.28)
EMPTY = -1  # step of a cell without data


class MapColours(NamedTuple):
    """Colours and the ink that can be read on them, ``[fade][step]``, both #RRGGBB."""

    fills: tuple[tuple[str, ...], ...]
    inks: tuple[tuple[str, ...], ...]

    @property
    def steps(self) -> int:
        """Return how many steps the scale has."""
        return len(self.fills[0])


@lru_cache(maxsize=16)
def map_colours(style: MapStyle, palette_name: str) -> MapColours:
    """Return the colours of *style* in a theme."""
    palette = PALETTES[palette_name]
    scale = style.colours(palette)
    strengths = STRENGTHS if style.fades else STRENGTHS[:1]
    fills = tuple(
        tuple(scale if strength == 1.0 else [faded(c, palette.ground, strength) for c in scale])
        for strength in strengths
    )
    return MapColours(fills, tuple(tuple(map(readable_on, row)) for row in fills))


def steps_of(layer: Layer, style: MapStyle, top: float, steps: int) -> NDArray[np.intp]:
    """Return the step of every cell on the scale, EMPTY where there is no data."""
    share = np.clip(style.scale.share(layer.values, top), 0.0, 1.0)
    known = np.isfinite(share)
    return np.where(known, np.rint(np.where(known, share, 0.0) * (steps - 1)), EMPTY).astype(int)


def fades_of(layer: Layer, style: MapStyle) -> NDArray[np.intp]:
    """Return how far every cell is faded, 0 to len(FADES_AT)."""
    if not style.fades or layer.half_width is None:
        return np.zeros(layer.values.shape, dtype=int)
    wide = np.where(np.isfinite(layer.half_width), layer.half_width, np.inf)
    return np.digitize(wide, FADES_AT)
