"""Between the capture thread and the pages: when to draw, and how old every figure is.

Snapshots arrive at any pace, in a fast replay hundreds a second. Curves and maps are asked to
draw at most 20 times a second, digits and bus health four times, and nothing at all while nobody
watches. Only the newest snapshot is kept: a slow screen skips pictures, it never queues them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.trust.health import BusHealth

CURVE_PERIOD_S = 0.05
DIGIT_PERIOD_S = 0.25
STALE_AFTER_S = 2.0
STALE_INTERVALS = 3.0  # a channel sent now and then is stale after missing this many turns
STALE_AT_MOST_S = 15.0
SOURCE_SILENT_S = 0.5  # a source that still runs sends a snapshot every 50 ms
_GAPS_KEPT = 5
_GAPS_NEEDED = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A reading with its age, in the channel's own unit."""

    value: float
    age_s: float
    is_stale: bool


class Pace:
    """Lets things through at most once a period on average, forgiving half a period of jitter.

    Windows close every 50 ms, give or take; holding each until a full 50 ms had passed would
    make every early one late.
    """

    def __init__(self, period_s: float) -> None:
        """Start with the first one free."""
        self._period_s = period_s
        self._due_s = float("-inf")

    def wait_s(self, now_s: float) -> float:
        """Return how long to hold the next one back; zero: let it through now."""
        early_s = self._due_s - now_s
        return 0.0 if early_s <= self._period_s / 2 else early_s

    def spend(self, now_s: float) -> None:
        """Note that one went through."""
        self._due_s = max(self._due_s, now_s) + self._period_s


class StaleLimits:
    """Learns how often each channel speaks, and so when its silence means something."""

    def __init__(self) -> None:
        """Start knowing nothing: every limit is the default."""
        self._last_s: dict[Channel, float] = {}
        self._gaps_s: dict[Channel, deque[float]] = {}

    def learn(self, snapshot: Snapshot) -> None:
        """Take note of the readings that are new since the last call."""
        for channel, reading in snapshot.readings.items():
            last_s = self._last_s.get(channel)
            if last_s == reading.time_s:
                continue
            self._last_s[channel] = reading.time_s
            if last_s is None or reading.time_s < last_s:  # first, or the file was wound back
                self._gaps_s[channel] = deque(maxlen=_GAPS_KEPT)
            else:
                self._gaps_s[channel].append(reading.time_s - last_s)

    def limit_s(self, channel: Channel) -> float:
        """Return the age in seconds beyond which a reading of *channel* is stale.

        The median of the last gaps counts, so one dropout does not excuse the next.
        """
        gaps = self._gaps_s.get(channel, ())
        if len(gaps) < _GAPS_NEEDED:
            return STALE_AFTER_S
        return min(
            max(STALE_AFTER_S, STALE_INTERVALS * sorted(gaps)[len(gaps) // 2]), STALE_AT_MOST_S
        )


class LiveModel(QObject):
    """The newest snapshot and bus health, handed on at a pace a screen and a person can follow."""

    snapshot_taken = Signal(object)  # Snapshot: every one, whether anybody watches or not
    curves_due = Signal(object)  # Snapshot, at most 20 a second
    digits_due = Signal(object)  # Mapping[Channel, Figure], four a second
    health_due = Signal(object)  # BusHealth, at most four a second
    cleared = Signal()  # another source begins: nothing shown so far belongs to it
    failed = Signal(str)

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, parent: QObject | None = None
    ) -> None:
        """Start empty. *clock* counts seconds and never runs backwards."""
        super().__init__(parent)
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._arrival_s = 0.0
        self._health = BusHealth(now_us=0)
        self._limits = StaleLimits()
        self._pace = Pace(CURVE_PERIOD_S)
        self._stands_still = False
        self._watched = True
        self._curves_owed = self._digits_owed = self._health_owed = False
        self._curve_timer = QTimer(self, singleShot=True)
        self._curve_timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._curve_timer.timeout.connect(self._draw_curves)
        self._digit_timer = QTimer(self, interval=round(DIGIT_PERIOD_S * 1000))
        self._digit_timer.timeout.connect(self._draw_digits)

    @property
    def snapshot(self) -> Snapshot | None:
        """Return the newest snapshot; None before the first."""
        return self._snapshot

    @property
    def health(self) -> BusHealth:
        """Return the newest bus health; an empty bus before the first."""
        return self._health

    @Slot(object)
    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Keep *snapshot*, and ask for drawing now or as soon as it is due."""
        self._snapshot = snapshot
        self._arrival_s = self._clock()
        self._limits.learn(snapshot)
        self.snapshot_taken.emit(snapshot)
        self._curves_owed = self._digits_owed = True
        if self._watched:
            self._schedule()

    @Slot(object)
    def take_health(self, health: BusHealth) -> None:
        """Keep *health* for the next turn of the digits."""
        self._health = health
        self._health_owed = True
        if self._watched:
            self._start_digits()

    @Slot(str)
    def take_failure(self, message: str) -> None:
        """Pass on why the source cannot go on."""
        self.failed.emit(message)

    def clear(self) -> None:
        """Forget everything heard: another source begins."""
        self._snapshot = None
        self._health = BusHealth(now_us=0)
        self._limits = StaleLimits()
        self._curves_owed = self._digits_owed = self._health_owed = False
        self._curve_timer.stop()
        self.cleared.emit()

    def set_still(self, stands_still: bool) -> None:
        """Say whether the source is paused: then nothing grows older."""
        if stands_still != self._stands_still:
            self._stands_still = stands_still
            self._arrival_s = self._clock()

    def set_watched(self, watched: bool) -> None:
        """Say whether anybody can see the window: unseen, nothing is drawn and no timer runs."""
        self._watched = watched
        if not watched:
            self._curve_timer.stop()
            self._digit_timer.stop()
        elif self._snapshot is not None:
            self._schedule()
        elif self._health_owed:
            self._start_digits()

    def figures(self) -> Mapping[Channel, Figure]:
        """Return every reading with its age. Absent channels are absent."""
        snapshot = self._snapshot
        if snapshot is None:
            return {}
        silent_s = 0.0 if self._stands_still else self._clock() - self._arrival_s
        now_s = snapshot.time_s + (silent_s if silent_s > SOURCE_SILENT_S else 0.0)
        return {
            channel: self._figure(channel, reading.value, max(now_s - reading.time_s, 0.0))
            for channel, reading in snapshot.readings.items()
        }

    def _figure(self, channel: Channel, value: float, age_s: float) -> Figure:
        return Figure(value, age_s, age_s > self._limits.limit_s(channel))

    def _schedule(self) -> None:
        self._start_digits()
        if not self._curves_owed or self._curve_timer.isActive():
            return
        wait_s = self._pace.wait_s(self._clock())
        if wait_s > 0:
            self._curve_timer.start(max(1, round(wait_s * 1000)))
        else:
            self._draw_curves()

    def _start_digits(self) -> None:
        if not self._digit_timer.isActive():
            self._digit_timer.start()
            self._draw_digits()

    def _draw_curves(self) -> None:
        if self._snapshot is not None and self._curves_owed:
            self._curves_owed = False
            self._pace.spend(self._clock())
            self.curves_due.emit(self._snapshot)

    def _draw_digits(self) -> None:
        # Ages grow without news, unless the source is meant to stand still.
        ageing = self._snapshot is not None and not self._stands_still
        if self._digits_owed or ageing:
            self._digits_owed = False
            self.digits_due.emit(self.figures())
        if self._health_owed:
            self._health_owed = False
            self.health_due.emit(self._health)
