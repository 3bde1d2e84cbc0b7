"""What has to be known about the columns before they compete for a canonical channel.

A wideband that is not connected must not become the mixture of a cylinder, and the same ECU value
sent twice must not look like two sensors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.readers.draft import Draft
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.logs import Code, LogColumn, LogWarning
from dynoai_desktop.core.normalise_units import MIXTURES
from dynoai_desktop.core.trust.names import key_of
from dynoai_desktop.core.units import Unit

_ENOUGH_ROWS = 20  # fewer prove nothing about a sensor
_STILL = 0.005  # of its value: a live wideband moves more, even at a steady idle
_RAIL_SHARE = 0.02  # of all samples at exactly one extreme
_RAIL_ROWS = 3
# Where the usual controllers stop: lambda beyond which an extreme is a stop, not a mixture.
_RICH_STOP, _LEAN_STOP = 0.62, 1.25
_STOICH = 14.7  # to compare AFR with the two figures above; they are not critical
_COMMANDED = frozenset(
    c for c in MIXTURES if (CHANNELS[c].carried_as or c).value.startswith("lambda_cmd")
)
_MEASURED = MIXTURES - _COMMANDED


def widebands(draft: Draft) -> list[LogWarning]:
    """Find widebands that are not there, and those that spend time at a stop."""
    warnings, absent = [], []
    for i, column in list(draft.live()):
        channel = draft.identity(i)
        if channel in _COMMANDED and column.maximum <= 0:
            draft.set_aside.add(i)
        if channel not in _MEASURED or column.count < _ENOUGH_ROWS:
            continue
        still = column.maximum - column.minimum <= _STILL * max(column.maximum, 0.0)
        if still and (_at_rich_stop(column) or _at_lean_stop(column)):
            absent.append(i)
            stops = tuple(sorted({column.minimum, column.maximum}))
            draft.columns[i] = replace(column, rails=stops)
            continue
        rails = _rails(column)
        if rails:
            draft.columns[i] = replace(column, rails=tuple(rails))
            stretches = (f"{n:,} of {column.count:,} rows at {v:.4g}" for v, n in rails.items())
            message = (
                f"“{column.header}” is at its stop in {' and '.join(stretches)}. There it shows "
                "how far the sensor goes, not the mixture."
            )
            warnings.append(LogWarning(Code.RAILED_WIDEBAND, message, (column.key,)))
    if absent:
        draft.set_aside.update(absent)
        stuck = ", ".join(
            f"“{draft.columns[i].header}” ({draft.columns[i].maximum:.4g})" for i in absent
        )
        message = f"No sensor is connected where the value never moves: {stuck}. Not used."
        warnings.append(LogWarning(Code.RAILED_WIDEBAND, message, draft.keys(absent)))
    return warnings


def _scale(column: LogColumn) -> float:
    return 1.0 if column.unit is Unit.LAMBDA else _STOICH


def _at_rich_stop(column: LogColumn) -> bool:
    return column.minimum <= _RICH_STOP * _scale(column)


def _at_lean_stop(column: LogColumn) -> bool:
    return column.maximum >= _LEAN_STOP * _scale(column)


def _rails(column: LogColumn) -> dict[float, int]:
    """Return the extremes that are stops, with how many samples sit there."""
    found: dict[float, int] = {}
    for extreme, is_stop in (
        (column.minimum, _at_rich_stop(column)),
        (column.maximum, _at_lean_stop(column)),
    ):
        if is_stop:
            count = int(np.count_nonzero(column.values == column.values.dtype.type(extreme)))
            if count >= _RAIL_ROWS and count >= _RAIL_SHARE * column.count:
                found[extreme] = count
    return found


def repeated_headers(draft: Draft) -> list[LogWarning]:
    """Use the first column with values of those that have one header."""
    first: dict[str, int] = {}
    for i, column in list(draft.live()):
        if first.setdefault(column.header, i) != i:
            draft.set_aside.add(i)
    return []


def gauge_pressure(draft: Draft) -> list[LogWarning]:
    """Set aside a manifold pressure that goes below zero: it is relative to the atmosphere."""
    found = [
        i
        for i, column in draft.live()
        if column.minimum < 0 and draft.identity(i, unit=False) is Channel.MAP
    ]
    draft.set_aside.update(found)
    return [
        LogWarning(
            Code.GAUGE_PRESSURE,
            f"“{draft.columns[i].header}” goes down to {draft.columns[i].minimum:.4g}: it is "
            "pressure above the atmosphere, not manifold absolute pressure, and is not used.",
            (draft.columns[i].key,),
        )
        for i in found
    ]


def same_name(draft: Draft) -> list[LogWarning]:
    """Keep one of the columns that several devices send under one name: the most detailed."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, column in draft.live():
        key = key_of(column.name)
        if key:
            groups[key].append(i)
    kept: dict[str, int] = defaultdict(int)
    doubled: list[int] = []
    for indexes in groups.values():
        if len({draft.columns[i].device for i in indexes}) < 2:
            continue
        best = max(indexes, key=lambda i: (*_detail(draft.columns[i]), -i))
        kept[draft.columns[best].device] += 1
        doubled += [i for i in indexes if i != best]
    if not doubled:
        return []
    draft.set_aside.update(doubled)
    used = " and ".join(f"{count} from ({device})" for device, count in kept.items())
    message = (
        f"{len(doubled)} channels come from more than one device; the more detailed copy is used: "
        f"{used}."
    )
    return [LogWarning(Code.COPIED_CHANNEL, message, draft.keys(doubled))]


def _detail(column: LogColumn) -> tuple[int, int]:
    values = column.values[np.isfinite(column.values)]
    return column.count, int(np.count_nonzero(np.diff(values)))


def same_sensor(draft: Draft) -> list[LogWarning]:
    """Of an AFR and a lambda column that are one sensor, offer the lambda: no fuel is assumed."""
    mixtures = {i: c for i, c in draft.live() if draft.identity(i) in MIXTURES}
    afrs = [i for i, c in mixtures.items() if c.unit is Unit.AFR]
    lambdas = [i for i, c in mixtures.items() if c.unit is Unit.LAMBDA]
    for i in afrs:
        for j in lambdas:
            alike = (draft.identity(i) in _COMMANDED) == (draft.identity(j) in _COMMANDED)
            if alike and _proportional(mixtures[i].values, mixtures[j].values):
                draft.set_aside.add(i)
    return []


def _proportional(first: NDArray[np.floating], second: NDArray[np.floating]) -> bool:
    use = np.isfinite(first) & np.isfinite(second) & (second > 0)
    if np.count_nonzero(use) < _ENOUGH_ROWS:
        return False
    ratio = first[use] / second[use]
    return bool(np.ptp(ratio) < 0.01 * np.median(ratio))


BEFORE_MAPPING: tuple[Callable[[Draft], list[LogWarning]], ...] = (
    repeated_headers,
    widebands,
    gauge_pressure,
    same_name,
    same_sensor,
)
