"""From the command to a window that can be used, against importing its libraries alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from statistics import median

from dynoai_desktop.benchmarks import Figure

_ROUNDS = 7
_LIBRARIES = "import PySide6.QtWidgets, pyqtgraph"


def startup_figures() -> list[Figure]:
    """Measure start-up, medians of several starts in turns; the first of each is thrown away."""
    imports, starts = [], []
    for _ in range(_ROUNDS + 1):
        imports.append(_time_imports())
        starts.append(_time_window())
    libraries_s, window_s = median(imports[1:]), median(starts[1:])
    return [
        Figure(
            "startup",
            "start to usable window",
            round(window_s / libraries_s, 2),
            "× importing the libraries",
            2.0,
            at_most=True,
            yardstick="import PySide6.QtWidgets, pyqtgraph, s",
            yardstick_value=round(libraries_s, 3),
            details={"window_s": round(window_s, 3)},
        )
    ]


def _time_imports() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", _LIBRARIES], check=True)
    return time.perf_counter() - start


def _time_window() -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "dynoai_desktop", "--data-dir", folder],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        )
        assert process.stdout is not None
        with process.stdout:
            line = process.stdout.readline()
            elapsed_s = time.perf_counter() - start
            process.terminate()
            process.wait(20)
    if line.strip() != "ready":
        raise RuntimeError("The window did not become ready.")
    return elapsed_s
