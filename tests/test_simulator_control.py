"""Steering the simulated dyno: orders move it, nonsense does not, and abort is heard at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.capture.bus_faults import BUS_FAULTS
from dynoai_desktop.capture.simulated_bus import SimulatedBus
from dynoai_desktop.capture.simulated_dyno import simulated_bus
from dynoai_desktop.capture.simulator_control import (
    LONGEST_LINE,
    ControlError,
    Lines,
    Steering,
    encode_order,
    encode_report,
    parse_order,
    parse_report,
)
from dynoai_desktop.core.simulator.absorber import NO_LOAD, LoadControl, LoadMode
from dynoai_desktop.core.simulator.commands import Abort, ByHand, EngineSwitch, SetFault
from dynoai_desktop.core.simulator.faults import FAULTS
from dynoai_desktop.core.simulator.orders import ROUND, Order, Perform, Report
from dynoai_desktop.core.simulator.profile_json import profile_to_json
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.programmes import PROGRAMMES

START_US = 1_700_000_000_000_000


@pytest.fixture
def bus() -> SimulatedBus:
    bus = simulated_bus(START_US)
    bus.advance(START_US + 3_000_000)
    return bus


@pytest.fixture
def steering(bus) -> Steering:
    return Steering(bus, bus.signals.rig)


def run(bus: SimulatedBus, seconds: float) -> None:
    bus.advance(bus.now_us + round(seconds * 1e6))


def order(steering: Steering, order: Order) -> None:
    steering.take(encode_order(order))
    assert steering.report().refused == ""


# Lines


@given(st.lists(st.binary(max_size=60).filter(lambda b: b"\n" not in b)), st.integers(1, 9))
def test_lines_come_out_whole_however_the_bytes_arrive(texts, size):
    stream = b"".join(text + b"\n" for text in texts)
    lines = Lines()
    found = [
        line
        for start in range(0, len(stream), size)
        for line in lines.feed(stream[start : start + size])
    ]
    assert found == texts


@pytest.mark.parametrize("size", [1000, 50_000])
def test_a_line_without_end_is_refused_once_and_the_next_one_is_read(size):
    lines, found = Lines(), []
    stream = b"[" * 20_000 + b'\n{"do": "abort"}\n'
    for start in range(0, len(stream), size):
        found += lines.feed(stream[start : start + size])
    assert len(found) == 2
    assert len(found[0]) == LONGEST_LINE + 1
    with pytest.raises(ControlError, match="at most"):
        parse_order(found[0])
    assert parse_order(found[1]) == Abort()


def test_an_endless_line_takes_no_memory():
    lines = Lines()
    found = [line for _ in range(50) for line in lines.feed(b"x" * 10_000)]
    assert len(found) == 1
    assert len(lines._part) == 0


# Orders


@pytest.mark.parametrize(
    "order",
    [
        *map(Perform, [*PROGRAMMES, ROUND]),
        ByHand(tps_pct=30.0),
        ByHand(engaged=True, gear=3),
        ByHand(drum_brake=0.5),
        ByHand(load=LoadControl(LoadMode.TORQUE, 60.0)),
        ByHand(load=NO_LOAD),
        Abort(),
        EngineSwitch(False),
        SetFault("weak_pump"),
        SetFault("packet_loss", False),
    ],
)
def test_what_is_written_is_read_back(order):
    line = encode_order(order)
    assert line.count(b"\n") == 1
    assert parse_order(line) == order


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 4000, "not JSON"),
        (b"9" * 4000, "one JSON object"),
        (b"[]", "one JSON object"),
        (b"{}", "do must be one of"),
        (b'{"do": ["abort"]}', "do must be one of"),
        (b'{"do": "format"}', "do must be one of"),
        (b'{"do": "abort", "now": 1}', "no field"),
        (b'{"do": "drive"}', "needs the field programme"),
        (b'{"do": "drive", "programme": "fly"}', "programme must be one of"),
        (b'{"do": "drive", "programme": []}', "programme must be one of"),
        (b'{"do": "by_hand", "tps_pct": NaN}', "tps_pct must lie"),
        (b'{"do": "by_hand", "tps_pct": 1e999}', "tps_pct must lie"),
        (b'{"do": "by_hand", "tps_pct": 101}', "tps_pct must lie"),
        (b'{"do": "by_hand", "tps_pct": true}', "tps_pct must be a number"),
        (b'{"do": "by_hand", "gear": 2.5}', "gear must be a whole number"),
        (b'{"do": "by_hand", "gear": 0}', "gear must be a whole number"),
        (b'{"do": "by_hand", "engaged": 1}', "engaged must be true or false"),
        (b'{"do": "by_hand", "colour": {}}', "no field"),
        (b'{"do": "by_hand", "load": 3000}', "load must be an object"),
        (b'{"do": "by_hand", "load": {}}', "mode must be one of"),
        (b'{"do": "by_hand", "load": {"mode": "rpm"}}', "target must be a number"),
        (b'{"do": "by_hand", "load": {"mode": "rpm", "target": 10}}', "target must lie"),
        (b'{"do": "by_hand", "load": {"mode": "brake", "target": NaN}}', "target must lie"),
        (b'{"do": "fault", "key": "x", "active": true}', "key must be one of"),
        (b'{"do": "fault", "key": "weak_pump"}', "needs the field active"),
        (b'{"do": "engine", "running": null}', "running must be true or false"),
    ],
)
def test_what_is_no_order_moves_nothing_and_is_answered_with_the_reason(
    bus, steering, line, says
) -> None:
    with pytest.raises(ControlError, match=says):
        parse_order(line)
    before = steering.report()
    steering.take(line)
    after = steering.report()
    assert says in after.refused
    assert after.phase == before.phase
    order(steering, Perform("idle_hold"))


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
_NAMES = ("do", "programme", "tps_pct", "engaged", "gear", "drum_brake", "key", "active", "running")
_LIKELY = st.sampled_from(["drive", "by_hand", "abort", "engine", "fault", "chop", "weak_pump"])


@given(st.dictionaries(st.sampled_from(_NAMES), _LIKELY | _JSON))
def test_any_document_is_an_order_or_a_control_error(document):
    line = json.dumps(document).encode()
    try:
        found = parse_order(line)
    except ControlError:
        return
    assert parse_order(encode_order(found)) == found


@given(st.binary(max_size=200))
def test_any_bytes_are_an_order_a_report_or_a_control_error(line):
    for parse in (parse_order, parse_report):
        try:
            parse(line)
        except ControlError:
            continue


def test_a_gear_that_the_vehicle_does_not_have_is_refused(bus, steering):
    steering.take(b'{"do": "by_hand", "gear": 9}')
    assert "gear 9 is not there" in steering.report().refused


# What the dyno does


@pytest.mark.parametrize("programme", list(PROGRAMMES))
def test_every_programme_is_driven_once(bus, steering, programme):
    order(steering, Perform(programme))
    run(bus, 0.1)
    assert steering.report().programme == programme
    assert steering.report().busy


def test_the_throttle_is_shut_a_tenth_of_a_second_after_abort(bus, steering):
    rig = bus.signals.rig
    order(steering, Perform("wot_pull"))
    while rig.state != "pull":
        run(bus, 0.1)
    run(bus, 1.0)
    assert rig.truth().tps_pct == 100.0
    order(steering, Abort())
    run(bus, 0.1)
    assert rig.truth().tps_pct < 1.0
    assert steering.report().phase == "abort"


def test_by_hand_the_throttle_stays_where_it_is_put(bus, steering):
    order(steering, Perform("wot_pull"))
    run(bus, 1.0)
    order(steering, ByHand(tps_pct=20.0, engaged=True, gear=3))
    run(bus, 1.0)
    report = steering.report()
    assert (report.phase, report.programme) == ("manual", "")
    assert report.tps_pct == pytest.approx(20.0, abs=0.5)
    assert (report.gear, report.clutch_closed) == (3, True)
    order(steering, ByHand(engaged=False))
    assert not steering.report().clutch_closed


@pytest.mark.parametrize(
    ("mode", "target", "figure"),
    [(LoadMode.RPM, 3000.0, "rpm"), (LoadMode.SPEED, 110.0, "speed_kmh")],
)
def test_by_hand_the_load_brake_holds_what_it_is_told(bus, steering, mode, target, figure):
    order(steering, ByHand(tps_pct=30.0, engaged=True, load=LoadControl(mode, target)))
    run(bus, 25.0)
    report = steering.report()
    assert (report.load, report.load_target) == (mode.value, target)
    assert getattr(report, figure) == pytest.approx(target, rel=0.01)
    assert report.load_n > 100.0
    order(steering, ByHand(load=NO_LOAD))
    run(bus, 1.0)
    assert steering.report().load == "off" and steering.report().load_n < 5.0
    assert getattr(steering.report(), figure) > 1.05 * target


def test_a_drum_alone_refuses_a_load():
    bus = simulated_bus(START_US, dyno="drum-inertia")
    steering = Steering(bus, bus.signals.rig)
    steering.take(encode_order(ByHand(load=LoadControl(LoadMode.BRAKE, 20.0))))
    assert "no load brake" in steering.report().refused
    assert not steering.report().has_load


@pytest.mark.parametrize("key", ["weak_pump", "packet_loss"])
def test_faults_of_machine_and_wire_come_and_go(bus, steering, key):
    order(steering, SetFault(key))
    assert steering.report().faults == (key,)
    order(steering, SetFault(key, False))
    assert steering.report().faults == ()


def test_the_engine_can_be_killed_and_started(bus, steering):
    order(steering, EngineSwitch(False))
    run(bus, 3.0)
    assert not steering.report().engine_on
    assert steering.report().rpm < 300.0
    order(steering, EngineSwitch(True))
    assert steering.report().engine_on


# Reports


def test_a_report_is_read_back(bus, steering):
    for key in [*FAULTS, *BUS_FAULTS]:
        order(steering, SetFault(key))
    run(bus, 0.5)
    report = steering.report()
    line = encode_report(report)
    assert len(line) < LONGEST_LINE
    assert parse_report(line) == report


@pytest.mark.parametrize(
    "change",
    [{"rpm": "fast"}, {"rpm": float("nan")}, {"gear": True}, {"faults": [1]}, {"faults": "x"},
     {"faults": ["x"] * 1000}, {"busy": 1}, {"more": 1}],
)  # fmt: skip
def test_a_report_that_is_odd_is_refused(steering, change):
    document = json.loads(encode_report(steering.report()))
    with pytest.raises(ControlError):
        parse_report(json.dumps(document | change).encode())


# The real process


@contextmanager
def process(port: int, *arguments: str) -> Iterator[subprocess.Popen]:
    started = subprocess.Popen(
        [sys.executable, "-m", "dynoai_desktop", "simulate", "--iface", "127.0.0.1",
         "--control", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"JETDRIVE_PORT": str(port)},
    )  # fmt: skip
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate(timeout=10)


def reports_until(process: subprocess.Popen, condition) -> Report:
    while line := process.stdout.readline():
        report = parse_report(line)
        if condition(report):
            return report
    raise AssertionError("the process ended before that was reported")


def test_the_process_obeys_reports_and_says_good_bye_when_its_input_closes(free_udp_port):
    with process(free_udp_port, "--seed", "3") as dyno:
        reports_until(dyno, lambda r: r.phase == "idle")
        dyno.stdin.write(b"nonsense\n")
        dyno.stdin.flush()
        assert "not JSON" in reports_until(dyno, lambda r: r.refused).refused
        for wish in (SetFault("no_fan"), ByHand(tps_pct=40.0)):
            dyno.stdin.write(encode_order(wish))
        dyno.stdin.flush()
        report = reports_until(dyno, lambda r: r.tps_pct > 39.0)
        assert (report.phase, report.faults, report.refused) == ("manual", ("no_fan",), "")
        sent_s = time.monotonic()
        dyno.stdin.write(encode_order(Abort()))
        dyno.stdin.flush()
        reports_until(dyno, lambda r: r.phase == "abort" and r.tps_pct < 1.0)
        assert time.monotonic() - sent_s < 1.0  # a tenth of it is the dyno, the rest this machine
        dyno.stdin.close()
        assert dyno.stdout.read() is not None
        assert dyno.wait(10) == 0
        dyno.stdin = None


def test_sigterm_ends_the_process_while_its_input_is_open(free_udp_port):
    with process(free_udp_port) as dyno:
        reports_until(dyno, lambda r: True)
        dyno.send_signal(signal.SIGTERM)
        _, words = dyno.communicate(timeout=10)
        assert dyno.returncode == 0
        assert words == b"publishing\n"


def test_a_vehicle_of_ones_own_comes_from_a_file(free_udp_port, tmp_path: Path):
    path = tmp_path / "mine.json"
    path.write_text(profile_to_json(PROFILES["four-600"]), encoding="utf-8")
    with process(free_udp_port, "--profile", str(path)) as dyno:
        report = reports_until(dyno, lambda r: True)
        assert report.gears == len(PROFILES["four-600"].gear_ratios)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"engine_inertia_kgm2": 0.0}, "engine_inertia_kgm2"), ({"redline_rpm": 500.0}, "redline_rpm"),
     ({"displacement_cc": -1.0}, "displacement_cc"), ({"turbo": 1}, "turbo"),
     ({"ve_rpm": [1.0]}, "ve_rpm")],
)  # fmt: skip
def test_a_vehicle_that_cannot_be_is_refused_with_the_name_of_the_field(
    capsys, tmp_path, change, field
):
    from dynoai_desktop.cli import main

    document = json.loads(profile_to_json(PROFILES["m8-114"])) | change
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert main(["simulate", "--profile", str(path), "--out", str(tmp_path / "x.pcap")]) == 2
    assert field in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"{", b"[" * 2_000_000])
def test_a_file_that_is_no_vehicle_is_refused(capsys, tmp_path, content):
    from dynoai_desktop.cli import main

    path = tmp_path / "mine.json"
    path.write_bytes(content)
    assert main(["simulate", "--profile", str(path), "--out", str(tmp_path / "x.pcap")]) == 2
    assert "Cannot simulate: profile: " in capsys.readouterr().err
