"""Logs of real engines, played to the live engine: what may not speak fills no cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from dynoai_desktop.capture.readers import read_log
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.trial_world import START, window
from dynoai_desktop.core.samples import WINDOWS_PER_S, Aggregate

C = Channel
GASOLINE = 14.7
LONGEST_GAP = 2 * WINDOWS_PER_S  # windows of a silence that are played

DRIVE = "speeduino_drive.mlg"
PULLS = ("harley_pull_a.csv", "harley_pull_b.txt", "harley_pull_c.txt")

Rows = np.ndarray
# Which rows of a log may not speak, told from the raw columns without any of the gates.
STRETCHES: dict[str, Callable[[dict[Channel, Rows]], Rows]] = {
    "engine stopped": lambda c: c[C.RPM] < 200.0,
    "overrun": lambda c: (c[C.RPM] > 1600.0) & (c[C.TPS] <= 1.0) & (c[C.MAP] < 30.0),
    "railed": lambda c: (lam(c) <= 7.45 / GASOLINE) | (lam(c) >= 22.2 / GASOLINE),
}


def lam(columns: dict[Channel, Rows]) -> Rows:
    return next(columns[c] for c in (C.LAMBDA, C.LAMBDA_REAR, C.LAMBDA_FRONT) if c in columns)


@cache
def columns_of(path: Path) -> tuple[Rows, dict[Channel, Rows]]:
    """Time and canonical columns as the live pipeline would carry them."""
    table = read_log(path)
    out: dict[Channel, Rows] = {}
    for channel in table.usable:
        spec, values = CHANNELS[channel], np.array(table.series(channel))
        if spec.hard is not None:
            with np.errstate(invalid="ignore"):
                values[(values < spec.hard[0]) | (values > spec.hard[1])] = np.nan
        if spec.carried_as is None:
            out[channel] = values
        elif spec.carried_as not in table.usable:
            out[spec.carried_as] = values / GASOLINE
    return table.time_s, out


def windows_of(path: Path) -> Iterator[Aggregate]:
    """The log as windows."""
    time_s, columns = columns_of(path)
    number = np.floor(time_s * WINDOWS_PER_S + 1e-6).astype(int)
    last = None
    for at in np.unique(number).tolist():
        if last is not None and at - last <= LONGEST_GAP:
            yield from (window(START + gap, {}) for gap in range(last + 1, at))
        rows = slice(*np.searchsorted(number, [at, at + 1]))
        heard = {c: v[rows][np.isfinite(v[rows])] for c, v in columns.items()}
        yield window(START + at, {c: float(v.mean()) for c, v in heard.items() if v.size})
        last = at


@cache
def play(path: Path) -> tuple[LiveEngine, frozenset[int]]:
    """The engine after the log, and the windows whose readings went into the map."""
    engine, went_in = LiveEngine(), set[int]()
    credits = engine._map.credits
    told = credits._told

    def listen_in(*args):
        found = list(told(*args))
        went_in.update(one.index - START for one in found)
        return iter(found)

    credits._told = listen_in
    for aggregate in windows_of(path):
        engine.observe(aggregate)
    return engine, frozenset(went_in)


@pytest.mark.parametrize("name", [DRIVE, *PULLS])
@pytest.mark.parametrize("stretch", STRETCHES)
def test_overrun_rails_and_a_stopped_engine_contribute_no_cell(shared_data, name, stretch):
    path = shared_data / "real" / name
    time_s, columns = columns_of(path)
    with np.errstate(invalid="ignore"):
        rows = STRETCHES[stretch](columns)
    number = np.floor(time_s * WINDOWS_PER_S + 1e-6).astype(int)
    # Windows that hold nothing but such rows.
    spoilt = set(number[rows].tolist()) - set(number[~rows].tolist())
    assert not spoilt & play(path)[1]


def test_a_steady_idle_of_the_drive_is_used(shared_data):
    snapshot = play(shared_data / "real" / DRIVE)[0].snapshot()
    assert snapshot.accepted > 5000
    assert {"engine_stopped", "overrun", "tip_in", "lambda_railed"} <= set(snapshot.rejected)


def test_a_cold_engine_contributes_no_cell(shared_data):
    """The first ten minutes of the same drive with its coolant 60 degrees colder."""
    engine = LiveEngine()
    for a in islice(windows_of(shared_data / "real" / DRIVE), 12_000):
        means = dict(a.means)
        if C.ECT in means:
            means[C.ECT] -= 60.0
        engine.observe(window(a.index, means))
    snapshot = engine.snapshot()
    assert snapshot.accepted == 0
    assert snapshot.rejected["warm_up"] > 1000
    assert all(cells.mass.sum() == 0.0 for cells in snapshot.cylinders.values())


def test_a_harley_pull_is_seen_as_a_pull(shared_data):
    for name in PULLS[1:]:
        snapshot = play(shared_data / "real" / name)[0].snapshot()
        assert snapshot.run is not None
        assert snapshot.run.kind == "pull"
        peak = snapshot.run.power_kw
        assert peak.value == pytest.approx(95.1 * 0.7457, rel=0.02)
        assert peak.rpm == pytest.approx(5350.0, abs=250.0)


def test_the_railed_wideband_of_the_first_harley_pull_is_told(shared_data):
    keys = {alert.key for alert in play(shared_data / "real" / PULLS[0])[0].alert_log}
    assert keys & {"lean_under_load", "wideband_dead", "lambda_implausible"}
