"""Pulls, sweeps, holds and coast-downs, found while they happen.

A pull is wide open while the engine gains speed; a coast-down is the throttle shut while it loses
it; a sweep is a steady ramp of speed or load in between; a hold is neither moving. Each begins at
one threshold and ends at a lower one, a short interruption does not end it, and it counts, with a
number, once it has lasted and moved far enough.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.credit import GROUPS, Credited
from dynoai_desktop.core.live.moment import Moment
from dynoai_desktop.core.samples import WINDOWS_PER_S

KW_PER_NM_RPM = 1.0 / 9549.2966  # 2π / 60,000
# Four pulls of one tune in a row on a real dyno scattered by 0.70 % (one standard deviation).
REPEATABILITY = 0.007
KEPT_RUNS = 200

_SAME_RPM = 600.0  # both ends of pulls that may be compared
_SMOOTHED = 5  # windows; a peak is the highest quarter of a second, not the luckiest window
_ENDS_AFTER = 8  # windows in which the run's condition does not hold
_RATE_WINDOWS = 10  # over which ramps are judged


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest value and the engine speed at it."""

    value: float
    rpm: float


@dataclass(frozen=True, slots=True)
class Leanest:
    """The reading of a run that was leanest against its target, where its charge was burnt."""

    cylinder: Cylinder
    measured: float  # lambda
    error: float  # share above the target; negative is rich
    rpm: float
    load: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against the last one of its kind. Differences are this minus that."""

    number: int
    power_kw: float | None
    power_se_kw: float | None  # standard error, from the usual scatter of repeated pulls
    torque_nm: float | None
    torque_se_nm: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """One stretch, finished or still going on."""

    number: int
    kind: RunKind
    start_s: float
    end_s: float  # of the newest window while it goes on
    finished: bool
    start_rpm: float
    end_rpm: float
    power_kw: Peak | None = None
    torque_nm: Peak | None = None
    leanest: Leanest | None = None
    accepted: int = 0
    rejected: int = 0
    reasons: tuple[tuple[str, int], ...] = ()  # for it, by key of GATES, most frequent first
    new_cells: int = 0  # planned cells it brought to enough evidence
    intake_c: float | None = None  # at its end
    versus: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What the rest of the engine has counted so far; a run is the difference of two."""

    accepted: int
    rejected: Mapping[str, int]  # by key of GATES
    covered: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """The least a run of a kind must be."""

    lasts_s: float
    moves_rpm: float = 0.0
    moves_load: float = 0.0  # instead of speed; 0: speed alone counts


_LEAST = {
    RunKind.PULL: _Kind(1.0, 500.0),
    RunKind.SWEEP: _Kind(2.0, 500.0, 15.0),
    RunKind.HOLD: _Kind(2.0),
    RunKind.COAST_DOWN: _Kind(1.0, 400.0),
}
_WIDE_TPS = (75.0, 60.0)  # enters above, leaves below; % above the stop
_WIDE_OF_BARO = (0.90, 0.82)  # without TPS
_PULL_RATE = (100.0, -50.0)  # rpm/s
_COAST_RATE = (-150.0, -30.0)
_COAST_RPM = (1800.0, 1200.0)
_SWEEP_RATE = (60.0, 25.0)
_SWEEP_LOAD_RATE = (3.0, 1.0)  # units of the load axis per second
_HOLD_RATE = (40.0, 90.0)
_HOLD_LOAD_RATE = (3.0, 6.0)
_HOLD_BAND = (150.0, 8.0)  # rpm and load a hold may wander altogether


class _Trend:
    """The change of a signal per second over the last half second, by its two halves' means."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=_RATE_WINDOWS)

    def push(self, value: float | None) -> float | None:
        if value is None:
            self._values.clear()
            return None
        values = self._values
        values.append(value)
        if len(values) < _RATE_WINDOWS:
            return None
        half = _RATE_WINDOWS // 2
        total = sum(values)
        late = sum([values[i] for i in range(half, _RATE_WINDOWS)])
        return (2.0 * late - total) / half * (WINDOWS_PER_S / half)


class _Best:
    """The highest mean of a few windows, with the engine speed there."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque(maxlen=_SMOOTHED)
        self.peak: Peak | None = None

    def push(self, value: float | None, rpm: float) -> None:
        if value is None:
            self._recent.clear()
            return
        self._recent.append((value, rpm))
        if len(self._recent) < _SMOOTHED:
            return
        mean = sum([v for v, _ in self._recent]) / _SMOOTHED
        if self.peak is None or mean > self.peak.value:
            self.peak = Peak(mean, sum([r for _, r in self._recent]) / _SMOOTHED)


