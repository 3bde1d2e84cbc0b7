"""Restarts, silences and clocks: a session can be replayed to the bit."""

from __future__ import annotations

import pytest

from dynoai_desktop.capture.protocol import Pong
from dynoai_desktop.capture.session import Session
from tests.jetdrive_traffic import SECOND, T0, FakeProvider, counts, provider


def test_a_clock_that_starts_again_is_a_restart_without_losses() -> None:
    session, core = Session(), FakeProvider()
    session.feed([*core.announce(), *core.run(T0 + 60 * SECOND, 100)])
    core.seq, core.started_us = 7, T0 + 63 * SECOND
    session.feed([core.clear(T0 + 63 * SECOND), *core.announce(T0 + 63 * SECOND)])
    values = session.feed(core.run(T0 + 63 * SECOND, 10))
    assert provider(session).restarts == 1
    assert provider(session).lost == 0
    assert values.losses == ()
    assert (values.arrival_us - values.time_us).max() < 3000


def test_a_restart_that_nothing_announces_is_no_loss_either() -> None:
    session, core = Session(), FakeProvider()
    session.feed([*core.announce(), *core.run(T0 + 60 * SECOND, 100)])
    core.seq, core.started_us = 7, T0 + 63 * SECOND
    values = session.feed(core.run(T0 + 63 * SECOND, 10))
    assert (provider(session).restarts, provider(session).lost) == (1, 0)
    assert values.losses == ()
    assert provider(session).samples == 220


def test_a_long_gap_is_not_forgiven_a_round_later() -> None:
    session, core = Session(), FakeProvider()
    session.feed([*core.announce(), *core.run(T0, 9, 100)])
    core.seq += 200
    session.feed(core.run(T0 + 10_000, 56, 100))
    core.seq += 1
    session.feed(core.run(T0 + 20_000, 10, 100))
    assert provider(session).lost == 201


def test_numbers_start_anew_after_ten_seconds_of_silence() -> None:
    session, core = Session(), FakeProvider()
    session.feed([*core.announce(), *core.run(T0, 10)])
    core.seq += 50
    session.feed(core.run(T0 + 9 * SECOND, 2))
    assert provider(session).lost == 50
    core.seq += 50
    session.feed(core.run(T0 + 20 * SECOND, 2))
    assert provider(session).lost == 50


def test_a_pong_syncs_the_clock_of_its_provider_alone() -> None:
    session = Session(host_id=0x77)
    core, probe = FakeProvider(0x10), FakeProvider(0x20, "Probe")
    session.feed([*core.announce(), *probe.announce(), core.measure(T0), probe.measure(T0)])
    ping_us = T0 + SECOND
    pong = Pong(ping_us // 1000 % 2**32, (ping_us - core.started_us) // 1000)
    values = session.feed(
        [core.say(ping_us, pong, dest=0x77), core.measure(ping_us), probe.measure(ping_us)]
    )
    assert [p.clock_synced for p in session.providers(T0)] == [True, False]
    assert provider(session).latency_ms == pytest.approx(0.2)
    assert provider(session).clock_offset_ms == pytest.approx(T0 / 1000, abs=1)
    assert values.synced.tolist() == [True, True, False, False]
    session.forget_clocks()
    assert not provider(session).clock_synced


def test_a_pong_for_somebody_else_syncs_nothing() -> None:
    session, core = Session(host_id=0x77), FakeProvider()
    session.feed([*core.announce(), core.say(T0, Pong(T0 // 1000 % 2**32, 0), dest=0x55)])
    assert not provider(session).clock_synced


def test_a_recording_begun_now_explains_itself() -> None:
    session = Session(host_id=0x77)
    core = FakeProvider(0x10, channels=[f"Channel {n}" for n in range(42)], seq=200)
    gone = FakeProvider(0x20, "Gone")
    session.feed([*core.announce(), *gone.announce(), gone.clear(T0), *core.run(T0, 100)])
    preamble = session.preamble()
    assert len(preamble) == 2
    session.forget_clocks()
    recorded = core.run(T0 + 5 * SECOND, 150)
    pinged_us = T0 + 8 * SECOND
    pong = Pong(pinged_us // 1000 % 2**32, (pinged_us - T0) // 1000)
    recorded += [core.say(pinged_us, pong, dest=0x77), *core.run(T0 + 8 * SECOND, 150)]
    del recorded[0], recorded[100]
    live = session.feed(recorded)
    replayed = Session(host_id=0x77)
    replay = replayed.feed([*preamble, *recorded])
    assert replay.time_us.tolist() == live.time_us.tolist()
    assert replay.value.tolist() == live.value.tolist()
    assert replay.synced.tolist() == live.synced.tolist()
    assert counts(provider(replayed)) == (301, 2, 0, 0, 0)
    assert replay.losses == live.losses
