"""`tour --out DIR [FILE]`: every page as a picture, from a recording or the simulated dyno."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dynoai_desktop.capture.frames import frame_of_aggregates
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.scans import SCAN_S
from dynoai_desktop.capture.simulated_dyno import simulated_bus
from dynoai_desktop.capture.sources.contract import CaptureError, Source
from dynoai_desktop.capture.sources.replay import ReplaySource
from dynoai_desktop.capture.sources.simulator import SimulatorSource
from dynoai_desktop.commands import EXIT_DONE, UsageError
from dynoai_desktop.core.aggregate import GRACE_US
from dynoai_desktop.core.analysis.analyse import AnalysisError, analyse
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.samples import WINDOW_US, Aggregate
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.core.trust.trial import Trial, judge

if TYPE_CHECKING:
    from dynoai_desktop.ui.main_window import MainWindow

_SIMULATED_START_US = 1_700_000_000_000_000
_SIMULATED_S = 160.0
_HEALTH_WINDOWS = 5  # windows between two looks at the bus: four looks a second
_TREND_LOOKS = 120
_NOW = datetime(2026, 1, 1, tzinfo=UTC)  # pictures are alike on every day


@dataclass(frozen=True, slots=True)
class Moment:
    """What the program knew at the most telling moment of a recording."""

    snapshot: Snapshot
    health: BusHealth
    elapsed_s: float
    duration_s: float
    simulated: bool
    trial: Trial
    payload: Payload | None  # None: the recording does not hold what an analysis needs
    so_far: Payload | None  # of what had been driven until then, which the plan goes by
    earlier: tuple[BusHealth, ...]  # four a second, for the little curves


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the pictures")
    parser.add_argument(
        "file", type=Path, nargs="?", help="a session folder or a .pcap; none: a simulated dyno"
    )


def run(arguments: argparse.Namespace) -> int:
    """Render; print the path of every picture."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if arguments.file is None:
        source: Source = SimulatorSource(
            simulated_bus, _SIMULATED_START_US, duration_s=_SIMULATED_S
        )
    else:
        source = ReplaySource(arguments.file)
    try:
        moment = telling_moment(source)
        for picture in _render(moment, arguments.file, arguments.data_dir, arguments.out):
            print(picture)
    except CaptureError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"Cannot write the pictures: {error}") from error
    return EXIT_DONE


def telling_moment(source: Source) -> Moment:
    """Run through *source* and return the moment of most power, or of most revs without power.

    Raises CaptureError when the source cannot be read or nothing in it can be shown.
    """
    pipeline, engine = Pipeline(), LiveEngine()
    best: tuple[float, float] | None = None
    found: tuple[Snapshot, BusHealth] | None = None
    source.open()
    first_us = source.now_us()

    healths: list[BusHealth] = []
    windows: list[Aggregate] = []

    def look(aggregate: Aggregate) -> None:
        nonlocal best, found
        engine.observe(aggregate)
        if aggregate.means:
            windows.append(aggregate)
        if aggregate.index % _HEALTH_WINDOWS == 0:
            healths.append(pipeline.health(source.now_us()))
        means = aggregate.means
        score = (means.get(Channel.POWER, 0.0), means.get(Channel.RPM, 0.0))
        if best is None or score > best:
            best = score
            found = engine.snapshot(), pipeline.health(source.now_us())

    try:
        while not source.finished:
            for aggregate in pipeline.feed(source.receive(0.0), source.now_us()):
                look(aggregate)
        pipeline.end()
        for aggregate in pipeline.feed((), source.now_us() + WINDOW_US + GRACE_US):
            look(aggregate)
        last_us = source.now_us()
        trial = judge(pipeline.scan(last_us, SCAN_S))
    finally:
        source.close()
    if found is None:
        raise CaptureError("There is nothing in this recording that a page could show.")
    snapshot, health = found
    simulated = any(provider.simulated for provider in health.providers)
    return Moment(
        snapshot,
        health,
        snapshot.time_s - first_us / 1e6,
        (last_us - first_us) / 1e6,
        simulated,
        trial,
        _analysed(windows, simulated),
        _analysed([w for w in windows if w.start_s < snapshot.time_s], simulated),
        tuple(h for h in healths if h.now_us <= health.now_us)[-_TREND_LOOKS:],
    )


