"""The session on disk: every datagram, the 20 Hz table, and what they mean.

The capture thread only encodes and hands over; a writer thread owns the files, so a slow disk
never delays the socket. The writer passes bytes to the system at least every quarter second and
asks for them to be on the platter every second: a killed program loses nothing that was handed
over, a power cut at most the last second. Analysis and screen are not involved.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynoai_desktop.capture.pcap import PacketEncoder, file_header
from dynoai_desktop.capture.sources.contract import CaptureError, Datagram
from dynoai_desktop.core.channels import CARRIED, CHANNELS
from dynoai_desktop.core.samples import Aggregate
from dynoai_desktop.core.store.json_store import write_document
from dynoai_desktop.core.store.vehicles import vehicle_slug

SCHEMA_VERSION = 1
_FLUSH_S = 0.25
_SYNC_S = 1.0
_DOCUMENT_S = 10.0  # how often the counters in session.json are brought up to date

_RAW, _TABLE = "raw.pcap", "live.csv"
_FILES = (_RAW, _TABLE)
_Work = tuple[str, bytes] | dict[str, Any] | None

COLUMNS = ("time_s", *(f"{c.value} [{CHANNELS[c].unit.value}]" for c in CARRIED))


def new_session_folder(sessions: Path, vehicle: str, started: datetime) -> Path:
    """Create and return a folder of its own for a session.

    Raises CaptureError when the disk does not allow it.
    """
    stem = f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}_{vehicle_slug(vehicle)}"
    for attempt in range(1, 1000):
        folder = sessions / (stem if attempt == 1 else f"{stem}-{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise CaptureError(
                f"Cannot create {folder}: {error.strerror}. Choose another data folder."
            ) from error
        return folder
    raise CaptureError(f"{sessions} already holds a thousand sessions of this second.")


@dataclass(frozen=True, slots=True)
class RecordingProgress:
    """How a recording is doing."""

    folder: Path
    started_us: int  # Unix time
    elapsed_s: float = 0.0
    datagrams: int = 0
    bytes_written: int = 0
    error: str = ""


class _Writer(threading.Thread):
    """Owns the files. Work is (file name, bytes), a new session.json, or None, which ends it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(name="session-writer", daemon=True)
        self.queue: queue.SimpleQueue[_Work] = queue.SimpleQueue()
        self.error = ""
        self.bytes_written = 0
        self._folder = folder
        self._files = {name: (folder / name).open("xb", buffering=0) for name in _FILES}

    def run(self) -> None:
        """Write until told to end, or until the disk refuses."""
        synced = time.monotonic()
        running = True
        try:
            while running:
                running = self._write_some()
                if time.monotonic() - synced >= _SYNC_S or not running:
                    for file in self._files.values():
                        os.fsync(file.fileno())
                    self._check_folder()
                    synced = time.monotonic()
        except OSError as error:
            self.error = (
                f"Recording stopped: {error.strerror or error}. What was written before is kept "
                f"in {self._folder}. Check the disk and its free space, then record again."
            )
        finally:
            for file in self._files.values():
                with contextlib.suppress(OSError):  # the disk may be gone; nothing more to save
                    file.close()

    def _write_some(self) -> bool:
        deadline = time.monotonic() + _FLUSH_S
        waiting: dict[str, list[bytes]] = {name: [] for name in _FILES}
        running = True
        while running and (remaining := deadline - time.monotonic()) > 0:
            try:
                work = self.queue.get(timeout=remaining)
            except queue.Empty:
                break
            if work is None:
                running = False
            elif isinstance(work, tuple):
                waiting[work[0]].append(work[1])
            else:
                write_document(self._folder / "session.json", work)
        for name, parts in waiting.items():
            self._write_all(name, b"".join(parts))
        return running

    def _write_all(self, name: str, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = self._files[name].write(view)
            self.bytes_written += written
            view = view[written:]

    def _check_folder(self) -> None:
        # A pulled stick or a deleted folder lets writes to open files succeed into nowhere.
        if not (self._folder / _RAW).exists():
            raise OSError(0, "the session folder has vanished")


class Recorder:
    """Records one session. Used by the capture thread alone; `error` says when the disk failed."""

    def __init__(
        self,
        folder: Path,
        document: Mapping[str, Any],
        preamble: Sequence[Datagram],
        group: str,
        port: int,
        started_us: int,
    ) -> None:
        """Start recording into the existing, empty *folder*.

        *document* is what session.json says besides its own fields; *preamble* are the
        announcements heard before, so that the file explains itself. Raises CaptureError when the
        files cannot be made.
        """
        self.folder = folder
        self._document = dict(document)
        self._started_us = started_us
        self._last_us = self._now_us = started_us
        self._datagrams = 0
        self._encoder = PacketEncoder(group, port)
        self._document_due_us = started_us + int(_DOCUMENT_S * 1e6)
        try:
            write_document(folder / "session.json", self._state(ended=False))
            self._writer = _Writer(folder)
        except OSError as error:
            raise CaptureError(
                f"Cannot record into {folder}: {error.strerror or error}. Free some space or "
                "choose another data folder."
            ) from error
        self._writer.start()
        self._put(_RAW, file_header())
        self._put(_TABLE, (",".join(COLUMNS) + "\n").encode())
        self._put(_RAW, b"".join(map(self._encoder.encode, preamble)))

    def _put(self, name: str, data: bytes) -> None:
        if data and not self._writer.error:
            self._writer.queue.put((name, data))

    def write(self, datagrams: Sequence[Datagram]) -> None:
        """Keep every datagram, whatever is in it."""
        if datagrams:
            self._datagrams += len(datagrams)
            self._last_us = datagrams[-1].arrival_us
            self._put(_RAW, b"".join(map(self._encoder.encode, datagrams)))

    def write_row(self, aggregate: Aggregate) -> None:
        """Add one line to the 20 Hz table; a channel that was not heard is an empty cell."""
        means = aggregate.means
        cells = (f"{means[c]:.7g}" if c in means else "" for c in CARRIED)
        time_s = aggregate.start_s - self._started_us / 1e6
        self._put(_TABLE, f"{time_s:.3f},{','.join(cells)}\n".encode())

    def update_document(self, now_us: int, fields: Callable[[], Mapping[str, Any]]) -> None:
        """Bring session.json up to date when it is time to."""
        self._now_us = now_us
        if now_us >= self._document_due_us and not self._writer.error:
            self._document_due_us = now_us + int(_DOCUMENT_S * 1e6)
            self._document.update(fields())
            self._writer.queue.put(self._state(ended=False))

    @property
    def error(self) -> str:
        """Return why recording stopped by itself, or nothing."""
        return self._writer.error

    def progress(self) -> RecordingProgress:
        """Return how the recording is doing."""
        return RecordingProgress(
            self.folder,
            self._started_us,
            (self._now_us - self._started_us) / 1e6,
            self._datagrams,
            self._writer.bytes_written,
            self._writer.error,
        )

    def close(self, fields: Mapping[str, Any] | None = None) -> RecordingProgress:
        """Write out everything, finish session.json and return the final figures."""
        self._document.update(fields or {})
        self._writer.queue.put(self._state(ended=True))
        self._writer.queue.put(None)
        self._writer.join()
        return self.progress()

    def _state(self, ended: bool) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            **self._document,
            "started_utc": _iso(self._started_us),
            "ended_utc": _iso(self._last_us) if ended else None,
            "duration_s": round((self._last_us - self._started_us) / 1e6, 3),
            "datagrams": self._datagrams,
        }


def _iso(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="milliseconds")
