"""The notices of what the program is made with, as shown under About."""

from __future__ import annotations

from dynoai_desktop.resources import resource_path


def third_party_notices() -> str:
    """Return the shipped notices; where they were not collected, those of the typeface."""
    try:
        collected = resource_path("THIRD_PARTY.txt")
    except FileNotFoundError:
        collected = resource_path("fonts") / "OFL.txt"
    return collected.read_text(encoding="utf-8")