class _Stretch:
    """A run in the making."""

    def __init__(self, kind: RunKind, now: Moment, progress: Progress) -> None:
        assert now.rpm is not None
        self.kind = kind
        self.start_index = self.last_index = now.index
        self.start_rpm = self.end_rpm = self.low_rpm = self.high_rpm = now.rpm
        load = now.load if now.load is not None else 0.0
        self.low_load = self.high_load = load
        self.progress = progress
        self.power, self.torque = _Best(), _Best()
        self.leanest: Leanest | None = None
        self._leanest_error = -math.inf
        self.number: int | None = None

    def take(self, now: Moment, power: float | None, torque: float | None) -> None:
        rpm = now.rpm
        assert rpm is not None
        self.last_index, self.end_rpm = now.index, rpm
        self.low_rpm, self.high_rpm = min(self.low_rpm, rpm), max(self.high_rpm, rpm)
        if now.load is not None:
            self.low_load = min(self.low_load, now.load)
            self.high_load = max(self.high_load, now.load)
        self.power.push(power, rpm)
        self.torque.push(torque, rpm)

    def judge(self, credited: Credited) -> None:
        inside = self.start_index <= credited.index <= self.last_index
        if inside and credited.error > self._leanest_error:
            self._leanest_error = credited.error
            self.leanest = Leanest(
                GROUPS[credited.group].cylinder,
                credited.measured,
                math.expm1(credited.error),
                credited.rpm,
                credited.load,
            )

    def counts(self) -> bool:
        least = _LEAST[self.kind]
        if (self.last_index - self.start_index + 1) / WINDOWS_PER_S < least.lasts_s:
            return False
        if self.high_rpm - self.low_rpm >= least.moves_rpm:
            return True
        return 0.0 < least.moves_load <= self.high_load - self.low_load


class RunTracker:
    """Follows the engine and keeps the runs."""

    def __init__(self) -> None:
        """Start with no runs."""
        self._rpm_trend, self._load_trend = _Trend(), _Trend()
        self._wide = False
        self._stretch: _Stretch | None = None
        self._numbers = 0
        self.runs: tuple[Run, ...] = ()  # finished, oldest first

    def observe(
        self, now: Moment, progress: Callable[[], Progress], credited: Sequence[Credited]
    ) -> None:
        """Take in one window and what was credited in it; *progress* is asked at the ends."""
        rpm_rate = self._rpm_trend.push(now.rpm)
        load_rate = self._load_trend.push(now.load)
        stretch = self._stretch
        kind = self._kind(now, rpm_rate, load_rate)
        if stretch is not None and (
            (kind is not None and kind is not stretch.kind)
            or now.index - stretch.last_index > _ENDS_AFTER
        ):
            self.end(now, progress())
            stretch = None
        if stretch is None and kind is not None:
            stretch = self._stretch = _Stretch(kind, now, progress())
        if stretch is None:
            return
        if kind is stretch.kind and now.rpm is not None:
            stretch.take(now, *power_and_torque(now))
            if stretch.number is None and stretch.counts():
                self._numbers += 1
                stretch.number = self._numbers
        for one in credited:
            stretch.judge(one)

    def end(self, now: Moment, progress: Progress) -> None:
        """Close the run that is going on, if there is one."""
        stretch, self._stretch = self._stretch, None
        if stretch is not None and stretch.number is not None:
            run = self._describe(stretch, now, progress)
            self.runs = (*self.runs, replace(run, finished=True))[-KEPT_RUNS:]

    def jump(self) -> None:
        """Forget what leads up to now, as when time jumps."""
        self._rpm_trend, self._load_trend = _Trend(), _Trend()
        self._stretch = None
        self._wide = False

    def current(self, now: Moment, progress: Progress) -> Run | None:
        """Return the run that is going on, once it counts."""
        stretch = self._stretch
        if stretch is None or stretch.number is None:
            return None
        return self._describe(stretch, now, progress)

    def _describe(self, stretch: _Stretch, now: Moment, progress: Progress) -> Run:
        assert stretch.number is not None
        before = stretch.progress
        reasons = _since(before.rejected, progress.rejected)
        run = Run(
            number=stretch.number,
            kind=stretch.kind,
            start_s=stretch.start_index / WINDOWS_PER_S,
            end_s=(stretch.last_index + 1) / WINDOWS_PER_S,
            finished=False,
            start_rpm=stretch.start_rpm,
            end_rpm=stretch.end_rpm,
            power_kw=stretch.power.peak,
            torque_nm=stretch.torque.peak,
            leanest=stretch.leanest,
            accepted=progress.accepted - before.accepted,
            rejected=sum([count for _, count in reasons]),
            reasons=reasons,
            # A better known delay may move what an earlier run had gathered.
            new_cells=max(0, progress.covered - before.covered),
            intake_c=now.get(Channel.IAT),
        )
        last = next((r for r in reversed(self.runs) if _comparable(r, run)), None)
        return run if last is None else replace(run, versus=_compare(run, last))

    def _kind(self, now: Moment, rpm_rate: float | None, load_rate: float | None) -> RunKind | None:
        """Return what the engine is doing, a run in progress being given the benefit of doubt."""
        rpm = now.rpm
        if rpm is None or rpm_rate is None or not now.running:
            self._wide = False
            return None
        current = self._stretch.kind if self._stretch is not None else None
        self._wide = self._is_wide(now)
        if self._wide and rpm_rate > _PULL_RATE[current is RunKind.PULL]:
            return RunKind.PULL
        if now.closed:
            going = current is RunKind.COAST_DOWN
            falls = rpm_rate < _COAST_RATE[going] and rpm > _COAST_RPM[going]
            return RunKind.COAST_DOWN if falls else None
        if self._holds(rpm, now.load, rpm_rate, load_rate, current is RunKind.HOLD):
            return RunKind.HOLD
        if self._wide:
            return None
        going = current is RunKind.SWEEP
        ramps = abs(rpm_rate) > _SWEEP_RATE[going]
        ramps |= load_rate is not None and abs(load_rate) > _SWEEP_LOAD_RATE[going]
        return RunKind.SWEEP if ramps else None

    def _is_wide(self, now: Moment) -> bool:
        if now.opening is not None:
            return now.opening > _WIDE_TPS[self._wide]
        if now.map_kpa is None:
            return False
        return now.map_kpa > _WIDE_OF_BARO[self._wide] * now.baro_kpa()

    def _holds(
        self,
        rpm: float,
        load: float | None,
        rpm_rate: float,
        load_rate: float | None,
        going: bool,
    ) -> bool:
        if abs(rpm_rate) > _HOLD_RATE[going]:
            return False
        if load_rate is not None and abs(load_rate) > _HOLD_LOAD_RATE[going]:
            return False
        stretch = self._stretch
        if not going or stretch is None:
            return True
        wanders = max(stretch.high_rpm, rpm) - min(stretch.low_rpm, rpm) > _HOLD_BAND[0]
        if load is not None:
            span = max(stretch.high_load, load) - min(stretch.low_load, load)
            wanders = wanders or span > _HOLD_BAND[1]
        return not wanders


