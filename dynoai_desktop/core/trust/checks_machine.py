"""Checks of this computer: can it keep what it hears, and keep up with it?"""

from __future__ import annotations

from dynoai_desktop.core.samples import WINDOW_US
from dynoai_desktop.core.trust.check import Verdict, View, failed, passed, skipped, warning

FREE_WARNING, FREE_FAIL = 2_000_000_000, 200_000_000  # bytes
HOURS_WARNING, HOURS_FAIL = 8.0, 0.5
BUSY_WARNING, BUSY_FAIL = 0.5, 0.9  # share of a 50 ms window


def recording(view: View) -> Verdict:
    """The session folder can be written."""
    error = view.inputs.machine.recording_error
    if error is None:
        return skipped("Nothing is going to be recorded.")
    if error:
        return failed(f"The recording cannot be written: {error}", "Choose another data folder.")
    return passed("The recording can be written.")


def disk_space(view: View) -> Verdict:
    """There is room for a day of recording."""
    machine = view.inputs.machine
    if machine.free_bytes is None:
        return skipped("Nothing is going to be recorded.")
    message = f"{machine.free_bytes / 1e9:.1f} GB are free"
    hours = float("inf")
    if machine.bytes_per_s:
        hours = machine.free_bytes / machine.bytes_per_s / 3600
        message += f", enough for {hours:.0f} hours" if hours >= 1 else ", less than an hour"
    fix = "Delete or move old sessions, or choose another disk."
    if machine.free_bytes < FREE_FAIL or hours < HOURS_FAIL:
        return failed(f"{message}.", fix)
    if machine.free_bytes < FREE_WARNING or hours < HOURS_WARNING:
        return warning(f"{message}.", fix)
    return passed(f"{message}.")


def processor(view: View) -> Verdict:
    """One 50 ms window is worked through in much less than 50 ms, and nothing was dropped."""
    lost = view.health.overwritten
    if lost:
        return failed(
            f"This computer could not keep up: {lost} samples were overwritten before they were "
            "used.",
            "Close other programs; send fewer channels.",
        )
    cost_ms = view.inputs.machine.window_ms
    if cost_ms is None:
        return skipped("The processor has not been measured.")
    share = cost_ms / (WINDOW_US / 1000)
    message = f"A 50 ms window takes {cost_ms:.1f} ms of processor time."
    fix = "Close other programs; connect the power supply; send fewer channels."
    if share > BUSY_FAIL:
        return failed(message, fix)
    if share > BUSY_WARNING:
        return warning(message, fix)
    return passed(message)
