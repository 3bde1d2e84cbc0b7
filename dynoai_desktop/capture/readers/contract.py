"""What every reader of a log format promises.

`detect` looks at the name and the first bytes and returns how sure it is, 0 to 1; it never opens
the file and never raises. `read` returns the whole log or raises ReaderError with one sentence;
`progress` is called with a fraction on the calling thread and `cancelled` is asked between parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dynoai_desktop.core.logs import LogTable

HEAD_BYTES = 1 << 16
# A log is held in memory as a whole; a file beyond this is refused before anything is read.
MAX_LOG_BYTES = 1_000_000_000

Progress = Callable[[float], None]
Cancelled = Callable[[], bool]


class ReaderError(Exception):
    """A log cannot be read. The message says what happened and what to do."""


class ReadingCancelledError(ReaderError):
    """The person who asked for the file has changed their mind."""


class Read(Protocol):
    """The `read` of a format."""

    def __call__(
        self, path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
    ) -> LogTable:
        """Return the log in *path*. Raises ReaderError and nothing else."""


@dataclass(frozen=True, slots=True)
class LogReader:
    """One row of the READERS table."""

    format: str  # as it stands in JSON
    title: str
    suffixes: tuple[str, ...]  # for the file dialog, lower case with the dot
    detect: Callable[[Path, bytes], float]
    read: Read


def read_head(path: Path) -> bytes:
    """Return the first HEAD_BYTES of a file that may be a log.

    Raises ReaderError when there is no such file, or it is empty or too large.
    """
    try:
        if path.is_dir():
            raise ReaderError(f"{path.name} is a folder. Choose the log file inside it.")
        size = path.stat().st_size
        if size == 0:
            raise ReaderError(f"{path.name} is empty. Export the log again.")
        if size > MAX_LOG_BYTES:
            raise ReaderError(
                f"{path.name} has {size / 1e9:.1f} GB; logs up to {MAX_LOG_BYTES / 1e9:.0f} GB "
                "are read. Export a shorter part of the recording."
            )
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> ReaderError:
    """Return the error to raise when the system does not give us the file."""
    reason = error.strerror or type(error).__name__
    return ReaderError(f"Cannot open {path.name}: {reason}. Check that the file is there.")


def stop_if(cancelled: Cancelled | None, path: Path) -> None:
    """Raise ReadingCancelledError when the reading is no longer wanted."""
    if cancelled is not None and cancelled():
        raise ReadingCancelledError(f"Reading {path.name} was cancelled.")
