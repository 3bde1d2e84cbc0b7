"""`bench`: this machine's figures, each beside its yardstick and what it must reach."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from dynoai_desktop.benchmarks import Figure, machine
from dynoai_desktop.benchmarks.analysis import analysis_figures
from dynoai_desktop.benchmarks.live import live_figures, rehearsing_figures
from dynoai_desktop.benchmarks.memory import memory_figures
from dynoai_desktop.benchmarks.planner import planner_figures
from dynoai_desktop.benchmarks.simulator import simulator_figures
from dynoai_desktop.benchmarks.startup import startup_figures
from dynoai_desktop.benchmarks.throughput import pipeline_figures
from dynoai_desktop.benchmarks.update import update_figures
from dynoai_desktop.commands import EXIT_DONE, EXIT_FAILED, UsageError
from dynoai_desktop.core.store.json_store import json_text

BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "pipeline": pipeline_figures,
    "update": update_figures,
    "startup": startup_figures,
    "live": live_figures,
    "rehearsing": rehearsing_figures,
    "memory": memory_figures,
    "analysis": analysis_figures,
    "planner": planner_figures,
    "simulator": simulator_figures,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--truth", action="store_true", help="accuracy against known truth instead of speed"
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="with --truth: how many")
    parser.add_argument(
        "--only", metavar="NAME", action="append", help=f"one of {', '.join(BENCHMARKS)}"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure; exit 1 when a figure is short of what it must reach."""
    if arguments.truth:
        return _truth(arguments)
    chosen = arguments.only or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        raise UsageError(f"There is no benchmark '{unknown[0]}'; choose {', '.join(BENCHMARKS)}.")
    figures: list[Figure] = []
    for name in chosen:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        figures += BENCHMARKS[name]()
    document = {"machine": machine(), "figures": [_row(figure) for figure in figures]}
    print(json_text(document) if arguments.json else _text(document, figures))
    return EXIT_DONE if all(figure.reached for figure in figures) else EXIT_FAILED


def _truth(arguments: argparse.Namespace) -> int:
    """Print what is found of a known truth, and how often it is missed."""
    from dynoai_desktop.benchmarks.truth import TRUTHS

    if arguments.seeds < 1:
        raise UsageError("--seeds must be at least 1.")
    chosen = arguments.only or list(TRUTHS)
    unknown = [name for name in chosen if name not in TRUTHS]
    if unknown:
        raise UsageError(f"There is no truth '{unknown[0]}'; choose {', '.join(TRUTHS)}.")
    found: dict[str, Any] = {}
    for name in chosen:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        found[name] = TRUTHS[name](range(arguments.seeds))
    if arguments.json:
        print(json_text({"machine": machine(), "seeds": arguments.seeds, "truth": found}))
        return EXIT_DONE
    for name, rows in found.items():
        print(name)
        for row in rows:
            print("  " + "  ".join(f"{key} {_figure(value)}" for key, value in row.items()))
    return EXIT_DONE


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _row(figure: Figure) -> dict[str, Any]:
    return {
        "id": figure.id,
        "title": figure.title,
        "value": figure.value,
        "unit": figure.unit,
        "limit": figure.limit,
        "limit_is": "at most" if figure.at_most else "at least",
        "reached": figure.reached,
        "yardstick": figure.yardstick,
        "yardstick_value": figure.yardstick_value,
        **figure.details,
    }


def _text(document: dict[str, Any], figures: list[Figure]) -> str:
    about = document["machine"]
    lines = [
        f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['system']}, "
        f"Python {about['python']}"
    ]
    for figure in figures:
        sign = "≤" if figure.at_most else "≥"
        verdict = "reached" if figure.reached else "SHORT"
        lines.append(
            f"{figure.title}: {figure.value:g} {figure.unit} ({sign} {figure.limit:g}: {verdict})"
        )
        if figure.yardstick:
            lines.append(f"    yardstick: {figure.yardstick} {figure.yardstick_value:g}")
    return "\n".join(lines)
