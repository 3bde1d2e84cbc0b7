"""Which columns of a map are shown where all of them would be too narrow for their numbers.

Few engines use the whole axis. On a small screen the map then shows the columns in which the
engine has been or is meant to go, which leaves room for a number in every cell. It opens in steps
of two columns and, until the map is emptied, never closes, so it rarely moves.
"""

from __future__ import annotations

import numpy as np

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.widgets.map_views import LEAST_HITS, Layer

_STEP = 2  # columns


def shown_columns(snapshot: Snapshot | None, room_px: float, needed_px: float) -> slice:
    """Return the columns of the rpm axis to show in *room_px*, a number needing *needed_px*."""
    if snapshot is None:
        return slice(None)
    count = len(snapshot.hits.rpm)
    everything = slice(0, count)
    if room_px / count >= needed_px:
        return everything
    wanted = (snapshot.hits.values > 0).any(axis=1)
    if not wanted.any():
        return everything
    for group in snapshot.cylinders.values():
        wanted |= (group.mass >= LEAST_HITS).any(axis=1)
    if snapshot.planned is not None:
        wanted |= snapshot.planned.any(axis=1)
    if snapshot.active_cell is not None:
        wanted[snapshot.active_cell[0]] = True
    at = np.flatnonzero(wanted)
    first = int(at[0]) // _STEP * _STEP
    last = min(-(-(int(at[-1]) + 1) // _STEP) * _STEP, count)
    return slice(first, last)


def cropped(layer: Layer, columns: slice) -> Layer:
    """Return the *columns* of a layer with the stretch of the axis they belong to."""
    first, last, _ = columns.indices(len(layer.rpm))
    if (first, last) == (0, len(layer.rpm)):
        return layer
    rpm = layer.rpm
    axis = Axis(rpm.channel, rpm.unit, rpm.nodes[first:last], rpm.edges[first : last + 1])
    return Layer(
        axis,
        layer.load,
        layer.values[first:last],
        None if layer.half_width is None else layer.half_width[first:last],
        None if layer.whose is None else layer.whose[first:last],
    )
