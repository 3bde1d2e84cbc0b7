"""The one line at the foot of the window: the worst thing known, and what to do about it.

ADVICE is asked from the top; among the answers the most severe wins, and of equals the first.
"""

from __future__ import annotations

from collections.abc import Callable

from dynoai_desktop.core.trust.health import BusHealth, ProviderHealth
from dynoai_desktop.ui.alerts import alert_notice
from dynoai_desktop.ui.messages import FrameState, Notice, Severity, SourceKind
from dynoai_desktop.ui.wording import count, number, plain

LOSS_ATTENTION = 0.01
LOSS_DANGER = 0.05

_ACKNOWLEDGE = "  [A] read"
_RANK = {Severity.INFO: 0, Severity.ATTENTION: 1, Severity.DANGER: 2}


def engine_alert(state: FrameState, _health: BusHealth) -> Notice | None:
    """Tell the worst alert of the live analysis."""
    return alert_notice(state.alerts)


def recording_alarm(state: FrameState, _health: BusHealth) -> Notice | None:
    """Tell that the disk no longer takes what the screen shows."""
    alarm = state.recording.alarm
    return Notice(alarm, Severity.DANGER) if alarm else None


def source_failed(state: FrameState, _health: BusHealth) -> Notice | None:
    """Tell why there is no source."""
    if state.source.kind is not SourceKind.FAILED:
        return None
    return Notice(state.source.message, Severity.DANGER)


def own_notice(state: FrameState, _health: BusHealth) -> Notice | None:
    """Tell what the program wanted to say."""
    if state.notice is None:
        return None
    return Notice(f"{state.notice.text}{_ACKNOWLEDGE}", state.notice.severity)


def loss(state: FrameState, health: BusHealth) -> Notice | None:
    """Tell which provider's datagrams go missing."""
    worst = max(health.providers, key=lambda p: p.loss, default=None)
    if worst is None or worst.loss <= LOSS_ATTENTION:
        return None
    severity = Severity.DANGER if worst.loss > LOSS_DANGER else Severity.ATTENTION
    what = f"{plain(worst.name)}: {worst.loss:.1%} of its datagrams never arrived"
    if state.source.is_replay:
        return Notice(f"{what} when this was recorded.", severity)
    return Notice(
        f"{what}. Check cable and switch, and close programs that use the network heavily.",
        severity,
    )


def overwritten(_state: FrameState, health: BusHealth) -> Notice | None:
    """Tell that the computer does not keep up."""
    if not health.overwritten:
        return None
    return Notice(
        f"{count(health.overwritten, 'sample')} came too fast to be read. "
        "Close other programs on this computer.",
        Severity.ATTENTION,
    )


def nothing_heard(state: FrameState, health: BusHealth) -> Notice | None:
    """Tell what to check while the bus is silent."""
    if state.source.kind is not SourceKind.LIVE or health.providers:
        return None
    return Notice(
        f"Nothing heard on {state.source.interface} yet. Check that the dyno is on, that JETDRIVE "
        "is enabled in Power Core and that the firewall lets UDP port 22344 in.",
        Severity.ATTENTION,
    )


def bus_notice(state: FrameState, health: BusHealth) -> Notice | None:
    """Tell what capture wanted to say last."""
    if not health.notices or health.notices[-1] == state.acknowledged:
        return None
    return Notice(f"{plain(health.notices[-1])}{_ACKNOWLEDGE}", Severity.ATTENTION)


def what_next(state: FrameState, _health: BusHealth) -> Notice | None:
    """Tell what can be done now."""
    if state.source.kind is SourceKind.NONE:
        return Notice("Choose the network interface of the dyno on Connect, or a run on Runs.")
    if state.recording.active and state.recording.folder is not None:
        return Notice(f"Recording to {state.recording.folder.name}. Space stops.")
    return None


ADVICE: tuple[Callable[[FrameState, BusHealth], Notice | None], ...] = (
    engine_alert,
    recording_alarm,
    source_failed,
    own_notice,
    loss,
    overwritten,
    nothing_heard,
    bus_notice,
    what_next,
)


def worst_notice(state: FrameState, health: BusHealth) -> Notice | None:
    """Return what the foot of the window says; None when there is nothing to say."""
    answers = [answer for rule in ADVICE if (answer := rule(state, health)) is not None]
    return max(answers, key=lambda notice: _RANK[notice.severity], default=None)


def bus_line(health: BusHealth) -> str:
    """Return who is on the bus in one line.

    The rate is that of the fastest channel; lost counts datagrams of all providers.
    """
    providers = health.providers
    if not providers:
        return "no provider heard"
    who = plain(providers[0].name) if len(providers) == 1 else count(len(providers), "provider")
    channels = sum(p.channel_count for p in providers)
    rate = max((c.rate_hz for c in health.channels), default=0.0)
    lost = number(sum(p.lost for p in providers), 0)
    return f"{who} {channels} ch · {rate:.0f} Hz · lost {lost} · {_clock_words(providers)}"


def _clock_words(providers: tuple[ProviderHealth, ...]) -> str:
    return "clock ok" if all(p.clock_synced for p in providers) else "clock estimated"
