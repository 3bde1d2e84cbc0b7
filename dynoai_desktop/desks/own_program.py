"""How this program starts another one of itself: from its source, or built into one folder."""

from __future__ import annotations

import sys


def own_command(*arguments: str) -> list[str]:
    """Return the command line that runs this program with *arguments*."""
    frozen = bool(getattr(sys, "frozen", False))
    program = [sys.executable] if frozen else [sys.executable, "-m", "dynoai_desktop"]
    return [*program, *arguments]
