"""The JETDRIVE wire: bytes in, messages out. Sans-IO, little-endian, one frame per UDP datagram.

A frame is an 8-byte header (key, length of the value, sender, sequence number, destination) and
a value whose layout depends on the key. `decode` turns any bytes into a Frame or raises
ProtocolError; `encode` is its inverse. `MESSAGES` lists all messages, so a new one is one class
and one row.

Source: JetDrive specification 2.1.1; byte order and the 7-byte logging response as the reference
implementation (JetdriveSharp) writes them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from dynoai_desktop.capture.commands import (
    Brake,
    LoadControl,
    LoadTarget,
    Logging,
    LoggingRequest,
    RequestBrake,
    RequestLoadControl,
    RequestLogging,
    Switch,
)
from dynoai_desktop.capture.messages import (
    COMPATIBLE_VERSIONS,
    PROTOCOL_VERSION,
    RECORDS_PER_PAGE,
    SAMPLE,
    ChannelInfoPage,
    ChannelRecord,
    ChannelValues,
    ClearChannelInfo,
    Key,
    Ping,
    Pong,
    ProtocolError,
    RequestChannelInfo,
    channel_info_pages,
    clean_text,
)

__all__ = [
    "ALL_HOSTS",
    "COMPATIBLE_VERSIONS",
    "HEADER",
    "MAX_VALUE_BYTES",
    "MESSAGES",
    "NO_HOST",
    "PROTOCOL_VERSION",
    "RECORDS_PER_PAGE",
    "SAMPLE",
    "Brake",
    "ChannelInfoPage",
    "ChannelRecord",
    "ChannelValues",
    "ClearChannelInfo",
    "Frame",
    "Key",
    "Known",
    "LoadControl",
    "LoadTarget",
    "Logging",
    "LoggingRequest",
    "Message",
    "Ping",
    "Pong",
    "ProtocolError",
    "RequestBrake",
    "RequestChannelInfo",
    "RequestLoadControl",
    "RequestLogging",
    "Switch",
    "Unknown",
    "channel_info_pages",
    "clean_text",
    "decode",
    "encode",
]

HEADER: Final = struct.Struct("<BHHBH")  # key, value length, sender, sequence number, destination
ALL_HOSTS: Final = 0xFFFF  # as a destination only
NO_HOST: Final = 0  # a sender that has not chosen its id yet
MAX_VALUE_BYTES: Final = 65_507 - HEADER.size  # the longest UDP payload over IPv4


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a later protocol. It is counted and otherwise ignored."""

    key: int
    value: bytes

    def to_value(self) -> bytes:
        return self.value


Known: TypeAlias = (
    ChannelInfoPage
    | ChannelValues
    | ClearChannelInfo
    | Ping
    | Pong
    | RequestChannelInfo
    | RequestLogging
    | RequestLoadControl
    | RequestBrake
    | Logging
    | LoadControl
    | Brake
)
Message: TypeAlias = Known | Unknown

MESSAGES: Final[dict[int, type[Known]]] = {
    kind.key: kind
    for kind in (
        ChannelInfoPage,
        ChannelValues,
        ClearChannelInfo,
        Ping,
        Pong,
        RequestChannelInfo,
        RequestLogging,
        RequestLoadControl,
        RequestBrake,
        Logging,
        LoadControl,
        Brake,
    )
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A message with its envelope. *seq* is one counter per sender for all that it sends."""

    message: Message
    host: int
    seq: int
    dest: int = ALL_HOSTS


def decode(data: bytes) -> Frame:
    """Return the frame in one datagram; bytes after its end are ignored.

    Raises ProtocolError on any malformed datagram, and nothing else.
    """
    if len(data) < HEADER.size:
        raise ProtocolError(f"{len(data)} bytes is shorter than a header")
    key, length, host, seq, dest = HEADER.unpack_from(data)
    value = data[HEADER.size : HEADER.size + length]
    if len(value) < length:
        raise ProtocolError(f"{len(value)} bytes follow a header that promises {length}")
    if host == ALL_HOSTS:
        raise ProtocolError("0xFFFF is not a sender")
    kind = MESSAGES.get(key)
    message = Unknown(key, value) if kind is None else kind.from_value(value)
    if isinstance(message, ClearChannelInfo) and dest != ALL_HOSTS:
        raise ProtocolError("ClearChannelInfo is for all hosts or for none")
    return Frame(message, host, seq, dest)


def encode(frame: Frame) -> bytes:
    """Return the datagram of a frame.

    Raises ValueError when a field does not fit the wire.
    """
    message = frame.message
    try:
        value = message.to_value()
        if len(value) > MAX_VALUE_BYTES:
            raise ValueError(f"{len(value)} bytes do not fit one datagram.")
        header = HEADER.pack(message.key, len(value), frame.host, frame.seq, frame.dest)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"A field does not fit the wire: {error}.") from error
    return header + value
