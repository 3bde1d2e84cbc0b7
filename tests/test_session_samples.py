"""Samples: none invented, none used twice, none forgotten, each at its time."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.capture.protocol import ChannelValues
from dynoai_desktop.capture.session import Session
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.capture.values import HeldSamples, Values
from tests.jetdrive_traffic import SECOND, T0, FakeProvider, counts, of_channel, provider


def test_samples_that_come_before_the_announcement_are_kept_for_it() -> None:
    session, core = Session(), FakeProvider()
    early = core.run(T0, 50)
    assert not len(session.feed(early))
    assert session.held == 100
    assert session.unknown_hosts == 1
    values = session.feed(core.announce(T0 + SECOND))
    assert of_channel(session, values, "RPM") == list(range(50))
    assert values.arrival_us.tolist() == [d.arrival_us for d in early for _ in range(2)]
    assert counts(provider(session)) == (51, 0, 0, 0, 0)
    assert (provider(session).samples, session.held, session.unknown_hosts) == (100, 0, 0)


def test_samples_of_a_page_that_is_late_are_kept_for_it() -> None:
    session = Session()
    core = FakeProvider(channels=[f"Channel {n}" for n in range(42)])
    first, second = core.announce()
    values = session.feed([first, core.measure(T0 + 1000)])
    assert len(values) == 39
    values = session.feed([second, core.measure(T0 + 2000)])
    assert values.value.tolist() == [39, 40, 41, *range(42)]
    assert provider(session).samples == 84


def test_what_can_not_be_kept_is_counted() -> None:
    held = HeldSamples(limit=5)
    column = np.arange(4)
    values = Values(column, column, column.astype(np.int32), column.astype(np.float32), column > 0)
    ids = column.astype(np.uint16)
    held.add(ids, values)
    held.add(ids, values)
    assert (held.count, held.overflow) == (5, 3)
    row = np.full(65536, -1, np.int32)
    row[[1, 3]] = [7, 8]
    released = held.release(row)
    assert released.channel.tolist() == [7, 8]
    assert released.value.tolist() == [1, 3]
    assert held.count == 3
    assert held.ids(more_than=1) == [0]


def test_at_the_end_of_a_file_a_silent_sender_gets_a_made_up_name() -> None:
    session, core = Session(), FakeProvider(0xABCD)
    session.feed(core.run(T0, 10))
    values = session.flush_unknown()
    assert [p.name for p in session.providers(T0)] == ["Unknown 0xABCD"]
    assert [c.name for c in session.channels] == ["channel 0", "channel 1"]
    assert of_channel(session, values, "channel 1", "Unknown 0xABCD") == list(range(1, 11))
    assert session.unknown_hosts == 0


def test_a_few_frames_of_a_stranger_are_damage_and_make_no_provider() -> None:
    session, core = Session(), FakeProvider(0xABCD)
    session.feed(core.run(T0, 3))
    assert not len(session.flush_unknown())
    assert session.providers(T0) == ()
    assert session.unknown_hosts == 1


def test_a_duplicate_is_counted_and_its_samples_are_used_once() -> None:
    session, core = Session(), FakeProvider()
    run = core.run(T0, 10)
    session.feed(core.announce())
    values = session.feed([*run[:5], run[4], run[2], *run[5:]])
    assert of_channel(session, values, "RPM") == list(range(10))
    assert provider(session).duplicates == 2
    assert provider(session).samples == 20


def test_a_late_datagram_is_used_and_takes_its_loss_back() -> None:
    session, core = Session(), FakeProvider()
    session.feed(core.announce())
    run = core.run(T0 + 1000, 10)
    run[3:6] = [run[5], run[3], run[4]]
    values = session.feed(run)
    assert of_channel(session, values, "RPM") == [0, 1, 2, 5, 3, 4, 6, 7, 8, 9]
    assert counts(provider(session)) == (11, 0, 0, 2, 0)
    assert values.losses == ((run[3].arrival_us, 2),)


def test_samples_that_arrive_after_the_good_bye_they_preceded_are_read_with_the_old_list() -> None:
    session, core = Session(), FakeProvider()
    session.feed(core.announce())
    last = core.measure(T0 + 1000, 1, 2)
    values = session.feed([core.clear(T0 + 2000), last])
    assert of_channel(session, values, "MAP") == [2]
    assert session.held == 0
    assert counts(provider(session)) == (3, 0, 0, 1, 0)


def test_samples_overtaken_by_a_new_list_are_read_with_the_old_one() -> None:
    session, core = Session(), FakeProvider(channels=("RPM", "MAP"))
    session.feed(core.announce())
    last = core.measure(T0 + 1000, 1, 2)
    batch = [core.clear(T0 + 2000)]
    core.channels = ("MAP", "RPM")
    batch += [*core.announce(T0 + 2000), last, core.measure(T0 + 3000, 3, 4)]
    values = session.feed(batch)
    assert of_channel(session, values, "RPM") == [1, 4]
    assert of_channel(session, values, "MAP") == [2, 3]


def test_a_list_overtaken_by_the_good_bye_does_not_bring_its_sender_back() -> None:
    session, core = Session(), FakeProvider()
    session.feed([*core.announce(), core.measure(T0)])
    again = core.announce(T0 + 1000)
    session.feed([core.clear(T0 + 1000), *again])
    assert session.preamble() == []


def test_a_list_that_is_overtaken_by_its_samples_is_taken_in() -> None:
    session, core = Session(), FakeProvider()
    session.feed([*core.announce(), core.measure(T0)])
    batch = [core.clear(T0 + 1000)]
    pages = core.announce(T0 + 1000)
    values = session.feed([*batch, core.measure(T0 + 2000, 5, 6), *pages])
    assert of_channel(session, values, "MAP") == [6]


def test_a_clear_that_arrives_after_its_new_list_does_not_forget_that_list() -> None:
    session, core = Session(), FakeProvider()
    clear = core.clear(T0)
    values = session.feed([*core.announce(), clear, core.measure(T0 + 1000, 1, 2)])
    assert of_channel(session, values, "MAP") == [2]


def test_nan_and_infinity_pass_through() -> None:
    session, core = Session(), FakeProvider(channels=("A", "B", "C"))
    values = session.feed([*core.announce(), core.measure(T0, math.nan, math.inf, -math.inf)])
    np.testing.assert_array_equal(
        values.value, np.array([math.nan, math.inf, -math.inf], np.float32)
    )


def test_empty_samples_and_bytes_after_the_frame_do_no_harm() -> None:
    session, core = Session(), FakeProvider()
    empty = core.say(T0, ChannelValues(b""))
    long = core.measure(T0, 1, 2)
    values = session.feed([empty, *core.announce(), long._replace(data=long.data + b"tail")])
    assert values.value.tolist() == [1, 2]
    assert provider(session).malformed == 0


def test_losses_come_with_the_time_they_were_found() -> None:
    session, core = Session(), FakeProvider()
    session.feed(core.announce())
    run = core.run(T0 + 1000, 20)
    del run[12:15], run[5]
    values = session.feed(run)
    assert values.losses == ((run[5].arrival_us, 1), (run[11].arrival_us, 3))
    assert provider(session).lost == 4


def test_no_sample_is_later_than_its_arrival_and_spacing_inside_a_datagram_is_kept() -> None:
    session, core = Session(), FakeProvider(channels=("A",))
    session.feed([*core.announce(), core.measure(T0)])
    # the newest stamp is not the last one, and the datagram comes faster than any before
    stamps = [1000, 1040, 1050, 1010]
    message = ChannelValues.of([0] * 4, stamps, [0.0] * 4)
    datagram = core.say(T0 + SECOND + 20_000, message)
    values = session.feed([datagram])
    assert (values.time_us <= values.arrival_us).all()
    assert np.diff(values.time_us).tolist() == [40_000, 10_000, -40_000]
    assert values.time_us.max() == datagram.arrival_us


def test_a_damaged_stamp_moves_its_own_sample_only() -> None:
    session, core = Session(), FakeProvider(channels=("A",))
    session.feed([*core.announce(), core.measure(T0)])
    for damaged in (0, 1, 2):
        stamps = [1000, 1010, 1020]
        stamps[damaged] ^= 1 << 20
        data = core.say(T0 + 1_020_000, ChannelValues.of([0] * 3, stamps, [0.0] * 3))
        values = session.feed([data])
        good = np.arange(3) != damaged
        expected = T0 + core.delay_us + np.array([1000, 1010, 1020]) * 1000
        assert (np.abs(values.time_us - expected)[good] <= 1000).all()
        assert (values.time_us <= values.arrival_us).all()
    assert provider(session).restarts == 0


def test_49_days_of_uptime_pass_without_a_jump() -> None:
    session = Session()
    core = FakeProvider(channels=("A",), started_us=T0 - (2**32 - 1500) * 1000)
    values = session.feed([*core.announce(), *core.run(T0, 100)])
    assert (np.diff(values.time_us) == 20_000).all()
    assert provider(session).restarts == 0


def test_a_wrap_in_the_middle_of_a_datagram_is_none() -> None:
    session = Session()
    core = FakeProvider(channels=("A",), started_us=T0 - (2**32 - 1000) * 1000)
    session.feed([*core.announce(), *core.run(T0, 20)])
    stamps = [2**32 - 10, 0, 10]
    values = session.feed([core.say(T0 + 1_010_000, ChannelValues.of([0] * 3, stamps, [0.0] * 3))])
    expected = T0 + core.delay_us + np.array([990, 1000, 1010]) * 1000
    assert (np.abs(values.time_us - expected) <= 1000).all()


def test_the_fastest_datagram_places_those_after_it() -> None:
    session, core = Session(), FakeProvider(channels=("A",))
    session.feed(core.announce())
    delays = [30_000, 25_000, 1_000, 30_000, 12_000]
    for n, delay in enumerate(delays):
        core.delay_us = delay
        values = session.feed([core.measure(T0 + n * 50_000)])
        best = min(delays[: n + 1])
        assert values.time_us.tolist() == [T0 + n * 50_000 + best]


def _bus_with_everything(rng: random.Random) -> list[Datagram]:
    """Return traffic of three hosts with every fault there is."""
    core = FakeProvider(0x10, channels=[f"C{n}" for n in range(42)], seq=250)
    probe = FakeProvider(0x20, "Probe", ("T", "P"), delay_us=900)
    stranger = FakeProvider(0x30, "", ("X",))
    twin = FakeProvider(0x40, "Probe", ("T", "P"))
    traffic = core.run(T0, 5) + core.announce(T0) + probe.announce(T0)
    traffic += core.run(T0 + 200_000, 60) + probe.run(T0, 30, 50_000) + stranger.run(T0, 9)
    traffic += [core.clear(T0 + 2 * SECOND), *core.announce(T0 + 2 * SECOND)]
    traffic += core.run(T0 + 2 * SECOND, 60) + twin.announce(T0 + SECOND)
    traffic += twin.run(T0 + SECOND, 40) + probe.run(T0 + 4 * SECOND, 10)
    core.started_us, core.seq = T0 + 4 * SECOND, 3
    traffic += [*core.run(T0 + 4 * SECOND, 30), probe.clear(T0 + 5 * SECOND)]
    traffic.sort(key=lambda datagram: datagram.arrival_us)
    faulty: list[Datagram] = []
    for datagram in traffic:
        fate = rng.random()
        if fate < 0.05:
            continue
        if fate < 0.10:
            faulty.append(datagram)
        if fate < 0.15:
            data = bytearray(datagram.data)
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            datagram = datagram._replace(data=bytes(data))
        elif fate < 0.2:
            datagram = datagram._replace(data=datagram.data[: rng.randrange(len(datagram.data))])
        at = len(faulty) - rng.randrange(4) if fate > 0.9 else len(faulty)
        faulty.insert(max(0, at), datagram)
    return [
        datagram._replace(arrival_us=time_us)
        for datagram, time_us in zip(faulty, sorted(d.arrival_us for d in faulty), strict=True)
    ]


def _hear(batches: Sequence[Sequence[Datagram]]) -> tuple[object, ...]:
    """Return everything a session says about traffic that comes in these batches."""
    session = Session(host_id=0x77)
    parts = [session.feed(batch) for batch in batches]
    parts.append(session.flush_unknown())
    values = Values.join(parts)
    columns = (values.time_us, values.arrival_us, values.channel, values.value, values.synced)
    return (
        *(column.tobytes() for column in columns),
        values.losses,
        session.providers(T0 + 6 * SECOND),
        tuple(session.channels),
        tuple(session.notices),
        (session.malformed, session.foreign, session.nameless, session.own, session.datagrams),
        (session.held, session.overflow, session.unknown_hosts),
    )


@given(st.integers(0, 2**32), st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_nothing_depends_on_how_datagrams_are_cut_into_batches(seed: int, sizes: list[int]) -> None:
    traffic = _bus_with_everything(random.Random(seed))
    batches, at = [], 0
    while at < len(traffic):
        size = sizes[len(batches) % len(sizes)]
        batches.append(traffic[at : at + size])
        at += size
    assert _hear(batches) == _hear([traffic])


@given(st.integers(0, 2**32))
def test_every_sample_handed_out_is_counted_and_listed(seed: int) -> None:
    traffic = _bus_with_everything(random.Random(seed))
    session = Session()
    total = 0
    for part in session.parts(traffic):
        total += len(part)
        assert not len(part) or 0 <= part.channel.min() <= part.channel.max() < len(
            session.channels
        )
        assert (part.time_us <= part.arrival_us).all()
    assert total == sum(p.samples for p in session.providers(T0))


@given(st.lists(st.binary(max_size=120), max_size=30))
def test_any_bytes_are_counted_and_harm_nobody(junk: list[bytes]) -> None:
    session, core = Session(), FakeProvider()
    session.feed(core.announce())
    session.feed([Datagram(T0, data) for data in junk])
    values = session.feed([core.measure(T0 + 1000, 1, 2)])
    assert of_channel(session, values, "RPM")[-1:] == [1]
    assert session.datagrams == len(junk) + 2


def test_each_part_stands_under_the_channels_it_was_read_with() -> None:
    session, core = Session(), FakeProvider(channels=("A",))
    batch = [*core.announce(), core.measure(T0, 1), core.clear(T0)]
    core.channels = ("B", "A")
    batch += [*core.announce(), core.measure(T0 + 1000, 5, 6)]
    seen = [
        (part.value.tolist(), [c.name for c in session.channels if c.listed])
        for part in session.parts(batch)
        if len(part)
    ]
    assert seen == [([1], ["A"]), ([5, 6], ["B", "A"])]
