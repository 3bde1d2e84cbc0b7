"""What the rpm × load map can show: one row of MAP_VIEWS each, for one cylinder group or the worst.

Front and rear are never averaged. Where both have a wideband of their own the map shows one of
them or, cell by cell, the worse of the two and says which.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.live.snapshot import CellMap, Snapshot
from dynoai_desktop.ui.theme import Palette, diverging, ramp
from dynoai_desktop.ui.wording import GROUP, number

F64 = NDArray[np.float64]
Whose = NDArray[np.int8]

NOBODY, FRONT, REAR = 0, 1, 2  # in Layer.whose
# What key C turns through; None is the worse of the two, cell by cell.
SIDES: tuple[Cylinder | None, ...] = (None, Cylinder.FRONT, Cylinder.REAR)
SIDE_TITLES: dict[Cylinder | None, str] = {
    None: "worst of both",
    Cylinder.FRONT: "front",
    Cylinder.REAR: "rear",
    Cylinder.BOTH: "one probe",
}
SIDE_LETTERS = {Cylinder.FRONT: "F", Cylinder.REAR: "R", Cylinder.BOTH: ""}
LEAST_HITS = 0.5  # a share of a reading from next door is no hit

_LEAST_TOP = 100.0
_ERROR_TOPS = (10.0, 20.0, 40.0)  # per cent; a good tune stays calm on the smallest of them
_TRUSTED = 5.0  # half width in per cent up to which a cell may stretch the scale
_WIDEST, _NARROWEST = 10.0, 0.5  # half widths at the ends of the confidence scale, per cent


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One quantity per cell, arrays ``[rpm][load]``. NaN is an empty cell."""

    rpm: Axis
    load: Axis
    values: F64
    half_width: F64 | None = None  # of the 95 % interval, per cent: uncertainty fades a cell
    whose: Whose | None = None  # NOBODY, FRONT or REAR, where the worse of both is shown


@dataclass(frozen=True, slots=True)
class Scale:
    """How values become a place on the colour scale, ticks and numbers."""

    top: Callable[[Layer], float]  # what the end of the scale stands for
    share: Callable[[F64, float], F64]  # values, top -> 0 to 1
    ticks: Callable[[float], tuple[float, ...]]
    text: Callable[[float], str]
    decimals: int = 0  # that the text shows
    widest: str = "888"  # usual text, by which the type is chosen


@dataclass(frozen=True, slots=True)
class MapStyle:
    """How the values of a layer are painted."""

    unit: str  # stands above the colour scale
    colours: Callable[[Palette], list[str]]
    scale: Scale
    fades: bool = False  # uncertainty fades the colours, and the scale says how
    turns: bool = False  # numbers that are too wide for their cells stand upright


@dataclass(frozen=True, slots=True)
class MapView:
    """One row of the table."""

    key: str
    title: str
    layer: Callable[[Snapshot, Cylinder | None], Layer]
    style: MapStyle


def sides_of(snapshot: Snapshot) -> tuple[Cylinder | None, ...]:
    """Return what can be shown: the groups heard and, where there are two, the worse of both."""
    heard = tuple(snapshot.cylinders)
    return SIDES if len(heard) > 1 else heard or (None,)


def side_shown(snapshot: Snapshot, wanted: Cylinder | None) -> Cylinder | None:
    """Return the side that is shown when *wanted* was chosen."""
    sides = sides_of(snapshot)
    return wanted if wanted in sides else sides[0]


def hit_layer(snapshot: Snapshot, side: Cylinder | None) -> Layer:
    """Return the readings accepted per cell; with no wideband heard, the windows spent there.

    Of both cylinders the fewer counts: a cell is covered when both have been heard in it.
    """
    groups, side = snapshot.cylinders, side_shown(snapshot, side)
    if not groups:
        hits = snapshot.hits
        return Layer(hits.rpm, hits.load, np.where(hits.values > 0, hits.values, np.nan))
    one = next(iter(groups.values()))
    mass = (
        np.minimum.reduce([group.mass for group in groups.values()])
        if side is None
        else groups[side].mass
    )
    return Layer(one.rpm, one.load, np.where(mass >= LEAST_HITS, mass, np.nan))


def error_layer(snapshot: Snapshot, side: Cylinder | None) -> Layer:
    """Return the fuel error per cell in per cent; positive is lean and asks for fuel."""
    return _of_side(snapshot, side, lambda group: group.error)


def confidence_layer(snapshot: Snapshot, side: Cylinder | None) -> Layer:
    """Return half of the 95 % interval per cell, in per cent."""
    layer = _of_side(snapshot, side, lambda group: group.half_width)
    return Layer(layer.rpm, layer.load, layer.values, whose=layer.whose)


