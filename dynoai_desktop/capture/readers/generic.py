"""Any text log with a row of names over rows of numbers: the reader for everything else."""

from __future__ import annotations

from pathlib import Path

from dynoai_desktop.capture.readers.contract import Cancelled, LogReader, Progress
from dynoai_desktop.capture.readers.dialect import text_encoding
from dynoai_desktop.capture.readers.table import Format
from dynoai_desktop.capture.readers.textlog import read_text_log
from dynoai_desktop.core.logs import LogTable

_FORM = Format("csv", "Text log")


def detect(_path: Path, head: bytes) -> float:
    """Return 0.2 for any text: every other reader that knows the file goes first."""
    return 0.0 if text_encoding(head) is None else 0.2


def read(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> LogTable:
    """Return the log in *path*. Raises ReaderError."""
    return read_text_log(path, _FORM, progress, cancelled)


READER = LogReader(
    "csv", "Text log (CSV, TXT, MSL)", (".csv", ".txt", ".msl", ".log", ".tsv"), detect, read
)
