"""The big figures of Live: one row of TILES each, top to bottom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.snapshot import Mixture
from dynoai_desktop.core.units import Display, Unit
from dynoai_desktop.ui.live_model import Figure
from dynoai_desktop.ui.wording import ABSENT, age, glance, in_units

ENGINE_SAVER_PX = 96  # 30 minutes of arc at 3 m: mixture and rpm save an engine
GLANCE_PX = 64  # 20 minutes of arc at 3 m
SADDLE_PX = 190


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure. *label* is None where the unit is the label, as for mixture."""

    channel: Channel
    label: str | None
    unit: Unit
    template: str  # the widest figure it must hold
    digit_px: int = GLANCE_PX
    suffix: str = ""  # cylinder
    in_saddle: bool = False
    beside: bool = False  # shares its row with the tile before


_FRONT, _REAR, _BOTH = Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR, Channel.LAMBDA
_CYLINDERS = {_FRONT: Cylinder.FRONT, _REAR: Cylinder.REAR, _BOTH: Cylinder.BOTH}

TILES: tuple[Tile, ...] = (
    Tile(Channel.RPM, "rpm", Unit.RPM, "10\u00a0888", ENGINE_SAVER_PX, in_saddle=True),
    Tile(_FRONT, None, Unit.LAMBDA, "88.8", ENGINE_SAVER_PX, "F", in_saddle=True),
    Tile(_REAR, None, Unit.LAMBDA, "88.8", ENGINE_SAVER_PX, "R", in_saddle=True),
    Tile(Channel.MAP, "MAP", Unit.KILOPASCAL, "888", in_saddle=True),
    Tile(Channel.TPS, "TPS", Unit.PERCENT, "888", beside=True),
    Tile(Channel.POWER, "Power", Unit.KILOWATT, "888"),
    Tile(Channel.TORQUE, "Torque", Unit.NEWTON_METRE, "−888", beside=True),
)


@dataclass(frozen=True, slots=True)
class TileText:
    """What a tile prints."""

    label: str
    text: str
    unit: str
    note: str
    is_stale: bool


def tile_channel(tile: Tile, figures: Mapping[Channel, Figure]) -> Channel | None:
    """Return the channel a tile shows now; None when the tile has no part to play.

    A vehicle with one probe for both cylinders has one mixture figure, not two.
    """
    one_probe = _BOTH in figures and not (_FRONT in figures or _REAR in figures)
    if one_probe and tile.channel in (_FRONT, _REAR):
        return _BOTH if tile.channel is _FRONT else None
    return tile.channel


def tile_mixture(channel: Channel, mixtures: Mapping[Cylinder, Mixture]) -> Mixture | None:
    """Return the mixture of the wideband that a tile shows; None when it is not heard."""
    cylinder = _CYLINDERS.get(channel)
    return None if cylinder is None else mixtures.get(cylinder)


def tile_text(
    tile: Tile, channel: Channel, figures: Mapping[Channel, Figure], display: Display
) -> TileText:
    """Return what *tile* prints for *channel* in the tuner's units."""
    figure = figures.get(channel)
    value, unit = in_units(figure.value if figure else 0.0, tile.unit, display)
    suffix = "" if channel is _BOTH else tile.suffix
    label = tile.label if tile.label is not None else f"{unit.value} {suffix}".strip()
    shown_unit = "" if tile.label is None or tile.label == unit.value else unit.value
    if figure is None:
        return TileText(label, ABSENT, shown_unit, "", False)
    note = f"{age(figure.age_s)} old" if figure.is_stale else ""
    return TileText(label, glance(value, unit), shown_unit, note, figure.is_stale)
