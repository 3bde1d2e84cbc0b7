"""What the tuner decides about the live analysis: targets, limits, alerts seen, on and off.

Decisions are kept here, on the GUI thread, and in the vehicle's folder; they are handed to the
engine on the capture thread, so that they hold for the next source as well. Two things are not
the tuner's to set here but the vehicle's: the fuel, and the redline unless a limit was set for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject

from dynoai_desktop.capture.worker import CaptureWorker
from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.live.engine import DEFAULT_TARGETS, LiveEngine
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.targets import TargetError, preset_targets, targets_from
from dynoai_desktop.core.live.tune_targets import tune_targets
from dynoai_desktop.core.live.vehicle_axes import live_axes
from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.store.vehicle_live import load_live, load_targets, save_live, save_targets
from dynoai_desktop.core.store.vehicles import NO_VEHICLE, VehicleRecord
from dynoai_desktop.core.tune.tables import TuneError
from dynoai_desktop.core.units import STOICH_AFR
from dynoai_desktop.ui.messages import Severity, TargetsState

if TYPE_CHECKING:
    from dynoai_desktop.ui.main_window import MainWindow

_Kept = TypeVar("_Kept")


class LiveDesk(QObject):
    """Lives on the GUI thread, beside the station; makes the engines of its sources."""

    def __init__(self, window: MainWindow) -> None:
        """Connect the window's wishes; nothing is kept until there is a vehicle."""
        super().__init__()
        self._window = window
        self._folder: Path | None = None
        self._vehicle = NO_VEHICLE
        self._chosen = LiveSettings()  # as the tuner set them
        self._settings = self._in_force()
        self._targets: CellGrid | None = None
        self._enabled = True
        self._engine = LiveEngine()
        self._worker: CaptureWorker | None = None
        window.targets_changed.connect(self._set_targets)
        window.targets_import_requested.connect(self._import_targets)
        window.limits_changed.connect(self._set_limits)
        window.alert_acknowledged.connect(self._acknowledge)
        window.analysis_enabled.connect(self._enable)
        window.settings_changed.connect(lambda _preferences: self._follow_fuel())
        window.set_live_settings(self._settings)

    def new_engine(self) -> LiveEngine:
        """Return an engine for the next source, with everything decided so far."""
        self._engine = LiveEngine(*live_axes(self._vehicle), self._settings)
        if self._targets is not None:
            self._engine.set_targets(self._targets)
        self._engine.set_enabled(self._enabled)
        return self._engine

    def attach(self, worker: CaptureWorker | None) -> None:
        """Say on whose thread the newest engine is used from now on."""
        self._worker = worker

    def set_vehicle(self, folder: Path, record: VehicleRecord) -> None:
        """Go by another vehicle's targets and limits; its cells, pulls and alerts begin anew."""
        another = folder != self._folder
        self._folder, before, self._vehicle = folder, self._vehicle, record
        notes: list[str] = []
        if another:
            self._chosen = self._loaded(load_live, folder, notes) or LiveSettings()
        rpm, load = live_axes(record)
        if another or (rpm, load) != live_axes(before):
            self._targets = self._fitting(self._loaded(load_targets, folder, notes), notes)
            self._begin_map()
        if another or self._in_force() != self._settings:
            self._use(self._in_force())
        if notes:
            self._window.show_notice(" ".join(notes), Severity.ATTENTION)

    def _loaded(
        self,
        load: Callable[[Path], tuple[_Kept, tuple[str, ...]]],
        folder: Path,
        notes: list[str],
    ) -> _Kept | None:
        """Return what *load* finds; what has to be said about it is added to *notes*."""
        try:
            found, said = load(folder)
        except StoreError as error:
            notes.append(str(error))
            return None
        notes.extend(said)
        return found

    def _fitting(self, targets: CellGrid | None, notes: list[str]) -> CellGrid | None:
        """Return kept targets read off on the axes of the map."""
        if targets is None:
            return None
        try:
            return targets_from(targets, *live_axes(self._vehicle))
        except TargetError as error:
            notes.append(f"The targets kept for {self._vehicle.name} are not used. {error}")
            return None

    def _begin_map(self) -> None:
        """Start the map anew on the vehicle's axes, with its targets."""
        axes, targets = live_axes(self._vehicle), self._targets

        def begin(engine: LiveEngine) -> None:
            engine.set_axes(*axes)
            if targets is not None:
                engine.set_targets(targets)

        self._on_capture(begin)
        shown = targets if targets is not None else preset_targets(DEFAULT_TARGETS, *axes)
        self._window.set_targets(TargetsState(shown, vehicle=self._vehicle.slug))

    def _in_force(self) -> LiveSettings:
        """Return the tuner's settings with what the vehicle states."""
        alerts, fuel = self._chosen.alerts, self._window.fuel
        if alerts.redline_rpm is None:
            alerts = replace(alerts, redline_rpm=self._vehicle.redline_rpm)
        return replace(self._chosen, alerts=alerts, fuel=fuel, stoich=STOICH_AFR[fuel])

    def _use(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._on_capture(lambda engine: engine.set_settings(settings))
        self._window.set_live_settings(settings)

    def _on_capture(self, change: Callable[[LiveEngine], None]) -> None:
        """Change the engine between two windows, or at once while nothing is captured."""
        engine = self._engine
        if self._worker is None:
            change(engine)
        else:
            self._worker.post(lambda: change(engine))

    def _set_targets(self, targets: CellGrid) -> None:
        self._targets = targets
        self._on_capture(lambda engine: engine.set_targets(targets))
        self._keep(lambda folder: save_targets(folder, targets))

    def _import_targets(self, path: Path) -> None:
        axes = self._engine.targets
        stoich = self._window.display.stoich
        try:
            grid, name = tune_targets(path.read_bytes(), axes.rpm, axes.load, stoich)
        except (OSError, TargetError, TuneError) as error:
            self._window.show_notice(f"{path.name} is not used. {error}", Severity.ATTENTION)
            return
        self._set_targets(grid)
        words = f"Targets from {name} of {path.name}."
        self._window.set_targets(TargetsState(grid, words, self._vehicle.slug))

    def _set_limits(self, settings: LiveSettings) -> None:
        alerts = settings.alerts
        if alerts.redline_rpm == self._vehicle.redline_rpm:  # the vehicle's own, not a choice
            settings = replace(settings, alerts=replace(alerts, redline_rpm=None))
        self._chosen = settings
        self._use(self._in_force())
        self._keep(lambda folder: save_live(folder, settings))

    def _keep(self, save: Callable[[Path], None]) -> None:
        """Write into the vehicle's folder; while no vehicle is chosen, too."""
        if self._folder is None:
            return
        try:
            save(self._folder)
        except StoreError as error:
            self._window.show_notice(str(error), Severity.DANGER)

    def _follow_fuel(self) -> None:
        """Go by another fuel; any other preference leaves the map as it is."""
        settings = self._in_force()
        if settings != self._settings:
            self._use(settings)

    def _acknowledge(self, number: int | None) -> None:
        self._on_capture(lambda engine: engine.acknowledge(number))

    def _enable(self, enabled: bool) -> None:
        self._enabled = enabled
        self._on_capture(lambda engine: engine.set_enabled(enabled))
