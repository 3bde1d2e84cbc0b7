"""The engine on paper that the package measures itself with, for the tests."""

from __future__ import annotations

from dynoai_desktop.core.analysis.paper_engine import (
    MAP,
    RPM,
    STEP_S,
    TABLE_ERRORS,
    World,
    make,
    no_error,
    programme,
    random_error,
    read_table,
    smooth_error,
)

__all__ = [
    "MAP",
    "RPM",
    "STEP_S",
    "TABLE_ERRORS",
    "World",
    "make",
    "no_error",
    "programme",
    "random_error",
    "read_table",
    "smooth_error",
]
