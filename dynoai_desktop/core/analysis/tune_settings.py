"""What a tune and a vehicle tell an analysis, the same for window and command line.

The tune gives the axes, the present VE tables, what has been changed in this session already, the
commanded mixture for logs that do not hold it, and the base spark; the vehicle's record gives the
redline and the injectors, with the tune filling in what the record leaves open. What cannot be
used is left out and said, never bent to fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from dynoai_desktop.core.analysis.cylinders import measured_cylinders
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.analysis.ve import VeSettings
from dynoai_desktop.core.analysis.vehicle_settings import known_settings
from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.store.vehicles import VehicleError, VehicleRecord
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.knowledge import (
    TuneTargets,
    base_spark,
    displacement_cc,
    injector_flow_g_per_s,
    target_table,
)
from dynoai_desktop.core.tune.store import TuneStore
from dynoai_desktop.core.tune.tables import Tune, TuneError, TuneTable
from dynoai_desktop.core.units import STOICH_AFR

_LOADS = (Channel.MAP, Channel.TPS)
_PAIR = (Cylinder.FRONT, Cylinder.REAR)


@dataclass(frozen=True, slots=True, eq=False)
class TunePart:
    """A tune file, and whose table it holds where the file itself does not say."""

    tune: Tune
    cylinder: Cylinder | None = None
    before: Tune | None = None  # the same file at the start of the session; None: not changed


def since_session_began(
    parts: Sequence[TunePart], store: TuneStore, now: datetime
) -> tuple[tuple[TunePart, ...], tuple[str, ...]]:
    """Return the parts with what they were before this session, and what to say about that.

    A history that cannot be trusted stops nothing here, because nothing is written; it is said.
    """
    found = []
    try:
        for part in parts:
            data = store.before_session(part.tune.data, now)
            found.append(part if data is None else replace(part, before=read_tune(data)))
    except (TuneError, StoreError) as error:
        note = f"What this session has changed already is not known. {error}"
        return tuple(parts), (note,)
    return tuple(found), ()


def settings_for(
    parts: Sequence[TunePart],
    frame: Frame,
    record: VehicleRecord | None = None,
    base: AnalysisSettings | None = None,
) -> AnalysisSettings:
    """Return *base* with everything the tune and the vehicle's record say about this log.

    Without a part only the record speaks. Raises TuneError when the tune holds no VE table over
    rpm and a load that the log holds.
    """
    settings = base or AnalysisSettings()
    if not parts:
        return settings if record is None else known_settings(record, settings)
    load = _load_of(parts, frame)
    tables = _ve_tables(parts, load)
    axes = next(axes for table in tables.values() if (axes := table.axes) is not None)
    present, notes = _present(tables, axes)
    stoich = STOICH_AFR["gasoline"] if record is None else record.stoich_afr
    settings = replace(
        settings,
        axes=axes,
        base_spark=_for_every_cylinder(_spark(parts, load)),
        ve=_ve_settings(settings.ve, parts, present, load),
        notes=(*settings.notes, *notes),
    )
    settings = _with_target(settings, parts, frame, stoich)
    return settings if record is None else known_settings(_completed(record, parts), settings)


def _load_of(parts: Sequence[TunePart], frame: Frame) -> Channel:
    """Return the load of the VE tables to use: MAP before TPS, of those the log holds."""
    for load in _LOADS:
        if load in frame and _ve_tables(parts, load):
            return load
    raise TuneError("The tune has no VE table over rpm and a load that this log holds.")


def _ve_tables(parts: Sequence[TunePart], load: Channel) -> dict[Cylinder, TuneTable]:
    found: dict[Cylinder, TuneTable] = {}
    for part in parts:
        for cylinder, table in part.tune.ve_tables(load).items():
            found.setdefault(_whose(part, cylinder), table)
    return found


def _whose(part: TunePart, cylinder: Cylinder) -> Cylinder:
    return part.cylinder or cylinder if cylinder is Cylinder.BOTH else cylinder


def _present(
    tables: Mapping[Cylinder, TuneTable], axes: tuple[Axis, Axis]
) -> tuple[dict[Cylinder, CellGrid], list[str]]:
    """Return the VE tables that can be taken as they stand, and why the others cannot."""
    found, notes = {}, []
    for cylinder, table in tables.items():
        if table.axes != axes:
            notes.append(
                f"“{table.name}” is on other axes than the other VE table. The analysis is on "
                "those of the first; its correction cannot be applied to this table."
            )
        elif not np.isfinite((grid := table.grid()).values).all():
            notes.append(f"“{table.name}” has empty cells, so the analysis does without it.")
        else:
            found[cylinder] = grid
    return found, notes


def _ve_settings(
    limits: VeSettings,
    parts: Sequence[TunePart],
    present: Mapping[Cylinder, CellGrid],
    load: Channel,
) -> VeSettings:
    """Return the limits with the present tables and what this session has changed in them."""
    started = [TunePart(part.before or part.tune, part.cylinder) for part in parts]
    applied = {}
    for cylinder, table in _ve_tables(started, load).items():
        now = present.get(cylinder)
        if now is not None and table.axes == (now.rpm, now.load):
            before = table.grid().values
            usable = (before > 0.0) & (now.values > 0.0)
            change = np.where(usable, now.values / np.where(usable, before, 1.0), 1.0)
            if (change != 1.0).any():
                applied[cylinder] = CellGrid(now.rpm, now.load, change)
    return replace(
        limits,
        tables=_for_every_cylinder(present),
        applied=_for_every_cylinder(applied, _farther),
    )


def _spark(parts: Sequence[TunePart], load: Channel) -> dict[Cylinder, CellGrid]:
    found: dict[Cylinder, CellGrid] = {}
    for part in parts:
        for cylinder, grid in base_spark(part.tune, load).items():
            if np.isfinite(grid.values).all():
                found.setdefault(cylinder, grid)
    return found


def _mean(front: CellGrid, rear: CellGrid) -> CellGrid:
    """Return the middle of both cylinders, as one sensor in the common pipe sees them."""
    return CellGrid(front.rpm, front.load, (front.values + rear.values) / 2.0)


def _farther(front: CellGrid, rear: CellGrid) -> CellGrid:
    """Return, cell by cell, the multiplier that is farther from 1: a limit must hold for both."""
    first, second = np.abs(np.log(front.values)), np.abs(np.log(rear.values))
    return CellGrid(front.rpm, front.load, np.where(first >= second, front.values, rear.values))


def _for_every_cylinder(
    found: Mapping[Cylinder, CellGrid],
    join: Callable[[CellGrid, CellGrid], CellGrid] = _mean,
) -> dict[Cylinder, CellGrid]:
    """Return the tables under every cylinder that an analysis can be of.

    A tune with one table means it for both cylinders; a log with one sensor for both cylinders
    is set against what both tables together do.
    """
    out = dict(found)
    both = found.get(Cylinder.BOTH)
    for cylinder in _PAIR:
        if both is not None:
            out.setdefault(cylinder, both)
    front, rear = found.get(Cylinder.FRONT), found.get(Cylinder.REAR)
    if front is not None and rear is not None and (front.rpm, front.load) == (rear.rpm, rear.load):
        out.setdefault(Cylinder.BOTH, join(front, rear))
    return out


def _with_target(
    settings: AnalysisSettings, parts: Sequence[TunePart], frame: Frame, stoich: float
) -> AnalysisSettings:
    """Return the settings with the tune's commanded mixture, where the log does not hold it."""
    missing = [c for c in measured_cylinders(frame) if frame.first(*c.commanded) is None]
    if settings.target is not None or not missing or settings.axes is None:
        return settings
    problem = ""
    for part in parts:
        try:
            found = target_table(part.tune, settings.axes[1].channel, stoich)
        except TuneError as error:
            problem = str(error)
            continue
        if found.grid.load.channel not in frame:
            problem = f"“{found.name}” goes by {found.grid.load.channel.value}."
            continue
        return replace(
            settings,
            target=found.grid,
            target_below_tps_pct=found.below_tps_pct,
            target_below_rpm=found.below_rpm,
            notes=(*settings.notes, _target_note(found, frame)),
        )
    note = f"The log does not hold the commanded mixture, and the tune cannot stand in. {problem}"
    return replace(settings, notes=(*settings.notes, note))


