"""Vehicles as they are kept: one folder each, with what the tuner states about the vehicle.

Everything beyond the name is optional: what is not stated stays None, and whoever needs it says
so instead of assuming a figure. A record that cannot be a vehicle is refused with the name of the
field at fault.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from dataclasses import dataclass
from itertools import pairwise

from dynoai_desktop.core.units import STOICH_AFR

UNNAMED = "vehicle"  # folder of what is measured while no vehicle is chosen
SIMULATED = "Simulated"  # first word of the name of every simulated vehicle
LONGEST_NAME, LONGEST_NOTE = 80, 2000  # characters
MOST_GEARS, MOST_DEAD_TIMES = 12, 32
_LONGEST_SLUG = 40
_DEVICES = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")  # no folder on Windows can be called so
_DEAD_VOLTS, _DEAD_MS = (4.0, 20.0), (0.0, 10.0)


def vehicle_slug(name: str) -> str:
    """Return a vehicle's name as a harmless folder name, whatever was typed.

    Accents fall away; a name without a Latin letter or a digit is told apart by its checksum.

    >>> vehicle_slug("../Road King 114!"), vehicle_slug("Düsenjäger"), vehicle_slug("")
    ('road-king-114', 'dusenjager', 'vehicle')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].rstrip("-")
    if _DEVICES.fullmatch(slug):
        return f"{UNNAMED}-{slug}"
    if slug or not name.strip():
        return slug or UNNAMED
    return f"{UNNAMED}-{zlib.crc32(plain.encode('utf-8', 'backslashreplace')):08x}"


