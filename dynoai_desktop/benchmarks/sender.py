"""A process that sends datagrams at a steady rate on loopback, for the live figures.

`python -m dynoai_desktop.benchmarks.sender RATE SECONDS PORT`. It prints how many it sent.
"""

from __future__ import annotations

import socket
import sys
import time

from dynoai_desktop.capture.protocol import (
    ChannelRecord,
    ChannelValues,
    Frame,
    Message,
    channel_info_pages,
    encode,
)

GROUP = "224.0.2.10"
HOST = 0x2345
_CHANNELS = (("Engine RPM", 8), ("MAP kPa", 7), ("TPS", 16), ("LC1 Volts Petrol AFR", 11),
             ("LC2 Volts Petrol AFR", 11))  # fmt: skip
_BURST_S = 0.001


def main(rate: int, seconds: float, port: int) -> int:
    """Send and return how many datagrams went out."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
    sent = 0

    def send(message: Message) -> None:
        nonlocal sent
        sender.sendto(encode(Frame(message, HOST, sent % 256)), (GROUP, port))
        sent += 1

    with sender:
        records = [ChannelRecord(i, name, unit) for i, (name, unit) in enumerate(_CHANNELS)]
        for page in channel_info_pages("Bench SIMULATED", records):
            send(page)
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            while sent < elapsed * rate:
                stamp = int((time.perf_counter() - start) * 1000)
                rpm = 2000 + 4000 * (elapsed % 10) / 10
                values = (rpm, 40 + 6 * (elapsed % 10), 50.0, 13.0, 13.2)
                send(ChannelValues.of(range(5), [stamp] * 5, values))
            time.sleep(_BURST_S)
    return sent


if __name__ == "__main__":
    print(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))  # noqa: T201 - its answer
