"""What JETDRIVE hosts say to each other: the messages, each knowing the layout of its value.

All numbers are little-endian, text is UTF-8 padded with NUL. `from_value` raises ProtocolError
for any bytes that are not such a message, and nothing else.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

PROTOCOL_VERSION: Final = 1
COMPATIBLE_VERSIONS: Final = range(1, 10)

SAMPLE: Final = np.dtype([("id", "<u2"), ("stamp_ms", "<u4"), ("value", "<f4")])
"""One ChannelValues record: channel id, provider clock in ms, value in the channel's wire unit."""

RECORDS_PER_PAGE: Final = 39  # what fits the reference implementation's 1400-byte MTU

_NAME_BYTES = 50
_RECORD = struct.Struct("<HB30sB")  # channel id, vendor, name, unit code
_U32 = struct.Struct("<I")
_U32_PAIR = struct.Struct("<II")


class ProtocolError(ValueError):
    """These bytes are not a JETDRIVE message."""


class Key(IntEnum):
    """The first byte of a frame."""

    CHANNEL_INFO = 0x01
    CHANNEL_VALUES = 0x02
    CLEAR_CHANNEL_INFO = 0x03
    PING = 0x04
    PONG = 0x05
    REQUEST_CHANNEL_INFO = 0x06
    REQUEST_LOGGING = 0x10
    REQUEST_LOAD_CONTROL = 0x11
    REQUEST_BRAKE = 0x12
    LOGGING = 0x20
    LOAD_CONTROL = 0x21
    BRAKE = 0x22


def clean_text(raw: bytes) -> str:
    """Return the text of a NUL-padded field as something that is safe to show.

    Bytes that are not UTF-8 and control or formatting characters become U+FFFD, other white space
    becomes a blank. A field without a NUL is used whole.

    >>> clean_text(b"MAP kPa" + bytes(23))
    'MAP kPa'
    """
    text = raw.partition(b"\0")[0].decode("utf-8", errors="replace")
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def _fit_text(text: str, size: int) -> bytes:
    """Return *text* as UTF-8 of at most *size* bytes, cut between characters."""
    return text.encode("utf-8", errors="replace")[:size].decode("utf-8", errors="ignore").encode()


def require(fits: bool, what: str, value: bytes) -> None:
    """Raise ProtocolError unless the value has a length that fits *what* it should be."""
    if not fits:
        raise ProtocolError(f"{len(value)} bytes is not the length of a {what}")


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """One channel as announced: *unit_code* is the wire's number, 255 for none."""

    id: int
    name: str
    unit_code: int = 255
    vendor: int = 0


@dataclass(frozen=True, slots=True)
class ChannelInfoPage:
    """A page of a provider's channel list. Pages merge by id; nothing says how many there are."""

    key: ClassVar[Key] = Key.CHANNEL_INFO
    provider: str
    records: tuple[ChannelRecord, ...]

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        body = len(value) - _NAME_BYTES
        require(body >= 0 and body % _RECORD.size == 0, "ChannelInfo page", value)
        records = tuple(
            ChannelRecord(channel, clean_text(name), unit_code, vendor)
            for channel, vendor, name, unit_code in _RECORD.iter_unpack(value[_NAME_BYTES:])
        )
        return cls(clean_text(value[:_NAME_BYTES]), records)

    def to_value(self) -> bytes:
        name = _fit_text(self.provider, _NAME_BYTES).ljust(_NAME_BYTES, b"\0")
        return name + b"".join(
            _RECORD.pack(r.id, r.vendor, _fit_text(r.name, 30), r.unit_code) for r in self.records
        )


def channel_info_pages(
    provider: str, records: Sequence[ChannelRecord], per_page: int = RECORDS_PER_PAGE
) -> list[ChannelInfoPage]:
    """Return a channel list as the pages to send; no channels make no page.

    >>> [len(page.records) for page in channel_info_pages("P", [ChannelRecord(0, "RPM")] * 42)]
    [39, 3]
    """
    return [
        ChannelInfoPage(provider, tuple(records[start : start + per_page]))
        for start in range(0, len(records), per_page)
    ]


@dataclass(frozen=True, slots=True)
class ChannelValues:
    """Samples in the wire's own layout, so that equality and the hot path need no copy."""

    key: ClassVar[Key] = Key.CHANNEL_VALUES
    packed: bytes

    @classmethod
    def of(cls, ids: Sequence[int], stamps_ms: Sequence[int], values: Sequence[float]) -> Self:
        """Pack samples given as columns of equal length."""
        samples = np.empty(len(ids), SAMPLE)
        samples["id"], samples["stamp_ms"], samples["value"] = ids, stamps_ms, values
        return cls(samples.tobytes())

    @property
    def samples(self) -> NDArray[np.void]:
        """Return the records, shape (n,), dtype SAMPLE, read-only."""
        return np.frombuffer(self.packed, SAMPLE)

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        require(len(value) % SAMPLE.itemsize == 0, "whole number of samples", value)
        return cls(value)

    def to_value(self) -> bytes:
        return self.packed


@dataclass(frozen=True, slots=True)
class ClearChannelInfo:
    """Forget every channel of the sender: sent before a new list and as a good-bye."""

    key: ClassVar[Key] = Key.CLEAR_CHANNEL_INFO

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        require(not value, "ClearChannelInfo", value)
        return cls()

    def to_value(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class RequestChannelInfo:
    """Ask for channel lists."""

    key: ClassVar[Key] = Key.REQUEST_CHANNEL_INFO

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        require(not value, "RequestChannelInfo", value)
        return cls()

    def to_value(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask one host, or all, for its clock. *clock_ms* is the asker's own, u32."""

    key: ClassVar[Key] = Key.PING
    clock_ms: int
    echo: bytes = b""
    version: int = PROTOCOL_VERSION

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        require(len(value) >= 5, "Ping", value)
        return cls(_U32.unpack_from(value, 1)[0], value[5:], value[0])

    def to_value(self) -> bytes:
        return bytes((self.version,)) + _U32.pack(self.clock_ms) + self.echo


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping: its clock copied, the answerer's own clock, its data echoed."""

    key: ClassVar[Key] = Key.PONG
    ping_clock_ms: int
    clock_ms: int
    echo: bytes = b""
    version: int = PROTOCOL_VERSION

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        require(len(value) >= 9, "Pong", value)
        ping_clock_ms, clock_ms = _U32_PAIR.unpack_from(value, 1)
        return cls(ping_clock_ms, clock_ms, value[9:], value[0])

    def to_value(self) -> bytes:
        clocks = _U32_PAIR.pack(self.ping_clock_ms, self.clock_ms)
        return bytes((self.version,)) + clocks + self.echo
