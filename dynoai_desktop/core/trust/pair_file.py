"""How a vehicle's two widebands stood to each other when the user said that all was right.

Two cylinders never run quite alike. Once a mapping has been saved after a preflight, the difference
is remembered, and a later one with the other sign says that the sensors have changed places.
"""

from __future__ import annotations

from pathlib import Path

from dynoai_desktop.core.store.json_store import read_document, write_document
from dynoai_desktop.core.trust.preflight import PairBaseline

SCHEMA_VERSION = 1
_NAME = "widebands.json"
_SCATTER = 0.004  # lambda; of the difference between two idles of one warm engine


def save_pair(vehicle: Path, offset: float) -> None:
    """Remember front − rear lambda. Raises StoreError when the disk refuses."""
    write_document(
        vehicle / _NAME,
        {"schema_version": SCHEMA_VERSION, "front_minus_rear": offset, "scatter": _SCATTER},
    )


def load_pair(vehicle: Path) -> PairBaseline | None:
    """Return what was remembered, None when nothing usable was."""
    document = read_document(vehicle / _NAME, schema_version=SCHEMA_VERSION).document or {}
    offset, scatter = document.get("front_minus_rear"), document.get("scatter")
    if isinstance(offset, int | float) and isinstance(scatter, int | float):
        return PairBaseline(float(offset), float(scatter))
    return None
