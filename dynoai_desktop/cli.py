"""The one console command, `dynoai-desktop`. No subcommand opens the window.

Exit codes: 0 done or passed, 1 checked and failed, 2 bad usage or unreadable input. With `--json`
exactly one JSON document goes to stdout; logs and sentences go to stderr.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from dynoai_desktop import __version__
from dynoai_desktop.commands import (
    COMMANDS,
    EXIT_DONE,
    EXIT_UNUSABLE,
    UsageError,
    default_data_dir,
)

PROGRAM = "dynoai-desktop"


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="where vehicles and sessions are kept",
    )
    common.add_argument(
        "--verbose", action="store_true", default=argparse.SUPPRESS, help="log to stderr"
    )
    return common


def _window_parser() -> argparse.ArgumentParser:
    listing = "\n".join(f"  {command.name:<12} {command.help}" for command in COMMANDS)
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        parents=[_common()],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Live measurement, diagnosis and planning beside the dyno.\n"
        "Without a command it opens the window.",
        epilog=f"commands (each has its own --help):\n{listing}",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("--iface", metavar="IP", help="listen on the interface with this address")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="open a recording")
    parser.add_argument(
        "--vehicle", metavar="V", default="", help="work on this vehicle; a new name creates it"
    )
    parser.add_argument("--demo", action="store_true", help="run with a simulated dyno")
    parser.add_argument(
        "--seconds", type=float, default=40.0, help="length of a demo without a display"
    )
    parser.add_argument("command", nargs="?", metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _parse(argv: Sequence[str]) -> tuple[str, argparse.Namespace]:
    parser = _window_parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        return "dynoai_desktop.app", arguments
    command = next((c for c in COMMANDS if c.name == arguments.command), None)
    if command is None:
        names = ", ".join(c.name for c in COMMANDS)
        parser.error(f"there is no command '{arguments.command}'; the commands are {names}")
    name = f"dynoai_desktop.commands.{command.module}"
    sub = argparse.ArgumentParser(
        prog=f"{PROGRAM} {command.name}", description=command.help, parents=[_common()]
    )
    importlib.import_module(name).add_arguments(sub)
    common = {k: v for k, v in vars(arguments).items() if k in ("data_dir", "verbose")}
    return name, sub.parse_args(arguments.rest, argparse.Namespace(**common))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    # Names of channels and vehicles are in every script; a Windows console would refuse some.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    module, arguments = _parse(sys.argv[1:] if argv is None else argv)
    arguments.data_dir = getattr(arguments, "data_dir", None) or default_data_dir()
    level = logging.INFO if getattr(arguments, "verbose", False) else logging.WARNING
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        return int(importlib.import_module(module).run(arguments))
    except UsageError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever was reading has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
