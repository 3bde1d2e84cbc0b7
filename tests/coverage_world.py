"""Runs on paper: where samples lay on a table, and the information they gave."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.basis import bilinear
from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.coverage import (
    Achieved,
    Coverage,
    CylinderCoverage,
    RunCoverage,
)
from dynoai_desktop.core.units import Unit

F64 = NDArray[np.float64]

VEHICLE = "road-king"
RPM = Axis.from_nodes(Channel.RPM, Unit.RPM, [1000, 2000, 3000, 3500, 5000])
LOAD = Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, [30, 50, 80, 100])
SIZE = len(RPM) * len(LOAD)


def axis(channel: Channel, nodes: list[float]) -> Axis:
    """Return an axis in its usual unit."""
    unit = {Channel.RPM: Unit.RPM, Channel.MAP: Unit.KILOPASCAL}.get(channel, Unit.PERCENT)
    return Axis.from_nodes(channel, unit, nodes)


def information(seed: int, rpm: Axis = RPM, load: Axis = LOAD) -> tuple[F64, F64]:
    """Return information (N, N) and hits (N,) of samples along a line, and a drift they share."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(5, 60))
    ends = rng.random((2, 2))
    at = np.linspace(ends[0], ends[1], count)
    span = [(a.nodes[0], a.nodes[-1] - a.nodes[0]) for a in (rpm, load)]
    basis = bilinear(rpm, load, *(low + width * at[:, i] for i, (low, width) in enumerate(span)))
    gram, _ = basis.normal_equations(np.zeros(basis.cell.size))
    amount = rng.normal(size=basis.cell.size)
    drift = basis.sums(amount)
    # An unknown amount of something that moves all samples takes a rank of the information away.
    gram = gram - np.outer(drift, drift) / (1.0 + amount @ amount)
    return gram / 4e-4, basis.sums()


def make_run(
    run_id: str = "a",
    seed: int = 0,
    *,
    cylinders: tuple[Cylinder, ...] = (Cylinder.FRONT, Cylinder.REAR),
    rpm: Axis = RPM,
    load: Axis = LOAD,
    **more: object,
) -> RunCoverage:
    """Return a run whose samples lay along a line through the table."""
    parts: dict[Cylinder, CylinderCoverage] = {}
    accepted = 0
    for number, cylinder in enumerate(cylinders):
        matrix, hits = information(seed + 1000 * number, rpm, load)
        nodes = np.flatnonzero(np.diag(matrix) > 1e-9)
        parts[cylinder] = CylinderCoverage.of(nodes, hits[nodes], matrix[np.ix_(nodes, nodes)])
        accepted += round(hits.sum())
    values: dict[str, object] = {
        "vehicle": VEHICLE,
        "simulated": False,
        "achieved": Achieved(1.0, accepted),
        **more,
    }
    return RunCoverage(run_id, rpm=rpm, load=load, cylinders=parts, **values)  # type: ignore[arg-type]


def make_coverage(*runs: RunCoverage, **more: object) -> Coverage:
    """Return a coverage on RPM × LOAD with these runs merged."""
    out = Coverage(VEHICLE, rpm=RPM, load=LOAD, **more)  # type: ignore[arg-type]
    for run in runs:
        out = out.merge(run)
    return out


def tables(
    change: Mapping[tuple[int, int], float] | None = None,
    cylinders: tuple[Cylinder, ...] = (Cylinder.FRONT, Cylinder.REAR),
    changed: tuple[Cylinder, ...] = (Cylinder.FRONT, Cylinder.REAR),
) -> dict[Cylinder, CellGrid]:
    """Return fuel tables of 80 that hold other values at some nodes of some cylinders."""
    out = {}
    for cylinder in cylinders:
        values = np.full((len(RPM), len(LOAD)), 80.0)
        for at, value in (change or {}).items() if cylinder in changed else ():
            values[at] = value
        out[cylinder] = CellGrid(RPM, LOAD, values)
    return out


def same(one: Coverage, other: Coverage) -> bool:
    """Return whether two coverages know the same, to the bit."""
    left, right = one.knowledge(), other.knowledge()
    return left.information.keys() == right.information.keys() and all(
        np.array_equal(left.information[c], right.information[c])
        and np.array_equal(left.hits[c], right.hits[c])
        for c in left.information
    )
