"""The column of big figures: engine, mixture with its error, load, power."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.snapshot import Mixture
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.live_model import Figure
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.mixture_words import mixture_words
from dynoai_desktop.ui.panels.tiles import (
    SADDLE_PX,
    TILES,
    Tile,
    tile_channel,
    tile_mixture,
    tile_text,
)
from dynoai_desktop.ui.widgets.mixture_tile import MixtureTile
from dynoai_desktop.ui.widgets.numeral import Numeral

_MIXTURE_TALLER = 1.22  # than its digits alone: target above, word below
_PAIR_TALLER = 1.3  # the label stands above the digits


class TileColumn(QWidget):
    """One Numeral for each row of TILES; two small ones may share a row."""

    def __init__(self, look: Look) -> None:
        """Start with dashes."""
        super().__init__()
        self._look = look
        self._saddle = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.numerals: list[Numeral] = []
        for i, tile in enumerate(TILES):
            numeral = _numeral(tile, look, _is_paired(i))
            self.numerals.append(numeral)
            if not tile.beside:
                row = QHBoxLayout()
                row.setSpacing(6)
                self._column.addLayout(row)
            row.addWidget(numeral, 1)
        self.show_figures({}, {})

    def _stretch(self) -> None:
        """Share the height out by what each row shows; in the saddle all get the same."""
        first_of_rows = [i for i, tile in enumerate(TILES) if not tile.beside]
        for row, i in enumerate(first_of_rows):
            weight = 1 if self._saddle else _weight(i)
            self._column.setStretch(row, 0 if self.numerals[i].isHidden() else weight)

    def show_figures(
        self, figures: Mapping[Channel, Figure], mixtures: Mapping[Cylinder, Mixture]
    ) -> None:
        """Print every figure in the tuner's units."""
        palette, display = self._look.palette, self._look.display
        swatches = {Channel.LAMBDA_FRONT: palette.first, Channel.LAMBDA_REAR: palette.second}
        for tile, numeral in zip(TILES, self.numerals, strict=True):
            channel = tile_channel(tile, figures)
            numeral.setVisible(channel is not None and (tile.in_saddle or not self._saddle))
            if channel is None:
                continue
            shown = tile_text(tile, channel, figures, display)
            numeral.set_label(shown.label, swatches.get(channel))
            numeral.show_value(shown.text, shown.unit, shown.note, shown.is_stale)
            if isinstance(numeral, MixtureTile):
                numeral.show_words(mixture_words(tile_mixture(channel, mixtures), display))
        self._stretch()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        for numeral in self.numerals:
            numeral.set_look(look)

    def set_saddle(self, on: bool) -> None:
        """Leave only the four figures one looks for from the saddle, and make them giant."""
        self._saddle = on
        for tile, numeral in zip(TILES, self.numerals, strict=True):
            numeral.set_digit_px(SADDLE_PX if on else tile.digit_px)
            numeral.setVisible(tile.in_saddle or not on)
        self._stretch()


def _numeral(tile: Tile, look: Look, paired: bool) -> Numeral:
    kind = MixtureTile if tile.unit is Unit.LAMBDA else Numeral
    return kind(tile.label or "", tile.template, tile.digit_px, look, stacked=paired)


def _is_paired(i: int) -> bool:
    return any(tile.beside for tile in TILES[i : i + 2])


def _weight(i: int) -> int:
    tile = TILES[i]
    taller = _PAIR_TALLER if _is_paired(i) else 1.0
    return round(tile.digit_px * (_MIXTURE_TALLER if tile.unit is Unit.LAMBDA else taller))
