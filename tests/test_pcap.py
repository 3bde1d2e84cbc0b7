"""Recordings are ordinary pcap files, ours open elsewhere and others' open here."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.capture.pcap import PacketEncoder, PcapReader, file_header
from dynoai_desktop.capture.sources.contract import CaptureError, Datagram

ENCODER = PacketEncoder("224.0.2.10", 22344)


def write(path: Path, datagrams, tail: bytes = b"") -> Path:
    path.write_bytes(file_header() + b"".join(map(ENCODER.encode, datagrams)) + tail)
    return path


def read(path: Path) -> list[Datagram]:
    with PcapReader(path) as reader:
        return list(reader)


def datagrams(count: int) -> list[Datagram]:
    return [
        Datagram(1_700_000_000_000_000 + 1000 * i, bytes([i % 256]) * (i % 50), ("10.0.0.7", 4000))
        for i in range(count)
    ]


@settings(max_examples=50)
@given(
    st.lists(
        st.builds(
            Datagram,
            st.integers(0, 2**32 * 1_000_000 - 1),
            st.binary(max_size=300),
            st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 65535)),
        ),
        max_size=20,
    )
)
def test_what_was_written_is_read_back_to_the_byte(tmp_path_factory, items) -> None:
    items = sorted(items)
    path = write(tmp_path_factory.mktemp("pcap") / "a.pcap", items)
    assert read(path) == items


def test_the_largest_udp_datagram_survives(tmp_path) -> None:
    big = Datagram(1_000_000, bytes(65507), ("127.0.0.1", 1))
    assert read(write(tmp_path / "a.pcap", [big])) == [big]


def test_the_header_is_what_other_tools_expect(tmp_path) -> None:
    packet = ENCODER.encode(Datagram(5_000_007, b"abc", ("169.254.22.100", 5000)))
    assert struct.unpack_from("<IIII", packet) == (5, 7, 31, 31)
    ip = packet[16:36]
    total = sum(struct.unpack("!10H", ip))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF  # a correct checksum sums to all ones
    assert ip[12:16] == bytes([169, 254, 22, 100])
    assert ip[16:20] == bytes([224, 0, 2, 10])
    assert struct.unpack_from("!HHH", packet, 36) == (5000, 22344, 11)


def test_the_shared_capture_is_read_completely(shared_data) -> None:
    path = shared_data / "jetdrive" / "reference_two_providers.pcap"
    with PcapReader(path) as reader:
        assert sum(1 for _ in reader) == 1778
        assert (reader.facts.truncated, reader.facts.other_packets) == (False, 0)


def test_a_killed_recorder_costs_the_unfinished_packet_only(tmp_path) -> None:
    items = datagrams(10)
    whole = write(tmp_path / "a.pcap", items).read_bytes()
    for cut in (1, 7, 20, 40):
        path = tmp_path / "cut.pcap"
        path.write_bytes(whole[:-cut])
        with PcapReader(path) as reader:
            kept = list(reader)
            assert kept == items[: len(kept)]
            assert len(kept) >= 9
            assert reader.facts.truncated


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"RPM,MAP\n1,2\n", "too short|not a pcap"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "pcapng"),
        (b"x" * 100, "not a pcap"),
        (file_header()[:20] + struct.pack("<I", 105), "link of type 105"),
        (file_header()[:10], "too short"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "a.pcap"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=sentence):
        PcapReader(path)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(CaptureError, match=r"nowhere\.pcap"):
        PcapReader(tmp_path / "nowhere.pcap")


@pytest.mark.parametrize(
    ("link", "front"),
    [(1, bytes(12) + b"\x08\x00"), (113, bytes(14) + b"\x08\x00"), (0, b"\x02\0\0\0"), (228, b"")],
)
def test_captures_from_other_link_layers_are_read(tmp_path, link, front) -> None:
    record = ENCODER.encode(Datagram(3_000_000, b"hello", ("10.0.0.1", 9)))
    packet = front + record[16:]
    path = tmp_path / "a.pcap"
    head = file_header()[:20] + struct.pack("<I", link)
    path.write_bytes(head + struct.pack("<IIII", 3, 0, len(packet), len(packet)) + packet)
    assert read(path) == [Datagram(3_000_000, b"hello", ("10.0.0.1", 9))]


def test_big_endian_and_nanosecond_files_are_read(tmp_path) -> None:
    packet = ENCODER.encode(Datagram(0, b"hello", ("10.0.0.1", 9)))[16:]
    path = tmp_path / "a.pcap"
    head = struct.pack(">IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101)
    path.write_bytes(head + struct.pack(">IIII", 3, 500_000_000, len(packet), len(packet)) + packet)
    assert read(path)[0].arrival_us == 3_500_000


def test_arrival_times_never_run_backwards(tmp_path) -> None:
    items = [Datagram(t, b"x", ("10.0.0.1", 9)) for t in (3_000_000, 1_000_000, 4_000_000)]
    assert [d.arrival_us for d in read(write(tmp_path / "a.pcap", items))] == [
        3_000_000,
        3_000_000,
        4_000_000,
    ]


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_any_bytes_after_the_header_are_read_or_passed_over(tmp_path_factory, junk) -> None:
    path = write(tmp_path_factory.mktemp("pcap") / "a.pcap", datagrams(2), junk)
    assert read(path)[:2] == datagrams(2)
