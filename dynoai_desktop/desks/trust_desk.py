"""Preflight and mapping between the window and whichever worker is capturing.

A preflight watches the bus for fifteen seconds, takes the raw signals from the capture thread and
judges them on a pool thread; its evidence then sharpens the mapping in force. What the user
decides is kept for the vehicle and found again by the names and units of the channels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, QTimer, Signal

from dynoai_desktop.capture.machine_facts import measure_machine
from dynoai_desktop.capture.worker import CaptureWorker
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import WINDOWS_PER_S, ChannelInfo
from dynoai_desktop.core.store.json_store import StoreError, write_document
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.trust.channel_map import ChannelMap, Choice, Evidence
from dynoai_desktop.core.trust.mapping_file import (
    EXPORT_TYPE,
    MappingFileError,
    document_of,
    fitting,
    hints,
    load_mappings,
    parse_mapping,
    save_mapping,
    to_json,
)
from dynoai_desktop.core.trust.pair_file import load_pair, save_pair
from dynoai_desktop.core.trust.preflight import (
    SAMPLING_S,
    MachineFacts,
    PairBaseline,
    with_overrides,
)
from dynoai_desktop.core.trust.templates import TEMPLATES
from dynoai_desktop.core.trust.trial import MappingPlan, Scan, Trial, judge
from dynoai_desktop.ui.messages import MappingState, PreflightState, Severity, TemplateRow

if TYPE_CHECKING:
    from dynoai_desktop.ui.main_window import MainWindow

_TICK_MS = 250
_TEMPLATE_ROWS = tuple(
    TemplateRow(key, template.name, template.description) for key, template in TEMPLATES.items()
)


class _Judgement(QRunnable):
    """Judges a scan on a pool thread; the answer is a signal of the desk."""

    def __init__(
        self, desk: TrustDesk, scan: Scan, machine: MachineFacts, pair: PairBaseline | None
    ) -> None:
        super().__init__()
        self._desk, self._scan, self._machine, self._pair = desk, scan, machine, pair

    def run(self) -> None:
        self._desk.judged.emit(judge(self._scan, self._machine, pair=self._pair))


class TrustDesk(QObject):
    """Lives on the GUI thread, beside the station."""

    judged = Signal(object)  # Trial

    def __init__(self, window: MainWindow, data_dir: Path, vehicle: Path) -> None:
        """Connect the window's wishes. *vehicle* is the folder of the vehicle's own files."""
        super().__init__()
        self._window, self._data_dir, self._vehicle = window, data_dir, vehicle
        self._mappings = vehicle / "mappings"
        self._pair_offset: float | None = None
        self._worker: CaptureWorker | None = None
        self._map = ChannelMap()
        self._choices: dict[Channel, Choice] = {}
        self._saved = True
        self._evidence: tuple[Evidence, ...] = ()
        self._pinned: tuple[str, ...] = ()
        self._adopted = ""  # signature of the channels for which saved choices were looked up
        self._state = PreflightState()
        self._overrides: dict[str, str] = {}
        self._started_s = self._used_s = 0.0
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._pool = QThreadPool(self)
        self.judged.connect(self._take_trial)
        window.preflight_requested.connect(self.start_preflight)
        window.preflight_cancelled.connect(self.cancel_preflight)
        window.override_requested.connect(self._override)
        window.mapping_chosen.connect(self._choose)
        window.mapping_save_requested.connect(self._save)
        window.mapping_export_requested.connect(self._export)
        window.mapping_import_requested.connect(self._import)
        window.mapping_template_requested.connect(self._use_template)
        window.providers_pinned.connect(self._pin)
        self._show()

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return what session.json keeps of the last preflight."""
        report = self._state.report
        return {} if report is None else {"preflight": report.to_json()}

    def attach(self, worker: CaptureWorker | None) -> None:
        """Work with *worker* from now on; another source begins with its own mapping."""
        self.cancel_preflight()
        self._worker = worker
        self._choices, self._adopted, self._map = {}, "", ChannelMap()
        self._saved, self._evidence, self._pair_offset = True, (), None
        self._overrides = {}
        self._state = PreflightState()
        if worker is not None:
            worker.mapping_changed.connect(self._take_map)
            worker.scan_ready.connect(self._take_scan)
            if self._pinned:
                worker.change_plan(self._with_pins())
        self._show()

    def set_vehicle(self, folder: Path, _record: VehicleRecord) -> None:
        """Go by the mappings of the vehicle that *folder* belongs to."""
        if folder == self._vehicle:
            return
        self._vehicle, self._mappings = folder, folder / "mappings"
        self.cancel_preflight()
        self._choices, self._adopted, self._saved = {}, "", True
        self._evidence, self._pair_offset = (), None
        self._overrides, self._state = {}, PreflightState()
        self._send_choices()
        self._take_map(self._map)

    def close(self) -> None:
        """Stop what runs."""
        self.cancel_preflight()
        self._pool.waitForDone()

    # Preflight

    def start_preflight(self) -> None:
        """Watch the bus for fifteen seconds, then judge."""
        if self._worker is None:
            self._window.show_notice(
                "There is nothing to check yet. Choose the interface of the dyno on Connect.",
                Severity.ATTENTION,
            )
            return
        self._overrides = {}
        self._started_s, self._used_s = time.monotonic(), time.process_time()
        self._state = PreflightState(running=True, duration_s=SAMPLING_S)
        self._timer.start()
        self._show()

    def cancel_preflight(self) -> None:
        """Stop watching; the last report stays."""
        self._timer.stop()
        if self._state.running:
            self._state = replace(self._state, running=False)
            self._show()

    def _tick(self) -> None:
        elapsed_s = time.monotonic() - self._started_s
        self._state = replace(self._state, elapsed_s=min(elapsed_s, SAMPLING_S))
        self._show()
        if elapsed_s >= SAMPLING_S and self._worker is not None:
            self._timer.stop()
            self._worker.request_scan(SAMPLING_S)

    def _take_scan(self, scan: Scan) -> None:
        if not self._state.running:
            return
        windows = (time.monotonic() - self._started_s) * WINDOWS_PER_S
        used_ms = 1000 * (time.process_time() - self._used_s) / windows
        machine = replace(measure_machine(self._data_dir), window_ms=used_ms)
        pair = load_pair(self._vehicle)
        self._pool.start(_Judgement(self, scan, machine, pair))

    def _take_trial(self, trial: Trial) -> None:
        if not self._state.running:
            return
        self._state = PreflightState(
            elapsed_s=SAMPLING_S, duration_s=SAMPLING_S, report=trial.report
        )
        self._evidence, self._pair_offset = trial.evidence, trial.pair_offset
        if self._worker is not None and not self._window.state.recording.active:
            self._worker.change_plan(lambda plan: replace(plan, evidence=trial.evidence))
        self._show()

    def _override(self, check_id: str, reason: str) -> None:
        report = self._state.report
        if report is None:
            return
        self._overrides[check_id] = reason
        self._state = replace(
            self._state,
            report=with_overrides(report, self._overrides),
            overrides=dict(self._overrides),
        )
        self._show()

    # Mapping

    def _take_map(self, channel_map: ChannelMap) -> None:
        self._map = channel_map
        if channel_map.signature and channel_map.signature != self._adopted:
            self._adopted = channel_map.signature
            self._adopt_saved()
        self._show()

    def _adopt_saved(self) -> None:
        """Use what was saved for these channels, if anything was."""
        documents, notes = load_mappings(self._mappings)
        for note in notes:
            self._window.show_notice(note, Severity.ATTENTION)
        channels = [c for c in self._announced() if not self._pinned or c.provider in self._pinned]
        exact = (d for d in documents if d.signature == self._map.signature)
        found = next(exact, None) or fitting(documents, channels)
        if found is not None:
            self._choices = dict(found.choices)
            self._send_choices()

    def _announced(self) -> list[ChannelInfo]:
        return [
            ChannelInfo(c.provider, c.id, c.name, c.unit)
            for c in self._window.live_model.health.channels
        ]

    def _choose(self, channel: Channel, choice: Choice | None) -> None:
        if choice is None:
            self._choices.pop(channel, None)
        else:
            self._choices[channel] = choice
        self._saved = False
        self._send_choices()
        self._show()

    def _send_choices(self) -> None:
        if self._worker is not None:
            choices = dict(self._choices)
            self._worker.change_plan(lambda plan: replace(plan, choices=choices))

    def _pin(self, providers: tuple[str, ...]) -> None:
        self._pinned = providers
        if self._worker is not None:
            self._worker.change_plan(self._with_pins())
        self._show()

    def _with_pins(self) -> Callable[[MappingPlan], MappingPlan]:
        pinned = frozenset(self._pinned) or None

        def change(plan: MappingPlan) -> MappingPlan:
            return replace(plan, pinned=pinned)

        return change

    def _save(self) -> None:
        try:
            # What was decided is kept; the rest stays automatic, so that evidence goes on counting.
            document = replace(document_of(self._map), choices=dict(self._choices))
            path = save_mapping(self._mappings, document, _now())
            if self._pair_offset is not None:
                save_pair(self._vehicle, self._pair_offset)
        except StoreError as error:
            self._window.show_notice(str(error), Severity.DANGER)
        else:
            self._saved = True
            self._show(f"Saved as {path.name}.")

    def _export(self, path: Path) -> None:
        document = to_json(document_of(self._map, name=path.stem), EXPORT_TYPE, _now())
        try:
            write_document(path, document)
        except StoreError as error:
            self._window.show_notice(str(error), Severity.DANGER)
        else:
            self._show(f"Exported to {path.name}.")

    def _import(self, path: Path) -> None:
        try:
            document = parse_mapping(path.read_bytes())
        except (OSError, MappingFileError) as error:
            self._window.show_notice(f"{path.name} is not used. {error}", Severity.ATTENTION)
            return
        found = hints(document, self._announced()) if document.template else document.choices
        self._choices = dict(found)
        self._saved = False
        self._send_choices()
        self._show(f"{path.name} is in use; save it to keep it for this vehicle.")

    def _use_template(self, key: str) -> None:
        template = TEMPLATES[key]
        self._choices = hints(template, self._announced())
        self._saved = False
        self._send_choices()
        self._show(f"{template.name}: {len(self._choices)} channels found by name.")

    def _show(self, message: str = "") -> None:
        self._window.set_preflight(self._state)
        self._window.set_mapping(
            MappingState(
                channel_map=self._map,
                choices=dict(self._choices),
                pinned=self._pinned,
                templates=_TEMPLATE_ROWS,
                saved=self._saved,
                message=message,
                evidence=self._evidence,
            )
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
