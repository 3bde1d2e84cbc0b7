"""What is kept of one run: where it was, what it taught, what was expected of it.

Everything here is a plain value that compares equal when it is equal to the bit, so that the same
run offered twice is known to be the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.planning.information import Nodes, packed, unpacked
from dynoai_desktop.core.planning.steps import Movement, TestType

_FLOATS = np.dtype("<f8")


@dataclass(frozen=True, slots=True)
class CylinderCoverage:
    """What one cylinder's wideband said, over the k nodes it touched."""

    nodes: tuple[int, ...]  # rising flat numbers, r * L + l
    hits: tuple[float, ...]  # hit mass of each
    packed: bytes  # upper triangle of the information, k (k + 1) / 2 little-endian doubles

    @classmethod
    def of(cls, nodes: Nodes, hits: F64, information: F64) -> CylinderCoverage:
        """Return the coverage of *nodes* (k,) with *hits* (k,) and *information* (k, k)."""
        triangle = packed(information).astype(_FLOATS)
        return cls(tuple(nodes.tolist()), tuple(hits.tolist()), triangle.tobytes())

    @property
    def information(self) -> F64:
        """Return the information, (k, k)."""
        triangle = np.frombuffer(self.packed, _FLOATS).astype(np.float64)
        return unpacked(triangle, len(self.nodes))


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a step promised for the pulls that were driven, before they were."""

    step_key: str
    test_type: TestType
    gain_pct: float  # percentage points of the goal's cells, as shown
    doubt_pct: float
    # What the path alone says, without anything learned from earlier runs:
    drive_s: float
    information: float  # sum of 1 / variance of ln VE over the nodes it reaches


@dataclass(frozen=True, slots=True)
class Achieved:
    """What a run brought. None: not measured."""

    minutes: float  # from its first row to its last
    accepted: int  # samples that spoke about the fuel table
    driving_s: float = 0.0  # neither standing nor idling
    pulls: int = 0
    peak_power_kw: float | None = None
    peak_torque_nm: float | None = None
    peak_iat_c: float | None = None
    peak_ect_c: float | None = None
    gain_pct: float | None = None  # percentage points of the goal's cells, when it was merged
    information: float | None = None  # where it was promised, mean of the cylinders


@dataclass(frozen=True, slots=True)
class Observed:
    """How the vehicle moved in a run. Empty where it showed nothing of the kind."""

    # per pull: gear (0: not known) and points (rpm, rpm per second)
    pulls: tuple[tuple[int, tuple[tuple[float, float], ...]], ...] = ()
    full_load_kpa: tuple[tuple[float, float], ...] = ()  # (rpm, MAP wide open)
    manifold: tuple[tuple[float, float, float], ...] = ()  # (throttle %, rpm, kPa) while steady
    cooling_s: tuple[float, ...] = ()  # per pull, until the engine was back where it began
    idle_rpm: float | None = None
    baro_kpa: float | None = None  # measured only


@dataclass(frozen=True, slots=True)
class RunCoverage:
    """One run, on the axes it was analysed on and the tune it was driven with."""

    run_id: str
    vehicle: str  # slug
    simulated: bool
    rpm: Axis
    load: Axis
    cylinders: Mapping[Cylinder, CylinderCoverage]
    events: tuple[Movement, ...] = ()
    tune_sha256: str = ""  # "": not known
    dyno_signature: str = ""
    started: str = ""  # UTC, ISO 8601
    note: str = ""
    prediction: Prediction | None = None  # when it was feedback for a step
    achieved: Achieved = Achieved(0.0, 0)
    observed: Observed = Observed()


class Answer(StrEnum):
    """What the operator said about a step."""

    DONE = "done"
    SKIPPED = "skipped"
    NOT_POSSIBLE = "not_possible"  # on this dyno, until reset


@dataclass(frozen=True, slots=True)
class Feedback:
    """One answer to one step."""

    answer: Answer
    step_key: str
    test_type: TestType
    reason: str = ""
    said: str = ""  # UTC, ISO 8601
    dyno_signature: str = ""
    run_id: str = ""  # of a step that was done
