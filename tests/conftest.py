"""Where and how every test runs: without a display, away from the user's folders, leaving nothing.

The guard is in leaks.py.
"""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

# Before Qt is imported: a developer's own desktop must not see windows pop up.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dynoai_desktop.resources import resource_path

pytest_plugins = ["tests.leaks"]

# A cycle that holds a widget must not be collected on a worker thread; see dynoai_desktop/garbage.
gc.disable()
_YOUNG_OBJECTS = 20_000


@pytest.fixture(autouse=True)
def collect_on_the_main_thread() -> Iterator[None]:
    """Collect cycles between tests, when there is something to collect."""
    yield
    if gc.get_count()[0] > _YOUNG_OBJECTS:
        gc.collect()


_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_USER_FOLDERS = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")


@pytest.fixture(scope="session", autouse=True)
def no_user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the vehicles and settings of whoever runs the tests out of them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in _USER_FOLDERS:
            environment.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """The application with our own fonts, so that pictures look alike on every machine."""
    for font in resource_path("fonts").glob("*.otf"):
        QFontDatabase.addApplicationFont(str(font))
    return qapp


@pytest.fixture
def qtbot(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> QtBot:
    """pytest-qt's, with every wait for a signal kept until the test ends.

    A signal that another thread sent may arrive after the wait for it is over. PySide then calls
    the method of an object that has gone, or of another one that has taken its place in memory.
    """
    kept = []

    def keeping(wait: Callable[..., object]) -> Callable[..., object]:
        def wait_and_keep(*arguments: object, **options: object) -> object:
            kept.append(wait(*arguments, **options))
            return kept[-1]

        return wait_and_keep

    for name in ("waitSignal", "waitSignals"):
        monkeypatch.setattr(qtbot, name, keeping(getattr(qtbot, name)))
    return qtbot


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real captures and logs that is handed out beside the checkout."""
    if not _SHARED_DATA.is_dir():
        pytest.skip(f"the shared recordings are not at {_SHARED_DATA}")
    return _SHARED_DATA


@pytest.fixture
def free_udp_port() -> int:
    """A port that nobody listens on, so that two runs of the tests do not hear each other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty folder to give to the program as --data-dir."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder
