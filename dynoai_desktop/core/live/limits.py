"""Every threshold of the live analysis, with its default, its unit and what it means.

The fields are the settings; their titles and units stand in the fields themselves, so a screen can
list, change and reset them without knowing any. A change makes a new value; nothing is edited in
place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from dynoai_desktop.core.analysis.alignment import default_alignment
from dynoai_desktop.core.units import STOICH_AFR, Unit

_ALIGNMENT = default_alignment()


@dataclass(frozen=True, slots=True)
class Threshold:
    """One adjustable number as a screen shows it."""

    key: str
    title: str
    unit: Unit
    default: float | None
    value: float | None  # None: not set, and what depends on it is not watched


def _limit(default: float | None, title: str, unit: Unit = Unit.NONE) -> Any:
    return field(default=default, metadata={"title": title, "unit": unit, "default": default})


@dataclass(frozen=True, slots=True)
class GateLimits:
    """When a wideband reading may not speak about the fuel table."""

    running_rpm: float = _limit(350.0, "The engine runs above", Unit.RPM)
    after_start_s: float = _limit(5.0, "After-start enrichment lasts", Unit.SECOND)
    fuel_cut_ms: float = _limit(0.2, "No fuel below an injector time of", Unit.MILLISECOND)
    overrun_rpm: float = _limit(1500.0, "Closed throttle is overrun above", Unit.RPM)
    closed_tps: float = _limit(3.0, "The throttle is closed up to, above its stop", Unit.PERCENT)
    closed_kpa: float = _limit(34.0, "Without TPS it is closed below", Unit.KILOPASCAL)
    open_kpa: float = _limit(45.0, "Above this it is open, whatever TPS says", Unit.KILOPASCAL)
    tip_in_tps: float = _limit(20.0, "Tip-in: throttle opens faster, per second", Unit.PERCENT)
    tip_in_kpa: float = _limit(30.0, "Tip-in: MAP rises faster, per second", Unit.KILOPASCAL)
    tip_out_tps: float = _limit(15.0, "Tip-out: throttle closes faster, per second", Unit.PERCENT)
    tip_out_kpa: float = _limit(25.0, "Tip-out: MAP falls faster, per second", Unit.KILOPASCAL)
    settle_s: float = _limit(0.3, "The reading settles, beyond its delay, in", Unit.SECOND)
    soak_iat_c: float = _limit(54.4, "Heat soak: intake air hotter than", Unit.CELSIUS)
    soak_rpm: float = _limit(3500.0, "Heat soak: only below", Unit.RPM)
    soak_tps: float = _limit(15.0, "Heat soak: only with less throttle than", Unit.PERCENT)
    warm_ect_c: float = _limit(60.0, "The engine is warm from", Unit.CELSIUS)
    trim_pct: float = _limit(2.0, "The loop is closed when a trim exceeds", Unit.PERCENT)
    silent_s: float = _limit(0.5, "A sensor is silent after", Unit.SECOND)
    alive_span: float = _limit(0.005, "A wideband is alive once it moved by", Unit.LAMBDA)
    rail_low: float = _limit(0.53, "The wideband is at its rich stop below", Unit.LAMBDA)
    rail_high: float = _limit(1.45, "The wideband is at its lean stop above", Unit.LAMBDA)
    free_air_s: float = _limit(2.0, "It hangs in free air when there for", Unit.SECOND)
    least_lambda: float = _limit(0.60, "No engine runs richer than", Unit.LAMBDA)
    most_lambda: float = _limit(1.35, "No engine runs leaner than", Unit.LAMBDA)
    held_s: float = _limit(2.0, "The same reading to the last digit is held after", Unit.SECOND)
    dwell_s: float = _limit(0.25, "The engine stays in a cell for at least", Unit.SECOND)

    def __post_init__(self) -> None:
        """Refuse what is not a number: raises ValueError naming the threshold."""
        _require_numbers(self)


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """When the person at the dyno must be told."""

    redline_rpm: float | None = _limit(None, "Redline of this engine", Unit.RPM)
    lean_margin: float = _limit(0.0, "Added to the lean limits of the table", Unit.LAMBDA)
    lean_over_target: float = _limit(0.10, "Lean under load: share above target")
    lean_hysteresis: float = _limit(0.03, "The lean alert ends this far below", Unit.LAMBDA)
    rich_under_load: float = _limit(0.70, "Rich under load below", Unit.LAMBDA)
    load_rpm: float = _limit(1200.0, "Load matters above", Unit.RPM)
    load_kpa: float = _limit(85.0, "Under load from", Unit.KILOPASCAL)
    knock_deg: float = _limit(2.0, "Knock retard from", Unit.DEGREE)
    ect_c: float = _limit(150.0, "Engine hotter than", Unit.CELSIUS)
    iat_c: float = _limit(54.4, "Intake air hotter than", Unit.CELSIUS)
    battery_v: float = _limit(12.0, "Battery, engine running, below", Unit.VOLT)
    dead_s: float = _limit(5.0, "A wideband that does not move is dead after", Unit.SECOND)
    frozen_s: float = _limit(2.0, "Engine speed unchanged for", Unit.SECOND)
    frozen_tps: float = _limit(20.0, "while the throttle is open beyond", Unit.PERCENT)
    stale_s: float = _limit(2.0, "A channel is stale after", Unit.SECOND)
    missing_s: float = _limit(5.0, "A channel is missing when not heard for", Unit.SECOND)
    loss_pct: float = _limit(5.0, "Windows with lost datagrams, of the last 10 s", Unit.PERCENT)
    disagree: float = _limit(0.10, "Front and rear differ by more than", Unit.LAMBDA)
    power_fall_pct: float = _limit(2.0, "Power fell over three pulls by", Unit.PERCENT)
    repeat_s: float = _limit(5.0, "The same alert is not announced again within", Unit.SECOND)

    def __post_init__(self) -> None:
        """Refuse what is not a number: raises ValueError naming the threshold."""
        _require_numbers(self)


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Everything that can be set about the live analysis."""

    gates: GateLimits = field(default_factory=GateLimits)
    alerts: AlertLimits = field(default_factory=AlertLimits)
    aligned: bool = True  # False: a reading belongs to where the engine is now
    # Of the wideband and a stroke or two, before the stream has shown it: sensors answer in 50 to
    # 150 ms, and the doubt is half as wide again.
    lag_s: float = 0.11
    lag_doubt_s: float = 0.045  # one standard deviation
    transport_s: float = _ALIGNMENT.transport_s  # from valve to probe at 3000 rpm and 60 kPa
    transport_doubt_s: float = 0.05  # one standard deviation; it falls with flow, too
    follow_commanded: bool = True  # False: errors are against the target table alone
    enough_mass: float = 5.0  # hit mass from which a cell counts as covered
    fuel: str = "gasoline"
    stoich: float = STOICH_AFR["gasoline"]


def thresholds(limits: GateLimits | AlertLimits) -> tuple[Threshold, ...]:
    """Return every threshold of a set, with its default beside its value."""
    return tuple(
        Threshold(key=f.name, value=getattr(limits, f.name), **f.metadata) for f in fields(limits)
    )


def _require_numbers(limits: GateLimits | AlertLimits) -> None:
    for threshold in thresholds(limits):
        value = threshold.value
        unset = value is None and threshold.default is None
        if not unset and (not isinstance(value, int | float) or math.isnan(value)):
            raise ValueError(f"{threshold.key} must be a number, not {value!r}.")
