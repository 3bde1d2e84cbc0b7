"""The rooms keep apart, the checks bite, and an installed program finds its files."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import weakref
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

import dynoai_desktop
from dynoai_desktop.resources import resource_path

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = ("core", "capture", "ui")


def python(*arguments: str, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=at, capture_output=True, text=True, check=False
    )


def import_contract(at: Path) -> subprocess.CompletedProcess[str]:
    # the package that is found first is the one in the folder it is run from
    run = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return python("-c", run, "--no-cache", at=at)


def test_version_is_three_numbers() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", dynoai_desktop.__version__)


def test_rooms_import_one_way_only() -> None:
    checked = import_contract(ROOT)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("core/thought.py", "from PySide6.QtCore import QTimer"),
        ("core/thought.py", "import pyqtgraph"),
        ("core/thought.py", "import socket"),
        ("core/thought.py", "import time"),
        ("core/thought.py", "from dynoai_desktop import capture"),
        ("core/thought.py", "from dynoai_desktop.resources import resource_path"),
        ("capture/protocol.py", "from PySide6.QtCore import QThread"),
        ("capture/protocol.py", "from dynoai_desktop.ui import panels"),
        ("ui/panel.py", "from dynoai_desktop.capture import protocol"),
        ("ui/panel.py", "import socket"),
        ("ui/panel.py", "import dynoai_desktop.app"),
    ],
)
def test_import_contract_forbids(tmp_path: Path, module: str, line: str) -> None:
    assert import_contract(house_with(tmp_path, module, line)).returncode != 0


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("capture/worker.py", "from PySide6.QtCore import QThread"),
        ("capture/sources.py", "import socket, time"),
        ("capture/protocol.py", "from dynoai_desktop import core"),
        ("ui/panel.py", "from PySide6.QtWidgets import QWidget"),
        ("app.py", "from dynoai_desktop import capture, ui"),
    ],
)
def test_import_contract_allows(tmp_path: Path, module: str, line: str) -> None:
    checked = import_contract(house_with(tmp_path, module, line))
    assert checked.returncode == 0, checked.stdout


def house_with(folder: Path, module: str, line: str) -> Path:
    """Build a package with our rooms and our contract and one line of code."""
    package = folder / "dynoai_desktop"
    for room in ROOMS:
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").touch()
    for name in ("__init__", "app", "resources", "ui/panels", "capture/protocol"):
        (package / f"{name}.py").touch()
    (package / module).write_text(line + "\n")
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return folder


@pytest.mark.parametrize(
    ("file", "text", "rule"),
    [
        ("core/x.py", "import datetime\n\nNOW = datetime.datetime.now()\n", "TID251"),
        ("core/x.py", "import random\n\nDICE = random\n", "TID251"),
        ("core/x.py", "import numpy as np\n\nNOISE = np.random.normal()\n", "NPY002"),
        ("ui/x.py", "print(1)\n", "T201"),
        ("ui/x.py", "try:\n    import x\nexcept Exception:\n    x = None\n", "BLE001"),
    ],
)
def test_ruff_refuses(file: str, text: str, rule: str) -> None:
    name = f"dynoai_desktop/{file}"
    ruff = [sys.executable, "-m", "ruff", "check", "--output-format=concise", "--stdin-filename"]
    checked = subprocess.run(
        [*ruff, name, "-"], cwd=ROOT, input=text, capture_output=True, text=True, check=False
    )
    assert rule in checked.stdout


def test_core_runs_without_screen_or_network() -> None:
    checked = python("-c", _IMPORT_ALL, "dynoai_desktop.core", "PySide6 pyqtgraph pandas socket")
    assert checked.returncode == 0, checked.stderr


def test_command_line_starts_without_qt_and_pandas() -> None:
    checked = python("-c", _IMPORT_ALL, "dynoai_desktop.cli", "PySide6 pyqtgraph pandas")
    assert checked.returncode == 0, checked.stderr


_IMPORT_ALL = """
import importlib, pkgutil, sys
package, unwanted = importlib.import_module(sys.argv[1]), sys.argv[2].split()
for module in pkgutil.walk_packages(getattr(package, "__path__", ()), package.__name__ + "."):
    importlib.import_module(module.name)
found = [name for name in unwanted if name in sys.modules]
sys.exit(f"{package.__name__} imports {found}" if found else 0)
"""


def test_files_are_found_in_a_checkout() -> None:
    assert resource_path("fonts").parent == ROOT / "resources"


def test_missing_file_says_what_to_do() -> None:
    with pytest.raises(FileNotFoundError, match=r"'logo\.png' is missing. Install"):
        resource_path("logo.png")


def test_files_are_found_in_an_installed_wheel(tmp_path: Path) -> None:
    built = python("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    ask = "from dynoai_desktop.resources import resource_path; print(resource_path('fonts'))"
    found = python("-c", ask, at=tmp_path)
    assert Path(found.stdout.strip()) == tmp_path / "dynoai_desktop" / "_resources" / "fonts"


def test_every_package_we_ship_is_named_in_the_notices() -> None:
    notices = resource_path("THIRD_PARTY.txt").read_text(encoding="utf-8").lower()
    shipped = {"pyside6", "shiboken6"}
    waiting = list(PYPROJECT["project"]["dependencies"])
    while waiting:
        needed = Requirement(waiting.pop())
        if needed.name.startswith("PySide6") or needed.name in shipped:
            continue
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            shipped.add(needed.name)
            waiting += importlib.metadata.requires(needed.name) or []
    assert [name for name in shipped if name not in notices] == []


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None cannot be lost since Python 3.12")
def test_qt_gives_none_back_as_often_as_it_takes_it() -> None:
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(100):
        thing.setObjectName("dyno")
    assert abs(sys.getrefcount(None) - before) < 50


def test_wait_for_a_signal_lives_as_long_as_the_test(qtbot: QtBot) -> None:
    thing = QObject()
    with qtbot.waitSignal(thing.objectNameChanged) as wait:
        thing.setObjectName("dyno")
    reference = weakref.ref(wait)
    del wait
    assert reference() is not None


def test_readme_and_ci_use_the_same_test_command() -> None:
    command = "python3 dev.py test"
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
