"""`record --seconds N`: capture from the network into a session folder, without a window."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from dynoai_desktop.capture.begin_session import begin_session
from dynoai_desktop.capture.environment import default_interface, jetdrive_source
from dynoai_desktop.capture.node import Node
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.recorder import RecordingProgress
from dynoai_desktop.capture.sources.contract import CaptureError
from dynoai_desktop.capture.sources.jetdrive import JetdriveSource
from dynoai_desktop.commands import EXIT_DONE, EXIT_FAILED, UsageError, known_vehicle
from dynoai_desktop.core.store.json_store import json_text
from dynoai_desktop.core.store.vehicles import VehicleRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--seconds", type=float, required=True, metavar="N", help="how long")
    parser.add_argument("--iface", metavar="IP", help="listen on the interface with this address")
    parser.add_argument(
        "--vehicle", default="", metavar="V", help="name of the vehicle on the dyno"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Record; exit 1 when nothing was heard or the disk failed."""
    if not 0 < arguments.seconds < float("inf"):
        raise UsageError("--seconds must be a number above zero.")
    interface = arguments.iface or default_interface()
    if interface is None:
        raise UsageError("Say which interface to listen on, for example --iface 192.168.1.20.")
    vehicle = known_vehicle(arguments.data_dir, arguments.vehicle)
    try:
        progress, pipeline, now_us = _record(
            jetdrive_source(interface),
            arguments.data_dir / "sessions",
            vehicle,
            arguments.seconds,
        )
    except CaptureError as error:
        raise UsageError(str(error)) from error
    _report(arguments.json, progress, pipeline, now_us)
    heard = bool(pipeline.health(now_us).providers)
    return EXIT_DONE if heard and not progress.error else EXIT_FAILED


def _record(
    source: JetdriveSource, sessions: Path, vehicle: VehicleRecord, seconds: float
) -> tuple[RecordingProgress, Pipeline, int]:
    pipeline = Pipeline(Node(random.Random()), vehicle.stoich_afr)
    stopped: list[int] = []
    previous = signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    source.open()
    try:
        start_us = source.now_us()
        bus = source.interface, source.group, source.port
        recorder = begin_session(sessions, vehicle.name, pipeline, bus, start_us)
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until and not stopped and not recorder.error:
                batch = source.receive(0.02)
                now_us = source.now_us()
                recorder.write(batch)
                for aggregate in pipeline.feed(batch, now_us):
                    recorder.write_row(aggregate)
                for frame in pipeline.outbox():
                    source.send(frame)
                recorder.update_document(now_us, pipeline.facts)
        except KeyboardInterrupt:
            pass  # the operator has enough; what was recorded is finished properly
        return recorder.close(pipeline.facts()), pipeline, source.now_us()
    finally:
        source.close()
        signal.signal(signal.SIGTERM, previous)


def _report(as_json: bool, progress: RecordingProgress, pipeline: Pipeline, now_us: int) -> None:
    health = pipeline.health(now_us)
    document: dict[str, Any] = {
        "session": str(progress.folder),
        "datagrams": progress.datagrams,
        "duration_s": round((now_us - progress.started_us) / 1e6, 3),
        "error": progress.error or None,
        "providers": [
            {"name": p.name, "host_id": p.host_id, "frames": p.frames, "lost": p.lost,
             "channels": p.channel_count}
            for p in health.providers
        ],
    }  # fmt: skip
    if as_json:
        print(json_text(document))
    else:
        print(f"{progress.datagrams} datagrams in {progress.folder}")
        for provider in health.providers:
            print(f"  {provider.name}: {provider.frames} frames, lost {provider.lost}")
    if progress.error:
        print(progress.error, file=sys.stderr)
    elif not health.providers:
        print(
            "Nothing was heard of a dyno. Check the interface, and that JETDRIVE is enabled in "
            "Power Core.",
            file=sys.stderr,
        )
