"""The sign and the word by which the rail says how each page is doing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.ui.advice import LOSS_ATTENTION
from dynoai_desktop.ui.messages import FrameState, SourceKind
from dynoai_desktop.ui.verdict import verdict
from dynoai_desktop.ui.wording import count


class Standing(StrEnum):
    """How a page is doing; each has a colour, never alone."""

    PLAIN = "plain"
    READY = "good"
    ATTENTION = "attention"
    BLOCKED = "danger"


@dataclass(frozen=True, slots=True)
class PageMark:
    """What the rail prints under the title of a page."""

    sign: str
    word: str
    standing: Standing = Standing.PLAIN


def connect_mark(state: FrameState, health: BusHealth) -> PageMark:
    """Return how the connection is doing."""
    if state.source.kind is SourceKind.FAILED:
        return PageMark("×", "failed", Standing.BLOCKED)
    if state.source.kind is SourceKind.NONE:
        return PageMark("!", "choose", Standing.ATTENTION)
    if not health.providers and not state.source.is_replay:
        return PageMark("!", "silent", Standing.ATTENTION)
    if any(p.loss > LOSS_ATTENTION for p in health.providers):
        return PageMark("!", "loss", Standing.ATTENTION)
    if state.source.is_replay:
        return PageMark("▶", "replay")
    if state.source.simulated:
        return PageMark("●", "simulated", Standing.ATTENTION)
    return PageMark("✓", "ready", Standing.READY)


def live_mark(state: FrameState, health: BusHealth) -> PageMark:
    """Return whether the live page has anything to show, and whether it must be looked at."""
    unread = [alert for alert in state.alerts if not alert.is_read]
    if any(alert.is_alarm for alert in unread):
        return PageMark("×", "danger", Standing.BLOCKED)
    if unread:
        return PageMark("!", count(len(unread), "alert"), Standing.ATTENTION)
    if state.source.is_replay:
        return PageMark("▶", "replay")
    if state.source.kind is SourceKind.LIVE and health.providers:
        return PageMark("●", "live", Standing.READY)
    return PageMark("–", "waiting")


def analyse_mark(state: FrameState, _health: BusHealth) -> PageMark:
    """Return how the analysis is doing, and what the log was good for."""
    analysis = state.analysis
    if analysis.running:
        return PageMark("…", f"{100 * analysis.share:.0f} %")
    if analysis.failed:
        return PageMark("×", "failed", Standing.BLOCKED)
    if analysis.payload is None:
        return PageMark("–", "no log")
    fits = analysis.payload.evidence.fits.values()
    if not any(fit.correction.hits.any() for fit in fits):
        return PageMark("!", "no fuel data", Standing.ATTENTION)
    if analysis.payload.readiness.confidence >= _GOOD_LOG:
        return PageMark("✓", "done", Standing.READY)
    return PageMark("!", "limited", Standing.ATTENTION)


_GOOD_LOG = 0.7  # of the channels an analysis would like


def plan_mark(state: FrameState, _health: BusHealth) -> PageMark:
    """Return whether there is a next pull, and whether the engine is cool enough for it."""
    plan = state.plan
    if plan.failed:
        return PageMark("×", "failed", Standing.BLOCKED)
    if plan.plan is None:
        return PageMark("…", "planning") if plan.thinking else PageMark("–", "no plan")
    if plan.plan.steps:
        cooling = plan.cooling
        if cooling is not None and not cooling.is_ready:
            return PageMark("…", "driving" if cooling.driving else "cooling")
        return PageMark("!", f"{plan.plan.cells_open} open", Standing.ATTENTION)
    if plan.plan.excluded:
        return PageMark("×", "limits", Standing.BLOCKED)
    return PageMark("✓", "done", Standing.READY)


def runs_mark(state: FrameState, _health: BusHealth) -> PageMark:
    """Return how many runs there are."""
    n = len(state.sessions)
    return PageMark("✓", count(n, "run")) if n else PageMark("–", "none yet")


def mapping_mark(state: FrameState, _health: BusHealth) -> PageMark:
    """Return whether the program knows which channel is what."""
    mapping = state.mapping.channel_map
    if not mapping.signature:
        return PageMark("–", "waiting")
    if mapping.unmapped_required:
        return PageMark("×", "missing", Standing.BLOCKED)
    if mapping.ready:
        return PageMark("✓", "ready", Standing.READY)
    if mapping.ambiguous:
        return PageMark("?", "ambiguous", Standing.ATTENTION)
    return PageMark("!", "not sure", Standing.ATTENTION)


def preflight_mark(state: FrameState, _health: BusHealth) -> PageMark:
    """Return what the last preflight came to."""
    preflight = state.preflight
    said = verdict(preflight)
    if preflight.running:
        return PageMark("…", f"{int(preflight.elapsed_s)} s")
    if preflight.report is None:
        return PageMark("–", "not run")
    standing = Standing(said.state)
    return PageMark(said.sign, "not ready" if standing is Standing.BLOCKED else "ready", standing)
