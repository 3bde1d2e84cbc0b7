"""Who is on the bus: providers keep their identity, and never each other's values."""

from __future__ import annotations

from dynoai_desktop.capture.protocol import (
    ChannelInfoPage,
    ChannelRecord,
    Frame,
    LoadTarget,
    Ping,
    Pong,
    RequestChannelInfo,
    RequestLoadControl,
    Switch,
    Unknown,
    encode,
)
from dynoai_desktop.capture.session import Session
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.core.units import Unit
from tests.jetdrive_traffic import SECOND, T0, FakeProvider, counts, of_channel, provider


def listed(session: Session, of: str = "Power Core") -> list[tuple[int, str]]:
    return [(c.id, c.name) for c in session.channels if c.provider == of and c.listed]


def test_a_provider_is_known_by_its_announcement() -> None:
    session, core = Session(), FakeProvider(channels=("RPM", "MAP"))
    session.feed(core.announce())
    assert listed(session) == [(0, "RPM"), (1, "MAP")]
    assert session.channels[0].unit is Unit.RPM
    assert session.channels[0].host == core.host
    assert provider(session).channel_count == 2


def test_pages_merge_into_one_list_of_five_thousand_channels() -> None:
    session = Session()
    core = FakeProvider(channels=[f"Channel {n}" for n in range(5000)])
    values = session.feed([*core.announce(), core.measure(T0 + 1000)])
    assert listed(session) == [(n, f"Channel {n}") for n in range(5000)]
    assert values.value.tolist() == list(range(5000))
    assert provider(session).samples == 5000


def test_a_list_is_complete_two_seconds_after_its_last_new_channel() -> None:
    session = Session()
    core = FakeProvider(channels=[f"Channel {n}" for n in range(42)])
    first, second = core.announce()
    session.feed([first, second._replace(arrival_us=T0 + SECOND)])
    assert not provider(session, now_us=T0 + 3 * SECOND - 1).list_complete
    session.tick(T0 + 3 * SECOND - 1)
    revision = session.revision
    session.tick(T0 + 3 * SECOND)
    assert provider(session, now_us=T0 + 3 * SECOND).list_complete
    assert session.revision > revision
    revision = session.revision
    session.feed(core.announce(T0 + 30 * SECOND))  # the same again is no news
    session.tick(T0 + 31 * SECOND)
    assert session.revision == revision


def test_two_channels_of_one_name_stay_two() -> None:
    session = Session()
    records = (ChannelRecord(3, "Humidity", 16), ChannelRecord(6, "Humidity", 16))
    session.feed([FakeProvider().say(T0, ChannelInfoPage("Probe", records))])
    assert listed(session, "Probe") == [(3, "Humidity"), (6, "Humidity")]


def test_a_new_list_after_a_clear_replaces_the_old_one() -> None:
    session = Session()
    core = FakeProvider(channels=("RPM", "MAP", "TPS"))
    session.feed([*core.announce(), core.measure(T0 + 1000, 1, 2, 3)])
    clear = core.clear(T0 + SECOND)
    core.channels = ("MAP", "RPM")  # ids move when the operator changes the selection
    values = session.feed([clear, *core.announce(T0 + SECOND), core.measure(T0 + SECOND, 20, 10)])
    assert of_channel(session, values, "MAP") == [20]
    assert of_channel(session, values, "RPM") == [10]
    session.tick(T0 + 4 * SECOND)
    assert listed(session) == [(0, "MAP"), (1, "RPM")]


def test_after_a_good_bye_the_last_list_is_still_known_but_samples_are_not_guessed() -> None:
    session, core = Session(), FakeProvider()
    session.feed([*core.announce(), core.clear(T0 + SECOND)])
    assert not len(session.feed([core.measure(T0 + 2 * SECOND)]))
    assert listed(session) == [(0, "RPM"), (1, "MAP")]


