"""What a preflight comes to, in one word and one line, for the page and for the rail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dynoai_desktop.ui.messages import PreflightState
from dynoai_desktop.ui.wording import count

if TYPE_CHECKING:
    from dynoai_desktop.core.trust.preflight import CheckResult


class Outcome(StrEnum):
    """How a check stands after the user has had a say, worst first."""

    FAIL = "fail"
    OVERRIDDEN = "overridden"
    WARNING = "warning"
    SKIPPED = "skipped"
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class OutcomeLook:
    """How an outcome is shown: sign, word, and the state colour of the style sheet."""

    sign: str
    word: str
    state: str
    counted: str  # in "2 failed"


OUTCOMES: dict[Outcome, OutcomeLook] = {
    Outcome.FAIL: OutcomeLook("×", "fail", "danger", "failed"),
    Outcome.OVERRIDDEN: OutcomeLook("!", "overridden", "attention", "overridden"),
    Outcome.WARNING: OutcomeLook("!", "warning", "attention", "with a warning"),
    Outcome.SKIPPED: OutcomeLook("–", "not judged", "quiet", "not judged"),
    Outcome.PASS: OutcomeLook("✓", "pass", "good", "passed"),
}
_ORDER = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a preflight comes to. *state* is a state colour of the style sheet."""

    sign: str
    word: str  # two or three words
    detail: str
    state: str


def reason_for(check: CheckResult, overrides: Mapping[str, str]) -> str:
    """Return why the user goes on in spite of a failed check; "" where that does not count."""
    if check.status.value != "fail" or check.blocking:
        return ""
    return overrides.get(check.id, "").strip()


def outcome(check: CheckResult, overrides: Mapping[str, str]) -> Outcome:
    """Return how a check stands."""
    return Outcome.OVERRIDDEN if reason_for(check, overrides) else Outcome(check.status.value)


def worst_first(state: PreflightState) -> tuple[tuple[CheckResult, Outcome], ...]:
    """Return every check of the last report with its outcome, worst first."""
    if state.report is None:
        return ()
    rows = [(check, outcome(check, state.overrides)) for check in state.report.checks]
    return tuple(sorted(rows, key=lambda row: _ORDER.index(row[1])))


def verdict(state: PreflightState) -> Verdict:
    """Return what the page says in large letters."""
    if state.running:
        if state.elapsed_s >= state.duration_s:
            return Verdict("…", "Judging", "All is measured.", "info")
        elapsed, whole = int(state.elapsed_s), round(state.duration_s)
        return Verdict("…", "Measuring", f"{elapsed} of {whole} s", "info")
    if state.report is None:
        return Verdict(
            "–", "Not checked yet", state.message, "attention" if state.message else "quiet"
        )
    counts = Counter(found for _, found in worst_first(state))
    detail = ", ".join(
        f"{counts[found]} {shown.counted}" for found, shown in OUTCOMES.items() if counts[found]
    )
    failed, overridden = counts[Outcome.FAIL], counts[Outcome.OVERRIDDEN]
    if failed:
        return Verdict("×", f"Not ready: {count(failed, 'failure')}", detail, "danger")
    if overridden:
        return Verdict(
            "!", f"Ready, {count(overridden, 'failure')} overridden", detail, "attention"
        )
    if counts[Outcome.WARNING]:
        words = count(counts[Outcome.WARNING], "warning")
        return Verdict("!", f"Ready, {words}", detail, "attention")
    return Verdict("✓", "Ready", detail, "good")
