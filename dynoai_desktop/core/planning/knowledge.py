"""What is known of a vehicle's fuel table: information per node, and the intervals it gives.

Quantities are those of the joint estimator: the value at a node is ln(needed / present VE), so a
standard error of 0.01 is one percent of fuel. Information of independent runs adds up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from dynoai_desktop.core.analysis.basis import bending_modes
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.prior import Prior
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Cylinder

Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class TableBelief:
    """How a table may look before it is measured: see `analysis.prior`.

    The values are those the estimator has learned from this vehicle's logs, or usual ones.
    """

    bend_sd: float = 0.02  # from node to node
    scatter_sd: float = 0.005  # of nodes that know nothing of each other
    reach_sd: float = 0.5  # how far a table may be off at all
    least_se: float = 0.003  # what the wideband itself cannot know
    sample_variance: float = 4e-4  # of ln lambda, one sample at 20 Hz, repeats counted in


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """Information (N, N) over all N = R · L nodes ``r * L + l`` and hits ``[rpm][load]``."""

    rpm: Axis
    load: Axis
    information: Mapping[Cylinder, F64]  # 1 / variance of ln VE; zeros where nothing was driven
    hits: Mapping[Cylinder, F64]
    events: Mapping[str, int] = field(default_factory=dict)  # transients by region key
    belief: TableBelief = TableBelief()

    def prior_precision(self) -> F64:
        """Return the precision (N, N) of the table before any data; read-only."""
        return _prior_precision(self.belief, self.rpm.nodes, self.load.nodes)

    def covariance(self, cylinder: Cylinder) -> F64:
        """Return the covariance (N, N) of the table given everything driven."""
        inverse = np.linalg.inv(self.prior_precision() + self.information[cylinder])
        covariance: F64 = (inverse + inverse.T) / 2.0
        return covariance

    def half_interval(self, cylinder: Cylinder) -> F64:
        """Return half of the 95 % interval of every node, ``[rpm][load]``, as a share of fuel."""
        variance = np.diag(self.covariance(cylinder)) + self.belief.least_se**2
        half: F64 = Z95 * np.sqrt(variance).reshape(len(self.rpm), len(self.load))
        return half


@lru_cache(maxsize=4)  # the same for every plan of a vehicle
def _prior_precision(belief: TableBelief, rpm: tuple[float, ...], load: tuple[float, ...]) -> F64:
    prior = Prior(
        bends=np.array([belief.bend_sd]),
        scatters=np.array([belief.scatter_sd]),
        fadings=np.ones(1),
        chance=np.ones(1),
        reach=belief.reach_sd,
    )
    precision = prior.precision(bending_modes(rpm, load))
    precision.flags.writeable = False
    return precision
