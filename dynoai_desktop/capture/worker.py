"""The capture thread: the only owner of the source, the pipeline, the recorder and the engine.

Everything here happens on one thread, so there are no locks. Other threads ask for something by
`post`ing a function, which runs between two datagrams; answers are signals. Live analysis is a
guest: when it fails it is switched off with a message, and capture goes on.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import QObject, QThread, Signal

from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.recorder import Recorder
from dynoai_desktop.capture.sources.contract import CaptureError, Source
from dynoai_desktop.capture.sources.replay import ReplaySource
from dynoai_desktop.core.aggregate import GRACE_US
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.samples import WINDOW_US, Aggregate
from dynoai_desktop.core.trust.channel_map import ChannelMap
from dynoai_desktop.core.trust.trial import MappingPlan

log = logging.getLogger(__name__)

_POLL_S = 0.02
_HEALTH_S = 0.25
_SNAPSHOT_S = 0.045  # a little under 50 ms, so that life's pace is never thinned out


class Observer(Protocol):
    """Live analysis as the worker sees it."""

    def observe(self, aggregate: Aggregate) -> None:
        """Take in one window."""

    def snapshot(self) -> Snapshot:
        """Return what is true now."""

    def reset(self) -> None:
        """Forget everything."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a replay stands."""

    elapsed_s: float
    finished: bool


