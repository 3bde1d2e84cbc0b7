"""Exports of WinPEP, Power Core and DynoWare: ``(DEVICE) Channel`` in every head, no units.

The dyno's own channels, the tuner's and the ECU's stand side by side on one 20 Hz grid. Whatever
came more slowly has been filled with straight lines, so a value between two deliveries is drawn,
not measured; the kinks of the lines, taken over all channels of a device, show when it delivered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.capture.readers.contract import Cancelled, LogReader, Progress
from dynoai_desktop.capture.readers.draft import Draft
from dynoai_desktop.capture.readers.headers import Header
from dynoai_desktop.capture.readers.table import Format
from dynoai_desktop.capture.readers.textlog import read_text_log
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.logs import Code, LogColumn, LogTable, LogWarning
from dynoai_desktop.core.units import Unit, convert, linear

# Units by name; they are not in the file. Engine speed is in thousands or not, so its values say.
_UNITS: dict[str, Unit] = {
    "time": Unit.SECOND,
    "humidity": Unit.PERCENT,
    "pressure": Unit.KILOPASCAL,
    "temperature 1": Unit.FAHRENHEIT,
    "temperature 2": Unit.FAHRENHEIT,
    "engine temperature": Unit.FAHRENHEIT,
    "intake air temperature": Unit.FAHRENHEIT,
    "manifold absolute pressure": Unit.KILOPASCAL,
    "acceleration": Unit.MPH_PER_S,
    "gear ratio": Unit.RPM_PER_MPH,  # not a gear ratio: rpm for each mph
    "injector time front": Unit.MILLISECOND,
    "injector time rear": Unit.MILLISECOND,
    "throttle position": Unit.PERCENT,
    "twistgrip position": Unit.PERCENT,
    "throttle position sensor": Unit.VOLT,
    "throttle position sensor voltage": Unit.VOLT,
    "battery voltage": Unit.VOLT,
    "ve front": Unit.PERCENT,
    "ve rear": Unit.PERCENT,
    "ve new front": Unit.PERCENT,
    "ve new rear": Unit.PERCENT,
    "spark advance front": Unit.DEGREE,
    "spark advance rear": Unit.DEGREE,
    "front spark knock retard": Unit.DEGREE,
    "rear spark knock retard": Unit.DEGREE,
    "desired air/fuel": Unit.AFR,
    "vehicle speed": Unit.MPH,
}
# The dyno's own channels come in several copies ("Power", "Power Drum 1", "(uncorrected)").
_FAMILIES: tuple[tuple[str, Unit], ...] = (
    ("power", Unit.HORSEPOWER),
    ("torque", Unit.POUND_FOOT),
    ("force", Unit.LBF),
    ("speed", Unit.MPH),
    ("distance", Unit.FOOT),
)
_IN_SECONDS = "PV"  # this device writes injector time in seconds
_DUTY_CHANNELS = {"injector time front", "injector time rear"}

_STEADY_RATIO = 0.25  # spread of rpm over road speed: more is not an engine behind a locked clutch
_MIN_ROWS = 20
_HALF_SPEED = 0.5
_SEVERAL_STEPS = 2.5  # a device that delivers less often than this many rows is filled in
_SAME_IDENTITY = 0.03
_ENOUGH_CHANNELS = 6  # changing ones: with fewer, a straight line may be the truth (weather)


def detect(_path: Path, head: bytes) -> float:
    """Return 0.9 when most heads in the first line begin with a device in brackets."""
    first = head.split(b"\n", 1)[0]
    for delimiter in (b",", b"\t", b";"):
        cells = [cell.strip(b' "\r') for cell in first.split(delimiter)]
        tagged = sum(cell.startswith(b"(") and b") " in cell for cell in cells)
        if tagged >= 2 and 2 * tagged >= len(cells):
            return 0.9
    return 0.0


def read(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> LogTable:
    """Return the log in *path*. Raises ReaderError."""
    return read_text_log(path, _FORM, progress, cancelled)


def _unit(header: Header) -> Unit | None:
    name = header.name.lower()
    if name in _DUTY_CHANNELS and header.device == _IN_SECONDS:
        return Unit.SECOND
    if "petrol afr" in name or name.startswith("wbo2 afr"):
        return Unit.AFR
    if name in _UNITS:
        return _UNITS[name]
    for family, unit in _FAMILIES:
        if name.split(" (")[0].split(" drum")[0].rstrip(" 0123456789") == family:
            return unit
    return None


def _judge(draft: Draft) -> Iterable[LogWarning]:
    yield from _confirm_units(draft)
    yield from _rpm_by_speed(draft)
    yield from _torque(draft)
    yield from _filled(draft)


def _confirm_units(draft: Draft) -> Iterable[LogWarning]:
    """Check hp = lbf × mph / 375, which no other set of units satisfies."""
    found = draft.named("force", "speed", "power", "power (uncorrected)")
    raw = found.get("power (uncorrected)", found.get("power"))
    if raw is None or "force" not in found or "speed" not in found:
        return
    force, speed = (draft.columns[found[n]].values for n in ("force", "speed"))
    power = draft.columns[raw].values
    use = np.isfinite(force) & np.isfinite(speed) & (power > 5)
    if np.count_nonzero(use) < _MIN_ROWS:
        return
    one = convert(1.0, Unit.LBF, Unit.NEWTON) * convert(1.0, Unit.MPH, Unit.KMH) / 3600
    expected = 1 / convert(one, Unit.KILOWATT, Unit.HORSEPOWER)
    ratio = float(np.median(force[use] * speed[use] / power[use]))
    if abs(ratio / expected - 1) > _SAME_IDENTITY:
        keys = draft.keys((found["force"], found["speed"], raw))
        yield LogWarning(
            Code.UNIT_GUESSED,
            f"Force × speed ÷ power is {ratio:.4g}, not the {expected:.0f} of lbf, mph and hp. "
            "Check in which units the run was exported.",
            keys,
        )


def _rpm_by_speed(draft: Draft) -> Iterable[LogWarning]:
    """Set aside an engine speed that does not follow the road speed while another one does."""
    speeds = draft.named("speed")
    if not speeds:
        return
    speed = np.asarray(draft.columns[speeds["speed"]].values, dtype=np.float64)
    fast = speed > _HALF_SPEED * np.nanmax(speed)
    spread: dict[int, float] = {}
    for i, column in draft.live():
        if draft.identity(i) is Channel.RPM:
            use = fast & np.isfinite(column.values)
            if np.count_nonzero(use) >= _MIN_ROWS:
                low, middle, high = np.percentile(_in_rpm(column)[use] / speed[use], (10, 50, 90))
                spread[i] = float((high - low) / max(middle, 1e-9))
    if not spread or min(spread.values()) > _STEADY_RATIO:
        return
    for i in [i for i, amount in spread.items() if amount > _STEADY_RATIO]:
        draft.set_aside.add(i)
        draft.set_aside.update(_made_from_rpm(draft, i))
        column = draft.columns[i]
        gain, _ = linear(_rpm_unit(column), Unit.RPM)
        yield LogWarning(
            Code.RPM_NOT_USABLE,
            f"“{column.header}” does not follow the road speed ({column.count} rows, "
            f"{column.minimum * gain:,.0f} to {column.maximum * gain:,.0f} rpm): the pickup reads "
            "noise. The other engine speed is used.",
            (column.key,),
        )


def _rpm_unit(column: LogColumn) -> Unit:
    return column.unit if column.unit is Unit.KILO_RPM else Unit.RPM


def _in_rpm(column: LogColumn) -> NDArray[np.float64]:
    gain, _ = linear(_rpm_unit(column), Unit.RPM)
    return np.asarray(column.values, dtype=np.float64) * gain


def _made_from_rpm(draft: Draft, rpm: int) -> list[int]:
    """Return the columns that the same device divides by, or into, this engine speed."""
    return [
        i
        for i, c in draft.live()
        if c.device == draft.columns[rpm].device and c.unit is Unit.RPM_PER_MPH
    ]


def _torque(draft: Draft) -> Iterable[LogWarning]:
    """Set aside torque that was divided by an engine speed that is not usable."""
    limit = CHANNELS[Channel.TORQUE].hard
    if limit is None:
        return
    bad = []
    for i, column in draft.live():
        if column.unit is not Unit.POUND_FOOT:
            continue
        top = convert(column.maximum, Unit.POUND_FOOT, Unit.NEWTON_METRE)
        pickup_failed = any(
            draft.columns[j].device == column.device and draft.columns[j].unit is Unit.KILO_RPM
            for j in draft.set_aside
        )
        if top > limit[1] or pickup_failed:
            bad.append(i)
    if bad:
        draft.set_aside.update(bad)
        peak = max(draft.columns[i].maximum for i in bad)
        yield LogWarning(
            Code.TORQUE_NOT_USABLE,
            f"{draft.names(bad)}: up to {peak:,.0f} lb·ft. Torque is power divided by engine "
            "speed, and that engine speed is noise. Power is not affected.",
            draft.keys(bad),
        )


def _filled(draft: Draft) -> Iterable[LogWarning]:
    """Find devices whose rows between deliveries are straight lines."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, column in draft.data():
        if column.device and column.count > 2 and column.minimum < column.maximum:
            groups[column.device].append(i)
    step = float(np.median(np.diff(draft.time_s))) if draft.rows > 2 else np.nan
    filled: dict[str, float] = {}
    longest = 0.0
    for device, indexes in groups.items():
        if len(indexes) < _ENOUGH_CHANNELS:
            continue
        ticks = _ticks([draft.columns[i] for i in indexes])
        # A line that bends between two rows bends in both of them.
        events = draft.time_s[ticks[np.diff(ticks, prepend=-2) > 1]]
        pace = float(np.median(np.diff(events))) if events.size > 2 else 0.0
        if not pace > _SEVERAL_STEPS * step:
            continue
        for i, column in draft.data():
            if column.device == device:
                draft.columns[i] = replace(column, ticks=ticks)
        filled[device] = pace
        # The bend shows in the row after it, so a line can be one step longer than its rows.
        longest = max(longest, float(np.diff(draft.time_s[ticks]).max()) + step)
    if filled:
        devices = " and ".join(f"({device})" for device in filled)
        pace = float(np.median(list(filled.values())))
        yield LogWarning(
            Code.INTERPOLATED,
            f"{devices}: real values about every {pace:.2g} s; the rows between are straight "
            f"lines drawn by the export, the longest {longest:.2f} s. Nothing was measured there.",
        )


