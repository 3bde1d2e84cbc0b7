"""`simulate`: publish a simulated dyno on multicast, or write its traffic to a file."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from dynoai_desktop.capture.bus_faults import BUS_FAULTS
from dynoai_desktop.capture.environment import default_interface, jetdrive_source
from dynoai_desktop.capture.pcap import PacketEncoder, file_header
from dynoai_desktop.capture.simulated_bus import SimulatedBus
from dynoai_desktop.capture.simulated_dyno import RigSignals, simulated_bus
from dynoai_desktop.capture.simulator_control import (
    REPORT_S,
    Lines,
    Steering,
    encode_report,
)
from dynoai_desktop.capture.simulator_files import profile_of, scenario_of
from dynoai_desktop.capture.sources.contract import CaptureError, Datagram
from dynoai_desktop.capture.sources.jetdrive import GROUP, PORT, JetdriveSource
from dynoai_desktop.commands import EXIT_DONE, UsageError
from dynoai_desktop.core.simulator.dynos import DYNOS
from dynoai_desktop.core.simulator.faults import FAULTS
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.weather import Weather

_FILE_START_US = 1_700_000_000_000_000  # the same seed writes the same bytes, whatever the day
_LONGEST_PULL_S = 60.0
_FILE_STEP_US = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--profile",
        default="m8-114",
        metavar="P",
        help=f"{', '.join(PROFILES)}, or a JSON file that ends in .json",
    )
    parser.add_argument(
        "--scenario",
        default="lean",
        metavar="S",
        help=f"{', '.join(SCENARIOS)}, or a JSON file that ends in .json",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same bytes")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        dest="faults",
        metavar="F",
        help=f"break something, may be repeated: {', '.join([*FAULTS, *BUS_FAULTS])}",
    )
    parser.add_argument("--dyno", metavar="D", help=f"instead of the profile's: {', '.join(DYNOS)}")
    parser.add_argument("--gear", type=int, metavar="N", help="pull in this gear, 1 is first")
    parser.add_argument("--altitude", type=float, metavar="M", help="of the cell, metres")
    parser.add_argument("--temperature", type=float, metavar="C", help="of the cell, °C")
    parser.add_argument("--humidity", type=float, metavar="PCT", help="of the cell's air, percent")
    parser.add_argument("--pulls", type=int, metavar="N", help="stop after N pulls")
    parser.add_argument("--iface", metavar="IP", help="send on the interface with this address")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.pcap", help="write the traffic instead of sending it"
    )
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="stop when the starting program ends"
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="obey JSON lines on standard input until it closes, report on standard output",
    )


def run(arguments: argparse.Namespace) -> int:
    """Simulate until stopped, or until the pulls are done."""
    if arguments.pulls is not None and arguments.pulls < 1:
        raise UsageError("--pulls must be at least 1.")
    start_us = _FILE_START_US if arguments.out else time.time_ns() // 1000
    try:
        bus = simulated_bus(
            start_us,
            profile_of(arguments.profile),
            scenario_of(arguments.scenario),
            arguments.seed,
            faults=arguments.faults,
            weather=_weather(arguments),
            dyno=arguments.dyno,
            gear=arguments.gear,
        )
    except ValueError as error:
        raise UsageError(f"Cannot simulate: {str(error).rstrip('.')}.") from error
    if arguments.out:
        return _write(bus, arguments.out, arguments.pulls or 3)
    interface = arguments.iface or default_interface()
    if interface is None:
        raise UsageError("Say which interface to send on, for example --iface 127.0.0.1.")
    try:
        source = jetdrive_source(interface)
        if arguments.control:
            _publish(bus, source, arguments.pulls, True, Steering(bus, _rig(bus)))
        else:
            _publish(bus, source, arguments.pulls, arguments.until_stdin_closes)
    except CaptureError as error:
        raise UsageError(str(error)) from error
    return EXIT_DONE


def _weather(arguments: argparse.Namespace) -> Weather:
    """Return the weather asked for; what is not said is that of an ordinary day.

    Raises ValueError for what cannot be.
    """
    usual = Weather()
    baro_kpa, altitude = usual.baro_kpa, arguments.altitude
    if altitude is not None:
        baro_kpa = Weather.at_altitude(altitude).baro_kpa
    said = (arguments.temperature, arguments.humidity)
    temperature_c, humidity_pct = (
        value if value is not None else default
        for value, default in zip(said, (usual.temperature_c, usual.humidity_pct), strict=True)
    )
    return Weather(baro_kpa, temperature_c, humidity_pct)


def _signals(bus: SimulatedBus) -> RigSignals:
    signals = bus.signals
    assert isinstance(signals, RigSignals)
    return signals


def _pulls(bus: SimulatedBus) -> int:
    return _signals(bus).pulls_done


def _rig(bus: SimulatedBus) -> Rig:
    return _signals(bus).rig


def _write(bus: SimulatedBus, path: Path, pulls: int) -> int:
    """Write the traffic as fast as the machine can."""
    encoder = PacketEncoder(GROUP, PORT)
    last_us = bus.now_us + int(pulls * _LONGEST_PULL_S * 1e6)
    count = 0
    try:
        with path.open("wb") as file:
            file.write(file_header())

            def write(datagrams: list[Datagram]) -> None:
                nonlocal count
                count += len(datagrams)
                file.write(b"".join(map(encoder.encode, datagrams)))

            while _pulls(bus) < pulls and bus.now_us < last_us:
                write(bus.advance(bus.now_us + _FILE_STEP_US))
            write(bus.stop())
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.") from error
    print(f"{count} datagrams, {_pulls(bus)} pulls in {path}", file=sys.stderr)
    return EXIT_DONE


def _publish(
    bus: SimulatedBus,
    source: JetdriveSource,
    pulls: int | None,
    until_stdin_closes: bool,
    steering: Steering | None = None,
) -> None:
    """Send at life's pace, answer what is asked and obey who steers, until told to stop."""
    source.open()
    orders: SimpleQueue[bytes] = SimpleQueue()
    report_us = 0
    try:
        with _stop_requested(until_stdin_closes, orders) as stopped:
            print("publishing", file=sys.stderr, flush=True)
            while not stopped.is_set() and (pulls is None or _pulls(bus) < pulls):
                heard = source.receive(0.005)
                if steering is not None:
                    while not orders.empty():
                        steering.take(orders.get())
                sent = bus.advance(source.now_us())
                for datagram in heard:
                    sent += bus.hear(datagram.data)
                _send(source, sent)
                if steering is not None and bus.now_us >= report_us:
                    report_us = bus.now_us + int(REPORT_S * 1e6)
                    if not _say(encode_report(steering.report())):
                        break
            _send(source, bus.stop())
    finally:
        source.close()


def _send(source: JetdriveSource, datagrams: list[Datagram]) -> None:
    for datagram in datagrams:
        source.send(datagram.data)


def _say(line: bytes) -> bool:
    """Write to whoever started us; False when nobody listens any more."""
    try:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    except OSError:
        return False
    return True


@contextmanager
def _stop_requested(
    until_stdin_closes: bool, orders: SimpleQueue[bytes]
) -> Iterator[threading.Event]:
    """Yield an event that is set by SIGTERM, Ctrl-C or the end of standard input.

    The lines of standard input go into *orders*.
    """
    stopped = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    previous = [signal.signal(number, lambda *_: stopped.set()) for number in numbers]
    if until_stdin_closes:

        def wait_for_the_end() -> None:
            # Straight from the descriptor: a buffered reader would hold its lock for ever.
            lines = Lines()
            while data := os.read(sys.stdin.fileno(), 65536):
                for line in lines.feed(data):
                    orders.put(line)
            stopped.set()

        threading.Thread(target=wait_for_the_end, name="stdin", daemon=True).start()
    try:
        yield stopped
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)
