"""One live update: analysis of one aggregate and the snapshot that panels draw."""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median
from types import MappingProxyType

from dynoai_desktop.benchmarks import Figure
from dynoai_desktop.core.channels import CARRIED
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.trial_world import TableError, World
from dynoai_desktop.core.live.trials import mixed_session, usual_wideband

_SEED = 1


def update_figures() -> list[Figure]:
    """Measure the median over a simulated session, with six slow channels besides."""
    engine = LiveEngine()
    world = World(TableError(_SEED, 0.04, 2.5), wideband=usual_wideband(_SEED))
    others = dict.fromkeys(CARRIED[-6:], 1.0)
    durations_us = []
    for heard in world.drive(mixed_session(_SEED), _SEED):
        means = MappingProxyType({**others, **heard.means})
        aggregate = replace(heard, means=means)
        start = time.perf_counter()
        engine.observe(aggregate)
        engine.snapshot()
        durations_us.append((time.perf_counter() - start) * 1e6)
    snapshot = engine.snapshot()
    return [
        Figure(
            "live_update",
            "one live update: analysis and snapshot",
            round(median(durations_us), 1),
            "µs",
            150.0,
            at_most=True,
            details={
                "mean_us": round(sum(durations_us) / len(durations_us), 1),
                "accepted_readings": snapshot.accepted,
            },
        )
    ]
