"""What the planner says, in the words and units of the screen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.units import Display, Unit
from dynoai_desktop.ui.plan_state import Cooling, HeatLine, PlanState, StepWish, Verdict
from dynoai_desktop.ui.wording import ABSENT, clock, count, in_sentence, number

if TYPE_CHECKING:
    from dynoai_desktop.core.planning.steps import Excluded, Gap, Plan, Step

SKIP_REASONS: tuple[tuple[str, str], ...] = (
    ("too hot", "Engine or tyre too hot"),
    ("no time", "No time for it now"),
    ("grip", "Tyre slips, strap or chock loose"),
    ("sounded wrong", "Something sounded or felt wrong"),
    ("fuel", "Fuel, oil or coolant to see to first"),
    ("neighbours", "Too loud at this hour"),
)
_LEAST_GAIN = 0.05  # points of the goal
PRIORITY_SIGNS = {1: "P1", 2: "P2", 3: "P3"}
KNOWN_SIGN = "✓"
_ON_THE_STREET = " on the street"
_SPEEDS = re.compile(r"(, | from )[0-9,]+( to [0-9,]+)? (rpm|kPa).*$")
_LIMIT_TITLES: Mapping[str, str] = {
    "min_rpm": "the lowest engine speed",
    "max_rpm": "the highest engine speed",
    "min_map_kpa": "the lowest MAP",
    "max_map_kpa": "the highest MAP",
    "min_tps_pct": "the smallest throttle",
    "max_tps_pct": "the largest throttle",
    "max_pulls_per_session": "the pulls in a session",
    "max_iat_c": "the ceiling of the intake air",
    "max_head_c": "the ceiling of the head",
}
_REGION_TITLES: Mapping[str, str] = {
    "midrange": "Midrange, high load",
    "tip_in": "Tip-in",
    "upper_range": "Upper range",
    "lugging": "Low speed, high load",
    "idle": "Idle",
    "off_idle": "Off idle",
    "cruise": "Cruise",
    "lift_off": "Lift-off",
}
_VERDICTS: Mapping[Verdict, str] = {
    Verdict.DONE: "Done",
    Verdict.SKIPPED: "Skipped today",
    Verdict.NOT_POSSIBLE: "Not possible here",
}
_HEAT_TITLES = {Channel.IAT: "Intake", Channel.ECT: "Engine"}
_ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}


def rpm_span(low: float, high: float) -> str:
    """Return where a test begins and ends, as exactly as a hand can drive it.

    >>> rpm_span(2000, 5504.2), rpm_span(851.0, 853.0)
    ('2\\xa0000 → 5\\xa0500', '850')
    """
    first, last = (number(round(rpm, -1), 0) for rpm in (low, high))
    return first if first == last else f"{first} → {last}"


def gear_words(gear: int | None) -> str:
    """Return a gear as it is spoken; a dash where it does not matter.

    >>> gear_words(3), gear_words(5), gear_words(None)
    ('3rd', '5th', '–')
    """
    return ABSENT if gear is None else _ORDINALS.get(gear, f"{gear}th")


def load_figure(step: Step, load: Axis | None, display: Display) -> tuple[str, str, str]:
    """Return title, figure and unit of what the throttle hand has to do."""
    if step.tps_pct is not None:
        return "Throttle", number(step.tps_pct, 0), "%"
    unit = load.unit if load is not None else Unit.KILOPASCAL
    title = "Throttle" if load is not None and load.channel is Channel.TPS else "MAP"
    low, high = (number(display.value(v, unit), 0) for v in step.load_range)
    return title, low if low == high else f"{low} → {high}", display.unit(unit).value


def load_words(step: Step, load: Axis | None, display: Display) -> str:
    """Return the same in a few words: "100 % throttle", "40 → 85 kPa"."""
    title, figure, unit = load_figure(step, load, display)
    return f"{figure} {unit} throttle" if title == "Throttle" else f"{figure} {unit}"


def seconds_words(seconds: float) -> tuple[str, str]:
    """Return a duration with its unit; from 100 s on in minutes.

    >>> seconds_words(11.4), seconds_words(150)
    (('11', 's'), ('2.5', 'min'))
    """
    return (number(seconds, 0), "s") if seconds < 100 else (number(seconds / 60, 1), "min")


def gain_words(step: Step) -> tuple[str, str, str]:
    """Return title, figure and unit of what a step adds, with one standard deviation of doubt.

    The goal is cells of the first priority; what helps none of them adds movements, or others.
    """
    gain, doubt = step.expected_coverage_gain, step.expected_coverage_doubt
    if gain >= _LEAST_GAIN:
        figure = f"+{number(gain, 0 if gain >= 9.95 else 1)}"
        return "Adds to the goal", figure, f"% ±{number(doubt, 1)}"
    if step.movements:
        kind = step.movements[0].kind.value.replace("_", "-")
        return "Adds", f"+{len(step.movements) * step.pulls}", f"{kind}s"
    return "Adds to", PRIORITY_SIGNS.get(step.priority, f"P{step.priority}"), "cells"


def short_name(step: Step) -> str:
    """Return what a test is called where its speeds and its gear stand beside it."""
    name, street, _ = step.name.partition(_ON_THE_STREET)
    return _SPEEDS.sub("", name) + street


def next_line(plan: Plan, load: Axis | None, display: Display) -> str:
    """Return the next pull in one line for the foot of the window; "" when there is none."""
    if not plan.steps:
        return ""
    step = plan.steps[0]
    parts = [f"Next: {short_name(step)}", f"{rpm_span(*step.rpm_range)} rpm"]
    if step.gear is not None:
        parts.append(gear_words(step.gear))
    if step.tps_pct is None or "throttle" not in step.name:
        parts.append(load_words(step, load, display))
    if step.pulls > 1:
        parts.append(f"{step.pulls} ×")
    return " · ".join(parts)


def checklist_text(state: PlanState, display: Display) -> str:
    """Return the plan to print or to read aloud; "" where there is none."""
    from dynoai_desktop.core.planning.checklist import checklist

    if state.plan is None:
        return ""
    whose = f"{state.vehicle}{' SIMULATED' if state.simulated else ''}"
    return f"{whose}\n{checklist(state.plan, display.system)}"


def in_units(text: str, display: Display) -> str:
    """Return words of a step with their temperatures in the tuner's unit alone."""
    from dynoai_desktop.core.planning import checklist

    return checklist.in_units(text, display.system)


