"""The wire: every message survives the journey, and no bytes can do harm."""

from __future__ import annotations

import contextlib
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.capture.protocol import (
    ALL_HOSTS,
    MAX_VALUE_BYTES,
    MESSAGES,
    SAMPLE,
    Brake,
    ChannelInfoPage,
    ChannelRecord,
    ChannelValues,
    ClearChannelInfo,
    Frame,
    Key,
    LoadControl,
    LoadTarget,
    Logging,
    LoggingRequest,
    Message,
    Ping,
    Pong,
    ProtocolError,
    RequestBrake,
    RequestChannelInfo,
    RequestLoadControl,
    RequestLogging,
    Switch,
    Unknown,
    channel_info_pages,
    clean_text,
    decode,
    encode,
)

u8, u16, u32 = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1)
f32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
switches = st.sampled_from([Switch.OFF, Switch.ON, Switch.QUERY])


def shown_text(most_bytes: int) -> st.SearchStrategy[str]:
    return st.text(max_size=most_bytes).filter(
        lambda text: text.isprintable() and len(text.encode("utf-8", "replace")) <= most_bytes
    )


records = st.builds(ChannelRecord, u16, shown_text(30), u8, u8)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(ChannelInfoPage, shown_text(50), st.lists(records, max_size=45).map(tuple)),
    st.integers(0, 60).flatmap(
        lambda n: st.binary(min_size=10 * n, max_size=10 * n).map(ChannelValues)
    ),
    st.just(ClearChannelInfo()),
    st.just(RequestChannelInfo()),
    st.builds(Ping, u32, st.binary(max_size=40), u8),
    st.builds(Pong, u32, u32, st.binary(max_size=40), u8),
    st.builds(RequestLogging, st.sampled_from(LoggingRequest)),
    st.builds(Logging, st.booleans(), u32),
    st.builds(RequestLoadControl, switches, st.sampled_from(LoadTarget), f32),
    st.builds(LoadControl, switches, st.sampled_from(LoadTarget), f32),
    st.builds(RequestBrake, switches),
    st.builds(Brake, switches),
    st.builds(Unknown, st.integers(0x30, 255), st.binary(max_size=40)),
)


@given(messages, st.integers(0, 0xFFFE), u8)
def test_every_message_arrives_as_it_was_sent(message: Message, host: int, seq: int) -> None:
    frame = Frame(message, host, seq)
    assert decode(encode(frame)) == frame


def test_the_messages_of_the_specification_are_all_known() -> None:
    assert set(MESSAGES) == set(Key)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_message_or_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode(data)


@given(st.sampled_from(list(Key)), st.binary(max_size=200), u16, u16)
def test_any_value_under_a_known_key_gives_a_message_or_a_protocol_error(
    key: Key, value: bytes, host: int, dest: int
) -> None:
    data = struct.pack("<BHHBH", key, len(value), host, 0, dest) + value
    try:
        frame = decode(data)
    except ProtocolError:
        return
    assert isinstance(frame.message, MESSAGES[key])


@given(messages, st.data())
def test_a_damaged_frame_gives_a_message_or_a_protocol_error(
    message: Message, data: st.DataObject
) -> None:
    damaged = bytearray(encode(Frame(message, 7, 7)))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(ProtocolError):
        decode(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))


def test_the_bytes_are_those_of_the_specification() -> None:
    assert encode(Frame(Ping(0x01020304), 0x4C27, 9)) == bytes.fromhex(
        "04 0500 274c 09 ffff 01 04030201"
    )
    assert encode(Frame(Pong(1, 2, b"ab"), 5, 6, 7)) == bytes.fromhex(
        "05 0b00 0500 06 0700 01 01000000 02000000 6162"
    )
    assert encode(Frame(ChannelValues.of([9], [1000], [1.0]), 1, 2)) == bytes.fromhex(
        "02 0a00 0100 02 ffff 0900 e8030000 0000803f"
    )
    page = encode(Frame(ChannelInfoPage("P", (ChannelRecord(2, "TPS", 16, 1),)), 1, 2))
    assert len(page) == 8 + 50 + 34
    assert page[58:] == b"\x02\x00\x01TPS" + bytes(27) + b"\x10"
    assert encode(Frame(RequestLoadControl(Switch.ON, LoadTarget.SPEED, 80.0), 1, 1, 3)) == (
        bytes.fromhex("11 0600 0100 01 0300 01 01 0000a042")
    )


