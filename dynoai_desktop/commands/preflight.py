"""`preflight FILE` or `preflight --live`: is this bus worth a run?"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from dynoai_desktop.capture.environment import default_interface
from dynoai_desktop.capture.machine_facts import measure_machine
from dynoai_desktop.commands import EXIT_DONE, EXIT_FAILED, UsageError
from dynoai_desktop.commands.scan_arguments import scan_live, scan_path
from dynoai_desktop.core.store.json_store import json_text
from dynoai_desktop.core.trust.preflight import LONGEST_S, SAMPLING_S, SHORTEST_S, PreflightReport
from dynoai_desktop.core.trust.trial import judge

_SIGNS = {"fail": "✗", "warning": "!", "pass": "✓", "skipped": "–"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, nargs="?", help="a session folder, a .pcap or a log")
    parser.add_argument("--live", action="store_true", help="listen to the network instead")
    parser.add_argument("--iface", metavar="IP", help="with --live: the interface to listen on")
    parser.add_argument(
        "--seconds", type=float, default=SAMPLING_S, help="with --live: how long to listen"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the checks, worst first; exit 1 when one has failed."""
    report = _live(arguments) if arguments.live else _file(arguments)
    if arguments.json:
        print(json_text(report.to_json()))
    else:
        print("\n".join(_lines(report)))
    return EXIT_DONE if report.passed else EXIT_FAILED


def _file(arguments: argparse.Namespace) -> PreflightReport:
    if arguments.file is None:
        raise UsageError("Name a recording, or use --live to listen to the network.")
    return judge(scan_path(arguments.file)).report


def _live(arguments: argparse.Namespace) -> PreflightReport:
    if arguments.file is not None:
        raise UsageError("Name a recording or use --live, not both.")
    if not SHORTEST_S <= arguments.seconds <= LONGEST_S:
        raise UsageError(f"--seconds must lie between {SHORTEST_S:g} and {LONGEST_S:g}.")
    interface = arguments.iface or default_interface()
    if interface is None:
        raise UsageError("Say which interface to listen on, for example --iface 192.168.1.20.")
    scan, window_ms = scan_live(interface, arguments.seconds)
    machine = replace(measure_machine(arguments.data_dir), window_ms=window_ms)
    return judge(scan, machine).report


def _lines(report: PreflightReport) -> list[str]:
    lines = []
    for check in report.checks:
        lines.append(f"{_SIGNS.get(check.status.value, '?')} {check.title}: {check.message}")
        if check.fix:
            lines.append(f"    {check.fix}")
    return [*lines, "passed" if report.passed else "not passed"]
