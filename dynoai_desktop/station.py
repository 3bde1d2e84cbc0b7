"""The measuring station: joins the window to a capture worker, and a session to the disk.

Lives on the GUI thread. It holds what outlives a page: which source is read, whether a session is
being recorded, and who has to be stopped at the end.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSettings, QThread, QUrl
from PySide6.QtGui import QDesktopServices

from dynoai_desktop.capture.begin_session import begin_session
from dynoai_desktop.capture.environment import default_group, jetdrive_source
from dynoai_desktop.capture.interfaces import LOOPBACK as LOOPBACK
from dynoai_desktop.capture.interfaces import list_interfaces
from dynoai_desktop.capture.node import Node
from dynoai_desktop.capture.origin import is_simulated
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.recorder import Recorder, RecordingProgress
from dynoai_desktop.capture.session_folder import recorded_as
from dynoai_desktop.capture.sources.contract import CaptureError, Source
from dynoai_desktop.capture.sources.replay import ReplaySource, recording_span
from dynoai_desktop.capture.worker import CaptureWorker, Position
from dynoai_desktop.core.live.record import live_record
from dynoai_desktop.core.store.sessions import list_sessions
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.core.units import STOICH_AFR
from dynoai_desktop.desks.analysis_desk import AnalysisDesk
from dynoai_desktop.desks.live_desk import LiveDesk
from dynoai_desktop.desks.planning_desk import PlanningDesk
from dynoai_desktop.desks.rehearsal_desk import RehearsalDesk
from dynoai_desktop.desks.trust_desk import TrustDesk
from dynoai_desktop.desks.tuning_desk import TuningDesk
from dynoai_desktop.desks.vehicle_desk import VehicleDesk
from dynoai_desktop.garbage import GuiGarbage
from dynoai_desktop.ui.messages import (
    InterfaceRow,
    RecordingState,
    SessionRow,
    Severity,
    SourceKind,
    SourceState,
)
from dynoai_desktop.ui.rehearsal import Running

if TYPE_CHECKING:
    from dynoai_desktop.ui.main_window import MainWindow

log = logging.getLogger(__name__)

_INTERFACE = "capture/interface"


class OfVehicle(Protocol):
    """A desk that keeps or reads something of the vehicle in force."""

    def set_vehicle(self, folder: Path, record: VehicleRecord, /) -> None:
        """Go by another vehicle, or by other facts about it; *folder* holds its files."""


def session_rows(folder: Path) -> list[SessionRow]:
    """Return the sessions in *folder* as the window lists them."""
    return [
        SessionRow(
            name=session.path.name,
            start_s=session.start_s,
            duration_s=session.duration_s,
            vehicle=session.vehicle,
            simulated=session.simulated,
            size_bytes=session.size_bytes,
            path=session.path,
            note=session.note,
        )
        for session in list_sessions(folder)
    ]


class Station(QObject):
    """Wires one window to one capture worker at a time."""

    def __init__(self, window: MainWindow, data_dir: Path, vehicle: str = "") -> None:
        """Connect the window's wishes; nothing is captured yet.

        *vehicle* is the name of the one to work on, "" for the one chosen last.
        """
        super().__init__()
        self._window = window
        self._data_dir = data_dir
        self._worker: CaptureWorker | None = None
        self._state = SourceState()
        self._recording: RecordingProgress | None = None
        self._garbage = GuiGarbage()
        self._clean_ups: list[Callable[[], object]] = [self._garbage.close]
        window.interface_chosen.connect(self._choose_interface)
        window.record_requested.connect(self.start_recording)
        window.stop_requested.connect(self.stop_recording)
        window.replay_requested.connect(self.replay)
        window.replay_speed_changed.connect(self._set_speed)
        window.replay_paused.connect(self._set_paused)
        window.replay_seeked.connect(self._seek)
        window.live_requested.connect(self.go_live)
        window.reset_map_requested.connect(self._reset_map)
        window.open_folder_requested.connect(self._open_folder)
        self._settings = QSettings(str(data_dir / "settings.ini"), QSettings.Format.IniFormat)
        self._interface = ""
        self._stoich = STOICH_AFR["gasoline"]  # by which the source at work takes AFR
        self._vehicles = VehicleDesk(window, data_dir, self._settings, vehicle)
        folder, record = self._vehicles.folder, self._vehicles.record
        self._desk = TrustDesk(window, data_dir, folder)
        self._clean_ups.append(self._desk.close)
        self._rehearsal = RehearsalDesk(window, self.listen, self._leave_simulator)
        self._clean_ups.append(self._rehearsal.close)
        self._tuning = TuningDesk(window)
        self._clean_ups.append(self._tuning.close)
        self._live = LiveDesk(window)
        self._analysis = AnalysisDesk(window, folder, record.name)
        self._clean_ups.append(self._analysis.close)
        self._planning = PlanningDesk(window)
        self._clean_ups.append(self._planning.close)
        self._analysis.analysed.connect(self._planning.take_analysis)
        self._analysis.tune_put_in_force.connect(self._planning.set_tune)
        # Whoever keeps or reads something of a vehicle is told of another one.
        self._vehicle_desks: tuple[OfVehicle, ...] = (
            self._desk,
            self._live,
            self._analysis,
            self._planning,
        )
        self._vehicles.changed.connect(self._use_vehicle)
        window.settings_changed.connect(lambda _preferences: self._follow_fuel())
        self._use_vehicle(folder, record)
        self.refresh_interfaces()
        self.refresh_sessions()

    @property
    def sessions_folder(self) -> Path:
        """Return where sessions are kept."""
        return self._data_dir / "sessions"

    @property
    def last_interface(self) -> str:
        """Return the interface chosen the last time, if it is still there."""
        chosen = self._settings.value(_INTERFACE)
        known = {interface.address for interface in list_interfaces()}
        return chosen if isinstance(chosen, str) and chosen in known else ""

    @property
    def worker(self) -> CaptureWorker | None:
        """Return the capture thread at work, for whoever measures it."""
        return self._worker

    @property
    def recording(self) -> RecordingProgress | None:
        """Return how the present recording is doing; None when nothing is recorded."""
        return self._recording

    # What the window asks for.

    def _choose_interface(self, interface: str) -> None:
        self._settings.setValue(_INTERFACE, interface)
        self.listen(interface)

    def listen(self, interface: str) -> None:
        """Listen to the dyno on the interface with this address."""
        self._stop_worker()
        self._interface = interface
        self._vehicles.set_guest(self._rehearsed(interface))
        self._show(SourceState(SourceKind.LIVE, interface))
        self._stoich = self._window.display.stoich
        self._start(
            lambda: jetdrive_source(interface), Pipeline(Node(random.Random()), self._stoich)
        )

    def _rehearsed(self, interface: str) -> VehicleRecord | None:
        """Return the vehicle our simulated dyno is, where it is the one listened to."""
        state = self._rehearsal.state
        if interface != LOOPBACK or state.running is Running.OFF:
            return None
        return self._vehicles.rehearsed(state.plan)

    def replay(self, path: Path) -> None:
        """Show a recording at life's pace."""
        try:
            first_us, last_us, _ = recording_span(path)
            simulated = is_simulated(path)
        except CaptureError as error:
            self._window.show_notice(str(error), Severity.DANGER)
            return
        self._stop_worker()
        self._vehicles.set_guest(self._vehicles.recorded(path, simulated))
        duration_s = (last_us - first_us) / 1e6
        self._show(
            SourceState(SourceKind.REPLAY, simulated=simulated, path=path, duration_s=duration_s)
        )
        recorded = recorded_as(path)
        stoich = recorded.stoich or self._window.display.stoich
        pipeline = Pipeline(stoich=stoich, host_id=recorded.host_id)
        pipeline.set_plan(recorded.plan)
        self._start(lambda: ReplaySource(path, speed=1.0, simulated=simulated), pipeline)

    def go_live(self) -> None:
        """Leave a replay."""
        if self._interface:
            self.listen(self._interface)
        else:
            self._leave_source()

    def start_recording(self) -> None:
        """Begin a session."""
        if self._worker is not None and self._state.kind is SourceKind.LIVE:
            self._worker.start_recording(partial(self._make_recorder, self._vehicles.record.name))

    def stop_recording(self) -> None:
        """End the session."""
        if self._worker is not None:
            self._worker.stop_recording()

    def start_simulator(self) -> None:
        """Start the simulated dyno in its own process and listen to it."""
        self._rehearsal.start()

    def _leave_simulator(self) -> None:
        """The simulated dyno has gone: nothing is to be heard on loopback any more."""
        if self._state.kind is SourceKind.LIVE and self._interface == LOOPBACK:
            self._interface = ""
            self._leave_source()

    def _leave_source(self) -> None:
        self._stop_worker()
        self._vehicles.set_guest(None)
        self._show(SourceState())

    def _use_vehicle(self, folder: Path, record: VehicleRecord) -> None:
        for desk in self._vehicle_desks:
            desk.set_vehicle(folder, record)
        self._follow_fuel()

    def _follow_fuel(self) -> None:
        """Listen anew when AFR is to be taken for another fuel's."""
        listening = self._worker is not None and self._state.kind is SourceKind.LIVE
        if listening and self._stoich != self._window.display.stoich and self._recording is None:
            self.listen(self._interface)

    def shut_down(self) -> None:
        """Stop everything that was started, last first."""
        self._stop_worker()
        while self._clean_ups:
            self._clean_ups.pop()()

    def refresh_interfaces(self) -> None:
        """List the network interfaces as they are now."""
        self._window.set_interfaces(
            [InterfaceRow(i.address, i.description, i.is_up) for i in list_interfaces()]
        )

    def refresh_sessions(self) -> None:
        """List the sessions on disk as they are now."""
        self._window.set_sessions(session_rows(self.sessions_folder))

    # One worker at a time.

    def _start(self, open_source: Callable[[], Source], pipeline: Pipeline) -> None:
        self._stop_worker()
        model = self._window.live_model
        model.clear()
        engine = self._live.new_engine()
        worker = CaptureWorker(open_source, pipeline, engine, observed=partial(live_record, engine))
        worker.snapshot_ready.connect(model.take_snapshot)
        worker.health_ready.connect(model.take_health)
        worker.health_ready.connect(self._note_simulated)
        worker.failed.connect(self._source_failed)
        worker.recording_changed.connect(self._recording_changed)
        worker.recording_failed.connect(self._recording_failed)
        worker.analysis_failed.connect(self._analysis_failed)
        worker.position_changed.connect(self._position_changed)
        self._worker = worker
        self._desk.attach(worker)
        self._live.attach(worker)
        worker.start(QThread.Priority.HighPriority)

    def _stop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        self._desk.attach(None)
        self._live.attach(None)
        if not worker.stop():
            log.error("The capture thread did not end within five seconds")
        # What it said last still counts, the end of a recording for one, and must not arrive
        # among the readings of the next source.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.MetaCall)
        worker.deleteLater()

    def _make_recorder(self, vehicle: str, pipeline: Pipeline, now_us: int) -> Recorder:
        """Runs on the capture thread."""
        bus = self._interface, *default_group()
        return begin_session(self.sessions_folder, vehicle, pipeline, bus, now_us, self._desk.facts)

    # What the worker reports.

    def _show(self, state: SourceState) -> None:
        self._state = state
        self._window.set_source_state(state)

    def _note_simulated(self, health: BusHealth) -> None:
        simulated = any(provider.simulated for provider in health.providers)
        if simulated and not self._state.simulated:
            self._show(replace(self._state, simulated=True))
        if simulated:
            self._vehicles.note_simulated()

    def _source_failed(self, message: str) -> None:
        self._window.live_model.take_failure(message)
        self._show(replace(self._state, kind=SourceKind.FAILED, message=message))

    def _position_changed(self, position: Position) -> None:
        if self._state.is_replay:
            self._show(
                replace(self._state, position_s=position.elapsed_s, finished=position.finished)
            )

    def _recording_changed(self, progress: RecordingProgress | None) -> None:
        ended = self._recording if progress is None else None
        self._recording = progress
        if progress is None:
            self._window.set_recording(RecordingState())
        else:
            self._window.set_recording(
                RecordingState(
                    active=not progress.error,
                    elapsed_s=progress.elapsed_s,
                    folder=progress.folder,
                    alarm=progress.error,
                )
            )
        if ended is not None:
            self.refresh_sessions()
            self._planning.take_recording(ended.folder)
            self._follow_fuel()

    def _recording_failed(self, message: str) -> None:
        self._window.show_notice(message, Severity.DANGER)

    def _analysis_failed(self, message: str) -> None:
        self._window.show_notice(message, Severity.ATTENTION)

    # Replay.

    def _set_speed(self, speed: float) -> None:
        if self._worker is not None and self._state.is_replay:
            self._worker.set_replay_speed(speed)
            self._show(replace(self._state, speed=speed))

    def _set_paused(self, paused: bool) -> None:
        if self._worker is not None and self._state.is_replay:
            self._worker.set_replay_paused(paused)
            self._show(replace(self._state, paused=paused))

    def _seek(self, position_s: float) -> None:
        if self._worker is not None and self._state.is_replay:
            self._worker.seek_replay(position_s)
            self._show(replace(self._state, position_s=position_s, finished=False))

    def _reset_map(self) -> None:
        if self._worker is not None:
            self._worker.reset_analysis()

    def _open_folder(self, path: Path) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
