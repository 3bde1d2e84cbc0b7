"""Numbers, times and foreign names as the screen prints them.

Missing is a dash. Names from the wire are plain text: what cannot be printed is replaced, so a
name can neither break a line nor turn the reading direction around.
"""

from __future__ import annotations

import math
from datetime import datetime

from dynoai_desktop.core.units import Display, MixtureScale, Unit

ABSENT = "–"
MINUS = "−"
GROUP = "\u00a0"  # 4 820: a space that does not break

# Decimals that a reading deserves at a glance. One step of λ is about as much as one of AFR.
_GLANCE_DECIMALS = {Unit.LAMBDA: 2, Unit.AFR: 1, Unit.VOLT: 1, Unit.PSI: 1, Unit.INCH_MERCURY: 1}


def in_units(value: float, unit: Unit, display: Display) -> tuple[float, Unit]:
    """Return a reading held in *unit* as the tuner wants it, with the unit it is shown in.

    A channel that is AFR on the wire follows the mixture setting too, by the fuel's stoich.

    >>> in_units(14.7, Unit.AFR, Display(mixture=MixtureScale.LAMBDA))
    (1.0, <Unit.LAMBDA: 'λ'>)
    """
    if unit is Unit.AFR and display.mixture is MixtureScale.LAMBDA:
        return value / display.stoich, Unit.LAMBDA
    return display.value(value, unit), display.unit(unit)


def glance(value: float | None, unit: Unit) -> str:
    """Return a number already in its display unit, short enough to read from afar.

    >>> glance(4820.4, Unit.RPM), glance(0.874, Unit.LAMBDA), glance(None, Unit.RPM)
    ('4\\xa0820', '0.87', '–')
    """
    return number(value, _GLANCE_DECIMALS.get(unit, 0))


def number(value: float | None, decimals: int) -> str:
    """Return *value* with grouped thousands and a true minus; a dash when it is no number.

    >>> number(-0.04, 1), number(-3.21, 1), number(float("nan"), 1)
    ('0.0', '−3.2', '–')
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    if abs(value) >= 1e7:
        return f"{value:.1e}".replace("-", MINUS)
    rounded = round(value, decimals) + 0.0  # adding zero turns minus zero into zero
    return f"{rounded:,.{decimals}f}".replace(",", GROUP).replace("-", MINUS)


def measured(value: float | None) -> str:
    """Return a table reading with about four significant digits.

    >>> measured(98.04), measured(0.8712), measured(4820.4)
    ('98.04', '0.871', '4\\xa0820')
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    size = abs(value)
    return number(value, 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3)


def age(seconds: float | None) -> str:
    """Return how old a reading is.

    >>> age(0.12), age(3.2), age(75), age(7300)
    ('0.1 s', '3.2 s', '1 min', '2 h')
    """
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    if seconds < 60:
        return f"{max(seconds, 0.0):.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.0f} h"


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds, with hours when there are any.

    >>> clock(12.9), clock(3723)
    ('00:12', '1:02:03')
    """
    whole = int(seconds) if math.isfinite(seconds) and seconds > 0 else 0
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def file_size(size_bytes: int) -> str:
    """Return a file size in decimal units.

    >>> file_size(1_500_000), file_size(900)
    ('1.5 MB', '900 B')
    """
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = size_bytes / 1000
    for unit in ("kB", "MB"):
        if size < 999.95:
            return f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def local_time(unix_s: float) -> str:
    """Return date and time of day where the computer stands; a dash when out of the calendar."""
    try:
        return datetime.fromtimestamp(unix_s).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return ABSENT


def plain(name: str) -> str:
    """Return a foreign name as harmless text on one line.

    >>> plain("RPM\\x00\\n<b>"), plain("a\\u202eb")
    ('RPM��<b>', 'a�b')
    """
    return name if name.isprintable() else "".join(c if c.isprintable() else "�" for c in name)


def in_sentence(title: str) -> str:
    """Return a title as it stands within a sentence; abbreviations keep their capitals.

    >>> in_sentence("Manifold pressure"), in_sentence("AFR front")
    ('manifold pressure', 'AFR front')
    """
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def count(n: int, noun: str) -> str:
    """Return a counted noun.

    >>> count(1, "provider"), count(2, "provider")
    ('1 provider', '2 providers')
    """
    return f"{n:,} {noun}".replace(",", GROUP) + ("" if n == 1 else "s")
