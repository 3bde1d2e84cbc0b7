"""Colours of surfaces: blue rich, quiet in the middle, orange lean; sand for everything else."""

from __future__ import annotations

from functools import cache

from dynoai_desktop.ui.theme import Palette, diverging, faded, ramp
from dynoai_desktop.ui.widgets.surface_sheet import Shade

_MOST_FADED = 0.8
_DOUBTS = 32  # steps of fading


@cache
def colours(palette: Palette, shade: Shade) -> tuple[str, ...]:
    """Return the colours from the lower end of a scale to its upper end."""
    if shade is Shade.RAMP:
        return tuple(ramp(palette.calm, palette.second))
    return tuple(diverging(palette))


def colour_of(share: float, doubt: float, palette: Palette, shade: Shade) -> str:
    """Return the colour at *share* of the scale, faded by *doubt*, both 0 to 1.

    >>> from dynoai_desktop.ui.theme import DARK
    >>> colour_of(0.5, 0.0, DARK, Shade.DIVERGING) == DARK.calm
    True
    """
    steps = colours(palette, shade)
    step = round(min(max(share, 0.0), 1.0) * (len(steps) - 1))
    return _colour(step, round(min(max(doubt, 0.0), 1.0) * _DOUBTS), palette, shade)


@cache
def _colour(step: int, doubt: int, palette: Palette, shade: Shade) -> str:
    colour = colours(palette, shade)[step]
    if not doubt:
        return colour
    return faded(colour, palette.panel, 1.0 - _MOST_FADED * doubt / _DOUBTS)
