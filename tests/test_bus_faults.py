"""Every fault on demand is noticed by whom its table says, and by nobody where it says so."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from dynoai_desktop.capture.bus_faults import BUS_FAULTS, COUNTER, NOBODY, Wire, wire_of
from dynoai_desktop.capture.node import Node
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.protocol import ClearChannelInfo, Ping, decode
from dynoai_desktop.capture.simulated_bus import SimulatedBus
from dynoai_desktop.capture.simulated_dyno import simulated_bus
from dynoai_desktop.cli import main
from dynoai_desktop.core.analysis.accuracy import SINGLE_FAULTS
from dynoai_desktop.core.live.alert_rules import ALERT_RULES
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.gates import GATE_TITLES
from dynoai_desktop.core.simulator.commands import SetFault
from dynoai_desktop.core.simulator.faults import ALERT, ANALYSIS, FAULTS, GATE, PREFLIGHT
from dynoai_desktop.core.trust.check import PairBaseline, Status
from dynoai_desktop.core.trust.health import BusHealth, ProviderHealth
from dynoai_desktop.core.trust.preflight import (
    CHECKS,
    SAMPLING_S,
)
from dynoai_desktop.core.trust.trial import judge

START_US = 1_700_000_000_000_000
CORE, PROBE = "Power Core SIMULATED", "Atmospheric Probe SIMULATED"
IDLE_S, DRIVEN_S = 6.5, 14.0  # the demonstration idles first, then pulls
WIRE_ALERTS = {"loss", "silence", "stale_channel", "missing_channel"}
RAISED = {Status.FAIL, Status.WARNING}


class Listener:
    """A station beside a simulated dyno: capture, preflight, live analysis."""

    def __init__(
        self,
        faults: Iterable[str] = (),
        seed: int = 1,
        scenario: str = "perfect",
        pair: PairBaseline | None = None,
    ):
        self.pair = pair
        self.bus: SimulatedBus = simulated_bus(
            START_US, scenario=scenario, seed=seed, faults=tuple(faults)
        )
        self.pipeline = Pipeline(Node(random.Random(1)))
        self.engine = LiveEngine()
        self._steps = 0

    @property
    def now_us(self) -> int:
        return START_US + self._steps * 50_000

    def listen(self, until_s: float) -> Listener:
        while self.now_us < START_US + until_s * 1e6:
            self._steps += 1
            heard = self.bus.advance(self.now_us)
            now = max([self.now_us, *(datagram.arrival_us for datagram in heard)])
            for aggregate in self.pipeline.feed(heard, now):
                self.engine.observe(aggregate)
            answers = [a for data in self.pipeline.outbox() for a in self.bus.hear(data)]
            for aggregate in self.pipeline.feed(answers, now + 5_000):
                self.engine.observe(aggregate)
        return self

    def listen_for(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Listen until *condition* holds; False when *limit_s* is over."""
        while not condition() and self.now_us < START_US + limit_s * 1e6:
            self.listen((self.now_us - START_US) / 1e6 + 1.0)
        return condition()

    @property
    def health(self) -> BusHealth:
        return self.pipeline.health(self.now_us)

    def provider(self, name: str = CORE) -> ProviderHealth:
        return next(p for p in self.health.providers if p.name == name)

    @property
    def checks(self) -> set[str]:
        """The preflight checks that say something is wrong."""
        report = judge(self.pipeline.scan(self.now_us, SAMPLING_S), pair=self.pair).report
        return {check.id for check in report.checks if check.status in RAISED}

    @property
    def alerts(self) -> set[str]:
        return {alert.key for alert in self.engine.alert_log}

    @property
    def gates(self) -> set[str]:
        return set(self.engine.snapshot().rejected)

    def count(self, name: str) -> float:
        found = getattr(self.health, name, 0) or 0
        return found + sum(getattr(p, name, 0) or 0 for p in self.health.providers)


COUNTERS = ("lost", "duplicates", "out_of_order", "malformed", "restarts", "late_samples")


@pytest.fixture(scope="module")
def healthy() -> Listener:
    return Listener().listen(DRIVEN_S)


def test_a_healthy_bus_raises_no_counter_no_check_and_no_alert(healthy) -> None:
    assert {name: healthy.count(name) for name in COUNTERS} == dict.fromkeys(COUNTERS, 0)
    assert healthy.checks == set()
    assert healthy.alerts == set()


# --- the wire ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", BUS_FAULTS.values(), ids=lambda fault: fault.key)
def test_every_fault_of_the_wire_changes_something_and_names_who_exists(fault) -> None:
    assert wire_of([fault.key]) != Wire()
    known = {
        COUNTER: {*COUNTERS, "clock_offset_ms"},
        PREFLIGHT: {check.id for check in CHECKS},
        ALERT: {rule.key for rule in ALERT_RULES},
        NOBODY: {""},
    }
    assert fault.noticed_by
    assert all(what in known[who] for who, what in fault.noticed_by)