class CaptureWorker(QThread):
    """Reads one source until told to stop. Failures of the source end it with `failed`."""

    aggregate_ready = Signal(object)  # Aggregate, one per 50 ms window
    snapshot_ready = Signal(object)  # Snapshot, at most 20 a second
    health_ready = Signal(object)  # BusHealth, four a second
    recording_changed = Signal(object)  # RecordingProgress, or None when not recording
    recording_failed = Signal(str)
    position_changed = Signal(object)  # Position of a replay
    scan_ready = Signal(object)  # Scan, the answer to request_scan
    mapping_changed = Signal(object)  # ChannelMap in force
    analysis_failed = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        open_source: Callable[[], Source],
        pipeline: Pipeline,
        observer: Observer | None = None,
        parent: QObject | None = None,
        observed: Callable[[float], Mapping[str, Any]] | None = None,
    ) -> None:
        """Prepare; the source is made and opened on the thread itself.

        *observed* returns what a session keeps of the live analysis since a Unix time in seconds.
        """
        super().__init__(parent)
        self._observed = observed
        self._open_source = open_source
        self._pipeline = pipeline
        self._observer = observer
        self._observing = observer is not None
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._source: Source | None = None
        self._recorder: Recorder | None = None
        self._next_health = self._next_snapshot = 0.0
        self._snapshot_due = False
        self._drained = False
        self._shown_map: ChannelMap | None = None

    def run(self) -> None:
        """Capture until interrupted; called by `start`."""
        try:
            source = self._open_source()
            source.open()
        except CaptureError as error:
            self.failed.emit(str(error))
            return
        self._source = source
        try:
            while not self.isInterruptionRequested():
                self._run_commands()
                self._step(source)
        except CaptureError as error:
            self.failed.emit(str(error))
        finally:
            self._stop_recording()
            source.close()
            self._source = None

    def stop(self, timeout_ms: int = 5000) -> bool:
        """Ask the thread to end and wait for it; True when it has ended."""
        self.requestInterruption()
        return self.wait(timeout_ms)

    def post(self, command: Callable[[], None]) -> None:
        """Run *command* on the capture thread before the next datagram. Any thread may call."""
        self._commands.put(command)

    def _run_commands(self) -> None:
        while not self._commands.empty():
            self._commands.get()()

    def _step(self, source: Source) -> None:
        batch = source.receive(_POLL_S)
        now_us = source.now_us()
        if self._recorder is not None:
            self._recorder.write(batch)
        aggregates = self._pipeline.feed(batch, now_us)
        if source.finished and not batch and not self._drained:
            # The last windows have no later datagram to close them.
            self._pipeline.end()
            aggregates += self._pipeline.feed((), now_us + WINDOW_US + GRACE_US)
            self._drained = True
        for frame in self._pipeline.outbox():
            source.send(frame)
        for aggregate in aggregates:
            self._deliver(aggregate)
        self._report(source, now_us)

    def _deliver(self, aggregate: Aggregate) -> None:
        if self._recorder is not None:
            self._recorder.write_row(aggregate)
        self.aggregate_ready.emit(aggregate)
        if self._observing:
            self._guard(lambda observer: observer.observe(aggregate))
            self._snapshot_due = True

    def _guard(self, use: Callable[[Observer], None]) -> None:
        assert self._observer is not None
        try:
            use(self._observer)
        except Exception as error:
            self._observing = False
            log.exception("Live analysis failed")
            self.analysis_failed.emit(
                f"Live analysis stopped: {error}. Capture and recording go on; reset the map to "
                "start it again."
            )

    def _report(self, source: Source, now_us: int) -> None:
        now = time.monotonic()
        if self._snapshot_due and now >= self._next_snapshot and self._observing:
            self._next_snapshot = now + _SNAPSHOT_S
            self._snapshot_due = False
            self._guard(lambda observer: self.snapshot_ready.emit(observer.snapshot()))
        if now < self._next_health:
            return
        self._next_health = now + _HEALTH_S
        self.health_ready.emit(self._pipeline.health(now_us))
        if self._pipeline.channel_map is not self._shown_map:
            self._shown_map = self._pipeline.channel_map
            self.mapping_changed.emit(self._shown_map)
        if isinstance(source, ReplaySource):
            self.position_changed.emit(Position(source.elapsed_s, source.finished))
        if self._recorder is not None:
            self._recorder.update_document(now_us, self._pipeline.facts)
            progress = self._recorder.progress()
            self.recording_changed.emit(progress)
            if progress.error:
                self._stop_recording()

    # Commands. Each may be called from any thread and acts on the capture thread.

    def start_recording(self, make_recorder: Callable[[Pipeline, int], Recorder]) -> None:
        """Begin a session; *make_recorder* gets the pipeline and the source's time."""

        def begin() -> None:
            if self._recorder is not None or self._source is None:
                return
            try:
                self._recorder = make_recorder(self._pipeline, self._source.now_us())
            except CaptureError as error:
                self.recording_failed.emit(str(error))
                return
            self._pipeline.begin_recording()
            self.recording_changed.emit(self._recorder.progress())

        self.post(begin)

    def stop_recording(self) -> None:
        """End the session and say so with `recording_changed(None)`."""
        self.post(self._stop_recording)

    def _stop_recording(self) -> None:
        if self._recorder is None:
            return
        recorder, self._recorder = self._recorder, None
        facts = dict(self._pipeline.facts())
        if self._observed is not None and self._observing:
            since_s, observed = recorder.progress().started_us / 1e6, self._observed
            self._guard(lambda _: facts.update(observed(since_s)))
        progress = recorder.close(facts)
        self._pipeline.end_recording()
        self.recording_changed.emit(progress)
        self.recording_changed.emit(None)
        if progress.error:
            self.recording_failed.emit(progress.error)

    def reset_analysis(self) -> None:
        """Empty the map and start live analysis again if it had failed."""

        def reset() -> None:
            if self._observer is not None:
                self._observer.reset()
                self._observing = True
                self._snapshot_due = True

        self.post(reset)

    def request_scan(self, seconds: float) -> None:
        """Ask for the raw signals of the last *seconds*; answered by `scan_ready`."""

        def scan() -> None:
            if self._source is not None:
                self.scan_ready.emit(self._pipeline.scan(self._source.now_us(), seconds))

        self.post(scan)

    def change_plan(self, change: Callable[[MappingPlan], MappingPlan]) -> None:
        """Decide anew how channels are mapped; *change* gets the plan in force."""
        self.post(lambda: self._pipeline.set_plan(change(self._pipeline.plan)))

    def set_replay_speed(self, speed: float) -> None:
        """Change a replay's pace; 0 is as fast as possible."""
        self._on_replay(lambda source: source.set_speed(speed))

    def set_replay_paused(self, paused: bool) -> None:
        """Hold a replay or let it go on."""
        self._on_replay(lambda source: source.set_paused(paused))

    def seek_replay(self, elapsed_s: float) -> None:
        """Go to a place in a replay; everything shown is what had been measured up to it."""

        def seek(source: ReplaySource) -> None:
            if source.seek(elapsed_s):
                self._pipeline.reset()
                if self._observer is not None:
                    self._observer.reset()
            self._drained = False

        self._on_replay(seek)

    def _on_replay(self, use: Callable[[ReplaySource], object]) -> None:
        def act() -> None:
            if isinstance(self._source, ReplaySource):
                use(self._source)

        self.post(act)
