"""Peak memory of an 8-hour session replayed in the real window, and whether it grows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dynoai_desktop.benchmarks import Figure
from dynoai_desktop.benchmarks.long_session import write_long_session
from dynoai_desktop.capture.simulated_dyno import simulated_minute

HOURS = 8.0


def memory_figures(hours: float = HOURS) -> list[Figure]:
    """Replay as fast as possible in a process of its own and report its peak resident memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.pcap"
        count = write_long_session(path, simulated_minute(), hours)
        megabytes = path.stat().st_size / 2**20
        report = _replay(path)
    return [
        Figure(
            "memory",
            f"peak memory of a {hours:g}-hour session replayed",
            report["peak_mib"],
            "MiB",
            300.0,
            at_most=True,
            yardstick="the same process a tenth of the way in, MiB",
            yardstick_value=report["early_mib"],
            details={
                "datagrams": count,
                "file_mib": round(megabytes, 1),
                "seconds": report["seconds"],
                "late_mib": report["late_mib"],
            },
        )
    ]


def _replay(path: Path) -> dict[str, float]:
    result = subprocess.run(
        [sys.executable, "-m", "dynoai_desktop.benchmarks.memory", str(path)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )
    report: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return report


def _child(path: Path) -> None:
    """Replay *path* in the window and print what the memory did."""
    import time

    import psutil
    from PySide6.QtCore import QTimer

    from dynoai_desktop.app import make_application, make_window
    from dynoai_desktop.station import Station

    application = make_application()
    process, started = psutil.Process(), time.monotonic()
    track: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        window = make_window(Path(folder))
        station = Station(window, Path(folder))
        window.resize(1920, 1080)
        window.show()
        window.show_page("live")
        station.replay(path)
        assert station.worker is not None
        station.worker.set_replay_speed(0.0)

        def note(position: object) -> None:
            track.append((position.elapsed_s, process.memory_info().rss / 2**20))  # type: ignore[attr-defined]
            if position.finished:  # type: ignore[attr-defined]
                application.quit()

        timer = QTimer(interval=1000)
        station.worker.position_changed.connect(note)
        timer.start()
        application.exec()
        station.shut_down()
        window.close()
    total = track[-1][0]
    early = max(mib for elapsed, mib in track if elapsed <= max(total / 10, track[0][0]))
    report = {
        "peak_mib": round(max(mib for _, mib in track), 1),
        "early_mib": round(early, 1),
        "late_mib": round(track[-1][1], 1),
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(report))  # noqa: T201 - the answer to the parent process


if __name__ == "__main__":
    _child(Path(sys.argv[1]))
