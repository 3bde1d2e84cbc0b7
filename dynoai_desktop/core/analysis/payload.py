"""The result of an analysis as values; `document.py` writes it as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dynoai_desktop.core.analysis.balance import Balance
from dynoai_desktop.core.analysis.cause_tree import CauseTree
from dynoai_desktop.core.analysis.confidence import TuneConfidence
from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.heat import HeatReport
from dynoai_desktop.core.analysis.knock import KnockMap, SparkAdvice
from dynoai_desktop.core.analysis.maps import NamedSurface
from dynoai_desktop.core.analysis.readiness import Readiness
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.analysis.spark import Mbt, Valley
from dynoai_desktop.core.analysis.surface import Surface
from dynoai_desktop.core.channels import Cylinder


@dataclass(frozen=True, slots=True)
class Warning:
    """Something the tuner should know; the code is stable."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Payload:
    """Everything one log says. Surfaces keep their covariance for the planner and the live map."""

    key: str  # of input, settings and code
    settings: AnalysisSettings
    evidence: Evidence
    readiness: Readiness
    mode_summary: Mapping[str, Mapping[str, float]]
    maps: tuple[NamedSurface, ...]
    absolute_ve: Mapping[Cylinder, Surface]  # percent
    knock: tuple[KnockMap, ...]
    spark_advice: tuple[SparkAdvice, ...]
    valleys: tuple[Valley, ...]
    mbt: tuple[Mbt, ...]
    balance: Balance | None
    heat: HeatReport
    causes: CauseTree
    confidence: TuneConfidence
    warnings: tuple[Warning, ...]

    @property
    def rejected(self) -> dict[str, int]:
        """Return how many samples of all cylinders each gate stopped, most first."""
        total: dict[str, int] = {}
        for fit in self.evidence.fits.values():
            for reason, count in fit.samples.rejected().items():
                total[reason] = total.get(reason, 0) + count
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    @property
    def accepted(self) -> int:
        """Return how many samples of all cylinders spoke about the fuel table."""
        return sum(int(fit.samples.accepted.sum()) for fit in self.evidence.fits.values())
