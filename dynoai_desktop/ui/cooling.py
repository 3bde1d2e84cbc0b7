"""Watches the temperatures from one pull to the next: when is the engine back where it began?

A pull is known to be one only when it has lasted a while, so the temperatures of the last seconds
are kept and those of its beginning are looked up then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.runs import Run
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.plan_state import BACK_WITHIN_C, Cooling, HeatLine

HEAT_CHANNELS = (Channel.IAT, Channel.ECT)
HEATING = (RunKind.PULL, RunKind.SWEEP)
_HEARD_S = 15.0  # temperatures come slowly; older ones say nothing about now
_KEPT_S = 120.0
_STEP_S = 0.25
_LEVEL_S, _LEVEL_C = 60.0, 0.5  # falls by less in this time: it has settled
_SETTLES_AFTER = 2.0  # usual cooling times


class CoolingWatch:
    """Takes every snapshot; knows the last pull and how hot it made the engine."""

    def __init__(self) -> None:
        """Start before the first pull."""
        self._past: deque[tuple[float, Mapping[Channel, float]]] = deque()
        self._began: Mapping[Channel, float] = {}
        self._hottest: dict[Channel, float] = {}
        self._pull: Run | None = None

    def clear(self) -> None:
        """Forget everything: another source begins."""
        self._past.clear()
        self._began, self._hottest, self._pull = {}, {}, None

    def take(self, snapshot: Snapshot) -> None:
        """Follow the temperatures and the pulls."""
        if self._past and snapshot.time_s < self._past[-1][0]:  # a replay was wound back
            self.clear()
        self._remember(snapshot)
        heating = [run for run in snapshot.runs if run.kind in HEATING]
        run = snapshot.run
        if run is not None and run.kind in HEATING:
            heating.append(run)
        if not heating:
            return
        last, before = heating[-1], self._pull
        if before is None or last.start_s != before.start_s:
            self._began = self._at(last.start_s)
            self._hottest = dict(self._began)
        self._pull = last
        for channel, value in self._past[-1][1].items():
            self._hottest[channel] = max(self._hottest.get(channel, value), value)

    def state(self, usual_s: float) -> Cooling | None:
        """Return how far the engine has cooled; None before the first pull."""
        pull = self._pull
        if pull is None:
            return None
        now_s, now = self._past[-1]
        lines = tuple(
            HeatLine(channel, began, self._hottest[channel], now.get(channel))
            for channel, began in self._began.items()
        )
        since_s = max(now_s - pull.end_s, 0.0) if pull.finished else 0.0
        settled = since_s > _SETTLES_AFTER * usual_s and self._is_level(now_s, now)
        return Cooling(pull.number, not pull.finished, since_s, usual_s, lines, settled)

    def _remember(self, snapshot: Snapshot) -> None:
        now_s = snapshot.time_s
        if self._past and now_s - self._past[-1][0] < _STEP_S:
            return
        heat = {
            channel: reading.value
            for channel in HEAT_CHANNELS
            if (reading := snapshot.readings.get(channel)) is not None
            and now_s - reading.time_s <= _HEARD_S
        }
        self._past.append((now_s, heat))
        while now_s - self._past[0][0] > _KEPT_S:
            self._past.popleft()

    def _at(self, time_s: float) -> Mapping[Channel, float]:
        """Return the temperatures at a time: the last ones at or before it, else the first."""
        before = [heat for at_s, heat in self._past if at_s <= time_s]
        return dict(before[-1] if before else self._past[0][1])

    def _is_level(self, now_s: float, now: Mapping[Channel, float]) -> bool:
        if now_s - self._past[0][0] < _LEVEL_S:
            return False
        then = self._at(now_s - _LEVEL_S)
        return all(
            then[channel] - value < _LEVEL_C
            for channel, value in now.items()
            if channel in then and value > self._began.get(channel, value) + BACK_WITHIN_C
        )
