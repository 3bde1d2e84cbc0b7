"""What is said, and when: short neutral call-outs, warnings before them, danger before everything.

Pure: snapshots and the time come in, what to say comes out, so it can be followed without a sound.
An utterance that is returned is to be said at once, whatever is being said.

* A danger interrupts everything, another danger too. It is repeated while it lasts and nobody has
  acknowledged it. Nothing said earlier can hold it back.
* A warning interrupts call-outs only.
* A danger or warning that was cut off is said once more.
* A call-out waits for its turn, and is dropped when the moment has passed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.channels import CHANNELS, Cylinder
from dynoai_desktop.core.live.alert_rules import Severity
from dynoai_desktop.core.live.alerts import Alert
from dynoai_desktop.core.live.runs import Run
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.units import Display, Unit
from dynoai_desktop.ui.alerts import AlertGroup, group_alerts
from dynoai_desktop.ui.run_words import added_words
from dynoai_desktop.ui.wording import in_units, number

DANGER_AGAIN_S = 6.0
LONGEST_S = 8.0  # an utterance of which no end was heard is over by then
TONE_EVERY_S = 0.4
TONE_FROM = 0.03  # share of the target below which an error makes no sound

_SPOKEN_UNITS = {Unit.HORSEPOWER: "horsepower", Unit.KILOWATT: "kilowatts"}


class Priority(IntEnum):
    """What may interrupt what."""

    CALL_OUT = 0
    WARNING = 1
    DANGER = 2


# How long each waits for its turn; then the moment has passed.
FRESH_S = {Priority.CALL_OUT: 3.0, Priority.WARNING: 10.0, Priority.DANGER: 30.0}
_PRIORITIES = {Severity.CRITICAL: Priority.DANGER, Severity.WARNING: Priority.WARNING}


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing to say. *key* is that of its alert, or the kind of call-out."""

    text: str
    priority: Priority
    key: str
    made_s: float
    interrupts: bool = True  # False: said again, so it may wait for its equals


