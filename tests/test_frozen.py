"""The built program, started once as its user would start it: no Python, no checkout."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dynoai_desktop import __version__

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("dynoai_desktop", "resources", ".ci/notices.py", "build_installer.spec", "LICENSE")
BUILDS = ROOT / "build" / "frozen"
START_S = 60
END_S = 20

pytestmark = [pytest.mark.frozen, pytest.mark.timeout(900)]


def _fingerprint() -> str:
    """Return a name for what goes into the build: our files and the packages installed."""
    digest = hashlib.sha256()
    for source in SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(ROOT)).encode())
                digest.update(file.read_bytes())
    for package in importlib.metadata.distributions():
        digest.update(f"{package.name} {package.version}".encode())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="module")
def frozen_program() -> Path:
    """The built program; the folder of the last build serves as long as nothing has changed."""
    if sys.platform.startswith("linux") and not shutil.which("objdump"):
        pytest.skip("the build needs objdump: sudo apt-get install binutils")
    folder = BUILDS / _fingerprint()
    if not folder.exists():
        shutil.rmtree(BUILDS, ignore_errors=True)
        half_built = BUILDS / "half-built"
        build = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=ERROR"]
        places = ["--distpath", str(half_built), "--workpath", str(BUILDS / "work")]
        subprocess.run([*build, *places, "build_installer.spec"], cwd=ROOT, check=True)
        half_built.rename(folder)
    suffix = ".exe" if os.name == "nt" else ""
    return folder / f"dynoai-desktop-{__version__}" / f"dynoai-desktop{suffix}"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of this Python, and no display."""
    kept = {key: value for key, value in os.environ.items() if key in ("SYSTEMROOT", "TEMP")}
    return kept | {"HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}


def test_built_program_tells_its_version(frozen_program: Path, environment: dict[str, str]) -> None:
    shown = subprocess.run(
        [frozen_program, "--version"], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[-1] == __version__
    assert shown.stderr == ""


def test_built_program_drives_analyses_and_plans(
    frozen_program: Path, environment: dict[str, str]
) -> None:
    tuned = subprocess.run(
        [frozen_program, "virtual-tune", "--max-iterations", "1", "--round", "planner", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tuned.returncode == 1, tuned.stderr  # one round is too few
    (round_driven,) = json.loads(tuned.stdout)["iterations"]
    assert round_driven["measured_cells"] > 40


def test_built_program_carries_every_notice(frozen_program: Path) -> None:
    inside = frozen_program.parent / "_internal"
    assert (inside / "LICENSE").exists()
    for name in ("THIRD_PARTY.txt", "licences/LGPL-3.0.txt", "licences/GPL-3.0.txt"):
        assert (inside / "dynoai_desktop" / "_resources" / name).exists()
    assert any((inside / "licences" / "numpy").rglob("LICENSE*"))


def test_built_program_leaves_unused_qt_out(frozen_program: Path) -> None:
    names = [file.name for file in frozen_program.parent.rglob("*")]
    assert any("Qt6Widgets" in name for name in names)
    for part in ("Network", "Qml", "Quick", "WebEngine", "Multimedia", "Pdf", "VirtualKeyboard"):
        assert not [name for name in names if f"Qt6{part}" in name]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that asks a window to close")
def test_built_window_gets_ready_and_closes(
    frozen_program: Path, environment: dict[str, str], data_dir: Path, tmp_path: Path
) -> None:
    ready_file = tmp_path / "ready"
    errors_file = tmp_path / "stderr.txt"
    environment["DYNOAI_READY_FILE"] = str(ready_file)
    with (
        errors_file.open("w") as errors,
        subprocess.Popen(
            [frozen_program, "--data-dir", data_dir],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        watchdog = threading.Timer(START_S, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            said_ready = any(line.strip() == "ready" for line in process.stdout)
        finally:
            watchdog.cancel()
            watchdog.join()
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
    said = errors_file.read_text()
    assert said_ready, said
    assert ready_file.read_text().strip() == "ready"
    assert process.returncode == 0, said
    assert "Traceback" not in said
