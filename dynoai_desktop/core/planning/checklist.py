"""A plan as plain text: to print, or to be read aloud beside the dyno."""

from __future__ import annotations

import re

from dynoai_desktop.core.planning.candidates import counted_pulls
from dynoai_desktop.core.planning.drafts import gear_words
from dynoai_desktop.core.planning.steps import Plan, Step
from dynoai_desktop.core.units import UnitSystem

_BOTH = re.compile(r"(-?\d+ °C) \((-?\d+ °F)\)")


def checklist(plan: Plan, units: UnitSystem) -> str:
    """Return the plan as lines with a box to tick for every step; ends with a line break."""
    lines = [
        f"{plan.coverage_pct:.0f} % of the cells that matter most are known; "
        f"{plan.cells_open} of {plan.cells_total} are open."
    ]
    if plan.message:
        lines.append(plan.message)
    for number, step in enumerate(plan.steps, start=1):
        lines += ["", *_step_lines(number, step)]
    if plan.steps:
        minutes = sum(step.minutes for step in plan.steps)
        pulls = sum(counted_pulls(step) for step in plan.steps)
        lines += ["", f"Together {_count(pulls, 'pull')} in {minutes:.0f} minutes with cooling."]
    if plan.excluded:
        lines += ["", "Left out by the limits:"]
        lines += [f"  - {one.reason}. {one.smallest_change}." for one in plan.excluded]
    return in_units("\n".join(lines) + "\n", units)


def in_units(text: str, units: UnitSystem) -> str:
    """Return a text with its temperatures in one unit only.

    >>> in_units("intake air above 54 °C (130 °F)", UnitSystem.US)
    'intake air above 130 °F'
    """
    return _BOTH.sub(r"\2" if units is UnitSystem.US else r"\1", text)


def _step_lines(number: int, step: Step) -> list[str]:
    times = "" if step.pulls == 1 else f", {step.pulls} times"
    lines = [f"[ ] {number}. {step.name}{times}", f"    {step.goal}."]
    how = []
    if step.gear is not None and gear_words(step.gear) not in step.name:
        how.append(f"{gear_words(step.gear)} gear")
    how.append(f"{step.minutes:.1f} minutes, of which {_cooling(step)} cooling")
    lines.append(f"    {'; '.join(how)}.")
    if step.expected_coverage_gain >= 0.5:
        lines.append(
            f"    Adds {step.expected_coverage_gain:.0f} points of coverage, give or take "
            f"{max(1.0, step.expected_coverage_doubt):.0f}."
        )
    lines += [f"    Why: {one.text}" for one in step.evidence]
    lines += [f"    Limit: {words}." for words in step.constraints]
    lines += [f"    Good when: {words}." for words in step.success_criteria]
    lines.append(f"    Risk: {step.risk}")
    if step.abort:
        lines.append(f"    Close the throttle at: {'; '.join(step.abort)}.")
    return lines


def _cooling(step: Step) -> str:
    seconds = step.pulls * step.cooling_s
    return f"{seconds:.0f} s" if seconds < 90.0 else f"{seconds / 60.0:.1f} minutes"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
