"""A profile to rehearse on, from what is stated about a vehicle.

A record states little of what a simulated engine needs. What it does not state is taken over from
a vehicle of the table, in proportion: peaks and bore and stroke by displacement, speeds by
redline. Which fields those are is said with the result, for the tuner to look at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.profile_json import profile_to_json
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.store.vehicles import VehicleRecord

_STATED = (
    "fuel",
    "idle_rpm",
    "redline_rpm",
    "displacement_cc",
    "cylinders",
    "boost_kpa",
    "gear_ratios",
    "dyno_gear",
    "tyre_circumference_m",
)
_SPEEDS = ("peak_power_rpm", "peak_torque_rpm", "pull_start_rpm")


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of a profile, to be looked at before it is one."""

    fields: Mapping[str, Any]  # as `profile_from_json` reads them
    assumed: frozenset[str]  # those that the record does not state


def closest_profile(record: VehicleRecord) -> Profile:
    """Return the vehicle of the table that is most like *record*.

    >>> closest_profile(VehicleRecord("Mine", displacement_cc=650.0, cylinders=4)).name
    'four-600'
    """

    def distance(profile: Profile) -> float:
        away = 4.0 * ((profile.boost_kpa > 0.0) is not (record.boost_kpa > 0.0))
        if record.cylinders is not None:
            away += 2.0 * (profile.cylinders != record.cylinders)
        if record.displacement_cc is not None:
            away += abs(math.log(record.displacement_cc / profile.displacement_cc))
        if record.redline_rpm is not None:
            away += abs(math.log(record.redline_rpm / profile.redline_rpm))
        return away

    return min(PROFILES.values(), key=distance)


def draft_of(record: VehicleRecord) -> Draft:
    """Return a profile's fields for a vehicle; whether they make an engine is not judged here."""
    base = closest_profile(record)
    stated = {name: value for name in _STATED if (value := getattr(record, name)) not in (None, ())}
    fields: dict[str, Any] = json.loads(profile_to_json(base)) | stated
    fields |= {"name": record.slug, "title": record.name}
    swept = fields["displacement_cc"] / base.displacement_cc
    speed = fields["redline_rpm"] / base.redline_rpm
    size = (swept * base.cylinders / fields["cylinders"]) ** (1.0 / 3.0)
    for name in ("bore_mm", "stroke_mm"):
        fields[name] = round(fields[name] * size, 2)
    for name in _SPEEDS:
        fields[name] = round(fields[name] * speed)
    fields["ve_rpm"] = [round(rpm * speed) for rpm in base.ve_rpm]
    fields["peak_torque_nm"] = round(base.peak_torque_nm * swept, 1)
    fields["peak_power_kw"] = round(base.peak_power_kw * swept * speed, 1)
    fields["engine_inertia_kgm2"] = round(base.engine_inertia_kgm2 * swept, 4)
    if "gear_ratios" in stated and "dyno_gear" not in stated:
        fields["dyno_gear"] = min(base.dyno_gear, len(record.gear_ratios))
    return Draft(fields, frozenset(set(fields) - set(stated) - {"name", "title"}))
