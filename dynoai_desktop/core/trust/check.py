"""What a preflight check gets to see and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Binding, ChannelMap, Rejection
from dynoai_desktop.core.trust.health import BusHealth, ChannelHealth
from dynoai_desktop.core.trust.names import parse_name
from dynoai_desktop.core.trust.scoring import read_channel, slot_of, stated_unit
from dynoai_desktop.core.trust.signals import (
    GRID_HZ,
    Array,
    Mask,
    Signal,
    Signals,
    SourceKey,
    grid_of,
    median,
    on_grid,
)
from dynoai_desktop.core.trust.transforms import between
from dynoai_desktop.core.units import STOICH_AFR, Unit

RUNNING_RPM = 400.0
_SENSOR_S = 1.0  # gas on its way and the lag of a wideband
_GASOLINE = STOICH_AFR["gasoline"]


class Status(StrEnum):
    """The outcome of a check, worst first."""

    FAIL = "fail"
    WARNING = "warning"
    SKIPPED = "skipped"  # could not be judged; the message says what it takes
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found and what to do about it."""

    status: Status
    message: str
    fix: str = ""


class WidebandState(StrEnum):
    """What a wideband controller says about itself, where it says anything."""

    WARMING = "warming up"
    CALIBRATING = "calibrating"
    NEEDS_CALIBRATION = "asking for a free-air calibration"
    ERROR = "reporting a fault"


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """Measured facts of this computer. None: not measured, the check is skipped."""

    free_bytes: int | None = None  # on the disk that records
    bytes_per_s: float | None = None  # what recording takes
    recording_error: str | None = None  # "" when a trial file could be written
    window_ms: float | None = None  # processor time for everything done in one 50 ms window
    socket_error: str = ""  # why the bus could not be joined


@dataclass(frozen=True, slots=True)
class PairBaseline:
    """How front and rear lambda stood to each other when they were known to be right."""

    offset: float  # mean of front − rear, lambda
    scatter: float  # standard deviation of that difference between runs


@dataclass(frozen=True, slots=True)
class PreflightInputs:
    """Everything a preflight looks at: measured outside, judged here."""

    health: BusHealth
    channel_map: ChannelMap
    signals: Signals
    machine: MachineFacts = field(default_factory=MachineFacts)
    pinned: frozenset[str] | None = None  # names of the providers to use; None: all
    widebands: Mapping[Channel, WidebandState] = field(default_factory=dict)  # by lambda slot
    pair: PairBaseline | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)  # check id → reason
    stoich: float = _GASOLINE  # of the fuel the AFR channels are scaled for


