"""What the tuner decides about the live analysis: targets, limits, alerts seen, on and off.

Decisions are kept here, on the GUI thread, and handed to the engine on the capture thread, so that
they hold for the next source as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from dynoai_desktop.capture.worker import CaptureWorker
from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.targets import TargetError
from dynoai_desktop.core.live.tune_targets import tune_targets
from dynoai_desktop.core.tune.tables import TuneError
from dynoai_desktop.ui.messages import Severity, TargetsState
from dynoai_desktop.ui.preferences import Preferences

if TYPE_CHECKING:
    from dynoai_desktop.ui.main_window import MainWindow


class LiveDesk(QObject):
    """Lives on the GUI thread, beside the station; makes the engines of its sources."""

    def __init__(self, window: MainWindow) -> None:
        """Connect the window's wishes."""
        super().__init__()
        self._window = window
        self._settings = _of_the_fuel(LiveSettings(), window.preferences)
        self._targets: CellGrid | None = None
        self._enabled = True
        self._engine = LiveEngine()
        self._worker: CaptureWorker | None = None
        window.targets_changed.connect(self._set_targets)
        window.targets_import_requested.connect(self._import_targets)
        window.limits_changed.connect(self._set_limits)
        window.alert_acknowledged.connect(self._acknowledge)
        window.analysis_enabled.connect(self._enable)
        window.settings_changed.connect(self._take_preferences)
        window.set_live_settings(self._settings)

    def new_engine(self) -> LiveEngine:
        """Return an engine for the next source, with everything decided so far."""
        self._engine = LiveEngine(settings=self._settings)
        if self._targets is not None:
            self._engine.set_targets(self._targets)
        self._engine.set_enabled(self._enabled)
        return self._engine

    def attach(self, worker: CaptureWorker | None) -> None:
        """Say on whose thread the newest engine is used from now on."""
        self._worker = worker

    def _on_capture(self, change: Callable[[LiveEngine], object]) -> None:
        """Change the engine between two windows, or at once while nothing is captured."""
        engine = self._engine
        if self._worker is None:
            change(engine)
        else:
            self._worker.post(lambda: change(engine))

    def _set_targets(self, targets: CellGrid) -> None:
        self._targets = targets
        self._on_capture(lambda engine: engine.set_targets(targets))

    def _import_targets(self, path: Path) -> None:
        axes = self._engine.targets
        stoich = self._window.preferences.display.stoich
        try:
            grid, name = tune_targets(path.read_bytes(), axes.rpm, axes.load, stoich)
        except (OSError, TargetError, TuneError) as error:
            self._window.show_notice(f"{path.name} is not used. {error}", Severity.ATTENTION)
            return
        self._set_targets(grid)
        self._window.set_targets(TargetsState(grid, f"Targets from {name} of {path.name}."))

    def _set_limits(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._on_capture(lambda engine: engine.set_settings(settings))
        self._window.set_live_settings(settings)

    def _take_preferences(self, preferences: Preferences) -> None:
        """Go by another fuel; any other preference leaves the map as it is."""
        settings = _of_the_fuel(self._settings, preferences)
        if settings != self._settings:
            self._set_limits(settings)

    def _acknowledge(self, number: int | None) -> None:
        self._on_capture(lambda engine: engine.acknowledge(number))

    def _enable(self, enabled: bool) -> None:
        self._enabled = enabled
        self._on_capture(lambda engine: engine.set_enabled(enabled))


def _of_the_fuel(settings: LiveSettings, preferences: Preferences) -> LiveSettings:
    return replace(settings, fuel=preferences.fuel, stoich=preferences.display.stoich)