def _ticks(columns: list[LogColumn]) -> NDArray[np.intp]:
    """Return the rows in which the lines of any of *columns* bend, with the first and last."""
    rows: set[int] = set()
    for column in columns:
        finite = np.flatnonzero(np.isfinite(column.values))
        values = np.asarray(column.values, dtype=np.float64)[finite]
        bend = np.abs(np.diff(values, n=2))
        # Rounding to n decimals bends a straight line by up to two units of the last one.
        rows.update(finite[np.flatnonzero(bend > 2.5 * _last_place(values)) + 1].tolist())
        rows.update((int(finite[0]), int(finite[-1])))
    return np.array(sorted(rows), dtype=np.intp)


def _last_place(values: NDArray[np.float64]) -> float:
    """Return the unit of the last decimal the values are written with, 1 to 1e-6."""
    for decimals in range(7):
        if np.allclose(values, np.round(values, decimals), rtol=0, atol=1e-9):
            return float(10.0**-decimals)
    return 1e-6


_FORM = Format(
    "dynojet",
    "WinPEP / Power Core / DynoWare export",
    unit_of=_unit,
    time_unit=Unit.SECOND,
    judge=_judge,
)
READER = LogReader(
    "dynojet", "WinPEP / Power Core / DynoWare export", (".csv", ".txt"), detect, read
)
