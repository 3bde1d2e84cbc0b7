"""The simulated dyno speaks as the hardware does."""

from collections import Counter
from itertools import pairwise

import pytest

from dynoai_desktop.capture.protocol import (
    ALL_HOSTS,
    ChannelInfoPage,
    ChannelValues,
    ClearChannelInfo,
    Frame,
    Key,
    Ping,
    Pong,
    RequestChannelInfo,
    decode,
    encode,
)
from dynoai_desktop.capture.simulated_dyno import PROVIDERS, simulated_bus

START_US = 1_700_000_000_000_000
CORE, PROBE = (provider.name for provider in PROVIDERS)


@pytest.fixture(scope="module")
def frames() -> list[tuple[int, Frame]]:
    """A whole life on the bus: 65 s from the first ping to the good-bye, (µs, frame)."""
    bus = simulated_bus(START_US, seed=2)
    sent = bus.advance(START_US + 65_000_000) + bus.stop()
    return [(d.arrival_us - START_US, decode(d.data)) for d in sent]


def pages(frames, provider: str) -> list[tuple[int, ChannelInfoPage]]:
    found = [(t, f.message) for t, f in frames if isinstance(f.message, ChannelInfoPage)]
    return [(t, message) for t, message in found if message.provider == provider]


def test_everybody_is_marked_simulated(frames) -> None:
    names = {f.message.provider for _, f in frames if isinstance(f.message, ChannelInfoPage)}
    assert len(names) == 2
    assert all("SIMULATED" in name for name in names)


def test_a_provider_asks_for_a_free_id_before_it_says_anything_else(frames) -> None:
    first = frames[0][1]
    assert isinstance(first.message, Ping)
    assert (first.host, first.dest, first.message.echo) == (0, ALL_HOSTS, b"")
    assert min(t for t, f in frames if f.host) >= 1_000_000


def test_the_list_comes_in_pages_and_again_every_thirty_seconds(frames) -> None:
    sizes = [len(page.records) for _, page in pages(frames, CORE)]
    assert sizes[:2] == [39, sizes[1]]
    assert sum(sizes[:2]) == len(PROVIDERS[0].channels)
    times = [t / 1e6 for t, _ in pages(frames, PROBE)]
    assert times == pytest.approx([1.25, 31.25, 61.25], abs=0.1)


def test_the_two_providers_use_the_same_channel_ids(frames) -> None:
    core, probe = ({r.id for _, p in pages(frames, n) for r in p.records} for n in (CORE, PROBE))
    assert probe < core


def test_every_sender_numbers_all_its_frames_without_a_gap(frames) -> None:
    for host in {f.host for _, f in frames if f.host}:
        numbers = [f.seq for _, f in frames if f.host == host]
        assert all((b - a) % 256 == 1 for a, b in pairwise(numbers))


def test_no_datagram_is_longer_than_a_network_carries_whole() -> None:
    sent = simulated_bus(START_US).advance(START_US + 10_000_000)
    assert max(len(d.data) for d in sent) <= 1400


def test_channels_come_at_their_rates_with_their_own_time(frames) -> None:
    host = next(f.host for _, f in frames if isinstance(f.message, ChannelInfoPage))
    count, stamps = Counter(), []
    for _, frame in frames:
        if frame.host == host and isinstance(frame.message, ChannelValues):
            samples = frame.message.samples
            count.update(samples["id"].tolist())
            stamps += samples["stamp_ms"][samples["id"] == 12].tolist()
    names = {channel.name: number for number, channel in enumerate(PROVIDERS[0].channels)}
    assert names["Engine RPM"] == 12
    assert count[12] == pytest.approx(6400, abs=5)
    assert count[names["IAT"]] == pytest.approx(128, abs=2)
    assert {b - a for a, b in pairwise(stamps)} == {10}


def test_the_last_word_is_that_the_channels_are_gone(frames) -> None:
    assert [type(f.message) for _, f in frames[-1:]] == [ClearChannelInfo]
    assert sum(isinstance(f.message, ClearChannelInfo) for _, f in frames) == 4


@pytest.fixture
def bus():
    bus = simulated_bus(START_US)
    bus.advance(START_US + 3_000_000)
    return bus


def test_a_ping_is_answered_to_the_asker_with_its_clock_and_data(bus) -> None:
    answers = [decode(d.data) for d in bus.hear(encode(Frame(Ping(4242, b"abc"), 0x0102, 1)))]
    assert len(answers) == 2
    for frame in answers:
        assert isinstance(frame.message, Pong)
        assert frame.dest == 0x0102
        assert (frame.message.ping_clock_ms, frame.message.echo) == (4242, b"abc")


def test_a_ping_to_one_provider_is_answered_by_it_alone(bus) -> None:
    everybody = bus.hear(encode(Frame(Ping(1), 0x0102, 1)))
    host = decode(everybody[0].data).host
    answers = bus.hear(encode(Frame(Ping(2), 0x0102, 2, host)))
    assert [decode(d.data).host for d in answers] == [host]


def test_asked_for_its_channels_a_provider_tells_the_asker(bus) -> None:
    answers = [decode(d.data) for d in bus.hear(encode(Frame(RequestChannelInfo(), 0x0102, 1)))]
    assert {f.dest for f in answers} == {0x0102}
    assert len(answers) == 3


def test_an_id_that_is_taken_is_not_chosen() -> None:
    bus = simulated_bus(START_US, seed=3)
    reference = simulated_bus(START_US, seed=3)
    wanted = decode(
        next(
            d
            for d in reference.advance(START_US + 2_000_000)
            if d.data[0] == Key.CLEAR_CHANNEL_INFO
        ).data
    ).host
    bus.advance(START_US + 500_000)
    bus.hear(encode(Frame(Pong(0, 0), wanted, 1)))
    chosen = {decode(d.data).host for d in bus.advance(START_US + 2_000_000)}
    assert wanted not in chosen


@pytest.mark.parametrize("data", [b"", b"\x04", b"\x04" * 9, bytes(8), b"\x06\xff\xff" + bytes(9)])
def test_damaged_frames_are_not_answered(bus, data) -> None:
    assert bus.hear(data) == []