@pytest.mark.parametrize(
    "fault",
    [f for f in BUS_FAULTS.values() if f.noticed_by[0][0] is not NOBODY and f.key != "clock_skew"],
    ids=lambda fault: fault.key,
)
def test_a_fault_of_the_wire_is_noticed(fault) -> None:
    station = Listener([fault.key]).listen(DRIVEN_S)
    for who, what in fault.noticed_by:
        if who == COUNTER:
            assert station.count(what) > 0
        elif who == PREFLIGHT:
            assert what in station.checks
        else:
            assert what in station.alerts


@pytest.mark.parametrize(
    "key", [f.key for f in BUS_FAULTS.values() if f.noticed_by[0][0] is NOBODY]
)
def test_what_belongs_to_life_is_noticed_by_nobody(key, healthy) -> None:
    station = Listener([key]).listen(IDLE_S)
    report = judge(station.pipeline.scan(station.now_us, SAMPLING_S)).report
    assert report.passed
    station.listen(DRIVEN_S)
    assert {name: station.count(name) for name in COUNTERS} == dict.fromkeys(COUNTERS, 0)
    assert not station.alerts & WIRE_ALERTS
    assert station.provider().samples <= healthy.provider().samples


def test_an_idle_dyno_that_sends_on_change_leaves_out_what_stands_at_zero(healthy) -> None:
    quiet = Listener(["send_on_change"]).listen(IDLE_S - 1.5)
    names = {c.name: c.samples for c in quiet.health.channels}
    assert names["Torque Drum 1"] == names["Digital RPM 2"] == 0
    assert names["Engine RPM"] > 300
    assert 4 <= names["Sampling"] <= 10  # stands still, and is said again now and then
    quiet.listen(DRIVEN_S)
    assert {c.name: c.samples for c in quiet.health.channels}["Torque Drum 1"] > 300


def test_a_skewed_clock_is_followed_and_moves_no_sample() -> None:
    station = Listener(["clock_skew"]).listen(5.0)
    before = station.provider().clock_offset_ms
    station.listen(26.0)
    moved = station.provider().clock_offset_ms - before
    assert moved == pytest.approx(-300e-6 * 20_000, abs=2.5)  # pings are 10 s apart
    assert not station.count("late_samples") and not station.count("restarts")
    assert not station.alerts & WIRE_ALERTS


def test_the_clock_goes_on_where_its_number_starts_again() -> None:
    station = Listener(["clock_wrap"]).listen(9.0)
    times = station.pipeline.scan(station.now_us, 8.0).signals[CORE, 12].time_s
    assert np.diff(times).max() < 0.05 and np.diff(times).min() > 0.0
    assert times[0] == pytest.approx(START_US / 1e6 + 1.1, abs=0.2)


def test_a_restarted_provider_is_the_same_one_under_another_host_id() -> None:
    station = Listener(["provider_restart"]).listen(4.0)
    before = station.provider().host_id
    station.listen(9.0)
    after = station.provider()
    assert after.host_id != before and after.restarts == 1
    assert [p.name for p in station.health.providers] == [CORE, PROBE]


def test_after_an_outage_capture_goes_on_by_itself() -> None:
    station = Listener(["network_loss"]).listen(8.0)
    assert station.health.channels[12].age_s > 2.0
    station.listen(10.0)
    assert station.health.channels[12].age_s < 0.2
    assert station.provider().restarts == 0


def test_a_second_dyno_comes_and_goes() -> None:
    station = Listener().listen(5.0)
    station.bus.set_fault("second_dyno")
    station.listen(9.0)
    assert "one_dyno" in station.checks
    station.bus.set_fault("second_dyno", active=False)
    station.listen(12.0)
    assert station.provider(f"{CORE} #2").age_s > 2.0
    assert station.provider().age_s < 0.2


# --- on demand -----------------------------------------------------------------------------------


def bytes_of(bus: SimulatedBus, seconds: float, step_us: int = 50_000) -> list[tuple[int, bytes]]:
    sent = []
    for now in range(START_US + step_us, START_US + int(seconds * 1e6) + 1, step_us):
        sent += bus.advance(now)
    return [(d.arrival_us, d.data) for d in sent + bus.stop()]


ALL = [f for f in BUS_FAULTS if f != "network_loss"]


def test_the_same_seed_gives_the_same_bytes_however_time_is_cut() -> None:
    traffic = bytes_of(simulated_bus(START_US, faults=ALL), 8.0)
    assert bytes_of(simulated_bus(START_US, faults=ALL), 8.0, step_us=1_000_000) == traffic
    assert bytes_of(simulated_bus(START_US, faults=ALL, seed=2), 8.0) != traffic
    times = [arrival for arrival, _ in traffic]
    assert times == sorted(times)


def test_a_fault_that_was_mended_in_time_leaves_no_trace() -> None:
    plain, mended = simulated_bus(START_US), simulated_bus(START_US)
    for key in ALL:
        mended.set_fault(key)
    assert set(mended.faults) == set(ALL)
    for key in ALL:
        mended.set_fault(key, active=False)
    assert bytes_of(mended, 4.0) == bytes_of(plain, 4.0)


