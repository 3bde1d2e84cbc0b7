"""`inspect FILE`: what is in a recording or a log."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dynoai_desktop.capture.files import is_recording
from dynoai_desktop.capture.inspection import inspect_recording
from dynoai_desktop.capture.sources.contract import CaptureError
from dynoai_desktop.commands import EXIT_DONE, UsageError
from dynoai_desktop.core.store.json_store import json_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, help="a session folder, a .pcap or a log")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print what is in the file; exit 2 when it cannot be read."""
    document = inspect_path(arguments.file)
    print(json_text(document) if arguments.json else "\n".join(_lines(document)))
    return EXIT_DONE


def inspect_path(path: Path) -> dict[str, Any]:
    """Return the document for any readable file. Raises UsageError otherwise."""
    try:
        if is_recording(path):
            return inspect_recording(path)
        from dynoai_desktop.capture.readers import ReaderError, inspect_log

        try:
            return inspect_log(path)
        except ReaderError as error:
            raise UsageError(str(error)) from error
    except CaptureError as error:
        raise UsageError(str(error)) from error


def _lines(document: dict[str, Any]) -> list[str]:
    lines = [f"{document['format']}, {document.get('duration_s') or 0:.1f} s"]
    for provider in document.get("providers", []):
        lines.append(
            f"{provider['name']} (0x{provider['host_id']:04X}): {provider['frames']} frames, "
            f"lost {provider['lost']}, duplicates {provider['duplicates']}, "
            f"out of order {provider['out_of_order']}, malformed {provider['malformed']}"
        )
        lines += [
            f"  {c['id']:>5}  {c['name']:<34} {c['unit']:<12} {c['samples']:>9}  "
            f"{_number(c['min']):>10} .. {_number(c['max']):<10} {_number(c['rate_hz']):>8} Hz"
            for c in provider["channels"]
        ]
    if "rows" in document:
        lines.append(f"{document['rows']} rows")
    lines += [
        f"  {c['name']:<44} {c['canonical'] or '–':<14} {c['unit'] or '':<10} {c['count']:>9}  "
        f"{_number(c['min']):>10} .. {_number(c['max'])}"
        for c in document.get("channels", [])
    ]
    lines += [f"{w['code']}: {w['message']}" for w in document.get("warnings", [])]
    return lines


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
