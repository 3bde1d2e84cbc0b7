"""Words of the analysis page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.wording import MINUS, in_units, number

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.payload import Payload

MODES = {
    "idle": "Idle",
    "cruise": "Cruise",
    "part_load": "Part load",
    "wot": "Wide open",
    "tip_in": "Tip-in",
    "tip_out": "Tip-out",
    "decel": "Overrun",
    "heat_soak": "Heat soak",
    "unknown": "Not running",
}
REASONS = {
    "rpm_missing": "no engine speed",
    "load_missing": "no load",
    "engine_stopped": "engine stopped",
    "target_missing": "no lambda target",
    "sensor_dead": "wideband stands still",
    "lambda_implausible": "lambda implausible",
    "lambda_missing": "no lambda",
    "fuel_cut": "fuel cut",
    "overrun": "overrun",
    "lambda_railed": "lambda at its stop",
    "tip_in": "tip-in",
    "tip_out": "tip-out",
    "settling": "settling after a change",
    "heat_soak": "heat soak",
    "warm_up": "engine cold",
    "off_axes": "outside the table",
}
REGIONS = {"idle": "Idle", "cruise": "Cruise", "wide_open": "Wide open"}
KINDS = {"pull": "Pull", "sweep": "Sweep", "hold": "Hold", "coast_down": "Coast-down"}
STATES = {  # of a feature: sign, word, state colour
    "available": ("✓", "available", "good"),
    "degraded": ("!", "limited", "attention"),
    "disabled": ("×", "not possible", "quiet"),
}


def said(code: str, words: dict[str, str]) -> str:
    """Return the word for a code; one that is new is printed as it is.

    >>> said("tip_in", REASONS), said("not_yet_known", REASONS)
    ('tip-in', 'not yet known')
    """
    return words.get(code, code.replace("_", " "))


def delay_words(payload: Payload) -> str:
    """Return the delay of the widebands with its interval."""
    alignment = payload.evidence.alignment
    low, high = alignment.interval_s
    span = f"{1000 * alignment.delay_s:.0f} ms, 95 % within {1000 * low:.0f} to {1000 * high:.0f}"
    how = "measured from this log" if alignment.measured else "not measured: the usual delay"
    return f"{span} ({how})"


def quantity(value: float | None, unit: Unit, look: Look, decimals: int = 1) -> str:
    """Return a value with the tuner's unit; a dash when there is none."""
    if value is None:
        return number(None, 0)
    shown, unit = in_units(value, unit, look.display)
    return f"{number(shown, decimals)} {unit.value}"


def signed(value: float, decimals: int) -> str:
    """Return a number with its sign.

    >>> signed(2.04, 1), signed(-0.5, 1)
    ('+2.0', '−0.5')
    """
    text = number(value, decimals)
    return text if text.startswith(MINUS) or not any(c in text for c in "123456789") else f"+{text}"
