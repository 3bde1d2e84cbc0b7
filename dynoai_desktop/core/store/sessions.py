"""Recorded sessions as a list: what each folder says about itself, and what it left unsaid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session folder."""

    path: Path
    start_s: float  # Unix time; of the folder when the document does not say
    duration_s: float
    vehicle: str
    simulated: bool
    size_bytes: int
    note: str = ""


def list_sessions(folder: Path) -> list[SessionSummary]:
    """Return every session below *folder*, newest first.

    A session that was cut short, or whose document cannot be read, is listed with a note; the
    recording in it is still good.
    """
    return sorted(_summaries(folder), key=lambda session: session.start_s, reverse=True)


def _summaries(folder: Path) -> Iterator[SessionSummary]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if (path / "raw.pcap").is_file():
            yield summarise(path)


def summarise(path: Path) -> SessionSummary:
    """Return what is known about one session folder."""
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    document, note = _document(path)
    started = document.get("started_utc")
    start_s = path.stat().st_mtime
    if isinstance(started, str):
        try:
            start_s = datetime.fromisoformat(started).timestamp()
        except ValueError:
            note = note or "start time unreadable"
    duration = document.get("duration_s")
    return SessionSummary(
        path=path,
        start_s=start_s,
        duration_s=float(duration) if isinstance(duration, int | float) else 0.0,
        vehicle=str(document.get("vehicle") or ""),
        simulated=document.get("simulated") is True,
        size_bytes=size,
        note=note,
    )


def _document(path: Path) -> tuple[dict[str, Any], str]:
    try:
        document = json.loads((path / "session.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, "session.json is missing; the recording can be replayed"
    except (OSError, ValueError):
        return {}, "session.json cannot be read; the recording can be replayed"
    if not isinstance(document, dict):
        return {}, "session.json cannot be read; the recording can be replayed"
    ended = document.get("ended_utc") is not None
    return document, "" if ended else "ended unexpectedly"
