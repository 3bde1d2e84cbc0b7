"""What `mapping` and `preflight` share: turning an argument into a scan."""

from __future__ import annotations

import random
import time
from pathlib import Path

from dynoai_desktop.capture.environment import jetdrive_source
from dynoai_desktop.capture.files import is_recording
from dynoai_desktop.capture.node import Node
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.sources.contract import CaptureError
from dynoai_desktop.commands import UsageError
from dynoai_desktop.core.trust.trial import Scan


def scan_path(path: Path) -> Scan:
    """Return what is in a recording or a log. Raises UsageError when it cannot be read."""
    from dynoai_desktop.capture.readers import ReaderError, read_log
    from dynoai_desktop.capture.scans import scan_log, scan_recording

    try:
        if is_recording(path):
            return scan_recording(path)
        return scan_log(read_log(path), path.stem)
    except (CaptureError, ReaderError) as error:
        raise UsageError(str(error)) from error


def scan_live(interface: str, seconds: float) -> tuple[Scan, float]:
    """Listen for *seconds*; return what was heard and the processor time per window in ms.

    Raises UsageError when the bus cannot be joined.
    """
    source, pipeline = jetdrive_source(interface), Pipeline(Node(random.Random()))
    windows = 0
    try:
        source.open()
        until, used_s = time.monotonic() + seconds, time.process_time()
        while time.monotonic() < until:
            windows += len(pipeline.feed(source.receive(0.02), source.now_us()))
            for frame in pipeline.outbox():
                source.send(frame)
        used_s = time.process_time() - used_s
        return pipeline.scan(source.now_us(), seconds), 1000 * used_s / max(1, windows)
    except CaptureError as error:
        raise UsageError(str(error)) from error
    finally:
        source.close()
