"""How a vehicle moves on its dyno, as far as it is known: what predicted paths are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dynoai_desktop.core.planning.steps import TestType
from dynoai_desktop.core.store.vehicles import VehicleRecord


@dataclass(frozen=True, slots=True)
class Ratio:
    """Achieved over predicted: a mean with its standard deviation, and how often it was seen."""

    mean: float = 1.0
    sd: float = 0.35
    count: int = 0


@dataclass(frozen=True, slots=True)
class Ways:
    """What a vehicle does. Curves are (x, y) points with rising x, read linearly between."""

    idle_rpm: float
    redline_rpm: float
    baro_kpa: float = 101.3
    boost_kpa: float = 0.0
    gear: int = 1  # the usual one; 1 is first gear
    pull_rpm_per_s: Mapping[int, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    full_load_kpa: tuple[tuple[float, float], ...] = ()  # MAP wide open against rpm
    # (throttle %, rpm, kPa) seen while neither moved; a throttle body between them
    manifold: tuple[tuple[float, float, float], ...] = ()
    gain: Mapping[TestType, Ratio] = field(default_factory=dict)
    minutes: Mapping[TestType, Ratio] = field(default_factory=dict)
    cooling_s: Ratio = Ratio(45.0, 20.0, 0)  # until the engine is back where the last pull began
    driven: bool = False  # False: everything here is assumed, nothing has been seen


_IDLE_RPM = 900.0
_REDLINE_RPM = 6000.0
_PULL_START = 0.35  # of the redline
_PULL_S = 6.0  # a full pull in the dyno gear, the drum's size having been chosen for that
_PULL_SLOWS = 0.35  # of its speed, from the start of a pull to its end
_FULL_OPEN = (1.0, 0.945)  # MAP over the pressure ahead of the throttle, at rest and at the redline
_DYNO_GEAR_FROM_TOP = 2


def usual_ways(record: VehicleRecord, baro_kpa: float = 101.3) -> Ways:
    """Return how a vehicle of which only *record* is known usually moves; nothing is `driven`.

    Not stated, so assumed: idle at 900 rpm, a redline of 6,000 rpm, the second gear from the top.
    A drum takes a vehicle of its class through a full pull in about six seconds, and other gears
    by the square of their ratio, because a drum outweighs the engine: force at the drum is torque
    times ratio, and engine speed is drum speed times ratio. MAP wide open falls by 5.5 % towards
    the redline. `assumptions` says all this in words.

    >>> usual_ways(VehicleRecord("Twin", redline_rpm=5800.0)).full_load_kpa[-1]
    (5800.0, 95.7)
    """
    idle = record.idle_rpm or _IDLE_RPM
    redline = record.redline_rpm or _REDLINE_RPM
    gear = usual_gear(record)
    start, end = _PULL_START * redline, 0.98 * redline
    mean = (end - start) / _PULL_S
    first = mean / (1.0 - _PULL_SLOWS / 2.0)
    ratios = record.gear_ratios
    pulls = {}
    for other in range(1, len(ratios) + 1) if ratios else (gear,):
        faster = (ratios[other - 1] / ratios[gear - 1]) ** 2 if ratios else 1.0
        pulls[other] = (
            (start, round(first * faster, 1)),
            (end, round(first * faster * (1.0 - _PULL_SLOWS), 1)),
        )
    ahead = baro_kpa + record.boost_kpa
    full = [(idle, _FULL_OPEN[0] * baro_kpa), (redline, round(_FULL_OPEN[1] * ahead, 1))]
    if record.boost_kpa > 0.0:  # a turbocharger gives all it has from the middle of the range on
        full.insert(1, (0.45 * redline, round(0.98 * ahead, 1)))
    return Ways(idle, redline, baro_kpa, record.boost_kpa, gear, pulls, tuple(full))


def usual_gear(record: VehicleRecord) -> int:
    """Return the gear pulls are driven in: as stated, else the second from the top."""
    if record.dyno_gear is not None:
        return record.dyno_gear
    return max(1, len(record.gear_ratios) - _DYNO_GEAR_FROM_TOP + 1) if record.gear_ratios else 4


def assumptions(record: VehicleRecord) -> tuple[str, ...]:
    """Return what `usual_ways` assumes because the record does not state it."""
    said = (
        (record.idle_rpm, f"idle speed: {_IDLE_RPM:.0f} rpm assumed"),
        (record.redline_rpm, f"redline: {_REDLINE_RPM:,.0f} rpm assumed"),
        (record.dyno_gear, f"dyno gear: {usual_gear(record)} assumed"),
        (record.gear_ratios or None, "gear ratios: one gear only is planned"),
    )
    return tuple(words for stated, words in said if stated is None)
