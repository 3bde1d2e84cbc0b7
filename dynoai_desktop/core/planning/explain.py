"""Why a step is worth driving, in the words of a tuner and with its numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.knowledge import Z95, Knowledge
from dynoai_desktop.core.planning.score import PathInformation
from dynoai_desktop.core.planning.standing import Standing
from dynoai_desktop.core.planning.steps import Evidence, Step, WayToGoal

REASONS = 3
_OPEN = 0.5  # beyond this nothing is known, and a figure would say otherwise
NOT_KNOWN = "not at all"
_SPEAKS_FOR = 0.25  # of a cylinder's gain is what its cell stands for


@dataclass(frozen=True, slots=True)
class _Said:
    worth: float
    text: str


def reasons(
    before: Standing, after: Standing, step: Step, told: PathInformation, knowledge: Knowledge
) -> tuple[Evidence, ...]:
    """Return the three best reasons for a step, heaviest first, with their share of its worth.

    *told* is what the step tells in all its pulls; *knowledge* names the axes.
    """
    said = [
        *_cells_home(before, after),
        *_worst_cell(before, after, knowledge),
        *_movements(before, after),
        *_new_ground(told, step, knowledge),
        *_time(before, after, step),
    ]
    said = sorted((one for one in said if one.worth > 0.0), key=lambda one: (-one.worth, one.text))
    total = sum(one.worth for one in said)
    # Rounded down, so that shares never add up to more than the whole.
    return tuple(
        Evidence(one.text, math.floor(1000.0 * one.worth / total) / 1000.0)
        for one in said[:REASONS]
    )


def what_it_takes(way: WayToGoal, pulls_left: int) -> str:
    """Return what it would take to reach the goal, in one or two sentences.

    >>> what_it_takes(WayToGoal(6, 7.4, 100.0, ()), pulls_left=8)
    'Six pulls and about 7 minutes with cooling bring every cell that matters within the goal.'
    """
    if way.pulls == 0 and way.minutes == 0.0:
        if way.coverage_pct >= 100.0:
            return "Every cell that matters is within the goal."
        return "No test within the limits brings another cell within the goal."
    pulls = f"{spelled(way.pulls)} {'pull' if way.pulls == 1 else 'pulls'}"
    verb = "brings" if way.pulls == 1 else "bring"
    what = (
        "every cell that matters within the goal"
        if way.coverage_pct >= 100.0
        else f"coverage to {way.coverage_pct:.0f} %; no test within the limits reaches the rest"
    )
    minutes = max(1, round(way.minutes))
    time = f"{minutes} {'minute' if minutes == 1 else 'minutes'}"
    said = f"{pulls} and about {time} with cooling {verb} {what}."
    said = said[0].upper() + said[1:]
    if way.pulls > pulls_left:
        said += f" This session has {spelled(pulls_left)} left."
    return said


_SPELLED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def spelled(number: int) -> str:
    """Return a small number as a word.

    >>> spelled(3), spelled(24)
    ('three', '24')
    """
    return _SPELLED[number] if number < len(_SPELLED) else str(number)


def percent(share: float) -> str:
    """Return half an interval as a tuner reads it.

    >>> percent(0.0243), percent(0.03), percent(0.061), percent(2.0)
    ('±2.4 %', '±3 %', '±6 %', 'not at all')
    """
    if share >= _OPEN:
        return NOT_KNOWN
    digits = f"{100.0 * share:.{1 if share < 0.05 else 0}f}"
    return f"±{digits.removesuffix('.0')} %"


def place(rpm: float, load: float, channel: Channel) -> str:
    """Return a cell in words.

    >>> place(3500.0, 90.0, Channel.MAP)
    '3,500 rpm and 90 kPa'
    """
    unit = "kPa" if channel is Channel.MAP else "% throttle"
    return f"{rpm:,.0f} rpm and {load:.0f} {unit}"


def _half(standing: Standing, variance: F64) -> F64:
    half: F64 = Z95 * np.sqrt(np.maximum(variance, 0.0) + standing.least_variance)
    return half


def _cells_home(before: Standing, after: Standing) -> list[_Said]:
    """Say how many cells the step brings within the goal, one sentence a priority."""
    out = []
    goal = percent(before.goal.half_interval)
    for priority, words in ((1, "that matter most"), (2, "of second rank"), (3, "of third rank")):
        mine = before.priority == priority
        home, worth, open_cells = 0, 0.0, 0
        for then, now in zip(before.variances(), after.variances(), strict=True):
            open_now = mine & ~before.covered(then)
            open_cells += int(open_now.sum())
            home += int((open_now & before.covered(now)).sum())
            worth += float((before.short(then) - before.short(now))[mine].sum())
        if home:
            cells = "cell" if home == 1 else "cells"
            text = f"Brings {home} of {open_cells} open {cells} {words} within {goal}."
            out.append(_Said(worth, text))
    return out


def _worst_cell(before: Standing, after: Standing, knowledge: Knowledge) -> list[_Said]:
    """Say what becomes of the cell the step helps most, once for cylinders that stand alike."""
    found: dict[tuple[int, str, str], list[tuple[Cylinder, float]]] = {}
    for cylinder, then, now in zip(
        before.cylinders, before.variances(), after.variances(), strict=True
    ):
        gain = before.short(then) - before.short(now)
        if not gain.size or gain.max() <= 0.0:
            continue
        # Of cells that gain nearly the same, the one that was known least.
        row = int(np.lexsort((-then, -np.round(gain / gain.max(), 1)))[0])
        was = percent(float(_half(before, then)[row]))
        will = percent(float(_half(before, now)[row]))
        if was != will:
            worth = float(gain[row]) + _SPEAKS_FOR * float(gain.sum())
            found.setdefault((row, was, will), []).append((cylinder, worth))
    out = []
    for (row, was, will), who in found.items():
        r, c = divmod(int(before.rows[row]), len(knowledge.load))
        at = place(knowledge.rpm.nodes[r], knowledge.load.nodes[c], knowledge.load.channel)
        known = "not known yet" if was == NOT_KNOWN else f"known only to {was}"
        text = f"{_subject([c for c, _ in who])} at {at} is {known}; this step brings it to {will}."
        out.append(_Said(sum(worth for _, worth in who), text))
    return out


def _subject(cylinders: list[Cylinder]) -> str:
    if len(cylinders) > 1:
        return "The mixture of both cylinders"
    return {
        Cylinder.FRONT: "The front cylinder",
        Cylinder.REAR: "The rear cylinder",
        Cylinder.BOTH: "The mixture",
    }[cylinders[0]]


def _movements(before: Standing, after: Standing) -> list[_Said]:
    out = []
    for placed in before.goal.events:
        wanted = placed.region.events_wanted
        seen, then = before.events.get(placed.key, 0), after.events.get(placed.key, 0)
        if then > seen and seen < wanted:
            kind = str(placed.region.transient).replace("_", "-")
            more = f"{then - seen} {kind}{'' if then - seen == 1 else 's'}"
            low, high = placed.rpm_range
            text = (
                f"Adds {more} between {low:,.0f} and {high:,.0f} rpm: "
                f"{seen} of {wanted} wanted are there."
            )
            out.append(_Said(before.event_worth(placed, seen, then), text))
    return out


def _new_ground(told: PathInformation, step: Step, knowledge: Knowledge) -> list[_Said]:
    """Say how many cells have their first samples from this step."""
    if not told.nodes.size:
        return []
    hits = np.min([h.ravel()[told.nodes] for h in knowledge.hits.values()], axis=0)
    new = int(((hits < 1.0) & (told.hits >= 1.0)).sum())
    if not new:
        return []
    seconds = step.path.time_s.size * step.pulls / 20.0
    text = f"{new} cells without a sample so far get their first, in {seconds:.0f} s that count."
    return [_Said(0.02 * new, text)]


def _time(before: Standing, after: Standing, step: Step) -> list[_Said]:
    """Say what a minute of it brings: always true, so the last to be said."""
    gain = after.coverage_pct() - before.coverage_pct()
    minutes = step.minutes
    if gain < 0.5 or minutes <= 0.0:
        return []
    text = f"Coverage of the goal rises by {gain:.0f} points in {minutes:.1f} minutes with cooling."
    return [_Said(1e-3, text)]
