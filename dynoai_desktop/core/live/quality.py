"""One figure for how much the session is worth so far, with the three parts it is made of.

    score = 0.4 · freshness + 0.3 · coverage + 0.3 · channels,   each 0 to 100

* freshness: 100 for a required channel heard just now, 20 less for every second since; the mean
  over engine speed, load and wideband. A channel never heard counts as 0.
* coverage: share of the *planned* cells with enough evidence from every wideband heard. Cells
  nobody plans to visit take nothing away.
* channels: share of the required channels heard within the last five seconds.

Nothing heard scores 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel

WEIGHTS = (0.4, 0.3, 0.3)
POINTS_PER_S = 20.0
_GONE_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class Quality:
    """The score and its parts, 0 to 100 each."""

    score: float
    freshness: float
    coverage: float
    channels: float


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the map, in rpm and in load of either kind."""

    title: str
    rpm: tuple[float, float]
    map_kpa: tuple[float, float]
    tps: tuple[float, float]


# Where a street engine makes its torque and is most in danger: the cells to cover first.
P1_REGIONS = (
    Region("high load, mid range", (2500.0, 4500.0), (80.0, 100.0), (70.0, 100.0)),
    Region("roll-on", (2000.0, 4500.0), (50.0, 85.0), (20.0, 75.0)),
)


def planned_cells(rpm: Axis, load: Axis) -> NDArray[np.bool_]:
    """Return the cells whose node lies in a region of P1_REGIONS, shape [rpm][load]."""
    speeds, loads = np.array(rpm.nodes)[:, None], np.array(load.nodes)[None, :]
    planned = np.zeros((len(rpm), len(load)), dtype=bool)
    for region in P1_REGIONS:
        low, high = region.tps if load.channel is Channel.TPS else region.map_kpa
        inside = (speeds >= region.rpm[0]) & (speeds <= region.rpm[1])
        planned |= inside & (loads >= low) & (loads <= high)
    return planned


def quality(ages_s: Sequence[float | None], covered: int, planned: int) -> Quality:
    """Return the score from the ages of the required channels (None: never heard).

    >>> quality([0.0, 0.0, 0.0], covered=10, planned=20)
    Quality(score=85.0, freshness=100.0, coverage=50.0, channels=100.0)
    >>> quality([0.0, None, 10.0], covered=0, planned=20).score
    23.333333333333336
    """
    points = [0.0 if a is None else max(0.0, 100.0 - POINTS_PER_S * max(a, 0.0)) for a in ages_s]
    freshness = sum(points) / len(points)
    heard = sum([a is not None and a <= _GONE_AFTER_S for a in ages_s])
    channels = 100.0 * heard / len(ages_s)
    coverage = 100.0 * covered / planned if planned else 0.0
    parts = (freshness, coverage, channels)
    score = sum([weight * part for weight, part in zip(WEIGHTS, parts, strict=True)])
    return Quality(score, *parts)