def progress_words(plan: Plan) -> str:
    """Return how far the goal is."""
    if not plan.cells_total:
        return "No cell of the goal is known yet."
    if not plan.cells_open:
        return f"All {plan.cells_total} cells of the goal are known well enough."
    return f"{plan.cells_open} of {plan.cells_total} cells still open"


def gap_title(gap: Gap) -> str:
    """Return what a region is called."""
    return _REGION_TITLES.get(gap.key, gap.description)


def gap_words(gap: Gap) -> str:
    """Return how much of a region is known, and what it still wants."""
    wanted = [f"{gap.open_cells} of {gap.total_cells} open"] if gap.open_cells else []
    if gap.events_wanted:
        wanted.append(f"{count(gap.events_wanted, 'event')} wanted")
    return " · ".join([f"{number(gap.coverage_pct, 0)} %", *wanted])


def in_words(text: str) -> str:
    """Return a sentence of the planner with limits called as on their page.

    >>> in_words("min_rpm must be below max_rpm.")
    'The lowest engine speed must be below the highest engine speed.'
    """
    text = without_names(text)
    return text[:1].upper() + text[1:]


def without_names(text: str) -> str:
    """Return words of the planner with limits called as on their page.

    >>> without_names("starts at 20 kPa (min_map_kpa)")
    'starts at 20 kPa (the lowest MAP)'
    """
    for name, title in _LIMIT_TITLES.items():
        text = text.replace(name, title)
    return text


def excluded_words(rows: Iterable[Excluded]) -> list[str]:
    """Return, for each limit once, what it excludes and the smallest change that helps."""
    said = (f"{_sentence(row.reason)} {_sentence(row.smallest_change)}".strip() for row in rows)
    return list(dict.fromkeys(said))


def _sentence(text: str) -> str:
    text = in_words(text.strip())
    return text if not text or text.endswith(".") else f"{text}."


def answer_words(wish: StepWish, name: str, recorded: bool) -> str:
    """Return what becomes of an answer, in a sentence or two."""
    if wish.verdict is Verdict.SKIPPED:
        return f"Skipped today: {name}. Z takes it back."
    if wish.verdict is Verdict.NOT_POSSIBLE:
        return f"Tests like this are not planned on this dyno any more: {name}. Z takes it back."
    if recorded:
        return f"Done: {name}. It is compared with what was promised when the recording ends."
    return (
        f"Done: {name}. It was not recorded, so nothing was learned and the plan stays as it is. "
        "Press Space before the next one."
    )


def answer_lines(state: PlanState) -> list[str]:
    """Return what was said today, a line each, the latest last."""
    names = {} if state.plan is None else state.plan.names
    said = []
    for wish in state.answers:
        why = f" ({wish.reason})" if wish.reason else ""
        said.append(f"{_VERDICTS[wish.verdict]}{why}: {names.get(wish.step, wish.step)}.")
    return [*said[:-1], f"{said[-1]} Z takes it back."] if said else []


def cooling_figure(cooling: Cooling | None, display: Display) -> str:
    """Return what stands in the ring: degrees still to go, time left, or a sign."""
    if cooling is None or cooling.driving:
        return ABSENT
    if cooling.is_ready:
        return "✓"
    if cooling.by_time:
        return clock(cooling.usual_s - cooling.since_s)
    worst = min(cooling.heard, key=lambda line: line.share)
    assert worst.now_c is not None  # it is heard
    return f"+{_degrees(worst.now_c, display) - _degrees(worst.began_c, display)}°"


def cooling_words(cooling: Cooling | None) -> str:
    """Return what the ring means, in a sentence."""
    if cooling is None:
        return "No pull yet: nothing to wait for."
    name = f"pull {cooling.number}"
    if cooling.driving:
        return f"Now: {name}."
    if cooling.settled:
        return f"Settled above where {name} began: it will not get cooler."
    if cooling.by_time:
        usual = clock(cooling.usual_s)
        how = "over" if cooling.is_ready else "under way"
        return f"No temperature is heard: by time, the usual {usual} are {how}."
    if cooling.is_ready:
        return f"Back where {name} began."
    return f"Above where {name} began. {clock(cooling.since_s)} since it ended."


def heat_words(line: HeatLine, display: Display) -> str:
    """Return one temperature against the beginning of the last pull.

    >>> heat_words(HeatLine(Channel.IAT, 31.0, 44.0, None), Display())
    'Intake – °F, began 88'
    """
    unit = display.unit(Unit.CELSIUS).value
    title = _HEAT_TITLES.get(line.channel, in_sentence(CHANNELS[line.channel].title))
    now = ABSENT if line.now_c is None else str(_degrees(line.now_c, display))
    return f"{title} {now} {unit}, began {_degrees(line.began_c, display)}"


def _degrees(celsius: float, display: Display) -> int:
    return round(display.value(celsius, Unit.CELSIUS))
