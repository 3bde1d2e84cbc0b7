"""The registry keeps its promises: four running, a hundred kept, an hour, whatever the threads."""

from __future__ import annotations

import gc
import random
import sys
import threading
import weakref
from collections.abc import Callable

import numpy as np
import pytest

from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.tuning.outcome import Stage, Status
from dynoai_desktop.core.simulator.tuning.registry import (
    EXPIRES_S,
    MOST_KEPT,
    MOST_RUNNING,
    STALLED_S,
    SWEEP_EVERY_S,
    SessionRegistry,
    TooManySessionsError,
)
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings

SETTINGS = TuningSettings(PROFILES["tc-103"], SCENARIOS["perfect"], max_iterations=1)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Held(VirtualSession):
    """A session that moves when the test says so: no engine behind it."""

    def move(self, share: float) -> None:
        self._tell(1, Stage.PULL, share, "Driving.")


class Quick(VirtualSession):
    """A session that is over at once."""

    def run(self):
        self._end(Status.CONVERGED, "done")
        return self.outcome


class Counted:
    """Counts how many are inside at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = self.most = 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)

    def __exit__(self, *_) -> None:
        with self._lock:
            self._inside -= 1


class Shop:
    """A registry whose sessions run when the test says so."""

    def __init__(self, make: Callable[[TuningSettings], VirtualSession] = Quick) -> None:
        self.clock = Clock()
        self.work: list[Callable[[], None]] = []
        self.made: list[weakref.ref[VirtualSession]] = []
        self.registry = SessionRegistry(self.work.append, self.clock, self._make(make))

    def _make(self, make):
        def made(settings: TuningSettings) -> VirtualSession:
            session = make(settings)
            self.made.append(weakref.ref(session))
            return session

        return made

    def start(self) -> str:
        return self.registry.start(SETTINGS)

    def finish(self) -> None:
        """Run everything that was started."""
        while self.work:
            self.work.pop(0)()


def keys(registry: SessionRegistry) -> list[str]:
    return [listed.key for listed in registry.listing()]


def test_a_fifth_session_is_refused_until_one_has_ended() -> None:
    shop = Shop()
    for _ in range(MOST_RUNNING):
        shop.start()
    with pytest.raises(TooManySessionsError, match="Stop one"):
        shop.start()
    shop.work.pop(0)()
    shop.start()
    assert shop.registry.figures().running == MOST_RUNNING
    assert shop.registry.figures().finished == 1


def test_a_hundred_are_kept_and_the_oldest_finished_go_first() -> None:
    shop = Shop()
    first = shop.start()
    started = [first]
    for _ in range(MOST_KEPT + 4):
        shop.finish()
        started.append(shop.start())
    assert keys(shop.registry) == started[::-1][:MOST_KEPT]
    with pytest.raises(KeyError):
        shop.registry.outcome(first)


def test_a_running_session_is_not_the_one_to_go() -> None:
    shop = Shop()
    running = shop.start()
    held = shop.work.pop()
    for _ in range(MOST_KEPT + 5):
        shop.start()
        shop.finish()
    assert len(keys(shop.registry)) == MOST_KEPT
    assert shop.registry.progress(running).status is Status.INITIALISING
    held()
    assert shop.registry.progress(running).status is Status.CONVERGED


def test_finished_sessions_expire_after_an_hour_swept_every_five_minutes() -> None:
    shop = Shop()
    early = shop.start()
    shop.finish()
    shop.clock.now_s += EXPIRES_S - SWEEP_EVERY_S / 2
    assert keys(shop.registry) == [early]  # this look was a sweep
    shop.clock.now_s += SWEEP_EVERY_S - 1.0
    assert keys(shop.registry) == [early]  # over the hour, but no sweep is due yet
    shop.clock.now_s += 1.0
    assert keys(shop.registry) == []


def test_what_still_runs_does_not_expire() -> None:
    shop = Shop(Held)
    key = shop.start()
    session = shop.made[0]()
    shop.clock.now_s += EXPIRES_S * 3
    for step in range(3):
        session.move(step / 10)
        shop.clock.now_s += STALLED_S - 1.0
        assert shop.registry.sweep().stalled == 0
    assert keys(shop.registry) == [key]


def test_a_session_that_stands_still_is_ended_and_says_so() -> None:
    shop = Shop(Held)
    key = shop.start()
    shop.made[0]().move(0.5)
    shop.registry.sweep()
    shop.clock.now_s += STALLED_S
    assert shop.registry.sweep().stalled == 1
    ended = shop.registry.progress(key)
    assert ended.status is Status.FAILED and "10 minutes" in ended.message
    assert shop.registry.figures().running == 0
    shop.clock.now_s += EXPIRES_S
    assert shop.registry.sweep().sessions == 1


def test_purging_lets_the_arrays_go_and_says_how_many() -> None:
    clock, threads = Clock(), []

    def background(work: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    registry = SessionRegistry(background, clock)
    key = registry.start(SETTINGS)
    threads[0].join()
    outcome = registry.outcome(key)
    assert outcome.status is Status.CONVERGED
    report = next(iter(outcome.iterations[0].cylinders.values()))
    array, weight = weakref.ref(report.error_afr), registry.figures().array_bytes
    # Two reports of four grids, two tunes that share what was not changed, the two right tables.
    assert weight >= 15 * report.error_afr.nbytes
    del outcome, report
    gone = registry.purge()
    assert (gone.sessions, gone.iterations, gone.array_bytes) == (1, 1, weight)
    gc.collect()
    assert array() is None
    assert registry.purge().sessions == 0 and registry.figures().array_bytes == 0


def test_who_still_holds_a_forgotten_session_holds_no_tables() -> None:
    held = []

    def holding(settings: TuningSettings) -> VirtualSession:
        held.append(VirtualSession(settings))
        return held[0]

    registry = SessionRegistry(lambda work: work(), Clock(), holding)
    registry.start(SETTINGS)
    assert held[0].outcome.iterations
    registry.purge()
    outcome = held[0].outcome
    assert (outcome.status, outcome.iterations, outcome.tables) == (Status.CONVERGED, (), None)


def test_an_unforeseen_error_reaches_the_thread_and_the_screen() -> None:
    class Broken(VirtualSession):
        def run(self):
            raise LookupError("the table is gone")

    shop = Shop(Broken)
    key = shop.start()
    with pytest.raises(LookupError):
        shop.work.pop()()
    ended = shop.registry.progress(key)
    assert ended.status is Status.FAILED and "the table is gone" in ended.message
    assert shop.registry.listing()[0].ended_s == shop.clock.now_s


def test_a_session_that_no_thread_takes_leaves_nothing_behind() -> None:
    def closed(work: Callable[[], None]) -> None:
        raise RuntimeError("the pool is shut")

    registry = SessionRegistry(closed, Clock(), Quick)
    with pytest.raises(RuntimeError, match="shut"):
        registry.start(SETTINGS)
    assert registry.listing() == ()


def test_stop_all_ends_everything_that_runs() -> None:
    clock, threads = Clock(), []

    def background(work: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    registry = SessionRegistry(background, clock)
    for _ in range(3):
        registry.start(SETTINGS)
    registry.stop_all()
    for thread in threads:
        thread.join(30.0)
    assert {listed.progress.status for listed in registry.listing()} == {Status.STOPPED}


@pytest.fixture
def restless_threads():
    """Threads that take turns as often as they can, so that what can tear does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_many_threads_at_once_break_no_promise(restless_threads) -> None:
    """Eight threads start, stop, list, purge and sweep while time passes; nothing tears."""
    clock = Clock()
    workers: list[threading.Thread] = []
    kept, refused, torn = [], [], []

    at_work = Counted()

    class Short(VirtualSession):
        def _rounds(self):
            self._tell(1, Stage.PULL, 0.0, "begun")  # from here on it counts as running
            with at_work:
                for step in range(20):
                    self._tell(1, Stage.PULL, step / 20, f"step {step}")
                    yield
            self._end(Status.CONVERGED, "done")

    def background(work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        workers.append(thread)
        thread.start()

    registry = SessionRegistry(background, clock, Short)

    def visitor(seed: int) -> None:
        dice = random.Random(seed)
        mine: list[str] = []
        for _ in range(150):
            try:
                mine.append(registry.start(SETTINGS))
            except TooManySessionsError:
                refused.append(seed)
            listed = registry.listing()
            kept.append(len(listed))
            if len({one.key for one in listed}) != len(listed):
                torn.append("a session is listed twice")
            for key in dice.sample(mine, min(2, len(mine))):
                try:
                    registry.stop(key)
                    before, after = registry.outcome(key).status, registry.progress(key).status
                except KeyError:  # forgotten meanwhile
                    mine.remove(key)
                    continue
                if before.is_final and before is not after:
                    torn.append(f"{before} became {after}")
            if dice.random() < 0.1:
                registry.purge()
            if dice.random() < 0.2:
                clock.now_s += dice.uniform(0.0, 50.0)
                registry.sweep()

    visitors = [threading.Thread(target=visitor, args=(n,)) for n in range(8)]
    for thread in visitors:
        thread.start()
    for thread in visitors:
        thread.join(60.0)
    for thread in workers:
        thread.join(10.0)
    assert not torn
    assert not any(thread.is_alive() for thread in (*visitors, *workers))
    assert at_work.most <= MOST_RUNNING
    assert max(kept) <= MOST_KEPT
    assert len(workers) > 100
    assert all(one.progress.status.is_final for one in registry.listing())
    registry.purge()
    assert registry.listing() == ()


def test_readers_never_see_half_a_session() -> None:
    """While a real session runs, other threads look at it all the time."""
    session = VirtualSession(SETTINGS)
    seen, torn = [], []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            outcome = session.outcome
            seen.append(outcome.status)
            if outcome.iterations and outcome.tables is None:
                torn.append(outcome)
            if outcome.status.is_final and outcome.status is not session.progress.status:
                torn.append(outcome)
            done.wait(0.001)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    outcome = session.run()
    done.set()
    for reader in readers:
        reader.join(10.0)
    assert not torn and Status.RUNNING in seen
    assert outcome.status is Status.CONVERGED
    assert np.isfinite(outcome.iterations[0].max_afr_error)
