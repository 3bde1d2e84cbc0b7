"""The messages that drive machinery: logging, load control, brake, and their answers.

They are optional in the protocol, and only ever sent on the operator's word. Answers may come
unasked.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self, TypeVar

from dynoai_desktop.capture.messages import Key, ProtocolError, require

_U32 = struct.Struct("<I")
_SWITCH = struct.Struct("<BBf")
_E = TypeVar("_E", bound=IntEnum)


class LoggingRequest(IntEnum):
    """What a logging request asks for."""

    STOP = 0
    START = 1
    CANCEL = 2  # stop without saving
    QUERY = 3


class Switch(IntEnum):
    """Off, on, or a third meaning: a request queries with it, a response says "not equipped"."""

    OFF = 0
    ON = 1
    QUERY = 2
    NOT_EQUIPPED = 2


class LoadTarget(IntEnum):
    """What load control holds constant; targets are in wire units (rpm, km/h, N·m, %)."""

    RPM = 0
    SPEED = 1
    ACCELERATION = 2
    BRAKE = 3
    TORQUE = 4


def _enum(kind: type[_E], code: int) -> _E:
    try:
        return kind(code)
    except ValueError as error:
        raise ProtocolError(f"{code} is no {kind.__name__}") from error


@dataclass(frozen=True, slots=True)
class RequestLogging:
    """Start, stop or query logging on the dyno."""

    key: ClassVar[Key] = Key.REQUEST_LOGGING
    request: LoggingRequest

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        require(len(value) == 1, "RequestLogging", value)
        return cls(_enum(LoggingRequest, value[0]))

    def to_value(self) -> bytes:
        return bytes((self.request,))


@dataclass(frozen=True, slots=True)
class Logging:
    """Whether the dyno logs, and since or until when on its clock."""

    key: ClassVar[Key] = Key.LOGGING
    running: bool
    clock_ms: int

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        # The specification leaves bytes 1 and 2 undefined; some senders leave them out.
        require(len(value) in (5, 7), "logging response", value)
        running = _enum(Switch, value[0])
        if running is Switch.NOT_EQUIPPED:
            raise ProtocolError("logging is neither on nor off")
        return cls(bool(running), _U32.unpack_from(value, len(value) - 4)[0])

    def to_value(self) -> bytes:
        return bytes((self.running, 0, 0)) + _U32.pack(self.clock_ms)


def _load_fields(value: bytes, what: str) -> tuple[Switch, LoadTarget, float]:
    require(len(value) == _SWITCH.size, what, value)
    switch, kind, target = _SWITCH.unpack(value)
    if not math.isfinite(target):
        raise ProtocolError("the load target is not a number")
    return _enum(Switch, switch), _enum(LoadTarget, kind), target


def _load_value(switch: Switch, kind: LoadTarget, target: float) -> bytes:
    if not math.isfinite(target):
        raise ValueError("A load target must be a finite number.")
    return _SWITCH.pack(switch, kind, target)


@dataclass(frozen=True, slots=True)
class RequestLoadControl:
    """Set or query load control."""

    key: ClassVar[Key] = Key.REQUEST_LOAD_CONTROL
    switch: Switch
    kind: LoadTarget
    target: float

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        return cls(*_load_fields(value, "RequestLoadControl"))

    def to_value(self) -> bytes:
        return _load_value(self.switch, self.kind, self.target)


@dataclass(frozen=True, slots=True)
class LoadControl:
    """The state of load control."""

    key: ClassVar[Key] = Key.LOAD_CONTROL
    switch: Switch
    kind: LoadTarget
    target: float

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        return cls(*_load_fields(value, "load control response"))

    def to_value(self) -> bytes:
        return _load_value(self.switch, self.kind, self.target)


@dataclass(frozen=True, slots=True)
class RequestBrake:
    """Set or query the brake."""

    key: ClassVar[Key] = Key.REQUEST_BRAKE
    switch: Switch

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        require(len(value) == 1, "RequestBrake", value)
        return cls(_enum(Switch, value[0]))

    def to_value(self) -> bytes:
        return bytes((self.switch,))


@dataclass(frozen=True, slots=True)
class Brake:
    """The state of the brake."""

    key: ClassVar[Key] = Key.BRAKE
    switch: Switch

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        require(len(value) == 1, "brake response", value)
        return cls(_enum(Switch, value[0]))

    def to_value(self) -> bytes:
        return bytes((self.switch,))