class Announcer:
    """Follows the snapshots and decides what is said next."""

    def __init__(self, display: Display) -> None:
        """Start silent; call-outs are made in the units of *display*."""
        self.display = display
        self.silence()

    def silence(self) -> None:
        """Forget everything, as when the voice is switched off or another source begins."""
        self._waiting: list[Utterance] = []
        self._speaking: Utterance | None = None
        self._begun_s = 0.0
        self._told: set[tuple[int, float]] = set()  # alerts, by number and time
        self._danger_said_s: dict[str, float] = {}
        self._runs_told: set[tuple[int, float, bool]] = set()
        self._fresh = True
        self._toned_s = float("-inf")

    @property
    def speaking(self) -> Utterance | None:
        """Return what is being said now."""
        return self._speaking

    def hear(self, snapshot: Snapshot, now_s: float) -> Utterance | None:
        """Take in a snapshot at *now_s*, seconds of any steady clock."""
        self._hear_alerts(snapshot.alerts, now_s)
        self._hear_runs(snapshot, now_s)
        self._fresh = False
        return self.tick(now_s)

    def tick(self, now_s: float) -> Utterance | None:
        """Return what is to be said now, though nothing new was heard."""
        if self._speaking is not None and now_s - self._begun_s > LONGEST_S:
            self._speaking = None
        self._waiting = [u for u in self._waiting if now_s - u.made_s <= FRESH_S[u.priority]]
        best = max(self._waiting, key=_rank, default=None)
        if best is None or not self._may_begin(best):
            return None
        self._waiting.remove(best)
        spoken = self._speaking
        if spoken is not None and spoken.priority > Priority.CALL_OUT and spoken.key != best.key:
            self._waiting.append(replace(spoken, interrupts=False, made_s=now_s))
        self._speaking, self._begun_s = best, now_s
        if best.priority is Priority.DANGER:
            self._danger_said_s[best.key] = now_s
        return best

    def finished(self, now_s: float) -> Utterance | None:
        """Note that the last utterance has been said; return the next."""
        self._speaking = None
        return self.tick(now_s)

    def _may_begin(self, new: Utterance) -> bool:
        spoken = self._speaking
        if spoken is None or new.priority > spoken.priority:
            return True
        return new.priority is spoken.priority is Priority.DANGER and new.interrupts

    def _hear_alerts(self, alerts: tuple[Alert, ...], now_s: float) -> None:
        up = {_identity(alert) for alert in alerts}
        self._told &= up
        for group in group_alerts(a for a in alerts if a.is_active and not a.acknowledged):
            priority = _PRIORITIES.get(group.severity)
            if priority is None:
                continue
            members = {_identity(a) for a in alerts if a.number in group.numbers}
            if not members <= self._told:
                self._say(Utterance(spoken_alert(group, alerts), priority, group.key, now_s))
            elif priority is Priority.DANGER and self._is_due_again(group.key, now_s):
                text = spoken_alert(group, alerts)
                self._say(Utterance(text, priority, group.key, now_s, interrupts=False))
        # What was over or read before it could be said is no news any more.
        self._told |= up
        self._drop_read(alerts)

    def _is_due_again(self, key: str, now_s: float) -> bool:
        if any(u.key == key for u in self._waiting):
            return False
        if self._speaking is not None and self._speaking.key == key:
            return False
        return now_s - self._danger_said_s.get(key, now_s) >= DANGER_AGAIN_S

    def _drop_read(self, alerts: tuple[Alert, ...]) -> None:
        read = {a.key for a in alerts if a.acknowledged}
        unread = {a.key for a in alerts if not a.acknowledged}
        self._waiting = [u for u in self._waiting if u.key not in read - unread]

    def _hear_runs(self, snapshot: Snapshot, now_s: float) -> None:
        begun = [snapshot.run] if snapshot.run is not None else []
        for run in (*snapshot.runs[-3:], *begun):
            identity = (run.number, run.start_s, run.finished)
            if run.kind is not RunKind.PULL or identity in self._runs_told:
                continue
            self._runs_told.add(identity)
            if not self._fresh:
                text = spoken_run(run, self.display)
                self._say(Utterance(text, Priority.CALL_OUT, "run", now_s))

    def _say(self, utterance: Utterance) -> None:
        # A newer word on the same matter takes the place of the older.
        self._waiting = [u for u in self._waiting if u.key != utterance.key]
        self._waiting.append(utterance)

    def tone(self, snapshot: Snapshot, now_s: float) -> float | None:
        """Return the error to sound now as a share, None for silence.

        The larger error of the widebands whose readings count speaks; never over a danger.
        """
        if self._speaking is not None and self._speaking.priority is Priority.DANGER:
            return None
        if now_s - self._toned_s < TONE_EVERY_S:
            return None
        errors = [
            m.error for m in snapshot.mixtures.values() if m.error is not None and not m.rejected
        ]
        worst = max(errors, key=abs, default=0.0)
        if abs(worst) < TONE_FROM:
            return None
        self._toned_s = now_s
        return worst


def spoken_alert(group: AlertGroup, alerts: tuple[Alert, ...]) -> str:
    """Return an alert in a few words; in danger, what to do as well."""
    sides = {
        cylinder.value
        for a in alerts
        if a.number in group.numbers
        and a.channel is not None
        and (cylinder := CHANNELS[a.channel].cylinder) in (Cylinder.FRONT, Cylinder.REAR)
        and cylinder is not None
    }
    where = f", {' and '.join(sorted(sides))}" if sides else ""
    said = f"{group.title}{where}."
    if group.severity is not Severity.CRITICAL:
        return said
    deed = group.message.rsplit(". ", 1)[-1].split(";", 1)[0].rstrip(".")
    return f"{said} {deed}."


def spoken_run(run: Run, display: Display) -> str:
    """Return a pull as a call-out: that it has begun, or what it came to."""
    if not run.finished:
        return f"Pull {run.number}."
    words = [f"Pull {run.number}"]
    if run.power_kw is not None:
        value, unit = in_units(run.power_kw.value, Unit.KILOWATT, display)
        words.append(f"{number(value, 0)} {_SPOKEN_UNITS[unit]}")
    if run.new_cells:
        words.append(added_words(run.new_cells).removeprefix("+"))
    return ". ".join(words) + "."


def _rank(utterance: Utterance) -> tuple[int, bool, float]:
    # Of two dangers the newer goes first; of anything else the older.
    newer_first = utterance.priority is Priority.DANGER
    age = utterance.made_s if newer_first else -utterance.made_s
    return utterance.priority, utterance.interrupts, age


def _identity(alert: Alert) -> tuple[int, float]:
    return alert.number, alert.raised_s
