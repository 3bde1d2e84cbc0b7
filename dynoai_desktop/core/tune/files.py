"""Files that are written whole or not at all, several of them together."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from dynoai_desktop.core.store.json_store import StoreError, sync_folder
from dynoai_desktop.core.tune.tables import MAX_TUNE_BYTES, TuneError

_FRESH = ".dynoai-tmp"


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a tune or of corrections. Raises TuneError."""
    try:
        if path.stat().st_size > MAX_TUNE_BYTES:
            raise TuneError(f"{path.name} is far larger than any tune or correction.")
        return path.read_bytes()
    except OSError as error:
        raise TuneError(f"Cannot open {path.name}: {error.strerror or error}.") from error


def replace_all(files: Mapping[Path, bytes]) -> dict[Path, bytes | None]:
    """Write several files, all or none: first beside their places, then renamed.

    Returns what they held before, None for one that was not there. Raises StoreError when the
    disk refuses; then everything is as it was.
    """
    fresh = {path: path.with_name(path.name + _FRESH) for path in files}
    before: dict[Path, bytes | None] = {}
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with fresh[path].open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for path, temporary in fresh.items():
            held = path.read_bytes() if path.exists() else None
            temporary.replace(path)
            before[path] = held
            sync_folder(path.parent)
    except OSError as error:
        for temporary in fresh.values():
            temporary.unlink(missing_ok=True)
        put_back(before)
        name = next(iter(files)).name
        raise StoreError(
            f"Cannot write {name}: {error.strerror or error}. Check that the disk has room and the "
            "folder can be written. Nothing was changed."
        ) from error
    return before


def put_back(before: Mapping[Path, bytes | None]) -> None:
    """Give files the bytes they had; None is for one that was not there."""
    for path, data in before.items():
        if data is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(data)
