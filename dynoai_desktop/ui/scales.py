"""What the values of a source mean: a unit, or a straight line through two points.

A user analogue channel carries 0 to 5 V of some sensor. Its data sheet gives two points of a
straight line; these and the unit they are in are all that is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.trust.channel_map import Binding
from dynoai_desktop.core.trust.scoring import with_unit_of_mixture
from dynoai_desktop.core.trust.transforms import IDENTITY, Transform, between
from dynoai_desktop.core.units import Display, Unit, base_unit

_MIXTURE = (Unit.AFR, Unit.LAMBDA)
_LARGEST = 1e6  # gain and offset that a mapping file may carry


@dataclass(frozen=True, slots=True)
class Scale:
    """The meaning of a source: *unit* of its values, or of the y of its two points."""

    unit: Unit
    points: tuple[tuple[float, float], tuple[float, float]] | None = None  # (sent, meant)


def line_ends(sent: Unit) -> tuple[float, float]:
    """Return the sent values at which a straight line is shown: those of an analogue input."""
    return (0.0, 5.0) if sent is Unit.VOLT else (0.0, 100.0)


def units_for(channel: Channel) -> tuple[Unit, ...]:
    """Return the units that the values of a channel can be in, ours first.

    >>> [unit.value for unit in units_for(Channel.MAP)]
    ['kPa', 'psi', 'inHg']
    """
    target = CHANNELS[channel].unit
    if target in _MIXTURE:
        return _MIXTURE
    others = (u for u in Unit if u is not target and base_unit(u) is target)
    return (target, *others)


def scale_of(binding: Binding, display: Display) -> Scale:
    """Return the scale in force.

    Where a voltage stands for another quantity and nobody has said how, the points are those of
    the input and their meaning is NaN, to be filled in.
    """
    target, transform = CHANNELS[binding.channel].unit, binding.transform
    sent = binding.source.unit
    x = line_ends(sent)
    if transform == IDENTITY and sent is Unit.VOLT and target is not Unit.VOLT:
        return Scale(_shown_unit(target, display), ((x[0], math.nan), (x[1], math.nan)))
    for unit in units_for(binding.channel):
        if target not in _MIXTURE and between(unit, target) == transform:
            return Scale(unit)
    if target in _MIXTURE and transform == IDENTITY:
        return Scale(target)
    unit = _shown_unit(target, display)
    back = between(target, unit) if target not in _MIXTURE else IDENTITY
    y = [back.apply(transform.apply(at)) for at in x]
    return Scale(unit, ((x[0], y[0]), (x[1], y[1])))


def _shown_unit(target: Unit, display: Display) -> Unit:
    return target if target in _MIXTURE else display.unit(target)


def transform_of(channel: Channel, scale: Scale) -> tuple[Channel, Transform]:
    """Return the canonical channel and the transform that a scale comes to.

    The unit of a wideband decides between its AFR and its lambda row. Raises ValueError with one
    sentence when the points do not make a line.

    >>> line = Scale(Unit.AFR, ((0.0, 7.35), (5.0, 22.39)))
    >>> channel, transform = transform_of(Channel.LAMBDA_FRONT, line)
    >>> channel.value, round(transform.apply(2.0), 3)
    ('afr_front', 13.366)
    """
    channel = with_unit_of_mixture(channel, scale.unit)
    into_ours = between(scale.unit, CHANNELS[channel].unit)
    if scale.points is None:
        return channel, into_ours
    (x1, y1), (x2, y2) = scale.points
    if not all(math.isfinite(value) for value in (x1, y1, x2, y2)):
        raise ValueError("All four numbers are needed.")
    if x1 == x2:
        raise ValueError("The two points are at the same reading: they must differ.")
    if y1 == y2:
        raise ValueError("Both points mean the same: every value would be equal.")
    slope = (y2 - y1) / (x2 - x1)
    gain = slope * into_ours.gain
    offset = (y1 - slope * x1) * into_ours.gain + into_ours.offset
    if max(abs(gain), abs(offset)) > _LARGEST:
        raise ValueError("These points make a line too steep to be a sensor.")
    return channel, Transform("linear", gain, offset)


def parse_number(text: str) -> float:
    """Return a number typed with a point or a comma; NaN for anything else.

    >>> parse_number(" 7,35 "), parse_number("−2")
    (7.35, -2.0)
    """
    try:
        value = float(text.strip().replace(",", ".").replace("−", "-"))
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
