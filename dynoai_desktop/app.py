"""The composition root: builds the window and the station, and takes them down in reverse order."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication

from dynoai_desktop import __version__
from dynoai_desktop.capture.environment import default_interface
from dynoai_desktop.commands import UsageError, known_vehicle
from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.store.vehicle_folders import FILE_NAME, save_vehicle, vehicles_folder
from dynoai_desktop.core.store.vehicles import VehicleError
from dynoai_desktop.station import Station
from dynoai_desktop.ui.main_window import MainWindow

READY_FILE = "DYNOAI_READY_FILE"


def run(arguments: argparse.Namespace) -> int:
    """Open the window and return when it is closed.

    On a machine without a display `--demo` records the simulated dyno for a while, renders the
    pages to pictures and says where everything is.
    """
    if not has_display():
        if not arguments.demo:
            raise UsageError(
                "There is no display. Use --demo to render pages to pictures, or the commands "
                "record, inspect and tour."
            )
        from dynoai_desktop.headless_demo import run_headless_demo

        return run_headless_demo(arguments.data_dir, arguments.seconds)
    vehicle = make_vehicle(arguments.data_dir, arguments.vehicle)
    application = make_application()
    window = make_window(arguments.data_dir)
    station = Station(window, arguments.data_dir, vehicle)
    try:
        window.show()
        _begin(station, arguments)
        with _closed_by_signals(window):
            QTimer.singleShot(0, _announce_ready)
            return application.exec()
    finally:
        station.shut_down()
        window.close()


def has_display() -> bool:
    """Return True when a window can be seen, or when a platform was chosen on purpose."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def make_vehicle(data_dir: Path, name: str) -> str:
    """Return the full name of the vehicle that `--vehicle` means; a new one is created.

    "" stays "". Raises UsageError for a name that no vehicle of the tuner's can have.
    """
    if not name:
        return ""
    record = known_vehicle(data_dir, name)
    vehicles = vehicles_folder(data_dir)
    try:
        if not (vehicles / record.slug / FILE_NAME).exists():
            save_vehicle(vehicles, replace(record, simulated=False))
    except (VehicleError, StoreError) as error:
        raise UsageError(str(error)) from error
    if record.simulated:
        raise UsageError(f"{record.name} is a simulated vehicle. Start it with --demo.")
    return record.name


def make_application() -> QApplication:
    """Return the application object, one per process, with our name and fonts."""
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    application.setApplicationName("DynoAI Desktop")
    return application


def make_window(data_dir: Path) -> MainWindow:
    """Return a window whose settings live in the data folder."""
    data_dir.mkdir(parents=True, exist_ok=True)
    return MainWindow(data_dir / "settings.ini", __version__)


def _begin(station: Station, arguments: argparse.Namespace) -> None:
    """Start with what the command line asks for, else where the operator left off."""
    if arguments.replay is not None:
        station.replay(arguments.replay)
    elif arguments.demo:
        station.start_simulator()
    elif interface := arguments.iface or default_interface() or station.last_interface:
        station.listen(interface)


def _announce_ready() -> None:
    """Tell whoever started us that the window can be used."""
    if path := os.environ.get(READY_FILE):
        Path(path).write_text("ready", encoding="utf-8")
    print("ready", flush=True)  # noqa: T201 - the contract with scripts that wait for the window


@contextmanager
def _closed_by_signals(window: MainWindow) -> Iterator[None]:
    """Close the window on SIGTERM and Ctrl-C, so that a recording is finished properly."""
    if sys.platform == "win32":  # a closing console ends the process; the recorder survives it
        yield
        return
    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)
    notifier = QSocketNotifier(reading.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: (reading.recv(64), window.close()))
    previous_fd = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    numbers = (signal.SIGTERM, signal.SIGINT)
    # The handlers do nothing: the byte on the socket pair is what wakes Qt.
    previous = [signal.signal(number, lambda *_: None) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous_fd)
        notifier.setEnabled(False)
        notifier.deleteLater()
        reading.close()
        writing.close()
