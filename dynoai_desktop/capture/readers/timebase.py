"""The time of the rows, in seconds, from whatever the file calls time."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.readers.headers import Header
from dynoai_desktop.core.logs import Code, LogWarning, TimeBase, UnitSource
from dynoai_desktop.core.normalise_units import guess_time
from dynoai_desktop.core.units import Unit

if TYPE_CHECKING:
    import pandas as pd

# Names of a time column, as words run together without their unit.
_NAMES = (
    "time",
    "timestamp",
    "times",
    "timesec",
    "timems",
    "tms",
    "timestamps",
    "timestampms",
    "elapsed",
    "elapseds",
    "elapsedms",
    "elapsedtime",
    "datetime",
    "clock",
    "t",
)
_IN_MILLISECONDS = frozenset({"timems", "tms", "timestampms", "elapsedms"})
_IN_SECONDS = frozenset({"times", "timesec", "timestamps", "elapseds"})
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?")
_DAY_S = 86_400.0
_EPOCH_FROM_S = 1e8  # a time beyond three years is a date
_ENOUGH = 50_000  # steps tell how evenly rows come as well as all of them
_GAP_S = 1.0
_GAP_STEPS = 5.0
_IRREGULAR = 1.5  # 95th to 5th percentile of the steps

# Dates other than ISO 8601. Day and month are never told apart: only differences are used.
_DATE_FORMATS = (
    "%m/%d/%Y %H:%M:%S.%f",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %H:%M:%S.%f",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S.%f",
    "%d.%m.%Y %H:%M:%S",
)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time of every row, shape ``[rows]`` in seconds, NaN where the file has none."""

    time_s: NDArray[np.float64]
    unit_source: UnitSource
    start_unix_s: float | None = None
    started: str = ""  # as the file writes it
    guessed: bool = False


def find_time(headers: Sequence[Header]) -> int | None:
    """Return which column is the time, or None.

    The earlier name in the list goes first, and the earlier column of one name.
    """
    keys = ["".join(re.findall(r"[a-z0-9]+", header.name.lower())) for header in headers]
    for name in _NAMES:
        if name in keys:
            return keys.index(name)
    return None


def clock_of_numbers(header: Header, values: NDArray[np.float64], written: Unit | None) -> Clock:
    """Return the time from a column of numbers.

    *written* is the unit the format always uses; else the header's; else the step decides.
    """
    key = "".join(re.findall(r"[a-z0-9]+", header.name.lower()))
    source, guessed, unit, gain = UnitSource.HEADER, False, Unit.NONE, 1.0
    if header.unit is not None and header.unit.unit in (Unit.SECOND, Unit.MILLISECOND):
        unit, gain = header.unit.unit, header.unit.gain
    elif key in _IN_MILLISECONDS or key in _IN_SECONDS:
        unit = Unit.MILLISECOND if key in _IN_MILLISECONDS else Unit.SECOND
    elif written is not None:
        unit, source = written, UnitSource.FORMAT
    else:
        steps = np.diff(values[np.isfinite(values)])
        moving = steps[steps > 0]
        guess = guess_time(float(np.median(moving)) if moving.size else 0.0)
        unit = guess.unit
        source, guessed = UnitSource.PLAUSIBILITY, not guess.sure
    scale = gain * (1e-3 if unit is Unit.MILLISECOND else 1.0)
    time_s = values if scale == 1.0 else values * scale
    time_s = np.where(np.isfinite(time_s), time_s, np.nan) if np.isinf(time_s).any() else time_s
    first = float(time_s[np.isfinite(time_s)][0]) if np.isfinite(time_s).any() else 0.0
    if first > _EPOCH_FROM_S:
        return Clock(time_s - first, source, start_unix_s=first, guessed=guessed)
    return Clock(time_s, source, guessed=guessed)


