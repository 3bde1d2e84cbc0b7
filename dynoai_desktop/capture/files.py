"""A file somebody points at: a recording or a log, and the frame either becomes."""

from __future__ import annotations

from pathlib import Path

from dynoai_desktop.capture.frames import (
    AnalysisCancelledError,
    Cancelled,
    Progress,
    frame_of_log,
    frame_of_recording,
)
from dynoai_desktop.capture.sources.contract import CaptureError
from dynoai_desktop.core.analysis.frame import Frame

_PCAP_MAGICS = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)


def is_recording(path: Path) -> bool:
    """Return True for a session folder, a pcap file, or what calls itself one.

    Raises CaptureError when the file cannot be opened.
    """
    if path.is_dir() or path.suffix.lower() in (".pcap", ".pcapng", ".cap"):
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) in _PCAP_MAGICS
    except FileNotFoundError as error:
        raise CaptureError(f"There is no file {path}.") from error
    except OSError as error:
        raise CaptureError(f"Cannot read {path.name}: {error.strerror}.") from error


def read_frame(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> Frame:
    """Return a recording or a log as the frame every analysis starts from.

    Raises CaptureError when it cannot be read, FrameError when its time cannot be used, and
    AnalysisCancelledError when told to stop.
    """
    if is_recording(path):
        return frame_of_recording(path, progress, cancelled)
    from dynoai_desktop.capture.readers import ReaderError, ReadingCancelledError, read_log

    try:
        return frame_of_log(read_log(path, progress, cancelled))
    except ReadingCancelledError as error:
        raise AnalysisCancelledError from error
    except ReaderError as error:
        raise CaptureError(str(error)) from error
