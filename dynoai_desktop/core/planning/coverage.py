"""What is remembered of a vehicle: every run that taught something about its fuel table.

Runs are kept as they were driven, each on its own axes and with its own tune; what they are worth
today (on the axes and the tune in force) is worked out from all of them, in the order of their
names, whenever it is asked for. So merging is a union: the same run twice counts once, the order
never matters to the last bit, removing is the exact inverse, and a tune or axes that are changed
back bring back what they had hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.axis import Axis, CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.planning.information import (
    Nodes,
    edited_nodes,
    freed,
    reading,
    resampled,
)
from dynoai_desktop.core.planning.knowledge import Knowledge, TableBelief
from dynoai_desktop.core.planning.memory import (
    Achieved,
    Answer,
    CylinderCoverage,
    Feedback,
    Observed,
    Prediction,
    RunCoverage,
)
from dynoai_desktop.core.planning.regions import PlacedRegion
from dynoai_desktop.core.planning.run_coverage import run_coverage
from dynoai_desktop.core.planning.steps import TestType

__all__ = [
    "Achieved",
    "Answer",
    "Coverage",
    "CoverageError",
    "CylinderCoverage",
    "Feedback",
    "Observed",
    "Prediction",
    "RunCoverage",
    "Tables",
    "empty_coverage",
    "run_coverage",
]

Axes = tuple[Axis, Axis]
Tables = Mapping[Cylinder, CellGrid]  # the fuel tables of a tune
Bools = NDArray[np.bool_]


class CoverageError(ValueError):
    """A run that does not belong here; the message says why and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Everything one vehicle has shown. *vehicle* is the slug of its record."""

    vehicle: str
    simulated: bool = False
    rpm: Axis = field(default_factory=default_rpm_axis)
    load: Axis = field(default_factory=default_map_axis)
    tune_sha256: str = ""  # the tune in force; "": not known
    tunes: Mapping[str, Tables] = field(default_factory=dict)  # fuel tables by SHA-256
    dyno_signature: str = ""
    runs: Mapping[str, RunCoverage] = field(default_factory=dict)
    feedback: tuple[Feedback, ...] = ()
    unplaced: Mapping[str, Any] | None = None  # hits of an old program that named no axes

    def merge(self, run: RunCoverage) -> Coverage:
        """Return the coverage with *run* in it; the same run again changes nothing.

        Of two different accounts of one run the one with more accepted samples stays, and of
        equals the one later in the alphabet, so that order does not matter; to put another account
        in, remove the old one first. Raises CoverageError for a run of another vehicle, or a
        simulated run offered to a real vehicle and the other way.
        """
        self._refuse(run)
        known = self.runs.get(run.run_id)
        if known is not None and (known == run or _rank(known) > _rank(run)):
            return self
        return replace(self, runs={**self.runs, run.run_id: run})

    def remove(self, run_id: str) -> Coverage:
        """Return the coverage without a run: the exact inverse of merging it."""
        if run_id not in self.runs:
            return self
        return replace(self, runs={k: run for k, run in self.runs.items() if k != run_id})

    def united(self, other: Coverage) -> Coverage:
        """Return the coverage with the runs, tunes and answers of *other* too."""
        unplaced = other.unplaced if self.unplaced is None else self.unplaced
        out = replace(self, tunes={**other.tunes, **self.tunes}, unplaced=unplaced)
        for run in other.runs.values():
            out = out.merge(run)
        for one in other.feedback:
            out = out.answered(one)
        return out

    def answered(self, feedback: Feedback) -> Coverage:
        """Return the coverage with one more answer; the same answer again changes nothing."""
        said = {*self.feedback, feedback}
        return replace(self, feedback=tuple(sorted(said, key=lambda one: (one.said, repr(one)))))

    def impossible_here(self) -> frozenset[TestType]:
        """Return the tests that were said not to be possible on the present dyno."""
        return frozenset(
            one.test_type
            for one in self.feedback
            if one.answer is Answer.NOT_POSSIBLE and one.dyno_signature == self.dyno_signature
        )

    def on_axes(self, rpm: Axis, load: Axis) -> Coverage:
        """Return the coverage read on other axes; nothing is lost by changing back."""
        return replace(self, rpm=rpm, load=load)

    def on_tune(self, sha256: str, tables: Tables) -> Coverage:
        """Return the coverage with another tune in force.

        What was measured of cells that differ from the tune they were measured with is void;
        *tables* are remembered to tell which.
        """
        tunes = {**self.tunes, sha256: dict(tables)} if sha256 and tables else self.tunes
        return replace(self, tune_sha256=sha256, tunes=tunes)

    def on_dyno(self, signature: str) -> Coverage:
        """Return the coverage as seen from another dyno."""
        return replace(self, dyno_signature=signature)

    def is_elsewhere(self, run: RunCoverage) -> bool:
        """Return whether a run is known to be from another dyno than the present one."""
        known = run.dyno_signature and self.dyno_signature
        return bool(known) and run.dyno_signature != self.dyno_signature

    def cylinders(self) -> tuple[Cylinder, ...]:
        """Return the cylinders that are measured: each with its own wideband, or both with one."""
        seen = {cylinder for run in self.runs.values() for cylinder in run.cylinders}
        own = tuple(c for c in (Cylinder.FRONT, Cylinder.REAR) if c in seen)
        return own or (Cylinder.BOTH,)

    def knowledge(
        self, belief: TableBelief | None = None, regions: Sequence[PlacedRegion] = ()
    ) -> Knowledge:
        """Return what is known now; transients are counted in those of *regions* that want them.

        Independent of the order in which runs were merged, to the last bit.
        """
        belief = belief or TableBelief()
        size = len(self.rpm) * len(self.load)
        information, hits = {}, {}
        for cylinder in self.cylinders():
            total, mass = np.zeros((size, size)), np.zeros(size)
            for told in self._told(cylinder):
                nodes, matrix, count = self._worth(told, belief)
                total[np.ix_(nodes, nodes)] += matrix
                mass += count
            information[cylinder] = total
            hits[cylinder] = mass.reshape(len(self.rpm), len(self.load))
        return Knowledge(self.rpm, self.load, information, hits, self._events(regions), belief)

    def notes(self) -> tuple[str, ...]:
        """Return what the user should know about how the runs were counted, in sentences."""
        runs = [self.runs[key] for key in sorted(self.runs)]
        own = Cylinder.BOTH not in self.cylinders()
        cases = (
            (
                sum(not self._tune_known(run) for run in runs),
                "counted in full because their tune or the present one is not known",
            ),
            (
                sum(self._tune_known(run) and not self._comparable(run) for run in runs),
                "not counted because the tables of their tune are not known",
            ),
            (
                sum(run.load.channel is not self.load.channel for run in runs),
                f"not counted because they were read by another load than {self.load.channel}",
            ),
            (
                sum(_same_load(run, self) and (run.rpm, run.load) != self._axes for run in runs),
                "carried over from other axes, a little wider than they were measured",
            ),
            (
                sum(own and Cylinder.BOTH in run.cylinders for run in runs),
                "not counted because one wideband for both cylinders says nothing of one alone",
            ),
            (
                sum(self.is_elsewhere(run) for run in runs),
                "from another dyno: counted for the table, not for how the vehicle moves here",
            ),
        )
        out = [f"{count} of {len(runs)} runs: {words}." for count, words in cases if count]
        if self.unplaced is not None:
            out.append(
                "Hits counted by an older program are kept but not used: it did not store on "
                "which axes it counted."
            )
        return tuple(out)

    @property
    def _axes(self) -> Axes:
        return self.rpm, self.load

    def _refuse(self, run: RunCoverage) -> None:
        if run.vehicle != self.vehicle:
            raise CoverageError(
                f"The run {run.run_id} is of “{run.vehicle}”, not of “{self.vehicle}”. "
                "Choose its own vehicle first."
            )
        if run.simulated != self.simulated:
            kind, vehicle = ("simulated", "real") if run.simulated else ("real", "simulated")
            raise CoverageError(
                f"The run {run.run_id} is {kind} and “{self.vehicle}” is a {vehicle} vehicle. "
                "Keep rehearsals and real runs on vehicles of their own."
            )

    def _told(self, cylinder: Cylinder) -> Iterator[_Told]:
        """Yield what the runs of each tune and axes say together, in the order of their names.

        Together, because an edited value, or what straight lines cannot follow, is the same in
        all of them.
        """
        together: dict[tuple[Axes, str], list[RunCoverage]] = {}
        for run in (self.runs[key] for key in sorted(self.runs)):
            if cylinder in run.cylinders and _same_load(run, self):
                together.setdefault(((run.rpm, run.load), run.tune_sha256), []).append(run)
        for (axes, _), runs in together.items():
            edited = self._edited(runs[0], cylinder)
            if edited is not None:
                yield _Told.by([run.cylinders[cylinder] for run in runs], axes, edited)

    def _worth(self, told: _Told, belief: TableBelief) -> tuple[Nodes, F64, F64]:
        """Return nodes and information on the present axes and tune, and hits of all nodes."""
        void = told.edited[told.nodes]
        matrix = freed(told.information, void, belief.reach_sd)
        count = np.where(told.edited, 0.0, told.hits)
        if told.axes == self._axes:
            return told.nodes, matrix, count
        read = _reading(told.axes, self._axes)
        doubt = float(np.hypot(belief.bend_sd, belief.scatter_sd))
        nodes, matrix = resampled(
            matrix, told.nodes, read, doubt_sd=doubt, reach_sd=belief.reach_sd
        )
        return nodes, matrix, count @ read.basis

    def _edited(self, run: RunCoverage, cylinder: Cylinder) -> Bools | None:
        """Return which nodes of the run's axes the tune in force has changed; None: not known."""
        if not self._tune_known(run) or run.tune_sha256 == self.tune_sha256:
            return np.zeros(len(run.rpm) * len(run.load), dtype=bool)
        if not self._comparable(run):
            return None
        before, now = self.tunes[run.tune_sha256], self.tunes[self.tune_sha256]
        # A wideband for both is moved by either table, and one table may feed both cylinders.
        which = [cylinder] if cylinder in now else sorted(now)
        changed = [edited_nodes(before[c], now[c], (run.rpm, run.load)) for c in which]
        anywhere: Bools = np.logical_or.reduce(changed)
        return anywhere

    def _tune_known(self, run: RunCoverage) -> bool:
        return bool(run.tune_sha256 and self.tune_sha256)

    def _comparable(self, run: RunCoverage) -> bool:
        if run.tune_sha256 == self.tune_sha256:
            return True
        before, now = self.tunes.get(run.tune_sha256), self.tunes.get(self.tune_sha256)
        return bool(before and now) and set(before or ()) == set(now or ())

    def _events(self, regions: Sequence[PlacedRegion]) -> dict[str, int]:
        """Return how many transients crossed each region that wants them."""
        events = [
            event for run in self.runs.values() if _same_load(run, self) for event in run.events
        ]
        return {
            placed.key: sum(
                event.kind is placed.region.transient and placed.holds(event.rpm, event.load)
                for event in events
            )
            for placed in regions
            if placed.region.transient is not None
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What some runs on the same axes and tune say of one cylinder."""

    axes: Axes
    nodes: Nodes  # (k,)
    information: F64  # (k, k)
    hits: F64  # (R · L,)
    edited: Bools  # (R · L,) since they were driven

    @classmethod
    def by(cls, parts: Sequence[CylinderCoverage], axes: Axes, edited: Bools) -> _Told:
        """Add up the parts, in their order."""
        total, hits = np.zeros((edited.size, edited.size)), np.zeros(edited.size)
        for part in parts:
            at = np.array(part.nodes, dtype=np.intp)
            total[np.ix_(at, at)] += part.information
            hits[at] += part.hits
        nodes = np.flatnonzero(np.diag(total) > 0.0)
        return cls(axes, nodes, total[np.ix_(nodes, nodes)], hits, edited)


def empty_coverage(vehicle: str, simulated: bool = False) -> Coverage:
    """Return what is known of a vehicle nobody has driven yet, on the usual axes."""
    return Coverage(vehicle, simulated)


def _same_load(run: RunCoverage, coverage: Coverage) -> bool:
    return run.load.channel is coverage.load.channel


def _rank(run: RunCoverage) -> tuple[int, str]:
    return run.achieved.accepted, repr(run)


_reading = lru_cache(maxsize=16)(reading)