def power_and_torque(now: Moment) -> tuple[float | None, float | None]:
    """Return power in kW and torque in N·m; the one not heard follows from the other."""
    power, torque = now.heard.get(Channel.POWER), now.heard.get(Channel.TORQUE)
    if now.rpm is not None and now.rpm > 0.0:
        if power is None and torque is not None:
            power = torque * now.rpm * KW_PER_NM_RPM
        elif torque is None and power is not None:
            torque = power / (now.rpm * KW_PER_NM_RPM)
    return power, torque


def _since(before: Mapping[str, int], now: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return what was counted in between, most frequent first; equal counts as *now* has them.

    >>> _since({"overrun": 6}, {"overrun": 7, "tip_in": 4})
    (('tip_in', 4), ('overrun', 1))
    """
    grown = [(key, count - before.get(key, 0)) for key, count in now.items()]
    return tuple(sorted([item for item in grown if item[1] > 0], key=lambda item: -item[1]))


def _compare(run: Run, last: Run) -> Comparison:
    power = _difference(run.power_kw, last.power_kw)
    torque = _difference(run.torque_nm, last.torque_nm)
    return Comparison(last.number, *power, *torque)


def _difference(this: Peak | None, that: Peak | None) -> tuple[float | None, float | None]:
    """Return this minus that and its standard error: two runs, each with the usual scatter."""
    if this is None or that is None:
        return None, None
    scatter = REPEATABILITY * (abs(this.value) + abs(that.value)) / 2.0
    return this.value - that.value, scatter * 2.0**0.5


def _comparable(one: Run, other: Run) -> bool:
    """Return whether two runs are pulls through the same range."""
    pulls = one.kind is other.kind is RunKind.PULL
    same_start = abs(one.start_rpm - other.start_rpm) <= _SAME_RPM
    return pulls and same_start and abs(one.end_rpm - other.end_rpm) <= _SAME_RPM


def power_fall(runs: Sequence[Run]) -> float | None:
    """Return by how much the last pull and two like it before lost power one by one, as a share.

    None when there are fewer than three or one of them did not fall.
    """
    last = next((run for run in reversed(runs) if run.kind is RunKind.PULL), None)
    if last is None:
        return None
    alike = [run.power_kw for run in runs if _comparable(run, last)]
    peaks = [peak.value for peak in alike if peak is not None]
    if len(peaks) < 3:
        return None
    first, second, third = peaks[-3:]
    return (first - third) / first if first > second > third and first > 0.0 else None
