#!/usr/bin/env python3
"""Run, test, check or build DynoAI Desktop from a checkout. Needs Python 3.11 or newer.

    python3 dev.py run [OPTION...]     the window with a simulated dyno
    python3 dev.py test [OPTION...]    the tests; options go to pytest
    python3 dev.py check               style, types and the import contract
    python3 dev.py build               the program as a folder that needs no Python, in dist/
    python3 dev.py notices             write resources/THIRD_PARTY.txt anew

Each command first makes .venv from pyproject.toml, or brings it up to date when that has changed.
"""

# Runs on a bare Debian `python3-minimal`, which has no json, shutil or ctypes, and is read as far
# as the version check by every Python since 3.7.
from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "made-from.txt"
APT_GET = Path("/usr/bin/apt-get")
OBJDUMP = Path("/usr/bin/objdump")  # the build reads with it what a library needs

# What the Qt wheels load from the system: {library: Debian package}. The rest of what they need
# comes with these packages.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libgthread-2.0.so.0": "libglib2.0-0",
}
DISPLAY_LIBRARIES = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}

COMMANDS = {
    "run": [["-m", "dynoai_desktop", "--demo"]],
    "test": [["-m", "pytest"]],
    "check": [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy"],
        ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    ],
    "build": [["-m", "PyInstaller", "--noconfirm", "--log-level=WARN", "build_installer.spec"]],
    "notices": [[".ci/notices.py"]],
}


class SetUpError(Exception):
    """The environment cannot be made. The message says what to do."""


def main(arguments: list[str]) -> int:
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        print(
            f"DynoAI Desktop needs Python {oldest} or newer and this is {sys.version.split()[0]}. "
            f"Install a newer one and start dev.py with it, for example: python{oldest} dev.py run",
            file=sys.stderr,
        )
        return 1
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        set_up()
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    steps = [[str(VENV_PYTHON), *step] for step in COMMANDS[arguments[0]]]
    steps[-1] += arguments[1:]
    os.chdir(ROOT)
    return run_one(steps[0]) if len(steps) == 1 else run_all(steps)


def run_one(step: list[str]) -> int:
    """Become the command, so that its exit code, Ctrl-C and SIGTERM are its own."""
    if os.name != "nt":
        os.execv(step[0], step)
    # On Windows execv would hand the prompt back while the command still runs.
    process = subprocess.Popen(step)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the command has heard it too and ends by itself


def run_all(steps: list[list[str]]) -> int:
    """Run every step, also after a failure: one look shows all there is to mend."""
    return max([subprocess.run(step, check=False).returncode for step in steps])


def set_up() -> None:
    """Make or update the virtual environment. Raises SetUpError with one clear sentence."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("\n[tool.")[0]
    wanted = [PYTHON, str(ROOT), hashlib.sha256(project.encode()).hexdigest()]
    made = STAMP.read_text(encoding="utf-8").splitlines() if STAMP.exists() else []
    usable = made[:2] == wanted[:2] and VENV_PYTHON.exists()
    if usable and made == wanted:
        return
    install_system_packages()
    say("Setting up .venv, about a minute the first time ...")
    if not usable:
        # Without its stamp, or moved, or of another Python, a .venv is not worth mending.
        run_quietly("Cannot make .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    pip = [str(VENV_PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    run_quietly(
        "Cannot install the Python packages (is this computer online?)",
        [*pip, "--editable", f"{ROOT}[dev]"],
    )
    STAMP.write_text("\n".join(wanted), encoding="utf-8")


def install_system_packages() -> None:
    """Install what Python, Qt and the build lack on Debian and Ubuntu, or say what to install."""
    if not sys.platform.startswith("linux"):
        return
    with_apt = APT_GET.exists()
    as_root = with_apt and os.geteuid() == 0
    if with_apt and not importlib.util.find_spec("ensurepip"):
        apt_install([f"python{PYTHON}-venv"], as_root)
        importlib.invalidate_caches()
    libraries = dict(QT_LIBRARIES)
    if as_root or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        libraries.update(DISPLAY_LIBRARIES)
    if as_root and sys.base_prefix == "/usr":
        libraries[f"libpython{PYTHON}.so.1.0"] = f"libpython{PYTHON}"  # the build takes it along
    missing = [library for library in libraries if not loads(library)]
    if missing and not with_apt:
        raise SetUpError(
            "Qt needs these system libraries; install them with this system's package manager: "
            + ", ".join(missing)
        )
    packages = sorted({libraries[library] for library in missing})
    if as_root and not OBJDUMP.exists():
        packages.append("binutils")
    if packages:
        apt_install(packages, as_root)


def loads(library: str) -> bool:
    import ctypes  # not in python3-minimal, which has become a whole Python by now

    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def apt_install(packages: list[str], as_root: bool) -> None:
    if not as_root:
        raise SetUpError(
            "This needs system packages; install them and start again: "
            "sudo apt-get install --no-install-recommends " + " ".join(packages)
        )
    say("Installing the system packages " + " ".join(packages) + " ...")
    install = [str(APT_GET), "install", "-qq", "-y", "--no-install-recommends", *packages]
    update_package_lists()
    run_quietly("Cannot install the system packages", install)


@functools.cache
def update_package_lists() -> None:
    run_quietly("Cannot read the lists of system packages", [str(APT_GET), "update", "-qq"])


def run_quietly(trouble: str, words: list[str]) -> None:
    """Run *words*; on failure raise SetUpError with what they printed and *trouble*."""
    done = subprocess.run(
        words,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise SetUpError(f"{done.stdout}\n{trouble}, for the reason above.")


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
