"""Datagrams on disk: classic pcap, so a session opens in Wireshark and a Wireshark file here.

Written files are little-endian, microsecond, LINKTYPE_RAW: each record is an IPv4/UDP packet made
around the payload as it arrived, with the true sender and the group as addresses. The UDP
checksum is zero, which IPv4 defines as "not computed" (RFC 768).

Read files may have either byte order, micro- or nanosecond stamps, and a raw, Ethernet, Linux
cooked or loopback link layer. A truncated last record, as a killed recorder leaves it, ends the
file quietly and is reported.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dynoai_desktop.capture.sources.contract import CaptureError, Datagram

_MAGIC_US = 0xA1B2C3D4
_MAGIC_NS = 0xA1B23C4D
_MAGIC_PCAPNG = 0x0A0D0D0A
_LINKTYPE_RAW = 101
_FILE_HEADER = struct.Struct("<IHHiIII")
_RECORD_HEADER = struct.Struct("<IIII")
_IP_HEADER = struct.Struct("!BBHHHBBH4s4s")
_UDP_HEADER = struct.Struct("!HHHH")
_LARGEST_RECORD = 1 << 18  # nothing on a dyno network is longer; a larger length is damage
_OVERHEAD = 28  # IPv4 and UDP headers

# Bytes before the IPv4 header, and where its 16-bit protocol type stands (None: no type field).
_LINK_LAYERS: dict[int, tuple[int, int | None]] = {
    101: (0, None),  # LINKTYPE_RAW
    228: (0, None),  # LINKTYPE_IPV4
    12: (0, None),  # raw IP as some systems number it
    1: (14, 12),  # Ethernet
    113: (16, 14),  # Linux cooked
    276: (20, 0),  # Linux cooked v2
    0: (4, None),  # BSD loopback
}


def file_header() -> bytes:
    """Return the 24 bytes that begin every file we write."""
    return _FILE_HEADER.pack(_MAGIC_US, 2, 4, 0, 0, 65535, _LINKTYPE_RAW)


class PacketEncoder:
    """Turn datagrams into pcap records addressed to one multicast group.

    Headers are cached per sender and length: a provider sends few distinct lengths.
    """

    def __init__(self, group: str, port: int) -> None:
        """Remember the destination that every record will show."""
        self._group = ipaddress.IPv4Address(group).packed
        self._port = port
        self._headers: dict[tuple[tuple[str, int], int], bytes] = {}

    def encode(self, datagram: Datagram) -> bytes:
        """Return one record: pcap header, IPv4 and UDP headers, payload."""
        arrival_us, data, sender = datagram
        key = (sender, len(data))
        header = self._headers.get(key)
        if header is None:
            if len(self._headers) > 4096:  # a flood of odd lengths must not grow for ever
                self._headers.clear()
            header = self._headers[key] = self._ip_udp(sender, len(data))
        size = len(header) + len(data)
        return (
            _RECORD_HEADER.pack(arrival_us // 1_000_000, arrival_us % 1_000_000, size, size)
            + header
            + data
        )

    def _ip_udp(self, sender: tuple[str, int], length: int) -> bytes:
        source = ipaddress.IPv4Address(sender[0]).packed
        fields = (0x45, 0, min(_OVERHEAD + length, 65535), 0, 0x4000, 1, 17)
        unsummed = _IP_HEADER.pack(*fields, 0, source, self._group)
        total = sum(struct.unpack("!10H", unsummed))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        ip = _IP_HEADER.pack(*fields, ~total & 0xFFFF, source, self._group)
        return ip + _UDP_HEADER.pack(sender[1], self._port, min(8 + length, 65535), 0)


@dataclass(slots=True)
class PcapFacts:
    """What was passed over while reading; filled as the file is read."""

    truncated: bool = False
    other_packets: int = 0
    byte_size: int = 0


class PcapReader:
    """Stream the UDP payloads of a pcap file, oldest record first, in constant memory."""

    def __init__(self, path: Path) -> None:
        """Open and check the file header. Raises CaptureError when it is not a readable pcap."""
        self.path = path
        self.facts = PcapFacts()
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise CaptureError(f"Cannot open {path.name}: {error.strerror}.") from error
        try:
            self._read_header()
        except (CaptureError, OSError):
            self._file.close()
            raise

    def _read_header(self) -> None:
        head = self._file.read(_FILE_HEADER.size)
        name = self.path.name
        self.facts.byte_size = self.path.stat().st_size
        if not head:
            raise CaptureError(f"{name} is empty. Choose another recording.")
        if len(head) < _FILE_HEADER.size:
            raise CaptureError(f"{name} is too short to be a recording.")
        magic = struct.unpack_from("<I", head)[0]
        swapped = struct.unpack_from(">I", head)[0]
        if magic == _MAGIC_PCAPNG:
            raise CaptureError(
                f"{name} is a pcapng file. Save it as 'Wireshark/tcpdump - pcap' and open that."
            )
        if magic in (_MAGIC_US, _MAGIC_NS):
            order = "<"
        elif swapped in (_MAGIC_US, _MAGIC_NS):
            order, magic = ">", swapped
        else:
            raise CaptureError(f"{name} is not a pcap recording.")
        self._divide = 1000 if magic == _MAGIC_NS else 1
        self._record = struct.Struct(order + "IIII")
        link = struct.unpack_from(order + "I", head, 20)[0] & 0xFFFF
        if link not in _LINK_LAYERS:
            raise CaptureError(
                f"{name} was recorded on a link of type {link}, which is not Ethernet, loopback "
                "or raw IP. Record on the dyno's network interface."
            )
        self._offset, self._type_at = _LINK_LAYERS[link]

    def __enter__(self) -> PcapReader:
        """Return the reader itself."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()

    @property
    def position(self) -> int:
        """Return how many bytes have been read."""
        return self._file.tell()

    def rewind(self) -> None:
        """Go back to the first record."""
        self._file.seek(_FILE_HEADER.size)
        self.facts = PcapFacts(byte_size=self.facts.byte_size)

    def __iter__(self) -> Iterator[Datagram]:
        """Yield every UDP payload; arrival times never run backwards.

        A packet that is not IPv4/UDP is counted in `facts.other_packets`. Reading ends at the
        first record whose header cannot be true, since nothing after it can be found again.
        """
        read, unpack, size = self._file.read, self._record.unpack, self._record.size
        latest = 0
        while head := read(size):
            if len(head) < size:
                self.facts.truncated = True
                return
            seconds, fraction, kept, _original = unpack(head)
            packet = read(kept) if kept <= _LARGEST_RECORD else b""
            if len(packet) < kept:
                self.facts.truncated = True
                return
            arrival_us = seconds * 1_000_000 + fraction // self._divide
            latest = max(latest, arrival_us)
            datagram = self._payload(packet, latest)
            if datagram is None:
                self.facts.other_packets += 1
            else:
                yield datagram

    def _payload(self, packet: bytes, arrival_us: int) -> Datagram | None:
        at = self._offset
        if self._type_at is not None and packet[self._type_at : self._type_at + 2] != b"\x08\x00":
            return None
        if len(packet) < at + 20 or packet[at] >> 4 != 4 or packet[at + 9] != 17:
            return None
        fragment = struct.unpack_from("!H", packet, at + 6)[0]
        if fragment & 0x3FFF:  # a fragment: its parts are not a datagram
            return None
        udp = at + (packet[at] & 0x0F) * 4
        if udp < at + 20 or len(packet) < udp + 8:
            return None
        source = f"{packet[at + 12]}.{packet[at + 13]}.{packet[at + 14]}.{packet[at + 15]}"
        port, _to, length, _sum = _UDP_HEADER.unpack_from(packet, udp)
        end = udp + length if length >= 8 else udp + 8
        return Datagram(arrival_us, packet[udp + 8 : end], (source, port))
