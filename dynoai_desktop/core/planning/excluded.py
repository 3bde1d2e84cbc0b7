"""Which kinds of tests the limits rule out, which limit does, and what smallest change helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.planning.candidates import TESTS, TestKind
from dynoai_desktop.core.planning.drafts import Ground
from dynoai_desktop.core.planning.limits import POSSIBLE, Environment, LimitsError, PlanningLimits
from dynoai_desktop.core.planning.paths import Driver
from dynoai_desktop.core.planning.steps import Excluded, Step, TestType
from dynoai_desktop.core.planning.ways import Ways

_HALVINGS = 8  # of the way to the loosest limit, to find the smallest change


@dataclass(frozen=True, slots=True)
class _Bound:
    """A limit that is a number: how loose it can be at all, and how it is read."""

    field: str
    words: str
    unit: str
    round_to: float
    upper: bool


_BOUNDS = (
    _Bound("max_tps_pct", "the highest throttle", "%", 1.0, True),
    _Bound("max_map_kpa", "the highest MAP", "kPa", 1.0, True),
    _Bound("min_rpm", "the lowest rpm", "rpm", 10.0, False),
    _Bound("max_rpm", "the highest rpm", "rpm", 10.0, True),
    _Bound("min_map_kpa", "the lowest MAP", "kPa", 1.0, False),
    _Bound("min_tps_pct", "the lowest throttle", "%", 1.0, False),
)
_NEEDS = {
    TestType.HOLD_CLIMB: "holding a speed needs a load brake",
    TestType.STREET: "street tests are driven on the street",
}


def excluded_kinds(
    ways: Ways, limits: PlanningLimits, rpm: Axis, load: Axis, left: Sequence[Step]
) -> tuple[Excluded, ...]:
    """Return the kinds of tests of which the limits have left none, in the order of the table."""
    driver = Driver.of(ways, load_is_tps=load.channel is Channel.TPS)
    there = {step.test_type for step in left}
    return tuple(
        _why(kind, Ground(driver, limits, rpm)) for kind in TESTS if kind.test_type not in there
    )


def _why(kind: TestKind, ground: Ground) -> Excluded:
    places = POSSIBLE[kind.test_type]
    if ground.limits.environment not in places:
        need = _NEEDS.get(kind.test_type, "it is driven on a dyno, never on a road")
        where = " or ".join(place.value.replace("_", " ") for place in places)
        return Excluded(
            kind.test_type,
            "environment",
            f"{kind.title}: {need}",
            f"Set environment to {where}",
            1.0,
        )
    on_street = Environment.BOTH in places and Environment.LOAD_DYNO not in places
    on_street |= ground.limits.environment is Environment.STREET
    ground = replace(ground, on_street=on_street)
    for bound in _BOUNDS:
        if _stands(kind, ground, bound, _loosest(bound, ground)):
            return _named(kind, ground, bound)
    return Excluded(
        kind.test_type,
        "min_rpm",
        f"{kind.title}: several limits together leave no room for it",
        "Widen the limits of rpm, MAP and throttle",
        1.0,
    )


def _loosest(bound: _Bound, ground: Ground) -> float:
    ways = ground.ways
    return {
        "max_tps_pct": 100.0,
        "max_map_kpa": 1.02 * (ways.baro_kpa + ways.boost_kpa),
        "min_rpm": 0.9 * ways.idle_rpm,
        "max_rpm": ways.redline_rpm,
        "min_map_kpa": 10.0,
        "min_tps_pct": 0.0,
    }[bound.field]


def _stands(kind: TestKind, ground: Ground, bound: _Bound, value: float) -> bool:
    change = {bound.field: value}
    try:
        limits = replace(ground.limits, **change)  # type: ignore[arg-type]
    except LimitsError:  # beyond the limit on the other side
        return False
    return next(kind.drafts(replace(ground, limits=limits)), None) is not None


def _named(kind: TestKind, ground: Ground, bound: _Bound) -> Excluded:
    """Return the limit with the smallest change that lets one test stand, found by halving."""
    now: float = getattr(ground.limits, bound.field)
    helps = _loosest(bound, ground)
    fails = now
    for _ in range(_HALVINGS):
        middle = (helps + fails) / 2.0
        if _stands(kind, ground, bound, middle):
            helps = middle
        else:
            fails = middle
    whole = round(helps / bound.round_to) * bound.round_to
    if not _stands(kind, ground, bound, whole):
        whole += bound.round_to if bound.upper else -bound.round_to
    verb = "Raise" if bound.upper else "Lower"
    return Excluded(
        kind.test_type,
        bound.field,
        f"{kind.title}: {bound.words} of {now:,.0f} {bound.unit} leaves no room for it",
        f"{verb} {bound.words} to {whole:,.0f} {bound.unit}",
        abs(whole - now) / max(abs(now), 1.0),
    )