def _analysed(windows: list[Aggregate], simulated: bool) -> Payload | None:
    try:
        return analyse(frame_of_aggregates(windows, simulated=simulated))
    except AnalysisError:
        return None


def _show_plan(window: MainWindow, payload: Payload, snapshot: Snapshot) -> None:
    """Show the plan that follows from this recording so far."""
    from dynoai_desktop.core.planning.coverage import empty_coverage
    from dynoai_desktop.core.planning.limits import default_limits
    from dynoai_desktop.desks.plan_making import make_of, plan_state
    from dynoai_desktop.desks.planning_work import Origin, taught, with_run
    from dynoai_desktop.ui.cooling import CoolingWatch
    from dynoai_desktop.ui.messages import VehiclesState
    from dynoai_desktop.ui.plan_words import next_line

    simulated = payload.evidence.frame.simulated
    record = VehicleRecord("Simulated vehicle" if simulated else "This vehicle", simulated)
    run = taught(payload, Origin("This recording"), record, "")
    coverage = with_run(empty_coverage(record.slug, simulated), run)
    made = make_of(coverage, record, default_limits(record), _NOW)
    window.set_vehicles(VehiclesState(record))
    watch = CoolingWatch()
    watch.take(snapshot)
    cooling = watch.state(made.ways.cooling_s.mean)
    window.set_plan(plan_state(made, record, _NOW).with_cooling(cooling))
    window.set_next_step(next_line(made.plan, coverage.load, window.display))


def _render(moment: Moment, file: Path | None, data_dir: Path, out: Path) -> list[Path]:
    """Save all pages with data, without, and in daylight colours."""
    from dynoai_desktop.app import make_application, make_window
    from dynoai_desktop.pictures import SIZES, render_pages
    from dynoai_desktop.station import Station, session_rows
    from dynoai_desktop.ui.messages import (
        AnalysisState,
        InterfaceRow,
        MappingState,
        PreflightState,
        SourceKind,
        SourceState,
    )

    make_application()
    pictures: list[Path] = []

    def with_window(use: Callable[[MainWindow], None]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            window = make_window(Path(folder))
            station = Station(window, Path(folder))
            window.set_interfaces([InterfaceRow("127.0.0.1", "this computer only (demo)", True)])
            try:
                use(window)
            finally:
                station.shut_down()
                window.close()

    def show(window: MainWindow) -> None:
        window.set_source_state(
            SourceState(
                SourceKind.REPLAY if file else SourceKind.LIVE,
                interface="" if file else "127.0.0.1",
                simulated=moment.simulated,
                path=file,
                position_s=moment.elapsed_s,
                duration_s=moment.duration_s,
                paused=True,
            )
        )
        window.set_sessions(session_rows(data_dir / "sessions"))
        for health in moment.earlier:
            window.trends.take(health)
        trial = moment.trial
        window.set_analysis(AnalysisState(path=file, payload=moment.payload))
        if moment.so_far is not None:
            _show_plan(window, moment.so_far, moment.snapshot)
        window.set_mapping(MappingState(trial.channel_map, evidence=trial.evidence))
        window.set_preflight(PreflightState(elapsed_s=15.0, report=trial.report))
        window.live_model.take_snapshot(moment.snapshot)
        window.live_model.take_health(moment.health)

    def in_the_dark(window: MainWindow) -> None:
        show(window)
        pictures.extend(render_pages(window, out))

    def in_daylight(window: MainWindow) -> None:
        window.settings_changed.emit(replace(window.preferences, theme="light"))
        show(window)
        pictures.extend(render_pages(window, out / "light", SIZES[:1]))

    def with_nothing(window: MainWindow) -> None:
        pictures.extend(render_pages(window, out / "empty", SIZES[:1]))

    for state in (in_the_dark, in_daylight, with_nothing):
        with_window(state)
    return pictures
