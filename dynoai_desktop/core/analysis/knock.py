"""Knock as a rate of events per engine cycle, with what the rate allows one to do.

An event is a step up of the knock retard; retard fading afterwards is no new event. Per cell, k
events in n cycles give a Beta posterior of the rate. Timing is taken back where the rate is very
likely too high, and given only where it is very likely low, torque is seen to rise with spark and
a knock channel was live. One event in a thousand cycles is no reason to do anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.beta import rate_below
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Cylinder


@dataclass(frozen=True, slots=True)
class KnockSettings:
    """Rates per engine cycle and the certainty asked for."""

    event_deg: float = 0.3  # least step up of the retard that is an event
    too_high: float = 0.01
    much_too_high: float = 0.05
    low: float = 0.002  # below it timing may be given; lower than too_high, so nothing swings
    sure_retard: float = 0.90
    sure_advance: float = 0.95
    least_cycles: float = 20.0  # fewer say nothing, whatever the mathematics
    retard_deg: float = 2.0
    much_retard_deg: float = 4.0
    advance_deg: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class KnockMap:
    """Knock of one cylinder, every array ``[rpm][load]``."""

    cylinder: Cylinder
    rpm: Axis
    load: Axis
    events: F64
    cycles: F64

    @property
    def chances(self) -> F64:
        """Return the cycles in which knock could have been: at least one for every event."""
        return np.maximum(self.cycles, self.events)

    @property
    def rate(self) -> F64:
        """Return the mean rate per cycle, NaN without cycles."""
        seen = self.chances > 0.0
        rate: F64 = np.where(seen, (self.events + 0.5) / (self.chances + 1.0), np.nan)
        return rate

    @property
    def rate_sd(self) -> F64:
        """Return the standard deviation of the rate, NaN without cycles."""
        mean = self.rate
        sd: F64 = np.sqrt(mean * (1.0 - mean) / (self.chances + 2.0))
        return sd


@dataclass(frozen=True, slots=True)
class SparkAdvice:
    """One cell and what the knock and torque of it allow; degrees, negative is later."""

    cylinder: Cylinder
    rpm: float
    load: float
    change_deg: float
    events: float
    cycles: float
    probability: float  # that the rate is on the side that led to the change
    reason: str


def knock_map(
    cylinder: Cylinder,
    axes: tuple[Axis, Axis],
    rpm: F64,
    load: F64,
    retard: F64,
    row_s: F64,
    settings: KnockSettings | None = None,
) -> KnockMap:
    """Count events and cycles per cell from rows (n,): rpm, load, retard in degrees, seconds."""
    s = settings or KnockSettings()
    rpm_axis, load_axis = axes
    onset = np.zeros(retard.size, dtype=bool)
    with np.errstate(invalid="ignore"):
        onset[1:] = retard[1:] - retard[:-1] >= s.event_deg
    heard = np.isfinite(retard) & np.isfinite(rpm) & np.isfinite(load)
    r, c = cells(rpm_axis, rpm), cells(load_axis, load)
    on = heard & (r >= 0) & (c >= 0)
    flat = r[on] * len(load_axis) + c[on]
    size = len(rpm_axis) * len(load_axis)
    # A four-stroke cylinder fires once in two turns.
    cycles = np.bincount(flat, row_s[on] * rpm[on] / 120.0, size)
    events = np.bincount(flat, onset[on].astype(np.float64), size)
    shape = (len(rpm_axis), len(load_axis))
    return KnockMap(
        cylinder,
        rpm_axis,
        load_axis,
        np.asarray(events, dtype=np.float64).reshape(shape),
        np.asarray(cycles, dtype=np.float64).reshape(shape),
    )


def cells(axis: Axis, values: F64) -> NDArray[np.intp]:
    """Return the cell of every value as `Axis.locate` puts it, −1 off the axis."""
    index = np.searchsorted(np.asarray(axis.edges), values, side="right") - 1
    index[~(values < axis.edges[-1]) | (index < 0)] = -1
    return np.asarray(index, dtype=np.intp)


def advise(
    maps: Sequence[KnockMap],
    torque_gain: Mapping[tuple[Cylinder, int, int], float] | None = None,
    settings: KnockSettings | None = None,
) -> tuple[SparkAdvice, ...]:
    """Return what to do with the spark, cell by cell, in the order of the maps.

    *torque_gain* says, per (cylinder, rpm cell, load cell), by how many standard errors torque
    rises with spark at the present timing; only cells above two may be advanced. Without a knock
    map there is no advice at all. Cells beside a retarded one get half of it.
    """
    s = settings or KnockSettings()
    out: list[SparkAdvice] = []
    for knock in maps:
        own: dict[tuple[int, int], SparkAdvice] = {}
        for r, c in np.argwhere(knock.cycles > 0.0).tolist():
            advice = _for_cell(knock, r, c, (torque_gain or {}).get((knock.cylinder, r, c)), s)
            if advice is not None:
                own[r, c] = advice
        out += _with_neighbours(knock, own)
    return tuple(out)


def _for_cell(
    knock: KnockMap, r: int, c: int, torque_sigmas: float | None, s: KnockSettings
) -> SparkAdvice | None:
    events, cycles = float(knock.events[r, c]), float(knock.cycles[r, c])

    def advice(change: float, probability: float, reason: str) -> SparkAdvice:
        return SparkAdvice(
            knock.cylinder,
            knock.rpm.nodes[r],
            knock.load.nodes[c],
            change,
            events,
            cycles,
            probability,
            reason,
        )

    if cycles < s.least_cycles:
        return None
    for limit, degrees in ((s.much_too_high, s.much_retard_deg), (s.too_high, s.retard_deg)):
        above = 1.0 - rate_below(limit, events, cycles)
        if events >= 1.0 and above > s.sure_retard:
            return advice(-degrees, above, f"knock in more than {limit:.0%} of cycles")
    below = rate_below(s.low, events, cycles)
    if below > s.sure_advance and torque_sigmas is not None and torque_sigmas > 2.0:
        return advice(s.advance_deg, below, "no knock, and torque rises with spark")
    return None


def _with_neighbours(
    knock: KnockMap, own: Mapping[tuple[int, int], SparkAdvice]
) -> list[SparkAdvice]:
    """Return the advice, advances beside a retarded cell withdrawn, its neighbours halved down."""
    spread: dict[tuple[int, int], SparkAdvice] = dict(own)
    for (r, c), advice in own.items():
        if advice.change_deg >= 0.0:
            continue
        for cell in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            if not (0 <= cell[0] < len(knock.rpm) and 0 <= cell[1] < len(knock.load)):
                continue
            there = spread.get(cell)
            half = advice.change_deg / 2.0
            if there is not None and there.change_deg <= half:
                continue
            spread[cell] = SparkAdvice(
                knock.cylinder,
                knock.rpm.nodes[cell[0]],
                knock.load.nodes[cell[1]],
                half,
                float(knock.events[cell]),
                float(knock.cycles[cell]),
                advice.probability,
                "beside a knocking cell",
            )
    return [spread[cell] for cell in sorted(spread)]