def clock_of_text(cells: Sequence[str]) -> Clock | None:
    """Return the time from dates or times of day, 0 at the first row; None when they are neither.

    A time of day that jumps back by more than half a day has passed midnight.
    """
    import pandas as pd

    first = next((cell for cell in cells if cell), "")
    series = pd.Series(cells, dtype=object)
    if _TIME_OF_DAY.fullmatch(first):
        padded = series.where(series.str.count(":") != 1, series + ":00")
        spans = pd.to_timedelta(padded.str.replace(",", "."), errors="coerce")
        seconds = spans.dt.total_seconds().to_numpy(dtype=np.float64)
        jumps = np.diff(seconds, prepend=seconds[:1])
        seconds = seconds + _DAY_S * np.cumsum(np.nan_to_num(jumps) < -_DAY_S / 2)
    else:
        seconds = _dates(series)
    known = seconds[np.isfinite(seconds)]
    if 2 * known.size < len(cells):
        return None
    return Clock(seconds - known[0], UnitSource.HEADER, started=first)


def _dates(series: pd.Series[str]) -> NDArray[np.float64]:
    """Return seconds since the first date; NaN for what is none, in the pattern that fits most."""
    import pandas as pd

    best = np.full(len(series), np.nan)
    for pattern in ("ISO8601", *_DATE_FORMATS):
        # Wall-clock time is taken as UTC throughout: only differences are used.
        stamps = pd.to_datetime(series, format=pattern, errors="coerce", utc=True)
        seconds = (stamps - stamps.min()).dt.total_seconds().to_numpy(dtype=np.float64)
        if np.isfinite(seconds).sum() > np.isfinite(best).sum():
            best = seconds
        if np.isfinite(best).all():
            break
    return best


def describe_time(key: str, clock: Clock) -> tuple[TimeBase, list[LogWarning]]:
    """Return the time base and what there is to say about it."""
    known = clock.time_s[np.isfinite(clock.time_s)]
    steps = np.diff(known)
    if known.size == 0:
        return TimeBase(), [no_time()]
    median = float(np.median(steps)) if steps.size else math.nan
    base = TimeBase(
        column=key,
        unit_source=clock.unit_source,
        start_unix_s=clock.start_unix_s,
        median_step_s=median,
        min_step_s=float(steps.min()) if steps.size else math.nan,
        max_step_s=float(steps.max()) if steps.size else math.nan,
    )
    return base, list(_time_warnings(key, clock, steps, median))


def no_time() -> LogWarning:
    """Return what to say about a file without time."""
    return LogWarning(
        Code.NO_TIME,
        "The file has no time column, so nothing that depends on time can be worked out. "
        "Export it with time.",
    )


def _time_warnings(
    key: str, clock: Clock, steps: NDArray[np.float64], median: float
) -> list[LogWarning]:
    found = []
    if clock.guessed:
        found.append(
            LogWarning(
                Code.TIME_GUESSED,
                f"“{key}” states no unit; its step of {median:g} is read as seconds.",
                (key,),
            )
        )
    back = np.flatnonzero(steps < 0)
    if back.size:
        found.append(
            LogWarning(
                Code.TIME_BACKWARDS,
                f"Time goes back {_times(back.size)}, first after row {back[0] + 1} by "
                f"{-steps[back[0]]:.3g} s. Rows stay in the order of the file.",
                (key,),
            )
        )
    forward = steps[steps > 0]
    gaps = np.sort(forward[(forward > _GAP_S) & (forward > _GAP_STEPS * median)])[::-1]
    if gaps.size:
        largest = " and ".join(f"{gap:.1f}" for gap in gaps[:2])
        found.append(
            LogWarning(
                Code.TIME_GAP,
                f"{gaps.size} gap{'s' if gaps.size > 1 else ''} above {_GAP_S:g} s in the "
                f"recording, the largest {largest} s.",
                (key,),
            )
        )
    if forward.size >= 20:
        low, high = np.percentile(forward[:: max(1, forward.size // _ENOUGH)], (5, 95))
        if high > _IRREGULAR * low:
            found.append(
                LogWarning(
                    Code.TIME_IRREGULAR,
                    f"Rows come unevenly: every {median * 1e3:.0f} ms in the middle, "
                    f"{low * 1e3:.0f} to {high * 1e3:.0f} ms for nine out of ten.",
                    (key,),
                )
            )
    return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