def test_two_providers_with_the_same_ids_never_mix() -> None:
    session = Session()
    core = FakeProvider(0x10, "Power Core", ("RPM", "MAP"))
    probe = FakeProvider(0x20, "Probe", ("Temperature", "Pressure"))
    batch = [*core.announce(), *probe.announce()]
    batch += [core.measure(T0 + 1000, 6000, 90), probe.measure(T0 + 1000, 21, 98)]
    values = session.feed(batch)
    assert of_channel(session, values, "MAP") == [90]
    assert of_channel(session, values, "Pressure", "Probe") == [98]
    assert [p.samples for p in session.providers(T0)] == [2, 2]


def test_a_new_host_id_under_a_silent_name_is_the_same_provider() -> None:
    session, core = Session(), FakeProvider(0x10)
    first = session.feed([*core.announce(), core.measure(T0, 1, 2)])
    again = FakeProvider(0x99, started_us=T0 + 5 * SECOND)
    second = session.feed([*again.announce(T0 + 6 * SECOND), again.measure(T0 + 6 * SECOND, 3, 4)])
    assert first.channel.tolist() == second.channel.tolist()
    (only,) = session.providers(T0 + 6 * SECOND)
    assert (only.host_id, only.restarts, only.samples, only.frames) == (0x99, 1, 4, 4)
    assert session.channels[0].host == 0x99


def test_a_new_host_id_right_after_a_good_bye_is_the_same_provider() -> None:
    session, core = Session(), FakeProvider(0x10)
    again = FakeProvider(0x99)
    session.feed([*core.announce(), core.clear(T0), *again.announce(T0 + 1000)])
    (only,) = session.providers(T0)
    assert (only.host_id, only.restarts) == (0x99, 1)


def test_two_living_hosts_of_one_name_are_two_providers() -> None:
    session = Session()
    core, other = FakeProvider(0x10), FakeProvider(0x20)
    batch = [*core.announce(), *other.announce(T0 + 1000)]
    batch += [core.measure(T0 + 2000, 1, 2), other.measure(T0 + 2000, 3, 4)]
    values = session.feed(batch)
    assert [p.name for p in session.providers(T0)] == ["Power Core", "Power Core #2"]
    assert of_channel(session, values, "RPM") == [1]
    assert of_channel(session, values, "RPM", "Power Core #2") == [3]
    assert any("Two providers" in notice for notice in session.notices)


def test_a_host_that_was_taken_for_dead_becomes_the_second_provider_when_it_speaks() -> None:
    session = Session()
    slow, other = FakeProvider(0x10), FakeProvider(0x20)
    batch = [*slow.announce(), slow.measure(T0, 1, 2), *other.announce(T0 + 2 * SECOND)]
    batch += [other.measure(T0 + 2 * SECOND, 3, 4), slow.measure(T0 + 2 * SECOND + 1000, 5, 6)]
    batch += [slow.measure(T0 + 3 * SECOND, 7, 8), other.measure(T0 + 3 * SECOND, 9, 10)]
    values = session.feed(batch)
    assert of_channel(session, values, "RPM") == [1, 3, 9]
    assert of_channel(session, values, "RPM", "Power Core #2") == [5, 7]
    assert [p.host_id for p in session.providers(T0)] == [0x20, 0x10]


def test_two_slow_hosts_of_one_name_do_not_take_turns_at_being_it() -> None:
    session = Session()
    a, b = FakeProvider(0x10), FakeProvider(0x20)
    batch = [*a.announce(), *b.announce(T0 + 2 * SECOND)]
    for n in range(2, 20):
        batch += [
            a.measure(T0 + (2 * n + 1) * SECOND, 1, 1),
            b.measure(T0 + (2 * n + 2) * SECOND, 2, 2),
        ]
    values = session.feed(batch)
    assert set(of_channel(session, values, "RPM")) == {2}
    assert set(of_channel(session, values, "RPM", "Power Core #2")) == {1}
    assert provider(session).restarts == 1


