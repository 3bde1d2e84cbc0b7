"""The traffic of the reference implementation comes out as its README says, whole or damaged."""

from __future__ import annotations

import math
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dynoai_desktop.capture.pcap import PcapReader
from dynoai_desktop.capture.protocol import ChannelInfoPage, ChannelValues, Key, decode
from dynoai_desktop.capture.session import Session
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.capture.values import Values
from tests.jetdrive_traffic import counts, provider

CORE, PROBE = 0x4C27, 0xB23C
CORE_WHOLE, PROBE_WHOLE = (1704, 0, 0, 0, 0), (72, 0, 0, 0, 0)

# id: (name, unit code, samples, min, max); None where the README gives no figure
CORE_CHANNELS = {
    0: ("Sampling", 255, 68, 0, 1),
    1: ("Sampling Duration", 0, 68, 0, 9.5),
    2: ("TCP TX kB/s", 255, 68, None, None),
    3: ("TCP RX kB/s", 255, 68, None, None),
    4: ("UDP RX kB/s", 255, 68, None, None),
    5: ("Link 0 Status", 255, 68, 1, 1),
    6: ("Link 1 Status", 255, 68, 0, 0),
    7: ("Internal Temp 1", 6, 68, 38.07, 38.29),
    8: ("Internal Temp 2", 6, 68, 40.87, 41.12),
    9: ("Digital RPM 1", 8, 3400, 925.3, 6196.6),
    10: ("Digital RPM 2", 8, 3400, 0, 0),
    11: ("Engine RPM", 8, 3400, 925.8, 6200.3),
    12: ("Force Drum 1", 3, 3400, 43.6, 848.7),
    13: ("Power Drum 1", 4, 3400, 0.81, 53.55),
    14: ("Power Drum 1 (uncorrected)", 4, 3400, 0.80, 52.60),
    15: ("Torque Drum 1", 5, 3400, 6.25, 121.68),
    16: ("Torque Drum 1 (uncorrected)", 5, 3400, 6.14, 119.53),
    17: ("Speed 1", 2, 3400, 17.8, 119.2),
    18: ("Distance 1", 1, 3400, 0.05, 476.8),
    19: ("Acceleration", 10, 3400, 0, 8.65),
    20: ("Correction Factor", 255, 68, 1.018, 1.018),
    21: ("Gear Ratio", 9, 68, 52.0, 52.0),
    22: ("User Analog 1", 14, 1700, 1.62, 4.40),
    23: ("User Analog 2", 14, 1700, 1.69, 4.26),
    24: ("LC1 Volts Petrol AFR", 11, 1700, 12.22, 20.58),
    25: ("LC2 Volts Petrol AFR", 11, 1700, 12.42, 20.17),
    26: ("MAP kPa", 7, 3400, 24.7, 99.4),
    27: ("TPS", 16, 3400, 0, 100),
    28: ("IAT", 6, 68, 33.0, 34.7),
    29: ("VBatt", 14, 68, 13.81, 13.96),
    30: ("Inductive 1 Signal Strength", 16, 68, 78, 78),
    31: ("Inductive 2 Signal Strength", 16, 68, 0, 0),
    32: ("Pressure", 7, 68, 97.62, 97.62),
    33: ("Spark Advance Front", 255, 3400, 25.4, 34.6),
    34: ("Knock Retard Front", 255, 3400, 0, 2.5),
}
PROBE_CHANNELS = {
    0: ("Temperature 1", 6, 68, 24.1, 24.1),
    1: ("Temperature 2", 6, 68, 24.3, 24.3),
    2: ("Pressure", 7, 68, 97.6, 97.6),
    3: ("Humidity", 16, 68, 41.5, 41.5),
    4: ("Absolute Pressure", 7, 68, 97.7, 97.7),
    5: ("Vapor Pressure", 7, 68, 1.25, 1.25),
    6: ("Humidity", 16, 68, 12.4, 12.4),
}


@pytest.fixture(scope="module")
def capture() -> list[Datagram]:
    """Every datagram of the shared capture."""
    path = Path(__file__).resolve().parents[2] / "shared/data/jetdrive/reference_two_providers.pcap"
    if not path.exists():
        pytest.skip(f"the shared capture is not at {path}")
    with PcapReader(path) as reader:
        return list(reader)


def hear(datagrams: list[Datagram]) -> tuple[Session, Values]:
    """Return the session and all its samples after the last datagram."""
    session = Session()
    values = Values.join([session.feed(datagrams), session.flush_unknown()])
    session.tick(datagrams[-1].arrival_us)
    return session, values


