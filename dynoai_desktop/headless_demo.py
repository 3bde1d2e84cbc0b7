"""The demo on a machine without a display: the real window, drawn where nobody looks.

Everything runs as it would on the cell PC (the simulated dyno in its own process, real multicast,
the capture thread, the recorder, the window at 20 Hz); then the pages are rendered to pictures.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QDeadlineTimer, QEventLoop, QTimer

from dynoai_desktop.commands import EXIT_DONE, EXIT_FAILED

_SIZE = (1920, 1080)
_START_TIMEOUT_S = 30.0


def run_headless_demo(data_dir: Path, seconds: float) -> int:
    """Record *seconds* of the simulated dyno and render every page; print where both are."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # Imported here because the platform has to be chosen before the first Qt window.
    from dynoai_desktop.app import make_application, make_window
    from dynoai_desktop.pictures import render_pages
    from dynoai_desktop.station import Station

    make_application()
    window = make_window(data_dir)
    window.resize(*_SIZE)
    station = Station(window, data_dir)
    try:
        window.show()
        _say("Starting the simulated dyno; there is no display, so pages are drawn to pictures.")
        station.start_simulator()
        if not _wait(lambda: window.live_model.snapshot is not None, _START_TIMEOUT_S):
            _say("Nothing was heard from the simulated dyno.")
            return EXIT_FAILED
        station.start_recording()
        _say(f"Recording for {seconds:g} s.")
        _wait(lambda: False, seconds)
        progress = station.recording
        pictures = render_pages(window, data_dir / "pictures", (_SIZE, (1280, 800)))
        station.stop_recording()
        _wait(lambda: station.recording is None, 10.0)
        if progress is None or progress.error or not progress.datagrams:
            _say(progress.error if progress else "The session could not be recorded.")
            return EXIT_FAILED
        _say(f"Pictures: {data_dir / 'pictures'} ({len(pictures)} files)")
        _say(f"Session:  {progress.folder} ({progress.datagrams} datagrams)")
        return EXIT_DONE
    finally:
        station.shut_down()
        window.close()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is what the command is for


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Run the event loop until *condition* holds; False when the time is over."""
    loop, deadline = QEventLoop(), QDeadlineTimer(int(seconds * 1000))
    timer = QTimer()
    timer.timeout.connect(lambda: loop.quit() if condition() or deadline.hasExpired() else None)
    timer.start(20)
    loop.exec()
    timer.stop()
    return condition()
