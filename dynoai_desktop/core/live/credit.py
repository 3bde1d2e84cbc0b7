"""From readings to cells: each accepted reading is credited where its charge was burnt.

    y = ln(lambda measured / lambda commanded) + ln((1 + short trim) (1 + long trim))

is the logarithm of what the fuel table must be multiplied by, as in the offline analysis: lean is
positive and asks for more fuel. The commanded lambda is the ECU's where it is heard, else the
target of the cell. A reading waits until rpm and load are known for the time it was burnt.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.alignment import SENSOR_LAG_S
from dynoai_desktop.core.analysis.cylinders import CYLINDERS, CylinderChannels
from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.cells import Batch, Box, CellBank
from dynoai_desktop.core.live.delay import LagEstimate
from dynoai_desktop.core.live.gates import MOST_TRIM, Gatekeeper, Place, trim_change
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.moment import Moment
from dynoai_desktop.core.live.path import F64, LONGEST_GAP, Coordinate, Path
from dynoai_desktop.core.samples import WINDOWS_PER_S

GROUPS = CYLINDERS  # front, rear, both
OWN, COMMON = slice(0, 2), slice(2, 3)  # groups with a wideband of their own; one for both
STANDING = 0.3  # cells per second up to which the engine stands still
# Share of a step that the usual wideband shows after one window.
_ANSWER = 1.0 - math.exp(-1.0 / (SENSOR_LAG_S * WINDOWS_PER_S))
SUPPORTED = 0.9  # share of a prediction that must rest on data

_COMMANDS = slice(2, 2 + len(GROUPS))  # rows of the path: after the coordinates
_TRIMS = slice(2 + len(GROUPS), 2 + 2 * len(GROUPS))
_PRESSURE = _TRIMS.stop


@dataclass(frozen=True, slots=True)
class Waiting:
    """Accepted readings of one window, on their way to their cells."""

    index: int
    logs: tuple[float | None, ...]  # ln lambda of every group; None: no accepted reading
    share: float  # of the flow, see `flow_share`

    @property
    def readings(self) -> int:
        """Return how many readings there are."""
        return len(self.logs) - self.logs.count(None)


@dataclass(frozen=True, slots=True)
class Credited:
    """Where a reading went: the most likely place, and what it said there."""

    index: int  # window of the reading
    group: int
    measured: float  # lambda
    error: float  # y, see above
    rpm: float
    load: float


class Credits:
    """Remembers where the engine was and gives every reading to the cells it belongs to."""

    def __init__(self, rpm: Axis, load: Axis, settings: LiveSettings, targets: CellGrid) -> None:
        """Start empty on these axes. Raises ValueError for an axis with a single node."""
        self._rpm, self._load = Coordinate(rpm), Coordinate(load)
        self._load_channel = load.channel
        self._settings = settings
        self._smoothed = [math.nan] * len(GROUPS)  # ln of the commands
        self.lag = LagEstimate(settings, len(GROUPS))
        candidates = self.lag.lags_s.size
        self.bank = CellBank(len(rpm), len(load), candidates, len(GROUPS))
        self._path = Path(_PRESSURE + 1 - _COMMANDS.start, candidates)
        self._waiting: deque[Waiting] = deque()
        self._take_targets(targets)
        self.commanded = False  # readings have been compared with a command of the ECU
        self.changes = 0  # grows with everything credited
        self.changed: Box | None = None  # nodes touched since somebody last cleared this

    def set_targets(self, targets: CellGrid) -> None:
        """Judge by new targets; what was judged by the old ones is judged anew."""
        before = self._target_logs
        self._take_targets(targets)
        if not self.commanded:
            self.bank.shift(before - self._target_logs)
            self.changes += 1
            self.changed = self.bank.everything

    def _take_targets(self, targets: CellGrid) -> None:
        self._target_logs = np.log(targets.values)
        self._target_table: list[list[float]] = self._target_logs.tolist()

    def target(self, now: Moment, group: int) -> float | None:
        """Return the lambda meant for a group now: commanded, else the target of the place."""
        command = self._command(now, GROUPS[group])
        if command is not None:
            return command
        if now.rpm is None or now.load is None:
            return None
        return math.exp(self._target_log(self._rpm.of(now.rpm), self._load.of(now.load)))

    def _target_log(self, rpm: float, load: float) -> float:
        """Return ln of the target at a place in nodes, bilinearly between them."""
        table = self._target_table
        i = min(max(int(rpm), 0), len(table) - 2)
        j = min(max(int(load), 0), len(table[0]) - 2)
        u, v = min(max(rpm - i, 0.0), 1.0), min(max(load - j, 0.0), 1.0)
        low, high = table[i], table[i + 1]
        near = low[j] + v * (low[j + 1] - low[j])
        far = high[j] + v * (high[j + 1] - high[j])
        return near + u * (far - near)

    def move(self, now: Moment) -> None:
        """Note where the engine is in this window, and what was commanded."""
        rpm, load = now.heard.get(Channel.RPM), now.heard.get(self._load_channel)
        self._path.push(
            now.index,
            None if rpm is None else self._rpm.of(rpm),
            None if load is None else self._load.of(load),
            self._commands(now),
        )

    def _commands(self, now: Moment) -> tuple[float, ...]:
        """Return ln commanded lambda per group (NaN: not heard), ln of its trims, and ln MAP.

        A step in the command shows in the reading as the sensor answers it. So the command goes
        through the usual sensor's lag here, and is handed to the path a window late, which takes
        its mean delay off again: shape without delay.
        """
        trims = []
        for i, group in enumerate(GROUPS):
            command, before = self._command(now, group), self._smoothed[i]
            log = math.nan if command is None else math.log(command)
            self._smoothed[i] = log if math.isnan(before) else before + _ANSWER * (log - before)
            trims.append(_trim_log(now, group.short_trim) + _trim_log(now, group.long_trim))
        pressure = 0.0 if now.map_kpa is None else math.log(max(now.map_kpa, 1.0))
        return (*self._smoothed, *trims, pressure)

    def _command(self, now: Moment, group: CylinderChannels) -> float | None:
        if not self._settings.follow_commanded:
            return None
        for channel in group.commanded:
            value = now.get(channel)
            if value is not None and value > 0.0:
                return value
        return None

    def wait(self, waiting: Waiting) -> None:
        """Take in accepted readings."""
        self._waiting.append(waiting)

    def settle(self, gatekeeper: Gatekeeper) -> list[Credited]:
        """Credit what can be credited now; what waited too long is rejected."""
        known, newest = self._path.known, self._path.newest
        ready: list[tuple[Waiting, F64]] = []
        fastest = 0.0  # cells per second
        while self._waiting and newest is not None:
            waiting = self._waiting[0]
            shift = self.lag.transport_s * waiting.share * WINDOWS_PER_S
            needed = waiting.index - int(shift)
            if known is not None and known >= needed:
                past = self._path.before(waiting.index, shift)
                place = self._describe(past)
                if not gatekeeper.settle(place, waiting.readings):
                    fastest = max(fastest, place.cells_per_s)
                    ready.append((waiting, past))
            elif newest - needed >= LONGEST_GAP:
                gatekeeper.settle(Place(known=False), waiting.readings)
            else:
                break
            self._waiting.popleft()
        return self._credit(ready, fastest < STANDING) if ready else []

    def _describe(self, past: F64) -> Place:
        rpm, load = past[0].tolist(), past[1].tolist()
        if math.isnan(sum(rpm) + sum(load)):
            return Place(known=False)
        inside = (
            self._rpm.low <= min(rpm)
            and max(rpm) < self._rpm.high
            and self._load.low <= min(load)
            and max(load) < self._load.high
        )
        # A reading is an average over some 0.2 s around the time of burning.
        best = self.lag.best
        first, last = max(best - 2, 0), min(best + 2, len(rpm) - 1)
        if first == last:
            return Place(True, inside)
        moved = max(abs(rpm[last] - rpm[first]), abs(load[last] - load[first]))
        return Place(True, inside, moved / (last - first) * WINDOWS_PER_S)

    def _credit(self, ready: list[tuple[Waiting, F64]], standing: bool) -> list[Credited]:
        groups = OWN if any(w.logs[-1] is None for w, _ in ready) else COMMON
        past = np.array([p for _, p in ready])  # (m, rows, k)
        batch = self.bank.place(past[:, 0], past[:, 1])
        logs = np.array([w.logs[groups] for w, _ in ready], dtype=np.float64)
        heard = np.isfinite(logs)
        error = logs[:, :, None] - self._expected(past, batch)[:, groups]
        error[~heard] = 0.0
        away = self.bank.begin(batch, ready[-1][0].index, standing)
        prediction, support = self.bank.predict(groups, batch)
        usable = heard & (support >= SUPPORTED)
        # Where the engine stands still the delay does not matter.
        shares = () if standing else [w.share for w, _ in ready]
        self.lag.learn(groups, error - prediction, usable, self._pressure_rate(past), shares)
        told = heard.astype(np.float64)
        self.bank.add(groups, batch, error, told, away, self.lag.alike)
        self.changes += 1
        self.changed = batch.box if self.changed is None else self.changed.with_other(batch.box)
        return list(self._told(ready, groups, past, error))

    def _pressure_rate(self, past: F64) -> list[float]:
        """Return the relative change of MAP per second about when the charge was burnt, (m,).

        The least-squares slope over all candidates.
        """
        ago_s = self.lag.lags_s - self.lag.lags_s.mean()
        weights = -ago_s / max(float((ago_s**2).sum()), 1e-9)
        rates: list[float] = (past[:, _PRESSURE] * weights).sum(axis=1).tolist()
        return rates

    def _told(
        self, ready: list[tuple[Waiting, F64]], groups: slice, past: F64, error: F64
    ) -> Iterator[Credited]:
        """Yield where the readings went, at the most likely delay."""
        best = self.lag.best
        for row, (waiting, _) in enumerate(ready):
            rpm = self._rpm.value(float(past[row, 0, best]))
            load = self._load.value(float(past[row, 1, best]))
            for column, log in enumerate(waiting.logs[groups]):
                if log is not None:
                    away = float(error[row, column, best])
                    group = groups.start + column
                    yield Credited(waiting.index, group, math.exp(log), away, rpm, load)

    def _expected(self, past: F64, batch: Batch) -> F64:
        """Return ln of the lambda a right table would show, (m, groups, k)."""
        command = past[:, _COMMANDS]
        unknown = np.isnan(command)
        if unknown.all():
            command = np.broadcast_to(self._targets_at(batch)[:, None], command.shape)
        else:
            self.commanded = True
            if unknown.any():
                command = np.where(unknown, self._targets_at(batch)[:, None], command)
        return command - past[:, _TRIMS]

    def _targets_at(self, batch: Batch) -> F64:
        table = self._target_logs[batch.box.rows, batch.box.columns]
        at: F64 = (table[:, :, None, None] * batch.weight).sum(axis=(0, 1))
        return at

    def jump(self) -> None:
        """Forget what was on its way, as when time jumps."""
        self._waiting.clear()
        self.bank.leave()


def _trim_log(now: Moment, channels: tuple[Channel, ...]) -> float:
    for channel in channels:
        trim = now.get(channel)
        if trim is None:
            continue
        change = trim_change(trim)
        if abs(change) <= MOST_TRIM:
            return math.log1p(change / 100.0)
    return 0.0