def of_host(datagrams: list[Datagram], host: int, key: Key = Key.CHANNEL_VALUES) -> list[int]:
    """Return where the frames of this kind from this host are."""
    return [
        index
        for index, datagram in enumerate(datagrams)
        if datagram.data[0] == key and datagram.data[3:5] == host.to_bytes(2, "little")
    ]


def samples_in(datagram: Datagram) -> int:
    return (len(datagram.data) - 8) // 10


def probe_is_unharmed(session: Session) -> bool:
    health = provider(session, "Atmospheric Probe")
    return counts(health) == PROBE_WHOLE and health.samples == 476


def test_frames_samples_and_losses_are_those_of_the_readme(capture: list[Datagram]) -> None:
    session, values = hear(capture)
    core, probe = session.providers(capture[-1].arrival_us)
    assert (core.name, core.host_id, core.channel_count) == ("Power Core", CORE, 35)
    assert (probe.name, probe.host_id, probe.channel_count) == ("Atmospheric Probe", PROBE, 7)
    assert counts(core) == CORE_WHOLE
    assert counts(probe) == PROBE_WHOLE
    assert (core.samples, probe.samples, len(values)) == (58_888, 476, 59_364)
    assert (core.restarts, probe.restarts) == (0, 0)
    assert (session.datagrams, session.nameless, session.malformed) == (1778, 2, 0)
    assert (session.unknown_hosts, session.held, session.overflow) == (0, 0, 0)
    assert list(session.notices) == []


@pytest.mark.parametrize(
    ("name", "expected"), [("Power Core", CORE_CHANNELS), ("Atmospheric Probe", PROBE_CHANNELS)]
)
def test_every_channel_has_the_samples_and_range_of_the_readme(
    capture: list[Datagram], name: str, expected: dict[int, tuple[str, int, int, float, float]]
) -> None:
    session, values = hear(capture)
    found = {
        channel.id: (channel.name, channel.unit_code, values.value[values.channel == index])
        for index, channel in enumerate(session.channels)
        if channel.provider == name
    }
    assert found.keys() == expected.keys()
    for channel_id, (channel_name, unit_code, samples, low, high) in expected.items():
        heard_name, heard_unit, heard = found[channel_id]
        assert (heard_name, heard_unit, len(heard)) == (channel_name, unit_code, samples)
        if low is not None:
            # the README rounds, and gives one figure for a reading that hardly moves
            assert heard.min() == pytest.approx(low, abs=0.1)
            assert heard.max() == pytest.approx(high, abs=0.1)


def test_samples_lie_on_our_clock_with_the_spacing_of_their_stamps(
    capture: list[Datagram],
) -> None:
    session, values = hear(capture)
    assert (values.time_us <= values.arrival_us).all()
    assert not values.synced.any()
    index = next(i for i, c in enumerate(session.channels) if c.name == "Engine RPM")
    spacing = np.diff(values.time_us[values.channel == index])
    assert spacing.min() >= 0
    assert np.median(spacing) == 10_000
    assert spacing.max() < 40_000


def test_dropped_datagrams_are_counted_each_and_only_their_samples_are_missing(
    capture: list[Datagram],
) -> None:
    rng = random.Random(1)
    dropped = set(rng.sample(of_host(capture, CORE)[1:-1], 300))
    missing = sum(samples_in(capture[index]) for index in dropped)
    session, values = hear([d for index, d in enumerate(capture) if index not in dropped])
    assert counts(provider(session)) == (1404, 300, 0, 0, 0)
    assert provider(session).samples == 58_888 - missing
    assert sum(count for _, count in values.losses) == 300
    assert probe_is_unharmed(session)


@pytest.mark.parametrize("length", [1, 40, 127, 128, 200, 255])
def test_a_burst_of_losses_is_counted_exactly(capture: list[Datagram], length: int) -> None:
    victims = of_host(capture, CORE)
    burst = set(victims[400 : 400 + length])
    session, _ = hear([d for index, d in enumerate(capture) if index not in burst])
    assert counts(provider(session)) == (1704 - length, length, 0, 0, 0)
    assert probe_is_unharmed(session)


def test_the_frames_around_the_wrap_are_lost_like_any_others(capture: list[Datagram]) -> None:
    at_wrap = {
        index for index in of_host(capture, CORE) if capture[index].data[5] in (254, 255, 0, 1)
    }
    session, _ = hear([d for index, d in enumerate(capture) if index not in at_wrap])
    assert counts(provider(session)) == (1704 - len(at_wrap), len(at_wrap), 0, 0, 0)
    assert probe_is_unharmed(session)


