"""How a program steers the simulated dyno that it started: one JSON object a line, both ways.

Orders come on the standard input of the simulating process, reports leave on its standard output.
An order reads {"do": "drive", "programme": "wot_pull"}; what each one takes stands in _ORDERS. A
line that is no order moves nothing; the next report says why.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_type_hints

from dynoai_desktop.capture.bus_faults import BUS_FAULTS
from dynoai_desktop.capture.simulated_bus import SimulatedBus
from dynoai_desktop.core.simulator.absorber import NO_LOAD, TARGETS, LoadControl, LoadMode
from dynoai_desktop.core.simulator.commands import Abort, ByHand, Drive, EngineSwitch, SetFault
from dynoai_desktop.core.simulator.faults import FAULTS
from dynoai_desktop.core.simulator.orders import ROUND, Order, Perform, Report
from dynoai_desktop.core.simulator.programmes import PROGRAMMES, demonstration
from dynoai_desktop.core.simulator.rig import Rig

LONGEST_LINE = 4096  # bytes; an order has a hundred
REPORT_S = 0.1  # between two reports
_MOST_FAULTS = len(FAULTS) + len(BUS_FAULTS)
_KMH = 3.6


class ControlError(ValueError):
    """A line that is no order or no report; the message is one sentence."""


class Lines:
    """Cuts a stream of bytes into lines. A line too long comes out once, cut, and is no order."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._part = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that *data* completes, without their ends.

        >>> Lines().feed(b'{"do": "abort"}' + bytes([10]) + b'{"do"')
        [b'{"do": "abort"}']
        """
        *whole, rest = (self._part + data).split(b"\n")
        if self._skipping and whole:
            whole = whole[1:]
            self._skipping = False
        if self._skipping:
            rest = b""
        elif len(rest) > LONGEST_LINE:
            whole.append(rest)
            rest, self._skipping = b"", True
        self._part = rest
        return [line[: LONGEST_LINE + 1] for line in whole]


def _number(name: str, low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ControlError(f"{name} must be a number.")
        if not low <= value <= high:
            raise ControlError(f"{name} must lie between {low:g} and {high:g}.")
        return float(value)

    return read


def _whole(name: str, low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ControlError(f"{name} must be a whole number between {low} and {high}.")
        return value

    return read


def _truth(name: str) -> Callable[[Any], bool]:
    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ControlError(f"{name} must be true or false.")
        return value

    return read


def _one_of(name: str, known: Mapping[str, Any]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ControlError(f"{name} must be one of {', '.join(known)}.")
        return value

    return read


def _load(value: Any) -> LoadControl:
    """Read {"mode": "rpm", "target": 3000}; the mode "off" needs no target."""
    if not isinstance(value, dict) or set(value) - {"mode", "target"}:
        raise ControlError("load must be an object with mode and target.")
    mode = LoadMode(_one_of("mode", dict.fromkeys(LoadMode))(value.get("mode")))
    if mode is LoadMode.OFF:
        return NO_LOAD
    return LoadControl(mode, _number("target", *TARGETS[mode])(value.get("target")))


@dataclass(frozen=True, slots=True)
class _Kind:
    """One order: what it makes of which fields. Optional ones may be left out."""

    make: Callable[..., Order]
    fields: Mapping[str, Callable[[Any], Any]]
    optional: bool = False


_ORDERS: Mapping[str, _Kind] = {
    "drive": _Kind(
        Perform, {"programme": _one_of("programme", {**PROGRAMMES, ROUND: demonstration})}
    ),
    "by_hand": _Kind(
        ByHand,
        {
            "tps_pct": _number("tps_pct", 0.0, 100.0),
            "engaged": _truth("engaged"),
            "gear": _whole("gear", 1, 12),
            "drum_brake": _number("drum_brake", 0.0, 1.0),
            "load": _load,
        },
        optional=True,
    ),
    "abort": _Kind(Abort, {}),
    "engine": _Kind(EngineSwitch, {"running": _truth("running")}),
    "fault": _Kind(
        SetFault, {"key": _one_of("key", {**FAULTS, **BUS_FAULTS}), "active": _truth("active")}
    ),
}


def parse_order(line: bytes) -> Order:
    """Return the order on one line. Raises ControlError for anything else, and nothing else.

    >>> parse_order(b'{"do": "engine", "running": false}')
    EngineSwitch(running=False)
    """
    document = _document(line)
    name = document.pop("do", None)
    if not isinstance(name, str) or name not in _ORDERS:
        raise ControlError(f"do must be one of {', '.join(_ORDERS)}.")
    kind = _ORDERS[name]
    for field in document:
        if field not in kind.fields:
            raise ControlError(f"{name} takes no field {field[:40]!r}.")
    for field in kind.fields:
        if field not in document and not kind.optional:
            raise ControlError(f"{name} needs the field {field}.")
    return kind.make(**{field: kind.fields[field](value) for field, value in document.items()})


def encode_order(order: Order) -> bytes:
    """Return an order as the line that `parse_order` reads.

    >>> encode_order(Perform("chop"))
    b'{"do": "drive", "programme": "chop"}\\n'
    """
    name, kind = next((n, k) for n, k in _ORDERS.items() if k.make is type(order))
    values = {field: getattr(order, field) for field in kind.fields}
    said = {field: value for field, value in values.items() if value is not None}
    return json.dumps({"do": name, **said}, default=asdict).encode() + b"\n"


def parse_report(line: bytes) -> Report:
    """Return the report on one line. Raises ControlError for anything else, and nothing else."""
    document = _document(line)
    hints = get_type_hints(Report)
    if set(document) != set(hints):
        raise ControlError("the report has other fields than expected.")
    for name, value in document.items():
        kind = hints[name]
        if kind == tuple[str, ...]:
            good = (
                isinstance(value, list)
                and len(value) <= _MOST_FAULTS
                and all(isinstance(key, str) for key in value)
            )
        elif kind is float:
            good = isinstance(value, float) and math.isfinite(value)
        else:
            good = type(value) is kind
        if not good:
            raise ControlError(f"{name} of the report is not what it should be.")
    return Report(**{**document, "faults": tuple(document["faults"])})


def encode_report(report: Report) -> bytes:
    """Return a report as the line that `parse_report` reads."""
    return json.dumps(asdict(report)).encode() + b"\n"


def _document(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise ControlError(f"a line has at most {LONGEST_LINE} bytes.")
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, nested too deep
        raise ControlError("the line is not JSON.") from error
    if not isinstance(document, dict):
        raise ControlError("the line must be one JSON object.")
    return document


class Steering:
    """Obeys lines, and says how it goes. For the thread that runs the bus."""

    def __init__(self, bus: SimulatedBus, rig: Rig) -> None:
        """Steer *rig*, and break the wire of *bus*."""
        self._bus, self._rig = bus, rig
        self._refused = ""

    def take(self, line: bytes) -> None:
        """Obey one line from the next tick on, or remember why not."""
        try:
            self._obey(parse_order(line))
        except ValueError as error:
            self._refused = str(error)
        else:
            self._refused = ""

    def _obey(self, order: Order) -> None:
        rig = self._rig
        match order:
            case Perform(programme):
                profile = rig.profile
                if programme == ROUND:
                    rig.command(Drive(demonstration(profile), repeat=True))
                else:
                    rig.command(Drive((PROGRAMMES[programme](profile),)))
            case SetFault(key, active) if key in BUS_FAULTS:
                self._bus.set_fault(key, active)
            case ByHand(load=LoadControl(mode)) if mode is not LoadMode.OFF and not self._has_load:
                raise ControlError("this dyno has no load brake; choose one that has.")
            case _:
                rig.command(order)

    @property
    def _has_load(self) -> bool:
        return self._rig.machine.setup.dyno.absorber_n > 0.0

    def report(self) -> Report:
        """Return what the rig is doing now."""
        rig = self._rig
        truth, operator = rig.truth(), rig.operator
        programme, controls = operator.programme, operator.controls
        return Report(
            phase=rig.state,
            programme="" if programme is None else programme.key,
            title="By hand" if programme is None else programme.title,
            busy=rig.busy,
            rpm=_plain(truth.rpm),
            tps_pct=_plain(truth.tps_pct),
            map_kpa=_plain(truth.map_kpa),
            speed_kmh=_plain(truth.speed_m_s * _KMH),
            head_c=_plain(max(truth.head_c.front, truth.head_c.rear)),
            gear=controls.gear,
            gears=len(rig.profile.gear_ratios),
            clutch_closed=operator.hand.engaged if programme is None else controls.clutch > 0.0,
            brake=_plain(controls.drum_brake),
            load=controls.load.mode.value,
            load_target=_plain(controls.load.target),
            load_n=_plain(rig.machine.absorber.force_n),
            has_load=self._has_load,
            pulls=operator.pulls,
            engine_on=rig.machine.running,
            faults=(*rig.faults, *self._bus.faults),
            refused=self._refused,
        )


def _plain(value: float) -> float:
    """Return a number short enough to print, of Python's own kind."""
    return round(float(value), 3)
