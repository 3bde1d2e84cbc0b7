"""Multipliers for the fuel tables, with what has to be known to use them safely.

A number alone is dangerous: 1.03 as a multiplier adds three per cent, as a percentage next to
nothing, and -7 as a multiplier is nonsense. Every file of corrections says that its numbers are
multipliers, for which vehicle, and on which tune they were worked out; one that does not is
refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynoai_desktop.core.axis import Axis, CellGrid
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.store.json_store import parse_object
from dynoai_desktop.core.tune import matrix_csv
from dynoai_desktop.core.tune.tables import MAP_KPA, RPM, TPS_PERCENT, AxisUnit, TuneError

SCHEMA_VERSION = 1
TYPE = "dynoai_corrections"
UNIT = "multiplier"
_LEAST, _MOST = 0.5, 2.0  # beyond this a number is in another unit, not a correction
_LOADS: dict[str, AxisUnit] = {a.channel.value: a for a in (MAP_KPA, TPS_PERCENT)}


@dataclass(frozen=True, slots=True, eq=False)
class Corrections:
    """Multipliers by cylinder, ``[rpm][load]``; above 1 adds fuel, exactly 1 changes nothing."""

    factors: Mapping[Cylinder, CellGrid]
    vehicle: str = ""  # "" is for any
    tune_sha256: str = ""  # of the tune they were worked out on; "" when not known
    created: str = ""  # UTC, ISO 8601
    simulated: bool = False  # from a rehearsal: not for the tune of a real vehicle

    def __post_init__(self) -> None:
        """Refuse what could be misread: raises TuneError."""
        if not self.factors:
            raise TuneError("The corrections hold no table. Analyse a run first.")
        for cylinder, grid in self.factors.items():
            _check(cylinder, grid)

    def document(self) -> dict[str, Any]:
        """Return the corrections as a JSON document."""
        return {
            "schema_version": SCHEMA_VERSION,
            "type": TYPE,
            "unit": UNIT,
            "vehicle": self.vehicle,
            "tune_sha256": self.tune_sha256,
            "created": self.created,
            "simulated": self.simulated,
            "cylinders": {
                cylinder.value: {
                    "rpm": list(grid.rpm.nodes),
                    "load": list(grid.load.nodes),
                    "load_channel": grid.load.channel.value,
                    UNIT: grid.values.tolist(),
                }
                for cylinder, grid in sorted(self.factors.items())
            },
        }

    def encoded(self) -> bytes:
        """Return the document as bytes: the same corrections, the same bytes."""
        return json.dumps(self.document(), sort_keys=True, allow_nan=False, indent=1).encode()

    @property
    def sha256(self) -> str:
        """Return the hash of the multipliers and their axes, whatever the file around them."""
        cylinders = self.document()["cylinders"]
        return hashlib.sha256(json.dumps(cylinders, sort_keys=True).encode()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Corrections:
        """Return the corrections in a JSON file. Raises TuneError with one sentence."""
        try:
            document = parse_object(data)
        except ValueError as error:
            raise TuneError(f"The file of corrections {error}. Analyse the run again.") from error
        if document.get("type") != TYPE:
            raise TuneError("The file holds no corrections. Choose one that an analysis has saved.")
        if document.get("schema_version") != SCHEMA_VERSION:
            raise TuneError("The corrections were saved by another version. Analyse the run again.")
        _require_multipliers(document.get("unit"))
        vehicle, tune, created = (
            str(document.get(k, "")) for k in ("vehicle", "tune_sha256", "created")
        )
        cylinders = document.get("cylinders")
        return cls.from_tables(
            cylinders,
            vehicle=vehicle,
            tune_sha256=tune,
            created=created,
            simulated=document.get("simulated") is True,
        )

    @classmethod
    def from_tables(
        cls,
        cylinders: object,
        *,
        vehicle: str = "",
        tune_sha256: str = "",
        created: str = "",
        simulated: bool = False,
    ) -> Corrections:
        """Return corrections from the ``ve_correction`` section of an analysis payload.

        *cylinders* maps front, rear or both to rpm[], load[], load_channel and multiplier[][].
        Raises TuneError when something is missing or of another shape.
        """
        if not isinstance(cylinders, Mapping):
            raise TuneError("The corrections name no cylinder. Analyse the run again.")
        factors = {}
        for name, table in cylinders.items():
            try:
                factors[Cylinder(name)] = _grid(table)
            except (KeyError, TypeError, ValueError) as error:
                raise TuneError(
                    f"The corrections for “{name}” are incomplete or of unequal size. "
                    "Analyse the run again."
                ) from error
        return cls(factors, vehicle, tune_sha256, created, simulated)


def to_csv(corrections: Corrections, cylinder: Cylinder) -> bytes:
    """Return one cylinder as matrix CSV that says what its numbers are."""
    notes = {
        "unit": UNIT,
        "cylinder": cylinder.value,
        "vehicle": corrections.vehicle,
        "tune_sha256": corrections.tune_sha256,
        "created": corrections.created,
        "simulated": "yes" if corrections.simulated else "",
    }
    kept = {key: value for key, value in notes.items() if value}
    return matrix_csv.write(corrections.factors[cylinder], decimals=6, notes=kept)


def from_csv(files: Sequence[bytes]) -> Corrections:
    """Return corrections from matrix CSV files, one a cylinder. Raises TuneError."""
    factors: dict[Cylinder, CellGrid] = {}
    common: dict[str, set[str]] = {"vehicle": set(), "tune_sha256": set(), "created": set()}
    simulated = False
    for data in files:
        notes = matrix_csv.notes(data)
        _require_multipliers(notes.get("unit"))
        try:
            cylinder = Cylinder(notes.get("cylinder", ""))
        except ValueError as error:
            raise TuneError(
                "The file of corrections does not say for which cylinder. Write “# cylinder: "
                "front”, rear or both above the table."
            ) from error
        if cylinder in factors:
            raise TuneError(f"Two files of corrections are for the {cylinder.value} cylinder.")
        factors[cylinder] = matrix_csv.parse(data).tables[0].grid()
        for key, values in common.items():
            values.add(notes.get(key, ""))
        simulated |= bool(notes.get("simulated"))
    if any(len(common[key]) > 1 for key in ("vehicle", "tune_sha256")):
        raise TuneError("The files of corrections are for different vehicles or tunes.")
    known = {key: max(values, default="") for key, values in common.items()}
    return Corrections(factors, **known, simulated=simulated)


def _require_multipliers(unit: object) -> None:
    if unit == UNIT:
        return
    if not unit:
        raise TuneError(
            "The file does not say in which unit its corrections are. Write “# unit: multiplier” "
            "above the table if 1.05 stands for 5 % more fuel."
        )
    raise TuneError(
        f"The file holds corrections in “{str(unit)[:30]}”, not multipliers. Export them as "
        "multipliers, 1.05 for 5 % more fuel."
    )


def _check(cylinder: Cylinder, grid: CellGrid) -> None:
    if grid.rpm.channel is not Channel.RPM or grid.load.channel.value not in _LOADS:
        raise TuneError("Corrections need an rpm axis and a load axis in MAP or TPS.")
    if not np.isfinite(grid.values).all():
        raise TuneError(
            f"The corrections for the {cylinder.value} cylinder hold cells that are not numbers. "
            "A cell without data has the multiplier 1."
        )
    low, high = float(grid.values.min()), float(grid.values.max())
    if low < _LEAST or high > _MOST:
        raise TuneError(
            f"The corrections for the {cylinder.value} cylinder run from {low:g} to {high:g}: "
            "these are not multipliers. Export them as multipliers, 1.05 for 5 % more fuel."
        )


def _grid(table: Mapping[str, Any]) -> CellGrid:
    measures = _LOADS[table["load_channel"]]
    return CellGrid(
        Axis.from_nodes(RPM.channel, RPM.unit, table["rpm"]),
        Axis.from_nodes(measures.channel, measures.unit, table["load"]),
        np.array(table[UNIT], dtype=np.float64),
    )
