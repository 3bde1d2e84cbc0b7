"""Settings take effect at once; layout is remembered; garbage starts fresh."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings, Qt

from dynoai_desktop.core.units import MixtureScale, UnitSystem
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.panels import PANELS
from dynoai_desktop.ui.preferences import Preferences

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def settings_path(tmp_path):
    return tmp_path / "settings.ini"


@pytest.fixture
def window(qtbot, settings_path):
    shown = MainWindow(settings_path, version="1.2.3", notices="Qt, LGPL")
    qtbot.addWidget(shown)
    shown.show()
    return shown


def reopened(qtbot, window, settings_path):
    """Close *window* and open the next one with the same settings."""
    window.close()
    again = MainWindow(settings_path)
    qtbot.addWidget(again)
    again.show()
    return again


def test_every_setting_takes_effect_and_is_remembered(qtbot, window, settings_path):
    window.show_page("settings")
    wanted = Preferences(UnitSystem.METRIC, MixtureScale.LAMBDA, "E85", "light", 1.15)
    buttons = window.panel().buttons
    for field in ("system", "mixture", "fuel", "theme", "font_scale"):
        qtbot.mouseClick(buttons[field, getattr(wanted, field)], Qt.MouseButton.LeftButton)
    assert window.preferences == wanted
    assert window.look.palette.name == "light"
    assert reopened(qtbot, window, settings_path).preferences == wanted


def test_page_and_size_are_remembered(qtbot, window, settings_path):
    window.resize(1024, 700)  # the smallest: the screen of the tests is smaller still
    window.show_page("runs")
    again = reopened(qtbot, window, settings_path)
    assert again.page == "runs"
    assert (again.width(), again.height()) == (1024, 700)


def test_settings_and_help_are_not_where_the_next_session_starts(qtbot, window, settings_path):
    window.show_page("live")
    window.show_page("settings")
    assert reopened(qtbot, window, settings_path).page == "live"


GARBAGE = {
    "window/geometry": "not a geometry",
    "window/page": "no such page",
    "units/system": "furlongs",
    "units/mixture": "42",
    "units/fuel": "plutonium",
    "look/theme": "",
    "look/font_scale": "enormous",
    "live/split": b"\x00\xff",
    "connect/split": [1, 2, 3],
}


def test_a_state_that_cannot_be_restored_starts_fresh(qtbot, settings_path):
    store = QSettings(str(settings_path), QSettings.Format.IniFormat)
    for key, value in GARBAGE.items():
        store.setValue(key, value)
    store.sync()
    window = MainWindow(settings_path)
    qtbot.addWidget(window)
    window.show()
    assert window.preferences == Preferences()
    assert window.page == PANELS[0].key
    window.show_page("live")


def test_a_settings_file_that_is_no_ini_file_starts_fresh(qtbot, settings_path):
    settings_path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff[[[=\n" * 20)
    window = MainWindow(settings_path)
    qtbot.addWidget(window)
    assert window.preferences == Preferences()


def test_about_shows_version_licence_and_notices(window):
    window.show_page("about")
    assert "1.2.3" in window.panel().version.text()
    assert window.panel().notices.toPlainText() == "Qt, LGPL"
