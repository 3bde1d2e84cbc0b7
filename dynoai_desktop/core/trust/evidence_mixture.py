"""How widebands behave, what their voltages look like, and channels that are announced twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.trust.channel_map import Evidence
from dynoai_desktop.core.trust.names import parse_name
from dynoai_desktop.core.trust.scene import CONFIRMS, CONTRADICTS, Scene, Source, say
from dynoai_desktop.core.trust.scoring import slot_of
from dynoai_desktop.core.trust.signals import (
    Array,
    SourceKey,
    fit_line,
    median,
    same_values,
    span,
)
from dynoai_desktop.core.units import STOICH_AFR, Unit

MEASURED_MIXTURE = (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR, Channel.LAMBDA)
_COMMANDED = (Channel.LAMBDA_CMD, Channel.LAMBDA_CMD_FRONT, Channel.LAMBDA_CMD_REAR)
_VITAL = frozenset({Channel.RPM, Channel.MAP, Channel.TPS, *MEASURED_MIXTURE})
_STOICH = STOICH_AFR["gasoline"]  # for telling AFR from lambda, where any fuel will do


def mixture(scene: Scene) -> Iterator[Evidence]:
    """A wideband moves while the engine runs, and stays within what AFR or lambda can be."""
    rpm = scene.best(Channel.RPM)
    for slot in MEASURED_MIXTURE + _COMMANDED:
        for source in list(scene.slots.get(slot, ())):
            running = source.column
            if rpm is not None and slot in MEASURED_MIXTURE:
                running = np.where(rpm.column > 400.0, source.column, np.nan)
            if np.count_nonzero(np.isfinite(running)) < 20:
                continue
            yield from _one_mixture(slot, source, running)


def _one_mixture(slot: Channel, source: Source, running: Array) -> Iterator[Evidence]:
    level, travel = median(running), span(running)
    is_afr = CHANNELS[source.reading.channel].unit is Unit.AFR
    if source.unit is Unit.NONE and not is_afr and 6.0 < level < 30.0:
        yield say(source, 0.0, f"holds AFR in spite of its name: {level:.1f}", unit=Unit.AFR)
        is_afr = True
    elif source.unit is Unit.NONE and is_afr and 0.4 < level < 2.4:
        yield say(source, 0.0, f"holds lambda in spite of its name: {level:.2f}", unit=Unit.LAMBDA)
        is_afr = False
    afr = running if is_afr else running * _STOICH
    low, high = float(np.nanpercentile(afr, 2)), float(np.nanpercentile(afr, 98))
    if level > 400.0:
        yield say(source, CONTRADICTS, f"values around {level:.0f} look like rpm")
    elif is_afr and 0.4 < level < 2.4:
        yield say(source, CONTRADICTS, f"values around {level:.2f} look like lambda, not AFR")
    elif not is_afr and 6.0 < level < 30.0:
        yield say(source, CONTRADICTS, f"values around {level:.1f} look like AFR, not lambda")
    elif high < 6.0 or low > 35.0:
        reason = f"stays at {level:.2f}, which no mixture is: no sensor"
        yield say(source, CONTRADICTS, reason)
    elif slot in MEASURED_MIXTURE and travel * (1.0 if is_afr else _STOICH) < 0.05:
        yield say(source, CONTRADICTS, f"does not move from {level:.2f} while the engine runs")
    elif low > 8.0 and high < 24.0:
        yield say(source, CONFIRMS, f"moves between {low:.1f} and {high:.1f} AFR")


def linear_images(scene: Scene) -> Iterator[Evidence]:
    """A 0–5 V input that is a straight line of a mixture channel is that sensor's voltage."""
    for info, volts in scene.voltages:
        best: tuple[float, Source, str] | None = None
        for slot in MEASURED_MIXTURE:
            for source in scene.slots.get(slot, ()):
                line = fit_line(volts, source.column)
                if source.info is info or line is None or line.residual > 0.05:
                    continue
                unit = CHANNELS[source.reading.channel].unit.value
                words = f"is the voltage of “{source.name}”: {unit} = "
                words += f"{line.offset:.2f} {'+' if line.gain >= 0 else '−'} "
                words += f"{abs(line.gain):.3g} per volt"
                if abs(line.gain - 1) < 0.01 and abs(line.offset) < 0.05:
                    words = f"repeats “{source.name}”"
                if best is None or line.residual < best[0]:
                    best = (line.residual, source, words)
        if best is not None:
            _, source, words = best
            key = (info.provider, info.id)
            yield Evidence(key, source.reading.channel, 0.0, words, copy_of=source.key)


def copies(scene: Scene) -> Iterator[Evidence]:
    """The same value announced twice is one source; the better known name stands for both."""
    for sources in list(scene.slots.values()):
        ordered = sorted(sources, key=lambda s: (s.reading.rank, s.info.name, s.info.id))
        copied: set[SourceKey] = set()
        for first, second in combinations(ordered, 2):
            if first.key == second.key or {first.key, second.key} & copied:
                continue
            one, two = parse_name(first.info.name), parse_name(second.info.name)
            if one.uncorrected is not two.uncorrected:  # apart by the weather only, yet not copies
                continue
            equal = same_values(first.column, _in_unit_of(second, first))
            if equal or _resting_twins(first, second):
                copied.add(second.key)
                reason = f"carries the same values as “{first.name}”"
                yield say(second, 0.0, reason, copy_of=first.key)


def _in_unit_of(source: Source, other: Source) -> Array:
    afr = CHANNELS[other.reading.channel].unit is Unit.AFR
    if afr is (CHANNELS[source.reading.channel].unit is Unit.AFR):
        return source.column
    return source.column * _STOICH if afr else source.column / _STOICH


def _resting_twins(first: Source, second: Source) -> bool:
    """Return True for one name sent by two devices that agree, although nothing moves.

    Not for what a run hangs on: two engines at rest look alike, too.
    """
    one, two = parse_name(first.info.name), parse_name(second.info.name)
    apart = first.info.provider != second.info.provider
    if one.key != two.key or (one.device == two.device and not apart):
        return False
    if apart and slot_of(first.reading.channel) in _VITAL:
        return False
    both = np.isfinite(first.column) & np.isfinite(second.column)
    if np.count_nonzero(both) < 20:
        return False
    gap = np.abs(first.column[both] - second.column[both])
    return float(np.median(gap)) <= 0.005 * max(1e-9, abs(median(first.column[both])))
