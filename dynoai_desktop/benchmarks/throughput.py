"""How many datagrams a second the pipeline takes from a socket, against only receiving them.

Datagrams are first put into the socket's buffer, outside the clock, then taken out against it, so
the sender costs nothing of what is measured. Two sockets receive the same datagrams; the pipeline
empties one and the bare loop the other, in turns.
"""

from __future__ import annotations

import socket
import time
from statistics import median

from dynoai_desktop.benchmarks import Figure
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.protocol import (
    ChannelRecord,
    ChannelValues,
    ClearChannelInfo,
    Frame,
    channel_info_pages,
    encode,
)
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.capture.sources.jetdrive import BATCH_LIMIT, JetdriveSource, enlarge_buffer

_GROUP, _PORT = "224.0.2.10", 22399
_HOST = 0x1234
_NAMES = ("Engine RPM", "MAP kPa", "TPS", "Torque Drum 1", "Power Drum 1")
_UNITS = (8, 7, 16, 5, 4)
_ROUNDS = 30
_MOST = 2048


class _Traffic:
    """Endless datagrams of one size from one provider, with true sequence numbers and stamps."""

    def __init__(self, values: int) -> None:
        self._ids = [i % len(_NAMES) for i in range(values)]
        self._levels = [100.0 + i % 7 for i in range(values)]
        self._seq = 0
        self._stamp = 0

    def announcement(self) -> list[bytes]:
        records = [
            ChannelRecord(i, n, u) for i, (n, u) in enumerate(zip(_NAMES, _UNITS, strict=True))
        ]
        pages = channel_info_pages("Bench", records)
        return [self._frame(message) for message in (ClearChannelInfo(), *pages)]

    def take(self, count: int) -> list[bytes]:
        return [self._values() for _ in range(count)]

    def _values(self) -> bytes:
        self._stamp += 1
        stamps = [self._stamp] * len(self._ids)
        return self._frame(ChannelValues.of(self._ids, stamps, self._levels))

    def _frame(self, message: object) -> bytes:
        self._seq = (self._seq + 1) % 256
        return encode(Frame(message, _HOST, self._seq))  # type: ignore[arg-type]


def _fill(sender: socket.socket, traffic: _Traffic, count: int) -> None:
    for data in traffic.take(count):
        sender.sendto(data, (_GROUP, _PORT))


def _drain_bare(receiver: socket.socket, count: int) -> float:
    """Only receive: the plainest loop Python has."""
    receive = receiver.recv
    start = time.perf_counter()
    for _ in range(count):
        receive(65536)
    return time.perf_counter() - start


def _drain_pipeline(source: JetdriveSource, pipeline: Pipeline, count: int) -> float:
    taken = 0
    start = time.perf_counter()
    while taken < count:
        batch = source.receive(0.02)
        pipeline.feed(batch, source.now_us())
        taken += len(batch)
    return time.perf_counter() - start


def _buffered(source: JetdriveSource, sender: socket.socket, traffic: _Traffic) -> int:
    """Return how many datagrams the socket holds, a whole number of the source's batches."""
    _fill(sender, traffic, _MOST)
    held = 0
    while batch := source.receive(0.02):
        held += len(batch)
    if held < BATCH_LIMIT:
        raise OSError(f"the socket holds {held} datagrams only; raise net.core.rmem_max")
    return held // BATCH_LIMIT * BATCH_LIMIT


def _bare_socket() -> socket.socket:
    """Return a second listener, set up as the source's own socket."""
    bare = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    enlarge_buffer(bare)
    bare.bind(("", _PORT))
    loopback = socket.inet_aton("127.0.0.1")
    group = socket.inet_aton(_GROUP)
    bare.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + loopback)
    bare.settimeout(1.0)
    return bare


def measure(values: int) -> tuple[float, float]:
    """Return ``(pipeline, bare)`` in datagrams per second, medians over rounds.

    Raises OSError when the socket's buffer does not hold one batch.
    """
    traffic = _Traffic(values)
    source = JetdriveSource("127.0.0.1", _GROUP, _PORT, ttl=0)
    source.open()
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
        per_round = _buffered(source, sender, traffic)
        pipeline = Pipeline()
        start_us = source.now_us()
        pipeline.feed([Datagram(start_us, data) for data in traffic.announcement()], start_us)
        bare_rates, full_rates = [], []
        with _bare_socket() as bare:
            for _ in range(_ROUNDS):
                _fill(sender, traffic, per_round)
                full_rates.append(per_round / _drain_pipeline(source, pipeline, per_round))
                bare_rates.append(per_round / _drain_bare(bare, per_round))
        return median(full_rates), median(bare_rates)
    finally:
        sender.close()
        source.close()


def pipeline_figures() -> list[Figure]:
    """Measure small datagrams against the bare loop, and full ones in values per second."""
    small, bare_small = measure(values=5)
    full, bare_full = measure(values=130)
    return [
        Figure(
            "pipeline_small",
            "full pipeline, small datagrams (5 values)",
            round(small / bare_small, 3),
            "of the bare loop",
            0.25,
            at_most=False,
            yardstick="receiving only, datagrams/s",
            yardstick_value=round(bare_small),
            details={"datagrams_per_s": round(small)},
        ),
        Figure(
            "pipeline_full",
            "full pipeline, full datagrams (130 values)",
            round(full * 130),
            "values/s",
            5_000_000,
            at_most=False,
            yardstick="receiving only, values/s",
            yardstick_value=round(bare_full * 130),
            details={"datagrams_per_s": round(full)},
        ),
    ]
