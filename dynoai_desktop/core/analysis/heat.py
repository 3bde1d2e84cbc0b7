"""Heat: how long the engine was soaked, and what warm air costs.

Soaked rows never reach the fuel table; here they are counted, and the peak power of like pulls is
set against intake temperature, so that a falling curve can be told from a failing engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.modes import Mode, ModeTrack
from dynoai_desktop.core.analysis.runs import Run, RunKind
from dynoai_desktop.core.analysis.windows import Windows
from dynoai_desktop.core.channels import Channel


@dataclass(frozen=True, slots=True)
class HeatReport:
    """Temperatures in °C; None where not heard or not enough like pulls."""

    soaked_s: float
    soaked_samples: int
    iat_start_c: float | None
    iat_max_c: float | None
    ect_max_c: float | None
    power_per_10c_pct: float | None  # change of peak power with 10 °C more intake air
    power_per_10c_se_pct: float | None
    power_per_pull_pct: float | None  # change of peak power from pull to pull
    power_per_pull_se_pct: float | None
    pulls: int


def report_heat(track: ModeTrack, runs: Sequence[Run], row_s: F64) -> HeatReport:
    """Return what heat did in a log; *row_s* is how long each row lasted, (n,)."""
    soaked = track.rows_in(Mode.HEAT_SOAK)
    windows = track.windows
    iat = windows.means.get(Channel.IAT)
    pulls = _like_pulls(runs)
    power = np.array([run.peak_power_kw or np.nan for run in pulls])
    by_heat: tuple[float | None, float | None] = (None, None)
    by_pull: tuple[float | None, float | None] = (None, None)
    if len(pulls) >= 3 and np.isfinite(power).all() and (power > 0.0).all():
        loss = 100.0 * np.log(power)
        by_pull = _slope(np.arange(float(len(pulls))), loss)
        if iat is not None:
            warm = np.array([_mean_between(windows, iat, run) for run in pulls])
            if np.isfinite(warm).all() and float(np.ptp(warm)) > 3.0:
                by_heat = _slope(warm / 10.0, loss)
    return HeatReport(
        float(row_s[soaked].sum()),
        int(np.count_nonzero(soaked)),
        _first(iat),
        _most(iat),
        _most(windows.means.get(Channel.ECT)),
        *by_heat,
        *by_pull,
        len(pulls),
    )


def _like_pulls(runs: Sequence[Run]) -> list[Run]:
    """Return the pulls that went as high as most, so that their peaks can be compared."""
    pulls = [run for run in runs if run.kind is RunKind.PULL and run.peak_power_kw is not None]
    if not pulls:
        return []
    usual = float(np.median([run.end_rpm for run in pulls]))
    return [run for run in pulls if run.end_rpm > 0.93 * usual]


def _mean_between(windows: Windows, values: F64, run: Run) -> float:
    first, end = np.searchsorted(windows.start_s, [run.start_s, run.end_s])
    part = values[first:end]
    part = part[np.isfinite(part)]
    return float(part.mean()) if part.size else np.nan


def _slope(x: F64, y: F64) -> tuple[float | None, float | None]:
    """Return the least-squares slope and its standard error; pulls repeat within about 0.5 %."""
    centred = x - x.mean()
    power = float(centred @ centred)
    if power <= 0.0:
        return None, None
    slope = float(centred @ y) / power
    left = y - y.mean() - slope * centred
    # Three pulls hardly know their own scatter; half a per cent is the usual one.
    variance = (float(left @ left) + 2.0 * 0.5**2) / (x.size - 2 + 2.0)
    return slope, (variance / power) ** 0.5


def _first(values: F64 | None) -> float | None:
    heard = values[np.isfinite(values)] if values is not None else np.empty(0)
    return float(np.mean(heard[:20])) if heard.size else None


def _most(values: F64 | None) -> float | None:
    heard = values[np.isfinite(values)] if values is not None else np.empty(0)
    return float(heard.max()) if heard.size else None
