"""What `bench` measures: one function a figure, each with its yardstick in the same run."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure beside what it is compared with and what it must reach."""

    id: str
    title: str
    value: float
    unit: str
    limit: float
    at_most: bool  # True: the value must not exceed the limit
    yardstick: str = ""
    yardstick_value: float | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        """Return True when the figure is as good as it must be."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit


def machine() -> dict[str, Any]:
    """Return what this machine is, so that a figure is never quoted without it."""
    import psutil

    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if sys.platform == "linux" and info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
