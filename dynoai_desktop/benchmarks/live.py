"""Loss and latency with the real window open and drawing, while datagrams pour in.

A process of its own sends 5,000 datagrams a second by multicast on loopback; a second process
runs the window with the Live page at 1920×1080. Loss is what the sequence numbers and the counts
of both sides say. Latency is from the arrival of the last datagram of a window to the moment the
pixels showing that window are drawn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from dynoai_desktop.benchmarks import Figure

if TYPE_CHECKING:
    from dynoai_desktop.core.live.snapshot import Snapshot

RATE, SECONDS, PORT = 5000, 60.0, 22398
SESSIONS, REHEARSING_S = 4, 20.0


def live_figures() -> list[Figure]:
    """Measure both in one run."""
    return _figures(SECONDS, 0)


def rehearsing_figures() -> list[Figure]:
    """Measure both while four virtual tuning sessions run beside the window."""
    beside = f", {SESSIONS} virtual tuning sessions beside it"
    return [
        replace(figure, id=f"{figure.id}_rehearsing", title=f"{figure.title}{beside}")
        for figure in _figures(REHEARSING_S, SESSIONS)
    ]


def _figures(seconds: float, sessions: int) -> list[Figure]:
    result = subprocess.run(
        [sys.executable, "-m", "dynoai_desktop.benchmarks.live", str(seconds), str(sessions)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "JETDRIVE_PORT": str(PORT)},
    )
    report = json.loads(result.stdout.splitlines()[-1])
    latency = {
        "yardstick": "the window itself, ms",
        "yardstick_value": 50.0,
        "details": {"windows": report["windows"], "drawn": report["drawn"]},
    }
    return [
        Figure(
            "loss",
            f"datagrams lost in {seconds:g} s at {RATE}/s, window open and drawing",
            report["lost"],
            "datagrams",
            0,
            at_most=True,
            yardstick="datagrams sent",
            yardstick_value=report["sent"],
            details={"received": report["received"]},
        ),
        Figure(
            "latency_median",
            "last datagram of a window to its pixels, median",
            report["median_ms"],
            "ms",
            60.0,
            at_most=True,
            **latency,
        ),
        Figure(
            "latency_p99",
            "last datagram of a window to its pixels, 99th percentile",
            report["p99_ms"],
            "ms",
            100.0,
            at_most=True,
            **latency,
        ),
    ]


def _child(seconds: float, sessions: int) -> None:
    from PySide6.QtCore import QTimer

    from dynoai_desktop.app import make_application, make_window
    from dynoai_desktop.station import LOOPBACK, Station
    from dynoai_desktop.ui.rehearsal import TuningWish

    application = make_application()
    delays: list[float] = []
    windows = 0

    arrivals: dict[float, int] = {}

    def drawing(snapshot: Snapshot) -> None:
        if snapshot.arrival_us:
            arrivals[snapshot.time_s] = snapshot.arrival_us

    def drawn(time_s: float) -> None:
        if time_s in arrivals:
            delays.append(time.time() * 1e3 - arrivals.pop(time_s) / 1e3)

    def count(_snapshot: Snapshot) -> None:
        nonlocal windows
        windows += 1

    with tempfile.TemporaryDirectory() as folder:
        window = make_window(Path(folder))
        station = Station(window, Path(folder))
        window.resize(1920, 1080)
        window.show()
        window.show_page("live")
        station.listen(LOOPBACK)
        assert station.worker is not None
        station.worker.snapshot_ready.connect(count)
        window.live_model.curves_due.connect(drawing)
        window.frame_drawn.connect(drawn)
        sender = subprocess.Popen(
            [sys.executable, "-m", "dynoai_desktop.benchmarks.sender", str(RATE), str(seconds),
             str(PORT)],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        for seed in range(sessions):
            window.tuning_start_requested.emit(TuningWish("m8-114", "lean", seed))
        QTimer.singleShot(int((seconds + 3) * 1000), application.quit)
        application.exec()
        assert sender.stdout is not None
        with sender.stdout:
            sent = int(sender.stdout.read())
        sender.wait()
        health = window.live_model.health
        station.shut_down()
        window.close()
    provider = health.providers[0]
    report = {
        "sent": sent,
        "received": provider.frames,
        "lost": max(sent - provider.frames, provider.lost),
        "windows": windows,
        "drawn": len(delays),
        "median_ms": round(median(delays), 1),
        "p99_ms": round(quantiles(delays, n=100)[98], 1),
    }
    print(json.dumps(report))  # noqa: T201 - the answer to the parent process


if __name__ == "__main__":
    _child(float(sys.argv[1]), int(sys.argv[2]))
