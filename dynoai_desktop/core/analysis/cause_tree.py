"""What could be the cause, how sure that is, and which test would tell.

A hypothesis takes its measure either from the contest of patterns in the fuel tables, where the
probabilities of all causes add up to one, or from a detector of its own. Confidence is a
probability; evidence that points the same way can only raise it. This is diagnosis: nothing here
changes a tune.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import exp, isfinite, log

from dynoai_desktop.core.analysis import findings as find
from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.findings import Detector, Finding
from dynoai_desktop.core.analysis.patterns import Explanation, explain, measured_nodes
from dynoai_desktop.core.channels import Cylinder

_SHOWN_FROM = 0.05
_LIKELY_FROM = 0.7
_MOST = 0.98  # a log alone is never certain


class Category(StrEnum):
    """What kind of cause it is."""

    TRANSIENT = "transient"
    KNOCK = "knock_limit"
    HEAT = "temp_trim"
    FUEL = "fuel_model"
    MECHANICAL = "mechanical"
    SIGNAL = "load_signal"
    DATA = "data_quality"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One row of the table: a cause, how it is measured, and what would tell it apart."""

    hypothesis_id: str
    title: str
    category: Category
    checks: tuple[str, ...]
    pattern: str | None = None  # its row in the contest of patterns
    detect: Detector | None = None
    prior: float = -2.0  # log odds before the log was read
    most: float = _MOST  # confidence it can reach


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


_F, _R, _B = Cylinder.FRONT, Cylinder.REAR, Cylinder.BOTH
SHAPE_KEY = "table_shape"

_SWAP_SENSORS = "Exchange the two widebands and repeat: if the difference moves with the sensor, "
_ONE_SIDE_CHECKS = (
    _SWAP_SENSORS + "it is the sensor.",
    "Compare the plugs of both cylinders after a pull cut at full throttle.",
    "Exchange the two injectors and repeat the pull.",
)


def _side(cylinder: Cylinder) -> tuple[Hypothesis, ...]:
    """Return the rows that exist once per cylinder, so that exchanging cylinders exchanges them."""
    name, other = cylinder.value, (_R if cylinder is _F else _F).value
    return (
        Hypothesis(
            f"exhaust_leak_{name}",
            f"Exhaust leak before the {name} wideband",
            Category.MECHANICAL,
            (
                "Hold a rag against the tail pipe at idle and listen, or use smoke.",
                f"Compare {name} and {other} at idle and at full load: a leak fades with flow.",
                _SWAP_SENSORS + "it is the sensor.",
            ),
            pattern=f"leak_{name}",
        ),
        Hypothesis(
            f"imbalance_{name}",
            f"The {name} cylinder is off everywhere",
            Category.FUEL,
            _ONE_SIDE_CHECKS,
            pattern=f"offset_{name}",
        ),
        Hypothesis(
            f"misfire_{name}",
            f"The {name} cylinder misfires under load",
            Category.MECHANICAL,
            (
                f"Renew the {name} plug and repeat one pull.",
                "Listen for the missing beat, and compare power with the last good pull.",
                _SWAP_SENSORS + "it is the sensor; unburnt oxygen reads as lean.",
            ),
            pattern=f"misfire_{name}",
        ),
        Hypothesis(
            f"knock_{name}_dominant",
            f"Knock mostly on the {name} cylinder",
            Category.KNOCK,
            (
                f"Take 2° from the {name} cylinder alone at high load and repeat the pull.",
                "Compare head temperatures of both cylinders after the pull.",
                "Exchange the knock sensors, if there are two.",
            ),
            detect=find.knock_side(cylinder),
        ),
        Hypothesis(
            f"wideband_dead_{name}",
            f"The {name} wideband stands still or at a stop",
            Category.DATA,
            (
                "Look at the controller's lamp and error code.",
                "Calibrate it in free air.",
                "Check the connector and the analogue range.",
            ),
            detect=find.dead_wideband(cylinder),
        ),
    )


