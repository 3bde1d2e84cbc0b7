"""A session of many hours, made by repeating a minute of simulated traffic.

Stamps, sequence numbers and arrival times run on, so it is one unbroken session to every reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dynoai_desktop.capture.pcap import PacketEncoder, file_header
from dynoai_desktop.capture.protocol import HEADER, SAMPLE, Key
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.capture.sources.jetdrive import GROUP, PORT

_MINUTE_US = 60_000_000


def write_long_session(path: Path, minute: Sequence[Datagram], hours: float) -> int:
    """Write *hours* of traffic to *path* and return the number of datagrams.

    *minute* is one minute of a bus that is on the air throughout, announcements first.
    """
    encoder = PacketEncoder(GROUP, PORT)
    count = 0
    with path.open("wb") as file:
        file.write(file_header())
        for datagram in _repeated(minute, round(hours * 60)):
            file.write(encoder.encode(datagram))
            count += 1
    return count


def _repeated(minute: Sequence[Datagram], times: int) -> Iterator[Datagram]:
    sequence: dict[int, int] = {}
    for turn in range(times):
        for datagram in minute:
            key, length, host, seq, dest = HEADER.unpack_from(datagram.data)
            if turn and key in (Key.PING, Key.CLEAR_CHANNEL_INFO):
                continue
            number = sequence[host] = (sequence.get(host, seq - 1) + 1) % 256
            body = datagram.data[HEADER.size :]
            if key == Key.CHANNEL_VALUES and turn:
                records = np.frombuffer(body, SAMPLE).copy()
                records["stamp_ms"] += turn * (_MINUTE_US // 1000)
                body = records.tobytes()
            head = HEADER.pack(key, length, host, number, dest)
            arrival_us = datagram.arrival_us + turn * _MINUTE_US
            yield Datagram(arrival_us, head + body, datagram.sender)
