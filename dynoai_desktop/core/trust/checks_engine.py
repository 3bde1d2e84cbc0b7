"""Checks of what the signals say: temperature, throttle, manifold pressure, torque and power."""

from __future__ import annotations

import numpy as np

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.trust.check import (
    Verdict,
    View,
    failed,
    passed,
    skipped,
    warning,
)
from dynoai_desktop.core.trust.consistency import (
    DRUM_UNITS,
    SHAFT_UNITS,
    Ratio,
    drum_ratio,
    shaft_ratio,
    units_of,
)
from dynoai_desktop.core.trust.signals import (
    Array,
    correlation,
    median,
    span,
    throttle_shut,
)

COLD_C = 60.0  # enrichment for warm-up has ended by here
TOO_STILL_KPA = 0.6  # every intake stroke moves manifold pressure by more
_AT_IDLE = "Start the engine, let it idle and check again."


def engine_running(view: View) -> Verdict:
    """The engine turns, so that the other checks can look at it."""
    column = view.column(Channel.RPM)
    if not np.isfinite(column).any():
        return skipped("No engine speed has been heard.", _AT_IDLE)
    if view.runs:
        return passed(f"The engine runs at {median(column[view.running]):.0f} rpm.")
    if float(np.nanmax(np.abs(column))) < 1.0:
        return warning("The engine is not running.", _AT_IDLE)
    return skipped(f"{view.name(Channel.RPM)} shows no running engine.", _AT_IDLE)


def engine_temperature(view: View) -> Verdict:
    """The engine is warm: a cold one is fed for another mixture and makes less power."""
    level = median(view.column(Channel.ECT)[-40:])
    if level != level:
        return skipped("No engine temperature has been heard.")
    if level < COLD_C:
        return warning(
            f"The engine is cold: {level:.0f} °C.",
            f"Let it idle until it passes {COLD_C:.0f} °C, then check again.",
        )
    return passed(f"The engine is at {level:.0f} °C.")


def throttle(view: View) -> Verdict:
    """The throttle position lies between 0 and 100 %."""
    column = view.column(Channel.TPS)
    known = column[np.isfinite(column)]
    if not len(known):
        return skipped("No throttle position has been heard.")
    low, high = float(known.min()), float(known.max())
    if low < -2.0 or high > 102.0:
        return failed(
            f"{view.name(Channel.TPS)} runs from {low:.0f} to {high:.0f} %.",
            "Calibrate the throttle position, or choose another source in Mapping.",
        )
    return passed(f"The throttle was between {low:.0f} and {high:.0f} %.")


def manifold_pressure(view: View) -> Verdict:
    """The pressure that fills the load axis is that of the manifold, not of the air outside."""
    pressure = np.where(view.running, view.column(Channel.MAP), np.nan)
    tps = np.where(view.running, view.column(Channel.TPS), np.nan)
    name = view.name(Channel.MAP)
    if view.binding(Channel.MAP) is None:
        return skipped("No manifold pressure is mapped.")
    if np.count_nonzero(np.isfinite(pressure)) < 40:
        return skipped("The engine has to run for this check.", _AT_IDLE)
    travel, level = span(pressure), median(pressure)
    fix = "Choose the manifold sensor in Mapping; check its hose."
    outside = median(view.column(Channel.BARO))
    as_outside = abs(level - outside) < 2.0 if outside == outside else 85.0 <= level <= 105.0
    shut = throttle_shut(tps)
    if travel < 2.0 and shut and as_outside:
        return failed(
            f"{name} reads {level:.1f} kPa with the throttle shut: this looks like barometric "
            "pressure.",
            fix,
        )
    if travel < TOO_STILL_KPA and as_outside and median(tps) < 60.0:
        return failed(
            f"{name} stands at {level:.1f} kPa with the engine running: this looks like "
            "barometric pressure.",
            fix,
        )
    opened = span(tps) >= 15.0 and float(np.nanmin(tps)) < 20.0
    if opened and travel < 2.0:
        return failed(
            f"{name} does not move with the throttle: this looks like barometric pressure.", fix
        )
    if opened and correlation(tps, pressure) < 0.0:
        return warning(f"{name} falls when the throttle opens.", fix)
    if not opened and not shut:
        return skipped("The throttle did not move.", "Blip the throttle and check again.")
    return passed(f"{name} is {level:.0f} kPa and moves as it should.")


def power_and_torque(view: View) -> Verdict:
    """Power is torque × engine speed, and force × drum speed; a factor betrays a wrong unit."""
    fix = "Set the unit of the odd one in Mapping, or in Power Core's JetDrive settings."
    power = _uncorrected(view, Channel.POWER)
    if power is not None:
        drum = drum_ratio(power, view.column(Channel.FORCE), view.column(Channel.SPEED))
        ways = units_of(drum, DRUM_UNITS) if drum is not None and not drum.agrees else ()
        if drum is not None and ways:
            words = ways[0].words(("power", "force", "speed"))
            return failed(f"Power is {drum.middle:.2f} × force × speed: {words}.", fix)
    shaft = _shaft(view)
    if shaft is None:
        return skipped("Not enough torque for this check.", "Make a short pull and check again.")
    if shaft.agrees:
        return passed(f"Power is torque × engine speed within {abs(shaft.middle - 1):.1%}.")
    message = f"Power is {shaft.middle:.2f} × torque × engine speed"
    ways = units_of(shaft, SHAFT_UNITS)
    if ways:
        words = " or ".join(way.words(("power", "torque")) for way in ways)
        return failed(f"{message}: {words}.", fix)
    return failed(
        f"{message}: these three do not belong together.",
        "Check the engine speed first; then the sources of power and torque in Mapping.",
    )


def _shaft(view: View) -> Ratio | None:
    """Compare power and torque, both corrected for weather or both not."""
    power, torque = view.binding(Channel.POWER), view.binding(Channel.TORQUE)
    if power is None or torque is None:
        return None
    columns = view.column(Channel.POWER), view.column(Channel.TORQUE)
    if power.corrected is not torque.corrected:
        measured = _uncorrected(view, Channel.POWER), _uncorrected(view, Channel.TORQUE)
        if measured[0] is None or measured[1] is None:
            return None
        columns = measured[0], measured[1]
    return shaft_ratio(*columns, view.column(Channel.RPM))


def _uncorrected(view: View, channel: Channel) -> Array | None:
    """Return power or torque before weather correction, None where that is not known.

    High up the correction reaches a third, as much as the step from kW to hp.
    """
    binding = view.binding(channel)
    if binding is None:
        return None
    if binding.corrected is False:
        return view.column(channel)
    factor = view.column(Channel.CORR_FACTOR)
    if binding.corrected is None or not np.isfinite(factor).any():
        return None
    return view.column(channel) / factor
