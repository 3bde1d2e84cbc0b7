"""Reading and analysing a log of a million rows."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from dynoai_desktop.benchmarks import Figure
from dynoai_desktop.capture.frames import frame_of_log
from dynoai_desktop.capture.readers import read_log
from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.document import to_document

_ROWS = 1_000_000
_ROUNDS = 3
_RATE_HZ = 100.0


def analysis_figures() -> list[Figure]:
    """Measure both on one file, pandas in turns with our reader; medians of three."""
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        _write_log(path)
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            table = read_log(path)
            ours.append(time.perf_counter() - start)
            start = time.perf_counter()
            pd.read_csv(path)
            theirs.append(time.perf_counter() - start)
    frame = frame_of_log(table)
    rates = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        to_document(analyse(frame))
        rates.append(_ROWS / (time.perf_counter() - start))
    return [
        Figure(
            "read_log",
            "reading a log of 1,000,000 rows",
            round(median(ours) / median(theirs), 2),
            "× pandas.read_csv",
            1.5,
            at_most=True,
            yardstick="pandas.read_csv, s",
            yardstick_value=round(median(theirs), 2),
            details={"seconds": round(median(ours), 2)},
        ),
        Figure(
            "analyse_log",
            "analysing it, whole payload",
            round(median(rates)),
            "rows/s",
            500_000,
            at_most=False,
        ),
    ]


def _write_log(path: Path) -> None:
    """Write hours of driving about the map with a fuel table that is off by a known field."""
    rng = np.random.default_rng(1)
    time_s = np.arange(_ROWS) / _RATE_HZ
    rpm = 3500 + 2000 * np.sin(time_s / 17) + rng.normal(0, 5, _ROWS)
    load = 60 + 35 * np.sin(time_s / 5.3) + rng.normal(0, 0.3, _ROWS)
    tps = np.clip((load - 20) * 1.2, 0, 100)
    target = np.where(load > 80, 12.8, 14.2)
    error = 0.04 * np.sin(rpm / 900) + 0.03 * np.cos(load / 17)
    columns = {
        "Time (s)": time_s,
        "Engine RPM": rpm,
        "MAP kPa": load,
        "TPS": tps,
        "IAT C": 30 + rng.normal(0, 0.1, _ROWS),
        "ECT C": 95 + rng.normal(0, 0.1, _ROWS),
        "AFR Meas F": target * (1 + error) + rng.normal(0, 0.08, _ROWS),
        "AFR Meas R": target * (1.02 + error) + rng.normal(0, 0.08, _ROWS),
        "AFR Target": target,
        "Spark Advance F": 25 + rng.normal(0, 0.2, _ROWS),
        "Knock F": np.zeros(_ROWS),
        "Torque (Nm)": 0.9 * load + rng.normal(0, 1, _ROWS),
        "Battery Voltage": 13.9 + rng.normal(0, 0.02, _ROWS),
    }
    header = ",".join(columns)
    np.savetxt(
        path, np.column_stack(list(columns.values())), "%.7g", ",", header=header, comments=""
    )