def test_one_damaged_announcement_does_not_rename_a_provider() -> None:
    session, core = Session(), FakeProvider()
    session.feed(core.announce())
    core.name = "Power Bore"
    session.feed([*core.announce(T0 + SECOND), core.measure(T0 + SECOND)])
    assert [p.name for p in session.providers(T0)] == ["Power Core"]
    assert provider(session).samples == 2


def test_a_rename_is_believed_the_second_time() -> None:
    session, core = Session(), FakeProvider()
    session.feed(core.announce())
    core.name = "Dyno 2"
    values = session.feed(
        [
            *core.announce(T0 + SECOND),
            *core.announce(T0 + 3 * SECOND),
            core.measure(T0 + 3 * SECOND, 1, 2),
        ]
    )
    assert of_channel(session, values, "MAP", "Dyno 2") == [2]
    assert provider(session, "Dyno 2").host_id == core.host


def test_a_simulated_provider_is_marked() -> None:
    session = Session()
    session.feed(FakeProvider(name="Power Core (SIMULATED)").announce())
    session.feed(FakeProvider(0x20, name="Probe").announce())
    assert [p.simulated for p in session.providers(T0)] == [True, False]


def test_names_are_shown_as_text() -> None:
    session = Session()
    record = ChannelRecord(1, "<b>RPM</b>\u202e")
    session.feed([FakeProvider().say(T0, ChannelInfoPage("Po\x1bwer\n", (record,)))])
    assert session.channels[0].name == "<b>RPM</b>\ufffd"
    assert session.providers(T0)[0].name == "Po\ufffdwer"


def test_a_provider_without_a_name_gets_one() -> None:
    session = Session()
    session.feed(FakeProvider(name="").announce())
    assert session.providers(T0)[0].name == "Unnamed provider"


def test_our_own_traffic_is_dropped_and_left_to_the_node() -> None:
    session, us = Session(host_id=0x77), FakeProvider(0x77, "Us")
    session.feed([*us.announce(), us.measure(T0)])
    assert session.providers(T0) == ()
    assert session.own == 2
    assert len(session.take_for_node()) == 2
    assert session.take_for_node() == []


def test_our_own_traffic_is_dropped_also_when_the_id_was_heard_before() -> None:
    session, twin = Session(), FakeProvider(0x77)
    session.feed([*twin.announce(), twin.measure(T0)])
    session.host_id = 0x77
    assert not len(session.feed(twin.run(T0 + 1000, 5)))
    assert session.own == 5


def test_samples_for_another_host_are_counted_and_not_used() -> None:
    session, core = Session(host_id=0x77), FakeProvider()
    values = session.feed(
        [
            *core.announce(),
            core.measure(T0 + 1000, 1, 2),
            core.measure(T0 + 2000, 3, 4, dest=0x55),
            core.measure(T0 + 3000, 5, 6, dest=0x77),
            core.measure(T0 + 4000, 7, 8),
        ]
    )
    assert of_channel(session, values, "RPM") == [1, 5, 7]
    assert session.foreign == 1
    assert counts(provider(session)) == (5, 0, 0, 0, 0)  # all of them use up a number


def test_an_answer_meant_for_somebody_else_still_tells_the_channels() -> None:
    session = Session(host_id=0x77)
    page = ChannelInfoPage("Power Core", (ChannelRecord(4, "RPM"),))
    session.feed([FakeProvider().say(T0, page, dest=0x55)])
    assert listed(session) == [(4, "RPM")]


def test_other_messages_use_up_numbers_and_do_nothing_else() -> None:
    session, core = Session(), FakeProvider()
    others = (
        RequestChannelInfo(),
        Unknown(0x55, b"later"),
        Pong(1, 2),
        RequestLoadControl(Switch.ON, LoadTarget.RPM, 3000.0),
    )
    batch = [*core.announce(), *(core.say(T0 + 1000, message) for message in others)]
    session.feed([*batch, core.measure(T0 + 2000)])
    assert counts(provider(session)) == (6, 0, 0, 0, 0)