class View:
    """The inputs, with bound signals on a common grid, in canonical units."""

    def __init__(self, inputs: PreflightInputs) -> None:
        """Lay the grid; signals are put on it as checks ask for them."""
        self.inputs = inputs
        self.health = inputs.health
        self.map = inputs.channel_map
        self.grid = grid_of(inputs.signals)
        self._columns: dict[Channel, Array] = {}
        self._slots = {slot_of(b.channel): b for b in self.map.bindings.values()}
        for item in self.map.rejected:  # looked at as well: the check says what is wrong with it
            self._slots.setdefault(slot_of(item.channel), _as_binding(item))
        self._health = {(c.provider, c.id): c for c in inputs.health.channels}
        self._running: Mask | None = None

    def binding(self, slot: Channel) -> Binding | None:
        """Return what fills *slot*, or would but for its signal; AFR fills lambda."""
        return self._slots.get(slot)

    def name(self, slot: Channel) -> str:
        """Return the name of the source of *slot* as it is shown, in quotes."""
        binding = self._slots.get(slot)
        return f"“{parse_name(binding.source.name).text}”" if binding else "nothing"

    def channel_health(self, slot: Channel) -> ChannelHealth | None:
        """Return the health of the source of *slot*."""
        binding = self._slots.get(slot)
        return self._health.get((binding.source.provider, binding.source.id)) if binding else None

    def signal(self, slot: Channel) -> Signal | None:
        """Return the raw signal of *slot*, in the unit it is sent in."""
        binding = self._slots.get(slot)
        if binding is None:
            return None
        return self.inputs.signals.get((binding.source.provider, binding.source.id))

    def column(self, slot: Channel) -> Array:
        """Return *slot* on the grid (m,), in the unit of the bound channel; NaN where unknown."""
        if slot not in self._columns:
            binding, signal = self._slots.get(slot), self.signal(slot)
            if binding is None or signal is None:
                self._columns[slot] = np.full(len(self.grid), np.nan)
            else:
                change = binding.transform
                self._columns[slot] = on_grid(signal, self.grid) * change.gain + change.offset
        return self._columns[slot]

    def mixture(self, slot: Channel) -> Array:
        """Return a mixture slot on the grid as lambda, whatever it is sent as."""
        return self.column(slot) / self._lambda_scale(slot)

    def mixture_text(self, slot: Channel, value: float) -> str:
        """Return a lambda of this slot as its channel shows it: "22.4 AFR" or "1.52 lambda"."""
        scale = self._lambda_scale(slot)
        return f"{value * scale:.1f} AFR" if scale != 1.0 else f"{value:.2f} lambda"

    def _lambda_scale(self, slot: Channel) -> float:
        binding = self._slots.get(slot)
        is_afr = binding is not None and CHANNELS[binding.channel].unit is Unit.AFR
        return self.inputs.stoich if is_afr else 1.0

    def raw(self, key: SourceKey) -> Array:
        """Return any channel on the grid, in its own unit."""
        signal = self.inputs.signals.get(key)
        return on_grid(signal, self.grid) if signal else np.full(len(self.grid), np.nan)

    def announced(self) -> tuple[ChannelInfo, ...]:
        """Return every channel of the providers in use."""
        pinned = self.inputs.pinned
        return tuple(
            ChannelInfo(c.provider, c.id, c.name, c.unit)
            for c in self.health.channels
            if pinned is None or c.provider in pinned
        )

    def engine_speeds(self) -> dict[str, SourceKey]:
        """Return every channel that could be the engine's speed, by name; the mapped one first."""
        found: dict[str, SourceKey] = {}
        binding = self._slots.get(Channel.RPM)
        if binding is not None:
            source = binding.source
            found[parse_name(source.name).text] = (source.provider, source.id)
        for info in self.announced():
            slots = {slot_of(r.channel) for r in read_channel(info.name, info.unit)}
            if Channel.RPM in slots:
                found.setdefault(parse_name(info.name).text, (info.provider, info.id))
        return found

    @property
    def running(self) -> Mask:
        """Return where on the grid the engine turns, by any engine speed that looks like one."""
        if self._running is None:
            speeds = [self.column(Channel.RPM), *map(self.raw, self.engine_speeds().values())]
            usable = [s for s in speeds if median(s) > 30.0]
            self._running = np.zeros(len(self.grid), bool)
            for speed in usable:
                self._running |= np.nan_to_num(speed) > RUNNING_RPM
        return self._running

    @property
    def runs(self) -> bool:
        """Return True when the engine turned for at least two seconds."""
        return int(np.count_nonzero(self.running)) >= 40

    @property
    def fuelled(self) -> Mask:
        """Return where the engine turns and is fed: no overrun, nor the second after it."""
        cut = (self.column(Channel.TPS) < 5.0) & (self.column(Channel.RPM) > 1500.0)
        lately = cut.copy()
        for step in range(1, int(_SENSOR_S * GRID_HZ) + 1):
            lately[step:] |= cut[:-step]
        return self.running & ~lately


def _as_binding(item: Rejection) -> Binding:
    unit = stated_unit(parse_name(item.source.name), item.source.unit)
    change = between(unit, CHANNELS[item.channel].unit)
    return Binding(item.channel, item.source, change, 0.0, (item.reason,), item.corrected)


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table."""

    id: str
    title: str
    run: Callable[[View], Verdict]
    blocking: bool = False  # cannot be overridden: there would be nothing to keep
    slots: frozenset[Channel] = frozenset()  # whose rejected sources are reported here


def passed(message: str) -> Verdict:
    """Return a pass."""
    return Verdict(Status.PASS, message)


def skipped(message: str, fix: str = "") -> Verdict:
    """Return that this could not be judged, and what it takes."""
    return Verdict(Status.SKIPPED, message, fix)


def warning(message: str, fix: str) -> Verdict:
    """Return a warning."""
    return Verdict(Status.WARNING, message, fix)


def failed(message: str, fix: str) -> Verdict:
    """Return a failure."""
    return Verdict(Status.FAIL, message, fix)
