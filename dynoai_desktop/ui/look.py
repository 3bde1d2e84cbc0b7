"""How things look right now: one value handed to everything that paints or prints."""

from __future__ import annotations

from dataclasses import dataclass, field

from dynoai_desktop.core.units import Display
from dynoai_desktop.ui.style_sheet import Sizes
from dynoai_desktop.ui.theme import DARK, Palette

# The sizes of the screens are meant for this many pixels; a smaller window scales them down.
REFERENCE_SIZE = (1920, 1080)
_SMALLEST, _LARGEST, _STEP = 0.6, 2.0, 0.05


@dataclass(frozen=True, slots=True)
class Look:
    """Palette, scale and units."""

    palette: Palette = DARK
    scale: float = 1.0
    display: Display = field(default_factory=Display)

    @property
    def sizes(self) -> Sizes:
        """Return the text sizes in pixels."""
        return Sizes.at(self.scale)


def window_scale(width: int, height: int) -> float:
    """Return the text scale for a window of this size, in steps so that resizing stays cheap.

    >>> window_scale(1920, 1080), window_scale(1280, 800)
    (1.0, 0.65)
    """
    share = min(width / REFERENCE_SIZE[0], height / REFERENCE_SIZE[1])
    steps = int(share / _STEP + 1e-9)
    return round(min(max(steps * _STEP, _SMALLEST), _LARGEST), 2)
