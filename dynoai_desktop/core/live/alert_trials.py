"""Scenarios and the alerts they must raise: misses, false alarms and reaction times, counted.

Every scenario is a healthy session of two pulls with one thing wrong from some moment on. What it
must raise stands in its row; anything else it raises, unless the row allows it, is a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.limits import AlertLimits, LiveSettings
from dynoai_desktop.core.live.trial_world import START, TableError, World, pull, window
from dynoai_desktop.core.samples import WINDOWS_PER_S, Aggregate

Means = dict[Channel, float]
# Returns what is heard in a window *since* windows after the trouble began (negative: before).
Change = Callable[[Means, int], Means]

_C = Channel
_TROUBLE_FROM = round(2.6 * WINDOWS_PER_S)  # in the middle of the first pull
REDLINE_RPM = 6800.0
_PULL = pull(4.0)


@dataclass(frozen=True, slots=True)
class AlertScenario:
    """One thing that goes wrong."""

    key: str
    change: Change
    expected: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()  # may be raised besides
    lost_every: int = 0  # windows between two with a lost datagram
    pulls: int = 2


@dataclass(frozen=True, slots=True)
class AlertCount:
    """What a scenario raised over many sessions."""

    key: str
    sessions: int
    missed: int
    false_alarms: tuple[str, ...]  # one entry per session and rule
    slowest_s: float  # from the first bad window to the alert, both ends included


def _nothing_wrong(means: Means, _since: int) -> Means:
    return means


def _from_then_on(**changes: float) -> Change:
    """Return a change that sets channels to values from the trouble on."""
    values = {Channel(name): value for name, value in changes.items()}

    def change(means: Means, since: int) -> Means:
        return means | values if since >= 0 else means

    return change


def _scaled(channel: Channel, factor: float, windows: int = 10**9) -> Change:
    """Return a change that scales one channel for some windows from the trouble on."""

    def change(means: Means, since: int) -> Means:
        if 0 <= since < windows:
            return means | {channel: means[channel] * factor}
        return means

    return change


def _without(*channels: Channel, before: bool = False) -> Change:
    """Return a change that silences channels from the trouble on, or from the beginning."""

    def change(means: Means, since: int) -> Means:
        if before or since >= 0:
            return {c: v for c, v in means.items() if c not in channels}
        return means

    return change


def _frozen(channel: Channel) -> Change:
    held: list[float] = []

    def change(means: Means, since: int) -> Means:
        if since < 0:
            held.clear()
            return means
        if not held:
            held.append(means[channel])
        return means | {channel: held[0]}

    return change


def _silence(means: Means, since: int) -> Means:
    return {} if 0 <= since < 4 * WINDOWS_PER_S else means


def _boosted(means: Means, since: int) -> Means:
    if means[_C.MAP] < 80.0:
        return means
    lean = 0.94 if since >= 0 else 0.80
    return means | {_C.MAP: means[_C.MAP] + 60.0, _C.LAMBDA_FRONT: lean, _C.LAMBDA_CMD: 0.80}


def _weaker(means: Means, since: int) -> Means:
    pulls = (since + _TROUBLE_FROM) // _PULL.windows
    return means | {_C.POWER: means[_C.POWER] * (1.0 - 0.015 * pulls)}


def _row(
    key: str,
    change: Change,
    *expected: str,
    allowed: Iterable[str] = (),
    lost_every: int = 0,
    pulls: int = 2,
) -> AlertScenario:
    return AlertScenario(
        key,
        change,
        frozenset(expected),
        frozenset(allowed),
        lost_every,
        pulls,
    )


SCENARIOS: tuple[AlertScenario, ...] = (
    _row("healthy", _nothing_wrong),
    _row("lean", _scaled(_C.LAMBDA_FRONT, 1.16, 20), "lean_under_load"),
    _row("lean in boost", _boosted, "lean_under_load",
         allowed=("wideband_dead", "wideband_disagreement")),
    _row("rich", _scaled(_C.LAMBDA_REAR, 0.75), "rich_under_load",
         allowed=("wideband_disagreement",)),
    _row("knock", _from_then_on(knock_f=4.0), "knock"),
    _row("over-rev", _scaled(_C.RPM, 1.25), "over_rev"),
    _row("hot engine", _from_then_on(ect=156.0), "over_temperature"),
    _row("hot intake", _from_then_on(iat=60.0), "intake_hot"),
    _row("not charging", _from_then_on(vbatt=11.4), "low_battery"),
    _row("frozen rpm", _frozen(_C.RPM), "rpm_frozen"),
    _row("dead wideband", _frozen(_C.LAMBDA_REAR), "wideband_dead", pulls=4),
    _row("front and rear apart", _scaled(_C.LAMBDA_FRONT, 0.83), "wideband_disagreement",
         allowed=("rich_under_load",), pulls=3),
    _row("leaking exhaust", _scaled(_C.LAMBDA_FRONT, 1.65), "lambda_implausible",
         allowed=("lean_under_load", "wideband_disagreement", "wideband_dead")),
    _row("wideband unplugged", _without(_C.LAMBDA_FRONT), "stale_channel"),
    _row("MAP lost", _without(_C.MAP), "stale_channel"),
    _row("no MAP channel", _without(_C.MAP, before=True), "missing_channel"),
    _row("no wideband", _without(_C.LAMBDA_FRONT, _C.LAMBDA_REAR, before=True), "missing_channel"),
    _row("wrong baro", _from_then_on(baro=72.0), "out_of_range"),
    _row("lossy network", _nothing_wrong, "loss", lost_every=10),
    _row("cable pulled", _silence, "silence"),
    _row("heat soak", _weaker, "power_falling", pulls=4),
)  # fmt: skip


def play(scenario: AlertScenario, seed: int) -> Iterator[Aggregate]:
    """Yield the windows of a scenario."""
    world = World(TableError(seed, 0.015), TableError(seed + 500, 0.015), command=0.87)
    for aggregate in world.drive(_PULL.times(scenario.pulls), seed):
        passed = aggregate.index - START
        means = scenario.change(dict(aggregate.means), passed - _TROUBLE_FROM)
        lost = int(bool(scenario.lost_every) and passed % scenario.lost_every == 0)
        yield window(aggregate.index, means, lost)


def count_alerts(scenario: AlertScenario, seeds: Iterable[int]) -> AlertCount:
    """Play a scenario over many seeds and count."""
    settings = LiveSettings(alerts=AlertLimits(redline_rpm=REDLINE_RPM))
    missed, false_alarms, slowest_s, sessions = 0, list[str](), 0.0, 0
    for seed in seeds:
        sessions += 1
        engine = LiveEngine(settings=settings)
        for aggregate in play(scenario, seed):
            engine.observe(aggregate)
        raised = {alert.key: alert for alert in reversed(engine.alert_log)}
        missed += len(scenario.expected - raised.keys())
        false_alarms += sorted(raised.keys() - scenario.expected - scenario.allowed)
        began_s = (START + _TROUBLE_FROM) / WINDOWS_PER_S
        waits = [raised[key].raised_s - began_s for key in scenario.expected & raised.keys()]
        slowest_s = max([slowest_s, *waits])
    return AlertCount(scenario.key, sessions, missed, tuple(false_alarms), slowest_s)


def count_all(seeds: Iterable[int]) -> tuple[AlertCount, ...]:
    """Play every scenario over the same seeds."""
    seeds = tuple(seeds)
    return tuple(count_alerts(scenario, seeds) for scenario in SCENARIOS)
