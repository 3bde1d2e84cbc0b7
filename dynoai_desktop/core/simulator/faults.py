"""Faults on demand, as one table: what breaks, and who ought to notice.

A fault changes named numbers of the simulation. Loss on the network is not here: it happens on
the bus, between the rig and the program.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PREFLIGHT, ALERT, GATE = "preflight", "alert", "gate"
ANALYSIS, PERSON = "analysis", "person"


class WidebandState(StrEnum):
    """What a wideband controller is doing."""

    OK = "ok"
    WARMING = "warming"
    UNPLUGGED = "unplugged"  # the controller's error 2: its output falls to the low rail
    FREE_AIR = "free_air"  # out of the pipe: 20.9 % oxygen
    FROZEN = "frozen"  # repeats its last value


@dataclass(frozen=True, slots=True)
class Effects:
    """Everything a fault can change. The defaults are a healthy rig."""

    widebands_swapped: bool = False
    wideband_front: WidebandState = WidebandState.OK
    wideband_rear: WidebandState = WidebandState.OK
    leak_front: float = 0.0  # share of room air in the front probe's gas at idle flow
    rpm_frozen: bool = False
    rpm_dropouts: float = 0.0  # chance per reading that the pickup sees nothing
    rpm_carries_afr: bool = False
    map_carries_baro: bool = False
    misfire_rear: float = 0.0  # share of rear cycles that do not light at full load
    pump_limit: float = 9.0  # most fuel the pump gives over what full power needs
    clutch_scale: float = 1.0
    tyre_scale: float = 1.0
    drum_setting: float = 1.0  # effective mass the dyno is set to over the true one
    octane_change: float = 0.0
    charging: bool = True
    fan: float = 1.0  # of the cooling air
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table.

    *noticed_by* holds (who, what) pairs: a preflight check, a live alert or a gate by its key, a
    diagnosis or the person at the dyno in words.
    """

    key: str
    title: str
    noticed_by: tuple[tuple[str, str], ...]
    changes: Mapping[str, Any] = field(default_factory=dict)


FAULTS: dict[str, Fault] = {
    row.key: row
    for row in (
        Fault(
            "swapped_widebands",
            "Front and rear widebands swapped",
            ((PREFLIGHT, "cylinders"),),
            {"widebands_swapped": True},
        ),
        Fault(
            "exhaust_leak",
            "Exhaust leak before the front wideband",
            ((ALERT, "wideband_disagreement"), (ANALYSIS, "exhaust leak")),
            {"leak_front": 0.16},
        ),
        Fault(
            "frozen_rpm",
            "Engine speed frozen",
            ((PREFLIGHT, "rpm_frozen"), (ALERT, "rpm_frozen")),
            {"rpm_frozen": True},
        ),
        Fault(
            "rpm_dropouts",
            "Speed pickup drops out",
            ((PREFLIGHT, "rpm_dropouts"), (ANALYSIS, "rpm dropouts")),
            {"rpm_dropouts": 0.03},
        ),
        Fault(
            "rpm_carries_afr",
            "Engine RPM channel carries AFR",
            ((PREFLIGHT, "rpm"),),
            {"rpm_carries_afr": True},
        ),
        Fault(
            "map_carries_baro",
            "MAP channel carries barometric pressure",
            ((PREFLIGHT, "manifold_pressure"),),
            {"map_carries_baro": True},
        ),
        Fault(
            "plug_fouling",
            "Rear plug fouled",
            ((ALERT, "wideband_disagreement"), (ANALYSIS, "misfire")),
            {"misfire_rear": 0.18},
        ),
        Fault(
            "weak_pump",
            "Fuel pump gives out at high load",
            ((ALERT, "lean_under_load"), (ANALYSIS, "fuel supply")),
            {"pump_limit": 0.85},
        ),
        Fault(
            "slipping_clutch",
            "Clutch slips under torque",
            ((ANALYSIS, "slip"),),
            {"clutch_scale": 0.42},
        ),
        Fault(
            "slipping_tyre",
            "Tyre slips on the drum",
            ((ANALYSIS, "slip"),),
            {"tyre_scale": 0.30},
        ),
        Fault(
            "cold_engine",
            "Engine cold",
            ((PREFLIGHT, "engine_temperature"), (GATE, "warm_up")),
            {"cold": True},
        ),
        Fault(
            "wrong_drum_constant",
            "Dyno set for a drum 15 % too heavy",
            ((PERSON, "power and coast-down disagree with earlier sessions"),),
            {"drum_setting": 1.15},
        ),
        Fault(
            "unplugged_wideband",
            "Front wideband unplugged",
            ((PREFLIGHT, "wideband"), (ALERT, "wideband_dead")),
            {"wideband_front": WidebandState.UNPLUGGED},
        ),
        Fault(
            "free_air_wideband",
            "Front wideband out of the pipe",
            ((PREFLIGHT, "wideband"), (GATE, "lambda_free_air")),
            {"wideband_front": WidebandState.FREE_AIR},
        ),
        Fault(
            "frozen_wideband",
            "Rear wideband frozen",
            ((PREFLIGHT, "wideband"), (ALERT, "wideband_dead")),
            {"wideband_rear": WidebandState.FROZEN},
        ),
        Fault(
            "warming_widebands",
            "Widebands still warming up",
            ((PREFLIGHT, "wideband"), (GATE, "lambda_warming")),
            {
                "wideband_front": WidebandState.WARMING,
                "wideband_rear": WidebandState.WARMING,
            },
        ),
        Fault(
            "bad_fuel",
            "Fuel of too low octane",
            ((ALERT, "knock"), (ANALYSIS, "knock limit")),
            {"octane_change": -8.0},
        ),
        Fault(
            "no_fan",
            "Cooling fan off",
            ((ALERT, "knock"), (ALERT, "power_falling"), (ALERT, "over_temperature")),
            {"fan": 0.2},
        ),
        Fault(
            "no_charging",
            "Alternator not charging",
            ((ALERT, "low_battery"),),
            {"charging": False},
        ),
    )
}


def effects_of(faults: Iterable[str]) -> Effects:
    """Return the sum of the named faults. Raises ValueError naming one that is not in the table.

    >>> effects_of(["weak_pump"]).pump_limit
    0.85
    """
    effects = Effects()
    for key in faults:
        if key not in FAULTS:
            raise ValueError(f"{key!r} is not a fault; choose from {', '.join(FAULTS)}.")
        effects = dataclasses.replace(effects, **FAULTS[key].changes)
    return effects
