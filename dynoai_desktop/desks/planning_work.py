"""Planning between disk and processor, without a window: the same work for the desk and commands.

A run is studied (read, analysed, boiled down to what it taught), learned (merged into what is
remembered of its vehicle) and the plan is made again from everything remembered.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynoai_desktop.core.analysis.archive import session_of
from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.analysis.tune_settings import TunePart, settings_for
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.coverage import Coverage, CoverageError, Tables
from dynoai_desktop.core.planning.coverage_file import Remembered, update_coverage
from dynoai_desktop.core.planning.memory import Feedback, RunCoverage
from dynoai_desktop.core.planning.steps import TestType
from dynoai_desktop.core.store.vehicles import VehicleRecord, vehicle_slug
from dynoai_desktop.core.tune.files import read_bytes
from dynoai_desktop.core.tune.formats import read_tune
from dynoai_desktop.core.tune.tables import TuneError
from dynoai_desktop.desks.planning_error import PlanningError

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.frame import Frame
    from dynoai_desktop.core.analysis.payload import Payload
    from dynoai_desktop.core.live.runs import Run
    from dynoai_desktop.core.planning.regions import PlacedRegion
    from dynoai_desktop.core.planning.steps import Step
    from dynoai_desktop.core.planning.ways import Ways

log = logging.getLogger(__name__)

SITTING = timedelta(hours=8)  # answers like "no time now" hold for so long
_LOADS = (Channel.MAP, Channel.TPS)
_ID_LETTERS = 16
_MOST_OF = 0.6  # of a step's speeds make a pull that step
_KINDS: Mapping[TestType, tuple[RunKind, ...]] = {
    TestType.WOT_PULL: (RunKind.PULL,),
    TestType.PART_THROTTLE: (RunKind.SWEEP,),
    TestType.STREET: (RunKind.SWEEP,),
    TestType.HOLD_CLIMB: (RunKind.SWEEP,),
}


@dataclass(frozen=True, slots=True, eq=False)
class TuneInForce:
    """The tune a vehicle runs on, as far as the planner needs it."""

    sha256: str
    axes: tuple[Axis, Axis]
    tables: Tables


def tune_in_force(parts: Sequence[TunePart]) -> TuneInForce | None:
    """Return the fuel tables of a tune, over MAP before TPS; None where it holds none."""
    for load in _LOADS:
        tables = {
            _whose(part, cylinder): table
            for part in parts
            for cylinder, table in part.tune.ve_tables(load).items()
        }
        axes = next((axes for table in tables.values() if (axes := table.axes) is not None), None)
        if axes is not None:
            grids = {c: table.grid() for c, table in tables.items() if table.axes == axes}
            return TuneInForce(_sha256(parts), axes, grids)
    return None


def _whose(part: TunePart, cylinder: Cylinder) -> Cylinder:
    return part.cylinder or cylinder if cylinder is Cylinder.BOTH else cylinder


def _sha256(parts: Sequence[TunePart]) -> str:
    hashes = sorted(hashlib.sha256(part.tune.data).hexdigest() for part in parts)
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from, as far as it says so itself."""

    run_id: str  # the session's name, or the hash of a file of elsewhere
    vehicle: str = ""  # name
    started: str = ""  # UTC, ISO 8601
    dyno: str = ""  # who was on the bus


def origin_of(path: Path) -> Origin:
    """Return the origin of a session folder or a log. Raises PlanningError when it is not there."""
    session = session_of(path)
    try:
        if session is None:
            if path.is_dir():
                raise PlanningError(f"{path.name} holds no session. Choose a recording or a log.")
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Origin(f"{path.name} {digest[:_ID_LETTERS]}")
        document = json.loads((session / "session.json").read_bytes())
    except FileNotFoundError as error:
        raise PlanningError(f"There is no file {path}.") from error
    except OSError as error:
        raise PlanningError(f"Cannot read {path.name}: {error.strerror or error}.") from error
    except ValueError:  # the recording in it is still good
        document = {}
    if not isinstance(document, dict):
        document = {}
    return Origin(
        session.name, _text(document, "vehicle"), _text(document, "started_utc"), _dyno(document)
    )


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _dyno(document: dict[str, Any]) -> str:
    """Return the names of the providers heard, which is what tells one dyno from another."""
    providers = document.get("providers")
    rows = providers if isinstance(providers, list) else []
    names = {str(row["name"]) for row in rows if isinstance(row, dict) and row.get("name")}
    return ", ".join(sorted(names))


