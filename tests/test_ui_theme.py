"""Everything can be read: contrast, sizes, typeface."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from dynoai_desktop.ui.look import window_scale
from dynoai_desktop.ui.style_sheet import style_sheet
from dynoai_desktop.ui.theme import (
    BUTTON_PX,
    MONO_FAMILY,
    PALETTES,
    SMALLEST_TEXT_PX,
    TEXT_FAMILY,
    contrast,
    font,
    load_fonts,
    ramp,
    readable_on,
)

LEAST = 4.5
INK = ("text", "quiet", "accent", "good", "attention", "danger", "first", "second")
GROUNDS = ("ground", "panel")

themes = pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))


@themes
@pytest.mark.parametrize("ink", INK)
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_can_be_read_on_every_ground(palette, ink, ground):
    assert contrast(getattr(palette, ink), getattr(palette, ground)) >= LEAST


@themes
@pytest.mark.parametrize("fill", ["accent", "good", "attention", "danger"])
def test_text_can_be_read_on_a_filled_state(palette, fill):
    assert contrast(palette.on_state, getattr(palette, fill)) >= LEAST


@themes
def test_the_simulated_badge_can_be_read(palette):
    assert contrast(palette.on_simulated, palette.simulated) >= LEAST


@themes
def test_numbers_can_be_read_in_every_cell_of_the_map(palette):
    for colour in ramp(palette.few, palette.many):
        assert contrast(readable_on(colour), colour) >= LEAST


@themes
def test_coverage_is_told_by_lightness_alone(palette):
    """Every step is further from the ground than the last, so grey prints and eyes agree."""
    steps = [contrast(colour, palette.ground) for colour in ramp(palette.few, palette.many)]
    assert all(b > a for a, b in pairwise(steps))


@themes
def test_front_and_rear_differ_in_lightness_too(palette):
    if palette.name == "dark":
        assert contrast(palette.first, palette.second) > 1.5


def test_the_shipped_typeface_is_there(qapp):
    assert {TEXT_FAMILY, MONO_FAMILY} <= set(load_fonts())


def test_digits_are_all_equally_wide(qapp):
    from PySide6.QtGui import QFontMetricsF

    load_fonts()
    metrics = QFontMetricsF(font(100, bold=True))
    assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1


@pytest.mark.parametrize("scale", [0.5, 0.65, 1.0, 2.0])
@themes
def test_no_text_is_too_small_and_no_button_too_low(palette, scale):
    sheet = style_sheet(palette, scale)
    assert all(int(px) >= SMALLEST_TEXT_PX for px in re.findall(r"font-size: (\d+)px", sheet))
    button = re.search(r"QPushButton {[^}]*min-height: (\d+)px", sheet)
    assert button is not None
    assert int(button[1]) + 2 >= BUTTON_PX * max(scale, 1)  # with a border of one pixel each side


def test_text_grows_with_the_window_in_steps():
    assert window_scale(1920, 1080) == 1.0
    assert window_scale(1930, 1085) == 1.0
    assert window_scale(3840, 2160) == 2.0
    assert window_scale(10, 10) == 0.6
