"""The live engine: aggregates in, one frozen snapshot out.

Pure and deterministic: it knows no clock, so the same aggregates give the same snapshot live, in
replay at any speed and offline. It only composes: what is known now (moment), what the widebands
say about the fuel table (fuel_map), what must be told (alerts), what was driven (runs). What
depends on a missing channel is off and says why; the rest works.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis, CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.live.alert_rules import unwatched
from dynoai_desktop.core.live.alerts import Alert, AlertBoard
from dynoai_desktop.core.live.fuel_map import FuelMap
from dynoai_desktop.core.live.history import HistoryRing, Trail
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.moment import Moment, Reading
from dynoai_desktop.core.live.quality import Quality, planned_cells, quality
from dynoai_desktop.core.live.runs import Progress, RunTracker
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.live.targets import preset_targets, require_targets
from dynoai_desktop.core.live.watch import Watch
from dynoai_desktop.core.samples import WINDOWS_PER_S, Aggregate

Kind = TypeVar("Kind", bound=np.generic)

DEFAULT_TARGETS = "street"
MIXTURES = (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR, Channel.LAMBDA)


class LiveEngine:
    """Accumulates what the live page shows. Not thread-safe: one thread observes and asks."""

    def __init__(
        self,
        rpm: Axis | None = None,
        load: Axis | None = None,
        settings: LiveSettings | None = None,
    ) -> None:
        """Start empty on these axes; the defaults are 500 rpm × 10 kPa.

        Raises ValueError for an axis with fewer than two nodes.
        """
        self._settings = settings or LiveSettings()
        self._enabled = True
        self.set_axes(rpm or default_rpm_axis(), load or default_map_axis())

    def reset(self) -> None:
        """Forget everything seen, as if no aggregate had come. Targets and plan stay."""
        self._hits = np.zeros((len(self._rpm), len(self._load)))
        self._readings: dict[Channel, Reading] = {}
        self._history, self._trail = HistoryRing(), Trail()
        self._windows = 0
        self._index: int | None = None
        self._arrival_us = 0
        self._active: tuple[int, int] | None = None
        self._restart()

    def _restart(self) -> None:
        """Begin everything that goes by the settings anew."""
        settings = self._settings
        self._now = Moment(self._load.channel, settings.gates)
        self._map = FuelMap(self._rpm, self._load, settings, self._targets)
        now, fuel = self._now, self._map
        self._watch = Watch(
            now, settings, self._load.channel, fuel.sensors, lambda c: fuel.target(now, c)
        )
        self._board = AlertBoard()
        self._runs = RunTracker()
        self._unwatched: tuple[int, Mapping[str, str]] = (-1, {})

    def observe(self, aggregate: Aggregate) -> None:
        """Take in one window. Windows come in order; a jump in time breaks everything off."""
        self._follow_time(aggregate.index)
        self._arrival_us = aggregate.arrival_us
        self._windows += 1
        means, start_s = aggregate.means, aggregate.start_s
        self._readings.update(
            zip(
                means,
                map(Reading._make, zip(means.values(), repeat(start_s), strict=False)),
                strict=True,
            )
        )
        now = self._now
        now.advance(aggregate, self._readings)
        self._history.write(start_s, means)
        self._place(aggregate)
        credited = self._map.observe(now, self._enabled)
        if self._enabled:
            self._runs.observe(now, self._progress, credited)
        self._watch.observe(aggregate, self._runs.runs)
        self._board.evaluate(self._watch)

    def _follow_time(self, index: int) -> None:
        before, self._index = self._index, index
        if before is None or index == before + 1:
            return
        if index > before:
            self._history.skip(before + 1, index - before - 1)
        else:
            # The clock went back: what was heard then is of another time.
            self._readings.clear()
            self._history = HistoryRing()
        self._runs.end(self._now, self._progress())
        self._trail = Trail()
        for part in (self._now, self._map, self._runs, self._watch, self._board):
            part.jump()

    def _place(self, aggregate: Aggregate) -> None:
        means = aggregate.means
        rpm, load = means.get(Channel.RPM), means.get(self._load.channel)
        self._trail.add(aggregate.index, rpm, load)
        self._active = None
        if rpm is None or load is None or rpm <= 0:
            return
        row, column = self._rpm.locate(rpm), self._load.locate(load)
        if row is not None and column is not None:
            self._active = (row, column)
            if self._enabled:
                self._hits[row, column] += 1

    def _progress(self) -> Progress:
        gatekeeper = self._map.gatekeeper
        covered = self._map.covered(self._planned)
        return Progress(gatekeeper.accepted, gatekeeper.by_frequency(), covered)

    def snapshot(self) -> Snapshot:
        """Return what is true now; nothing in it changes afterwards."""
        newest = self._index if self._index is not None else -1
        now, fuel = self._now, self._map
        progress = self._progress()
        return Snapshot(
            time_s=(newest + 1) / WINDOWS_PER_S,
            windows=self._windows,
            readings=MappingProxyType(dict(self._readings)),
            history=self._history.read(),
            hits=CellGrid(self._rpm, self._load, _frozen(self._hits.copy())),
            active_cell=self._active,
            trail=self._trail.read(newest),
            off=MappingProxyType(self._off()),
            arrival_us=self._arrival_us,
            cylinders=fuel.cylinders(),
            mixtures=fuel.mixtures(now) if self._windows else MappingProxyType({}),
            targets=self._targets,
            commanded=fuel.credits.commanded,
            planned=self._planned,
            accepted=progress.accepted,
            rejected=progress.rejected,
            delay=fuel.delay,
            quality=self._quality(progress.covered),
            alerts=self._board.shown,
            run=self._runs.current(now, progress),
            runs=self._runs.runs,
            unwatched=self._not_watched(),
            enabled=self._enabled,
        )

    def _quality(self, covered: int) -> Quality:
        mixture = [age for c in MIXTURES if (age := self._now.age_s(c)) is not None]
        ages = [
            self._now.age_s(Channel.RPM),
            self._now.age_s(self._load.channel),
            min(mixture) if mixture else None,
        ]
        return quality(ages, covered, self._planned_count)

    def _not_watched(self) -> Mapping[str, str]:
        # What is heard only ever grows, so its size tells whether anything changed.
        if self._unwatched[0] != len(self._readings):
            found = unwatched(self._readings, self._settings)
            self._unwatched = (len(self._readings), MappingProxyType(found))
        return self._unwatched[1]

    def _off(self) -> dict[str, str]:
        """Return what a missing channel switches off, the map first."""
        out: dict[str, str] = {}
        if not self._windows:
            return out
        if not self._enabled:
            out["analysis"] = "Live analysis is switched off; recording goes on."
        places = (Channel.RPM, self._load.channel)
        missing = [CHANNELS[c].title.lower() for c in places if c not in self._readings]
        if missing:
            out["map"] = f"No {' and '.join(missing)} heard yet, so the map stays empty."
        if not any(c in self._readings for c in MIXTURES):
            missing.append("lambda")
            out["error"] = "No lambda heard yet, so no fuel error can be shown."
        elif missing:
            out["error"] = f"No {' and '.join(missing)} heard yet, so no cell can be judged."
        if Channel.RPM not in self._readings:
            out["runs"] = "No engine speed heard yet, so pulls cannot be found."
        return out

    # What the tuner may change.

    @property
    def settings(self) -> LiveSettings:
        """Return the settings in force."""
        return self._settings

    @property
    def targets(self) -> CellGrid:
        """Return the target lambda of every cell."""
        return self._targets

    @property
    def alert_log(self) -> tuple[Alert, ...]:
        """Return every alert raised, oldest first, for the session's record."""
        return self._board.log

    def set_settings(self, settings: LiveSettings) -> None:
        """Go by other settings. Cells, runs and alerts begin anew: they went by the old ones."""
        self._settings = settings
        self._restart()

    def set_axes(self, rpm: Axis, load: Axis) -> None:
        """Begin anew on other axes, as for another vehicle; targets and plan are the usual ones."""
        self._rpm, self._load = rpm, load
        self._take_targets(preset_targets(DEFAULT_TARGETS, rpm, load))
        self.set_planned(None)
        self.reset()

    def set_targets(self, targets: CellGrid) -> None:
        """Judge by other targets; cells filled without a commanded lambda are judged anew.

        Raises TargetError when they are implausible or on other axes.
        """
        require_targets(targets, self._rpm, self._load)
        self._take_targets(targets)
        self._map.credits.set_targets(self._targets)

    def _take_targets(self, targets: CellGrid) -> None:
        self._targets = CellGrid(self._rpm, self._load, _frozen(targets.values.copy()))

    def set_planned(self, planned: NDArray[np.bool_] | None) -> None:
        """Count coverage over these cells, shape [rpm][load]; None: the P1 cells of the axes.

        Raises ValueError for another shape.
        """
        if planned is None:
            planned = planned_cells(self._rpm, self._load)
        if planned.shape != (len(self._rpm), len(self._load)):
            raise ValueError(f"planned cells of shape {planned.shape} do not fit the map")
        self._planned = _frozen(np.array(planned, dtype=bool))
        self._planned_count = int(np.count_nonzero(self._planned))

    def set_enabled(self, enabled: bool) -> None:
        """Let map and runs go on or stand still. Readings, charts and alerts always go on."""
        if not enabled and self._index is not None:
            self._runs.end(self._now, self._progress())
        self._enabled = enabled

    def acknowledge(self, number: int | None = None) -> None:
        """Mark an alert, or all that are up, as seen."""
        self._board.acknowledge(number)


def _frozen(values: NDArray[Kind]) -> NDArray[Kind]:
    values.flags.writeable = False
    return values
