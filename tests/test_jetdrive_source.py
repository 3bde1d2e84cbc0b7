"""The socket: real multicast on loopback, kept on this computer."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from dynoai_desktop.capture.sources import jetdrive
from dynoai_desktop.capture.sources.contract import CaptureError, Datagram, Source
from dynoai_desktop.capture.sources.jetdrive import GROUP, PORT, JetdriveSource

LOOPBACK = "127.0.0.1"


@pytest.fixture
def source(free_udp_port: int) -> Iterator[JetdriveSource]:
    made = JetdriveSource(LOOPBACK, port=free_udp_port, ttl=0)
    made.open()
    with closing(made):
        yield made


def receive(source: Source, count: int) -> list[Datagram]:
    """Return this many datagrams, or fewer if none comes for a second."""
    heard: list[Datagram] = []
    while len(heard) < count and (batch := source.receive(1.0)):
        heard += batch
    return heard


def test_the_standard_bus_is_the_default() -> None:
    source = JetdriveSource(LOOPBACK)
    assert (source.group, source.port) == (GROUP, PORT) == ("224.0.2.10", 22344)
    assert not source.simulated


def test_what_is_sent_to_the_group_arrives_with_time_and_sender(source: JetdriveSource) -> None:
    before_us = time.time_ns() // 1000
    source.send(b"hello")
    (datagram,) = receive(source, 1)
    assert datagram.data == b"hello"
    assert datagram.sender == (LOOPBACK, source.port)
    assert before_us - 1000 <= datagram.arrival_us <= time.time_ns() // 1000 + 1000
    assert datagram.arrival_us <= source.now_us()


def test_two_programs_on_one_computer_both_hear(source: JetdriveSource) -> None:
    with closing(JetdriveSource(LOOPBACK, port=source.port, ttl=0)) as other:
        other.open()
        other.send(b"to both")
        assert [d.data for d in receive(source, 1)] == [b"to both"]
        assert [d.data for d in receive(other, 1)] == [b"to both"]


def test_a_socket_that_only_reuses_the_address_can_share_the_port(source: JetdriveSource) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        plain.bind(("", source.port))


def test_empty_and_largest_datagrams_survive(source: JetdriveSource) -> None:
    sizes = [0, 1, 65_507, 0, 8]
    for size in sizes:
        source.send(bytes(size))
    assert [len(d.data) for d in receive(source, len(sizes))] == sizes


def test_silence_is_an_empty_list_after_the_timeout(source: JetdriveSource) -> None:
    started = time.perf_counter()
    assert source.receive(0.02) == []
    assert time.perf_counter() - started >= 0.019
    assert not source.finished


def test_a_burst_comes_in_order_and_in_few_batches(source: JetdriveSource) -> None:
    for number in range(1200):
        source.send(b"%d" % number)
    batches = []
    while sum(map(len, batches)) < 1200 and (batch := source.receive(1.0)):
        batches.append(batch)
    heard = [datagram for batch in batches for datagram in batch]
    assert [int(d.data) for d in heard] == list(range(1200))
    assert max(map(len, batches)) <= 512
    arrivals = [d.arrival_us for d in heard]
    assert arrivals == sorted(arrivals)


def test_time_does_not_follow_the_system_clock(
    source: JetdriveSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_us = source.now_us()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert 0 <= source.now_us() - before_us < 5_000_000


def test_another_group_on_the_same_port_is_not_heard(source: JetdriveSource) -> None:
    other = JetdriveSource(LOOPBACK, group="224.0.2.11", port=source.port, ttl=0)
    with closing(other):
        other.open()
        other.send(b"not for us")
        assert [d.data for d in receive(other, 1)] == [b"not for us"]
        source.send(b"for us")
        assert [d.data for d in receive(source, 1)] == [b"for us"]


def test_an_address_that_is_not_ours_is_said_with_what_to_do() -> None:
    source = JetdriveSource("203.0.113.7")
    with pytest.raises(CaptureError, match=r"^Cannot join 224\.0\.2\.10 on 203\.0\.113\.7.*Check "):
        source.open()
    with pytest.raises(CaptureError, match=r"closed"):
        source.receive(0)


@pytest.mark.parametrize(("interface", "group"), [("eth0", GROUP), (LOOPBACK, "10.0.0.1")])
def test_what_is_no_address_or_no_group_cannot_be_joined(interface: str, group: str) -> None:
    with pytest.raises(CaptureError, match=r"^Cannot join .* Check "):
        JetdriveSource(interface, group).open()


def test_a_port_that_another_program_keeps_for_itself_is_said_with_what_to_do() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as selfish:
        selfish.bind(("", 0))
        port = selfish.getsockname()[1]
        with pytest.raises(CaptureError, match=rf"^Cannot listen on UDP port {port}.*Close "):
            JetdriveSource(LOOPBACK, port=port, ttl=0).open()


def test_an_interface_that_goes_away_ends_the_capture_with_a_sentence(
    source: JetdriveSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jetdrive, "_CHECK_NS", 0)
    assert source.receive(0) == []
    monkeypatch.setattr(jetdrive.psutil, "net_if_addrs", dict)
    with pytest.raises(CaptureError, match=r"interface 127\.0\.0\.1 is gone\. Plug"):
        source.receive(0)


class FaultySocket:
    """A socket whose next read fails."""

    def __init__(self, sock: socket.socket, error: OSError) -> None:
        self._sock, self._error = sock, error

    def fileno(self) -> int:
        return self._sock.fileno()

    def recvfrom(self, size: int) -> tuple[bytes, tuple[str, int]]:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._sock.recvfrom(size)

    def sendto(self, *_args: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    def close(self) -> None:
        self._sock.close()


def test_the_complaint_of_windows_about_an_unheard_frame_is_passed_over(
    source: JetdriveSource,
) -> None:
    source.send(b"still here")
    refused = ConnectionResetError(errno.ECONNRESET, "forcibly closed by the remote host")
    source._socket = FaultySocket(source._socket, refused)
    assert [d.data for d in receive(source, 1)] == [b"still here"]


def test_a_network_that_fails_ends_the_capture_with_a_sentence(source: JetdriveSource) -> None:
    source.send(b"x")
    source._socket = FaultySocket(source._socket, OSError(errno.ENETDOWN, "Network is down"))
    with pytest.raises(CaptureError, match=r"127\.0\.0\.1 failed: Network is down\. Check"):
        receive(source, 1)


def test_a_frame_that_cannot_be_sent_does_not_end_the_capture(
    source: JetdriveSource, caplog: pytest.LogCaptureFixture
) -> None:
    source._socket = FaultySocket(source._socket, OSError())
    source.send(b"x")
    source.send(b"x")
    assert [record.message for record in caplog.records] == [
        f"Cannot send to {GROUP} on {LOOPBACK}: [Errno {errno.ENETUNREACH}] Network is unreachable"
    ]


def test_opening_and_closing_a_hundred_times_leaves_nothing_behind(free_udp_port: int) -> None:
    source = JetdriveSource(LOOPBACK, port=free_udp_port, ttl=0)
    for _ in range(100):
        source.open()
        source.send(b"x")
        source.close()
        source.close()
    source.send(b"into the void")
