"""dev.py makes the environment once, mends a half-made one, and says what a person must install."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import Mock

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """dev.py on a checkout of its own, where nothing is really installed."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("first")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "VENV_PYTHON", tmp_path / ".venv" / "python")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "made-from.txt")
    monkeypatch.setattr(module, "APT_GET", tmp_path / "apt-get")
    monkeypatch.setattr(module, "OBJDUMP", tmp_path)
    monkeypatch.setattr(module, "loads", lambda library: True)
    return module


@pytest.fixture
def commands(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What dev.py would run: "venv" and "pip", the first of which makes a Python."""
    ran: list[str] = []

    def pretend(_trouble: str, words: list[str]) -> None:
        ran.append(words[2] if "-m" in words else words[1])
        if ran[-1] == "venv":
            dev.VENV.mkdir(exist_ok=True)
            dev.VENV_PYTHON.touch()

    monkeypatch.setattr(dev, "run_quietly", pretend)
    return ran


def test_second_start_installs_nothing(dev: ModuleType, commands: list[str]) -> None:
    dev.set_up()
    assert commands == ["venv", "pip"]
    dev.set_up()
    assert commands == ["venv", "pip"]


def test_changed_requirements_are_installed_into_the_same_venv(
    dev: ModuleType, commands: list[str]
) -> None:
    dev.set_up()
    (dev.ROOT / "pyproject.toml").write_text("second")
    dev.set_up()
    assert commands == ["venv", "pip", "pip"]


def test_changed_settings_of_the_checks_install_nothing(
    dev: ModuleType, commands: list[str]
) -> None:
    dev.set_up()
    (dev.ROOT / "pyproject.toml").write_text("first\n[tool.ruff]\n")
    dev.set_up()
    assert commands == ["venv", "pip"]


def test_update_that_failed_is_tried_again_on_the_venv_that_works(
    dev: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.set_up()
    (dev.ROOT / "pyproject.toml").write_text("second")
    with monkeypatch.context() as offline, pytest.raises(dev.SetUpError):
        offline.setattr(dev, "run_quietly", Mock(side_effect=dev.SetUpError))
        dev.set_up()
    dev.set_up()
    assert commands == ["venv", "pip", "pip"]


def test_half_made_venv_is_made_anew(
    dev: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = dev.run_quietly

    def lose_the_network(trouble: str, words: list[str]) -> None:
        make(trouble, words)
        if "pip" in words:
            raise dev.SetUpError(trouble)

    with monkeypatch.context() as offline, pytest.raises(dev.SetUpError, match="online"):
        offline.setattr(dev, "run_quietly", lose_the_network)
        dev.set_up()
    dev.set_up()
    assert commands == ["venv", "pip", "venv", "pip"]


def test_copied_checkout_does_not_use_the_venv_of_the_original(
    dev: ModuleType, commands: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.set_up()
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "pyproject.toml").write_text("first")
    monkeypatch.setattr(dev, "ROOT", copy)
    dev.set_up()
    assert commands == ["venv", "pip", "venv", "pip"]


def test_failed_step_shows_what_it_printed(dev: ModuleType) -> None:
    complain = "import sys; print('no room on the disk'); sys.exit(1)"
    with pytest.raises(dev.SetUpError, match=r"no room on the disk\n\nCannot build, for the rea"):
        dev.run_quietly("Cannot build", [sys.executable, "-c", complain])


def test_every_step_of_check_runs_though_the_first_fails(
    dev: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = [[sys.executable, "-c", code] for code in ("raise SystemExit(3)", "print('second')")]
    assert dev.run_all(steps) == 3
    assert "second" in capfd.readouterr().out


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="system packages are for Linux")
class TestSystemPackages:
    """install_system_packages on a Debian where libEGL is missing."""

    @pytest.fixture(autouse=True)
    def debian(self, dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        dev.APT_GET.touch()
        monkeypatch.setattr(dev, "loads", lambda library: library != "libEGL.so.1")
        for display in ("DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(display, raising=False)

    def test_root_installs_only_what_is_missing(
        self, dev: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        dev.install_system_packages()
        assert commands == ["update", "install"]

    def test_others_are_told_what_to_install(
        self, dev: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        with pytest.raises(dev.SetUpError, match=r"sudo apt-get install .* libegl1$"):
            dev.install_system_packages()

    def test_other_systems_name_the_libraries(
        self, dev: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dev.APT_GET.unlink()
        with pytest.raises(dev.SetUpError, match=r"package manager: libEGL\.so\.1$"):
            dev.install_system_packages()

    def test_libraries_of_a_display_are_asked_for_only_where_there_is_one(
        self, dev: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(dev, "loads", lambda library: library != "libxcb-cursor.so.0")
        dev.install_system_packages()
        monkeypatch.setenv("DISPLAY", ":0")
        with pytest.raises(dev.SetUpError, match=r"libxcb-cursor0$"):
            dev.install_system_packages()

    def test_nothing_missing_needs_no_package_list(
        self, dev: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dev, "loads", lambda library: True)
        dev.install_system_packages()
        assert commands == []


def test_old_python_is_told_which_one_is_needed(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "OLDEST_PYTHON", (9, 99))
    assert dev.main(["run"]) == 1
    assert "needs Python 9.99 or newer" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "exit_code"), [([], 2), (["launch"], 2), (["--help"], 0)])
def test_anything_else_shows_the_commands(arguments: list[str], exit_code: int) -> None:
    shown = subprocess.run(
        [sys.executable, "dev.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == exit_code
    assert "python3 dev.py test" in shown.stdout + shown.stderr