def require_vehicle(origin: Origin, record: VehicleRecord) -> None:
    """Raise PlanningError for a session that says it is another vehicle's."""
    if origin.vehicle and vehicle_slug(origin.vehicle) != record.slug:
        raise PlanningError(
            f"The run {origin.run_id} is of “{origin.vehicle}”, not of “{record.name}”. "
            "Choose its own vehicle first."
        )


def study(
    path: Path,
    record: VehicleRecord,
    coverage: Coverage,
    cancelled: Callable[[], bool] | None = None,
) -> RunCoverage:
    """Read and analyse a run just driven; return what it taught, on the tune in force.

    Raises PlanningError when it cannot be read, cannot be analysed or is another vehicle's, and
    AnalysisCancelledError when told to stop.
    """
    from dynoai_desktop.capture.files import read_frame
    from dynoai_desktop.capture.sources.contract import CaptureError
    from dynoai_desktop.core.analysis.analyse import AnalysisError, analyse
    from dynoai_desktop.core.analysis.frame import FrameError

    origin = origin_of(path)
    require_vehicle(origin, record)
    try:
        frame = read_frame(path, cancelled=cancelled)
        settings = _settings(frame, record, coverage)
        payload = analyse(frame, settings, cancelled=cancelled)
    except (AnalysisError, CaptureError, FrameError) as error:
        raise PlanningError(str(error)) from error
    tune = None if coverage.tune_sha256 else tune_in_force(parts_of(record))
    sha256 = coverage.tune_sha256 if tune is None else tune.sha256
    return taught(payload, origin, record, sha256)


def _settings(frame: Frame, record: VehicleRecord, coverage: Coverage) -> AnalysisSettings:
    """Return settings on the axes of what is remembered, by the vehicle's tune where it is that."""
    settings = AnalysisSettings()
    if (coverage.runs or coverage.tune_sha256) and coverage.load.channel in frame:
        settings = AnalysisSettings(axes=(coverage.rpm, coverage.load))
    parts = parts_of(record)
    tune = tune_in_force(parts)
    if tune is not None and coverage.tune_sha256 in ("", tune.sha256):
        try:
            return settings_for(parts, frame, record, settings)
        except TuneError:  # its tables are not over what this log holds
            pass
    return settings_for((), frame, record, settings)


def parts_of(record: VehicleRecord) -> tuple[TunePart, ...]:
    """Return the tune that the vehicle's record names; none where it cannot be read."""
    if not record.tune_path:
        return ()
    try:
        return (TunePart(read_tune(read_bytes(Path(record.tune_path)))),)
    except TuneError as error:
        log.warning("The tune of %s is not used: %s", record.name, error)
        return ()


