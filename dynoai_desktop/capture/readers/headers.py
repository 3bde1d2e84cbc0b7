"""What the head of a column says: device, name, unit.

``(PV) Engine Speed`` is a device and a name, ``Coolant Temp (C)`` and ``map_kpa [kPa]`` a name and
a unit, ``Torque (uncorrected)`` only a name. The words of a unit are looked up whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dynoai_desktop.core.units import Unit

_DEVICE = re.compile(r"^\(([^()]*)\)\s*(?=\S)")
_BEHIND = re.compile(r"\s*(\(([^()]*)\)|\[([^\[\]]*)\])\s*$")
_LAST_WORD = re.compile(r"(?<=[\s_])([A-Za-z%°/]+)$")


@dataclass(frozen=True, slots=True)
class UnitWord:
    """A unit as a file writes it: ``value_in_unit = value_in_file * gain``."""

    unit: Unit
    gain: float = 1.0


@dataclass(frozen=True, slots=True)
class Header:
    """A column head taken apart. *unit* is None where no unit is stated or it is not known."""

    text: str
    device: str
    name: str
    unit_text: str
    unit: UnitWord | None
    bare: str = ""  # the name without a unit that stands in it: “speed” of “speed_mph”


def _words() -> dict[str, UnitWord]:
    table: dict[str, UnitWord] = {}
    for words, unit, gain in (
        ("rpm r/min 1/min u/min", Unit.RPM, 1.0),
        ("rpm×1000 rpmx1000 krpm x1000rpm 1000rpm", Unit.KILO_RPM, 1.0),
        ("kpa kpaa kpaabs kilopascal kilopascals", Unit.KILOPASCAL, 1.0),
        ("bar", Unit.KILOPASCAL, 100.0),
        ("mbar hpa", Unit.KILOPASCAL, 0.1),
        ("psi psia", Unit.PSI, 1.0),
        ("inhg in-hg", Unit.INCH_MERCURY, 1.0),
        ("c °c degc celsius", Unit.CELSIUS, 1.0),
        ("f °f degf fahrenheit", Unit.FAHRENHEIT, 1.0),
        ("s sec secs second seconds", Unit.SECOND, 1.0),
        ("ms msec millisecond milliseconds", Unit.MILLISECOND, 1.0),
        ("us µs μs usec", Unit.MILLISECOND, 1e-3),
        ("v volt volts", Unit.VOLT, 1.0),
        ("a amp amps", Unit.AMPERE, 1.0),
        ("% pct percent", Unit.PERCENT, 1.0),
        ("deg ° degs degree degrees °btdc degbtdc btdc °ca", Unit.DEGREE, 1.0),
        ("km/h kph kmh kmph", Unit.KMH, 1.0),
        ("m/s", Unit.KMH, 3.6),
        ("mph mi/h", Unit.MPH, 1.0),
        ("hp bhp whp", Unit.HORSEPOWER, 1.0),
        ("kw", Unit.KILOWATT, 1.0),
        ("ps cv", Unit.KILOWATT, 0.73549875),  # metric horsepower, 75 kgf·m/s
        ("nm n·m n-m n.m n*m", Unit.NEWTON_METRE, 1.0),
        ("lb·ft ft·lb lb-ft ft-lb lb.ft ft.lb lbft ftlb ft-lbs ftlbs", Unit.POUND_FOOT, 1.0),
        ("lbf·ft ft·lbf lbf-ft ft-lbf lbfft ftlbf", Unit.POUND_FOOT, 1.0),
        ("n newton newtons", Unit.NEWTON, 1.0),
        ("lbf lb lbs", Unit.LBF, 1.0),
        ("m metre metres meter meters", Unit.METRE, 1.0),
        ("ft feet", Unit.FOOT, 1.0),
        ("g", Unit.GRAVITY, 1.0),
        ("(km/h)/s km/h/s kph/s", Unit.KMH_PER_S, 1.0),
        ("mph/s mph/sec", Unit.MPH_PER_S, 1.0),
        ("rpm/(km/h) rpm/kph", Unit.RPM_PER_KMH, 1.0),
        ("rpm/mph", Unit.RPM_PER_MPH, 1.0),
        ("afr a/f :1 afr:1", Unit.AFR, 1.0),
        ("λ lambda", Unit.LAMBDA, 1.0),
        ("kg/h kg/hr", Unit.KG_PER_H, 1.0),
        ("g/s g/sec", Unit.KG_PER_H, 3.6),
    ):
        table |= dict.fromkeys(words.split(), UnitWord(unit, gain))
    return table


_UNITS = _words()
# Units that may stand behind a name without brackets. Single letters are left out: "AFR F" is the
# front cylinder, and "IAT C" is settled where it is known that the column is a temperature. So is
# rpm: "Engine RPM" is a name, and is written in thousands as well.
_LOOSE_WORDS = "kpa psi inhg mbar hpa ms us nm kw hp mph kph km/h pct % deg degc degf sec"
_LOOSE = frozenset(_LOOSE_WORDS.split())


def unit_word(text: str) -> UnitWord | None:
    """Return the unit a word stands for, or None.

    >>> unit_word("Deg C").unit, unit_word("bar").gain
    (<Unit.CELSIUS: '°C'>, 100.0)
    """
    return _UNITS.get(re.sub(r"\s+", "", text).lower())


def parse_header(text: str, *, bracket_is_unit: bool = False) -> Header:
    """Take a column head apart. *bracket_is_unit*: the format always ends a name with its unit.

    >>> parse_header("(DWRT CPU) Power (uncorrected)").name
    'Power (uncorrected)'
    >>> parse_header("Man Abs Press (kPa)").unit
    UnitWord(unit=<Unit.KILOPASCAL: 'kPa'>, gain=1.0)
    """
    rest, device, unit_text = text.strip(), "", ""
    tag = _DEVICE.match(rest)
    if tag:
        device, rest = tag.group(1), rest[tag.end() :]
    behind = _BEHIND.search(rest)
    if behind and behind.start() > 0:
        round_text, square_text = behind.group(2), behind.group(3)
        inside = square_text if round_text is None else round_text
        if bracket_is_unit or round_text is None or unit_word(inside) is not None:
            unit_text, rest = inside, rest[: behind.start()]
    unit = unit_word(unit_text)
    bare = rest
    if not unit_text:
        last = _LAST_WORD.search(rest)
        word = last.group(1) if last else ""
        time_in_seconds = word.lower() == "s" and rest.lower().startswith("time")
        if word.lower() in _LOOSE or time_in_seconds:
            unit_text, unit = word, unit_word(word)
            bare = rest[: -len(word)].rstrip(" _")
    return Header(text.strip(), device, rest, unit_text, unit, bare)
