"""Whether a recording comes from a simulated dyno, before any of it is shown."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from dynoai_desktop.capture.pcap import PcapReader
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.sources.replay import recording_file
from dynoai_desktop.core.store.sessions import summarise

_FIRST = 2000  # datagrams; a recording begins with what the providers say about themselves


def is_simulated(recording: Path) -> bool:
    """Return what the session's document says, or else the providers at the beginning.

    *recording* is a session folder or a pcap. Raises CaptureError when it cannot be read.
    """
    folder = recording if recording.is_dir() else recording.parent
    if (folder / "session.json").is_file() and summarise(folder).simulated:
        return True
    with PcapReader(recording_file(recording)) as reader:
        first = list(islice(reader, _FIRST))
    if not first:
        return False
    pipeline = Pipeline()
    pipeline.feed(first, first[-1].arrival_us)
    return any(provider.simulated for provider in pipeline.health(first[-1].arrival_us).providers)
