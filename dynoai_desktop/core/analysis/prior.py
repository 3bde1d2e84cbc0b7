"""How rough a table may be: the prior of the joint estimator, learned from the data.

A table is the sum of a part that bends (an engine's breathing) and a part that scatters from node
to node (a table someone edited by hand). How a bend continues is open too: a spline's bends know
little of each other, an engine's swing in long waves, whose short ones fade faster. In the
eigenmodes of the bending energy all of it is diagonal, so every set of roughnesses is one line of
numbers, and its likelihood one Cholesky factor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dynoai_desktop.core.analysis.basis import Modes
from dynoai_desktop.core.analysis.frame import F64

_BORDER = 1e300
_RULED_OUT = 1e-5
_LIKELY = 0.05  # of the likeliest
_MOST_REFINED = 24
_PLANE = 1e-9  # bending energy of a mode that is none
# Powers of the energy by which short waves fade: a spline's (Wahba, 1983), and a smoother one's.
# With the spline alone, intervals of smooth tables were half as wide again as their errors.
_FADING = (1.0, 2.0)
_FREE = 100.0


@dataclass(frozen=True, slots=True)
class SurfaceOptions:
    """What is believed before any data, in the unit of the values."""

    prior_sd: float = 0.5  # how far a table may be off at all
    roughness_sd: tuple[float, float] = (3e-4, 0.3)  # bending from node to node, from and to
    scatter_sd: tuple[float, float] = (1e-3, 0.15)  # of nodes that know nothing of each other
    noise_sd: float = 0.02  # a guess of the noise of one sample, worth a few samples
    noise_worth: float = 4.0
    learn: bool = True  # let the data say how rough the table is; else every roughness counts
    least_se: float = 0.0  # no interval is narrower: what the sensor itself cannot know


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What is believed about the modes of a table: a weighted list of (bend, scatter, fading)."""

    bends: F64  # (h,) standard deviation of bending from node to node
    scatters: F64  # (h,) standard deviation of nodes that know nothing of each other
    fadings: F64  # (h,) power of the energy by which short waves are smaller
    chance: F64  # (h,) sums to 1
    reach: float  # how far a table may be off at all

    @classmethod
    def before_data(cls, options: SurfaceOptions) -> Prior:
        """Return the prior that holds every listed roughness for equally likely."""
        bends = np.geomspace(*options.roughness_sd, 7)
        scatters = np.concatenate(([0.0], np.geomspace(*options.scatter_sd, 7)))
        sets = np.stack(np.meshgrid(bends, scatters, _FADING)).reshape(3, -1)
        chance = np.full(sets.shape[1], 1.0 / sets.shape[1])
        return cls(sets[0], sets[1], sets[2], chance, options.prior_sd)

    @property
    def bend(self) -> float:
        """Return the mean bending."""
        return float(self.chance @ self.bends)

    @property
    def scatter(self) -> float:
        """Return the mean scatter."""
        return float(self.chance @ self.scatters)

    def variances(self, modes: Modes) -> F64:
        """Return the variance of every mode under every set, (h, modes)."""
        energy = modes.energy ** self.fadings[:, None]
        smooth = 1.0 / (energy / self.bends[:, None] ** 2 + self.reach**-2)
        variance: F64 = smooth + self.scatters[:, None] ** 2
        # Planes are left to the data, so that an affine field comes out exactly.
        variance[:, modes.energy < _PLANE] *= _FREE
        return variance

    def precision(self, modes: Modes) -> F64:
        """Return the prior precision of the nodes, each mode's variance averaged by its log."""
        log_variance = self.chance @ np.log(self.variances(modes))
        precision: F64 = (modes.vectors * np.exp(-log_variance)) @ modes.vectors.T
        return precision

    def after(self, information: F64, moment: F64, modes: Modes) -> Prior:
        """Return the prior with its chances set by the marginal likelihood of the data.

        log p(y | K) = ½ (log |K| − log |G + K| + m' (G + K)^-1 m) + const, with data information
        G, moment m, and the prior precision K, which is diagonal in the modes. Sets that were
        ruled out before are not tried again.
        """
        size = moment.size
        # The Cholesky factor of a bordered matrix ends in the half of m' A^-1 m that is needed.
        bordered = np.zeros((size + 1, size + 1))
        bordered[:size, :size] = modes.vectors.T @ information @ modes.vectors
        bordered[size, :size] = modes.vectors.T @ moment
        bordered[size, size] = _BORDER
        diagonal = np.arange(size)
        own = bordered[diagonal, diagonal]
        score = np.full(self.chance.size, -np.inf)
        variances = self.variances(modes)
        for i in np.flatnonzero(self.chance > _RULED_OUT):
            bordered[diagonal, diagonal] = own + 1.0 / variances[i]
            factor = np.linalg.cholesky(bordered)
            half = factor[size, :size]
            log_det = 2.0 * np.log(factor[diagonal, diagonal]).sum() + np.log(variances[i]).sum()
            score[i] = 0.5 * (half @ half - log_det)
        chance = np.exp(score - score.max())
        return replace(self, chance=chance / chance.sum())

    def refined(self) -> Prior:
        """Return the prior with every likely set split in nine, a third of a step apart.

        On the first grid a scatter of 0.04 is either 0.028 or 0.065, and its intervals with it.
        """
        likely = np.flatnonzero(self.chance > _LIKELY * self.chance.max())
        if likely.size > _MOST_REFINED:
            return self  # few data: the grid is finer than what they know
        third = np.array([-1.0, 0.0, 1.0]) / 3.0
        bends = self.bends[likely, None, None] * _step(self.bends) ** third[:, None]
        scatters = self.scatters[likely, None, None] * _step(self.scatters) ** third
        shape = (likely.size, 3, 3)
        bends, scatters, fadings, chance = (
            np.broadcast_to(values, shape).ravel()
            for values in (
                bends,
                scatters,
                self.fadings[likely, None, None],
                self.chance[likely, None, None],
            )
        )
        # Where nothing scatters, three of the nine are the same and count once.
        once = (scatters > 0.0) | (np.arange(scatters.size) % 3 == 1)
        chance = np.where(scatters > 0.0, chance / 9.0, chance / 3.0)[once]
        return replace(
            self,
            bends=bends[once],
            scatters=scatters[once],
            fadings=fadings[once],
            chance=chance / chance.sum(),
        )


def _step(values: F64) -> float:
    """Return the ratio of neighbours on a geometric grid that may hold zero too."""
    grid = np.unique(values[values > 0.0])
    return float(grid[1] / grid[0]) if grid.size > 1 else 1.0
