"""`mapping FILE`: what every channel is taken for, how surely, and why."""

from __future__ import annotations

import argparse
from pathlib import Path

from dynoai_desktop.commands import EXIT_DONE, EXIT_FAILED
from dynoai_desktop.commands.scan_arguments import scan_path
from dynoai_desktop.core.store.json_store import json_text
from dynoai_desktop.core.trust.channel_map import ChannelMap
from dynoai_desktop.core.trust.trial import judge


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, help="a session folder, a .pcap or a log")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the mapping; exit 1 when a run should not start with it."""
    channel_map = judge(scan_path(arguments.file)).channel_map
    if arguments.json:
        print(json_text(channel_map.to_json()))
    else:
        print("\n".join(_lines(channel_map)))
    return EXIT_DONE if channel_map.ready else EXIT_FAILED


def _lines(channel_map: ChannelMap) -> list[str]:
    lines = [
        f"{channel.value:<14} {binding.confidence:4.0%}  {binding.source.name} "
        f"({binding.source.provider})\n" + "\n".join(f"{'':22}{r}" for r in binding.reasons)
        for channel, binding in channel_map.bindings.items()
    ]
    for channel, candidates in channel_map.ambiguous.items():
        names = " or ".join(f"{c.name} ({c.provider} {c.id})" for c in candidates)
        lines.append(f"{channel.value}: ambiguous between {names}")
    lines += [f"missing: {name}" for name in channel_map.unmapped_required]
    lines += [f"recommended: {channel.value}" for channel in channel_map.unmapped_recommended]
    lines += channel_map.notices
    verdict = "ready" if channel_map.ready else "not ready"
    return [*lines, f"{verdict}, overall confidence {channel_map.overall_confidence:.0%}"]
