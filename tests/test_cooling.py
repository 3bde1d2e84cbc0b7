"""The watch over temperatures between two pulls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.runs import Run
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.cooling import CoolingWatch
from tests import ui_world

USUAL_S = 45.0
START_S, END_S = 100.0, 108.0


def run(finished: bool, end_s: float = END_S, kind: RunKind = RunKind.PULL) -> Run:
    return Run(1, kind, START_S, end_s, finished, 2000.0, 5600.0)


def snapshot(at_s: float, temperatures: dict[Channel, float], pull: Run | None = None) -> Snapshot:
    found = ui_world.readings(temperatures, at_s)
    if pull is None:
        return found
    return replace(found, runs=(pull,)) if pull.finished else replace(found, run=pull)


def drive(watch: CoolingWatch, intake: dict[float, float], channel: Channel = Channel.IAT) -> None:
    """Take a temperature at each time; the pull shows a second after it began, as it does."""
    for at_s, degrees in intake.items():
        pull = None
        if at_s >= START_S + 1.0:
            pull = run(at_s >= END_S, min(at_s, END_S))
        watch.take(snapshot(at_s, {channel: degrees}, pull))


def test_it_counts_from_where_the_pull_began_not_from_where_it_was_noticed():
    watch = CoolingWatch()
    drive(watch, {98.0: 30.0, 99.9: 30.5, 101.0: 33.0, 108.0: 50.0, 115.0: 40.5})
    cooling = watch.state(USUAL_S)
    assert cooling is not None
    (line,) = cooling.lines
    assert (line.began_c, line.hottest_c, line.now_c) == (30.5, 50.0, 40.5)
    assert cooling.since_s == pytest.approx(7.0)
    assert not cooling.is_ready


def test_it_is_ready_within_a_degree():
    watch = CoolingWatch()
    drive(watch, {99.9: 30.0, 101.0: 33.0, 108.0: 50.0, 150.0: 30.9})
    cooling = watch.state(USUAL_S)
    assert cooling is not None
    assert cooling.is_ready


def test_an_engine_that_warms_through_does_not_wait_for_ever():
    """Coolant that was cold at the first pull never comes back to where that began."""
    watch = CoolingWatch()
    drive(watch, {99.9: 60.0, 101.0: 61.0, 108.0: 70.0}, Channel.ECT)
    drive(watch, dict.fromkeys(range(120, 260, 5), 82.0), Channel.ECT)
    cooling = watch.state(USUAL_S)
    assert cooling is not None
    assert cooling.settled
    assert cooling.is_ready


def test_while_the_pull_goes_on_nothing_cools():
    watch = CoolingWatch()
    drive(watch, {99.9: 30.0, 101.0: 33.0, 103.0: 35.0})
    cooling = watch.state(USUAL_S)
    assert cooling is not None
    assert cooling.driving
    assert cooling.share == 0.0


def test_a_coast_down_is_no_pull():
    watch = CoolingWatch()
    watch.take(snapshot(108.0, {Channel.IAT: 40.0}, run(True, kind=RunKind.COAST_DOWN)))
    assert watch.state(USUAL_S) is None


def test_no_temperature_goes_by_time():
    watch = CoolingWatch()
    for at_s in (99.0, 101.0, 108.0, 131.0):
        pull = run(at_s >= END_S, min(at_s, END_S)) if at_s > START_S else None
        watch.take(snapshot(at_s, {Channel.RPM: 1000.0}, pull))
    cooling = watch.state(USUAL_S)
    assert cooling is not None
    assert cooling.by_time
    assert cooling.share == pytest.approx(23.0 / USUAL_S)


def test_another_source_begins_anew():
    watch = CoolingWatch()
    drive(watch, {99.9: 30.0, 101.0: 33.0, 108.0: 50.0})
    watch.clear()
    assert watch.state(USUAL_S) is None
