"""One contract for every source: a socket, a file, a simulator."""

import socket
import threading
from collections.abc import Iterator

import pytest

from dynoai_desktop.capture.pcap import PacketEncoder, file_header
from dynoai_desktop.capture.protocol import Frame, Ping, RequestChannelInfo, encode
from dynoai_desktop.capture.simulated_dyno import simulated_bus
from dynoai_desktop.capture.sources.contract import CaptureError, Datagram, Source
from dynoai_desktop.capture.sources.jetdrive import GROUP, JetdriveSource
from dynoai_desktop.capture.sources.replay import ReplaySource
from dynoai_desktop.capture.sources.simulator import SimulatorSource

START_US = 1_700_000_000_000_000


class SourceContract:
    """What the pipeline relies on. Subclasses provide `source` and `unopenable`."""

    @pytest.fixture
    def source(self) -> Iterator[Source]:
        raise NotImplementedError

    @pytest.fixture
    def unopenable(self) -> Source:
        raise NotImplementedError

    def read(self, source: Source, count: int) -> list[Datagram]:
        source.open()
        got: list[Datagram] = []
        for _ in range(2000):
            got += source.receive(0.02)
            if len(got) >= count or source.finished:
                return got
        raise AssertionError(f"only {len(got)} datagrams came")

    def test_datagrams_come_in_order_and_never_from_the_future(self, source) -> None:
        source.open()
        arrivals, now_us = [], 0
        while len(arrivals) < 30:
            batch = source.receive(0.02)
            assert source.now_us() >= now_us
            now_us = source.now_us()
            arrivals += [d.arrival_us for d in batch]
            assert not arrivals or arrivals[-1] <= now_us
        assert arrivals == sorted(arrivals)

    def test_a_datagram_is_its_bytes_and_its_sender(self, source) -> None:
        datagram = self.read(source, 5)[0]
        assert isinstance(datagram.data, bytes)
        assert len(datagram.data) >= 8
        assert socket.inet_aton(datagram.sender[0])

    def test_time_is_unix_time_in_whole_microseconds(self, source) -> None:
        self.read(source, 5)
        assert isinstance(source.now_us(), int)
        assert 1_600_000_000_000_000 < source.now_us() < 4_000_000_000_000_000

    def test_sending_is_always_allowed(self, source) -> None:
        self.read(source, 5)
        source.send(encode(Frame(Ping(0), 0x7777, 1)))
        source.send(encode(Frame(RequestChannelInfo(), 0x7777, 2)))

    def test_closing_twice_is_harmless(self, source) -> None:
        self.read(source, 5)
        source.close()
        source.close()

    def test_what_cannot_be_opened_says_what_to_do_in_one_sentence_or_two(self, unopenable):
        with pytest.raises(CaptureError) as error:
            unopenable.open()
        text = str(error.value)
        assert text.endswith(".")
        assert len(text) < 300
        unopenable.close()


class TestReplay(SourceContract):
    """A pcap file."""

    @pytest.fixture
    def source(self, tmp_path) -> Iterator[ReplaySource]:
        encoder, bus = PacketEncoder(GROUP, 22344), simulated_bus(START_US)
        frames = bus.advance(START_US + 5_000_000)
        path = tmp_path / "raw.pcap"
        path.write_bytes(file_header() + b"".join(map(encoder.encode, frames)))
        source = ReplaySource(path)
        yield source
        source.close()

    @pytest.fixture
    def unopenable(self, tmp_path) -> ReplaySource:
        return ReplaySource(tmp_path / "nothing.pcap")


class TestSimulator(SourceContract):
    """The simulated dyno inside the process."""

    @pytest.fixture
    def source(self) -> Iterator[SimulatorSource]:
        source = SimulatorSource(simulated_bus, START_US)
        yield source
        source.close()

    @pytest.fixture
    def unopenable(self) -> SimulatorSource:
        return SimulatorSource(lambda start: simulated_bus(start, profile="moped"), START_US)

    def test_the_simulated_providers_hear_and_answer(self) -> None:
        source = SimulatorSource(simulated_bus, START_US)
        source.open()
        keys = [d.data[0] for _ in range(60) for d in source.receive(0.0)]
        assert 0x05 not in keys
        source.send(encode(Frame(Ping(77), 0x7777, 1)))
        keys = [d.data[0] for _ in range(5) for d in source.receive(0.0)]
        assert keys.count(0x05) == 2
        source.close()

    def test_the_same_seed_is_the_same_to_the_byte(self) -> None:
        def traffic() -> list[Datagram]:
            return simulated_bus(START_US, seed=9).advance(START_US + 8_000_000)

        assert traffic() == traffic()
        assert traffic() != simulated_bus(START_US, seed=10).advance(START_US + 8_000_000)


class TestJetdrive(SourceContract):
    """Real multicast on loopback."""

    @pytest.fixture
    def source(self, free_udp_port) -> Iterator[JetdriveSource]:
        stop = threading.Event()

        def publish() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                local = socket.inet_aton("127.0.0.1")
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, local)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
                number = 0
                while not stop.wait(0.002):
                    number += 1
                    data = encode(Frame(Ping(number), 0x1234, number % 256))
                    sender.sendto(data, (GROUP, free_udp_port))

        thread = threading.Thread(target=publish)
        thread.start()
        source = JetdriveSource("127.0.0.1", GROUP, free_udp_port, ttl=0)
        yield source
        stop.set()
        thread.join()
        source.close()

    @pytest.fixture
    def unopenable(self, free_udp_port) -> JetdriveSource:
        return JetdriveSource("203.0.113.9", GROUP, free_udp_port)