def test_hosts_without_an_id_are_no_providers() -> None:
    session, nobody = Session(), FakeProvider(0, "Nobody")
    session.feed([nobody.say(T0, Ping(5)), *nobody.announce(), nobody.measure(T0)])
    assert session.providers(T0) == ()
    assert session.nameless == 3
    assert session.unknown_hosts == 0
    assert len(session.take_for_node()) == 1  # the ping wants an answer


def test_what_nobody_can_be_blamed_for_is_counted() -> None:
    session = Session()
    junk = [b"", b"short", b"\x02" + bytes(30), bytes.fromhex("04 0500 ffff 01 ffff 01 00000000")]
    session.feed([Datagram(T0, data) for data in junk])
    # the third has sender 0 and is well formed: no samples from a host without an id
    assert (session.datagrams, session.malformed, session.nameless) == (4, 3, 1)


def test_a_truncated_frame_of_a_provider_is_malformed_and_not_lost() -> None:
    session, core = Session(), FakeProvider()
    session.feed(core.announce())
    cut = core.measure(T0 + 1000)
    session.feed([cut._replace(data=cut.data[:-3]), core.measure(T0 + 2000)])
    assert counts(provider(session)) == (3, 0, 0, 0, 1)
    assert session.malformed == 0


def test_an_incompatible_version_is_reported_once() -> None:
    session, core = Session(), FakeProvider()
    session.feed([*core.announce(), core.say(T0, Ping(1, version=10))])
    session.feed([core.say(T0 + SECOND, Pong(1, 2, version=12)), core.say(T0, Ping(1, version=10))])
    assert [notice[:32] for notice in session.notices] == [
        "Power Core speaks version 10 of ",
        "Power Core speaks version 12 of ",
    ]
    assert not session.peers(T0)[0].is_compatible
    assert session.take_for_node() == []


def test_a_sender_that_goes_on_after_a_clear_has_not_left() -> None:
    session, core = Session(), FakeProvider()
    session.feed([*core.announce(), *core.run(T0, 5), core.clear(T0 + 100_000)])
    assert not session.peers(T0 + 100_000)[0].is_alive
    session.feed([core.measure(T0 + 120_000)])
    assert session.peers(T0 + 120_000)[0].is_alive
    assert not session.peers(T0 + 5 * SECOND)[0].list_complete


def test_a_channel_that_is_announced_under_a_new_name_replaces_the_old_one() -> None:
    session, core = Session(), FakeProvider(channels=("RPM", "MAP"))
    session.feed(core.announce())
    core.channels = ("RPM", "TPS")
    values = session.feed([*core.announce(), core.measure(T0 + 1000, 1, 2)])
    assert listed(session) == [(0, "RPM"), (1, "TPS")]
    assert of_channel(session, values, "TPS") == [2]


def test_more_providers_than_a_dyno_network_can_have_are_refused_with_a_notice() -> None:
    session = Session()
    for host in range(1, 100):
        session.feed(FakeProvider(host, f"Provider {host}").announce())
    assert len(session.providers(T0)) == 48
    assert any("More than 48 providers" in notice for notice in session.notices)


def test_a_crowd_of_hosts_costs_no_books() -> None:
    session = Session()
    for host in range(1, 3000):
        session.feed([FakeProvider(host).measure(T0)])
    assert session.unknown_hosts == 2999
    assert len(session.peers(T0)) == 1024


def test_every_number_of_a_frame_can_be_any_and_nothing_breaks() -> None:
    session, core = Session(host_id=0x77), FakeProvider()
    session.feed(core.announce())
    for seq in range(0, 256, 5):
        for dest in (0, 0x77, 0xFFFF):
            frame = Frame(ChannelInfoPage("Power Core", ()), core.host, seq, dest)
            session.feed([Datagram(T0 + seq, encode(frame))])
    assert provider(session).channel_count == 2
