"""What a test may not leave behind: threads, sockets, files, timers, windows, Qt's complaints.

Each look returns what exists now, {key: description}. The guard looks before and after a test and
fails it for whatever is new.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

import psutil
import pytest
import shiboken6
from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QMessageLogContext,
    QObject,
    QThread,
    QThreadPool,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication

Found = dict[Hashable, str]
Look = Callable[[], Found]

# A thread that has been told to stop may be in its last instructions; longer is a leak.
GRACE_MS = 1000

_PROCESS = psutil.Process()
_OPEN_FILES = Path("/proc/self/fd")
# Devices and kernel objects are opened once by libraries and kept.
_NOT_OURS = ("/dev/", "/proc/", "/sys/", "/memfd:", "/SYSV", "anon_inode:", "pipe:")

_qt_messages: list[str] = []


def _python_threads() -> Found:
    return {
        thread: f"thread {thread.name!r} is running"
        for thread in threading.enumerate()
        # threads that Qt started appear here for ever once they have logged something
        if not isinstance(thread, threading._DummyThread)
    }


def _open_files_and_sockets() -> Found:
    """On Linux every descriptor; elsewhere the sockets (files are left to ResourceWarning)."""
    if not _OPEN_FILES.exists():
        return {
            (connection.laddr, connection.raddr): f"socket {connection.laddr} is open"
            for connection in _PROCESS.net_connections()
        }
    found: Found = {}
    for link in _OPEN_FILES.iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue  # the descriptor of this very listing
        if not target.startswith(_NOT_OURS):
            found[link.name, target] = f"{target} is open"
    return found


def _qt_messages_so_far() -> Found:
    return {(number, text): f"Qt said: {text}" for number, text in enumerate(_qt_messages)}


def _threads_and_timers_of_qt() -> Found:
    found: Found = {}
    for thing in _qt_objects():
        if isinstance(thing, QTimer) and thing.isActive():
            found[id(thing)] = f"timer {_name(thing)} fires every {thing.interval()} ms"
        elif isinstance(thing, QThread) and thing.isRunning() and not _is_ours(thing):
            found[id(thing)] = f"thread {_name(thing)} is running"
    return found


def _qt_objects() -> list[QThread | QTimer]:
    """Return the living threads and timers that Python made since the tests were collected."""
    return [
        thing
        for thing in gc.get_objects()
        # type() and not isinstance(): proxies answer isinstance() with code of their own
        if issubclass(type(thing), (QThread, QTimer)) and shiboken6.isValid(thing)
    ]


def _name(thing: QObject) -> str:
    return f"{type(thing).__name__} {thing.objectName()!r}"


def _is_ours(thread: QThread) -> bool:
    """Return True for the thread that runs the tests."""
    return shiboken6.getCppPointer(thread) == shiboken6.getCppPointer(QThread.currentThread())


def _pool_tasks() -> Found:
    running = QThreadPool.globalInstance().activeThreadCount()
    return dict.fromkeys(range(running), "a task runs on the thread pool")


def _top_level_widgets() -> Found:
    return {
        shiboken6.getCppPointer(widget)[0]: f"widget {type(widget).__name__} "
        f"{widget.objectName() or widget.windowTitle()!r} exists"
        for widget in QApplication.topLevelWidgets()
    }


LOOKS: tuple[Look, ...] = (
    _python_threads,
    _open_files_and_sockets,
    _qt_messages_so_far,
)
QT_LOOKS: tuple[Look, ...] = (
    _threads_and_timers_of_qt,
    _pool_tasks,
    _top_level_widgets,
)


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test that leaves something running or open."""
    looks = LOOKS + QT_LOOKS if "qapp" in request.fixturenames else LOOKS
    native_threads = _PROCESS.num_threads()
    before = _look(looks)
    yield
    if looks is LOOKS and _PROCESS.num_threads() > native_threads:
        looks = (*LOOKS, _threads_and_timers_of_qt)
    # pytest-qt closes a window with deleteLater, which waits for an event loop
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    if new := _new(looks, before):
        _let_things_end(new)
        new = _new(looks, before)
    if new:
        pytest.fail("The test left behind:\n  " + "\n  ".join(new.values()), pytrace=False)


def _look(looks: tuple[Look, ...]) -> Found:
    return {(look, key): text for look in looks for key, text in look().items()}


def _new(looks: tuple[Look, ...], before: Found) -> Found:
    return {key: text for key, text in _look(looks).items() if key not in before}


def _let_things_end(new: Found) -> None:
    """Wait for what is ending by itself, and drop what nobody can reach any more."""
    gc.collect()
    for thread in threading.enumerate():
        if (_python_threads, thread) in new:
            thread.join(GRACE_MS / 1000)
    for thing in _qt_objects():
        if isinstance(thing, QThread) and (_threads_and_timers_of_qt, id(thing)) in new:
            thing.wait(GRACE_MS)
    if (_pool_tasks, 0) in new:
        QThreadPool.globalInstance().waitForDone(GRACE_MS)
    if application := QCoreApplication.instance():
        application.processEvents()


def _keep_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    """Hear what pytest-qt does not: messages while fixtures are torn down."""
    if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg):
        _qt_messages.append(text)


def pytest_configure() -> None:
    qInstallMessageHandler(_keep_message)


def pytest_collection_finish() -> None:
    """Set aside what the imports made, so that searching the heap takes microseconds."""
    gc.collect()
    gc.freeze()
