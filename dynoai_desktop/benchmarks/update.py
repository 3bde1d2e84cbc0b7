"""One live update: analysis of one aggregate and the snapshot that panels draw."""

from __future__ import annotations

import time
from statistics import median
from types import MappingProxyType

from dynoai_desktop.benchmarks import Figure
from dynoai_desktop.core.channels import CARRIED, Channel
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.samples import Aggregate

_UPDATES = 4000


def update_figures() -> list[Figure]:
    """Measure the median over a few thousand updates with every channel present."""
    engine = LiveEngine()
    durations_us = []
    for index in range(_UPDATES):
        means = dict.fromkeys(CARRIED, 1.0)
        means |= {Channel.RPM: 1000.0 + index % 6000, Channel.MAP: 30.0 + index % 70}
        aggregate = Aggregate(index, MappingProxyType(means), 200)
        start = time.perf_counter()
        engine.observe(aggregate)
        engine.snapshot()
        durations_us.append((time.perf_counter() - start) * 1e6)
    return [
        Figure(
            "live_update",
            "one live update: analysis and snapshot",
            round(median(durations_us), 1),
            "µs",
            150.0,
            at_most=True,
        )
    ]
