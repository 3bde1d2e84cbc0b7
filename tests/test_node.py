"""A node says what it must, when it must, and nothing that could upset a dyno."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

from dynoai_desktop.capture.clock import wire_clock_ms
from dynoai_desktop.capture.node import HostIdentity, Node
from dynoai_desktop.capture.protocol import (
    ALL_HOSTS,
    Frame,
    Ping,
    Pong,
    RequestChannelInfo,
    decode,
    encode,
)
from dynoai_desktop.capture.session import Session
from dynoai_desktop.capture.sources.contract import Datagram
from tests.jetdrive_traffic import SECOND, T0, FakeProvider, provider

STEP = 50_000


class Rig:
    """A node on a bus where what it sends comes back to it, as multicast does."""

    def __init__(self, seed: int = 1) -> None:
        self.node = Node(random.Random(seed))
        self.session = Session()
        self.now_us = T0
        self.sent: list[tuple[int, Frame]] = []
        self._loop: list[Datagram] = []

    def hear(self, *datagrams: Datagram) -> None:
        self.session.feed([d._replace(arrival_us=self.now_us) for d in datagrams])

    def step(self) -> list[Frame]:
        self.now_us += STEP
        self.session.feed(self._loop)
        self.session.tick(self.now_us)
        out = self.node.step(self.session, self.now_us)
        self._loop = [Datagram(self.now_us, data) for data in out]
        frames = [decode(data) for data in out]
        self.sent += [(self.now_us, frame) for frame in frames]
        return frames

    def run(self, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        for _ in range(round(seconds * SECOND / STEP)):
            each()
            self.step()

    def times(self, kind: type) -> list[float]:
        """Return when messages of this kind were sent, seconds since the start."""
        return [(at - T0) / 1e6 for at, frame in self.sent if isinstance(frame.message, kind)]


def test_an_id_is_negotiated_with_one_ping_and_one_second_of_listening() -> None:
    rig = Rig()
    (ping,) = rig.step()
    assert ping == Frame(Ping(wire_clock_ms(T0 + STEP)), host=0, seq=1, dest=ALL_HOSTS)
    rig.run(0.9)
    assert len(rig.sent) == 1
    assert rig.node.host_id == 0
    rig.run(0.2)
    assert 1 <= rig.node.host_id <= 0xFFFE
    assert rig.session.host_id == rig.node.host_id


def test_an_id_that_is_taken_is_not_chosen() -> None:
    free = random.Random(7).randrange(1, ALL_HOSTS)
    rig = Rig(seed=7)
    other = FakeProvider(free)
    rig.run(1.2, lambda: rig.hear(other.measure(rig.now_us)))
    assert rig.node.host_id not in (0, free)


def test_the_same_seed_gives_the_same_id() -> None:
    first, second = Rig(3), Rig(3)
    first.run(1.2)
    second.run(1.2)
    assert first.node.host_id == second.node.host_id != 0


def test_our_own_frames_coming_back_are_no_collision() -> None:
    rig = Rig()
    rig.run(40)
    own = rig.node.host_id
    assert own != 0
    assert all(frame.host in (0, own) for _, frame in rig.sent)
    assert len(rig.times(Ping)) == 1


def test_another_host_with_our_id_makes_us_choose_a_new_one() -> None:
    rig = Rig()
    rig.run(1.2)
    before = rig.node.host_id
    rig.hear(FakeProvider(before).measure(rig.now_us, dest=before))
    rig.run(0.1)
    assert rig.node.host_id == 0
    rig.run(1.2)
    assert rig.node.host_id != 0
    assert rig.session.host_id == rig.node.host_id


def test_channel_lists_are_asked_for_every_two_seconds_until_they_are_complete() -> None:
    rig, core = Rig(), FakeProvider(channels=("RPM",))
    rig.run(6, lambda: rig.hear(core.measure(rig.now_us)))
    asked = rig.times(RequestChannelInfo)
    assert [round(b - a, 1) for a, b in pairwise(asked)] == [2.0, 2.0]
    rig.hear(*core.announce(rig.now_us))
    rig.run(3, lambda: rig.hear(core.measure(rig.now_us)))
    so_far = len(rig.times(RequestChannelInfo))
    rig.run(30, lambda: rig.hear(core.measure(rig.now_us)))
    assert len(rig.times(RequestChannelInfo)) == so_far
    requests = [f for _, f in rig.sent if isinstance(f.message, RequestChannelInfo)]
    assert {frame.dest for frame in requests} == {ALL_HOSTS}


def test_asking_ends_when_nobody_answers_and_begins_again_for_a_new_host() -> None:
    rig = Rig()
    rig.run(60)
    assert 15 <= len(rig.times(RequestChannelInfo)) <= 17
    assert max(rig.times(RequestChannelInfo)) < 34
    core = FakeProvider()
    rig.run(1, lambda: rig.hear(core.measure(rig.now_us)))
    assert 60 < max(rig.times(RequestChannelInfo)) < 60.2
    rig.run(60, lambda: rig.hear(core.measure(rig.now_us)))
    assert max(rig.times(RequestChannelInfo)) < 61 + 33


def test_a_provider_that_withdrew_its_list_and_goes_on_is_asked_for_the_new_one() -> None:
    rig, core = Rig(), FakeProvider()
    rig.hear(*core.announce())
    rig.run(60, lambda: rig.hear(core.measure(rig.now_us)))
    asked = len(rig.times(RequestChannelInfo))
    rig.hear(core.clear(T0))
    rig.run(5, lambda: rig.hear(core.measure(rig.now_us)))
    assert len(rig.times(RequestChannelInfo)) == asked + 3


def test_every_provider_is_pinged_every_ten_seconds_with_an_empty_ping() -> None:
    rig = Rig()
    core, probe = FakeProvider(0x10), FakeProvider(0x20, "Probe")
    rig.hear(*core.announce(), *probe.announce())
    rig.run(35, lambda: rig.hear(core.measure(rig.now_us), probe.measure(rig.now_us)))
    pings = [(at, f) for at, f in rig.sent if isinstance(f.message, Ping) and f.dest != ALL_HOSTS]
    assert sorted({frame.dest for _, frame in pings}) == [0x10, 0x20]
    for host in (0x10, 0x20):
        times = [at for at, frame in pings if frame.dest == host]
        assert len(times) == 4
        assert all(b - a == 10 * SECOND for a, b in pairwise(times))
    assert all(isinstance(f.message, Ping) and f.message.echo == b"" for _, f in pings)


def test_a_provider_that_answers_is_synced() -> None:
    rig, core = Rig(), FakeProvider(started_us=T0 - 3600 * SECOND)

    def live() -> None:
        rig.hear(core.measure(rig.now_us))
        for sent_us, frame in rig.sent[-2:]:
            is_for_us = isinstance(frame.message, Ping) and frame.dest == core.host
            if is_for_us and sent_us == rig.now_us:
                clock_ms = (rig.now_us - core.started_us) // 1000
                rig.hear(core.say(rig.now_us, Pong(frame.message.clock_ms, clock_ms), frame.host))

    rig.hear(*core.announce())
    rig.run(5, live)
    health = provider(rig.session, now_us=rig.now_us)
    assert health.clock_synced
    assert health.latency_ms is not None
    assert health.latency_ms <= 0.5


def test_forgotten_clocks_are_asked_for_at_once() -> None:
    rig, core = Rig(), FakeProvider()
    rig.hear(*core.announce())
    rig.run(3, lambda: rig.hear(core.measure(rig.now_us)))
    before = len(rig.times(Ping))
    rig.session.forget_clocks()
    rig.run(0.1, lambda: rig.hear(core.measure(rig.now_us)))
    assert len(rig.times(Ping)) == before + 1


def test_a_silent_or_departed_provider_is_not_pinged() -> None:
    rig = Rig()
    core, gone = FakeProvider(0x10), FakeProvider(0x20, "Gone")
    rig.hear(*core.announce(), *gone.announce(), gone.clear(T0))
    rig.run(40)
    assert [f.dest for _, f in rig.sent if isinstance(f.message, Ping)] == [ALL_HOSTS, 0x10]


def test_a_host_of_an_unknown_version_is_not_spoken_to() -> None:
    rig, core = Rig(), FakeProvider()
    rig.hear(*core.announce(), core.say(T0, Ping(5, version=10)))
    rig.run(12, lambda: rig.hear(core.measure(rig.now_us)))
    rig.hear(core.say(T0, Ping(5, version=10), dest=rig.node.host_id))
    rig.run(1)
    assert all(frame.dest == ALL_HOSTS for _, frame in rig.sent)


def test_pings_to_us_or_to_all_are_answered_to_the_asker() -> None:
    rig, core = Rig(), FakeProvider()
    rig.run(1.2)
    for ping, dest in (
        (Ping(11), rig.node.host_id),
        (Ping(12, echo=b"data"), ALL_HOSTS),
        (Ping(13), 0x55),
    ):
        rig.hear(core.say(T0, ping, dest))
    pongs = [f for f in rig.step() if isinstance(f.message, Pong)]
    clock_ms = wire_clock_ms(rig.now_us)
    assert [(f.message, f.dest) for f in pongs] == [
        (Pong(11, clock_ms), core.host),
        (Pong(12, clock_ms, b"data"), core.host),
    ]


def test_a_newcomer_without_an_id_gets_its_answer_at_zero() -> None:
    rig = Rig()
    rig.run(1.2)
    rig.hear(FakeProvider(0).say(T0, Ping(9)))
    (pong,) = [f for f in rig.step() if isinstance(f.message, Pong)]
    assert pong.dest == 0


def test_a_ping_as_long_as_a_datagram_is_echoed_as_far_as_it_fits() -> None:
    identity = HostIdentity(random.Random(1))
    identity.tick(T0)
    identity.tick(T0 + SECOND)
    identity.take_outbox()
    identity.hear(encode(Frame(Ping(1, b"x" * 65_494), 5, 1)), T0)
    (data,) = identity.take_outbox()
    assert len(data) == 65_507
    assert decode(data).dest == 5


def test_nobody_is_answered_before_we_have_an_id() -> None:
    rig = Rig()
    rig.step()
    rig.hear(FakeProvider().say(T0, Ping(1)))
    assert rig.step() == []


def test_numbers_of_our_frames_run_without_a_gap() -> None:
    rig, core = Rig(), FakeProvider()
    rig.hear(*core.announce())
    rig.run(100, lambda: rig.hear(core.measure(rig.now_us)))
    assert [frame.seq for _, frame in rig.sent] == [n % 256 for n in range(1, len(rig.sent) + 1)]
