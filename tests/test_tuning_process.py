"""A virtual tuning session in a process of its own is the same session, and ends when asked."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.tuning.outcome import Status
from dynoai_desktop.core.simulator.tuning.registry import SessionRegistry
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings
from dynoai_desktop.desks import tuning_process
from dynoai_desktop.desks.own_program import own_command
from dynoai_desktop.desks.tuning_process import ProcessSession

ONE_ROUND = TuningSettings(PROFILES["tc-103"], SCENARIOS["lean"], max_iterations=1)
LONG = TuningSettings(PROFILES["m8-131"], SCENARIOS["lean"])
PATIENCE_S = 20.0


class Running:
    """A session on a thread of its own; `told` is set once it has said anything."""

    def __init__(self, settings: TuningSettings) -> None:
        self.told = threading.Event()
        self.session = ProcessSession(settings)
        hear = self.session._hear

        def listening(*message) -> None:
            hear(*message)
            if self.session.progress.share > 0.0:
                self.told.set()

        self.session._hear = listening
        self.thread = threading.Thread(target=self.session.run)
        self.thread.start()

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.session._process.pid)

    def join(self) -> None:
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running(LONG)
    yield running
    running.session.fail("The test is over.")
    running.join()


def test_the_process_finds_what_the_thread_finds() -> None:
    here, there = VirtualSession(ONE_ROUND).run(), ProcessSession(ONE_ROUND).run()
    assert there.to_json() == here.to_json()
    mine, its = here.iterations[0], there.iterations[0]
    for cylinder in (Cylinder.FRONT, Cylinder.REAR):
        for one, other in zip(
            mine.cylinders[cylinder].grids, its.cylinders[cylinder].grids, strict=True
        ):
            assert np.array_equal(one, other, equal_nan=True)
    assert np.array_equal(here.tables.ve_rear_pct.values, there.tables.ve_rear_pct.values)
    assert np.array_equal(here.true_ve_pct[0], there.true_ve_pct[0])


def test_a_session_stops_within_a_step_and_its_process_goes(running) -> None:
    assert running.told.wait(PATIENCE_S)
    process = running.process
    running.session.stop()
    running.join()
    assert running.session.outcome.status is Status.STOPPED
    assert not process.is_running()


def test_a_session_stopped_before_it_began_starts_no_process() -> None:
    session = ProcessSession(LONG)
    session.stop()
    assert session.run().status is Status.STOPPED
    assert session._process is None


def test_a_process_that_dies_is_a_failed_session_with_words(running) -> None:
    assert running.told.wait(PATIENCE_S)
    running.process.kill()
    running.join()
    assert running.session.outcome.status is Status.FAILED
    assert "process ended" in running.session.progress.message


def test_a_session_that_is_given_up_takes_its_process_with_it(running) -> None:
    """As the registry does with one that has stalled."""
    assert running.told.wait(PATIENCE_S)
    process = running.process
    running.session.fail("No progress for 10 minutes.")
    running.join()
    assert running.session.progress.message == "No progress for 10 minutes."
    assert not process.is_running()


def test_a_program_that_cannot_be_started_is_a_failed_session(monkeypatch) -> None:
    monkeypatch.setattr(tuning_process, "own_command", lambda *_: ["/nowhere/dynoai"])
    outcome = ProcessSession(LONG).run()
    assert outcome.status is Status.FAILED
    assert "No such file" in outcome.message


def test_an_error_in_the_session_comes_back_in_its_own_words() -> None:
    settings = TuningSettings(PROFILES["tc-103"], faults=("unplugged_wideband",))
    outcome = ProcessSession(settings).run()
    assert outcome.status is Status.FAILED
    assert "preflight" in outcome.message


def test_a_process_whose_window_has_gone_ends_by_itself() -> None:
    command = own_command("virtual-tune", tuning_process.CHILD_OPTION)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        tuning_process._send(process.stdin, LONG)
        assert tuning_process._receive(process.stdout) is not None
        process.stdin.close()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 0


def test_a_registry_of_processes_stops_them_all() -> None:
    threads: list[threading.Thread] = []

    def background(work) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    registry = SessionRegistry(background, lambda: 0.0, ProcessSession)
    keys = [registry.start(LONG) for _ in range(4)]
    registry.stop_all()
    registry.fail_all("The program was closed.")
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert all(registry.progress(key).status.is_final for key in keys)
