"""How often mapping and preflight are right: faults put into known buses, counted in a table.

The buses come from `synthetic_bus` or from any other function of a seed, so that a better
simulator can take its place without a change here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from dynoai_desktop.core.trust.check import PreflightInputs, Status
from dynoai_desktop.core.trust.evidence import observe
from dynoai_desktop.core.trust.mapping import resolve
from dynoai_desktop.core.trust.preflight import CHECKS, PreflightReport, run_preflight
from dynoai_desktop.core.trust.signals import Array, Signal
from dynoai_desktop.core.trust.truth_bus import DYNO, Bus, synthetic_bus

_KW_TO_HP, _NM_TO_LBFT = 1.341022, 0.737562
_MIXTURE_NAMES = (
    "LC1 Volts Petrol AFR", "Air/Fuel Ratio 1", "AFR Front", "Air/Fuel Ratio", "Lambda",
)  # fmt: skip
_REAR_NAMES = ("LC2 Volts Petrol AFR", "Air/Fuel Ratio 2", "AFR Rear")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, and the check that has to say so."""

    name: str
    check: str
    apply: Callable[[Bus], Bus]
    moving: bool = False  # shows only with the engine pulling on the drum
    twin: bool = False  # needs two widebands


@dataclass(frozen=True, slots=True)
class TruthRow:
    """How one fault fared over all seeds. For "healthy", raised counts the false alarms."""

    fault: str
    check: str
    sessions: int
    raised: int  # sessions in which its own check warned or failed
    others: dict[str, int]  # other checks that warned or failed, and in how many sessions

    @property
    def missed(self) -> int:
        """Return the sessions in which the fault went unseen."""
        return self.sessions - self.raised if self.check else 0


def truth_table(
    seeds: Iterable[int], make: Callable[..., Bus] = synthetic_bus
) -> tuple[TruthRow, ...]:
    """Return one row for the healthy engine and one for each fault.

    ``make(seed, moving=...)`` gives the healthy bus of a seed.
    """
    seeds = tuple(seeds)
    rows = [count_row(Fault("healthy", "", lambda bus: bus), seeds, make)]
    return (*rows, *(count_row(fault, seeds, make) for fault in FAULTS))


def preflight_of(bus: Bus, *, by_name_only: bool = False) -> PreflightReport:
    """Return the preflight of a bus, mapped with its own signals or by name and unit alone."""
    used = [c for c in bus.channels if bus.pinned is None or c.provider in bus.pinned]
    evidence = () if by_name_only else observe(used, bus.signals)
    return run_preflight(
        PreflightInputs(
            health=bus.health(),
            channel_map=resolve(used, evidence=evidence),
            signals=bus.signals,
            machine=bus.machine,
            pinned=bus.pinned,
            pair=bus.pair,
        )
    )


def raised_checks(bus: Bus, *, by_name_only: bool = False) -> dict[str, Status]:
    """Return the checks that warn or fail for this bus."""
    report = preflight_of(bus, by_name_only=by_name_only)
    return {c.id: c.status for c in report.checks if c.status in (Status.FAIL, Status.WARNING)}


def count_row(fault: Fault, seeds: Iterable[int], make: Callable[..., Bus]) -> TruthRow:
    """Return how one fault fares over *seeds*; ``make(seed, moving=...)`` gives healthy buses."""
    sessions = raised = 0
    others = {check.id: 0 for check in CHECKS}
    for seed in seeds:
        bus = make(seed, moving=fault.moving)
        if fault.twin and not _named(bus, _REAR_NAMES):
            continue
        sessions += 1
        found = raised_checks(fault.apply(bus))
        raised += bool(found) if not fault.check else fault.check in found
        for check in found:
            others[check] += check != fault.check
    return TruthRow(
        fault.name, fault.check, sessions, raised, {k: n for k, n in others.items() if n}
    )


def _named(bus: Bus, names: tuple[str, ...]) -> str:
    return next((name for name in names if bus.has(name)), "")


def _change(bus: Bus, name: str, change: Callable[[Signal], Signal]) -> Bus:
    """Return the bus with the signals of every channel of this name changed."""
    keys = {(c.provider, c.id) for c in bus.channels if c.name == name}
    return replace(bus, signals={k: change(s) if k in keys else s for k, s in bus.signals.items()})


