"""Pictures of every page, and that everything fits the smallest screen we promise."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.messages import SourceKind, SourceState
from dynoai_desktop.ui.panels import PANELS
from dynoai_desktop.ui.render import render_page
from tests import ui_world

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

SIZES = ((1280, 800), (1920, 1080))


@pytest.fixture
def window(qtbot, tmp_path):
    shown = MainWindow(tmp_path / "settings.ini", "1.2.3", "notices")
    qtbot.addWidget(shown)
    shown.set_source_state(SourceState(SourceKind.LIVE, "127.0.0.1", simulated=True))
    shown.set_sessions([ui_world.session(n) for n in range(1, 5)])
    shown.live_model.take_health(ui_world.bus(35))
    shown.live_model.take_snapshot(ui_world.snapshot())
    return shown


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", [spec.key for spec in PANELS])
def test_every_page_can_be_rendered_at_exactly_the_size_asked_for(window, tmp_path, page, size):
    path = render_page(window, page, size, tmp_path / "pictures" / f"{page}.png")
    picture = QImage(str(path))
    assert (picture.width(), picture.height()) == size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("saddle", [False, True])
@pytest.mark.parametrize("replay", [False, True])
def test_live_fits_without_scrolling_or_overlap(window, tmp_path, size, saddle, replay):
    if replay:
        window.set_source_state(SourceState(SourceKind.REPLAY, path=tmp_path, duration_s=60.0))
        window.live_model.take_snapshot(ui_world.snapshot())
    window.resize(*size)
    window.show()
    window.show_page("live")
    window.set_saddle(saddle, full_screen=False)
    window.refresh()
    panel = window.panel()
    panel.grab()
    for area in panel.findChildren(QAbstractScrollArea):
        assert not area.verticalScrollBar().isVisible()
        assert not area.horizontalScrollBar().isVisible()
    shown: list[QWidget] = [n for n in panel.numerals if n.isVisible()]
    shown += [panel.map] + ([] if saddle else [panel.strips])
    boxes = [QRect(w.mapTo(window, QPoint()), w.size()) for w in shown]
    assert all(window.rect().contains(box) for box in boxes)
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])


def digit_height(window, numeral):
    """Return the height in pixels of what a big figure paints in the text colour."""
    picture = numeral.grab().toImage()
    ink = window.look.palette.text.lower()
    right = range(picture.width() // 3, picture.width(), 2)
    rows = [
        y
        for y in range(picture.height())
        if any(picture.pixelColor(x, y).name() == ink for x in right)
    ]
    return rows[-1] - rows[0] + 1


def test_figures_are_as_tall_as_three_metres_ask_for(window, tmp_path):
    """96 px for what saves an engine, 64 px for the rest, on a 1920 × 1080 screen."""
    render_page(window, "live", (1920, 1080), tmp_path / "live.png")
    heights = {
        numeral.accessibleName(): digit_height(window, numeral)
        for numeral in window.panel("live").numerals
    }
    assert all(heights[name] >= 94 for name in ("rpm", "AFR F", "AFR R")), heights
    assert all(heights[name] >= 62 for name in ("MAP", "TPS", "Power", "Torque")), heights


def test_a_picture_that_cannot_be_written_says_so(window, tmp_path):
    folder = tmp_path / "live.png"
    folder.mkdir()
    with pytest.raises(OSError, match="Cannot write"):
        render_page(window, "live", (1280, 800), folder)


def test_rendering_leaves_the_window_as_it_was(window, tmp_path):
    render_page(window, "live", (1280, 800), tmp_path / "saddle.png", saddle=True)
    assert window.rail.isVisible()
    assert window.panel("live").strips.isVisible()
