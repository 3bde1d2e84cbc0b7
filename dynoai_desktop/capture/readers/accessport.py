"""Logs of the Cobb Accessport: ``Name (unit)`` in every head, the device described in the last."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from dynoai_desktop.capture.readers.contract import Cancelled, LogReader, Progress
from dynoai_desktop.capture.readers.draft import Draft
from dynoai_desktop.capture.readers.table import Format
from dynoai_desktop.capture.readers.textlog import read_text_log
from dynoai_desktop.core.logs import Code, LogTable, LogWarning

_INFO = re.compile(r"AP Info:\s*((?:\[[^\]]*\])+)")
_POLLED_KPA = 5.0  # difference of three pressures taken "at once" that shows they were not


def detect(_path: Path, head: bytes) -> float:
    """Return 0.95 when the first line describes an Accessport."""
    first = head.split(b"\n", 1)[0]
    return 0.95 if b"AP Info:[" in first else 0.0


def read(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> LogTable:
    """Return the log in *path*. Raises ReaderError."""
    table = read_text_log(path, _FORM, progress, cancelled)
    last = _INFO.search(table.columns[-1].header)
    if last is None:
        return table
    parts = re.findall(r"\[([^\]]*)\]", last.group(1))
    keys = ("device", "vehicle", "map")
    return replace(table, info={**table.info, **dict(zip(keys, parts, strict=False))})


def _judge(draft: Draft) -> Iterable[LogWarning]:
    for i, column in draft.data():
        if _INFO.search(column.header):
            draft.set_aside.add(i)
            draft.columns[i] = replace(column, name="AP Info", unit_text="")
            yield LogWarning(
                Code.INFO_COLUMN,
                "The last column has no values; its head describes the device and its map.",
                (column.key,),
            )
    yield from _polled(draft)


def _polled(draft: Draft) -> Iterable[LogWarning]:
    """Compare manifold pressure with barometer and boost: they agree only when taken together."""
    found = draft.named("man abs press", "baro pressure", "boost")
    if len(found) < 3:
        return
    manifold, baro, boost = (
        draft.columns[found[name]].values for name in ("man abs press", "baro pressure", "boost")
    )
    difference = manifold - baro - boost
    difference = difference[np.isfinite(difference)]
    worst = float(np.abs(difference).max()) if difference.size else 0.0
    if worst > _POLLED_KPA:
        yield LogWarning(
            Code.CHANNELS_POLLED,
            f"Channels are read one after another: MAP − baro − boost is "
            f"{difference.mean():.2f} kPa on average and up to {worst:.0f} kPa while the "
            "throttle moves. Use steady stretches.",
            draft.keys(found.values()),
        )


_FORM = Format("accessport", "Cobb Accessport log", bracket_is_unit=True, judge=_judge)
READER = LogReader("accessport", "Cobb Accessport log", (".csv",), detect, read)
