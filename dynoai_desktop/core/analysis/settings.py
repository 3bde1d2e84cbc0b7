"""Everything an analysis can be told, with its defaults, and the key of its result."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

import dynoai_desktop
from dynoai_desktop.core.analysis.alignment import Alignment
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.gates import GateSettings
from dynoai_desktop.core.analysis.knock import KnockSettings
from dynoai_desktop.core.analysis.modes import ModeSettings
from dynoai_desktop.core.analysis.runs import RunSettings
from dynoai_desktop.core.analysis.spark import ValleySettings
from dynoai_desktop.core.analysis.ve import Injector, VeSettings
from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Cylinder

# Raised with every change of a formula, a limit, a bin or a rounding: results of different
# versions are never mixed, and a cached one of another version is not used.
MATH_VERSION = "1.1"


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisSettings:
    """What the caller knows beside the log. Everything has a default but the axes' owner."""

    axes: tuple[Axis, Axis] | None = None  # of the vehicle's VE table; chosen from the log if None
    target: CellGrid | None = None  # commanded lambda, for logs that do not hold it
    target_below_tps_pct: float | None = None  # from here on something else commands the mixture
    target_below_rpm: float | None = None
    base_spark: Mapping[Cylinder, CellGrid] = field(default_factory=dict)
    injector: Injector | None = None
    alignment: Alignment | None = None  # a delay known from elsewhere; measured if None
    redline_rpm: float | None = None
    modes: ModeSettings = field(default_factory=ModeSettings)
    gates: GateSettings = field(default_factory=GateSettings)
    runs: RunSettings = field(default_factory=RunSettings)
    ve: VeSettings = field(default_factory=VeSettings)
    knock: KnockSettings = field(default_factory=KnockSettings)
    valley: ValleySettings = field(default_factory=ValleySettings)
    notes: tuple[str, ...] = ()  # what was given and could not be used, for the warnings


def cache_key(frame: Frame, settings: AnalysisSettings) -> str:
    """Return the key of a result: input, settings and version of the code, as SHA-256."""
    sha = hashlib.sha256()
    for part in (frame.digest(), fingerprint(settings), MATH_VERSION, dynoai_desktop.__version__):
        sha.update(part.encode())
        sha.update(b"\0")
    return sha.hexdigest()


def fingerprint(value: Any) -> str:
    """Return a text that is the same for equal settings and for no others."""
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()
        return f"array{value.shape}:{digest}"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (
            f"{f.name}={fingerprint(getattr(value, f.name))}" for f in dataclasses.fields(value)
        )
        return f"{type(value).__name__}({','.join(fields)})"
    if isinstance(value, Mapping):
        items = sorted((fingerprint(k), fingerprint(v)) for k, v in value.items())
        return "{" + ",".join(f"{k}:{v}" for k, v in items) + "}"
    if isinstance(value, (tuple, list)):
        return "(" + ",".join(fingerprint(item) for item in value) + ")"
    return repr(value)
