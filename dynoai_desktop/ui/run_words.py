"""What this pull or the last one was, what it added, and what the session is worth: the words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.live.gates import GATE_TITLES
from dynoai_desktop.core.live.quality import Quality
from dynoai_desktop.core.live.runs import Peak, Run
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.units import Display, Unit
from dynoai_desktop.ui.mixture_words import ON_TARGET
from dynoai_desktop.ui.widgets.map_views import SIDE_LETTERS, signed
from dynoai_desktop.ui.wording import glance, in_units, number

KIND_TITLES = {
    RunKind.PULL: "Pull",
    RunKind.SWEEP: "Sweep",
    RunKind.HOLD: "Hold",
    RunKind.COAST_DOWN: "Coast-down",
}
_95 = 1.96  # standard errors to either side
_IDLE_BELOW_RPM = 1500.0  # idling is a hold, too, and must not push the last pull off the card
_REASONS = 5
_GOOD, _FAIR = 80.0, 50.0


@dataclass(frozen=True, slots=True)
class PeakWords:
    """A peak in the tuner's units; *change* against the last run, "" where there is none."""

    value: str
    unit: str
    at: str
    change: str


@dataclass(frozen=True, slots=True)
class RunWords:
    """One run."""

    title: str
    state: str
    going_on: bool
    peaks: tuple[PeakWords, ...]
    leanest: str
    leanest_at: str
    leanest_is_lean: bool
    accepted: str
    reasons: tuple[str, ...]  # why readings of it were rejected, most frequent first
    added: str


@dataclass(frozen=True, slots=True)
class QualityWords:
    """The score, a word for it with its state colour, and its parts, 0 to 100."""

    score: str
    word: str
    state: str
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class CardWords:
    """Everything on the card."""

    run: RunWords | None
    accepted: str  # since the start
    reasons: tuple[str, ...]  # why readings were rejected, most frequent first
    quality: QualityWords | None
    delay: str
    off: str


def card_words(snapshot: Snapshot, display: Display) -> CardWords:
    """Return what the card says about a snapshot."""
    run = run_to_show(snapshot)
    rejected = sum(snapshot.rejected.values())
    return CardWords(
        run=None if run is None else _run_words(run, display),
        accepted=share_words(snapshot.accepted, rejected),
        reasons=reason_words(snapshot.rejected),
        quality=None if snapshot.quality is None else quality_words(snapshot.quality),
        delay=_delay_words(snapshot),
        off="" if snapshot.enabled else "Live analysis is off  [E]",
    )


def run_to_show(snapshot: Snapshot) -> Run | None:
    """Return the run going on, or the last one; coasting and idling leave the last one standing."""
    going_on = () if snapshot.run is None else (snapshot.run,)
    runs = (*going_on, *reversed(snapshot.runs))
    return next((run for run in runs if _is_telling(run)), None)


def _is_telling(run: Run) -> bool:
    if run.kind is RunKind.HOLD:
        return run.start_rpm >= _IDLE_BELOW_RPM
    return run.kind is not RunKind.COAST_DOWN


def _run_words(run: Run, display: Display) -> RunWords:
    peaks = [
        _peak_words(run, run.power_kw, Unit.KILOWATT, display),
        _peak_words(run, run.torque_nm, Unit.NEWTON_METRE, display),
    ]
    leanest, leanest_at = "", ""
    if run.leanest is not None:
        lean = run.leanest
        value, unit = in_units(lean.measured, Unit.LAMBDA, display)
        letter = SIDE_LETTERS[lean.cylinder]
        error = f"{signed(100.0 * lean.error, 0)} %"
        leanest = f"{letter} {error}  {unit.value} {glance(value, unit)}".strip()
        leanest_at = f"at {number(lean.rpm, 0)} rpm"
    duration = f"{run.end_s - run.start_s:.1f} s"
    return RunWords(
        title=f"{KIND_TITLES[run.kind]} {run.number}",
        state=duration if run.finished else f"now, {duration}",
        going_on=not run.finished,
        peaks=tuple(p for p in peaks if p is not None),
        leanest=leanest,
        leanest_at=leanest_at,
        leanest_is_lean=run.leanest is not None and run.leanest.error >= ON_TARGET,
        accepted=share_words(run.accepted, run.rejected),
        reasons=reason_words(dict(run.reasons)),
        added=added_words(run.new_cells),
    )


def _peak_words(run: Run, peak: Peak | None, unit: Unit, display: Display) -> PeakWords | None:
    if peak is None:
        return None
    value, shown = in_units(peak.value, unit, display)
    at = f"@ {number(peak.rpm, 0)}"
    return PeakWords(number(value, 1), shown.value, at, _change_words(run, unit, display))


def _change_words(run: Run, unit: Unit, display: Display) -> str:
    """Return the difference to the last run of the kind with its 95 % interval."""
    versus = run.versus
    if versus is None:
        return ""
    power = versus.power_kw, versus.power_se_kw
    change, se = power if unit is Unit.KILOWATT else (versus.torque_nm, versus.torque_se_nm)
    if change is None or se is None:
        return ""
    gain = in_units(1.0, unit, display)[0]
    difference = f"{signed(change * gain, 1)} ±{number(_95 * se * gain, 1)}"
    return f"{difference} against {KIND_TITLES[run.kind].lower()} {versus.number}"


def added_words(cells: int) -> str:
    """Return what a run added to the coverage of the planned cells.

    >>> added_words(0), added_words(1), added_words(4)
    ('no cell added', '+1 cell covered', '+4 cells covered')
    """
    if cells <= 0:
        return "no cell added"
    return f"+{cells} cell{'' if cells == 1 else 's'} covered"


def share_words(accepted: int, rejected: int) -> str:
    """Return how many readings counted.

    >>> share_words(81, 19), share_words(0, 0)
    ('accepted 81 % of 100 readings', 'no reading yet')
    """
    total = accepted + rejected
    if not total:
        return "no reading yet"
    return f"accepted {100.0 * accepted / total:.0f} % of {number(total, 0)} readings"


def reason_words(rejected: Mapping[str, int]) -> tuple[str, ...]:
    """Return why readings were rejected, in the order given: most frequent first.

    >>> reason_words({"tip_in": 9, "overrun": 6})
    ('tip-in 9', 'overrun 6')
    """
    named = list(rejected.items())[:_REASONS]
    words = [f"{_title(key)} {number(n, 0)}" for key, n in named]
    others = sum(rejected.values()) - sum(n for _, n in named)
    return (*words, f"others {number(others, 0)}") if others else tuple(words)


def _title(key: str) -> str:
    title = GATE_TITLES.get(key, key)
    return title[:1].lower() + title[1:]


def quality_words(quality: Quality) -> QualityWords:
    """Return the score with its word and its parts."""
    word, state = ("poor", "danger")
    if quality.score >= _GOOD:
        word, state = "good", "good"
    elif quality.score >= _FAIR:
        word, state = "fair", "attention"
    parts = (
        ("fresh", quality.freshness),
        ("coverage", quality.coverage),
        ("channels", quality.channels),
    )
    return QualityWords(number(quality.score, 0), word, state, parts)


def _delay_words(snapshot: Snapshot) -> str:
    delay = snapshot.delay
    if delay is None or not snapshot.cylinders:
        return ""
    half = 1000.0 * (delay.high_s - delay.low_s) / 2.0
    how = "measured" if delay.measured else "assumed"
    return f"wideband {1000.0 * delay.delay_s:.0f} ±{half:.0f} ms, {how}"
