"""Colours, typeface and style sheet.

State colours (good, attention, danger) mean a state and nothing else, and never stand without a
sign or a word. Curves and the map use the accent blue and a pale sand that differ in hue and in
lightness, so that they stay apart for every kind of colour vision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from dynoai_desktop.resources import resource_path

TEXT_FAMILY = "B612"
MONO_FAMILY = "B612 Mono"
CAP_HEIGHT = 0.75  # of B612, in em: digits are as tall
SMALLEST_TEXT_PX = 13
BUTTON_PX = 64  # least height of a button for gloves, whatever the scale
RAMP_STEPS = 64


@dataclass(frozen=True, slots=True)
class Palette:
    """One theme. Colours are #RRGGBB."""

    name: str
    ground: str
    panel: str
    line: str
    text: str
    quiet: str
    accent: str
    good: str
    attention: str
    danger: str
    on_state: str  # text on a filled state or accent colour
    simulated: str  # the badge nobody can overlook …
    on_simulated: str  # … and its text
    first: str  # curve of the front cylinder or of a lone channel
    second: str  # curve of the rear cylinder
    few: str  # coverage ramp: one hit …
    many: str  # … to plenty
    rich: str  # error scale: too rich …
    calm: str  # … as it should be …
    lean: str  # … too lean


DARK = Palette(
    name="dark",
    ground="#0E1116",
    panel="#161B22",
    line="#2B323C",
    text="#E6EAF0",
    quiet="#8A94A3",
    accent="#5AA2E0",
    good="#3FB68B",
    attention="#E0A83B",
    danger="#E5534B",
    on_state="#0E1116",
    simulated="#F0B43C",
    on_simulated="#0E1116",
    first="#5AA2E0",
    second="#EAD9B0",
    few="#173450",
    many="#BFE2FF",
    rich="#58A6FF",
    calm="#262D37",
    lean="#FF9440",
)

LIGHT = Palette(
    name="light",
    ground="#EEF1F5",
    panel="#FFFFFF",
    line="#C3CAD4",
    text="#12161C",
    quiet="#566170",
    accent="#1B67A6",
    good="#1A7351",
    attention="#855700",
    danger="#B42A22",
    on_state="#FFFFFF",
    simulated="#F5B82E",
    on_simulated="#12161C",
    first="#1B67A6",
    second="#7B4A12",
    few="#DCEBF8",
    many="#0B3A63",
    rich="#0F57A8",
    calm="#DCE1E7",
    lean="#A84600",
)

PALETTES = {palette.name: palette for palette in (DARK, LIGHT)}


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.1, relative luminance).

    >>> round(contrast("#000000", "#FFFFFF"), 1)
    21.0
    """
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    return float(_linear(colour) @ (0.2126, 0.7152, 0.0722))


def _linear(colour: str) -> np.ndarray:
    """Return the linear-light red, green and blue of an sRGB colour (IEC 61966-2-1)."""
    c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


# Linear sRGB to the cone response of OKLab, and from its cube root to lightness and two hues
# (B. Ottosson, "A perceptual color space for image processing", 2020).
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _mixed(low: str, high: str, shares: np.ndarray) -> list[str]:
    """Return a colour for every share of *high* in *low*, mixed as the eye does (OKLab)."""
    ends = [_TO_LAB @ np.cbrt(_TO_CONES @ _linear(colour)) for colour in (low, high)]
    share = shares[:, None]
    lab = ends[0] * (1 - share) + ends[1] * share
    cones = np.linalg.solve(_TO_LAB, lab.T) ** 3
    light = np.clip(np.linalg.solve(_TO_CONES, cones).T, 0.0, 1.0)
    coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return ["#{:02X}{:02X}{:02X}".format(*row) for row in np.rint(coded * 255).astype(int)]


def ramp(low: str, high: str, steps: int = RAMP_STEPS) -> list[str]:
    """Return *steps* colours from *low* to *high*, evenly spaced to the eye."""
    return _mixed(low, high, np.linspace(0.0, 1.0, steps))


def diverging(palette: Palette) -> list[str]:
    """Return an odd number of colours from too rich through calm in the middle to too lean."""
    half = RAMP_STEPS // 2 + 1
    richer = ramp(palette.rich, palette.calm, half)
    return richer + ramp(palette.calm, palette.lean, half)[1:]


def faded(colour: str, ground: str, strength: float) -> str:
    """Return *colour* with only *strength* of it left, 0 to 1, on *ground*."""
    return _mixed(ground, colour, np.array([strength]))[0]


def readable_on(fill: str) -> str:
    """Return black or white, whichever is easier to read on *fill*: at least 4.5 : 1 on any."""
    return max("#000000", "#FFFFFF", key=lambda ink: contrast(ink, fill))


@cache
def load_fonts() -> tuple[str, ...]:
    """Load the shipped typefaces into the running application; return their families."""
    families: list[str] = []
    for file in sorted(resource_path("fonts").glob("*.otf")):
        families += QFontDatabase.applicationFontFamilies(
            QFontDatabase.addApplicationFont(str(file))
        )
    return tuple(families)


def font(pixels: float, bold: bool = False, family: str = TEXT_FAMILY) -> QFont:
    """Return the program's typeface, never below the smallest legible size."""
    made = QFont(family)
    made.setPixelSize(max(SMALLEST_TEXT_PX, round(pixels)))
    made.setBold(bold)
    return made


def prepare_application(app: QApplication) -> None:
    """Give the application our typeface and one style on every platform."""
    load_fonts()
    if app.style().name() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(font(18))


def qt_palette(palette: Palette) -> QPalette:
    """Return the palette for what the style sheet does not reach, such as file dialogs."""
    made = QPalette()
    role = QPalette.ColorRole
    for roles, colour in (
        ((role.Window, role.Button), palette.ground),
        ((role.Base, role.AlternateBase, role.ToolTipBase), palette.panel),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), palette.text),
        ((role.PlaceholderText,), palette.quiet),
        ((role.Highlight, role.Link), palette.accent),
        ((role.HighlightedText,), palette.on_state),
    ):
        for each in roles:
            made.setColor(each, QColor(colour))
    return made