def test_duplicates_are_counted_each_and_used_once(capture: list[Datagram]) -> None:
    rng = random.Random(2)
    twice = set(rng.sample(of_host(capture, CORE), 200))
    datagrams = [d for index, d in enumerate(capture) for d in [d] * (1 + (index in twice))]
    session, values = hear(datagrams)
    assert counts(provider(session)) == (1904, 0, 200, 0, 0)
    assert len(values) == 59_364
    assert probe_is_unharmed(session)


def test_reordered_datagrams_are_counted_each_and_lose_nothing(capture: list[Datagram]) -> None:
    rng = random.Random(3)
    order = list(range(len(capture)))
    victims = of_host(capture, CORE)
    moved = 0
    for position in range(10, len(victims) - 10, 12):
        a, b = victims[position], victims[position + rng.randrange(1, 6)]
        order.insert(order.index(b) + 1, order.pop(order.index(a)))
        moved += 1
    datagrams = [
        capture[index]._replace(arrival_us=capture[place].arrival_us)
        for place, index in enumerate(order)
    ]
    session, values = hear(datagrams)
    assert counts(provider(session)) == (1704, 0, 0, moved, 0)
    assert len(values) == 59_364
    assert probe_is_unharmed(session)


def test_truncated_datagrams_are_malformed_and_not_lost(capture: list[Datagram]) -> None:
    rng = random.Random(4)
    cut = rng.sample(of_host(capture, CORE), 100)
    datagrams = list(capture)
    for index in cut:
        size = rng.randrange(8, len(capture[index].data))
        datagrams[index] = capture[index]._replace(data=capture[index].data[:size])
    session, values = hear(datagrams)
    assert counts(provider(session)) == (1704, 0, 0, 0, 100)
    assert len(values) == 59_364 - sum(samples_in(capture[index]) for index in cut)
    assert session.malformed == 0
    assert probe_is_unharmed(session)


def test_a_datagram_cut_inside_its_header_is_a_loss_to_its_sender(capture: list[Datagram]) -> None:
    victims = of_host(capture, CORE)[100:110]
    datagrams = list(capture)
    for size, index in enumerate(victims):
        datagrams[index] = capture[index]._replace(data=capture[index].data[: min(size, 7)])
    session, _ = hear(datagrams)
    assert counts(provider(session)) == (1694, 10, 0, 0, 0)
    assert session.malformed == 10
    assert probe_is_unharmed(session)


def test_flipped_bits_in_values_change_nothing_but_values(capture: list[Datagram]) -> None:
    rng = random.Random(5)
    datagrams = list(capture)
    for index in rng.sample(of_host(capture, CORE), 400):
        data = bytearray(capture[index].data)
        record = 8 + 10 * rng.randrange(samples_in(capture[index]))
        data[record + rng.randrange(6, 10)] ^= 1 << rng.randrange(8)
        datagrams[index] = capture[index]._replace(data=bytes(data))
    session, values = hear(datagrams)
    assert counts(provider(session)) == CORE_WHOLE
    assert len(values) == 59_364
    assert probe_is_unharmed(session)


@pytest.mark.parametrize("seed", range(8))
def test_bits_flipped_anywhere_crash_nothing_and_harm_no_other_provider(
    capture: list[Datagram], seed: int
) -> None:
    rng = random.Random(seed)
    datagrams = list(capture)
    flipped = rng.sample(of_host(capture, CORE), 60)
    for index in flipped:
        data = bytearray(capture[index].data)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        datagrams[index] = capture[index]._replace(data=bytes(data))
    session, values = hear(datagrams)
    core = provider(session)
    assert probe_is_unharmed(session)
    assert (values.time_us <= values.arrival_us).all()
    assert core.restarts == 0
    # a frame whose number or sender was damaged is missing in its place, and no other is
    assert core.lost <= len(flipped)
    assert core.samples >= 58_888 - sum(samples_in(capture[index]) for index in flipped)
    assert [p.name for p in session.providers(0)] == ["Power Core", "Atmospheric Probe"]


@pytest.mark.parametrize("bit", range(8))
def test_a_damaged_sequence_number_costs_one_frame(capture: list[Datagram], bit: int) -> None:
    index = of_host(capture, CORE)[777]
    data = bytearray(capture[index].data)
    data[5] ^= 1 << bit
    datagrams = list(capture)
    datagrams[index] = capture[index]._replace(data=bytes(data))
    session, _ = hear(datagrams)
    core = provider(session)
    assert (core.frames, core.lost, core.malformed) == (1704, 1, 0)
    assert probe_is_unharmed(session)


