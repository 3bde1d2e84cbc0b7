"""Files that are dropped on the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData


def dropped_file(data: QMimeData) -> Path | None:
    """Return the first file of this machine in what is dropped, None without one."""
    for url in data.urls():
        if url.isLocalFile():
            return Path(url.toLocalFile())
    return None