def test_both_lengths_of_the_logging_response_are_understood() -> None:
    short = bytes.fromhex("20 0500 0100 01 ffff 01 10270000")
    long = bytes.fromhex("20 0700 0100 01 ffff 01 eeee 10270000")
    assert decode(short).message == decode(long).message == Logging(True, 10_000)


def test_bytes_after_the_frame_are_ignored() -> None:
    frame = Frame(Ping(5), 1, 2)
    assert decode(encode(frame) + b"more") == frame


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x04\x05\x00\x01\x00\x01\xff",  # seven bytes of header
        bytes.fromhex("04 0600 0100 01 ffff 01 00000000"),  # promises one byte more
        bytes.fromhex("04 0500 ffff 01 ffff 01 00000000"),  # sent by everybody
        bytes.fromhex("04 0400 0100 01 ffff 01 000000"),  # too short for a ping
        bytes.fromhex("02 0900 0100 01 ffff 000000000000000000"),  # nine tenths of a sample
        bytes.fromhex("03 0000 0100 01 0500"),  # a clear for one host only
        bytes.fromhex("03 0100 0100 01 ffff 00"),  # a clear with a value
        bytes.fromhex("10 0100 0100 01 ffff 04"),  # an unknown logging request
        bytes.fromhex("11 0600 0100 01 ffff 0100 0000c07f"),  # a load target that is no number
    ],
)
def test_what_breaks_a_rule_is_a_protocol_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(data)


def test_samples_come_as_columns_and_keep_nan_and_infinity() -> None:
    values = [1.5, math.nan, math.inf, -math.inf]
    message = ChannelValues.of([1, 2, 3, 0xFFFF], [0, 1, 2**32 - 1, 5], values)
    decoded = decode(encode(Frame(message, 1, 1))).message
    assert isinstance(decoded, ChannelValues)
    samples = decoded.samples
    assert samples.dtype == SAMPLE
    assert samples["id"].tolist() == [1, 2, 3, 0xFFFF]
    assert samples["stamp_ms"].tolist() == [0, 1, 2**32 - 1, 5]
    np.testing.assert_array_equal(samples["value"], np.array(values, np.float32))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Engine RPM\0\0\0\0", "Engine RPM"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"VE Rear \0junk after the end", "VE Rear "),
        (b"Temp \xc2\xb0C\0", "Temp °C"),
        (b"Temp \xc2", "Temp \ufffd"),  # cut in the middle of a character
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"a\nb\tc\x1b[31m\x7f", "a b c\ufffd[31m\ufffd"),
        ("\u202eMPR\u200b".encode(), "\ufffdMPR\ufffd"),  # text direction, invisible blank
        (b"<b>rpm</b>", "<b>rpm</b>"),
        (b"\0", ""),
    ],
)
def test_names_are_only_ever_text(raw: bytes, text: str) -> None:
    assert clean_text(raw) == text


@given(st.binary(max_size=60))
def test_names_can_always_be_shown_on_one_line(raw: bytes) -> None:
    assert clean_text(raw).isprintable()


def test_long_names_are_cut_between_characters() -> None:
    page = ChannelInfoPage("ä" * 40, (ChannelRecord(1, "°" * 20),))
    assert decode(encode(Frame(page, 1, 1))).message == ChannelInfoPage(
        "ä" * 25, (ChannelRecord(1, "°" * 15),)
    )


def test_five_thousand_channels_go_into_pages_that_fit_an_ethernet_frame() -> None:
    channels = [ChannelRecord(number, f"Channel {number}") for number in range(5000)]
    pages = channel_info_pages("Big", channels)
    datagrams = [encode(Frame(page, 1, n % 256)) for n, page in enumerate(pages)]
    assert len(pages) == 129
    assert max(map(len, datagrams)) <= 1400
    heard = [decode(data).message for data in datagrams]
    assert [r for page in heard if isinstance(page, ChannelInfoPage) for r in page.records] == (
        channels
    )
    assert channel_info_pages("None", []) == []


@pytest.mark.parametrize(
    "frame",
    [
        Frame(Ping(2**32), 1, 1),
        Frame(Ping(0), 1, 256),
        Frame(Ping(0), 0x10000, 1),
        Frame(ChannelValues(bytes(MAX_VALUE_BYTES + 10)), 1, 1, ALL_HOSTS),
        Frame(RequestLoadControl(Switch.ON, LoadTarget.RPM, math.nan), 1, 1),
        Frame(RequestLoadControl(Switch.ON, LoadTarget.RPM, 1e300), 1, 1),
        Frame(Unknown(256, b""), 1, 1),
    ],
)
def test_what_does_not_fit_the_wire_is_refused(frame: Frame) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        encode(frame)
