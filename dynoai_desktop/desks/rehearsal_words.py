"""The simulator's tables in words: vehicles, scenarios, and who ought to notice which fault."""

from __future__ import annotations

from collections.abc import Iterable

from dynoai_desktop.capture.bus_faults import BUS_FAULTS, COUNTER, NOBODY
from dynoai_desktop.core.live.alert_rules import ALERT_RULES
from dynoai_desktop.core.live.gates import GATE_TITLES
from dynoai_desktop.core.simulator.faults import ALERT, ANALYSIS, FAULTS, GATE, PERSON, PREFLIGHT
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.tuning.programme import ROUNDS
from dynoai_desktop.core.trust.preflight import CHECKS
from dynoai_desktop.ui.rehearsal import Choice, FaultRow

_CHECK_TITLES = {check.id: check.title for check in CHECKS}
_ALERT_TITLES = {rule.key: rule.title for rule in ALERT_RULES}
_TITLES = {PREFLIGHT: _CHECK_TITLES, ALERT: _ALERT_TITLES, GATE: GATE_TITLES}
_WHO = {
    PREFLIGHT: "Preflight",
    ALERT: "Live alert",
    GATE: "Samples rejected",
    ANALYSIS: "Analysis",
    PERSON: "You",
    COUNTER: "Counted",
}


def vehicles() -> tuple[Choice, ...]:
    """Return every vehicle that can be simulated."""
    return tuple(Choice(key, profile.title) for key, profile in PROFILES.items())


def scenarios() -> tuple[Choice, ...]:
    """Return every tune to start from."""
    return tuple(Choice(key, scenario.title) for key, scenario in SCENARIOS.items())


def rounds() -> tuple[Choice, ...]:
    """Return every way to drive between two corrections."""
    return tuple(Choice(key, row.title) for key, row in ROUNDS.items())


def faults() -> tuple[FaultRow, ...]:
    """Return every fault of machine and wire."""
    machine = (FaultRow(f.key, f.title, noticed(f.noticed_by)) for f in FAULTS.values())
    wire = (FaultRow(f.key, f.title, noticed(f.noticed_by)) for f in BUS_FAULTS.values())
    return (*machine, *wire)


def noticed(by: Iterable[tuple[str, str]]) -> str:
    """Return who ought to notice what, in words.

    >>> noticed([("alert", "knock"), ("analysis", "knock limit")])
    'Live alert: Knock · Analysis: knock limit'
    """
    return " · ".join(
        "Nobody: every figure must stay right"
        if who == NOBODY
        else f"{_WHO[who]}: {_TITLES.get(who, {}).get(what, what.replace('_', ' '))}"
        for who, what in by
    )