def test_a_host_id_that_changes_mid_stream_is_one_provider(capture: list[Datagram]) -> None:
    """The provider dies at 16 s, is silent for 2 s and comes back under another id."""
    start_us = capture[0].arrival_us
    announcement = capture[of_host(capture, CORE, Key.CHANNEL_INFO)[0]]
    first: list[Datagram] = []
    second: list[Datagram] = []
    seq = 1
    lost_samples = 0
    for datagram in capture:
        elapsed_s = (datagram.arrival_us - start_us) / 1e6
        if int.from_bytes(datagram.data[3:5], "little") != CORE:
            (first if elapsed_s < 18 else second).append(datagram)
        elif elapsed_s < 16:
            first.append(datagram)
        elif elapsed_s < 18:
            lost_samples += samples_in(datagram)
        else:
            for source in [datagram] if seq > 1 else [announcement, datagram]:
                data = bytearray(source.data)
                data[3:5], data[5] = b"\x34\x12", seq % 256
                second.append(datagram._replace(data=bytes(data)))
                seq += 1
    session, _ = hear(first + second)
    core = provider(session)
    assert [p.name for p in session.providers(0)] == ["Power Core", "Atmospheric Probe"]
    assert (core.host_id, core.restarts, core.lost, core.samples) == (
        0x1234,
        1,
        0,
        58_888 - lost_samples,
    )
    assert len(session.channels) == 42
    assert probe_is_unharmed(session)


def test_channels_announced_late_lose_no_sample(capture: list[Datagram]) -> None:
    first = of_host(capture, CORE, Key.CHANNEL_INFO)[0]
    session, values = hear(capture[:first] + capture[first + 1 :])  # the next comes after 29 s
    assert provider(session).samples == 58_888
    assert counts(provider(session)) == (1703, 1, 0, 0, 0)
    assert len(values) == 59_364
    assert probe_is_unharmed(session)


def test_a_provider_that_never_announces_is_listed_under_a_made_up_name(
    capture: list[Datagram],
) -> None:
    announcements = set(of_host(capture, CORE, Key.CHANNEL_INFO))
    session, values = hear([d for n, d in enumerate(capture) if n not in announcements])
    core = provider(session, "Unknown 0x4C27")
    assert (core.samples, core.channel_count, core.lost) == (58_888, 35, 2)
    assert len(values) == 59_364
    assert probe_is_unharmed(session)


def test_nan_and_infinity_in_the_stream_are_samples_like_others(capture: list[Datagram]) -> None:
    datagrams = list(capture)
    victims = of_host(capture, CORE)[200:230]
    for number, index in enumerate(victims):
        frame = decode(capture[index].data)
        assert isinstance(frame.message, ChannelValues)
        samples = frame.message.samples.copy()
        samples["value"] = (math.nan, math.inf, -math.inf)[number % 3]
        data = capture[index].data[:8] + samples.tobytes()
        datagrams[index] = capture[index]._replace(data=data)
    session, values = hear(datagrams)
    assert counts(provider(session)) == CORE_WHOLE
    broken = int(np.count_nonzero(~np.isfinite(values.value)))
    assert broken == sum(samples_in(capture[index]) for index in victims)
    assert probe_is_unharmed(session)


def test_the_capture_decodes_to_the_messages_of_the_readme(capture: list[Datagram]) -> None:
    frames = [decode(datagram.data) for datagram in capture]
    kinds = Counter((frame.host, type(frame.message).__name__) for frame in frames)
    assert kinds == {
        (CORE, "ChannelInfoPage"): 2,
        (CORE, "ClearChannelInfo"): 2,
        (CORE, "ChannelValues"): 1700,
        (PROBE, "ChannelInfoPage"): 2,
        (PROBE, "ClearChannelInfo"): 2,
        (PROBE, "ChannelValues"): 68,
        (0, "Ping"): 2,
    }
    pages = [f.message for f in frames if isinstance(f.message, ChannelInfoPage)]
    assert {page.provider for page in pages} == {"Power Core", "Atmospheric Probe"}


def test_any_division_into_batches_gives_the_same_samples(capture: list[Datagram]) -> None:
    whole, values = hear(capture)
    pieces = Session()
    parts = [pieces.feed(capture[start : start + 7]) for start in range(0, len(capture), 7)]
    split = Values.join([*parts, pieces.flush_unknown()])
    for name in ("time_us", "arrival_us", "channel", "value", "synced"):
        np.testing.assert_array_equal(getattr(split, name), getattr(values, name))
    assert pieces.providers(0) == whole.providers(0)