def _of_side(
    snapshot: Snapshot, side: Cylinder | None, quantity: Callable[[CellMap], F64]
) -> Layer:
    groups, side = snapshot.cylinders, side_shown(snapshot, side)
    if not groups:
        empty = np.full_like(snapshot.hits.values, np.nan)
        return Layer(snapshot.hits.rpm, snapshot.hits.load, empty)
    if side is not None:
        group = groups[side]
        return Layer(group.rpm, group.load, 100.0 * quantity(group), 100.0 * group.half_width)
    front, rear = groups[Cylinder.FRONT], groups[Cylinder.REAR]
    values = quantity(front), quantity(rear)
    rear_is_worse = _size(values[1]) > _size(values[0])
    known = np.isfinite(values[0]) | np.isfinite(values[1])
    return Layer(
        front.rpm,
        front.load,
        100.0 * np.where(rear_is_worse, values[1], values[0]),
        100.0 * np.where(rear_is_worse, rear.half_width, front.half_width),
        np.where(known, np.where(rear_is_worse, REAR, FRONT), NOBODY).astype(np.int8),
    )


def _size(values: F64) -> F64:
    return np.where(np.isfinite(values), np.abs(values), -1.0)


def hit_top(layer: Layer) -> float:
    """Return the power of ten, at least 100, that holds every cell, so the scale rarely moves."""
    most = np.nanmax(layer.values, initial=1.0)
    return max(_LEAST_TOP, 10.0 ** math.ceil(math.log10(most) - 1e-9))


def hit_share(values: F64, top: float) -> F64:
    """Return the place on the scale, logarithmic: the first hits matter most.

    >>> hit_share(np.array([1.0, 10.0, 100.0]), 100.0).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.log10(np.maximum(values, 1.0)) / math.log10(top)


def hit_ticks(top: float) -> tuple[float, ...]:
    """Return 1, 10, 100 … *top*."""
    return tuple(10.0**i for i in range(round(math.log10(top)) + 1))


def hit_text(value: float) -> str:
    """Return the number in a cell."""
    return f"{max(value, 1.0):,.0f}".replace(",", GROUP)


def error_top(layer: Layer) -> float:
    """Return the least end of the scale that holds every error known well enough."""
    sure = layer.values
    if layer.half_width is not None:
        sure = np.where(layer.half_width <= _TRUSTED, layer.values, np.nan)
    most = np.nanmax(np.abs(sure), initial=0.0)
    return next((top for top in _ERROR_TOPS if most <= top), _ERROR_TOPS[-1])


def error_share(values: F64, top: float) -> F64:
    """Return the place on the scale, 0 as rich as it goes, 0.5 as commanded, 1 as lean.

    >>> error_share(np.array([-10.0, 0.0, 5.0]), 10.0).tolist()
    [0.0, 0.5, 0.75]
    """
    return 0.5 + 0.5 * values / top


def error_ticks(top: float) -> tuple[float, ...]:
    """Return five ticks, both ends and the middle among them."""
    return (-top, -top / 2, 0.0, top / 2, top)


def error_text(value: float) -> str:
    """Return an error in whole per cent with its sign.

    >>> error_text(3.4), error_text(-0.2), error_text(-7.0)
    ('+3', '0', '−7')
    """
    return signed(value, 0)


def signed(value: float, decimals: int) -> str:
    """Return a number with its sign; what rounds to zero has none."""
    text = number(value, decimals)
    return f"+{text}" if round(value, decimals) > 0 else text


def confidence_share(values: F64, _top: float) -> F64:
    """Return the place on the scale, logarithmic; the narrower the interval the higher.

    >>> confidence_share(np.array([10.0, 0.5]), 1.0).tolist()
    [0.0, 1.0]
    """
    least = np.maximum(values, 1e-6)
    return np.log(_WIDEST / least) / math.log(_WIDEST / _NARROWEST)


def confidence_text(value: float) -> str:
    """Return half a width in per cent.

    >>> confidence_text(0.84), confidence_text(12.3)
    ('0.8', '12')
    """
    return number(value, 1 if value < 9.95 else 0)


def _coverage_colours(palette: Palette) -> list[str]:
    return ramp(palette.few, palette.many)


_HIT_SCALE = Scale(hit_top, hit_share, hit_ticks, hit_text)
_ERROR_SCALE = Scale(error_top, error_share, error_ticks, error_text)
_CONFIDENCE_SCALE = Scale(
    lambda _layer: _NARROWEST,
    confidence_share,
    lambda _top: (_WIDEST, 5.0, 2.0, 1.0, _NARROWEST),
    confidence_text,
    decimals=1,
)

MAP_VIEWS = (
    MapView("hits", "Hits", hit_layer, MapStyle("hits", _coverage_colours, _HIT_SCALE, turns=True)),
    MapView(
        "error",
        "λ error",
        error_layer,
        MapStyle("error, %", diverging, _ERROR_SCALE, fades=True, turns=True),
    ),
    MapView(
        "confidence",
        "Confidence",
        confidence_layer,
        MapStyle("± %", _coverage_colours, _CONFIDENCE_SCALE, turns=True),
    ),
)
