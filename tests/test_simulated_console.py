"""The simulated dyno does what its console asks, and says so; what it cannot do, it refuses."""

from __future__ import annotations

import pytest

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
from dynoai_desktop.capture.protocol import ALL_HOSTS, Frame, Message, decode, encode
from dynoai_desktop.capture.simulated_bus import SimulatedBus
from dynoai_desktop.capture.simulated_dyno import simulated_bus
from dynoai_desktop.core.simulator.rig import Rig

START_US = 1_700_000_000_000_000
OUR_ID = 0x0102
OFF, ON, QUERY = Switch.OFF, Switch.ON, Switch.QUERY


@pytest.fixture
def bus() -> SimulatedBus:
    bus = simulated_bus(START_US)
    bus.advance(START_US + 3_000_000)
    return bus


def rig_of(bus: SimulatedBus) -> Rig:
    return bus.signals.rig


def run(bus: SimulatedBus, seconds: float) -> None:
    bus.advance(bus.now_us + int(seconds * 1e6))


def run_until(bus: SimulatedBus, state: str) -> None:
    while rig_of(bus).state != state:
        run(bus, 0.1)


def ask(bus: SimulatedBus, message: Message, dest: int = ALL_HOSTS) -> Message:
    """Return the one answer to a request, which is addressed to us."""
    (answer,) = (decode(d.data) for d in bus.hear(encode(Frame(message, OUR_ID, 1, dest))))
    assert answer.dest == OUR_ID
    return answer.message


def load(bus: SimulatedBus, switch: Switch, kind=LoadTarget.RPM, target: float = 0.0):
    return ask(bus, RequestLoadControl(switch, kind, target))


def test_only_the_dyno_answers_not_the_probe(bus) -> None:
    assert ask(bus, RequestBrake(QUERY)) == Brake(OFF)
    frames = bus.hear(encode(Frame(RequestBrake(QUERY), OUR_ID, 1, 0x7777)))
    assert frames == []


def test_logging_starts_and_stops_and_says_since_when(bus) -> None:
    assert ask(bus, RequestLogging(LoggingRequest.QUERY)) == Logging(False, 0)
    started = ask(bus, RequestLogging(LoggingRequest.START))
    assert started == Logging(True, 3000)
    run(bus, 1.0)
    assert ask(bus, RequestLogging(LoggingRequest.START)) == started
    assert ask(bus, RequestLogging(LoggingRequest.QUERY)) == started
    assert ask(bus, RequestLogging(LoggingRequest.CANCEL)) == Logging(False, 4000)


@pytest.mark.parametrize(
    ("kind", "target", "shown"),
    [
        (LoadTarget.RPM, 2600.0, lambda t: (t.rpm, 30.0)),
        (LoadTarget.SPEED, 90.0, lambda t: (t.speed_m_s * 3.6, 1.0)),
        (LoadTarget.BRAKE, 20.0, lambda t: (t.absorber_n / 45.0, 0.5)),
    ],
)
def test_the_load_brake_holds_what_is_asked_at_the_throttle_that_was(
    bus, kind, target, shown
) -> None:
    run_until(bus, "pull")
    run(bus, 0.5)
    throttle = rig_of(bus).truth().tps_pct
    assert load(bus, ON, kind, target) == LoadControl(ON, kind, target)
    run(bus, 4.0)
    truth = rig_of(bus).truth()
    value, tolerance = shown(truth)
    assert value == pytest.approx(target, abs=tolerance)
    assert truth.tps_pct >= throttle > 50.0
    assert load(bus, QUERY) == LoadControl(ON, kind, target)


def test_load_control_by_acceleration_and_torque_loads_the_engine(bus) -> None:
    run_until(bus, "pull")
    for kind, target in ((LoadTarget.ACCELERATION, 5.0), (LoadTarget.TORQUE, 60.0)):
        load(bus, ON, kind, target)
        run(bus, 1.5)
        assert rig_of(bus).truth().absorber_n > 100.0


def test_the_programme_goes_on_when_load_and_brake_are_off_again(bus) -> None:
    run_until(bus, "pull")
    load(bus, ON, LoadTarget.RPM, 2500.0)
    ask(bus, RequestBrake(ON))
    assert rig_of(bus).state == "manual"
    assert load(bus, OFF) == LoadControl(OFF, LoadTarget.RPM, 0.0)
    assert rig_of(bus).state == "manual"
    assert ask(bus, RequestBrake(OFF)) == Brake(OFF)
    run(bus, 0.1)
    assert rig_of(bus).state != "manual" and rig_of(bus).busy


def test_the_brake_stops_the_drum(bus) -> None:
    run_until(bus, "pull")
    load(bus, ON, LoadTarget.BRAKE, 100.0)
    assert ask(bus, RequestBrake(ON)) == Brake(ON)
    before = rig_of(bus).truth().speed_m_s
    run(bus, 2.0)
    assert rig_of(bus).truth().speed_m_s < 0.8 * before


def test_the_load_the_operator_uses_is_told_and_left_alone(bus) -> None:
    run_until(bus, "climb")
    held = load(bus, QUERY)
    assert held.switch is ON and held.kind is LoadTarget.RPM
    assert load(bus, OFF) == held
    assert rig_of(bus).state == "climb"


@pytest.mark.parametrize(
    ("kind", "target"),
    [(LoadTarget.RPM, 0.0), (LoadTarget.BRAKE, 101.0), (LoadTarget.TORQUE, -1.0)],
)
def test_a_target_out_of_reason_is_answered_with_what_is(bus, kind, target) -> None:
    run_until(bus, "pull")
    assert load(bus, ON, kind, target) == LoadControl(OFF, kind, 0.0)
    assert rig_of(bus).state == "pull"


def test_a_dyno_without_a_load_brake_says_so() -> None:
    bus = simulated_bus(START_US, dyno="drum-inertia")
    bus.advance(START_US + 3_000_000)
    run_until(bus, "pull")
    for switch in (ON, OFF, QUERY):
        answer = load(bus, switch, LoadTarget.RPM, 2500.0)
        assert answer == LoadControl(Switch.NOT_EQUIPPED, LoadTarget.RPM, 0.0)
    assert rig_of(bus).state == "pull"
    assert ask(bus, RequestBrake(QUERY)) == Brake(OFF)


@pytest.mark.parametrize("value", [b"", b"\x07", b"\x01\x09\x00\x00\x00\x00", bytes(6) + b"\xff"])
@pytest.mark.parametrize("key", [0x10, 0x11, 0x12])
def test_nonsense_moves_nothing_and_gets_no_answer(bus, key, value) -> None:
    frame = bytes((key, len(value), 0, 2, 1, 9, 255, 255)) + value
    assert bus.hear(frame) == []
    assert rig_of(bus).state == "idle"