HYPOTHESES: tuple[Hypothesis, ...] = (
    Hypothesis(
        "fuel_scale",
        "Fuel is off by the same share everywhere",
        Category.FUEL,
        (
            "Measure fuel pressure at idle and at full throttle.",
            "Compare injector size and fuel with what the tune states.",
            "Calibrate the widebands in free air.",
        ),
        pattern="fuel_scale",
    ),
    Hypothesis(
        "injector_dead_time",
        "Injector dead time does not fit: the error grows as pulses get short",
        Category.FUEL,
        (
            "Compare the error at light load with and without headlamp and fan (battery voltage).",
            "Compare cruise at two loads in one rpm band.",
            "Enter the maker's dead times and repeat the cruise.",
        ),
        pattern="dead_time",
    ),
    Hypothesis(
        "weak_fuel_supply",
        "Fuel supply gives out at high flow",
        Category.MECHANICAL,
        (
            "Log fuel pressure during a full pull.",
            "Repeat the pull in a lower gear: the lean range starts at the same rpm and load.",
            "Check filter, pump voltage and tank vent.",
        ),
        pattern="weak_pump",
    ),
    Hypothesis(
        "ve_table_shape",
        "The VE table is off in places",
        Category.FUEL,
        (
            "Apply the correction and repeat the same sweep: the errors fall.",
            "Hold the worst cell for five seconds and compare.",
            "Compare front and rear in the same cell.",
        ),
        pattern=SHAPE_KEY,
    ),
    *_side(_F),
    *_side(_R),
    Hypothesis(
        "wideband_dead_both",
        "The wideband stands still or at a stop",
        Category.DATA,
        ("Look at the controller's lamp and error code.", "Calibrate it in free air."),
        detect=find.dead_wideband(_B),
    ),
    Hypothesis(
        "transient_tipin_lean",
        "Throttle openings run lean",
        Category.TRANSIENT,
        (
            "Compare a slow and a quick opening to the same throttle in one rpm band.",
            "Add a tenth of acceleration fuel and repeat three openings.",
            "Repeat with the engine hotter: wall film matters less.",
        ),
        detect=find.tip_in_mixture(1.0),
    ),
    Hypothesis(
        "transient_tipin_rich",
        "Throttle openings run rich",
        Category.TRANSIENT,
        (
            "Compare a slow and a quick opening to the same throttle in one rpm band.",
            "Take away a tenth of acceleration fuel and repeat three openings.",
        ),
        detect=find.tip_in_mixture(-1.0),
    ),
    Hypothesis(
        "knock_under_load",
        "Knock under load",
        Category.KNOCK,
        (
            "Repeat one pull with fuel of higher octane.",
            "Take 2° at high load and compare knock and power.",
            "Repeat the pull from a cooler engine.",
        ),
        detect=find.knock((_F, _R)),
    ),
    Hypothesis(
        "knock_under_load_single",
        "Knock under load",
        Category.KNOCK,
        ("Repeat one pull with fuel of higher octane.", "Take 2° at high load and compare."),
        detect=find.knock((_B,)),
    ),
    Hypothesis(
        "heat_soak",
        "Heat costs power",
        Category.HEAT,
        (
            "Let the engine cool to where the first pull began and repeat it.",
            "Compare knock retard of the first and the last pull.",
            "Repeat with the fan nearer the intake.",
        ),
        detect=find.heat_loss,
    ),
    Hypothesis(
        "driveline_slip",
        "Clutch or tyre slips under torque",
        Category.MECHANICAL,
        (
            "Mark tyre and drum with chalk and look after a pull.",
            "Repeat the pull one gear higher: a slipping clutch slips more.",
            "Tighten the straps and repeat.",
        ),
        detect=find.slipping_driveline,
    ),
    Hypothesis(
        "rpm_frozen",
        "Engine speed stands still in the log",
        Category.DATA,
        ("Check the speed pickup.", "Compare with road speed in one gear."),
        detect=find.frozen_rpm,
    ),
    Hypothesis(
        "rpm_dropouts",
        "Engine speed breaks off",
        Category.DATA,
        ("Move the inductive pickup along the lead.", "Check its earth."),
        detect=find.rpm_dropouts,
    ),
    Hypothesis(
        "map_not_manifold",
        "MAP does not follow the throttle",
        Category.SIGNAL,
        (
            "Open the throttle with the engine off: MAP must read the barometer.",
            "Choose the manifold sensor in Mapping.",
            "Check the hose to the sensor.",
        ),
        detect=find.map_is_baro,
    ),
    Hypothesis(
        "engine_cold",
        "The engine was not warm",
        Category.HEAT,
        ("Warm up and repeat.", "Compare lambda at the start and the end of the log."),
        detect=find.cold_engine,
    ),
    Hypothesis(
        "battery_low",
        "The battery is not charged",
        Category.SIGNAL,
        ("Measure at the battery at 2000 rpm.", "Compare injector time at idle with a charger on."),
        detect=find.low_battery,
    ),
    Hypothesis(
        "mixture_inconsistent",
        "Lambda does not repeat within a cell",
        Category.DATA,
        (
            "Repeat one pull three times and compare lambda.",
            "Check for a leak, a loose sensor and misfires.",
        ),
        detect=find.inconsistent_mixture,
    ),
    Hypothesis(
        "few_samples",
        "Too little data for a diagnosis",
        Category.DATA,
        ("Do two more pulls and two slow sweeps.",),
        detect=find.few_samples,
        prior=-1.0,
        most=0.6,  # a lack of data is no cause; it must not outrank one
    ),
)


def rank(evidence: Evidence) -> CauseTree:
    """Return the causes worth a look, likeliest first."""
    causes, notes = [], []
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
    causes.sort(key=lambda c: (-round(c.confidence, 3), -c.log_odds, c.hypothesis_id))
    likely = [cause for cause in causes if cause.confidence >= _LIKELY_FROM]
    summary = (
        f"{len(likely)} likely: " + "; ".join(cause.title for cause in likely)
        if likely
        else "Nothing stands out."
    )
    return CauseTree(tuple(causes), summary, tuple(notes))


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
