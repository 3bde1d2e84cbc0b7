"""What stops planning, in a module that costs nothing to import."""

from __future__ import annotations


class PlanningError(ValueError):
    """Something about a run or a vehicle that stops planning; one sentence with what to do."""
