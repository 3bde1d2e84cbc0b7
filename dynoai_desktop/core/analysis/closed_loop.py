"""Was the mixture held by the ECU's own oxygen sensors while nobody wrote their trims down?

A closed loop shows a right lambda over a wrong table. With its trims logged the table's error is
seen all the same; without them those cells say little and look nearly perfect. A loop can only be
closed where the command is exactly stoichiometric, so the sign is a plateau of such cells that are
far nearer to right than the cells commanded otherwise. The swing of the loop itself is no sign to
rely on: a wideband's own lag and noise hide it, and a nervous throttle imitates it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.fuel import CylinderFit

_STOICHIOMETRIC = 0.002  # |ln commanded| up to which a loop may be closed
_LEAST_S = 10.0
_FEWEST_CELLS = 6
_LEAST_HITS = 3.0
_WRONG = 0.015  # median size of ln lambda over the other cells, from which there is a contrast
_MUCH_BETTER = 0.35  # of it, over the cells that a loop would hold
_RIGHT = 0.01  # size of ln lambda that four in five of them keep within


def held_unseen(evidence: Evidence) -> bool:
    """Return whether a cylinder without logged trims looks as if a closed loop held its mixture."""
    return any(
        not any(channel in evidence.frame for channel in fit.samples.channels.short_trim)
        and _too_right(evidence, fit)
        for fit in evidence.fits.values()
    )


def _too_right(evidence: Evidence, fit: CylinderFit) -> bool:
    """Return whether cells commanded at 1 are nearly right beside others that are not."""
    at_one = _commanded_one(fit)
    basis, rows = evidence.where.of(fit.samples.accepted)
    if float(evidence.row_s[rows][at_one[rows]].sum()) < _LEAST_S:
        return False
    hits = basis.sums()
    share = basis.sums(at_one[rows].astype(np.float64))
    size = np.abs(fit.surface.value.ravel())
    known = fit.surface.measured(_LEAST_HITS).ravel()
    held, free = known & (share > 0.95 * hits), known & (share < 0.05 * hits)
    if min(np.count_nonzero(held), np.count_nonzero(free)) < _FEWEST_CELLS:
        return False
    wrong = float(np.median(size[free]))
    better = float(np.median(size[held])) < _MUCH_BETTER * wrong
    # What a cell may be off by for doubt alone (air drawn back at idle) is not held against it.
    left = size[held] - fit.surface.se.ravel()[held]
    return wrong > _WRONG and better and float(np.percentile(left, 80.0)) < _RIGHT


def _commanded_one(fit: CylinderFit) -> NDArray[np.bool_]:
    target = fit.samples.target
    if target is None:
        return np.zeros(fit.samples.y.size, dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        at_one: NDArray[np.bool_] = np.abs(np.log(target)) < _STOICHIOMETRIC
    return at_one
