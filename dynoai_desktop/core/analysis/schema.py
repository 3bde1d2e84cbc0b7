"""The JSON Schema of `dynoai.nextgen@1` (draft 2020-12), built from small pieces.

The file in `resources/schemas` is the same document for readers in other languages; a test keeps
both alike.
"""

from __future__ import annotations

from typing import Any

from dynoai_desktop.core.analysis.document import SCHEMA_VERSION
from dynoai_desktop.core.analysis.gates import GATES
from dynoai_desktop.core.analysis.modes import MODES
from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.analysis.ve import Verdict

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_MAYBE: Schema = {"type": ["number", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_SCORE: Schema = {"type": "number", "minimum": 0, "maximum": 100}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _record(optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _named(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _either(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_MATRIX = _list(_list(_NUMBER))
_GAPPY = _list(_list(_MAYBE))
_PAIR: Schema = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
_CYLINDER: Schema = {"enum": ["front", "rear", "both"]}
_AXIS = _record(name=_TEXT, unit=_TEXT, bins=_list(_NUMBER))
_SURFACE = _record(
    surface_id=_TEXT,
    title=_TEXT,
    description=_TEXT,
    unit=_TEXT,
    rpm_axis=_AXIS,
    map_axis=_AXIS,
    values=_GAPPY,
    se=_GAPPY,
    hit_count=_MATRIX,
    stats=_record(
        min=_MAYBE,
        max=_MAYBE,
        mean=_MAYBE,
        p05=_MAYBE,
        p95=_MAYBE,
        non_nan_cells=_COUNT,
        total_cells=_COUNT,
        total_samples=_COUNT,
        coverage_pct=_SCORE,
    ),
    mask_info=_record(least_hits=_NUMBER, statistics_over=_TEXT),
)


def payload_schema() -> Schema:
    """Return the schema of the document `to_document` writes."""
    body = _record(
        schema_version={"const": SCHEMA_VERSION},
        math_version=_TEXT,
        key=_TEXT,
        request=_TEXT,
        run_id=_TEXT,
        generated_at=_TEXT,
        simulated=_FLAG,
        input=_record(rows=_COUNT, start_s=_NUMBER, duration_s=_NUMBER, median_step_s=_NUMBER),
        inputs_present=_named(_FLAG),
        provenance=_named(
            _record(
                source=_TEXT,
                unit=_TEXT,
                note=_TEXT,
                measured=_COUNT,
                filled=_COUNT,
                absent=_COUNT,
                out_of_range=_COUNT,
                spike=_COUNT,
            )
        ),
        channel_readiness=_record(
            confidence=_SHARE,
            band=_TEXT,
            missing_required=_list(_TEXT),
            missing_recommended=_list(_TEXT),
            features=_list(
                _record(
                    feature_id=_TEXT,
                    title=_TEXT,
                    state={"enum": ["available", "degraded", "disabled"]},
                    why=_TEXT,
                )
            ),
        ),
        mode_summary={
            "type": "object",
            "properties": {
                mode.value: _record(samples=_COUNT, share_pct=_SCORE, duration_s=_NUMBER)
                for mode in MODES
            },
            "additionalProperties": False,
        },
        alignment=_record(delay_ms=_NUMBER, low_ms=_NUMBER, high_ms=_NUMBER, measured=_FLAG),
        accepted=_COUNT,
        rejected={
            "type": "object",
            "properties": {gate.reason: _COUNT for gate in GATES},
            "additionalProperties": False,
        },
        runs=_list(_run()),
        surfaces=_named(_SURFACE),
        ve_correction=_named(_correction()),
        absolute_ve=_named(_SURFACE),
        spark_valley=_list(_valley()),
        mbt=_list(_mbt()),
        spark_advice=_list(_advice()),
        balance=_either(_balance()),
        heat=_record(
            soaked_s=_NUMBER,
            soaked_samples=_COUNT,
            iat_start_c=_MAYBE,
            iat_max_c=_MAYBE,
            ect_max_c=_MAYBE,
            power_per_10c_pct=_MAYBE,
            power_per_10c_se_pct=_MAYBE,
            power_per_pull_pct=_MAYBE,
            power_per_pull_se_pct=_MAYBE,
            pulls=_COUNT,
        ),
        cause_tree=_record(
            hypotheses=_list(_hypothesis()), summary=_TEXT, analysis_notes=_list(_TEXT)
        ),
        tune_confidence=_record(
            score=_SCORE,
            grade={"enum": ["A", "B", "C", "D"]},
            regions=_list(_record(name=_TEXT, score=_SCORE, cells=_COUNT, visited=_COUNT)),
            caps=_list(_TEXT),
            weak=_list(_TEXT),
        ),
        next_tests=_next_tests(),
        notes_warnings=_list(_TEXT),
        warning_codes=_list(_TEXT),
        ecu_model_notes=_list(_TEXT),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_VERSION,
        "title": "What one dyno log says",
        **body,
    }


def _run() -> Schema:
    return _record(
        kind={"enum": [kind.value for kind in RunKind]},
        start_s=_NUMBER,
        end_s=_NUMBER,
        start_rpm=_MAYBE,
        end_rpm=_MAYBE,
        peak_power_kw=_MAYBE,
        peak_power_rpm=_MAYBE,
        peak_torque_nm=_MAYBE,
        peak_torque_rpm=_MAYBE,
    )


def _correction() -> Schema:
    return _record(
        rpm=_list(_NUMBER),
        load=_list(_NUMBER),
        load_channel={"enum": ["map_kpa", "tps"]},
        multiplier=_list(_list({"type": "number", "exclusiveMinimum": 0})),
        estimate=_GAPPY,
        se=_GAPPY,
        hits=_list(_list({"type": "number", "minimum": 0})),
        verdict=_list(_list({"enum": [verdict.name.lower() for verdict in Verdict]})),
    )


def _valley() -> Schema:
    return _record(
        cylinder=_CYLINDER,
        rpm_center=_NUMBER,
        rpm_band=_PAIR,
        depth_deg=_NUMBER,
        depth_se_deg=_NUMBER,
        valley_min_deg=_NUMBER,
        pre_valley_deg=_NUMBER,
        post_valley_deg=_NUMBER,
        load_band=_PAIR,
        confidence=_SHARE,
        of_base_table=_FLAG,
    )


def _mbt() -> Schema:
    return _record(
        cylinder=_CYLINDER,
        rpm=_NUMBER,
        load=_NUMBER,
        mbt_deg=_NUMBER,
        mbt_se_deg=_NUMBER,
        present_deg=_NUMBER,
        rise_sigmas=_NUMBER,
        samples=_COUNT,
    )


def _advice() -> Schema:
    return _record(
        cylinder=_CYLINDER,
        rpm=_NUMBER,
        load=_NUMBER,
        change_deg=_NUMBER,
        events=_NUMBER,
        cycles=_NUMBER,
        probability=_SHARE,
        reason=_TEXT,
    )


def _balance() -> Schema:
    return _record(
        rear_minus_front_pct=_NUMBER,
        se_pct=_NUMBER,
        significant=_FLAG,
        could_be_sensor=_FLAG,
        shape_chi2=_NUMBER,
        shape_cells=_COUNT,
        pairs=_COUNT,
        surface=_SURFACE,
    )


def _hypothesis() -> Schema:
    return _record(
        hypothesis_id=_TEXT,
        title=_TEXT,
        category=_TEXT,
        confidence=_SHARE,
        effect=_NUMBER,
        se=_NUMBER,
        unit=_TEXT,
        evidence=_list(_TEXT),
        evidence_against=_list(_TEXT),
        distinguishing_checks=_list(_TEXT),
    )


def _next_tests() -> Schema:
    gap = _record(
        rpm_range=_PAIR,
        map_range=_PAIR,
        empty_cells=_COUNT,
        total_cells=_COUNT,
        coverage_pct=_SCORE,
        impact={"enum": ["high", "medium", "low"]},
        region_type=_TEXT,
        description=_TEXT,
    )
    return _record(
        steps=_list({"type": "object"}),
        priority_rationale=_TEXT,
        coverage_gaps=_list(_TEXT),
        coverage_gaps_detailed=_list(gap),
        total_estimated_pulls=_COUNT,
        dyno_step_count=_COUNT,
        street_step_count=_COUNT,
    )
