"""The payload as one JSON document, `dynoai.nextgen@1`.

No NaN ever leaves: what is unknown is null. Matrices are ``[rpm][load]``. Numbers are rounded far
below their meaning, so that the same analysis gives the same bytes on every machine.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.cause_tree import Cause
from dynoai_desktop.core.analysis.coverage import find_gaps
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.knock import KnockMap
from dynoai_desktop.core.analysis.normalise import Tag
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.settings import MATH_VERSION
from dynoai_desktop.core.analysis.surface import Surface
from dynoai_desktop.core.analysis.ve import VeCorrection, Verdict
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import CARRIED, CHANNELS

SCHEMA_VERSION = "dynoai.nextgen@1"
_LEAST_HITS = 3.0

Json = Any


def to_document(
    payload: Payload,
    *,
    run_id: str = "",
    generated_at: str = "",
    request: str = "",
    next_tests: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """Return the JSON document.

    *generated_at* is the caller's clock in ISO 8601; *request* the hash of everything that was
    asked, by which a kept document is known again; *next_tests* the planner's section, whose
    coverage gaps are filled in here where it has none.
    """
    evidence = payload.evidence
    frame = evidence.normalised.raw
    gaps = find_gaps(evidence, payload.settings.redline_rpm)
    tests: dict[str, Json] = {
        "steps": [],
        "priority_rationale": "",
        "coverage_gaps": [gap.description for gap in gaps],
        "coverage_gaps_detailed": [_plain(gap) for gap in gaps],
        "total_estimated_pulls": 0,
        "dyno_step_count": 0,
        "street_step_count": 0,
    }
    tests.update(next_tests or {})
    low, high = evidence.alignment.interval_s
    document = {
        "schema_version": SCHEMA_VERSION,
        "math_version": MATH_VERSION,
        "key": payload.key,
        "request": request,
        "run_id": run_id,
        "generated_at": generated_at,
        "simulated": frame.simulated,
        "input": {
            "rows": len(frame),
            "start_s": float(frame.time_s[0]),
            "duration_s": float(frame.time_s[-1] - frame.time_s[0]),
            "median_step_s": float(np.median(np.diff(frame.time_s))),
        },
        "inputs_present": {c.value: c in frame for c in CARRIED},
        "provenance": _provenance(payload),
        "channel_readiness": _plain(payload.readiness),
        "mode_summary": _plain(payload.mode_summary),
        "alignment": {
            "delay_ms": 1000.0 * evidence.alignment.delay_s,
            "low_ms": 1000.0 * low,
            "high_ms": 1000.0 * high,
            "measured": evidence.alignment.measured,
        },
        "accepted": payload.accepted,
        "rejected": payload.rejected,
        "runs": [_plain(run) for run in evidence.runs],
        "surfaces": _surfaces(payload),
        "ve_correction": {
            cylinder.value: _correction(fit.correction) for cylinder, fit in evidence.fits.items()
        },
        "absolute_ve": {
            cylinder.value: _surface("absolute_ve", "Absolute VE", "", "%", surface)
            for cylinder, surface in payload.absolute_ve.items()
        },
        "spark_valley": [_plain(valley) for valley in payload.valleys],
        "mbt": [_plain(one) for one in payload.mbt],
        "spark_advice": [_plain(advice) for advice in payload.spark_advice],
        "balance": _balance(payload),
        "heat": _plain(payload.heat),
        "cause_tree": {
            "hypotheses": [_cause(cause) for cause in payload.causes.causes],
            "summary": payload.causes.summary,
            "analysis_notes": list(payload.causes.notes),
        },
        "tune_confidence": _plain(payload.confidence),
        "next_tests": tests,
        "notes_warnings": [warning.message for warning in payload.warnings],
        "warning_codes": [warning.code for warning in payload.warnings],
        "ecu_model_notes": [
            "Multiplier above 1 adds fuel; lambda error is measured minus commanded, + is lean.",
            "The table is read bilinearly on its own axes, borders held.",
        ],
    }
    cleaned: dict[str, Json] = _plain(document)
    return cleaned


def _provenance(payload: Payload) -> dict[str, Json]:
    out = {}
    normalised = payload.evidence.normalised
    for channel in normalised.tags:
        source = normalised.raw.provenance.get(channel)
        counts = np.bincount(normalised.tags[channel], minlength=len(Tag))
        out[channel.value] = {
            "source": source.source if source else channel.value,
            "unit": source.unit.value if source else CHANNELS[channel].unit.value,
            "note": source.note if source else "",
            **{tag.name.lower(): int(counts[tag]) for tag in Tag},
        }
    return out


def _surfaces(payload: Payload) -> dict[str, Json]:
    drawn = {
        m.surface_id: _surface(m.surface_id, m.title, m.description, m.unit.value, m.surface)
        for m in payload.maps
    }
    for knock in payload.knock:
        surface_id = f"knock_{knock.cylinder.value}"
        drawn[surface_id] = _knock(surface_id, knock)
    return drawn


def _surface(
    surface_id: str, title: str, description: str, unit: str, surface: Surface
) -> dict[str, Json]:
    known = surface.measured(_LEAST_HITS)
    return _table(
        surface_id,
        title,
        description,
        unit,
        (surface.rpm, surface.load),
        np.where(known, surface.value, np.nan),
        np.where(known, surface.se, np.nan),
        surface.hits,
        surface.samples,
    )


def _knock(surface_id: str, knock: KnockMap) -> dict[str, Json]:
    return _table(
        surface_id,
        f"Knock {knock.cylinder.value}",
        "Knock events per engine cycle; the hits are cycles.",
        "per cycle",
        (knock.rpm, knock.load),
        knock.rate,
        knock.rate_sd,
        knock.cycles,
        int(knock.cycles.sum()),
    )


def _table(
    surface_id: str,
    title: str,
    description: str,
    unit: str,
    axes: tuple[Axis, Axis],
    values: F64,
    se: F64,
    hits: F64,
    samples: int,
) -> dict[str, Json]:
    seen = values[np.isfinite(values)]
    stats: dict[str, Json] = {
        "min": seen.min() if seen.size else None,
        "max": seen.max() if seen.size else None,
        "mean": seen.mean() if seen.size else None,
        "p05": np.percentile(seen, 5) if seen.size else None,
        "p95": np.percentile(seen, 95) if seen.size else None,
        "non_nan_cells": int(seen.size),
        "total_cells": int(values.size),
        "total_samples": samples,
        "coverage_pct": 100.0 * seen.size / values.size,
    }
    return {
        "surface_id": surface_id,
        "title": title,
        "description": description,
        "unit": unit,
        "rpm_axis": _axis(axes[0]),
        "map_axis": _axis(axes[1]),
        "values": values,
        "se": se,
        "hit_count": hits,
        "stats": stats,
        "mask_info": {"least_hits": _LEAST_HITS, "statistics_over": "cells"},
    }


def _axis(axis: Axis) -> dict[str, Json]:
    return {"name": axis.channel.value, "unit": axis.unit.value, "bins": list(axis.nodes)}


def _correction(correction: VeCorrection) -> dict[str, Json]:
    return {
        "rpm": list(correction.rpm.nodes),
        "load": list(correction.load.nodes),
        "load_channel": correction.load.channel.value,
        "multiplier": correction.multiplier,
        "estimate": correction.estimate,
        "se": correction.se,
        "hits": correction.hits,
        "verdict": [
            [Verdict(code).name.lower() for code in row] for row in correction.verdict.tolist()
        ],
    }


def _balance(payload: Payload) -> Json:
    balance = payload.balance
    if balance is None:
        return None
    return {
        "rear_minus_front_pct": 100.0 * balance.offset,
        "se_pct": 100.0 * balance.offset_se,
        "significant": balance.significant,
        "could_be_sensor": balance.could_be_sensor,
        "shape_chi2": balance.shape_chi2,
        "shape_cells": balance.shape_cells,
        "pairs": balance.pairs,
        "surface": _surface(
            "balance",
            "Rear minus front",
            "Difference of what both fuel tables are short by, ln; + is a leaner rear.",
            "ln",
            balance.surface,
        ),
    }


def _cause(cause: Cause) -> dict[str, Json]:
    document: dict[str, Json] = {
        "hypothesis_id": cause.hypothesis_id,
        "title": cause.title,
        "category": cause.category.value,
        "confidence": cause.confidence,
        "effect": cause.effect,
        "se": cause.se,
        "unit": cause.unit,
        "evidence": list(cause.supports[:3]),
        "evidence_against": list(cause.opposes[:3]),
        "distinguishing_checks": list(cause.checks),
    }
    return document


def _plain(value: Any) -> Json:
    """Return *value* as JSON holds it: no NaN, no infinity, no numpy, nothing of ours."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return _number(float(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(k): _plain(v) for k, v in value.items()}
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")


def _key(key: Any) -> str:
    return str(key.value) if isinstance(key, Enum) else str(key)


def _array(values: NDArray[Any]) -> Json:
    if values.ndim > 1:
        return [_array(row) for row in values]
    return [_plain(item) for item in values.tolist()]


def _number(value: float) -> float | None:
    """Return a number with seven significant digits; null for NaN and infinity."""
    if not math.isfinite(value):
        return None
    return float(f"{value:.7g}")
