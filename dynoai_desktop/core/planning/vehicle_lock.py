"""The lock of a vehicle's folder, for changes that take a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dynoai_desktop.core.store.json_store import FolderLock, StoreError

_TRIES, _TRY_AGAIN_S = 50, 0.02


@contextmanager
def vehicle_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a vehicle's folder.

    Another window holds it for a moment only, so wait that long, a second at most; then raises
    StoreError.
    """
    lock = FolderLock(folder, "This vehicle")
    pause = threading.Event()
    for attempt in range(_TRIES):
        try:
            lock.acquire()
            break
        except StoreError:
            if attempt == _TRIES - 1:
                raise
            pause.wait(_TRY_AGAIN_S)
    try:
        yield
    finally:
        lock.release()
