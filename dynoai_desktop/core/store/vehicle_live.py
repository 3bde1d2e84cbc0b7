"""What the tuner has set for the live analysis of one vehicle: target lambda, gates and alerts.

Two documents in the vehicle's folder. Only thresholds that differ from their default are written,
so a better default of a later program is used; targets are written whole, with their axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.limits import AlertLimits, GateLimits, LiveSettings, thresholds
from dynoai_desktop.core.live.targets import require_targets
from dynoai_desktop.core.store.json_store import Document, read_document, write_document
from dynoai_desktop.core.units import Unit

SCHEMA_VERSION = 1
TARGETS_NAME, LIVE_NAME = "targets.json", "live.json"
_MOST_NODES = 200


def save_targets(folder: Path, targets: CellGrid) -> None:
    """Keep the targets of a vehicle. Raises StoreError when the disk refuses."""
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "rpm": _axis_document(targets.rpm),
        "load": _axis_document(targets.load),
        "lambda": targets.values.tolist(),
    }
    write_document(folder / TARGETS_NAME, document)


def load_targets(folder: Path) -> tuple[CellGrid | None, tuple[str, ...]]:
    """Return the targets kept for a vehicle, None without any, and what was set aside.

    Raises StoreError when the file is there and the disk will not give it.
    """
    loaded = read_document(
        folder / TARGETS_NAME, schema_version=SCHEMA_VERSION, check=_targets_from
    )
    grid = None if loaded.document is None else _targets_from(loaded.document)
    return grid, loaded.notes


def _axis_document(axis: Axis) -> Document:
    return {
        "channel": axis.channel.value,
        "unit": axis.unit.value,
        "nodes": list(axis.nodes),
        "edges": list(axis.edges),
    }


def _targets_from(document: Mapping[str, Any]) -> CellGrid:
    """Return the targets in a document. Raises ValueError with the reason."""
    rpm, load = (_axis_from(name, document.get(name)) for name in ("rpm", "load"))
    if rpm.channel is not Channel.RPM or load.channel not in (Channel.MAP, Channel.TPS):
        raise ValueError("targets stand over rpm and a load")
    rows = document.get("lambda")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError("lambda: not a table")
    if any(len(row) != len(load) for row in rows):
        raise ValueError("lambda: a row is not as long as the load axis")
    values = np.array([_numbers("lambda", row) for row in rows], dtype=np.float64)
    grid = CellGrid(rpm, load, values.reshape(len(rows), len(load)))
    require_targets(grid, rpm, load)
    return grid


def _axis_from(name: str, document: object) -> Axis:
    if not isinstance(document, dict):
        raise ValueError(f"{name}: not an axis")
    nodes, edges = (_numbers(name, document.get(key)) for key in ("nodes", "edges"))
    channel, unit = Channel(str(document.get("channel"))), Unit(str(document.get("unit")))
    return Axis(channel, unit, tuple(nodes), tuple(edges))


def _numbers(name: str, values: object) -> list[float]:
    if not isinstance(values, list) or not 1 <= len(values) <= _MOST_NODES:
        raise ValueError(f"{name}: not a list of numbers")
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        raise ValueError(f"{name}: holds something that is not a number")
    return [float(value) for value in values]


def save_live(folder: Path, settings: LiveSettings) -> None:
    """Keep the gates and alerts of a vehicle. Raises StoreError when the disk refuses."""
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "gates": _changed(settings.gates),
        "alerts": _changed(settings.alerts),
    }
    write_document(folder / LIVE_NAME, document)


def load_live(folder: Path) -> tuple[LiveSettings, tuple[str, ...]]:
    """Return the settings kept for a vehicle, the defaults without any, and what was set aside.

    Raises StoreError when the file is there and the disk will not give it.
    """
    loaded = read_document(folder / LIVE_NAME, schema_version=SCHEMA_VERSION, check=_live_from)
    settings = LiveSettings() if loaded.document is None else _live_from(loaded.document)
    return settings, loaded.notes


def _changed(limits: GateLimits | AlertLimits) -> dict[str, float | None]:
    return {row.key: row.value for row in thresholds(limits) if row.value != row.default}


def _live_from(document: Mapping[str, Any]) -> LiveSettings:
    """Return the settings in a document. Raises ValueError naming the threshold at fault."""
    return LiveSettings(
        gates=GateLimits(**_known(GateLimits(), document.get("gates", {}))),
        alerts=AlertLimits(**_known(AlertLimits(), document.get("alerts", {}))),
    )


def _known(fresh: GateLimits | AlertLimits, values: object) -> dict[str, float]:
    """Return the thresholds there are; one that a later program dropped is passed over."""
    if not isinstance(values, dict):
        raise ValueError("gates and alerts: not a table of thresholds")
    keys = {row.key for row in thresholds(fresh)}
    known = {key: value for key, value in values.items() if key in keys}
    return dict(zip(known, _figures(known), strict=True))


def _figures(known: Mapping[str, object]) -> list[float]:
    figures = []
    for key, value in known.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9:
            raise ValueError(f"{key}: {value!r} is not a number of any use")
        figures.append(float(value))
    return figures
