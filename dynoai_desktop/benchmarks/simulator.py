"""What the simulator costs: one pull as fast as possible, and an hour of driving into a file."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from dynoai_desktop.benchmarks import Figure
from dynoai_desktop.capture.pcap import PacketEncoder, file_header
from dynoai_desktop.capture.simulated_dyno import simulated_bus
from dynoai_desktop.capture.sources.jetdrive import GROUP, PORT
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.trials import measure_pull

_PULLS = 5
_HOUR_S = 3600
_START_US = 1_700_000_000_000_000


def simulator_figures() -> list[Figure]:
    """Measure both."""
    pull_s = min(_pull_cost_s() for _ in range(_PULLS))
    wall_s, datagrams = _hour_into_a_file()
    return [
        Figure(
            "simulated_pull",
            "a full-throttle pull as fast as possible, processor time",
            round(pull_s, 3),
            "s",
            0.2,
            at_most=True,
        ),
        Figure(
            "simulated_hour",
            "an hour of driving written to a pcap",
            round(wall_s, 1),
            "s",
            60.0,
            at_most=True,
            details={"datagrams": datagrams},
        ),
    ]


def _pull_cost_s() -> float:
    rig = Rig(PROFILES["m8-114"])
    start = time.process_time()
    measure_pull(rig)
    return time.process_time() - start


def _hour_into_a_file() -> tuple[float, int]:
    """Return what it took, and how many datagrams came of it."""
    encoder, count = PacketEncoder(GROUP, PORT), 0
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        bus = simulated_bus(_START_US)
        with (Path(folder) / "hour.pcap").open("wb") as file:
            file.write(file_header())
            for second in range(1, _HOUR_S + 1):
                sent = bus.advance(_START_US + second * 1_000_000)
                count += len(sent)
                file.write(b"".join(map(encoder.encode, sent)))
        return time.perf_counter() - start, count
