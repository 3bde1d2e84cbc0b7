"""What is typed about a vehicle: every field with the way it is printed and read back.

A new fact about vehicles is one row here. Readers raise VehicleError naming the field; an empty
field is a fact that is not stated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dynoai_desktop.core.store.vehicles import RANGES, TITLES, VehicleError, VehicleRecord
from dynoai_desktop.core.units import Display, Unit, convert
from dynoai_desktop.ui.scales import parse_number

# Not units of any channel.
_NO_UNIT = {"displacement_cc": "cc", "injector_g_per_s": "g/s", "injector_dead_ms": "V:ms"}
_BETWEEN = re.compile(r"[;\s]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of VehicleRecord that is typed."""

    key: str
    write: Callable[[Any, Display], str]
    read: Callable[[str, str, Display], Any]  # key, text, units
    unit: Unit = Unit.NONE
    hint: str = ""

    def label(self, display: Display) -> str:
        """Return the title with the unit it is typed in."""
        unit = _NO_UNIT.get(self.key) or display.unit(self.unit).value
        return f"{TITLES[self.key]}, {unit}" if unit else TITLES[self.key]

    def text(self, record: VehicleRecord, display: Display) -> str:
        """Return what the record states, as it is typed; "" when it states nothing."""
        value = getattr(record, self.key)
        return "" if value is None else self.write(value, display)

    def value(self, text: str, record: VehicleRecord, display: Display) -> Any:
        """Return what was typed. Text that was not touched keeps the very value of *record*."""
        if text == self.text(record, display):
            return getattr(record, self.key)
        return self.read(self.key, text.strip(), display)


def _words(_key: str, text: str, _display: Display) -> str:
    return " ".join(text.split())


def _as_it_is(_key: str, text: str, _display: Display) -> str:
    return text


def _plain(value: object, _display: Display) -> str:
    return str(value)


def _printed(value: float, decimals: int = 6) -> str:
    return f"{value:.{decimals}g}"


def _number(key: str, text: str) -> float:
    value = parse_number(text)
    if math.isnan(value):
        raise VehicleError(key, f"“{text[:20]}” is no number.")
    return value


def _figure(unit: Unit, empty: float | None = None) -> dict[str, Any]:
    """Return printer and reader of a figure held in *unit*."""

    def write(value: float, display: Display) -> str:
        return _printed(convert(value, unit, display.unit(unit)), 5)

    def read(key: str, text: str, display: Display) -> float | None:
        if not text:
            return empty
        shown_in = display.unit(unit)
        value = _number(key, text)
        allowed = RANGES[key]
        low, high = (convert(limit, unit, shown_in) for limit in (allowed.low, allowed.high))
        if not low <= value <= high:
            said = f" {shown_in.value or allowed.unit}".rstrip()
            limits = f"{round(low, 2):g} and {round(high, 2):g}"
            raise VehicleError(key, f"{value:g}{said} is not between {limits}{said}.")
        return convert(value, shown_in, unit)

    return {"unit": unit, "write": write, "read": read}


def _whole(key: str, text: str, _display: Display) -> int | None:
    if not text:
        return None
    value = _number(key, text)
    if not value.is_integer():
        raise VehicleError(key, f"{value:g} is not a whole number.")
    return int(value)


def _write_ratios(ratios: tuple[float, ...], _display: Display) -> str:
    return "  ".join(map(_printed, ratios))


def _read_ratios(key: str, text: str, _display: Display) -> tuple[float, ...]:
    """Return the numbers of a list; between numbers with points a comma separates them, too."""
    return tuple(_number(key, part) for part in _parts(text))


def _write_dead_times(table: tuple[tuple[float, float], ...], _display: Display) -> str:
    return "  ".join(f"{_printed(volts)}:{_printed(dead_ms)}" for volts, dead_ms in table)


def _read_dead_times(key: str, text: str, _display: Display) -> tuple[tuple[float, float], ...]:
    table = []
    for part in _parts(text):
        volts, colon, dead_ms = part.partition(":")
        if not colon:
            raise VehicleError(key, f"“{part[:20]}” is no pair. Type volts:ms, such as 14:0.9.")
        table.append((_number(key, volts), _number(key, dead_ms)))
    return tuple(sorted(table))


def _parts(text: str) -> list[str]:
    """Return the parts of a list, with decimal commas left in them.

    >>> _parts("3,34 2,30;1,71"), _parts("3.34,2.30, 1.71,")
    (['3,34', '2,30', '1,71'], ['3.34', '2.30', '1.71'])
    """
    if "." in text:
        text = text.replace(",", " ")
    return [part for word in _BETWEEN.split(text) if (part := word.strip(","))]


LEFT: tuple[Entry, ...] = (
    Entry("name", _plain, _words, hint="as you call it"),
    Entry("displacement_cc", **_figure(Unit.NONE)),
    Entry("cylinders", _plain, _whole),
    Entry("idle_rpm", **_figure(Unit.RPM)),
    Entry("redline_rpm", **_figure(Unit.RPM)),
    Entry("boost_kpa", **_figure(Unit.KILOPASCAL, empty=0.0), hint="0 without a turbo"),
)
RIGHT: tuple[Entry, ...] = (
    Entry("gear_ratios", _write_ratios, _read_ratios, hint="engine turns per wheel turn, 1st …"),
    Entry("dyno_gear", _plain, _whole, hint="gear of the pulls"),
    Entry("tyre_circumference_m", **_figure(Unit.METRE)),
    Entry("injector_g_per_s", **_figure(Unit.NONE), hint="of one injector, held open"),
    Entry("injector_dead_ms", _write_dead_times, _read_dead_times, hint="such as 12:1.2  14:0.9"),
    Entry("tune_path", _plain, _as_it_is, hint="the file it runs on"),
)
NOTE = Entry("note", _plain, _words)
ENTRIES = (*LEFT, *RIGHT, NOTE)
