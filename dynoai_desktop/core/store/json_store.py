"""JSON documents that survive a crash, a full disk and a newer program.

A document is an object with an integer ``schema_version``. It is written beside its place, forced
to the disk and renamed over the old one, whose last readable state stays behind as one backup. What
cannot be read is set aside under a new name and reported; it is never replaced by defaults.
Paths come from the caller: nothing here decides where a file lives.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

MAX_BYTES = 32 * 1024 * 1024
_DEEPEST = 100  # levels of nesting; Python's parser would recurse until it falls over

Document = dict[str, Any]
Migration = Callable[[Document], Document]  # from one schema version to the next


class StoreError(OSError):
    """A document cannot be written or is in use. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was found at a path. *document* is None when there is nothing usable."""

    document: Document | None
    notes: tuple[str, ...] = ()  # sentences for the user: what was set aside, what was recovered


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Replace the document at *path*; afterwards the old or the new one is there, never half.

    The last readable state is kept as ``<name>.bak``. Raises StoreError when the disk refuses, and
    ValueError for a document without a schema version or with a value JSON does not have (NaN).
    """
    if not _is_version(document.get("schema_version")):
        raise ValueError(f"{path.name} has no schema_version")
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    fresh = _beside(path, ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        _keep_backup(path)
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StoreError(
            f"Cannot save {path.name}: {error.strerror or error}. "
            "Check that the disk has room and the folder can be written."
        ) from error


def json_text(document: Mapping[str, Any]) -> str:
    """Return *document* as JSON in which NaN and infinities are null, as JSON has neither."""
    return json.dumps(_finite(document), ensure_ascii=False, indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def read_document(
    path: Path,
    *,
    schema_version: int,
    migrations: Mapping[int, Migration] | None = None,
    max_bytes: int = MAX_BYTES,
    check: Callable[[Document], object] | None = None,
) -> Loaded:
    """Return the document at *path*, brought up to *schema_version*.

    ``migrations[n]`` turns version n into n + 1; *check* raises ValueError for a document that
    cannot be used. A file that is unreadable, unusable or of a newer program is renamed to
    ``<name>.set-aside-<k>`` and the backup is tried. A missing file is no fault: Loaded(None).
    Raises StoreError only when the file is there and the disk will not give it.
    """
    notes: list[str] = []
    for candidate in (path, _beside(path, ".bak")):
        if not candidate.exists():
            continue
        try:
            document = _parse(_read_bytes(candidate, max_bytes))
            document = _migrate(document, schema_version, migrations or {})
            if check is not None:
                _apply(check, document)
        except ValueError as error:
            aside = _set_aside(candidate)
            notes.append(f"{candidate.name} {error}. It was kept as {aside.name}.")
            continue
        if notes:
            notes.append(f"The last good state of {path.name} was used instead.")
        return Loaded(document, tuple(notes))
    return Loaded(None, tuple(notes))


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise ValueError(f"is {size // 1024} kB, larger than any document of ours")
        return path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"Cannot read {path.name}: {error.strerror or error}. Check the disk and try again."
        ) from error


def parse_object(data: bytes) -> Document:
    """Return the JSON object in *data*; raises ValueError with the reason."""
    if _nesting(data) > _DEEPEST:
        raise ValueError("is nested too deeply")
    try:
        document = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise ValueError("is not text") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"is not valid JSON (line {error.lineno}: {error.msg})") from error
    if not isinstance(document, dict):
        raise ValueError("does not hold a JSON object")
    return document


def _parse(data: bytes) -> Document:
    document = parse_object(data)
    if not _is_version(document.get("schema_version")):
        raise ValueError("states no schema version")
    return document


def _nesting(data: bytes) -> int:
    """Return how deep brackets nest, those in strings included, or the first depth too many."""
    deepest = depth = 0
    for byte in data.translate(None, delete=_NOT_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
        if deepest > _DEEPEST:
            break
    return deepest


_NOT_BRACKETS = bytes(b for b in range(256) if b not in b"[]{}")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"holds {name}, which is not a number")


def _is_version(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _migrate(
    document: Document, schema_version: int, migrations: Mapping[int, Migration]
) -> Document:
    version = int(document["schema_version"])
    if version > schema_version:
        raise ValueError(f"was written by a newer program (version {version})")
    while version < schema_version:
        step = migrations.get(version)
        if step is None:
            raise ValueError(f"has version {version}, which this program cannot read")
        try:
            document = step(document)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"of version {version} lacks {error}") from error
        version += 1
        document["schema_version"] = version
    return document


def _apply(check: Callable[[Document], object], document: Document) -> None:
    try:
        check(document)
    except ValueError as error:
        raise ValueError(f"cannot be used ({str(error).rstrip('.')})") from error


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _keep_backup(path: Path) -> None:
    """Make the present file the backup, unless it cannot be read; *path* is never absent."""
    if not path.exists():
        return
    try:
        _parse(_read_bytes(path, MAX_BYTES))
    except ValueError:
        _set_aside(path)
        return
    link = _beside(path, ".bak.tmp")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except OSError:  # a file system without links
        shutil.copyfile(path, link)
    link.replace(_beside(path, ".bak"))


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := _beside(path, f".set-aside-{number}")).exists():
        number += 1
    try:
        path.rename(aside)
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be read and cannot be set aside: {error.strerror or error}. "
            "Close other programs that use it."
        ) from error
    return aside


def sync_folder(folder: Path) -> None:
    """Force a rename in *folder* to the disk."""
    if sys.platform == "win32":  # NTFS journals the rename; folders cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FolderLock:
    """Keeps a second instance out of a folder. The system frees it when a process dies."""

    def __init__(self, folder: Path, what: str = "This folder") -> None:
        """Name the folder to lock and what the user calls it; nothing happens yet."""
        self._path = folder / ".lock"
        self._what = what
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        """Take the lock. Raises StoreError when another instance has it."""
        if self._file is not None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("ab")
        except OSError as error:
            raise StoreError(
                f"Cannot lock {self._path.parent}: {error.strerror or error}. "
                "Check that the folder can be written."
            ) from error
        try:
            _lock(file)
        except OSError as error:
            file.close()
            raise StoreError(
                f"{self._what} is open in another window. Close it there first."
            ) from error
        self._file = file

    def release(self) -> None:
        """Give the lock back. Safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> FolderLock:
        """Take the lock for a with block."""
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release."""
        self.release()


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
