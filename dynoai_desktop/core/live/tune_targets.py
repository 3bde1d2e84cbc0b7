"""The lambda targets of a tune file, read off for the map."""

from __future__ import annotations

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.live.targets import TargetError, targets_from
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.knowledge import target_table
from dynoai_desktop.core.tune.tables import TuneError


def tune_targets(data: bytes, rpm: Axis, load: Axis, stoich: float) -> tuple[CellGrid, str]:
    """Return the targets in the bytes of a tune file on these axes, and the table's name.

    AFR is divided by *stoich*. Raises TuneError when the file is no tune, TargetError when it has
    no table of targets that fits.
    """
    tune = read_tune(data)
    try:
        found = target_table(tune, load.channel, stoich)
    except TuneError as error:
        raise TargetError(str(error)) from error
    return targets_from(found.grid, rpm, load), found.name
