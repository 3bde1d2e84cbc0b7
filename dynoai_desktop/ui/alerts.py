"""The alerts that are up, as the window tells them: like with like, worst first.

The same alert of two cylinders, or of three pulls, is one thing to read and to acknowledge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dynoai_desktop.core.channels import CHANNELS, Channel, Cylinder
from dynoai_desktop.core.live.alert_rules import SEVERITIES
from dynoai_desktop.core.live.alert_rules import Severity as AlertSeverity
from dynoai_desktop.core.live.alerts import Alert
from dynoai_desktop.ui.messages import Notice, Severity
from dynoai_desktop.ui.wording import plain

# How an alert is shown while nobody has read it, and once somebody has.
_UNREAD = {
    AlertSeverity.CRITICAL: Severity.DANGER,
    AlertSeverity.WARNING: Severity.ATTENTION,
    AlertSeverity.INFO: Severity.INFO,
}
_READ = {
    AlertSeverity.CRITICAL: Severity.ATTENTION,
    AlertSeverity.WARNING: Severity.INFO,
    AlertSeverity.INFO: Severity.INFO,
}
SIGNS = {Severity.DANGER: "×", Severity.ATTENTION: "!", Severity.INFO: "·"}


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """All alerts of one rule that are up."""

    key: str
    severity: AlertSeverity
    title: str
    where: str  # the channels, where there are several
    message: str  # of the newest
    raised_s: float  # of the newest
    times: int
    is_active: bool  # any of them still holds
    is_read: bool  # all of them were acknowledged
    numbers: tuple[int, ...]  # to acknowledge

    @property
    def shown_as(self) -> Severity:
        """Return how much it matters now."""
        return (_READ if self.is_read else _UNREAD)[self.severity]

    @property
    def is_alarm(self) -> bool:
        """Return whether the engine is in danger now and nobody has said that it was read."""
        return self.severity is AlertSeverity.CRITICAL and self.is_active and not self.is_read

    @property
    def heading(self) -> str:
        """Return title and place."""
        return f"{self.title}, {self.where}" if self.where else self.title


class AlertBook:
    """Follows the snapshots, and knows what has been read before the engine answers.

    An acknowledgement comes back with the next snapshot; a replay that stands still sends none.
    """

    def __init__(self) -> None:
        """Start with nothing up."""
        self.clear()

    def clear(self) -> None:
        """Forget everything: another source begins, or the analysis anew."""
        self._alerts: tuple[Alert, ...] = ()
        self._read: set[tuple[int, float]] = set()
        self.groups: tuple[AlertGroup, ...] = ()

    def take(self, alerts: tuple[Alert, ...]) -> bool:
        """Take the alerts of a snapshot; return whether anything is told differently now."""
        if alerts is self._alerts:
            return False
        self._alerts = alerts
        self._read &= {_identity(alert) for alert in alerts}
        return self._regroup()

    def acknowledge(self) -> tuple[int, ...]:
        """Note that the worst unread group was read; return the numbers of its alerts."""
        worst = next((group for group in self.groups if not group.is_read), None)
        if worst is None:
            return ()
        numbers = set(worst.numbers)
        self._read |= {_identity(a) for a in self._alerts if a.number in numbers}
        self._regroup()
        return worst.numbers

    def _regroup(self) -> bool:
        before = self.groups
        self.groups = group_alerts(
            replace(a, acknowledged=True) if _identity(a) in self._read else a for a in self._alerts
        )
        return self.groups != before


def group_alerts(alerts: Iterable[Alert]) -> tuple[AlertGroup, ...]:
    """Return the alerts rule by rule: worst first, then unread, then still true, then newest."""
    by_rule: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_rule.setdefault(alert.key, []).append(alert)
    groups = [_group(members) for members in by_rule.values()]
    return tuple(
        sorted(
            groups,
            key=lambda g: (SEVERITIES.index(g.severity), g.is_read, not g.is_active, -g.raised_s),
        )
    )


def _group(alerts: Sequence[Alert]) -> AlertGroup:
    newest = max(alerts, key=lambda alert: alert.number)
    return AlertGroup(
        key=newest.key,
        severity=newest.severity,
        title=newest.title,
        where=_places([alert.channel for alert in alerts]),
        message=plain(newest.message),
        raised_s=newest.raised_s,
        times=sum(alert.times for alert in alerts),
        is_active=any(alert.is_active for alert in alerts),
        is_read=all(alert.acknowledged for alert in alerts),
        numbers=tuple(sorted(alert.number for alert in alerts)),
    )


def _places(channels: Iterable[Channel | None]) -> str:
    places = sorted({place for c in channels if c is not None and (place := _place(c))})
    return " and ".join(places) if len(places) > 1 else ""


def _place(channel: Channel) -> str:
    spec = CHANNELS[channel]
    if spec.cylinder in (Cylinder.FRONT, Cylinder.REAR):
        return spec.cylinder.value
    return spec.title.lower()


def _identity(alert: Alert) -> tuple[int, float]:
    # Numbers start again when the analysis does.
    return alert.number, alert.raised_s


def alert_notice(groups: Sequence[AlertGroup]) -> Notice | None:
    """Return the worst alert for the foot of the window; None when there is nothing to tell."""
    worst = next((g for g in groups if not g.is_read), None) or next(
        (g for g in groups if g.is_active), None
    )
    if worst is None:
        return None
    key = "" if worst.is_read else "  [A] read"
    return Notice(
        f"{worst.heading}: {worst.message}{key}",
        worst.shown_as,
        alert="" if worst.is_read else worst.key,
        more=len(groups) - 1,
        blinks=worst.is_alarm,
    )
