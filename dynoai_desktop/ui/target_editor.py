"""Editing the table of target lambdas: every change is whole or not at all, and can be undone."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.live.targets import (
    TargetError,
    paste_targets,
    preset_targets,
    require_targets,
    with_target,
)
from dynoai_desktop.core.tune.clipboard import SPREADSHEET, to_text
from dynoai_desktop.core.units import Display, MixtureScale, Unit
from dynoai_desktop.ui.scales import parse_number
from dynoai_desktop.ui.wording import in_units

Cells = Iterable[tuple[int, int]]

KEPT = 100  # changes that can be undone
STEPS = {MixtureScale.AFR: 0.1, MixtureScale.LAMBDA: 0.01}
_LAMBDA_BELOW = 3.0  # a smaller number can be no AFR


class TargetEditor:
    """Holds the targets in force and those before. Changes raise TargetError with one sentence."""

    def __init__(self, grid: CellGrid, display: Display) -> None:
        """Start with *grid*, nothing to undo."""
        self.grid = grid
        self.display = display
        self._before: list[CellGrid] = []

    @property
    def can_undo(self) -> bool:
        """Return whether there is something to take back."""
        return bool(self._before)

    def adopt(self, grid: CellGrid) -> bool:
        """Take targets from elsewhere; return whether they are others.

        On the same axes that can be undone; other axes are another vehicle.
        """
        if (grid.rpm, grid.load) != (self.grid.rpm, self.grid.load):
            self.grid = grid
            self._before.clear()
            return True
        if np.array_equal(grid.values, self.grid.values):
            return False
        self._change(grid)
        return True

    def enter(self, cells: Cells, text: str) -> None:
        """Put what was typed, lambda or AFR, into *cells*."""
        value = parse_number(text)
        if math.isnan(value):
            raise TargetError(f"“{text}” is no number. Type a target such as {self.example()}.")
        if value > _LAMBDA_BELOW:
            value /= self.display.stoich
        self._change(with_target(self.grid, cells, value))

    def example(self) -> str:
        """Return a target as it may be typed."""
        return "12.9 or 0.88"

    def nudge(self, cells: Cells, steps: int) -> None:
        """Make *cells* leaner by *steps* of 0.1 AFR or 0.01 λ; negative is richer."""
        step = steps * STEPS[self.display.mixture]
        if self.display.mixture is MixtureScale.AFR:
            step /= self.display.stoich
        values = self.grid.values.copy()
        for cell in cells:
            values[cell] += step
        changed = CellGrid(self.grid.rpm, self.grid.load, values)
        require_targets(changed, self.grid.rpm, self.grid.load)
        self._change(changed)

    def preset(self, key: str) -> None:
        """Take a preset for the whole table."""
        self._change(preset_targets(key, self.grid.rpm, self.grid.load))

    def paste(self, text: str, at: tuple[int, int]) -> None:
        """Take a table from a spreadsheet: the whole, or a part of it from cell *at* on."""
        lines = sum(1 for line in text.splitlines() if line.strip())
        whole = lines >= len(self.grid.rpm)
        start = None if whole else at
        self._change(paste_targets(self.grid, text, at=start, stoich=self.display.stoich))

    def copy(self) -> str:
        """Return the whole table with its labels, in the units shown, for a spreadsheet."""
        shown = in_units(1.0, Unit.LAMBDA, self.display)[0] * self.grid.values
        decimals = 2 if self.display.mixture is MixtureScale.AFR else 3
        return to_text(
            CellGrid(self.grid.rpm, self.grid.load, shown), SPREADSHEET, decimals=decimals
        )

    def undo(self) -> bool:
        """Take the last change back; return whether there was one."""
        if not self._before:
            return False
        self.grid = self._before.pop()
        return True

    def _change(self, grid: CellGrid) -> None:
        if np.array_equal(grid.values, self.grid.values):
            return
        self._before = [*self._before, self.grid][-KEPT:]
        self.grid = grid
