"""Random numbers from one seed, drawn in blocks: quick, and the same on every machine."""

from __future__ import annotations

import numpy as np

_BLOCK = 2048


class Noise:
    """A stream of normal and uniform numbers of its own; no global state."""

    __slots__ = ("_normal", "_rng", "_uniform")

    def __init__(self, seed: np.random.SeedSequence) -> None:
        """Start the stream that belongs to *seed*."""
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._normal: list[float] = []
        self._uniform: list[float] = []

    def normal(self) -> float:
        """Return the next number of mean 0 and standard deviation 1."""
        if not self._normal:
            self._normal = self._rng.standard_normal(_BLOCK).tolist()
        return self._normal.pop()

    def uniform(self) -> float:
        """Return the next number between 0 and 1."""
        if not self._uniform:
            self._uniform = self._rng.random(_BLOCK).tolist()
        return self._uniform.pop()
