"""The guard of the tests, tried on tests that leave things behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# One leaky test a line of the table: name, arguments, body, and what the guard says of it.
_LEAKS = (
    (
        "thread",
        "",
        "thread = threading.Thread(target=released.wait, daemon=True); thread.start()",
        "*thread 'Thread-*' is running",
    ),
    (
        "socket",
        "",
        "kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))",
        "*socket*is open",
    ),
    ("file", "tmp_path", "kept.append(open(tmp_path / 'raw.pcap', 'wb'))", "*raw.pcap is open"),
    (
        "timer",
        "qapp",
        "timer = QTimer(); timer.setObjectName('tick'); timer.start(50); kept.append(timer)",
        "*timer QTimer 'tick' fires every 50 ms",
    ),
    (
        "qt_thread",
        "qapp",
        "worker = QThread(); worker.setObjectName('capture'); worker.start(); kept.append(worker)",
        "*thread QThread 'capture' is running",
    ),
    (
        "qt_thread_without_an_application",
        "",
        "worker = QThread(); worker.setObjectName('lonely'); worker.start(); kept.append(worker)",
        "*thread QThread 'lonely' is running",
    ),
    (
        "pool_task",
        "qapp",
        "QThreadPool.globalInstance().start(lambda: released.wait(60))",
        "*a task runs on the thread pool",
    ),
    (
        "window",
        "qapp",
        "window = QWidget(); window.setObjectName('stray'); kept.append(window)",
        "*widget QWidget 'stray' exists",
    ),
    (
        "message_while_tearing_down",
        "complaining_fixture",
        "pass",
        "*Qt said: a timer has no thread",
    ),
)

# Each of these fails in its own call, not in the guard.
_FAILURES = """
def test_warning():
    warnings.warn("old", DeprecationWarning)

def test_dropped_socket():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

def test_qt_message(qapp):
    qWarning("no such slot")

def test_error_in_a_thread():
    thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
"""

_CLEAN = """
def test_clean(qtbot, tmp_path):
    with open(tmp_path / "raw.pcap", "wb"), socket.socket():
        worker = QThread(); worker.start(); worker.quit(); assert worker.wait(5000)
        thread = threading.Thread(target=int); thread.start()
        plot = pyqtgraph.PlotWidget(); qtbot.addWidget(plot); plot.grab()
        timer = QTimer(plot); timer.start(5)

def test_unreachable_cycle_is_collected(qapp):
    window = QWidget(); window.itself = window
"""

_HEAD = """
import socket, threading, warnings
import pyqtgraph, pytest
from PySide6.QtCore import QThread, QThreadPool, QTimer, qWarning
from PySide6.QtWidgets import QWidget

kept, released = [], threading.Event()

@pytest.fixture
def complaining_fixture(qapp):
    yield
    qWarning("a timer has no thread")

@pytest.fixture(scope="module", autouse=True)
def afterwards():
    yield
    released.set()
    for thing in kept:
        if isinstance(thing, QThread):
            thread = thing; thread.quit(); thread.wait()
        elif hasattr(thing, "close"):
            thing.close()
"""


@pytest.fixture
def run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], pytest.RunResult]:
    """Run tests, given as text, with this project's pytest settings and guard."""
    shutil.copy(ROOT / "pyproject.toml", pytester.path)
    pytester.makeconftest("pytest_plugins = ['tests.leaks']")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run_text(tests: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(pytester.makepyfile(_HEAD + tests))

    return run_text


def test_every_kind_of_leak_fails_its_test(run: Callable[[str], pytest.RunResult]) -> None:
    tests = [
        f"def test_{name}({arguments}):\n    {body}\n" for name, arguments, body, _said in _LEAKS
    ]
    result = run("\n".join(tests))
    result.assert_outcomes(passed=len(_LEAKS), errors=len(_LEAKS))
    for _name, _arguments, _body, said in _LEAKS:
        result.stdout.fnmatch_lines([said])


def test_warnings_and_messages_fail_their_test(run: Callable[[str], pytest.RunResult]) -> None:
    run(_FAILURES).assert_outcomes(failed=_FAILURES.count("def test_"))


def test_a_clean_test_passes(run: Callable[[str], pytest.RunResult]) -> None:
    run(_CLEAN).assert_outcomes(passed=_CLEAN.count("def test_"))