def _target_note(found: TuneTargets, frame: Frame) -> str:
    note = f"The log does not hold the commanded mixture: “{found.name}” of the tune was used."
    edges = []
    if found.below_tps_pct is not None:
        edges.append(f"{found.below_tps_pct:g} % throttle")
        if Channel.TPS not in frame:
            return (
                f"{note} Power enrichment commands another mixture at wide throttle, and the log "
                "does not hold the throttle: nothing can be said about the fuel. Log TPS."
            )
    if found.below_rpm is not None:
        edges.append(f"{found.below_rpm:g} rpm")
    if not edges:
        return note
    return f"{note} Power enrichment takes over from {' or '.join(edges)} on; there it was not."


def _completed(record: VehicleRecord, parts: Sequence[TunePart]) -> VehicleRecord:
    """Return the record with the tune's figures where it states none of its own.

    What the tuner states comes first: a tune says what the ECU believes.
    """
    for part in parts:
        flow, volume = record.injector_g_per_s, record.displacement_cc
        try:
            record = replace(
                record,
                injector_g_per_s=injector_flow_g_per_s(part.tune) if flow is None else flow,
                displacement_cc=displacement_cc(part.tune) if volume is None else volume,
            )
        except VehicleError:  # the tune holds a figure that no engine has
            continue
    return record
