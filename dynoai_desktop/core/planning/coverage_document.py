"""Coverage as a JSON document, and back.

Axes are listed once and referred to by number, the present ones first. Information is kept as
base64 of little-endian doubles, so that what is read back is equal to the last bit.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.coverage import Coverage, Tables
from dynoai_desktop.core.planning.memory import (
    Achieved,
    Answer,
    CylinderCoverage,
    Feedback,
    Observed,
    Prediction,
    RunCoverage,
)
from dynoai_desktop.core.planning.plain import (
    a_count,
    a_list,
    a_mapping,
    a_number,
    a_text,
    a_truth,
    maybe_number,
    numbers,
    one_of,
    points,
)
from dynoai_desktop.core.planning.regions import Transient
from dynoai_desktop.core.planning.steps import Movement, TestType
from dynoai_desktop.core.store.json_store import Document
from dynoai_desktop.core.units import Unit

SCHEMA_VERSION = 1
_FARTHEST, _NARROWEST = 1e5, 1e-2  # of the nodes of an axis, in rpm, kPa or percent
_MOST_NODES = 2500  # of a table; the largest in use have a thousand
_ROUNDING = 1e-9

Axes = tuple[Axis, Axis]


def to_document(coverage: Coverage) -> Document:
    """Return the document of *coverage*: equal coverages give equal documents."""
    axes = {(coverage.rpm, coverage.load): 0}
    for run in (coverage.runs[key] for key in sorted(coverage.runs)):
        axes.setdefault((run.rpm, run.load), len(axes))
    return {
        "schema_version": SCHEMA_VERSION,
        "vehicle": coverage.vehicle,
        "simulated": coverage.simulated,
        "dyno_signature": coverage.dyno_signature,
        "tune_sha256": coverage.tune_sha256,
        "axes": [{"rpm": _axis(rpm), "load": _axis(load)} for rpm, load in axes],
        "tunes": {
            sha256: {str(c): _grid(tables[c]) for c in sorted(tables)}
            for sha256, tables in sorted(coverage.tunes.items())
        },
        "runs": {
            key: _run(coverage.runs[key], axes[coverage.runs[key].rpm, coverage.runs[key].load])
            for key in sorted(coverage.runs)
        },
        "feedback": [_feedback(one) for one in coverage.feedback],
        "unplaced": None if coverage.unplaced is None else dict(coverage.unplaced),
    }


def from_document(document: Mapping[str, Any]) -> Coverage:
    """Return the coverage in a document. Raises ValueError naming what cannot be used."""
    vehicle = a_text(document.get("vehicle"), "vehicle")
    simulated = a_truth(document.get("simulated"), "simulated")
    axes = [_read_axes(one) for one in a_list(document.get("axes"), "axes")]
    if not axes:
        raise ValueError("axes is empty")
    coverage = Coverage(
        vehicle,
        simulated,
        *axes[0],
        tune_sha256=a_text(document.get("tune_sha256"), "tune_sha256"),
        tunes={
            sha256: _read_tables(tables)
            for sha256, tables in a_mapping(document.get("tunes"), "tunes").items()
        },
        dyno_signature=a_text(document.get("dyno_signature"), "dyno_signature"),
        unplaced=None
        if document.get("unplaced") is None
        else a_mapping(document["unplaced"], "unplaced"),
    )
    for key, run in a_mapping(document.get("runs"), "runs").items():
        coverage = coverage.merge(_read_run(key, a_mapping(run, "run"), coverage, axes))
    for one in a_list(document.get("feedback"), "feedback"):
        coverage = coverage.answered(_read_feedback(a_mapping(one, "feedback")))
    return coverage


def _axis(axis: Axis) -> Document:
    return {
        "channel": axis.channel.value,
        "unit": axis.unit.value,
        "nodes": list(axis.nodes),
        "edges": list(axis.edges),
    }


def _read_axis(value: object, channels: tuple[Channel, ...]) -> Axis:
    axis = a_mapping(value, "axis")
    channel = one_of(Channel, axis.get("channel"), "channel")
    if channel not in channels:
        raise ValueError(f"{channel.value} is no axis of a fuel table")
    nodes, edges = (numbers(axis.get(name), name) for name in ("nodes", "edges"))
    if len(nodes) < 2:
        raise ValueError("an axis has fewer than two nodes")
    narrowest = min(b - a for a, b in pairwise(nodes))
    if max(map(abs, (*nodes, *edges))) > _FARTHEST or narrowest < _NARROWEST:
        raise ValueError("an axis is out of all reason")
    return Axis(channel, one_of(Unit, axis.get("unit"), "unit"), nodes, edges)


def _read_axes(value: object) -> Axes:
    both = a_mapping(value, "axes")
    rpm = _read_axis(both.get("rpm"), (Channel.RPM,))
    load = _read_axis(both.get("load"), (Channel.MAP, Channel.TPS))
    if len(rpm) * len(load) > _MOST_NODES:
        raise ValueError(f"a table has more than {_MOST_NODES} cells")
    return rpm, load


def _grid(grid: CellGrid) -> Document:
    values = [[v if np.isfinite(v) else None for v in row] for row in grid.values.tolist()]
    return {"rpm": _axis(grid.rpm), "load": _axis(grid.load), "values": values}


def _read_tables(value: object) -> Tables:
    out = {}
    for name, table in a_mapping(value, "tune").items():
        grid = a_mapping(table, "table")
        rpm, load = _read_axes(grid)
        rows = [
            [np.nan if v is None else a_number(v, "values") for v in a_list(row, "values")]
            for row in a_list(grid.get("values"), "values")
        ]
        if len(rows) != len(rpm) or any(len(row) != len(load) for row in rows):
            raise ValueError("a table does not have the size of its axes")
        out[one_of(Cylinder, name, "cylinder")] = CellGrid(rpm, load, np.array(rows))
    return out


def _run(run: RunCoverage, axes: int) -> Document:
    achieved, observed = run.achieved, run.observed
    return {
        "axes": axes,
        "started": run.started,
        "note": run.note,
        "tune_sha256": run.tune_sha256,
        "dyno_signature": run.dyno_signature,
        "cylinders": {
            str(c): {
                "nodes": list(part.nodes),
                "hits": list(part.hits),
                "information": base64.b64encode(part.packed).decode("ascii"),
            }
            for c, part in sorted(run.cylinders.items())
        },
        "events": [[e.kind.value, e.rpm, *e.load] for e in run.events],
        "prediction": None
        if run.prediction is None
        else {
            "step_key": run.prediction.step_key,
            "test_type": run.prediction.test_type.value,
            **{name: getattr(run.prediction, name) for name in _PROMISED},
        },
        "achieved": {name: getattr(achieved, name) for name in _ACHIEVED},
        "observed": {
            "pulls": [{"gear": gear, "rate": _rows(curve)} for gear, curve in observed.pulls],
            "full_load_kpa": _rows(observed.full_load_kpa),
            "manifold": _rows(observed.manifold),
            "cooling_s": list(observed.cooling_s),
            "idle_rpm": observed.idle_rpm,
            "baro_kpa": observed.baro_kpa,
        },
    }


_PROMISED = ("gain_pct", "doubt_pct", "drive_s", "information")
_ACHIEVED: Mapping[str, Callable[[object, str], Any]] = {
    "minutes": a_number,
    "accepted": a_count,
    "driving_s": a_number,
    "pulls": a_count,
    "peak_power_kw": maybe_number,
    "peak_torque_nm": maybe_number,
    "peak_iat_c": maybe_number,
    "peak_ect_c": maybe_number,
    "gain_pct": maybe_number,
    "information": maybe_number,
}


def _rows(curve: tuple[tuple[float, ...], ...]) -> list[list[float]]:
    return [list(point) for point in curve]


def _read_run(
    key: str, run: Mapping[str, Any], coverage: Coverage, axes: list[Axes]
) -> RunCoverage:
    number = a_count(run.get("axes"), "axes of a run")
    if number >= len(axes):
        raise ValueError(f"the run {key} names axes that are not there")
    rpm, load = axes[number]
    size = len(rpm) * len(load)
    cylinders = {
        one_of(Cylinder, name, "cylinder"): _read_cylinder(a_mapping(part, "cylinder"), size)
        for name, part in a_mapping(run.get("cylinders"), "cylinders").items()
    }
    achieved = a_mapping(run.get("achieved"), "achieved")
    return RunCoverage(
        key,
        coverage.vehicle,
        coverage.simulated,
        rpm,
        load,
        dict(sorted(cylinders.items())),
        tuple(_read_event(e) for e in a_list(run.get("events"), "events")),
        a_text(run.get("tune_sha256"), "tune_sha256"),
        a_text(run.get("dyno_signature"), "dyno_signature"),
        a_text(run.get("started"), "started"),
        a_text(run.get("note"), "note"),
        _read_prediction(run.get("prediction")),
        Achieved(**{name: read(achieved.get(name), name) for name, read in _ACHIEVED.items()}),
        _read_observed(a_mapping(run.get("observed"), "observed")),
    )


def _read_cylinder(part: Mapping[str, Any], size: int) -> CylinderCoverage:
    nodes = tuple(a_count(n, "nodes") for n in a_list(part.get("nodes"), "nodes"))
    hits = numbers(part.get("hits"), "hits")
    if any(b <= a for a, b in pairwise(nodes)) or any(n >= size for n in nodes):
        raise ValueError("nodes do not rise within the table")
    if len(hits) != len(nodes) or any(mass < 0.0 for mass in hits):
        raise ValueError("hits do not belong to the nodes")
    try:
        packed = base64.b64decode(_text_of_any_length(part.get("information")), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("information cannot be decoded") from error
    if len(packed) != 8 * len(nodes) * (len(nodes) + 1) // 2:
        raise ValueError("information does not belong to the nodes")
    out = CylinderCoverage(nodes, hits, packed)
    _check_information(out)
    return out


def _text_of_any_length(value: object) -> str:
    """Return a text, however long."""
    if not isinstance(value, str):
        raise ValueError("information is not a text")
    return value


def _check_information(part: CylinderCoverage) -> None:
    """Refuse what is not the inverse of a covariance: raises ValueError."""
    information = part.information
    if not part.nodes:
        return
    scale = np.sqrt(np.diag(information).clip(min=0.0))
    if not np.isfinite(information).all() or not (scale > 0.0).all():
        raise ValueError("information holds what cannot be measured")
    try:
        np.linalg.cholesky(information / np.outer(scale, scale) + _ROUNDING * np.eye(scale.size))
    except np.linalg.LinAlgError as error:
        raise ValueError("information contradicts itself") from error


def _read_event(value: object) -> Movement:
    event = a_list(value, "events")
    if len(event) != 4:
        raise ValueError("an event has another shape")
    rpm, low, high = (a_number(one, "events") for one in event[1:])
    return Movement(one_of(Transient, event[0], "events"), rpm, (low, high))


def _read_prediction(value: object) -> Prediction | None:
    if value is None:
        return None
    promised = a_mapping(value, "prediction")
    return Prediction(
        a_text(promised.get("step_key"), "step_key"),
        one_of(TestType, promised.get("test_type"), "test_type"),
        *(a_number(promised.get(name), name) for name in _PROMISED),
    )


def _read_observed(value: Mapping[str, Any]) -> Observed:
    pulls = [a_mapping(one, "pulls") for one in a_list(value.get("pulls"), "pulls")]
    return Observed(
        pulls=tuple(
            (a_count(one.get("gear"), "gear"), tuple((x, y) for x, y in _pairs(one, "rate")))
            for one in pulls
        ),
        full_load_kpa=tuple((x, y) for x, y in _pairs(value, "full_load_kpa")),
        manifold=tuple((x, y, z) for x, y, z in points(value.get("manifold"), "manifold", 3)),
        cooling_s=numbers(value.get("cooling_s"), "cooling_s"),
        idle_rpm=maybe_number(value.get("idle_rpm"), "idle_rpm"),
        baro_kpa=maybe_number(value.get("baro_kpa"), "baro_kpa"),
    )


def _pairs(value: Mapping[str, Any], name: str) -> tuple[tuple[float, ...], ...]:
    return points(value.get(name), name, 2)


def _feedback(one: Feedback) -> Document:
    return {
        "answer": one.answer.value,
        "step_key": one.step_key,
        "test_type": one.test_type.value,
        **{name: getattr(one, name) for name in _SAID},
    }


_SAID = ("reason", "said", "dyno_signature", "run_id")


def _read_feedback(one: Mapping[str, Any]) -> Feedback:
    return Feedback(
        one_of(Answer, one.get("answer"), "answer"),
        a_text(one.get("step_key"), "step_key"),
        one_of(TestType, one.get("test_type"), "test_type"),
        *(a_text(one.get(name), name) for name in _SAID),
    )
