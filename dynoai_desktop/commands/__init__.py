"""The subcommands of `dynoai-desktop`, one module each, and what they share.

A command module has `add_arguments(parser)` and `run(arguments) -> int`. It is imported only when
its command is asked for, so a script that calls `inspect` does not wait for Qt.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynoai_desktop.core.store.vehicles import VehicleRecord

EXIT_DONE, EXIT_FAILED, EXIT_UNUSABLE = 0, 1, 2


class UsageError(Exception):
    """Input that cannot be used; the message is one sentence with what to do."""


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand and the module in this package that does it."""

    name: str
    help: str
    module: str


COMMANDS = (
    Command("simulate", "publish a simulated dyno, or write its traffic to a file", "simulate"),
    Command("record", "record from the network into a session folder, without a window", "record"),
    Command("inspect", "say what is in a recording or a log", "inspect_file"),
    Command("mapping", "say what every channel is taken for, how surely and why", "mapping"),
    Command("preflight", "check a recording, or the network, before a run", "preflight"),
    Command("analyze", "say everything a recording or a log holds, with its doubt", "analyze"),
    Command("plan", "say what to drive next on a vehicle, and why", "plan"),
    Command("feedback", "learn from a run, or that a test was skipped or cannot be", "feedback"),
    Command("reset", "forget what was learned of a vehicle, or bring it back", "reset"),
    Command("apply", "write corrections into a copy of a tune, or preview them", "apply"),
    Command("rollback", "take the latest change of a tune back, byte for byte", "rollback"),
    Command("virtual-tune", "tune a simulated vehicle in closed loop", "virtual_tune"),
    Command("tour", "render every page from a recording to PNG files", "tour"),
    Command("bench", "measure this machine against the figures the program must reach", "bench"),
)


def default_data_dir() -> Path:
    """Return the platform's user data directory for this program."""
    from platformdirs import user_data_path

    return user_data_path("DynoAI Desktop", appauthor=False)


def known_vehicle(data_dir: Path, name: str) -> VehicleRecord:
    """Return the vehicle that `--vehicle` names, or a record with that name alone.

    Raises UsageError for a name that no vehicle can have, or a disk that will not be read.
    """
    from dynoai_desktop.core.store.json_store import StoreError
    from dynoai_desktop.core.store.vehicle_folders import vehicle_named, vehicles_folder
    from dynoai_desktop.core.store.vehicles import VehicleError

    try:
        return vehicle_named(vehicles_folder(data_dir), name)
    except (VehicleError, StoreError) as error:
        raise UsageError(str(error)) from error
