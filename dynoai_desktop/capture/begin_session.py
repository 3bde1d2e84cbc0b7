"""The start of a session: a folder of its own, its document, and a recorder into it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynoai_desktop import __version__
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.recorder import Recorder, new_session_folder


def begin_session(
    sessions: Path,
    vehicle: str,
    pipeline: Pipeline,
    bus: tuple[str, str, int],
    now_us: int,
    more: Mapping[str, Any] | None = None,
) -> Recorder:
    """Return a recorder into a new folder below *sessions*.

    *bus* is interface, group and port; *more* are further fields of session.json. Raises
    CaptureError when the disk refuses.
    """
    interface, group, port = bus
    folder = new_session_folder(sessions, vehicle, datetime.fromtimestamp(now_us / 1e6, UTC))
    document = {
        "software": f"DynoAI Desktop {__version__}",
        "vehicle": vehicle,
        "interface": interface,
        "group": group,
        "port": port,
        **pipeline.facts(),
        **(more or {}),
    }
    return Recorder(folder, document, pipeline.preamble(), group, port, now_us)