def test_a_fault_can_be_set_and_mended_while_running() -> None:
    station = Listener().listen(5.0)
    station.bus.set_fault("packet_loss")
    station.listen(8.0)
    lost = station.count("lost")
    assert lost > 0
    station.bus.set_fault("packet_loss", active=False)
    station.listen(11.0)
    assert station.count("lost") == lost


def test_the_good_bye_comes_last_even_on_a_slow_network() -> None:
    bus = simulated_bus(START_US, faults=["slow_network", "reordering"])
    bus.advance(START_US + 4_000_000)
    last = [decode(d.data).message for d in bus.stop()]
    assert sum(isinstance(m, ClearChannelInfo) for m in last) == 2


def test_nobody_answers_while_the_network_is_gone() -> None:
    bus = simulated_bus(START_US, faults=["network_loss"])
    bus.advance(START_US + 6_000_000)
    frame = bytes((4, 5, 0, 1, 2, 1, 255, 255, 1, 0, 0, 0, 0))
    assert isinstance(decode(frame).message, Ping)
    assert bus.hear(frame) == [] and bus.advance(START_US + 7_000_000) == []


@pytest.mark.parametrize("name", ["gremlins", ""])
def test_a_fault_that_does_not_exist_is_refused_by_name(name) -> None:
    with pytest.raises(ValueError, match=f"'{name}'"):
        simulated_bus(START_US, faults=[name])
    with pytest.raises(ValueError, match="choose from packet_loss"):
        simulated_bus(START_US).set_fault(name)


def test_a_gear_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="gear 7"):
        simulated_bus(START_US, gear=7)


# --- the machine ---------------------------------------------------------------------------------

PREFLIGHT_S = 18.0
LONGEST_S = 330.0  # heads without a fan take five minutes; whatever shows earlier ends the wait
KNOWN_PAIR = PairBaseline(-0.05, 0.004)  # front − rear of the scenario "one_cylinder"

# Analysis reads a recording and a person reads a screen: those have tests of their own.
ON_THE_WIRE = [
    fault
    for fault in FAULTS.values()
    if {who for who, _ in fault.noticed_by} & {PREFLIGHT, ALERT, GATE}
]


def station_with(fault: str) -> Listener:
    """A station beside a dyno with a fault, on the occasion on which that can be noticed."""
    if fault == "swapped_widebands":  # by who knows how far apart the cylinders were
        return Listener([fault], scenario="one_cylinder", pair=KNOWN_PAIR)
    if fault == "free_air_wideband":  # out of the pipe of a running engine
        station = Listener().listen(10.0)
        station.bus.signals.rig.command(SetFault(fault))
        return station
    return Listener([fault])


@pytest.mark.parametrize("fault", ON_THE_WIRE, ids=lambda fault: fault.key)
def test_a_fault_of_the_machine_is_noticed_on_the_wire(fault, healthy) -> None:
    station = station_with(fault.key)
    station.listen((station.now_us - START_US) / 1e6 + PREFLIGHT_S)
    checks = station.checks
    for who, what in fault.noticed_by:
        if who == PREFLIGHT:
            assert what in checks
        elif who == ALERT:
            assert station.listen_for(lambda what=what: what in station.alerts, LONGEST_S)
            assert what not in healthy.alerts
        elif who == GATE:
            assert what in GATE_TITLES
            assert station.listen_for(lambda what=what: what in station.gates, LONGEST_S)


def test_widebands_that_were_not_swapped_are_not_suspected() -> None:
    right = Listener(scenario="one_cylinder", pair=KNOWN_PAIR).listen(PREFLIGHT_S)
    assert "cylinders" not in right.checks


def test_what_the_analysis_ought_to_notice_is_counted_among_its_causes() -> None:
    left_to_it = {
        fault.key for fault in FAULTS.values() if ANALYSIS in {who for who, _ in fault.noticed_by}
    }
    assert left_to_it <= set(SINGLE_FAULTS)


# --- from the command line -----------------------------------------------------------------------


def test_faults_weather_and_gear_can_be_chosen_for_a_file(tmp_path, capsys) -> None:
    plain, other = tmp_path / "plain.pcap", tmp_path / "other.pcap"
    assert main(["simulate", "--out", str(plain), "--pulls", "1"]) == 0
    options = ["--fault", "packet_loss", "--fault", "weak_pump", "--gear", "4"]
    weather = ["--altitude", "1500", "--temperature", "30", "--humidity", "60"]
    assert main(["simulate", "--out", str(other), "--pulls", "1", *options, *weather]) == 0
    assert plain.read_bytes() != other.read_bytes()


@pytest.mark.parametrize(
    ("option", "word"),
    [
        (["--fault", "gremlins"], "gremlins"),
        (["--gear", "9"], "gear 9"),
        (["--dyno", "bench"], "bench"),
        (["--altitude", "90000"], "altitude"),
        (["--altitude", "nan"], "altitude"),
        (["--temperature", "nan"], "temperature_c"),
        (["--humidity", "150"], "humidity_pct"),
    ],
)
def test_what_cannot_be_is_refused_by_name(option, word, tmp_path, capsys) -> None:
    assert main(["simulate", "--out", str(tmp_path / "x.pcap"), *option]) == 2
    assert word in capsys.readouterr().err
