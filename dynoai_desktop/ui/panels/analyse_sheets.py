"""What an analysis and a tune plan show as maps, one group of cylinders each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dynoai_desktop.core.analysis.ve import VeCorrection, Verdict
from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.tune.clipboard import percent
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.widgets.surface_sheet import F64, Fact, Shade, Sheet
from dynoai_desktop.ui.wording import number

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.knock import KnockMap
    from dynoai_desktop.core.analysis.maps import NamedSurface
    from dynoai_desktop.core.analysis.payload import Payload
    from dynoai_desktop.core.analysis.surface import Surface
    from dynoai_desktop.core.tune.plan import CellPlan, Plan

LEAST_HITS = 3.0  # below it a cell has a neighbour's value at most, no measurement
_LEAN, _RICH = "lean", "rich"

VERDICTS: dict[Verdict, str] = {
    Verdict.NO_DATA: "not enough hits: stays as it is",
    Verdict.LEFT_ALONE: "within its noise of right: left alone",
    Verdict.CORRECTED: "corrected",
    Verdict.LIMITED: "held to the step the evidence allows",
    Verdict.SESSION_LIMIT: "held to what one session may change",
}
_CYLINDERS = tuple(c.value for c in Cylinder)


def payload_sheets(payload: Payload) -> tuple[Sheet, ...]:
    """Return every map of an analysis: fuel first, then spark, knock and the rest."""
    return tuple(
        sheet
        for part in (_fuel, _named, _knock, _balance, _absolute)
        for sheet in sorted(part(payload), key=lambda s: s.key.startswith("ve_logged"))
    )


def groups(sheets: Sequence[Sheet]) -> list[list[Sheet]]:
    """Return the sheets by what they show; a group holds one for each cylinder."""
    found: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        found.setdefault(sheet.key, []).append(sheet)
    return list(found.values())


def _masked(surface: Surface) -> tuple[F64, F64]:
    known = surface.measured(LEAST_HITS)
    return np.where(known, surface.value, np.nan), np.where(known, surface.se, np.nan)


def _split(surface_id: str) -> tuple[str, str]:
    """Return what a surface shows and for which cylinder.

    >>> _split("lambda_error_front"), _split("map_by_throttle")
    (('lambda_error', 'front'), ('map_by_throttle', ''))
    """
    key, _, end = surface_id.rpartition("_")
    return (key, end) if end in _CYLINDERS else (surface_id, "")


def _fuel(payload: Payload) -> Iterator[Sheet]:
    for named in payload.maps:
        if named.surface_id.startswith("lambda_error"):
            yield _surface(named)
    corrections = [fit.correction for fit in payload.evidence.fits.values()]
    yield from (_recommended(correction) for correction in corrections)
    yield from (_estimate(correction) for correction in corrections)


def _named(payload: Payload) -> Iterator[Sheet]:
    for named in payload.maps:
        if not named.surface_id.startswith("lambda_error"):
            yield _surface(named)


def _surface(named: NamedSurface) -> Sheet:
    values, se = _masked(named.surface)
    key, cylinder = _split(named.surface_id)
    error = key == "lambda_error"
    return Sheet(
        key=key,
        title=named.title,
        about=named.description,
        cylinder=cylinder,
        rpm=named.surface.rpm,
        load=named.surface.load,
        values=values,
        se=se,
        hits=named.surface.hits,
        unit=named.unit,
        shade=Shade.DIVERGING if error else Shade.RAMP,
        signed=error,
        high=_LEAN if error else "",
        low=_RICH if error else "",
    )


def _correction_facts(correction: VeCorrection) -> dict[tuple[int, int], tuple[Fact, ...]]:
    facts: dict[tuple[int, int], tuple[Fact, ...]] = {}
    for i, j in np.ndindex(correction.multiplier.shape):
        estimate, se = float(correction.estimate[i, j]), float(correction.se[i, j])
        says = "nothing" if np.isnan(estimate) else f"× {estimate:.3f} ± {se:.3f}"
        facts[i, j] = (
            ("The data say", says),
            ("Recommended", f"× {correction.multiplier[i, j]:.3f}"),
            ("Because", VERDICTS[Verdict(int(correction.verdict[i, j]))]),
        )
    return facts


def _recommended(correction: VeCorrection) -> Sheet:
    facts = _correction_facts(correction)
    known = correction.verdict > Verdict.NO_DATA
    return Sheet(
        key="ve_correction",
        title=f"VE correction {correction.cylinder.value}",
        about="Recommended change of the fuel table; + adds fuel where it is lean.",
        cylinder=correction.cylinder.value,
        rpm=correction.rpm,
        load=correction.load,
        values=np.where(known, percent(correction.multiplier), np.nan),
        copied=percent(correction.multiplier),  # no data: no change, which is 0 and not a blank
        hits=correction.hits,
        unit=Unit.PERCENT,
        shade=Shade.DIVERGING,
        signed=True,
        high="add fuel",
        low="take away",
        facts=lambda i, j, _look: facts[i, j],
    )


def _estimate(correction: VeCorrection) -> Sheet:
    facts = _correction_facts(correction)
    return Sheet(
        key="ve_needed",
        title=f"VE needed {correction.cylinder.value}",
        about="What the data say the fuel table is short by, before caution and limits.",
        cylinder=correction.cylinder.value,
        rpm=correction.rpm,
        load=correction.load,
        values=percent(correction.estimate),
        se=100.0 * correction.se,
        hits=correction.hits,
        unit=Unit.PERCENT,
        shade=Shade.DIVERGING,
        signed=True,
        high=_LEAN,
        low=_RICH,
        facts=lambda i, j, _look: facts[i, j],
    )


def _knock(payload: Payload) -> Iterator[Sheet]:
    yield from (_knock_sheet(knock) for knock in payload.knock)


def _knock_sheet(knock: KnockMap) -> Sheet:
    seen = knock.cycles >= LEAST_HITS

    def facts(i: int, j: int, _look: Look) -> tuple[Fact, ...]:
        return (("Knock events", number(float(knock.events[i, j]), 0)),)

    return Sheet(
        key="knock",
        title=f"Knock {knock.cylinder.value}",
        about="Knock events per thousand engine cycles; the hits are cycles.",
        cylinder=knock.cylinder.value,
        rpm=knock.rpm,
        load=knock.load,
        values=np.where(seen, 1000.0 * knock.rate, np.nan),
        se=np.where(seen, 1000.0 * knock.rate_sd, np.nan),
        hits=knock.cycles,
        unit=Unit.NONE,
        unit_text="per 1000",
        shade=Shade.RAMP,
        facts=facts,
    )


def _balance(payload: Payload) -> Iterator[Sheet]:
    if payload.balance is None:
        return
    values, se = _masked(payload.balance.surface)
    yield Sheet(
        key="balance",
        title="Rear minus front",
        about="Difference of what both fuel tables are short by; + is a leaner rear.",
        cylinder="",
        rpm=payload.balance.surface.rpm,
        load=payload.balance.surface.load,
        values=percent(np.exp(values)),
        se=100.0 * np.exp(values) * se,
        hits=payload.balance.surface.hits,
        unit=Unit.PERCENT,
        shade=Shade.DIVERGING,
        signed=True,
        high="rear lean",
        low="rear rich",
    )


def _absolute(payload: Payload) -> Iterator[Sheet]:
    for cylinder, surface in payload.absolute_ve.items():
        values, se = _masked(surface)
        yield Sheet(
            key="absolute_ve",
            title=f"Absolute VE {cylinder.value}",
            about="Volumetric efficiency from injector time, lambda, MAP and temperature.",
            cylinder=cylinder.value,
            rpm=surface.rpm,
            load=surface.load,
            values=values,
            se=se,
            hits=surface.hits,
            unit=Unit.PERCENT,
            shade=Shade.RAMP,
        )


# A plan

_FATES = {
    "changed": ("changed", ""),
    "limited": ("held to the step limit", "↕"),
    "unchanged": ("not changed", ""),
    "locked": ("locked", "K"),
    "blank": ("empty in the tune", "–"),
    "zero": ("0 in the tune: a multiplier cannot change it", "0"),
}


def plan_sheets(plans: Iterable[Plan]) -> tuple[Sheet, ...]:
    """Return difference, change in percent, after and before of every table to be changed."""
    views: dict[str, list[Sheet]] = {key: [] for key in _PLAN_TITLES}
    for plan in plans:
        for cylinder in plan.tables:
            for key, sheet in _plan_views(plan, cylinder).items():
                views[key].append(sheet)
    return tuple(sheet for sheets in views.values() for sheet in sheets)


def _plan_views(plan: Plan, cylinder: Cylinder) -> dict[str, Sheet]:
    cells = {c.node: c for c in reversed(plan.cells) if c.cylinder is cylinder}
    grids = dict(zip(("before", "after", "difference"), plan.grids(cylinder), strict=True))
    grids["percent"] = _percent(grids["before"], grids["after"])
    marks = np.full(grids["before"].values.shape, "", dtype="<U1")
    for node, cell in cells.items():
        marks[node] = _FATES[cell.fate.value][1]
    name = plan.tables[cylinder].name

    def facts(i: int, j: int, _look: Look) -> tuple[Fact, ...]:
        return _cell_facts(cells[i, j])

    out = {}
    for key, grid in grids.items():
        changes = key in ("difference", "percent")
        values = grid.values
        if changes:  # what stays as it is is no result
            values = np.where(np.equal(values, 0.0) & (marks == ""), np.nan, values)
        out[key] = Sheet(
            key=key,
            title=f"{_PLAN_TITLES[key]} {cylinder.value}",
            about=_PLAN_ABOUT[key].format(name=name),
            cylinder=cylinder.value,
            rpm=grid.rpm,
            load=grid.load,
            values=values,
            copied=grid.values,
            nothing="No cell is changed" if changes else "Every cell is empty in the tune",
            absent="not changed" if changes else "empty",
            unit=Unit.PERCENT if key == "percent" else Unit.NONE,
            unit_text="" if key == "percent" else plan.tables[cylinder].units or "value",
            shade=Shade.DIVERGING if changes else Shade.RAMP,
            signed=changes,
            high="add fuel" if changes else "",
            low="take away" if changes else "",
            marks=marks,
            facts=facts,
        )
    return out


def _percent(before: CellGrid, after: CellGrid) -> CellGrid:
    """Return by how many percent each cell changes, as it will be written; 0 where it does not."""
    usable = np.isfinite(before.values) & (before.values != 0.0)
    ratio = np.where(usable, after.values / np.where(usable, before.values, 1.0), 1.0)
    return CellGrid(before.rpm, before.load, percent(ratio))


_PLAN_ABOUT = {
    "percent": "{name}: change of each cell in percent, to be pasted as “multiply by %”.",
    "before": "{name}: as it is in the file.",
    "after": "{name}: as the copy will hold it.",
    "difference": "{name}: what changes; a cross stays as it is.",
}
_PLAN_TITLES = {
    "difference": "Difference",
    "percent": "Change",
    "after": "After",
    "before": "Before",
}


def _cell_facts(cell: CellPlan) -> tuple[Fact, ...]:
    return (
        ("Before → after", f"{number(cell.before, 2)} → {number(cell.after, 2)}"),
        ("Asked for", f"× {cell.multiplier:.3f}"),
        ("What becomes of it", _FATES[cell.fate.value][0]),
    )