def _values(bus: Bus, name: str, change: Callable[[Array], Array]) -> Bus:
    return _change(bus, name, lambda s: Signal(s.time_s, change(s.value)))


def _without(bus: Bus, *names: str) -> Bus:
    kept = tuple(c for c in bus.channels if c.name not in names)
    keys = {(c.provider, c.id) for c in kept}
    return replace(bus, channels=kept, signals={k: s for k, s in bus.signals.items() if k in keys})


def _onto(source: Signal) -> Callable[[Signal], Signal]:
    """Return a change that lets a channel carry another one's values at its own moments."""
    return lambda s: Signal(s.time_s, np.interp(s.time_s, source.time_s, source.value))


def _carry(bus: Bus, name: str, other: str) -> Bus:
    return _change(bus, name, _onto(bus.signals[bus.key(other)]))


def _mixture_of(bus: Bus) -> str:
    return _named(bus, _MIXTURE_NAMES)


def _swap_sensors(bus: Bus) -> Bus:
    """Put each wideband, with its voltage, into the other pipe."""
    front, rear = _mixture_of(bus), _named(bus, _REAR_NAMES)
    for one, two in ((front, rear), ("User Analog 1", "User Analog 2")):
        first, second = bus.signals[bus.key(one)], bus.signals[bus.key(two)]
        bus = _change(_change(bus, one, _onto(second)), two, _onto(first))
    return bus


