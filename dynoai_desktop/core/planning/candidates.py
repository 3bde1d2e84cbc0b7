"""Which tests could be driven: one table of kinds, each with its candidates for this vehicle.

A candidate is driven in thought inside the limits from the start: its speeds, its pressures and
its throttle are cut to what is allowed before the path is predicted, so nothing a plan contains
was ever outside. What is left too short to tell anything is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning import drafts
from dynoai_desktop.core.planning.drafts import Draft, Ground
from dynoai_desktop.core.planning.limits import POSSIBLE, Environment, PlanningLimits
from dynoai_desktop.core.planning.paths import Driver
from dynoai_desktop.core.planning.steps import Step, TestType
from dynoai_desktop.core.planning.ways import Ratio, Ways

ABORT_IAT_C = 54.4  # 130 °F
_WAY_BACK_S = 90.0  # of a test on the street


@dataclass(frozen=True, slots=True)
class TestKind:
    """A row of the table: what a kind of test is, needs and risks."""

    __test__ = False  # not a test of pytest

    test_type: TestType
    title: str
    goal: str
    multiplier: float  # of the plain efficiency
    minutes: float  # of the plain efficiency
    cooling_share: float  # of the cooling a full pull needs
    channels: tuple[Channel, ...]
    success: tuple[str, ...]
    risk: str
    abort: tuple[str, ...]
    drafts: Callable[[Ground], Iterator[Draft]]


def candidates(
    ways: Ways,
    limits: PlanningLimits,
    rpm: Axis,
    load: Axis,
    cylinders: tuple[Cylinder, ...] = (Cylinder.FRONT, Cylinder.REAR),
) -> tuple[Step, ...]:
    """Return every test that can be driven within the limits, as steps not yet weighed.

    The order is that of the table and never changes; the same test has the same key each time.
    """
    driver = Driver.of(ways, load_is_tps=load.channel is Channel.TPS)
    steps: list[Step] = []
    for kind in TESTS:
        for on_street in _places(limits.environment):
            place = Environment.STREET if on_street else limits.environment
            if place not in POSSIBLE[kind.test_type]:
                continue
            ground = Ground(driver, limits, rpm, on_street)
            steps += [
                _step(kind, draft, ground, load.channel, cylinders) for draft in kind.drafts(ground)
            ]
    return tuple(steps)


def _places(environment: Environment) -> tuple[bool, ...]:
    """Return whether tests go to the dyno, to the street (True), or to both."""
    if environment is Environment.BOTH:
        return (False, True)
    return (environment is Environment.STREET,)


def _step(
    kind: TestKind, draft: Draft, ground: Ground, load: Channel, cylinders: tuple[Cylinder, ...]
) -> Step:
    ways, driven = ground.ways, draft.driven
    load_range = driven.map_range
    if load is Channel.TPS:
        load_range = (min(driven.tps_range), max(driven.tps_range))
    slower = ways.minutes.get(kind.test_type, Ratio()).mean
    heard = tuple(_LAMBDA[c] for c in cylinders)
    street = ("street/", " on the street") if ground.on_street else ("", "")
    return Step(
        key=street[0] + draft.key,
        name=draft.name + street[1],
        goal=kind.goal,
        test_type=kind.test_type,
        rpm_range=driven.rpm_range,
        load_range=load_range,
        gear=draft.gear,
        tps_pct=draft.tps_pct,
        path=driven.path,
        pulls=1,
        drive_s=driven.drive_s * slower + (_WAY_BACK_S if ground.on_street else 0.0),
        cooling_s=kind.cooling_share * ways.cooling_s.mean,
        priority=0,
        expected_coverage_gain=0.0,
        expected_coverage_doubt=0.0,
        efficiency_score=0.0,
        worth_per_minute=0.0,
        required_channels=tuple(dict.fromkeys((Channel.RPM, load, *heard, *kind.channels))),
        constraints=draft.constraints,
        success_criteria=kind.success,
        risk=_STREET_RISK if ground.on_street else kind.risk,
        abort=(*kind.abort, *_heat_aborts(ground.limits)),
        movements=driven.movements,
        on_street=ground.on_street,
        tps_range=driven.tps_range,
    )


_LAMBDA = {
    Cylinder.FRONT: Channel.LAMBDA_FRONT,
    Cylinder.REAR: Channel.LAMBDA_REAR,
    Cylinder.BOTH: Channel.LAMBDA,
}


def celsius(value: float) -> str:
    """Return a temperature in both units.

    >>> celsius(54.4)
    '54 °C (130 °F)'
    """
    return f"{value:.0f} °C ({value * 1.8 + 32.0:.0f} °F)"


def _heat_aborts(limits: PlanningLimits) -> tuple[str, ...]:
    iat = ABORT_IAT_C if limits.max_iat_c is None else min(ABORT_IAT_C, limits.max_iat_c)
    words = [f"intake air above {celsius(iat)}"]
    if limits.max_head_c is not None:
        words.append(f"head above {celsius(limits.max_head_c)}")
    return tuple(words)


_LEAN = "lambda above 0.95 for half a second above 80 kPa"
_KNOCK = "knock, heard or counted"
_STREET_RISK = "Public road: a helper reads, never wide open, and only where the law allows it."

TESTS: tuple[TestKind, ...] = (
    TestKind(
        TestType.WOT_PULL,
        "Full-throttle pull",
        "Measure the full-load row of the table",
        1.5,
        2.0,
        1.0,
        (Channel.TPS,),
        (
            "at least 3 samples in every cell on the way",
            "pulls repeat within 0.3 AFR; check the sensors above 0.5",
        ),
        "Highest load and heat: fuel and spark must be safe before the first pull.",
        (_KNOCK, _LEAN),
        drafts.pulls,
    ),
    TestKind(
        TestType.PART_THROTTLE,
        "Sweep at part throttle",
        "Measure the middle of the table along one throttle",
        1.0,
        3.0,
        0.6,
        (Channel.TPS,),
        ("at least 3 samples in every cell on the way", "throttle held within 1 %"),
        "Medium load; the engine may reach high speed.",
        (_KNOCK, _LEAN),
        drafts.sweeps,
    ),
    TestKind(
        TestType.HOLD_CLIMB,
        "Hold rpm, climb load",
        "Measure one column of the table from closed to open throttle",
        1.2,
        5.0,
        1.0,
        (Channel.TPS,),
        ("at least 20 samples at the held speed", "speed held within 100 rpm"),
        "Long time under load: heads and brake become hot.",
        (_KNOCK, _LEAN, "the brake does not hold the speed"),
        drafts.climbs,
    ),
    TestKind(
        TestType.ROLL_ON,
        "Roll-on",
        "Show how the mixture follows a sudden opening",
        1.0,
        3.0,
        0.5,
        (Channel.TPS,),
        ("at least 5 tip-ins in the region",),
        "A lean tip-in can backfire.",
        (_KNOCK, "backfire through the intake"),
        drafts.roll_ons,
    ),
    TestKind(
        TestType.LIFT_OFF,
        "Lift-off",
        "Show overrun and return to idle",
        1.0,
        3.0,
        0.3,
        (Channel.TPS,),
        ("at least 5 lift-offs in the region",),
        "Popping in the exhaust is expected, not harmful.",
        ("backfire through the intake",),
        drafts.lift_offs,
    ),
    TestKind(
        TestType.IDLE,
        "Idle",
        "Measure the idle cells, warm",
        0.5,
        1.0,
        0.0,
        (Channel.ECT,),
        ("at least 50 samples at idle",),
        "Little air flows: the engine warms without a fan.",
        (),
        drafts.idles,
    ),
    TestKind(
        TestType.SOAK,
        "Heat soak",
        "Show what hot intake air does to the mixture",
        0.5,
        1.0,
        0.0,
        (Channel.IAT,),
        (f"intake air above {celsius(48.9)} reached", "intake air stable within 3 °C (5 °F)"),
        "Heads become hot: stay beside the kill switch.",
        (),
        drafts.soaks,
    ),
    TestKind(
        TestType.STREET,
        "Street sweep",
        "Measure the middle of the table on the road",
        1.0,
        3.0,
        0.2,
        (Channel.TPS,),
        ("at least 200 samples at cruise", "throttle held within 2 %"),
        _STREET_RISK,
        (_KNOCK, _LEAN, "traffic"),
        drafts.street_sweeps,
    ),
)
"""The kinds of tests, in the order in which ties are decided."""

KINDS = {kind.test_type: kind for kind in TESTS}


def counted_pulls(step: Step) -> int:
    """Return how many pulls of a session's allowance a step takes: idling takes none."""
    return 0 if step.test_type in (TestType.IDLE, TestType.SOAK) else step.pulls
