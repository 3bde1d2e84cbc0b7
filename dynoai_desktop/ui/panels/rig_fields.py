"""What can be typed about a simulated vehicle and about its tune: one row for each field.

The fields are those of the simulator's documents; a dot leads into a group. Values are held in SI
and shown in the tuner's units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dynoai_desktop.core.units import Display, Unit, convert
from dynoai_desktop.ui.scales import parse_number

Fields = dict[str, Any]  # a document of the simulator, groups and all


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is written, and read again; reading raises ValueError with what is wrong."""

    write: Callable[[Any, float], str]  # value and how much larger it is shown
    read: Callable[[str, float], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the form."""

    path: str
    title: str
    kind: Kind
    unit: Unit = Unit.NONE  # it is held in
    symbol: str = ""  # where that unit has no name of its own
    gain: float = 1.0  # shown over held: 100 for a share in percent

    def label(self, display: Display) -> str:
        """Return the title with the unit it is shown in.

        >>> Field("peak_power_kw", "Peak power", NUMBER, Unit.KILOWATT).label(Display())
        'Peak power, hp'
        """
        symbol = self.symbol or display.unit(self.unit).value
        return f"{self.title}, {symbol}" if symbol else self.title

    def text(self, fields: Mapping[str, Any], display: Display) -> str:
        """Return the value as it is shown, "" where there is none."""
        value = look_up(fields, self.path)
        return "" if value is None else self.kind.write(value, self._gain(display))

    def value(self, text: str, display: Display) -> Any:
        """Return what a text means. Raises ValueError with what is wrong with it."""
        return self.kind.read(text, self._gain(display))

    def _gain(self, display: Display) -> float:
        shown_in = display.unit(self.unit)
        return self.gain * convert(1.0, self.unit, shown_in)


def look_up(fields: Mapping[str, Any], path: str) -> Any:
    """Return a field of a document by its path, None where it is not stated."""
    group, _, name = path.rpartition(".")
    return (fields.get(group, {}) if group else fields).get(name)


def put(fields: Fields, path: str, value: Any) -> None:
    """State a field of a document by its path."""
    group, _, name = path.rpartition(".")
    (fields.setdefault(group, {}) if group else fields)[name] = value


def _read_number(text: str, gain: float) -> float:
    value = parse_number(text)
    if value != value:
        raise ValueError("must be a number.")
    return value / gain


def _read_whole(text: str, _gain: float) -> int:
    value = _read_number(text, 1.0)
    if value != int(value):
        raise ValueError("must be a whole number.")
    return int(value)


def _write_numbers(values: Any, gain: float) -> str:
    return "  ".join(_write_number(value, gain) for value in values)


def _read_numbers(text: str, gain: float) -> list[float]:
    try:
        return [_read_number(word, gain) for word in text.split()]
    except ValueError as error:
        raise ValueError("must be numbers with blanks between them.") from error


def _write_number(value: Any, gain: float) -> str:
    return f"{value * gain:.6g}"


def _read_yes(text: str, _gain: float) -> bool:
    word = text.strip().lower()
    if word not in ("yes", "no"):
        raise ValueError("must be yes or no.")
    return word == "yes"


NUMBER = Kind(_write_number, _read_number)
WHOLE = Kind(lambda value, _gain: f"{value:g}", _read_whole)
NUMBERS = Kind(_write_numbers, _read_numbers)
TEXT = Kind(lambda value, _gain: str(value), lambda text, _gain: text.strip())
YES = Kind(lambda value, _gain: "yes" if value else "no", _read_yes)

_PERCENT = {"symbol": "%", "gain": 100.0}

VEHICLE_FIELDS: tuple[Field, ...] = (
    Field("title", "Title", TEXT),
    Field("cylinders", "Cylinders", WHOLE),
    Field("displacement_cc", "Displacement", NUMBER, symbol="cc"),
    Field("bore_mm", "Bore", NUMBER, symbol="mm"),
    Field("stroke_mm", "Stroke", NUMBER, symbol="mm"),
    Field("compression_ratio", "Compression", NUMBER),
    Field("fuel", "Fuel", TEXT),
    Field("boost_kpa", "Boost", NUMBER, Unit.KILOPASCAL),
    Field("cooling", "Cooling", TEXT),
    Field("widebands", "Widebands", WHOLE),
    Field("idle_rpm", "Idle", NUMBER, Unit.RPM),
    Field("redline_rpm", "Redline", NUMBER, Unit.RPM),
    Field("peak_power_kw", "Peak power", NUMBER, Unit.KILOWATT),
    Field("peak_power_rpm", "Peak power at", NUMBER, Unit.RPM),
    Field("peak_torque_nm", "Peak torque", NUMBER, Unit.NEWTON_METRE),
    Field("peak_torque_rpm", "Peak torque at", NUMBER, Unit.RPM),
    Field("low_speed_torque", "Torque at idle, of peak", NUMBER, **_PERCENT),
    Field("peak_ve", "Peak VE", NUMBER, **_PERCENT),
    Field("idle_afr", "Target AFR at idle", NUMBER),
    Field("wot_afr", "Target AFR at full load", NUMBER),
    Field("pull_start_rpm", "Pulls begin at", NUMBER, Unit.RPM),
    Field("dyno_gear", "Dyno gear", WHOLE),
    Field("gear_ratios", "Overall ratios", NUMBERS),
    Field("tyre_circumference_m", "Tyre circumference", NUMBER, Unit.METRE),
    Field("engine_inertia_kgm2", "Engine inertia", NUMBER, symbol="kg·m²"),
    Field("wheel_inertia_kgm2", "Wheel inertia", NUMBER, symbol="kg·m²"),
    Field("front.trim_rpm", "Front breathes apart at", NUMBERS, Unit.RPM),
    Field("front.trim_pct", "Front apart by", NUMBERS, symbol="%"),
    Field("rear.trim_rpm", "Rear breathes apart at", NUMBERS, Unit.RPM),
    Field("rear.trim_pct", "Rear apart by", NUMBERS, symbol="%"),
    Field("rear.head_rise_c", "Rear head hotter by", NUMBER, symbol="K"),
    Field("ve_rpm", "Table speeds", NUMBERS, Unit.RPM),
    Field("ve_map_kpa", "Table pressures", NUMBERS, symbol="kPa"),
)

TUNE_FIELDS: tuple[Field, ...] = (
    Field("title", "Title", TEXT),
    Field("mean", "VE tables off everywhere by", NUMBER, **_PERCENT),
    Field("spread", "VE tables off at random by", NUMBER, **_PERCENT),
    Field("reach", "Random error smooth over", NUMBER, symbol="cells"),
    Field("rear_scale", "Rear table, of the right one", NUMBER, **_PERCENT),
    Field("injector_flow", "Injectors flow, of what is set", NUMBER, **_PERCENT),
    Field("dead_time_error_ms", "Dead time above what is set", NUMBER, Unit.MILLISECOND),
    Field("spark_front_deg", "Front spark early by", NUMBER, Unit.DEGREE),
    Field("spark_rear_deg", "Rear spark early by", NUMBER, Unit.DEGREE),
    Field("build.low_speed", "Engine changed: VE at idle", NUMBER, **_PERCENT),
    Field("build.high_speed", "Engine changed: at the redline", NUMBER, **_PERCENT),
    Field("build.rear", "Engine changed: rear cylinders", NUMBER, **_PERCENT),
    Field("closed_loop", "Closed loop at low load", YES),
)
REGION_FIELDS: tuple[Field, ...] = (
    Field("error", "VE off by", NUMBER, **_PERCENT),
    Field("rpm_low", "from rpm", NUMBER),
    Field("rpm_high", "to rpm", NUMBER),
    Field("map_low_kpa", "from kPa", NUMBER),
    Field("map_high_kpa", "to kPa", NUMBER),
    Field("cylinder", "front, rear or both", TEXT),
)