class VehicleError(ValueError):
    """A record that cannot be a vehicle. *field* of VehicleRecord is what to mend."""

    def __init__(self, field: str, reason: str) -> None:
        """Say which field is wrong and why; *reason* is a sentence after the field's title."""
        super().__init__(f"{TITLES.get(field, field)}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VehicleRecord:
    """What is stated about one vehicle. None: not stated."""

    name: str  # "": no vehicle is chosen
    simulated: bool = False  # rehearsals are kept apart from real runs
    note: str = ""
    fuel: str = "gasoline"  # a key of STOICH_AFR
    idle_rpm: float | None = None
    redline_rpm: float | None = None
    displacement_cc: float | None = None
    cylinders: int | None = None
    boost_kpa: float = 0.0  # gauge pressure at full boost; 0: naturally aspirated
    gear_ratios: tuple[float, ...] = ()  # engine turns per wheel turn, first gear first
    dyno_gear: int | None = None  # 1 is first gear
    tyre_circumference_m: float | None = None
    injector_g_per_s: float | None = None  # static flow of one injector
    injector_dead_ms: tuple[tuple[float, float], ...] = ()  # (volts, ms), rising volts
    tune_path: str = ""  # the tune file the vehicle runs on

    def __post_init__(self) -> None:
        """Refuse a record that cannot be a vehicle: raises VehicleError."""
        _check(self)

    @property
    def slug(self) -> str:
        """Return the name of the vehicle's folder."""
        return vehicle_slug(self.name)

    @property
    def stoich_afr(self) -> float:
        """Return the stoichiometric air-fuel ratio of the vehicle's fuel."""
        return STOICH_AFR[self.fuel]


@dataclass(frozen=True, slots=True)
class Range:
    """What a figure of a vehicle may be, wide enough for anything with an engine."""

    unit: str
    low: float
    high: float
    whole: bool = False


RANGES: dict[str, Range] = {
    "idle_rpm": Range("rpm", 300.0, 5000.0),
    "redline_rpm": Range("rpm", 1000.0, 30000.0),
    "displacement_cc": Range("cc", 20.0, 30000.0),
    "cylinders": Range("", 1, 16, whole=True),
    "boost_kpa": Range("kPa", 0.0, 500.0),
    "dyno_gear": Range("", 1, MOST_GEARS, whole=True),
    "tyre_circumference_m": Range("m", 0.3, 6.0),
    "injector_g_per_s": Range("g/s", 0.05, 200.0),
}

TITLES: dict[str, str] = {
    "name": "Name",
    "simulated": "Simulated",
    "note": "Note",
    "fuel": "Fuel",
    "idle_rpm": "Idle",
    "redline_rpm": "Redline",
    "displacement_cc": "Displacement",
    "cylinders": "Cylinders",
    "boost_kpa": "Boost",
    "gear_ratios": "Gear ratios",
    "dyno_gear": "Dyno gear",
    "tyre_circumference_m": "Tyre circumference",
    "injector_g_per_s": "Injector flow",
    "injector_dead_ms": "Injector dead time",
    "tune_path": "Tune file",
}


def _check(record: VehicleRecord) -> None:
    _check_words(record)
    for field, allowed in RANGES.items():
        value = getattr(record, field)
        if value is not None:
            _check_figure(field, value, allowed)
        elif field == "boost_kpa":
            raise VehicleError(field, "give 0 for an engine without boost.")
    _check_gears(record)
    _check_dead_times(record.injector_dead_ms)
    idle, redline = record.idle_rpm, record.redline_rpm
    if idle is not None and redline is not None and redline <= idle:
        raise VehicleError("redline_rpm", f"{redline:g} rpm is not above idle ({idle:g} rpm).")


def _check_words(record: VehicleRecord) -> None:
    for field, longest in (("name", LONGEST_NAME), ("note", LONGEST_NOTE), ("tune_path", 4096)):
        text = getattr(record, field)
        if not isinstance(text, str):
            raise VehicleError(field, f"{text!r} is not a text.")
        if len(text) > longest:
            raise VehicleError(field, f"is longer than {longest} characters.")
    if not record.name.isprintable() or record.name != record.name.strip():
        raise VehicleError("name", "write it on one line, without blanks around it.")
    if not isinstance(record.simulated, bool):
        raise VehicleError("simulated", f"{record.simulated!r} is neither true nor false.")
    if not isinstance(record.fuel, str) or record.fuel not in STOICH_AFR:
        raise VehicleError("fuel", f"{record.fuel!r} is not one of {', '.join(STOICH_AFR)}.")


def _check_figure(field: str, value: object, allowed: Range) -> None:
    number = _finite(field, value)
    if not allowed.low <= number <= allowed.high:
        unit = f" {allowed.unit}" if allowed.unit else ""
        raise VehicleError(
            field, f"{number:g}{unit} is not between {allowed.low:g} and {allowed.high:g}{unit}."
        )
    if allowed.whole and number != int(number):
        raise VehicleError(field, f"{number:g} is not a whole number.")


def _finite(field: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise VehicleError(field, f"{value!r} is not a number.")
    if not -1e12 < value < 1e12:  # NaN and infinity fail it, too
        raise VehicleError(field, f"{value:g} is not a number of any use.")
    return float(value)


def _check_gears(record: VehicleRecord) -> None:
    gears = record.gear_ratios
    if not isinstance(gears, tuple) or len(gears) > MOST_GEARS:
        raise VehicleError("gear_ratios", f"give a list of up to {MOST_GEARS} numbers.")
    for ratio in gears:
        if _finite("gear_ratios", ratio) <= 0.0:
            raise VehicleError("gear_ratios", f"{ratio:g} is not above zero.")
    if gears and record.dyno_gear is not None and record.dyno_gear > len(gears):
        raise VehicleError("dyno_gear", f"{record.dyno_gear}, but {len(gears)} gears are stated.")


def _check_dead_times(table: tuple[tuple[float, float], ...]) -> None:
    field = "injector_dead_ms"
    pairs = isinstance(table, tuple) and all(isinstance(p, tuple) and len(p) == 2 for p in table)
    if not pairs or len(table) > MOST_DEAD_TIMES:
        raise VehicleError(field, f"give up to {MOST_DEAD_TIMES} pairs of volts and milliseconds.")
    for volts, dead_ms in table:
        for value, (low, high), unit in ((volts, _DEAD_VOLTS, "V"), (dead_ms, _DEAD_MS, "ms")):
            if not low <= _finite(field, value) <= high:
                raise VehicleError(field, f"{value:g} {unit} is not between {low:g} and {high:g}.")
    if any(b[0] <= a[0] for a, b in pairwise(table)):
        raise VehicleError(field, "the voltages must rise.")


NO_VEHICLE = VehicleRecord("")
