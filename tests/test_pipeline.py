"""Datagrams in, aggregates out: the same ones however they come, and never an exception."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynoai_desktop.capture.pcap import PcapReader
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.protocol import (
    ChannelInfoPage,
    ChannelRecord,
    ChannelValues,
    Frame,
    encode,
)
from dynoai_desktop.capture.simulated_dyno import simulated_bus
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.trust.health import ChannelState

START_US = 1_700_000_000_000_000


@pytest.fixture(scope="module")
def reference(shared_data) -> list[Datagram]:
    with PcapReader(shared_data / "jetdrive" / "reference_two_providers.pcap") as reader:
        return list(reader)


@pytest.fixture(scope="module")
def traffic() -> list[Datagram]:
    """Twenty seconds of the simulated dyno."""
    bus = simulated_bus(START_US, seed=5)
    return bus.advance(START_US + 20_000_000)


def run(datagrams, batch: int = 50, ticks=()) -> tuple[list, Pipeline]:
    pipeline, out, ticks = Pipeline(), [], sorted(ticks)
    for start in range(0, len(datagrams), batch):
        part = datagrams[start : start + batch]
        while ticks and ticks[0] < part[0].arrival_us:
            out += pipeline.feed((), ticks.pop(0))
        out += pipeline.feed(part, part[-1].arrival_us)
        ticks = [tick for tick in ticks if tick >= part[-1].arrival_us]
    return out + pipeline.feed((), datagrams[-1].arrival_us + 1_000_000), pipeline


def test_the_reference_capture_comes_out_as_its_facts_say(reference) -> None:
    aggregates, pipeline = run(reference)
    health = pipeline.health(reference[-1].arrival_us)
    assert [(p.name, p.frames, p.lost, p.samples) for p in health.providers] == [
        ("Power Core", 1704, 0, 58_888),
        ("Atmospheric Probe", 72, 0, 476),
    ]
    assert (health.malformed, health.unknown_hosts, health.overwritten) == (0, 0, 0)
    rpm = [a.means[Channel.RPM] for a in aggregates if Channel.RPM in a.means]
    assert len(rpm) == pytest.approx(34 * 20, abs=2)
    assert 6100 < max(rpm) <= 6200.3
    assert 0.83 < min(a.means.get(Channel.LAMBDA_FRONT, 9) for a in aggregates) < 0.85


def test_a_probe_that_is_always_late_still_gives_its_weather(reference) -> None:
    aggregates, _ = run(reference)
    assert sum(Channel.BARO in a.means for a in aggregates) >= 60
    assert sum(Channel.HUMIDITY in a.means for a in aggregates) >= 60


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 300), st.lists(st.integers(0, 36_000_000), max_size=40))
def test_batches_and_timers_never_change_an_aggregate(reference, batch, ticks) -> None:
    expected, _ = run(reference, 50)
    first = reference[0].arrival_us
    assert run(reference, batch, [first + t for t in ticks])[0] == expected


def test_the_same_recording_gives_the_same_aggregates_twice(traffic) -> None:
    assert run(traffic)[0] == run(traffic)[0]


def test_the_simulated_dyno_is_mapped_and_marked(traffic) -> None:
    aggregates, pipeline = run(traffic)
    assert pipeline.channel_map.ready
    assert all(p.simulated for p in pipeline.health(traffic[-1].arrival_us).providers)
    assert max(a.means.get(Channel.RPM, 0) for a in aggregates) > 3000


def test_values_outside_what_a_quantity_can_be_are_counted_and_not_used() -> None:
    page = ChannelInfoPage("P", (ChannelRecord(0, "Engine RPM", 8), ChannelRecord(1, "TPS", 16)))
    values = ChannelValues.of([0, 0, 0, 1], [10, 11, 12, 12], [900.0, 1e9, float("nan"), 5.0])
    datagrams = [
        Datagram(START_US, encode(Frame(page, 5, 1))),
        Datagram(START_US + 20_000, encode(Frame(values, 5, 2))),
    ]
    aggregates, pipeline = run(datagrams)
    assert [a.means[Channel.RPM] for a in aggregates if Channel.RPM in a.means] == [900.0]
    rpm, _ = pipeline.health(START_US + 30_000).channels
    assert (rpm.samples, rpm.out_of_range, rpm.non_finite) == (3, 1, 1)


def test_a_channel_that_dies_is_seen_to_die_though_nothing_arrives(traffic) -> None:
    _, pipeline = run(traffic)
    last = traffic[-1].arrival_us
    alive = {c.name: c.state for c in pipeline.health(last + 200_000).channels}
    dead = {c.name: c.state for c in pipeline.health(last + 60_000_000).channels}
    assert alive["Engine RPM"] is ChannelState.HEALTHY
    assert set(dead.values()) == {ChannelState.STALE}
    assert pipeline.health(last + 60_000_000).channels[12].rate_hz == 0.0


def test_the_rate_of_a_channel_is_what_its_provider_sends(traffic) -> None:
    _, pipeline = run(traffic)
    rates = {c.name: c.rate_hz for c in pipeline.health(traffic[-1].arrival_us).channels}
    assert rates["Engine RPM"] == pytest.approx(100, abs=3)
    assert rates["LC1 Volts Petrol AFR"] == pytest.approx(50, abs=2)
    assert rates["IAT"] == pytest.approx(2, abs=0.5)


def test_bad_datagrams_are_counted_and_the_next_ones_are_read(traffic) -> None:
    rng = random.Random(3)
    dirty = []
    for datagram in traffic:
        dirty.append(datagram)
        if rng.random() < 0.1:
            dirty.append(datagram._replace(data=rng.randbytes(rng.randrange(7))))
    junk = len(dirty) - len(traffic)
    aggregates, pipeline = run(dirty)
    clean, clean_pipeline = run(traffic)
    assert [a.means for a in aggregates] == [a.means for a in clean]
    assert pipeline.health(0).malformed == junk
    assert pipeline.health(0).providers == clean_pipeline.health(0).providers


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=120), max_size=30), st.integers(1, 10))
def test_any_bytes_are_survived(payloads, batch) -> None:
    datagrams = [Datagram(START_US + 9000 * i, data) for i, data in enumerate(payloads)]
    if datagrams:
        run(datagrams, batch)


def test_lost_datagrams_are_told_with_the_window_in_which_they_were_missed(traffic) -> None:
    holes = [d for i, d in enumerate(traffic) if i not in range(200, 205)]
    aggregates, pipeline = run(holes)
    lost = sum(p.lost for p in pipeline.health(0).providers)
    assert lost == sum(a.lost for a in aggregates) == 5


def test_reset_is_as_good_as_new(traffic) -> None:
    expected, pipeline = run(traffic)
    pipeline.reset()
    out = pipeline.feed(traffic, traffic[-1].arrival_us)
    assert out + pipeline.feed((), traffic[-1].arrival_us + 1_000_000) == expected


def test_a_five_thousand_channel_provider_is_carried() -> None:
    records = tuple(ChannelRecord(i, f"Thing {i}", 255) for i in range(5000))
    pages = [ChannelInfoPage("P", records[i : i + 39]) for i in range(0, 5000, 39)]
    datagrams = [
        Datagram(START_US + i, encode(Frame(page, 5, i % 256))) for i, page in enumerate(pages)
    ]
    values = ChannelValues.of(range(5000), [1] * 5000, [1.0] * 5000)
    datagrams.append(Datagram(START_US + 9000, encode(Frame(values, 5, len(pages) % 256))))
    aggregates, pipeline = run(datagrams)
    assert len(pipeline.health(START_US + 10_000).channels) == 5000
    assert sum(a.sample_count for a in aggregates) == 5000