def _freeze(values: Array) -> Array:
    return np.where(np.arange(len(values)) < len(values) // 2, values, values[len(values) // 2])


def _break_off(values: Array) -> Array:
    """Lose three readings in a hundred, spread as if by chance."""
    return np.where(np.arange(len(values)) * 7919 % 100 < 3, 0.0, values)


def _hold(signal: Signal) -> Signal:
    """Repeat each value for two seconds."""
    step = np.floor((signal.time_s - signal.time_s[0]) / 2.0)
    first = np.searchsorted(step, step)
    return Signal(signal.time_s, signal.value[first])


def _warming(values: Array) -> Array:
    level = 1.0 if float(np.median(values)) < 3 else 14.7
    rail = level * 0.5
    return np.where(np.arange(len(values)) < len(values) // 2, rail, values)


def _shifted(level: float) -> Callable[[Array], Array]:
    """Return a dead wideband that shows *level* AFR, on whichever scale the channel is."""
    return lambda values: np.full(
        len(values), level / (14.7 if float(np.median(values)) < 3 else 1.0)
    )


def _scarce(signal: Signal) -> Signal:
    keep = np.floor(signal.time_s - signal.time_s[0])
    first = np.flatnonzero(np.diff(keep, prepend=-1) > 0)[::2]
    return Signal(signal.time_s[first], signal.value[first])


def _second_dyno(bus: Bus) -> Bus:
    twin = [replace(c, provider="Dyno 2") for c in bus.channels if c.provider == DYNO]
    signals = {("Dyno 2", c.id): bus.signals[DYNO, c.id] for c in twin}
    return replace(bus, channels=(*bus.channels, *twin), signals={**bus.signals, **signals})


def _scale_all(bus: Bus, start: str, factor: float) -> Bus:
    for name in {c.name for c in bus.channels if c.name.startswith(start)}:
        bus = _values(bus, name, lambda v: v * factor)
    return bus


def _no_numbers(values: Array) -> Array:
    return np.where(np.arange(len(values)) % 4 == 0, np.nan, values)


def _engine_off(bus: Bus) -> Bus:
    for name in ("Engine RPM", "Digital RPM 1", "Torque Drum 1", "Power Drum 1"):
        bus = _values(bus, name, np.zeros_like)
    pressure = float(np.median(bus.signals[bus.key("Pressure")].value))
    return _values(bus, "MAP kPa", lambda v: np.full(len(v), pressure))


_TORQUES = ("Torque Drum 1", "Torque Drum 1 (uncorrected)")
FAULTS: tuple[Fault, ...] = (
    Fault("engine off", "engine_running", _engine_off),
    Fault("frozen rpm", "rpm_frozen", lambda b: _values(b, "Engine RPM", _freeze)),
    Fault("rpm breaks off", "rpm_dropouts", lambda b: _values(b, "Engine RPM", _break_off)),
    Fault("rpm carries AFR", "rpm", lambda b: _values(b, "Engine RPM", lambda v: 13 + v / 4000)),
    Fault("dead pick-up", "rpm", lambda b: _values(b, "Engine RPM", np.zeros_like)),
    Fault("AFR carries rpm", "mixture", lambda b: _carry(b, _mixture_of(b), "Digital RPM 1")),
    Fault(
        "AFR is lambda",
        "mixture",
        lambda b: _values(b, _mixture_of(b), lambda v: v / 14.7),
        twin=True,
    ),
    Fault("swapped widebands", "cylinders", _swap_sensors, moving=True, twin=True),
    Fault(
        "one wideband twice",
        "cylinders",
        lambda b: _change(b, _named(b, _REAR_NAMES), lambda _: b.signals[b.key(_mixture_of(b))]),
        twin=True,
    ),
    Fault("dead wideband", "wideband", lambda b: _values(b, _mixture_of(b), _shifted(13.2))),
    Fault("wideband in free air", "wideband", lambda b: _values(b, _mixture_of(b), _shifted(22.4))),
    Fault("wideband at 0 V", "wideband", lambda b: _values(b, _mixture_of(b), _shifted(7.35))),
    Fault("no wideband", "wideband", lambda b: _values(b, _mixture_of(b), _shifted(5.1))),
    Fault("wideband warming up", "wideband", lambda b: _values(b, _mixture_of(b), _warming)),
    Fault("barometer as MAP", "manifold_pressure", lambda b: _carry(b, "MAP kPa", "Pressure")),
    Fault("throttle out of range", "throttle", lambda b: _values(b, "TPS", lambda v: v - 60.0)),
    Fault(
        "power in hp",
        "power_torque",
        lambda b: _scale_all(b, "Power", _KW_TO_HP),
        moving=True,
    ),
    Fault(
        "torque in lb·ft",
        "power_torque",
        lambda b: _scale_all(b, "Torque", _NM_TO_LBFT),
        moving=True,
    ),
    Fault(
        "both in US units",
        "power_torque",
        lambda b: _scale_all(_scale_all(b, "Power", _KW_TO_HP), "Torque", _NM_TO_LBFT),
        moving=True,
    ),
    Fault("two dynos", "one_dyno", _second_dyno),
    Fault("30 % loss", "loss", lambda b: replace(b, lost={DYNO: 225})),
    Fault("rpm missing", "required_channels", lambda b: _without(b, "Engine RPM", "Digital RPM 1")),
    Fault("MAP and TPS missing", "required_channels", lambda b: _without(b, "MAP kPa", "TPS")),
    Fault("torque missing", "recommended_channels", lambda b: _without(b, *_TORQUES)),
    Fault("held values", "held_values", lambda b: _change(b, "Engine RPM", _hold)),
    Fault("rpm every other second", "rate", lambda b: _change(b, "Engine RPM", _scarce)),
    Fault(
        "mixture falls silent",
        "freshness",
        lambda b: _change(b, _mixture_of(b), lambda s: Signal(s.time_s[:40], s.value[:40])),
    ),
    Fault("not numbers", "non_finite", lambda b: _values(b, "Engine RPM", _no_numbers)),
    Fault("impossible air temperature", "range", lambda b: _values(b, "IAT", lambda v: v + 300)),
    Fault(
        "disk full",
        "disk_space",
        lambda b: replace(b, machine=replace(b.machine, free_bytes=50_000_000)),
    ),
    Fault(
        "folder read-only",
        "recording",
        lambda b: replace(b, machine=replace(b.machine, recording_error="permission denied")),
    ),
    Fault(
        "computer too slow",
        "processor",
        lambda b: replace(b, machine=replace(b.machine, window_ms=60.0)),
    ),
    Fault("nobody answers", "connectivity", lambda b: replace(b, channels=())),
)


def report(rows: Iterable[TruthRow]) -> str:
    """Return the table as text."""
    lines = ["fault                        check                 sessions  raised  missed  others"]
    for row in rows:
        others = ", ".join(f"{check} {count}" for check, count in row.others.items())
        lines.append(
            f"{row.fault:<28} {row.check or '(none)':<21} {row.sessions:>8} {row.raised:>7} "
            f"{row.missed:>7}  {others}"
        )
    return "\n".join(lines)