def taught(
    payload: Payload, origin: Origin, record: VehicleRecord, tune_sha256: str
) -> RunCoverage:
    """Return what an analysed run taught; *tune_sha256* is of the tune it was driven with.

    Raises PlanningError for another vehicle's.
    """
    from dynoai_desktop.core.planning.observing import observe
    from dynoai_desktop.core.planning.run_coverage import run_coverage

    require_vehicle(origin, record)
    if payload.evidence.frame.simulated != record.simulated:
        kind, vehicle = ("real", "simulated") if record.simulated else ("simulated", "real")
        raise PlanningError(
            f"The run {origin.run_id} is {kind} and “{record.name}” is a {vehicle} vehicle. "
            "Keep rehearsals and real runs on vehicles of their own."
        )
    return run_coverage(
        payload,
        origin.run_id,
        record.slug,
        tune_sha256=tune_sha256,
        dyno_signature=origin.dyno,
        started=origin.started,
        observed=observe(payload, record),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Driven:
    """The step that a run was driven for, and what it was planned by."""

    step: Step
    ways: Ways
    regions: tuple[PlacedRegion, ...]


def learn(
    folder: Path, record: VehicleRecord, run: RunCoverage, driven: Driven | None = None
) -> Remembered:
    """Merge a run into what is remembered; the same run again changes nothing.

    Raises PlanningError for a run of another vehicle, StoreError when the disk refuses.
    """

    def change(coverage: Coverage) -> Coverage:
        if not coverage.tune_sha256:
            coverage = on_tune(coverage, tune_in_force(parts_of(record)))
        return with_run(coverage, run, driven)

    return _changed(folder, record, change)


def with_run(coverage: Coverage, run: RunCoverage, driven: Driven | None = None) -> Coverage:
    """Return the coverage with this account of a run, and what became of the step's promise."""
    from dynoai_desktop.core.planning.learning import learned

    known, before = coverage.runs.get(run.run_id), coverage.remove(run.run_id)
    if known is not None and not run.tune_sha256:  # what was known of its tune is not lost
        run = replace(run, tune_sha256=known.tune_sha256)
    if not before.runs and not before.tune_sha256:
        before = before.on_axes(run.rpm, run.load)
    if run.dyno_signature:
        before = before.on_dyno(run.dyno_signature)
    before.merge(run)  # refuses another vehicle's before anything is compared
    if driven is not None:
        pulls = min(max(run.achieved.pulls, 1), driven.step.pulls)
        run = learned(run, driven.step, before, driven.ways, driven.regions, pulls=pulls)
    elif known is not None:  # what was promised of it stays, and what came of that
        kept = known.achieved
        achieved = replace(run.achieved, gain_pct=kept.gain_pct, information=kept.information)
        run = replace(run, prediction=known.prediction, achieved=achieved)
    if known == run:
        return coverage
    return before.merge(run)


def on_tune(coverage: Coverage, tune: TuneInForce | None) -> Coverage:
    """Return the coverage with a tune in force, on its axes; None leaves everything.

    The first tune that is named is taken for the one that the runs so far were driven with, as
    the tune bench takes it for the one that the log was recorded with: else what it changes later
    could not be told from what it leaves.
    """
    if tune is None or coverage.tune_sha256 == tune.sha256:
        return coverage
    if not coverage.tune_sha256:
        runs = {
            run_id: run if run.tune_sha256 else replace(run, tune_sha256=tune.sha256)
            for run_id, run in coverage.runs.items()
        }
        coverage = replace(coverage, runs=runs)
    return coverage.on_tune(tune.sha256, tune.tables).on_axes(*tune.axes)


def put_in_force(folder: Path, record: VehicleRecord, paths: Sequence[Path]) -> Remembered:
    """Remember that the vehicle runs on the tune in these files.

    Raises PlanningError when it cannot be read, StoreError when the disk refuses.
    """
    from dynoai_desktop.desks.tune_bench import read_tune_file

    try:
        files = [read_tune_file(path) for path in paths]
    except TuneError as error:
        raise PlanningError(str(error)) from error
    tune = tune_in_force([TunePart(file.tune, file.cylinder) for file in files])
    return _changed(folder, record, lambda coverage: on_tune(coverage, tune))


def answer(folder: Path, record: VehicleRecord, feedback: Feedback) -> Remembered:
    """Remember what the operator said about a step. Raises StoreError."""
    return _changed(
        folder,
        record,
        lambda coverage: coverage.answered(
            replace(feedback, dyno_signature=coverage.dyno_signature)
        ),
    )


def forget(folder: Path, record: VehicleRecord, path: Path) -> Remembered:
    """Forget a run. Raises PlanningError when the file is gone, StoreError when the disk refuses.

    That is the exact inverse of having learned from it.
    """
    run_id = origin_of(path).run_id
    return _changed(folder, record, lambda coverage: coverage.remove(run_id))


def take_back(folder: Path, record: VehicleRecord) -> Remembered:
    """Forget the last answer. Raises StoreError."""
    return _changed(
        folder,
        record,
        lambda coverage: (
            replace(coverage, feedback=coverage.feedback[:-1]) if coverage.feedback else coverage
        ),
    )


def _changed(
    folder: Path, record: VehicleRecord, change: Callable[[Coverage], Coverage]
) -> Remembered:
    try:
        return update_coverage(folder, record, change)
    except CoverageError as error:
        raise PlanningError(str(error)) from error


def was_driven(run: Run, step: Step) -> bool:
    """Return whether a pull found live was what a step asked for: its kind, most of its speeds."""
    if run.kind not in _KINDS.get(step.test_type, ()):
        return False
    (low, high), (start, end) = step.rpm_range, sorted((run.start_rpm, run.end_rpm))
    shared = min(high, end) - max(low, start)
    return shared >= _MOST_OF * (high - low)
