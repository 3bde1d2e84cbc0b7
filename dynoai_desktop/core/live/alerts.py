"""The board of alerts: raises, ends, acknowledges and keeps what the rules find.

An alert of one rule and channel goes up when its condition has lasted long enough, and ends when it
has been gone for half a second. Coming back within the rate limit is the same alert again, not a
new one. Critical alerts stay up, marked as ended, until acknowledged; warnings stay to be read for
a few seconds. Everything raised is kept in the log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.alert_rules import (
    ALERT_RULES,
    SEVERITIES,
    AlertRule,
    Severity,
)
from dynoai_desktop.core.live.alert_words import compose
from dynoai_desktop.core.live.watch import Watch
from dynoai_desktop.core.samples import WINDOWS_PER_S

KEPT_ALERTS = 500
ENDS_AFTER_S = 0.5
READ_FOR_S = 5.0  # an ended warning stays up this long


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, up or ended. Times are Unix seconds of the ends of windows."""

    number: int  # counts up; a new number is a new announcement
    key: str
    severity: Severity
    channel: Channel | None
    title: str
    message: str
    raised_s: float
    ended_s: float | None = None  # None: the condition still holds
    acknowledged: bool = False
    times: int = 1  # how often it came back within the rate limit, the first included

    @property
    def is_active(self) -> bool:
        """Return whether the condition still holds."""
        return self.ended_s is None


@dataclass(slots=True)
class _Post:
    """One rule watching one channel."""

    rule: AlertRule
    channel: Channel | None
    since: int | None = None  # window in which the condition began
    last: int = 0  # newest window in which it held
    number: int | None = None  # of its newest alert
    active: bool = False


class AlertBoard:
    """Follows the rules. One thread uses it."""

    def __init__(self) -> None:
        """Start with nothing raised."""
        self._posts = [_Post(rule, c) for rule in ALERT_RULES for c in rule.channels]
        # Posts looked at in each of the next windows; the slow ones take turns.
        self._turns = [
            [p for i, p in enumerate(self._posts) if (turn + i) % p.rule.every == 0]
            for turn in range(10)
        ]
        self._alerts: dict[int, Alert] = {}  # every alert kept, by number
        self._up: set[int] = set()
        self._numbers = 0
        self._shown: tuple[Alert, ...] = ()

    @property
    def shown(self) -> tuple[Alert, ...]:
        """Return the alerts to show: worst first, then unacknowledged, then newest."""
        return self._shown

    @property
    def log(self) -> tuple[Alert, ...]:
        """Return everything raised, oldest first; the last KEPT_ALERTS of it."""
        return tuple(self._alerts.values())

    def evaluate(self, watch: Watch) -> None:
        """Ask the rules whose turn it is about this window."""
        index = watch.now.index
        changed = False
        for post in self._turns[index % len(self._turns)]:
            begun = post.since is not None
            beyond = post.rule.check(watch, post.channel, begun)
            if beyond is not None:
                if post.since is None:
                    post.since = index
                post.last = index
                lasted_s = (index - post.since) / WINDOWS_PER_S
                if not post.active and (
                    lasted_s >= post.rule.lasts_s or beyond >= post.rule.at_once
                ):
                    self._raise(post, watch)
                    changed = True
            elif post.active:
                if index - post.last >= ENDS_AFTER_S * WINDOWS_PER_S:
                    self._end(post, index)
                    changed = True
            else:
                post.since = None
        if changed or self._up:
            self._sweep(index, changed)

    def _raise(self, post: _Post, watch: Watch) -> None:
        time_s = (watch.now.index + 1) / WINDOWS_PER_S
        post.active = True
        last = self._alerts.get(post.number) if post.number is not None else None
        repeat_s = watch.settings.alerts.repeat_s
        if last is not None and 0.0 <= time_s - _last_s(last) < repeat_s:
            self._alerts[last.number] = replace(last, ended_s=None, times=last.times + 1)
            self._up.add(last.number)
            return
        self._numbers += 1
        rule = post.rule
        message = compose(rule.message, watch, post.channel)
        post.number = number = self._numbers
        self._alerts[number] = Alert(
            number, rule.key, rule.severity, post.channel, rule.title, message, time_s
        )
        self._up.add(number)
        while len(self._alerts) > KEPT_ALERTS:
            oldest = next(iter(self._alerts))
            del self._alerts[oldest]
            self._up.discard(oldest)

    def _end(self, post: _Post, index: int) -> None:
        post.active = False
        post.since = None
        if post.number in self._alerts:
            ended_s = (index + 1) / WINDOWS_PER_S
            self._alerts[post.number] = replace(self._alerts[post.number], ended_s=ended_s)

    def _sweep(self, index: int, changed: bool) -> None:
        """Take down what has been read or acknowledged, and sort the rest."""
        now_s = (index + 1) / WINDOWS_PER_S
        gone = [n for n in self._up if _is_over(self._alerts[n], now_s)]
        if not gone and not changed:
            return
        self._up.difference_update(gone)
        self._sort()

    def _sort(self) -> None:
        alerts = [self._alerts[number] for number in self._up]
        alerts.sort(key=lambda a: (SEVERITIES.index(a.severity), a.acknowledged, -a.number))
        self._shown = tuple(alerts)

    def acknowledge(self, number: int | None = None) -> None:
        """Mark one alert, or all that are up, as seen; ended ones go with the next window."""
        for n in sorted(self._up) if number is None else [number]:
            if n in self._alerts:
                self._alerts[n] = replace(self._alerts[n], acknowledged=True)
        self._sort()

    def jump(self) -> None:
        """End everything at a jump of time: what held before says nothing about now."""
        for post in self._posts:
            if post.active and post.number in self._alerts:
                self._alerts[post.number] = replace(
                    self._alerts[post.number], ended_s=self._alerts[post.number].raised_s
                )
            post.active, post.since, post.number = False, None, None
        self._sort()


def _last_s(alert: Alert) -> float:
    return alert.raised_s if alert.ended_s is None else alert.ended_s


def _is_over(alert: Alert, now_s: float) -> bool:
    if alert.ended_s is None:
        return False
    if alert.severity is Severity.CRITICAL:
        return alert.acknowledged
    return alert.acknowledged or not 0.0 <= now_s - alert.ended_s < READ_FOR_S
