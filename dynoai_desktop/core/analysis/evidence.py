"""Everything one analysis has found so far: what the later steps read, gathered in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.alignment import Alignment
from dynoai_desktop.core.analysis.frame import F64, Frame
from dynoai_desktop.core.analysis.fuel import CylinderFit, Place
from dynoai_desktop.core.analysis.modes import ModeTrack
from dynoai_desktop.core.analysis.normalise import Normalised
from dynoai_desktop.core.analysis.runs import Run
from dynoai_desktop.core.channels import Channel, Cylinder

_LONGEST_ROW_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The steps of one analysis up to the fuel tables."""

    normalised: Normalised
    track: ModeTrack
    alignment: Alignment
    where: Place
    fits: Mapping[Cylinder, CylinderFit]
    runs: tuple[Run, ...]
    row_s: F64  # (n,) how long each row lasted

    @property
    def frame(self) -> Frame:
        """Return the cleaned frame."""
        return self.normalised.frame

    def channel(self, *channels: Channel) -> F64 | None:
        """Return the cleaned column of the first of *channels* that was heard."""
        return self.frame.first(*channels)


def row_durations(time_s: F64) -> F64:
    """Return how long each row lasted, (n,) in seconds; a pause belongs to no row.

    >>> row_durations(np.array([0.0, 0.1, 0.2, 60.0])).round(3).tolist()
    [0.1, 0.1, 0.1, 0.1]
    """
    if time_s.size < 2:
        return np.zeros(time_s.size)
    step = np.diff(time_s)
    usual = float(np.median(step))
    step = np.where(step > max(_LONGEST_ROW_S, 5.0 * usual), usual, step)
    return np.append(step, usual)
