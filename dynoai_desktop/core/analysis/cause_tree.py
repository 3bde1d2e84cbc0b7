"""What could be the cause, how sure that is, and which test would tell.

A hypothesis takes its measure either from the contest of patterns in the fuel tables, where the
probabilities of all causes add up to one, or from a detector of its own. Confidence is a
probability; evidence that points the same way can only raise it. This is diagnosis: nothing here
changes a tune.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, isfinite, log

from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.findings import Finding
from dynoai_desktop.core.analysis.hypotheses import HYPOTHESES, SHAPE_KEY, Category, Hypothesis
from dynoai_desktop.core.analysis.patterns import Explanation, explain, measured_nodes

_SHOWN_FROM = 0.05
_LIKELY_FROM = 0.7


@dataclass(frozen=True, slots=True)
class Cause:
    """A hypothesis with its measure."""

    hypothesis_id: str
    title: str
    category: Category
    confidence: float  # 0 to 1
    log_odds: float  # orders causes whose confidence is the same
    effect: float
    se: float
    unit: str
    supports: tuple[str, ...]
    opposes: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CauseTree:
    """All causes worth a look, likeliest first."""

    causes: tuple[Cause, ...]
    summary: str
    notes: tuple[str, ...]


def rank(evidence: Evidence) -> CauseTree:
    """Return the causes worth a look, likeliest first."""
    causes: list[Cause] = []
    notes: list[str] = []
    patterns = _patterns(evidence)
    if patterns is None:
        notes.append("No fuel table could be estimated, so causes in the fuel were not looked at.")
    for row in HYPOTHESES:
        cause = None
        if row.pattern is not None and patterns is not None:
            cause = _from_pattern(row, patterns)
        elif row.detect is not None:
            finding = row.detect(evidence)
            cause = None if finding is None else _from_finding(row, finding)
        if cause is not None and cause.confidence >= _SHOWN_FROM:
            causes.append(cause)
    causes = _mind_spoilt(causes)
    causes.sort(key=lambda c: (-round(c.confidence, 3), -c.log_odds, c.hypothesis_id))
    likely = [cause for cause in causes if cause.confidence >= _LIKELY_FROM]
    summary = (
        f"{len(likely)} likely: " + "; ".join(cause.title for cause in likely)
        if likely
        else "Nothing stands out."
    )
    return CauseTree(tuple(causes), summary, tuple(notes))


def _mind_spoilt(causes: list[Cause]) -> list[Cause]:
    """Return the causes, those read from the tables doubted where a signal put cells wrongly."""
    rows = {row.hypothesis_id: row for row in HYPOTHESES}
    spoiling = [
        c for c in causes if rows[c.hypothesis_id].spoils_tables and c.confidence >= _LIKELY_FROM
    ]
    if not spoiling:
        return causes
    why = f"{spoiling[0].title}, so cells of the table cannot be trusted"
    return [
        replace(c, confidence=0.3 * c.confidence, opposes=(why, *c.opposes))
        if rows[c.hypothesis_id].pattern is not None
        else c
        for c in causes
    ]


def confidence(log_odds: float) -> float:
    """Return the probability of given log odds.

    >>> confidence(0.0)
    0.5
    """
    if log_odds > 30.0:
        return 1.0
    odds = exp(max(log_odds, -60.0))
    return odds / (1.0 + odds)


def _from_finding(row: Hypothesis, finding: Finding) -> Cause:
    odds = row.prior + finding.log_bayes
    return Cause(
        row.hypothesis_id,
        row.title,
        row.category,
        min(row.most, confidence(odds)),
        odds,
        finding.effect,
        finding.se,
        finding.unit,
        finding.supports,
        finding.opposes,
        row.checks,
    )


def _patterns(evidence: Evidence) -> dict[str, Explanation] | None:
    nodes = measured_nodes(evidence.fits)
    if nodes is None:
        return None
    explanations, shaped = explain(nodes)
    found = {e.key: e for e in explanations}
    size = float(abs(nodes.y).mean())
    odds = log(max(shaped, 1e-9) / max(1.0 - shaped, 1e-9))
    found[SHAPE_KEY] = Explanation(
        SHAPE_KEY, shaped, size, 0.0, odds, float(nodes.y.max()), float(nodes.y.min())
    )
    return found


def _from_pattern(row: Hypothesis, patterns: dict[str, Explanation]) -> Cause | None:
    mine = patterns.get(row.pattern or "")
    if mine is None:
        return None
    supports, opposes = _in_words(mine, patterns)
    return Cause(
        row.hypothesis_id,
        row.title,
        row.category,
        min(row.most, mine.probability),
        mine.log_bayes,
        100.0 * mine.amount,
        100.0 * mine.amount_se,
        "%",
        supports,
        opposes,
        row.checks,
    )


def _in_words(
    mine: Explanation, patterns: dict[str, Explanation]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return up to three pieces of evidence for a pattern, and what speaks against it."""
    high, low = 100.0 * mine.where_strong, 100.0 * mine.where_weak
    if mine.key == SHAPE_KEY:
        says = (
            f"measured cells are off by {100 * mine.amount:.1f} % on average",
            f"from {low:+.1f} % to {high:+.1f} % over the table",
        )
        return (says, ()) if mine.probability > 0.2 else ((), says[:1])
    word = "lean" if mine.amount > 0.0 else "rich"
    size = f"{100 * abs(mine.amount):.1f} ± {100 * mine.amount_se:.1f} % {word}"
    supports = [f"its pattern over the table is {size} where it acts fully"]
    if isfinite(high) and isfinite(low):
        supports.append(f"cells where it acts most are off by {high:+.1f} %, least {low:+.1f} %")
    if mine.log_bayes > 1.0:
        times = min(exp(min(mine.log_bayes, 20.0)), 1e6)
        supports.append(f"it explains the table {times:,.0f} times better than a mistuned table")
    opposes = [
        f"{_title(other.key)}: {other.probability:.0%} likely from the same table"
        for other in patterns.values()
        if other.key not in (mine.key, SHAPE_KEY) and other.probability > 0.2
    ]
    if mine.probability <= 0.2:
        return (), (*supports[:1], *opposes)
    return tuple(supports), tuple(opposes)


def _title(pattern: str) -> str:
    return next(row.title for row in HYPOTHESES if row.pattern == pattern)
